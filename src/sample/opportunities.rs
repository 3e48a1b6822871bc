//! A year of deals: each begins, takes its weeks, and ends won or lost, so that the funnel of today follows from the
//! dates and not from a drawn stage.

use crate::{
    SampleLink,
    accounts::round,
    fields::{Fields, fill},
    sales_words,
    world::{Account, Moment, Product, Topic, World},
};

/// Deals from the quarter before the year, so that its first months already have some won and lost.
const EARLIER: u32 = 45;
/// Deals of the year.
const DEALS: u64 = 395;

/// How far a deal is.
struct Course {
    stage: &'static str,
    probability: i64,
    forecast: &'static str,
    expected: i64,
    closed: Option<i64>,
}

/// Adds the opportunities, oldest first.
pub(crate) fn add(world: &mut World) {
    let mut days: Vec<u32> = (0..EARLIER).map(|slot| 365 + 2 * (EARLIER - slot)).collect();
    days.extend(world.calendar.days(&mut world.random, DEALS));
    for (number, day) in days.into_iter().enumerate() {
        if let Some((index, account)) = trading_account(world, day, number.is_multiple_of(2)) {
            add_deal(world, number, day, index, &account);
        }
    }
}

/// A customer or prospect of that day, by turns a Chinese and a European one; customers more often.
fn trading_account(world: &mut World, day: u32, zh: bool) -> Option<(usize, Account)> {
    let fitting: Vec<(usize, u64)> = world
        .accounts
        .iter()
        .enumerate()
        .filter(|(_, account)| account.day >= day && account.trades && account.zh == zh)
        .map(|(index, account)| (index, if account.customer { 3 } else { 2 }))
        .collect();
    let index = world.random.weighted(&fitting);
    world.accounts.get(index).cloned().map(|account| (index, account))
}

fn course(world: &mut World, day: u32) -> Course {
    let random = &mut world.random;
    let age = i64::from(day);
    let length = random.between(28, 95) + random.between(0, 60);
    // One deal in eight stands still after its day: those are what a manager looks for.
    let stalled = random.chance(12) && age < 240;
    if age >= length && !stalled {
        let closed = world.calendar.workday(age - length);
        let won = random.chance(44);
        let expected = closed + random.between(-9, 16);
        let (stage, probability, forecast) = if won { ("won", 100, "commit") } else { ("lost", 0, "omitted") };
        return Course { stage, probability, forecast, expected, closed: Some(closed.max(0)) };
    }
    let progress = if stalled { random.between(30, 90) } else { age * 100 / length };
    let (stage, probability, forecast) = match progress {
        ..24 => ("prospecting", 10, "pipeline"),
        24..46 => ("engaging", 20, "pipeline"),
        46..66 => ("qualification", 40, "pipeline"),
        66..84 => ("proposal", 60, "best"),
        _ => ("negotiation", 80, "commit"),
    };
    let expected = if age >= length { random.between(1, 24) } else { age - length };
    Course { stage, probability: probability + random.between(-5, 5), forecast, expected, closed: None }
}

fn add_deal(world: &mut World, number: usize, day: u32, index: usize, account: &Account) {
    let course = course(world, day);
    let key = format!("opportunity-{:03}", number + 1);
    let zh = account.zh;
    let shelf: Vec<(Product, u64)> = world.products.iter().map(|product| (*product, product.demand)).collect();
    let product = world.random.weighted(&shelf);
    let purpose = world.random.pick(if zh { sales_words::PURPOSES_ZH } else { sales_words::PURPOSES_EN });
    let name = if zh {
        format!("{}{}({purpose})", account.short, product.zh)
    } else {
        format!("{}: {}, {purpose}", account.short, product.en)
    };
    // A colleague takes over one deal in ten.
    let owner = if world.random.chance(10) { world.any_owner(zh, false) } else { account.owner };
    let mut fields = Fields::new();
    fields
        .set("name", name.clone())
        .point("account", &account.key)
        .point("product", &product.key())
        .set("stage", course.stage)
        .set("probability", course.probability)
        .set("forecast_category", course.forecast)
        .set("expected_close", world.calendar.date(course.expected))
        .set("engaged_on", world.calendar.date(i64::from(day)))
        .set("source", sales_words::source(&mut world.random))
        .set("type", world.random.weighted(&[("new", 52), ("renewal", 20), ("upsell", 13), ("cross_sell", 15)]));
    world.own(&mut fields, owner);
    amount(world, &mut fields, &course, product, zh);
    let contact = people_of(world, account, day).first().copied();
    let person = contact.and_then(|at| world.contacts.get(at)).cloned();
    if let Some(person) = &person {
        fields.point("primary_contact", &person.key);
    }
    let who = person.as_ref().map_or_else(|| account.short.clone(), |person| person.name.clone());
    progress_words(world, &mut fields, &course, zh, &who, product.name(zh));
    let mut links = world.tag_links("opportunity", 2);
    links.extend(deal_links(world, account, day, &product.key()));
    world.push("opportunity", &key, fields, links, Moment { day, zh, watch: 3 });
    let topic = Topic::about("opportunity", (index, account), contact, person.as_ref());
    world.opportunities.push(Topic { key, name, day, owner, closed: course.closed, ..topic });
}

fn amount(world: &mut World, fields: &mut Fields, course: &Course, product: Product, zh: bool) {
    let random = &mut world.random;
    // Early talks often have no figure yet.
    if course.stage == "prospecting" && random.chance(15) {
        return;
    }
    let (low, high) = random.weighted(&[((18, 90), 38), ((90, 400), 40), ((400, 1_800), 18), ((1_800, 6_000), 4)]);
    let euro = random.between(low, high) * 10 * product.size_percent;
    fields.money("amount", round(if zh { euro * 7 } else { euro }), zh);
}

/// Reason at the end, next step before it.
fn progress_words(world: &mut World, fields: &mut Fields, course: &Course, zh: bool, who: &str, product: &str) {
    let random = &mut world.random;
    if let Some(closed) = course.closed {
        let reasons: &[(&str, u64)] = if course.stage == "won" {
            &[("relationship", 30), ("product", 25), ("service", 20), ("price", 15), ("timing", 10)]
        } else {
            &[("price", 28), ("competitor", 22), ("no_decision", 17), ("no_budget", 14), ("timing", 11), ("product", 8)]
        };
        fields.set("closed_at", world.calendar.date(closed)).set("won_lost_reason", random.weighted(reasons));
    } else {
        let step = random.pick(if zh { sales_words::NEXT_STEPS_ZH } else { sales_words::NEXT_STEPS_EN });
        let due = world.calendar.workday(random.between(-18, 6));
        fields.set("next_step", fill(step, &[("person", who)])).set("next_step_due", world.calendar.date(due));
    }
    if random.chance(70) {
        let text = random.pick(if zh { sales_words::DEAL_REMARKS_ZH } else { sales_words::DEAL_REMARKS_EN });
        fields.set("description", fill(text, &[("person", who), ("product", product)]));
    }
}

/// The contacts of an account that were there on that day.
pub(crate) fn people_of(world: &World, account: &Account, day: u32) -> Vec<usize> {
    let there = |at: &usize| world.contacts.get(*at).is_some_and(|contact| contact.day >= day);
    account.contacts.iter().copied().filter(there).collect()
}

fn deal_links(world: &mut World, account: &Account, day: u32, product: &str) -> Vec<SampleLink> {
    let mut links = vec![SampleLink { relation: "products", target: product.to_owned(), role: None }];
    if world.random.chance(28) {
        let second = world.random.pick(&world.products).key();
        if second != product {
            links.push(SampleLink { relation: "products", target: second, role: None });
        }
    }
    for at in people_of(world, account, day) {
        let role = world.random.weighted(&[("decision_maker", 3), ("influencer", 3), ("user", 2), ("gatekeeper", 1)]);
        if let Some(contact) = world.contacts.get(at) {
            links.push(SampleLink { relation: "contacts", target: contact.key.clone(), role: Some(role) });
        }
    }
    links
}
