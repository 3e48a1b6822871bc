//! People at the accounts, with numbers that ring nobody and their place in the firm.

use crate::{
    SampleLink,
    fields::Fields,
    names::{Human, Tongue},
    sales_words,
    world::{Account, Contact, Moment, World},
};

/// Job titles: (Chinese, English, department Chinese, department English, role on the account).
const JOBS: &[(&str, &str, &str, &str, &str)] = &[
    ("总经理", "Managing Director", "总经办", "Management", "decision_maker"),
    ("财务总监", "Chief Financial Officer", "财务部", "Finance", "decision_maker"),
    ("资金经理", "Treasurer", "资金部", "Treasury", "influencer"),
    ("财务主管", "Head of Accounting", "财务部", "Finance", "influencer"),
    ("出纳", "Accounts Clerk", "财务部", "Finance", "user"),
    ("采购经理", "Purchasing Manager", "采购部", "Purchasing", "influencer"),
    ("进出口业务主管", "Head of Import and Export", "国际业务部", "International Trade", "user"),
    ("信息化负责人", "Head of IT", "信息中心", "IT", "gatekeeper"),
    ("行政助理", "Executive Assistant", "行政部", "Administration", "gatekeeper"),
    ("法务经理", "Legal Counsel", "法务部", "Legal", "influencer"),
    ("项目经理", "Project Manager", "项目部", "Projects", "contact"),
];

/// Adds the contacts, oldest first.
pub(crate) fn add(world: &mut World) {
    let mut planned: Vec<(u32, usize)> = Vec::new();
    for index in 0..world.accounts.len() {
        let Some(account) = world.accounts.get(index) else { continue };
        let (day, person) = (account.day, account.kind == "person");
        let people = if person { 1 } else { world.random.weighted(&[(1u32, 40), (2, 40), (3, 20)]) };
        for place in 0..people {
            // The first is entered with the account, the others within the following months.
            let later = if place == 0 { 0 } else { world.random.below(u64::from((day / 2).min(150)) + 1) };
            planned.push((day - later as u32, index));
        }
    }
    planned.sort_by(|one, two| two.cmp(one));
    for (number, (day, account)) in planned.into_iter().enumerate() {
        if let Some(at) = world.accounts.get(account).cloned() {
            add_contact(world, number, day, account, &at);
        }
    }
}

fn add_contact(world: &mut World, number: usize, day: u32, index: usize, account: &Account) {
    let tongue = match (account.zh, account.german) {
        (true, _) => Tongue::Chinese,
        (false, true) => Tongue::German,
        (false, false) => Tongue::English,
    };
    let human = Human::new(&mut world.random, tongue);
    let private = account.kind == "person";
    let name = if private { account.name.clone() } else { human.full() };
    let email = world.mail(&human.mail_local, &account.domain);
    // Two hundred German mobile numbers are kept for fiction: too few for everybody.
    let mobile = Some(account.country).filter(|country| *country != "DE" || world.random.chance(70));
    let mobile = mobile.and_then(|country| world.numbers.mobile(country));
    let key = format!("contact-{:03}", number + 1);
    let (job_zh, job_en, department_zh, department_en, role) = world.random.pick(JOBS);
    let role = if private { "decision_maker" } else { role };
    let mut fields = Fields::new();
    fields
        .set("full_name", name.clone())
        .point("account", &account.key)
        .set("email", email.clone())
        .maybe("mobile", mobile.clone())
        .set("language", human.language())
        .set("source", sales_words::source(&mut world.random));
    if !private {
        fields
            .set("salutation", human.salutation())
            .set("last_name", human.last)
            .set("first_name", human.first)
            .set("gender", if human.female { "female" } else { "male" })
            .set("title", if account.zh { job_zh } else { job_en })
            .set("department", if account.zh { department_zh } else { department_en })
            .maybe("phone", world.numbers.office(account.country, account.area));
        superior(world, &mut fields, account, day);
    }
    world.own(&mut fields, account.owner);
    habits(world, &mut fields, account.zh, day, number);
    let mut links = world.tag_links("contact", 2);
    links.push(SampleLink { relation: "accounts", target: account.key.clone(), role: Some(role) });
    world.push("contact", &key, fields, links, Moment { day, zh: account.zh, watch: 2 });
    if let Some(account) = world.accounts.get_mut(index) {
        account.contacts.push(world.contacts.len());
    }
    world.contacts.push(Contact { key, name, day, account: index, owner: account.owner, mobile, email });
}

/// The first contact of a firm is the head of some of the others.
fn superior(world: &mut World, fields: &mut Fields, account: &Account, day: u32) {
    let head = account.contacts.first().and_then(|at| world.contacts.get(*at)).filter(|head| head.day > day);
    let head = head.map(|head| head.key.clone());
    if let Some(head) = head.filter(|_| world.random.chance(55)) {
        fields.point("reports_to", &head);
    }
}

/// How somebody likes to be reached, birthdays, satisfaction.
fn habits(world: &mut World, fields: &mut Fields, zh: bool, day: u32, number: usize) {
    let random = &mut world.random;
    let channel = if zh {
        random.weighted(&[("phone", 30), ("wecom", 40), ("wechat", 15), ("email", 10), ("visit", 5)])
    } else {
        random.weighted(&[("phone", 35), ("email", 50), ("post", 5), ("visit", 10)])
    };
    fields
        .set("preferred_channel", channel)
        .set("best_time", random.weighted(&[("morning", 45), ("noon", 5), ("afternoon", 42), ("evening", 8)]));
    if zh && random.chance(60) {
        fields.set("wecom_id", format!("sample_wecom_{:04}", number + 1));
    }
    if random.chance(35) {
        let birth = format!("{}-{:02}-{:02}", random.between(1961, 1998), random.between(1, 12), random.between(1, 28));
        fields.set("birth_date", birth);
    }
    if random.chance(7) {
        fields.set("do_not_call", true);
    }
    if random.chance(9) {
        fields.set("do_not_email", true);
    }
    if random.chance(40) {
        fields.set("nps_last", random.weighted(&[(10, 18), (9, 24), (8, 22), (7, 14), (6, 9), (5, 6), (3, 5), (1, 2)]));
        let given = random.between(0, i64::from(day).min(200));
        fields.set("nps_at", world.calendar.date(given));
    }
    if world.random.chance(45) {
        let remarks = if zh { sales_words::CONTACT_REMARKS_ZH } else { sales_words::CONTACT_REMARKS_EN };
        fields.set("description", world.random.pick(remarks));
    }
}
