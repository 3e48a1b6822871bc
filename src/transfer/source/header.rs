//! The header line: the first record of the usual width that names its columns, perhaps below title lines.
//! A record with numbers or dates in it is data; where no record qualifies, the user must say what to do.

use super::record::Record;

/// How far down a header is looked for.
pub(crate) const HEADER_SEARCH_RECORDS: usize = 30;
/// Longest text that is taken for the name of a column.
const NAME_CHARS_MAX: usize = 200;

/// The columns of a file and where its data begin.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    /// The physical line of the header.
    pub(crate) line: Option<u64>,
    /// The names, trimmed, on one line each; `#1`… without a header.
    pub(crate) names: Vec<String>,
    /// Records with content above the header.
    pub(crate) titles: usize,
    /// The index of the first data record in the sample.
    pub(crate) data_index: usize,
    /// Data records begin on this line or below.
    pub(crate) data_line: u64,
    /// Why there is no header although one was expected.
    pub(crate) problem: Option<String>,
}

fn filled(record: &Record) -> usize {
    record.cells.iter().filter(|cell| !cell.trim().is_empty()).count()
}

/// `#1`, `#2`…: the header this product writes into reject files of sources without one.
fn is_numbered(record: &Record) -> bool {
    record.cells.iter().next() == Some("#1")
        && record.cells.iter().enumerate().all(|(index, cell)| {
            cell.strip_prefix('#').is_none_or(|number| number.parse() == Ok(index.saturating_add(1)))
        })
}

/// A number, a date, a telephone number, an e-mail address: a value, not a name.
fn is_value(cell: &str) -> bool {
    let cell = cell.trim();
    let chinese_date = cell.ends_with('日') && cell.contains('年');
    let mail = cell.split_once('@').is_some_and(|(_, domain)| domain.contains('.'));
    let positional = cell.strip_prefix('#').is_some_and(|number| number.parse::<usize>().is_ok());
    let digits = !positional && cell.chars().any(char::is_numeric) && !cell.chars().any(char::is_alphabetic);
    chinese_date || mail || digits
}

/// The index of the header among the first records.
pub(crate) fn find(records: &[Record], width: usize) -> Option<usize> {
    let index = records
        .iter()
        .take(HEADER_SEARCH_RECORDS)
        .position(|record| names_columns(record, width) && covers(record, records))?;
    let named = records.get(index).map_or(0, filled);
    // Whatever stands above must look like a title: far fewer cells than the header.
    let titles = records.get(..index).unwrap_or_default();
    titles.iter().all(|title| filled(title) <= (named / 2).max(1)).then_some(index)
}

fn names_columns(record: &Record, width: usize) -> bool {
    if is_numbered(record) {
        return true;
    }
    if record.cells.len() != width {
        return false;
    }
    let cells: Vec<&str> = record.cells.iter().map(str::trim).collect();
    let Some(last) = cells.iter().rposition(|cell| !cell.is_empty()) else { return false };
    let named = cells.get(..=last).unwrap_or_default();
    // An index column written by a program has no name; gaps elsewhere mean a drawing, not a table.
    let gaps = named.iter().skip(1).any(|cell| cell.is_empty()) || (last == 0 && width == 0);
    let values = named.iter().any(|cell| is_value(cell) || cell.chars().count() > NAME_CHARS_MAX);
    let mut distinct: Vec<&&str> = named.iter().collect();
    distinct.sort_unstable();
    distinct.dedup();
    !gaps && !values && distinct.len().saturating_mul(3) >= named.len().saturating_mul(2)
}

/// A title line has few cells while the rows below fill many: then it names nothing.
fn covers(header: &Record, records: &[Record]) -> bool {
    let below: Vec<&Record> = records.iter().filter(|record| record.line > header.line && !record.is_empty()).collect();
    let filled_cells = header.cells.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty());
    let named = filled_cells.last().map_or(0, |(last, _)| last.saturating_add(1));
    let beyond = below
        .iter()
        .filter(|record| record.cells.iter().skip(named).filter(|cell| !cell.trim().is_empty()).count() > 0)
        .count();
    beyond.saturating_mul(2) <= below.len()
}

/// Settles the header from what the user states and what the records show.
pub(crate) fn settle(records: &[Record], width: usize, stated: Option<bool>, line: Option<u64>) -> Header {
    let found = match (stated, line) {
        (_, Some(line)) => records.iter().position(|record| record.line == line),
        (Some(false), None) => records
            .iter()
            .position(|record| !record.is_empty())
            .filter(|first| records.get(*first).is_some_and(is_numbered)),
        (Some(true), None) => find(records, width).or_else(|| records.iter().position(|record| !record.is_empty())),
        (None, None) => find(records, width),
    };
    let Some(header) = found.and_then(|index| records.get(index)) else {
        return without(width, stated, line);
    };
    let index = found.unwrap_or(0);
    let mut names: Vec<String> = header.cells.iter().map(one_line).collect();
    let missing = width.saturating_sub(names.len());
    names.extend(std::iter::repeat_n(String::new(), missing));
    Header {
        line: Some(header.line),
        names,
        titles: records.get(..index).unwrap_or_default().iter().filter(|record| !record.is_empty()).count(),
        data_index: index.saturating_add(1),
        data_line: header.line.saturating_add(1),
        problem: None,
    }
}

fn one_line(cell: &str) -> String {
    cell.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn without(width: usize, stated: Option<bool>, line: Option<u64>) -> Header {
    let problem = match (stated, line) {
        (_, Some(line)) => Some(format!("No row begins on line {line}, which was stated as the header line.")),
        (Some(false), None) => None,
        (Some(true), None) => Some("The file is empty.".to_owned()),
        (None, None) => Some(
            "No header line was found: no row near the top names its columns without gaps, numbers or dates. State the \
             line of the header, or that there is none and map the columns by number (#1, #2…)."
                .to_owned(),
        ),
    };
    let names = (1..=width).map(|number| format!("#{number}")).collect();
    Header { line: None, names, titles: 0, data_index: 0, data_line: 0, problem }
}
