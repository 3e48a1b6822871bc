//! The connection to the relay: encrypted as configured, with the one authority of the configuration, for one letter at a
//! time. Secrets are read when they are used. What the relay answers is kept apart from what we say: it may hold addresses.

use crate::Letter;
use kernel::{Clock, Random};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error as SmtpError, SmtpTransport};
use lettre::{Address, Transport};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long each step of a conversation with the relay may take.
const STEP: Duration = Duration::from_secs(20);
/// Characters of the relay's answer that are shown.
const ANSWER_CHARS_MAX: usize = 300;
/// What a certificate in PEM begins with.
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";
/// Replies about who we are, not about the letter (RFC 4954 section 6).
const SIGN_IN_CODES: [u16; 4] = [530, 534, 535, 538];

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    None,
    /// It begins in clear and is encrypted before anything is said; a relay that does not offer that is not used.
    StartTls,
    /// From the first byte.
    Tls,
}

/// Which relay, and as whom.
#[derive(Clone, Debug, PartialEq)]
pub struct RelaySettings {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: Security,
    /// Whom to sign in as; nobody without one.
    pub user: Option<String>,
    /// The address that letters come from.
    pub from: String,
}

/// What is read anew for each letter, so that it can be mended while the appliance runs.
pub trait Access: Send + Sync {
    /// The authorities that may have signed the relay's certificate, in PEM.
    ///
    /// # Errors
    /// What the disk says, with what to do.
    fn authorities(&self) -> io::Result<Vec<u8>>;
    /// The password of the user.
    ///
    /// # Errors
    /// As above.
    fn password(&self) -> io::Result<Zeroizing<String>>;
    /// The name of this machine, which the relay is greeted with.
    fn machine(&self) -> String;
}

/// Why a letter was not taken.
#[derive(Debug)]
pub struct SendError {
    /// What is wrong and what to do; nothing that the relay said.
    pub told: String,
    /// What the relay said, in printable characters. It may hold addresses: for whoever asked, not for logs.
    pub answer: Option<String>,
    /// Whether it is about this letter or its recipient; else any letter would have met it.
    pub about_letter: bool,
    /// Whether the same letter will be refused again.
    pub lasting: bool,
}

impl SendError {
    fn of_relay(told: String) -> Self {
        Self { told, answer: None, about_letter: false, lasting: false }
    }
}

/// The relay.
pub struct Relay {
    settings: RelaySettings,
    access: Arc<dyn Access>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Relay {
    /// A relay. Nothing is connected to yet.
    pub fn new(
        settings: RelaySettings,
        access: Arc<dyn Access>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self { settings, access, clock, random }
    }
    /// What it is told in time by.
    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Gives it one letter for one recipient; what it answered.
    ///
    /// # Errors
    /// [`SendError`], with what to do.
    pub fn send(&self, letter: &Letter, to: &str) -> Result<String, SendError> {
        let wrong =
            |what: &str| SendError { lasting: true, about_letter: true, ..SendError::of_relay(what.to_owned()) };
        let from: Address = self.settings.from.parse().map_err(|_| wrong("the sender's address is not one"))?;
        let to: Address = to.parse().map_err(|_| wrong("a recipient's address is not one"))?;
        let mut number = [0u8; 16];
        self.random.fill(&mut number);
        let message = letter.message(from, to, self.clock.now(), u128::from_be_bytes(number));
        let message = message.ok_or_else(|| wrong("the letter cannot be written"))?;
        let answer = self.transport()?.send(&message).map_err(|error| self.explain(&error))?;
        Ok(printable(&format!("{} {}", answer.code(), answer.message().collect::<Vec<_>>().join(" "))))
    }

    fn transport(&self) -> Result<SmtpTransport, SendError> {
        let at = &self.settings;
        let tls = match at.security {
            Security::None => Tls::None,
            Security::StartTls => Tls::Required(self.parameters()?),
            Security::Tls => Tls::Wrapper(self.parameters()?),
        };
        let mut builder = SmtpTransport::builder_dangerous(at.host.clone())
            .port(at.port)
            .tls(tls)
            .timeout(Some(STEP))
            .hello_name(ClientId::Domain(self.access.machine()));
        if let Some(user) = &at.user {
            let password = self.access.password().map_err(|error| SendError::of_relay(error.to_string()))?;
            builder = builder
                .credentials(Credentials::new(user.clone(), password.to_string()))
                .authentication(vec![Mechanism::Plain, Mechanism::Login]);
        }
        Ok(builder.build())
    }

    fn parameters(&self) -> Result<TlsParameters, SendError> {
        let refused = |what: String| SendError::of_relay(what);
        let pem = self.access.authorities().map_err(|error| refused(error.to_string()))?;
        // Without this a file that holds something else would only show as a certificate that is not trusted.
        let holds_one = pem.windows(CERTIFICATE.len()).any(|window| window == CERTIFICATE);
        let authorities = Certificate::from_pem(&pem).ok().filter(|_| holds_one);
        let authorities = authorities.ok_or_else(|| refused("ca_file holds no certificate in PEM".to_owned()))?;
        TlsParameters::builder(self.settings.host.clone())
            .certificate_store(CertificateStore::None)
            .add_root_certificate(authorities)
            .build()
            .map_err(|_| refused("ca_file holds no certificate that can be used".to_owned()))
    }

    fn explain(&self, error: &SmtpError) -> SendError {
        let at = format!("{}:{}", self.settings.host, self.settings.port);
        if let Some(status) = error.status() {
            let code: u16 = status.into();
            let answer = error.source().map(ToString::to_string).unwrap_or_default();
            let answer = Some(printable(&format!("{code} {answer}")));
            if SIGN_IN_CODES.contains(&code) {
                let told = format!("{at} does not let us in (status {code}): look at tls, user and password_file");
                return SendError { answer, ..SendError::of_relay(told) };
            }
            let (lasting, what) = if error.is_permanent() {
                (true, "refuses a letter or its recipient: look at from and at the addresses")
            } else {
                (false, "does not take a letter now; it is tried again")
            };
            return SendError { told: format!("{at} {what} (status {code})"), answer, about_letter: true, lasting };
        }
        let cause = cause(error);
        SendError::of_relay(if cause.contains("certificate") {
            format!(
                "the certificate of {at} is not trusted ({cause}): name its authority as ca_file, and its name as relay"
            )
        } else if error.is_tls() || cause.contains("corrupt message") {
            format!("{at} cannot be spoken to encrypted ({cause}): look at tls and port")
        } else if error.is_timeout() {
            format!("{at} does not answer in time: look at relay, port and tls")
        } else if cause.contains("STARTTLS") {
            format!("{at} offers no STARTTLS: write the tls that it offers")
        } else if error.is_client() && cause.contains("authentication") {
            format!("{at} offers no way to sign in that is known (PLAIN, LOGIN): look at tls and user")
        } else if error.is_response() {
            format!("{at} does not speak SMTP: look at port and tls")
        } else {
            format!("{at} cannot be reached ({cause}): look at relay and port, and at what lies in between")
        })
    }
}

/// The innermost cause, as our own side of the connection words it.
fn cause(error: &SmtpError) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    // An I/O error of rustls holds what went wrong without being its source.
    let wrapped = innermost.downcast_ref::<io::Error>().and_then(|error| error.get_ref()).map(ToString::to_string);
    printable(&wrapped.unwrap_or_else(|| innermost.to_string()))
}

fn printable(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() { c } else { ' ' };
    let text: String = text.chars().map(plain).take(ANSWER_CHARS_MAX).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
