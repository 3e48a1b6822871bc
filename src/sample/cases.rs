//! Service cases: asked, answered, solved, with priorities, satisfaction and a few that hang.

use crate::{
    fields::{Fields, fill},
    opportunities::people_of,
    service_words::{self, Matter},
    world::{Account, Moment, Topic, World},
};

/// Cases of the year.
const CASES: u64 = 164;

/// Adds the cases, oldest first.
pub(crate) fn add(world: &mut World) {
    let days = world.calendar.days(&mut world.random, CASES);
    for (number, day) in days.into_iter().enumerate() {
        let zh = number.is_multiple_of(2);
        let fitting: Vec<usize> = (0..world.accounts.len())
            .filter(|at| world.accounts.get(*at).is_some_and(|one| one.customer && one.zh == zh && one.day >= day))
            .collect();
        let index = world.random.pick(&fitting);
        if let Some(account) = world.accounts.get(index).cloned() {
            add_case(world, number, day, index, &account);
        }
    }
}

fn status(world: &mut World, day: u32) -> &'static str {
    let random = &mut world.random;
    match day {
        ..6 => random.weighted(&[("new", 65), ("open", 25), ("resolved", 10)]),
        6..40 => random.weighted(&[
            ("open", 34),
            ("pending_customer", 16),
            ("pending_internal", 12),
            ("resolved", 28),
            ("closed", 8),
            ("reopened", 2),
        ]),
        40..75 => {
            random.weighted(&[("open", 4), ("pending_customer", 5), ("resolved", 25), ("closed", 62), ("reopened", 4)])
        }
        _ => random.weighted(&[("closed", 97), ("pending_internal", 2), ("reopened", 1)]),
    }
}

fn add_case(world: &mut World, number: usize, day: u32, index: usize, account: &Account) {
    let zh = account.zh;
    let matter = world.random.pick(if zh { service_words::MATTERS_ZH } else { service_words::MATTERS_EN });
    let status = status(world, day);
    let owner = world.any_owner(zh, true);
    let key = format!("case-{:03}", number + 1);
    let contact = people_of(world, account, day).last().copied();
    let person = contact.and_then(|at| world.contacts.get(at)).cloned();
    let who = person.as_ref().map_or_else(|| account.short.clone(), |person| person.name.clone());
    let places = [("person", who.as_str()), ("firm", account.short.as_str())];
    let priority = priority(world, matter);
    let mut fields = Fields::new();
    fields
        .set("subject", matter.subject)
        .point("account", &account.key)
        .set(
            "channel",
            world.random.weighted(&[("phone", 36), ("email", 28), ("portal", 14), ("visit", 6), ("post", 2)]),
        )
        .set("type", matter.kind)
        .set("category", matter.category)
        .set("sub_category", matter.sub_category)
        .set("priority", priority)
        .set("severity", world.random.weighted(&[(1, 15), (2, 30), (3, 35), (4, 15), (5, 5)]))
        .set("status", status)
        .set("received_on", world.calendar.date(i64::from(day)))
        .set("description", fill(matter.description, &places))
        .set("requester_name", who.clone());
    if zh && world.random.chance(35) {
        fields.set("channel", "wecom");
    }
    if let Some(person) = &person {
        fields.point("contact", &person.key).set("requester_email", person.email.clone());
        fields.maybe("requester_phone", person.mobile.clone());
    }
    if matches!(matter.kind, "incident" | "query") {
        let product = world.random.pick(&world.products).key();
        fields.point("product", &product);
    }
    if matter.sub_category == "Token" || matter.sub_category == "安全令牌" {
        fields.set("serial_no", format!("KA-T{:07}", 4_000_000 + number * 131));
    }
    world.own(&mut fields, owner);
    let closed = course(world, &mut fields, matter, status, zh, day);
    complaint(world, &mut fields, matter, day, number);
    let links = world.tag_links("case", 1);
    world.push("case", &key, fields, links, Moment { day, zh, watch: 4 });
    let topic = Topic::about("case", (index, account), contact, person.as_ref());
    world.cases.push(Topic { key, name: matter.subject.to_owned(), day, owner, closed, ..topic });
}

fn priority(world: &mut World, matter: Matter) -> &'static str {
    match matter.kind {
        "incident" => world.random.weighted(&[("p1", 30), ("p2", 50), ("p3", 20)]),
        "complaint" => world.random.weighted(&[("p1", 5), ("p2", 45), ("p3", 50)]),
        "suggestion" => "p4",
        _ => world.random.weighted(&[("p2", 12), ("p3", 63), ("p4", 25)]),
    }
}

/// Response, solution, satisfaction. Returns the days ago of the solution.
fn course(world: &mut World, fields: &mut Fields, matter: Matter, status: &str, zh: bool, day: u32) -> Option<i64> {
    let day = i64::from(day);
    if status != "new" {
        let first = day - world.random.weighted(&[(0, 70), (1, 24), (2, 6)]);
        fields.set("first_responded_at", world.calendar.past(&mut world.random, first, zh, 5).to_string());
    }
    if !matches!(status, "resolved" | "closed") {
        fields.set("escalation_level", if day > 15 { world.random.between(1, 2) } else { 0 });
        return None;
    }
    let taken = world.random.weighted(&[(0, 18), (1, 24), (2, 20), (4, 16), (7, 12), (14, 7), (25, 3)]);
    let solved = world.calendar.workday(day - taken.min(day)).max(0);
    let at = world.calendar.past(&mut world.random, solved, zh, 5);
    fields
        .set("resolved_at", world.calendar.at_most_now(at.plus_seconds(2 * 3_600)).to_string())
        .set("resolution", matter.resolution)
        .set("root_cause", matter.root_cause)
        .set("resolved_first_contact", taken == 0);
    if world.random.chance(58) {
        fields.set("csat", world.random.weighted(&[(5, 38), (4, 34), (3, 16), (2, 8), (1, 4)]));
        fields
            .set("nps", world.random.weighted(&[(10, 16), (9, 22), (8, 24), (7, 16), (6, 9), (5, 7), (3, 4), (0, 2)]));
        if world.random.chance(50) {
            let comments = if zh { service_words::SURVEY_ZH } else { service_words::SURVEY_EN };
            fields.set("survey_comment", world.random.pick(comments));
        }
    }
    Some(solved)
}

/// Complaints have a deadline; some came by way of the regulator.
fn complaint(world: &mut World, fields: &mut Fields, matter: Matter, day: u32, number: usize) {
    if matter.kind != "complaint" {
        return;
    }
    fields.set("complaint_deadline", world.calendar.date(i64::from(day) - 15));
    if world.random.chance(18) {
        fields.set("regulator_ref", format!("SAMPLE-REG-{:05}", 300 + number)).set("channel", "referral");
    }
}
