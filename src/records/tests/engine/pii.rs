//! No plaintext of a sealed field in any byte of the database or the log, whatever was done with it.

use metadata::Profile;
use records::Retry;
use serde_json::{Value as Json, json};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use testkit::{Engine, TestAppliance, object_of};

/// A body with a canary in every sealed field of a shipped object, and the canaries.
fn canaries(kontor: &TestAppliance, object: &str, mark: u32) -> (Json, Vec<String>) {
    let definition = kontor.store.catalog().object(object).cloned().unwrap();
    let (mut body, mut planted) = (json!({}), Vec::new());
    for (at, field) in definition
        .fields
        .iter()
        .enumerate()
        .filter(|(_, field)| field.is_sealed() && !field.retired && !field.read_only)
    {
        let digits = format!("{}{mark}{:03}", 7_390_000 + at, at);
        let word = format!("Canary{object}{digits}王");
        let (value, planted_text) = match field.field_type.name() {
            "phone" => (json!(format!("+4940{digits}")), format!("40{digits}")),
            "email" => (json!(format!("canary{digits}@bank.example")), format!("canary{digits}")),
            "url" => (json!(format!("https://canary{digits}.example/")), format!("canary{digits}")),
            "money" => (json!({"amount": format!("{digits}.00"), "currency": "EUR"}), digits),
            "date" => {
                (json!(format!("{}-09-{:02}", 2100 + at, 10 + mark)), format!("{}-09-{:02}", 2100 + at, 10 + mark))
            }
            "address" => (json!({"city": "Lübeck", "street": word}), word),
            "json" => (json!({"list": [word]}), word),
            "text" => {
                let word: String = format!("C{digits}").chars().take(18).collect();
                (json!(word), word)
            }
            "long_text" | "rich_text" => (json!(word), word),
            // Options, truth and files are short or known words; they hide among others.
            _ => continue,
        };
        body[&field.name] = value;
        planted.push(planted_text);
    }
    (body, planted)
}

fn folder_bytes(folder: &Path, bytes: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            folder_bytes(&entry.path(), bytes)
        } else {
            bytes.extend(std::fs::read(entry.path()).unwrap_or_default())
        }
    }
}

/// The spellings in which a text could lie somewhere.
fn spellings(text: &str) -> Vec<Vec<u8>> {
    let hex = |upper: bool| {
        text.bytes()
            .map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") })
            .collect::<String>()
            .into_bytes()
    };
    vec![
        text.as_bytes().to_vec(),
        text.to_lowercase().into_bytes(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        hex(false),
        hex(true),
        text.bytes().rev().collect(),
    ]
}

/// Which of these texts lie in the bytes in any spelling; one pass, however many texts.
fn found<'t>(bytes: &[u8], texts: &'t [String]) -> BTreeSet<&'t str> {
    const HEAD: usize = 6;
    let mut heads: HashMap<&[u8], Vec<(&str, usize)>> = HashMap::new();
    let all: Vec<(&str, Vec<u8>)> =
        texts.iter().flat_map(|text| spellings(text).into_iter().map(|spelling| (text.as_str(), spelling))).collect();
    for (at, (text, spelling)) in all.iter().enumerate() {
        heads.entry(&spelling[..HEAD]).or_default().push((text, at));
    }
    let mut hits = BTreeSet::new();
    for start in 0..bytes.len().saturating_sub(HEAD) {
        for (text, at) in heads.get(&bytes[start..start + HEAD]).into_iter().flatten() {
            if bytes[start..].starts_with(&all[*at].1) {
                hits.insert(*text);
            }
        }
    }
    hits
}

fn no_plaintext(kontor: &TestAppliance, profile: Profile) {
    let manager = kontor.actor(kontor.user("boss", &["sales_manager"], None));
    kontor.role(json!({"name": "clerk", "label": {"en": "C", "zh": "C"}, "description": {"en": "C", "zh": "C"},
        "objects": {"*": {"read": "all", "create": "all", "update": "all", "delete": "all", "assign": "all"}, "organisation": {"read": "all"}},
        "levels": {"S0": "edit", "S1": "edit", "S2": "edit", "S3": "edit"}}));
    let clerk = kontor.actor(kontor.user("clerk", &["clerk"], None));
    let mut planted = Vec::new();
    for object in ["account", "contact", "lead", "opportunity", "activity", "case"] {
        let (mut body, mut words) = canaries(kontor, object, 1);
        let definition = kontor.store.catalog().object(object).cloned().unwrap();
        for field in
            definition.fields.iter().filter(|field| field.required && field.default.is_none() && !field.is_sealed())
        {
            body[&field.name] = json!("plain title");
        }
        planted.append(&mut words);
        let retry = Retry { key: object.to_owned(), request: [1; 32] };
        let made = kontor.records.create(&clerk, object, object_of(body.clone()), Some(retry)).wait();
        let made = made.unwrap_or_else(|fault| panic!("{object}: {fault} {:?}", fault.items)).into_view();
        let (change, mut words) = canaries(kontor, object, 2);
        planted.append(&mut words);
        kontor.change(&clerk, object, made.id, change).unwrap();
        let (refused, mut words) = canaries(kontor, object, 3);
        planted.append(&mut words);
        kontor.records.change(&clerk, object, made.id, Some(1), object_of(refused)).wait().unwrap_err();
        for (name, value) in body.as_object().unwrap() {
            let filter = json!({"field": name, "op": "eq", "value": value});
            kontor.list(&clerk, object, json!({"filter": filter})).ok();
            if let Some(text) = value.as_str() {
                kontor.records.search(&clerk, text, None).wait().ok();
            }
        }
        kontor.history(&clerk, object, made.id).unwrap();
        kontor.open(&manager, object, made.id).ok();
        kontor.delete(&clerk, object, made.id).unwrap();
    }
    assert!(planted.len() > 60, "{}", planted.len());
    let plain = if profile == Profile::Standard { "Plainly Written 王大锤" } else { "Sealed As Well 王大锤" };
    let person = kontor.create(&clerk, "contact", json!({"full_name": plain})).unwrap();
    kontor.change(&clerk, "contact", person.id, json!({"full_name": format!("{plain} 2")})).unwrap();
    kontor.seal_log();
    let mut bytes = kontor.database_bytes();
    let database = bytes.len();
    folder_bytes(&kontor.store.config().log_folder, &mut bytes);
    assert!(database > 50_000 && bytes.len() > database, "there is something to look through");
    let hits = found(&bytes, &planted);
    assert!(hits.is_empty(), "{} of {} values lie open: {hits:?}", hits.len(), planted.len());
    // What lies plain in its table is still sealed inside the log.
    let hex = if kontor.engine == Engine::Embedded {
        "SELECT hex(bytes) FROM k_audit"
    } else {
        "SELECT encode(bytes, 'hex') FROM k_audit"
    };
    let mut log = kontor.sql(hex).join("\n").to_lowercase().into_bytes();
    folder_bytes(&kontor.store.config().log_folder, &mut log);
    let plain = [plain.to_owned()];
    assert!(found(&log, &plain).is_empty(), "a personal value lies open in the log");
    assert_eq!(
        found(&bytes, &plain).len(),
        usize::from(profile == Profile::Standard),
        "what is plain is found: the search itself works"
    );
}

#[test]
fn no_plaintext_under_the_standard_profile() {
    testkit::on_both_engines(|kontor| no_plaintext(kontor, Profile::Standard));
}

#[test]
fn no_plaintext_under_the_strict_profile() {
    for engine in [Engine::Embedded, Engine::Server] {
        no_plaintext(&TestAppliance::with_profile(engine, Profile::Strict), Profile::Strict);
    }
}
