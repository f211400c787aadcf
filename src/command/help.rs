//! `help`: prints a command's help, or a page of the guide, to stdout.

use crate::cli::guide::{PAGES, Page};
use crate::cli::help::{self, Topic};
use crate::command::Printer;
use crate::error::{Error, Exit, Result};

/// Prints what these words mean.
///
/// # Errors
/// They mean nothing (exit 2), or stdout cannot be written (exit 1).
pub(super) fn print(words: &[String]) -> Result<Exit> {
    // A page is text, whatever else was asked for.
    let print = Printer::new(false);
    match help::find(words) {
        Topic::Program(usage) => {
            usage.print(|text| print.say(text));
            print.say(&format!("\n{}", topics()));
        }
        Topic::Command(usage, page) => {
            usage.print(|text| print.say(text));
            if let Some(page) = page {
                print.say(&format!("\nThe guide has a page, too: kakitome help {}", help::topic_of(page)));
            }
        }
        Topic::Page(page) => print.say(page.text.trim_end()),
        Topic::Unknown(near) => return Err(unknown(words, &near)),
    }
    print.finish()?;
    Ok(Exit::Done)
}

fn topics() -> String {
    let named: Vec<(String, &Page)> = PAGES.iter().map(|page| (help::topic_of(page), page)).collect();
    let width = named.iter().map(|(topic, _)| topic.len()).max().unwrap_or(0);
    let lines = named.iter().map(|(topic, page)| format!("\n  {topic:<width$}  {}", page.about));
    format!("Topics of the guide (kakitome help TOPIC):{}", lines.collect::<String>())
}

fn unknown(words: &[String], near: &[String]) -> Error {
    let near: Vec<String> = near.iter().map(|topic| format!("`kakitome help {topic}`")).collect();
    let error = Error::usage(format!("unknown help topic {:?}", words.join(" ")))
        .why("it is neither a command nor a page of the guide");
    match near.is_empty() {
        true => error.now("`kakitome help` lists the commands and the topics"),
        false => error.now(format!("try {}; `kakitome help` lists them all", near.join(" or "))),
    }
}
