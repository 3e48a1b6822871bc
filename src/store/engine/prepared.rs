//! How many prepared statements a connection keeps. Diesel keeps all or none; filters and column lists make ever new texts,
//! so past a number of them all are dropped and prepared again as they come. Never changes what a statement does.

use super::{Conn, Sql};
use diesel::Connection;
use diesel::connection::CacheSize;
use std::cell::RefCell;
use std::collections::HashSet;

/// Varied texts kept per connection; a prepared one takes 10 to 30 KiB.
const KEPT_MAX: usize = 192;

thread_local! {
    /// Texts seen by this thread. Each connection that runs for long has a thread of its own.
    static SEEN: RefCell<HashSet<u64>> = RefCell::new(HashSet::new());
}

/// Notes the text of a statement that is about to run; drops the prepared ones when there are too many.
pub(super) fn keep(conn: &mut Conn, sql: &Sql) {
    let Some(text) = sql.variety() else { return };
    let full = SEEN.with_borrow_mut(|seen| {
        if !seen.insert(text) || seen.len() <= KEPT_MAX {
            return false;
        }
        seen.clear();
        true
    });
    if full {
        conn.set_prepared_statement_cache_size(CacheSize::Disabled);
        conn.set_prepared_statement_cache_size(CacheSize::Unbounded);
    }
}
