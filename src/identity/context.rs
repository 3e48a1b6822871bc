//! What a request says about itself: channel, source, request id, purpose, language.
//! Every text has a limit here, so an actor and an audit entry never carry an unbounded one.

use kernel::limits::{PURPOSE_CHARS_MAX, REQUEST_ID_CHARS_MAX};
use std::{fmt, net::IpAddr};

/// The door an act came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The web interface.
    Ui,
    /// A program over the API.
    Api,
    /// The command line on the server.
    Cli,
    /// A background job.
    Job,
    /// An import run.
    Import,
    /// The appliance itself.
    System,
}

impl Channel {
    /// The stable name used in audit entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ui => "ui",
            Self::Api => "api",
            Self::Cli => "cli",
            Self::Job => "job",
            Self::Import => "import",
            Self::System => "system",
        }
    }
}

/// The language of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Locale {
    /// English.
    En,
    /// Simplified Chinese.
    Zh,
}

impl Locale {
    /// The language tag (RFC 5646), short form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }
}

/// A text of the request is too long or holds control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextInvalid {
    /// The request id.
    #[error(
        "the request id has more than {REQUEST_ID_CHARS_MAX} characters or others than letters, digits, '-', '_', '.'"
    )]
    RequestId,
    /// The purpose.
    #[error("the purpose has more than {PURPOSE_CHARS_MAX} characters or control characters")]
    Purpose,
}

/// What is known of a request before it is known who asks.
#[derive(Clone)]
pub struct ActorContext {
    channel: Channel,
    source: Option<IpAddr>,
    request_id: String,
    purpose: Option<String>,
    locale: Option<Locale>,
}

impl ActorContext {
    /// A request through this door. The request id is 1 to `REQUEST_ID_CHARS_MAX` of letters, digits, `-`, `_`, `.`.
    pub fn new(channel: Channel, request_id: impl Into<String>) -> Result<Self, ContextInvalid> {
        let request_id = request_id.into();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if request_id.is_empty() || request_id.len() > REQUEST_ID_CHARS_MAX || !request_id.bytes().all(plain) {
            return Err(ContextInvalid::RequestId);
        }
        Ok(Self { channel, source: None, request_id, purpose: None, locale: None })
    }
    /// The network address the request came from. IPv4 in IPv6 form (RFC 4291 section 2.5.5.2) becomes IPv4.
    #[must_use]
    pub fn with_source(mut self, source: IpAddr) -> Self {
        self.source = Some(source.to_canonical());
        self
    }
    /// Why values are asked for. A blank purpose is none.
    pub fn with_purpose(mut self, purpose: &str) -> Result<Self, ContextInvalid> {
        let purpose = purpose.trim();
        if purpose.chars().count() > PURPOSE_CHARS_MAX || purpose.chars().any(char::is_control) {
            return Err(ContextInvalid::Purpose);
        }
        self.purpose = (!purpose.is_empty()).then(|| purpose.to_owned());
        Ok(self)
    }
    /// The language the request asks for; without it the user's own holds.
    #[must_use]
    pub const fn with_locale(mut self, locale: Locale) -> Self {
        self.locale = Some(locale);
        self
    }
    /// The same request through another door.
    #[must_use]
    pub(crate) const fn through(mut self, channel: Channel) -> Self {
        self.channel = channel;
        self
    }
    /// The door.
    pub const fn channel(&self) -> Channel {
        self.channel
    }
    /// The network address, when there is one.
    pub const fn source(&self) -> Option<IpAddr> {
        self.source
    }
    /// The id that ties answer, log and audit entry together.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }
    /// Why values are asked for.
    pub fn purpose(&self) -> Option<&str> {
        self.purpose.as_deref()
    }
    /// The language the request asks for.
    pub const fn locale(&self) -> Option<Locale> {
        self.locale
    }
}

impl fmt::Debug for ActorContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No source address and no purpose: both can be personal.
        write!(f, "ActorContext({} {})", self.channel.as_str(), self.request_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_limited() {
        assert_eq!(ActorContext::new(Channel::Api, "").err(), Some(ContextInvalid::RequestId));
        assert_eq!(ActorContext::new(Channel::Api, "a b").err(), Some(ContextInvalid::RequestId));
        assert!(ActorContext::new(Channel::Api, "r".repeat(REQUEST_ID_CHARS_MAX)).is_ok());
        assert!(ActorContext::new(Channel::Api, "r".repeat(REQUEST_ID_CHARS_MAX + 1)).is_err());
        let context = || ActorContext::new(Channel::Api, "r-1").unwrap();
        assert!(context().with_purpose(&"客".repeat(PURPOSE_CHARS_MAX)).is_ok());
        assert!(context().with_purpose(&"客".repeat(PURPOSE_CHARS_MAX + 1)).is_err());
        assert!(context().with_purpose("two\nlines").is_err());
        assert_eq!(context().with_purpose("  ").unwrap().purpose(), None);
    }

    #[test]
    fn mapped_addresses_become_ipv4() {
        let context = ActorContext::new(Channel::Ui, "r").unwrap().with_source("::ffff:10.0.0.1".parse().unwrap());
        assert_eq!(context.source(), Some("10.0.0.1".parse().unwrap()));
    }
}
