//! Where the fields of an object stand on its pages: sections, highlights and the short form. A layout is data beside the
//! definition and arranges only; whether somebody sees or may change a field is never decided here.

use crate::{FieldDef, FieldType, ObjectDef};
use kernel::Label;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Some fields of a page under one heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayoutSection {
    /// What people read.
    pub label: Label,
    /// Its fields in order.
    pub fields: Vec<String>,
}

/// The arrangement of an object's pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct LayoutDef {
    /// The facts under the name of a record.
    pub highlights: Vec<String>,
    /// Fields of the short form for a new record; required ones are asked for in any case.
    pub create: Vec<String>,
    /// The sections in order.
    pub sections: Vec<LayoutSection>,
    /// Fields that stand nowhere on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<String>,
}

/// Arrangements made by hand for shipped objects; a test reads them, so a release never has a broken file.
static SHIPPED: LazyLock<BTreeMap<String, LayoutDef>> =
    LazyLock::new(|| serde_json::from_str(include_str!("layouts.json")).unwrap_or_default());

/// What the appliance itself keeps about a record; the last section of a page that nobody arranged.
const HOUSE: [&str; 11] = [
    "owner",
    "team",
    "unit",
    "number",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "locked_by",
    "lock_reason",
    "retention_until",
];

/// Fields of the page head of an object that nobody arranged.
const HIGHLIGHTS: usize = 5;
/// Fields of its short form beside the required ones.
const CREATED: usize = 6;

/// Where fields go that stand in no section.
fn further() -> Label {
    Label::new("Further fields", "其他字段")
}

/// Machine forms that few people read, and marks that pages show in their own way.
fn is_seldom_read(field: &FieldDef) -> bool {
    let machine = matches!(field.field_type, FieldType::Json | FieldType::File);
    machine || (field.system && !HOUSE.contains(&field.name.as_str()))
}

impl ObjectDef {
    /// The layout in force: the stored one or the standard, without fields that are gone, and with every field that stands
    /// nowhere in a last section, so that none is hidden because nobody thought of it.
    pub fn layout_in_force(&self) -> LayoutDef {
        self.completed(self.layout.clone().unwrap_or_else(|| self.layout_standard()))
    }

    /// The layout an object has until somebody arranges it.
    pub fn layout_standard(&self) -> LayoutDef {
        let mut layout = self.layout_derived();
        if let Some(shipped) = SHIPPED.get(&self.name) {
            layout.highlights.clone_from(&shipped.highlights);
            layout.create.clone_from(&shipped.create);
            if let (false, Some(house)) = (shipped.sections.is_empty(), layout.sections.pop()) {
                layout.sections.clone_from(&shipped.sections);
                layout.sections.push(house);
            }
        }
        let placed: BTreeSet<&String> = layout.sections.iter().flat_map(|section| &section.fields).collect();
        let hidden = self.fields.iter().filter(|field| is_seldom_read(field) && !placed.contains(&field.name));
        layout.hidden = hidden.map(|field| field.name.clone()).collect();
        self.completed(layout)
    }

    fn layout_derived(&self) -> LayoutDef {
        let own =
            || self.fields.iter().filter(|field| !field.system && !field.retired && field.name != self.title_field);
        let short = |field: &&FieldDef| {
            let long = matches!(
                field.field_type,
                FieldType::LongText | FieldType::RichText | FieldType::Json | FieldType::File | FieldType::Address
            );
            !long && !field.is_sealed()
        };
        let names = |fields: &mut dyn Iterator<Item = &FieldDef>| -> Vec<String> {
            fields.map(|field| field.name.clone()).collect()
        };
        let settable = |field: &&FieldDef| !field.read_only;
        let title = vec![self.title_field.clone()];
        let required = names(&mut own().filter(settable).filter(|field| field.required));
        let first = names(&mut own().filter(short).filter(settable).take(CREATED));
        let facts = names(&mut own().filter(|field| !is_seldom_read(field)));
        let house = HOUSE.iter().filter(|name| self.field(name).is_some()).map(|name| (*name).to_owned());
        LayoutDef {
            highlights: names(&mut own().filter(short).take(HIGHLIGHTS)),
            create: [title.clone(), required, first].concat(),
            sections: vec![
                LayoutSection { label: Label::new("Facts", "基本信息"), fields: [title, facts].concat() },
                LayoutSection { label: Label::new("Record", "记录信息"), fields: house.collect() },
            ],
            hidden: Vec::new(),
        }
    }

    fn completed(&self, mut layout: LayoutDef) -> LayoutDef {
        let mut free: BTreeSet<&str> =
            self.fields.iter().filter(|field| !field.retired).map(|field| field.name.as_str()).collect();
        // Asking for the first place of each field also leaves out a second one.
        let mut once = |names: &mut Vec<String>| names.retain(|name| free.remove(name.as_str()));
        once(&mut layout.hidden);
        layout.sections.iter_mut().for_each(|section| once(&mut section.fields));
        let rest = self.fields.iter().filter(|field| free.contains(field.name.as_str()));
        let (seldom, rest): (Vec<&FieldDef>, Vec<&FieldDef>) =
            rest.partition(|field| field.system && is_seldom_read(field));
        layout.hidden.extend(seldom.into_iter().map(|field| field.name.clone()));
        let rest: Vec<String> = rest.into_iter().map(|field| field.name.clone()).collect();
        match layout.sections.last_mut().filter(|last| last.label == further()) {
            Some(last) => last.fields.extend(rest),
            None if rest.is_empty() => {}
            None => layout.sections.push(LayoutSection { label: further(), fields: rest }),
        }
        for names in [&mut layout.highlights, &mut layout.create] {
            let mut seen = BTreeSet::new();
            names.retain(|name| self.field(name).is_some_and(|field| !field.retired) && seen.insert(name.clone()));
        }
        layout
    }
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
