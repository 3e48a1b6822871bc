//! Definitions in the database: loaded into a catalogue at start, changed by running a plan in one transaction.
//! Objects, fields and options are rows, so that a database administrator can read them.

use crate::engine::{Access, Conn, Sql, dialect};
use crate::{Store, StoreConfig, StoreError, WriteTx, migrate, people, schema};
use kernel::{Clock, Fault, Label};
use metadata::{Catalog, ColumnType, EnumOption, FieldDef, FieldType, ObjectDef, Plan, Profile, Step, StepAction};
use std::collections::BTreeMap;
use std::sync::Arc;

const TEXT: ColumnType = ColumnType::Text;
const INT: ColumnType = ColumnType::Integer;

pub(crate) fn meta(conn: &mut Conn, key: &str) -> Result<Option<String>, StoreError> {
    let mut sql = Sql::new("SELECT \"value\" FROM \"k_meta\" WHERE \"key\" = ");
    sql.bind(key);
    Ok(conn.first(&sql, &[TEXT])?.and_then(|row| row.text(0)))
}

pub(crate) fn set_meta(conn: &mut Conn, key: &str, value: &str) -> Result<(), StoreError> {
    let mut sql = Sql::new("INSERT INTO \"k_meta\" (\"key\", \"value\") VALUES (");
    sql.bind(key).push(", ").bind(value).push(") ON CONFLICT (\"key\") DO UPDATE SET \"value\" = excluded.\"value\"");
    conn.execute(&sql).map(|_| ())
}

/// Loads the profile and the catalogue; a database that was never set up is refused.
pub(crate) fn load(conn: &mut Conn) -> Result<(Profile, Catalog), StoreError> {
    let profile = match meta(conn, "profile")?.as_deref() {
        Some("standard") => Profile::Standard,
        Some("strict") => Profile::Strict,
        Some(other) => return Err(StoreError::SchemaUnknown(format!("The database has the unknown profile {other}."))),
        None => return Err(StoreError::config("The database is empty; run `kontor init` first.")),
    };
    let version = stored_version(conn)?;
    let catalog = Catalog::build(read_definitions(conn)?, profile, version)
        .map_err(|error| StoreError::damaged(error.to_string()))?;
    Ok((profile, catalog))
}

fn stored_version(conn: &mut Conn) -> Result<u64, StoreError> {
    Ok(meta(conn, "catalog_version")?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

fn read_definitions(conn: &mut Conn) -> Result<Vec<ObjectDef>, StoreError> {
    let options = read_options(conn)?;
    let sql = Sql::new("SELECT \"object\", \"name\", \"definition\" FROM \"k_field\" ORDER BY \"object\", \"ord\"");
    let mut fields: BTreeMap<String, Vec<FieldDef>> = BTreeMap::new();
    for row in conn.rows(&sql, &[TEXT, TEXT, TEXT])? {
        let (object, name) = (row.text(0).unwrap_or_default(), row.text(1).unwrap_or_default());
        let mut field: FieldDef = parse(&row.text(2).unwrap_or_default(), &format!("{object}.{name}"))?;
        if let FieldType::Enum { options: list } | FieldType::MultiEnum { options: list } = &mut field.field_type {
            *list = options.get(&(object.clone(), name)).cloned().unwrap_or_default();
        }
        fields.entry(object).or_default().push(field);
    }
    let sql = Sql::new("SELECT \"name\", \"definition\" FROM \"k_object\" ORDER BY \"name\"");
    let mut objects = Vec::new();
    for row in conn.rows(&sql, &[TEXT, TEXT])? {
        let name = row.text(0).unwrap_or_default();
        let mut object: ObjectDef = parse(&row.text(1).unwrap_or_default(), &name)?;
        object.fields = fields.remove(&name).unwrap_or_default();
        objects.push(object);
    }
    Ok(objects)
}

fn read_options(conn: &mut Conn) -> Result<BTreeMap<(String, String), Vec<EnumOption>>, StoreError> {
    let sql = Sql::new(
        "SELECT \"object\", \"field\", \"code\", \"en\", \"zh\", \"active\" FROM \"k_enum_value\" ORDER BY \"object\", \"field\", \"ord\"",
    );
    let mut options: BTreeMap<(String, String), Vec<EnumOption>> = BTreeMap::new();
    for row in conn.rows(&sql, &[TEXT, TEXT, TEXT, TEXT, TEXT, ColumnType::Bool])? {
        let text = |at| row.text(at).unwrap_or_default();
        let option = EnumOption {
            code: text(2),
            label: Label::new(text(3), text(4)),
            active: row.get(5).bool().unwrap_or(true),
        };
        options.entry((text(0), text(1))).or_default().push(option);
    }
    Ok(options)
}

fn parse<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::damaged(format!("the definition of {what} cannot be read: {error}")))
}

fn write_definition(conn: &mut Conn, object: &ObjectDef) -> Result<(), StoreError> {
    let mut bare = object.clone();
    bare.fields = Vec::new();
    let text = serde_json::to_string(&bare).map_err(|error| StoreError::damaged(error.to_string()))?;
    let mut sql = Sql::new("INSERT INTO \"k_object\" (\"name\", \"definition\") VALUES (");
    sql.bind(object.name.as_str()).push(", ").bind(text.as_str());
    sql.push(") ON CONFLICT (\"name\") DO UPDATE SET \"definition\" = excluded.\"definition\"");
    conn.execute(&sql)?;
    for (ord, field) in object.fields.iter().filter(|field| !field.system).enumerate() {
        write_field(conn, &object.name, ord, field)?;
    }
    Ok(())
}

fn write_field(conn: &mut Conn, object: &str, ord: usize, field: &FieldDef) -> Result<(), StoreError> {
    let mut bare = field.clone();
    let options = match &mut bare.field_type {
        FieldType::Enum { options } | FieldType::MultiEnum { options } => std::mem::take(options),
        _ => Vec::new(),
    };
    let text = serde_json::to_string(&bare).map_err(|error| StoreError::damaged(error.to_string()))?;
    let ord = i64::try_from(ord).unwrap_or(i64::MAX);
    let mut sql = Sql::new("INSERT INTO \"k_field\" (\"object\", \"name\", \"ord\", \"definition\") VALUES (");
    sql.bind(object).push(", ").bind(field.name.as_str()).push(", ").bind(ord).push(", ").bind(text.as_str());
    sql.push(") ON CONFLICT (\"object\", \"name\") DO UPDATE SET \"ord\" = excluded.\"ord\", \"definition\" = excluded.\"definition\"");
    conn.execute(&sql)?;
    for (ord, option) in (0i64..).zip(&options) {
        let mut sql = Sql::new(
            "INSERT INTO \"k_enum_value\" (\"object\", \"field\", \"code\", \"ord\", \"en\", \"zh\", \"active\") VALUES (",
        );
        sql.bind(object)
            .push(", ")
            .bind(field.name.as_str())
            .push(", ")
            .bind(option.code.as_str())
            .push(", ")
            .bind(ord);
        sql.push(", ")
            .bind(option.label.en.as_str())
            .push(", ")
            .bind(option.label.zh.as_str())
            .push(", ")
            .bind(option.active);
        sql.push(") ON CONFLICT (\"object\", \"field\", \"code\") DO UPDATE SET \"ord\" = excluded.\"ord\", \"en\" = excluded.\"en\", \"zh\" = excluded.\"zh\", \"active\" = excluded.\"active\"");
        conn.execute(&sql)?;
    }
    Ok(())
}

/// Makes a new database: system tables, shipped objects, shipped roles.
#[derive(Debug)]
pub struct SetUp;

impl SetUp {
    /// Runs once, in one transaction; a database that was set up before is refused.
    pub fn run(config: &StoreConfig, profile: Profile, appliance: &str, clock: &dyn Clock) -> Result<(), StoreError> {
        let mut conn = Conn::open(&config.engine, Access::Write)?;
        migrate::migrate(&mut conn, clock.now())?;
        if meta(&mut conn, "profile")?.is_some() {
            return Err(StoreError::config("The database belongs to an appliance already; nothing was changed."));
        }
        let definitions = metadata::shipped();
        let catalog =
            Catalog::build(definitions.clone(), profile, 0).map_err(|error| StoreError::damaged(error.to_string()))?;
        dialect::begin_group(&mut conn)?;
        let outcome = Self::fill(&mut conn, &definitions, &catalog, profile, appliance);
        conn.batch(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        outcome
    }

    fn fill(
        conn: &mut Conn,
        definitions: &[ObjectDef],
        catalog: &Catalog,
        profile: Profile,
        appliance: &str,
    ) -> Result<(), StoreError> {
        for object in catalog.objects() {
            schema::create_table(conn, object)?;
            schema::create_search(conn, object)?;
            object.links.iter().try_for_each(|link| schema::create_link(conn, object, link))?;
        }
        definitions.iter().try_for_each(|object| write_definition(conn, object))?;
        let roles = authz::standard_roles().map_err(|error| StoreError::damaged(error.to_string()))?;
        roles.iter().try_for_each(|role| people::write_role(conn, role))?;
        set_meta(conn, "catalog_version", "0")?;
        set_meta(conn, "appliance", appliance)?;
        set_meta(conn, "profile", if profile == Profile::Strict { "strict" } else { "standard" })
    }
}

impl Store {
    /// The id of the appliance this database belongs to.
    pub fn appliance(&self) -> Result<String, Fault> {
        let read = self.read(|tx| meta(tx.conn, "appliance"));
        read.wait().map(Option::unwrap_or_default)
    }
    /// Rows of an object, for the planner's cost notes. Counts; not for hot paths.
    pub fn row_count(&self, object: &str) -> u64 {
        let object = object.to_owned();
        let read = self.read(move |tx| {
            if tx.catalog.object(&object).is_none() {
                return Ok(0);
            }
            let mut sql = Sql::new("SELECT count(*) FROM ");
            sql.ident(&object);
            Ok(tx.conn.first(&sql, &[INT])?.and_then(|row| row.int(0)).unwrap_or(0))
        });
        read.wait().ok().and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
    }
}

impl WriteTx<'_, '_> {
    /// Runs a plan that has no errors: tables, columns and indexes, then the definitions that name them.
    /// The new catalogue is in force once the group is on disk.
    pub fn run_plan(&mut self, plan: &Plan) -> Result<(), StoreError> {
        let Some(next) = plan.next.as_ref().filter(|_| plan.errors.is_empty()) else {
            return Err(StoreError::damaged("a plan with errors was given to the runner"));
        };
        let shared = Arc::clone(self.read.shared);
        let version = self.read.catalog.version() + 1;
        if meta(self.conn(), "catalog_version")? != Some((version - 1).to_string()) {
            return Err(Fault::new(
                kernel::Code::VersionConflict,
                "The definitions were changed at the same moment; plan again.",
            )
            .into());
        }
        let catalog = Catalog::build(next.clone(), shared.profile, version)
            .map_err(|error| StoreError::damaged(error.to_string()))?;
        for step in &plan.steps {
            self.run_step(&catalog, step)?;
        }
        let old = self.read.catalog.definitions();
        for object in next.iter().filter(|object| !old.contains(object)) {
            write_definition(self.conn(), object)?;
        }
        set_meta(self.conn(), "catalog_version", &version.to_string())?;
        let catalog = Arc::new(catalog);
        self.read.catalog = Arc::clone(&catalog);
        self.after_commit(move || shared.catalog.store(catalog));
        Ok(())
    }

    fn run_step(&mut self, catalog: &Catalog, step: &Step) -> Result<(), StoreError> {
        let unknown = || StoreError::damaged("a plan names an object or field that it does not define");
        let named = |object: &str| catalog.object(object).map(Arc::clone).ok_or_else(unknown);
        match &step.action {
            StepAction::CreateTable { object } => schema::create_table(self.conn(), named(object)?.as_ref()),
            StepAction::CreateSearchTable { object } => schema::create_search(self.conn(), named(object)?.as_ref()),
            StepAction::AddColumn { object, column, .. } => schema::add_column(self.conn(), object, column),
            StepAction::CreateIndex { object, columns, unique, .. } => {
                schema::create_index(self.conn(), object, columns, *unique)
            }
            StepAction::CreateLinkTable { object, link, .. } => {
                let object = named(object)?;
                schema::create_link(self.conn(), &object, object.link(link).ok_or_else(unknown)?)
            }
            StepAction::FillSortKey { object, field, .. } => self.fill_sort_keys(&named(object)?, field),
            StepAction::FillSearch { object, .. } | StepAction::ClearSearch { object, .. } => {
                self.rebuild_search(&named(object)?)
            }
            StepAction::ArrangeLayout { .. } | StepAction::UpdateDefinition { .. } => Ok(()),
        }
    }
}

impl Store {
    /// Takes over definitions and roles that another process changed; to be called every few seconds while serving.
    /// Says whether anything was new. Blocking.
    pub fn refresh(&self) -> Result<bool, Fault> {
        let moved = self.read(|tx| {
            let shared = tx.shared;
            Ok(people::load_policy(tx.conn)?.epoch() != shared.policy.load().epoch()
                || stored_version(tx.conn)? != shared.catalog.load().version())
        });
        if !moved.wait()? {
            return Ok(false);
        }
        // Taken over as a unit of work, whose place in the order of commits is also its place in the order of takings-over.
        // A reader's look may be older than what a unit has put in force since, and would undo that.
        let taken = self.write(|tx| {
            let shared = Arc::clone(tx.read.shared);
            let policy = people::load_policy(tx.conn())?;
            let catalog = load(tx.conn())?.1;
            tx.after_commit(move || {
                if policy.epoch() != shared.policy.load().epoch() {
                    shared.policy.store(Arc::new(policy));
                }
                if catalog.version() > shared.catalog.load().version() {
                    shared.catalog.store(Arc::new(catalog));
                }
            });
            Ok(())
        });
        taken.wait().map(|()| true)
    }
}
