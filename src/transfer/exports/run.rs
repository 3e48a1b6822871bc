//! The making of a file on a thread of its own: page by page, each with the rights of its moment and in the log before it is
//! written. Taken away or cut off, it leaves no file.

use super::cells::Lines;
use super::columns::Columns;
use super::{Export, ExportProblem, ExportRequest, ExportState, Exports};
use authz::AppAction;
use identity::Actor;
use kernel::{Code, Fault, Outcome, limits};
use records::{CountMode, ListRequest};
use std::sync::Arc;
use store::{FileKept, FileWriter};

/// Pages between two signs of life.
const BEAT_EVERY: u64 = 5;

/// The list that is taken out.
pub(super) fn first_page(request: &ExportRequest, columns: &Columns) -> ListRequest {
    ListRequest {
        filter: request.filter.clone(),
        sort: request.sort.clone(),
        fields: Some(columns.fields.clone()),
        limit: Some(limits::PAGE_ROWS_MAX),
        cursor: None,
        count: CountMode::None,
        q: request.q.clone(),
        deleted: false,
    }
}

impl Exports {
    /// The whole export; whatever becomes of it is written down.
    pub(super) fn work(&self, actor: &Arc<Actor>, mut export: Export, columns: &Columns) {
        let (id, made) = (export.kept.id, self.make(actor, &mut export, columns));
        let (state, told) = match made {
            // Taken away by its user: nothing is left to write.
            Ok(None) => return,
            Ok(Some(file)) => {
                let digest: String = file.digest.iter().map(|byte| format!("{byte:02x}")).collect();
                let told =
                    format!("export {id} end: {} records, {} bytes, sha256 {digest}", export.body.rows, file.size);
                (export.body.size, export.body.digest) = (file.size, Some(digest));
                (ExportState::Ready, told)
            }
            Err(fault) => {
                let told = format!("export {id} failed after {} records: {}", export.body.rows, fault.code.as_str());
                export.body.problem = Some(ExportProblem { code: fault.code, detail: fault.detail });
                (ExportState::Failed, told)
            }
        };
        state.name().clone_into(&mut export.kept.state);
        export.body.finished_at = Some(self.store.clock().now());
        let written =
            self.records.export_note(actor, &export.body.object, &told).wait().and_then(|()| self.write(&export));
        match written {
            Ok(true) => {}
            Ok(false) => self.store.file_forget(id),
            // The store is closing, or cannot write: the export then counts as interrupted, its file goes with its row.
            Err(fault) => tracing::warn!(export = %id, code = fault.code.as_str(), "an export was interrupted"),
        }
    }

    /// Writes what is known; false when the export was taken away.
    fn write(&self, export: &Export) -> Outcome<bool> {
        let kept = export.sealed()?;
        self.store.write(move |tx| Ok(tx.export_write(&kept)?)).wait()
    }

    fn make(&self, actor: &Arc<Actor>, export: &mut Export, columns: &Columns) -> Outcome<Option<FileKept>> {
        let (id, object) = (export.kept.id, export.body.object.clone());
        let (locale, lines) = (export.body.locale(), Lines::new(export.body.request.format));
        let limit = (limits::EXPORT_BYTES_MAX, "EXPORT_BYTES_MAX");
        let mut writer: FileWriter = self.store.file_writer(id, self.store.export_seal(id)?, limit)?;
        writer.write(lines.mark())?;
        let heads: Vec<String> = columns.columns.iter().flat_map(|column| column.heads(locale)).collect();
        writer.write(&lines.line(&heads)?)?;
        let mut request = first_page(&export.body.request, columns);
        let mut actor = Arc::clone(actor);
        for page in 0u64.. {
            let note = format!("export {id}");
            actor = self.records.still_acts(&actor, (AppAction::Export, audit::Verb::Export), &note)?;
            if self.records.export_reach(&actor, &export.body.objects)? != export.body.reach {
                let detail = "Rights were changed while the file was made; make it anew.";
                return Err(Fault::new(Code::AccessDenied, detail));
            }
            let shown = self.records.export_page(&actor, &object, request.clone(), note).wait()?.into_view();
            for record in &shown.items {
                let cells: Vec<String> =
                    columns.columns.iter().flat_map(|column| column.cells(record, locale)).collect();
                writer.write(&lines.line(&cells)?)?;
                export.body.rows += 1;
            }
            if shown.next.is_none() {
                break;
            }
            if export.body.rows >= limits::EXPORT_ROWS_MAX {
                let most = limits::EXPORT_ROWS_MAX;
                let detail = format!("An export has at most {most} records (EXPORT_ROWS_MAX); filter the list.");
                return Err(Fault::new(Code::LimitExceeded, detail));
            }
            request.cursor = shown.next;
            if page.is_multiple_of(BEAT_EVERY) && !self.write(export)? {
                return Ok(None);
            }
        }
        Ok(Some(writer.finish()?))
    }
}
