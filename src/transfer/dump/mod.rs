//! Everything that one user may take, in formats that any program reads: records as JSON lines and CSV, links, files, and the
//! definitions as JSON Schema. So that nobody is locked in.
//!
//! It is an export in every respect: the user's scope, levels and masks decide, page by page with the rights of each moment, and
//! each page is in the log with its records and fields before a byte of it is handed on. Nobody gets more of it than of lists;
//! in particular nobody who only runs the machine. Where it goes, and sealed how, is the caller's affair.

mod schema;

use crate::exports::plain_cell;
use authz::AppAction;
use csv::WriterBuilder;
use identity::Actor;
use kernel::{Code, Fault, Outcome, RecordId, limits};
use metadata::{LinkDef, ObjectDef};
use records::{CountMode, ListRequest, ObjectView, RecordView, Records};
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;
use store::Store;

/// Bytes of one piece of a list of records: so much is in memory at a time.
const PIECE_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of the name of a file in a dump.
const NAME_BYTES_MAX: usize = 120;

/// Takes the files of a dump, one after the other.
pub trait DumpSink {
    /// One file of this length.
    ///
    /// # Errors
    /// What keeps it from being kept; the dump ends with it.
    fn file(&mut self, path: &str, bytes: u64, from: &mut dyn Read) -> Outcome<()>;
}

/// What a dump took of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DumpedObject {
    /// The object.
    pub object: String,
    /// Its records.
    pub records: u64,
    /// How many of them lie in the recycle bin.
    pub deleted: u64,
    /// Links that begin at them.
    pub links: u64,
    /// Their files.
    pub files: u64,
    /// Fields of which the user sees a mask or the existence only: they are not whole in here.
    pub reduced: Vec<String>,
}

/// Makes dumps. Every call blocks.
pub struct Dump {
    records: Records,
    store: Arc<Store>,
}

/// Which records have links, by relation, and which have files.
struct Ends {
    linked: Vec<(LinkDef, HashSet<RecordId>)>,
    files: HashSet<RecordId>,
}

/// One object on its way out.
struct Walk<'s> {
    view: ObjectView,
    fields: Vec<String>,
    ends: Ends,
    sink: &'s mut dyn DumpSink,
    lines: Pieces,
    csv: Pieces,
    links: Pieces,
    files: Pieces,
    told: DumpedObject,
}

impl Dump {
    /// Over this store.
    pub fn new(records: Records, store: Arc<Store>) -> Self {
        Self { records, store }
    }

    /// Hands everything that the actor may take to `sink`; what that was, by object. `note` says in the log for which dump.
    ///
    /// # Errors
    /// A refusal, which is logged, without the right to export; `access_denied` when the actor's rights end on the way.
    pub fn run(&self, actor: &Arc<Actor>, note: &str, sink: &mut dyn DumpSink) -> Outcome<Vec<DumpedObject>> {
        self.records.may_act(actor, AppAction::Export, audit::Verb::Export)?;
        let mut told = Vec::new();
        for view in self.records.objects(actor)? {
            if view.verbs.get("read") == Some(&true) {
                told.push(self.object(actor, view, note, sink)?);
            }
        }
        Ok(told)
    }

    fn object(
        &self,
        actor: &Arc<Actor>,
        view: ObjectView,
        note: &str,
        sink: &mut dyn DumpSink,
    ) -> Outcome<DumpedObject> {
        let object = view.definition.clone();
        let level = |field: &&str| view.access.get(*field).map_or("none", |access| access.level);
        let all = object.fields.iter().map(|field| field.name.as_str()).filter(|field| level(field) != "none");
        let fields: Vec<String> = all.map(str::to_owned).collect();
        let reduced = fields.iter().filter(|field| matches!(level(&field.as_str()), "masked" | "exists"));
        let told =
            DumpedObject { object: object.name.clone(), reduced: reduced.cloned().collect(), ..Default::default() };
        let name = &object.name;
        put_json(sink, &format!("schema/{name}.schema.json"), &schema::of(&object, &fields))?;
        put_json(sink, &format!("definitions/{name}.json"), &object)?;
        let ends = self.ends(object, view.attachments)?;
        let stem = |folder: &str| format!("{folder}/{}", told.object);
        let mut walk = Walk {
            lines: Pieces::new(stem("records"), "jsonl", Vec::new()),
            csv: Pieces::new(stem("records"), "csv", csv_head(&fields)?),
            links: Pieces::new(stem("links"), "jsonl", Vec::new()),
            files: Pieces::new(stem("files"), "jsonl", Vec::new()),
            view,
            fields,
            ends,
            sink,
            told,
        };
        self.walk(actor, &mut walk, note, false)?;
        if walk.view.verbs.get("delete") == Some(&true) {
            self.walk(actor, &mut walk, note, true)?;
        }
        walk.end()
    }

    /// Which records are asked for links and files.
    fn ends(&self, object: ObjectDef, files: &str) -> Outcome<Ends> {
        let with_files = matches!(files, "read" | "edit");
        let read = self.store.read(move |tx| {
            let mut linked = Vec::new();
            for link in &object.links {
                linked.push((link.clone(), tx.linked(&object, link)?));
            }
            let files = if with_files { tx.with_files(&object.name)? } else { HashSet::new() };
            Ok(Ends { linked, files })
        });
        read.wait()
    }

    fn walk(&self, actor: &Arc<Actor>, walk: &mut Walk<'_>, note: &str, deleted: bool) -> Outcome<()> {
        let mut actor = Arc::clone(actor);
        let mut cursor = None;
        loop {
            actor = self.records.still_acts(&actor, (AppAction::Export, audit::Verb::Export), note)?;
            let (items, next) = self.page(&actor, walk, (cursor, deleted), note)?;
            for record in &items {
                walk.record(record, deleted)?;
                if !deleted {
                    self.links(&actor, walk, record.id)?;
                    self.files(&actor, walk, record.id)?;
                }
            }
            if next.is_none() {
                return Ok(());
            }
            cursor = next;
        }
    }

    /// A page with all fields, in several calls where there are more than one takes.
    fn page(
        &self,
        actor: &Arc<Actor>,
        walk: &Walk<'_>,
        (cursor, deleted): (Option<String>, bool),
        note: &str,
    ) -> Outcome<(Vec<RecordView>, Option<String>)> {
        let mut page: Option<(Vec<RecordView>, Option<String>)> = None;
        for fields in walk.fields.chunks(limits::LIST_FIELDS_MAX) {
            let request = ListRequest {
                filter: None,
                sort: Vec::new(),
                fields: Some(fields.to_vec()),
                limit: Some(limits::PAGE_ROWS_MAX),
                cursor: cursor.clone(),
                count: CountMode::None,
                q: None,
                deleted,
            };
            let shown =
                self.records.export_page(actor, &walk.told.object, request, note.to_owned()).wait()?.into_view();
            match &mut page {
                None => page = Some((shown.items, shown.next)),
                Some((items, _)) => {
                    for more in shown.items {
                        if let Some(record) = items.iter_mut().find(|record| record.id == more.id) {
                            record.fields.extend(more.fields);
                            record.reduced.extend(more.reduced);
                        }
                    }
                }
            }
        }
        Ok(page.unwrap_or_default())
    }

    fn links(&self, actor: &Arc<Actor>, walk: &mut Walk<'_>, record: RecordId) -> Outcome<()> {
        let mut made = Vec::new();
        for (link, _) in walk.ends.linked.iter().filter(|(_, records)| records.contains(&record)) {
            let Some(found) = gone(self.records.links(actor, &walk.told.object, record, &link.name).wait())? else {
                continue;
            };
            made.extend(found.into_view().items.into_iter().map(|one| {
                json!({"relation": link.name, "from": record, "to_object": link.target, "to": one.record.id,
                    "role": one.role, "created_at": one.created_at})
            }));
        }
        for line in made {
            walk.told.links += 1;
            walk.links.line(&line, walk.sink)?;
        }
        Ok(())
    }

    fn files(&self, actor: &Arc<Actor>, walk: &mut Walk<'_>, record: RecordId) -> Outcome<()> {
        if !walk.ends.files.contains(&record) {
            return Ok(());
        }
        let object = walk.told.object.clone();
        let Some(list) = gone(self.records.attachments(actor, &object, record).wait())? else { return Ok(()) };
        for file in list.into_view().items {
            let opened = gone(self.records.attachment_open(actor, &object, record, (file.id, false)).wait())?;
            let Some(content) = opened else { continue };
            let mut content = content.into_view();
            let path = format!("files/{object}/{record}/{}-{}", file.id, file_name(&file.name));
            walk.sink.file(&path, content.view.size, &mut content.bytes)?;
            let line = json!({"record": record, "id": file.id, "name": file.name, "media_type": file.media_type,
                "bytes": file.size, "created_at": file.created_at, "created_by": file.created_by, "path": path});
            walk.told.files += 1;
            walk.files.line(&line, walk.sink)?;
        }
        Ok(())
    }
}

/// What went between two looks is left out; work goes on beside a dump.
fn gone<T>(found: Outcome<T>) -> Outcome<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(fault) if fault.code == Code::RecordNotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

impl Walk<'_> {
    fn record(&mut self, record: &RecordView, deleted: bool) -> Outcome<()> {
        self.told.records += 1;
        self.told.deleted += u64::from(deleted);
        let cell = |field: &String| {
            let value = record.fields.get(field).filter(|value| !value.is_null());
            // What is reduced is shown as far as it is shown; the existence alone is no value.
            plain_cell(value.or(record.reduced.get(field).filter(|value| value.is_string())).unwrap_or(&Json::Null))
        };
        let mut cells = vec![record.id.to_string(), record.version.to_string(), deleted.to_string()];
        cells.extend(self.fields.iter().map(cell));
        self.csv.bytes(&csv_line(&cells)?, self.sink)?;
        self.lines.line(record, self.sink)
    }

    fn end(mut self) -> Outcome<DumpedObject> {
        for pieces in [&mut self.lines, &mut self.csv, &mut self.links, &mut self.files] {
            pieces.end(self.sink)?;
        }
        Ok(self.told)
    }
}

/// A list that goes out in pieces, each a whole file with its own head.
struct Pieces {
    stem: String,
    kind: &'static str,
    head: Vec<u8>,
    number: u32,
    waiting: Vec<u8>,
}

impl Pieces {
    fn new(stem: String, kind: &'static str, head: Vec<u8>) -> Self {
        Self { stem, kind, waiting: head.clone(), head, number: 0 }
    }

    fn line(&mut self, value: &impl Serialize, sink: &mut dyn DumpSink) -> Outcome<()> {
        let mut line = serde_json::to_vec(value).map_err(Fault::internal)?;
        line.push(b'\n');
        self.bytes(&line, sink)
    }

    fn bytes(&mut self, line: &[u8], sink: &mut dyn DumpSink) -> Outcome<()> {
        self.waiting.extend_from_slice(line);
        if self.waiting.len() >= PIECE_BYTES { self.send(sink) } else { Ok(()) }
    }

    fn send(&mut self, sink: &mut dyn DumpSink) -> Outcome<()> {
        self.number += 1;
        let path = format!("{}-{:04}.{}", self.stem, self.number, self.kind);
        let piece = std::mem::replace(&mut self.waiting, self.head.clone());
        sink.file(&path, piece.len() as u64, &mut piece.as_slice())
    }

    /// The last piece, unless there is nothing in it.
    fn end(&mut self, sink: &mut dyn DumpSink) -> Outcome<()> {
        if self.waiting.len() > self.head.len() { self.send(sink) } else { Ok(()) }
    }
}

fn put_json(sink: &mut dyn DumpSink, path: &str, value: &impl Serialize) -> Outcome<()> {
    let mut text = serde_json::to_vec_pretty(value).map_err(Fault::internal)?;
    text.push(b'\n');
    sink.file(path, text.len() as u64, &mut text.as_slice())
}

fn csv_line(cells: &[String]) -> Outcome<Vec<u8>> {
    let mut writer = WriterBuilder::new().from_writer(Vec::with_capacity(256));
    writer.write_record(cells).map_err(Fault::internal)?;
    writer.into_inner().map_err(|error| Fault::internal(error.error()))
}

fn csv_head(fields: &[String]) -> Outcome<Vec<u8>> {
    let fixed = ["id", "version", "deleted"].map(str::to_owned);
    csv_line(&fixed.into_iter().chain(fields.iter().cloned()).collect::<Vec<_>>())
}

/// The name of a file, without what a path or a shell would take for something else.
fn file_name(name: &str) -> String {
    let plain = |char: char| if char.is_alphanumeric() || matches!(char, '.' | '-' | '_' | ' ') { char } else { '_' };
    let mut kept = String::new();
    for char in name.trim().chars().map(plain) {
        if kept.len() + char.len_utf8() > NAME_BYTES_MAX {
            break;
        }
        kept.push(char);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_their_folder() {
        for (name, kept) in [
            ("offer.pdf", "offer.pdf"),
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("报价 2026.pdf", "报价 2026.pdf"),
            ("a\u{0}b\nc`$(x)", "a_b_c___x_"),
        ] {
            assert_eq!(file_name(name), kept);
        }
        assert!(file_name(&"长".repeat(300)).len() <= NAME_BYTES_MAX);
    }
}
