//! The text that stands in the template itself, the same in every message.
//!
//! Input: a template's files. Output: one [`Literal`] a file, in which U+FFFC
//! marks where an expression or a tag stood, so that nobody reads text across
//! it; and one for each string constant inside an expression or a tag, which
//! is literal as well. Comments are gone, `raw` blocks are text.

use minijinja::machinery::{Token, Tokenizer};

use super::template;

/// A piece of literal text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// Whether it stands in an HTML file and is to be read as HTML.
    pub html: bool,
    /// The text, with [`Literal::GAP`] for what is not literal.
    pub text: String,
}

impl Literal {
    /// Stands where the template has an expression or a tag (OBJECT
    /// REPLACEMENT CHARACTER).
    pub const GAP: char = '\u{fffc}';
}

/// The literal text of one file that is known to parse.
pub(super) fn literals(file: &str, source: &str, out: &mut Vec<Literal>) {
    let mut text = String::with_capacity(source.len());
    let mut constants = Vec::new();
    let mut tokens = Tokenizer::new(source, file, false, template::syntax());
    while let Ok(Some((token, _))) = tokens.next_token() {
        match token {
            Token::TemplateData(data) => text.push_str(data),
            Token::VariableStart | Token::BlockStart => text.push(Literal::GAP),
            Token::Str(constant) => constants.push(constant.to_owned()),
            Token::String(constant) => constants.push(constant.into_string()),
            _ => {}
        }
    }
    out.push(Literal { html: template::is_html(file), text });
    // A constant may be joined with a value: what touches its ends explains nothing.
    let gap = Literal::GAP;
    let whole = constants.into_iter().filter(|constant| !constant.is_empty());
    out.extend(whole.map(|constant| Literal { html: false, text: format!("{gap}{constant}{gap}") }));
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
        assert_eq!(literals[0], Literal { html: true, text: format!("1000{gap}0001 a{{{{ b }}}}{gap}end{gap}!{gap}") });
        assert_eq!(literals[1], Literal { html: false, text: format!("{gap}www.registrar.example{gap}") });
        assert_eq!(literals[2], Literal { html: false, text: format!("{gap}premium{gap}") });
        assert_eq!(literals[3], Literal { html: false, text: "件名".into() });
        assert_eq!(literals.len(), 4);
    }
}
