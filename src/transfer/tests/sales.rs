//! The CRM sales data goes in by four imports, on both engines, and comes out as it was: counts and sums equal those that
//! an independent script computes from the files.
#![cfg(test)]

use authz::Verb;
use kernel::RecordId;
use records::{CountMode, ListRequest};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::{TestAppliance, on_both_engines, shared_data};
use transfer::{Go, ImportJob, ImportReport, Input, Mapping, Rejects, run};

fn mappings() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/mappings")
}

fn import(kontor: &TestAppliance, object: &str, mapping: &str, file: &Path, dry_run: bool) -> ImportReport {
    let text = std::fs::read_to_string(mappings().join(mapping)).unwrap();
    let job = ImportJob {
        input: Input::Path(file.to_owned()),
        object: object.to_owned(),
        mapping: Some(Mapping::parse(&text).unwrap()),
        dry_run,
        rejects: Rejects::File(kontor.dir().join(format!("{object}-rejected.csv"))),
        job: format!("test-{object}"),
        is_sample: false,
        ledger: None,
        resume: None,
    };
    run(&kontor.records, &kontor.operator(), job, &mut |_| Go::On)
        .unwrap_or_else(|fault| panic!("{object}: {fault} {:?} {:?}", fault.items, fault.cause()))
}

fn all_in(report: &ImportReport, rows: u64) {
    let taken = (report.created + report.unchanged + report.updated, report.rejected);
    assert_eq!(taken, (rows, 0), "{:?}", report.reasons);
}

/// Count and sum of close_value by a column, computed without any of our code.
fn expected(file: &Path, column: &str) -> BTreeMap<String, (u64, i64)> {
    let script = "import csv,sys,json,collections\nc=collections.defaultdict(lambda:[0,0])\n\
        for r in csv.DictReader(open(sys.argv[1],encoding='ascii')):\n c[r[sys.argv[2]]][0]+=1\n c[r[sys.argv[2]]][1]+=int(r['close_value'] or 0)\n\
        print(json.dumps(c))";
    let output = Command::new("python3").args(["-c", script]).arg(file).arg(column).output().expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The same from the appliance, record by record.
fn actual(kontor: &TestAppliance, by: &str) -> BTreeMap<String, (u64, i64)> {
    let operator = kontor.operator();
    let mut sums: BTreeMap<String, (u64, i64)> = BTreeMap::new();
    let mut cursor = None;
    loop {
        let request = ListRequest {
            fields: Some(vec!["stage".into(), "amount".into(), "owner.display_name".into()]),
            limit: Some(200),
            cursor,
            ..ListRequest::default()
        };
        let page = kontor.records.list(&operator, "opportunity", request).wait().unwrap().into_view();
        for item in &page.items {
            let key = item.fields[by].as_str().unwrap().to_owned();
            let amount = item.fields["amount"]["amount"].as_str().map_or(0.0, |text| text.parse::<f64>().unwrap());
            let sum = sums.entry(key).or_default();
            sum.0 += 1;
            sum.1 += amount as i64;
        }
        cursor = page.next;
        if cursor.is_none() {
            return sums;
        }
    }
}

fn user_named(kontor: &TestAppliance, name: &str) -> RecordId {
    let request = ListRequest {
        filter: Some(json!({"field": "display_name", "op": "eq", "value": name})),
        ..ListRequest::default()
    };
    kontor.records.list(&kontor.operator(), "user", request).wait().unwrap().view().items[0].id
}

fn count(kontor: &TestAppliance, user: RecordId) -> u64 {
    let request = ListRequest { count: CountMode::Exact, limit: Some(1), ..ListRequest::default() };
    kontor.records.list(&kontor.actor(user), "opportunity", request).wait().unwrap().view().count.unwrap()
}

#[test]
fn a_sales_teams_data_goes_in_whole_and_is_seen_by_those_who_may() {
    let Some(data) = shared_data() else { return };
    let sales = data.join("crm-sales");
    on_both_engines(|kontor| {
        let pipeline = sales.join("sales_pipeline.csv");
        all_in(&import(kontor, "account", "crm-sales-accounts.json", &sales.join("accounts.csv"), false), 85);
        all_in(&import(kontor, "product", "crm-sales-products.json", &sales.join("products.csv"), false), 7);
        all_in(&import(kontor, "user", "crm-sales-teams.json", &sales.join("sales_teams.csv"), false), 35);
        let dry = import(kontor, "opportunity", "crm-sales-pipeline.json", &pipeline, true);
        all_in(&dry, 8_800);
        assert_eq!(actual(kontor, "stage").len(), 0, "a dry run writes nothing");
        all_in(&import(kontor, "opportunity", "crm-sales-pipeline.json", &pipeline, false), 8_800);

        let stages: BTreeMap<_, _> =
            expected(&pipeline, "deal_stage").into_iter().map(|(key, sum)| (key.to_lowercase(), sum)).collect();
        assert_eq!(actual(kontor, "stage"), stages);
        assert_eq!(actual(kontor, "owner.display_name"), expected(&pipeline, "sales_agent"));
        let none = ListRequest {
            filter: Some(json!({"field": "account", "op": "empty"})),
            count: CountMode::Exact,
            ..ListRequest::default()
        };
        let none = kontor.records.list(&kontor.operator(), "opportunity", none).wait().unwrap().view().count;
        assert_eq!(none, Some(1_425));

        let again = import(kontor, "opportunity", "crm-sales-pipeline.json", &pipeline, false);
        assert_eq!((again.unchanged, again.created, again.rejected), (8_800, 0, 0), "a second run changes nothing");

        let agents = expected(&pipeline, "sales_agent");
        let seller = user_named(kontor, "Darcel Schlecht");
        kontor.records.role_grant(&kontor.operator(), seller, "seller", None, None).wait().unwrap();
        assert_eq!(count(kontor, seller), agents["Darcel Schlecht"].0, "a seller sees own deals");
        let manager = user_named(kontor, "Dustin Brinkmann");
        kontor.records.role_grant(&kontor.operator(), manager, "sales_manager", None, None).wait().unwrap();
        let seen = count(kontor, manager);
        assert!(seen > 1_000 && seen < 8_800, "a manager sees the team's: {seen}");
        assert!(kontor.may(&kontor.actor(manager), "opportunity", Verb::Read));
    });
}

#[test]
fn chinese_company_lists_go_in_and_two_characters_find_them() {
    let Some(data) = shared_data() else { return };
    on_both_engines(|kontor| {
        for (mapping, file, rows) in [
            ("chinese-stock-basics-gbk.json", "stock_basics_gbk.csv", 3_172),
            ("chinese-stock-basic-utf8.json", "stock_basic_utf8.csv", 5_524),
        ] {
            let report = import(kontor, "account", mapping, &data.join("chinese").join(file), false);
            all_in(&report, rows);
        }
        let found =
            kontor.records.search(&kontor.operator(), "平安", Some(vec!["account".into()])).wait().unwrap().into_view();
        assert!(
            found.groups[0].items.iter().any(|item| item.fields["name"] == "平安银行"),
            "a two-character search finds the bank"
        );
        let found = kontor
            .records
            .search(&kontor.operator(), "pingan", Some(vec!["account".into()]))
            .wait()
            .unwrap()
            .into_view();
        assert!(!found.groups.is_empty(), "pinyin finds it, too");
    });
}
