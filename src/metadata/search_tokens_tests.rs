//! Who looks, finds: examples of both languages and properties over any Unicode.

use super::*;
use proptest::prelude::*;

fn finds(query: &str, text: &str) -> bool {
    let index: Vec<String> = index_tokens(text).iter().map(|token| encode_token("name", token)).collect();
    let conditions = query_tokens(query);
    !conditions.is_empty()
        && conditions.iter().all(|condition| {
            let word = encode_token("name", &condition.text);
            index.iter().any(|token| if condition.prefix { token.starts_with(&word) } else { *token == word })
        })
}

#[track_caller]
fn check(text: &str, found_by: &[&str], not_by: &[&str]) {
    for query in found_by {
        assert!(finds(query, text), "{query} should find {text}; tokens {:?}", index_tokens(text));
    }
    for query in not_by {
        assert!(!finds(query, text), "{query} should not find {text}");
    }
}

#[test]
fn chinese_names() {
    check(
        "王伟",
        &["王", "伟", "王伟", "wangwei", "wang wei", "wangw", "wang", "ww", "WW", "ＷＷ"],
        &["伟王", "王小伟", "wei wang wu", "ang"],
    );
    check("吕布", &["lv", "lvbu", "lubu", "lb"], &["nv"]);
    check("单雄信", &["shan", "shanxiongxin", "danxiongxin", "sxx"], &[]);
    check(
        "上海浦东发展银行股份有限公司",
        &["浦东", "浦东发展", "上海", "行股", "pudong", "shanghaipu", "shpdfzyh"],
        &["海上", "东浦"],
    );
    check("万科Ａ", &["万科a", "万科Ａ", "wanke", "wk"], &[]);
    check("N绝味", &["绝味", "n绝味", "n"], &[]);
    check("東京タワー", &["東京", "タワ", "タワー"], &["京東"]);
}

#[test]
fn words_and_numbers() {
    check("Müller & Söhne GmbH", &["muller", "MÜLLER", "sohne gm", "gmbh mull", "müll"], &["uller", "mull gmbh"]);
    check("abc公司", &["abc公司", "公司", "abc", "ab"], &["bc"]);
    check("OPP-000123", &["opp-000123", "OPP-0001", "000123"], &["123"]);
    check("Tel 138-0013-8000", &["13800138000", "138-0013-8000", "0013-8000", "138-00", "8000"], &["138-8000"]);
    check("GTX Plus Basic", &["gtx pl", "plus", "basic gtx"], &["lus"]);
    check("O'Brien", &["o'br", "brien"], &[]);
}

#[test]
fn bounded_and_quiet_on_nothing() {
    assert!(query_tokens(" -–— 😀 ").is_empty() && index_tokens("…!").is_empty());
    assert_eq!(
        index_tokens(&"龘王伟李娜".repeat(500)).len().min(SEARCH_TOKENS_PER_TEXT_MAX),
        index_tokens(&"龘王伟李娜".repeat(500)).len()
    );
    let many: String = (0..400).map(|number| format!("w{number} ")).collect();
    assert_eq!(index_tokens(&many).len(), SEARCH_TOKENS_PER_TEXT_MAX);
    assert_eq!(query_tokens(&many).len(), SEARCH_TOKENS_PER_QUERY_MAX);
}

#[test]
fn encoded_words_are_plain() {
    assert_eq!(encode_token("full_name", "qi朱"), "fullzunamezzqqiq6731");
    assert_eq!(encode_token("a", "𠮷"), "azzqp020bb7");
}

proptest! {
    #[test]
    fn one_and_two_characters_of_a_name_find_it(name in "[\u{4e00}-\u{9fa5}]{1,40}", at in any::<prop::sample::Index>(), length in 1usize..=2) {
        let characters: Vec<char> = name.chars().collect();
        let from = at.index(characters.len());
        let part: String = characters.iter().skip(from).take(length).collect();
        prop_assert!(finds(&part, &name));
        prop_assert!(finds(&name, &name) );
    }

    #[test]
    fn the_beginning_of_a_word_finds_it(words in prop::collection::vec("[a-zA-Z0-9äöüéñøßЖд]{1,12}", 1..6), pick in any::<prop::sample::Index>(), length in 1usize..12) {
        let text = words.join(" ");
        let word = words.get(pick.index(words.len())).unwrap();
        let prefix: String = word.chars().take(length).collect();
        prop_assert!(finds(&prefix, &text), "{prefix} in {text}");
    }

    #[test]
    fn the_whole_text_finds_itself(text in "[a-z0-9 .()/王伟ä'-]{0,24}") {
        prop_assert!(query_tokens(&text).is_empty() || query_tokens(&text).len() == SEARCH_TOKENS_PER_QUERY_MAX || finds(&text, &text), "{text}");
    }

    #[test]
    fn any_text_gives_bounded_tokens(text in any::<String>(), tag in "[a-z_]{1,48}") {
        let tokens = index_tokens(&text);
        prop_assert!(tokens.len() <= SEARCH_TOKENS_PER_TEXT_MAX && query_tokens(&text).len() <= SEARCH_TOKENS_PER_QUERY_MAX);
        for token in tokens {
            let word = encode_token(&tag, &token);
            prop_assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
            prop_assert!(word.len() <= 48 * 2 + 2 + TOKEN_CHARS_MAX * 8);
        }
    }

    #[test]
    fn encoding_is_injective_and_keeps_prefixes(tag in "[a-z_]{1,6}", other in "[a-z_]{1,6}", one in ".{0,6}", two in ".{0,6}") {
        prop_assert_eq!(encode_token(&tag, &one) == encode_token(&other, &two), tag == other && one == two);
        prop_assert_eq!(encode_token(&tag, &two).starts_with(&encode_token(&tag, &one)), two.starts_with(&one));
        let longer = format!("{one}{two}");
        prop_assert!(encode_token(&tag, &longer).starts_with(&encode_token(&tag, &one)));
    }
}
