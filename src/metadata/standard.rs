//! The objects that ship with the product, embedded as the JSON files beside this module. It reads nothing at run time.

use crate::ObjectDef;

const FILES: &[(&str, &str)] = &[
    ("unit", include_str!("objects/unit.json")),
    ("user", include_str!("objects/user.json")),
    ("team", include_str!("objects/team.json")),
    ("account", include_str!("objects/account.json")),
    ("contact", include_str!("objects/contact.json")),
    ("lead", include_str!("objects/lead.json")),
    ("opportunity", include_str!("objects/opportunity.json")),
    ("product", include_str!("objects/product.json")),
    ("activity", include_str!("objects/activity.json")),
    ("case", include_str!("objects/case.json")),
    ("tag", include_str!("objects/tag.json")),
];

/// The JSON Schema (2020-12) of an object definition.
pub const OBJECT_SCHEMA: &str = include_str!("schema/object.schema.json");

/// The shipped definitions in the order in which people meet them.
///
/// A file that cannot be read is left out; a test reads every one, so a release never has such a file, and a
/// catalogue without it would not build, because the others point to it.
pub fn shipped() -> Vec<ObjectDef> {
    FILES.iter().filter_map(|(_, text)| serde_json::from_str(text).ok()).collect()
}

#[cfg(test)]
#[path = "standard_tests.rs"]
mod tests;
