//! A neutral dump as two people take it: whoever has the machine, and a user whose roles allow it. Opened with age, zstd and tar.

use crate::support::*;
use serde_json::Value;
use std::fs;
use std::process::Command;

const PASSWORD: &str = "a password of one's own";

#[test]
fn two_people_take_a_dump_and_strangers_tools_open_it() {
    let place = Place::new();
    place.init().ended(0);
    let csv = place.path("customers.csv");
    fs::write(&csv, "name\nHanse\nElbe\n").unwrap();
    place.on(&["import"], &["--object", "account", csv.to_str().unwrap()]).ended(0);
    let given = place.secret("greta password", PASSWORD);
    let given = given.to_str().unwrap().to_owned();
    let add = |login: &str, role: &str, more: &[&str]| {
        let words = [login, "--name", login, "--role", role, "--password-file", &given];
        place.on(&["user", "add"], &[words.as_slice(), more].concat()).ended(0);
    };
    add("greta", "sales_manager", &["--lasting"]);
    add("sam", "seller", &["--lasting"]);
    add("new", "sales_manager", &[]);
    let into = place.path("leaving");
    let dump = |login: &str, password: &str, more: &[&str]| {
        let file = place.secret("typed", password);
        let words = ["--as", login, "--password-file", file.to_str().unwrap(), into.to_str().unwrap()];
        place.on(&["dr", "dump"], &[words.as_slice(), more].concat())
    };
    dump("greta", "not that one at all", &[]).ended(1).complains("sign_in_failed");
    // A password that somebody else set is nobody's word.
    dump("new", PASSWORD, &[]).ended(2).complains("that somebody else set");
    assert!(!into.exists());
    dump("sam", PASSWORD, &[]).ended(2).complains("access_denied");
    assert!(!into.exists() && !place.path("leaving.part").exists(), "a refused dump leaves nothing");
    dump("greta", PASSWORD, &[]).ended(0).says("account").says("as greta may see them");
    dump("greta", PASSWORD, &[]).ended(2).complains("is there already");
    let key = place.secret("key", place.on(&["backup", "key"], &[]).ended(0).out.trim());
    let line = format!(
        "cd '{}' && sha256sum -c --quiet SHA256SUMS && mkdir opened && age -d -i '{}' dump.tar.zst.age | zstd -dq | tar -x -C opened && cd opened && sha256sum -c --quiet SHA256SUMS",
        into.display(),
        key.display()
    );
    let opened = Command::new("bash").args(["-euo", "pipefail", "-c", &line]).output().unwrap();
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
    let summary: Value = serde_json::from_slice(&fs::read(into.join("opened/dump.json")).unwrap()).unwrap();
    assert_eq!((&summary["format"], &summary["as"]), (&Value::from("kontor-dump-1"), &Value::from("greta")));
    // What a manager of nobody sees is not what the house has; open it lies only when somebody says so.
    fs::remove_dir_all(&into).unwrap();
    dump("greta", PASSWORD, &["--plain"]).ended(0).complains("It lies open");
    assert!(into.join("schema/account.schema.json").is_file() && into.join("SHA256SUMS").is_file());
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}
