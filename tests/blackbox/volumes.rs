//! Off-line media as the administrator has them: volumes cut from a set, verified, two of them lost, and an appliance made from
//! the rest on a blank machine, in a file or on a server.

use crate::support::*;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

fn json(ran: Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error} in {ran:#?}"))
}

#[test]
fn an_appliance_comes_back_from_media_of_which_two_are_lost() {
    let place = Place::new();
    place.init().ended(0);
    let csv = place.path("customers.csv");
    let rows: String = (0..3_000).map(|number| format!("Customer {number}\n")).collect();
    fs::write(&csv, format!("name\n{rows}")).unwrap();
    place.on(&["import"], &["--object", "account", csv.to_str().unwrap()]).ended(0);
    let media = ["a", "b", "sets"].map(|name| place.path(name));
    media.iter().for_each(|folder| fs::create_dir(folder).unwrap());
    let (a, b) = (media[0].to_str().unwrap(), media[1].to_str().unwrap());
    let cut = ["--volume-size", "1M", "--group", "3", a, b];
    place.on(&["dr", "export"], &cut).ended(2).complains("no verified set");
    let config = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap();
    let text = text.replace("[backup.targets]\n", &format!("[backup.targets]\none = {:?}\n", media[2]));
    fs::write(&config, &text).unwrap();
    // By hand first, one volume, then the rest; what is there is left alone.
    place.on(&["dr", "export"], &[&cut[..], &["--new", "--only", "2"]].concat()).ended(0).says("written and read back");
    let made = json(place.on(&["dr", "export"], &[&cut[..], &["--json"]].concat()).ended(0));
    let places: Vec<PathBuf> = serde_json::from_value(made["places"].clone()).unwrap();
    assert!(made["data"].as_u64().unwrap() >= 2 && places.len() as u64 == made["volumes"].as_u64().unwrap(), "{made}");
    place.on(&["dr", "export"], &cut).ended(0).says("was there already");
    let known = place.path("auditors.pub");
    fs::copy(place.dir().join("log-key.pub"), &known).unwrap();
    let verify = ["dr", "verify", "--log-key", known.to_str().unwrap(), a, b];
    place.run(&verify).ended(0).says("are whole");
    let key_file = place.path("from the safe.key");
    fs::copy(place.dir().join("keys/unseal.key"), &key_file).unwrap();
    let shown = place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
    assert!(shown.out.contains("sound"));
    // The machine is gone, one volume is lost, and one has a turned bit.
    fs::remove_dir_all(place.dir()).unwrap();
    fs::remove_dir_all(&places[0]).unwrap();
    let payload = places[2].join("kontor-003.data");
    let payload = if payload.exists() { payload } else { places[2].join("kontor-003.parity") };
    let mut bytes = fs::read(&payload).unwrap();
    bytes[1_000] ^= 1;
    fs::write(&payload, &bytes).unwrap();
    place.run(&verify).ended(1).says("NOT WHOLE").says("the rest is enough");
    let import = |dir: &PathBuf, more: &[&str]| {
        let from =
            ["dr", "import", "--from", a, b, "--dir", dir.to_str().unwrap(), "--key-file", key_file.to_str().unwrap()];
        place.run(&[from.as_slice(), more].concat())
    };
    let (file, server) = (place.path("in a file"), place.path("in a server"));
    import(&file, &["--log-key", known.to_str().unwrap()]).ended(0).says("as of").complains("made again from the rest");
    assert_eq!(fs::read_to_string(file.join("kontor.toml")).unwrap(), text, "what its owner wrote stays");
    import(&file, &[]).ended(2).complains("is not empty");
    let (url, ca) = testkit::postgres_database();
    let url = place.secret("url", &url);
    let on = ["--database-url-file", url.to_str().unwrap(), "--database-ca-file", ca.to_str().unwrap()];
    import(&server, &on).ended(0).says("arrived with the hash it had");
    let content =
        |dir: &PathBuf| json(place.run(&["backup", "content", "--dir", dir.to_str().unwrap(), "--json"]).ended(0));
    assert_eq!(content(&file), content(&server));
    place.run(&["audit", "verify", "--dir", file.to_str().unwrap(), "--level", "4"]).ended(0);
    // A third lost one is named.
    fs::remove_dir_all(&places[1]).unwrap();
    let blank = place.path("blank");
    import(&blank, &[]).ended(2).complains("of the volumes 1, 2, 3 (missing or damaged)");
    assert!(!blank.exists());
}
