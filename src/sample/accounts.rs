//! Customers: firms, institutions and a few persons, half of them Chinese. Makes no contacts.

use crate::{
    credit_code::credit_code,
    fields::{Fields, fill},
    firms::{self, Europe, Place},
    names::{Human, Tongue, latin},
    sales_words,
    world::{Account, Moment, World},
};
use serde_json::Value;

/// Customers from before the year that the charts show.
const ESTABLISHED: u64 = 60;
/// New customers of the year.
const NEW: u64 = 230;

/// How a customer is called.
#[derive(Default)]
struct Identity {
    name: String,
    legal_name: Option<String>,
    english_name: Option<String>,
    short: String,
    slug: String,
    industry: &'static str,
    /// Registrar and category of the credit code; empty outside China and for persons.
    registrar: &'static str,
}

/// Adds the accounts, oldest first.
pub(crate) fn add(world: &mut World) {
    let mut days: Vec<u32> = (0..ESTABLISHED).map(|slot| 725 - (slot * 6) as u32).collect();
    days.extend(world.calendar.days(&mut world.random, NEW));
    for (index, day) in days.into_iter().enumerate() {
        add_account(world, index, day);
    }
}

fn add_account(world: &mut World, index: usize, day: u32) {
    let zh = index.is_multiple_of(2);
    let kind = world.random.weighted(&[("company", 84), ("institution", 9), ("person", 7)]);
    let europe =
        world.random.weighted(&[(Some(Europe::German), 55), (Some(Europe::British), 28), (Some(Europe::Other), 17)]);
    let europe = europe.unwrap_or(Europe::German);
    let place =
        if zh { firms::chinese_place(&mut world.random) } else { firms::european_place(&mut world.random, europe) };
    let identity = identity(world, index, zh, europe, kind, place);
    let relation = if kind == "person" {
        world.random.weighted(&[("prospect", 40), ("customer", 60)])
    } else {
        world.random.weighted(&[
            ("prospect", 33),
            ("customer", 52),
            ("partner", 6),
            ("supplier", 5),
            ("competitor", 2),
            ("regulator", 2),
        ])
    };
    let account = Account {
        key: format!("account-{:03}", index + 1),
        domain: format!("{}.example", identity.slug),
        short: identity.short.clone(),
        name: identity.name.clone(),
        day,
        zh,
        german: europe == Europe::German,
        country: place.country,
        area: place.area,
        city: place.city,
        owner: world.any_owner(zh, false),
        kind,
        customer: relation == "customer",
        trades: matches!(relation, "prospect" | "customer"),
        contacts: Vec::new(),
    };
    let mut fields = Fields::new();
    fields
        .set("kind", kind)
        .set("name", identity.name)
        .maybe("legal_name", identity.legal_name)
        .maybe("english_name", identity.english_name)
        .set("type", relation)
        .set("source", sales_words::source(&mut world.random));
    world.own(&mut fields, account.owner);
    standing(world, &mut fields, &account);
    reach(world, &mut fields, &account, &identity.slug, place);
    if kind == "person" {
        person_papers(&mut fields, index);
    } else {
        fields.set("industry", identity.industry).set("short_name", account.short.clone());
        firm_papers(world, &mut fields, &account, identity.registrar, place, index);
        parent(world, &mut fields, &account);
    }
    let links = world.tag_links("account", 3);
    world.push("account", &account.key, fields, links, Moment { day, zh, watch: 1 });
    world.accounts.push(account);
}

fn identity(world: &mut World, index: usize, zh: bool, europe: Europe, kind: &str, place: Place) -> Identity {
    if kind == "person" {
        let tongue = match (zh, europe) {
            (true, _) => Tongue::Chinese,
            (false, Europe::German) => Tongue::German,
            (false, _) => Tongue::English,
        };
        let human = Human::new(&mut world.random, tongue);
        let slug = format!("{}-privat{}", human.mail_local.replace('.', "-"), index + 1);
        return Identity { name: human.full(), short: human.full(), slug, ..Identity::default() };
    }
    // A name that is taken is drawn again; there are several times more names than firms.
    loop {
        let candidate = match (zh, kind == "institution") {
            (true, false) => chinese_firm(world, place),
            (true, true) => chinese_institution(world, place),
            (false, institution) => european(world, europe, institution),
        };
        if !world
            .accounts
            .iter()
            .any(|account| account.name == candidate.name || account.domain == format!("{}.example", candidate.slug))
        {
            return candidate;
        }
    }
}

fn chinese_firm(world: &mut World, place: Place) -> Identity {
    let (brand, brand_latin) = world.random.pick(firms::CHINESE_BRANDS);
    let (trade, trade_en, industry) = world.random.pick(firms::CHINESE_TRADES);
    let form = world.random.weighted(&[("有限公司", 80), ("股份有限公司", 14), ("集团有限公司", 6)]);
    let short = format!("{brand}{trade}");
    Identity {
        name: format!("{}{short}", place.city),
        legal_name: Some(format!("{}{short}{form}", place.city)),
        english_name: Some(format!("{} {trade_en} Co., Ltd.", capital(brand_latin))),
        slug: format!("{brand_latin}-{}", latin(trade_en.split(' ').next_back().unwrap_or(trade_en))),
        short,
        industry,
        registrar: "91",
    }
}

fn chinese_institution(world: &mut World, place: Place) -> Identity {
    let (brand, brand_latin) = world.random.pick(firms::CHINESE_BRANDS);
    let (kind, kind_en, industry, registrar) = world.random.pick(firms::CHINESE_INSTITUTIONS);
    Identity {
        name: format!("{}{brand}{kind}", place.city),
        legal_name: None,
        english_name: Some(format!("{} {kind_en}", capital(brand_latin))),
        short: format!("{brand}{kind}"),
        slug: format!("{brand_latin}-org"),
        industry,
        registrar,
    }
}

fn european(world: &mut World, europe: Europe, institution: bool) -> Identity {
    let german = europe == Europe::German;
    let brand = world.random.pick(if german { firms::GERMAN_BRANDS } else { firms::ENGLISH_BRANDS });
    if institution {
        let (before, after, industry) = world.random.pick(firms::EUROPEAN_INSTITUTIONS);
        let name = format!("{before} {brand} {after}").trim().to_owned();
        let slug = format!("{}-{}", slug(brand), latin(&format!("{before}{}", after.split(' ').next().unwrap_or(""))));
        return Identity { short: name.clone(), name, slug, industry, ..Identity::default() };
    }
    let (trade, industry) = world.random.pick(match europe {
        Europe::German => firms::GERMAN_TRADES,
        Europe::British => firms::ENGLISH_TRADES,
        Europe::Other => firms::EUROPEAN_TRADES,
    });
    let first = trade.split(' ').next().unwrap_or(trade);
    Identity {
        name: format!("{brand} {trade}"),
        short: format!("{brand} {first}"),
        slug: format!("{}-{}", slug(brand), latin(first)),
        industry,
        ..Identity::default()
    }
}

fn slug(brand: &str) -> String {
    brand.split([' ', '&']).map(latin).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Value tier, life cycle, due diligence, credit, remark.
fn standing(world: &mut World, fields: &mut Fields, account: &Account) {
    let random = &mut world.random;
    let age = i64::from(account.day);
    fields.set("level", random.weighted(&[("a", 12), ("b", 28), ("c", 40), ("d", 20)]));
    let lifecycle =
        if age < 60 { "new" } else { random.weighted(&[("active", 64), ("silent", 18), ("at_risk", 11), ("lost", 7)]) };
    fields.set("lifecycle", lifecycle).set("risk_level", random.weighted(&[("low", 62), ("mid", 29), ("high", 9)]));
    let remark =
        random.pick(if account.zh { sales_words::ACCOUNT_REMARKS_ZH } else { sales_words::ACCOUNT_REMARKS_EN });
    fields.set("description", fill(remark, &[("city", account.city), ("firm", &account.short)]));
    if !account.customer {
        fields.set("kyc_status", random.weighted(&[("not_started", 75), ("in_progress", 25)]));
        return;
    }
    let reviewed = age - random.between(0, age.min(300));
    let next = reviewed - random.pick(&[365, 365, 730]);
    let status =
        if next > 0 { "expired" } else { random.weighted(&[("approved", 88), ("in_progress", 10), ("rejected", 2)]) };
    fields.set("kyc_status", status);
    if status != "in_progress" {
        fields.set("kyc_reviewed_on", world.calendar.date(reviewed)).set("kyc_next_on", world.calendar.date(next));
        let notes = if account.zh {
            "营业执照、章程与受益所有人资料已核对，未见异常。"
        } else {
            "Register extract, articles and ownership chart checked; nothing unusual."
        };
        fields.set("kyc_notes", notes);
    }
    fields
        .set(
            "credit_rating",
            random.weighted(&[("aa", 8), ("a", 22), ("bbb", 34), ("bb", 20), ("b", 8), ("unrated", 8)]),
        )
        .money("credit_limit", round(random.between(200, 9_000) * 1_000) * if account.zh { 7 } else { 1 }, account.zh);
    let bank = if account.zh { "科格安克银行" } else { "Bankhaus Kogge & Anker" };
    // Check digits 00 and a run of zeros: no bank accepts these numbers.
    let serial = random.below(1_000_000);
    let number = if account.zh { format!("6200000000000{serial:06}") } else { format!("DE00999999990000{serial:06}") };
    fields.set("bank_name", bank).set("bank_account_no", number);
}

/// Telephone, mail, website, addresses.
fn reach(world: &mut World, fields: &mut Fields, account: &Account, slug: &str, place: Place) {
    let person = account.kind == "person";
    let phone =
        if person { world.numbers.mobile(place.country) } else { world.numbers.office(place.country, place.area) };
    let mail = if person { world.mail("post", &account.domain) } else { world.mail("info", &account.domain) };
    fields.maybe("phone", phone).set("email", mail);
    let address = address(world, place);
    if world.random.chance(60) {
        fields.set("billing_address", address.clone());
    }
    fields.set("registered_address", address);
    if !person {
        fields.set("website", format!("https://www.{slug}.example"));
    }
}

fn address(world: &mut World, place: Place) -> Value {
    let random = &mut world.random;
    let street = match place.country {
        "CN" => format!(
            "{}{}号{}室",
            random.pick(firms::CHINESE_STREETS),
            random.between(8, 980),
            random.between(2, 28) * 100 + random.between(1, 12)
        ),
        "DE" => format!("{} {}", random.pick(firms::GERMAN_STREETS), random.between(1, 120)),
        _ => format!("{} {}", random.between(1, 160), random.pick(firms::ENGLISH_STREETS)),
    };
    let mut address = place.region();
    address.maybe("district", Some(place.district).filter(|district| !district.is_empty()));
    address.set("street", street).set("postcode", place.postcode);
    Value::Object(address.into_map())
}

fn person_papers(fields: &mut Fields, index: usize) {
    fields.set("id_type", "passport").set("natural_person_id_no", format!("X00{:06}", 100_000 + index * 37));
}

/// Codes and size of a firm or institution.
fn firm_papers(world: &mut World, fields: &mut Fields, account: &Account, registrar: &str, place: Place, index: usize) {
    if account.zh {
        let code = credit_code(registrar, place.region, 100_000 + index * 17);
        fields.set("credit_code", code.clone()).set("tax_no", code);
    } else {
        // Zeros after the country: no tax office gives out such a number.
        fields.set("tax_no", format!("{}000{:06}", place.country, 100_000 + index * 23));
    }
    let random = &mut world.random;
    let (low, high, range) = random.weighted(&[
        ((3, 9, "from_1_to_9"), 8),
        ((10, 49, "from_10_to_49"), 27),
        ((50, 199, "from_50_to_199"), 31),
        ((200, 499, "from_200_to_499"), 18),
        ((500, 999, "from_500_to_999"), 9),
        ((1_000, 4_999, "from_1000_to_4999"), 6),
        ((5_000, 12_000, "from_5000"), 1),
    ]);
    let employees = random.between(low, high);
    let founded = if account.zh { random.between(1994, 2022) } else { random.between(1871, 2021) };
    let revenue = round(employees * random.between(60, 420) * 1_000) * if account.zh { 5 } else { 1 };
    fields.set("employees", employees).set("employees_range", range).set("founded_year", founded).money(
        "annual_revenue",
        revenue,
        account.zh,
    );
}

/// Some firms belong to an older one of the same country.
fn parent(world: &mut World, fields: &mut Fields, account: &Account) {
    if !world.random.chance(9) {
        return;
    }
    let candidates: Vec<&Account> = world
        .accounts
        .iter()
        .filter(|other| other.zh == account.zh && other.kind == "company" && other.day > account.day)
        .collect();
    let at = world.random.index(candidates.len());
    if let Some(parent) = candidates.get(at) {
        fields.point("parent", &parent.key);
    }
}

/// To two leading digits, as people state figures.
pub(crate) fn round(amount: i64) -> i64 {
    let mut unit = 1;
    while amount / unit >= 100 {
        unit *= 10;
    }
    amount / unit * unit
}
