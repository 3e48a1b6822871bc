//! The nodes of an appliance: which processes serve this database, since when, and whether they live, by the time of the
//! database. A name belongs to one folder; two that live under one name are refused. It decides nothing else.

use crate::engine::{Row, Sql, dialect};
use crate::{Kept, ReadTx, Store, StoreError, WriteTx};
use kernel::{AnyKind, BootKind, Code, Fault, Id, Timestamp, limits};
use metadata::ColumnType;
use std::collections::BTreeSet;

const INT: ColumnType = ColumnType::Integer;
const TEXT: ColumnType = ColumnType::Text;
const BIN: ColumnType = ColumnType::Binary;
/// Nodes of one list.
const NODES_SHOWN: usize = 200;

/// A node as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// Its name.
    pub name: String,
    /// The version it runs.
    pub version: String,
    /// When it was started last.
    pub started_at: Timestamp,
    /// When it last said that it lives.
    pub beat_at: Timestamp,
    /// When it was stopped in order.
    pub stopped_at: Option<Timestamp>,
    /// Whether it lives now.
    pub lives: bool,
    /// Whether it is this process.
    pub here: bool,
}

impl ReadTx<'_> {
    /// All nodes by name.
    pub fn nodes(&mut self) -> Result<Vec<NodeRow>, StoreError> {
        let mut sql = Sql::new(
            "SELECT \"name\", \"version\", \"started_at\", \"beat_at\", \"stopped_at\", \"boot\", \
             CAST(CASE WHEN \"stopped_at\" IS NULL AND \"beat_at\" + ",
        );
        sql.bind(limits::NODE_SILENCE_SECONDS.saturating_mul(1_000_000)).push(" >= ");
        dialect::push_now(self.conn, &mut sql);
        sql.push(" THEN 1 ELSE 0 END AS BIGINT) FROM \"k_node\" ORDER BY \"name\" LIMIT ").number(NODES_SHOWN);
        let here = self.shared.boot;
        let shared = dialect::is_shared(self.conn);
        let time = |row: &Row, at| row.int(at).map(Timestamp::from_micros);
        let node = |row: &Row| {
            let own = row.id(5) == Some(here);
            NodeRow {
                name: row.text(0).unwrap_or_default(),
                version: row.text(1).unwrap_or_default(),
                started_at: time(row, 2).unwrap_or_default(),
                beat_at: time(row, 3).unwrap_or_default(),
                stopped_at: time(row, 4),
                // On the embedded engine nobody says that he lives: the one server is who is asked.
                lives: row.int(6) == Some(1) || (own && !shared),
                here: own,
            }
        };
        Ok(self.conn.rows(&sql, &[TEXT, TEXT, INT, INT, INT, BIN, INT])?.iter().map(node).collect())
    }
}

impl WriteTx<'_, '_> {
    /// The starts of all processes that live.
    fn boots(&mut self) -> Result<BTreeSet<Id<BootKind>>, StoreError> {
        let mut sql = Sql::new("SELECT \"boot\" FROM \"k_node\" WHERE \"stopped_at\" IS NULL AND \"beat_at\" + ");
        sql.bind(limits::NODE_SILENCE_SECONDS.saturating_mul(1_000_000)).push(" >= ");
        dialect::push_now(self.conn(), &mut sql);
        Ok(self.conn().rows(&sql, &[BIN])?.iter().filter_map(|row| row.id(0)).collect())
    }

    fn node_take(&mut self, folder: Id<AnyKind>, version: &str) -> Result<(), StoreError> {
        if dialect::is_shared(self.conn()) {
            self.require_no_upgrade()?;
        }
        let (boot, name) = (self.read.shared.boot, self.read.shared.node.clone());
        let nodes = self.read.nodes()?;
        let mut sql = Sql::new("SELECT \"folder\" FROM \"k_node\" WHERE \"name\" = ");
        sql.bind(name.as_str());
        let other = self.conn().first(&sql, &[BIN])?.is_some_and(|row| row.id(0) != Some(folder));
        if other && dialect::is_shared(self.conn()) && nodes.iter().any(|node| node.name == name && node.lives) {
            let detail = format!(
                "Another folder serves as the node {name:?} already. Give each node its own name: node = \"…\" in kontor.toml."
            );
            return Err(Fault::new(Code::ConfigInvalid, detail).into());
        }
        let mut sql = Sql::new(
            "INSERT INTO \"k_node\" (\"name\", \"folder\", \"boot\", \"version\", \"started_at\", \"beat_at\") VALUES (",
        );
        sql.bind(name.as_str()).push(", ").bind(folder).push(", ").bind(boot).push(", ").bind(version).push(", ");
        dialect::push_now(self.conn(), &mut sql);
        sql.push(", ");
        if dialect::is_shared(self.conn()) {
            dialect::push_now(self.conn(), &mut sql);
        } else {
            // Nobody beats there, and a copy of the database elsewhere must not take this one for alive.
            sql.push("0");
        }
        sql.push(
            ") ON CONFLICT (\"name\") DO UPDATE SET \"folder\" = excluded.\"folder\", \"boot\" = excluded.\"boot\", \
             \"version\" = excluded.\"version\", \"started_at\" = excluded.\"started_at\", \
             \"beat_at\" = excluded.\"beat_at\", \"stopped_at\" = NULL",
        );
        self.conn().execute(&sql).map(drop)
    }
}

impl Store {
    /// Says that this process serves as the node of its name from now on. `folder` is the id of the node's own folder.
    ///
    /// # Errors
    /// `config_invalid` while another folder serves under that name; `job_busy` while another node upgrades.
    pub fn node_begin(&self, folder: Id<AnyKind>, version: &'static str) -> Result<(), Fault> {
        let begun = self.write(move |tx| {
            tx.node_take(folder, version)?;
            Ok(tx.boots()?)
        });
        self.shared.leases.keep_living(begun.wait()?);
        Ok(())
    }

    /// Says that this process lives. False when another process took its name, or somebody removed the node: it must not
    /// act for the appliance any more. Nothing is written on an engine that has one server.
    pub fn node_beat(&self) -> Result<bool, Fault> {
        if !self.is_shared() {
            return Ok(true);
        }
        let boot = self.shared.boot;
        let beaten = self.write(move |tx| {
            let mut sql = Sql::new("UPDATE \"k_node\" SET \"beat_at\" = ");
            dialect::push_now(tx.conn(), &mut sql);
            sql.push(" WHERE \"stopped_at\" IS NULL AND \"boot\" = ").bind(boot);
            Ok((tx.conn().execute(&sql)? > 0, tx.boots()?))
        });
        let (lives, living) = beaten.wait()?;
        self.shared.leases.keep_living(living);
        if !lives {
            if !self.shared.leases.is_replaced() {
                tracing::error!("another process took this node's name, or the node was removed; restart it");
            }
            self.shared.leases.lose_all(true);
        }
        Ok(lives)
    }

    /// Says that this process stops in order, and lets its leases go.
    pub fn node_end(&self) -> Result<(), Fault> {
        let boot = self.shared.boot;
        self.shared.leases.lose_all(false);
        let ended = self.write(move |tx| {
            let mut sql = Sql::new("UPDATE \"k_lease\" SET \"ends_at\" = 0 WHERE \"boot\" = ");
            sql.bind(boot);
            tx.conn().execute(&sql)?;
            let mut sql = Sql::new("UPDATE \"k_node\" SET \"stopped_at\" = ");
            dialect::push_now(tx.conn(), &mut sql);
            sql.push(" WHERE \"boot\" = ").bind(boot);
            tx.conn().execute(&sql)?;
            Ok(())
        });
        ended.wait()
    }

    /// Forgets a node that does not live; whether there was one.
    ///
    /// # Errors
    /// `job_busy` while it lives.
    pub fn node_remove(&self, name: &str, entry: audit::Entry) -> Result<bool, Fault> {
        let name = name.to_owned();
        let removed = self.write(move |tx| {
            let upgrades = tx.read().kept(Kept::Upgrading)?.is_some_and(|by| by == name);
            let node = tx.read().nodes()?.into_iter().find(|node| node.name == name);
            if node.is_none() && !upgrades {
                return Ok(false);
            }
            if node.is_some_and(|node| node.lives) {
                return Err(Fault::new(Code::JobBusy, "The node serves; stop it first.").into());
            }
            let mut sql = Sql::new("DELETE FROM \"k_node\" WHERE \"name\" = ");
            sql.bind(name.as_str());
            tx.conn().execute(&sql)?;
            // Who is gone for good finishes no upgrade.
            if upgrades {
                tx.forget_kept(Kept::Upgrading)?;
            }
            tx.log_entry(&entry)?;
            Ok(true)
        });
        removed.wait()
    }

    /// Whether another process took this node's name; it must be restarted then.
    pub fn node_replaced(&self) -> bool {
        self.shared.leases.is_replaced()
    }

    /// Whether several processes may serve from this database at once.
    pub fn is_shared(&self) -> bool {
        self.config.engine.is_shared()
    }
}
