//! A small directory of made-up accounts, and a guard that knows it.

use std::collections::{BTreeMap, BTreeSet};

use kakitome::account::{AccountId, Kind, Record};
use kakitome::address::Address;
use kakitome::directory::row::{Cell, Reader};
use kakitome::guard::index::Entry;
use kakitome::guard::{Allow, Candidate, Finding, Guard, Index, Literal, Rule, Terms, Verdict};
use kakitome::key::{Keys, Link, Purpose};
use kakitome::mapping::{Column, LetterCase, Mapping};

/// The campaign that every letter belongs to.
pub const CAMPAIGN: i64 = 7;

/// The columns, and what they hold.
pub const COLUMNS: [(&str, Kind); 8] = [
    ("id", Kind::Id),
    ("email", Kind::Email),
    ("contact", Kind::Email),
    ("domains", Kind::Domain),
    ("phone", Kind::Phone),
    ("name", Kind::Person),
    ("company", Kind::Organisation),
    ("auth", Kind::Secret),
];

/// The accounts: Japanese and English, companies and people, IDN and ASCII.
const ROWS: [[&str; 8]; 6] = [
    [
        "40817263",
        "taro@midori-mokuzai.example",
        "yamada.taro@mailbox.test",
        "midori-mokuzai.example;みどり木材.example",
        "090-1234-5678",
        "山田 太郎丸",
        "株式会社ミドリ木材",
        "Xk4-Plumtree9",
    ],
    [
        "40817299",
        "hanako@aozora-print.example",
        "hanako.s@mailbox.test",
        "aozora-print.example;青空印刷.example",
        "03-3234-5678",
        "佐々木 花子",
        "株式会社アオゾラ印刷",
        "Qq7-Lanternfish",
    ],
    [
        "51200347",
        "ada@ashgrove-foundry.example",
        "ada.ashgrove@mailbox.test",
        "ashgrove-foundry.example;ashgrove.test",
        "+44 20 7946 0958",
        "Ada Ashgrove",
        "Ashgrove Foundry Ltd",
        "Mm2-Windowsill",
    ],
    [
        "62900018",
        "bea@longfellow-books.example",
        "bea.longfellow@mailbox.test",
        "longfellow-books.example;bücherei-longfellow.example",
        "+44 113 496 0123",
        "Beatrice O'Longfellow",
        "Longfellow & Daughters Inc.",
        "Rr8-Marmalade",
    ],
    ["73000455", "ken@tanuki.example", "", "tanuki.example", "06-6234-5678", "森 健", "", ""],
    ["73000462", "info@umibe-cafe.example", "", "umibe-cafe.example", "", "", "海辺カフェ合同会社", ""],
];

/// A directory, its guard, and its records.
pub struct World {
    pub guard: Guard,
    pub keys: Keys,
    pub records: Vec<Record>,
    pub mapping: Mapping,
    /// How often a message is judged by its passages: new, known, remembered.
    pub rounds: usize,
    /// What its index holds.
    pub entries: Vec<Entry>,
}

/// What of a directory differs from country to country.
#[derive(Clone, Copy)]
pub struct Shape {
    /// The pattern of its IDs.
    pub pattern: &'static str,
    /// The country of its national telephone numbers.
    pub country: &'static str,
}

/// Eight digits, in Japan.
const JAPAN: Shape = Shape { pattern: "[0-9]{8}", country: "JP" };

fn mapping(shape: &Shape, case: LetterCase) -> Mapping {
    let columns = COLUMNS.map(|(name, kind)| {
        let column = Column {
            kind,
            list: (name == "domains").then_some(';'),
            pattern: (kind == Kind::Id).then(|| shape.pattern.to_owned()),
            country: (kind == Kind::Phone).then(|| shape.country.to_owned()),
            exclusive: None,
            case: if kind == Kind::Id { case } else { LetterCase::Folded },
        };
        (name.to_owned(), column)
    });
    Mapping {
        account: "id".into(),
        address: "email".into(),
        columns: BTreeMap::from(columns),
        drift_percent_max: 5.0,
        encoding: None,
        separator: None,
    }
}

impl World {
    /// The directory above.
    pub fn new() -> Self {
        Self::of(&ROWS.map(|row| row.map(str::to_owned)))
    }

    /// A directory of these rows.
    pub fn of(rows: &[[String; 8]]) -> Self {
        Self::of_shape(&JAPAN, rows)
    }

    /// A directory of these rows, in another country.
    pub fn of_shape(shape: &Shape, rows: &[[String; 8]]) -> Self {
        Self::with(shape, LetterCase::Folded, rows)
    }

    /// The same, where IDs that differ by case alone are two.
    pub fn of_exact(shape: &Shape, rows: &[[String; 8]]) -> Self {
        Self::with(shape, LetterCase::Exact, rows)
    }

    fn with(shape: &Shape, case: LetterCase, rows: &[[String; 8]]) -> Self {
        let (mapping, keys) = (mapping(shape, case), Keys::new(&[7; 32]));
        let reader = Reader::new(&mapping, &keys).expect("the pattern is a regular expression");
        let (mut records, mut entries) = (Vec::new(), Vec::new());
        for (line, row) in rows.iter().enumerate() {
            let cells: Vec<(String, Cell)> = COLUMNS
                .iter()
                .zip(row)
                .map(|((name, _), cell)| ((*name).to_owned(), Cell::Text(cell.clone())))
                .collect();
            let account = reader.account(line as u64 + 1, &cells).unwrap_or_else(|e| panic!("row {row:?}: {}", e.why));
            entries.extend(account.entries.into_iter().map(|entry| Entry {
                kind: entry.kind,
                hash: entry.hash,
                name: entry.name,
                account: account.record.account.clone(),
            }));
            records.push(account.record);
        }
        let guard = Guard::new(mapping.clone(), keys.clone(), Index::build(entries.iter().cloned()))
            .expect("the mapping is good");
        Self { guard, keys, records, mapping, rounds: 3, entries }
    }

    /// What one account says in a column.
    pub fn values(&self, account: usize, column: &str) -> Vec<String> {
        self.records[account].fields.get(column).map(|f| f.values().map(str::to_owned).collect()).unwrap_or_default()
    }

    /// Every identifier of an account but the secret ones, with its kind.
    pub fn identifiers(&self, account: usize) -> Vec<(Kind, String)> {
        let of = |(name, kind): (&str, Kind)| self.values(account, name).into_iter().map(move |value| (kind, value));
        COLUMNS.into_iter().flat_map(of).collect()
    }

    /// A link of this campaign for an account.
    pub fn link(&self, account: &AccountId) -> String {
        let link = Link { purpose: Purpose::Unsubscribe, campaign: CAMPAIGN, account: account.clone() };
        format!("https://registrar.example/u/{}", self.keys.link(&link))
    }

    /// Judges bytes for an account, under the registrar's usual terms.
    pub fn judge(&self, account: usize, bytes: &[u8]) -> Verdict {
        self.judge_with(account, bytes, &terms())
    }

    /// Asserts that a letter with any of these in it is cleared for its account.
    pub fn clears_all<'t>(
        &self,
        all: impl IntoIterator<Item = (usize, &'t str)>,
        put: impl Fn(&mut super::letter::Letter, &str),
    ) {
        let mut faults = Vec::new();
        for (account, text) in all {
            let mut letter = super::letter::Letter::new(self, account);
            put(&mut letter, text);
            let verdict = self.judge(account, &letter.bytes());
            if !verdict.is_cleared() {
                faults.push(format!("{text}: {:?}", verdict.findings));
            }
        }
        assert!(faults.is_empty(), "{} false alarms:\n{}", faults.len(), faults.join("\n"));
    }

    /// Judges bytes for an account.
    pub fn judge_with(&self, account: usize, bytes: &[u8], terms: &Terms) -> Verdict {
        let record = &self.records[account];
        let judge = self.guard.judge(terms).expect("the terms are good");
        let sender = Address::parse("bounce@registrar.example").expect("an address");
        let recipients = std::slice::from_ref(&record.address);
        let candidate = Candidate { sender: &sender, recipients, account: &record.account, bytes };
        let whole = judge.examine_whole(candidate, Some(record));
        // By passages it is the same: when they are new, known and remembered.
        for _ in 0..self.rounds {
            let verdict = judge.examine(candidate, Some(record));
            assert_eq!(told(&verdict), told(&whole), "{:?}", verdict.findings);
        }
        whole
    }
}

/// What a verdict says, wherever and however often it says it: a value that stands in a text
/// stands in its source too. Beside what holds a message for sure, a name or a number may be told
/// that a wider view would explain.
pub fn told(verdict: &Verdict) -> BTreeSet<(Rule, Option<Kind>, Option<AccountId>)> {
    let is_sure = verdict.findings.iter().any(Finding::stands);
    let told = verdict.findings.iter().filter(|finding| !is_sure || finding.stands());
    told.map(|finding| (finding.rule, finding.kind, finding.owner.clone())).collect()
}

/// The registrar's own domain is allowed, and its footer is literal text.
pub fn terms() -> Terms {
    Terms {
        campaign: Some(CAMPAIGN),
        revision: 1,
        literal: vec![Literal { html: false, text: super::letter::FOOTER.into() }],
        allow: vec![Allow { value: "registrar.example".into(), reason: "our own".into() }],
        must_show: Vec::new(),
        attachments: Vec::new(),
    }
}
