//! Files that follow the record that stays. They are sealed for one record, so each is sealed anew before the merge, outside of
//! its unit of work; the unit then only exchanges rows. A copy that no row names is removed.

use super::{Merge, MergeRequest, Side};
use crate::Records;
use audit::Verb as Act;
use authz::{Level, Read, Update};
use identity::Actor;
use kernel::{Code, Fault, Id, RecordId, limits};
use metadata::ObjectDef;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;
use store::{FileKept, Refused, WriteTx};

/// Bytes moved at once.
const PART_BYTES: usize = 64 * 1024;

/// Files sealed for the survivor, by the id of what they are copies of.
#[derive(Default)]
pub(super) struct Copies(BTreeMap<RecordId, FileKept>);

impl Copies {
    /// The ids of the copies.
    pub(super) fn made(&self) -> Vec<RecordId> {
        self.0.values().map(|file| file.id).collect()
    }
}

impl Records {
    /// Seals the files of those that go for the one that stays. Blocks on the disk.
    pub(super) fn files_copied(
        &self,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        id: RecordId,
        request: &MergeRequest,
    ) -> Result<Copies, Fault> {
        let mut copies = Copies::default();
        for loser in &request.losers {
            let outcome = self.files_of_one_copied(actor, object, (loser.id, id), &mut copies);
            if let Err(fault) = outcome {
                copies.made().into_iter().for_each(|file| self.store.file_forget(file));
                return Err(fault);
            }
        }
        Ok(copies)
    }

    fn files_of_one_copied(
        &self,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        (loser, id): (RecordId, RecordId),
        copies: &mut Copies,
    ) -> Result<(), Fault> {
        let (records, who, definition) = (self.clone(), Arc::clone(actor), Arc::clone(object));
        // Nothing of it is disclosed: the appliance reads what it seals again.
        let opened = self.store.write(move |tx| {
            let system = records.system_actor(&who)?;
            let Some(row) = tx.read().row(&definition, loser, &[])? else { return Ok(Vec::new()) };
            let denial = |denied| records.denial(&system, Act::AttachmentRead, denied, Some(loser));
            let grant = tx.policy().grant::<Read>(&system, &definition, row.facts()).map_err(denial)?;
            let files = tx.read().attachments(&grant, &row)?;
            let mut opened = Vec::with_capacity(files.len());
            for file in files {
                let bytes = tx.read().attachment_bytes(&grant, &row, &file)?;
                opened.push((file, bytes));
            }
            Ok(opened)
        });
        for (old, mut bytes) in opened.wait()? {
            let new: RecordId = Id::generate(self.store.clock().as_ref(), self.store.random().as_ref());
            let definition = Arc::clone(object);
            let sealer = self.store.write(move |tx| {
                let row = tx.read().row(&definition, id, &[])?;
                let row = row.ok_or_else(|| Fault::new(Code::RecordNotFound, "The record is gone."))?;
                Ok(tx.attachment_seal(&row, new)?)
            });
            let limit = (limits::ATTACHMENT_BYTES_MAX, "ATTACHMENT_BYTES_MAX");
            let mut writer = self.store.file_writer(new, sealer.wait()?, limit)?;
            let mut part = vec![0; PART_BYTES];
            loop {
                let count = bytes.read(&mut part).map_err(Fault::internal)?;
                if count == 0 {
                    break;
                }
                writer.write(part.get(..count).unwrap_or_default())?;
            }
            copies.0.insert(old.id, writer.finish()?);
        }
        Ok(())
    }

    /// Exchanges the rows of the files; without copies they are only counted. Says how many are in sight.
    pub(super) fn files_follow(
        &self,
        tx: &mut WriteTx<'_, '_>,
        merge: &Merge<'_>,
        (survivor, losers): (&Side<'_>, &[Side<'_>]),
        copies: Option<&Copies>,
    ) -> Result<usize, Refused> {
        let object = merge.object;
        let (mut seen, mut total) = (0, tx.read().attachment_count(merge.id)?);
        for side in losers {
            let count = tx.read().attachment_count(side.row.id())?;
            total += count;
            if count == 0 {
                continue;
            }
            if total > limits::ATTACHMENTS_PER_RECORD_MAX {
                let most = limits::ATTACHMENTS_PER_RECORD_MAX;
                let detail =
                    format!("A record has at most {most} files (ATTACHMENTS_PER_RECORD_MAX); take some away first.");
                return Err(Fault::new(Code::LimitExceeded, detail).into());
            }
            if side.read.levels().files() >= Level::Read && survivor.read.levels().files() >= Level::Read {
                seen += count;
            }
            let Some(copies) = copies else { continue };
            let denial = |denied| self.denial(merge.system, Act::AttachmentAdd, denied, Some(merge.id));
            let policy = tx.policy();
            let read = policy.grant::<Read>(merge.system, object, side.row.facts()).map_err(denial)?;
            for old in tx.read().attachments(&read, &side.row)? {
                // One that came after the copies were made.
                let late = || Fault::new(Code::VersionConflict, "The files were changed meanwhile; merge again.");
                let copy = copies.0.get(&old.id).ok_or_else(late)?;
                let from = policy.grant::<Update>(merge.system, object, side.row.facts()).map_err(denial)?;
                let to = policy.grant::<Update>(merge.system, object, survivor.row.facts()).map_err(denial)?;
                tx.attachment_move((from, &side.row), (to, &survivor.row), (&old, copy), &merge.cause())?;
            }
        }
        Ok(seen)
    }
}
