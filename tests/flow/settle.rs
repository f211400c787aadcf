//! What nobody knows, and how an operator decides about it.

use super::*;
use kakitome::app::campaign::unreached;
use kakitome::app::evidence::reconcile;
use kakitome::app::evidence::resolve::{self, Which};
use kakitome::ledger::State as Message;
use kakitome::store::{Filter, Lease};

/// A campaign with so many unknown messages, everything else sent.
async fn unknown(world: &World, count: usize) -> (i64, Vec<AccountId>) {
    let id = world.approved().await;
    let now_ms = world.app.clock.now_ms();
    world.app.store.set_state(id, &[State::Approved], State::Sending, now_ms).await.unwrap();
    let claimed = claim(&world.app, id, count).await;
    let sent = world.send(id).await;
    assert_eq!((sent.unknown, sent.state, sent.exit()), (count as u64, State::Sending, Exit::Incomplete));
    (id, claimed)
}

both! {
    async fn a_log_settles_what_it_shows_and_nothing_else_unasked(base: &Base) {
        let world = World::new(base).await;
        let (id, accounts) = unknown(&world, 4).await;
        let now_ms = world.app.clock.now_ms();
        let at = |ms| jiff::Timestamp::from_millisecond(ms).unwrap().to_string();
        let began = at(now_ms - 3_600_000);
        let line = |n: usize, agent: &str, rest: &str| format!("{began} mx postfix/{agent}[1]: 4F00{n}: {rest}\n");
        let mut log = String::new();
        for (n, account) in accounts.iter().take(3).enumerate() {
            let message_id = world.app.keys.message_id(id, 1, account);
            log += &line(n, "cleanup", &format!("message-id=<{message_id}@registrar.example>"));
        }
        log += &line(0, "smtp", "to=<a@b.example>, relay=b, status=sent (250 ok)");
        log += &line(1, "smtp", "to=<a@b.example>, relay=b, status=bounced (550 no)");
        std::fs::write(world.path("mail.log"), log).unwrap();
        let logs = [world.path("mail.log")];
        let other = world.path("other.log");
        for (text, logs, why) in [
            ("Nov 25 10:00:00 mx sshd[1]: Accepted postfix/smtp\n", &[logs[0].clone(), other.clone()][..], "other.log is no mail server's log: of its 1 lines"),
            ("", &[other.clone()][..], "is no mail server's log"),
        ] {
            std::fs::write(&other, text).unwrap();
            let refused = reconcile::reconcile(&world.app, logs, None, Some(2), "operator").await.unwrap_err();
            assert!(refused.to_string().contains(why), "{refused}");
        }
        let done = reconcile::reconcile(&world.app, &[logs[0].clone(), other], None, None, "operator").await.unwrap();
        assert_eq!((done.lines, done.unseen), (5, 2));
        assert_eq!((done.campaigns[0].accepted, done.campaigns[0].rejected, done.campaigns[0].unknown), (1, 1, 2));
        assert!(done.gap.unwrap().contains("that it does not show may have come from"), "it ends too early");
        let later = world.path("mail.log.later");
        let taken = world.app.store.messages(id, Filter { state: Some(Message::Accepted), stage: None }, -1, 10_000).await.unwrap();
        let taken: Vec<_> = taken.into_iter().filter(|row| row.reply.as_ref().is_some_and(|reply| reply.code == 250)).collect();
        let told = |ms: i64, count: usize| {
            let mut log = format!("{} mx postfix/smtpd[1]: connect from a\n", at(ms));
            for (n, row) in taken.iter().take(count).enumerate() {
                let (time, id, queue) = (at(ms), world.app.keys.message_id(id, 1, &row.account), format!("7F{n:06}"));
                log += &format!("{time} mx postfix/cleanup[1]: {queue}: message-id=<{id}@registrar.example>\n");
                log += &format!("{time} mx postfix/qmgr[1]: {queue}: from=<a@b.example>, size=1, nrcpt=1 (queue active)\n");
            }
            std::fs::write(&later, log).unwrap();
        };
        let both = [logs[0].clone(), later.clone()];
        let all = taken.len();
        for (ms, count, logs, why) in [
            (60_000, all, std::slice::from_ref(&later), "that it does not show may have come from"),
            (3_600_000, all, &both[..], "which is to come: its times may be of another zone"),
            (60_000, all - 3, &both[..], "that were accepted in its time the log does not show 3"),
        ] {
            told(now_ms + ms, count);
            let refused = reconcile::reconcile(&world.app, logs, None, Some(2), "operator").await.unwrap_err();
            assert!(refused.to_string().contains(why), "{why}: {refused}");
        }
        let logs = both;
        told(now_ms + 60_000, all);
        let refused = reconcile::reconcile(&world.app, &logs, Some(id), Some(3), "operator").await.unwrap_err();
        assert!(refused.to_string().contains("by their count: --retry-unseen 2"), "{refused}");
        let again = reconcile::reconcile(&world.app, &logs, None, Some(2), "operator").await.unwrap();
        assert_eq!((again.campaigns[0].retry, again.campaigns[0].unknown), (2, 0));
        let sent = world.send(id).await;
        assert_eq!((sent.accepted, sent.rejected, sent.state), (ACCOUNTS - 1, 1, State::Finished));
        let delivered = world.delivered();
        assert_eq!(delivered.len() as u64, ACCOUNTS - 2, "what the log knew was not sent again");
        assert!(delivered.values().all(|count| *count == 1));
        control::verify(&world.app).await.unwrap();
    }

    async fn what_a_halted_campaign_did_not_reach_is_an_audience(base: &Base) {
        let world = World::new(base).await;
        let (app, out) = (&world.app, world.path("rest.csv"));
        let (id, claimed) = unknown(&world, 4).await;
        let refused = unreached::unreached(app, id, &out).await.unwrap_err();
        assert!(refused.to_string().contains("it is sending"), "{refused}");
        assert_eq!(refused.exit(), Exit::Gate);
        // Sent but for six, of which four are unknown.
        let now_ms = app.clock.now_ms();
        let accepted = app.store.messages(id, Filter { state: Some(Message::Accepted), stage: None }, -1, 2).await.unwrap();
        let [held, deferred] = [0, 1].map(|n| accepted[n].account.clone());
        base.tamper(&format!("update message set state = 'held', findings = '[]' where account = '{held}'")).await;
        base.tamper(&format!("update message set state = 'deferred', not_before_ms = 1 where account = '{deferred}'")).await;
        app.store.set_state(id, &[State::Sending], State::Halted, now_ms).await.unwrap();
        let lock = app.store.lock(id, &Lease::whole(), now_ms).await.unwrap();
        let refused = unreached::unreached(app, id, &out).await.unwrap_err();
        assert!(refused.to_string().contains("is still ending it"), "{refused}");
        lock.release().await.unwrap();
        let done = unreached::unreached(app, id, &out).await.unwrap();
        assert_eq!((done.accounts, done.counts.unknown), (2, 4));
        let refused = unreached::unreached(app, id, &out).await.unwrap_err();
        assert!(refused.to_string().contains("is there already"), "{refused}");
        std::fs::remove_file(&out).unwrap();
        // Of one somebody knows that it did not arrive.
        resolve::resolve(app, id, Which::Accounts(vec![claimed[0].clone()]), Message::Checked, "operator").await.unwrap();
        let done = unreached::unreached(app, id, &out).await.unwrap();
        assert_eq!((done.accounts, done.counts.unknown), (3, 3));
        // The tampered messages were delivered once: now each of the two once more, and nobody else.
        let before = world.delivered();
        let campaign = world.edit("campaign.toml", |text| {
            text.replace("audience.csv", "rest.csv").replace("December", "Rest of the December")
        });
        let rest = freeze::freeze(app, &campaign, "author").await.unwrap().campaign;
        check::check(app, rest).await.unwrap();
        approve::approve(app, rest, "reviewer").await.unwrap();
        assert_eq!(world.send(rest).await.accepted, 3);
        let now = world.delivered();
        let version = app.version().await.unwrap().number;
        for account in [&held, &deferred] {
            let to = app.store.record(version, account).await.unwrap().unwrap().address.to_string();
            assert_eq!((before[&to], now[&to]), (1, 2));
        }
        assert_eq!(now.values().sum::<usize>(), before.values().sum::<usize>() + 3);
    }

    async fn a_log_suppresses_an_address_without_a_mailbox_and_no_other(base: &Base) {
        let world = World::new(base).await;
        let (id, accounts) = unknown(&world, 4).await;
        let version = world.app.version().await.unwrap().number;
        let mut log = String::new();
        let mut own = Vec::new();
        for (n, account) in accounts.iter().enumerate() {
            let message_id = world.app.keys.message_id(id, 1, account);
            let address = world.app.store.record(version, account).await.unwrap().unwrap().address;
            let (to, said) = match n {
                // Servers keep no case.
                0 => (address.to_string().to_uppercase(), "550 5.1.1 user unknown"),
                1 => (address.to_string(), "550 5.7.25 no PTR record"),
                2 => (address.to_string(), "552 5.2.2 mailbox full"),
                // Passed on to another, under the same Message-ID.
                _ => ("jiro@elsewhere.example".into(), "550 5.1.1 user unknown"),
            };
            log += &format!("Nov 25 10:00:00 mx postfix/cleanup[1]: 4F00{n}: message-id=<{message_id}@registrar.example>\n");
            log += &format!("Nov 25 10:00:01 mx postfix/smtp[1]: 4F00{n}: to=<{to}>, relay=b, status=bounced (host b said: {said})\n");
            own.push(address);
        }
        std::fs::write(world.path("mail.log"), log).unwrap();
        let done = reconcile::reconcile(&world.app, &[world.path("mail.log")], None, None, "operator").await.unwrap();
        assert_eq!((done.campaigns[0].rejected, done.campaigns[0].suppressed), (4, 1));
        let list = world.app.store.suppressions().await.unwrap();
        assert_eq!(list.iter().map(|one| (&one.address, one.reason.as_str())).collect::<Vec<_>>(), [(&own[0].folded(), "hard bounce")]);
        control::verify(&world.app).await.unwrap();
    }

    async fn an_operator_settles_by_account_or_by_count_and_is_named(base: &Base) {
        let world = World::new(base).await;
        let (id, accounts) = unknown(&world, 4).await;
        let listed = resolve::list(&world.app, id, Message::Unknown).await.unwrap();
        assert_eq!(listed.iter().map(|one| &one.account).collect::<Vec<_>>(), accounts.iter().collect::<Vec<_>>());
        assert_eq!(listed[0].message_id, world.app.keys.message_id(id, 1, &accounts[0]));
        let one = |n: usize| Which::Accounts(vec![accounts[n].clone()]);
        let app = &world.app;
        let strange = Which::Accounts(vec![accounts[0].clone(), AccountId::new("99999999").unwrap()]);
        let refused = resolve::resolve(app, id, strange, Message::Rejected, "sato").await.unwrap_err();
        assert!(refused.to_string().contains("account 99999999 is not in its audience"), "{refused}");
        resolve::resolve(app, id, one(0), Message::Rejected, "sato").await.unwrap();
        for (which, by, why) in [
            (one(0), "sato", "is not unknown"),
            (one(1), " ", "needs a name"),
            (Which::All(None), "sato", "3 unknown messages of campaign 1\n  now: if all of them are meant, say so by their count: --confirm 3"),
            (Which::All(Some(4)), "sato", "4 were confirmed, and there are 3 unknown messages of campaign 1\n  now: if all of them are meant, say so by their count: --confirm 3"),
        ] {
            let refused = resolve::resolve(app, id, which, Message::Accepted, by).await.unwrap_err();
            assert!(refused.to_string().contains(why), "{refused}");
            assert_eq!(refused.exit(), Exit::Usage);
        }
        let done = resolve::resolve(app, id, Which::All(Some(3)), Message::Accepted, "sato").await.unwrap();
        assert_eq!((done.accepted, done.unknown), (3, 0));
        let none = resolve::resolve(app, id, Which::All(None), Message::Accepted, "sato").await.unwrap();
        assert_eq!((none.accepted, none.unknown, none.claimed), (0, 0, 0));
        base.tamper("insert into suppression (address, reason, at_ms) select seq, body, 0 from ledger where kind = 'settle'").await;
        let told = app.store.suppressions().await.unwrap();
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|entry| entry.reason.contains("\"sato\"")), "the ledger names who decided");
        base.tamper("delete from suppression").await;
        let sent = world.send(id).await;
        assert_eq!((sent.state, sent.exit(), sent.rejected), (State::Finished, Exit::Incomplete, 1));
        for (refused, asked) in [
            (control::pause(app, id, "x").await, "paused"),
            (control::resume(app, id, "x").await, "resumed"),
            (control::halt(app, id, "x").await, "halted"),
        ] {
            let refused = refused.unwrap_err().to_string();
            assert!(refused.starts_with(&format!("campaign {id} is not {asked}: it is finished: ")), "{refused}");
        }
        control::verify(app).await.unwrap();
    }
}
