//! Tokens over a stream of messages. What accounts share as their own identifier does not count.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kakitome::guard::stream::{OwnTokens, Stream};

use super::letter::{Letter, word};
use super::world::{Shape, World, terms};

/// Accounts of which each two have one domain and one company, both like opaque tokens.
fn pairs(count: usize) -> World {
    let row = |n: usize| {
        let hash = blake3::hash(&(n / 2).to_be_bytes()).to_hex();
        let (host, company) = (&hash[..20], format!("{} {} Holdings", &hash[20..36], &hash[36..44]));
        let domain = format!("x{host}.example");
        let email = format!("office{n}@{domain}");
        [&format!("4{n:07}"), &email, "", &domain, "", "", &company, ""].map(str::to_owned)
    };
    World::of_shape(&Shape { pattern: "4[0-9]{7}", country: "JP" }, &(0..count).map(row).collect::<Vec<_>>())
}

#[test]
fn what_accounts_share_by_their_own_identifiers_is_no_token() {
    let world = pairs(3_000);
    let terms = terms();
    let judge = world.guard.judge(&terms).unwrap();
    let extra = BTreeMap::new();
    let (stream, bare) = (Stream::new(&terms), Stream::new(&terms));
    for (n, record) in world.records.iter().enumerate() {
        let (domain, company) = (&world.values(n, "domains")[0], &world.values(n, "company")[0]);
        let mut letter = Letter::new(&world, n);
        letter.header("Subject", &word(company));
        letter.header("X-Site", domain);
        letter.header("X-Entity", &company.replace(' ', "-"));
        let encoded = URL_SAFE_NO_PAD.encode(domain);
        let hex: String = domain.bytes().map(|b| format!("{b:02x}")).collect();
        let slug = company.replace(' ', "_").to_uppercase();
        for path in
            [domain.replace('.', "-"), format!("s/{domain}?d={encoded}&h={hex}"), format!("c?n={slug}#{domain}")]
        {
            letter.html.push_str(&format!("<a href=\"https://registrar.example/{path}\">x</a>"));
            letter.text.push_str(&format!("https://registrar.example/{path}\r\n"));
        }
        let bytes = letter.bytes();
        stream.add_own(n as u32, &bytes, &OwnTokens::of(&judge, record, &extra));
        bare.add(n as u32, &bytes);
    }
    assert_eq!(stream.shared(world.records.len()), []);
    assert!(bare.shared(world.records.len()).len() > 1_000, "without them these are tokens that two share");
}

#[test]
fn what_no_identifier_explains_is_one_beside_them_too() {
    let world = pairs(6);
    let terms = terms();
    let judge = world.guard.judge(&terms).unwrap();
    let extra = BTreeMap::new();
    let domain = |n: usize| world.values(n, "domains")[0].clone();
    let cached = "k3j2h4g5f6d7s8a9Zq";
    let link = |n: usize, shape: usize| match shape {
        0 => format!("https://registrar.example/u/{cached}"),
        1 => format!("https://registrar.example/u/{}-{cached}", domain(n).replace('.', "-")),
        _ => format!("https://registrar.example/u/{}", URL_SAFE_NO_PAD.encode(format!("cache:{cached}:0"))),
    };
    for shape in 0..4 {
        let stream = Stream::new(&terms);
        for (n, record) in world.records.iter().enumerate() {
            let mut letter = Letter::new(&world, n);
            if n < 2 && shape == 3 {
                letter.header("Subject", &word(&format!("お知らせ {cached}")));
            } else if n < 2 {
                letter.html.push_str(&format!("<a href=\"{}\">x</a>", link(n, shape)));
            }
            stream.add_own(n as u32, &letter.bytes(), &OwnTokens::of(&judge, record, &extra));
        }
        let shared: Vec<(u32, u32)> = stream.shared(6).iter().map(|shared| (shared.first, shared.second)).collect();
        assert_eq!(shared, [(0, 1)], "{shape}");
    }
}
