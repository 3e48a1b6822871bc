//! What was found out about a file and what a plan will do with it, as one value for printing or for the wire.
//! Never holds a cell: names of columns and counts only.

use crate::{Confidence, LineEnds, Plan, Proposal, Proposed, SourceFile};
use serde::Serialize;

/// One column of the file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnReport {
    /// Its position, from 1; `#1` names it in a mapping.
    pub number: usize,
    /// Its name; empty when it has none.
    pub name: String,
    /// Cells of the sample with a value.
    pub filled: usize,
    /// The fields (`object.field`) it goes to.
    pub fields: Vec<String>,
    /// Whether it is neither mapped nor ignored.
    pub left_out: bool,
}

/// All findings about a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DetectionReport {
    /// The encoding.
    pub encoding: String,
    /// How sure that is.
    pub confidence: Confidence,
    /// How it was decided.
    pub encoding_how: String,
    /// The delimiter, in words.
    pub delimiter: String,
    /// How it was decided.
    pub delimiter_how: String,
    /// How lines end.
    pub line_ends: LineEnds,
    /// The physical line of the header.
    pub header_line: Option<u64>,
    /// Lines with content above the header, which are not imported.
    pub title_lines: usize,
    /// The columns.
    pub columns: Vec<ColumnReport>,
    /// Rows of the sample these findings rest on.
    pub sample_rows: usize,
    /// Why the automatic mapping chose as it did; empty for a mapping from a file.
    pub proposals: Vec<Proposed>,
    /// What the user should know before the import starts.
    pub warnings: Vec<String>,
}

impl DetectionReport {
    /// Collects the findings; `plan` and `proposal` where they exist.
    pub fn new(source: &SourceFile, plan: Option<&Plan>, proposal: Option<&Proposal>) -> Self {
        let mut warnings: Vec<String> = source.header_problem().map(str::to_owned).into_iter().collect();
        if source.detection().confidence == Confidence::Low {
            warnings.push(format!(
                "The encoding {} is a guess; look at names with accents or Chinese characters before importing.",
                source.detection().encoding.name()
            ));
        }
        warnings.extend(plan.iter().flat_map(|plan| plan.warnings().iter().cloned()));
        Self {
            encoding: source.detection().encoding.name().to_owned(),
            confidence: source.detection().confidence,
            encoding_how: source.detection().how.clone(),
            delimiter: source.dialect().delimiter_name(),
            delimiter_how: source.dialect().how.clone(),
            line_ends: source.dialect().line_ends,
            header_line: source.header_line(),
            title_lines: source.title_lines(),
            columns: columns(source, plan),
            sample_rows: source.sample().len(),
            proposals: proposal.map(|proposal| proposal.decisions.clone()).unwrap_or_default(),
            warnings,
        }
    }
}

fn columns(source: &SourceFile, plan: Option<&Plan>) -> Vec<ColumnReport> {
    let report = |(index, name): (usize, &String)| {
        let filled = |cell: Option<&str>| cell.is_some_and(|cell| !cell.trim().is_empty());
        let fields = plan.iter().flat_map(|plan| plan.bindings()).filter(|(column, _)| *column == index);
        ColumnReport {
            number: index.saturating_add(1),
            name: name.clone(),
            filled: source.sample().iter().filter(|record| filled(record.cells.get(index))).count(),
            fields: fields.map(|(_, field)| field.clone()).collect(),
            left_out: plan.is_some_and(|plan| plan.unmapped.contains(&index)),
        }
    };
    source.columns().iter().enumerate().map(report).collect()
}
