//! Binding: each rule of a mapping is checked against the columns of the file and the fields of the object and made ready
//! to run. Every error is kept with its place; nothing is repaired by guessing.

use super::{
    ColumnWhen, ExternalIdRule, FieldRule, LinkRule, Mapping, OnExisting, ReferenceRule, RelatedRule, WhenEmpty,
    plan::{Destination, FieldPlan, LinkPlan, Origin, RecordPlan, TextRule, Unknown, column_name},
};
use crate::{
    ReferenceBy, SourceFile, TargetField, TargetKind, TargetObject,
    target::ADDRESS_PARTS,
    value::{Choices, Transform, fold},
};
use kernel::{Code, FaultItem};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

/// The state of binding one mapping.
pub(super) struct Binder<'a> {
    pub(super) mapping: &'a Mapping,
    targets: &'a [TargetObject],
    pub(super) source: &'a SourceFile,
    nulls: Arc<HashSet<String>>,
    used: Vec<bool>,
    bindings: Vec<(usize, String)>,
    warnings: Vec<String>,
    faults: Vec<FaultItem>,
}

/// The members that records of both ranks share.
struct RecordRule<'a> {
    object: &'a str,
    external_id: Option<&'a ExternalIdRule>,
    match_fields: &'a [String],
    on_existing: OnExisting,
    fields: &'a BTreeMap<String, FieldRule>,
    links: &'a [LinkRule],
    when: Option<&'a ColumnWhen>,
}

impl<'a> Binder<'a> {
    pub(super) fn new(mapping: &'a Mapping, targets: &'a [TargetObject], source: &'a SourceFile) -> Self {
        Self {
            mapping,
            targets,
            source,
            nulls: Arc::new(mapping.defaults.null_values.iter().cloned().collect()),
            used: vec![false; source.columns().len()],
            bindings: Vec::new(),
            warnings: Vec::new(),
            faults: Vec::new(),
        }
    }
    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }
    pub(super) fn uses(&self, index: usize) -> bool {
        self.used.get(index).copied().unwrap_or(false)
    }
    pub(super) fn finish(self) -> (Vec<(usize, String)>, Vec<String>, Vec<FaultItem>) {
        (self.bindings, self.warnings, self.faults)
    }
    pub(super) fn fault(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.faults.push(FaultItem { pointer: pointer.into(), code: Code::ImportMapping, detail: detail.into() });
    }

    pub(super) fn main(&mut self) -> Option<RecordPlan> {
        let mapping = self.mapping;
        let rule = RecordRule {
            object: &mapping.object,
            external_id: mapping.external_id.as_ref(),
            match_fields: &mapping.match_fields,
            on_existing: mapping.on_existing,
            fields: &mapping.fields,
            links: &mapping.links,
            when: None,
        };
        self.record("", &rule)
    }
    pub(super) fn related(&mut self, index: usize, rule: &RelatedRule) -> Option<RecordPlan> {
        let shared = RecordRule {
            object: &rule.object,
            external_id: rule.external_id.as_ref(),
            match_fields: &rule.match_fields,
            on_existing: rule.on_existing,
            fields: &rule.fields,
            links: &rule.links,
            when: rule.when.as_ref(),
        };
        self.record(&format!("/related/{index}"), &shared)
    }

    fn record(&mut self, at: &str, rule: &RecordRule<'_>) -> Option<RecordPlan> {
        let Some(target) = self.targets.iter().find(|target| target.name == rule.object) else {
            self.fault(format!("{at}/object"), format!("There is no object \"{}\".", rule.object));
            return None;
        };
        let when = rule.when.and_then(|when| {
            let column = self.column(&when.column, &format!("{at}/when/column"), None)?;
            Some((column, when.equals.as_ref().map(|texts| texts.iter().map(|text| fold(text)).collect())))
        });
        let external_id = rule.external_id.and_then(|id| self.external_id(at, rule.object, id));
        for name in rule.match_fields {
            if !rule.fields.contains_key(name) {
                self.fault(
                    format!("{at}/match"),
                    format!("Field \"{name}\" is to find existing records, but has no rule."),
                );
            }
        }
        if rule.external_id.is_none() && rule.match_fields.is_empty() {
            let object = rule.object;
            self.warn(format!(
                "Records of {object} have no external_id and no match: a second run would create them again."
            ));
        }
        let fields = rule.fields.iter().filter_map(|(name, field)| self.field(at, target, name, field)).collect();
        let links = rule
            .links
            .iter()
            .enumerate()
            .filter_map(|(index, link)| self.link(&format!("{at}/links/{index}"), target, link));
        let links = links.collect();
        Some(RecordPlan {
            object: rule.object.to_owned(),
            when,
            external_id,
            match_fields: rule.match_fields.to_vec(),
            on_existing: rule.on_existing,
            fields,
            links,
        })
    }

    fn column(&mut self, name: &str, pointer: &str, bound_to: Option<String>) -> Option<usize> {
        let Some(index) = self.source.column_index(name) else {
            self.fault(pointer, format!("The file has no column \"{name}\"."));
            return None;
        };
        let same = self.source.columns().iter().filter(|column| *column == name && !column.is_empty()).count();
        if same > 1 {
            self.warn(format!(
                "{same} columns are called \"{name}\"; the first is meant. Name the others by number, such as #{}.",
                index.saturating_add(2)
            ));
        }
        if let Some(used) = self.used.get_mut(index) {
            *used = true;
        }
        self.bindings.extend(bound_to.map(|field| (index, field)));
        Some(index)
    }

    fn external_id(&mut self, at: &str, object: &str, rule: &ExternalIdRule) -> Option<(String, Vec<usize>)> {
        let pointer = format!("{at}/external_id");
        if rule.system.trim().is_empty() || rule.column.is_some() != rule.columns.is_empty() {
            self.fault(&pointer, "State the system, and either column or columns.");
            return None;
        }
        let names: Vec<&String> = rule.column.iter().chain(&rule.columns).collect();
        let columns: Vec<usize> = names
            .iter()
            .filter_map(|name| self.column(name, &pointer, Some(format!("{object}.external_ids[{}]", rule.system))))
            .collect();
        (columns.len() == names.len()).then(|| (rule.system.clone(), columns))
    }

    fn field(&mut self, at: &str, target: &TargetObject, name: &str, rule: &FieldRule) -> Option<FieldPlan> {
        let pointer = format!("{at}/fields/{}", name.replace('~', "~0").replace('/', "~1"));
        let (base, part) = name.split_once('.').map_or((name, None), |(base, part)| (base, Some(part)));
        let Some(field) = target.field(base) else {
            self.fault(&pointer, format!("Object {} has no field \"{base}\".", target.name));
            return None;
        };
        let part = match (&field.kind, part) {
            (TargetKind::Address, None) => Some("street"),
            (TargetKind::Address, Some(part)) if ADDRESS_PARTS.contains(&part) => Some(part),
            (_, None) => None,
            (_, Some(_)) => {
                self.fault(&pointer, format!("Only addresses have parts: {}.", ADDRESS_PARTS.join(", ")));
                return None;
            }
        };
        self.check_members(&pointer, field, rule);
        let text = self.text(&pointer, &format!("{}.{name}", target.name), rule, field)?;
        let place = match &text.origin {
            Origin::Column(index) => format!("Field {name} (column {})", column_name(self.source.columns(), *index)),
            _ => format!("Field {name}"),
        };
        let destination = match &field.kind {
            TargetKind::Reference { objects, by } => self.reference(&pointer, objects, by, rule.reference.as_ref())?,
            _ => Destination::Value(self.value(&pointer, field, rule, &text)?),
        };
        let currency_column = rule.currency_column.as_ref().and_then(|column| {
            self.column(column, &format!("{pointer}/currency_column"), Some(format!("{}.{name}", target.name)))
        });
        let (field, part) = (field.name.clone(), part.map(str::to_owned));
        Some(FieldPlan { field, part, place, text, currency_column, destination, when_empty: rule.when_empty })
    }

    /// Members that mean nothing for the type of the field are mistakes.
    fn check_members(&mut self, pointer: &str, field: &TargetField, rule: &FieldRule) {
        use TargetKind as Kind;
        let kind = &field.kind;
        let number = matches!(kind, Kind::Integer | Kind::Decimal | Kind::Money);
        let checks = [
            ("format", rule.format.is_some(), matches!(kind, Kind::Date | Kind::Timestamp)),
            ("decimal", rule.decimal.is_some(), number),
            ("thousands", rule.thousands.is_some(), number),
            ("scale", rule.scale.is_some(), number),
            ("currency", rule.currency.is_some(), matches!(kind, Kind::Money)),
            ("currency_column", rule.currency_column.is_some(), matches!(kind, Kind::Money)),
            ("separator", rule.separator.is_some(), matches!(kind, Kind::MultiEnum { .. })),
            ("reference", rule.reference.is_some(), matches!(kind, Kind::Reference { .. })),
        ];
        for (member, stated, fits) in checks {
            if stated && !fits {
                self.fault(
                    format!("{pointer}/{member}"),
                    format!("{member} has no meaning for the type of field {}.", field.name),
                );
            }
        }
        if rule.join.is_some() && rule.columns.is_empty() {
            self.fault(format!("{pointer}/join"), "join needs columns.");
        }
    }

    fn text(&mut self, pointer: &str, bound_to: &str, rule: &FieldRule, field: &TargetField) -> Option<TextRule> {
        let origin = match (&rule.column, rule.columns.as_slice(), &rule.constant) {
            (Some(column), [], None) => {
                Origin::Column(self.column(column, &format!("{pointer}/column"), Some(bound_to.to_owned()))?)
            }
            (None, [_, ..], None) => {
                let place = format!("{pointer}/columns");
                let columns =
                    rule.columns.iter().filter_map(|column| self.column(column, &place, Some(bound_to.to_owned())));
                let columns: Vec<usize> = columns.collect();
                Origin::Columns(columns, rule.join.clone().unwrap_or_else(|| " ".to_owned()))
            }
            (None, [], Some(constant)) => Origin::Constant(self.constant(pointer, constant)?),
            _ => {
                self.fault(pointer, "State exactly one of column, columns and constant.");
                return None;
            }
        };
        let options = match &field.kind {
            TargetKind::Enum { options } | TargetKind::MultiEnum { options } => Some(Choices::new(options)),
            _ => None,
        };
        let unknown = match rule.values_default.as_deref() {
            None | Some("keep") => Unknown::Keep,
            Some("reject") => Unknown::Reject,
            Some(other) => Unknown::Replace(other.to_owned()),
        };
        Some(self.text_rule(pointer, origin, (&rule.values, unknown, options), &rule.transform))
    }

    fn text_rule(
        &mut self,
        pointer: &str,
        origin: Origin,
        (values, unknown, options): (&BTreeMap<String, String>, Unknown, Option<Choices>),
        transforms: &[String],
    ) -> TextRule {
        let mut ready = Vec::new();
        for name in transforms {
            match Transform::named(name) {
                Some(transform) => ready.push(transform),
                None => self.fault(
                    format!("{pointer}/transform"),
                    format!("There is no transform \"{name}\". Known are: lower, upper, nfkc, single_spaces, digits, login, first_word, last_word, after_first_word, phone:CC."),
                ),
            }
        }
        TextRule {
            origin,
            values: values.iter().map(|(from, to)| (fold(from), to.clone())).collect(),
            unknown,
            options,
            transforms: ready,
            nulls: Arc::clone(&self.nulls),
            trim: self.mapping.defaults.trim,
        }
    }

    fn constant(&mut self, pointer: &str, constant: &Value) -> Option<String> {
        match constant {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            _ => {
                self.fault(format!("{pointer}/constant"), "A constant is a text, a number, true or false.");
                None
            }
        }
    }

    fn reference(
        &mut self,
        pointer: &str,
        objects: &[String],
        by: &str,
        rule: Option<&ReferenceRule>,
    ) -> Option<Destination> {
        let Some(rule) = rule else {
            let by = ReferenceBy::Field(by.to_owned());
            return Some(Destination::Reference { objects: objects.to_vec(), by, create_missing: None });
        };
        let (objects, by) = self.resolve(&format!("{pointer}/reference"), objects, rule)?;
        Some(Destination::Reference { objects, by, create_missing: rule.create_missing.clone() })
    }

    fn resolve(
        &mut self,
        pointer: &str,
        objects: &[String],
        rule: &ReferenceRule,
    ) -> Option<(Vec<String>, ReferenceBy)> {
        let objects = match &rule.object {
            Some(object) if !objects.contains(object) => {
                self.fault(pointer, format!("Expected one of the objects: {}.", objects.join(", ")));
                return None;
            }
            Some(object) => vec![object.clone()],
            None => objects.to_vec(),
        };
        if rule.create_missing.is_some() && (objects.len() != 1 || rule.by == "external_id") {
            self.fault(pointer, "create_missing needs one object, and a lookup by a field.");
        }
        let by = match (rule.by.as_str(), &rule.system) {
            ("external_id", Some(system)) => ReferenceBy::ExternalId(system.clone()),
            ("external_id", None) => {
                self.fault(pointer, "A lookup by external_id needs the system.");
                return None;
            }
            (_, Some(_)) => {
                self.fault(pointer, "system belongs to a lookup by external_id.");
                return None;
            }
            (field, None) => ReferenceBy::Field(field.to_owned()),
        };
        for object in &objects {
            let lacks =
                |field: &str| self.targets.iter().any(|target| target.name == *object && target.field(field).is_none());
            if matches!(&by, ReferenceBy::Field(field) if lacks(field)) {
                self.fault(pointer, format!("Object {object} has no field \"{}\" to look it up by.", rule.by));
            }
        }
        Some((objects, by))
    }

    fn link(&mut self, at: &str, target: &TargetObject, rule: &LinkRule) -> Option<LinkPlan> {
        let Some(relation) = target.relations.iter().find(|relation| relation.name == rule.relation) else {
            self.fault(
                format!("{at}/relation"),
                format!("Object {} has no relation \"{}\".", target.name, rule.relation),
            );
            return None;
        };
        let origin = match (&rule.column, &rule.constant) {
            (Some(column), None) => Origin::Column(self.column(
                column,
                &format!("{at}/column"),
                Some(format!("{}.{}", target.name, rule.relation)),
            )?),
            (None, Some(constant)) => Origin::Constant(self.constant(at, constant)?),
            _ => {
                self.fault(at, "State exactly one of column and constant.");
                return None;
            }
        };
        if rule.when_empty == WhenEmpty::Clear {
            self.fault(format!("{at}/when_empty"), "Links are added, not cleared; use skip or reject.");
        }
        let (objects, by) = self.resolve(&format!("{at}/reference"), &relation.objects, &rule.reference)?;
        let text = self.text_rule(at, origin, (&rule.values, Unknown::Keep, None), &rule.transform);
        Some(LinkPlan {
            relation: rule.relation.clone(),
            role: rule.role.clone(),
            place: format!("Link {}", rule.relation),
            text,
            separator: rule.separator.clone(),
            objects,
            by,
            create_missing: rule.reference.create_missing.clone(),
            required: rule.when_empty == WhenEmpty::Reject,
        })
    }
}
