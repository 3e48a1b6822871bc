//! The server engine's own base backup and archive of its log, with the commands of the guide: the server is lost after more was
//! written, and comes back with all of it. And an archive that fails is noticed.
#![cfg(test)]

use serde_json::json;
use std::process::Command;
use store::Store;
use testkit::{OwnServer, TestAppliance};

/// A line of the guide, with the words of this server.
#[track_caller]
fn shell(server: &OwnServer, line: &str) -> String {
    let folder = server.folder().display().to_string();
    let bin = "PATH=$PATH:$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin | sort -V | tail -n 1)";
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &format!("{bin}; {line}")])
        .env("URL", &server.url)
        .env("PGSSLROOTCERT", &server.ca)
        .env("FOLDER", folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Asks until the server says yes; it archives in its own time.
fn until(server: &OwnServer, question: &str) {
    while shell(server, &format!("psql \"$URL\" -XAtc \"SELECT {question} FROM pg_stat_archiver\"")) != "t" {
        std::thread::yield_now();
    }
}

#[test]
fn a_lost_server_comes_back_from_base_backup_and_archive() {
    let server = OwnServer::start();
    shell(
        &server,
        r#"mkdir -m 777 "$FOLDER/archive"
        for setting in "wal_level = replica" "max_wal_senders = 4" "archive_mode = on" \
          "archive_command = 'test ! -f $FOLDER/archive/%f && cp %p $FOLDER/archive/%f'"; do
          psql "$URL" -Xqc "ALTER SYSTEM SET ${setting%% = *} = ${setting#* = }"
        done
        echo 'hostssl replication all 127.0.0.1/32 scram-sha-256' >> "$FOLDER/data/pg_hba.conf""#,
    );
    server.down();
    server.up();
    let kontor = TestAppliance::on_server(&server);
    for number in 0..20 {
        kontor.make("account", json!({"name": format!("Before {number}")}));
    }
    assert_eq!(
        kontor.store.read(|tx| tx.archiver()).wait().unwrap().map(|archiver| archiver.is_failing()),
        Some(false)
    );
    shell(&server, r#"pg_basebackup -d "${URL%/*}/postgres" -D "$FOLDER/base" -X stream -c fast"#);
    for number in 0..20 {
        kontor.make("account", json!({"name": format!("After {number}")}));
    }
    kontor.seal_log();
    let before = Store::content_of(&kontor.store.config().engine).unwrap();
    let file = shell(&server, r#"psql "$URL" -XAtc "SELECT pg_walfile_name(pg_switch_wal())""#);
    until(&server, &format!("coalesce(last_archived_wal >= '{file}', false)"));
    // The server's disk is gone.
    server.down();
    shell(
        &server,
        r#"mv "$FOLDER/data" "$FOLDER/lost"
        cp -a "$FOLDER/base" "$FOLDER/data"
        printf "restore_command = 'cp %s/archive/%%f %%p'\n" "$FOLDER" >> "$FOLDER/data/postgresql.auto.conf"
        touch "$FOLDER/data/recovery.signal"
        chown -R --reference="$FOLDER/lost" "$FOLDER/data"; chmod 700 "$FOLDER/data"; rm -r "$FOLDER/lost""#,
    );
    server.up();
    assert_eq!(Store::content_of(&kontor.store.config().engine).unwrap(), before);
    let report = kontor.verify(4);
    assert!(report.ok && report.checked.records >= 40, "{:?}", report.findings);
    // An archive that takes nothing any more is noticed, and so is one that does again.
    let (store, records) = kontor.over_restored(kontor.store.config().clone());
    for (command, question, failing) in [
        ("false", "coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL)", true),
        ("true", "coalesce(last_archived_time > last_failed_time, false)", false),
    ] {
        shell(
            &server,
            &format!(
                "psql \"$URL\" -Xqc \"ALTER SYSTEM SET archive_command = '{command}'\" -c 'SELECT pg_reload_conf()'"
            ),
        );
        let made = records.create(&kontor.operator(), "account", testkit::object_of(json!({"name": command})), None);
        made.wait().unwrap();
        shell(&server, r#"psql "$URL" -XAtc "SELECT pg_switch_wal()""#);
        until(&server, question);
        let archiver = store.read(|tx| tx.archiver()).wait().unwrap().unwrap();
        assert_eq!(archiver.is_failing(), failing, "{archiver:?}");
    }
}
