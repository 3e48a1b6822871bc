//! People who asked but are no customers yet. A converted one became an earlier-made contact, account and deal.

use crate::{
    fields::Fields,
    firms::{self, Europe},
    names::{Human, Tongue, latin},
    sales_words,
    world::{Moment, Topic, World},
};
use serde_json::json;

/// Leads of the year.
const LEADS: u64 = 156;

/// Adds the leads, oldest first.
pub(crate) fn add(world: &mut World) {
    let days = world.calendar.days(&mut world.random, LEADS);
    let mut deals_used = 0;
    for (number, day) in days.into_iter().enumerate() {
        let status = status(world, day);
        let deal = (status == "converted").then(|| deal_after(world, day, deals_used)).flatten();
        if let Some(deal) = deal {
            deals_used = deal + 1;
        }
        match deal.and_then(|at| world.opportunities.get(at)).cloned() {
            Some(deal) => add_converted(world, number, day, &deal),
            // Without a deal to point to, it has got no further than being qualified.
            None => add_open(world, number, day, if status == "converted" { "qualified" } else { status }),
        }
    }
}

fn status(world: &mut World, day: u32) -> &'static str {
    let random = &mut world.random;
    match day {
        ..14 => random.weighted(&[("new", 62), ("assigned", 26), ("contacted", 12)]),
        14..45 => {
            random.weighted(&[("new", 12), ("assigned", 24), ("contacted", 34), ("qualified", 22), ("unqualified", 8)])
        }
        _ => random.weighted(&[
            ("assigned", 4),
            ("contacted", 13),
            ("qualified", 14),
            ("converted", 38),
            ("unqualified", 24),
            ("recycled", 7),
        ]),
    }
}

/// The first unused deal that began one to six weeks after the lead, with a contact.
fn deal_after(world: &World, day: u32, from: usize) -> Option<usize> {
    let fits = |deal: &Topic| deal.contact.is_some() && deal.day + 4 < day && deal.day + 45 > day;
    world.opportunities.iter().enumerate().skip(from).find(|(_, deal)| fits(deal)).map(|(at, _)| at)
}

fn add_converted(world: &mut World, number: usize, day: u32, deal: &Topic) {
    let Some(contact) = deal.contact.and_then(|at| world.contacts.get(at)).cloned() else { return };
    let Some(account) = world.accounts.get(deal.account).cloned() else { return };
    let zh = deal.zh;
    let mut fields = Fields::new();
    fields
        .set("full_name", contact.name.clone())
        .set("company_name", account.name.clone())
        .set("email", contact.email.clone())
        .maybe("mobile", contact.mobile.clone())
        .set("status", "converted")
        .set("rating", world.random.weighted(&[("hot", 70), ("warm", 30)]))
        .set("score", world.random.between(68, 98))
        .set("authority", world.random.weighted(&[("decision_maker", 60), ("influencer", 40)]))
        .set("converted_at", world.calendar.past(&mut world.random, i64::from(deal.day), zh, 3).to_string())
        .point("converted_account", &account.key)
        .point("converted_contact", &contact.key)
        .point("converted_opportunity", &deal.key);
    world.own(&mut fields, deal.owner);
    asked_for(world, &mut fields, zh, day);
    answered(world, &mut fields, zh, day, true);
    let (owner, person, firm, phone) = (deal.owner, contact.name, account.short, contact.mobile);
    finish(world, number, fields, Topic { day, zh, owner, person, firm, phone, ..Topic::default() });
}

fn add_open(world: &mut World, number: usize, day: u32, status: &'static str) {
    let zh = world.random.chance(50);
    let europe = if world.random.chance(60) { Europe::German } else { Europe::British };
    let tongue = match (zh, europe) {
        (true, _) => Tongue::Chinese,
        (false, Europe::German) => Tongue::German,
        (false, _) => Tongue::English,
    };
    let human = Human::new(&mut world.random, tongue);
    let place =
        if zh { firms::chinese_place(&mut world.random) } else { firms::european_place(&mut world.random, europe) };
    let (firm, domain) = firm(world, zh, europe, place.city);
    let mobile = world.numbers.mobile(place.country);
    let owner = world.any_owner(zh, false);
    let email = world.mail(&human.mail_local, &domain);
    let mut fields = Fields::new();
    fields
        .set("full_name", human.full())
        .set("company_name", firm.clone())
        .set("email", email)
        .maybe("mobile", mobile.clone())
        .set("job_title", job(world, zh))
        .set("region", place.region().into_map())
        .set("status", status)
        .set("rating", world.random.weighted(&[("hot", 18), ("warm", 47), ("cold", 35)]))
        .set("score", world.random.between(8, 86))
        .set(
            "authority",
            world.random.weighted(&[("decision_maker", 30), ("influencer", 30), ("user", 15), ("unknown", 25)]),
        );
    world.own(&mut fields, owner);
    if status == "unqualified" {
        let reason = world.random.weighted(&[
            ("no_need", 26),
            ("no_budget", 20),
            ("no_response", 24),
            ("competitor", 12),
            ("no_authority", 8),
            ("bad_data", 6),
            ("duplicate", 4),
        ]);
        fields.set("unqualified_reason", reason);
    }
    asked_for(world, &mut fields, zh, day);
    if !matches!(status, "new" | "assigned") {
        answered(world, &mut fields, zh, day, status == "qualified");
    }
    let person = human.full();
    finish(world, number, fields, Topic { day, zh, owner, person, firm, phone: mobile, ..Topic::default() });
}

fn firm(world: &mut World, zh: bool, europe: Europe, city: &str) -> (String, String) {
    let random = &mut world.random;
    if zh {
        let (brand, brand_latin) = random.pick(firms::CHINESE_BRANDS);
        let (trade, _, _) = random.pick(firms::CHINESE_TRADES);
        return (format!("{city}{brand}{trade}有限公司"), format!("{brand_latin}-neu.example"));
    }
    let german = europe == Europe::German;
    let brand = random.pick(if german { firms::GERMAN_BRANDS } else { firms::ENGLISH_BRANDS });
    let (trade, _) = random.pick(if german { firms::GERMAN_TRADES } else { firms::ENGLISH_TRADES });
    (format!("{brand} {trade}"), format!("{}-new.example", latin(brand)))
}

fn job(world: &mut World, zh: bool) -> &'static str {
    world.random.pick(if zh {
        &["总经理", "财务总监", "采购经理", "外贸经理", "创始人", "办公室主任"]
    } else {
        &[
            "Managing Director",
            "Chief Financial Officer",
            "Purchasing Manager",
            "Founder",
            "Export Manager",
            "Controller",
        ]
    })
}

/// Topic, need, budget, source.
fn asked_for(world: &mut World, fields: &mut Fields, zh: bool, day: u32) {
    let random = &mut world.random;
    let (topic, need) = random.pick(if zh { sales_words::LEAD_TOPICS_ZH } else { sales_words::LEAD_TOPICS_EN });
    let source = sales_words::source(random);
    fields.set("topic", topic).set("need", need).set("source", source);
    let detail = match (source, zh) {
        ("exhibition", true) => Some("中欧中小企业展 B12 展位"),
        ("exhibition", false) => Some("Harbour trade fair, stand B12"),
        ("event", true) => Some("汇率风险午餐会"),
        ("event", false) => Some("Breakfast talk on currency risk"),
        ("website", true) => Some("官网咨询表单"),
        ("website", false) => Some("Contact form"),
        _ => None,
    };
    fields.maybe("source_detail", detail);
    if source == "website" {
        fields.set("utm", json!({"medium": "web", "campaign": if zh { "zh-trade" } else { "en-trade" }}));
    }
    if random.chance(45) {
        let budget = random.between(20, 900) * if zh { 7_000 } else { 1_000 };
        fields.money("budget", crate::accounts::round(budget), zh);
    }
    if random.chance(40) {
        let wanted = i64::from(day) - random.between(40, 160);
        fields.set("timeline", world.calendar.date(wanted));
    }
}

/// First response and qualification.
fn answered(world: &mut World, fields: &mut Fields, zh: bool, day: u32, qualified: bool) {
    let day = i64::from(day);
    let first = day - world.random.weighted(&[(0, 55), (1, 30), (2, 10), (3, 5)]);
    fields.set("first_response_at", world.calendar.past(&mut world.random, first, zh, 5).to_string());
    if qualified {
        let marketing = world.calendar.past(&mut world.random, first - 1, zh, 2);
        let sales = world.calendar.past(&mut world.random, first - 3, zh, 3);
        fields.set("mql_at", marketing.to_string()).set("sql_at", sales.to_string());
    }
}

fn finish(world: &mut World, number: usize, fields: Fields, topic: Topic) {
    let key = format!("lead-{:03}", number + 1);
    let links = world.tag_links("lead", 2);
    world.push("lead", &key, fields, links, Moment { day: topic.day, zh: topic.zh, watch: 0 });
    world.leads.push(Topic { object: "lead", key, name: topic.person.clone(), ..topic });
}
