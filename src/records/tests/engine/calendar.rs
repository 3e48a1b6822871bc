//! A person's calendar: whatever of it leaves is named in the log, also when it is long, and when it is empty.

use audit::Verb;
use serde_json::json;
use testkit::on_both_engines;

#[test]
fn every_appointment_of_a_long_calendar_is_named_in_the_log() {
    on_both_engines(|kontor| {
        let id = kontor.user("anna", &["seller"], None);
        let anna = kontor.actor(id);
        let looks = || {
            let log = kontor.log();
            let looks = log.iter().filter(|entry| entry.act.verb == Verb::List && entry.note == "calendar feed");
            looks.map(|entry| entry.target.ids.clone()).collect::<Vec<_>>()
        };
        kontor.records.calendar(&anna).wait().unwrap();
        assert_eq!(looks(), [Vec::new()], "that there was nothing is an answer, too");
        let due = kontor.store.clock().now().plus_seconds(3600).to_string();
        let task = json!({"kind": "task", "subject": "Ring", "owner": id, "due": due});
        let mut made: Vec<_> = (0..201).map(|_| kontor.make("activity", task.clone())).collect();
        let text = kontor.records.calendar(&anna).wait().unwrap().into_view();
        assert_eq!(text.matches("BEGIN:VTODO").count() + text.matches("BEGIN:VEVENT").count(), 201);
        let mut named = looks().concat();
        made.sort();
        named.sort();
        assert_eq!(named, made);
        assert_eq!(looks().len(), 3);
    });
}
