//! `kakitome help TOPIC`: finds what a topic means, a command's help or a page of the
//! guide ([`super::guide`]).
//!
//! A command wins where a page has the same name; every page is also found under
//! `guide-NAME`, which no command is called.

use std::ffi::OsString;
use std::io::IsTerminal;

use clap::{Command, CommandFactory, Parser};

use super::Cli;
use super::guide::{PAGES, Page};

/// What every page's longer topic begins with.
const PREFIX: &str = "guide-";
/// Letters by which a word may differ from a topic that was meant.
const TYPOS_MAX: usize = 2;

/// What a topic means.
pub enum Topic {
    /// The program itself: its help, then the list of pages.
    Program(Usage),
    /// A command, and the page of the same name where there is one.
    Command(Usage, Option<&'static Page>),
    /// A page of the guide.
    Page(&'static Page),
    /// Neither; the topics that may have been meant.
    Unknown(Vec<String>),
}

/// The help of a command, as `--help` prints it.
pub struct Usage(clap::Error);

impl Usage {
    /// Prints it in colours on a terminal; elsewhere `plain` is given its text.
    pub fn print(&self, plain: impl FnOnce(&str)) {
        if std::io::stdout().is_terminal() {
            // Nobody is left to be told that a terminal is gone.
            let _ = self.0.print();
        } else {
            plain(self.0.render().to_string().trim_end());
        }
    }
}

/// What these words mean: the words of a command, one word for a page, or none.
pub fn find(words: &[String]) -> Topic {
    let mut program = Cli::command();
    program.build();
    let mut command = &program;
    for (n, word) in words.iter().enumerate() {
        match command.find_subcommand(word) {
            Some(inner) => command = inner,
            None if n == 0 && words.len() == 1 => {
                return page(word).map_or_else(|| Topic::Unknown(nearest(word, &program)), Topic::Page);
            }
            None => return Topic::Unknown(nearest_within(&words[..n], word, command)),
        }
    }
    let asked = words.iter().map(String::as_str);
    let Err(usage) = Cli::try_parse_from(["kakitome"].into_iter().chain(asked).chain(["--help"])) else {
        return Topic::Unknown(Vec::new());
    };
    match words {
        [] => Topic::Program(Usage(usage)),
        [word] => Topic::Command(Usage(usage), page(word)),
        _ => Topic::Command(Usage(usage), None),
    }
}

/// The shortest topic of a page: its name, or `guide-NAME` where a command is called so.
pub fn topic_of(page: &Page) -> String {
    match Cli::command().find_subcommand(page.name) {
        Some(_) => format!("{PREFIX}{}", page.name),
        None => page.name.to_owned(),
    }
}

/// Takes `kakitome campaign help send` for `kakitome help campaign send`.
pub(super) fn in_order(mut args: Vec<OsString>) -> Vec<OsString> {
    let has_commands = |name: &OsString| {
        let program = Cli::command();
        name.to_str().and_then(|name| program.find_subcommand(name)).is_some_and(Command::has_subcommands)
    };
    if args.get(2).is_some_and(|word| word == "help") && args.get(1).is_some_and(has_commands) {
        args.swap(1, 2);
    }
    args
}

fn page(word: &str) -> Option<&'static Page> {
    let name = word.strip_suffix(".md").unwrap_or(word);
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    PAGES.iter().find(|page| page.name == name)
}

/// Topics of one word that resemble this one.
fn nearest(word: &str, program: &Command) -> Vec<String> {
    let commands = program.get_subcommands().map(|command| command.get_name().to_owned());
    near(word, commands.chain(PAGES.iter().map(topic_of)))
}

/// Commands of a command that resemble this word; the command itself where none does.
fn nearest_within(before: &[String], word: &str, command: &Command) -> Vec<String> {
    let names = command.get_subcommands().map(|command| command.get_name().to_owned());
    let whole = |near: &String| format!("{} {near}", before.join(" ")).trim_start().to_owned();
    let mut near: Vec<String> = near(word, names).iter().map(whole).collect();
    if near.is_empty() && !before.is_empty() {
        near.push(before.join(" "));
    }
    near
}

fn near(word: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    let word = word.to_lowercase();
    let resembles = |name: &String| {
        let bare = name.strip_prefix(PREFIX).unwrap_or(name);
        let begins = word.len() > 2 && (bare.starts_with(&word) || word.starts_with(bare));
        begins || typos(&word, bare) <= TYPOS_MAX.min(word.chars().count().saturating_sub(1))
    };
    let mut near: Vec<String> = names.filter(resembles).collect();
    // Of two as near, the one that begins alike.
    near.sort_by_key(|name| (typos(&word, name), !name.starts_with(word.get(..1).unwrap_or_default())));
    near.dedup();
    near
}

/// Letters to be added, taken away or changed to make one word the other (Levenshtein).
fn typos(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (n, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], n + 1);
        for (m, with) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *with);
            diagonal = row[m + 1];
            row[m + 1] = changed.min(row[m] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_command_wins_over_a_page_and_each_page_has_a_topic_of_its_own() {
        for each in PAGES {
            for name in [topic_of(each), format!("guide-{}", each.name)] {
                assert!(matches!(find(&words(&name)), Topic::Page(found) if found == each), "{name}");
            }
        }
        assert!(matches!(find(&words("doctor")), Topic::Command(_, Some(page)) if page.name == "doctor"));
        assert!(matches!(find(&words("guide-doctor")), Topic::Page(page) if page.name == "doctor"));
        assert!(matches!(find(&words("sending")), Topic::Page(page) if page.name == "sending"));
        assert!(matches!(find(&[]), Topic::Program(_)));
        let Topic::Command(usage, None) = find(&words("campaign send")) else { panic!("a command") };
        assert!(usage.0.render().to_string().contains("Usage: kakitome campaign send [OPTIONS] <NUMBER>"));
    }

    #[test]
    fn every_command_has_its_help() {
        fn each(command: &Command, path: &[String]) {
            for inner in command.get_subcommands() {
                let path = [path, &[inner.get_name().to_owned()]].concat();
                assert!(matches!(find(&path), Topic::Command(..)), "{path:?}");
                each(inner, &path);
            }
        }
        each(&Cli::command(), &[]);
    }

    #[test]
    fn an_unknown_topic_names_those_that_resemble_it() {
        for (asked, near) in [
            ("sendin", "sending"),
            ("Sending", "sending"),
            ("operatng", "operating"),
            ("guard-vector", "guard-vectors"),
            ("compaign", "campaign"),
            ("campaign sned", "campaign send"),
            ("campaign send x", "campaign send"),
            ("campaign xylophone", "campaign"),
        ] {
            let Topic::Unknown(found) = find(&words(asked)) else { panic!("{asked}") };
            assert_eq!(found.first().map(String::as_str), Some(near), "{asked}: {found:?}");
        }
        for asked in ["xylophone", "sending operating", "x"] {
            assert!(matches!(find(&words(asked)), Topic::Unknown(found) if found.is_empty()), "{asked}");
        }
    }

    #[test]
    fn help_may_stand_behind_the_command() {
        let order = |text: &str| in_order(text.split(' ').map(OsString::from).collect()).join(" ".as_ref());
        assert_eq!(order("k campaign help send"), "k help campaign send");
        for same in ["k help campaign", "k whose help", "k campaign", "k"] {
            assert_eq!(order(same), same);
        }
    }
}
