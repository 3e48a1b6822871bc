//! An error at the command line: what happened, what was kept, what to do. The one form in which verbs fail.
//! It never holds a secret or a personal value, and it never prints: that is `out`.

use kernel::{Code, Fault, Kind};
use std::fmt::Write;
use std::path::Path;

/// Everything was done, but the answer is bad: findings, rejected rows, a refused secret.
pub(crate) const EXIT_ANSWER_BAD: u8 = 1;
/// It could not be done.
pub(crate) const EXIT_NOT_DONE: u8 = 2;
/// `EX_CONFIG` of sysexits: the server does not start, and starting it again will not help.
pub(crate) const EXIT_CONFIG: u8 = 78;

/// What a refused transaction leaves behind.
const NOTHING_CHANGED: &str = "nothing was changed";

/// Why a verb did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: u8,
    pub(crate) code: Code,
    what: String,
    kept: String,
    todo: String,
}

impl Failure {
    /// A failure with this code and what happened.
    pub(crate) fn new(code: Code, what: impl Into<String>) -> Self {
        Self { exit: EXIT_NOT_DONE, code, what: what.into(), kept: String::new(), todo: String::new() }
    }
    /// A file that could not be used.
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::new(Code::Unavailable, format!("{}: {error}", path.display()))
    }
    /// Says what was kept.
    #[must_use]
    pub(crate) fn kept(mut self, kept: impl Into<String>) -> Self {
        self.kept = kept.into();
        self
    }
    /// Says what was kept, unless that was said already.
    #[must_use]
    pub(crate) fn kept_if_silent(self, kept: impl Into<String>) -> Self {
        if self.kept.is_empty() || self.kept == NOTHING_CHANGED { self.kept(kept) } else { self }
    }
    /// Says what to do.
    #[must_use]
    pub(crate) fn todo(mut self, todo: impl Into<String>) -> Self {
        self.todo = todo.into();
        self
    }
    /// Says with which code the process ends.
    #[must_use]
    pub(crate) fn exit(mut self, exit: u8) -> Self {
        self.exit = exit;
        self
    }
    /// What happened, without what to do.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }
    /// The same for those who asked over the API: without the cause, which is for the operator of the machine.
    pub(crate) fn fault(&self) -> Fault {
        let what = self.what.lines().next().unwrap_or_default().trim_end_matches('.');
        let todo =
            if self.todo.is_empty() { String::new() } else { format!(" To do: {}.", self.todo.trim_end_matches('.')) };
        Fault::new(self.code, format!("{what}.{todo}")).with_cause(self.text())
    }
    /// The text for the error stream.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("kontor: {}: {}", self.code.as_str(), self.what);
        for (name, part) in [("kept", &self.kept), ("to do", &self.todo)] {
            if !part.is_empty() {
                let _ = write!(text, "\n  {name}: {part}");
            }
        }
        text
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let mut what = fault.detail.clone();
        for item in &fault.items {
            let _ = write!(what, "\n  {} {}: {}", item.pointer, item.code.as_str(), item.detail);
        }
        // The operator at the server's own command line is who the inner cause is for.
        if let Some(cause) = fault.cause() {
            let _ = write!(what, "\n  cause: {cause}");
        }
        // Every verb is one transaction; what the caller of the API did wrong has left nothing behind.
        let kept = if fault.code.row().kind == Kind::Defect { "" } else { NOTHING_CHANGED };
        Self::new(fault.code, what).kept(kept)
    }
}
impl From<store::StoreError> for Failure {
    fn from(error: store::StoreError) -> Self {
        Fault::from(error).into()
    }
}
impl From<vault::VaultError> for Failure {
    fn from(error: vault::VaultError) -> Self {
        Fault::from(error).into()
    }
}
impl From<identity::PortError> for Failure {
    fn from(error: identity::PortError) -> Self {
        Fault::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_parts_and_the_cause_for_the_operator() {
        let failure = Failure::from(Fault::internal("disk full").with_item("/0/x", Code::ValueType, "A number."))
            .kept("all")
            .todo("free space");
        let text = failure.text();
        assert!(text.starts_with("kontor: internal: Something went wrong"), "{text}");
        for part in ["/0/x value_type: A number.", "cause: disk full", "kept: all", "to do: free space"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(failure.exit, EXIT_NOT_DONE);
    }
}
