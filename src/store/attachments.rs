//! Files of records: a row with a sealed name for each, bound to record and subject, and the bytes beside the database.
//! Adding and taking away write row and audit entry in one call; reading needs a grant that shows the files of the record.

use crate::engine::{Row, Sql};
use crate::files::{self, FileKept, FileReader};
use crate::rows::StoredRow;
use crate::write::Cause;
use crate::{ReadTx, StoreError, WriteTx};
use audit::Verb;
use authz::{Action, FILES, Grant, Level, Read, Update};
use kernel::{RecordId, Timestamp, UserId};
use metadata::{ColumnType, ObjectDef};
use minicbor::{Decoder, Encoder};
use std::sync::Arc;
use vault::{ChangePlace, Class, FilePlace, FileSealer};

/// The key class of files: nobody knows what is in them.
const CLASS: Class = Class::IdentityDocument;
const COLUMNS: &str =
    "SELECT \"id\", \"body\", \"size\", \"created_at\", \"created_by\" FROM \"k_attachment\" WHERE \"record\" = ";
const TYPES: [ColumnType; 5] =
    [ColumnType::Binary, ColumnType::Binary, ColumnType::Integer, ColumnType::Integer, ColumnType::Binary];

/// A file of a record.
#[derive(Clone)]
pub struct Attachment {
    /// Its id.
    pub id: RecordId,
    /// What people call it.
    pub name: String,
    /// What it is, as its bytes showed.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes.
    pub digest: [u8; 32],
    /// When it was added.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: UserId,
}

/// When a file was added, and by whom.
pub(crate) struct Added {
    pub(crate) at: Timestamp,
    pub(crate) by: UserId,
}

fn shows<A: Action>(grant: &Grant<'_, A>, row: &StoredRow, level: Level) -> Result<(), StoreError> {
    let same = grant.record() == row.id() && grant.object() == row.object().name;
    if same && grant.levels().files() >= level {
        Ok(())
    } else {
        Err(StoreError::damaged("a grant that does not reach the files of a record was used for them"))
    }
}

fn place(object: &ObjectDef, row: &StoredRow, id: RecordId) -> Result<ChangePlace, StoreError> {
    Ok(ChangePlace::of(object, row.id(), row.subject(), *id.as_bytes())?)
}

fn encode(name: &str, media_type: &str, digest: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
    let wrong = |error: minicbor::encode::Error<std::convert::Infallible>| StoreError::damaged(error.to_string());
    let mut encoder = Encoder::new(Vec::with_capacity(128));
    encoder.array(3).and_then(|e| e.str(name)?.str(media_type)?.bytes(digest)).map_err(wrong)?;
    Ok(encoder.into_writer())
}

fn decode(body: &[u8]) -> Result<(String, String, [u8; 32]), StoreError> {
    let wrong = |error: minicbor::decode::Error| StoreError::damaged(format!("the name of a file: {error}"));
    let mut decoder = Decoder::new(body);
    decoder.array().map_err(wrong)?;
    let name = decoder.str().map_err(wrong)?.to_owned();
    let media_type = decoder.str().map_err(wrong)?.to_owned();
    let digest = decoder.bytes().map_err(wrong)?.try_into();
    Ok((name, media_type, digest.map_err(|_| StoreError::damaged("the digest of a file has another length"))?))
}

impl ReadTx<'_> {
    fn attachment_of(&mut self, grant: &Grant<'_, Read>, of: &StoredRow, row: &Row) -> Result<Attachment, StoreError> {
        let damaged = || StoreError::damaged("a file has no id or maker");
        let id = row.id(0).ok_or_else(damaged)?;
        let place = place(of.object(), of, id)?;
        let (keys, mut store) = self.keys_and_store()?;
        let opened = keys.open_change(&mut store, grant, place, row.get(1).bin().unwrap_or_default())?;
        let (name, media_type, digest) = decode(opened.expose(grant)?)?;
        Ok(Attachment {
            id,
            name,
            media_type,
            size: row.int(2).and_then(|size| u64::try_from(size).ok()).ok_or_else(damaged)?,
            digest,
            created_at: Timestamp::from_micros(row.int(3).unwrap_or_default()),
            created_by: row.id(4).ok_or_else(damaged)?,
        })
    }

    /// The files of a record, newest first.
    pub fn attachments(&mut self, grant: &Grant<'_, Read>, of: &StoredRow) -> Result<Vec<Attachment>, StoreError> {
        shows(grant, of, Level::Read)?;
        let mut sql = Sql::new(COLUMNS);
        sql.bind(of.id()).push(" AND \"object\" = ").bind(of.object().name.as_str()).push(" ORDER BY \"id\" DESC");
        let rows = self.conn.rows(&sql, &TYPES)?;
        rows.iter().map(|row| self.attachment_of(grant, of, row)).collect()
    }

    /// One file of a record.
    pub fn attachment(
        &mut self,
        grant: &Grant<'_, Read>,
        of: &StoredRow,
        id: RecordId,
    ) -> Result<Option<Attachment>, StoreError> {
        shows(grant, of, Level::Read)?;
        let mut sql = Sql::new(COLUMNS);
        sql.bind(of.id()).push(" AND \"object\" = ").bind(of.object().name.as_str()).push(" AND \"id\" = ").bind(id);
        let row = self.conn.first(&sql, &TYPES)?;
        row.map(|row| self.attachment_of(grant, of, &row)).transpose()
    }

    /// How many files a record has.
    pub fn attachment_count(&mut self, record: RecordId) -> Result<usize, StoreError> {
        let mut sql = Sql::new("SELECT count(*) FROM \"k_attachment\" WHERE \"record\" = ");
        sql.bind(record);
        let row = self.conn.first(&sql, &[ColumnType::Integer])?;
        Ok(row.and_then(|row| usize::try_from(row.int(0)?).ok()).unwrap_or(0))
    }

    /// The bytes of a file, opened as they are read.
    pub fn attachment_bytes(
        &mut self,
        grant: &Grant<'_, Read>,
        of: &StoredRow,
        file: &Attachment,
    ) -> Result<FileReader, StoreError> {
        shows(grant, of, Level::Read)?;
        let place = FilePlace::of(of.object(), of.id(), of.subject(), file.id)?;
        let path = files::path_of(&self.shared.files.folder, file.id);
        let (keys, mut store) = self.keys_and_store()?;
        FileReader::open(&path, file.size, |header| Ok(keys.file_open(&mut store, grant, &place, header)?))
    }
}

impl WriteTx<'_, '_> {
    /// Begins to seal a file of a record. Its key is there once the unit has committed.
    pub fn attachment_seal(&mut self, row: &StoredRow, id: RecordId) -> Result<FileSealer, StoreError> {
        let place = FilePlace::of(row.object(), row.id(), row.subject(), id)?;
        let (keys, mut store) = self.read.keys_and_store()?;
        Ok(keys.file_seal(&mut store, &place, CLASS)?)
    }

    /// Adds a file that lies in its place already.
    pub fn attachment_add(
        &mut self,
        grant: Grant<'_, Update>,
        row: &StoredRow,
        file: &FileKept,
        (name, media_type): (&str, &str),
    ) -> Result<Attachment, StoreError> {
        let made = Added { at: self.now(), by: grant.actor().user() };
        self.attachment_insert(&grant, row, file, (name, media_type), made, &Cause::default())
    }

    pub(crate) fn attachment_insert(
        &mut self,
        grant: &Grant<'_, Update>,
        row: &StoredRow,
        file: &FileKept,
        (name, media_type): (&str, &str),
        made: Added,
        cause: &Cause,
    ) -> Result<Attachment, StoreError> {
        shows(grant, row, Level::Edit)?;
        let Added { at: now, by } = made;
        let body = encode(name, media_type, &file.digest)?;
        let place = place(row.object(), row, file.id)?;
        let (keys, mut store) = self.read.keys_and_store()?;
        let sealed = keys.seal_change(&mut store, &place, CLASS, &body)?;
        let size = i64::try_from(file.size).unwrap_or(i64::MAX);
        let mut sql = Sql::new(
            "INSERT INTO \"k_attachment\" (\"id\", \"object\", \"record\", \"body\", \"size\", \"created_at\", \"created_by\") VALUES (",
        );
        sql.bind(file.id).push(", ").bind(row.object().name.as_str()).push(", ").bind(row.id()).push(", ");
        sql.bind(sealed.as_slice()).push(", ").bind(size).push(", ").bind(now.micros()).push(", ").bind(by).push(")");
        self.conn().execute(&sql)?;
        self.log_attachment(grant, Verb::AttachmentAdd, row, (file.id, file.size, &file.digest), cause)?;
        let (name, media_type) = (name.to_owned(), media_type.to_owned());
        let (size, digest) = (file.size, file.digest);
        Ok(Attachment { id: file.id, name, media_type, size, digest, created_at: now, created_by: by })
    }

    /// Takes a file away for good. Its bytes go once that is on disk.
    pub fn attachment_remove(
        &mut self,
        grant: Grant<'_, Update>,
        row: &StoredRow,
        file: &Attachment,
    ) -> Result<(), StoreError> {
        shows(&grant, row, Level::Edit)?;
        let mut sql = Sql::new("DELETE FROM \"k_attachment\" WHERE \"id\" = ");
        sql.bind(file.id).push(" AND \"record\" = ").bind(row.id());
        self.conn().execute(&sql)?;
        let told = (file.id, file.size, &file.digest);
        self.log_attachment(&grant, Verb::AttachmentRemove, row, told, &Cause::default())?;
        let (shared, id) = (Arc::clone(self.read.shared), file.id);
        self.after_commit(move || shared.files.remove(id));
        Ok(())
    }

    /// The content is told by a keyed hash: the same file shows as the same, and nothing can be guessed from it.
    pub(crate) fn log_attachment(
        &mut self,
        grant: &Grant<'_, Update>,
        verb: Verb,
        row: &StoredRow,
        (id, size, digest): (RecordId, u64, &[u8; 32]),
        cause: &Cause,
    ) -> Result<(), StoreError> {
        let mac = self.read.shared.vault.audit_mac_file(&row.object().name, row.id(), digest)?;
        let mut entry = self.entry(grant.actor(), verb).on_record(grant.object(), grant.record());
        entry.actor.on_behalf_of = cause.on_behalf_of;
        entry.decision.rules = grant.why().rules.clone();
        entry.decision.epoch = Some(grant.why().epoch);
        let (before, after) = if verb == Verb::AttachmentAdd { (None, Some(mac)) } else { (Some(mac), None) };
        entry.changes = vec![audit::Change { field: FILES.to_owned(), before, after }];
        entry.note = format!("file {id}, {size} bytes");
        self.log_entry(&entry)
    }
}
