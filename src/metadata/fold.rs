//! The folding of text that makes search tokens, one for writers and readers. It may change with a re-index; what blind
//! indexes are computed over may not, and lies with them.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Case-folded, without accents, full width as half width: what people type when they cannot type the original.
pub(crate) fn search(text: &str) -> String {
    let bare = text.nfkd().flat_map(char::to_lowercase).nfkd().filter(|character| !is_combining_mark(*character));
    bare.flat_map(letters).flat_map(without_stroke).nfc().collect()
}

/// Up to two characters in place of one.
type Pair = std::iter::Flatten<std::array::IntoIter<Option<char>, 2>>;

fn pair(first: char, second: Option<char>) -> Pair {
    [Some(first), second].into_iter().flatten()
}

/// The full case folding of the two letters where lower case alone is not enough.
fn letters(character: char) -> Pair {
    match character {
        'ß' => pair('s', Some('s')),
        'ς' => pair('σ', None),
        other => pair(other, None),
    }
}

/// Latin letters whose stroke or ligature is not an accent to Unicode but is left out by people.
fn without_stroke(character: char) -> Pair {
    match character {
        'ø' => pair('o', None),
        'ł' => pair('l', None),
        'đ' | 'ð' => pair('d', None),
        'ħ' => pair('h', None),
        'ı' => pair('i', None),
        'æ' => pair('a', Some('e')),
        'œ' => pair('o', Some('e')),
        'þ' => pair('t', Some('h')),
        other => pair(other, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_as_people_expect() {
        assert_eq!(search("Ærøskøbing Łódź GROẞ"), "aeroskobing lodz gross");
        assert_eq!(search("İstanbul ΟΔΟΣ οδος"), "istanbul οδοσ οδοσ");
        assert_eq!(search("한국 万科Ａ"), "한국 万科a");
    }
}
