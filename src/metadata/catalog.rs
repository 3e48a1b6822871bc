//! All definitions of an appliance at one moment, checked against each other. Immutable: a change makes a new one.

use crate::{FieldType, LinkDef, ObjectDef, Profile, Sealing, Serial, Subject, system_fields};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// A catalogue that contradicts itself. The text names object and field.
#[derive(Debug, thiserror::Error)]
#[error("definition of {object}: {problem}")]
pub struct CatalogError {
    /// The object.
    pub object: String,
    /// What is wrong.
    pub problem: String,
}

/// A many-to-many relation seen from one of its ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    /// Its name seen from this end.
    pub name: String,
    /// The object at the other end.
    pub target: String,
    /// The object that defines it; its name is part of the link table's.
    pub definer: Arc<ObjectDef>,
    /// The definition.
    pub link: LinkDef,
    /// Whether it is seen from the end that does not define it.
    pub inverse: bool,
}

/// All objects by name.
#[derive(Clone, Debug)]
pub struct Catalog {
    version: u64,
    profile: Profile,
    sources: Vec<Arc<ObjectDef>>,
    objects: BTreeMap<String, Arc<ObjectDef>>,
}

impl Catalog {
    /// Joins definitions into a catalogue: resolves the profile, appends system fields, checks every reference.
    /// `version` is the number of definition changes so far.
    pub fn build(definitions: Vec<ObjectDef>, profile: Profile, version: u64) -> Result<Self, CatalogError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut objects = BTreeMap::new();
        let mut sources = Vec::with_capacity(definitions.len());
        for mut definition in definitions {
            definition.fields.retain(|field| !field.system);
            sources.push(Arc::new(definition.clone()));
            for field in &mut definition.fields {
                field.sealing = field.sealing_in(profile);
                // A search token or sort key of a sealed value would lay it open on disk. Of an address only the
                // street is sealed.
                let plain = field.sealing == Sealing::Plain;
                field.searchable &= plain;
                field.indexed &= plain || field.field_type == FieldType::Address;
            }
            definition.fields.extend(system_fields(definition.number.is_some()));
            definition.serial = Serial(NEXT.fetch_add(1, Ordering::Relaxed));
            let name = definition.name.clone();
            if objects.insert(name.clone(), Arc::new(definition)).is_some() {
                return Err(CatalogError { object: name, problem: "is defined twice".to_owned() });
            }
        }
        let catalog = Self { version, profile, sources, objects };
        catalog.objects.values().try_for_each(|object| catalog.check(object))?;
        Ok(catalog)
    }

    /// The number of definition changes so far.
    pub fn version(&self) -> u64 {
        self.version
    }
    /// The profile it was built for.
    pub fn profile(&self) -> Profile {
        self.profile
    }
    /// The definitions as they were given: not resolved to the profile, without system fields. What is stored.
    pub fn definitions(&self) -> Vec<ObjectDef> {
        self.sources.iter().map(|source| ObjectDef::clone(source)).collect()
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
    /// The many-to-many relations that this object can use, from either end, in order of their names.
    pub fn relations(&self, object: &str) -> Vec<Relation> {
        let mut found = Vec::new();
        for definer in self.objects.values() {
            for link in &definer.links {
                let mut add = |name: &str, target: &str, inverse| {
                    let (name, target) = (name.to_owned(), target.to_owned());
                    found.push(Relation { name, target, definer: Arc::clone(definer), link: link.clone(), inverse });
                };
                if definer.name == object {
                    add(&link.name, &link.target, false);
                }
                if let (true, Some(inverse)) = (link.target == object, &link.inverse) {
                    add(inverse, &definer.name, true);
                }
            }
        }
        found.sort_by(|one, two| one.name.cmp(&two.name));
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
            let reference =
                object.field(name).is_some_and(|field| matches!(field.field_type, FieldType::Reference { .. }));
            if !reference {
                return Err(problem(format!("the subject field {name} is not a reference")));
            }
        }
        Ok(())
    }
}
