//! Whether a scope reaches few records or many, for the embedded engine, which keeps no statistics: few are read by owner,
//! unit and team and sorted; past many the order is walked. Decides only how a list is read, never what is in it.

use crate::engine::{Cell, Sql};
use crate::order::Walk;
use crate::read::{parts, push_predicate, push_private};
use crate::{ReadTx, StoreError};
use authz::Predicate;
use metadata::{ColumnType, ObjectDef};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Records that are read and sorted sooner than an order is walked past everybody else's: about as many as a walk visits
/// until it has met a page of them in a table of a million.
const FEW: i64 = 2_000;
/// How long an answer is believed. Whoever gets more records in between only waits longer for a list.
const BELIEVED: Duration = Duration::from_secs(60);
/// Answers kept; past that all are asked anew.
const KEPT_MAX: usize = 4_096;

/// Answers of the last minute, by the object's serial number and the reach.
#[derive(Default)]
pub(crate) struct Reaches(Mutex<HashMap<(u64, Predicate), (bool, Duration)>>);

impl Reaches {
    fn known(&self, key: &(u64, Predicate), now: Duration) -> Option<bool> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).filter(|(_, at)| now.saturating_sub(*at) < BELIEVED).map(|(few, _)| *few)
    }
    fn keep(&self, key: (u64, Predicate), few: bool, now: Duration) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, (few, now));
    }
}

impl ReadTx<'_> {
    /// Whether this reach holds so few records that they are better read whole. Never on the engine that plans by its own
    /// statistics, never for a reach over everything.
    pub(crate) fn reaches_few(&mut self, object: &ObjectDef, predicate: &Predicate) -> Result<bool, StoreError> {
        if !self.conn.is_sqlite() || predicate.is_everywhere() || predicate.is_nothing() {
            return Ok(false);
        }
        let (key, now) = ((object.serial.0, predicate.clone()), self.shared.clock.monotonic());
        if let Some(few) = self.shared.reaches.known(&key, now) {
            return Ok(few);
        }
        let mut sql = Sql::new("SELECT count(*) FROM (");
        push_arms(&mut sql, object, predicate);
        sql.push(" LIMIT ").number(usize::try_from(FEW + 1).unwrap_or(usize::MAX)).push(") reached").varied();
        let row = self.conn.first(&sql, &[ColumnType::Integer])?;
        let few = row.and_then(|row| row.int(0)).is_some_and(|count| count <= FEW);
        self.shared.reaches.keep(key, few, now);
        Ok(few)
    }

    /// Adds ` AND …` for a reach in a query over table `t`, so that the engine finds few records by their owners, units and
    /// teams, and meets many on its walk along the list's order. Says which of the two it is.
    pub(crate) fn push_reach(
        &mut self,
        sql: &mut Sql,
        object: &ObjectDef,
        predicate: &Predicate,
    ) -> Result<Walk, StoreError> {
        if self.reaches_few(object, predicate)? {
            sql.push(" AND t.\"rid\" IN (");
            push_arms(sql, object, predicate);
            sql.push(")").varied();
            push_private(sql, predicate, "t");
            return Ok(Walk::Never);
        }
        // A sign before the name keeps the engine from an index on it.
        let table = if self.conn.is_sqlite() { "+t" } else { "t" };
        push_predicate(sql, predicate, table);
        if !predicate.is_all() {
            sql.varied();
        }
        Ok(Walk::May)
    }
}

/// The row numbers of a reach, one branch for each of owner, unit and team, each served by its own index.
fn push_arms(sql: &mut Sql, object: &ObjectDef, predicate: &Predicate) {
    for (at, (column, ids)) in parts(predicate).enumerate() {
        sql.push(if at == 0 { "" } else { " UNION ALL " });
        sql.push("SELECT \"rid\" FROM ").ident(&object.name).push(" WHERE \"deleted_at\" IS NULL AND ");
        sql.ident(column).push(" IN (").binds(ids.iter().map(|id| Cell::from(*id))).push(")");
    }
}
