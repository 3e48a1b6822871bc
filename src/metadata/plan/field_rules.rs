//! The rules that a single field keeps, whoever wrote it. Each problem is a place inside the field, a code and a
//! sentence; no rule looks at another field or object.

use crate::{
    DeleteRule, EnumOption, FieldDef, FieldDraft, FieldType, IndexPart, Mask, Profile, SYSTEM_FIELD_NAMES, Sealing,
    Sensitivity, parse_value,
};
use kernel::{Code, Label, limits};
use std::collections::BTreeSet;

/// A broken rule: place in the field, code, words.
pub(super) type Problem = (&'static str, Code, String);

fn problem(place: &'static str, code: Code, detail: impl Into<String>) -> Problem {
    (place, code, detail.into())
}

/// What is wrong with a name: it has lower-case letters, digits and single underscores, beginning with a letter.
pub fn name_problem(name: &str) -> Option<String> {
    let fits = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .chars()
            .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_')
        && !name.contains("__")
        && !name.ends_with('_');
    if !fits {
        return Some("Expected lower-case letters, digits and single underscores, beginning with a letter.".to_owned());
    }
    (name.len() > limits::NAME_CHARS_MAX).then(|| format!("At most {} characters.", limits::NAME_CHARS_MAX))
}

/// A label with both languages; one that is missing is taken from the other, because customers often have one only.
pub fn complete_label(label: &Label) -> Result<Label, (Code, String)> {
    let (en, zh) = (label.en.trim(), label.zh.trim());
    if en.is_empty() && zh.is_empty() {
        return Err((Code::FieldRequired, "Give the label in at least one language.".to_owned()));
    }
    if en.chars().count() > limits::LABEL_CHARS_MAX || zh.chars().count() > limits::LABEL_CHARS_MAX {
        return Err((Code::ValueTooLong, format!("At most {} characters.", limits::LABEL_CHARS_MAX)));
    }
    Ok(Label::new(if en.is_empty() { zh } else { en }, if zh.is_empty() { en } else { zh }))
}

/// The sealing of a new field whose writer chose none.
fn usual_sealing(field_type: &FieldType, sensitivity: Sensitivity) -> Sealing {
    let personal = sensitivity >= Sensitivity::S2;
    match field_type {
        FieldType::Email | FieldType::Phone if personal => Sealing::Exact,
        // Free text collects personal data, whatever it was meant for.
        FieldType::LongText | FieldType::RichText if sensitivity >= Sensitivity::S1 => Sealing::Sealed,
        FieldType::Text { .. } | FieldType::Url | FieldType::Address | FieldType::File | FieldType::Json
            if personal =>
        {
            Sealing::Sealed
        }
        _ if sensitivity == Sensitivity::S3 => Sealing::Sealed,
        _ => Sealing::Plain,
    }
}

fn usual_mask(field_type: &FieldType) -> Option<Mask> {
    match field_type {
        FieldType::Phone => Some(Mask::Last4),
        FieldType::Email => Some(Mask::Mail),
        FieldType::Address => Some(Mask::Street),
        _ => None,
    }
}

/// A custom field from its draft: what was left open is chosen carefully. Unclassified counts as S3.
pub(super) fn resolve(draft: &FieldDraft) -> Result<FieldDef, String> {
    let sensitivity = draft.sensitivity.unwrap_or(Sensitivity::S3);
    let mut field = draft.clone().resolve(sensitivity, Sealing::Plain)?;
    if draft.sealing.is_none() {
        field.sealing = usual_sealing(&field.field_type, sensitivity);
        // A unique rule needs the exact index; whether the type can have one is checked with the other rules.
        if field.unique && field.sealing == Sealing::Sealed {
            field.sealing = Sealing::Exact;
        }
    }
    if field.mask.is_none() {
        field.mask = usual_mask(&field.field_type);
    }
    if let Ok(label) = complete_label(&field.label) {
        field.label = label;
    }
    if let FieldType::Enum { options } | FieldType::MultiEnum { options } = &mut field.field_type {
        for option in options {
            if let Ok(label) = complete_label(&option.label) {
                option.label = label;
            }
        }
    }
    field.custom = true;
    Ok(field)
}

/// Every broken rule of a new custom field.
pub(super) fn field_problems(field: &FieldDef, draft: &FieldDraft, profile: Profile) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(detail) = name_problem(&field.name) {
        problems.push(problem("/name", Code::ValueFormat, detail));
    }
    if SYSTEM_FIELD_NAMES.contains(&field.name.as_str()) {
        problems.push(problem("/name", Code::ValueNotUnique, "Every object already has a field of this name."));
    }
    if let Err((code, detail)) = complete_label(&field.label) {
        problems.push(problem("/label", code, detail));
    }
    if field.read_only {
        problems.push(problem(
            "/read_only",
            Code::FieldReadOnly,
            "Only the appliance's own fields are read-only; nobody could set this one.",
        ));
    }
    if field.retired {
        problems.push(problem("/retired", Code::FieldReadOnly, "A new field cannot be retired."));
    }
    type_problems(field, draft, &mut problems);
    sealing_problems(field, profile, &mut problems);
    use_problems(field, profile, &mut problems);
    problems.extend(mask_problem(field.mask, &field.field_type));
    problems.extend(alias_problem(&field.aliases));
    problems.extend(default_problem(field));
    problems
}

fn type_problems(field: &FieldDef, draft: &FieldDraft, problems: &mut Vec<Problem>) {
    match &field.field_type {
        FieldType::Text { max_chars: Some(max), .. } if *max == 0 || *max > limits::TEXT_CHARS_MAX => {
            problems.push(problem(
                "/max_chars",
                Code::ValueRange,
                format!("Expected a number from 1 to {}.", limits::TEXT_CHARS_MAX),
            ));
        }
        FieldType::Integer { min: Some(min), max: Some(max) } if min > max => {
            problems.push(problem("/min", Code::ValueRange, "The smallest value is above the largest."));
        }
        FieldType::Decimal { scale } if *scale > 9 => {
            problems.push(problem("/scale", Code::ValueRange, "Expected a number of decimals from 0 to 9."));
        }
        FieldType::Enum { options } | FieldType::MultiEnum { options } => {
            option_problems(options, "/options", problems)
        }
        FieldType::Reference { targets, on_delete, parent } => {
            reference_problems(field, targets, *on_delete, *parent, draft.on_delete.is_none(), problems);
        }
        _ => {}
    }
}

fn reference_problems(
    field: &FieldDef,
    targets: &[String],
    on_delete: DeleteRule,
    parent: bool,
    no_rule: bool,
    problems: &mut Vec<Problem>,
) {
    let unique: BTreeSet<&String> = targets.iter().collect();
    if targets.is_empty() {
        problems.push(problem("/targets", Code::FieldRequired, "Name at least one object."));
    }
    if targets.len() > limits::REFERENCE_TARGETS_MAX {
        problems.push(problem(
            "/targets",
            Code::ValueTooLong,
            format!("At most {} objects.", limits::REFERENCE_TARGETS_MAX),
        ));
    }
    if unique.len() < targets.len() {
        problems.push(problem("/targets", Code::ValueNotUnique, "An object is named twice."));
    }
    if no_rule {
        problems.push(problem(
            "/on_delete",
            Code::FieldRequired,
            "Say what happens when the other record is deleted: refuse, unlink or cascade.",
        ));
    } else if on_delete == DeleteRule::Unlink && (field.required || parent) {
        problems.push(problem(
            "/on_delete",
            Code::ValueNotAnOption,
            "A reference that must be set cannot be cleared: choose refuse or cascade.",
        ));
    }
    if parent && !field.required {
        problems.push(problem(
            "/parent",
            Code::FieldRequired,
            "A child cannot be without its parent: make the field required.",
        ));
    }
}

/// The rules of a list of options, of a field or of the roles of a relation.
pub(super) fn option_problems(options: &[EnumOption], place: &'static str, problems: &mut Vec<Problem>) {
    if !options.iter().any(|option| option.active) {
        problems.push(problem(place, Code::FieldRequired, "At least one option must be active."));
    }
    if options.len() > limits::ENUM_OPTIONS_MAX {
        problems.push(problem(place, Code::ValueTooLong, format!("At most {} options.", limits::ENUM_OPTIONS_MAX)));
    }
    let mut codes = BTreeSet::new();
    for option in options.iter().take(limits::ENUM_OPTIONS_MAX) {
        if let Some(detail) = name_problem(&option.code) {
            problems.push(problem(place, Code::ValueFormat, format!("A code is not valid. {detail}")));
        }
        if !codes.insert(&option.code) {
            problems.push(problem(place, Code::ValueNotUnique, format!("The code {} is there twice.", option.code)));
        }
        if let Err((code, detail)) = complete_label(&option.label) {
            problems.push(problem(place, code, detail));
        }
    }
}

fn sealing_problems(field: &FieldDef, profile: Profile, problems: &mut Vec<Problem>) {
    let free_text = matches!(field.field_type, FieldType::LongText | FieldType::RichText);
    if matches!(field.field_type, FieldType::Reference { .. }) {
        let sealed =
            field.sealing != Sealing::Plain || field.sealing_strict.is_some_and(|sealing| sealing != Sealing::Plain);
        if field.sensitivity == Sensitivity::S3 {
            problems.push(problem(
                "/sensitivity",
                Code::FieldRequired,
                "A reference cannot be sealed: classify it as S0, S1 or S2.",
            ));
        } else if sealed {
            problems.push(problem(
                "/sealing",
                Code::ValueNotAnOption,
                "A reference cannot be sealed: relations could not follow it.",
            ));
        }
        return;
    }
    if field.sealing != Sealing::Plain && field.sealing_strict == Some(Sealing::Plain) {
        problems.push(problem(
            "/sealing_strict",
            Code::ValueNotAnOption,
            "The strict profile cannot be weaker than the standard one.",
        ));
    }
    for (place, sealing) in [("/sealing", Some(field.sealing)), ("/sealing_strict", field.sealing_strict)] {
        match sealing {
            Some(Sealing::Exact) if !can_be_exact(&field.field_type) => {
                problems.push(problem(place, Code::ValueNotAnOption, "A blind index of this type would give its values away, or no value would be found by it: choose sealed."));
            }
            Some(Sealing::Plain) if field.sensitivity == Sensitivity::S3 => {
                problems.push(problem(
                    place,
                    Code::ValueNotAnOption,
                    "Values of sensitivity S3 are never plain; choose sealed, exact or memory.",
                ));
            }
            Some(Sealing::Plain) if field.sensitivity == Sensitivity::S2 && free_text => {
                problems.push(problem(
                    place,
                    Code::ValueNotAnOption,
                    "Free text about persons is never plain; choose sealed or memory.",
                ));
            }
            _ => {}
        }
    }
    part_problems(field, profile, problems);
}

fn part_problems(field: &FieldDef, profile: Profile, problems: &mut Vec<Problem>) {
    let sealing = field.sealing_in(profile);
    for part in &field.parts {
        let (fits, needs_exact) = match part {
            IndexPart::Last4 => (matches!(field.field_type, FieldType::Phone | FieldType::Text { .. }), true),
            IndexPart::Domain => (field.field_type == FieldType::Email, true),
            IndexPart::MonthDay => (field.field_type == FieldType::Date, false),
        };
        if !fits {
            problems.push(problem(
                "/parts",
                Code::ValueNotAnOption,
                "This part does not belong to the type of the field.",
            ));
        } else if sealing == Sealing::Plain || (needs_exact && sealing != Sealing::Exact) {
            problems.push(problem(
                "/parts",
                Code::ValueNotAnOption,
                "Only sealed values have parts; last4 and domain need the sealing exact.",
            ));
        }
    }
    let unique: BTreeSet<u8> = field.parts.iter().map(|part| *part as u8).collect();
    if unique.len() < field.parts.len() {
        problems.push(problem("/parts", Code::ValueNotUnique, "A part is named twice."));
    }
}

/// Types whose values are many and short. A number of fewer than 32 values is read off its index by counting.
fn can_be_exact(field_type: &FieldType) -> bool {
    match field_type {
        FieldType::Text { .. } | FieldType::Email | FieldType::Phone | FieldType::Url | FieldType::Decimal { .. } => {
            true
        }
        FieldType::Integer { min: Some(min), max: Some(max) } => max.saturating_sub(*min) >= 31,
        FieldType::Integer { .. } => true,
        _ => false,
    }
}

fn use_problems(field: &FieldDef, profile: Profile, problems: &mut Vec<Problem>) {
    let sealing = field.sealing_in(profile);
    if field.unique {
        let fits = can_be_exact(&field.field_type)
            || sealing == Sealing::Plain
                && matches!(field.field_type, FieldType::Date | FieldType::Timestamp | FieldType::Reference { .. });
        if !fits {
            problems.push(problem("/unique", Code::ValueNotAnOption, "Values of this type cannot be unique."));
        } else if matches!(sealing, Sealing::Sealed | Sealing::Memory) {
            problems.push(problem(
                "/unique",
                Code::ValueNotAnOption,
                "A sealed field can be unique only with the sealing exact.",
            ));
        }
    }
    problems.extend(searchable_problem(field, sealing));
    problems.extend(indexed_problem(field, sealing));
}

/// Why a field cannot be searchable.
pub(super) fn searchable_problem(field: &FieldDef, sealing: Sealing) -> Option<Problem> {
    if !field.searchable {
        return None;
    }
    if sealing != Sealing::Plain {
        return Some(problem(
            "/searchable",
            Code::FieldNotFilterable,
            "A sealed field cannot enter the search: its words would lie on the disk.",
        ));
    }
    let one_line =
        matches!(field.field_type, FieldType::Text { .. } | FieldType::Email | FieldType::Phone | FieldType::Url);
    (!one_line)
        .then(|| problem("/searchable", Code::FieldNotFilterable, "Only fields of one line of text can be searched."))
}

/// Why a field cannot have an index.
pub(super) fn indexed_problem(field: &FieldDef, sealing: Sealing) -> Option<Problem> {
    if !field.indexed || field.field_type == FieldType::Address {
        return None;
    }
    if sealing != Sealing::Plain {
        return Some(problem(
            "/indexed",
            Code::FieldNotFilterable,
            "A sealed field is found by its blind index only; leave indexed out.",
        ));
    }
    let long = matches!(
        field.field_type,
        FieldType::LongText | FieldType::RichText | FieldType::Json | FieldType::MultiEnum { .. } | FieldType::File
    );
    long.then(|| {
        problem("/indexed", Code::FieldNotFilterable, "Fields of this type cannot be sorted or compared by an index.")
    })
}

/// Why a mask does not fit a type.
pub(super) fn mask_problem(mask: Option<Mask>, field_type: &FieldType) -> Option<Problem> {
    let text = matches!(field_type, FieldType::Text { .. });
    let fits = match mask? {
        Mask::All => true,
        Mask::Last4 | Mask::First3Last4 => text || *field_type == FieldType::Phone,
        Mask::Name => text,
        Mask::Mail => text || *field_type == FieldType::Email,
        Mask::Street => *field_type == FieldType::Address,
        Mask::Year => *field_type == FieldType::Date,
    };
    (!fits).then(|| problem("/mask", Code::ValueNotAnOption, "This mask does not fit the type of the field."))
}

/// Why a list of import names cannot be.
pub(super) fn alias_problem(aliases: &[String]) -> Option<Problem> {
    if aliases.len() > limits::FIELD_ALIASES_MAX {
        return Some(problem("/aliases", Code::ValueTooLong, format!("At most {} names.", limits::FIELD_ALIASES_MAX)));
    }
    let bad = |alias: &String| alias.trim().is_empty() || alias.chars().count() > limits::LABEL_CHARS_MAX;
    aliases.iter().any(bad).then(|| {
        problem(
            "/aliases",
            Code::ValueFormat,
            format!("Expected names of 1 to {} characters.", limits::LABEL_CHARS_MAX),
        )
    })
}

/// Why a default cannot be.
pub(super) fn default_problem(field: &FieldDef) -> Option<Problem> {
    let default = field.default.as_ref()?;
    if field.unique {
        return Some(problem(
            "/default",
            Code::ValueNotUnique,
            "A unique field cannot have a default: the second record would be refused.",
        ));
    }
    parse_value(field, default, "").err().map(|item| problem("/default", item.code, item.detail))
}
