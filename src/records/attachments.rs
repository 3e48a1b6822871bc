//! Files of records. Who reads a record at level `read` of its files lists and opens them; who may change it at level `edit`
//! adds and takes away. They follow the record into the bin and out of it. What passes through here is opened and sealed
//! chunk by chunk; a whole file is never in memory.

use crate::media::{HEAD_BYTES, is_previewable, media_type_of, name_allowed};
use crate::{DoneView, Pending, Records};
use audit::Verb as Act;
use authz::{Grant, Level, Read, Update, Verb};
use identity::Actor;
use kernel::{Code, Fault, Id, RecordId, Timestamp, UserId, limits};
use metadata::ObjectDef;
use serde::Serialize;
use std::sync::Arc;
use store::{Attachment, FileReader, FileWriter, ReadTx, Refused, StoredRow, WriteTx};

/// A file of a record.
#[derive(Clone, Debug, Serialize)]
pub struct AttachmentView {
    /// Its id.
    pub id: RecordId,
    /// What people call it.
    pub name: String,
    /// What it is, as its bytes showed.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// Whether it can be shown inside the page.
    pub preview: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: UserId,
}

/// The files of a record.
#[derive(Clone, Debug, Serialize)]
pub struct AttachmentsView {
    /// Newest first.
    pub items: Vec<AttachmentView>,
    /// Whether the reader may add files and take them away.
    pub editable: bool,
}

/// A file on its way out.
pub struct AttachmentContent {
    /// What it is.
    pub view: AttachmentView,
    /// Its bytes; an error on the way means that the file is damaged, and what came before it is worth nothing.
    pub bytes: FileReader,
}

/// A file on its way in. Dropped before its end, it leaves nothing behind.
pub struct Upload {
    records: Records,
    actor: Arc<Actor>,
    object: Arc<ObjectDef>,
    record: RecordId,
    name: String,
    writer: FileWriter,
    /// The first bytes, until they are enough to tell what it is.
    head: Vec<u8>,
    media_type: Option<&'static str>,
}

fn view_of(file: Attachment) -> AttachmentView {
    AttachmentView {
        id: file.id,
        preview: is_previewable(&file.media_type),
        name: file.name,
        media_type: file.media_type,
        size: file.size,
        created_at: file.created_at,
        created_by: file.created_by,
    }
}

fn unknown() -> Fault {
    Fault::new(Code::AttachmentUnknown, "The record has no such file.")
}

impl Records {
    /// The record and the right to its files.
    fn files_of<'a>(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &'a Actor,
        object: &Arc<ObjectDef>,
        (id, act): (RecordId, Act),
    ) -> Result<(StoredRow, Grant<'a, Read>), Refused> {
        let policy = self.policy();
        let denial = |denied| self.denial(actor, act, denied, Some(id));
        let scope = policy.scope(actor, object, Verb::Read).map_err(denial)?;
        let row = tx.row(object, id, &[])?.ok_or_else(|| self.missing(actor, act, &object.name, id))?;
        if row.deleted() {
            let _may_delete = policy
                .grant::<authz::Delete>(actor, object, row.facts())
                .map_err(|_| self.missing(actor, act, &object.name, id))?;
        }
        let grant = scope.grant(row.facts()).map_err(denial)?;
        if grant.levels().files() < Level::Read {
            let fault = Fault::new(Code::FieldDenied, "Your roles do not show you the files of this record.");
            return Err(self.field_denied(actor, act, &object.name, fault));
        }
        Ok((row, grant))
    }

    fn files_entry(&self, actor: &Actor, act: Act, grant: &Grant<'_, Read>) -> audit::Entry {
        let mut entry = self.store.entry(actor, act).on_record(grant.object(), grant.record());
        entry.decision.rules = grant.why().rules.clone();
        entry.decision.epoch = Some(grant.why().epoch);
        entry
    }

    /// The files of a record.
    pub fn attachments(&self, actor: &Arc<Actor>, object: &str, id: RecordId) -> Pending<AttachmentsView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| {
            let (row, grant) = records.files_of(tx, &actor, &definition, (id, Act::AttachmentList))?;
            let files = tx.attachments(&grant, &row)?;
            let mut entry = records.files_entry(&actor, Act::AttachmentList, &grant);
            entry.target.count = u64::try_from(files.len()).unwrap_or(u64::MAX);
            let change = records.policy().grant::<Update>(&actor, &definition, row.facts());
            let editable = !row.deleted() && change.is_ok_and(|grant| grant.levels().files() >= Level::Edit);
            let items = files.into_iter().map(view_of).collect();
            Ok((AttachmentsView { items, editable }, vec![entry]))
        }))
    }

    /// One file, to be read. A preview is logged as one.
    pub fn attachment_open(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        id: RecordId,
        (file, preview): (RecordId, bool),
    ) -> Pending<AttachmentContent> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| {
            let (row, grant) = records.files_of(tx, &actor, &definition, (id, Act::AttachmentRead))?;
            let found = tx.attachment(&grant, &row, file)?.ok_or_else(unknown)?;
            if preview && !is_previewable(&found.media_type) {
                let detail = "Only images and PDF can be shown inside the page; download the file.";
                return Err(Fault::new(Code::MediaTypeUnsupported, detail).into());
            }
            let bytes = tx.attachment_bytes(&grant, &row, &found)?;
            let mut entry = records.files_entry(&actor, Act::AttachmentRead, &grant);
            let how = if preview { "preview" } else { "download" };
            entry.note = format!("{how} of file {}, {} bytes", found.id, found.size);
            Ok((AttachmentContent { view: view_of(found), bytes }, vec![entry]))
        }))
    }

    /// The record and the right to change its files.
    fn files_to_change<'a>(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &'a Actor,
        object: &Arc<ObjectDef>,
        (id, act): (RecordId, Act),
    ) -> Result<(StoredRow, Grant<'a, Read>, Grant<'a, Update>), Refused> {
        let (row, read) = self.row_to_change(tx, actor, object, id, act)?;
        let grant = tx
            .policy()
            .grant::<Update>(actor, object, row.facts())
            .map_err(|denied| self.denial(actor, act, denied, Some(id)))?;
        if grant.levels().files() < Level::Edit || read.levels().files() < Level::Read {
            let fault = Fault::new(Code::FieldDenied, "Your roles do not let you change the files of this record.");
            return Err(self.field_denied(actor, act, &object.name, fault));
        }
        Ok((row, read, grant))
    }

    /// Begins to add a file. What follows is written to the upload; nothing is there before its end.
    pub fn attachment_begin(&self, actor: &Arc<Actor>, object: &str, id: RecordId, name: &str) -> Pending<Upload> {
        let found = self.definition(object).and_then(|definition| Ok((definition, name_allowed(name)?)));
        let (definition, name) = match found {
            Ok(found) => found,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        let file: RecordId = Id::generate(self.store.clock().as_ref(), self.store.random().as_ref());
        Pending::in_background(move || {
            let (worker, who, object) = (records.clone(), Arc::clone(&actor), Arc::clone(&definition));
            let sealer = records.store.write(move |tx| {
                let (row, ..) = worker.files_to_change(tx, &who, &object, (id, Act::AttachmentAdd))?;
                room_left(tx, id)?;
                Ok(tx.attachment_seal(&row, file)?)
            });
            let limit = (limits::ATTACHMENT_BYTES_MAX, "ATTACHMENT_BYTES_MAX");
            let writer = records.store.file_writer(file, sealer.wait()?, limit)?;
            let head = Vec::with_capacity(HEAD_BYTES);
            Ok(Upload { records, actor, object: definition, record: id, name, writer, head, media_type: None })
        })
    }

    /// Takes a file away for good.
    pub fn attachment_remove(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        id: RecordId,
        file: RecordId,
    ) -> Pending<DoneView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(self.store.write(move |tx| {
            let (row, read, grant) = records.files_to_change(tx, &actor, &definition, (id, Act::AttachmentRemove))?;
            let found = tx.read().attachment(&read, &row, file)?.ok_or_else(unknown)?;
            tx.attachment_remove(grant, &row, &found)?;
            Ok(DoneView { moved: true })
        }))
    }
}

fn room_left(tx: &mut WriteTx<'_, '_>, record: RecordId) -> Result<(), Refused> {
    if tx.read().attachment_count(record)? < limits::ATTACHMENTS_PER_RECORD_MAX {
        return Ok(());
    }
    let most = limits::ATTACHMENTS_PER_RECORD_MAX;
    let detail = format!("A record has at most {most} files (ATTACHMENTS_PER_RECORD_MAX); take one away first.");
    Err(Fault::new(Code::LimitExceeded, detail).into())
}

impl Upload {
    /// Adds bytes. Blocks on the disk: not for the event loop.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.media_type.is_none() {
            let room = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
            self.head.extend_from_slice(bytes.get(..room).unwrap_or_default());
            if self.head.len() == HEAD_BYTES {
                self.media_type = Some(media_type_of(&self.head)?);
            }
        }
        Ok(self.writer.write(bytes)?)
    }

    /// The end: the file is put on disk, then named by its record. Rights are asked again; they may have gone meanwhile.
    pub fn finish(self) -> Pending<AttachmentView> {
        let Self { records, actor, object, record, name, writer, head, media_type } = self;
        let media_type = match media_type.map_or_else(|| media_type_of(&head), Ok) {
            Ok(media_type) => media_type,
            Err(fault) => return Pending::failed(fault),
        };
        Pending::in_background(move || {
            let file = writer.finish()?;
            let (worker, id) = (records.clone(), file.id);
            let added = records.store.write(move |tx| {
                let (row, _, grant) = worker.files_to_change(tx, &actor, &object, (record, Act::AttachmentAdd))?;
                room_left(tx, record)?;
                Ok(view_of(tx.attachment_add(grant, &row, &file, (&name, media_type))?))
            });
            added.wait().inspect_err(|fault| {
                // Of a commit that may have been made, the file stays: the next start knows whether a row names it.
                if fault.code != Code::Unavailable {
                    records.store.file_forget(id);
                }
            })
        })
    }
}
