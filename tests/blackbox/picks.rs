//! Single records brought back from a set at the command line: by a user of the house, with that user's rights.

use crate::backups::{json, with_targets};
use crate::support::*;
use serde_json::Value;
use std::process::Command;

const PASSWORD: &str = "a password of one's own";

/// Users with a password that is their own word.
fn users(place: &Place) {
    let given = place.secret("given", PASSWORD);
    for (login, role) in [("greta", "sales_manager"), ("sam", "seller")] {
        let words = [login, "--name", login, "--role", role, "--password-file", given.to_str().unwrap(), "--lasting"];
        place.on(&["user", "add"], &words).ended(0);
    }
}

/// What somebody did behind the program's back, or an import that nobody wanted.
fn sql(place: &Place, text: &str) {
    let file = place.dir().join("data/kontor.db");
    let done = Command::new("sqlite3").arg(file).arg(text).status().unwrap();
    assert!(done.success(), "{text}");
}

fn by(place: &Place, login: &str, verb: &str, rest: &[&str]) -> Ran {
    let file = place.secret("typed", PASSWORD);
    let words = ["--as", login, "--password-file", file.to_str().unwrap()];
    place.on(&["backup", verb], &[words.as_slice(), rest].concat())
}

#[test]
fn a_user_brings_records_back_at_the_command_line() {
    let place = Place::new();
    let _targets = with_targets(&place, "mib_per_second = 0");
    users(&place);
    let hers = "(SELECT id FROM user WHERE username = 'greta')";
    sql(&place, &format!("UPDATE account SET owner_id = {hers} WHERE name IN ('Customer 7', 'Customer 8')"));
    by(&place, "greta", "browse", &["1"]).ended(2).complains("there is no verified set 1");
    place.on(&["backup", "run"], &[]).ended(0);

    by(&place, "sam", "browse", &["1"]).ended(2).complains("access_denied");
    let objects = json(by(&place, "greta", "browse", &["1", "--json"]).ended(0));
    let count = |object: &str| {
        let items = objects["items"].as_array().unwrap();
        items.iter().find(|one| one["object"] == object).map(|one| one["count"].clone()).unwrap_or_default()
    };
    assert_eq!(count("account"), Value::from(2), "those of others are in no count: {objects}");
    let found = json(by(&place, "greta", "browse", &["1", "account", "--find", "customer 7", "--json"]).ended(0));
    let id = found["items"][0]["id"].as_str().unwrap().to_owned();
    by(&place, "greta", "browse", &["1", "account"]).ended(0).says("Customer 8").says("live");

    sql(&place, "UPDATE account SET name = 'Wrong', version = version + 1 WHERE name = 'Customer 7'");
    by(&place, "greta", "pick", &["1", "account", &id]).ended(0).says("Customer 7").says("Wrong");
    by(&place, "greta", "pick", &["1", "account", &id, "--field", "name", "--dry-run"]).ended(0).says("Would be");
    by(&place, "greta", "pick", &["1", "account"]).ended(0).says("different            1");
    by(&place, "greta", "pick", &["1", "account", &id, "--field", "bank_account_no"])
        .ended(2)
        .complains("restore_refused");
    by(&place, "greta", "pick", &["1", "account", "--different", "--field", "name"]).ended(0).says("1 brought back");
    by(&place, "greta", "pick", &["1", "account"]).ended(0).says("different            0");
    assert!(!place.dir().join("browse").exists(), "the scratch folder is gone");
    place.on(&["audit", "verify"], &["--level", "3"]).ended(0);
}
