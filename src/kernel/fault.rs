//! What went wrong, in two messages: one for the person who asked, one for the log of the operator.
//! The internal one has no `Display`, so it cannot reach an answer by accident; neither may hold a personal value.

use crate::Code;
use std::fmt;

/// One wrong part of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultItem {
    /// JSON pointer (RFC 6901) into the input, such as `/amount/currency`.
    pub pointer: String,
    /// What is wrong.
    pub code: Code,
    /// The same in words, with what to do. Never repeats the value.
    pub detail: String,
}

/// An error that can be shown: a stable code, words for the person, and parts.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The stable code; its row in the table gives status and kind.
    pub code: Code,
    /// What happened and what to do, without personal values.
    pub detail: String,
    /// The wrong parts, when the input had several.
    pub items: Vec<FaultItem>,
    /// For the operator's log only.
    internal: Option<String>,
    /// Extra members of the problem document, already reduced to what the reader may see (JSON text).
    pub extension: Option<Box<str>>,
}

/// The result of a service call.
pub type Outcome<T> = Result<T, Fault>;

impl Fault {
    /// An error with these words for the person.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), items: Vec::new(), internal: None, extension: None }
    }
    /// An error of ours: the person gets a plain sentence, the log gets the cause.
    pub fn internal(cause: impl fmt::Display) -> Self {
        let mut fault = Self::new(Code::Internal, "Something went wrong on the server. Nothing was changed.");
        fault.internal = Some(cause.to_string());
        fault
    }
    /// An invalid input with all its wrong parts.
    pub fn invalid(items: Vec<FaultItem>) -> Self {
        let mut fault = Self::new(Code::ValidationFailed, "Some values are not valid; see the list of errors.");
        fault.items = items;
        fault
    }
    /// Adds one wrong part.
    #[must_use]
    pub fn with_item(mut self, pointer: impl Into<String>, code: Code, detail: impl Into<String>) -> Self {
        self.items.push(FaultItem { pointer: pointer.into(), code, detail: detail.into() });
        self
    }
    /// Adds a cause for the operator's log.
    #[must_use]
    pub fn with_cause(mut self, cause: impl fmt::Display) -> Self {
        self.internal = Some(cause.to_string());
        self
    }
    /// The cause for the operator's log.
    pub fn cause(&self) -> Option<&str> {
        self.internal.as_deref()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}
impl std::error::Error for Fault {}
