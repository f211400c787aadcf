//! Extra columns of an audience: declared identifiers from the file to delivery,
//! and files that are shifted.

use super::*;

/// Each account's order number.
fn order(number: u64) -> String {
    format!("ORD-2026-{:06}", 104_729 + number * 6_007)
}

const ORDERS: &str = "[extra.order_no]\nkind = \"id\"\npattern = \"ORD-[0-9]{4}-[0-9]{6}\"\n";

/// Writes an audience, row by row, and a campaign that declares `extra` and goes
/// to everybody at once.
fn campaign(world: &World, extra: &str, head: &str, row: impl Fn(u64) -> String) -> PathBuf {
    let rows: String = (0..ACCOUNTS).map(|n| format!("{},{}\n", customer(n).member_id, row(n))).collect();
    std::fs::write(world.path("audience.csv"), format!("member_id,{head}\n{rows}")).unwrap();
    world.edit("campaign.toml", |text| {
        let head = text.split("[[stage]]").next().unwrap().split("[extra.").next().unwrap().to_owned();
        format!("{head}\n{extra}\n[[stage]]\nname = \"everybody\"\npercent = 100\n")
    })
}

/// Shows the order number, through a filter.
fn show(world: &World, filter: &str) {
    let shown = format!("ご注文番号: {{{{ extra.order_no{filter} }}}}\n");
    world.edit("newsletter/body.txt", |text| format!("{shown}{}", text.split("ご注文番号").last().unwrap()));
}

fn must_show(world: &World) {
    world.edit("campaign.toml", |text| text.replace("must_show = [", "must_show = [\"extra.order_no\", "));
}

async fn refused(world: &World, campaign: &Path) -> String {
    freeze::freeze(&world.app, campaign, "author").await.unwrap_err().to_string()
}

both! {
    async fn declared_order_numbers_are_their_own_accounts(base: &Base) {
        let world = World::new(base).await;
        show(&world, "");
        must_show(&world);
        let file = campaign(&world, ORDERS, "order_no", order);
        let id = freeze::freeze(&world.app, &file, "author").await.unwrap().campaign;
        let found = check::check(&world.app, id).await.unwrap();
        assert_eq!((found.held, found.cleared), (0, ACCOUNTS), "{:?}", found.first);
        assert!(found.drill.passed() && !found.drill.is_vacuous());
        approve::approve(&world.app, id, "reviewer").await.unwrap();
        assert_eq!(world.send(id).await.accepted, ACCOUNTS);
    }

    async fn an_order_number_that_is_not_the_rows_is_held(base: &Base) {
        let world = World::new(base).await;
        show(&world, "|replace('0', '3')|replace('1', '0')");
        let file = campaign(&world, ORDERS, "order_no", order);
        let id = freeze::freeze(&world.app, &file, "author").await.unwrap().campaign;
        let found = check::check(&world.app, id).await.unwrap();
        assert_eq!((found.held, found.cleared), (ACCOUNTS, 0));
        assert_eq!(found.findings_by_rule.get("unexplained"), Some(&ACCOUNTS), "{:?}", found.findings_by_rule);
        // What must be shown is not there either.
        must_show(&world);
        let file = campaign(&world, ORDERS, "order_no", order);
        let id = freeze::freeze(&world.app, &file, "author").await.unwrap().campaign;
        let found = check::check(&world.app, id).await.unwrap();
        assert_eq!(found.findings_by_rule.get("missing"), Some(&ACCOUNTS), "{:?}", found.findings_by_rule);
    }

    async fn a_value_on_two_rows_is_refused_with_both_lines(base: &Base) {
        let world = World::new(base).await;
        let file = campaign(&world, ORDERS, "order_no", |n| order(if n == 57 { 4 } else { n }));
        let why = refused(&world, &file).await;
        assert!(why.contains("line 6, column order_no") && why.contains("line 59, column order_no"), "{why}");
        assert!(why.starts_with("1 values") && !why.contains(&order(4)), "counted and masked: {why}");
        let shared = format!("{ORDERS}exclusive = false\n");
        let file = campaign(&world, &shared, "order_no", |n| order(if n == 57 { 4 } else { n }));
        freeze::freeze(&world.app, &file, "author").await.unwrap();
    }

    async fn a_file_whose_columns_are_one_row_off_is_held_whole(base: &Base) {
        let world = World::new(base).await;
        let below = |n: u64| (n + 1) % ACCOUNTS;
        // Order numbers are known to this file alone: what it repeats of the
        // directory tells that they are off.
        show(&world, "");
        let file = campaign(&world, ORDERS, "email,order_no", |n| format!("{},{}", customer(below(n)).email, order(below(n))));
        let frozen = freeze::freeze(&world.app, &file, "author").await.unwrap();
        assert_eq!((frozen.planned, frozen.held), (ACCOUNTS, ACCOUNTS));
        // The directory's own identifiers under names that it does not have, not
        // declared at all.
        for column in ["member", "domain", "mail"] {
            let file = campaign(&world, "", &format!("order_no,{column}"), |n| {
                let other = customer(below(n));
                let value = match column {
                    "member" => other.member_id,
                    "mail" => other.email,
                    _ => other.domains.first().cloned().unwrap_or(other.member_id),
                };
                format!("x,{value}")
            });
            let frozen = freeze::freeze(&world.app, &file, "author").await.unwrap();
            assert_eq!(frozen.held, ACCOUNTS, "{column}: {:?}", frozen.first);
            let first = &frozen.first[0].finding;
            assert_eq!(first.place, format!("audience line 2, column {column}"));
            assert!(first.owner.is_some() && first.shown.contains('•'), "{first:?}");
            let found = check::check(&world.app, frozen.campaign).await.unwrap();
            assert_eq!((found.cleared, found.held), (0, ACCOUNTS));
            let refused = approve::approve(&world.app, frozen.campaign, "reviewer").await.unwrap_err();
            assert_eq!(refused.exit(), Exit::Held);
        }
        // From half way on.
        let file = campaign(&world, "", "order_no,member", |n| {
            format!("x,{}", customer(if n < ACCOUNTS / 2 { n } else { below(n) }).member_id)
        });
        let frozen = freeze::freeze(&world.app, &file, "author").await.unwrap();
        assert_eq!(frozen.held, ACCOUNTS / 2);
    }

    async fn a_declared_column_does_not_take_another_accounts_identifier(base: &Base) {
        let world = World::new(base).await;
        let declared = "[extra.shown_id]\nkind = \"id\"\npattern = \"[0-9]{8}\"\n";
        show(&world, "|default('')");
        let file = campaign(&world, declared, "order_no,shown_id", |n| {
            format!("x,{}", customer((n + 1) % ACCOUNTS).member_id)
        });
        let frozen = freeze::freeze(&world.app, &file, "author").await.unwrap();
        assert_eq!(frozen.held, ACCOUNTS, "{:?}", frozen.first);
    }

    async fn text_and_ones_own_identifiers_are_left_alone(base: &Base) {
        let world = World::new(base).await;
        let file = campaign(&world, "", "order_no,city,note,mine", |n| {
            let own = customer(n);
            format!("{n},東京都千代田区,\"{}, ¥12,345\",{};{}", "ご利用ありがとうございます。".repeat(20), own.member_id, own.email)
        });
        let frozen = freeze::freeze(&world.app, &file, "author").await.unwrap();
        assert_eq!(frozen.held, 0, "{:?}", frozen.first);
        // What is declared to name nobody is not looked up.
        let text = "[extra.referrer]\nkind = \"text\"\n";
        let file = campaign(&world, text, "order_no,referrer", |n| format!("x,{}", customer((n + 1) % ACCOUNTS).member_id));
        assert_eq!(freeze::freeze(&world.app, &file, "author").await.unwrap().held, 0);
    }

    async fn declarations_that_cannot_be_used_are_refused(base: &Base) {
        let world = World::new(base).await;
        for (extra, why) in [
            ("[extra.order_no]\nkind = \"secret\"\n", "a secret is never sent"),
            ("[extra.order_no]\nkind = \"id\"\n", "without a pattern"),
            ("[extra.order]\nkind = \"email\"\n", "extra.order cannot be declared"),
            ("[extra.email]\nkind = \"email\"\n", "a column of the directory"),
            ("[extra.order_no]\nkind = \"id\"\npattern = \"[0-9]{12}\"\n", "line 2, column order_no"),
            ("[extra.order_no]\nkind = \"email\"\n", "line 2, column order_no"),
        ] {
            let file = campaign(&world, extra, "order_no", order);
            let told = refused(&world, &file).await;
            assert!(told.contains(why), "{extra}: {told}");
        }
        must_show(&world);
        let file = campaign(&world, "", "order_no", order);
        let told = refused(&world, &file).await;
        assert!(told.contains("does not declare"), "{told}");
    }

    async fn an_order_number_in_the_template_needs_a_reason(base: &Base) {
        let world = World::new(base).await;
        world.edit("newsletter/body.txt", |text| format!("\n例: {}\n{text}", order(3)));
        let file = campaign(&world, ORDERS, "order_no", order);
        let told = refused(&world, &file).await;
        assert!(told.contains("literal text") && !told.contains(&order(3)), "{told}");
        assert!(told.contains(": body.txt line 2\n"), "{told}");
    }

    async fn a_snapshot_that_was_changed_is_not_sent(base: &Base) {
        let world = World::new(base).await;
        show(&world, "");
        let file = campaign(&world, ORDERS, "order_no", order);
        let id = freeze::freeze(&world.app, &file, "author").await.unwrap().campaign;
        check::check(&world.app, id).await.unwrap();
        approve::approve(&world.app, id, "reviewer").await.unwrap();
        let (own, other) = (customer(1).member_id, customer(2).member_id);
        base.tamper(&format!(
            "update message set extra = (select m.extra from message m where m.account = '{other}') where account = '{own}'"
        ))
        .await;
        let (_stop, stopped) = watch::channel(false);
        let refused = send::send(&world.app, id, true, stopped).await.unwrap_err();
        assert!(refused.to_string().contains("more than one account"), "{refused}");
        assert!(world.delivered().is_empty());
    }

    async fn a_drill_that_missed_is_never_approved_or_sent(base: &Base) {
        let world = World::new(base).await;
        let id = world.frozen().await;
        let found = check::check(&world.app, id).await.unwrap();
        assert!(found.passed(0) && found.drill.rules.len() == 9, "{:?}", found.drill);
        let now_ms = world.app.clock.now_ms();
        let mut failed = found.drill.clone();
        failed.held -= 1;
        assert!(!failed.passed());
        world.app.store.record_drill(id, &failed, now_ms).await.unwrap();
        let refused = approve::approve(&world.app, id, "reviewer").await.unwrap_err();
        assert_eq!(refused.exit(), Exit::Held);
        assert!(refused.to_string().contains("drill"), "{refused}");
        world.app.store.record_drill(id, &found.drill, now_ms).await.unwrap();
        approve::approve(&world.app, id, "reviewer").await.unwrap();
        // The signature covers the drill: another one, though it passed, is not it.
        let mut other = found.drill.clone();
        (other.swapped, other.held) = (other.swapped + 1, other.held + 1);
        assert!(other.passed());
        world.app.store.record_drill(id, &other, now_ms).await.unwrap();
        let (_stop, stopped) = watch::channel(false);
        let refused = send::send(&world.app, id, true, stopped).await.unwrap_err();
        assert!(refused.to_string().contains("not signed"), "{refused}");
        assert!(world.delivered().is_empty());
    }

    async fn ids_that_differ_by_case_alone_are_two_accounts_where_the_column_says_so(base: &Base) {
        let world = World::new(base).await;
        let twins = [(customer(3).member_id, "aB001234"), (customer(4).member_id, "Ab001234")];
        let rename = |text: String| twins.iter().fold(text, |text, (old, new)| text.replace(old, new));
        let export = world.edit("directory.csv", rename);
        world.edit("audience.csv", rename);
        let opened = async |column: &str| {
            let text = generate::config(&format!("smtp://{}", world._receiver.addr())).replace("500ms", "1ms");
            open(base, world.folder.path(), &text.replace("pattern = \"[0-9]{8}\"", column)).await
        };
        let folded = opened("pattern = \"[0-9A-Za-z]{8}\"").await;
        let refused = import::import(&folded, &export, &import::Accepted::drift("new IDs")).await.unwrap_err().to_string();
        assert!(refused.contains("differs by case alone; if both are right, set case = \"exact\""), "{refused}");
        assert!(refused.contains("[directory.columns.member_id]") && !refused.contains("001234"), "{refused}");

        let app = opened("pattern = \"[0-9A-Za-z]{8}\", case = \"exact\"").await;
        import::import(&app, &export, &import::Accepted::drift("new IDs")).await.unwrap();
        let campaign = world.edit("campaign.toml", |text| one_stage(&text));
        let id = freeze::freeze(&app, &campaign, "author").await.unwrap().campaign;
        let found = check::check(&app, id).await.unwrap();
        assert_eq!((found.held, found.cleared), (0, ACCOUNTS), "{:?}", found.first);
        assert!(found.drill.passed(), "{:?}", found.drill);
        approve::approve(&app, id, "reviewer").await.unwrap();
        let (_stop, stopped) = watch::channel(false);
        assert_eq!(send::send(&app, id, true, stopped).await.unwrap().accepted, ACCOUNTS);

        // A column beside the directory's that has the other's ID in it.
        let rows = format!("member_id,number\n{},{}\n{},{}\n", twins[0].1, twins[1].1, twins[1].1, twins[1].1);
        std::fs::write(world.path("audience.csv"), rows).unwrap();
        world.edit("campaign.toml", |text| text.replace("December newsletter", "Twins"));
        let frozen = freeze::freeze(&app, &campaign, "author").await.unwrap();
        assert_eq!((frozen.planned, frozen.held), (2, 1), "{:?}", frozen.first);
        assert!(control::verify(&app).await.is_ok());
    }
}
