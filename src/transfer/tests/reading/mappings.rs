//! The mappings kept in tests/mappings fit their schema and turn whole files into drafts, with nothing lost; what does
//! not fit is rejected with a reason, and the reject file goes back in.

use crate::common;
use csv::StringRecord;
use kernel::Code;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};
use transfer::{
    DetectionReport, DraftRow, Input, Mapping, OpenOptions, ProposalReason, ReferenceBy, RejectWriter, RejectedRow,
    RowError, RowReader, SourceFile, Tally, plan, propose,
};

const PAIRS: &[(&str, &str)] = &[
    ("crm-sales-accounts.json", "crm-sales/accounts.csv"),
    ("crm-sales-products.json", "crm-sales/products.csv"),
    ("crm-sales-teams.json", "crm-sales/sales_teams.csv"),
    ("crm-sales-pipeline.json", "crm-sales/sales_pipeline.csv"),
    ("chinese-stock-basics-gbk.json", "chinese/stock_basics_gbk.csv"),
    ("chinese-stock-basic-utf8.json", "chinese/stock_basic_utf8.csv"),
    ("chinese-tpex.json", "chinese/tpex_companies_utf8.csv"),
];

struct Run {
    rows: Vec<DraftRow>,
    rejected: Vec<RejectedRow>,
    tally: Tally,
    warnings: Vec<String>,
}

fn run(source: &SourceFile, mapping: &Mapping) -> Run {
    let plan = plan(mapping, &common::targets(), source).unwrap_or_else(|fault| panic!("{fault} {:#?}", fault.items));
    let warnings = plan.warnings().to_vec();
    let mut reader = RowReader::new(source, plan).unwrap();
    let (mut rows, mut rejected) = (Vec::new(), Vec::new());
    for row in reader.by_ref() {
        match row {
            Ok(row) => rows.push(row),
            Err(RowError::Rejected(row)) => rejected.push(*row),
            Err(RowError::Stopped(fault)) => panic!("{fault}"),
        }
    }
    let tally = reader.tally().clone();
    Run { rows, rejected, tally, warnings }
}

fn run_file(name: &str) -> Option<Run> {
    let data = common::data()?;
    let (mapping, file) = PAIRS.iter().find(|(mapping, _)| *mapping == name).unwrap();
    let mapping = common::mapping(mapping);
    Some(run(&common::open(data.join(file), &mapping), &mapping))
}

fn inline(text: &str, mapping: Value) -> (SourceFile, Mapping) {
    let mapping = Mapping::parse(&mapping.to_string()).unwrap();
    let source = SourceFile::open(Input::Bytes(text.as_bytes().into()), &mapping.open_options()).unwrap();
    (source, mapping)
}

#[test]
fn every_mapping_fits_the_schema_and_the_schema_refuses_mistakes() {
    let read = |path: &Path| serde_json::from_str::<Value>(&fs::read_to_string(path).unwrap()).unwrap();
    let schema = read(&common::repository().join("src/transfer/mapping.schema.json"));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut seen = 0;
    for entry in fs::read_dir(common::repository().join("tests/mappings")).unwrap() {
        let path = entry.unwrap().path();
        let value = read(&path);
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        let parsed = Mapping::parse(&value.to_string()).unwrap();
        // What this code writes also fits.
        let written = serde_json::to_value(&parsed).unwrap();
        let errors: Vec<String> = validator.iter_errors(&written).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        seen += 1;
    }
    assert!(seen >= PAIRS.len());
    for wrong in [
        json!({"kontor_mapping": 2, "object": "account", "fields": {}}),
        json!({"kontor_mapping": 1, "object": "account", "fields": {}, "colour": 1}),
        json!({"kontor_mapping": 1, "object": "account", "fields": {"name": {"colum": "x"}}}),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
        assert_eq!(Mapping::parse(&wrong.to_string()).unwrap_err().code, Code::ImportMapping, "{wrong}");
    }
}

#[test]
fn the_pipeline_of_8800_opportunities() {
    let Some(run) = run_file("crm-sales-pipeline.json") else { return };
    assert_eq!((run.rows.len(), run.rejected.len(), run.tally.drafts), (8_800, 0, 8_800));
    assert_eq!(run.warnings, Vec::<String>::new());
    let reference = |row: &DraftRow, field: &str| {
        row.main.references.iter().find(|reference| reference.field == field).map(|reference| reference.text.clone())
    };
    let without = |field: &str| run.rows.iter().filter(|row| reference(row, field).is_none()).count();
    assert_eq!((without("account"), without("product"), without("owner")), (1_425, 0, 0));
    let absent = |field: &str| run.rows.iter().filter(|row| !row.main.fields.contains_key(field)).count();
    assert_eq!((absent("engaged_on"), absent("closed_at"), absent("amount"), absent("name")), (500, 2_089, 2_089, 0));
    assert_eq!(run.rows.iter().filter(|row| reference(row, "product").unwrap() == "GTX Pro").count(), 1_480);
    assert!(run.rows.iter().all(|row| reference(row, "product").unwrap() != "GTXPro"));
    let mut stages: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &run.rows {
        *stages.entry(row.main.fields["stage"].as_str().unwrap()).or_default() += 1;
    }
    let expected = [("engaging", 1_589), ("lost", 2_473), ("prospecting", 500), ("won", 4_238)];
    assert_eq!(stages.into_iter().collect::<Vec<_>>(), expected);
    let second = &run.rows[1];
    assert_eq!(second.line, 3);
    assert_eq!(second.main.external_id, Some(("crm-sales".to_owned(), "Z063OYW0".to_owned())));
    assert_eq!(second.main.fields["name"], "Isdom – GTX Pro");
    assert_eq!(second.main.fields["closed_at"], "2017-03-11");
    assert_eq!(second.main.fields["amount"], json!({"amount": "4514.00", "currency": "USD"}));
}

#[test]
fn accounts_products_and_teams() {
    let Some(accounts) = run_file("crm-sales-accounts.json") else { return };
    assert_eq!((accounts.rows.len(), accounts.rejected.len(), accounts.warnings.len()), (85, 0, 0));
    let acme = &accounts.rows[0].main;
    assert_eq!(acme.fields["industry"], "technology");
    assert_eq!(acme.fields["annual_revenue"], json!({"amount": "1100040000.00", "currency": "USD"}));
    assert_eq!((&acme.fields["founded_year"], &acme.fields["employees"]), (&json!(1996), &json!(2822)));
    let country = |row: &&DraftRow| row.main.fields["billing_address"]["country"] == "Philippines";
    assert_eq!(accounts.rows.iter().filter(country).count(), 1);
    assert_eq!(accounts.rows.iter().filter(|row| !row.main.references.is_empty()).count(), 15);

    let products = run_file("crm-sales-products.json").unwrap();
    assert_eq!((products.rows.len(), products.rejected.len(), products.warnings.len()), (7, 0, 0));

    let teams = run_file("crm-sales-teams.json").unwrap();
    assert_eq!((teams.rows.len(), teams.rejected.len(), teams.warnings.len()), (35, 0, 0));
    let first = &teams.rows[0];
    assert_eq!(first.main.fields["username"], "anna.snelling");
    assert_eq!(first.main.references[0].text, "dustin.brinkmann");
    assert_eq!(first.main.references[0].by, ReferenceBy::Field("username".to_owned()));
    assert_eq!((first.main.links[0].relation.as_str(), first.main.links[0].text.as_str()), ("teams", "Central"));
    assert_eq!(first.related.iter().map(|record| record.object.as_str()).collect::<Vec<_>>(), ["team", "user"]);
    let logins: std::collections::BTreeSet<_> =
        teams.rows.iter().map(|row| row.main.fields["username"].to_string()).collect();
    assert_eq!(logins.len(), 35);
}

#[test]
fn chinese_company_lists() {
    let Some(gbk) = run_file("chinese-stock-basics-gbk.json") else { return };
    assert_eq!((gbk.rows.len(), gbk.rejected.len(), gbk.warnings.len()), (3_172, 0, 0));
    assert_eq!(gbk.rows[0].main.fields["name"], "N绝味");
    assert!(gbk.rows.iter().any(|row| row.main.external_id.as_ref().unwrap().1.starts_with("000")));
    let utf8 = run_file("chinese-stock-basic-utf8.json").unwrap();
    assert_eq!((utf8.rows.len(), utf8.rejected.len(), utf8.warnings.len()), (5_524, 0, 0));
    assert_eq!(utf8.rows[1].main.fields["name"], "万科A");
    let tpex = run_file("chinese-tpex.json").unwrap();
    assert_eq!((tpex.rows.len(), tpex.warnings.len()), (828, 0), "{:?}", tpex.rejected);
    assert_eq!(tpex.rows[0].main.fields["tax_no"], "18795706");
    assert_eq!(tpex.rows[0].main.fields["phone"], "+886223671162");
    assert_eq!(tpex.rows[0].main.fields["billing_address"]["street"], "台北市和平西路一段三十號二樓");
}

#[test]
fn wrong_rows_are_rejected_with_all_reasons_and_none_of_their_values() {
    let text = "Firma;Umsatz;Gegründet;Stufe;Rest\nA;1.234,50;31.12.2000;A;\nB;1,5,0;2000-99-99;Geheim;\nC;5;1.1.2001\n;5;1.2.2001;b;\n\nD;5;1.1.2001;A;x;y\nE\u{0};1;1.1.2001;A;\n;;;;\n";
    let (source, mapping) = inline(
        text,
        json!({
            "kontor_mapping": 1, "object": "account", "match": ["name"],
            "defaults": {"decimal": ",", "thousands": ".", "currency": "EUR"},
            "fields": {
                "name": {"column": "firma", "when_empty": "reject"},
                "annual_revenue": {"column": "Umsatz"},
                "kyc_reviewed_on": {"column": "#3", "format": "%d.%m.%Y"},
                "level": {"column": "Stufe"}
            }
        }),
    );
    let run = run(&source, &mapping);
    assert_eq!(run.rows.len(), 1);
    assert_eq!(run.rows[0].main.fields["annual_revenue"]["amount"], "1234.50");
    assert_eq!(run.rows[0].main.fields["kyc_reviewed_on"], "2000-12-31");
    let found: Vec<(u64, Code)> = run.rejected.iter().map(|row| (row.line, row.code)).collect();
    let expected = [
        (3, Code::ValueFormat),
        (4, Code::ImportRow),
        (5, Code::FieldRequired),
        (7, Code::ImportRow),
        (8, Code::ImportRow),
    ];
    assert_eq!(found, expected, "{:#?}", run.rejected);
    let reason = &run.rejected[0].reason;
    for part in ["annual_revenue", "Umsatz", "kyc_reviewed_on", "%d.%m.%Y", "level"] {
        assert!(reason.contains(part), "{reason}");
    }
    assert!(!reason.contains("Geheim") && !reason.contains("99"), "{reason}");
    assert_eq!((run.tally.rejected, run.tally.empty), (5, 2));
    assert_eq!(run.tally.left_out, [("\"Rest\"".to_owned(), 0)]);
    assert!(!format!("{:?}", run.rejected[0]).contains("Geheim"));
}

#[test]
fn a_mapping_that_does_not_fit_tells_every_error_at_once() {
    let (source, mapping) = inline(
        "name,when\nA,3/4/2020\n",
        json!({
            "kontor_mapping": 1, "object": "account",
            "external_id": {"system": "s", "column": "id"},
            "fields": {
                "name": {"column": "nom"},
                "colour": {"column": "name"},
                "level": {"column": "name", "scale": 2},
                "kyc_next_on": {"column": "when"},
                "phone": {"column": "name", "transform": ["phone:XX"]},
                "website": {"column": "name", "constant": "x"},
                "parent": {"column": "name", "reference": {"by": "external_id"}},
                "annual_revenue": {"column": "name", "currency": "QQQ"},
                "name.city": {"column": "name"}
            },
            "links": [{"relation": "friends", "column": "name", "reference": {"by": "name"}}]
        }),
    );
    let fault = plan(&mapping, &common::targets(), &source).err().unwrap();
    assert_eq!(fault.code, Code::ImportMapping);
    let mut pointers: Vec<&str> = fault.items.iter().map(|item| item.pointer.as_str()).collect();
    pointers.sort_unstable();
    let expected = [
        "/external_id",
        "/fields/annual_revenue/currency",
        "/fields/colour",
        "/fields/kyc_next_on",
        "/fields/level/scale",
        "/fields/name.city",
        "/fields/name/column",
        "/fields/parent/reference",
        "/fields/phone/transform",
        "/fields/website",
        "/links/0/relation",
    ];
    assert_eq!(pointers, expected);
}

#[test]
fn no_header_is_an_error_until_the_user_says_so() {
    let text = "1101,臺灣水泥,1962/02/09\n1102,亞洲水泥,1962/06/08\n";
    let fields = json!({"name": {"column": "#2"}, "kyc_reviewed_on": {"column": "#3"}});
    let (source, mapping) =
        inline(text, json!({"kontor_mapping": 1, "object": "account", "match": ["name"], "fields": fields}));
    let fault = plan(&mapping, &common::targets(), &source).err().unwrap();
    assert!(fault.detail.contains("#1"), "{fault}");
    let (source, mapping) = inline(
        text,
        json!({"kontor_mapping": 1, "object": "account", "header": false, "match": ["name"], "fields": fields}),
    );
    let run = run(&source, &mapping);
    assert_eq!(run.rows.len(), 2);
    assert_eq!(run.rows[1].main.fields["kyc_reviewed_on"], "1962-06-08");
    assert_eq!(run.tally.left_out, [("\"#1\"".to_owned(), 2)]);
    assert!(run.warnings[0].contains("#1"), "{:?}", run.warnings);
}

#[test]
fn rejected_rows_go_back_in_once_they_are_mended() {
    let folder = tempfile::tempdir().unwrap();
    for header in [true, false] {
        let head = if header { "name;size\n" } else { "" };
        let text = format!("{head}\"=1+1; x\";10\nB;many\nC;3;4\nD\n");
        let columns = if header { ("name", "size") } else { ("#1", "#2") };
        let (source, mapping) = inline(
            &text,
            json!({
                "kontor_mapping": 1, "object": "account", "header": header, "delimiter": ";", "encoding": "gb18030", "match": ["name"],
                "fields": {"name": {"column": columns.0}, "employees": {"column": columns.1}}
            }),
        );
        let first = run(&source, &mapping);
        assert_eq!((first.rows.len(), first.rejected.len()), (1, 3));
        let path = folder.path().join(format!("rejects-{header}.csv"));
        let mut writer = RejectWriter::create(&path, source.columns(), source.dialect().delimiter).unwrap();
        for row in &first.rejected {
            writer.write(row).unwrap();
        }
        assert!(!path.exists());
        assert_eq!(writer.finish().unwrap(), Some(path.clone()));
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.starts_with("\u{feff}".as_bytes()));
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
        // Unmended rows are refused again; a mended one goes in, and our own columns raise no warning.
        let mended = String::from_utf8(bytes).unwrap().replace("many", "20");
        fs::write(&path, mended).unwrap();
        let second = run(&common::open(path, &mapping), &mapping);
        assert_eq!((second.rows.len(), second.rejected.len()), (1, 2), "{:?}", second.rejected);
        assert_eq!(second.rows[0].main.fields["employees"], 20);
        assert_eq!(second.warnings, Vec::<String>::new());
    }
    let empty = folder.path().join("none.csv");
    assert_eq!(RejectWriter::create(&empty, &["a".to_owned()], b',').unwrap().finish().unwrap(), None);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn cells_are_written_back_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.csv");
    let raw = StringRecord::from(vec!["=cmd", "a\"b", "x\ny", "-1", "@me", ""]);
    let columns: Vec<String> = (1..=6).map(|number| format!("c{number}")).collect();
    let mut writer = RejectWriter::create(&path, &columns, b',').unwrap();
    writer
        .write(&RejectedRow { line: 7, code: Code::ImportRow, reason: "Because.".to_owned(), raw: raw.clone() })
        .unwrap();
    writer.finish().unwrap();
    let source = SourceFile::open(Input::Path(path), &OpenOptions::default()).unwrap();
    let back: Vec<&str> = source.sample()[0].cells.iter().collect();
    assert_eq!(back[..6], raw.iter().collect::<Vec<_>>());
    assert_eq!(back[6..], ["7", "import_row", "Because."]);
}

/// Headers of other systems: file, object, and fields that must be found.
const HEADERS: &[(&str, &str, &[&str])] = &[
    (
        "chinese/tpex_companies_utf8.csv",
        "account",
        &["name", "short_name", "industry", "tax_no", "fax", "email", "website"],
    ),
    (
        "hubspot/hubspot_companies.csv",
        "account",
        &[
            "name",
            "industry",
            "employees",
            "annual_revenue",
            "phone",
            "website",
            "owner",
            "billing_address.city",
            "billing_address.postcode",
            "billing_address.country",
        ],
    ),
    ("hubspot/hubspot_contacts.csv", "contact", &["first_name", "last_name", "email", "phone", "mobile", "owner"]),
    (
        "salesforce/accountData.csv",
        "account",
        &[
            "name",
            "phone",
            "billing_address.street",
            "billing_address.city",
            "shipping_address.country",
            "annual_revenue",
        ],
    ),
    ("contacts/us-500.csv", "contact", &["first_name", "last_name", "email", "phone"]),
    ("contacts/roundcube-csv2vcard/gmail.csv", "contact", &["first_name", "last_name", "email", "phone", "birth_date"]),
    (
        "contacts/roundcube-csv2vcard/tb_plain.csv",
        "contact",
        &["first_name", "last_name", "email", "mobile", "home_phone"],
    ),
    ("contacts/roundcube-csv2vcard/outlook.csv", "contact", &["email", "email2"]),
    (
        "crm-sales/accounts.csv",
        "account",
        &["name", "industry", "founded_year", "annual_revenue", "employees", "parent"],
    ),
];

#[test]
fn headers_of_other_systems_are_mapped_with_reasons() {
    let Some(data) = common::data() else { return };
    let targets = common::targets();
    let target = |name: &str| targets.iter().find(|target| target.name == name).unwrap();
    for (file, object, expected) in HEADERS {
        let source = SourceFile::open(Input::Path(data.join(file)), &OpenOptions::default()).unwrap();
        let proposal = propose(&source, target(object), Some("test")).unwrap();
        for field in *expected {
            assert!(
                proposal.mapping.fields.contains_key(*field),
                "{file}: {field} in {:#?}",
                proposal.mapping.fields.keys()
            );
        }
        let applied: Vec<_> = proposal.decisions.iter().filter(|decision| decision.applied).collect();
        let mut fields: Vec<_> = applied.iter().map(|decision| &decision.field).collect();
        fields.sort();
        fields.dedup();
        assert_eq!(fields.len(), applied.len(), "{file}: two columns for one field");
        assert!(applied.iter().all(|decision| decision.reason != ProposalReason::Similar), "{file}");
    }
}

#[test]
fn chinese_headers_are_mapped_and_the_report_serialises() {
    let text = "客户编号,公司全称,统一社会信用代码,所属行业,联系电话,省份,城市,详细地址,邮编,奇怪的列\n1,华为,91440300192203821X,科技,0755-28780808,广东,深圳,坂田,518129,x\n";
    let source = SourceFile::open(Input::Bytes(text.as_bytes().into()), &OpenOptions::default()).unwrap();
    let targets = common::targets();
    let account = targets.iter().find(|target| target.name == "account").unwrap();
    let mut proposal = propose(&source, account, Some("erp")).unwrap();
    let mapped: Vec<&str> = proposal.mapping.fields.keys().map(String::as_str).collect();
    let expected = [
        "billing_address",
        "billing_address.city",
        "billing_address.postcode",
        "billing_address.province",
        "credit_code",
        "industry",
        "name",
        "phone",
    ];
    assert_eq!(mapped, expected, "{:#?}", proposal.decisions);
    assert_eq!(proposal.mapping.external_id.as_ref().unwrap().column.as_deref(), Some("客户编号"));
    proposal.mapping.on_existing = transfer::OnExisting::Skip;
    let plan = plan(&proposal.mapping, &targets, &source).unwrap();
    let report = DetectionReport::new(&source, Some(&plan), Some(&proposal));
    assert!(report.warnings.iter().any(|warning| warning.contains("奇怪的列")), "{:?}", report.warnings);
    let wire = serde_json::to_value(&report).unwrap();
    assert_eq!(wire["columns"][1]["fields"][0], "account.name");
    assert_eq!(wire["columns"][9]["left_out"], true);
    assert!(!wire.to_string().contains("91440300192203821X"));
}

#[test]
fn an_open_quote_stops_the_run_after_the_rows_before_it() {
    let (source, mapping) = inline(
        "name,size\nA,1\n\"B,2\nC,3\n",
        json!({"kontor_mapping": 1, "object": "account", "match": ["name"], "fields": {"name": {"column": "name"}, "employees": {"column": "size"}}}),
    );
    let plan = plan(&mapping, &common::targets(), &source).unwrap();
    let mut reader = RowReader::new(&source, plan).unwrap();
    assert!(matches!(reader.next(), Some(Ok(row)) if row.line == 2));
    let Some(Err(RowError::Stopped(fault))) = reader.next() else { panic!("the open quote was not seen") };
    assert!(fault.detail.contains("line 3 "), "{fault}");
    assert!(reader.next().is_none());
}
