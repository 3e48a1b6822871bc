//! Which passwords are accepted, and new ones for a first sign-in.
//! Length is the rule (NIST SP 800-63B-4, OWASP ASVS 5.0 V6.2); no rules about classes of characters. It never stores or prints a password.

use crate::{login::login_fold, secret::SecretText};
use kernel::{
    Random,
    limits::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN},
};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Why a new password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordWeakness {
    /// Too short.
    #[error("the password needs at least {PASSWORD_CHARS_MIN} characters")]
    TooShort,
    /// Too long.
    #[error("the password can have at most {PASSWORD_CHARS_MAX} characters")]
    TooLong,
    /// Control characters.
    #[error("the password has characters that cannot be typed")]
    Control,
    /// Contains the login.
    #[error("the password must not contain the login")]
    ContainsLogin,
    /// `aaaaaaaaaaaa`, `abcabcabcabc`, `123456789012`.
    #[error("the password is a repetition or a sequence; use several unrelated words")]
    Pattern,
    /// A much used password, or one with little added.
    #[error("the password is among the most used; use several unrelated words")]
    Common,
    /// The same as before.
    #[error("the new password is the old one")]
    Unchanged,
}

/// Characters that a password must bring beyond repetitions, sequences and much used words.
const NOVEL_CHARS_MIN: usize = 6;

/// The heads of every published list of leaked passwords, and what people here would try first. All in the form of `plain_letters`.
const COMMON: &[&str] = &[
    "password",
    "passwort",
    "qwertyuiop",
    "qwertzuiop",
    "qwerty",
    "qwertz",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx",
    "q1w2e3r4t5",
    "1q2w3e4r",
    "zaq12wsx",
    "iloveyou",
    "letmein",
    "welcome",
    "willkommen",
    "administrator",
    "admin",
    "changeme",
    "default",
    "master",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "superman",
    "sunshine",
    "princess",
    "starwars",
    "trustno1",
    "whatever",
    "computer",
    "internet",
    "secret",
    "woaini",
    "5201314",
    "kontor",
    "customer",
    "sales",
    "summer",
    "winter",
    "spring",
    "autumn",
    "abc123",
    "abcd1234",
    "test",
    "login",
];

/// The form in which a password is hashed: NFKC, so that the same keys on another machine give the same bytes (RFC 8265 section 4).
/// `None` when it is longer than any password may be; checked before the work is done.
pub(crate) fn normalise(password: &str) -> Option<Zeroizing<String>> {
    if password.len() > PASSWORD_CHARS_MAX * 8 {
        return None;
    }
    let normal = Zeroizing::new(password.nfkc().collect::<String>());
    (normal.chars().count() <= PASSWORD_CHARS_MAX).then_some(normal)
}

/// Whether this may become the password of the user with this login.
pub fn password_check(login: &str, password: &str) -> Result<(), PasswordWeakness> {
    let normal = normalise(password).ok_or(PasswordWeakness::TooLong)?;
    if normal.chars().count() < PASSWORD_CHARS_MIN {
        return Err(PasswordWeakness::TooShort);
    }
    if normal.chars().any(char::is_control) {
        return Err(PasswordWeakness::Control);
    }
    let lower = Zeroizing::new(normal.to_lowercase());
    // A login of one or two characters would forbid half of all words.
    if login_fold(login).is_ok_and(|login| login.chars().count() > 2 && lower.contains(login.as_str())) {
        return Err(PasswordWeakness::ContainsLogin);
    }
    if repeats(&lower) || novelty(&lower) < NOVEL_CHARS_MIN {
        return Err(PasswordWeakness::Pattern);
    }
    if common(&lower) {
        return Err(PasswordWeakness::Common);
    }
    Ok(())
}

/// Whether the text is one part written twice or more: `passwordpassword`.
fn repeats(text: &str) -> bool {
    let chars = Zeroizing::new(text.chars().collect::<Vec<_>>());
    (1..=chars.len() / 2).any(|period| chars.iter().zip(chars.iter().skip(period)).all(|(a, b)| a == b))
}

/// Characters that do not merely repeat their neighbour or go one up or down from it.
fn novelty(text: &str) -> usize {
    let next = text.chars().skip(1);
    let steps = text.chars().zip(next).filter(|(a, b)| u32::from(*a).abs_diff(u32::from(*b)) > 1).count();
    steps + usize::from(!text.is_empty())
}

/// Whether too little is left when the much used words are taken out, also in the spelling `P@ssw0rd`.
fn common(lower: &str) -> bool {
    [lower.to_owned(), plain_letters(lower)].into_iter().map(Zeroizing::new).any(|mut rest| {
        let before = rest.len();
        for word in COMMON {
            *rest = rest.replace(word, "");
        }
        rest.len() < before && novelty(&rest) < NOVEL_CHARS_MIN
    })
}

fn plain_letters(lower: &str) -> String {
    let plain = |char| match char {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    lower.chars().map(plain).collect()
}

/// Letters and digits that are not taken for one another when read aloud or copied from paper.
const READABLE: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// Characters of a generated password, without its hyphens: 20 × log2(31) = 99 bits.
const GENERATED_CHARS: usize = 20;

/// A random password for a first sign-in: 20 readable characters in groups of five.
pub fn password_generate(random: &dyn Random) -> SecretText {
    let mut text = Zeroizing::new(String::with_capacity(GENERATED_CHARS + 3));
    let mut drawn = 0;
    while drawn < GENERATED_CHARS {
        let mut byte = Zeroizing::new([0u8; 1]);
        random.fill(byte.as_mut_slice());
        // Only 248 = 8 × 31 of the 256 values count, so that every character is equally likely.
        let Some(char) = byte.first().filter(|byte| **byte < 248).and_then(|byte| READABLE.get(usize::from(byte % 31)))
        else {
            continue;
        };
        if drawn > 0 && drawn % 5 == 0 {
            text.push('-');
        }
        text.push(char::from(*char));
        drawn += 1;
    }
    SecretText::new(std::mem::take(&mut *text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::CountingRandom;

    #[test]
    fn table_of_passwords() {
        use PasswordWeakness::*;
        for (password, expected) in [
            ("correct horse battery", Ok(())),
            ("Lübeck-Salzspeicher-7", Ok(())),
            ("春眠不觉晓处处闻啼鸟夜来风雨声", Ok(())),
            ("short", Err(TooShort)),
            ("elevenchars", Err(TooShort)),
            ("tab\there is not ok", Err(Control)),
            ("my Ａｎｎａ-Berg secret", Err(ContainsLogin)),
            ("aaaaaaaaaaaaaaaa", Err(Pattern)),
            ("abcabcabcabc", Err(Pattern)),
            ("rainbowsrainbows", Err(Pattern)),
            ("123456789012", Err(Pattern)),
            ("zyxwvutsrqponm", Err(Pattern)),
            ("Password1234!", Err(Common)),
            ("P@ssw0rd2024", Err(Common)),
            ("qwertyuiop12", Err(Common)),
            ("1qaz2wsx1qaz2WSX!", Err(Common)),
            ("AdminAdmin123", Err(Common)),
            ("password and three unrelated", Ok(())),
        ] {
            assert_eq!(password_check("anna-berg", password), expected, "{password}");
        }
        assert!(password_check("xy", "the fox yxy xy jumped over").is_ok(), "a short login forbids nothing");
    }

    #[test]
    fn lengths_are_counted_in_characters_of_the_normal_form() {
        let words: String =
            "鸟夜来风雨声花落知多少".chars().cycle().take(PASSWORD_CHARS_MAX - 1).chain(['!']).collect();
        assert_eq!(password_check("anna", &words), Ok(()));
        assert_eq!(password_check("anna", &format!("{words}x")), Err(PasswordWeakness::TooLong));
        assert_eq!(password_check("anna", &"x".repeat(1_000_000)), Err(PasswordWeakness::TooLong));
        // One ligature is eighteen characters when written out; the limit is applied to what is hashed.
        assert_eq!(password_check("anna", &"\u{fdfa}".repeat(20)), Err(PasswordWeakness::TooLong));
    }

    #[test]
    fn generated_passwords_are_readable_accepted_and_different() {
        let random = CountingRandom::new(1);
        let (first, second) = (password_generate(&random), password_generate(&random));
        assert_eq!(first.expose().len(), GENERATED_CHARS + 3);
        assert!(first.expose().bytes().all(|byte| byte == b'-' || READABLE.contains(&byte)));
        assert_ne!(first.expose(), second.expose());
        assert_eq!(password_check("anna", first.expose()), Ok(()));
        assert_eq!(format!("{first:?}"), "SecretText");
    }
}
