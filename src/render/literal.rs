//! The text that stands in the template itself, the same in every message.
//!
//! Input: a template's files. Output: one [`Literal`] a file, in which U+FFFC
//! marks where an expression or a tag stood, so that nobody reads text across
//! it; and one for each string constant inside an expression or a tag, which
//! is literal as well. Comments are gone, `raw` blocks are text. Each knows
//! which lines of the file it stands in.

use minijinja::machinery::{Token, Tokenizer};

use super::template;

/// A piece of literal text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// Whether it stands in an HTML file and is to be read as HTML.
    pub html: bool,
    /// The text, with [`Literal::GAP`] for what is not literal.
    pub text: String,
    /// The template's file.
    pub file: String,
    /// Where a line of the file ends in the text, in bytes, and its number from 1;
    /// in order. A tag's own lines are not there.
    pub lines: Vec<(usize, usize)>,
}

impl Literal {
    /// Stands where the template has an expression or a tag (OBJECT
    /// REPLACEMENT CHARACTER).
    pub const GAP: char = '\u{fffc}';
}

/// The literal text of one file that is known to parse.
pub(super) fn literals(file: &str, source: &str, out: &mut Vec<Literal>) {
    let mut text = String::with_capacity(source.len());
    let mut lines = Vec::new();
    let mut constants: Vec<(String, usize)> = Vec::new();
    let mut tokens = Tokenizer::new(source, file, false, template::syntax());
    while let Ok(Some((token, span))) = tokens.next_token() {
        let line = usize::from(span.start_line);
        match token {
            Token::TemplateData(data) => {
                for (n, piece) in data.split_inclusive('\n').enumerate() {
                    text.push_str(piece);
                    lines.push((text.len(), line + n));
                }
            }
            Token::VariableStart | Token::BlockStart => text.push(Literal::GAP),
            Token::Str(constant) => constants.push((constant.to_owned(), line)),
            Token::String(constant) => constants.push((constant.into_string(), line)),
            _ => {}
        }
    }
    let literal = |html, text, lines| Literal { html, text, file: file.to_owned(), lines };
    out.push(literal(template::is_html(file), text, lines));
    // A constant may be joined with a value: what touches its ends explains nothing.
    let gap = Literal::GAP;
    for (constant, line) in constants.into_iter().filter(|(constant, _)| !constant.is_empty()) {
        let text = format!("{gap}{constant}{gap}");
        let lines = vec![(text.len(), line)];
        out.push(literal(false, text, lines));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::template;
    use super::*;

    #[test]
    fn gaps_stand_for_expressions_and_tags_and_constants_count() {
        let body = "1000{{ account.member_id }}0001 {# 10000009 #}a{% raw %}{{ b }}{% endraw %}\n\
            {% set site = \"www.registrar\\u002eexample\" %}\nend{% if account.plan == 'premium' %}!{% endif %}";
        let literals = template(&[("subject.txt", "件名"), ("body.html", body)]).unwrap().literals();
        let gap = Literal::GAP;
        let text = |n: usize| (literals[n].html, literals[n].text.as_str());
        assert_eq!(text(0), (true, format!("1000{gap}0001 a{{{{ b }}}}{gap}end{gap}!{gap}").as_str()));
        assert_eq!(text(1), (false, format!("{gap}www.registrar.example{gap}").as_str()));
        assert_eq!(text(2), (false, format!("{gap}premium{gap}").as_str()));
        assert_eq!(text(3), (false, "件名"));
        assert_eq!(literals.len(), 4);
        let line = |n: usize, piece: &str| {
            let at = literals[n].text.find(piece).unwrap();
            literals[n].lines.iter().find(|(end, _)| at < *end).unwrap().1
        };
        assert_eq!((line(0, "0001"), line(0, "{{ b }}"), line(0, "end"), line(0, "!")), (1, 1, 3, 3));
        assert_eq!((line(1, "www"), line(2, "premium"), line(3, "件名")), (2, 3, 1));
    }
}
