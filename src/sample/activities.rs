//! Tasks, calls, meetings and notes about everything else: done ones through the year, planned and overdue ones around
//! today, and a fresh handful for each person who signs in, so that nobody's first day looks empty.

use crate::{
    activity_words as words,
    fields::{Fields, fill},
    world::{Moment, Topic, World},
};

/// Activities of the year, before those that sign-in users get besides.
const ACTIVITIES: u64 = 900;
/// How far back from a day a deal, lead or case is looked for: people work on what is recent.
const RECENT: usize = 45;

/// What is to be written.
struct Plan<'t> {
    kind: &'static str,
    topic: &'t Topic,
    owner: usize,
    day: u32,
    /// Set for a task: its due day, negative in the future.
    due: Option<i64>,
    done: bool,
}

/// Adds the activities, oldest first, then the handful for people who sign in.
pub(crate) fn add(world: &mut World) {
    let customers = customer_topics(world);
    let people = contact_topics(world);
    let days = world.calendar.days(&mut world.random, ACTIVITIES);
    for (number, day) in days.into_iter().enumerate() {
        let class =
            world.random.weighted(&[("opportunity", 46), ("account", 20), ("contact", 11), ("lead", 10), ("case", 13)]);
        let found = match class {
            "opportunity" => recent(&world.opportunities, day, RECENT, &mut world.random),
            "lead" => recent(&world.leads, day, RECENT / 3, &mut world.random),
            "case" => recent(&world.cases, day, RECENT / 3, &mut world.random),
            "contact" => recent(&people, day, usize::MAX, &mut world.random),
            _ => None,
        };
        let topic = found.or_else(|| recent(&customers, day, usize::MAX, &mut world.random));
        if let Some(topic) = topic {
            add_one(world, number, day, &topic);
        }
    }
    add_for_sign_in(world, &customers);
}

fn customer_topics(world: &World) -> Vec<Topic> {
    let topic = |(index, account): (usize, &crate::world::Account)| {
        let person = account.contacts.first().and_then(|at| world.contacts.get(*at));
        Topic {
            object: "account",
            key: account.key.clone(),
            name: account.short.clone(),
            day: account.day,
            zh: account.zh,
            owner: account.owner,
            firm: account.short.clone(),
            person: person.map_or_else(|| account.short.clone(), |person| person.name.clone()),
            account: index,
            phone: person.and_then(|person| person.mobile.clone()),
            ..Topic::default()
        }
    };
    world.accounts.iter().enumerate().map(topic).collect()
}

fn contact_topics(world: &World) -> Vec<Topic> {
    let topic = |contact: &crate::world::Contact| {
        let account = world.accounts.get(contact.account);
        Topic {
            object: "contact",
            key: contact.key.clone(),
            name: contact.name.clone(),
            day: contact.day,
            zh: account.is_some_and(|account| account.zh),
            owner: contact.owner,
            firm: account.map_or_else(|| contact.name.clone(), |account| account.short.clone()),
            person: contact.name.clone(),
            account: contact.account,
            phone: contact.mobile.clone(),
            ..Topic::default()
        }
    };
    world.contacts.iter().map(topic).collect()
}

/// One of the `depth` topics that were the latest on that day and not yet at an end.
fn recent(topics: &[Topic], day: u32, depth: usize, random: &mut crate::random::Random) -> Option<Topic> {
    let there = topics.partition_point(|topic| topic.day >= day);
    let open = |topic: &&Topic| topic.closed.is_none_or(|closed| closed <= i64::from(day));
    let latest: Vec<&Topic> = topics.iter().take(there).rev().filter(open).take(depth).collect();
    latest.get(random.index(latest.len())).copied().cloned()
}

fn add_one(world: &mut World, number: usize, day: u32, topic: &Topic) {
    let kind = world.random.weighted(&[("task", 32), ("call", 29), ("meeting", 17), ("note", 22)]);
    let age = i64::from(day);
    let ahead = world.calendar.workday(age - world.random.weighted(&[(1, 20), (3, 25), (7, 30), (14, 15), (28, 10)]));
    let due = (kind == "task").then_some(ahead);
    // Work of the past is mostly done; of the last quarter a part was put off or forgotten.
    let done = match kind {
        "task" if ahead >= 0 => !world.random.chance(if age < 90 { 34 } else { 2 }),
        "task" => world.random.chance(15),
        "meeting" => !(age < 12 && world.random.chance(60)),
        _ => true,
    };
    let done = done || topic.closed.is_some();
    let plan = Plan { kind, topic, owner: topic.owner, day, due, done };
    write(world, &format!("activity-{:03}", number + 1), &plan);
}

/// Overdue, today, tomorrow, next week: for each business user of the demonstration, on their own customers.
fn add_for_sign_in(world: &mut World, customers: &[Topic]) {
    let mut number = ACTIVITIES as usize;
    for owner in 0..world.owners.len() {
        let Some(person) = world.owners.get(owner).filter(|person| person.sign_in).cloned() else { continue };
        let fits = |topic: &&Topic| if person.service { topic.zh == person.zh } else { topic.owner == owner };
        let own: Vec<&Topic> = customers.iter().filter(fits).collect();
        for (day, due) in [(9, 3), (6, 1), (4, 0), (3, 0), (2, -1), (1, -2), (1, -5), (0, -7)] {
            let at = world.random.index(own.len());
            let Some(topic) = own.get(at).copied() else { continue };
            number += 1;
            let day = u32::min(day, topic.day);
            let due = if due < 0 { world.calendar.workday(due) } else { due };
            let plan = Plan { kind: "task", topic, owner, day, due: Some(due), done: false };
            write(world, &format!("activity-{number:03}"), &plan);
        }
    }
}

fn write(world: &mut World, key: &str, plan: &Plan<'_>) {
    let (topic, zh) = (plan.topic, plan.topic.zh);
    let places = [("person", topic.person.as_str()), ("firm", topic.firm.as_str()), ("name", topic.name.as_str())];
    let subjects = match (plan.kind, zh) {
        ("task", true) => words::TASKS_ZH,
        ("task", false) => words::TASKS_EN,
        ("call", true) => words::CALLS_ZH,
        ("call", false) => words::CALLS_EN,
        ("meeting", true) => words::MEETINGS_ZH,
        ("meeting", false) => words::MEETINGS_EN,
        (_, true) => words::NOTES_ZH,
        (_, false) => words::NOTES_EN,
    };
    let subject = fill(world.random.pick(subjects), &places);
    let opening = fill(world.random.pick(if zh { words::OPENINGS_ZH } else { words::OPENINGS_EN }), &places);
    let ending = world.random.pick(if zh { words::ENDINGS_ZH } else { words::ENDINGS_EN });
    let text = format!("{opening}{}{ending}", if zh { "" } else { " " });
    let mut fields = Fields::new();
    fields.set("kind", plan.kind).set("subject", subject).point_any("regarding", topic.object, &topic.key);
    world.own(&mut fields, plan.owner);
    match plan.kind {
        "task" => task(world, &mut fields, plan),
        "call" => call(world, &mut fields, plan, &text),
        "meeting" => meeting(world, &mut fields, plan, &text),
        _ => {
            fields.set("status", "completed").set("body", text).set("pinned", world.random.chance(8));
        }
    }
    world.push("activity", key, fields, Vec::new(), Moment { day: plan.day, zh, watch: 5 });
}

fn task(world: &mut World, fields: &mut Fields, plan: &Plan<'_>) {
    let zh = plan.topic.zh;
    let due = plan.due.unwrap_or(0);
    let at = world.calendar.instant(&mut world.random, due, zh, 5);
    fields
        .set("due", at.to_string())
        .set("priority", world.random.weighted(&[("normal", 60), ("high", 22), ("low", 12), ("urgent", 6)]));
    if plan.done {
        let finished = (due + world.random.between(-2, 3)).clamp(0, i64::from(plan.day));
        let at = world.calendar.past(&mut world.random, finished, zh, 5);
        let at = world.calendar.at_most_now(at.plus_seconds(5_400));
        fields.set("status", "completed").set("completed_at", at.to_string()).set("percent", 100);
    } else {
        let status = world.random.weighted(&[("planned", 62), ("in_progress", 28), ("waiting", 10)]);
        fields.set("status", status);
        if status == "in_progress" {
            fields.set("percent", world.random.between(1, 8) * 10);
        }
    }
}

fn call(world: &mut World, fields: &mut Fields, plan: &Plan<'_>, text: &str) {
    let zh = plan.topic.zh;
    let start = world.calendar.past(&mut world.random, i64::from(plan.day), zh, 5);
    let outcome = world.random.weighted(&[
        ("connected", 66),
        ("no_answer", 15),
        ("left_message", 9),
        ("busy", 6),
        ("voicemail", 4),
    ]);
    let seconds = if outcome == "connected" { world.random.between(70, 1_900) } else { world.random.between(8, 50) };
    let end = start.plus_seconds(seconds);
    let inbound = outcome == "connected" && world.random.chance(30);
    fields
        .set("status", "completed")
        .set("direction", if inbound { "inbound" } else { "outbound" })
        .set("outcome", outcome)
        .set("start", start.to_string())
        .set("end", end.to_string())
        .set("duration_seconds", seconds)
        .maybe(if inbound { "from_no" } else { "to_no" }, plan.topic.phone.clone());
    if outcome == "connected" {
        fields.set("body", text);
    }
}

fn meeting(world: &mut World, fields: &mut Fields, plan: &Plan<'_>, text: &str) {
    let zh = plan.topic.zh;
    let day = if plan.done { i64::from(plan.day) } else { world.calendar.workday(-world.random.between(0, 18) - 1) };
    let watch = world.random.below(5);
    // Made in the same hours, so a meeting of the past begins after it was written down at the earliest.
    let start = world.calendar.instant(&mut world.random, day, zh, if plan.done { 5 } else { watch });
    let end = start.plus_seconds(world.random.pick(&[1_800, 2_700, 3_600, 5_400]));
    fields
        .set("status", if plan.done { "completed" } else { "planned" })
        .set("start", start.to_string())
        .set("end", end.to_string());
    if world.random.chance(28) {
        fields.set("online_url", format!("https://meet.kogge-anker.example/{}", plan.topic.key));
    } else {
        fields.set("location", world.random.pick(if zh { words::ROOMS_ZH } else { words::ROOMS_EN }));
    }
    if plan.done {
        fields.set("minutes", text);
    } else {
        let agenda = if zh {
            "议程：现状、报价、后续安排。"
        } else {
            "Agenda: where we stand, the offer, next steps."
        };
        fields.set("body", agenda);
    }
}
