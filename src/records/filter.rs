//! From the wire's filter tree to the store's. Every field named must be readable on every record of the scope: what one
//! may not read, one may not find out by filtering either. Errors carry a pointer into the tree.

use crate::fields::related_object;
use crate::relative;
use authz::{FieldLevels, Level, Policy, Verb};
use identity::Actor;
use kernel::{Code, Date, Fault, Timestamp, limits};
use metadata::{Catalog, FieldDef, FieldType, ObjectDef, Value, parse_value};
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use store::{Condition, Filter, Op};

/// Region parts of an address that can be compared.
const REGION: [&str; 5] = ["country", "province", "city", "district", "postcode"];

/// What a filter is read against.
pub(crate) struct FilterReader<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) catalog: &'a Catalog,
    pub(crate) actor: &'a Actor,
    pub(crate) now: Timestamp,
    leaves: usize,
    fiscal_start: u8,
    /// Fields that were used, for the log.
    pub(crate) used: Vec<String>,
}

impl<'a> FilterReader<'a> {
    pub(crate) fn new(policy: &'a Policy, catalog: &'a Catalog, actor: &'a Actor, now: Timestamp) -> Self {
        Self { policy, catalog, actor, now, leaves: 0, fiscal_start: 1, used: Vec::new() }
    }

    /// The month in which a fiscal year begins.
    pub(crate) fn fiscal(self, start: u8) -> Self {
        Self { fiscal_start: start, ..self }
    }

    /// Reads a tree for an object whose readable fields are these.
    pub(crate) fn read(&mut self, object: &Arc<ObjectDef>, floor: &FieldLevels, tree: &Json) -> Result<Filter, Fault> {
        self.node(object, floor, tree, "/filter", 0)
    }

    /// Reads one node; `at` is where it stands.
    pub(crate) fn node(
        &mut self,
        object: &Arc<ObjectDef>,
        floor: &FieldLevels,
        tree: &Json,
        at: &str,
        depth: usize,
    ) -> Result<Filter, Fault> {
        if depth > limits::FILTER_DEPTH_MAX {
            return Err(invalid(
                at,
                format!("At most {} levels of and/or (FILTER_DEPTH_MAX).", limits::FILTER_DEPTH_MAX),
            ));
        }
        let map = tree.as_object().ok_or_else(|| invalid(at, "Expected an object with and, or, or field and op."))?;
        for (word, or) in [("and", false), ("or", true)] {
            let Some(parts) = map.get(word) else { continue };
            let list = parts.as_array().filter(|_| map.len() == 1);
            let list = list.ok_or_else(|| invalid(at, format!("{word} takes a list and stands alone.")))?;
            let read = |(index, part): (usize, &Json)| {
                self.node(object, floor, part, &format!("{at}/{word}/{index}"), depth + 1)
            };
            let parts = list.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
            return Ok(if or { Filter::Or(parts) } else { Filter::And(parts) });
        }
        self.leaves += 1;
        if self.leaves > limits::FILTER_LEAVES_MAX {
            return Err(invalid(at, format!("At most {} conditions (FILTER_LEAVES_MAX).", limits::FILTER_LEAVES_MAX)));
        }
        self.leaf(object, floor, map, at)
    }

    fn leaf(
        &mut self,
        object: &Arc<ObjectDef>,
        floor: &FieldLevels,
        map: &Map<String, Json>,
        at: &str,
    ) -> Result<Filter, Fault> {
        if let Some(key) = map.keys().find(|key| !matches!(key.as_str(), "field" | "op" | "value")) {
            return Err(invalid(at, format!("A condition has field, op and value; {key} is none of them.")));
        }
        let op = map.get("op").and_then(Json::as_str).ok_or_else(|| invalid(at, "A condition needs an op."))?;
        if let Some(filter) = self.personal(object, floor, op, map, at)? {
            return Ok(filter);
        }
        let name = map.get("field").and_then(Json::as_str).ok_or_else(|| invalid(at, "A condition needs a field."))?;
        if name == "id" {
            return self.ids(op, map.get("value").unwrap_or(&Json::Null), at);
        }
        let (head, rest) = name.split_once('.').map_or((name, None), |(head, rest)| (head, Some(rest)));
        let index = object.field_index(head).ok_or_else(|| unknown(at, object, head))?;
        let field = object.fields.get(index).ok_or_else(|| unknown(at, object, head))?;
        self.readable(object, floor, index, at)?;
        let part = match rest {
            None => None,
            Some(part) if field.field_type == FieldType::Address => {
                Some(REGION.into_iter().find(|region| *region == part).ok_or_else(|| {
                    not_filterable(
                        at,
                        field,
                        "of an address only country, province, city, district and postcode can be compared",
                    )
                })?)
            }
            Some(rest) => return self.related(object, head, rest, map, at),
        };
        let value = map.get("value").unwrap_or(&Json::Null);
        self.condition((index, field, part), op, value, at)
    }

    /// Records by their ids, which every reader in reach of them may know.
    fn ids(&mut self, op: &str, value: &Json, at: &str) -> Result<Filter, Fault> {
        let list = match (op, value) {
            ("eq", Json::String(_)) => std::slice::from_ref(value),
            ("in", Json::Array(list)) if list.len() <= limits::FILTER_IN_MAX => list.as_slice(),
            ("in", Json::Array(_)) => {
                return Err(invalid(at, format!("At most {} values (FILTER_IN_MAX).", limits::FILTER_IN_MAX)));
            }
            _ => return Err(invalid(at, "id takes eq with an id, or in with a list of ids.")),
        };
        let read = |id: &Json| id.as_str().and_then(|text| text.parse().ok());
        let ids = list.iter().map(read).collect::<Option<Vec<_>>>();
        self.used.push("id".to_owned());
        ids.map(Filter::Ids).ok_or_else(|| invalid(at, "An id is a UUID, such as the one in a record's address."))
    }

    /// Only what can be read on every record in scope can be used to select records.
    fn readable(&mut self, object: &ObjectDef, floor: &FieldLevels, index: usize, at: &str) -> Result<(), Fault> {
        let Some(field) = object.fields.get(index) else { return Ok(()) };
        if floor.get(index) < Level::Read {
            return Err(Fault::new(
                Code::FieldNotFilterable,
                format!("You may not read field {}, so it cannot select records.", field.name),
            )
            .with_item(
                format!("{at}/field"),
                Code::FieldDenied,
                "Your roles do not show this field in clear.",
            ));
        }
        self.used.push(field.name.clone());
        Ok(())
    }

    fn related(
        &mut self,
        object: &Arc<ObjectDef>,
        head: &str,
        rest: &str,
        map: &Map<String, Json>,
        at: &str,
    ) -> Result<Filter, Fault> {
        let (reference, other) = related_object(self.catalog, object, head, head)?;
        if rest.matches('.').count() > 1 {
            return Err(invalid(at, "Only fields of directly related records can be compared."));
        }
        let scope = self.policy.scope(self.actor, &other, Verb::Read).map_err(Fault::from)?;
        let mut inner = map.clone();
        inner.insert("field".to_owned(), Json::String(rest.to_owned()));
        let filter = self.leaf(&other, scope.floor(), &inner, at)?;
        if matches!(filter, Filter::Related { .. }) {
            return Err(invalid(at, "Only fields of directly related records can be compared."));
        }
        Ok(Filter::Related {
            field: reference,
            object: other,
            predicate: scope.predicate().clone(),
            filter: Box::new(filter),
        })
    }

    /// `mine`, `my_team`, `my_unit_and_below`: conditions on owner, team and unit of the record.
    fn personal(
        &mut self,
        object: &Arc<ObjectDef>,
        floor: &FieldLevels,
        op: &str,
        map: &Map<String, Json>,
        at: &str,
    ) -> Result<Option<Filter>, Fault> {
        let user = |id| Value::Reference { object: "user".to_owned(), id };
        let one_of = |name: &str, values: Vec<Value>| {
            object.field_index(name).map(|field| Filter::Is(Condition { field, part: None, op: Op::In(values) }))
        };
        let (fields, filter): (&[&str], _) = match op {
            "mine" => {
                let name = map.get("field").and_then(Json::as_str).unwrap_or("owner");
                let field = object.field(name).ok_or_else(|| unknown(at, object, name))?;
                if !field.reference_targets().iter().any(|target| target == "user") {
                    return Err(invalid(at, "mine compares a field that points to users."));
                }
                let index = object.field_index(name).unwrap_or_default();
                self.readable(object, floor, index, at)?;
                (&[], one_of(name, vec![user(self.actor.user())]))
            }
            "my_team" => {
                let owners = one_of(
                    "owner",
                    self.actor.team_members().iter().map(|id| user(*id)).chain([user(self.actor.user())]).collect(),
                );
                let team = |id: &kernel::RecordId| Value::Reference { object: "team".to_owned(), id: *id };
                let teams = one_of("team", self.actor.teams().iter().map(team).collect());
                (&["owner", "team"], Some(Filter::Or(owners.into_iter().chain(teams).collect())))
            }
            "my_unit_and_below" => {
                let unit = |id: &kernel::UnitId| Value::Reference { object: "unit".to_owned(), id: *id };
                (&["unit"], one_of("unit", self.actor.units_below().iter().map(unit).collect()))
            }
            _ => return Ok(None),
        };
        for name in fields {
            if let Some(index) = object.field_index(name) {
                self.readable(object, floor, index, at)?;
            }
        }
        Ok(filter)
    }

    fn condition(
        &self,
        (index, field, part): (usize, &FieldDef, Option<&'static str>),
        op: &str,
        value: &Json,
        at: &str,
    ) -> Result<Filter, Fault> {
        let is = |op| Filter::Is(Condition { field: index, part: part.map(str::to_owned), op });
        let one = |value: &Json| self.value(field, part, value, at);
        let text = || {
            plain_text(value)
                .filter(|text| !text.is_empty())
                .ok_or_else(|| invalid(at, format!("{op} takes a text of 1 to {} characters.", limits::TEXT_CHARS_MAX)))
        };
        Ok(match op {
            "eq" if value.is_null() => is(Op::Empty(true)),
            "ne" if value.is_null() => is(Op::Empty(false)),
            "eq" if matches!(field.field_type, FieldType::MultiEnum { .. }) => is(Op::Has(text()?)),
            "eq" => is(Op::Eq(one(value)?)),
            "ne" => is(Op::Ne(one(value)?)),
            "lt" => is(Op::Lt(self.ordered(field, value, at)?)),
            "le" => is(Op::Le(self.ordered(field, value, at)?)),
            "gt" => is(Op::Gt(self.ordered(field, value, at)?)),
            "ge" => is(Op::Ge(self.ordered(field, value, at)?)),
            "in" => {
                let list = value.as_array().ok_or_else(|| invalid(at, "in takes a list."))?;
                if list.len() > limits::FILTER_IN_MAX {
                    return Err(invalid(at, format!("At most {} values (FILTER_IN_MAX).", limits::FILTER_IN_MAX)));
                }
                if list.iter().any(Json::is_null) {
                    return Err(invalid(at, "in takes values; use empty for records without one."));
                }
                is(Op::In(list.iter().map(one).collect::<Result<_, _>>()?))
            }
            "between" => {
                let (low, high) = match value.as_array().map(Vec::as_slice) {
                    Some([low, high]) => (self.ordered(field, low, at)?, self.ordered(field, high, at)?),
                    _ => return Err(invalid(at, "between takes a list of two values.")),
                };
                Filter::And(vec![is(Op::Ge(low)), is(Op::Le(high))])
            }
            "contains" | "starts_with" => {
                self.textual(field, part, at)?;
                is(if op == "contains" { Op::Contains(text()?) } else { Op::StartsWith(text()?) })
            }
            "has" if matches!(field.field_type, FieldType::MultiEnum { .. }) && !field.is_sealed() => {
                is(Op::Has(text()?))
            }
            "has" => return Err(not_filterable(at, field, "it does not hold several options")),
            "empty" => match value {
                Json::Null => is(Op::Empty(true)),
                Json::Bool(empty) => is(Op::Empty(*empty)),
                _ => return Err(invalid(at, "empty takes true or false.")),
            },
            name => return self.dates(index, field, name, at),
        })
    }

    fn textual(&self, field: &FieldDef, part: Option<&str>, at: &str) -> Result<(), Fault> {
        let text = matches!(
            field.field_type,
            FieldType::Text { .. }
                | FieldType::LongText
                | FieldType::RichText
                | FieldType::Email
                | FieldType::Phone
                | FieldType::Url
        );
        if part.is_some() || (text && !field.is_sealed()) {
            Ok(())
        } else if text {
            Err(not_filterable(at, field, "it is sealed; parts of it cannot be compared"))
        } else {
            Err(not_filterable(at, field, "it is not a text"))
        }
    }

    fn ordered(&self, field: &FieldDef, value: &Json, at: &str) -> Result<Value, Fault> {
        let ordered = matches!(
            field.field_type,
            FieldType::Integer { .. }
                | FieldType::Decimal { .. }
                | FieldType::Money
                | FieldType::Date
                | FieldType::Timestamp
                | FieldType::Text { .. }
        );
        if field.is_sealed() {
            return Err(not_filterable(at, field, "it is sealed; its values cannot be put in order"));
        }
        if !ordered {
            return Err(not_filterable(at, field, "its values have no order that can be compared"));
        }
        let value = self.value(field, None, value, at)?;
        if value.is_null() { Err(invalid(at, "Comparing needs a value.")) } else { Ok(value) }
    }

    fn value(&self, field: &FieldDef, part: Option<&str>, value: &Json, at: &str) -> Result<Value, Fault> {
        if part.is_some() {
            return plain_text(value).map(Value::Text).ok_or_else(|| invalid(at, "Expected a text."));
        }
        parse_value(field, value, &format!("{at}/value")).map_err(|item| {
            Fault::new(Code::FilterInvalid, format!("The value does not fit field {}.", field.name)).with_item(
                item.pointer,
                item.code,
                item.detail,
            )
        })
    }

    fn dates(&self, index: usize, field: &FieldDef, name: &str, at: &str) -> Result<Filter, Fault> {
        let Some((from, to)) = relative::range(name, self.now.date(), self.fiscal_start) else {
            return Err(invalid(
                at,
                format!(
                    "There is no op {name}; there are eq, ne, lt, le, gt, ge, in, between, contains, starts_with, has, empty, mine, my_team, my_unit_and_below, {}.",
                    relative::NAMES.join(", ")
                ),
            ));
        };
        let value = |date: Date| match field.field_type {
            FieldType::Date => Some(Value::Date(date)),
            FieldType::Timestamp => {
                let midnight = date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros();
                Some(Value::Timestamp(Timestamp::from_micros(midnight)))
            }
            _ => None,
        };
        if field.is_sealed() || !matches!(field.field_type, FieldType::Date | FieldType::Timestamp) {
            return Err(not_filterable(at, field, "it is not a plain date or time"));
        }
        let is = |op| Filter::Is(Condition { field: index, part: None, op });
        let low = from.and_then(value).map(|value| is(Op::Ge(value)));
        let high = to.and_then(value).map(|value| is(Op::Lt(value)));
        Ok(Filter::And(low.into_iter().chain(high).collect()))
    }
}

/// A text to compare with: of bounded length, and without what no stored text has.
fn plain_text(value: &Json) -> Option<String> {
    let fits = |text: &&str| text.chars().count() <= limits::TEXT_CHARS_MAX && !text.contains('\0');
    value.as_str().filter(fits).map(str::to_owned)
}

fn invalid(at: &str, detail: impl Into<String>) -> Fault {
    let detail = detail.into();
    Fault::new(Code::FilterInvalid, "The filter cannot be read.").with_item(at, Code::FilterInvalid, detail)
}
fn unknown(at: &str, object: &ObjectDef, name: &str) -> Fault {
    let name: String = name.chars().take(limits::NAME_CHARS_MAX).collect();
    Fault::new(Code::FilterInvalid, format!("Object {} has no field {name}.", object.name)).with_item(
        format!("{at}/field"),
        Code::FieldUnknown,
        "There is no such field; see the metadata of the object.",
    )
}
fn not_filterable(at: &str, field: &FieldDef, why: &str) -> Fault {
    Fault::new(Code::FieldNotFilterable, format!("Field {} cannot be used like this: {why}.", field.name)).with_item(
        format!("{at}/field"),
        Code::FieldNotFilterable,
        format!("{why}."),
    )
}
