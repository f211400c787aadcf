//! What a campaign may be sent on: the key its directory was hashed under, the
//! definition that was frozen, approvals of exactly what is there, by somebody
//! who may give them, and no other revision on its way to the same people.

use super::*;
use kakitome::error::Error;

impl World {
    async fn refused(&self, id: i64) -> Error {
        let (_stop, stopped) = watch::channel(false);
        send::send(&self.app, id, true, stopped).await.unwrap_err()
    }

    /// Freezes the newsletter whose canary stage asks for another's approval first.
    async fn canary_first(&self) -> i64 {
        let campaign = self.edit("campaign.toml", |text| {
            let head = text.split("[[stage]]").next().unwrap().to_owned();
            format!(
                "{head}\n[[stage]]\nname = \"canary\"\ncount = 5\napproval = true\n[[stage]]\nname = \"rest\"\npercent = 100\n"
            )
        });
        freeze::freeze(&self.app, &campaign, " The Author ").await.unwrap().campaign
    }
}

/// The same installation, opened again: another process.
async fn reopened(world: &World, base: &Base) -> App {
    open(base, world.folder.path(), &generate::config("smtp://127.0.0.1:9")).await
}

both! {
    async fn with_another_key_nothing_is_frozen_checked_or_sent(base: &Base) {
        let world = World::new(base).await;
        let id = world.approved().await;
        std::fs::remove_file(world.path("kakitome.key")).unwrap();
        key::write(&world.path("kakitome.key")).unwrap();
        let app = reopened(&world, base).await;
        let (_stop, stopped) = watch::channel(false);
        let refusals = [
            freeze::freeze(&app, &world.files.campaign, "author").await.map(drop).unwrap_err(),
            check::check(&app, id).await.map(drop).unwrap_err(),
            approve::approve(&app, id, "another").await.map(drop).unwrap_err(),
            send::send(&app, id, true, stopped).await.map(drop).unwrap_err(),
        ];
        for (n, refused) in refusals.iter().enumerate() {
            let text = refused.to_string();
            assert!(text.contains("imported under another key"), "{n}: {text}");
            assert!(text.contains("put the key file back, or import the directory again"), "{n}: {text}");
        }
        assert!(world.delivered().is_empty());
        import::import(&app, &world.files.directory, &import::Accepted::default()).await.unwrap();
        freeze::freeze(&app, &world.files.campaign, "author").await.unwrap();
        control::verify(&app).await.unwrap();
    }

    async fn a_directory_whose_key_was_not_kept_is_imported_again(base: &Base) {
        let world = World::new(base).await;
        base.tamper("update directory_version set key_id = null").await;
        let refused = freeze::freeze(&world.app, &world.files.campaign, "author").await.unwrap_err().to_string();
        assert!(refused.contains("import the directory again"), "{refused}");
        import::import(&world.app, &world.files.directory, &import::Accepted::default()).await.unwrap();
        freeze::freeze(&world.app, &world.files.campaign, "author").await.unwrap();
    }

    async fn a_second_revision_goes_to_nobody_who_got_the_first(base: &Base) {
        let world = World::new(base).await;
        let (first, second) = (world.approved().await, world.approved().await);
        assert_eq!(world.send(first).await.accepted, ACCOUNTS);
        let refused = world.refused(second).await;
        assert_eq!(refused.exit(), Exit::Gate);
        let text = refused.to_string();
        assert!(text.contains(&format!("campaign {first} (revision 1")) && text.contains(&ACCOUNTS.to_string()), "{text}");
        assert!(text.contains("now: leave those accounts out"), "{text}");
        assert!(world.delivered().values().all(|count| *count == 1));
    }

    async fn a_check_that_finds_something_else_takes_approvals_back(base: &Base) {
        let world = World::new(base).await;
        let id = world.approved().await;
        // Nothing has changed: the approval is of exactly what is there.
        let same = check::check(&world.app, id).await.unwrap();
        assert_eq!((same.withdrawn, world.app.store.state(id).await.unwrap()), (0, State::Approved));
        let name = customer(5).name;
        let export = world.edit("directory.csv", |text| text.replacen(&name, "改姓 済子", 1));
        import::import(&world.app, &export, &import::Accepted::default()).await.unwrap();
        let changed = check::check(&world.app, id).await.unwrap();
        assert_eq!((changed.held, changed.withdrawn), (0, 1));
        assert_eq!(world.app.store.state(id).await.unwrap(), State::Checked);
        assert!(control::status(&world.app, id).await.unwrap().approved_by.is_empty());
        assert!(world.refused(id).await.to_string().contains("has not been approved"));
        let told = world.app.store.timeline(id).await.unwrap();
        assert!(told.iter().any(|(_, what)| what == "1 approval withdrawn"), "{told:?}");
        // The stale one is in nobody's way.
        approve::approve(&world.app, id, "somebody else").await.unwrap();
        assert_eq!(world.send(id).await.accepted, ACCOUNTS);
        control::verify(&world.app).await.unwrap();
    }

    async fn a_definition_changed_from_outside_is_not_sent_and_can_be_halted(base: &Base) {
        let world = World::new(base).await;
        let id = world.approved().await;
        base.tamper("update campaign set body = replace(body, '\"held_max\":0', '\"held_max\":120')").await;
        for refused in [world.refused(id).await, check::check(&world.app, id).await.unwrap_err()] {
            assert!(refused.to_string().contains("not what the ledger says was frozen"), "{refused}");
        }
        assert!(world.delivered().is_empty());
        assert_eq!(control::halt(&world.app, id, "x").await.unwrap().state, State::Halted);
    }

    async fn a_forged_ledger_does_not_make_another_definition_approved(base: &Base) {
        let world = World::new(base).await;
        let id = world.approved().await;
        // Whoever can write the store can write the chain anew, but has not the key.
        let campaign = world.app.campaign(id).await.unwrap();
        let old = serde_json::to_string(&campaign).unwrap();
        let new = old.replace("\"held_max\":0", "\"held_max\":120");
        assert_ne!(old, new);
        let hash = |text: &str| blake3::hash(text.as_bytes()).to_hex().to_string();
        base.tamper("update campaign set body = replace(body, '\"held_max\":0', '\"held_max\":120')").await;
        base.tamper(&format!("update ledger set body = replace(body, '{}', '{}')", hash(&old), hash(&new))).await;
        let refused = world.refused(id).await.to_string();
        assert!(refused.contains("signs another definition"), "{refused}");
    }

    async fn an_approval_covers_the_drill(base: &Base) {
        let world = World::new(base).await;
        let id = world.approved().await;
        base.tamper("update campaign set drill = replace(drill, '\"swapped\":', '\"swapped\":1')").await;
        let refused = world.refused(id).await.to_string();
        assert!(refused.contains("drill"), "{refused}");
        base.tamper("update campaign set drill = null").await;
        assert!(world.refused(id).await.to_string().contains("not passed its check"));
        assert!(world.delivered().is_empty());
    }

    async fn an_accepted_gap_stands_in_check_approval_and_report(base: &Base) {
        let world = World::new(base).await;
        // No message can show this name: it looks like a field that was not filled.
        let (name, id) = (customer(5).name, customer(5).member_id.to_string());
        let export = world.edit("directory.csv", |text| text.replacen(&name, "{{NAME}} Ashgrove", 1));
        let refused = import::import(&world.app, &export, &import::Accepted::default()).await.unwrap_err();
        assert!(refused.to_string().contains("would not find all of its values"), "{refused}");
        let gap = Some(kakitome::app::directory::calibrate::Gap { by: "ada".into(), reason: "closed list".into() });
        import::import(&world.app, &export, &import::Accepted { gap, ..import::Accepted::default() }).await.unwrap();
        let without = |text: String| text.lines().filter(|line| !line.starts_with(&id)).collect::<Vec<_>>().join("\n");
        world.edit("audience.csv", without);

        let campaign = world.frozen().await;
        let found = check::check(&world.app, campaign).await.unwrap();
        assert_eq!((found.held, found.cleared), (0, ACCOUNTS - 1), "{:?}", found.first);
        let calibration = found.calibration.clone().unwrap();
        assert!(calibration.version == 2 && calibration.own_held > 0 && !calibration.is_complete(), "{calibration:?}");
        let accepted = calibration.accepted.as_ref().unwrap();
        assert_eq!((accepted.by.as_str(), accepted.reason.as_str()), ("ada", "closed list"));
        assert!(check::page(&world.app, &found).await.unwrap().contains("Accepted by ada: Closed list."));
        let approved = approve::approve(&world.app, campaign, "reviewer").await.unwrap();
        assert_eq!(approved.calibration.as_ref(), Some(&calibration));
        let report = control::report(&world.app, campaign).await.unwrap();
        assert_eq!(report.calibration.as_ref(), Some(&calibration));
        assert!(report.page().contains("Accepted by ada: Closed list."));
        // The signature covers who accepted it.
        base.tamper("update campaign set drill = replace(drill, '\"ada\"', '\"bob\"')").await;
        let refused = world.refused(campaign).await.to_string();
        assert!(refused.contains("signs another definition"), "{refused}");
    }

    async fn a_token_that_two_messages_share_holds_both(base: &Base) {
        let world = World::new(base).await;
        // A fragment's token that a cache gave to two customers, in a column that names nobody.
        let token = |n: usize| blake3::hash(&n.to_be_bytes()).to_hex()[..24].to_owned();
        let lines = std::fs::read_to_string(&world.files.directory).unwrap();
        let export = |cached: &[usize]| {
            let line = |(n, line): (usize, &str)| match (n, line.rsplit_once(',').unwrap()) {
                (0, _) => line.to_owned(),
                (n, (rest, _)) => format!("{rest},{}", token(if cached.contains(&n) { cached[0] } else { n })),
            };
            world.edit("directory.csv", |_| lines.lines().enumerate().map(line).collect::<Vec<_>>().join("\n"))
        };
        let link = "<p><a href=\"https://registrar.example/go/{{ account.plan }}\">more</a></p>";
        world.edit("newsletter/body.html", |text| text.replace("</body>", &format!("{link}</body>")) + link);
        let import = async |cached: &[usize]| {
            let accepted = import::Accepted::default();
            import::import(&world.app, &export(cached), &accepted).await.unwrap();
        };
        import(&[]).await;
        let first = world.approved().await;
        import(&[5, 9]).await;
        let second = freeze::freeze(&world.app, &world.path("campaign.toml"), "author").await.unwrap().campaign;
        let found = check::check(&world.app, second).await.unwrap();
        assert_eq!((found.held, found.cleared), (2, ACCOUNTS - 2), "{:?}", found.first);
        assert!(!found.passed(0) && found.findings_by_rule["link-token"] == 2, "{:?}", found.findings_by_rule);
        let (one, other) = (&found.first[0], &found.first[1]);
        assert_eq!((one.1.owner.as_ref(), other.1.owner.as_ref()), (Some(&other.0), Some(&one.0)));
        approve::approve(&world.app, second, "reviewer").await.unwrap_err();
        // What was approved before the column changed is not sent as it is now.
        let sent = world.send(first).await;
        assert_eq!((sent.accepted, sent.state, sent.exit()), (0, State::Halted, Exit::Held));
        assert!(world.delivered().is_empty() && sent.held > 0);
        control::verify(&world.app).await.unwrap();
        // Where three have it, it is the campaign's.
        import(&[5, 9, 14]).await;
        let third = freeze::freeze(&world.app, &world.path("campaign.toml"), "author").await.unwrap().campaign;
        assert_eq!(check::check(&world.app, third).await.unwrap().held, 0);
    }

    async fn the_author_is_nobody_else_however_the_name_is_spelt(base: &Base) {
        let world = World::new(base).await;
        let id = world.canary_first().await;
        check::check(&world.app, id).await.unwrap();
        for author in ["The Author", " the author", "ＴＨＥ ＡＵＴＨＯＲ", "the\u{200b} author"] {
            let refused = approve::approve(&world.app, id, author).await.unwrap_err();
            assert_eq!(refused.exit(), Exit::Gate, "{author:?}");
            assert!(refused.to_string().contains("let somebody else run"), "{refused}");
        }
        for nobody in ["", " ", "\u{200b}", "a\nb"] {
            assert_eq!(approve::approve(&world.app, id, nobody).await.unwrap_err().exit(), Exit::Usage, "{nobody:?}");
            let refused = freeze::freeze(&world.app, &world.files.campaign, nobody).await.unwrap_err();
            assert_eq!(refused.exit(), Exit::Usage, "{nobody:?}");
        }
        approve::approve(&world.app, id, "Reviewer").await.unwrap();
        approve::approve(&world.app, id, " reviewer").await.unwrap();
        assert_eq!(control::status(&world.app, id).await.unwrap().approved_by, ["Reviewer"], "one person, one approval");
        assert_eq!(world.send(id).await.accepted, ACCOUNTS);
    }

    async fn campaigns_frozen_at_once_get_a_number_each(base: &Base) {
        let world = World::new(base).await;
        let freeze = || freeze::freeze(&world.app, &world.files.campaign, "author");
        let (a, b, c) = tokio::join!(freeze(), freeze(), freeze());
        let frozen: BTreeSet<(i64, i64)> = [a, b, c].into_iter().map(|f| f.map(|f| (f.campaign, f.revision)).unwrap()).collect();
        assert_eq!(frozen.into_iter().collect::<Vec<_>>(), [(1, 1), (2, 2), (3, 3)]);
        control::verify(&world.app).await.unwrap();
    }

    async fn limits_and_names_that_mean_nothing_are_refused_when_frozen(base: &Base) {
        let world = World::new(base).await;
        let original = std::fs::read_to_string(world.path("campaign.toml")).unwrap();
        let head = original.split("[[stage]]").next().unwrap();
        let stages = "[[stage]]\nname = \"Rest\"\ncount = 1\n[[stage]]\nname = \"rest\"\npercent = 100\n";
        for (text, why) in [
            (format!("rejected_percent_max = 101.0\n{original}"), "rejected_percent_max"),
            (format!("deferred_percent_max = nan\n{original}"), "deferred_percent_max"),
            (format!("held_max = -1\n{original}"), "held_max"),
            (format!("{head}{stages}"), "same in another spelling"),
        ] {
            std::fs::write(world.path("campaign.toml"), text).unwrap();
            let refused = freeze::freeze(&world.app, &world.files.campaign, "author").await.unwrap_err();
            assert_eq!(refused.exit(), Exit::Usage);
            let mut whole = refused.to_string();
            whole.retain(|c| c != '\n');
            assert!(whole.contains(why), "{why}: {whole}");
        }
    }

    async fn an_empty_ledger_is_not_called_proven(base: &Base) {
        let folder = tempfile::tempdir().unwrap();
        key::write(&folder.path().join("kakitome.key")).unwrap();
        let app = open(base, folder.path(), &generate::config("smtp://127.0.0.1:9")).await;
        let refused = control::verify(&app).await.unwrap_err();
        assert_eq!(refused.exit(), Exit::Usage);
        assert!(refused.to_string().contains("nothing to prove"), "{refused}");
        if base.is_sqlite() {
            let env = [("KAKITOME_STORE".to_owned(), "sqlite:none.db".to_owned())];
            let config = Config::parse(&generate::config("smtp://127.0.0.1:9"), folder.path(), env.into_iter()).unwrap();
            let missing = App::open_existing(config, Metrics::new().unwrap()).await.map(drop).unwrap_err();
            assert!(missing.to_string().contains("there is no store here"), "{missing}");
            assert!(!folder.path().join("none.db").exists());
        }
    }

    async fn lines_that_are_refused_are_counted(base: &Base) {
        let world = World::new(base).await;
        let email = customer(3).email;
        let export = world.edit("directory.csv", |text| text.replacen(&email, "nobody", 1));
        import::import(&world.app, &export, &import::Accepted::default()).await.unwrap_err();
        let metrics = world.app.metrics.text().unwrap();
        assert!(metrics.contains("kakitome_import_rows_total{result=\"refused\"} 1"), "{metrics}");
    }
}
