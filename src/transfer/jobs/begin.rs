//! The first steps of an import: the file comes, encoding, delimiter and header are found, a mapping is proposed, and its
//! user changes it. Nothing of it writes a record.

use super::{Body, Import, ImportProblem, ImportState, ImportView, Imports, SampleView, too_many, view::RejectedLine};
use crate::{DetectionReport, Mapping, SourceFile, plan, propose, targets::targets_for};
use identity::Actor;
use kernel::{Code, Fault, Id, Outcome, RecordId, limits};
use serde::Deserialize;
use std::sync::Arc;
use store::{FileWriter, ImportKept};

/// Characters of a cell of the sample.
const SAMPLE_CELL_CHARS: usize = 200;

/// What to change about an import before it begins.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImportPatch {
    /// The object of its rows; without a mapping beside it, or with one that maps nothing yet, one is proposed.
    pub object: Option<String>,
    /// Which column goes where, what values mean, and what to do with records that are there.
    pub mapping: Option<Mapping>,
}

/// The file of an import on its way in. Dropped before its end, it leaves nothing behind.
pub struct ImportUpload {
    imports: Imports,
    actor: Arc<Actor>,
    id: RecordId,
    name: String,
    object: Option<String>,
    writer: FileWriter,
}

impl Imports {
    /// Begins an import; its file follows. Old ones of its user go.
    pub fn begin(&self, actor: &Arc<Actor>, file_name: &str, object: Option<String>) -> Outcome<ImportUpload> {
        self.may(actor)?;
        let name = records::file_name_allowed(file_name)?;
        if let Some(object) = &object {
            self.records.object(actor, object)?;
        }
        let (user, oldest) = (actor.user(), self.store.clock().now().plus_seconds(-limits::IMPORT_SECONDS));
        let pruned = self.store.write(move |tx| {
            let mut left = 0;
            for import in tx.read().imports(user)? {
                if import.beat_at < oldest {
                    tx.import_drop(import.id)?;
                } else {
                    left += 1;
                }
            }
            if left < limits::IMPORTS_PER_USER_MAX { Ok(()) } else { Err(too_many().into()) }
        });
        pruned.wait()?;
        let id: RecordId = Id::generate(self.store.clock().as_ref(), self.store.random().as_ref());
        let limit = (limits::IMPORT_FILE_BYTES_MAX, "IMPORT_FILE_BYTES_MAX");
        let writer = self.store.file_writer(id, self.store.import_seal(id)?, limit)?;
        Ok(ImportUpload { imports: self.clone(), actor: Arc::clone(actor), id, name, object, writer })
    }

    /// Changes object or mapping.
    pub fn patch(&self, actor: &Arc<Actor>, id: RecordId, patch: ImportPatch) -> Outcome<ImportView> {
        self.may(actor)?;
        let mut import = self.found(actor, id)?;
        self.must_be_open(&import)?;
        if let Some(mapping) = &patch.mapping {
            let bytes = serde_json::to_vec(mapping).map_err(Fault::internal)?.len();
            if bytes > limits::IMPORT_MAPPING_BYTES_MAX {
                let detail = format!("At most {} bytes (IMPORT_MAPPING_BYTES_MAX).", limits::IMPORT_MAPPING_BYTES_MAX);
                return Err(Fault::new(Code::LimitExceeded, detail));
            }
        }
        let object = patch.object.or_else(|| patch.mapping.as_ref().map(|mapping| mapping.object.clone()));
        let Some(object) = object.or(import.body.object.take()) else {
            return Err(Fault::new(Code::ImportMapping, "Name the object that a row becomes a record of."));
        };
        self.records.object(actor, &object)?;
        if patch.mapping.as_ref().is_some_and(|mapping| mapping.object != object) {
            return Err(Fault::new(Code::ImportMapping, "The mapping is for another object."));
        }
        let proposed = patch.mapping.as_ref().is_none_or(Mapping::is_bare);
        import.body.object = Some(object);
        import.body.mapping = patch.mapping;
        let body = self.looked_at(actor, &import, proposed)?;
        let imports = self.clone();
        let import = self.changed(actor, id, move |import| {
            imports.must_be_open(import)?;
            import.body = body;
            ImportState::New.name().clone_into(&mut import.kept.state);
            Ok(())
        })?;
        self.view(&import, true)
    }

    /// What can be found out about the file with the mapping there is; proposes one where `proposed`. A mapping of the user
    /// that does not fit is an error with all its reasons, a file that cannot be read is part of the answer.
    fn looked_at(&self, actor: &Arc<Actor>, import: &Import, proposed: bool) -> Outcome<Body> {
        let mut body =
            Body { dry_run: None, first_errors: Vec::<RejectedLine>::new(), problem: None, ..import.body.clone() };
        let source = match self.source(import) {
            Ok(source) => source,
            Err(fault) => {
                (body.detection, body.sample) = (None, None);
                body.problem = Some(ImportProblem { code: fault.code, detail: fault.detail });
                return Ok(body);
            }
        };
        body.sample = Some(sample_of(&source));
        let targets = targets_for(&self.records, actor)?;
        let target = body.object.as_ref().and_then(|object| targets.iter().find(|target| target.name == *object));
        let Some(target) = target else {
            body.detection = Some(shown(&DetectionReport::new(&source, None, None))?);
            return Ok(body);
        };
        let proposal = if proposed { Some(propose(&source, target, None)?) } else { None };
        if let Some(proposal) = &proposal {
            let said = body.mapping.as_ref().map(Mapping::open_options).unwrap_or_default();
            body.mapping = Some(proposal.mapping.clone().reading(said));
        }
        let planned = body.mapping.as_ref().map(|mapping| plan(mapping, &targets, &source)).transpose();
        match planned {
            Ok(plan) => {
                body.detection = Some(shown(&DetectionReport::new(&source, plan.as_ref(), proposal.as_ref()))?);
            }
            Err(fault) if proposed => {
                body.detection = Some(shown(&DetectionReport::new(&source, None, proposal.as_ref()))?);
                body.problem = Some(ImportProblem { code: fault.code, detail: fault.detail });
            }
            Err(fault) => return Err(fault),
        }
        Ok(body)
    }
}

impl ImportUpload {
    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Outcome<()> {
        Ok(self.writer.write(bytes)?)
    }

    /// The end of the file: it is looked at, and a mapping is proposed where the object is known.
    pub fn finish(self) -> Outcome<ImportView> {
        let Self { imports, actor, id, name, object, writer } = self;
        let file = writer.finish()?;
        let store = Arc::clone(&imports.store);
        let kept = imports.keep(&actor, id, Body { file_name: name, size: file.size, object, ..Body::default() });
        kept.inspect_err(|fault| {
            // Of a commit that may have been made, the file stays: the next start knows whether a row names it.
            if fault.code != Code::Unavailable {
                store.file_forget(id);
            }
        })
    }
}

impl Imports {
    fn keep(&self, actor: &Arc<Actor>, id: RecordId, body: Body) -> Outcome<ImportView> {
        let now = self.store.clock().now();
        let kept = ImportKept {
            id,
            user: actor.user(),
            state: ImportState::New.name().to_owned(),
            wanted: String::new(),
            boot: Id::from_bytes(*self.store.boot().as_bytes()),
            body: Vec::new(),
            progress: String::new(),
            at: now,
            beat_at: now,
            finished_at: None,
        };
        let mut import = Import { kept, body };
        import.body = self.looked_at(actor, &import, import.body.object.is_some())?;
        let view = self.view(&import, true)?;
        let (size, kept, who) = (import.body.size, import.sealed()?, Arc::clone(actor));
        let written = self.store.write(move |tx| {
            // Asked again: others of the same user may have come while the file did.
            if tx.read().imports(kept.user)?.len() >= limits::IMPORTS_PER_USER_MAX {
                return Err(too_many().into());
            }
            tx.import_insert(&kept)?;
            let mut entry = tx.entry(&who, audit::Verb::Import);
            entry.note = format!("file of import {id}, {size} bytes");
            Ok(tx.log_entry(&entry)?)
        });
        written.wait()?;
        Ok(view)
    }
}

fn shown(report: &DetectionReport) -> Outcome<serde_json::Value> {
    serde_json::to_value(report).map_err(Fault::internal)
}

fn sample_of(source: &SourceFile) -> SampleView {
    let cut = |cell: &str| cell.chars().take(SAMPLE_CELL_CHARS).collect::<String>();
    let rows = source.sample().iter().take(limits::IMPORT_SAMPLE_ROWS);
    SampleView {
        columns: source.columns().to_vec(),
        rows: rows.map(|record| record.cells.iter().map(cut).collect()).collect(),
    }
}
