//! The world of the leak matrix: records at every distance from one person, each value a canary of its own, roles of
//! every scope and level, and a second, simpler reading of what a role allows.

use authz::{Level, RoleDef, RoleKind, ScopeWidth, Verb};
use identity::{Actor, Channel, UserDirectory, memory};
use kernel::RecordId;
use metadata::Sensitivity;
use records::{PickSet, Retry, Shown};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use store::DirectoryPorts;
use testkit::{TestAppliance, object_of};

/// The fields whose values are looked for, with their sensitivity in the shipped definition.
pub(crate) const FIELDS: [(&str, Sensitivity); 8] = [
    ("legal_name", Sensitivity::S1),
    ("phone", Sensitivity::S2),
    ("email", Sensitivity::S2),
    ("tax_no", Sensitivity::S2),
    ("bank_account_no", Sensitivity::S3),
    ("kyc_notes", Sensitivity::S3),
    ("registered_address", Sensitivity::S2),
    ("credit_limit", Sensitivity::S2),
];
/// Where a record lies, seen from the probe.
pub(crate) const PLACES: [&str; 6] = ["own", "mate", "team", "unit", "below", "far"];
pub(crate) const SCOPES: [&str; 6] = ["none", "own", "team", "unit", "unit_and_below", "all"];
pub(crate) const LEVELS: [&str; 5] = ["none", "exists", "masked", "read", "edit"];

pub(crate) struct Subject {
    pub(crate) id: RecordId,
    pub(crate) contact: RecordId,
    pub(crate) file: RecordId,
    pub(crate) place: &'static str,
    pub(crate) deleted: bool,
    number: u32,
}

impl Subject {
    pub(crate) fn name(&self) -> String {
        format!("Name{}core", self.number)
    }
    /// What only somebody who may read the field may see.
    pub(crate) fn core(&self, field: &str) -> String {
        let r = self.number;
        match field {
            "legal_name" => format!("Leg{r}alcore"),
            "phone" => format!("4516{r}66{r}"),
            "email" => format!("{r}mailcore"),
            "tax_no" => format!("{r}TCORE{r}"),
            "bank_account_no" => format!("{r}BCORE{r}"),
            "kyc_notes" => format!("Notes{r}kyccore"),
            "registered_address" => format!("Str{r}streetcore"),
            _ => format!("77{r}88{r}99"),
        }
    }
    /// What its mask shows beside.
    pub(crate) fn tail(&self, field: &str) -> Option<String> {
        let r = self.number;
        match field {
            "phone" => Some(format!("****9{r}9")),
            "email" => Some(format!("q***@d{r}tail.example")),
            "tax_no" => Some(format!("****8{r}8")),
            "bank_account_no" => Some(format!("****7{r}7")),
            "registered_address" => Some(format!("Stadt{r}tail")),
            _ => None,
        }
    }
    pub(crate) fn value(&self, field: &str) -> Json {
        let (r, core) = (self.number, self.core(field));
        match field {
            "phone" => json!(format!("+49{core}9{r}9")),
            "email" => json!(format!("q{core}@d{r}tail.example")),
            "tax_no" => json!(format!("TAX{core}8{r}8")),
            "bank_account_no" => json!(format!("BANK{core}7{r}7")),
            "registered_address" => json!({"city": self.tail(field), "street": core}),
            "credit_limit" => json!({"amount": format!("{core}.00"), "currency": "EUR"}),
            _ => json!(core),
        }
    }
    pub(crate) fn body(&self) -> Json {
        let mut body = json!({"name": self.name()});
        for (field, _) in FIELDS {
            body[field] = self.value(field);
        }
        body
    }
}

/// What only the keeper of a private activity may ever read.
pub(crate) const PRIVATE: &str = "Privatecanary";

pub(crate) struct World<'k> {
    pub(crate) kontor: &'k TestAppliance,
    pub(crate) probe: RecordId,
    pub(crate) subjects: Vec<Subject>,
    pub(crate) replay: Retry,
    /// Activities that are somebody's alone, who is nobody of the matrix.
    pub(crate) private: Vec<RecordId>,
    /// Backup sets: of how things were, and one in which everything was the probe's.
    pub(crate) sets: Vec<Arc<PickSet>>,
}

impl<'k> World<'k> {
    pub(crate) fn new(kontor: &'k TestAppliance) -> Self {
        let unit = |code: &str, parent: Option<RecordId>| {
            kontor.make("unit", json!({"code": code, "name": code, "parent": parent}))
        };
        let top = unit("top", None);
        let home = unit("home", Some(top));
        let (below, far) = (unit("below", Some(home)), unit("far", Some(top)));
        let probe = kontor.user("probe", &[], Some(home));
        let mate = kontor.user("mate", &[], Some(far));
        let colleague = kontor.user("colleague", &[], Some(home));
        let junior = kontor.user("junior", &[], Some(below));
        let stranger = kontor.user("stranger", &[], Some(far));
        let team = kontor.team("Probe's team", &[probe, mate]);
        define_roles(kontor);
        custom_role(kontor);
        let mut world = Self::empty(kontor, probe);
        let owners = [probe, mate, stranger, colleague, junior, stranger];
        for deleted in [false, true] {
            for (place, owner) in PLACES.into_iter().zip(owners) {
                let number = 11 + u32::try_from(world.subjects.len()).unwrap();
                let mut subject = Subject { id: probe, contact: probe, file: probe, place, deleted, number };
                let mut body = subject.body();
                body["owner"] = json!(owner);
                if place == "team" {
                    body["team"] = json!(team);
                }
                subject.id = kontor.make("account", body.clone());
                let contact = json!({"full_name": format!("Contact {number}"), "account": subject.id, "owner": owner, "team": body["team"]});
                subject.contact = kontor.make("contact", contact);
                let operator = kontor.operator();
                kontor
                    .records
                    .link(&operator, "contact", subject.contact, "accounts", subject.id, None)
                    .wait()
                    .expect("a link");
                subject.file = file_of(kontor, &subject);
                // A change, so that the history has two sides to show.
                kontor.change(&operator, "account", subject.id, json!({"phone": null})).expect("a change");
                kontor
                    .change(&operator, "account", subject.id, json!({"phone": subject.value("phone")}))
                    .expect("a change");
                world.subjects.push(subject);
            }
        }
        world.keep_sets();
        let remover = world.actor(&["remover"]);
        for subject in world.subjects.iter().filter(|subject| subject.deleted) {
            kontor.delete(&remover, "account", subject.id).expect("a delete");
            let reference = json!({"account": null});
            assert_eq!(
                kontor.change(&kontor.operator(), "contact", subject.contact, reference).expect("a change").fields["account"],
                Json::Null
            );
        }
        world.keep_private();
        let number = 11 + u32::try_from(world.subjects.len()).unwrap();
        let mut kept = Subject { id: probe, contact: probe, file: probe, place: "own", deleted: false, number };
        let full = world.actor(&["all/edit"]);
        let first = kontor
            .records
            .create(&full, "account", object_of(kept.body()), Some(world.replay.clone()))
            .wait()
            .map(Shown::into_view);
        kept.id = first.expect("a kept answer").id;
        kept.file = file_of(kontor, &kept);
        kept.contact = kontor.make("contact", json!({"full_name": "Contact kept", "account": kept.id, "owner": probe}));
        world.subjects.push(kept);
        world
    }

    fn empty(kontor: &'k TestAppliance, probe: RecordId) -> Self {
        let replay = Retry { key: "replay".to_owned(), request: [9; 32] };
        Self { kontor, probe, subjects: Vec::new(), replay, private: Vec::new(), sets: Vec::new() }
    }

    /// Sets of now, when nothing is deleted yet.
    fn keep_sets(&mut self) {
        let hex: String = self.probe.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let all_own = format!("UPDATE account SET owner_id = x'{hex}'; UPDATE contact SET owner_id = x'{hex}'");
        self.sets = vec![self.kontor.set(1), self.kontor.set_altered(2, &all_own)];
    }

    /// Activities about every account in sight that only their owner may ever see.
    fn keep_private(&mut self) {
        let keeper = self.kontor.user("keeper", &[], None);
        for subject in self.subjects.iter().filter(|subject| !subject.deleted) {
            let regarding = json!({"object": "account", "id": subject.id});
            let note = json!({"subject": format!("{PRIVATE} {}", subject.place), "regarding": regarding, "owner": keeper, "private": true});
            self.private.push(self.kontor.make("activity", note));
        }
    }

    /// The probe with these roles, whatever the table of roles says.
    pub(crate) fn actor(&self, roles: &[&str]) -> Arc<Actor> {
        let mut facts =
            DirectoryPorts(Arc::clone(&self.kontor.store)).facts(self.probe).expect("facts").expect("the probe");
        facts.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        Arc::new(memory::session_actor(facts, self.kontor.context(Channel::Api)).expect("a session"))
    }

    /// A program with a token of the probe.
    pub(crate) fn program(&self, roles: &[&str], scopes: &str) -> Arc<Actor> {
        let mut facts =
            DirectoryPorts(Arc::clone(&self.kontor.store)).facts(self.probe).expect("facts").expect("the probe");
        facts.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        Arc::new(
            memory::token_actor(facts, scopes.parse().expect("scopes"), self.kontor.context(Channel::Api))
                .expect("a token"),
        )
    }
}

/// A file that bears the name of its record.
fn file_of(kontor: &TestAppliance, subject: &Subject) -> RecordId {
    let begun = kontor.records.attachment_begin(&kontor.operator(), "account", subject.id, &subject.name()).wait();
    let mut upload = begun.expect("an upload").into_view();
    upload.write(b"text").expect("a write");
    upload.finish().wait().expect("a file").view().id
}

fn define_roles(kontor: &TestAppliance) {
    let words = json!({"en": "Generated", "zh": "生成"});
    let role = |name: &str, account: Json, level: &str, more: Json| {
        let fields: serde_json::Map<String, Json> =
            FIELDS.iter().map(|(field, _)| (format!("account.{field}"), json!(level))).collect();
        let mut role = json!({"name": name, "label": words, "description": words, "levels": {"S0": "edit", "S1": "edit", "S2": "edit", "S3": "edit"}, "fields": fields, "actions": ["bulk", "backup_pick"],
            "objects": {"account": account, "contact": {"read": "all"}, "activity": {"read": "all"}, "organisation": {"read": "all"}}});
        role.as_object_mut().unwrap().extend(object_of(more));
        kontor.role(role);
    };
    let verbs = |scope: &str| json!({"read": scope, "create": scope, "update": scope, "delete": scope});
    for scope in SCOPES {
        for level in LEVELS {
            role(&format!("{scope}/{level}"), verbs(scope), level, json!({}));
        }
        role(&format!("{scope}/masked+reveal"), json!({"read": scope, "reveal": scope}), "masked", json!({}));
    }
    role("team reads only", json!({"read": "team"}), "read", json!({}));
    role("reveal only", json!({"read": "all", "reveal": "all"}), "none", json!({}));
    role("remover", verbs("all"), "none", json!({}));
    role("forbids reading", json!({}), "none", json!({"forbid": {"objects": {"account": ["read"]}}}));
    role("forbids all business", json!({}), "none", json!({"forbid": {"objects": {"*": ["read"]}}}));
    let every: Vec<String> = FIELDS.iter().map(|(field, _)| format!("account.{field}")).collect();
    role("forbids fields", json!({}), "none", json!({"forbid": {"fields": every}}));
    role("greedy administrator", verbs("all"), "edit", json!({"kind": "system_administration"}));
}

/// A role as a security administrator makes it, through the verb: a copy with rights of its own.
fn custom_role(kontor: &TestAppliance) {
    let draft = json!({"name": "x_custom", "copy_of": "service_agent", "role": {
        "objects": {"account": {"read": "unit", "update": "own", "reveal": "own"}, "contact": {"read": "all"}, "organisation": {"read": "all"}},
        "fields": {"account.email": "read", "account.kyc_notes": "exists"},
        "forbid": {"fields": ["account.tax_no"]}}});
    let change = records::RoleChange::Create(serde_json::from_value(draft).expect("a draft"));
    kontor.records.role_run(&kontor.operator(), change).wait().expect("a custom role");
}

/// What the matrix expects: read from the roles' own words, without the policy's code.
pub(crate) struct Expected {
    roles: Vec<RoleDef>,
    nothing: bool,
}

impl Expected {
    pub(crate) fn of(kontor: &TestAppliance, names: &[&str]) -> Self {
        let policy = kontor.store.policy();
        let roles: Vec<RoleDef> = names.iter().map(|name| (**policy.role(name).expect("a role")).clone()).collect();
        let kinds: Vec<RoleKind> = roles.iter().map(|role| role.kind).collect();
        let nothing = kinds.windows(2).any(|pair| pair[0] != pair[1]);
        Self { roles, nothing }
    }
    fn width(role: &RoleDef, verb: Verb) -> ScopeWidth {
        if role.kind != RoleKind::Business {
            return ScopeWidth::None;
        }
        role.objects
            .get("account")
            .or_else(|| role.objects.get("*"))
            .map_or(ScopeWidth::None, |rights| rights.width(verb))
    }
    fn forbidden(&self, verb: Verb) -> bool {
        let objects = self.roles.iter().flat_map(|role| &role.forbid.objects);
        self.nothing
            || objects
                .filter(|(object, _)| ["account", "*"].contains(&object.as_str()))
                .any(|(_, verbs)| verbs.contains(&verb))
    }
    fn reach(role: &RoleDef, verb: Verb, place: &str) -> bool {
        match Self::width(role, verb) {
            ScopeWidth::None => false,
            ScopeWidth::Own => place == "own",
            ScopeWidth::Team => ["own", "mate", "team"].contains(&place),
            ScopeWidth::Unit => ["own", "unit"].contains(&place),
            ScopeWidth::UnitAndBelow => ["own", "unit", "below"].contains(&place),
            ScopeWidth::All => true,
        }
    }
    fn level_of(&self, role: &RoleDef, field: &str) -> Level {
        let name = format!("account.{field}");
        if self.roles.iter().any(|role| role.forbid.fields.contains(&name)) {
            return Level::None;
        }
        let sensitivity =
            FIELDS.iter().find(|(known, _)| *known == field).map(|(_, sensitivity)| *sensitivity).unwrap();
        let by_object = role.object_levels.get("account").and_then(|levels| levels.get(&sensitivity));
        role.fields.get(&name).or(by_object).or_else(|| role.levels.get(&sensitivity)).copied().unwrap_or_default()
    }
    pub(crate) fn any(&self, verb: Verb) -> bool {
        !self.forbidden(verb) && self.roles.iter().any(|role| Self::width(role, verb) != ScopeWidth::None)
    }
    pub(crate) fn reaches(&self, verb: Verb, place: &str) -> bool {
        !self.forbidden(verb) && self.roles.iter().any(|role| Self::reach(role, verb, place))
    }
    /// Whether the record is in sight on surfaces that show live records, or those in the bin.
    pub(crate) fn sees(&self, subject: &Subject) -> bool {
        self.reaches(Verb::Read, subject.place) && (!subject.deleted || self.reaches(Verb::Delete, subject.place))
    }
    pub(crate) fn level(&self, verb: Verb, place: &str, field: &str) -> Level {
        let reaching = self.roles.iter().filter(|role| Self::reach(role, verb, place));
        if self.forbidden(verb) {
            Level::None
        } else {
            reaching.map(|role| self.level_of(role, field)).max().unwrap_or_default()
        }
    }
    /// What every role that reads at all shows: below that nothing may select records by the field.
    pub(crate) fn floor(&self, field: &str) -> Level {
        let reading = self.roles.iter().filter(|role| Self::width(role, Verb::Read) != ScopeWidth::None);
        if self.forbidden(Verb::Read) {
            Level::None
        } else {
            reading.map(|role| self.level_of(role, field)).min().unwrap_or_default()
        }
    }
}
