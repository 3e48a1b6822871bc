//! The tokens under which a text is found, the same on both engines. Chinese is found by any one or two characters, by
//! pinyin and by initials; other writing by the beginning of words. Never sees sealed values: callers pass only fields
//! that are plain and searchable.
//!
//! Traditional and simplified characters are not mapped to each other; they meet through pinyin.

use crate::fold;
use kernel::limits::{SEARCH_TOKENS_PER_QUERY_MAX, SEARCH_TOKENS_PER_TEXT_MAX, TEXT_CHARS_MAX};
use pinyin::{ToPinyin, ToPinyinMulti};
use std::collections::HashSet;

/// Characters of one token; longer words are cut, on both sides alike.
const TOKEN_CHARS_MAX: usize = 64;
/// Groups of a number such as `138-0013-8000` that are joined.
const DIGIT_GROUPS_MAX: usize = 8;
/// Readings looked at per character, the usual one first.
const READINGS_MAX: usize = 3;
/// Characters at the head of a run whose other readings also enter the joined forms: names are short.
const READINGS_HEAD_CHARS: usize = 4;
/// Joined forms per run.
const JOINED_MAX: usize = 8;
/// Syllables joined from each later position of a run, so that `pudong` finds 上海浦东.
const INNER_SYLLABLES: usize = 4;

/// One condition of a search; all conditions of a query must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryToken {
    /// The token, not yet encoded.
    pub text: String,
    /// Whether every token that begins so fits.
    pub prefix: bool,
}

/// A stretch of one kind of characters.
#[derive(Debug, PartialEq, Eq)]
enum Run {
    /// Chinese, Japanese, Korean: written without blanks.
    Dense(Vec<char>),
    /// A word of any other writing.
    Word(String),
    /// Groups of digits with single separators between them.
    Digits(Vec<String>),
}

/// The tokens of a text to be indexed: without repeats, at most [`SEARCH_TOKENS_PER_TEXT_MAX`], words and characters
/// before pinyin.
pub fn index_tokens(text: &str) -> Vec<String> {
    let runs = runs(text);
    let mut tokens = Tokens::default();
    for run in &runs {
        match run {
            Run::Word(word) => tokens.add(word),
            Run::Digits(groups) => {
                groups.iter().for_each(|group| tokens.add(group));
                // Every stretch of groups is the beginning of one of these.
                (0..groups.len())
                    .for_each(|from| tokens.add(&groups.iter().skip(from).map(String::as_str).collect::<String>()));
            }
            Run::Dense(characters) => {
                characters.iter().for_each(|character| tokens.add(&character.to_string()));
                characters.windows(2).for_each(|two| tokens.add(&two.iter().collect::<String>()));
            }
        }
    }
    for run in &runs {
        if let Run::Dense(characters) = run {
            add_pinyin(characters, &mut tokens);
        }
    }
    tokens.list
}

/// The conditions of a search text: at most [`SEARCH_TOKENS_PER_QUERY_MAX`]; empty when it has no letter or digit.
pub fn query_tokens(text: &str) -> Vec<QueryToken> {
    let runs = runs(text);
    let last = runs.len().saturating_sub(1);
    let mut tokens: Vec<QueryToken> = Vec::new();
    let mut add = |text: String, prefix: bool| {
        let token = QueryToken { text, prefix };
        if tokens.len() < SEARCH_TOKENS_PER_QUERY_MAX && !tokens.contains(&token) {
            tokens.push(token);
        }
    };
    for (at, run) in runs.into_iter().enumerate() {
        match run {
            Run::Word(word) => add(cut(&word), at == last),
            Run::Digits(groups) => add(cut(&groups.concat()), groups.len() > 1 || at == last),
            Run::Dense(characters) => match characters.as_slice() {
                [only] => add(only.to_string(), false),
                several => several.windows(2).for_each(|two| add(two.iter().collect(), false)),
            },
        }
    }
    tokens
}

/// One token of one field as a word of `a`–`z` and `0`–`9` only, so that no tokenizer of either engine can split, fold
/// or stem it. Different pairs give different words, and the word of a prefix is a prefix of the word.
///
/// Begin `field_tag` with a letter. A prefix search appends the engine's own sign to the result.
pub fn encode_token(field_tag: &str, token: &str) -> String {
    use std::fmt::Write as _;
    let mut word = String::with_capacity(field_tag.len() + 2 + token.len() * 2);
    for character in field_tag.chars() {
        match character {
            'a'..='y' | '0'..='9' => word.push(character),
            'z' => word.push_str("zy"),
            '_' => word.push_str("zu"),
            // Writing to a String cannot fail.
            other => drop(write!(word, "zh{:06x}", u32::from(other))),
        }
    }
    word.push_str("zz");
    for character in token.chars() {
        match (character, u32::from(character)) {
            ('q', _) => word.push_str("qq"),
            ('a'..='z' | '0'..='9', _) => word.push(character),
            (_, code @ 0..=0xffff) => drop(write!(word, "q{code:04x}")),
            (_, code) => drop(write!(word, "qp{code:06x}")),
        }
    }
    word
}

#[derive(Default)]
struct Tokens {
    list: Vec<String>,
    seen: HashSet<String>,
}

impl Tokens {
    fn add(&mut self, token: &str) {
        let token = cut(token);
        if !token.is_empty() && self.list.len() < SEARCH_TOKENS_PER_TEXT_MAX && self.seen.insert(token.clone()) {
            self.list.push(token);
        }
    }
}

fn cut(token: &str) -> String {
    token.chars().take(TOKEN_CHARS_MAX).collect()
}

/// Splits a text into runs after folding it. Text beyond the longest one-line field is not looked at.
fn runs(text: &str) -> Vec<Run> {
    let head: String = text.chars().take(TEXT_CHARS_MAX).collect();
    let folded: Vec<char> = fold::search(&head).chars().collect();
    let mut runs: Vec<Run> = Vec::new();
    let mut rest = folded.as_slice();
    while let Some(first) = rest.first() {
        if is_dense(*first) {
            let (run, after) = split_while(rest, is_dense);
            runs.push(Run::Dense(run.to_vec()));
            rest = after;
        } else if first.is_alphanumeric() {
            let (word, after) = split_while(rest, |character| character.is_alphanumeric() && !is_dense(character));
            let (groups, after) = if is_number(word) { joined_groups(word, after) } else { (Vec::new(), after) };
            runs.push(if groups.len() > 1 { Run::Digits(groups) } else { Run::Word(word.iter().collect()) });
            rest = after;
        } else {
            rest = rest.split_first().map_or(&[], |(_, after)| after);
        }
    }
    runs
}

fn split_while(text: &[char], fits: impl Fn(char) -> bool) -> (&[char], &[char]) {
    let length = text.iter().take_while(|character| fits(**character)).count();
    text.split_at_checked(length).unwrap_or((text, &[]))
}

fn is_number(word: &[char]) -> bool {
    word.iter().all(char::is_ascii_digit)
}

/// Digits, then as often as there is: one separator and digits again. A group that turns into a word is not taken.
fn joined_groups<'t>(first: &[char], mut after: &'t [char]) -> (Vec<String>, &'t [char]) {
    let mut groups = vec![first.iter().collect::<String>()];
    while let Some(('-' | '.' | '/' | '(' | ')', rest)) = after.split_first() {
        let (word, rest) = split_while(rest, |character| character.is_alphanumeric() && !is_dense(character));
        if word.is_empty() || !is_number(word) || groups.len() == DIGIT_GROUPS_MAX {
            break;
        }
        groups.push(word.iter().collect());
        after = rest;
    }
    (groups, after)
}

/// Han, kana and Hangul: scripts whose words are found by characters.
fn is_dense(character: char) -> bool {
    matches!(u32::from(character),
        0x3005..=0x3007 | 0x3041..=0x30ff | 0x31f0..=0x31ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xac00..=0xd7a3
        | 0xf900..=0xfaff | 0x20000..=0x3ffff)
        && character.is_alphanumeric()
}

fn add_pinyin(characters: &[char], tokens: &mut Tokens) {
    // Kana and Hangul have no pinyin and divide the run.
    for run in characters.split(|character| character.to_pinyin().is_none()).filter(|run| !run.is_empty()) {
        let before = std::iter::once(None).chain(run.iter().map(Some));
        let after = run.iter().skip(1).map(Some).chain(std::iter::once(None));
        let readings: Vec<Vec<String>> = (before.zip(run).zip(after))
            .map(|((before, character), after)| readings(before, *character, after))
            .collect();
        for (syllables, initials) in joined(&readings) {
            tokens.add(&syllables);
            tokens.add(&initials);
        }
        readings.iter().flatten().for_each(|syllable| tokens.add(syllable));
        for from in 1..readings.len() {
            let inner = readings.iter().skip(from).take(INNER_SYLLABLES);
            tokens.add(&inner.filter_map(|choices| choices.first()).map(String::as_str).collect::<String>());
        }
    }
}

/// The readings of a character without tones, the most likely one here first; `lü` also as it is typed, `lv`.
fn readings(before: Option<&char>, character: char, after: Option<&char>) -> Vec<String> {
    let usual = character.to_pinyin().map(|reading| reading.plain());
    let others = character.to_pinyin_multi().into_iter().flatten().map(|reading| reading.plain());
    let likely = reading_in_word(before, character, after).into_iter().chain(usual);
    let mut readings: Vec<String> = Vec::new();
    for plain in likely.chain(others).take(READINGS_MAX + 2) {
        for spelling in [fold::search(plain), plain.replace('ü', "v")] {
            if spelling.is_ascii() && readings.len() < READINGS_MAX && !readings.contains(&spelling) {
                readings.push(spelling);
            }
        }
    }
    readings
}

/// The reading of a character inside frequent words of company and place names, where the usual one is wrong.
fn reading_in_word(before: Option<&char>, character: char, after: Option<&char>) -> Option<&'static str> {
    Some(match (before, character, after) {
        (Some('银' | '分' | '支' | '总' | '央' | '投' | '同' | '銀' | '總'), '行', _) => "hang",
        (_, '行', Some('业' | '業')) => "hang",
        (_, '重', Some('庆' | '慶')) => "chong",
        (_, '厦' | '廈', Some('门' | '門')) => "xia",
        (Some('成' | '首'), '都', _) => "du",
        (Some('音'), '乐' | '樂', _) => "yue",
        (_, '会' | '會', Some('计' | '計')) => "kuai",
        _ => return None,
    })
}

/// The run as joined syllables and as initials, in the usual readings and, near the head, in the others.
fn joined(readings: &[Vec<String>]) -> Vec<(String, String)> {
    let mut forms = vec![(String::new(), String::new())];
    for (at, choices) in readings.iter().enumerate() {
        let choices = choices.iter().take(if at < READINGS_HEAD_CHARS { READINGS_MAX } else { 1 });
        let mut longer = Vec::new();
        // The outer loop is over the choices, so that a full list has lost the rarest forms.
        for choice in choices {
            for (syllables, initials) in forms.iter().take(JOINED_MAX.saturating_sub(longer.len())) {
                let initial: String = choice.chars().take(1).collect();
                longer.push((format!("{syllables}{choice}"), format!("{initials}{initial}")));
            }
        }
        forms = longer;
    }
    forms
}

#[cfg(test)]
#[path = "search_tokens_tests.rs"]
mod tests;
