//! `fold`: the form in which texts are compared. Input: decoded text. Output:
//! the same text, borrowed when nothing changes. Infallible, linear, idempotent.
//!
//! What it does, in this order: NFKC (full-width forms, half-width kana, NFD,
//! ideographic spaces); default-ignorable characters away (zero-width, soft
//! hyphen, bidi, variation selectors); lower case; then the signs below. It
//! repeats itself where one step gives another something to do.
//!
//! - Apostrophes of every shape become `'` (O’Example), so does the grave accent.
//! - Dash variants become `-`; the long-vowel mark `ー` does so only between
//!   digits (`03ー1234`), since it is a letter everywhere else.
//! - `。` ends Japanese sentences and may be a host's dot too. It becomes `.`
//!   only after a letter or digit, and before an ASCII letter or digit
//!   (`例え。jp`) or a top-level domain of [`TOP_LEVEL`] that ends there
//!   (`例え。テスト`). `｡` is the same character after NFKC, `．` is `.` already.
//! - Kanji numerals stand in names and prose (一郎, 二〇二四年). They become
//!   digits only in a run, dashes counted in, of at least [`KANJI_DIGITS_MIN`]
//!   of them: nothing but an ID or a phone number looks like that.
//! - Digits of other scripts become ASCII.
//! - `(株)` (which NFKC makes of ㈱ and （株）) becomes 株式会社, `(有)`
//!   有限会社, `(同)` and `(合)` 合同会社, so that a name is found in folded
//!   text whichever way it is written.
//!
//! ß and final ς are kept, as UTS 46 keeps them: a host found in folded text
//! must still be the same host.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// Fewer kanji numerals in a row than this are a word, not a number.
pub const KANJI_DIGITS_MIN: usize = 6;

/// Top-level domains in Japanese script before which `。` is a dot.
pub const TOP_LEVEL: &[&str] = &[
    "テスト",
    "みんな",
    "コム",
    "世界",
    "ストア",
    "セール",
    "ファッション",
    "クラウド",
    "グーグル",
    "アマゾン",
    "ポイント",
    "家電",
    "食品",
    "書籍",
    "通販",
];

/// Zero of every common script's decimal digits; the other nine follow it.
const ZEROS: &[u32] = &[
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0E50, 0x0ED0,
    0x0F20, 0x1040, 0x17E0, 0x1810,
];

/// The most rounds one text can need. Each is linear; two do for real texts.
const ROUNDS_MAX: usize = 8;

/// Folds a text or a value. See the head of this file for what that means.
///
/// ```
/// use kakitome::guard::normal::fold;
/// assert_eq!(fold("Ｅｘａｍ\u{200b}ple．ＪＰ"), "example.jp");
/// assert_eq!(fold("例え。jp です。"), "例え.jp です。");
/// assert_eq!(fold("㈱ｻﾝﾌﾟﾙ"), "株式会社サンプル");
/// assert!(matches!(fold("plain text"), std::borrow::Cow::Borrowed(_)));
/// ```
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return fold_ascii(text);
    }
    let mut folded = match round(text) {
        (Cow::Borrowed(same), _) => return Cow::Borrowed(same),
        (Cow::Owned(new), false) => return Cow::Owned(new),
        (Cow::Owned(new), true) => new,
    };
    for _ in 1..ROUNDS_MAX {
        match round(&folded) {
            (Cow::Borrowed(_), _) => break,
            (Cow::Owned(new), _) => folded = new,
        }
    }
    Cow::Owned(folded)
}

/// ASCII has no forms but its case, and what NFKC cannot have made: nothing.
fn fold_ascii(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|b| b.is_ascii_uppercase() || b == b'`') {
        return Cow::Borrowed(text);
    }
    let mut folded = text.to_ascii_lowercase();
    if folded.contains('`') {
        folded = folded.replace('`', "'");
    }
    Cow::Owned(folded)
}

/// One round, and whether another may find something to do.
fn round(text: &str) -> (Cow<'_, str>, bool) {
    // NFKC makes a space and a combining sign of it.
    if memchr::memchr_iter(0xc2, text.as_bytes()).any(|at| text.as_bytes().get(at + 1) == Some(&0xb4)) {
        return (Cow::Owned(round(&text.replace('\u{b4}', "'")).0.into_owned()), true);
    }
    if let Some(text) = without_keycaps(text) {
        return (Cow::Owned(round(&text).0.into_owned()), true);
    }
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(text);
    if matches!(composed, Cow::Owned(_))
        && let Some(text) = without_marks(text)
    {
        return (Cow::Owned(round(&text).0.into_owned()), true);
    }
    let (mapped, again) = map(&composed);
    let mapped = match mapped {
        Some(mapped) => Cow::Owned(mapped),
        None => composed,
    };
    match corporate(&mapped) {
        // What follows a form may look different behind its long one.
        Some(out) => (Cow::Owned(out), true),
        None => (mapped, again),
    }
}

/// A text in which the signs that number, annotate or stamp a value are spaces, if it has
/// any: NFKC would make digits and letters of them that are none of the value's, of
/// `①10000005` as of `10000005²`. A longer run of them is a value.
fn without_marks(text: &str) -> Option<String> {
    const RUN_MIN: usize = 3;
    let mut out: Option<String> = None;
    let mut copied = 0;
    let mut rest = text.char_indices().filter(|(_, c)| is_mark(*c)).peekable();
    while let Some((start, c)) = rest.next() {
        let (mut end, mut count) = (start + c.len_utf8(), 1);
        while let Some((at, c)) = rest.next_if(|(at, _)| *at == end) {
            (end, count) = (at + c.len_utf8(), count + 1);
        }
        if count < RUN_MIN {
            let out = out.get_or_insert_default();
            out.push_str(&text[copied..start]);
            out.push(' ');
            copied = end;
        }
    }
    out.map(|out| out + &text[copied..])
}

/// Puts a digit around which this stands on a key: `1️⃣`.
const KEYCAP: char = '\u{20e3}';
/// Says that a digit is a picture, before [`KEYCAP`].
const PICTURE: char = '\u{fe0f}';

/// A text in which digits on keys are those digits where many stand together, and spaces
/// where they number what stands beside them; `None` if it has none.
fn without_keycaps(text: &str) -> Option<String> {
    memchr::memmem::find(text.as_bytes(), KEYCAP.encode_utf8(&mut [0; 4]).as_bytes())?;
    let (mut out, mut run) = (String::with_capacity(text.len()), String::new());
    let mut rest = text;
    loop {
        let first = rest.chars().next();
        let key = first.and_then(|c| {
            let after = &rest[c.len_utf8()..];
            after.strip_prefix(PICTURE).unwrap_or(after).strip_prefix(KEYCAP)
        });
        if let (Some(c), Some(after)) = (first, key) {
            run.push(c);
            rest = after;
            continue;
        }
        match run.len() {
            0 => {}
            1 | 2 => out.push(' '),
            _ => out.push_str(&run),
        }
        run.clear();
        let Some(c) = first else { return Some(out) };
        // One that stands around nothing is left out: the text has none then.
        out.extend(Some(c).filter(|c| *c != KEYCAP));
        rest = &rest[c.len_utf8()..];
    }
}

/// Superscripts and subscripts, `№`, `™`, and what stands in a circle or before a dot.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{b2}' | '\u{b3}' | '\u{b9}' | '\u{2070}'..='\u{2079}' | '\u{2080}'..='\u{2089}' | '\u{2116}'
        | '\u{2120}'..='\u{2122}' | '\u{2460}'..='\u{249b}' | '\u{24b6}'..='\u{24ff}' | '\u{3251}'..='\u{325f}'
        | '\u{3280}'..='\u{3290}' | '\u{3294}'..='\u{32bf}')
}

/// Drops, lowers and replaces single characters; `None` when nothing changes.
/// Says too whether another round may find something to do.
fn map(text: &str) -> (Option<String>, bool) {
    let mut out: Option<String> = None;
    let mut again = false;
    let mut last = ' ';
    let (mut copied, mut at) = (0, 0);
    while let Some(c) = text[at..].chars().next() {
        let start = at;
        at += c.len_utf8();
        // What stays as it is: nearly everything.
        if matches!(c, '\0'..='@' | '['..='_' | 'a'..='\x7f' | '\u{3041}'..='\u{30fb}')
            || (matches!(c, '\u{3400}'..='\u{9fff}') && kanji_digit(c).is_none())
        {
            last = c;
            continue;
        }
        let change = change(c, last, &text[at..]);
        if let Change::None = change {
            last = c;
            continue;
        }
        let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
        out.push_str(&text[copied..start]);
        match change {
            Change::None => {}
            Change::To(to) => {
                again |= !c.is_ascii();
                out.push(to);
            }
            Change::Lower => {
                again |= !c.is_ascii();
                out.extend(c.to_lowercase());
            }
            Change::Drop => again = true,
            Change::Run(length) => {
                let run = std::iter::once(c).chain(text[at..at + length].chars());
                out.extend(run.map(|c| kanji_digit(c).unwrap_or('-')));
                at += length;
                again = true;
            }
        }
        last = out.chars().next_back().unwrap_or(' ');
        copied = at;
    }
    if let Some(out) = &mut out {
        out.push_str(&text[copied..]);
    }
    (out, again)
}

/// What becomes of a character.
enum Change {
    None,
    To(char),
    Lower,
    Drop,
    /// It begins a run of kanji numerals that goes on for so many bytes.
    Run(usize),
}

fn change(c: char, last: char, after: &str) -> Change {
    match c {
        'A'..='Z' => Change::To(c.to_ascii_lowercase()),
        '`' | '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2b9}' | '\u{2bc}' => Change::To('\''),
        '。' if is_host_dot(last, after) => Change::To('.'),
        'ー' if last.is_ascii_digit() && after.starts_with(|c: char| c.is_ascii_digit()) => Change::To('-'),
        '\u{3000}'..='\u{9fff}' => match kanji_digit(c).and_then(|_| kanji_run(after)) {
            Some(length) => Change::Run(length),
            None if is_ignorable(c) => Change::Drop,
            None => Change::None,
        },
        _ if is_ignorable(c) => Change::Drop,
        _ if is_dash(c) => Change::To('-'),
        _ => match foreign_digit(c) {
            Some(digit) => Change::To(digit),
            None if c.is_lowercase() || c.to_lowercase().eq([c]) => Change::None,
            None => Change::Lower,
        },
    }
}

/// Whether `。` between `last` and `after` separates two labels of a host: not where a word
/// of two scripts begins a sentence, `ご契約。Standardプラン`.
fn is_host_dot(last: char, after: &str) -> bool {
    let is_word = || {
        let behind = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
        !last.is_ascii() && behind.starts_with(|c| matches!(c, '\u{30a1}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'))
    };
    last.is_alphanumeric()
        && (after.starts_with(|c: char| c.is_ascii_alphanumeric()) && !is_word()
            || TOP_LEVEL
                .iter()
                .any(|tld| after.strip_prefix(tld).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))))
}

/// The value of a kanji numeral, as an ASCII digit.
pub fn kanji_digit(c: char) -> Option<char> {
    Some(match c {
        '〇' | '零' => '0',
        '一' => '1',
        '二' => '2',
        '三' => '3',
        '四' => '4',
        '五' => '5',
        '六' => '6',
        '七' => '7',
        '八' => '8',
        '九' => '9',
        _ => return None,
    })
}

/// How far a run of kanji numerals, its first one taken, goes on in `after`, in
/// bytes, if it is long enough for a number.
fn kanji_run(after: &str) -> Option<usize> {
    let mut count = 1;
    let mut end = 0;
    let mut was_joint = false;
    for (at, c) in after.char_indices() {
        if kanji_digit(c).is_some() {
            count += 1;
            was_joint = false;
            end = at + c.len_utf8();
        } else if !was_joint && (c == '-' || c == 'ー' || is_dash(c)) {
            was_joint = true;
        } else {
            break;
        }
    }
    (count >= KANJI_DIGITS_MIN).then_some(end)
}

/// Dashes of every width, after NFKC.
fn is_dash(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{058a}' | '\u{2e3a}' | '\u{2e3b}' | '\u{fe58}')
}

fn foreign_digit(c: char) -> Option<char> {
    let code = u32::from(c);
    ZEROS.iter().find(|&&zero| (zero..zero + 10).contains(&code)).and_then(|zero| char::from_digit(code - zero, 10))
}

/// `Default_Ignorable_Code_Point` of the Unicode database, and the
/// interlinear annotation signs, which no font shows either.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Short corporate forms written out; `None` when there are none.
fn corporate(text: &str) -> Option<String> {
    const FORMS: [(&str, &str); 4] =
        [("(株)", "株式会社"), ("(有)", "有限会社"), ("(同)", "合同会社"), ("(合)", "合同会社")];
    let mut out: Option<String> = None;
    if memchr::memchr(b'(', text.as_bytes()).is_none() {
        return out;
    }
    for (short, long) in FORMS {
        let now = out.as_deref().unwrap_or(text);
        if memchr::memmem::find(now.as_bytes(), short.as_bytes()).is_some() {
            out = Some(now.replace(short, long));
        }
    }
    out
}
