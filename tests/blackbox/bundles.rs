//! The file for support: what helps is in it, and nothing that was planted: names, addresses, secrets and hosts in the configuration,
//! in the data, in the journal and in what systemd says.

use crate::certificates::noted;
use crate::support::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

const TOKEN: &str = "MarkerToken0123456789abcdef01234";
const UUID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
/// What must not be found, in lower case.
const PLANTED: [&str; 7] = ["marker", "李娜", "10.9.8.7", "2001:db8", UUID, "appliance/", "huber"];

/// What is in a bundle, by name.
fn unpacked(file: &Path) -> BTreeMap<String, String> {
    let folder = file.with_extension("unpacked");
    fs::create_dir(&folder).unwrap();
    let ran = Command::new("tar").arg("-xzf").arg(file).arg("-C").arg(&folder).status().unwrap();
    assert!(ran.success());
    let files = fs::read_dir(folder.join("kontor-support")).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap()))
        .collect()
}

/// Where something that was planted is found.
fn found<'a>(texts: impl IntoIterator<Item = (&'a String, &'a String)>) -> Vec<String> {
    let seen = |(name, text): (&'a String, &'a String)| {
        let lower = text.to_lowercase();
        let hits = PLANTED
            .iter()
            .filter(move |planted| lower.contains(**planted))
            .map(move |planted| format!("{planted} in {name}"));
        hits.collect::<Vec<_>>()
    };
    texts.into_iter().flat_map(seen).collect()
}

/// Programs of the machine, played: they say what they should not.
fn machine(place: &Place) -> String {
    let bin = place.path("bin");
    fs::create_dir(&bin).unwrap();
    let hostname = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let lines = [
        "serving url=\"https://10.9.8.7:8443\" dir=/srv/markerbank version=0.1.0".to_owned(),
        "mail could not be sent told=\"berta.huber@other.example: the relay mail.markerbank.example does not answer\""
            .to_owned(),
        format!("record {UUID} of 李娜 from [2001:db8::7]:443"),
        format!("on {} as MarkerUser to markerdisk: no space left", hostname.trim()),
    ];
    let line = |(at, text): (usize, &String)| {
        json!({"__REALTIME_TIMESTAMP": format!("{}", 1_790_000_000_000_000_u64 + at as u64), "PRIORITY": "4", "MESSAGE": text,
            "_HOSTNAME": "markerhost", "_CMDLINE": "marker"})
        .to_string()
    };
    let journal: Vec<String> = lines.iter().enumerate().map(line).collect();
    fs::write(place.path("journal"), journal.join("\n")).unwrap();
    for (name, text) in [
        ("journalctl", format!("#!/bin/sh\ncat {:?}\n", place.path("journal"))),
        ("systemctl", "#!/bin/sh\necho ActiveState=active\necho NRestarts=3\necho Description=MarkerBank\n".to_owned()),
    ] {
        fs::write(bin.join(name), text).unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

fn bundle(place: &Place, path: &str, rest: &[&str]) -> Ran {
    let mut command = place.command(&["support", "bundle", "--dir", place.dir().to_str().unwrap()]);
    command.args(rest).env("PATH", path);
    Ran::of(command.output().unwrap())
}

/// An appliance of a house that has written its name everywhere.
fn house() -> Place {
    let place = Place::new();
    place.init().ended(0);
    let change = json!([{"change": "create_object", "definition": {"name": "x_markership", "label": {"en": "Marker", "zh": "船"},
        "plural": {"en": "Markers", "zh": "船"}, "title_field": "name", "fields": [{"name": "name", "label": {"en": "Name", "zh": "名"},
        "type": "text", "max_chars": 100, "sensitivity": "S1", "required": true}]}}]);
    let file = place.secret("changes.json", &change.to_string());
    place.on(&["object", "apply"], &[file.to_str().unwrap()]).ended(0);
    let csv = place.secret("accounts.csv", "name,phone\nMarkerholm GmbH,+49 40 123456\nMarkerkontor AG,+49 40 654321");
    place.on(&["import"], &["--object", "account", csv.to_str().unwrap()]).ended(0);
    let password = place.secret("password", "a lantern over the quay");
    place
        .on(&["user", "add"], &["markerperson", "--name", "Anna Huber", "--password-file", password.to_str().unwrap()])
        .ended(0);
    let (token, secret) = (place.secret("markertoken", TOKEN), place.secret("markersecret", "MarkerSecret"));
    let path = place.dir().join("kontor.toml");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let text =
        text.replacen("127.0.0.1:0", &port.to_string(), 1).replacen("node = \"kontor\"", "node = \"MarkerNode\"", 1);
    let text = text.replacen("names = []", "names = [\"crm.markerbank.example\"]", 1);
    let text = text.replace("[metrics]\n", &format!("[metrics]\ntoken_file = {token:?}\n"));
    let before = text.split("[backup.targets]").next().unwrap().to_owned();
    let metrics = text.split("[metrics]").nth(1).unwrap();
    let mail = format!(
        "[backup.targets]\nmarkerdisk = {:?}\n\n[mail]\nrelay = \"mail.markerbank.example\"\nuser = \"MarkerUser\"\npassword_file = {secret:?}\n\
         from = \"kontor@markerbank.example\"\n[mail.to]\nsystem = [\"anna.huber@markerbank.example\"]\n[metrics]{metrics}",
        place.path("markerfolder")
    );
    fs::write(&path, before + &mail).unwrap();
    place.on(&["config", "check"], &[]).ended(0);
    place
}

#[test]
fn it_holds_what_helps_and_nothing_of_the_house() {
    let place = house();
    let path = machine(&place);
    // The look finds what was planted where it was planted.
    let config = fs::read_to_string(place.dir().join("kontor.toml")).unwrap();
    let journal = fs::read_to_string(place.path("journal")).unwrap();
    let planted = found([(&"config".to_owned(), &config), (&"journal".to_owned(), &journal)]);
    assert!(planted.len() > 5, "{planted:?}");
    let server = Server::start(place.command(&["serve", "--dir", place.dir().to_str().unwrap()]), true);
    server.line_with("serving");
    let file = place.path("one.tar.gz");
    let said = bundle(&place, &path, &[file.to_str().unwrap()]).ended(0).says("journal.txt").says("Look through it");
    assert_eq!(mode(&file), 0o600);
    assert_eq!(server.stop(), 0);
    let texts = unpacked(&file);
    assert_eq!(found(&texts), Vec::<String>::new());
    assert!(texts.keys().all(|name| said.out.contains(name)), "{texts:#?}");
    assert_eq!(texts.len(), 12, "{:?}", texts.keys());
    let json = |name: &str| -> Value { serde_json::from_str(&texts[name]).unwrap() };
    assert_eq!(json("database.json")["rows"]["account"], json!({"rows": 2, "live": 2}));
    assert_eq!(json("database.json")["rows"]["own 1"]["rows"], json!(0));
    assert_eq!(json("configuration.json")["settings"]["mail.relay"], json!({"set": true}));
    assert_eq!(json("configuration.json")["settings"]["log.level"]["value"], json!("info"));
    assert_eq!(json("configuration.json")["targets"], json!([{"kind": "folder"}]));
    assert_eq!(json("service.json"), json!({"ActiveState": "active", "NRestarts": "3"}));
    assert!(json("sizes.json")["log"]["bytes"].as_u64().unwrap() > 100);
    assert_eq!(json("version.json")["name"], json!("kontor"));
    assert!(json("machine.json")["memory_kib"].as_u64().unwrap() > 1000);
    let states = json("health.json").to_string();
    assert!(states.contains("database_answers") && states.contains("certificate_good"), "{states}");
    let ids = json("doctor.json").to_string();
    assert!(ids.contains("backup_target_away") && ids.contains("backup_late") && ids.contains("[removed]"), "{ids}");
    let metrics = &texts["metrics.txt"];
    assert!(metrics.contains("kontor_http_requests_total") && metrics.contains("{target=\"1\"} 0"), "{metrics}");
    let lines = &texts["journal.txt"];
    for part in [
        "warning serving url=\"[address]\"",
        "[mail]: the relay [removed] does not answer",
        "record [id] of [text]",
        "on [removed] as [removed] to [removed]: no space left",
    ] {
        assert!(lines.contains(part), "{part} in {lines}");
    }
    assert_eq!(lines.lines().count(), 4);
    assert!(texts["manifest.txt"].contains("stands in the audit log"));
    bundle(&place, &path, &[file.to_str().unwrap()]).ended(2).complains("name a new file");
    place.run(&["support", "show", file.to_str().unwrap()]).ended(0).says("What is not in it");
    place.run(&["support", "show", file.to_str().unwrap(), "journal.txt"]).ended(0).says("no space left");
    place.run(&["support", "show", file.to_str().unwrap(), "nothing"]).ended(2).complains("name one of manifest.txt");
    place.run(&["support", "show", place.path("journal").to_str().unwrap()]).ended(2).complains("is no bundle");
    assert_eq!(noted(&place, "support_bundle", "12 texts"), 1);
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

#[test]
fn an_ill_appliance_gives_one_too_and_says_that_it_is_not_in_the_log() {
    let place = house();
    let path = machine(&place);
    let file = place.path("two.tar.gz");
    let name = file.to_str().unwrap();
    // A password where a schedule belongs, and a key that nobody knows.
    let config = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap();
    let text = text.replacen("[backup]\n", "[backup]\nschedule = \"MarkerPassword\"\nmarkerkey = \"MarkerValue\"\n", 1);
    fs::write(&config, &text).unwrap();
    bundle(&place, &path, &[name]).ended(2).complains("--unlogged");
    assert!(!file.exists(), "what was half made is gone");
    bundle(&place, &path, &["--unlogged", name]).ended(0);
    let texts = unpacked(&file);
    assert_eq!(found(&texts), Vec::<String>::new());
    assert!(texts["doctor.json"].contains("config_invalid") && texts["health.json"].contains("left_out"));
    assert!(texts["manifest.txt"].contains("the audit log does not know of it"));
    // A database that is none.
    let text = text.replacen("schedule = \"MarkerPassword\"\nmarkerkey = \"MarkerValue\"\n", "", 1);
    fs::write(&config, text).unwrap();
    fs::write(place.dir().join("data/kontor.db"), "Markerholm GmbH").unwrap();
    let file = place.path("three.tar.gz");
    bundle(&place, &path, &["--unlogged", "--lines", "10", file.to_str().unwrap()]).ended(0);
    let texts = unpacked(&file);
    assert_eq!(found(&texts), Vec::<String>::new());
    assert!(
        texts["database.json"].contains("not_read") && texts["doctor.json"].contains("database_unreadable"),
        "{texts:#?}"
    );
    place
        .run(&["support", "bundle", "--unlogged", "--dir", "nowhere", "four.tar.gz"])
        .ended(2)
        .complains("there is no appliance");
}
