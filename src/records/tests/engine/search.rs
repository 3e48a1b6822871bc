//! Search: Chinese and Latin names, pinyin, sealed addresses and numbers, the same on both engines.

use kernel::Code;
use serde_json::{Value as Json, json};
use testkit::{TestAppliance, same_on_both_engines};

const FAMILY: [&str; 12] =
    ["王", "李", "欧阳", "张", "刘", "司马", "Müller", "García", "O'Neil", "Žižek", "Van der Berg", "Smith-Jones"];
const GIVEN: [&str; 12] =
    ["伟", "娜", "小明", "建国", "秀英", "丽", "Jürgen", "José", "Anne-Marie", "Łukasz", "Zoë", "Ａｎｎａ"];

fn hits(kontor: &TestAppliance, q: &str) -> Vec<String> {
    let operator = kontor.operator();
    let mut request = json!({"q": q, "limit": 200, "fields": ["full_name"]});
    let mut names = Vec::new();
    loop {
        let page = kontor
            .list(&operator, "contact", request.clone())
            .unwrap_or_else(|fault| panic!("{q}: {fault} {:?}", fault.cause()));
        names.extend(page.items.iter().map(|item| item.fields["full_name"].as_str().unwrap().to_owned()));
        match page.next {
            Some(next) => request["cursor"] = json!(next),
            None => break,
        }
    }
    names.sort();
    names
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn names_are_found_alike_on_both_engines() {
    same_on_both_engines(|kontor| {
        let mut all = Vec::new();
        for (at, family) in FAMILY.iter().enumerate() {
            for given in GIVEN.iter().skip(at % 3).step_by(3) {
                let chinese =
                    |text: &str| text.chars().any(|character| character > '\u{3000}' && character < '\u{a000}');
                all.push(if chinese(family) && chinese(given) {
                    format!("{family}{given}")
                } else {
                    format!("{given} {family}")
                });
            }
        }
        for name in &all {
            kontor.make("contact", json!({"full_name": name}));
        }
        let mut answers = serde_json::Map::new();
        let words = [
            "王",
            "欧阳",
            "小明",
            "阳小",
            "muller",
            "MÜLLER",
            "jose",
            "garcia",
            "o'neil",
            "neil",
            "zizek",
            "van der",
            "anne-marie",
            "marie",
            "anna",
            "smith",
            "jones",
            "lukasz",
            "wang",
            "ouyang",
            "li na",
            "王 伟",
            "x\" OR 1",
            "a* & b | !c",
            "'; DROP TABLE contact; --",
            "(王",
            "NEAR/2",
            "王:*",
            "\\",
            "100%",
        ];
        for q in words {
            let found = if metadata::query_tokens(q).is_empty() { json!("no token") } else { json!(hits(kontor, q)) };
            answers.insert(q.to_owned(), found);
        }
        for name in &all {
            assert!(hits(kontor, name).contains(name), "{name} is not found by itself");
        }
        for (q, name) in [
            ("王", "王"),
            ("欧阳", "欧阳"),
            ("muller", "Müller"),
            ("garcia", "García"),
            ("wang", "王"),
            ("jose", "José"),
            ("zoe", "Zoë"),
        ] {
            let expected: Vec<&String> = all.iter().filter(|full| full.contains(name)).collect();
            let found = hits(kontor, q);
            assert!(expected.iter().all(|full| found.contains(full)), "{q} misses some of {expected:?}: {found:?}");
        }
        assert!(
            hits(kontor, "欧阳").iter().all(|name| name.contains("欧阳")),
            "two characters mean both, side by side"
        );
        Json::Object(answers)
    });
}

#[test]
fn exact_values_behind_seals_are_found_by_the_global_search() {
    same_on_both_engines(|kontor| {
        let operator = kontor.operator();
        let id = kontor
            .make("contact", json!({"full_name": "Hidden", "mobile": "138 0013 8000", "email": "Zhang@bank.com"}));
        kontor.make("contact", json!({"full_name": "Other", "mobile": "138 0013 8001", "email": "li@bank.com"}));
        let found = |q: &str| kontor.records.search(&operator, q, None).wait().unwrap().into_view().groups;
        for q in ["13800138000", "+86 138 0013 8000", "zhang@BANK.com"] {
            let groups = found(q);
            assert_eq!((groups.len(), groups[0].items.len(), groups[0].items[0].id), (1, 1, id), "{q}");
        }
        assert!(found("bank.com").is_empty() && found("8000").is_empty());
        let refused = |q: &str, objects: Option<Vec<String>>| {
            kontor.records.search(&operator, q, objects).wait().map(|_| ()).unwrap_err().code
        };
        assert_eq!(refused("  ", None), Code::ParameterInvalid);
        assert_eq!(refused("?!", None), Code::ParameterInvalid, "a question without words is no empty answer");
        assert_eq!(refused("x", Some(vec!["x_nothing".to_owned()])), Code::ObjectUnknown);
        assert_eq!(refused(&"x".repeat(201), None), Code::LimitExceeded);
        kontor.change(&operator, "contact", id, json!({"full_name": "Renamed 新名", "mobile": null})).unwrap();
        assert!(found("hidden").is_empty() && found("13800138000").is_empty());
        assert_eq!(found("新名")[0].items[0].id, id);
        json!(found("other").len())
    });
}
