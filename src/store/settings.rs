//! What the appliance keeps about itself beside its records: settings, how far the first run has come, where its sample
//! data stands. One text per thing, which only the verbs in `records` understand. Never a place for personal values: the
//! texts lie plain.

use crate::definitions::{meta, set_meta};
use crate::engine::Sql;
use crate::{ReadTx, StoreError, WriteTx};

/// What can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Name of the organisation, language, currency, ribbon…
    Settings,
    /// Which steps of the first run are done.
    Setup,
    /// Whether there is sample data, and since when.
    Sample,
    /// The highest version that was finalized, and the release keys that are trusted; sealed.
    Upgrade,
    /// Which node upgrades just now.
    Upgrading,
}

impl Kept {
    const fn key(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Setup => "setup",
            Self::Sample => "sample",
            Self::Upgrade => "upgrade",
            Self::Upgrading => "upgrading",
        }
    }
}

impl ReadTx<'_> {
    /// The text that is kept.
    pub fn kept(&mut self, what: Kept) -> Result<Option<String>, StoreError> {
        meta(self.conn, what.key())
    }
}

impl WriteTx<'_, '_> {
    /// Keeps a text in place of the one before. The caller writes the entry that tells of it.
    pub fn keep(&mut self, what: Kept, text: &str) -> Result<(), StoreError> {
        set_meta(self.conn(), what.key(), text)
    }
    /// Keeps nothing any more.
    pub fn forget_kept(&mut self, what: Kept) -> Result<(), StoreError> {
        let mut sql = Sql::new("DELETE FROM \"k_meta\" WHERE \"key\" = ");
        sql.bind(what.key());
        self.conn().execute(&sql).map(|_| ())
    }
}
