//! What is asked of the server, and the SQL that the store runs for it, for the bare engine beside.
//! Each pair asks for the same rows and columns.

use crate::Outcome;
use crate::appliance::{People, get, post};
use crate::data::{self, Numbers};
use crate::load::Writer;
use kernel::{RecordId, Timestamp};
use metadata::{FieldType, ObjectDef, Subject, encode_token, query_tokens};
use serde_json::json;
use std::sync::Arc;
use store::bare::{Bare, Statement, Value};

/// The columns of the list, as a screen of contacts has them.
const LIST_FIELDS: [&str; 8] =
    ["full_name", "title", "department", "account", "owner", "source", "language", "created_at"];
const LIST_ROWS: i64 = 50;
const SEARCH_HITS: i64 = 6;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Open,
    OpenBySession,
    List,
    ListTeam,
    Search,
    Create,
    Constant,
}

impl Verb {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Open => "open by id",
            Self::OpenBySession => "open by id, session cookie",
            Self::List => "list 50",
            Self::ListTeam => "list 50 in a team's scope",
            Self::Search => "search, two characters",
            Self::Create => "create",
            Self::Constant => "constant answer",
        }
    }
}

/// What there is to ask for.
pub(crate) struct World {
    pub(crate) ids: Arc<Vec<RecordId>>,
    pub(crate) from_micros: i64,
    pub(crate) until_micros: i64,
    pub(crate) team: Vec<RecordId>,
    pub(crate) teams: Vec<RecordId>,
}

impl World {
    /// Looks at what lies in the database.
    pub(crate) fn look(bare: &mut Bare, manager: &str) -> Outcome<Self> {
        use metadata::ColumnType::{Binary, Integer};
        let ids_of = |rows: Vec<Vec<Value>>| -> Vec<RecordId> {
            let id = |row: Vec<Value>| match row.into_iter().next() {
                Some(Value::Binary(bytes)) => RecordId::from_slice(&bytes),
                _ => None,
            };
            rows.into_iter().filter_map(id).collect()
        };
        let ids =
            ids_of(bare.rows("SELECT \"id\" FROM \"contact\" WHERE \"deleted_at\" IS NULL", Vec::new(), &[Binary])?);
        let times = "SELECT min(\"created_at\"), max(\"created_at\") FROM \"contact\" WHERE \"deleted_at\" IS NULL";
        let times = bare.rows(times, Vec::new(), &[Integer, Integer])?;
        let [Value::Integer(first), Value::Integer(last)] = times.first().map(Vec::as_slice).unwrap_or_default() else {
            return Err("there are no contacts".into());
        };
        let mine = "SELECT l.\"from_id\" FROM \"l_team_members\" l JOIN \"user\" u ON u.\"id\" = l.\"to_id\" WHERE u.\"username\" = ?";
        let teams = ids_of(bare.rows(mine, vec![Value::Text(manager.to_owned())], &[Binary])?);
        let team = teams.first().ok_or("the manager has no team")?;
        let members = "SELECT \"to_id\" FROM \"l_team_members\" WHERE \"from_id\" = ? ORDER BY \"to_id\"";
        let team = ids_of(bare.rows(members, vec![Value::Binary(team.as_bytes().to_vec())], &[Binary])?);
        // The first tenth is left out, so that every page is full.
        let from_micros = first + (last - first) / 10;
        Ok(Self { ids: Arc::new(ids), from_micros, until_micros: *last, team, teams })
    }

    fn moment(from: i64, until: i64, numbers: &mut Numbers) -> i64 {
        from + i64::try_from(numbers.below(u64::try_from(until - from).unwrap_or(1).max(1))).unwrap_or(0)
    }

    /// Writes requests for a verb.
    pub(crate) fn requests(&self, verb: Verb, people: &People) -> Writer {
        let (from, until) = (self.from_micros, self.until_micros);
        let who = match verb {
            Verb::ListTeam => people.manager.clone(),
            Verb::OpenBySession => people.cookie.clone(),
            Verb::Constant => String::new(),
            Verb::Open | Verb::List | Verb::Search | Verb::Create => people.reader.clone(),
        };
        match verb {
            Verb::Constant => Arc::new(|_, out| out.extend(get("/healthz", ""))),
            Verb::Open | Verb::OpenBySession => {
                let ids = Arc::clone(&self.ids);
                Arc::new(move |numbers, out| {
                    let id = numbers.pick(&ids).map(ToString::to_string).unwrap_or_default();
                    out.extend(get(&format!("/api/v1/records/contact/{id}"), &who));
                })
            }
            Verb::List | Verb::ListTeam => {
                let fields = LIST_FIELDS.join(",");
                Arc::new(move |numbers, out| {
                    let filter = json!({"and": [
                        {"field": "created_at", "op": "lt", "value": Timestamp::from_micros(Self::moment(from, until, numbers))},
                        {"field": "language", "op": "eq", "value": "zh"},
                    ]});
                    let filter = escaped(&filter.to_string());
                    out.extend(get(
                        &format!("/api/v1/records/contact?filter={filter}&sort=-created_at&fields={fields}"),
                        &who,
                    ));
                })
            }
            Verb::Search => Arc::new(move |numbers, out| {
                let q = escaped(&data::two_characters(numbers));
                out.extend(get(&format!("/api/v1/search?objects=contact&q={q}"), &who));
            }),
            Verb::Create => Arc::new(move |numbers, out| {
                let name = data::name(numbers);
                let number = numbers.below(100_000_000);
                let body = json!({
                    "full_name": name.full, "last_name": name.last, "first_name": name.first,
                    "title": data::title(numbers), "department": data::department(numbers),
                    "language": if name.chinese { "zh" } else { "en" }, "source": "website",
                    "mobile": data::mobile(number), "email": data::email(number),
                });
                out.extend(post("/api/v1/records/contact", &who, &body));
            }),
        }
    }

    /// The query of a verb on the bare engine, with a maker of its values; nothing for those that are none.
    pub(crate) fn query(&self, verb: Verb, contact: &ObjectDef, sqlite: bool) -> Option<(Statement, Values)> {
        let columns = columns_text(contact, verb);
        let (from, until) = (self.from_micros, self.until_micros);
        match verb {
            Verb::Open => {
                let ids = Arc::clone(&self.ids);
                let text = format!("SELECT {columns} FROM \"contact\" t WHERE t.\"id\" = ?");
                let values: Values = Arc::new(move |numbers| {
                    numbers.pick(&ids).map(|id| vec![Value::Binary(id.as_bytes().to_vec())]).unwrap_or_default()
                });
                Some((Statement::new(&text), values))
            }
            Verb::List | Verb::ListTeam => {
                let (owners, teams) =
                    if verb == Verb::ListTeam { (self.team.clone(), self.teams.clone()) } else { Default::default() };
                let text = if owners.is_empty() {
                    walked(&columns)
                } else {
                    merged(&columns, owners.len(), teams.len(), sqlite)
                };
                let values: Values = Arc::new(move |numbers| {
                    let asked = [Value::Integer(Self::moment(from, until, numbers)), Value::Text("zh".to_owned())];
                    if owners.is_empty() {
                        return asked.to_vec();
                    }
                    let value = |id: &RecordId| Value::Binary(id.as_bytes().to_vec());
                    let mut values = Vec::new();
                    for owner in &owners {
                        values.push(value(owner));
                        values.extend(asked.clone());
                    }
                    for team in &teams {
                        values.push(value(team));
                        values.extend(owners.iter().map(value));
                        values.extend(asked.clone());
                    }
                    values
                });
                Some((Statement::new(&text), values))
            }
            Verb::Search => {
                let tags: Vec<String> = searchable(contact).map(str::to_owned).collect();
                let search = contact.search_table();
                let text = if sqlite {
                    format!(
                        "SELECT {columns} FROM \"{search}\" s CROSS JOIN \"contact\" t ON t.\"rid\" = s.rowid WHERE s.\"{search}\" MATCH ? \
                         AND t.\"deleted_at\" IS NULL ORDER BY s.rowid DESC LIMIT {SEARCH_HITS}"
                    )
                } else {
                    format!(
                        "SELECT {columns}, h.\"seen\" FROM (SELECT c.\"hit\", count(*) OVER () AS \"seen\" FROM (SELECT t.\"rid\" AS \"hit\" \
                         FROM \"contact\" t WHERE t.\"search_tokens\" @@ CAST(? AS text)::tsquery AND t.\"deleted_at\" IS NULL LIMIT 2000) c \
                         ORDER BY c.\"hit\" DESC LIMIT {SEARCH_HITS}) h JOIN \"contact\" t ON t.\"rid\" = h.\"hit\" ORDER BY t.\"rid\" DESC"
                    )
                };
                let values: Values = Arc::new(move |numbers| {
                    vec![Value::Text(expression(&data::two_characters(numbers), &tags, sqlite))]
                });
                Some((Statement::new(&text), values))
            }
            Verb::OpenBySession | Verb::Create | Verb::Constant => None,
        }
    }
}

/// The list along its order.
fn walked(columns: &str) -> String {
    format!(
        "SELECT {columns} FROM \"contact\" t WHERE t.\"deleted_at\" IS NULL \
         AND ((t.\"created_at\" < ?) AND (t.\"language\" = ?)) ORDER BY t.\"created_at\" DESC NULLS LAST, t.\"id\" DESC NULLS LAST LIMIT {}",
        LIST_ROWS + 1
    )
}

/// The list as one walk for each owner and team.
fn merged(columns: &str, owners: usize, teams: usize, sqlite: bool) -> String {
    let rows = LIST_ROWS + 1;
    let order = format!(" ORDER BY t.\"created_at\" DESC NULLS LAST, t.\"id\" DESC NULLS LAST LIMIT {rows})");
    let (begin, end) = if sqlite { ("", "") } else { ("(", order.as_str()) };
    let arm = |column, but: &str| {
        format!(
            "{begin}SELECT t.\"created_at\" AS \"k\", t.\"id\" AS \"i\", t.\"rid\" AS \"r\" FROM \"contact\" t \
             WHERE t.\"deleted_at\" IS NULL AND t.\"{column}\" = ?{but} AND ((t.\"created_at\" < ?) AND (t.\"language\" = ?)){end}"
        )
    };
    let but = format!(" AND (t.\"owner_id\" IS NULL OR t.\"owner_id\" NOT IN ({}))", vec!["?"; owners].join(", "));
    let mut arms = vec![arm("owner_id", ""); owners];
    arms.extend(vec![arm("team_id", &but); teams]);
    format!(
        "SELECT {columns} FROM ({} ORDER BY 1 DESC NULLS LAST, 2 DESC NULLS LAST LIMIT {rows}) m CROSS JOIN \"contact\" t \
         WHERE t.\"rid\" = m.\"r\" ORDER BY m.\"k\" DESC NULLS LAST, m.\"i\" DESC NULLS LAST",
        arms.join(" UNION ALL ")
    )
}

/// Makes the values of a query.
pub(crate) type Values = Arc<dyn Fn(&mut Numbers) -> Vec<Value> + Send + Sync>;

/// The names of the fields that are searched.
pub(crate) fn searchable(object: &ObjectDef) -> impl Iterator<Item = &str> {
    let fields = object.fields.iter().filter(|field| field.searchable && !field.is_sealed() && !field.retired);
    fields.map(|field| field.name.as_str())
}

fn expression(text: &str, tags: &[String], sqlite: bool) -> String {
    let group = |token: &metadata::QueryToken| {
        let one = |tag: &String| {
            let word = encode_token(tag, &token.text);
            match (sqlite, token.prefix) {
                (true, false) => format!("\"{word}\""),
                (true, true) => format!("\"{word}\"*"),
                (false, false) => format!("'{word}'"),
                (false, true) => format!("'{word}':*"),
            }
        };
        format!("({})", tags.iter().map(one).collect::<Vec<_>>().join(if sqlite { " OR " } else { " | " }))
    };
    query_tokens(text).iter().map(group).collect::<Vec<_>>().join(if sqlite { " AND " } else { " & " })
}

/// The columns that the store selects for a verb.
fn columns_text(object: &ObjectDef, verb: Verb) -> String {
    let long = |field: &metadata::FieldDef| {
        matches!(field.field_type, FieldType::LongText | FieldType::RichText | FieldType::Json)
    };
    let shown = |field: &metadata::FieldDef| match verb {
        Verb::List | Verb::ListTeam => LIST_FIELDS.contains(&field.name.as_str()),
        Verb::Search => !field.retired && !field.is_sealed() && !long(field),
        _ => !field.retired,
    };
    let subject = |field: &metadata::FieldDef| matches!(&object.subject, Subject::Field(name) if *name == field.name);
    let fixed = ["rid", "id", "version", "owner_id", "unit_id", "team_id", "deleted_at"].map(str::to_owned);
    let fields = object.fields.iter().filter(|field| shown(field) || subject(field));
    let names = fixed.into_iter().chain(fields.flat_map(metadata::FieldDef::columns).map(|column| column.name));
    names.map(|name| format!("t.\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// Percent-encoded for a query string.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
