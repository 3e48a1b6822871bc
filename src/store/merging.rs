//! What moves when records are merged: links, names in other systems, files, and the way from the old address to the record that
//! stays. Each verb takes the grants of both records and writes its entries; it never decides what belongs to whom.

use crate::attachments::Added;
use crate::engine::{Sql, dialect};
use crate::files::FileKept;
use crate::rows::StoredRow;
use crate::write::{Cause, check_same};
use crate::{Attachment, ReadTx, StoreError, WriteTx};
use audit::Verb;
use authz::{Grant, Update};
use kernel::RecordId;
use metadata::{ColumnType, Relation};
use std::sync::Arc;

const BIN: ColumnType = ColumnType::Binary;
/// Ids told by one entry about links.
const IDS_PER_ENTRY: usize = 200;

impl ReadTx<'_> {
    /// The record that this one was merged into, which may have been merged itself since.
    pub fn merged_into(&mut self, object: &str, id: RecordId) -> Result<Option<RecordId>, StoreError> {
        let mut sql = Sql::new("SELECT \"into_id\" FROM \"k_merged\" WHERE \"record\" = ");
        sql.bind(id).push(" AND \"object\" = ").bind(object);
        Ok(self.conn.first(&sql, &[BIN])?.and_then(|row| row.id(0)))
    }
}

impl WriteTx<'_, '_> {
    /// Says in the log that these records became one, and where their addresses lead from now on.
    pub fn merge_mark(&mut self, grant: &Grant<'_, Update>, gone: &[RecordId], note: &str) -> Result<(), StoreError> {
        let (into, now) = (grant.record(), self.now().micros());
        for id in gone {
            let mut sql = Sql::new("INSERT INTO \"k_merged\" (\"record\", \"object\", \"into_id\", \"at\") VALUES (");
            sql.bind(*id).push(", ").bind(grant.object()).push(", ").bind(into).push(", ").bind(now);
            sql.push(
                ") ON CONFLICT (\"record\") DO UPDATE SET \"into_id\" = excluded.\"into_id\", \"at\" = excluded.\"at\"",
            );
            self.conn().execute(&sql)?;
        }
        let mut entry = self.entry(grant.actor(), Verb::Merge).on_record(grant.object(), into);
        entry.decision.rules.clone_from(&grant.why().rules);
        entry.decision.epoch = Some(grant.why().epoch);
        let count = u64::try_from(gone.len()).unwrap_or(u64::MAX);
        entry.related = vec![audit::Disclosed { object: grant.object().to_owned(), ids: gone.to_vec(), count }];
        note.clone_into(&mut entry.note);
        self.log_entry(&entry)
    }

    /// The address is the record's own again.
    pub(crate) fn merge_forget(&mut self, id: RecordId) -> Result<(), StoreError> {
        let mut sql = Sql::new("DELETE FROM \"k_merged\" WHERE \"record\" = ");
        sql.bind(id);
        self.conn().execute(&sql).map(|_| ())
    }

    /// Moves the links of one relation to another record. Where that has the link already, its own stays; links to `except`
    /// end. Says where the links lead.
    pub fn relink(
        &mut self,
        (from, to): (&Grant<'_, Update>, &Grant<'_, Update>),
        relation: &Relation,
        except: &[RecordId],
        cause: &Cause,
    ) -> Result<Vec<RecordId>, StoreError> {
        let (here, there) = if relation.inverse { ("to_id", "from_id") } else { ("from_id", "to_id") };
        let table = relation.definer.link_table(&relation.link);
        let mut sql = Sql::new("SELECT ");
        sql.ident(there).push(", \"role\", \"created_at\", \"created_by\" FROM ").ident(&table).push(" WHERE ");
        sql.ident(here).push(" = ").bind(from.record());
        let rows = self.conn().rows(&sql, &[BIN, ColumnType::Text, ColumnType::Integer, BIN])?;
        let mut moved = Vec::new();
        let (begin, end) = dialect::insert_or_ignore(self.conn());
        for row in &rows {
            let Some(other) = row.id(0).filter(|other| !except.contains(other)) else { continue };
            let mut sql = Sql::new(begin);
            sql.ident(&table).push(" (").ident(here).push(", ").ident(there);
            sql.push(", \"role\", \"created_at\", \"created_by\") VALUES (").bind(to.record()).push(", ").bind(other);
            for at in 1..4 {
                sql.push(", ").bind(row.get(at).clone());
            }
            sql.push(")").push(end);
            self.conn().execute(&sql)?;
            moved.push(other);
        }
        if rows.is_empty() {
            return Ok(moved);
        }
        let mut sql = Sql::new("DELETE FROM ");
        sql.ident(&table).push(" WHERE ").ident(here).push(" = ").bind(from.record());
        self.conn().execute(&sql)?;
        for ids in moved.chunks(IDS_PER_ENTRY) {
            self.log_relinked(from, Verb::Unlink, relation, ids, cause)?;
            self.log_relinked(to, Verb::Link, relation, ids, cause)?;
        }
        Ok(moved)
    }

    fn log_relinked(
        &mut self,
        grant: &Grant<'_, Update>,
        verb: Verb,
        relation: &Relation,
        ids: &[RecordId],
        cause: &Cause,
    ) -> Result<(), StoreError> {
        let mut entry = self.entry(grant.actor(), verb).on_record(grant.object(), grant.record());
        entry.actor.on_behalf_of = cause.on_behalf_of;
        entry.decision.rules.clone_from(&grant.why().rules);
        entry.decision.epoch = Some(grant.why().epoch);
        let target = if relation.inverse { &relation.definer.name } else { &relation.link.target };
        let count = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        entry.related = vec![audit::Disclosed { object: target.clone(), ids: ids.to_vec(), count }];
        relation.name.clone_into(&mut entry.note);
        self.log_entry(&entry)
    }

    /// What other systems called the one record they call the other from now on, so that the next import finds it.
    pub fn external_move(&mut self, object: &str, from: RecordId, to: RecordId) -> Result<(), StoreError> {
        let mut sql = Sql::new("UPDATE \"k_external_id\" SET \"record\" = ");
        sql.bind(to).push(" WHERE \"object\" = ").bind(object).push(" AND \"record\" = ").bind(from);
        self.conn().execute(&sql).map(|_| ())
    }

    /// A file of one record becomes a file of another, under whose keys `copy` was sealed. It keeps its name and its maker.
    pub fn attachment_move(
        &mut self,
        (from, of): (Grant<'_, Update>, &StoredRow),
        (to, row): (Grant<'_, Update>, &StoredRow),
        (old, copy): (&Attachment, &FileKept),
        cause: &Cause,
    ) -> Result<(), StoreError> {
        check_same(&from, of)?;
        if copy.digest != old.digest || copy.size != old.size {
            return Err(StoreError::damaged("the copy of a file is not what was copied"));
        }
        let made = Added { at: old.created_at, by: old.created_by };
        self.attachment_insert(&to, row, copy, (&old.name, &old.media_type), made, cause)?;
        let mut sql = Sql::new("DELETE FROM \"k_attachment\" WHERE \"id\" = ");
        sql.bind(old.id).push(" AND \"record\" = ").bind(of.id());
        self.conn().execute(&sql)?;
        self.log_attachment(&from, Verb::AttachmentRemove, of, (old.id, old.size, &old.digest), cause)?;
        let (shared, id) = (Arc::clone(self.read.shared), old.id);
        self.after_commit(move || shared.files.remove(id));
        Ok(())
    }
}
