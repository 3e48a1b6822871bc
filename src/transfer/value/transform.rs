//! The closed set of changes a mapping can make to a text before it is converted. Each is total and without memory.
//! Never a general expression: a mapping must stay readable by the person who signs for the import.

use super::Wrong;
use phonenumber::{Mode, country::Id as Region};
use std::str::FromStr;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// One change to a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Transform {
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
    /// Full-width and other compatibility forms become ordinary ones.
    Nfkc,
    /// Runs of blanks become one blank.
    SingleSpaces,
    /// Only the digits.
    Digits,
    /// A sign-in name from a person's name: `Mei-Mei Johns` → `mei-mei.johns`.
    Login,
    /// Up to the first blank.
    FirstWord,
    /// After the last blank.
    LastWord,
    /// After the first blank; empty when there is none.
    AfterFirstWord,
    /// A telephone number in E.164; numbers without a country belong to this region.
    Phone(Region),
}

impl Transform {
    /// The transform of this name; `None` for an unknown one.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "lower" => Self::Lower,
            "upper" => Self::Upper,
            "nfkc" => Self::Nfkc,
            "single_spaces" => Self::SingleSpaces,
            "digits" => Self::Digits,
            "login" => Self::Login,
            "first_word" => Self::FirstWord,
            "last_word" => Self::LastWord,
            "after_first_word" => Self::AfterFirstWord,
            _ => Self::Phone(Region::from_str(name.strip_prefix("phone:")?).ok()?),
        })
    }
    /// The text after the change; an empty one means "no value".
    pub(crate) fn apply(&self, text: &str) -> Result<String, Wrong> {
        Ok(match self {
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
            Self::Nfkc => text.nfkc().collect(),
            Self::SingleSpaces => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Self::Digits => text.nfkc().filter(char::is_ascii_digit).collect(),
            Self::Login => return login(text),
            Self::FirstWord => text.split_whitespace().next().unwrap_or_default().to_owned(),
            Self::LastWord => text.split_whitespace().next_back().unwrap_or_default().to_owned(),
            Self::AfterFirstWord => text.split_whitespace().skip(1).collect::<Vec<_>>().join(" "),
            Self::Phone(region) => return phone(text, *region),
        })
    }
}

fn login(text: &str) -> Result<String, Wrong> {
    let plain: String = text.nfkd().filter(|character| !is_combining_mark(*character)).collect();
    let words = plain.split_whitespace().map(|word| {
        word.chars()
            .filter(|character| character.is_ascii_alphanumeric() || "-_.@".contains(*character))
            .map(|character| character.to_ascii_lowercase())
            .collect::<String>()
    });
    let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(".");
    if name.is_empty() {
        Err(Wrong::format("No sign-in name can be made: it needs Latin letters or digits."))
    } else {
        Ok(name)
    }
}

fn phone(text: &str, region: Region) -> Result<String, Wrong> {
    let text: String = text.trim().nfkc().collect();
    let text = text.strip_prefix("00").map_or(text.clone(), |rest| format!("+{rest}"));
    // Taiwan and others write the extension after a number sign.
    let text = text.replace('#', " ext. ");
    let number = phonenumber::parse(Some(region), &text)
        .map_err(|_| Wrong::format("Expected a telephone number, with its country unless it is a domestic one."))?;
    Ok(match number.extension() {
        // RFC 3966: the extension is kept, not dropped.
        Some(extension) => format!("+{}{};ext={}", number.code().value(), number.national(), extension.as_ref()),
        None => number.format().mode(Mode::E164).to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_transform() {
        for (name, text, expected) in [
            ("lower", "ABC", "abc"),
            ("upper", "abc", "ABC"),
            ("nfkc", "万科Ａ", "万科A"),
            ("single_spaces", "  a \t b ", "a b"),
            ("digits", "No. ４2-x", "42"),
            ("login", "Mei-Mei Johns", "mei-mei.johns"),
            ("login", "José  Núñez", "jose.nunez"),
            ("first_word", "Anna Maria Snelling", "Anna"),
            ("last_word", "Anna Maria Snelling", "Snelling"),
            ("after_first_word", "Anna Maria Snelling", "Maria Snelling"),
            ("phone:CN", "138 0013 8000", "+8613800138000"),
            ("phone:DE", "0451 123456", "+49451123456"),
            ("phone:CN", "0049 451 123456", "+49451123456"),
            ("phone:US", "913.249.5790x123", "+19132495790;ext=123"),
            ("phone:TW", "02-23671162#106", "+886223671162;ext=106"),
        ] {
            assert_eq!(Transform::named(name).unwrap().apply(text).as_deref(), Ok(expected), "{name} {text}");
        }
        assert_eq!(Transform::named("rot13"), None);
        assert_eq!(Transform::named("phone:XX"), None);
        assert!(Transform::named("login").unwrap().apply("王芳").is_err());
        assert!(Transform::named("phone:CN").unwrap().apply("none").is_err());
    }
}
