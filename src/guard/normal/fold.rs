//! `fold`: the form in which texts are compared. Input: decoded text. Output:
//! the same text, borrowed when nothing changes. Infallible, linear, idempotent.
//!
//! What it does, in this order: NFKC (full-width forms, half-width kana, NFD,
//! ideographic spaces); default-ignorable characters away (zero-width, soft
//! hyphen, bidi, variation selectors); lower case; then the signs below. It
//! repeats itself where one step gives another something to do.
//!
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
const TOP_LEVEL: &[&str] = &[
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
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// One round, and whether another may find something to do.
fn round(text: &str) -> (Cow<'_, str>, bool) {
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(text);
    let (out, again) = map(&composed);
    let out = match corporate(&out) {
        Some(out) => out,
        None => out,
    };
    if out == text { (Cow::Borrowed(text), false) } else { (Cow::Owned(out), again) }
}

/// Drops, lowers and replaces single characters.
fn map(text: &str) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let mut again = false;
    let mut last = ' ';
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = after;
        let to = match c {
            '\0'..='\x7f' => c.to_ascii_lowercase(),
            '。' if is_host_dot(last, after) => '.',
            'ー' if last.is_ascii_digit() && after.starts_with(|c: char| c.is_ascii_digit()) => '-',
            _ if kanji_digit(c).is_some() => {
                if let Some(length) = kanji_run(c, after) {
                    rest = push_run(c, &after[..length], &after[length..], &mut out);
                    last = '0';
                    again = true;
                    continue;
                }
                c
            }
            '\u{3041}'..='\u{9fff}' => c,
            _ if is_ignorable(c) => {
                again = true;
                continue;
            }
            _ if is_dash(c) => '-',
            _ => match foreign_digit(c) {
                Some(digit) => {
                    again = true;
                    digit
                }
                None => {
                    let mut lower = c.to_lowercase();
                    let first = lower.next().unwrap_or(c);
                    again |= first != c;
                    out.push(first);
                    out.extend(lower);
                    last = first;
                    continue;
                }
            },
        };
        out.push(to);
        last = to;
    }
    (out, again)
}

/// Whether `。` between `last` and `after` separates two labels of a host.
fn is_host_dot(last: char, after: &str) -> bool {
    last.is_alphanumeric()
        && (after.starts_with(|c: char| c.is_ascii_alphanumeric())
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

/// How far a run of kanji numerals goes on in `after`, in bytes, if the run is
/// long enough for a number.
fn kanji_run(first: char, after: &str) -> Option<usize> {
    let is_joint = |c: char| c == '-' || c == 'ー' || is_dash(c);
    let mut count = usize::from(kanji_digit(first).is_some());
    let mut end = 0;
    let mut joints = 0;
    for (at, c) in after.char_indices() {
        if kanji_digit(c).is_some() {
            count += 1;
            joints = 0;
            end = at + c.len_utf8();
        } else if is_joint(c) && joints == 0 {
            joints = 1;
        } else {
            break;
        }
    }
    (count >= KANJI_DIGITS_MIN).then_some(end)
}

/// Writes a run as digits and dashes; returns what is left to read.
fn push_run<'a>(first: char, run: &str, rest: &'a str, out: &mut String) -> &'a str {
    out.extend(std::iter::once(first).chain(run.chars()).map(|c| kanji_digit(c).unwrap_or('-')));
    rest
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
    for (short, long) in FORMS {
        let now = out.as_deref().unwrap_or(text);
        if memchr::memmem::find(now.as_bytes(), short.as_bytes()).is_some() {
            out = Some(now.replace(short, long));
        }
    }
    out
}
