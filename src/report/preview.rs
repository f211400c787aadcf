//! The preview's index: some members of an audience, why each was chosen, and
//! the very message each would get.
//!
//! The messages lie in files beside the page. Each is shown in a sandboxed
//! frame: no scripts, no forms, no links that leave it. A message's own remote
//! images are fetched when the page is opened, as in a mail program. The page
//! shows personal data, and belongs where the audience file belongs.

use serde::Serialize;

use crate::account::AccountId;
use crate::guard::Finding;
use crate::report::Head;
use crate::report::html::{counted, escape, href};

/// The members of a preview.
#[derive(Clone, Debug, Serialize)]
pub struct PreviewIndex {
    /// The campaign.
    pub head: Head,
    /// The members, in the order they were chosen.
    pub members: Vec<PreviewMember>,
}

/// One member and its message.
#[derive(Clone, Debug, Serialize)]
pub struct PreviewMember {
    /// The account.
    pub account: AccountId,
    /// Why it was chosen, in a few words: `longest`, `30 domains`.
    pub label: Vec<String>,
    /// Every reason in full; may be empty.
    pub why: Vec<String>,
    /// The message's subject.
    pub subject: String,
    /// What the guard found; empty: cleared.
    pub findings: Vec<Finding>,
    /// The message's file beside the page: `10000001.eml`.
    pub eml: String,
    /// Its HTML part's file, if it has one.
    pub html: Option<String>,
    /// Its text part's file, if it has one.
    pub text: Option<String>,
}

impl PreviewIndex {
    /// The page.
    pub fn page(&self) -> String {
        let held = self.members.iter().filter(|member| !member.findings.is_empty()).count() as u64;
        let all = self.members.len() as u64;
        let (mark, says) = if held == 0 {
            (("accepted", "cleared"), format!("{}, as they would be sent. Nothing was sent.", counted(all, "message")))
        } else {
            (("held", "held"), format!("{held} of {}. Nothing was sent.", counted(all, "message")))
        };
        let cards: String = self.members.iter().map(card).collect();
        let body = [
            self.head.header("Preview", mark, &says),
            format!("<section class=\"cards\">{cards}</section>"),
            self.head.facts(),
        ];
        self.head.page("Preview", &body.join("\n"))
    }
}

fn card(member: &PreviewMember) -> String {
    let account = escape(member.account.as_str());
    let mark = if member.findings.is_empty() {
        "<span class=\"mark accepted\">cleared</span>"
    } else {
        "<span class=\"mark held\">held</span>"
    };
    let list = |reasons: &[String]| reasons.iter().map(|why| format!("<li>{}</li>", escape(why))).collect::<String>();
    let label = list(&member.label);
    let why = if member.why == member.label || member.why.is_empty() {
        String::new()
    } else {
        let all = counted(member.why.len() as u64, "reason");
        format!("<details><summary>{all} in full</summary><ul>{}</ul></details>", list(&member.why))
    };
    let findings: String = member
        .findings
        .iter()
        .map(|finding| {
            format!(
                "<li><span class=\"rule\">{}</span> {} <q>{}</q></li>",
                finding.rule.as_str(),
                escape(&finding.place),
                escape(&finding.shown)
            )
        })
        .collect();
    let findings = if findings.is_empty() { findings } else { format!("<ul class=\"found\">{findings}</ul>") };
    let frame = match member.html.as_deref().or(member.text.as_deref()) {
        Some(file) => format!(
            "<iframe sandbox loading=\"lazy\" title=\"The message to account {account}\" src=\"{}\"></iframe>",
            href(file)
        ),
        None => "<p class=\"quiet\">This message has no part to show.</p>".into(),
    };
    format!(
        "<article class=\"card\"><h3><code>{account}</code>{mark}</h3><p class=\"subject\">{}</p>\
         <ul class=\"why\">{label}</ul>{why}{findings}{frame}<p class=\"links\">{}</p></article>",
        escape(&member.subject),
        links(member)
    )
}

fn links(member: &PreviewMember) -> String {
    let named = [("message", Some(&member.eml)), ("HTML", member.html.as_ref()), ("text", member.text.as_ref())];
    let links = named.into_iter().filter_map(|(name, file)| Some(format!("<a href=\"{}\">{name}</a>", href(file?))));
    links.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Kind;
    use crate::guard::Rule;
    use crate::report::check::tests::finding;

    fn member(account: &str, why: &[&str], findings: Vec<Finding>) -> PreviewMember {
        PreviewMember {
            account: AccountId::new(account).unwrap(),
            label: why.iter().take(1).map(ToString::to_string).collect(),
            why: why.iter().map(ToString::to_string).collect(),
            subject: "ドメイン更新のお知らせ / Your domains in December".into(),
            findings,
            eml: format!("{account}.eml"),
            html: Some(format!("{account}.html")),
            text: Some(format!("{account}.txt")),
        }
    }

    fn index() -> PreviewIndex {
        let foreign = finding(Rule::Foreign, Some(Kind::Domain), "text/html, link 3", "h••••••••••e", Some("10000007"));
        PreviewIndex {
            head: Head::made_up("2026-12 newsletter"),
            members: vec![
                member("10000001", &["most domains", "longest name"], vec![]),
                member("10000002", &["no domains"], vec![]),
                member("10000003", &["company without a name"], vec![foreign]),
            ],
        }
    }

    #[test]
    fn every_message_is_shown_in_a_frame_that_may_do_nothing() {
        let page = index().page();
        assert_eq!(page.matches("<iframe sandbox loading").count(), 3);
        assert!(!page.contains("allow-"));
        assert!(page.contains("src=\"./10000001.html\"") && page.contains("href=\"./10000001.eml\""));
    }

    #[test]
    fn reasons_are_folded_behind_a_few_words() {
        let page = index().page();
        assert!(
            page.contains("<ul class=\"why\"><li>most domains</li></ul><details><summary>2 reasons in full</summary>")
        );
        assert!(page.contains("<li>longest name</li>"));
        assert_eq!(page.matches("<details>").count(), 1, "a label that says it all is not said again");
        assert!(
            PreviewIndex { head: Head { messages_digest: None, ..index().head }, ..index() }
                .page()
                .contains("none yet")
        );
    }

    #[test]
    fn a_held_message_stands_out_with_its_findings() {
        let page = index().page();
        assert!(page.contains("<span class=\"mark held\">held</span> 1 of 3 messages. Nothing was sent."));
        assert!(page.contains("<span class=\"rule\">foreign</span> text/html, link 3 <q>h••••••••••e</q>"));
        let clean = PreviewIndex { members: index().members[..2].to_vec(), ..index() };
        assert!(clean.page().contains("cleared</span> 2 messages, as they would be sent."));
    }

    #[test]
    fn a_message_without_html_shows_its_text_and_one_without_both_says_so() {
        let mut index = index();
        index.members[0].html = None;
        (index.members[1].html, index.members[1].text) = (None, None);
        let page = index.page();
        assert!(page.contains("src=\"./10000001.txt\""));
        assert!(page.contains("no part to show"));
    }

    #[test]
    fn no_subject_account_or_file_name_becomes_markup() {
        let mut index = index();
        index.members[0] = member("a\"onload=\"x<script>", &["<script>"], vec![]);
        index.members[0].subject = "<script>".into();
        let page = index.page();
        assert!(!page.contains("<script") && !page.contains("\"onload"), "{page}");
    }
}
