//! Settings and the first run: who reads, who changes, what is refused, what the log tells.

use audit::Verb as Act;
use kernel::Code;
use records::{Language, SettingsPatch, SetupStep};
use serde_json::{Value as Json, json};
use testkit::{TestAppliance, on_both_engines, told};

fn patch(fields: Json) -> SettingsPatch {
    serde_json::from_value(fields).unwrap()
}

fn notes(kontor: &TestAppliance) -> Vec<String> {
    let config = |entry: &audit::Entry| entry.act.verb == Act::ConfigChange && entry.decision.error.is_empty();
    kontor.log().into_iter().filter(config).map(|entry| entry.note).collect()
}

#[test]
fn the_system_administrator_changes_settings_and_the_log_says_from_what_to_what() {
    on_both_engines(|kontor| {
        let admin = kontor.actor(kontor.user("admin", &["system_admin"], None));
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let first = kontor.records.settings().wait().unwrap().into_view();
        assert_eq!((first.version, first.organisation.as_str(), first.sample), (1, "", false));
        let change = json!({"organisation": " Hanse AG ", "language": "zh", "currency": "CNY",
            "time_zone": "Asia/Shanghai", "fiscal_start": 4, "ribbon": {"kind": "test", "text": "Try it"}});
        let refused = kontor.records.settings_change(&anna, None, patch(change.clone())).wait().map(|_| ());
        assert_eq!(refused.unwrap_err().code, Code::AccessDenied);
        let set = kontor.records.settings_change(&admin, Some(1), patch(change.clone())).wait().unwrap().into_view();
        assert_eq!((set.version, set.organisation.as_str(), set.language), (2, "Hanse AG", Language::Zh));
        assert_eq!(kontor.records.settings().wait().unwrap().into_view(), set);
        let same = kontor.records.settings_change(&admin, Some(2), patch(change)).wait().unwrap().into_view();
        assert_eq!(same.version, 2, "nothing moved, nothing is told");
        let stale = kontor.records.settings_change(&admin, Some(1), patch(json!({"currency": "EUR"}))).wait();
        assert_eq!(stale.map(|_| ()).unwrap_err().code, Code::VersionConflict);
        let notes = notes(kontor);
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].contains("organisation \"\" to \"Hanse AG\"") && notes[0].contains("ribbon"), "{notes:?}");
        let denied = kontor.log().into_iter().filter(|entry| entry.act.verb == Act::ConfigChange);
        assert_eq!(denied.filter(|entry| entry.decision.error == "access_denied").count(), 1);
    });
}

#[test]
fn wrong_settings_are_told_all_at_once() {
    on_both_engines(|kontor| {
        let admin = kontor.actor(kontor.user("admin", &["system_admin"], None));
        let long = "x".repeat(kernel::limits::SETTING_CHARS_MAX + 1);
        let wrong = json!({"organisation": long, "currency": "EURO", "time_zone": "berlin", "fiscal_start": 13,
            "ribbon": {"kind": "training", "text": "two\nlines"}});
        let fault = kontor.records.settings_change(&admin, None, patch(wrong)).wait().map(|_| ()).unwrap_err();
        let (code, items) = told(&fault);
        assert_eq!(code, Code::ValidationFailed);
        let item = |pointer: &str, code| (pointer.to_owned(), code);
        assert_eq!(
            items,
            [
                item("/organisation", Code::ValueTooLong),
                item("/currency", Code::ValueFormat),
                item("/time_zone", Code::ValueFormat),
                item("/fiscal_start", Code::ValueRange),
                item("/ribbon/text", Code::ValueFormat),
            ]
        );
        for zone in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+8"] {
            kontor.records.settings_change(&admin, None, patch(json!({"time_zone": zone}))).wait().unwrap();
        }
        for zone in ["", "Berlin", "Europe/", "/Berlin", "Europe/Ber lin", "A/B/C/D", "../etc"] {
            let wrong = kontor.records.settings_change(&admin, None, patch(json!({"time_zone": zone}))).wait();
            assert!(wrong.is_err(), "{zone}");
        }
    });
}

#[test]
fn each_step_of_the_first_run_is_for_its_administrator() {
    on_both_engines(|kontor| {
        let system = kontor.actor(kontor.user("system", &["system_admin"], None));
        let security = kontor.actor(kontor.user("security", &["security_admin"], None));
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let done = |actor, step| kontor.records.setup_done(actor, step, true).wait().map(records::Shown::into_view);
        assert!(kontor.records.setup(&system).wait().unwrap().into_view().finished, "no first run was begun");
        assert_eq!(done(&system, SetupStep::Region).unwrap_err().code, Code::ParameterInvalid);
        kontor.records.setup_begin(&kontor.operator()).wait().unwrap();
        assert_eq!(kontor.records.setup(&anna).wait().map(|_| ()).unwrap_err().code, Code::AccessDenied);
        let steps = |actor| {
            let view = kontor.records.setup(actor).wait().unwrap().into_view();
            let mine: Vec<SetupStep> = view.steps.iter().filter(|step| step.mine).map(|step| step.step).collect();
            (view.finished, mine, view.slots.len())
        };
        assert_eq!(steps(&security), (false, vec![SetupStep::People, SetupStep::Custody], 1));
        let (finished, mine, slots) = steps(&system);
        assert_eq!((finished, mine.len(), slots), (false, 6, 1));
        assert!(!mine.contains(&SetupStep::People));
        assert_eq!(done(&system, SetupStep::People).unwrap_err().code, Code::AccessDenied);
        assert_eq!(done(&security, SetupStep::Finish).unwrap_err().code, Code::AccessDenied);
        let view = done(&security, SetupStep::People).unwrap();
        let people = view.steps.iter().find(|step| step.step == SetupStep::People).unwrap();
        assert_eq!(
            (people.done_at, people.done_by),
            (Some(kernel::Clock::now(kontor.clock.as_ref())), Some(security.user()))
        );
        let open = kontor.records.setup_done(&security, SetupStep::People, false).wait().unwrap().into_view();
        assert!(open.steps.iter().all(|step| step.done_at.is_none()));
        assert!(done(&system, SetupStep::Finish).unwrap().finished);
        let said = notes(kontor);
        for note in
            ["first run: begun", "first run: people done", "first run: people open again", "first run: finish done"]
        {
            assert!(said.iter().any(|told| told.ends_with(note)), "{note}: {said:?}");
        }
    });
}
