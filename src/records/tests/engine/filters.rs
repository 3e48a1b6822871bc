//! Filter trees: nesting, related objects, parts of addresses, relative dates, what is mine. Both engines answer alike.

use identity::Actor;
use kernel::Code;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use testkit::{TestAppliance, same_on_both_engines, told};

struct World {
    anna: Arc<Actor>,
    lone: Arc<Actor>,
}

/// Two units, a team, deals of several people with dates around 2 March 2026 (a Monday).
fn world(kontor: &TestAppliance) -> World {
    kontor.role(json!({"name": "reader", "label": {"en": "R", "zh": "R"}, "description": {"en": "R", "zh": "R"},
        "objects": {"*": {"read": "all", "create": "all", "update": "all", "assign": "all"}, "organisation": {"read": "all"}, "reference": {"read": "all"}},
        "levels": {"S0": "edit", "S1": "edit", "S2": "edit", "S3": "edit"}}));
    let top = kontor.make("unit", json!({"code": "top", "name": "Top"}));
    let branch = kontor.make("unit", json!({"code": "branch", "name": "Branch", "parent": top}));
    let anna = kontor.user("anna", &["reader"], Some(top));
    let bo = kontor.user("bo", &["reader"], Some(branch));
    let lone = kontor.user("lone", &["reader"], None);
    kontor.team("North", &[anna, bo]);
    let account = |name: &str, industry: &str, city: &str, owner| {
        kontor.make("account", json!({"name": name, "industry": industry, "owner": owner, "registered_address": {"city": city, "street": "Secret 1"}}))
    };
    let luebeck = account("Hansekontor", "finance", "Lübeck", anna);
    let beijing = account("北京银行", "finance", "北京", bo);
    let mill = account("Mühle & Söhne 100%", "manufacturing", "Wismar", lone);
    let deal = |name: &str,
                account: Option<kernel::RecordId>,
                day: Option<&str>,
                cents: Option<(&str, &str)>,
                owner| {
        let amount = cents.map(|(amount, currency)| json!({"amount": amount, "currency": currency}));
        let body = json!({"name": name, "account": account, "expected_close": day, "amount": amount, "owner": owner, "stage": "prospecting"});
        kontor.make("opportunity", body);
    };
    deal("today", Some(luebeck), Some("2026-03-02"), Some(("100.00", "EUR")), anna);
    deal("sunday", Some(beijing), Some("2026-03-01"), Some(("100.00", "CNY")), bo);
    deal("week ahead", Some(beijing), Some("2026-03-09"), Some(("250.50", "CNY")), anna);
    deal("last year", Some(mill), Some("2025-12-31"), Some(("99", "EUR")), lone);
    deal("open", None, None, None, bo);
    World { anna: kontor.actor(anna), lone: kontor.actor(lone) }
}

fn leaf(field: &str, op: &str, value: impl Into<Json>) -> Json {
    json!({"field": field, "op": op, "value": value.into()})
}

#[test]
fn fiscal_years_begin_where_the_settings_say() {
    same_on_both_engines(|kontor| {
        let world = world(kontor);
        let admin = kontor.actor(kontor.user("ole", &["system_admin"], None));
        let deals = |op: &str| {
            let filter = json!({"field": "expected_close", "op": op});
            kontor.found(&world.anna, "opportunity", "name", &filter, &["name"]).unwrap()
        };
        let mut seen = vec![deals("this_fiscal_year")];
        let patch = serde_json::from_value(json!({"fiscal_start": 4})).unwrap();
        kontor.records.settings_change(&admin, None, patch).wait().unwrap();
        seen.push(deals("this_fiscal_year"));
        assert_eq!((seen[0].len(), seen[1].len()), (3, 4), "{seen:?}");
        let sums = json!({"filter": {"field": "expected_close", "op": "this_fiscal_year"}, "group_by": ["stage"]});
        let summary = kontor.records.summary(&world.anna, "opportunity", serde_json::from_value(sums).unwrap());
        assert_eq!(summary.wait().unwrap().view().groups[0].figures.count, 4);
        json!(seen)
    });
}

#[test]
fn trees_of_conditions() {
    same_on_both_engines(|kontor| {
        let world = world(kontor);
        let deals = |filter: Json| {
            kontor
                .found(&world.anna, "opportunity", "name", &filter, &["name"])
                .unwrap_or_else(|fault| panic!("{filter}: {fault} {:?} {:?}", fault.items, fault.cause()))
        };
        let accounts = |filter: Json| {
            kontor
                .found(&world.anna, "account", "name", &filter, &["name"])
                .unwrap_or_else(|fault| panic!("{filter}: {fault} {:?}", fault.items))
        };
        let check = |found: Vec<Json>, expected: &[&str]| {
            assert_eq!(found, expected.iter().map(|name| json!(name)).collect::<Vec<_>>())
        };
        check(deals(json!({"and": []})), &["last year", "open", "sunday", "today", "week ahead"]);
        check(deals(json!({"or": []})), &[]);
        let eur = leaf("amount", "eq", json!({"amount": "100", "currency": "EUR"}));
        check(deals(eur.clone()), &["today"]);
        check(
            deals(leaf(
                "amount",
                "in",
                json!([{"amount": "100", "currency": "EUR"}, {"amount": "99", "currency": "EUR"}]),
            )),
            &["last year", "today"],
        );
        check(
            deals(leaf("amount", "ne", json!({"amount": "100", "currency": "EUR"}))),
            &["last year", "open", "sunday", "week ahead"],
        );
        check(deals(leaf("amount", "ge", json!({"amount": "100", "currency": "CNY"}))), &["sunday", "week ahead"]);
        check(
            deals(
                json!({"and": [{"or": [eur, leaf("name", "contains", "WEEK")]}, {"or": [leaf("expected_close", "gt", "2026-03-05"), leaf("name", "starts_with", "t")]}]}),
            ),
            &["today", "week ahead"],
        );
        check(deals(leaf("account.industry", "eq", "finance")), &["sunday", "today", "week ahead"]);
        check(
            deals(leaf("account.registered_address.city", "in", json!(["北京", "Wismar"]))),
            &["last year", "sunday", "week ahead"],
        );
        check(
            deals(json!({"or": [leaf("account.name", "contains", "银"), leaf("account", "empty", true)]})),
            &["open", "sunday", "week ahead"],
        );
        check(deals(leaf("owner.username", "eq", "BO")), &["open", "sunday"]);
        check(accounts(leaf("registered_address.city", "starts_with", "l")), &["Hansekontor"]);
        check(
            accounts(leaf("registered_address.district", "empty", true)),
            &["北京银行", "Hansekontor", "Mühle & Söhne 100%"],
        );
        check(accounts(leaf("name", "contains", "100%")), &["Mühle & Söhne 100%"]);
        check(accounts(leaf("name", "contains", "_")), &[]);
        check(accounts(leaf("name", "contains", "%")), &["Mühle & Söhne 100%"]);
        check(accounts(leaf("name", "contains", "\\")), &[]);
        // Only ASCII letters fold in `contains`; both engines agree on it.
        check(accounts(leaf("name", "contains", "MÜHLE")), &[]);
        check(accounts(leaf("name", "contains", "mühle")), &["Mühle & Söhne 100%"]);
        Json::Null
    });
}

#[test]
fn records_by_their_ids() {
    same_on_both_engines(|kontor| {
        let world = world(kontor);
        kontor.role(json!({"name": "own", "label": {"en": "O", "zh": "O"}, "description": {"en": "O", "zh": "O"},
            "objects": {"*": {"read": "own"}}, "levels": {"S0": "read", "S1": "read"}}));
        let owner = kontor.actor(kontor.user("owner", &["own"], None));
        let request = json!({"fields": ["name"], "limit": 50});
        let page = kontor.records.list(&world.anna, "opportunity", serde_json::from_value(request).unwrap());
        let all: Vec<_> = page.wait().unwrap().view().items.iter().map(|item| item.id.to_string()).collect();
        let found = |actor, filter: Json| kontor.found(actor, "opportunity", "name", &filter, &["name"]);
        assert_eq!(found(&world.anna, leaf("id", "in", json!(all))).unwrap().len(), 5);
        assert_eq!(found(&world.anna, leaf("id", "eq", json!(all[0]))).unwrap().len(), 1);
        assert_eq!(found(&world.anna, leaf("id", "in", json!([]))).unwrap().len(), 0);
        let narrowed = json!({"and": [leaf("id", "in", json!(all)), leaf("name", "contains", "WEEK")]});
        assert_eq!(found(&world.anna, narrowed).unwrap().len(), 1);
        let widened = json!({"or": [leaf("id", "eq", json!(all[0])), leaf("name", "ne", "none")]});
        assert_eq!(found(&world.anna, widened).unwrap().len(), 5);
        // Who knows an id reads no more by it.
        assert_eq!(found(&owner, leaf("id", "in", json!(all))).unwrap().len(), 0);
        let many: Vec<&String> = all.iter().cycle().take(kernel::limits::FILTER_IN_MAX + 1).collect();
        let wrong = [
            leaf("id", "in", "x"),
            leaf("id", "eq", "x"),
            leaf("id", "gt", json!(all[0])),
            leaf("id", "in", json!(many)),
        ];
        for filter in wrong {
            assert_eq!(found(&world.anna, filter.clone()).unwrap_err().code, Code::FilterInvalid, "{filter}");
        }
        Json::Null
    });
}

#[test]
fn dates_relative_to_today() {
    same_on_both_engines(|kontor| {
        let world = world(kontor);
        let found = |op: &str| {
            let filter = json!({"field": "expected_close", "op": op});
            json!(
                kontor
                    .found(&world.anna, "opportunity", "name", &filter, &["name"])
                    .unwrap_or_else(|fault| panic!("{op}: {fault}"))
            )
        };
        for (op, expected) in [
            ("today", json!(["today"])),
            ("yesterday", json!(["sunday"])),
            ("this_week", json!(["today"])),
            ("last_week", json!(["sunday"])),
            ("next_week", json!(["week ahead"])),
            ("this_month", json!(["sunday", "today", "week ahead"])),
            ("last_year", json!(["last year"])),
            ("last_7_days", json!(["sunday", "today"])),
            ("next_7_days", json!(["week ahead"])),
            ("before_today", json!(["last year", "sunday"])),
            ("after_today", json!(["week ahead"])),
            ("this_quarter", json!(["sunday", "today", "week ahead"])),
            ("last_quarter", json!(["last year"])),
        ] {
            assert_eq!(found(op), expected, "{op}");
        }
        let made = |op: &str| {
            kontor
                .found(&world.anna, "opportunity", "name", &json!({"field": "created_at", "op": op}), &["name"])
                .unwrap()
                .len()
        };
        assert_eq!((made("today"), made("yesterday"), made("tomorrow")), (5, 0, 0));
        kontor.clock.advance_seconds(24 * 3600);
        assert_eq!((made("today"), made("yesterday"), made("last_7_days")), (0, 5, 5));
        assert_eq!(found("yesterday"), json!(["today"]));
        Json::Null
    });
}

#[test]
fn what_is_mine_my_teams_and_my_units() {
    same_on_both_engines(|kontor| {
        let world = world(kontor);
        let found = |actor: &Arc<Actor>, filter: Json| {
            json!(kontor.found(actor, "opportunity", "name", &filter, &["name"]).unwrap_or_else(|fault| panic!(
                "{filter}: {fault} {:?} {:?}",
                fault.items,
                fault.cause()
            )))
        };
        assert_eq!(found(&world.anna, json!({"op": "mine"})), json!(["today", "week ahead"]));
        assert_eq!(found(&world.anna, json!({"op": "my_team"})), json!(["open", "sunday", "today", "week ahead"]));
        assert_eq!(
            found(&world.anna, json!({"op": "my_unit_and_below"})),
            json!(["open", "sunday", "today", "week ahead"])
        );
        assert_eq!(
            found(&world.anna, json!({"and": [{"op": "my_team"}, {"field": "expected_close", "op": "empty"}]})),
            json!(["open"])
        );
        assert_eq!(found(&world.anna, json!({"op": "mine", "field": "created_by"})), json!([]));
        // Without a team and without a unit the question still has an answer.
        assert_eq!(found(&world.lone, json!({"op": "my_team"})), json!(["last year"]));
        assert_eq!(found(&world.lone, json!({"op": "my_unit_and_below"})), json!([]));
        Json::Null
    });
}

#[test]
fn trees_that_cannot_be_read_are_refused_with_a_pointer() {
    testkit::on_both_engines(|kontor| {
        let anna = world(kontor).anna;
        let deep = (0..10).fold(leaf("name", "eq", "x"), |inner, _| json!({"and": [inner]}));
        let many = json!({"or": vec![leaf("name", "eq", "x"); kernel::limits::FILTER_LEAVES_MAX + 1]});
        let long = "x".repeat(kernel::limits::TEXT_CHARS_MAX + 1);
        let cases = [
            (json!("name"), "/filter", Code::FilterInvalid),
            (json!({"and": {}}), "/filter", Code::FilterInvalid),
            (json!({"and": [], "or": []}), "/filter", Code::FilterInvalid),
            (json!({"and": [{"or": [{"field": "name"}]}]}), "/filter/and/0/or/0", Code::FilterInvalid),
            (leaf("nothing", "eq", 1), "/filter/field", Code::FieldUnknown),
            (leaf("name", "like", "x"), "/filter", Code::FilterInvalid),
            (json!({"field": "name", "op": "eq", "value": "x", "not": true}), "/filter", Code::FilterInvalid),
            (leaf("stage", "eq", "nowhere"), "/filter/value", Code::ValueNotAnOption),
            (leaf("expected_close", "ge", "soon"), "/filter/value", Code::ValueFormat),
            (leaf("name", "contains", ""), "/filter", Code::FilterInvalid),
            (leaf("name", "contains", "a\0b"), "/filter", Code::FilterInvalid),
            (leaf("name", "contains", long), "/filter", Code::FilterInvalid),
            (leaf("name", "in", json!(["a", null])), "/filter", Code::FilterInvalid),
            (leaf("name", "in", "a"), "/filter", Code::FilterInvalid),
            (leaf("name", "in", json!(vec!["a"; kernel::limits::FILTER_IN_MAX + 1])), "/filter", Code::FilterInvalid),
            (leaf("expected_close", "between", json!(["2026-01-01"])), "/filter", Code::FilterInvalid),
            (leaf("name", "empty", "no"), "/filter", Code::FilterInvalid),
            (leaf("stage", "lt", "won"), "/filter/field", Code::FieldNotFilterable),
            (leaf("name", "today", Json::Null), "/filter/field", Code::FieldNotFilterable),
            (leaf("probability", "has", "x"), "/filter/field", Code::FieldNotFilterable),
            (leaf("account.owner.username", "eq", "x"), "/filter", Code::FilterInvalid),
            (deep, "/filter/and/0/and/0/and/0/and/0/and/0/and/0/and/0/and/0/and/0", Code::FilterInvalid),
            (many, "/filter/or/50", Code::FilterInvalid),
        ];
        for (filter, pointer, code) in cases {
            let fault = kontor
                .found(&anna, "opportunity", "name", &filter, &[])
                .err()
                .unwrap_or_else(|| panic!("{filter} was answered"));
            assert_eq!(told(&fault).1, [(pointer.to_owned(), code)], "{filter}: {fault}");
        }
    });
}
