//! Every field type, plain and sealed: made, opened, changed, cleared, filtered, sorted, and remembered in the history.

use kernel::Code;
use serde_json::{Map, Value as Json, json};
use testkit::{TestAppliance, object_of, same_on_both_engines, told};

/// A field type with two values as people send them and as they come back.
struct Case {
    name: &'static str,
    draft: Json,
    sent: [Json; 2],
    kept: [Json; 2],
}

fn case(name: &'static str, draft: Json, first: Json, second: Json) -> Case {
    Case { name, draft, sent: [first.clone(), second.clone()], kept: [first, second] }
}

fn options() -> Json {
    json!([{"code": "red", "label": {"en": "Red", "zh": "红"}}, {"code": "green", "label": {"en": "Green", "zh": "绿"}},
           {"code": "blue", "label": {"en": "Blue", "zh": "蓝"}}])
}

fn cases(account: &Json, contact: &Json) -> Vec<Case> {
    let mut cases = vec![
        case("text", json!({"type": "text", "indexed": true}), json!("王伟 Wáng"), json!("ändert")),
        case("folded", json!({"type": "text", "case_fold": true}), json!("abc"), json!("straße")),
        case("long", json!({"type": "long_text"}), json!("two\nlines"), json!("another")),
        case("rich", json!({"type": "rich_text"}), json!("**bold**"), json!("_new_")),
        case("number", json!({"type": "integer", "min": -5, "max": 1_000_000}), json!(-5), json!(1_000_000)),
        case("share", json!({"type": "decimal", "scale": 2}), json!("12.50"), json!("-0.07")),
        case(
            "price",
            json!({"type": "money"}),
            json!({"amount": "12.30", "currency": "EUR"}),
            json!({"amount": "5", "currency": "JPY"}),
        ),
        case("day", json!({"type": "date"}), json!("2026-01-31"), json!("1900-02-28")),
        case(
            "moment",
            json!({"type": "timestamp"}),
            json!("2026-01-31T09:30:00Z"),
            json!("1969-12-31T23:59:59.999999Z"),
        ),
        case("flag", json!({"type": "bool"}), json!(true), json!(false)),
        case("colour", json!({"type": "enum", "options": options()}), json!("red"), json!("blue")),
        case("colours", json!({"type": "multi_enum", "options": options()}), json!(["green", "red"]), json!(["blue"])),
        case("mail", json!({"type": "email"}), json!("Zhang@bank.com"), json!("a@b.cn")),
        case("tel", json!({"type": "phone"}), json!("+49451123456"), json!("+8613800138000")),
        case("site", json!({"type": "url"}), json!("https://example.com/a?b=c"), json!("http://localhost:8080/")),
        case(
            "place",
            json!({"type": "address"}),
            json!({"city": "Lübeck", "street": "Breite Straße 1"}),
            json!({"country": "CN", "city": "北京"}),
        ),
        case(
            "other",
            json!({"type": "reference", "targets": ["account"], "on_delete": "unlink"}),
            account.clone(),
            account.clone(),
        ),
        case(
            "any",
            json!({"type": "reference", "targets": ["account", "contact"], "on_delete": "unlink"}),
            json!({"object": "account", "id": account}),
            json!({"object": "contact", "id": contact}),
        ),
        case(
            "file",
            json!({"type": "file"}),
            json!("0197b3d2-7c3a-7000-8000-000000000001"),
            json!("0197b3d2-7c3a-7000-8000-000000000002"),
        ),
        case("data", json!({"type": "json"}), json!({"a": [1, "二", null]}), json!("only a text")),
    ];
    cases[1].sent[0] = json!(" ABC ");
    cases[1].sent[1] = json!("STRAßE");
    cases[11].sent[0] = json!(["red", "green", "red"]);
    cases[12].sent[0] = json!(" Zhang@BANK.com ");
    cases[12].kept[0] = json!("Zhang@bank.com");
    cases[8].kept = [json!("2026-01-31T09:30:00.000000Z"), json!("1969-12-31T23:59:59.999999Z")];
    cases[13].sent[1] = json!("138 0013 8000");
    cases
}

/// Types whose index does not give their values away.
const EXACT: [&str; 7] = ["text", "folded", "number", "share", "mail", "tel", "site"];

struct Setup {
    cases: Vec<Case>,
    /// Field name, case, sealing.
    fields: Vec<(String, usize, &'static str)>,
}

/// An object with one field per type and sealing.
fn set_up(kontor: &TestAppliance) -> Setup {
    let account = json!(kontor.make("account", json!({"name": "Target"})));
    let contact = json!(kontor.make("contact", json!({"full_name": "Target"})));
    let cases = cases(&account, &contact);
    let mut fields = Vec::new();
    let mut drafts = vec![
        json!({"name": "title", "label": {"en": "Title", "zh": "标题"}, "type": "text", "sensitivity": "S1", "sealing": "plain", "required": true}),
    ];
    for (at, case) in cases.iter().enumerate() {
        let reference = case.draft["type"] == "reference";
        for sealing in ["plain", "sealed", "exact", "memory"] {
            if (reference && sealing != "plain") || (sealing == "exact" && !EXACT.contains(&case.name)) {
                continue;
            }
            let name = format!("{}_{sealing}", case.name);
            let mut draft = case.draft.clone();
            let map = draft.as_object_mut().unwrap();
            map.insert("name".into(), json!(name));
            map.insert("label".into(), json!({"en": name, "zh": name}));
            map.insert("sealing".into(), json!(sealing));
            map.insert("sensitivity".into(), json!("S1"));
            if sealing != "plain" {
                map.remove("indexed");
            }
            drafts.push(draft);
            fields.push((name, at, sealing));
        }
    }
    let object = json!({"change": "create_object", "definition": {"name": "x_all", "label": {"en": "All", "zh": "全"},
        "plural": {"en": "All", "zh": "全"}, "title_field": "title", "fields": drafts}});
    kontor.define(json!([object])).unwrap_or_else(|fault| panic!("{fault} {:?}", fault.items));
    Setup { cases, fields }
}

impl Setup {
    fn body(&self, which: usize) -> Map<String, Json> {
        self.fields.iter().map(|(name, at, _)| (name.clone(), self.cases[*at].sent[which].clone())).collect()
    }
    #[track_caller]
    fn check(&self, shown: &Map<String, Json>, which: Option<usize>) {
        for (name, at, _) in &self.fields {
            let expected = which.map_or(Json::Null, |which| self.cases[*at].kept[which].clone());
            assert_eq!(shown[name], expected, "{name}");
        }
    }
}

#[test]
fn every_type_is_made_opened_changed_cleared_and_remembered() {
    testkit::on_both_engines(|kontor| {
        let setup = set_up(kontor);
        let operator = kontor.operator();
        let mut body = setup.body(0);
        body.insert("title".into(), json!("one"));
        let made = kontor
            .create(&operator, "x_all", Json::Object(body))
            .unwrap_or_else(|fault| panic!("{fault} {:?} {:?}", fault.items, fault.cause()));
        setup.check(&made.fields, Some(0));
        setup.check(&kontor.open(&operator, "x_all", made.id).unwrap().fields, Some(0));
        let changed = kontor.change(&operator, "x_all", made.id, Json::Object(setup.body(1))).unwrap();
        setup.check(&changed.fields, Some(1));
        let same = kontor.change(&operator, "x_all", made.id, Json::Object(setup.body(1))).unwrap();
        assert_eq!(same.version, changed.version, "the same values again are no change");
        let nothing = setup.fields.iter().map(|(name, ..)| (name.clone(), Json::Null)).collect();
        let cleared = kontor.change(&operator, "x_all", made.id, Json::Object(nothing)).unwrap();
        setup.check(&cleared.fields, None);
        let columns: String = setup
            .fields
            .iter()
            .flat_map(|(name, ..)| {
                let object = kontor.store.catalog().object("x_all").cloned().unwrap();
                object
                    .field(name)
                    .unwrap()
                    .columns()
                    .into_iter()
                    .map(|column| format!(" + (\"{}\" IS NOT NULL)::int", column.name))
                    .collect::<Vec<_>>()
            })
            .collect();
        let columns = if kontor.engine == testkit::Engine::Embedded { columns.replace("::int", "") } else { columns };
        assert_eq!(
            kontor.sql_number(&format!("SELECT 0 {columns} FROM x_all")),
            0,
            "null clears the value and all its index entries"
        );
        let history = kontor.history(&operator, "x_all", made.id).unwrap();
        assert_eq!(history.items.len(), 3);
        for (act, (before, after)) in history.items.iter().zip([(Some(1), None), (Some(0), Some(1)), (None, Some(0))]) {
            for (name, at, _) in &setup.fields {
                let case = &setup.cases[*at];
                let side = |which: Option<usize>| which.map(|which| case.kept[which].clone());
                let Some(moved) = act.changes.iter().find(|moved| moved.field == *name) else {
                    assert_eq!(side(before), side(after), "{name} moved and the history does not say so");
                    continue;
                };
                assert_eq!((&moved.before, &moved.after, moved.hidden), (&side(before), &side(after), false), "{name}");
            }
        }
    });
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn every_operator_answers_or_says_why_not() {
    same_on_both_engines(|kontor| {
        let setup = set_up(kontor);
        let operator = kontor.operator();
        for (title, which) in [("one", Some(0)), ("two", Some(1)), ("none", None)] {
            let mut body = which.map(|which| setup.body(which)).unwrap_or_default();
            body.insert("title".into(), json!(title));
            kontor.create(&operator, "x_all", Json::Object(body)).unwrap();
        }
        let mut answers = Map::new();
        for (name, at, sealing) in &setup.fields {
            let case = &setup.cases[*at];
            let (first, second) = (&case.sent[0], &case.sent[1]);
            let asks = [
                ("eq", first.clone()),
                ("ne", first.clone()),
                ("lt", second.clone()),
                ("le", second.clone()),
                ("gt", second.clone()),
                ("ge", second.clone()),
                ("in", json!([first, second])),
                ("in", json!([])),
                ("between", json!([first, second])),
                ("contains", json!("an")),
                ("starts_with", json!("Z")),
                ("has", json!("red")),
                ("empty", json!(true)),
                ("empty", json!(false)),
                ("this_month", Json::Null),
                ("mine", Json::Null),
                ("eq", Json::Null),
            ];
            for (op, value) in asks {
                let filter = json!({"field": name, "op": op, "value": value});
                let answer = match kontor.found(&operator, "x_all", "title", &filter, &["title"]) {
                    Ok(titles) => json!(titles),
                    Err(fault) => {
                        assert_ne!(fault.code, Code::Internal, "{name} {op}: {:?}", fault.cause());
                        json!(fault.code.as_str())
                    }
                };
                // Of a reference both values are the same record; of a list of options, eq asks for one.
                let plain =
                    *sealing == "plain" && !case.name.starts_with(['o', 'p', 'd', 'a']) && case.name != "colours";
                match (op, *sealing) {
                    ("eq", _) if value.is_null() => assert_eq!(answer, json!(["none"]), "{name} {op}"),
                    ("eq", "exact") => assert_eq!(answer, json!(["one"]), "{name} {op}"),
                    ("eq", _) if plain => assert_eq!(answer, json!(["one"]), "{name} {op}"),
                    ("ne", _) if plain => assert_eq!(answer, json!(["none", "two"]), "{name} {op}"),
                    ("empty", _) => assert_eq!(
                        answer,
                        if value == json!(true) { json!(["none"]) } else { json!(["one", "two"]) },
                        "{name} {op}"
                    ),
                    ("in", "exact") => assert_eq!(
                        answer,
                        if value == json!([]) { json!([]) } else { json!(["one", "two"]) },
                        "{name} {op}"
                    ),
                    (
                        "lt" | "le" | "gt" | "ge" | "between" | "contains" | "starts_with",
                        "exact" | "sealed" | "memory",
                    )
                    | ("eq" | "in", "sealed" | "memory") => {
                        assert!(
                            answer == "field_not_filterable" || answer == "filter_invalid",
                            "{name} {op}: {answer}"
                        );
                    }
                    _ => {}
                }
                answers.insert(
                    format!(
                        "{name} {op} {}",
                        if case.name == "any" || case.name == "other" { &Json::Null } else { &value }
                    ),
                    if case.name == "any" || case.name == "other" { Json::Null } else { answer },
                );
            }
            for sort in [name.clone(), format!("-{name}")] {
                let answer = kontor.found(&operator, "x_all", "title", &Json::Null, &[&sort, "title"]);
                match (&answer, *sealing) {
                    (Err(fault), "plain") if ["place", "data"].contains(&case.name) => {
                        assert_eq!(fault.code, Code::FieldNotFilterable, "{sort}")
                    }
                    (Ok(titles), "plain") => assert_eq!(
                        titles[if sort.starts_with('-') { 2 } else { 0 }],
                        "none",
                        "{sort}: no value comes first, {titles:?}"
                    ),
                    (Err(fault), "sealed" | "exact" | "memory") => {
                        assert_eq!(fault.code, Code::FieldNotFilterable, "{sort}")
                    }
                    _ => panic!("{sort}: {:?}", answer.map_err(|fault| fault.code)),
                }
                if !["other", "any"].contains(&case.name) {
                    answers.insert(sort, answer.map_or(Json::Null, |titles| json!(titles)));
                }
            }
        }
        Json::Object(answers)
    });
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn wrong_values_are_named_by_pointer_all_at_once_and_nothing_is_written() {
    testkit::on_both_engines(|kontor| {
        set_up(kontor);
        let operator = kontor.operator();
        let too_long = "x".repeat(kernel::limits::TEXT_CHARS_MAX + 1);
        let wrong = [
            ("text", json!(5), Code::ValueType),
            ("text", json!("a\u{7}b"), Code::ValueFormat),
            ("text", json!(too_long), Code::ValueTooLong),
            ("long", json!("nul \0"), Code::ValueFormat),
            ("long", json!("x".repeat(kernel::limits::LONG_TEXT_CHARS_MAX + 1)), Code::ValueTooLong),
            ("number", json!(-6), Code::ValueRange),
            ("number", json!(1.5), Code::ValueType),
            ("share", json!("1.001"), Code::ValueFormat),
            ("price", json!({"amount": "1.001", "currency": "EUR"}), Code::ValueFormat),
            ("price", json!("12"), Code::ValueType),
            ("price", json!({"amount": "1", "currency": "XXQ"}), Code::ValueFormat),
            ("day", json!("2026-02-30"), Code::ValueFormat),
            ("moment", json!("yesterday"), Code::ValueFormat),
            ("flag", json!("true"), Code::ValueType),
            ("colour", json!("pink"), Code::ValueNotAnOption),
            ("colours", json!(["red", "pink"]), Code::ValueNotAnOption),
            ("mail", json!("nobody"), Code::ValueFormat),
            ("tel", json!("no number"), Code::ValueFormat),
            ("site", json!("javascript:alert(1)"), Code::ValueFormat),
            ("place", json!({"planet": "Mars"}), Code::ValueType),
            ("file", json!("no id"), Code::ValueFormat),
            ("data", json!("x".repeat(kernel::limits::JSON_BYTES_MAX)), Code::ValueTooLong),
        ];
        for (name, value, code) in &wrong {
            for sealing in ["plain", "sealed"] {
                let field = format!("{name}_{sealing}");
                let fault = kontor
                    .create(&operator, "x_all", json!({"title": "no", &field: value}))
                    .err()
                    .unwrap_or_else(|| panic!("{field} takes what is wrong: {code:?}"));
                assert_eq!(told(&fault), (Code::ValidationFailed, vec![(format!("/{field}"), *code)]), "{field}");
                assert!(
                    !fault.items[0].detail.contains("nobody") && !fault.detail.contains("nobody"),
                    "an error repeats no value"
                );
            }
        }
        let fault = kontor
            .create(
                &operator,
                "x_all",
                json!({"colour_plain": "pink", "nothing": 1, "created_at": "2026-01-01T00:00:00Z", "flag_sealed": 3}),
            )
            .unwrap_err();
        let mut parts = told(&fault).1;
        parts.sort_by_key(|part| part.0.clone());
        let expected = [
            ("/colour_plain", Code::ValueNotAnOption),
            ("/created_at", Code::FieldReadOnly),
            ("/flag_sealed", Code::ValueType),
            ("/nothing", Code::FieldUnknown),
            ("/title", Code::FieldRequired),
        ];
        assert_eq!(parts, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        let nobody = "0197b3d2-7c3a-7000-8000-00000000dead";
        let fault = kontor.create(&operator, "x_all", json!({"title": "no", "other_plain": nobody})).unwrap_err();
        assert_eq!(told(&fault).1, [("/other_plain".to_owned(), Code::ReferenceUnknown)]);
        assert_eq!(kontor.sql_number("SELECT count(*) FROM x_all"), 0, "nothing was written");
        let made = kontor.create(&operator, "x_all", json!({"title": "yes"})).unwrap();
        let fault = kontor
            .records
            .change(&operator, "x_all", made.id, Some(1), object_of(json!({"text_sealed": "ok", "day_plain": "never"})))
            .wait()
            .unwrap_err();
        assert_eq!(told(&fault).1, [("/day_plain".to_owned(), Code::ValueFormat)]);
        assert_eq!(kontor.sql_number("SELECT count(*) FROM x_all WHERE text_sealed IS NOT NULL OR version > 1"), 0);
    });
}
