//! Changes of layouts: checked against the definition, so that no stored layout names what is not there.

use super::{StepAction, Work, field_rules as rules};
use crate::{LayoutDef, ObjectDef, system_fields};
use kernel::{Code, limits};
use std::collections::BTreeSet;

impl Work<'_> {
    pub(super) fn set_layout(&mut self, name: &str, layout: Option<&LayoutDef>, version: u64) {
        let Some(mut object) = self.known_object(name) else { return };
        if object.layout_version != version {
            let detail = "Somebody else changed this layout since you opened it; look at theirs first.";
            self.error("/version", Code::VersionConflict, detail);
            return;
        }
        // The working copy has no system fields, and a layout names them like any other.
        let mut whole = object.clone();
        whole.fields.extend(system_fields(object.number.is_some()));
        let before = whole.layout_in_force();
        object.layout = layout.map(|layout| self.checked_layout(&whole, layout));
        object.layout_version += 1;
        whole.layout.clone_from(&object.layout);
        let after = whole.layout_in_force();
        let gone: Vec<&str> =
            after.hidden.iter().filter(|name| !before.hidden.contains(name)).map(String::as_str).collect();
        if !gone.is_empty() {
            let labels = |pick: &dyn Fn(&kernel::Label) -> String, between: &str| -> String {
                gone.iter()
                    .filter_map(|name| whole.field(name))
                    .map(|field| pick(&field.label))
                    .collect::<Vec<_>>()
                    .join(between)
            };
            self.note(
                format!(
                    "No longer on the page: {}. The values stay, and lists can still show them.",
                    labels(&|label| label.en.clone(), ", ")
                ),
                format!("页面上不再显示：{}。数据保留，列表中仍可显示。", labels(&|label| label.zh.clone(), "、")),
            );
        }
        let (sections, standard) = (after.sections.len(), layout.is_none());
        if let Some(place) = self.object_mut(name) {
            *place = object;
        }
        self.step(StepAction::ArrangeLayout { object: name.to_owned(), sections, standard });
        self.touch(name);
    }

    fn checked_layout(&mut self, object: &ObjectDef, layout: &LayoutDef) -> LayoutDef {
        let mut layout = layout.clone();
        if layout.sections.is_empty() || layout.sections.len() > limits::LAYOUT_SECTIONS_MAX {
            let detail = format!("Expected 1 to {} sections (limit LAYOUT_SECTIONS_MAX).", limits::LAYOUT_SECTIONS_MAX);
            self.error("/layout/sections", Code::LimitExceeded, detail);
        }
        for (names, place, most) in [
            (&layout.highlights, "/layout/highlights", limits::LAYOUT_HIGHLIGHTS_MAX),
            (&layout.create, "/layout/create", limits::OBJECT_FIELDS_MAX),
        ] {
            self.check_names(object, names, place, &mut BTreeSet::new());
            if names.len() > most {
                self.error(place, Code::LimitExceeded, format!("At most {most} fields."));
            }
        }
        for (at, name) in layout.create.iter().enumerate() {
            if object.field(name).is_some_and(|field| field.read_only) {
                let detail = "The appliance sets this field; nobody can fill it in.";
                self.error(&format!("/layout/create/{at}"), Code::FieldReadOnly, detail);
            }
        }
        let mut seen = BTreeSet::new();
        self.check_names(object, &layout.hidden, "/layout/hidden", &mut seen);
        if layout.hidden.contains(&object.title_field) {
            let detail = "The field that names the records cannot be left out.";
            self.error("/layout/hidden", Code::ValueNotAnOption, detail);
        }
        for (at, section) in layout.sections.iter_mut().enumerate().take(limits::LAYOUT_SECTIONS_MAX) {
            let place = format!("/layout/sections/{at}");
            match rules::complete_label(&section.label) {
                Ok(label) => section.label = label,
                Err((code, detail)) => self.error(&format!("{place}/label"), code, detail),
            }
            self.check_names(object, &section.fields, &format!("{place}/fields"), &mut seen);
        }
        layout
    }

    fn check_names<'n>(&mut self, object: &ObjectDef, names: &'n [String], place: &str, seen: &mut BTreeSet<&'n str>) {
        for (at, name) in names.iter().enumerate().take(limits::OBJECT_FIELDS_MAX) {
            let pointer = format!("{place}/{at}");
            match object.field(name) {
                None => self.error(&pointer, Code::FieldUnknown, "The object has no such field."),
                Some(field) if field.retired => self.error(&pointer, Code::FieldUnknown, "The field is retired."),
                Some(_) if !seen.insert(name) => {
                    self.error(&pointer, Code::ValueNotUnique, "The field stands in two places.");
                }
                Some(_) => {}
            }
        }
    }
}
