//! One spelling for equal values, before they are indexed or compared. The result is part of the disk format of blind
//! indexes: a change here needs a new index version. Never used on what is sealed: that stays as it was given.

use metadata::FieldType;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// How the values of a field are brought to one spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normaliser {
    /// NFKC (also full width to half width), case folded, trimmed.
    Text,
    /// The same; the whole address is folded, also before the `@`.
    Email,
    /// The same, without blanks, hyphens, dots, brackets and slashes; E.164 stays as it is.
    Phone,
}

impl Normaliser {
    /// The normaliser of a field type.
    pub fn of(field_type: &FieldType) -> Self {
        match field_type {
            FieldType::Email => Self::Email,
            FieldType::Phone => Self::Phone,
            FieldType::Text { .. }
            | FieldType::LongText
            | FieldType::RichText
            | FieldType::Integer { .. }
            | FieldType::Decimal { .. }
            | FieldType::Money
            | FieldType::Date
            | FieldType::Timestamp
            | FieldType::Bool
            | FieldType::Enum { .. }
            | FieldType::MultiEnum { .. }
            | FieldType::Url
            | FieldType::Address
            | FieldType::Reference { .. }
            | FieldType::File
            | FieldType::Json => Self::Text,
        }
    }

    /// The one spelling. Applying it twice changes nothing.
    pub fn apply(self, text: &str) -> Zeroizing<String> {
        let folded = fold(text);
        match self {
            Self::Text | Self::Email => folded,
            Self::Phone => {
                let mut digits = Zeroizing::new(String::with_capacity(folded.len()));
                digits.extend(folded.chars().filter(|sign| !is_phone_filler(*sign)));
                // A mark may have come to stand behind a letter it composes with (`k ¸` becomes `ķ`).
                fold(&digits)
            }
        }
    }
}

fn is_phone_filler(sign: char) -> bool {
    // Hyphens and dashes of all widths: people paste numbers from everywhere.
    sign.is_whitespace() || matches!(sign, '-' | '.' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn fold(text: &str) -> Zeroizing<String> {
    let trimmed = text.trim();
    if trimmed.is_ascii() {
        return Zeroizing::new(trimmed.to_ascii_lowercase());
    }
    // Room for the growth of ordinary text, so that no half-filled buffer is left behind unwiped.
    let mut first = Zeroizing::new(String::with_capacity(text.len() * 3));
    first.extend(text.nfkc().flat_map(fold_char));
    let mut second = Zeroizing::new(String::with_capacity(text.len() * 3));
    second.extend(first.nfkc());
    let trimmed = second.trim();
    if trimmed.len() == second.len() { second } else { Zeroizing::new(trimmed.to_owned()) }
}

/// Full case folding by the tables of the standard library: lower, upper, lower again, so that `ẞ`, `ß` and `SS` meet,
/// and the three sigmas do. The dotless i stays itself, as in Unicode's default folding.
fn fold_char(sign: char) -> impl Iterator<Item = char> {
    let keep = sign == 'ı';
    let folded = sign.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    keep.then_some(sign).into_iter().chain(folded.filter(move |_| !keep))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_values_meet() {
        let text = |value: &str| Normaliser::Text.apply(value).to_string();
        assert_eq!(text("  ＡＢＣ１２３ "), "abc123");
        assert_eq!(text("STRASSE"), text("Straße"));
        assert_eq!(text("STRAẞE"), text("Straße"));
        assert_eq!(text("ΟΔΟΣ"), text("οδος"));
        assert_eq!(text("Ｅ\u{301}lan"), text("élan"));
        assert_eq!(text("ｶﾞ"), "ガ");
        assert_eq!(text("\t110101199003078515\n"), "110101199003078515");
        assert_ne!(text("ı"), text("i"));
        assert_eq!(Normaliser::Email.apply(" Ada@Bank.COM ").as_str(), "ada@bank.com");
        let phone = |value: &str| Normaliser::Phone.apply(value).to_string();
        assert_eq!(phone("+86 138-0013 8000"), "+8613800138000");
        assert_eq!(phone("+8613800138000;ext=12"), "+8613800138000;ext=12");
        assert_eq!(phone("＋８６（138）0013．8000"), "+8613800138000");
    }

    #[test]
    fn every_character_is_stable() {
        for sign in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let once = Normaliser::Text.apply(&sign.to_string());
            assert_eq!(*Normaliser::Text.apply(&once), *once, "{sign:?}");
        }
    }

    #[test]
    fn a_mark_that_loses_its_blank_composes_at_once() {
        assert_eq!(Normaliser::Phone.apply("k¸").as_str(), "ķ");
        assert_eq!(Normaliser::Text.apply("k¸").as_str(), "k \u{327}");
    }

    proptest! {
        #[test]
        fn twice_is_once(text in any::<String>()) {
            for normaliser in [Normaliser::Text, Normaliser::Email, Normaliser::Phone] {
                let once = normaliser.apply(&text);
                let twice = normaliser.apply(&once);
                prop_assert_eq!(twice.as_str(), once.as_str());
            }
        }
    }
}
