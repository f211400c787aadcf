//! Whom a text addresses: the words before 様, 御中, 님 and their like, and after Dear, Hola
//! and Здравствуйте. Input: searched text (`normal::search`). Which words those are is said
//! by the lexicon.

use std::sync::LazyLock;

use hashbrown::HashSet;

use crate::guard::find::names::greeting::{greeted, greeted_above, honored};
use crate::guard::find::names::is_joined;
use crate::guard::lexicon::{self, Role};
use crate::guard::normal::{self, is_hangul};

/// One salutation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Salutation {
    /// Everything from the last stop to the honorific, or from the greeting to
    /// the next stop: canonical, spaces and honorific gone where the script has
    /// none.
    pub name: String,
    /// The same with its spaces, folded: where words begin.
    pub words: String,
    /// Whether it begins where its line does: the line above may have its beginning.
    pub at_start: bool,
    /// Whether it names somebody for sure: what stands before 会員様 may be any word.
    pub is_sure: bool,
    /// How its words must be written for that.
    pub asks: Asks,
    /// Whether it is greeted by a form of its name: `Cześć Jakubie`.
    pub is_called: bool,
}

/// How the words of a salutation must be written, where that tells names from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asks {
    /// Anyhow.
    Nothing,
    /// Not small in a line that has capitals: `Hallo daar!` names nobody.
    NotSmall,
    /// With capitals: `Bedankt Daan!`, and not `Grazie mille!`.
    Capitals,
}

/// Stops that a name does not reach across.
pub(super) const STOPS: &[char] = &[
    '、', '。', ',', '!', '?', '(', ')', '「', '」', '『', '』', '【', '】', '[', ']', ':', ';', '|', '/', '<', '>',
    '"', '・', '…', '\n', '\r', '\t', '=', '؟', '؛',
];

/// The longest name, in characters.
pub const NAME_MAX: usize = 60;

/// Whether a word names nobody in particular, or ends so: 契約者, ご担当, 100名.
pub fn is_generic(word: &str) -> bool {
    let generic = lexicon::of(Role::Generic);
    let ends = |word: &str| generic.suffix(word).is_some_and(|end| end.ends_with(is_joined));
    let counted = || {
        let number = lexicon::of(Role::Counter).suffix(word).map(|counter| &word[..word.len() - counter.len()]);
        number.is_some_and(|number| {
            number.ends_with(|c: char| c.is_numeric() || "一二三四五六七八九十百千万数何両各全".contains(c))
        })
    };
    let bare = || lexicon::of(Role::GenericWhole).has(word.trim_start_matches(['お', 'ご', '御']));
    generic.has(word) || ends(word) || bare() || counted()
}

impl Salutation {
    /// One that names somebody for sure.
    pub fn of(words: &str) -> Self {
        Self {
            name: normal::name_of_searched(words),
            words: words.to_owned(),
            at_start: false,
            is_sure: true,
            asks: Asks::Nothing,
            is_called: false,
        }
    }
}

/// Every salutation of a folded text that names somebody, and the text above its line.
pub fn salutations(folded: &str) -> Vec<(Salutation, &str)> {
    let mut all = Vec::new();
    let mut above = "";
    for line in folded.lines() {
        let mut found = Vec::new();
        if !line.is_ascii() {
            joined(line, &mut found);
            if let Some(lead) = leading_honorific(line) {
                joined(&format!("{}{lead}", tail(above.trim_end())), &mut found);
            }
        }
        greeted_above(above, line, &mut found);
        above = if line.trim().is_empty() { above } else { line };
        greeted(line, &mut found);
        honored(line, &mut found);
        let start = line.as_ptr() as usize - folded.as_ptr() as usize;
        all.extend(found.into_iter().map(|salutation| (salutation, &folded[..start])));
    }
    all
}

/// How a salutation may read if the text was broken into lines inside it: with what one,
/// two or more lines above it end in, up to a stop. Text is broken where the script has no
/// spaces; elsewhere a line break is one.
pub fn broken(above: &str, salutation: &Salutation) -> Vec<Salutation> {
    let mut wholes = Vec::new();
    if !salutation.at_start {
        return wholes;
    }
    let mut words = salutation.words.clone();
    for line in above.lines().rev() {
        let line = line.trim_end();
        let start = after_stop(line);
        let tail = &line[start..];
        if tail.trim_start().is_empty() || words.chars().count() > NAME_MAX {
            break;
        }
        let spaced = tail.ends_with(|c: char| c.is_ascii()) && words.starts_with(|c: char| c.is_ascii());
        words = format!("{tail}{}{words}", if spaced { " " } else { "" });
        wholes.push(Salutation::of(&words));
        if start > 0 {
            break;
        }
    }
    wholes
}

/// How sure it is that a name stands before a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    /// `様`.
    Name,
    /// `先生`: where its line is addressed.
    Addressed,
    /// `社長`: likewise, behind a surname alone.
    Surname,
    /// `さん`: likewise; in mid-sentence people are spoken of so.
    Spoken,
}

/// The honorific that a text begins with.
fn honorific(text: &str) -> Option<(&'static str, Says)> {
    static FIRSTS: LazyLock<HashSet<char>> = LazyLock::new(|| {
        let roles = [Role::Honorific, Role::HonorificWeak, Role::Office];
        roles.into_iter().flat_map(|role| &lexicon::of(role).list).filter_map(|word| word.chars().next()).collect()
    });
    text.chars().next().filter(|first| FIRSTS.contains(first))?;
    let of =
        |role, says| lexicon::of(role).prefix(text).filter(|word| word.starts_with(is_joined)).map(|word| (word, says));
    of(Role::Honorific, Says::Name)
        .or_else(|| of(Role::HonorificWeak, Says::Addressed))
        .or_else(|| of(Role::Office, Says::Surname))
}

/// The honorific that a line begins with, whose name stands in the line above, and the
/// character that follows it.
pub fn leading_honorific(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let (honorific, says) = honorific(line).filter(|(honorific, _)| honorific.starts_with(normal::is_han))?;
    let after = line[honorific.len()..].chars().next().map_or(0, char::len_utf8);
    let is_word =
        honorific == "氏" || [Role::Word, Role::WordAlone].iter().any(|role| lexicon::of(*role).prefix(line).is_some());
    (says == Says::Name && !is_word).then_some(&line[..honorific.len() + after])
}

/// Where what stands behind the last stop of a text begins.
fn after_stop(text: &str) -> usize {
    text.rfind(STOPS).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8))
}

/// The end of a text that a name may reach back in, spaces between all of it: what
/// is longer names nobody, and a line may be as long as a message.
fn tail(text: &str) -> &str {
    text.char_indices().rev().nth(4 * NAME_MAX).map_or(text, |(at, _)| &text[at..])
}

/// Whom `株式会社サンプル ご担当者` addresses, which would be nobody in particular
/// without the body before it.
fn without_contact(words: &str) -> &str {
    const CONTACTS: [&str; 4] = ["ご担当者", "御担当者", "担当者", "ご担当"];
    let body = CONTACTS.iter().find_map(|contact| words.trim_end().strip_suffix(contact));
    body.filter(|body| body.ends_with(char::is_whitespace)).map_or(words, str::trim_end)
}

/// Words without what adorns them: `★林`, `grace 👋`, `**ada**`.
pub(super) fn bare(words: &str) -> &str {
    words.trim_matches(|c: char| c.is_whitespace() || "*~#_-=".contains(c) || !(c.is_ascii() || c.is_alphanumeric()))
}

/// Names before an honorific of a script without spaces.
fn joined(line: &str, found: &mut Vec<Salutation>) {
    for (at, first) in line.char_indices() {
        if !is_joined(first) {
            continue;
        }
        let Some((honorific, says)) = honorific(&line[at..]) else { continue };
        let (before, after) = (&line[..at], &line[at + honorific.len()..]);
        if is_word(line, at, honorific) || (honorific == "殿" && !after.trim().is_empty()) {
            continue;
        }
        let before = before.trim_end();
        // 様様様… names nobody, and would be gone through once for each.
        if before.ends_with(honorific) {
            continue;
        }
        let before = tail(before);
        let start = after_stop(before);
        let words = without_greeting(bare(without_contact(&before[start..])));
        let words = if honorific.starts_with(is_hangul) { last_word(words) } else { words };
        let hiragana = words.ends_with(is_hiragana);
        // さま and さん after hiragana are more often words than names, 氏
        // needs a name of its own script; an ending is not a name.
        let says = match honorific {
            "氏" if hiragana => continue,
            _ if lexicon::of(Role::Mention).has(honorific) => Says::Spoken,
            "さま" if hiragana => Says::Addressed,
            _ => says,
        };
        let salutation = Salutation { at_start: start == 0, ..Salutation::of(words) };
        let name = &salutation.name;
        let salutation = if is_generic(name) {
            let before = before_generic(name);
            // 박 선생님, 山田会員様
            let is_sure = lexicon::of(Role::Surname).has(before) && words.starts_with(before);
            Salutation { is_sure, ..Salutation::of(before) }
        } else {
            let starts = start == 0
                || says == Says::Spoken && before[..start].ends_with(['。', '!', '?'])
                || lexicon::of(Role::Greeting).has(before[..start].trim_end_matches(STOPS).trim());
            let is_sure = says == Says::Name || starts && is_addressed(name, after, says);
            if !is_sure {
                let run = last_run(words);
                found.push(Salutation { is_sure, ..Salutation::of(run) });
            }
            match surname(words).filter(|_| !is_sure && says != Says::Spoken && !goes_on(after)) {
                Some(surname) => Salutation::of(surname),
                None => Salutation { is_sure, ..salutation },
            }
        };
        let name = &salutation.name;
        if name.chars().count() <= NAME_MAX && name.chars().any(char::is_alphabetic) {
            found.push(salutation);
        }
    }
}

/// The surname that a text ends with, if nothing of its script stands before it: 昨日は田中,
/// but not 大山田.
fn surname(words: &str) -> Option<&str> {
    let surname = lexicon::of(Role::Surname).suffix(words)?;
    let before = &words[..words.len() - surname.len()];
    let is_apart = before.chars().next_back().is_none_or(|c| !is_joined(c) || is_hiragana(c));
    (is_apart && surname.chars().nth(1).is_some()).then(|| &words[before.len()..])
}

/// Whether an office is the beginning of a longer word: 部長職.
fn goes_on(after: &str) -> bool {
    after.starts_with(|c: char| normal::is_han(c) || is_hangul(c))
}

fn is_hiragana(c: char) -> bool {
    ('\u{3040}'..='\u{309f}').contains(&c)
}

/// The longest name before `先生` that is somebody's for sure, in characters; and the longest
/// surname before `社長`.
const ADDRESSED_MAX: usize = 6;
const SURNAME_MAX: usize = 3;

/// Whether a line addresses somebody: its name is of one script, and it ends behind the honorific.
fn is_addressed(name: &str, after: &str, says: Says) -> bool {
    let length = name.chars().count();
    let kinds: [fn(char) -> bool; 4] =
        [normal::is_han, is_hiragana, is_hangul, |c| ('\u{30a0}'..='\u{30ff}').contains(&c)];
    let is_one_script = kinds.into_iter().any(|kind| name.chars().all(kind));
    let after = after.trim_start();
    let ends = after.chars().next().is_none_or(|c| "、,!。:へ".contains(c) || c == ';')
        || lexicon::of(Role::Greeting).prefix(after).is_some();
    if says == Says::Spoken && !is_one_script {
        return ends && !has_particle(name);
    }
    let most = if says == Says::Surname { SURNAME_MAX } else { ADDRESSED_MAX };
    let is_other = || {
        [Role::Department, Role::Office, Role::Form].iter().any(|role| lexicon::of(*role).suffix(name).is_some())
            || lexicon::is_common(name)
    };
    let is_long = length > 1 || says == Says::Spoken || lexicon::of(Role::Surname).has(name);
    is_one_script && ends && is_long && length <= most && !is_other()
}

/// Whether words of a text stand before a name: 俳優の渡辺謙.
fn has_particle(name: &str) -> bool {
    let pairs = name.chars().zip(name.chars().skip(1));
    pairs.into_iter().any(|(before, c)| !is_hiragana(before) && "のはがをもにとでや".contains(c))
}

/// The characters of one script that a text ends with, behind a particle of a sentence: 鈴木
/// of 先日は鈴木, さくら of 先日はさくら.
fn last_run(words: &str) -> &str {
    let kinds: [fn(char) -> bool; 4] =
        [normal::is_han, is_hiragana, is_hangul, |c| ('\u{30a0}'..='\u{30ff}').contains(&c)];
    let Some(kind) = words.chars().next_back().and_then(|c| kinds.into_iter().find(|kind| kind(c))) else {
        return words;
    };
    let start = words.char_indices().rev().take_while(|(_, c)| kind(*c)).last().map_or(0, |(at, _)| at);
    let run = &words[start..];
    let particle = run.char_indices().find(|(_, c)| start > 0 && is_hiragana(*c)).map_or(0, |(_, c)| c.len_utf8());
    &run[particle..]
}

/// The last word of a text, with the one before it if it is a single syllable: `김 민수`.
fn last_word(words: &str) -> &str {
    let last = words.rfind(' ').map_or(words, |at| &words[at + 1..]);
    let before = words[..words.len() - last.len()].trim_end();
    let surname = before.rfind(' ').map_or(before, |at| &before[at + 1..]);
    let is_surname = surname.chars().count() == 1 && surname.starts_with(is_hangul);
    if is_surname { &words[before.len() - surname.len()..] } else { last }
}

/// Words without the greeting that they begin with: `尊敬的王小明`, `안녕하세요 김민수`.
fn without_greeting(words: &str) -> &str {
    let greeting = lexicon::of(Role::Greeting).prefix(words).filter(|greeting| greeting.ends_with(is_joined));
    greeting.map_or(words, |greeting| words[greeting.len()..].trim_start())
}

/// What stands before a word that names nobody in particular: 林愛 of 林愛ご契約者.
fn before_generic(name: &str) -> &str {
    let generic = lexicon::of(Role::Generic).suffix(name).filter(|generic| generic.ends_with(is_joined));
    let before = generic.map_or("", |generic| &name[..name.len() - generic.len()]);
    before.trim_end_matches(['ご', 'お', '御'])
}

/// Whether an honorific is a piece of a word that stands there: 仕様, 様々; 神様, but not 石神様.
fn is_word(line: &str, at: usize, honorific: &str) -> bool {
    // 鈴木家御一同様 is more than 同様.
    if lexicon::of(Role::Family).suffix(&line[..at]).is_some_and(|family| family.chars().nth(1).is_some()) {
        return false;
    }
    let whole = &line[..at + honorific.len()];
    let ends = lexicon::of(Role::Word).suffix(whole).is_some_and(|word| word.len() > honorific.len());
    let begins = || lexicon::of(Role::Word).prefix(&line[at..]).is_some_and(|word| word.len() > honorific.len());
    let alone = || {
        lexicon::of(Role::WordAlone)
            .suffix(whole)
            .is_some_and(|word| !whole[..whole.len() - word.len()].ends_with(is_joined))
    };
    ends || begins() || alone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_a_text_addresses() {
        for (text, expected) in [
            ("山田 太郎 様", &["山田太郎"][..]),
            ("山田　太郎　様へのお知らせ", &["山田太郎"]),
            ("いつもどうも、山田様。佐藤さま", &["山田", "佐藤"]),
            ("株式会社サンプル 御中", &["株式会社サンプル"]),
            ("（株）サンプル御中", &["株式会社サンプル"]),
            ("山田殿", &["山田"]),
            ("殿堂入り、宮殿、神殿", &[]),
            ("田中さん", &["田中"]),
            ("たくさん、みなさん、皆さん", &[]),
            ("鈴木健一様、石神 様、王文様", &["鈴木健一", "石神", "王文"]),
            ("坂本殿", &["坂本"]),
            ("神様、女神様、多種多様、一様", &[]),
            ("氏名、総務部　氏名：, 役職 氏名, 両氏", &[]),
            ("お客様、皆様、会員様、ご担当者様、ユーザー様", &[]),
            ("様々、同様、仕様、模様、神様、様子、多様", &[]),
            ("ご紹介者様・お友だち様の両方に、ご応募者様へ", &[]),
            ("Dear Ada Ashgrove,", &["ada ashgrove"]),
            ("Dear Ms. Ashgrove:", &["ashgrove"]),
            ("Hi Ada!", &["ada"]),
            ("Hey Ada, \"Hi Ada\"", &["ada"]),
            ("「Hello, Ada」と", &["ada"]),
            ("Welcome back, Ada Ashgrove!", &["ada ashgrove"]),
            ("Welcome to Ada", &[]),
            ("Hi Ms. A. Ashgrove. How are you", &["a ashgrove"]),
            ("Hello, we have news for you", &[]),
            ("Hi Ada – your domain is due", &["ada"]),
            ("宛名: 上様、上様", &[]),
            ("井上様", &["井上"]),
            ("Dear customer,", &[]),
            ("Hello everyone", &[]),
            ("She said hi to him", &[]),
            ("各位\n山田様", &["山田"]),
            ("山田 太郎\n様", &["山田太郎"]),
            ("ご登録の皆\n様、同\n様に、サービス\n様々な、お客\n\n様", &[]),
            ("株式会社サンプル ご担当者様", &["株式会社サンプル"]),
            ("サンプル商事　御担当者様、Webご担当者様", &["サンプル商事"]),
            ("様様様様", &[]),
        ] {
            let found: Vec<String> = salutations(&normal::fold(text))
                .into_iter()
                .filter(|(found, _)| found.is_sure)
                .map(|(found, _)| found.name)
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn what_stands_before_a_generic_word_may_be_a_name() {
        for (text, name) in [("林愛会員様", "林愛"), ("林 愛 ご契約者様", "林愛"), ("近藤商会ご担当者様", "近藤商会")]
        {
            let folded = normal::fold(text);
            let found = salutations(&folded);
            assert!(found.iter().any(|(found, _)| !found.is_sure && found.name == name), "{text}: {found:?}");
        }
    }

    #[test]
    fn a_salutation_may_be_broken_into_lines() {
        for (text, name, whole) in [
            ("創業者の例屋 八\n郎兵衛さん", "郎兵衛", &["創業者の例屋八郎兵衛"][..]),
            ("毎度、株式会社青葉商\n事 御中", "事", &["株式会社青葉商事"]),
            ("本日は、株式会\n社青葉\n商事 御中", "商事", &["社青葉商事", "株式会社青葉商事"]),
            ("青葉 葵\n桜庭 様", "桜庭", &["青葉葵桜庭"]),
            ("毎度。\n桜庭 様", "桜庭", &[]),
            ("毎度\n\n桜庭 様", "桜庭", &[]),
            ("毎度\nさて、桜庭 様", "桜庭", &[]),
        ] {
            let folded = normal::fold(text);
            let found = salutations(&folded);
            let [(salutation, above)] = &found[..] else { panic!("{text}: {found:?}") };
            assert_eq!(salutation.name, name, "{text}");
            let wholes = broken(above, salutation);
            assert_eq!(wholes.iter().map(|whole| &*whole.name).collect::<Vec<_>>(), whole, "{text}");
        }
    }
}
