//! What a person may ask of the definitions, as it goes over the wire. Only words: nothing here decides or changes.

use crate::{EnumOption, FieldDraft, LayoutDef, LinkDef, Mask, NumberDef, ObjectKind, Sensitivity, Subject};
use kernel::Label;
use serde::{Deserialize, Deserializer, Serialize};

/// One change of the definitions. Several make a plan and run together or not at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub enum DefinitionChange {
    /// A new custom object.
    CreateObject {
        /// Its definition; the name begins with `x_`.
        definition: ObjectDraft,
    },
    /// How an object is called and titled.
    ChangeObject {
        /// The object.
        object: String,
        /// What is new.
        patch: ObjectPatch,
    },
    /// A new custom field.
    AddField {
        /// The object.
        object: String,
        /// The field.
        field: FieldDraft,
    },
    /// Properties of a field that can change while it holds values.
    ChangeField {
        /// The object.
        object: String,
        /// The field.
        field: String,
        /// What is new.
        patch: FieldPatch,
    },
    /// Stops offering a field; its values stay.
    RetireField {
        /// The object.
        object: String,
        /// The field.
        field: String,
    },
    /// Offers a retired field again.
    RestoreField {
        /// The object.
        object: String,
        /// The field.
        field: String,
    },
    /// A new option at the end of an enum or multi-enum.
    AddOption {
        /// The object.
        object: String,
        /// The field.
        field: String,
        /// The option.
        option: EnumOption,
    },
    /// Another label for an option, or whether it can be chosen.
    ChangeOption {
        /// The object.
        object: String,
        /// The field.
        field: String,
        /// The code of the option; codes never change.
        code: String,
        /// What is new.
        patch: OptionPatch,
    },
    /// A new many-to-many relation.
    AddLink {
        /// The object that defines it.
        object: String,
        /// The relation.
        link: LinkDef,
    },
    /// How the pages of an object are arranged.
    SetLayout {
        /// The object.
        object: String,
        /// The arrangement; absent goes back to the standard.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layout: Option<LayoutDef>,
        /// The version of the layout that was looked at.
        version: u64,
    },
}

impl DefinitionChange {
    /// The object it is about.
    pub fn object(&self) -> &str {
        match self {
            Self::CreateObject { definition } => &definition.name,
            Self::ChangeObject { object, .. }
            | Self::AddField { object, .. }
            | Self::ChangeField { object, .. }
            | Self::RetireField { object, .. }
            | Self::RestoreField { object, .. }
            | Self::AddOption { object, .. }
            | Self::ChangeOption { object, .. }
            | Self::AddLink { object, .. }
            | Self::SetLayout { object, .. } => object,
        }
    }
}

/// A new object as people write it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectDraft {
    /// Stable name, beginning with `x_`.
    pub name: String,
    /// What people read, singular.
    pub label: Label,
    /// What people read, plural.
    pub plural: Label,
    /// `business` unless said otherwise.
    #[serde(default)]
    pub kind: ObjectKind,
    /// The field that names a record to people.
    pub title_field: String,
    /// How records get a human number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<NumberDef>,
    /// Whose key seals the values.
    #[serde(default)]
    pub subject: Subject,
    /// The fields in order.
    pub fields: Vec<FieldDraft>,
    /// Many-to-many relations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkDef>,
}

/// What can change about an object. What is absent stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct ObjectPatch {
    /// Singular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// Plural.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plural: Option<Label>,
    /// The field that names a record to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_field: Option<String>,
}

/// What can change about a field while it holds values: a closed set. What is absent stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct FieldPatch {
    /// What people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// Help beside the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Label>,
    /// Other names in files to import; replaces the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aliases: Option<Vec<String>>,
    /// Must have a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Found by the global search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searchable: Option<bool>,
    /// Has an index; only from no to yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indexed: Option<bool>,
    /// The mask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<Mask>,
    /// Only upwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
    /// The value of a new record, in wire form; null takes the default away.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// Most characters of a text; only upwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_chars: Option<usize>,
}

/// What can change about an option.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct OptionPatch {
    /// What people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// Whether it can be chosen for new values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

/// Tells `null` from absence.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(deserializer).map(Some)
}
