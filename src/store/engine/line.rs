//! A connection that is made anew when the server's end of it is gone: after a restart of PostgreSQL the appliance goes on by
//! itself. It repeats nothing; what was under way fails, and whoever asked is told.

use super::{Access, Conn, EngineConfig};
use crate::StoreError;
use std::time::Duration;

/// How long to wait between attempts, once per loss: three seconds in all. A restart of the server is about that long, and
/// whoever waits longer is better told.
const PAUSES_MILLIS: [u64; 6] = [50, 100, 200, 400, 800, 1_600];

/// One connection, over its losses.
pub(crate) struct Line {
    config: EngineConfig,
    access: Access,
    conn: Conn,
    down: bool,
}

impl Line {
    /// Opens it; the first time there is no second attempt.
    pub(crate) fn open(config: &EngineConfig, access: Access) -> Result<Self, StoreError> {
        Ok(Self { config: config.clone(), access, conn: Conn::open(config, access)?, down: false })
    }

    /// How it was opened.
    pub(crate) fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// The connection as it is: inside a transaction, which must not go on upon another.
    pub(crate) fn same(&mut self) -> &mut Conn {
        &mut self.conn
    }

    /// The connection, made anew if it was lost. While the server stays away each call makes one attempt and does not wait.
    pub(crate) fn live(&mut self) -> Result<&mut Conn, StoreError> {
        if !self.conn.is_lost() {
            return Ok(&mut self.conn);
        }
        let mut pauses = if self.down { [].iter() } else { PAUSES_MILLIS.iter() };
        loop {
            match (Conn::open(&self.config, self.access), pauses.next()) {
                (Ok(conn), _) => {
                    tracing::info!("the connection to the database is back");
                    (self.conn, self.down) = (conn, false);
                    return Ok(&mut self.conn);
                }
                (Err(_), Some(pause)) => std::thread::park_timeout(Duration::from_millis(*pause)),
                (Err(error), None) => {
                    if !self.down {
                        tracing::error!(%error, "the database cannot be reached; start its server");
                    }
                    self.down = true;
                    return Err(StoreError::Lost(error.to_string()));
                }
            }
        }
    }
}
