//! `doctor`'s lines as people read them: how it stands, what was asked, what was
//! found, what to do now; and `whose`'s.

use crate::app::doctor::Examined;
use crate::app::evidence::lookup::Whose;
use crate::command::Printer;

impl Printer {
    /// A line for each address: the account whose message it was.
    pub fn whose(&self, found: &[Whose]) {
        self.show(&found, || {
            let line = |one: &Whose| {
                let Whose { campaign, name, revision, account } = one;
                format!("account {account}, campaign {campaign} ({name}, revision {revision})")
            };
            found.iter().map(line).collect::<Vec<_>>().join("\n")
        });
    }

    /// A line for each thing that was asked, and how many stand how.
    pub fn examined(&self, done: &Examined) {
        self.show(done, || {
            let mut text = String::new();
            for line in &done.lines {
                text.push_str(&format!("{:<5} {:<6} {}: {}", line.level.as_str(), line.check, line.asked, line.found));
                if let Some(now) = &line.now {
                    text.push_str(&format!("; now: {now}"));
                }
                text.push('\n');
            }
            text.push_str(&format!(
                "{} ok, {} skipped, {} to look at, {} failed",
                done.ok, done.skip, done.warn, done.fail
            ));
            text
        });
    }
}
