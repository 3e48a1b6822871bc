//! Sets in a store of somebody else, as the administrator has them: tried out, made, proven, fetched back with the store's own
//! files, and what happens while the store is away.

use crate::object_server::{BUCKET, KEY, ObjectServer, SECRET};
use crate::support::*;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error} in {ran:#?}"))
}

/// Writes the targets into the configuration, after what stands there.
fn configure(place: &Place, targets: &str) {
    let config = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap();
    let before = text.split("[backup.targets]").next().unwrap();
    fs::write(&config, format!("{before}[backup.targets]\n{targets}")).unwrap();
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.is_dir());
    found.sort();
    found
}

/// An appliance with some customers, a folder, and a store.
struct Site {
    place: Place,
    folder: PathBuf,
    store: ObjectServer,
}

impl Site {
    fn new() -> Self {
        let place = Place::new();
        place.init().ended(0);
        let csv = place.path("customers.csv");
        let rows: String = (0..300).map(|number| format!("Customer {number}\n")).collect();
        fs::write(&csv, format!("name\n{rows}")).unwrap();
        place.on(&["import"], &["--object", "account", csv.to_str().unwrap()]).ended(0);
        let folder = place.path("disk2");
        fs::create_dir(&folder).unwrap();
        let store = ObjectServer::start(&place.path("store"));
        Self { place, folder, store }
    }
    fn disk(&self) -> String {
        format!("disk2 = {:?}\n", self.folder)
    }
    fn store(&self, keys: &Path) -> String {
        let (address, ca) = (self.store.address, &self.store.ca);
        format!(
            "store = {{ s3 = \"https://{address}/{BUCKET}/kontor\", ca_file = {ca:?}, credentials_file = {keys:?} }}\n"
        )
    }
}

#[test]
fn a_target_is_tried_out_before_it_is_relied_on() {
    let site = Site::new();
    let place = &site.place;
    let keys = place.secret("keys", &format!("{KEY}\n{SECRET}"));
    let wrong = place.secret("wrong keys", &format!("{KEY}\nnothing"));
    configure(place, &site.store(Path::new("/nowhere/keys")));
    place.on(&["config", "check"], &[]).ended(1).complains("backup.targets.store.credentials_file");
    configure(place, "store = { s3 = \"http://s3.example.org/x\", colour = 1 }\n");
    let checked = place.on(&["config", "check"], &[]).ended(1);
    for part in ["backup.targets.store.s3", "backup.targets.store.colour", "backup.targets.store.credentials_file"] {
        assert!(checked.err.contains(part) || checked.out.contains(part), "{part} in {checked:#?}");
    }
    configure(place, &site.store(&wrong));
    place.on(&["backup", "target", "test"], &["nobody"]).ended(2).complains("there is no target nobody");
    place.on(&["backup", "target", "test"], &["store"]).ended(1).says("refuses the credentials");
    configure(place, &[site.disk(), site.store(&keys)].concat());
    place.on(&["config", "check"], &[]).ended(0);
    place.on(&["backup", "target", "list"], &[]).ended(0).says("disk2").says("/sets/kontor");
    place.on(&["backup", "target", "test"], &["disk2"]).ended(0).says("rename     well").says("Sets can be put there");
    assert_eq!(fs::read_dir(&site.folder).unwrap().count(), 0, "nothing is left");
    let tried = place.on(&["backup", "target", "test"], &["store", "--json"]).ended(0);
    assert_eq!(json(&tried)["ok"], Value::from(true), "{tried:#?}");
    fs::remove_dir(&site.folder).unwrap();
    place.on(&["backup", "target", "test"], &["disk2"]).ended(1).says("NOT WELL");
    assert!(!tried.out.contains(SECRET) && !checked.err.contains(SECRET));
}

#[test]
fn sets_go_to_a_store_that_speaks_s3() {
    let site = Site::new();
    let (place, store) = (&site.place, &site.store);
    let keys = place.secret("keys", &format!("{KEY}\n{SECRET}"));
    configure(place, &[site.disk(), site.store(&keys)].concat());
    // While the store is away the other target gets its set; afterwards the store catches up.
    store.away.store(true, Ordering::Relaxed);
    let alone = json(&place.on(&["backup", "run"], &["--json"]).ended(1));
    let ok = |made: &Value, name: &str| {
        made["targets"].as_array().unwrap().iter().find(|one| one["target"] == name).unwrap()["ok"].clone()
    };
    assert_eq!((ok(&alone, "disk2"), ok(&alone, "store")), (true.into(), false.into()), "{alone}");
    store.away.store(false, Ordering::Relaxed);
    store.busy.store(1, Ordering::Relaxed);
    let made = json(&place.on(&["backup", "run"], &["--json"]).ended(0));
    assert_eq!(ok(&made, "store"), Value::from(true), "{made}");
    let house = folders(&store.objects.join(BUCKET).join("kontor")).pop().unwrap();
    let sets = folders(&house);
    assert_eq!(sets.len(), 1, "what failed has left nothing: {sets:?}");
    let list = place.on(&["backup", "list"], &["--json"]).ended(0);
    let rows = json(&list);
    let of_store = rows.as_array().unwrap().iter().filter(|row| row["target"] == "store");
    let states: Vec<&str> = of_store.map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["verified", "failed"], "{rows}");

    // Proven from the store alone.
    configure(place, &site.store(&keys));
    place.on(&["backup", "drill"], &[]).ended(0).says("is whole");
    // A set fetched with any other tool is the same as one of a folder.
    let set = sets[0].to_str().unwrap();
    place.run(&["backup", "verify", "--from", set]).ended(0).says("is whole");
    let (back, key) = (place.path("back"), place.dir().join("keys/unseal.key"));
    let from = ["backup", "restore", "--from", set, "--dir", back.to_str().unwrap()];
    place.run(&[&from[..], &["--key-file", key.to_str().unwrap()]].concat()).ended(0);

    // The secret stands in its file and nowhere else.
    assert!(!list.out.contains(SECRET) && !list.err.contains(SECRET));
    let mut open = vec![place.dir(), back];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                open.push(entry.path());
                continue;
            }
            let bytes = fs::read(entry.path()).unwrap();
            assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()), "{:?}", entry.path());
        }
    }
}
