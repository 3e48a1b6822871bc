//! One letter: a subject and plain text. Neither can bring a header with it, whatever they hold.

use kernel::Timestamp;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::{Address, Message};
use std::time::{Duration, UNIX_EPOCH};

/// Characters of a subject; what is longer is cut.
const SUBJECT_CHARS_MAX: usize = 150;
/// Characters of an address (RFC 5321 section 4.5.3.1.3).
const ADDRESS_CHARS_MAX: usize = 254;

/// A letter, to whoever it will be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    subject: String,
    text: String,
}

impl Letter {
    /// A letter. Whatever could end a line of the subject becomes a space; the text keeps its lines and loses other control
    /// characters.
    pub fn new(subject: &str, text: &str) -> Self {
        let subject: String =
            subject.chars().map(|c| if is_plain(c) { c } else { ' ' }).take(SUBJECT_CHARS_MAX).collect();
        let text: String = text.chars().filter(|c| *c == '\n' || is_plain(*c)).collect();
        Self { subject: subject.split_whitespace().collect::<Vec<_>>().join(" "), text }
    }
    /// Its subject.
    pub fn subject(&self) -> &str {
        &self.subject
    }
    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The letter as it is sent; `number` makes its id. `None` when the library refuses a part of it.
    pub(crate) fn message(&self, from: Address, to: Address, at: Timestamp, number: u128) -> Option<Message> {
        let id = format!("<{number:032x}@{}>", from.domain());
        let micros = u64::try_from(at.micros()).unwrap_or(0);
        // No answers of holidays to the appliance (RFC 3834).
        let name = HeaderName::new_from_ascii("Auto-Submitted".to_owned()).ok()?;
        let automatic = HeaderValue::new(name, "auto-generated".to_owned());
        let part = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(self.text.clone());
        Message::builder()
            .from(Mailbox::new(None, from))
            .to(Mailbox::new(None, to))
            .date(UNIX_EPOCH + Duration::from_micros(micros))
            .message_id(Some(id))
            .subject(self.subject.clone())
            .raw_header(automatic)
            .singlepart(part)
            .ok()
    }
}

/// Controls, ends of lines of any script, and marks that turn the direction of writing are not.
fn is_plain(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether this is an address that every relay takes: `name@host` in plain letters.
pub fn address_is_plain(address: &str) -> bool {
    let Some((name, host)) = address.rsplit_once('@') else { return false };
    let word = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let label =
        |label: &str| (1..=63).contains(&label.len()) && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    address.len() <= ADDRESS_CHARS_MAX
        && (1..=64).contains(&name.len())
        && name.split('.').all(|part| !part.is_empty())
        && name.chars().all(word)
        && host.split('.').all(label)
        && address.parse::<Address>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(letter: &Letter) -> String {
        let address = |text: &str| text.parse::<Address>().unwrap();
        let message = letter.message(address("kontor@a.example"), address("it@a.example"), Timestamp::default(), 7);
        String::from_utf8(message.unwrap().formatted()).unwrap()
    }
    fn headers(sent: &str) -> Vec<&str> {
        let names = sent.lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with([' ', '\t']));
        names.map(|line| line.split(':').next().unwrap()).collect()
    }

    #[test]
    fn no_subject_brings_a_header_with_it() {
        let known = ["From", "To", "Date", "Message-ID", "Subject", "Auto-Submitted", "MIME-Version", "Content-Type"];
        let mut longest = "x".repeat(2_000);
        longest.push_str("\r\nBcc: a@b.example");
        for evil in [
            "a\r\nBcc: a@b.example",
            "a\nBcc: a@b.example",
            "a\rBcc: a@b.example",
            "a\u{2028}Bcc: a@b.example",
            "客户\r\n\r\nBcc: a@b.example",
            "=?utf-8?q?=0D=0ABcc:_a@b.example?=",
            "a\0\r\n.\r\nRCPT TO:<a@b.example>",
            &longest,
        ] {
            let letter = Letter::new(evil, "text\r\n.\r\nBcc: a@b.example\r\n");
            let text = sent(&letter);
            let found = headers(&text);
            assert!(
                found.iter().all(|name| known.contains(name) || *name == "Content-Transfer-Encoding"),
                "{evil:?}: {text}"
            );
            assert_eq!(found.iter().filter(|name| **name == "Subject").count(), 1, "{text}");
            assert!(!letter.subject().contains(['\r', '\n', '\0', '\u{2028}']));
        }
    }

    #[test]
    fn addresses() {
        for (address, plain) in [
            ("it@example.org", true),
            ("it+kontor@mail.example.org", true),
            ("root@localhost", true),
            ("it", false),
            ("it@", false),
            ("@example.org", false),
            ("a b@example.org", false),
            ("it@example.org\r\nBcc: x@example.org", false),
            ("it@example.org,x@example.org", false),
            ("IT <it@example.org>", false),
            ("\"a b\"@example.org", false),
            ("客户@example.org", false),
            (".it@example.org", false),
        ] {
            assert_eq!(address_is_plain(address), plain, "{address}");
        }
    }
}
