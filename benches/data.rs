//! Generated customers: the same for the same number, half Chinese and half Western names, no real person.
//! It writes CSV files and the mappings to import them by; it never talks to an appliance.

use crate::Outcome;
use serde_json::{Value as Json, json};
use std::fs::File;
use std::io::BufWriter;
use std::ops::Range;
use std::path::Path;

/// Users that own the records, twenty teams of ten.
pub(crate) const OWNERS: u64 = 200;
/// Members of one team.
pub(crate) const TEAM_MEMBERS: u64 = 10;
/// The system that external ids of accounts belong to.
const SYSTEM: &str = "bench";

const SURNAMES: [&str; 32] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭", "何", "林", "高",
    "罗", "郑", "梁", "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹", "彭", "曾",
];
const GIVEN: [&str; 40] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀", "霞",
    "平", "刚", "桂", "英", "华", "建", "国", "文", "志", "海", "云", "雪", "梅", "晨", "宇", "博", "思", "佳", "欣",
    "怡", "然",
];
const FIRST: [&str; 40] = [
    "Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Klara", "Leon", "Mia", "Noah",
    "Olga", "Paul", "Rosa", "Simon", "Tessa", "Ulf", "Vera", "Walter", "Yvonne", "Zoe", "Alice", "Brian", "Carol",
    "Derek", "Elena", "Frank", "Gina", "Harry", "Irene", "Jack", "Karen", "Lukas", "Martha", "Nina", "Oscar", "Petra",
];
const LAST: [&str; 40] = [
    "Becker", "Schmidt", "Weber", "Wagner", "Koch", "Bauer", "Richter", "Klein", "Wolf", "Neumann", "Braun", "Hofmann",
    "Lange", "Krause", "Lehmann", "Maier", "Smith", "Jones", "Taylor", "Brown", "Wilson", "Evans", "Walker", "Wright",
    "Green", "Hall", "Wood", "Turner", "Hill", "Cooper", "Ward", "Morris", "Moore", "Clark", "Lee", "King", "Baker",
    "Young", "Allen", "Scott",
];
const TITLES: [&str; 8] =
    ["Buyer", "Head of purchasing", "Engineer", "Managing director", "采购经理", "总经理", "财务主管", "Accountant"];
const DEPARTMENTS: [&str; 6] = ["Purchasing", "Finance", "Operations", "采购部", "财务部", "IT"];
const SOURCES: [&str; 6] = ["website", "referral", "partner", "event", "exhibition", "cold_call"];

/// What the state of the generator moves by.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A small generator of numbers (splitmix64); good enough to spread accesses.
#[derive(Clone)]
pub(crate) struct Numbers(u64);

impl Numbers {
    /// Neighbouring seeds give unrelated numbers: the seed is mixed before it counts.
    pub(crate) fn new(seed: u64) -> Self {
        Self(mixed(seed.wrapping_add(STEP)))
    }
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.next() % end }
    }
    pub(crate) fn pick<'t, T>(&mut self, list: &'t [T]) -> Option<&'t T> {
        let at = self.below(u64::try_from(list.len()).unwrap_or(0));
        list.get(usize::try_from(at).unwrap_or(0))
    }
    fn word(&mut self, list: &[&'static str]) -> &'static str {
        self.pick(list).copied().unwrap_or_default()
    }
}

/// A name: last, first, and both as people write them.
pub(crate) struct Name {
    pub(crate) last: String,
    pub(crate) first: String,
    pub(crate) full: String,
    pub(crate) chinese: bool,
}

pub(crate) fn name(numbers: &mut Numbers) -> Name {
    if numbers.below(2) == 0 {
        let last = numbers.word(&SURNAMES).to_owned();
        let mut first = numbers.word(&GIVEN).to_owned();
        if numbers.below(3) > 0 {
            first.push_str(numbers.word(&GIVEN));
        }
        return Name { full: format!("{last}{first}"), last, first, chinese: true };
    }
    let (first, last) = (numbers.word(&FIRST).to_owned(), numbers.word(&LAST).to_owned());
    Name { full: format!("{first} {last}"), last, first, chinese: false }
}

/// Two characters as somebody types them who looks for a person.
pub(crate) fn two_characters(numbers: &mut Numbers) -> String {
    format!("{}{}", numbers.word(&SURNAMES), numbers.word(&GIVEN))
}

pub(crate) fn department(numbers: &mut Numbers) -> &'static str {
    numbers.word(&DEPARTMENTS)
}
pub(crate) fn title(numbers: &mut Numbers) -> &'static str {
    numbers.word(&TITLES)
}

fn login(owner: u64) -> String {
    format!("owner.{owner:03}")
}

fn file(path: &Path, header: &[&str]) -> Outcome<csv::Writer<BufWriter<File>>> {
    let mut writer = csv::Writer::from_writer(BufWriter::new(File::create(path)?));
    writer.write_record(header)?;
    Ok(writer)
}

/// The owners, each in a team, and the manager in the first of them.
pub(crate) fn users(path: &Path, manager: &str) -> Outcome<()> {
    let mut writer = file(path, &["login", "name", "team"])?;
    for owner in 0..OWNERS {
        writer.write_record([login(owner), format!("Owner {owner}"), format!("Team {:02}", owner / TEAM_MEMBERS)])?;
    }
    writer.write_record([manager, "Bench manager", "Team 00"])?;
    Ok(writer.flush()?)
}

pub(crate) fn users_mapping() -> Json {
    json!({
        "kontor_mapping": 1, "object": "user", "match": ["username"],
        "fields": {"username": {"column": "login"}, "display_name": {"column": "name"}},
        "links": [{"relation": "teams", "role": "member", "column": "team", "reference": {"by": "name"}}],
        "related": [{"object": "team", "match": ["name"], "fields": {"name": {"column": "team"}}}],
    })
}

pub(crate) fn accounts(path: &Path, count: u64) -> Outcome<()> {
    let mut writer = file(path, &["id", "name", "owner"])?;
    for number in 0..count {
        let mut numbers = Numbers::new(number ^ 0xacc0);
        let name = match numbers.below(2) {
            0 => format!("{}{}{}科技有限公司", numbers.word(&GIVEN), numbers.word(&GIVEN), numbers.word(&SURNAMES)),
            _ => format!("{} & {} {number}", numbers.word(&LAST), numbers.word(&LAST)),
        };
        writer.write_record([number.to_string(), name, login(numbers.below(OWNERS))])?;
    }
    Ok(writer.flush()?)
}

pub(crate) fn accounts_mapping() -> Json {
    json!({
        "kontor_mapping": 1, "object": "account", "external_id": {"system": SYSTEM, "column": "id"},
        "fields": {
            "kind": {"constant": "company"}, "name": {"column": "name"},
            "owner": {"column": "owner", "reference": {"by": "username"}},
        },
    })
}

/// Contacts; with `sealed` also mobile, e-mail and identity number.
pub(crate) fn contacts(path: &Path, range: Range<u64>, accounts: u64, sealed: bool) -> Outcome<()> {
    let mut header = vec!["last", "first", "full", "title", "department", "account", "owner", "language", "source"];
    if sealed {
        header.extend(["mobile", "email", "id_no"]);
    }
    let mut writer = file(path, &header)?;
    for number in range {
        let mut numbers = Numbers::new(number);
        let name = name(&mut numbers);
        let mut row = vec![
            name.last,
            name.first,
            name.full,
            title(&mut numbers).to_owned(),
            department(&mut numbers).to_owned(),
            numbers.below(accounts).to_string(),
            login(numbers.below(OWNERS)),
            if name.chinese { "zh" } else { "en" }.to_owned(),
            numbers.word(&SOURCES).to_owned(),
        ];
        if sealed {
            row.extend([mobile(number), email(number), format!("{:018}", 110_101_199_001_010_000 + number)]);
        }
        writer.write_record(row)?;
    }
    Ok(writer.flush()?)
}

pub(crate) fn mobile(number: u64) -> String {
    format!("+86138{:08}", number % 100_000_000)
}
pub(crate) fn email(number: u64) -> String {
    format!("person{number}@mail{}.example", number % 50)
}

pub(crate) fn contacts_mapping(sealed: bool) -> Json {
    let mut fields = json!({
        "last_name": {"column": "last"}, "first_name": {"column": "first"}, "full_name": {"column": "full"},
        "title": {"column": "title"}, "department": {"column": "department"},
        "account": {"column": "account", "reference": {"by": "external_id", "system": SYSTEM}},
        "owner": {"column": "owner", "reference": {"by": "username"}},
        "language": {"column": "language"}, "source": {"column": "source"},
    });
    if let Some(fields) = fields.as_object_mut().filter(|_| sealed) {
        for name in ["mobile", "email", "id_no"] {
            fields.insert(name.to_owned(), json!({"column": name}));
        }
    }
    json!({"kontor_mapping": 1, "object": "contact", "fields": fields})
}
