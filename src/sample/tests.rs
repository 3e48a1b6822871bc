//! The sample fits the shipped definitions, refers only backwards, and covers the year in both languages.

use crate::{Sample, SampleRecord, generate};
use kernel::Timestamp;
use metadata::{Catalog, Checked, Mode, Profile, parse_value, shipped};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const DUMMY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn now() -> Timestamp {
    "2026-03-18T14:20:00Z".parse().unwrap()
}

fn sample() -> Sample {
    generate(now(), 7)
}

/// Units, teams, users and records in the order of creation.
fn all(sample: &Sample) -> Vec<&SampleRecord> {
    let users = sample.users.iter().map(|user| &user.record);
    sample.units.iter().chain(&sample.teams).chain(users).chain(&sample.records).collect()
}

fn of<'s>(sample: &'s Sample, object: &str) -> Vec<&'s SampleRecord> {
    all(sample).into_iter().filter(|record| record.object == object).collect()
}

/// The references of a record: (field, key).
fn references(fields: &Map<String, Value>) -> Vec<(&str, &str)> {
    let target = |value: &'_ Value| value.get("$ref").and_then(Value::as_str).map(str::to_owned);
    fields
        .iter()
        .filter(|(_, value)| target(value).is_some())
        .map(|(name, value)| (name.as_str(), value["$ref"].as_str().unwrap()))
        .collect()
}

fn with_dummies(fields: &Map<String, Value>) -> Map<String, Value> {
    let dummy = |value: &Value| match (value.get("$ref"), value.get("object")) {
        (Some(_), Some(object)) => json!({"object": object, "id": DUMMY}),
        (Some(_), None) => json!(DUMMY),
        _ => value.clone(),
    };
    fields.iter().map(|(name, value)| (name.clone(), dummy(value))).collect()
}

#[test]
fn every_record_fits_its_definition() {
    for (seed, instant) in
        ["2026-03-18T14:20:00Z", "2024-02-29T00:00:00Z", "2027-01-01T23:59:59Z"].into_iter().enumerate()
    {
        let sample = generate(instant.parse().unwrap(), seed as u64);
        let catalog = Catalog::build(shipped(), Profile::Standard, 0).unwrap();
        for record in all(&sample) {
            let definition = catalog.object(record.object).unwrap();
            let (kept, told): (Map<String, Value>, Map<String, Value>) = record
                .fields
                .clone()
                .into_iter()
                .partition(|(name, _)| definition.field(name).is_some_and(|one| one.read_only));
            if let Err(errors) = Checked::parse(definition, &with_dummies(&told), Mode::Create, "") {
                panic!("{}: {errors:?} in {:?}", record.key, record.fields);
            }
            for (name, value) in &kept {
                parse_value(definition.field(name).unwrap(), value, "").unwrap();
            }
        }
        for (key, fields) in &sample.patches {
            let record = all(&sample).into_iter().find(|record| record.key == *key).unwrap();
            let definition = catalog.object(record.object).unwrap();
            Checked::parse(definition, &with_dummies(fields), Mode::Change, "").unwrap();
        }
    }
}

#[test]
fn references_and_links_point_backwards_to_the_right_object() {
    let sample = sample();
    let catalog = Catalog::build(shipped(), Profile::Standard, 0).unwrap();
    let mut seen: BTreeMap<&str, &SampleRecord> = BTreeMap::new();
    for record in all(&sample) {
        let definition = catalog.object(record.object).unwrap();
        for (name, key) in references(&record.fields) {
            let target = seen.get(key).unwrap_or_else(|| panic!("{}: {name} points to {key}", record.key));
            let targets = definition.field(name).unwrap().reference_targets();
            assert!(targets.iter().any(|object| object == target.object), "{}: {name}", record.key);
            if let Some(object) = record.fields[name].get("object") {
                assert_eq!(object, target.object, "{}: {name}", record.key);
            }
            assert_eq!(record.fields[name].get("object").is_some(), targets.len() > 1, "{}: {name}", record.key);
            let later = target.created_at > record.created_at;
            assert!(!later || name.starts_with("converted_"), "{}: {name} is younger", record.key);
        }
        let relations = catalog.relations(record.object);
        let mut pairs = BTreeSet::new();
        for link in &record.links {
            let relation = relations.iter().find(|relation| relation.name == link.relation).unwrap();
            let target = seen.get(link.target.as_str()).unwrap();
            assert_eq!(relation.target, target.object, "{}: {}", record.key, link.relation);
            assert!(pairs.insert((link.relation, &link.target)), "{}: twice linked", record.key);
            assert_eq!(link.role.is_some(), !relation.link.roles.is_empty(), "{}: {}", record.key, link.relation);
            assert!(link.role.is_none_or(|role| relation.link.roles.iter().any(|option| option.code == role)));
        }
        assert!(seen.insert(&record.key, record).is_none(), "{} twice", record.key);
    }
    for (key, fields) in &sample.patches {
        assert!(seen.contains_key(key.as_str()));
        assert!(references(fields).iter().all(|(_, key)| seen.contains_key(key)));
    }
}

#[test]
fn there_is_enough_of_everything() {
    let sample = sample();
    let check = |object: &str, least: usize, most: usize| {
        let count = of(&sample, object).len();
        assert!((least..=most).contains(&count), "{count} of {object}");
    };
    check("unit", 7, 9);
    check("team", 3, 4);
    check("user", 29, 35);
    check("product", 24, 28);
    check("tag", 14, 18);
    check("account", 240, 320);
    check("contact", 420, 560);
    check("lead", 145, 170);
    check("opportunity", 410, 450);
    check("case", 155, 170);
    check("activity", 900, 1_000);
}

#[test]
fn unique_fields_are_unique_and_credit_codes_are_there() {
    let sample = sample();
    for object in shipped() {
        for field in object.fields.iter().filter(|field| field.unique) {
            let mut values = BTreeSet::new();
            for record in of(&sample, &object.name) {
                let Some(value) = record.fields.get(&field.name) else { continue };
                assert!(values.insert(value.to_string().to_lowercase()), "{}: {} repeats", record.key, field.name);
            }
        }
    }
    let chinese = of(&sample, "account").into_iter().filter(|record| record.fields.contains_key("credit_code")).count();
    assert!(chinese > 110, "{chinese}");
    let names: BTreeSet<_> = of(&sample, "account").iter().map(|record| record.fields["name"].to_string()).collect();
    assert!(names.len() + 3 > of(&sample, "account").len());
}

/// The rule of GB 32100 written a second time: the weighted sum of all eighteen characters is a multiple of 31.
#[test]
fn credit_codes_check() {
    let alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    for record in of(&sample(), "account") {
        let Some(code) = record.fields.get("credit_code").and_then(Value::as_str) else { continue };
        let sum: usize = code
            .chars()
            .enumerate()
            .map(|(at, letter)| {
                let weight = if at == 17 { 1 } else { (0..at).fold(1, |weight, _| weight * 3 % 31) };
                alphabet.find(letter).unwrap() * weight
            })
            .sum();
        assert_eq!((code.len(), sum % 31), (18, 0), "{code}");
    }
}

#[test]
fn every_month_has_something_and_the_year_grows() {
    let sample = sample();
    for object in ["account", "lead", "opportunity", "case", "activity", "contact"] {
        let mut months: BTreeMap<String, usize> = BTreeMap::new();
        let mut spans = [0usize; 12];
        for record in of(&sample, object).into_iter().filter(|record| record.created_days_ago < 365) {
            *months.entry(record.created_at.date().format("%Y-%m").to_string()).or_default() += 1;
            spans[(record.created_days_ago as usize * 12 / 365).min(11)] += 1;
            let day = now().micros() / 86_400_000_000 - record.created_at.micros() / 86_400_000_000;
            assert_eq!(day, i64::from(record.created_days_ago), "{}", record.key);
            assert!(record.created_at <= now(), "{}", record.key);
        }
        for month in [
            "2025-04", "2025-05", "2025-06", "2025-07", "2025-08", "2025-09", "2025-10", "2025-11", "2025-12",
            "2026-01", "2026-02", "2026-03",
        ] {
            assert!(months.get(month).is_some_and(|count| *count > 2), "{object} in {month}: {months:?}");
        }
        assert!(spans.iter().all(|count| *count > 0), "{object}: {spans:?}");
        let half = |part: &[usize]| part.iter().sum::<usize>();
        assert!(half(&spans[..6]) > half(&spans[6..]), "{object} grows: {spans:?}");
        let (low, high) = (months.values().min().unwrap(), months.values().max().unwrap());
        assert!(high > low, "{object} has a shape");
    }
}

#[test]
fn the_funnel_is_plausible() {
    let sample = sample();
    let today = now().date().format("%Y-%m-%d").to_string();
    let mut stages: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut past, mut future) = (0, 0);
    for record in of(&sample, "opportunity") {
        let stage = record.fields["stage"].as_str().unwrap();
        *stages.entry(stage).or_default() += 1;
        let closed = matches!(stage, "won" | "lost");
        assert_eq!(record.fields.contains_key("closed_at"), closed, "{}", record.key);
        assert_eq!(record.fields.contains_key("won_lost_reason"), closed, "{}", record.key);
        assert!(!closed || record.fields["closed_at"].as_str().unwrap() <= today.as_str());
        if record.fields["expected_close"].as_str().unwrap() > today.as_str() { future += 1 } else { past += 1 }
    }
    assert!(stages.len() == 7 && stages.values().all(|count| *count >= 10), "{stages:?}");
    assert!(stages["lost"] > stages["won"] && stages["won"] > 80, "{stages:?}");
    assert!(past > 100 && future > 60, "{past} past, {future} to come");
}

#[test]
fn owners_are_spread_and_those_who_sign_in_have_work() {
    let sample = sample();
    for object in ["account", "contact", "lead", "opportunity", "case", "activity"] {
        let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
        for record in of(&sample, object) {
            let key = record.fields["owner"]["$ref"].as_str().unwrap();
            *owners.entry(key).or_default() += 1;
            let owner = sample.users.iter().find(|user| user.key == key).unwrap();
            assert_eq!(record.fields["unit"]["$ref"], owner.unit.as_str());
            assert!(owner.teams.iter().any(|team| record.fields["team"]["$ref"] == team.as_str()));
        }
        let least = if object == "case" { 5 } else { 14 };
        assert!(owners.len() >= least, "{object}: {owners:?}");
        for user in sample.users.iter().filter(|user| user.sign_in && user.roles == ["seller"]) {
            assert!(object == "case" || owners.get(user.key.as_str()).is_some_and(|count| *count > 5), "{object}");
        }
    }
    let overdue = |user: &str| {
        of(&sample, "activity")
            .into_iter()
            .filter(|task| task.fields["owner"]["$ref"] == user && task.fields["kind"] == "task")
            .filter(|task| task.fields["status"] != "completed")
            .filter(|task| task.fields["due"].as_str().unwrap() < now().to_string().as_str())
            .count()
    };
    for user in
        sample.users.iter().filter(|user| user.sign_in && matches!(user.roles[..], ["seller" | "service_agent"]))
    {
        assert!(overdue(&user.key) > 0, "{} has something overdue", user.login);
    }
}

#[test]
fn the_people_who_sign_in_have_every_role() {
    let sample = sample();
    let mut roles: BTreeMap<&str, usize> = BTreeMap::new();
    for user in &sample.users {
        assert_eq!(user.record.fields["username"], user.login.as_str());
        assert_eq!(user.record.fields["unit"]["$ref"], user.unit.as_str());
        let linked: Vec<&String> = user.record.links.iter().map(|link| &link.target).collect();
        assert_eq!(linked, user.teams.iter().collect::<Vec<_>>());
        assert!(!user.sign_in || user.roles.len() == 1, "{}", user.login);
        for role in user.roles.iter().filter(|_| user.sign_in) {
            *roles.entry(role).or_default() += 1;
        }
    }
    let expected = [
        ("audit_admin", 1),
        ("sales_manager", 2),
        ("security_admin", 1),
        ("seller", 3),
        ("service_agent", 2),
        ("system_admin", 1),
    ];
    assert_eq!(roles, BTreeMap::from(expected));
}

#[test]
fn both_languages_are_present_and_nothing_is_left_to_fill_in() {
    let sample = sample();
    let chinese = |text: &str| text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
    for (object, field) in [
        ("account", "name"),
        ("contact", "full_name"),
        ("lead", "topic"),
        ("opportunity", "name"),
        ("case", "description"),
        ("activity", "subject"),
        ("user", "display_name"),
        ("unit", "name"),
    ] {
        let records = of(&sample, object);
        let count = records.iter().filter(|record| chinese(record.fields[field].as_str().unwrap())).count();
        assert!(count * 100 > records.len() * 30 && count * 100 < records.len() * 70, "{object}: {count} Chinese");
    }
    for record in all(&sample) {
        for (name, value) in &record.fields {
            assert!(!value.as_str().is_some_and(|text| text.contains('{')), "{}: {name} {value}", record.key);
            let mail = value.as_str().filter(|_| name.ends_with("email") || name == "website");
            assert!(mail.is_none_or(|mail| mail.ends_with(".example")), "{}: {name}", record.key);
        }
    }
}

#[test]
fn every_month_has_deals_won() {
    let mut months: BTreeMap<String, usize> = BTreeMap::new();
    for deal in of(&sample(), "opportunity").into_iter().filter(|deal| deal.fields["stage"] == "won") {
        *months.entry(deal.fields["closed_at"].as_str().unwrap()[..7].to_owned()).or_default() += 1;
    }
    assert!(months.len() >= 12 && months.values().sum::<usize>() > 100, "{months:?}");
}

#[test]
fn no_two_people_share_a_mobile_number_or_an_address() {
    let sample = sample();
    for field in ["mobile", "email"] {
        let mut values = BTreeSet::new();
        for record in of(&sample, "contact").into_iter().chain(of(&sample, "user")) {
            let Some(value) = record.fields.get(field) else { continue };
            assert!(values.insert(value.to_string()), "{}: {field}", record.key);
        }
    }
}

#[test]
fn texts_vary() {
    let sample = sample();
    for (object, field, least) in
        [("activity", "subject", 300), ("opportunity", "name", 400), ("case", "description", 90)]
    {
        let texts: BTreeSet<_> = of(&sample, object).iter().map(|record| record.fields[field].to_string()).collect();
        assert!(texts.len() >= least, "{} different {field}s of {object}", texts.len());
    }
}

#[test]
fn the_same_arguments_give_the_same_sample() {
    let one = sample();
    assert!(one == generate(now(), 7));
    assert!(one != generate(now(), 8));
    let later = generate(now().plus_seconds(86_400), 7);
    assert!(one != later);
}

#[test]
fn stages_have_a_beginning_and_cases_a_deadline_about_now() {
    let now: Timestamp = "2026-03-18T14:20:00Z".parse().unwrap();
    let sample = generate(now, 7);
    let time = |record: &SampleRecord, name: &str| record.fields[name].as_str().unwrap().parse::<Timestamp>().unwrap();
    let (mut stale, mut soon, mut late) = (0, 0, 0);
    for record in &sample.records {
        if matches!(record.object, "opportunity" | "lead" | "case") {
            let since = time(record, "stage_changed_at");
            assert!(since >= record.created_at && since <= now, "{}: {since}", record.key);
            stale += usize::from(since < now.plus_seconds(-30 * 86_400) && record.fields.get("closed_at").is_none());
        }
        if record.object == "case" && record.fields.get("resolved_at").is_none() {
            let due = time(record, "resolve_due");
            soon += usize::from(due >= now && due < now.plus_seconds(86_400));
            late += usize::from(record.fields["breached"] == true);
        }
    }
    assert!(stale > 5 && soon >= 5 && (1..20).contains(&late), "{stale} {soon} {late}");
}
