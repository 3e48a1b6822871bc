//! What records are put together by, as text: `stage`, `expected_close:month`, `address.city`. Read against the definition and
//! the reader's levels; the same for summaries and for saved views.

use authz::{FieldLevels, Level};
use kernel::{Code, Fault};
use metadata::{FieldType, ObjectDef, Sensitivity};
use store::{Bucket, GroupField};

/// Region parts of an address that records can be put together by.
const REGION: [&str; 5] = ["country", "province", "city", "district", "postcode"];
const BUCKETS: [(&str, Bucket); 5] = [
    ("year", Bucket::Year),
    ("quarter", Bucket::Quarter),
    ("month", Bucket::Month),
    ("week", Bucket::Week),
    ("day", Bucket::Day),
];

/// Reads one group. `pointer` is where it stands in the request.
pub(crate) fn group_field(
    object: &ObjectDef,
    floor: &FieldLevels,
    text: &str,
    pointer: &str,
) -> Result<GroupField, Fault> {
    let (name, bucket) = text.split_once(':').map_or((text, None), |(name, bucket)| (name, Some(bucket)));
    let (name, part) = name.split_once('.').map_or((name, None), |(name, part)| (name, Some(part)));
    let at = readable(object, floor, name, pointer)?;
    let refused = |why: &str| {
        let detail = format!("Records of {} cannot be put together by {text}: {why}.", object.name);
        Fault::new(Code::FieldNotFilterable, detail.clone()).with_item(pointer, Code::FieldNotFilterable, detail)
    };
    let Some(field) = object.fields.get(at) else { return Err(refused("there is no such field")) };
    let bucket = match bucket {
        None => None,
        Some(name) => {
            let found = BUCKETS.iter().find(|(known, _)| *known == name).map(|(_, bucket)| *bucket);
            Some(found.ok_or_else(|| refused("after the colon stands year, quarter, month, week or day"))?)
        }
    };
    if field.field_type == FieldType::Address {
        let part = part.and_then(|part| REGION.into_iter().find(|known| *known == part));
        let part =
            part.ok_or_else(|| refused("of an address only its country, province, city, district or postcode"))?;
        return if bucket.is_some() {
            Err(refused("it is no date"))
        } else {
            Ok(GroupField { field: at, part: Some(part), bucket })
        };
    }
    let dated = matches!(field.field_type, FieldType::Date | FieldType::Timestamp);
    let groups = matches!(
        field.field_type,
        FieldType::Text { .. }
            | FieldType::Integer { .. }
            | FieldType::Bool
            | FieldType::Enum { .. }
            | FieldType::Reference { .. }
    );
    let numbered = object.number.is_some() && field.name == "number";
    let personal = matches!(field.field_type, FieldType::Text { .. }) && field.sensitivity >= Sensitivity::S2;
    if field.is_sealed() {
        Err(refused("it is sealed"))
    } else if field.unique || numbered {
        Err(refused("no two records share a value of it, so each group would be one record; use a list"))
    } else if personal {
        Err(refused("it holds personal words, so the groups would be people; use a list"))
    } else if part.is_some() {
        Err(refused("only an address has parts"))
    } else if dated != bucket.is_some() {
        Err(refused(if dated { "a date needs :year, :quarter, :month, :week or :day" } else { "it is no date" }))
    } else if dated || groups {
        Ok(GroupField { field: at, part: None, bucket })
    } else {
        Err(refused("its values do not put records together"))
    }
}

/// The position of a field whose values are added up.
pub(crate) fn sum_field(object: &ObjectDef, floor: &FieldLevels, name: &str, pointer: &str) -> Result<usize, Fault> {
    let at = readable(object, floor, name, pointer)?;
    let number = |field: &metadata::FieldDef| {
        matches!(field.field_type, FieldType::Integer { .. } | FieldType::Decimal { .. } | FieldType::Money)
            && !field.is_sealed()
    };
    if object.fields.get(at).is_some_and(number) {
        return Ok(at);
    }
    let detail = format!("Values of {name} cannot be added up: it is sealed, or no number and no amount.");
    Err(Fault::new(Code::FieldNotFilterable, detail.clone()).with_item(pointer, Code::FieldNotFilterable, detail))
}

/// Only what can be read on every record in scope can be counted by or added up.
fn readable(object: &ObjectDef, floor: &FieldLevels, name: &str, pointer: &str) -> Result<usize, Fault> {
    let at = object.field_index(name).ok_or_else(|| {
        let detail = format!("Object {} has no field {name}.", object.name);
        Fault::new(Code::ParameterInvalid, detail.clone()).with_item(pointer, Code::FieldUnknown, detail)
    })?;
    if floor.get(at) >= Level::Read {
        return Ok(at);
    }
    let detail = format!("You may not read field {name}, so it cannot be counted by or added up.");
    Err(Fault::new(Code::FieldNotFilterable, detail).with_item(
        pointer,
        Code::FieldDenied,
        "Your roles do not show this field in clear.",
    ))
}
