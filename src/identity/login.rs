//! One spelling per login: compatibility forms, case and outer blanks do not make another user.

use kernel::limits::LOGIN_CHARS_MAX;
use unicode_normalization::UnicodeNormalization;

/// The text cannot be a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginInvalid {
    /// Nothing but blanks.
    #[error("the login is empty")]
    Empty,
    /// Too long.
    #[error("the login has more than {LOGIN_CHARS_MAX} characters")]
    TooLong,
    /// A control character, or one that cannot be seen.
    #[error("the login has characters that cannot be seen")]
    Invisible,
}

/// The folded login: NFKC (UAX #15), lower case, trimmed. Folding twice changes nothing.
pub fn login_fold(text: &str) -> Result<String, LoginInvalid> {
    // Bounded before the work: a normal form can be 18 times as long as its source.
    if text.len() > LOGIN_CHARS_MAX * 16 {
        return Err(LoginInvalid::TooLong);
    }
    // Lowering can leave a form that is not normal, and normalising can bring a capital; three rounds settle all of Unicode.
    let mut folded = text.to_owned();
    for _ in 0..3 {
        folded = folded.nfkc().collect::<String>().to_lowercase().trim().to_owned();
    }
    if folded.is_empty() {
        Err(LoginInvalid::Empty)
    } else if folded.chars().count() > LOGIN_CHARS_MAX {
        Err(LoginInvalid::TooLong)
    } else if folded.chars().any(invisible) {
        Err(LoginInvalid::Invisible)
    } else {
        Ok(folded)
    }
}

/// Control characters, and format characters (zero width, direction) that make two logins look the same.
fn invisible(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_meet() {
        for text in ["anna", " ANNA\t", "Ａｎｎａ"] {
            assert_eq!(login_fold(text).as_deref(), Ok("anna"), "{text:?}");
        }
        assert_eq!(login_fold("张伟").as_deref(), Ok("张伟"));
        assert_eq!(login_fold("  "), Err(LoginInvalid::Empty));
        assert_eq!(login_fold("an\u{200b}na"), Err(LoginInvalid::Invisible));
        assert_eq!(login_fold("an\u{0}na"), Err(LoginInvalid::Invisible));
        assert!(login_fold(&"x".repeat(LOGIN_CHARS_MAX)).is_ok());
        assert_eq!(login_fold(&"x".repeat(LOGIN_CHARS_MAX + 1)), Err(LoginInvalid::TooLong));
        assert_eq!(login_fold(&"x".repeat(100_000)), Err(LoginInvalid::TooLong));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{1,24}") {
            if let Ok(folded) = login_fold(&text) {
                prop_assert_eq!(login_fold(&folded), Ok(folded));
            }
        }
    }
}
