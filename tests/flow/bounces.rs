//! What comes back: each message's envelope sender has a token of its own, by
//! which it is known whose message it was.

use kakitome::app::evidence::lookup;

use super::*;

both! {
    async fn what_comes_back_is_known_by_its_envelope_sender(base: &Base) {
        let world = World::new(base).await;
        world.edit("campaign.toml", |text| {
            text.replacen("template =", "bounce = \"bounces+{token}@mail.registrar.example\"\ntemplate =", 1)
        });
        let id = world.approved().await;
        assert_eq!(world.send(id).await.accepted, ACCOUNTS);
        let mut accounts = BTreeSet::new();
        let mail: Vec<_> = world.mail.lock().unwrap().iter().map(|d| (d.sender.clone(), d.recipient.clone())).collect();
        for (sender, recipient) in mail {
            assert!(sender.starts_with("bounces+kb1") && sender.ends_with("@mail.registrar.example"), "{sender}");
            // On its way back it may have lost its case.
            let (found, wrong) = lookup::lookup(&world.app, &[sender.to_uppercase()]).await.unwrap();
            assert!(wrong.is_none());
            let version = world.app.version().await.unwrap().number;
            let record = world.app.store.record(version, &found[0].account).await.unwrap().unwrap();
            assert_eq!((found[0].campaign, found[0].revision, record.address.to_string()), (id, 1, recipient));
            accounts.insert(found[0].account.clone());
            // Another installation's is not ours.
            let other = App { keys: kakitome::key::Keys::new(&[3; 32]), ..world.app.clone() };
            let (found, refused) = lookup::lookup(&other, std::slice::from_ref(&sender)).await.unwrap();
            let refused = refused.unwrap();
            assert_eq!((found.len(), refused.exit()), (0, Exit::Usage));
            assert!(!refused.to_string().contains(&sender), "{refused}");
            // One that is wrong keeps no other back.
            let three = ["nobody@x.example".to_owned(), sender, "kb1none".to_owned()];
            let (found, refused) = lookup::lookup(&world.app, &three).await.unwrap();
            assert_eq!(found.len(), 1);
            assert!(refused.unwrap().to_string().starts_with("addresses 1, 3 of 3 have no token"));
        }
        assert_eq!(accounts.len() as u64, ACCOUNTS);
    }
}
