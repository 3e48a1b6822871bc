//! Keyset pages: joined they are the full order, whatever ties and missing values there are, and whatever is put in
//! between two of them.

use kernel::Code;
use serde_json::{Value as Json, json};
use std::collections::HashSet;
use testkit::{TestAppliance, on_both_engines};

/// A small generator with a fixed seed: the same rows in each run.
struct Dice(u64);
impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A row as the test knows it: id text, then the sort values as ordered texts (`None` is first).
#[derive(Clone, Debug)]
struct Known {
    id: String,
    keys: [Option<String>; 4],
}
const FIELDS: [&str; 4] = ["name", "severity", "received_on", "resolved_first_contact"];

fn fill(kontor: &TestAppliance, dice: &mut Dice, count: usize) -> Vec<Known> {
    let names = ["王伟", "李娜", "Öl", "ol", "apple", "Zebra"];
    kontor.define(json!([{"change": "create_object", "definition": {"name": "x_page", "label": {"en": "P", "zh": "P"}, "plural": {"en": "P", "zh": "P"},
        "title_field": "name", "fields": [
            {"name": "name", "label": {"en": "n", "zh": "n"}, "type": "text", "sensitivity": "S1", "indexed": true, "required": true},
            {"name": "severity", "label": {"en": "s", "zh": "s"}, "type": "integer", "sensitivity": "S1", "indexed": true},
            {"name": "received_on", "label": {"en": "r", "zh": "r"}, "type": "date", "sensitivity": "S1"},
            {"name": "resolved_first_contact", "label": {"en": "f", "zh": "f"}, "type": "bool", "sensitivity": "S1"}]}}])).unwrap();
    (0..count).map(|_| row(kontor, dice, &names)).collect()
}

fn row(kontor: &TestAppliance, dice: &mut Dice, names: &[&str]) -> Known {
    let name = names[dice.roll(names.len() as u64) as usize];
    let severity = Some(dice.roll(4)).filter(|number| *number > 0);
    let day = Some(dice.roll(4)).filter(|number| *number > 0).map(|number| format!("2026-03-0{number}"));
    let flag = [None, Some(false), Some(true)][dice.roll(3) as usize];
    let id = kontor.make(
        "x_page",
        json!({"name": name, "severity": severity, "received_on": day, "resolved_first_contact": flag}),
    );
    Known {
        id: id.to_string(),
        keys: [
            Some(metadata::sort_key(name)),
            severity.map(|number| number.to_string()),
            day,
            flag.map(|flag| flag.to_string()),
        ],
    }
}

/// The order that a list by these keys promises, computed here.
fn sorted(rows: &[Known], sort: &[(usize, bool)]) -> Vec<String> {
    let mut rows = rows.to_vec();
    let tie_down = sort.last().is_none_or(|(_, down)| *down);
    rows.sort_by(|one, two| {
        for (key, down) in sort {
            let order = one.keys[*key].cmp(&two.keys[*key]);
            let order = if *down { order.reverse() } else { order };
            if order.is_ne() {
                return order;
            }
        }
        if tie_down { two.id.cmp(&one.id) } else { one.id.cmp(&two.id) }
    });
    rows.into_iter().map(|row| row.id).collect()
}

/// Walks all pages; `between` runs after each.
fn walk(kontor: &TestAppliance, sort: &[(usize, bool)], limit: usize, mut between: impl FnMut()) -> Vec<String> {
    let sort: Vec<String> =
        sort.iter().map(|(key, down)| format!("{}{}", if *down { "-" } else { "" }, FIELDS[*key])).collect();
    let operator = kontor.operator();
    let mut cursor = Json::Null;
    let mut found = Vec::new();
    loop {
        let page = kontor
            .list(&operator, "x_page", json!({"sort": sort, "limit": limit, "cursor": cursor, "fields": ["name"]}))
            .unwrap_or_else(|fault| panic!("{sort:?}: {fault} {:?}", fault.cause()));
        assert!(page.items.len() <= limit && (page.next.is_none() || page.items.len() == limit));
        found.extend(page.items.iter().map(|item| item.id.to_string()));
        assert!(found.len() < 1_000, "{sort:?}: the pages go round in circles");
        between();
        match page.next {
            Some(next) => cursor = json!(next),
            None => return found,
        }
    }
}

#[test]
fn pages_joined_are_the_full_order() {
    on_both_engines(|kontor| {
        let mut dice = Dice(42);
        let rows = fill(kontor, &mut dice, 90);
        let mut orders: Vec<Vec<(usize, bool)>> = vec![vec![]];
        for one in 0..4 {
            for down in [false, true] {
                orders.push(vec![(one, down)]);
                let two = (one + 1 + dice.roll(3) as usize) % 4;
                orders.push(vec![(one, down), (two, !down)]);
                orders.push(vec![(one, down), (two, down)]);
                orders.push(vec![
                    (one, !down),
                    (two, down),
                    ((0..4).find(|key| *key != one && *key != two).unwrap(), !down),
                ]);
            }
        }
        for sort in orders {
            let expected = sorted(&rows, &sort);
            for limit in [1 + dice.roll(8) as usize, 30, 90] {
                assert_eq!(walk(kontor, &sort, limit, || ()), expected, "sort {sort:?}, {limit} a page");
            }
        }
    });
}

#[test]
fn rows_put_in_between_neither_hide_nor_repeat_others() {
    on_both_engines(|kontor| {
        let mut dice = Dice(7);
        let rows = fill(kontor, &mut dice, 40);
        for sort in [vec![(1, true), (0, false)], vec![(0, false), (3, true)], vec![(2, true), (1, true)]] {
            let mut more = Vec::new();
            let found = walk(kontor, &sort, 7, || more.push(row(kontor, &mut dice, &["Öl", "王伟", "a"])));
            let unique: HashSet<&String> = found.iter().collect();
            assert_eq!(unique.len(), found.len(), "no row twice");
            let old: Vec<&String> = found.iter().filter(|id| rows.iter().any(|row| row.id == **id)).collect();
            assert_eq!(old, sorted(&rows, &sort).iter().collect::<Vec<_>>(), "no row missed");
            for extra in more {
                kontor.sql(&format!(
                    "UPDATE x_page SET deleted_at = 1 WHERE id = {}",
                    kontor.sql_bytes(extra.id.parse::<kernel::RecordId>().unwrap().as_bytes())
                ));
            }
        }
    });
}

#[test]
fn a_cursor_of_another_list_or_of_nobody_is_refused() {
    on_both_engines(|kontor| {
        fill(kontor, &mut Dice(1), 12);
        let operator = kontor.operator();
        let next =
            |sort: &[&str]| json!(kontor.list(&operator, "x_page", json!({"sort": sort, "limit": 2})).unwrap().next);
        let by_name = next(&["name"]);
        let by_day = next(&["received_on", "severity", "name"]);
        for (sort, cursor) in [
            (vec!["severity"], by_name.clone()),
            (vec![], by_name.clone()),
            (vec!["name", "severity"], by_name.clone()),
            (vec!["resolved_first_contact"], by_name),
            (vec!["name"], json!("")),
            (vec!["name"], json!("not base64!")),
            (vec!["name"], json!("AAAA")),
            (vec!["name"], json!("gUA")),
            (vec!["name"], by_day.clone()),
            (vec!["severity", "severity", "severity"], by_day),
        ] {
            let fault = kontor.list(&operator, "x_page", json!({"sort": sort, "cursor": cursor})).err();
            assert_eq!(fault.map(|fault| fault.code), Some(Code::CursorInvalid), "{sort:?} {cursor}");
        }
    });
}
