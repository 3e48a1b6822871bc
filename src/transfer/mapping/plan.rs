//! A mapping bound to a file and to its objects: columns are positions, rules are ready to run. Binding finds all errors
//! at once and lists every column that would be left out; running turns cells into drafts and never stops at the first
//! wrong cell of a row.

use super::{Mapping, OnExisting, WhenEmpty, bind::Binder};
use crate::{
    CreateMissing, DraftRecord, PendingLink, PendingReference, ReferenceBy, SourceFile, TargetObject,
    value::{Choices, Transform, ValueRule, Wrong, fold},
};
use csv::StringRecord;
use kernel::{Code, Fault, FaultItem, Outcome};
use serde_json::{Map, Value};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Columns that this product itself adds to reject files.
const OWN_COLUMNS: [&str; 3] = ["_line", "_code", "_reason"];

/// Where a text comes from.
pub(crate) enum Origin {
    /// One column.
    Column(usize),
    /// Several columns and what stands between their texts.
    Columns(Vec<usize>, String),
    /// The same for every row.
    Constant(String),
}

/// What becomes of a text that the value map does not know.
pub(crate) enum Unknown {
    Keep,
    Reject,
    Replace(String),
}

/// How a text is taken from a row.
pub(crate) struct TextRule {
    pub(crate) origin: Origin,
    pub(crate) values: HashMap<String, String>,
    pub(crate) unknown: Unknown,
    /// Texts that need no entry in the value map because they name options.
    pub(crate) options: Option<Choices>,
    pub(crate) transforms: Vec<Transform>,
    pub(crate) nulls: Arc<HashSet<String>>,
    pub(crate) trim: bool,
}

/// Blanks of every script, and the mark some programs leave at the start of a cell.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}')
}

impl TextRule {
    /// The text; `None` when there is no value.
    pub(crate) fn read(&self, cells: &StringRecord) -> Result<Option<String>, Wrong> {
        let cell = |index: &usize| self.cell(cells.get(*index).unwrap_or_default());
        let mut text = match &self.origin {
            Origin::Column(index) => cell(index)?,
            Origin::Constant(text) => self.cell(text)?,
            Origin::Columns(indexes, join) => {
                let parts: Vec<String> =
                    indexes.iter().filter_map(|index| cell(index).transpose()).collect::<Result<_, _>>()?;
                (!parts.is_empty()).then(|| parts.join(join))
            }
        };
        for transform in &self.transforms {
            text = match text {
                Some(text) => Some(transform.apply(&text)?).filter(|text| !text.is_empty()),
                None => None,
            };
        }
        Ok(text)
    }

    fn cell(&self, text: &str) -> Result<Option<String>, Wrong> {
        let text = if self.trim { trimmed(text) } else { text };
        if text.is_empty() || self.nulls.contains(text) {
            return Ok(None);
        }
        if self.values.is_empty() && matches!(self.unknown, Unknown::Keep) {
            return Ok(Some(text.to_owned()));
        }
        let mapped = match (self.values.get(&fold(text)), &self.unknown) {
            (Some(mapped), _) => mapped.clone(),
            (None, Unknown::Keep) => text.to_owned(),
            (None, _) if self.options.as_ref().is_some_and(|options| options.knows(text)) => text.to_owned(),
            (None, Unknown::Replace(other)) => other.clone(),
            (None, Unknown::Reject) => {
                return Err(Wrong::new(
                    Code::ValueNotAnOption,
                    "The value map of the mapping does not know this text.",
                ));
            }
        };
        Ok(Some(mapped).filter(|text| !text.is_empty()))
    }
}

/// Where a text goes.
pub(crate) enum Destination {
    Value(ValueRule),
    Reference { objects: Vec<String>, by: ReferenceBy, create_missing: CreateMissing },
}

/// One field, ready to run.
pub(crate) struct FieldPlan {
    pub(crate) field: String,
    pub(crate) part: Option<String>,
    /// How errors name the place.
    pub(crate) place: String,
    pub(crate) text: TextRule,
    pub(crate) currency_column: Option<usize>,
    pub(crate) destination: Destination,
    pub(crate) when_empty: WhenEmpty,
}

/// Links of one relation, ready to run.
pub(crate) struct LinkPlan {
    pub(crate) relation: String,
    pub(crate) role: Option<String>,
    pub(crate) place: String,
    pub(crate) text: TextRule,
    pub(crate) separator: Option<String>,
    pub(crate) objects: Vec<String>,
    pub(crate) by: ReferenceBy,
    pub(crate) create_missing: CreateMissing,
    pub(crate) required: bool,
}

/// One record of a row, ready to run.
pub(crate) struct RecordPlan {
    pub(crate) object: String,
    pub(crate) when: Option<(usize, Option<Vec<String>>)>,
    pub(crate) external_id: Option<(String, Vec<usize>)>,
    pub(crate) match_fields: Vec<String>,
    pub(crate) on_existing: OnExisting,
    pub(crate) fields: Vec<FieldPlan>,
    pub(crate) links: Vec<LinkPlan>,
}

/// A wrong cell: where, and what would be right.
pub(crate) type CellFault = (String, Wrong);

impl RecordPlan {
    /// Whether the row describes such a record at all.
    pub(crate) fn applies(&self, cells: &StringRecord) -> bool {
        self.when.as_ref().is_none_or(|(column, texts)| {
            let cell = trimmed(cells.get(*column).unwrap_or_default());
            texts.as_ref().map_or(!cell.is_empty(), |texts| texts.contains(&fold(cell)))
        })
    }

    /// The record that a row describes; what is wrong goes to `faults`.
    pub(crate) fn draft(&self, cells: &StringRecord, faults: &mut Vec<CellFault>) -> DraftRecord {
        let mut record = DraftRecord {
            object: self.object.clone(),
            external_id: None,
            match_fields: self.match_fields.clone(),
            on_existing: self.on_existing,
            fields: Map::new(),
            references: Vec::new(),
            links: Vec::new(),
        };
        if let Some((system, columns)) = &self.external_id {
            let parts: Vec<&str> = columns.iter().map(|index| trimmed(cells.get(*index).unwrap_or_default())).collect();
            if parts.iter().any(|part| part.is_empty()) {
                let detail = "The external id is empty; without it a second run would create the record again.";
                faults.push(("External id".to_owned(), Wrong::new(Code::FieldRequired, detail)));
            }
            record.external_id = Some((system.clone(), parts.join("/")));
        }
        for field in &self.fields {
            if let Err(wrong) = field.run(cells, &mut record) {
                faults.push((field.place.clone(), wrong));
            }
        }
        for link in &self.links {
            if let Err(wrong) = link.run(cells, &mut record) {
                faults.push((link.place.clone(), wrong));
            }
        }
        record
    }
}

impl FieldPlan {
    fn run(&self, cells: &StringRecord, record: &mut DraftRecord) -> Result<(), Wrong> {
        let Some(text) = self.text.read(cells)? else {
            return match self.when_empty {
                WhenEmpty::Skip => Ok(()),
                WhenEmpty::Clear => {
                    self.put(Value::Null, record);
                    Ok(())
                }
                WhenEmpty::Reject => Err(Wrong::new(Code::FieldRequired, "The value is missing.")),
            };
        };
        match &self.destination {
            Destination::Value(rule) => {
                let currency = self.currency_column.and_then(|index| cells.get(index));
                self.put(rule.convert(&text, currency)?, record);
            }
            Destination::Reference { objects, by, create_missing } => record.references.push(PendingReference {
                field: self.field.clone(),
                objects: objects.clone(),
                by: by.clone(),
                text,
                create_missing: create_missing.clone(),
            }),
        }
        Ok(())
    }

    /// Sets the field, or one part of it.
    fn put(&self, value: Value, record: &mut DraftRecord) {
        let Some(part) = &self.part else {
            record.fields.insert(self.field.clone(), value);
            return;
        };
        let whole = record.fields.entry(self.field.clone()).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(parts) = whole {
            parts.insert(part.clone(), value);
        }
    }
}

impl LinkPlan {
    fn run(&self, cells: &StringRecord, record: &mut DraftRecord) -> Result<(), Wrong> {
        let Some(text) = self.text.read(cells)? else {
            return if self.required { Err(Wrong::new(Code::FieldRequired, "The link is missing.")) } else { Ok(()) };
        };
        let names: Vec<&str> = match &self.separator {
            Some(separator) => text.split(separator.as_str()).map(trimmed).filter(|name| !name.is_empty()).collect(),
            None => vec![text.as_str()],
        };
        record.links.extend(names.into_iter().map(|name| PendingLink {
            relation: self.relation.clone(),
            role: self.role.clone(),
            objects: self.objects.clone(),
            by: self.by.clone(),
            text: name.to_owned(),
            create_missing: self.create_missing.clone(),
        }));
        Ok(())
    }
}

/// A mapping that fits its file and its objects.
pub struct Plan {
    pub(crate) main: RecordPlan,
    pub(crate) related: Vec<RecordPlan>,
    /// Columns that are neither mapped nor ignored.
    pub(crate) unmapped: Vec<usize>,
    bindings: Vec<(usize, String)>,
    warnings: Vec<String>,
}

impl Plan {
    /// What the user should know before the import starts, in words.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
    /// The fields (`object.field`) that take from each column, by position from 0.
    pub fn bindings(&self) -> &[(usize, String)] {
        &self.bindings
    }
}

/// Binds a mapping to a file and to the objects it names.
///
/// # Errors
/// [`Code::ImportMapping`] with one item per thing that does not fit; the pointers are into the mapping.
pub fn plan(mapping: &Mapping, targets: &[TargetObject], source: &SourceFile) -> Outcome<Plan> {
    if let Some(problem) = source.header_problem() {
        return Err(Fault::new(Code::ImportMapping, problem));
    }
    let mut binder = Binder::new(mapping, targets, source);
    let related: Vec<RecordPlan> =
        mapping.related.iter().enumerate().filter_map(|(index, rule)| binder.related(index, rule)).collect();
    let main = binder.main();
    let ignored: Vec<usize> = mapping.ignore_columns.iter().filter_map(|name| source.column_index(name)).collect();
    for name in &mapping.ignore_columns {
        match source.column_index(name) {
            None => binder.warn(format!("Column \"{name}\" is to be ignored, but the file has no such column.")),
            Some(index) if binder.uses(index) => {
                binder.warn(format!("Column \"{name}\" is both mapped and ignored; it is imported."))
            }
            Some(_) => {}
        }
    }
    let unmapped: Vec<usize> = (0..source.columns().len())
        .filter(|index| !binder.uses(*index) && !ignored.contains(index))
        .filter(|index| source.columns().get(*index).is_none_or(|name| !OWN_COLUMNS.contains(&name.as_str())))
        .collect();
    for index in &unmapped {
        let filled = source
            .sample()
            .iter()
            .filter(|record| record.cells.get(*index).is_some_and(|cell| !trimmed(cell).is_empty()))
            .count();
        if filled > 0 {
            let name = column_name(source.columns(), *index);
            binder.warn(format!(
                "Column {name} is neither mapped nor ignored: {filled} values in the sample would be left out."
            ));
        }
    }
    let (bindings, warnings, faults) = binder.finish();
    match main {
        Some(main) if faults.is_empty() => Ok(Plan { main, related, unmapped, bindings, warnings }),
        _ => Err(misfit(faults)),
    }
}

fn misfit(items: Vec<FaultItem>) -> Fault {
    let mut fault =
        Fault::new(Code::ImportMapping, "The mapping does not fit the file or the objects; see the list of errors.");
    fault.items = items;
    fault
}

/// A column for people: its name, or its number where it has none.
pub(crate) fn column_name(names: &[String], index: usize) -> String {
    match names.get(index).filter(|name| !name.is_empty()) {
        Some(name) => format!("\"{name}\""),
        None => format!("#{}", index.saturating_add(1)),
    }
}
