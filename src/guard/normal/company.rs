//! Companies without their legal form: `アオバ製作所` of `株式会社アオバ製作所`, `nexora` of
//! `nexora gmbh & co kg`.
//!
//! Forms are those of the lexicon, with dots and spaces or without, before or behind a name,
//! one after the other (`PT Contoh Tbk`). Infallible.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use super::name::is_joined;
use crate::guard::lexicon::{self, Role};

/// Signs that a form is written with and without.
const LOOSE: &[char] = &['.', ',', ' ', '(', ')', '/', '-', '\'', '"', '«', '»'];

/// The letters of a form alone.
fn key(form: &str) -> String {
    form.chars().filter(|c| !LOOSE.contains(c)).collect()
}

struct Forms {
    /// Forms of words, by their letters.
    behind: HashSet<String>,
    before: HashSet<String>,
    /// Forms of a script without spaces, and those that have brackets, the longest first.
    joined: Vec<&'static str>,
    words_max: usize,
}

static FORMS: LazyLock<Forms> = LazyLock::new(|| {
    let all = &lexicon::of(Role::Form).list;
    let (joined, worded): (Vec<&str>, Vec<&str>) = all.iter().copied().partition(|form| form.chars().any(is_joined));
    let is_latin_word = |form: &&str| key(form).is_ascii() && !form.contains(' ');
    let before = worded.iter().filter(|form| !is_latin_word(form)).chain(&lexicon::of(Role::FormBefore).list);
    Forms {
        before: before.map(|form| key(form)).collect(),
        behind: worded.iter().map(|form| key(form)).collect(),
        words_max: worded.iter().map(|form| form.split(' ').count() + 1).max().unwrap_or(0),
        joined,
    }
});

/// A canonical name without the legal forms before and behind it, if it has any and is more
/// than that.
pub fn core(name: &str) -> Option<String> {
    let mut rest = name;
    loop {
        let shorter = without_joined(rest).or_else(|| without_words(rest)).map(bare);
        match shorter.filter(|shorter| shorter.chars().any(char::is_alphanumeric)) {
            Some(shorter) => rest = shorter,
            None => break,
        }
    }
    (rest.len() < name.len()).then(|| rest.to_owned())
}

/// A name without what stood between it and its form, or around it: `ооо «ромашка»`.
fn bare(name: &str) -> &str {
    let name = name.trim_matches(|c: char| c.is_whitespace() || ",&-".contains(c));
    let inner = name.strip_prefix(['"', '«', '\'', '「']).and_then(|inner| inner.strip_suffix(['"', '»', '\'', '」']));
    inner.map_or(name, str::trim)
}

fn without_joined(name: &str) -> Option<&str> {
    if name.is_ascii() {
        return None;
    }
    let cut = |form: &&str| name.strip_prefix(form).or_else(|| name.strip_suffix(form));
    FORMS.joined.iter().find_map(cut).filter(|rest| !rest.is_empty())
}

fn without_words(name: &str) -> Option<&str> {
    let gaps: Vec<usize> = name.match_indices(' ').map(|(at, _)| at).collect();
    let behind = gaps.iter().rev().take(FORMS.words_max).rev().find(|at| FORMS.behind.contains(&key(&name[**at..])));
    if let Some(at) = behind {
        return Some(&name[..*at]);
    }
    let before = gaps.iter().take(FORMS.words_max).rev().find(|at| FORMS.before.contains(&key(&name[..**at])));
    before.map(|at| &name[*at + 1..])
}

/// Whether a canonical name has a legal form.
pub fn has_form(name: &str) -> bool {
    without_joined(name).is_some() || without_words(name).is_some()
}

/// A legal form in searched text, and the sign before it.
static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let loose = |form: &str| {
        if key(form).len() <= 3 && lexicon::is_common(&key(form)) {
            return regex::escape(form);
        }
        let signs = |c: char| match c {
            '.' => r"\.?".to_owned(),
            ' ' => " ?".to_owned(),
            ',' => ",?".to_owned(),
            c => regex::escape(&c.to_string()),
        };
        form.chars().map(signs).collect::<String>()
    };
    let forms = lexicon::of(Role::Form).list.iter().chain(&lexicon::of(Role::FormBefore).list);
    // `as`, `da` and `at` are words of running text before they are forms: their dots tell.
    let is_word = |form: &str| key(form).len() <= 3 && lexicon::is_common(&key(form));
    let forms = forms.copied().filter(|form| form.contains('.') || !is_word(form));
    let (joined, worded): (Vec<&str>, Vec<&str>) = forms.partition(|form| form.chars().any(is_joined));
    let joined: Vec<String> = joined.into_iter().map(regex::escape).collect();
    let worded: Vec<String> = worded.into_iter().map(loose).collect();
    let pattern = format!(r"(?:{})|(?-u:^|[\s,\x22(])(?:{})(?:[\s,.;:!?)'\x22]|$)", joined.join("|"), worded.join("|"));
    RegexBuilder::new(&pattern).size_limit(50 << 20).dfa_size_limit(20 << 20).build().ok()
});

/// Where legal forms stand in a searched text.
pub fn forms(text: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    FORM.as_ref().into_iter().flat_map(|form| form.find_iter(text)).map(|found| found.range())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::normal::name;

    #[test]
    fn a_body_without_its_form() {
        for (whole, expected) in [
            ("株式会社アオバ製作所", "アオバ製作所"),
            ("アオバ製作所㈱", "アオバ製作所"),
            ("アオバ製作所(カブ)", "アオバ製作所"),
            ("ｶ)アオバ製作所", "アオバ製作所"),
            ("Aoba K.K.", "aoba"),
            ("Nexora GmbH & Co. KG", "nexora"),
            ("Nexora S.à r.l.", "nexora"),
            ("Nexora S.p.A", "nexora"),
            ("Nexora SPA", "nexora"),
            ("Örnek Yazılım San. ve Tic. Ltd. Şti.", "ornek yazilim"),
            ("Örnek A.Ş.", "ornek"),
            ("ООО «Ромашка»", "ромашка"),
            ("ООО Ромашка", "ромашка"),
            ("ИП Иванов", "иванов"),
            ("北京示例科技有限公司", "北京示例"),
            ("주식회사 보기", "보기"),
            ("(주)보기상사", "보기상사"),
            ("Παράδειγμα Α.Ε.", "παραδειγμα"),
            ("บริษัท ตัวอย่าง จำกัด", "ตัวอย่าง"),
            ("דוגמה בע\"מ", "דוגמה"),
            ("דוגמה בע״מ", "דוגמה"),
            ("PT Contoh Jaya Tbk.", "contoh jaya"),
            ("Contoh Sdn. Bhd.", "contoh"),
            ("Example Pty Ltd", "example"),
            ("Example Co., Ltd.", "example"),
            ("Example, L.L.C.", "example"),
            ("Przykład Sp. z o.o.", "przyklad"),
            ("Příklad s.r.o.", "priklad"),
            ("Példa Kft.", "pelda"),
            ("Esimerkki Oy", "esimerkki"),
            ("Eksempel A/S", "eksempel"),
            ("Công ty TNHH Ví Dụ", "vi du"),
            ("شركة المثال المحدودة", "المثال"),
        ] {
            assert_eq!(core(&name(whole)).as_deref(), Some(expected), "{whole}: {}", name(whole));
        }
        for whole in ["Ada Ashgrove", "株式会社", "Ltd", "青空貿易"] {
            assert_eq!(core(&name(whole)), None, "{whole}");
        }
    }

    #[test]
    fn forms_in_a_text() {
        let found = |text: &str| forms(text).map(|range| text[range].trim().to_owned()).collect::<Vec<_>>();
        assert_eq!(found("we met nexora inc. today"), ["inc."]);
        assert_eq!(found("次は株式会社nexoraが"), ["株式会社"]);
        assert_eq!(found("nexora gmbh & co. kg,"), ["gmbh & co. kg,"]);
        assert_eq!(found("nothing incorporates here"), [""; 0]);
    }
}
