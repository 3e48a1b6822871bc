//! The log: no answer without its entry, each refusal in it, and after a long mixed run it verifies to the last level.

use audit::{Effect, Verb};
use identity::Actor;
use kernel::{Code, Fault, RecordId};
use records::{LogQuery, Retry, Shown};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use testkit::{TestAppliance, object_of, on_both_engines};

type Outcome = Result<String, Fault>;

/// Every verb that discloses, with its answer as text.
fn disclosing(
    kontor: &TestAppliance,
    actor: &Arc<Actor>,
    account: RecordId,
    contact: RecordId,
) -> Vec<(&'static str, Outcome)> {
    fn text<T: serde::Serialize>(pending: records::Pending<T>) -> Outcome {
        pending.wait().map(|shown| serde_json::to_string(&shown).unwrap())
    }
    let records = &kontor.records;
    let list = |request: Json| text(records.list(actor, "account", serde_json::from_value(request).unwrap()));
    vec![
        ("list", list(json!({"fields": ["name", "phone"]}))),
        (
            "related",
            text(records.list(actor, "contact", serde_json::from_value(json!({"fields": ["account.name"]})).unwrap())),
        ),
        ("bin", list(json!({"deleted": true}))),
        ("q", list(json!({"q": "canary"}))),
        ("open", text(records.open(actor, "account", account, None))),
        ("history", text(records.history(actor, "account", account, None, None))),
        ("search", text(records.search(actor, "canary", None))),
        ("links", text(records.links(actor, "contact", contact, "accounts"))),
        ("reveal", text(records.reveal(actor, "account", account, vec!["bank_account_no".into()], "a call back"))),
        ("same", text(records.change(actor, "account", account, Some(1), object_of(json!({"name": "Canary"}))))),
        (
            "repeat",
            text(records.create(
                actor,
                "account",
                object_of(json!({"name": "Canary 2"})),
                Some(Retry { key: "k".into(), request: [1; 32] }),
            )),
        ),
    ]
}

#[test]
fn without_a_log_nothing_is_disclosed_and_nothing_is_changed() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let auditor = kontor.actor(kontor.user("audit", &["audit_admin"], None));
        let account = kontor.create(&anna, "account", json!({"name": "Canary", "phone": "+49 451 1"})).unwrap().id;
        let operator = kontor.operator();
        let contact = kontor.create(&anna, "contact", json!({"full_name": "C", "account": account})).unwrap().id;
        kontor.records.link(&operator, "contact", contact, "accounts", account, None).wait().unwrap();
        kontor
            .records
            .create(
                &anna,
                "account",
                object_of(json!({"name": "Canary 2"})),
                Some(Retry { key: "k".into(), request: [1; 32] }),
            )
            .wait()
            .unwrap();
        for (name, outcome) in disclosing(kontor, &anna, account, contact) {
            let before = kontor.log().len();
            outcome.unwrap_or_else(|fault| panic!("{name}: {fault}"));
            assert!(before > 0);
        }
        kontor.sql("ALTER TABLE k_audit RENAME TO k_audit_gone");
        for (name, outcome) in disclosing(kontor, &anna, account, contact) {
            let fault = outcome.err().unwrap_or_else(|| panic!("{name} answered without a log"));
            assert!(!format!("{fault:?}").contains("Canary"), "{name}: {fault:?}");
            assert!(name == "history" || fault.code == Code::AuditUnavailable, "{name}: {fault}");
        }
        assert!(kontor.records.log_entries(&auditor, LogQuery::default()).wait().is_err());
        let refused = [
            kontor.create(&anna, "account", json!({"name": "New"})).unwrap_err().code,
            kontor
                .records
                .change(&anna, "account", account, Some(1), object_of(json!({"name": "Changed"})))
                .wait()
                .unwrap_err()
                .code,
            kontor.records.delete(&anna, "account", account, Some(1)).wait().map(|_| ()).unwrap_err().code,
            kontor.open(&auditor, "account", account).unwrap_err().code,
        ];
        assert_eq!(refused, [Code::AuditUnavailable; 4], "not even a refusal is told without its entry");
        kontor.sql("ALTER TABLE k_audit_gone RENAME TO k_audit");
        assert_eq!(kontor.open(&anna, "account", account).unwrap().fields["name"], "Canary");
        assert_eq!(kontor.sql_number("SELECT count(*) FROM account"), 2);
        kontor.seal_log();
        let report = kontor.verify(4);
        assert!(report.ok, "{:?}", report.findings);
    });
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn each_disclosure_and_each_refusal_leaves_its_entry() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let bo = kontor.actor(kontor.user("bo", &["seller"], None));
        let auditor = kontor.actor(kontor.user("audit", &["audit_admin"], None));
        let account = kontor.create(&anna, "account", json!({"name": "One", "phone": "+49 451 1"})).unwrap().id;
        let next = |act: &dyn Fn()| {
            let before = kontor.log().len();
            act();
            kontor.log().split_off(before)
        };
        let entries = next(&|| drop(kontor.open(&anna, "account", account)));
        assert_eq!(
            (entries.len(), entries[0].act.verb, entries[0].target.record, entries[0].actor.user),
            (1, Verb::Read, Some(account), Some(anna.user()))
        );
        assert!(entries[0].fields.iter().any(|used| used.field == "phone" && used.how == audit::How::Clear));
        assert_eq!(entries[0].decision.rules, ["seller:account.read=own"]);
        let filter = json!({"filter": {"field": "phone", "op": "eq", "value": "+49 451 1"}});
        let entries = next(&|| drop(kontor.list(&anna, "account", filter.clone())));
        assert_eq!((entries[0].act.verb, &entries[0].target.ids), (Verb::List, &vec![account]));
        assert!(
            entries[0].target.query.is_some()
                && entries[0].fields.iter().any(|used| used.how == audit::How::UsedInFilter)
        );
        let entries = next(&|| {
            drop(kontor.records.reveal(&anna, "account", account, vec!["bank_account_no".into()], "a call back").wait())
        });
        assert_eq!((entries[0].act.verb, entries[0].act.purpose.as_str()), (Verb::Reveal, "a call back"));
        let refusals: [(&str, &dyn Fn(), Code); 9] = [
            ("open", &|| drop(kontor.open(&bo, "account", account)), Code::RecordNotFound),
            ("list", &|| drop(kontor.list(&auditor, "account", json!({}))), Code::AccessDenied),
            (
                "filter",
                &|| drop(kontor.list(&anna, "account", json!({"filter": {"field": "kyc_notes", "op": "empty"}}))),
                Code::FieldNotFilterable,
            ),
            ("sort", &|| drop(kontor.list(&anna, "product", json!({"sort": ["cost"]}))), Code::FieldNotFilterable),
            (
                "change",
                &|| drop(kontor.change(&anna, "account", account, json!({"risk_level": "low"}))),
                Code::FieldDenied,
            ),
            ("delete", &|| drop(kontor.delete(&bo, "account", account)), Code::RecordNotFound),
            (
                "reveal",
                &|| drop(kontor.records.reveal(&anna, "account", account, vec!["kyc_notes".into()], "curious").wait()),
                Code::FieldDenied,
            ),
            ("log", &|| drop(kontor.records.log_entries(&anna, LogQuery::default()).wait()), Code::AccessDenied),
            ("definitions", &|| drop(kontor.records.plan(&anna, Vec::new()).wait()), Code::AccessDenied),
        ];
        for (name, act, code) in refusals {
            let entries = next(act);
            assert_eq!(entries.len(), 1, "{name}");
            assert_eq!(
                (entries[0].decision.effect, entries[0].decision.error.as_str()),
                (Effect::Deny, code.as_str()),
                "{name}"
            );
            assert!(entries[0].state_after.is_none() && entries[0].actor.user.is_some(), "{name}");
        }
        let entries = next(&|| {
            drop(
                kontor
                    .records
                    .log_entries(&auditor, LogQuery { record: Some(account), ..LogQuery::default() })
                    .wait()
                    .unwrap(),
            )
        });
        assert_eq!(entries[0].act.verb, Verb::AuditRead, "reading the log is in the log");
        let view = kontor
            .records
            .log_entries(&auditor, LogQuery { record: Some(account), limit: Some(200), ..LogQuery::default() })
            .wait()
            .unwrap()
            .into_view();
        assert!(
            view.items.len() >= 6 && !serde_json::to_string(&view).unwrap().contains("494511"),
            "entries tell of values, not values"
        );
    });
}

#[test]
fn acts_that_are_left_out_and_entries_that_stand_for_many() {
    on_both_engines(|kontor| {
        let auditor = kontor.actor(kontor.user("audit", &["audit_admin"], None));
        let asked = |query: LogQuery| kontor.records.log_entries(&auditor, query).wait().map(Shown::into_view);
        asked(LogQuery::default()).unwrap();
        let moment = asked(LogQuery::default()).unwrap().items[0].at;
        kontor.records.note_unseal_failed("192.0.2.1", 300, (moment, moment)).wait().unwrap();
        let found = asked(LogQuery::default()).unwrap();
        let summed = found.items.iter().find(|entry| entry.verb == "unseal").unwrap();
        assert_eq!(summed.repeats, 300);
        assert!(found.items.iter().filter(|entry| entry.verb != "unseal").all(|entry| entry.repeats == 1));
        let left = asked(LogQuery { without: Some("unseal".to_owned()), ..LogQuery::default() }).unwrap();
        // The reading before this one is in the log too.
        assert_eq!(left.items.len(), found.items.len());
        assert!(left.items.iter().all(|entry| entry.verb != "unseal"));
        let unknown = asked(LogQuery { without: Some("nothing".to_owned()), ..LogQuery::default() });
        assert_eq!(unknown.unwrap_err().code, Code::ParameterInvalid);
    });
}

#[test]
fn after_a_long_mixed_run_the_log_verifies() {
    on_both_engines(|kontor| {
        let people: Vec<Arc<Actor>> = ["seller", "seller", "sales_manager"]
            .iter()
            .enumerate()
            .map(|(at, role)| kontor.actor(kontor.user(&format!("p{at}"), &[role], None)))
            .collect();
        let mut dice = 0x5eed_u64;
        let mut roll = |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % sides
        };
        let mut known: Vec<RecordId> = Vec::new();
        let mut outcomes = std::collections::BTreeMap::<&str, usize>::new();
        for step in 0..250u64 {
            kontor.clock.advance_seconds(1);
            let actor = &people[roll(3) as usize];
            let some = known.get(roll(known.len().max(1) as u64) as usize).copied().unwrap_or(actor.user());
            let outcome = match roll(9) {
                0..=2 => kontor.create(actor, "account", json!({"name": format!("王 {step}"), "phone": "+49 451 1", "credit_code": format!("C{}", roll(40))})).map(|view| known.push(view.id)),
                3 | 4 => kontor.change(actor, "account", some, json!({"name": format!("n{}", roll(3)), "description": (roll(2) == 0).then(|| "x".repeat(roll(20_000) as usize))})).map(drop),
                5 => kontor.delete(actor, "account", some).map(drop),
                6 => kontor.records.restore(actor, "account", some).wait().map(drop),
                7 => kontor.list(actor, "account", json!({"q": "王"})).map(drop),
                _ => kontor.open(actor, "account", some).map(drop),
            };
            let name = outcome.map_or_else(|fault| fault.code.as_str(), |()| "done");
            assert_ne!(name, "internal", "step {step}");
            *outcomes.entry(name).or_default() += 1;
            if step % 100 == 50 {
                kontor.seal_log();
            }
        }
        assert!(outcomes["done"] > 80 && outcomes.len() >= 3, "{outcomes:?}");
        let sealed = kontor.seal_log();
        assert_eq!(sealed, kontor.log().len() as u64);
        for level in 1..=4 {
            let report = kontor.verify(level);
            assert!(report.ok && report.level_reached >= level, "level {level}: {:?}", report.findings);
        }
        kontor.open(&people[2], "account", known[0]).ok();
        let report = kontor.verify(4);
        assert!(
            report.ok && report.checked.rows_unsealed > 0,
            "entries not yet sealed are no finding: {:?}",
            report.findings
        );
    });
}

#[test]
fn the_entry_of_a_change_names_the_personal_fields_that_its_answer_shows() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let id = kontor.create(&anna, "account", json!({"name": "A"})).unwrap().id;
        let operator = kontor.operator();
        kontor
            .change(&operator, "account", id, json!({"phone": "+49 451 1", "bank_account_no": "DE1", "kyc_notes": "k"}))
            .unwrap();
        let said = |act: &dyn Fn()| {
            let before = kontor.log().len();
            act();
            let entries = kontor.log().split_off(before);
            let [entry] = entries.as_slice() else { panic!("{} entries", entries.len()) };
            let fields: Vec<(String, audit::How)> =
                entry.fields.iter().map(|used| (used.field.clone(), used.how)).collect();
            (entry.act.verb, entry.state_after.is_some(), fields)
        };
        let fields = |extra: &[(&str, audit::How)]| {
            let mut fields = vec![
                ("bank_account_no".to_owned(), audit::How::Masked),
                ("kyc_notes".to_owned(), audit::How::Exists),
                ("phone".to_owned(), audit::How::Clear),
            ];
            fields.extend(extra.iter().map(|(name, how)| ((*name).to_owned(), *how)));
            fields.sort_by(|one, two| one.0.cmp(&two.0));
            fields
        };
        let opened = said(&|| drop(kontor.open(&anna, "account", id).unwrap()));
        assert_eq!(opened, (Verb::Read, false, fields(&[])));
        let changed = said(&|| drop(kontor.change(&anna, "account", id, json!({"level": "a"})).unwrap()));
        assert_eq!(changed, (Verb::Update, true, fields(&[])), "as when it is opened");
        let same = said(&|| drop(kontor.change(&anna, "account", id, json!({"level": "a"})).unwrap()));
        assert_eq!(same, (Verb::Read, false, fields(&[])), "what changes nothing is a read");
        let live = said(&|| drop(kontor.records.restore(&anna, "account", id).wait().unwrap()));
        assert_eq!(live, (Verb::Read, false, fields(&[])), "also the restore of a record that is not in the bin");
        kontor.delete(&anna, "account", id).unwrap();
        let restored = said(&|| drop(kontor.records.restore(&anna, "account", id).wait().unwrap()));
        assert_eq!(restored, (Verb::Restore, true, fields(&[])));
        let body = || object_of(json!({"name": "B", "email": "a@b.example"}));
        let retry = || Some(Retry { key: "k".into(), request: [1; 32] });
        let email = vec![("email".to_owned(), audit::How::Clear), ("kyc_notes".to_owned(), audit::How::Exists)];
        let made = said(&|| drop(kontor.records.create(&anna, "account", body(), retry()).wait().unwrap()));
        assert_eq!(made, (Verb::Create, true, email.clone()));
        let again = said(&|| drop(kontor.records.create(&anna, "account", body(), retry()).wait().unwrap()));
        assert_eq!(again, (Verb::Read, false, email));
        kontor.seal_log();
        let report = kontor.verify(4);
        assert!(report.ok, "{:?}", report.findings);
    });
}
