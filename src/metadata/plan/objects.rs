//! New objects and relations, and what joins them to the rest.

use super::{ObjectDraft, ObjectPatch, StepAction, Work, field_rules as rules};
use crate::{FieldType, LinkDef, ObjectDef, ObjectKind, SYSTEM_FIELD_NAMES, Sealing, Subject};
use kernel::{Code, Label, limits};
use std::collections::BTreeSet;

impl Work<'_> {
    pub(super) fn create_object(&mut self, draft: &ObjectDraft) {
        let place = "/definition";
        self.check_object_name(&draft.name);
        let mut object = ObjectDef {
            schema: None,
            name: draft.name.clone(),
            label: self.label(&draft.label, "/definition/label"),
            plural: self.label(&draft.plural, "/definition/plural"),
            kind: draft.kind,
            title_field: draft.title_field.clone(),
            number: draft.number.clone(),
            subject: draft.subject.clone(),
            fields: Vec::new(),
            links: Vec::new(),
            layout: None,
            layout_version: 0,
            custom: true,
            serial: crate::Serial::default(),
            blind_bits: 16,
        };
        if draft.kind == ObjectKind::Organisation {
            self.error(
                "/definition/kind",
                Code::ValueNotAnOption,
                "Units, users and teams ship with the product; choose business or reference.",
            );
        }
        self.check_number(draft);
        for (at, field) in draft.fields.iter().enumerate().take(limits::OBJECT_FIELDS_MAX) {
            let place = format!("{place}/fields/{at}");
            let Some(field) = self.new_field(field, &place) else { continue };
            if object.field(&field.name).is_some() {
                self.error(
                    &format!("{place}/name"),
                    Code::ValueNotUnique,
                    "The object already has a field of this name.",
                );
                continue;
            }
            self.columns_are_free(&object, &field, &place);
            object.fields.push(field);
        }
        if draft.fields.is_empty() || draft.fields.len() > limits::OBJECT_FIELDS_MAX {
            self.error(
                "/definition/fields",
                Code::LimitExceeded,
                format!("Expected 1 to {} fields.", limits::OBJECT_FIELDS_MAX),
            );
        }
        self.check_title(&object, &object.title_field, "/definition/title_field");
        self.check_subject(&object);
        self.enter_object(object);
        for (at, link) in draft.links.iter().enumerate().take(limits::OBJECT_LINKS_MAX) {
            self.enter_link(&draft.name, link, &format!("{place}/links/{at}"));
        }
        self.check_size(&draft.name);
    }

    fn enter_object(&mut self, object: ObjectDef) {
        if self.object(&object.name).is_some() {
            return;
        }
        let name = object.name.clone();
        self.created.push(name.clone());
        self.objects.push(object);
        self.touch(&name);
        if self.objects.iter().filter(|object| object.custom).count() > limits::OBJECTS_MAX {
            self.error("/definition", Code::LimitExceeded, format!("At most {} custom objects.", limits::OBJECTS_MAX));
        }
    }

    fn check_object_name(&mut self, name: &str) {
        if let Some(detail) = rules::name_problem(name) {
            self.error("/definition/name", Code::ValueFormat, detail);
        } else if !name.starts_with("x_") {
            self.error(
                "/definition/name",
                Code::ValueFormat,
                "Names of custom objects begin with x_, so that none meets a later object of the product.",
            );
        }
        if self.object(name).is_some() {
            self.error("/definition/name", Code::ValueNotUnique, "There is already an object of this name.");
        }
    }

    fn label(&mut self, label: &Label, place: &str) -> Label {
        rules::complete_label(label).unwrap_or_else(|(code, detail)| {
            self.error(place, code, detail);
            label.clone()
        })
    }

    fn check_number(&mut self, draft: &ObjectDraft) {
        let Some(number) = &draft.number else { return };
        let prefix = number.prefix.strip_suffix('-').unwrap_or_default();
        let fits = (1..=8).contains(&prefix.len())
            && prefix.starts_with(|first: char| first.is_ascii_uppercase())
            && prefix.chars().all(|character| character.is_ascii_uppercase() || character.is_ascii_digit());
        if !fits {
            self.error(
                "/definition/number/prefix",
                Code::ValueFormat,
                "Expected 1 to 8 capital letters or digits and a hyphen, such as OPP-.",
            );
        }
        if !(1..=12).contains(&number.digits) {
            self.error("/definition/number/digits", Code::ValueRange, "Expected a number from 1 to 12.");
        }
        let taken =
            self.objects.iter().any(|object| object.number.as_ref().is_some_and(|other| other.prefix == number.prefix));
        if taken {
            self.error("/definition/number/prefix", Code::ValueNotUnique, "Another object has this prefix.");
        }
    }

    fn check_title(&mut self, object: &ObjectDef, title: &str, place: &str) {
        if title == "number" && object.number.is_some() {
            return;
        }
        match object.field(title) {
            None => self.error(place, Code::FieldUnknown, "The object has no such field."),
            Some(field) if !matches!(field.field_type, FieldType::Text { .. }) => {
                self.error(place, Code::ValueType, "Records are named by a text of one line.");
            }
            Some(field) if field.retired => self.error(place, Code::FieldUnknown, "The field is retired."),
            Some(field) if !field.required => {
                self.error(place, Code::FieldRequired, "The field that names the records must be required.")
            }
            Some(field) if matches!(field.sealing_in(self.profile), Sealing::Sealed | Sealing::Exact) => {
                let (en, zh) = (field.label.en.clone(), field.label.zh.clone());
                self.note(
                    format!("{en} is sealed, so records cannot be found or sorted by their name."),
                    format!("{zh}已加密，因此无法按名称查找或排序记录。"),
                );
            }
            Some(_) => {}
        }
    }

    fn check_subject(&mut self, object: &ObjectDef) {
        let Subject::Field(name) = &object.subject else { return };
        match object.field(name).map(|field| &field.field_type) {
            Some(FieldType::Reference { .. }) => {}
            Some(_) => self.error("/definition/subject/field", Code::ValueType, "The subject is named by a reference."),
            None => self.error("/definition/subject/field", Code::FieldUnknown, "The object has no such field."),
        }
    }

    pub(super) fn change_object(&mut self, name: &str, patch: &ObjectPatch) {
        let Some(mut object) = self.known_object(name) else { return };
        if let Some(label) = &patch.label {
            object.label = self.label(label, "/patch/label");
        }
        if let Some(plural) = &patch.plural {
            object.plural = self.label(plural, "/patch/plural");
        }
        if let Some(title) = &patch.title_field {
            self.check_title(&object, title, "/patch/title_field");
            object.title_field.clone_from(title);
        }
        if let Some(place) = self.object_mut(name) {
            *place = object;
        }
        self.touch(name);
    }

    pub(super) fn add_link(&mut self, object: &str, link: &LinkDef) {
        if self.known_object(object).is_some() {
            self.enter_link(object, link, "/link");
        }
    }

    fn enter_link(&mut self, object: &str, link: &LinkDef, place: &str) {
        let Some(definition) = self.object(object).cloned() else { return };
        let mut link = link.clone();
        link.custom = true;
        link.label = self.label(&link.label, &format!("{place}/label"));
        self.check_roles(&mut link, place);
        let mut free = self.relation_name(&definition, &link.name, &format!("{place}/name"));
        if let (Some(inverse), Some(target)) = (link.inverse.clone(), self.object(&link.target).cloned()) {
            let inverse_place = format!("{place}/inverse");
            free &= self.relation_name(&target, &inverse, &inverse_place);
            if target.name == object && inverse == link.name {
                self.error(
                    &inverse_place,
                    Code::ValueNotUnique,
                    "Both ends lie in one object and need different names.",
                );
                free = false;
            }
        }
        if definition.links.len() >= limits::OBJECT_LINKS_MAX {
            self.error(
                place,
                Code::LimitExceeded,
                format!("At most {} relations of one object.", limits::OBJECT_LINKS_MAX),
            );
        }
        self.check_link_table(&definition, &link, &format!("{place}/name"));
        if free {
            let (owner, table) = (object.to_owned(), definition.link_table(&link));
            self.step(StepAction::CreateLinkTable { object: owner, link: link.name.clone(), table });
            if let Some(definition) = self.object_mut(object) {
                definition.links.push(link);
            }
            self.touch(object);
        }
    }

    fn check_roles(&mut self, link: &mut LinkDef, place: &str) {
        let mut problems = Vec::new();
        if !link.roles.is_empty() {
            rules::option_problems(&link.roles, "/roles", &mut problems);
        }
        for role in &mut link.roles {
            role.label = rules::complete_label(&role.label).unwrap_or_else(|_| role.label.clone());
        }
        for (inner, code, detail) in problems {
            self.error(&format!("{place}{inner}"), code, detail);
        }
    }

    fn relation_name(&mut self, definition: &ObjectDef, name: &str, place: &str) -> bool {
        if let Some(detail) = rules::name_problem(name) {
            self.error(place, Code::ValueFormat, detail);
        }
        if SYSTEM_FIELD_NAMES.contains(&name) {
            self.error(place, Code::ValueNotUnique, "Every object already has a field of this name.");
        }
        self.name_is_free(definition, name, place)
    }

    /// `l_x_a` + `b_c` and `l_x_a_b` + `c` are one name, so tables are compared and not only pairs of names.
    fn check_link_table(&mut self, definition: &ObjectDef, link: &LinkDef, place: &str) {
        let table = definition.link_table(link);
        let most = limits::TABLE_NAME_BYTES_MAX;
        if table.len() > most {
            self.error(
                place,
                Code::ValueTooLong,
                format!(
                    "The table of the relation would be called {table}; its name can have at most {most} characters."
                ),
            );
        }
        let same = |object: &ObjectDef| object.links.iter().any(|other| object.link_table(other) == table);
        let elsewhere = self.objects.iter().any(|object| object.name != definition.name && same(object));
        if elsewhere {
            self.error(
                place,
                Code::ValueNotUnique,
                "The table of another relation would have the same name; choose another.",
            );
        }
    }

    /// Objects may point to each other inside one plan, so references and the far names of relations are looked at when
    /// all are known.
    pub(super) fn check_references(&mut self) {
        let known: BTreeSet<String> = self.objects.iter().map(|object| object.name.clone()).collect();
        let mut missing = Vec::new();
        for object in self.objects.iter().filter(|object| self.touched.contains(&object.name)) {
            for field in &object.fields {
                let unknown = field.reference_targets().iter().filter(|target| !known.contains(*target));
                missing.extend(unknown.map(|target| (object.name.clone(), field.name.clone(), target.clone())));
            }
            let unknown = object.links.iter().filter(|link| !known.contains(&link.target));
            missing.extend(unknown.map(|link| (object.name.clone(), link.name.clone(), link.target.clone())));
        }
        for object in self.objects.clone() {
            let mut seen = BTreeSet::new();
            for name in self.names_of(&object) {
                if !seen.insert(name.clone()) {
                    let detail = format!("{}.{name} would be two fields or relations of one name.", object.name);
                    self.error("", Code::ValueNotUnique, detail);
                }
            }
        }
        for (object, name, target) in missing {
            self.error(
                "",
                Code::ObjectUnknown,
                format!("{object}.{name} points to {target}, and there is no such object."),
            );
        }
    }
}
