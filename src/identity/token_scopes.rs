//! What an API token may be used for: patterns `object:verb`. They narrow the owner's rights and never widen them.

use kernel::limits::{NAME_CHARS_MAX, TOKEN_SCOPES_MAX};
use std::{fmt, str::FromStr};

/// What a token can be allowed to do to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenVerb {
    /// List, open, search, export.
    Read,
    /// Create records.
    Create,
    /// Change records, links and restore.
    Update,
    /// Delete records.
    Delete,
    /// Run imports.
    Import,
    /// Change definitions and settings.
    Admin,
}

impl TokenVerb {
    /// Every verb.
    pub const ALL: [Self; 6] = [Self::Read, Self::Create, Self::Update, Self::Delete, Self::Import, Self::Admin];

    /// The name in a pattern.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Import => "import",
            Self::Admin => "admin",
        }
    }
}

/// The list of scopes is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopesInvalid {
    /// A token without a scope could do nothing.
    #[error("name at least one scope, such as account:read")]
    Empty,
    /// Too many.
    #[error("a token can have at most {TOKEN_SCOPES_MAX} scopes")]
    TooMany,
    /// Not `object:verb`.
    #[error(
        "a scope is object:verb, such as account:read or *:read; verbs are read, create, update, delete, import, admin and *"
    )]
    Pattern,
}

/// One pattern; `None` stands for `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    object: Option<Box<str>>,
    verb: Option<TokenVerb>,
}

/// The scopes of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenScopes(Vec<Pattern>);

/// The name that stands for the records of any object, as `*` does.
const RECORDS: &str = "records";
/// The name in the scope of a secret calendar address.
const CALENDAR: &str = "calendar";

impl TokenScopes {
    /// Reads patterns `object:verb`; `records` and `*` stand for every object, `*` for every verb. A pattern given twice counts once.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, ScopesInvalid> {
        if texts.is_empty() {
            return Err(ScopesInvalid::Empty);
        }
        if texts.len() > TOKEN_SCOPES_MAX {
            return Err(ScopesInvalid::TooMany);
        }
        let mut patterns = Vec::with_capacity(texts.len());
        for text in texts {
            let pattern: Pattern = text.as_ref().parse()?;
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        }
        Ok(Self(patterns))
    }

    /// Whether one of the patterns covers this act.
    ///
    /// `records` covers the objects that hold records, but no administration: `records:*` is not `*:admin`.
    pub fn allows(&self, object: &str, verb: TokenVerb) -> bool {
        self.0.iter().any(|pattern| {
            let object_fits = match pattern.object.as_deref() {
                None => true,
                Some(RECORDS) => verb != TokenVerb::Admin,
                Some(name) => name == object,
            };
            object_fits && pattern.verb.is_none_or(|allowed| allowed == verb)
        })
    }

    /// The one scope of a secret calendar address: no object has this name, so it opens nothing else.
    pub(crate) fn calendar() -> Self {
        Self(vec![Pattern { object: Some(CALENDAR.into()), verb: Some(TokenVerb::Read) }])
    }
    /// What a look at such an address may see.
    pub(crate) fn activities() -> Self {
        Self(vec![Pattern { object: Some("activity".into()), verb: Some(TokenVerb::Read) }])
    }

    /// The patterns as texts.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl FromStr for Pattern {
    type Err = ScopesInvalid;
    fn from_str(text: &str) -> Result<Self, ScopesInvalid> {
        let (object, verb) = text.split_once(':').ok_or(ScopesInvalid::Pattern)?;
        let name = |text: &str| {
            text.len() <= NAME_CHARS_MAX
                && text.starts_with(|char: char| char.is_ascii_lowercase())
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        let object = match object {
            "*" => None,
            object if name(object) => Some(object.into()),
            _ => return Err(ScopesInvalid::Pattern),
        };
        let verb = match verb {
            "*" => None,
            verb => {
                Some(TokenVerb::ALL.into_iter().find(|known| known.as_str() == verb).ok_or(ScopesInvalid::Pattern)?)
            }
        };
        if object.as_deref() == Some(RECORDS) && verb == Some(TokenVerb::Admin) {
            return Err(ScopesInvalid::Pattern);
        }
        Ok(Self { object, verb })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.object.as_deref().unwrap_or("*"), self.verb.map_or("*", TokenVerb::as_str))
    }
}

/// The form in which scopes are stored: patterns with a blank between.
impl fmt::Display for TokenScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts().join(" "))
    }
}

/// Reads the stored form.
impl FromStr for TokenScopes {
    type Err = ScopesInvalid;
    fn from_str(text: &str) -> Result<Self, ScopesInvalid> {
        Self::parse(&text.split_ascii_whitespace().take(TOKEN_SCOPES_MAX + 1).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn table_of_scopes() {
        use TokenVerb::*;
        for (scopes, object, verb, expected) in [
            ("account:read", "account", Read, true),
            ("account:read", "account", Update, false),
            ("account:read", "accounts", Read, false),
            ("account:read", "contact", Read, false),
            ("*:read", "contact", Read, true),
            ("*:read", "contact", Delete, false),
            ("account:*", "account", Delete, true),
            ("account:*", "account", Admin, true),
            ("account:*", "contact", Read, false),
            ("*:*", "metadata", Admin, true),
            ("*:*", "lead", Import, true),
            ("records:read", "lead", Read, true),
            ("records:read", "lead", Create, false),
            ("records:*", "lead", Delete, true),
            ("records:*", "lead", Admin, false),
            ("account:read contact:update", "contact", Update, true),
            ("account:read contact:update", "contact", Read, false),
            ("account:read contact:update", "account", Update, false),
        ] {
            let scopes: TokenScopes = scopes.parse().unwrap();
            assert_eq!(scopes.allows(object, verb), expected, "{scopes} {object}:{}", verb.as_str());
        }
    }

    #[test]
    fn wrong_patterns_are_refused() {
        for text in [
            "account",
            "account:",
            ":read",
            "account:write",
            "Account:read",
            "account:READ",
            "acc*:read",
            "a:b:c",
            "1a:read",
            "records:admin",
        ] {
            assert_eq!(TokenScopes::parse(&[text]), Err(ScopesInvalid::Pattern), "{text}");
        }
        assert_eq!(TokenScopes::parse::<&str>(&[]), Err(ScopesInvalid::Empty));
        assert_eq!("".parse::<TokenScopes>(), Err(ScopesInvalid::Empty));
        let many: Vec<_> = (0..=TOKEN_SCOPES_MAX).map(|n| format!("o{n}:read")).collect();
        assert_eq!(TokenScopes::parse(&many), Err(ScopesInvalid::TooMany));
        assert!(TokenScopes::parse(&many[1..]).is_ok());
        assert_eq!(
            TokenScopes::parse(&[format!("{}:read", "a".repeat(NAME_CHARS_MAX + 1))]),
            Err(ScopesInvalid::Pattern)
        );
        assert_eq!(TokenScopes::parse(&["a:read", "a:read"]).unwrap().texts(), ["a:read"]);
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(text in "([a-z*_]{1,6}:(read|create|admin|\\*|x))( [a-z]{1,4}:read)?") {
            if let Ok(scopes) = text.parse::<TokenScopes>() {
                prop_assert_eq!(scopes.to_string().parse::<TokenScopes>(), Ok(scopes));
            }
        }
    }
}
