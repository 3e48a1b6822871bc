//! All definitions of an appliance at one moment, checked against each other. Immutable: a change makes a new one.

use crate::{FieldType, ObjectDef, Profile, Subject, system_fields};
use std::{collections::BTreeMap, sync::Arc};

/// A catalogue that contradicts itself. The text names object and field.
#[derive(Debug, thiserror::Error)]
#[error("definition of {object}: {problem}")]
pub struct CatalogError {
    /// The object.
    pub object: String,
    /// What is wrong.
    pub problem: String,
}

/// All objects by name.
#[derive(Clone, Debug)]
pub struct Catalog {
    version: u64,
    objects: BTreeMap<String, Arc<ObjectDef>>,
}

impl Catalog {
    /// Joins definitions into a catalogue: resolves the profile, appends system fields, checks every reference.
    /// `version` is the number of definition changes so far.
    pub fn build(definitions: Vec<ObjectDef>, profile: Profile, version: u64) -> Result<Self, CatalogError> {
        let mut objects = BTreeMap::new();
        for mut definition in definitions {
            for field in &mut definition.fields {
                field.sealing = field.sealing_in(profile);
            }
            definition.fields.retain(|field| !field.system);
            definition.fields.extend(system_fields(definition.number.is_some()));
            let name = definition.name.clone();
            if objects.insert(name.clone(), Arc::new(definition)).is_some() {
                return Err(CatalogError { object: name, problem: "is defined twice".to_owned() });
            }
        }
        let catalog = Self { version, objects };
        catalog.objects.values().try_for_each(|object| catalog.check(object))?;
        Ok(catalog)
    }

    /// The number of definition changes so far.
    pub fn version(&self) -> u64 {
        self.version
    }
    /// The definition of this name.
    pub fn object(&self, name: &str) -> Option<&Arc<ObjectDef>> {
        self.objects.get(name)
    }
    /// All definitions by name.
    pub fn objects(&self) -> impl Iterator<Item = &Arc<ObjectDef>> {
        self.objects.values()
    }
    /// The reference fields anywhere that may point to this object: (object, field position).
    pub fn referrers(&self, target: &str) -> Vec<(Arc<ObjectDef>, usize)> {
        let mut found = Vec::new();
        for object in self.objects.values() {
            for (index, field) in object.fields.iter().enumerate() {
                if field.reference_targets().iter().any(|name| name == target) {
                    found.push((Arc::clone(object), index));
                }
            }
        }
        found
    }

    fn check(&self, object: &ObjectDef) -> Result<(), CatalogError> {
        let problem = |problem: String| CatalogError { object: object.name.clone(), problem };
        for field in &object.fields {
            for target in field.reference_targets() {
                if !self.objects.contains_key(target) {
                    return Err(problem(format!("field {} points to the unknown object {target}", field.name)));
                }
            }
        }
        for link in &object.links {
            if !self.objects.contains_key(&link.target) {
                return Err(problem(format!("relation {} points to the unknown object {}", link.name, link.target)));
            }
        }
        if object.field(&object.title_field).is_none() {
            return Err(problem(format!("the title field {} does not exist", object.title_field)));
        }
        if let Subject::Field(name) = &object.subject {
            let reference = object.field(name).is_some_and(|field| matches!(field.field_type, FieldType::Reference { .. }));
            if !reference {
                return Err(problem(format!("the subject field {name} is not a reference")));
            }
        }
        Ok(())
    }
}
