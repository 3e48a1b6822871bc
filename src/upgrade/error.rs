//! Why a bundle is refused. The words are for the operator; they hold names of files and keys, never their content.

/// Why a bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file cannot be read.
    #[error("{what}: {cause}")]
    Read {
        /// What was being read.
        what: String,
        /// What the disk says.
        cause: std::io::Error,
    },
    /// It is no bundle, or not whole.
    #[error("{0}")]
    Malformed(String),
    /// Its signatures are not those of two release keys that this appliance trusts.
    #[error("{0}")]
    Untrusted(String),
    /// It is older than what this appliance has finalized.
    #[error("{0}")]
    Older(String),
    /// It does not fit what runs here.
    #[error("{0}")]
    Unfit(String),
}

impl BundleError {
    pub(crate) fn read(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |cause| Self::Read { what, cause }
    }
    pub(crate) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed(what.into())
    }
}
