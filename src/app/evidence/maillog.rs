//! What a Postfix log says of messages that are looked for by Message-ID.
//!
//! `cleanup` names a message's Message-ID and queue ID as soon as it has read
//! the header, before the final dot; so that line alone proves nothing. From
//! `qmgr` or a delivery agent on, the server has taken the message over: `qmgr`
//! says `queue active`, an agent `status=sent`, `deferred` or `bounced`, `qmgr`
//! at last `removed`. A queue ID may be given again: the newest `cleanup` line
//! says whose it is. Where an agent quotes a server's reply to a message that bounced, what
//! that says of the mailbox is read as in sending ([`replies`]). Nothing of the log is kept but
//! what became of ours.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::address::Address;
use crate::error::{Error, Result};
use crate::send::replies::{self, Meaning};

/// No line of interest is longer, in bytes.
const LINE_MAX: u64 = 64 << 10;
/// What speaks of a message, whatever the instance is called.
const PROGRAMS: [&str; 9] = ["smtpd", "pickup", "cleanup", "qmgr", "smtp", "lmtp", "local", "virtual", "pipe"];
/// How `cleanup` says that a message is kept back, or thrown away.
const KEEPS: [&str; 4] = ["hold: ", "discard: ", "milter-hold: ", "milter-discard: "];
/// Characters of a queue ID, short or long.
const QUEUE_ID: std::ops::RangeInclusive<usize> = 5..=24;

/// What became of a message that the server took over; the later in this list,
/// the stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::app) enum Fate {
    /// It was to keep it back, and said so before it had all of it: nobody knows.
    Kept,
    /// It gave it up, and told the sender.
    Bounced,
    /// It is in its queue, or was.
    Taken,
    /// It handed it on.
    Sent,
}

/// What is looked for, and what was found.
#[derive(Debug, Default)]
pub(in crate::app) struct Log {
    places: HashMap<String, usize>,
    /// By queue ID: which message, and what became of that copy.
    copies: HashMap<String, (usize, Option<Fate>)>,
    fates: Vec<Option<Fate>>,
    /// By place: the address that has no mailbox, by the word of the server asked.
    no_mailbox: HashMap<usize, Address>,
    /// Lines read.
    pub lines: u64,
    /// Lines that a mail server may have written.
    mail_lines: u64,
    /// The time of its first line.
    pub from: Option<String>,
    /// The last.
    pub to: Option<String>,
}

impl Log {
    /// Looks for a Message-ID by its left side; where its fate will be.
    pub fn look_for(&mut self, left: String) -> usize {
        let place = self.fates.len();
        self.places.insert(left, place);
        self.fates.push(None);
        place
    }

    /// What became of it; `None` if nothing shows that the server took it over.
    pub fn fate(&self, place: usize) -> Option<Fate> {
        self.fates.get(place).copied().flatten()
    }

    /// The address that a message bounced from because it has no mailbox.
    pub fn no_mailbox(&self, place: usize) -> Option<&Address> {
        self.no_mailbox.get(&place).filter(|_| self.fate(place) == Some(Fate::Bounced))
    }

    /// From when to when it goes, in milliseconds since the Unix epoch; `None` if its times
    /// cannot be read. Those without a zone are this machine's.
    pub fn span(&self, now_ms: i64) -> Option<(i64, i64)> {
        let (from, to) = (self.from.as_deref()?, self.to.as_deref()?);
        let zone = TimeZone::system();
        Some((instant(from, &zone, now_ms)?, instant(to, &zone, now_ms)?))
    }

    fn line(&mut self, line: &str) {
        self.lines += 1;
        // What other programs wrote says nothing of when this one did.
        let (Some(time), Some(said)) = (time(line), said(line)) else { return };
        self.mail_lines += 1;
        self.from.get_or_insert_with(|| time.to_owned());
        self.to = Some(time.to_owned());
        let Some((queue, rest)) = record(said) else { return };
        if let Some(id) = rest.strip_prefix("message-id=") {
            self.end(queue);
            let left = id.trim().trim_start_matches('<').split('@').next().unwrap_or_default();
            if let Some(place) = self.places.get(left) {
                self.copies.insert(queue.to_owned(), (*place, None));
            }
            return;
        }
        let Some((place, fate)) = self.copies.get_mut(queue) else { return };
        let status = rest.split(", status=").nth(1).and_then(|rest| rest.split([' ', ',']).next());
        let told = match status {
            Some("sent") => Some(Fate::Sent),
            Some("bounced") => {
                self.no_mailbox.extend(no_mailbox(rest).map(|address| (*place, address)));
                Some(Fate::Bounced)
            }
            Some("expired") => Some(Fate::Bounced),
            Some(_) => Some(Fate::Taken),
            None if KEEPS.iter().any(|word| rest.starts_with(word)) => Some(Fate::Kept),
            None if rest.ends_with("(queue active)") || rest == "removed" => Some(Fate::Taken),
            None => None,
        };
        // Of one copy the last word counts, and that it left the queue is none.
        *fate = match (*fate, told) {
            (Some(last @ (Fate::Sent | Fate::Bounced)), Some(Fate::Taken | Fate::Kept) | None) => Some(last),
            (last, told) => told.or(last),
        };
        if rest == "removed" {
            self.end(queue);
        }
    }

    /// A copy is done with: of several copies the best fate counts.
    fn end(&mut self, queue: &str) {
        if let Some((place, fate)) = self.copies.remove(queue) {
            self.fates[place] = self.fates[place].max(fate);
        }
    }

    fn finish(mut self) -> Self {
        for (_, (place, fate)) in std::mem::take(&mut self.copies) {
            self.fates[place] = self.fates[place].max(fate);
        }
        self
    }
}

/// Reads logs in their order.
///
/// # Errors
/// One of them cannot be read, or is no mail server's log: what it does not show
/// would be taken for never sent.
pub(in crate::app) fn read(mut log: Log, files: &[PathBuf]) -> Result<Log> {
    for path in files {
        let failed = |error: std::io::Error| {
            Error::usage(format!("cannot read the log {}", path.display()))
                .why(error)
                .now("name a Postfix log in plain text, as in /var/log/mail.log")
        };
        let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(failed)?);
        let (mut line, lines, mail_lines) = (Vec::new(), log.lines, log.mail_lines);
        loop {
            line.clear();
            if file.by_ref().take(LINE_MAX).read_until(b'\n', &mut line).map_err(failed)? == 0 {
                break;
            }
            log.line(String::from_utf8_lossy(&line).trim_end());
        }
        // One that was just begun anew is empty.
        if log.lines > lines && log.mail_lines == mail_lines {
            return Err(no_log(&path.display().to_string(), log.lines - lines));
        }
    }
    if log.mail_lines == 0 {
        return Err(no_log("what was named", log.lines));
    }
    Ok(log.finish())
}

fn no_log(what: &str, lines: u64) -> Error {
    Error::usage(format!("{what} is no mail server's log"))
        .why(format!("of its {lines} lines Postfix wrote none"))
        .now("nothing was settled; name a Postfix log in plain text, unpacked, as in /var/log/mail.log")
}

/// What a program of Postfix says, by its name: `… postfix/smtp[12]: 4ABC: to=<…`. Several
/// instances have names of their own (`postfix-out/smtp`), and so may one.
fn said(line: &str) -> Option<&str> {
    let (head, said) = line.split_once("]: ")?;
    let (name, number) = head.rsplit(' ').next()?.split_once('[')?;
    let (instance, program) = name.rsplit_once('/')?;
    let is_postfix = instance.contains("postfix") || PROGRAMS.contains(&program);
    (is_postfix && number.parse::<u32>().is_ok()).then_some(said)
}

/// The queue ID and what is said of it.
fn record(said: &str) -> Option<(&str, &str)> {
    let (queue, rest) = said.split_once(": ")?;
    let is_id = QUEUE_ID.contains(&queue.len()) && queue.bytes().all(|b| b.is_ascii_alphanumeric());
    is_id.then_some((queue, rest))
}

/// The address of an agent's line that quotes a server's `said: 550 5.1.1 …` or another reply
/// that means that there is no such mailbox. One that was put in another's place
/// (`orig_to`) says nothing about that other.
fn no_mailbox(rest: &str) -> Option<Address> {
    let (to, rest) = rest.strip_prefix("to=<")?.split_once(">, ")?;
    let (_, said) = rest.split_once(" said: ").filter(|_| !rest.starts_with("orig_to="))?;
    let (code, text) = (said.get(..3)?.parse().ok()?, said.get(4..)?);
    let meaning = replies::meaning(&replies::kept(code, text));
    Address::parse(to).ok().filter(|_| meaning == Meaning::Bounce)
}

/// The time that a line begins with, in either of the forms that syslog writes.
fn time(line: &str) -> Option<&str> {
    let first = line.split(' ').next()?;
    if first.len() >= 19 && first.as_bytes()[4] == b'-' && first.as_bytes()[10] == b'T' {
        return Some(first);
    }
    let old = line.get(..15)?;
    (old.as_bytes()[3] == b' ' && old.as_bytes()[9] == b':' && old.as_bytes()[12] == b':').then_some(old)
}

/// When that was, in milliseconds since the Unix epoch. The old form has neither a year
/// (it was the last such day) nor a zone.
fn instant(written: &str, zone: &TimeZone, now_ms: i64) -> Option<i64> {
    if let Ok(at) = written.parse::<Timestamp>() {
        return Some(at.as_millisecond());
    }
    // A clock that is a little ahead is no reason to take a line for last year's.
    let latest = Timestamp::from_millisecond(now_ms).ok()? + SignedDuration::from_hours(24);
    let year = latest.to_zoned_datetime(zone.clone()).year();
    (year - 4..=year).rev().find_map(|year| {
        let at = DateTime::strptime("%Y %b %e %H:%M:%S", format!("{year} {written}")).ok()?;
        let at = at.to_zoned_datetime(zone.clone()).ok()?.timestamp();
        (at <= latest).then(|| at.as_millisecond())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(lines: &str) -> (Option<Fate>, Log) {
        let mut log = Log::default();
        let place = log.look_for("k123".into());
        lines.lines().for_each(|line| log.line(line.trim()));
        let log = log.finish();
        (log.fate(place), log)
    }

    const CLEANUP: &str = "Nov 25 10:00:01 mx postfix/cleanup[11]: 4F1A2B3C4D: message-id=<k123@registrar.example>\n";
    const ACTIVE: &str = "Nov 25 10:00:01 mx postfix/qmgr[12]: 4F1A2B3C4D: from=<news@registrar.example>, size=2048, nrcpt=1 (queue active)\n";
    const REMOVED: &str = "Nov 25 10:00:02 mx postfix/qmgr[12]: 4F1A2B3C4D: removed\n";

    fn agent(status: &str) -> String {
        format!(
            "Nov 25 10:00:02 mx postfix/smtp[13]: 4F1A2B3C4D: to=<a@b.example>, relay=b[1.2.3.4]:25, delay=1, dsn=2.0.0, status={status} (250 ok)\n"
        )
    }

    #[test]
    fn a_cleanup_line_alone_proves_nothing() {
        assert_eq!(fates(CLEANUP).0, None);
        assert_eq!(fates(ACTIVE).0, None, "nobody knows whose that queue ID is");
        assert_eq!(fates("").0, None);
    }

    #[test]
    fn what_the_queue_or_an_agent_says_decides() {
        for (status, fate) in [
            ("sent", Fate::Sent),
            ("deferred", Fate::Taken),
            ("bounced", Fate::Bounced),
            ("expired, returned to sender", Fate::Bounced),
        ] {
            let lines = format!("{CLEANUP}{ACTIVE}{}{REMOVED}", agent(status));
            assert_eq!(fates(&lines).0, Some(fate), "{status}");
        }
        assert_eq!(fates(&format!("{CLEANUP}{ACTIVE}")).0, Some(Fate::Taken));
        let later = format!("{CLEANUP}{ACTIVE}{}{}", agent("deferred"), agent("sent"));
        assert_eq!(fates(&later).0, Some(Fate::Sent), "the last word counts");
    }

    #[test]
    fn a_bounce_names_the_address_whose_server_says_that_there_is_no_mailbox() {
        let said = |to: &str, status: &str, said: &str| {
            let line = format!(
                "Nov 25 10:00:02 mx postfix/smtp[13]: 4F1A2B3C4D: {to}, relay=b[1.2.3.4]:25, delay=1, dsn=5.0.0, status={status} ({said})\n"
            );
            let (_, log) = fates(&format!("{CLEANUP}{ACTIVE}{line}{REMOVED}"));
            log.no_mailbox(0).map(ToString::to_string)
        };
        let (to, none) = ("to=<Taro@b.example>", None);
        let host = |reply: &str| format!("host b[1.2.3.4] said: {reply} (in reply to RCPT TO command)");
        let taro = Some("Taro@b.example".to_owned());
        assert_eq!(
            said(to, "bounced", &host("550 5.1.1 <Taro@b.example>: Recipient address rejected: User unknown")),
            taro
        );
        assert_eq!(
            said(to, "bounced", &host("550-5.1.1 The email account does not exist. 550 5.1.1 Learn more")),
            taro
        );
        assert_eq!(said(to, "bounced", &host("550 no such user here")), taro);
        for (to, status, reply) in [
            (to, "bounced", host("550 5.7.25 The IP address has no PTR record")),
            (to, "bounced", host("550 5.7.1 rejected by policy: user unknown to us")),
            (to, "bounced", host("552 5.2.2 mailbox full")),
            // What is said in an address is said by nobody.
            (to, "bounced", host("554 5.3.4 <x@no such user>")),
            (to, "deferred", host("450 4.1.1 user unknown")),
            (to, "expired, returned to sender", host("550 5.1.1 gone")),
            (to, "bounced", "Host or domain name not found. Name service error for name=b.example".into()),
            ("to=<jiro@b.example>, orig_to=<Taro@b.example>", "bounced", host("550 5.1.1 gone")),
            ("to=<nobody>", "bounced", host("550 5.1.1 gone")),
        ] {
            assert_eq!(said(to, status, &reply), none, "{to} {reply}");
        }
        let gone = agent("bounced").replace("(250 ok)", "(host b said: 550 5.1.1 gone)");
        let (fate, log) = fates(&format!("{CLEANUP}{ACTIVE}{gone}{}", agent("sent")));
        assert_eq!((fate, log.no_mailbox(0)), (Some(Fate::Sent), None), "the last word counts");
    }

    #[test]
    fn only_dated_lines_of_postfix_are_a_mail_servers() {
        let mail_lines = |line: &str| fates(line).1.mail_lines;
        for line in [
            CLEANUP,
            "2026-11-25T10:05:00.123456+09:00 mx postfix/smtpd[1]: connect from a[1.2.3.4]",
            "2026-11-25T10:05:00+0900 mx postfix-out/submission/smtpd[1]: connect from a[1.2.3.4]",
            "Nov  5 10:00:00 mx mta/qmgr[1]: 4F1A2B3C4D: removed",
        ] {
            assert_eq!(mail_lines(line), 1, "{line}");
        }
        for line in [
            "postfix:x:105:111::/var/spool/postfix:/usr/sbin/nologin",
            "postfix/smtp[12]: 4F1A2B3C4D: removed",
            "Nov 25 10:00:01 mx sshd[12]: error: kex of postfix/smtp",
            "Nov 25 10:00:01 mx CRON[12]: (postfix) CMD (/usr/lib/postfix)",
            "Nov 25 10:00:01 mx postfix/smtp[x]: 4F1A2B3C4D: removed",
        ] {
            assert_eq!(mail_lines(line), 0, "{line}");
        }
    }

    #[test]
    fn a_lines_time_is_read_with_the_year_and_the_zone_that_it_lacks() {
        let now = "2026-01-02T00:00:00Z".parse::<Timestamp>().unwrap().as_millisecond();
        let at = |written: &str, zone: &str| {
            let ms = instant(written, &TimeZone::get(zone).unwrap(), now)?;
            Some(Timestamp::from_millisecond(ms).unwrap().to_string())
        };
        for (written, zone, utc) in [
            ("Jan  1 09:30:00", "Asia/Tokyo", "2026-01-01T00:30:00Z"),
            ("Dec 31 23:59:59", "UTC", "2025-12-31T23:59:59Z"),
            ("Jan  2 12:00:00", "UTC", "2026-01-02T12:00:00Z"),
            ("Feb 29 00:00:00", "UTC", "2024-02-29T00:00:00Z"),
            ("2026-01-01T09:30:00.5+09:00", "UTC", "2026-01-01T00:30:00.5Z"),
            ("2026-01-01T09:30:00+0900", "UTC", "2026-01-01T00:30:00Z"),
        ] {
            assert_eq!(at(written, zone).as_deref(), Some(utc), "{written}");
        }
        assert_eq!(at("Foo 31 10:00:00", "UTC"), None);
    }

    #[test]
    fn what_is_held_or_discarded_is_known_by_nobody_until_the_queue_has_it() {
        let hold = "Nov 25 10:00:01 mx postfix/cleanup[11]: 4F1A2B3C4D: hold: header Subject: x from a[1.2.3.4]\n";
        assert_eq!(fates(&format!("{CLEANUP}{hold}")).0, Some(Fate::Kept));
        assert_eq!(fates(&format!("{CLEANUP}{hold}{ACTIVE}{}", agent("sent"))).0, Some(Fate::Sent));
    }

    #[test]
    fn a_queue_id_given_again_is_another_messages() {
        let other = "Nov 25 11:00:00 mx postfix/cleanup[11]: 4F1A2B3C4D: message-id=<other@b.example>\n";
        assert_eq!(fates(&format!("{CLEANUP}{other}{}", agent("sent"))).0, None);
        assert_eq!(fates(&format!("{CLEANUP}{ACTIVE}{other}{}", agent("bounced"))).0, Some(Fate::Taken));
    }

    #[test]
    fn of_several_copies_the_best_counts_and_the_times_are_told() {
        let second = "2026-11-25T10:05:00.123+09:00 mx postfix/cleanup[11]: 5XYZ: short\n\
            2026-11-25T10:05:00.123+09:00 mx postfix-out/cleanup[11]: 5XYZ6: message-id=<k123@registrar.example>\n\
            2026-11-25T10:05:01.123+09:00 mx postfix-out/qmgr[11]: 5XYZ6: from=<a@b>, size=1, nrcpt=1 (queue active)\n";
        let (fate, log) = fates(&format!("{CLEANUP}{}{REMOVED}{second}", agent("bounced")));
        assert_eq!(fate, Some(Fate::Taken));
        assert_eq!(log.from.as_deref(), Some("Nov 25 10:00:01"));
        assert_eq!(log.to.as_deref(), Some("2026-11-25T10:05:01.123+09:00"));
        assert_eq!(log.lines, 6);
    }
}
