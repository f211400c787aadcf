//! Each rule by itself: something that it must find is put into a message that is
//! right in everything else. A rule that says nothing then is switched off or
//! broken, however many swaps the others hold.

use crate::account::Kind;
use crate::guard::drill::Sample;
use crate::guard::drill::content::{Content, is_named};
use crate::guard::drill::swap::judged;
use crate::guard::{Judge, Rule};

/// Messages that each rule is tried on.
const MESSAGES: usize = 3;

/// What is put into a message, as a part of its own.
const PARTS: [(Rule, &str, &str); 6] = [
    (Rule::Unexplained, "text/plain", "https://kakitome-drill.invalid/"),
    (Rule::Salutation, "text/plain", "Dear Drillby Strangerford,"),
    (Rule::LinkToken, "text/plain", "kt1-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    (Rule::Secret, "text/plain", "12345678,drill@kakitome-drill.invalid,5/23/1998,x"),
    (Rule::Unreadable, "application/pkcs7-mime", "x"),
    (Rule::Empty, "text/plain", "{{ kakitome_drill }}"),
];

/// The rules that were silent, each with the sample that showed it; those that
/// spoke are added to `spoke`.
pub fn silent(
    judge: &Judge<'_>,
    samples: &[Sample<'_>],
    contents: &[Content],
    spoke: &mut Vec<Rule>,
) -> Vec<(Rule, usize)> {
    let mut silent = Vec::new();
    for rule in Rule::ALL {
        let mut tried = 0;
        for at in 0..samples.len() {
            let Some(content) = probe(judge, rule, samples, contents, at) else { continue };
            tried += 1;
            if !judged(judge, samples[at], &content.write()).iter().any(|finding| finding.rule == rule) {
                silent.push((rule, at));
                break;
            }
            if tried == MESSAGES {
                break;
            }
        }
        if tried > 0 && silent.last().is_none_or(|(last, _)| *last != rule) {
            spoke.push(rule);
        }
    }
    silent
}

/// A sample's message with what the rule must find; `None` where there is no such.
fn probe(judge: &Judge<'_>, rule: Rule, samples: &[Sample<'_>], contents: &[Content], at: usize) -> Option<Content> {
    let (mut head, mut parts) = (contents[at].head.clone(), contents[at].parts.clone());
    match rule {
        Rule::Envelope => head.push(format!("Cc: {}", samples[at].record.address.as_str())),
        Rule::Foreign => parts.push(("text/plain", stranger(judge, samples, at)?)),
        Rule::Missing => {
            let fills = |column: &String| {
                let field = samples[at].record.fields.get(column);
                field.is_some_and(|field| field.values().next().is_some())
            };
            judge.must_show().iter().find(|column| fills(column))?;
            head.iter_mut().filter(|line| is_named(line, "Subject")).for_each(|line| *line = "Subject: x".into());
            parts = vec![("text/plain", "x".into())];
        }
        Rule::Unexplained | Rule::Salutation | Rule::LinkToken | Rule::Secret | Rule::Unreadable | Rule::Empty => {
            let (_, kind, text) = PARTS.iter().find(|(of, ..)| *of == rule)?;
            parts.push((kind, (*text).to_owned()));
        }
    }
    Some(Content { head, parts })
}

/// An address of somebody else, which the campaign's terms do not explain.
fn stranger(judge: &Judge<'_>, samples: &[Sample<'_>], at: usize) -> Option<String> {
    let own = judge.own(samples[at].record);
    let addresses = samples.iter().map(|sample| sample.record.address.folded());
    let mut others = addresses.filter(|address| {
        let host = address.rsplit_once('@').map_or("", |(_, host)| host);
        !own.has(Kind::Email, address) && !own.has_host(host) && !judge.explains(Kind::Email, address)
    });
    others.next()
}
