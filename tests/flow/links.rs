//! The links in messages, asked over HTTP as a mail provider or a browser does.

use super::stop::{in_state, number_of, shell, slow};
use super::*;
use kakitome::console::{self, Serving};
use kakitome::key::{Keys, Link, Purpose};
use kakitome::ledger::State as Message;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

async fn serve(app: &App) -> Serving {
    console::serve_links("127.0.0.1:0", app.clone()).await.unwrap()
}

/// One request; the answer as it came.
async fn ask(to: SocketAddr, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let length = body.len();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: mail.registrar.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

fn path(keys: &Keys, purpose: Purpose, campaign: i64, account: &str) -> String {
    let link = Link { purpose, campaign, account: AccountId::new(account).unwrap() };
    format!("/k/u/{}", keys.link(&link))
}

/// The suppression list and the ledger's newest link: what may not change.
async fn before(app: &App) -> (Vec<kakitome::store::Suppression>, Vec<u8>) {
    (app.store.suppressions().await.unwrap(), app.store.ledger_head().await.unwrap())
}

both! {
    async fn a_get_shows_a_button_and_a_post_unsubscribes_once(base: &Base) {
        let world = World::new(base).await;
        let id = world.frozen().await;
        let serving = serve(&world.app).await;
        let to = serving.address();
        let who = customer(5);
        let path = path(&world.app.keys, Purpose::Unsubscribe, id, &who.member_id);

        let untouched = before(&world.app).await;
        let shown = ask(to, "GET", &path, "").await;
        assert_eq!(status(&shown), 200, "{shown}");
        for header in [
            "content-security-policy: default-src 'none'",
            "referrer-policy: no-referrer",
            "x-robots-tag: noindex",
            "cache-control: no-store",
            "content-type: text/html; charset=utf-8",
        ] {
            assert!(shown.contains(header), "no {header} in {shown}");
        }
        assert!(!shown.contains("set-cookie") && !shown.contains("location:"), "{shown}");
        assert!(body(&shown).contains("<form method=\"post\">") && body(&shown).contains("配信を停止する"));
        for own in [&who.member_id, &who.email, &who.name] {
            assert!(!shown.contains(own.as_str()), "the page names somebody");
        }
        let head = ask(to, "HEAD", &path, "").await;
        assert_eq!((status(&head), body(&head)), (200, ""));
        assert_eq!(before(&world.app).await, untouched, "looking changes nothing");

        let done = ask(to, "POST", &path, ONE_CLICK).await;
        assert_eq!(status(&done), 200, "{done}");
        assert!(body(&done).contains("配信を停止しました") && !body(&done).contains("<form"));
        let after = before(&world.app).await;
        let [only] = after.0.as_slice() else { panic!("{} rows", after.0.len()) };
        assert_eq!((only.address.as_str(), only.reason.as_str()), (who.email.to_lowercase().as_str(), "unsubscribed"));
        for again in [ONE_CLICK, ""] {
            assert_eq!(status(&ask(to, "POST", &path, again).await), 200);
        }
        assert_eq!(before(&world.app).await, after, "once is enough");
        let counted = world.app.metrics.text().unwrap();
        assert!(counted.contains("kakitome_unsubscribes_total{result=\"taken\"} 1\n"), "{counted}");
        assert!(counted.contains("kakitome_unsubscribes_total{result=\"repeated\"} 2\n"), "{counted}");
        suppress::add(&world.app, &[customer(6).email], "asked").await.unwrap();
        let removed = suppress::remove(&world.app, &[who.email.clone(), customer(6).email]).await.unwrap();
        assert_eq!((removed.removed, removed.unsubscribed), (2, 1), "one of them asked by the link");
        control::verify(&world.app).await.unwrap();
        serving.stop().await.unwrap();
        TcpStream::connect(to).await.unwrap_err();
    }

    async fn what_means_nobody_is_refused_alike_and_touches_nothing(base: &Base) {
        let world = World::new(base).await;
        let id = world.frozen().await;
        let serving = serve(&world.app).await;
        let (to, keys, member) = (serving.address(), &world.app.keys, customer(5).member_id);
        let good = path(keys, Purpose::Unsubscribe, id, &member);
        let untouched = before(&world.app).await;
        let mut pages = BTreeSet::new();
        for bad in [
            path(&Keys::new(&[3; 32]), Purpose::Unsubscribe, id, &member),
            path(keys, Purpose::View, id, &member),
            path(keys, Purpose::Unsubscribe, id + 1, &member),
            path(keys, Purpose::Unsubscribe, id, "99999999"),
            good[..good.len() - 1].to_owned(),
            format!("{good}A"),
            format!("{good}/"),
            format!("/k/u/{}", "A".repeat(5_000)),
            "/k/u/".to_owned(),
            good.replace("/k/u/", "/u/"),
            "/".to_owned(),
        ] {
            for (method, text) in [("POST", ONE_CLICK), ("GET", "")] {
                let answer = ask(to, method, &bad, text).await;
                assert_eq!(status(&answer), 404, "{method} {bad}");
                pages.insert(body(&answer).to_owned());
            }
        }
        assert_eq!(pages.len(), 1, "the answer tells them apart");
        for method in ["PUT", "DELETE", "OPTIONS", "PATCH"] {
            let answer = ask(to, method, &good, "").await;
            assert_eq!(status(&answer), 405, "{method}");
            assert!(answer.contains("allow: GET, HEAD, POST"), "{answer}");
        }
        let much = format!("{ONE_CLICK}&more={}", "x".repeat(5_000));
        assert_eq!(status(&ask(to, "POST", &good, &much).await), 413);
        assert_eq!(before(&world.app).await, untouched, "a refused request changed something");
        serving.stop().await.unwrap();
    }

    async fn a_message_is_shown_to_whoever_has_its_link(base: &Base) {
        let world = World::new(base).await;
        let id = world.frozen().await;
        let serving = serve(&world.app).await;
        let (to, keys, who) = (serving.address(), &world.app.keys, customer(5));
        let view = |purpose, account: &str| path(keys, purpose, id, account).replace("/k/u/", "/k/v/");
        let good = view(Purpose::View, &who.member_id);
        assert_eq!(status(&ask(to, "GET", &good, "").await), 404, "nothing was cleared yet");

        check::check(&world.app, id).await.unwrap();
        let untouched = before(&world.app).await;
        let shown = ask(to, "GET", &good, "").await;
        assert_eq!(status(&shown), 200, "{shown}");
        for header in ["content-security-policy: default-src 'none'; img-src", "sandbox allow-popups", "cache-control: no-store"] {
            assert!(shown.contains(header), "no {header} in {shown}");
        }
        assert!(body(&shown).starts_with("<!DOCTYPE html>") && body(&shown).contains(&who.member_id), "{shown}");
        assert!(body(&shown).contains(&good), "its own link stands in it");
        for other in [4, 6].map(customer) {
            assert!(!body(&shown).contains(&other.member_id) && !body(&shown).contains(&other.email));
        }
        let head = ask(to, "HEAD", &good, "").await;
        assert_eq!((status(&head), body(&head)), (200, ""));
        let posted = ask(to, "POST", &good, ONE_CLICK).await;
        assert_eq!(status(&posted), 405);
        assert!(posted.contains("allow: GET, HEAD\r\n"), "{posted}");
        for bad in [view(Purpose::Unsubscribe, &who.member_id), view(Purpose::View, "99999999"), format!("{good}A")] {
            assert_eq!(status(&ask(to, "GET", &bad, "").await), 404, "{bad}");
        }
        assert_eq!(before(&world.app).await, untouched, "looking changes nothing");

        // The account has another address by now: the message would be another one.
        let export = world.files.directory.file_name().unwrap().to_str().unwrap();
        let changed = world.edit(export, |text| text.replacen(&who.email, "moved@elsewhere.example", 1));
        import::import(&world.app, &changed, &import::Accepted::default()).await.unwrap();
        let gone = ask(to, "GET", &good, "").await;
        assert_eq!(status(&gone), 410, "{gone}");
        assert!(!gone.contains(&who.member_id) && !gone.contains("moved@"));
        let next = view(Purpose::View, &customer(6).member_id);
        assert_eq!(status(&ask(to, "GET", &next, "").await), 200, "others are as they were");
        serving.stop().await.unwrap();
    }

    async fn a_store_that_fails_is_said_and_the_next_try_is_taken(base: &Base) {
        let world = World::new(base).await;
        let id = world.frozen().await;
        let serving = serve(&world.app).await;
        let to = serving.address();
        let path = path(&world.app.keys, Purpose::Unsubscribe, id, &customer(5).member_id);
        let untouched = before(&world.app).await;
        base.tamper("alter table suppression rename to away").await;
        let failed = ask(to, "POST", &path, ONE_CLICK).await;
        assert_eq!(status(&failed), 503, "{failed}");
        assert!(body(&failed).contains("Nothing was changed"));
        base.tamper("alter table away rename to suppression").await;
        assert_eq!(before(&world.app).await, untouched);
        // The row and its entry stand or fall together.
        base.tamper("alter table ledger rename to away").await;
        assert_eq!(status(&ask(to, "POST", &path, ONE_CLICK).await), 503);
        base.tamper("alter table away rename to ledger").await;
        assert_eq!(before(&world.app).await, untouched);
        assert_eq!(status(&ask(to, "POST", &path, ONE_CLICK).await), 200);
        assert_eq!(world.app.store.suppressions().await.unwrap().len(), 1);
        let counted = world.app.metrics.text().unwrap();
        assert!(counted.contains("kakitome_unsubscribes_total{result=\"failed\"} 2\n"), "{counted}");
        serving.stop().await.unwrap();
    }

    async fn a_campaign_on_its_way_honours_the_link(base: &Base) {
        let world = slow(base, "20/s").await;
        let id = world.approved().await;
        let shell = shell(base, &world).await;
        let serving = serve(&shell).await;
        let mail = world.mail.clone();
        let customer_asks = async {
            until("the first message", || !mail.lock().unwrap().is_empty()).await;
            // One that waits, and one that is claimed already.
            let mut left = Vec::new();
            for state in [Message::Checked, Message::Claimed] {
                let account = in_state(&shell, id, state).await.pop().unwrap();
                left.push(customer(number_of(&account)).email);
                let path = path(&shell.keys, Purpose::Unsubscribe, id, account.as_str());
                assert_eq!(status(&ask(serving.address(), "POST", &path, ONE_CLICK).await), 200);
            }
            left
        };
        let (sent, left) = tokio::join!(world.send(id), customer_asks);
        let delivered = world.delivered();
        assert!(left.iter().all(|email| !delivered.contains_key(email)), "who unsubscribed got mail");
        assert_eq!((sent.accepted, sent.state), (ACCOUNTS - left.len() as u64, State::Finished));
        control::verify(&world.app).await.unwrap();
        serving.stop().await.unwrap();
    }
}
