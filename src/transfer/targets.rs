//! What files can be mapped onto, taken from the live definitions. Never decides a permission: the verbs do, row by row.

use crate::{TargetField, TargetKind, TargetObject, TargetOption, TargetRelation};
use identity::Actor;
use kernel::Outcome;
use metadata::{Catalog, EnumOption, FieldDef, FieldType, ObjectDef};
use records::{ObjectView, Records};
use std::collections::BTreeMap;

/// What somebody can map a file onto: the objects they know of, with the fields they may set.
pub fn targets_for(records: &Records, actor: &Actor) -> Outcome<Vec<TargetObject>> {
    let mut targets = targets_of(&records.catalog());
    let known: BTreeMap<String, ObjectView> =
        records.objects(actor)?.into_iter().map(|view| (view.definition.name.clone(), view)).collect();
    targets.retain(|target| known.contains_key(&target.name));
    for target in &mut targets {
        let view = known.get(&target.name);
        let may = |name: &str| view.and_then(|view| view.access.get(name)).is_some_and(|access| access.level == "edit");
        target.fields.retain(|field| may(&field.name));
    }
    Ok(targets)
}

/// All objects of a catalogue as targets.
pub fn targets_of(catalog: &Catalog) -> Vec<TargetObject> {
    catalog.objects().map(|object| target_of(catalog, object)).collect()
}

fn target_of(catalog: &Catalog, object: &ObjectDef) -> TargetObject {
    let fields = object.fields.iter().filter(|field| !field.read_only && !field.retired);
    let relations = catalog.relations(&object.name).into_iter();
    TargetObject {
        name: object.name.clone(),
        fields: fields.map(|field| field_of(catalog, field)).collect(),
        relations: relations
            .map(|relation| TargetRelation { name: relation.name, objects: vec![relation.target] })
            .collect(),
    }
}

fn field_of(catalog: &Catalog, field: &FieldDef) -> TargetField {
    TargetField {
        name: field.name.clone(),
        label: field.label.clone(),
        kind: kind_of(catalog, field),
        aliases: field.aliases.clone(),
    }
}

fn options_of(options: &[EnumOption]) -> Vec<TargetOption> {
    let active = options.iter().filter(|option| option.active);
    active.map(|option| TargetOption { code: option.code.clone(), label: option.label.clone() }).collect()
}

fn kind_of(catalog: &Catalog, field: &FieldDef) -> TargetKind {
    match &field.field_type {
        FieldType::Text { .. }
        | FieldType::LongText
        | FieldType::RichText
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::File => TargetKind::Text,
        FieldType::Integer { .. } => TargetKind::Integer,
        FieldType::Decimal { .. } => TargetKind::Decimal,
        FieldType::Money => TargetKind::Money,
        FieldType::Date => TargetKind::Date,
        FieldType::Timestamp => TargetKind::Timestamp,
        FieldType::Bool => TargetKind::Bool,
        FieldType::Enum { options } => TargetKind::Enum { options: options_of(options) },
        FieldType::MultiEnum { options } => TargetKind::MultiEnum { options: options_of(options) },
        FieldType::Address => TargetKind::Address,
        FieldType::Json => TargetKind::Json,
        FieldType::Reference { targets, .. } => {
            let title =
                targets.first().and_then(|target| catalog.object(target)).map(|object| object.title_field.clone());
            TargetKind::Reference { objects: targets.clone(), by: title.unwrap_or_else(|| "name".to_owned()) }
        }
    }
}
