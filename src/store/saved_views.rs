//! Saved views of lists: whose they are, with whom they are shared, and a sealed body that holds name and definition.
//! What a reader may see of a body is decided above; this file only keeps it.

use crate::engine::{Row, Sql};
use crate::{ReadTx, StoreError, WriteTx};
use kernel::{RecordId, Timestamp, UserId};
use metadata::ColumnType;

const LABEL: &str = "view";
const COLUMNS: &str = "SELECT \"id\", \"object\", \"owner_id\", \"version\", \"shared\", \"roles\", \"default_roles\", \"body\", \"updated_at\" FROM \"k_view\" WHERE ";
const TYPES: [ColumnType; 9] = [
    ColumnType::Binary,
    ColumnType::Text,
    ColumnType::Binary,
    ColumnType::Integer,
    ColumnType::Text,
    ColumnType::Text,
    ColumnType::Text,
    ColumnType::Binary,
    ColumnType::Integer,
];

/// With whom a view is shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody.
    #[default]
    Private,
    /// Everybody who holds one of its roles.
    Roles,
    /// Everybody.
    All,
}

impl Sharing {
    /// The name in the table and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Roles => "roles",
            Self::All => "all",
        }
    }
    fn from_name(name: &str) -> Option<Self> {
        [Self::Private, Self::Roles, Self::All].into_iter().find(|each| each.as_str() == name)
    }
}

/// A view as it is kept.
#[derive(Clone)]
pub struct SavedView {
    /// Its id.
    pub id: RecordId,
    /// The object it lists.
    pub object: String,
    /// Who made it.
    pub owner: UserId,
    /// One more with each change.
    pub version: i64,
    /// With whom it is shared.
    pub shared: Sharing,
    /// The roles it is shared with.
    pub roles: Vec<String>,
    /// The roles for which the object opens with it.
    pub default_roles: Vec<String>,
    /// Name, kind and definition as JSON text.
    pub body: Vec<u8>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

fn names(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default().split('|').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

impl ReadTx<'_> {
    fn view(&self, row: &Row) -> Result<SavedView, StoreError> {
        let damaged = || StoreError::damaged("a saved view has no id, owner or sharing");
        let id: RecordId = row.id(0).ok_or_else(damaged)?;
        let sealed = row.get(7).bin().unwrap_or_default();
        Ok(SavedView {
            id,
            object: row.text(1).unwrap_or_default(),
            owner: row.id(2).ok_or_else(damaged)?,
            version: row.int(3).unwrap_or_default(),
            shared: row.get(4).text().and_then(Sharing::from_name).ok_or_else(damaged)?,
            roles: names(row.get(5).text()),
            default_roles: names(row.get(6).text()),
            body: self.shared.vault.open_internal(LABEL, id.as_bytes(), sealed)?.to_vec(),
            updated_at: Timestamp::from_micros(row.int(8).unwrap_or_default()),
        })
    }

    /// The views of an object that a user made or that are shared, oldest first. Whether a shared one is meant for the
    /// reader is for the caller to decide by its roles.
    pub fn views(&mut self, object: &str, user: UserId) -> Result<Vec<SavedView>, StoreError> {
        let mut sql = Sql::new(COLUMNS);
        sql.push("\"object\" = ").bind(object).push(" AND (\"owner_id\" = ").bind(user);
        sql.push(" OR \"shared\" <> 'private') ORDER BY \"id\"");
        let rows = self.conn.rows(&sql, &TYPES)?;
        rows.iter().map(|row| self.view(row)).collect()
    }

    /// One view.
    pub fn view_by_id(&mut self, id: RecordId) -> Result<Option<SavedView>, StoreError> {
        let mut sql = Sql::new(COLUMNS);
        sql.push("\"id\" = ").bind(id);
        let row = self.conn.first(&sql, &TYPES)?;
        row.map(|row| self.view(&row)).transpose()
    }

    /// The view a user chose to open an object with.
    pub fn view_default(&mut self, object: &str, user: UserId) -> Result<Option<RecordId>, StoreError> {
        let mut sql = Sql::new("SELECT \"view_id\" FROM \"k_view_default\" WHERE \"user_id\" = ");
        sql.bind(user).push(" AND \"object\" = ").bind(object);
        Ok(self.conn.first(&sql, &[ColumnType::Binary])?.and_then(|row| row.id(0)))
    }
}

impl WriteTx<'_, '_> {
    /// Writes a view: a new one, or in place of its older version.
    pub fn view_write(&mut self, view: &SavedView) -> Result<(), StoreError> {
        let sealed = self.read.shared.vault.seal_internal(LABEL, view.id.as_bytes(), &view.body)?;
        let mut sql = Sql::new(
            "INSERT INTO \"k_view\" (\"id\", \"object\", \"owner_id\", \"version\", \"shared\", \"roles\", \"default_roles\", \"body\", \"updated_at\") VALUES (",
        );
        sql.bind(view.id).push(", ").bind(view.object.as_str()).push(", ").bind(view.owner).push(", ");
        sql.bind(view.version).push(", ").bind(view.shared.as_str()).push(", ").bind(view.roles.join("|").as_str());
        sql.push(", ").bind(view.default_roles.join("|").as_str()).push(", ").bind(sealed.as_slice()).push(", ");
        sql.bind(view.updated_at.micros());
        sql.push(") ON CONFLICT (\"id\") DO UPDATE SET \"version\" = excluded.\"version\", \"shared\" = excluded.\"shared\", \"roles\" = excluded.\"roles\", \"default_roles\" = excluded.\"default_roles\", \"body\" = excluded.\"body\", \"updated_at\" = excluded.\"updated_at\"");
        self.conn().execute(&sql).map(|_| ())
    }

    /// Takes a view away, also where somebody opens an object with it.
    pub fn view_drop(&mut self, id: RecordId) -> Result<(), StoreError> {
        let mut sql = Sql::new("DELETE FROM \"k_view_default\" WHERE \"view_id\" = ");
        sql.bind(id);
        self.conn().execute(&sql)?;
        let mut sql = Sql::new("DELETE FROM \"k_view\" WHERE \"id\" = ");
        sql.bind(id);
        self.conn().execute(&sql).map(|_| ())
    }

    /// Chooses the view that an object opens with for a user, or none.
    pub fn view_default_set(&mut self, object: &str, user: UserId, view: Option<RecordId>) -> Result<(), StoreError> {
        let mut sql = Sql::new("DELETE FROM \"k_view_default\" WHERE \"user_id\" = ");
        sql.bind(user).push(" AND \"object\" = ").bind(object);
        self.conn().execute(&sql)?;
        let Some(view) = view else { return Ok(()) };
        let mut sql = Sql::new("INSERT INTO \"k_view_default\" (\"user_id\", \"object\", \"view_id\") VALUES (");
        sql.bind(user).push(", ").bind(object).push(", ").bind(view).push(")");
        self.conn().execute(&sql).map(|_| ())
    }
}
