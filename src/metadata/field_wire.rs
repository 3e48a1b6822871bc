//! The written form of a field: flat and strict, so that a misspelt or misplaced key is an error instead of silence.
//! Only reading passes here; a field is written by its own `Serialize`.

use crate::{DeleteRule, EnumOption, FieldDef, FieldType, IndexPart, KeyClass, Mask, Sealing, Sensitivity};
use kernel::Label;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TypeName {
    Text,
    LongText,
    RichText,
    Integer,
    Decimal,
    Money,
    Date,
    Timestamp,
    Bool,
    Enum,
    MultiEnum,
    Email,
    Phone,
    Url,
    Address,
    Reference,
    File,
    Json,
}

/// A field as people write it: sensitivity, sealing and delete rule may be missing, and whoever reads it decides what
/// that means (a shipped file: an error; a new custom field: the careful choice).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldDraft {
    pub(crate) name: String,
    label: Label,
    #[serde(rename = "type")]
    type_name: TypeName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_chars: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    case_fold: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scale: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    options: Option<Vec<EnumOption>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    targets: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) on_delete: Option<DeleteRule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sensitivity: Option<Sensitivity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sealing: Option<Sealing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealing_strict: Option<Sealing>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<IndexPart>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_class: Option<KeyClass>,
    mask: Option<Mask>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    unique: bool,
    #[serde(default)]
    searchable: bool,
    #[serde(default)]
    indexed: bool,
    #[serde(default)]
    read_only: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    help: Option<Label>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    #[serde(default)]
    custom: bool,
    #[serde(default)]
    retired: bool,
}

impl FieldDraft {
    /// The field, with these choices where the writer made none. Errors name the misplaced or missing parameter.
    pub(crate) fn resolve(self, sensitivity: Sensitivity, sealing: Sealing) -> Result<FieldDef, String> {
        let field_type = self.field_type()?;
        Ok(FieldDef {
            field_type,
            name: self.name,
            label: self.label,
            sensitivity: self.sensitivity.unwrap_or(sensitivity),
            sealing: self.sealing.unwrap_or(sealing),
            sealing_strict: self.sealing_strict,
            parts: self.parts,
            key_class: self.key_class,
            mask: self.mask,
            required: self.required,
            unique: self.unique,
            searchable: self.searchable,
            indexed: self.indexed,
            read_only: self.read_only,
            default: self.default,
            help: self.help,
            aliases: self.aliases,
            custom: self.custom,
            retired: self.retired,
            system: false,
        })
    }

    fn field_type(&self) -> Result<FieldType, String> {
        self.check_parameters()?;
        let missing = |name: &str| format!("field {}: {name} is missing", self.name);
        let options = || self.options.clone().ok_or_else(|| missing("options"));
        Ok(match self.type_name {
            TypeName::Text => {
                FieldType::Text { max_chars: self.max_chars, case_fold: self.case_fold.unwrap_or_default() }
            }
            TypeName::LongText => FieldType::LongText,
            TypeName::RichText => FieldType::RichText,
            TypeName::Integer => FieldType::Integer { min: self.min, max: self.max },
            TypeName::Decimal => FieldType::Decimal { scale: self.scale.ok_or_else(|| missing("scale"))? },
            TypeName::Money => FieldType::Money,
            TypeName::Date => FieldType::Date,
            TypeName::Timestamp => FieldType::Timestamp,
            TypeName::Bool => FieldType::Bool,
            TypeName::Enum => FieldType::Enum { options: options()? },
            TypeName::MultiEnum => FieldType::MultiEnum { options: options()? },
            TypeName::Email => FieldType::Email,
            TypeName::Phone => FieldType::Phone,
            TypeName::Url => FieldType::Url,
            TypeName::Address => FieldType::Address,
            TypeName::Reference => FieldType::Reference {
                targets: self.targets.clone().ok_or_else(|| missing("targets"))?,
                on_delete: self.on_delete.unwrap_or_default(),
                parent: self.parent.unwrap_or_default(),
            },
            TypeName::File => FieldType::File,
            TypeName::Json => FieldType::Json,
        })
    }

    fn check_parameters(&self) -> Result<(), String> {
        let is = |names: &[TypeName]| names.contains(&self.type_name);
        let misplaced = [
            ("max_chars", self.max_chars.is_some() && !is(&[TypeName::Text])),
            ("case_fold", self.case_fold.is_some() && !is(&[TypeName::Text])),
            ("min", self.min.is_some() && !is(&[TypeName::Integer])),
            ("max", self.max.is_some() && !is(&[TypeName::Integer])),
            ("scale", self.scale.is_some() && !is(&[TypeName::Decimal])),
            ("options", self.options.is_some() && !is(&[TypeName::Enum, TypeName::MultiEnum])),
            ("targets", self.targets.is_some() && !is(&[TypeName::Reference])),
            ("on_delete", self.on_delete.is_some() && !is(&[TypeName::Reference])),
            ("parent", self.parent.is_some() && !is(&[TypeName::Reference])),
        ];
        match misplaced.iter().find(|(_, wrong)| *wrong) {
            Some((name, _)) => Err(format!("field {}: {name} does not belong to its type", self.name)),
            None => Ok(()),
        }
    }
}

impl TryFrom<FieldDraft> for FieldDef {
    type Error = String;
    fn try_from(draft: FieldDraft) -> Result<Self, String> {
        let sensitivity = draft.sensitivity.ok_or_else(|| format!("field {}: sensitivity is missing", draft.name))?;
        draft.resolve(sensitivity, Sealing::Plain)
    }
}

impl From<FieldDef> for FieldDraft {
    fn from(field: FieldDef) -> Self {
        let mut draft = Self {
            type_name: TypeName::Text,
            max_chars: None,
            case_fold: None,
            min: None,
            max: None,
            scale: None,
            options: None,
            targets: None,
            on_delete: None,
            parent: None,
            name: field.name,
            label: field.label,
            sensitivity: Some(field.sensitivity),
            sealing: Some(field.sealing),
            sealing_strict: field.sealing_strict,
            parts: field.parts,
            key_class: field.key_class,
            mask: field.mask,
            required: field.required,
            unique: field.unique,
            searchable: field.searchable,
            indexed: field.indexed,
            read_only: field.read_only,
            default: field.default,
            help: field.help,
            aliases: field.aliases,
            custom: field.custom,
            retired: field.retired,
        };
        draft.set_type(field.field_type);
        draft
    }
}

impl FieldDraft {
    fn set_type(&mut self, field_type: FieldType) {
        self.type_name = match field_type {
            FieldType::Text { max_chars, case_fold } => {
                self.max_chars = max_chars;
                self.case_fold = case_fold.then_some(true);
                TypeName::Text
            }
            FieldType::LongText => TypeName::LongText,
            FieldType::RichText => TypeName::RichText,
            FieldType::Integer { min, max } => {
                self.min = min;
                self.max = max;
                TypeName::Integer
            }
            FieldType::Decimal { scale } => {
                self.scale = Some(scale);
                TypeName::Decimal
            }
            FieldType::Money => TypeName::Money,
            FieldType::Date => TypeName::Date,
            FieldType::Timestamp => TypeName::Timestamp,
            FieldType::Bool => TypeName::Bool,
            FieldType::Enum { options } => {
                self.options = Some(options);
                TypeName::Enum
            }
            FieldType::MultiEnum { options } => {
                self.options = Some(options);
                TypeName::MultiEnum
            }
            FieldType::Email => TypeName::Email,
            FieldType::Phone => TypeName::Phone,
            FieldType::Url => TypeName::Url,
            FieldType::Address => TypeName::Address,
            FieldType::Reference { targets, on_delete, parent } => {
                self.targets = Some(targets);
                self.on_delete = Some(on_delete);
                self.parent = parent.then_some(true);
                TypeName::Reference
            }
            FieldType::File => TypeName::File,
            FieldType::Json => TypeName::Json,
        };
    }
}
