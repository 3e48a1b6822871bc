//! Changes of fields and their options.

use super::{FieldPatch, OptionPatch, StepAction, Work, field_rules as rules};
use crate::{
    DeleteRule, EnumOption, FieldDef, FieldDraft, FieldType, IndexDef, ObjectDef, Sealing, Sensitivity, Subject,
    indexes_of, system_fields,
};
use kernel::{Code, limits};
use std::collections::BTreeSet;

impl Work<'_> {
    pub(super) fn add_field(&mut self, object: &str, draft: &FieldDraft) {
        let Some(field) = self.new_field(draft, "/field") else { return };
        let Some(definition) = self.known_object(object) else { return };
        let rows = self.rows(object);
        if field.required && rows > 0 {
            if field.default.is_none() {
                self.error(
                    "/field/required",
                    Code::FieldRequired,
                    format!("{rows} records have no value yet: a required field needs a default here."),
                );
            }
            self.note(
                format!(
                    "{rows} existing records keep an empty {} until they are changed; the default is for new ones.",
                    field.label.en
                ),
                format!("现有 {rows} 条记录的{}在修改之前保持为空；默认值只用于新记录。", field.label.zh),
            );
        }
        self.enter_field(&definition, field, "/field");
        self.check_size(object);
    }

    /// Reads a draft and reports its problems; `None` when it cannot even be read.
    pub(super) fn new_field(&mut self, draft: &FieldDraft, place: &str) -> Option<FieldDef> {
        let field = match rules::resolve(draft) {
            Ok(field) => field,
            Err(detail) => {
                self.error(&format!("{place}/type"), Code::ValueFormat, format!("{detail}."));
                return None;
            }
        };
        for (inner, code, detail) in rules::field_problems(&field, draft, self.profile) {
            self.error(&format!("{place}{inner}"), code, detail);
        }
        if draft.sensitivity.is_none() {
            self.note(
                format!("{} is not classified and counts as S3 until somebody does.", field.label.en),
                format!("{}尚未分级，在分级之前按 S3 处理。", field.label.zh),
            );
        }
        if field.sealing_in(self.profile) == Sealing::Memory {
            self.note(
                format!("{} is sealed and cannot be searched until the index in memory exists.", field.label.en),
                format!("{}已加密，在内存索引可用之前无法搜索。", field.label.zh),
            );
        }
        Some(field)
    }

    /// Adds a checked field to an existing object, with the steps for its columns.
    fn enter_field(&mut self, definition: &ObjectDef, field: FieldDef, place: &str) {
        let object = definition.name.clone();
        if !self.name_is_free(definition, &field.name, &format!("{place}/name")) {
            return;
        }
        self.columns_are_free(definition, &field, place);
        let resolved = self.resolved(&field);
        if resolved.searchable {
            self.ensure_search_table(definition);
        }
        for column in resolved.columns() {
            let (object, field) = (object.clone(), field.name.clone());
            self.step(StepAction::AddColumn { object, field, column });
        }
        self.index_steps(&object, &resolved, indexes_of(&resolved));
        if let Some(definition) = self.object_mut(&object) {
            definition.fields.push(field);
        }
        self.touch(&object);
    }

    /// The field as the catalogue of this profile will have it.
    pub(super) fn resolved(&self, field: &FieldDef) -> FieldDef {
        let mut field = field.clone();
        field.sealing = field.sealing_in(self.profile);
        let plain = field.sealing == Sealing::Plain;
        field.searchable &= plain;
        field.indexed &= plain || field.field_type == FieldType::Address;
        field
    }

    pub(super) fn name_is_free(&mut self, definition: &ObjectDef, name: &str, place: &str) -> bool {
        let taken = self.names_of(definition).iter().any(|taken| taken == name);
        if taken {
            self.error(place, Code::ValueNotUnique, "The object already has a field or relation of this name.");
        }
        !taken
    }

    /// The names of all fields and relations that an object has, relations defined elsewhere included.
    pub(super) fn names_of(&self, definition: &ObjectDef) -> Vec<String> {
        let own = definition.fields.iter().map(|field| field.name.clone());
        let links = definition.links.iter().map(|link| link.name.clone());
        let inverse =
            self.objects.iter().flat_map(|object| &object.links).filter(|link| link.target == definition.name);
        own.chain(links).chain(inverse.filter_map(|link| link.inverse.clone())).collect()
    }

    /// A reference `account` has the column `account_id`, which a field of that name would want too.
    pub(super) fn columns_are_free(&mut self, definition: &ObjectDef, field: &FieldDef, place: &str) {
        let system = system_fields(definition.number.is_some());
        let fields = definition.fields.iter().chain(&system).filter(|other| other.name != field.name);
        let taken: BTreeSet<String> =
            fields.flat_map(|other| self.resolved(other).columns()).map(|column| column.name).collect();
        let wanted = self.resolved(field).columns();
        if wanted.iter().any(|column| taken.contains(&column.name)) {
            self.error(
                &format!("{place}/name"),
                Code::ValueNotUnique,
                "A column of another field has this name; choose another.",
            );
        }
    }

    pub(super) fn check_size(&mut self, object: &str) {
        let Some(definition) = self.object(object) else { return };
        let columns: usize = definition.fields.iter().map(|field| self.resolved(field).columns().len()).sum();
        let indexed = definition.fields.iter().filter(|field| self.resolved(field).indexed).count();
        let counts = [
            (definition.fields.len(), limits::OBJECT_FIELDS_MAX, "fields"),
            (columns, limits::OBJECT_COLUMNS_MAX, "columns"),
            (indexed, limits::OBJECT_INDEXES_MAX, "indexed fields"),
        ];
        for (count, most, what) in counts {
            if count > most {
                self.error("", Code::LimitExceeded, format!("An object can have at most {most} {what}."));
            }
        }
    }

    fn ensure_search_table(&mut self, definition: &ObjectDef) {
        let action = StepAction::CreateSearchTable { object: definition.name.clone() };
        if !self.has_search(definition) && !self.steps.iter().any(|step| step.action == action) {
            self.step(action);
        }
    }

    fn index_steps(&mut self, object: &str, field: &FieldDef, indexes: Vec<IndexDef>) {
        for IndexDef { columns, unique } in indexes {
            let (object, field) = (object.to_owned(), field.name.clone());
            self.step(StepAction::CreateIndex { object, field, columns, unique });
        }
    }

    /// The object and field of a change, if it may be changed at all.
    fn known_field(&mut self, object: &str, name: &str) -> Option<(ObjectDef, FieldDef)> {
        let definition = self.known_object(object)?;
        if crate::SYSTEM_FIELD_NAMES.contains(&name) {
            self.error("/field", Code::FieldReadOnly, "Fields that every object has cannot be changed.");
            return None;
        }
        match definition.field(name).cloned() {
            Some(field) => Some((definition, field)),
            None => {
                self.error("/field", Code::FieldUnknown, "The object has no such field.");
                None
            }
        }
    }

    fn replace_field(&mut self, object: &str, field: FieldDef) {
        if let Some(place) =
            self.object_mut(object).and_then(|found| found.fields.iter_mut().find(|other| other.name == field.name))
        {
            *place = field;
        }
        self.touch(object);
    }

    pub(super) fn change_field(&mut self, object: &str, name: &str, patch: &FieldPatch) {
        let Some((definition, before)) = self.known_field(object, name) else { return };
        let mut field = before.clone();
        self.patch_words(&mut field, patch);
        self.patch_rules(&definition, &mut field, patch);
        self.patch_use(&definition, &before, &mut field, patch);
        self.replace_field(object, field);
        self.check_size(object);
    }

    fn patch_words(&mut self, field: &mut FieldDef, patch: &FieldPatch) {
        for (place, label, target) in [("/patch/label", &patch.label, None), ("/patch/help", &patch.help, Some(()))] {
            let Some(label) = label else { continue };
            match rules::complete_label(label) {
                Ok(label) if target.is_none() => field.label = label,
                Ok(label) => field.help = Some(label),
                Err((code, detail)) => self.error(place, code, detail),
            }
        }
        if let Some(aliases) = &patch.aliases {
            field.aliases.clone_from(aliases);
            self.report(rules::alias_problem(aliases));
        }
        if let Some(mask) = patch.mask {
            field.mask = Some(mask);
            self.report(rules::mask_problem(field.mask, &field.field_type));
        }
    }

    fn report(&mut self, problem: Option<rules::Problem>) {
        if let Some((place, code, detail)) = problem {
            self.error(&format!("/patch{place}"), code, detail);
        }
    }

    fn patch_rules(&mut self, definition: &ObjectDef, field: &mut FieldDef, patch: &FieldPatch) {
        if let Some(default) = &patch.default {
            field.default = (!default.is_null()).then(|| default.clone());
            self.report(rules::default_problem(field));
        }
        if let Some(max) = patch.max_chars {
            match &mut field.field_type {
                FieldType::Text { max_chars, .. }
                    if max >= max_chars.unwrap_or(limits::TEXT_CHARS_MAX) && max <= limits::TEXT_CHARS_MAX =>
                {
                    *max_chars = Some(max);
                }
                FieldType::Text { .. } => self.error(
                    "/patch/max_chars",
                    Code::ValueRange,
                    format!("Only upwards, to at most {}.", limits::TEXT_CHARS_MAX),
                ),
                _ => self.error("/patch/max_chars", Code::FieldUnknown, "Only texts of one line have a length."),
            }
        }
        if let Some(sensitivity) = patch.sensitivity {
            self.patch_sensitivity(field, sensitivity);
        }
        match patch.required {
            Some(true) if !field.required => self.make_required(&definition.name, field),
            Some(false)
                if field.required && (definition.title_field == field.name || !field.custom || is_parent(field)) =>
            {
                self.error(
                    "/patch/required",
                    Code::FieldReadOnly,
                    "The title, a parent and required fields that ship with the product stay required.",
                );
            }
            Some(required) => field.required = required,
            None => {}
        }
    }

    fn patch_sensitivity(&mut self, field: &mut FieldDef, sensitivity: Sensitivity) {
        let plain = field.sealing_in(self.profile) == Sealing::Plain;
        if sensitivity < field.sensitivity {
            self.error(
                "/patch/sensitivity",
                Code::ValueNotAnOption,
                "Only upwards: values were given under the stricter class.",
            );
        } else if plain && sensitivity == Sensitivity::S3 {
            self.error(
                "/patch/sensitivity",
                Code::ValueNotAnOption,
                "Its values lie plain and S3 is never plain: add a sealed field and retire this one.",
            );
        } else {
            field.sensitivity = sensitivity;
        }
    }

    fn make_required(&mut self, object: &str, field: &mut FieldDef) {
        field.required = true;
        if matches!(&field.field_type, FieldType::Reference { on_delete: DeleteRule::Unlink, .. }) {
            self.error(
                "/patch/required",
                Code::ValueNotAnOption,
                "Deleting the other record clears this reference, so it cannot be required.",
            );
        }
        let rows = self.rows(object);
        if rows == 0 {
            return;
        }
        if field.default.is_none() {
            self.error(
                "/patch/required",
                Code::FieldRequired,
                format!("Some of {rows} records may have no value: a required field needs a default here."),
            );
        }
        self.note(
            format!("Records without {} keep it empty until they are changed.", field.label.en),
            format!("没有{}的记录在修改之前保持为空。", field.label.zh),
        );
    }

    fn patch_use(&mut self, definition: &ObjectDef, before: &FieldDef, field: &mut FieldDef, patch: &FieldPatch) {
        let sealing = field.sealing_in(self.profile);
        let (object, name) = (definition.name.clone(), field.name.clone());
        if let Some(searchable) = patch.searchable.filter(|searchable| *searchable != before.searchable) {
            field.searchable = searchable;
            self.report(rules::searchable_problem(field, sealing));
            if searchable {
                self.ensure_search_table(definition);
                self.step(StepAction::FillSearch { object: object.clone(), field: name.clone() });
            } else if sealing == Sealing::Plain {
                self.step(StepAction::ClearSearch { object: object.clone(), field: name.clone() });
            }
        }
        match patch.indexed {
            Some(false) if before.indexed => self.error("/patch/indexed", Code::ValueNotAnOption, "An index stays."),
            Some(true) if !before.indexed => {
                field.indexed = true;
                self.report(rules::indexed_problem(field, sealing));
                self.add_index(&object, before, field);
            }
            _ => {}
        }
    }

    /// An index on a field that has values: a sort key it did not have is made and filled first.
    fn add_index(&mut self, object: &str, before: &FieldDef, after: &FieldDef) {
        let (before, after) = (self.resolved(before), self.resolved(after));
        let old = before.columns();
        for column in after.columns().into_iter().filter(|column| !old.contains(column)) {
            let (object, field) = (object.to_owned(), after.name.clone());
            let add = StepAction::AddColumn { object: object.clone(), field: field.clone(), column: column.clone() };
            self.step(add);
            self.step(StepAction::FillSortKey { object, field, column });
        }
        let old = indexes_of(&before);
        let new = indexes_of(&after).into_iter().filter(|index| !old.contains(index)).collect();
        self.index_steps(object, &after, new);
    }

    pub(super) fn retire_field(&mut self, object: &str, name: &str) {
        let Some((definition, mut field)) = self.known_field(object, name) else { return };
        if field.retired {
            self.error("/field", Code::FieldUnknown, "The field is already retired.");
        }
        if definition.title_field == name || definition.subject == Subject::Field(name.to_owned()) {
            self.error(
                "/field",
                Code::FieldReadOnly,
                "The field names the records or the subject of the object; choose another for that first.",
            );
        } else if field.required && !field.custom {
            self.error("/field", Code::FieldReadOnly, "The product needs this field.");
        }
        if self.resolved(&field).searchable {
            self.step(StepAction::ClearSearch { object: object.to_owned(), field: name.to_owned() });
        }
        field.retired = true;
        self.note(
            format!("{} is no longer offered; its values stay.", field.label.en),
            format!("不再提供{}；已有的值保留。", field.label.zh),
        );
        self.replace_field(object, field);
    }

    pub(super) fn restore_field(&mut self, object: &str, name: &str) {
        let Some((definition, mut field)) = self.known_field(object, name) else { return };
        if !field.retired {
            self.error("/field", Code::FieldUnknown, "The field is not retired.");
        }
        if self.resolved(&field).searchable {
            self.ensure_search_table(&definition);
            self.step(StepAction::FillSearch { object: object.to_owned(), field: name.to_owned() });
        }
        field.retired = false;
        self.replace_field(object, field);
    }

    pub(super) fn add_option(&mut self, object: &str, name: &str, option: &EnumOption) {
        let Some((_, mut field)) = self.known_field(object, name) else { return };
        let Some(options) = options_mut(&mut field.field_type) else {
            self.error("/field", Code::ValueType, "Only enums have options.");
            return;
        };
        let mut option = option.clone();
        if let Ok(label) = rules::complete_label(&option.label) {
            option.label = label;
        }
        options.push(option);
        self.check_options(&field, "/option");
        self.replace_field(object, field);
    }

    pub(super) fn change_option(&mut self, object: &str, name: &str, code: &str, patch: &OptionPatch) {
        let Some((_, mut field)) = self.known_field(object, name) else { return };
        let Some(option) = options_mut(&mut field.field_type)
            .and_then(|options| options.iter_mut().find(|option| option.code == code))
        else {
            self.error("/code", Code::ValueNotAnOption, "The field has no such option.");
            return;
        };
        if let Some(label) = &patch.label {
            option.label = rules::complete_label(label).unwrap_or_else(|_| label.clone());
        }
        option.active = patch.active.unwrap_or(option.active);
        self.check_options(&field, "/patch");
        if patch.active == Some(false) && rules::default_problem(&field).is_some() {
            self.error(
                "/patch/active",
                Code::ValueNotAnOption,
                "The option is the default of the field; change that first.",
            );
        }
        self.replace_field(object, field);
    }

    fn check_options(&mut self, field: &FieldDef, place: &'static str) {
        let mut problems = Vec::new();
        rules::option_problems(field.field_type.options(), place, &mut problems);
        for (place, code, detail) in problems {
            self.error(place, code, detail);
        }
    }
}

fn is_parent(field: &FieldDef) -> bool {
    matches!(&field.field_type, FieldType::Reference { parent: true, .. })
}

fn options_mut(field_type: &mut FieldType) -> Option<&mut Vec<EnumOption>> {
    match field_type {
        FieldType::Enum { options } | FieldType::MultiEnum { options } => Some(options),
        _ => None,
    }
}
