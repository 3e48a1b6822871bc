//! Proposes a mapping from headers alone: equal names first, then the synonyms that exports of other systems and Chinese
//! spreadsheets use (`synonyms.json`). Every choice carries its reason; a doubtful one is listed and not applied, and no
//! field is ever given two columns.

use super::{ExternalIdRule, FieldRule, Mapping, ReferenceRule};
use crate::{SourceFile, TargetKind, TargetObject, target::ADDRESS_PARTS};
use kernel::{Fault, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization;

/// Why a column was proposed for a field; earlier reasons are better ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposalReason {
    /// The header is the name of the field.
    FieldName,
    /// The header is a label of the field.
    Label,
    /// The synonyms name this header for the field. They come before aliases because they know which of several fields
    /// of one object a header usually means: 公司全称 is the name of an account first, its legal name only beside one.
    Synonym,
    /// The header is an alias of the field.
    Alias,
    /// The header contains the name, or is contained in it. Never applied.
    Similar,
}

/// One considered pair of column and field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposed {
    /// The header.
    pub column: String,
    /// The field, or part of an address; `external_id` for the identifier in the source system.
    pub field: String,
    /// Why.
    pub reason: ProposalReason,
    /// Whether the proposed mapping has it. Otherwise it is doubtful, or its field or column has a better partner.
    pub applied: bool,
}

/// A proposed mapping and its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The mapping; the user may save and edit it.
    pub mapping: Mapping,
    /// All pairs that were considered.
    pub decisions: Vec<Proposed>,
}

/// The data file of synonyms: object (`*` for all) → field or address part → headers. `@address` holds the parts.
#[derive(Deserialize)]
struct Synonyms(BTreeMap<String, BTreeMap<String, Vec<String>>>);

const SYNONYMS: &str = include_str!("../synonyms.json");

/// A header without case, width, blanks and punctuation.
pub(super) fn key(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).filter(|character| character.is_alphanumeric()).collect()
}

/// The forms of a header that are compared: whole, and without a remark in parentheses such as a unit.
fn keys(header: &str) -> Vec<String> {
    let unified: String = header.nfkc().collect();
    let bare = unified.split_once('(').map_or("", |(before, _)| before);
    let mut keys = vec![key(&unified), key(bare)];
    keys.retain(|key| !key.is_empty());
    keys.dedup();
    keys
}

/// What a header may say, for one field or part.
struct Names {
    field: String,
    by_reason: Vec<(ProposalReason, Vec<String>)>,
}

fn names(target: &TargetObject, synonyms: &Synonyms) -> Vec<Names> {
    let empty = BTreeMap::new();
    let of = |object: &str| synonyms.0.get(object).unwrap_or(&empty);
    let listed = |field: &str| {
        let found = of(&target.name).get(field).or_else(|| of("*").get(field));
        found.into_iter().flatten().map(|word| key(word)).collect::<Vec<_>>()
    };
    let mut names = Vec::new();
    for field in &target.fields {
        names.push(Names {
            field: field.name.clone(),
            by_reason: vec![
                (ProposalReason::FieldName, vec![key(&field.name)]),
                (ProposalReason::Label, vec![key(&field.label.en), key(&field.label.zh)]),
                (ProposalReason::Alias, field.aliases.iter().map(|alias| key(alias)).collect()),
                (ProposalReason::Synonym, listed(&field.name)),
            ],
        });
        if field.kind != TargetKind::Address {
            continue;
        }
        for part in ADDRESS_PARTS {
            let full = format!("{}.{part}", field.name);
            let mut words = listed(&full);
            words.extend(
                of("@address")
                    .get(part)
                    .into_iter()
                    .flatten()
                    .filter(|_| is_main_address(target, &field.name))
                    .map(|word| key(word)),
            );
            // `Billing City`, `Work Zip`: the field's own prefix before the word for the part.
            let prefix = key(field.name.strip_suffix("_address").unwrap_or(&field.name));
            words.extend(of("@address").get(part).into_iter().flatten().map(|word| format!("{prefix}{}", key(word))));
            names.push(Names {
                by_reason: vec![(ProposalReason::FieldName, vec![key(&full)]), (ProposalReason::Synonym, words)],
                field: full,
            });
        }
    }
    names
}

/// A bare `City` belongs to the billing address, or else to the first address the object has.
fn is_main_address(target: &TargetObject, name: &str) -> bool {
    let mut addresses = target.fields.iter().filter(|field| field.kind == TargetKind::Address);
    let first = addresses.clone().next().map(|field| field.name.as_str());
    let billing = addresses.any(|field| field.name == "billing_address");
    if billing { name == "billing_address" } else { first == Some(name) }
}

fn reason(header: &[String], names: &Names) -> Option<ProposalReason> {
    let equal =
        names.by_reason.iter().find(|(_, words)| words.iter().any(|word| !word.is_empty() && header.contains(word)));
    if let Some((reason, _)) = equal {
        return Some(*reason);
    }
    // Two Chinese or five Latin characters are enough to be worth a look, not enough to be right.
    let telling = |word: &str| word.chars().count() >= if word.is_ascii() { 5 } else { 2 };
    let similar = |word: &String| {
        header.iter().any(|header| {
            (telling(word) && header.contains(word.as_str())) || (telling(header) && word.contains(header.as_str()))
        })
    };
    names.by_reason.iter().any(|(_, words)| words.iter().any(similar)).then_some(ProposalReason::Similar)
}

/// Proposes a mapping of a file onto an object. `system` names the source system; with it, a column that looks like the
/// identifier of the record becomes the external id.
///
/// # Errors
/// Only for a defect in the data file of synonyms, which a test excludes.
pub fn propose(source: &SourceFile, target: &TargetObject, system: Option<&str>) -> Outcome<Proposal> {
    let synonyms: Synonyms = serde_json::from_str(SYNONYMS).map_err(Fault::internal)?;
    let mut candidates: Vec<(ProposalReason, usize, String)> = Vec::new();
    let mut wanted = names(target, &synonyms);
    if system.is_some() {
        let words = ["id", "编号", "编码", "recordid", "主键", "序列号"].map(str::to_owned).to_vec();
        let own = [format!("{}id", key(&target.name)), format!("{}编号", "客户"), "客户id".to_owned()];
        let by_reason = vec![(ProposalReason::Synonym, words.into_iter().chain(own).collect())];
        wanted.push(Names { field: "external_id".to_owned(), by_reason });
    }
    for (index, header) in source.columns().iter().enumerate().filter(|(_, header)| !header.is_empty()) {
        let keys = keys(header);
        candidates.extend(wanted.iter().filter_map(|names| Some((reason(&keys, names)?, index, names.field.clone()))));
    }
    // Better reasons first, then the order of the columns; a stable sort keeps the order of the fields.
    candidates.sort_by_key(|(reason, index, _)| (*reason, *index));
    let mut mapping = Mapping::new(&target.name);
    let mut taken: Vec<(usize, String)> = Vec::new();
    let mut decisions = Vec::new();
    for (reason, index, field) in candidates {
        let column = source.columns().get(index).cloned().unwrap_or_default();
        let free = !taken.iter().any(|(column, name)| *column == index || same_place(name, &field));
        let applied = free && reason != ProposalReason::Similar;
        if applied {
            taken.push((index, field.clone()));
            apply(&mut mapping, target, &field, reference(source, index, &column), system);
        }
        // A doubtful pair whose column or field is settled tells nobody anything.
        if applied || free || reason != ProposalReason::Similar {
            decisions.push(Proposed { column, field, reason, applied });
        }
    }
    Ok(Proposal { mapping, decisions })
}

/// A whole address takes its street, so the two cannot both be mapped.
fn same_place(one: &str, other: &str) -> bool {
    let whole = |name: &str| name.strip_suffix(".street").map_or_else(|| name.to_owned(), str::to_owned);
    whole(one) == whole(other)
}

/// How the mapping names a column: by its header, or by number where an earlier one has the same header.
fn reference(source: &SourceFile, index: usize, header: &str) -> String {
    if source.column_index(header) == Some(index) { header.to_owned() } else { format!("#{}", index.saturating_add(1)) }
}

fn apply(mapping: &mut Mapping, target: &TargetObject, field: &str, column: String, system: Option<&str>) {
    if let (Some(system), "external_id") = (system, field) {
        mapping.external_id =
            Some(ExternalIdRule { system: system.to_owned(), column: Some(column), columns: Vec::new() });
        return;
    }
    let reference = match target.field(field).map(|field| &field.kind) {
        Some(TargetKind::Reference { by, .. }) => {
            Some(ReferenceRule { by: by.clone(), system: None, object: None, create_missing: None })
        }
        _ => None,
    };
    mapping.fields.insert(field.to_owned(), FieldRule { column: Some(column), reference, ..FieldRule::default() });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_synonyms_are_well_formed_and_unambiguous() {
        let synonyms: Synonyms = serde_json::from_str(SYNONYMS).unwrap();
        for (object, fields) in &synonyms.0 {
            let mut owners: BTreeMap<String, &String> = BTreeMap::new();
            for (field, words) in fields {
                assert!(!words.is_empty(), "{object}.{field}");
                for word in words.iter().map(|word| key(word)) {
                    assert!(!word.is_empty(), "{object}.{field}");
                    // The general part serves objects with different fields, so there one word may have several.
                    let other = owners.insert(word.clone(), field).filter(|other| *other != field && object != "*");
                    assert_eq!(other, None, "{object}: {word} means two fields");
                }
            }
        }
    }
}
