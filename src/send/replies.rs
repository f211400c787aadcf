//! What a server's reply means for what follows: a table of patterns.
//!
//! Input: a [`Reply`], its text as it is kept (one line, addresses masked).
//! Output: a [`Meaning`]. The first row that matches decides; a row matches by
//! reply code (RFC 5321 §4.2), enhanced code (RFC 3463, RFC 7372) and a piece of
//! the text, whichever it names. What no row knows is as cautious as it can be:
//! 4xx is tried again, and 5xx is final but says nothing about the mailbox.
//!
//! Only a reply that says that there is no such mailbox suppresses an address.
//! One about us, the sender, would be the same for everybody: it stops mail to
//! whoever gave it, and costs no address.
//!
//! The tests hold real replies of Gmail, Microsoft, Yahoo, Postfix and Amazon
//! SES. A reply that is read wrongly belongs there, and then a row here.

use crate::ledger::Reply;
use crate::send::wire::reply_text;

/// What a reply other than a yes calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// We are too fast for this receiver: slow down, and try again.
    Slow,
    /// Not now: try again.
    Defer,
    /// This receiver refuses us as a sender: no more mail to it until somebody
    /// has mended the cause.
    Halt,
    /// Our own mail server refuses us: no more mail at all until then.
    Stop,
    /// There is no such mailbox: no more mail to this address, ever.
    Bounce,
    /// The mailbox is full: this message is refused, the address is good.
    Full,
    /// This message is refused, for a reason that says nothing about the address.
    Refuse,
}

/// Reply code (`x`: any digit), enhanced code (`*`: any, `a-b`: from a to b) and
/// a piece of the text in lower case; empty: whatever it is.
type Row = (&'static str, &'static str, &'static str, Meaning);

use Meaning::{Bounce, Defer, Full, Halt, Refuse, Slow, Stop};

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // Our own mail server does not know us: nobody would get anything.
    ("",    "",            "relay access denied",               Stop),
    ("",    "",            "relaying denied",                   Stop),
    ("530", "",            "",                                  Stop),
    ("535", "",            "",                                  Stop),
    ("554", "",            "email address is not verified",     Stop),
    ("554", "",            "sending paused",                    Stop),

    // Not now. Greylisting is asked of everybody; a rate limit of our own
    // provider and a mailbox that gets too much are no reason to slow down for
    // one receiver.
    ("4xx", "",            "greylist",                          Defer),
    ("4xx", "",            "graylist",                          Defer),
    ("454", "",            "throttling",                        Defer),
    ("4xx", "4.2.*",       "",                                  Defer),

    // Too fast, or not trusted at this rate.
    ("421", "",            "",                                  Slow),
    ("4xx", "4.7.*",       "",                                  Slow),
    ("4xx", "",            "too many connections",              Slow),
    ("4xx", "",            "rate limit",                        Slow),
    ("4xx", "",            "temporarily deferred",              Slow),
    ("4xx", "",            "excessive unknown recipients",      Slow),
    ("4xx", "",            "",                                  Defer),

    // About us, by enhanced code: DKIM, SPF, reverse DNS, DMARC, TLS, rate
    // (RFC 7372 and Gmail's), and Microsoft's.
    ("5xx", "5.7.20-30",   "",                                  Halt),
    ("5xx", "5.7.501-503", "",                                  Halt),
    ("5xx", "5.7.508-511", "",                                  Halt),
    ("5xx", "5.7.515",     "",                                  Halt),
    ("5xx", "5.7.606-649", "",                                  Halt),
    ("5xx", "5.7.700-750", "",                                  Halt),
    // A sender address that is not taken (RFC 3463, §3.2).
    ("5xx", "5.1.7-8",     "",                                  Halt),
    // About us, by what the text says.
    ("5xx", "",            "block list",                        Halt),
    ("5xx", "",            "blocklist",                         Halt),
    ("5xx", "",            "blacklist",                         Halt),
    ("5xx", "",            "blocked using",                     Halt),
    ("5xx", "",            "spamhaus",                          Halt),
    ("5xx", "",            "client host rejected",              Halt),
    ("5xx", "",            "sender address rejected",           Halt),
    ("5xx", "",            "helo command rejected",             Halt),
    ("5xx", "",            "connections will not be accepted",  Halt),
    ("5xx", "",            "unsolicited mail",                  Halt),
    ("5xx", "",            "very low reputation",               Halt),
    ("5xx", "",            "unauthenticated email from",        Halt),
    ("5xx", "",            "does not pass dmarc",               Halt),
    ("554", "5.7.9",       "policy reasons",                    Halt),
    ("553", "",            "vs99-ip1",                          Halt),

    // A limit of ours, whatever the enhanced code says of the mailbox. Where the words
    // may be about the mailbox or the content as well, nothing is halted for them.
    ("5xx", "",            "receiving mail",                    Full),
    ("5xx", "",            "too many recipients",               Halt),
    ("5xx", "",            "too many messages",                 Halt),
    ("5xx", "",            "too many connections",              Halt),
    ("5xx", "",            "rate limit",                        Halt),
    ("5xx", "",            "sending limit",                     Halt),
    ("5xx", "",            "per hour",                          Halt),
    ("5xx", "",            "per day",                           Halt),
    ("5xx", "",            "送信数",                            Halt),
    ("5xx", "",            "送信制限",                          Halt),

    // The mailbox is there.
    ("5xx", "5.2.2",       "",                                  Full),
    ("5xx", "",            "over quota",                        Full),
    ("5xx", "",            "mailbox full",                      Full),
    ("5xx", "",            "mailbox is full",                   Full),

    // Words that are never said of a mailbox that is not there.
    ("5xx", "",            "too many",                          Refuse),
    ("5xx", "",            "limit",                             Refuse),
    ("5xx", "",            "quota",                             Refuse),
    ("5xx", "",            "throttl",                           Refuse),
    ("5xx", "",            "try again",                         Refuse),
    ("5xx", "",            "try later",                         Refuse),
    ("5xx", "",            "temporarily",                       Refuse),
    ("5xx", "",            "reputation",                        Refuse),
    ("5xx", "",            "blocked",                           Refuse),
    ("5xx", "",            "spam",                              Refuse),
    ("5xx", "",            "policy",                            Refuse),
    ("5xx", "",            "上限",                              Refuse),
    ("5xx", "",            "制限",                              Refuse),
    ("5xx", "",            "しばらく",                          Refuse),
    ("5xx", "",            "時間をおいて",                      Refuse),
    ("5xx", "",            "迷惑メール",                        Refuse),
    ("5xx", "",            "ブロック",                          Refuse),
    ("5xx", "",            "拒否設定",                          Refuse),

    // The mailbox is not. `5.4.1` and `5.5.0` are Microsoft's words for it.
    ("5xx", "5.1.1-3",     "",                                  Bounce),
    ("5xx", "5.1.6",       "",                                  Bounce),
    ("5xx", "5.1.10",      "",                                  Bounce),
    ("5xx", "5.2.1",       "",                                  Bounce),
    ("550", "5.4.1",       "recipient address rejected: access denied", Bounce),
    ("550", "5.5.0",       "mailbox unavailable",               Bounce),
    // Under another enhanced code, words like these are somebody's policy.
    ("5xx", "5.0.*",       "user unknown",                      Bounce),
    ("5xx", "-",           "user unknown",                      Bounce),
    ("5xx", "-",           "unknown user",                      Bounce),
    ("5xx", "-",           "no such user",                      Bounce),
    ("5xx", "-",           "user doesn't have a",               Bounce),
    ("5xx", "-",           "mailbox not found",                 Bounce),
    ("5xx", "-",           "mailbox is disabled",               Bounce),
    ("5xx", "-",           "account has been disabled",         Bounce),

    ("5xx", "",            "",                                  Refuse),
];

/// What a reply other than a yes means. Without a code (the connection failed,
/// or the message did not fit) nothing is said about receiver or mailbox.
pub fn meaning(reply: &Reply) -> Meaning {
    let text = reply.text.to_ascii_lowercase();
    let enhanced = enhanced(&text).filter(|parts| parts[0] == reply.code / 100);
    let row = TABLE.iter().find(|(code, status, piece, _)| {
        has_code(code, reply.code) && has_status(status, enhanced) && text.contains(piece)
    });
    row.map_or(Defer, |row| row.3)
}

/// A server's words as a reply is kept.
pub fn kept(code: u16, text: &str) -> Reply {
    Reply { code, text: reply_text(text) }
}

/// The enhanced code that a text begins with.
fn enhanced(text: &str) -> Option<[u16; 3]> {
    let word = text.split(|c: char| c != '.' && !c.is_ascii_digit()).next()?;
    let mut parts = word.trim_end_matches('.').split('.').map(str::parse);
    let code = [parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?];
    parts.next().is_none().then_some(code)
}

fn has_code(pattern: &str, code: u16) -> bool {
    match pattern {
        "" => (400..600).contains(&code),
        "4xx" => (400..500).contains(&code),
        "5xx" => (500..600).contains(&code),
        exact => exact.parse() == Ok(code),
    }
}

/// `-`: there is none.
fn has_status(pattern: &str, enhanced: Option<[u16; 3]>) -> bool {
    match (pattern, enhanced) {
        ("", _) => true,
        ("-", enhanced) => enhanced.is_none(),
        (_, None) => false,
        (pattern, Some(code)) => {
            let mut parts = pattern.split('.');
            code.iter().all(|number| parts.next().is_some_and(|part| has_number(part, *number)))
        }
    }
}

fn has_number(part: &str, number: u16) -> bool {
    match part.split_once('-') {
        Some((low, high)) => {
            low.parse::<u16>().is_ok_and(|low| low <= number) && high.parse().is_ok_and(|high| number <= high)
        }
        None => part == "*" || part.parse() == Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::send::wire::reply_text;

    /// Replies as servers give them: their lines joined, machines and people
    /// replaced. Sources: support.google.com/a/answer/3726730, Microsoft's "Email
    /// non-delivery reports and SMTP errors in Exchange Online",
    /// senders.yahooinc.com/smtp-error-codes, Postfix's manual, Amazon SES's "SMTP
    /// responses".
    const REAL: &str = include_str!("replies.txt");

    fn real() -> impl Iterator<Item = (&'static str, Reply)> {
        REAL.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
            let (word, said) = line.split_once(' ').unwrap();
            let (code, text) = said.trim().split_once([' ', '-']).unwrap();
            (word, Reply { code: code.parse().unwrap(), text: reply_text(text) })
        })
    }

    fn word(meaning: Meaning) -> &'static str {
        match meaning {
            Slow => "slow",
            Defer => "defer",
            Halt => "halt",
            Stop => "stop",
            Bounce => "bounce",
            Full => "full",
            Refuse => "refuse",
        }
    }

    #[test]
    fn real_replies_are_read_line_by_line() {
        for (expected, reply) in real() {
            assert_eq!(word(meaning(&reply)), expected, "{reply:?}");
        }
    }

    #[test]
    fn every_row_reads_a_real_reply() {
        for (n, row) in TABLE.iter().enumerate() {
            let used = real().any(|(_, reply)| {
                let text = reply.text.to_ascii_lowercase();
                let code = enhanced(&text).filter(|parts| parts[0] == reply.code / 100);
                let first = TABLE
                    .iter()
                    .position(|row| has_code(row.0, reply.code) && has_status(row.1, code) && text.contains(row.2));
                first == Some(n)
            });
            assert!(used, "no real reply for row {n}: {row:?}");
        }
    }

    #[test]
    fn nothing_about_us_and_nothing_temporary_suppresses() {
        let said = |code, text: &str| meaning(&Reply { code, text: text.into() });
        for detail in 0..1000 {
            assert_ne!(said(550, &format!("5.7.{detail} user unknown, over quota")), Bounce, "5.7.{detail}");
            for (code, text) in [(450, "4.1.1 user unknown"), (421, "no such user"), (0, "no answer in time")] {
                assert_ne!(said(code, text), Bounce, "{code} {text}");
            }
        }
        // An enhanced code that contradicts its reply code is none.
        assert_eq!(said(450, "5.1.1 user unknown"), Defer);
        assert_eq!(said(550, "4.7.1 user unknown"), Bounce);
    }
}
