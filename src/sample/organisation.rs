//! The invented bank: its units, teams and people. Gives out no passwords: sign-in is made by whoever creates the
//! appliance.

use crate::{
    SampleLink, SampleUser,
    fields::Fields,
    world::{Moment, Owner, World},
};

/// (key, code, name, short name, type, parent, Chinese, GB/T 2260 region, manager's login)
type UnitRow = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    bool,
    Option<&'static str>,
    &'static str,
);

const UNITS: &[UnitRow] = &[
    ("unit-group", "KA", "Kogge & Anker Group 科格安克集团", "K&A", "group", None, false, None, "ida.rosenboom"),
    (
        "unit-luebeck",
        "KA-EU",
        "Bankhaus Kogge & Anker, Lübeck",
        "K&A Lübeck",
        "company",
        Some("unit-group"),
        false,
        None,
        "karla.lindenhoop",
    ),
    (
        "unit-shanghai",
        "KA-CN",
        "科格安克(上海)商务咨询有限公司",
        "科格安克上海",
        "company",
        Some("unit-group"),
        true,
        Some("310000"),
        "gu.mingche",
    ),
    (
        "unit-salzspeicher",
        "KA-EU-01",
        "Branch Salzspeicher, Lübeck",
        "Salzspeicher",
        "branch",
        Some("unit-luebeck"),
        false,
        None,
        "karla.lindenhoop",
    ),
    (
        "unit-travemuende",
        "KA-EU-02",
        "Branch Travemünde Harbour",
        "Travemünde",
        "branch",
        Some("unit-luebeck"),
        false,
        None,
        "momme.klindt",
    ),
    (
        "unit-pudong",
        "KA-CN-01",
        "上海浦东分部",
        "浦东",
        "branch",
        Some("unit-shanghai"),
        true,
        Some("310115"),
        "gu.mingche",
    ),
    (
        "unit-xuhui",
        "KA-CN-02",
        "上海徐汇分部",
        "徐汇",
        "branch",
        Some("unit-shanghai"),
        true,
        Some("310104"),
        "luo.huaijin",
    ),
    (
        "unit-control",
        "KA-IT",
        "Technology and Control 科技与内控部",
        "T&C",
        "department",
        Some("unit-group"),
        false,
        None,
        "ole.thomsen",
    ),
];

/// (key, name, description, Chinese, manager's login)
const TEAMS: &[(&str, &str, &str, bool, &str)] = &[
    (
        "team-luebeck",
        "Corporate Clients Lübeck",
        "Firms, foundations and private clients of both Lübeck branches.",
        false,
        "karla.lindenhoop",
    ),
    ("team-pudong", "浦东对公业务组", "浦东分部的企业与机构客户。", true, "gu.mingche"),
    ("team-xuhui", "徐汇跨境业务组", "徐汇分部的跨境贸易与科创企业客户。", true, "gu.mingche"),
    (
        "team-service",
        "Client Service 客户服务中心",
        "Answers queries, requests and complaints of both companies. 受理双语咨询、申请与投诉。",
        false,
        "xu.jiaqi",
    ),
];

/// A person: login, name, job title, role, unit, team, Chinese, signs in, superior's login.
type PersonRow =
    (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, bool, bool, &'static str);

/// Superiors come first. An empty role: never signs in; an empty team: belongs to none.
const PEOPLE: &[PersonRow] = &[
    ("ida.rosenboom", "Ida Rosenboom", "Managing Director", "", "unit-group", "", false, false, ""),
    (
        "karla.lindenhoop",
        "Karla Lindenhoop",
        "Head of Corporate Clients",
        "sales_manager",
        "unit-luebeck",
        "team-luebeck",
        false,
        true,
        "ida.rosenboom",
    ),
    (
        "gu.mingche",
        "顾明澈",
        "对公业务总监",
        "sales_manager",
        "unit-shanghai",
        "team-pudong",
        true,
        true,
        "ida.rosenboom",
    ),
    ("lin.yue", "林玥", "高级客户经理", "seller", "unit-pudong", "team-pudong", true, true, "gu.mingche"),
    (
        "jonas.brandtmoor",
        "Jonas Brandtmoor",
        "Relationship Manager",
        "seller",
        "unit-salzspeicher",
        "team-luebeck",
        false,
        true,
        "karla.lindenhoop",
    ),
    (
        "emily.hartwick",
        "Emily Hartwick",
        "Relationship Manager, Trade Finance",
        "seller",
        "unit-travemuende",
        "team-luebeck",
        false,
        true,
        "karla.lindenhoop",
    ),
    ("xu.jiaqi", "徐佳琪", "客服主管", "service_agent", "unit-shanghai", "team-service", true, true, "gu.mingche"),
    (
        "finn.ahrendsen",
        "Finn Ahrendsen",
        "Client Service Officer",
        "service_agent",
        "unit-luebeck",
        "team-service",
        false,
        true,
        "karla.lindenhoop",
    ),
    (
        "ole.thomsen",
        "Ole Thomsen",
        "System Administrator",
        "system_admin",
        "unit-control",
        "",
        false,
        true,
        "ida.rosenboom",
    ),
    ("shen.ruoxi", "沈若溪", "信息安全官", "security_admin", "unit-control", "", true, true, "ida.rosenboom"),
    (
        "greta.vossbeek",
        "Greta Vossbeek",
        "Internal Auditor",
        "audit_admin",
        "unit-control",
        "",
        false,
        true,
        "ida.rosenboom",
    ),
    (
        "momme.klindt",
        "Momme Klindt",
        "Branch Manager Travemünde",
        "seller",
        "unit-travemuende",
        "team-luebeck",
        false,
        false,
        "karla.lindenhoop",
    ),
    ("luo.huaijin", "骆怀瑾", "分部经理", "seller", "unit-xuhui", "team-xuhui", true, false, "gu.mingche"),
    ("chen.zhiqiu", "陈知秋", "客户经理", "seller", "unit-pudong", "team-pudong", true, false, "gu.mingche"),
    ("fang.yuanzhou", "方远舟", "客户经理", "seller", "unit-pudong", "team-pudong", true, false, "gu.mingche"),
    ("ruan.wanqing", "阮晚晴", "客户经理", "seller", "unit-pudong", "team-pudong", true, false, "gu.mingche"),
    ("he.beichen", "贺北辰", "跨境业务经理", "seller", "unit-xuhui", "team-xuhui", true, false, "luo.huaijin"),
    ("ouyang.tingyu", "欧阳听雨", "跨境业务经理", "seller", "unit-xuhui", "team-xuhui", true, false, "luo.huaijin"),
    ("zhuang.yanqiu", "庄砚秋", "科创金融经理", "seller", "unit-xuhui", "team-xuhui", true, false, "luo.huaijin"),
    (
        "swantje.priewall",
        "Swantje Priewall",
        "Relationship Manager",
        "seller",
        "unit-salzspeicher",
        "team-luebeck",
        false,
        false,
        "karla.lindenhoop",
    ),
    (
        "lasse.tiedjens",
        "Lasse Tiedjens",
        "Relationship Manager, Shipping",
        "seller",
        "unit-travemuende",
        "team-luebeck",
        false,
        false,
        "momme.klindt",
    ),
    (
        "rosalind.penhallow",
        "Rosalind Penhallow",
        "Private Clients",
        "seller",
        "unit-salzspeicher",
        "team-luebeck",
        false,
        false,
        "karla.lindenhoop",
    ),
    (
        "hannes.moellenkamp",
        "Hannes Möllenkamp",
        "Trainee",
        "seller",
        "unit-salzspeicher",
        "team-luebeck",
        false,
        false,
        "karla.lindenhoop",
    ),
    ("su.jingshu", "苏静姝", "客服专员", "service_agent", "unit-shanghai", "team-service", true, false, "xu.jiaqi"),
    ("qin.muye", "秦牧野", "客服专员", "service_agent", "unit-shanghai", "team-service", true, false, "xu.jiaqi"),
    (
        "birte.nissenbarg",
        "Birte Nissenbarg",
        "Client Service Officer",
        "service_agent",
        "unit-luebeck",
        "team-service",
        false,
        false,
        "finn.ahrendsen",
    ),
    (
        "barnaby.hobday",
        "Barnaby Hobday",
        "Complaints Officer",
        "service_agent",
        "unit-luebeck",
        "team-service",
        false,
        false,
        "finn.ahrendsen",
    ),
    ("ye.yunshu", "叶云舒", "市场专员", "", "unit-shanghai", "", true, false, "gu.mingche"),
    ("thies.ohmstede", "Thies Ohmstede", "Product Manager", "", "unit-luebeck", "", false, false, "ida.rosenboom"),
    ("yin.changfeng", "尹长风", "合规专员", "", "unit-control", "", true, false, "ida.rosenboom"),
    ("flora.inchbold", "Flora Inchbold", "Compliance Officer", "", "unit-control", "", false, false, "ida.rosenboom"),
];

/// The day on which the teams were entered: units before, people one a day after, all before the first customer.
const FOUNDED_DAYS_AGO: u32 = 775;
/// Teams that a manager leads beside the own one.
const SECOND_TEAMS: &[(&str, &str)] = &[("gu.mingche", "team-xuhui")];

/// Adds units, teams, people, and at the end who manages what.
pub(crate) fn add(world: &mut World) {
    add_units(world);
    add_teams(world);
    for (index, row) in PEOPLE.iter().enumerate() {
        add_person(world, index, row);
    }
}

fn key_of(login: &str) -> String {
    let at = PEOPLE.iter().position(|person| person.0 == login).unwrap_or(0);
    format!("user-{:03}", at + 1)
}

fn manager_patch(world: &mut World, key: &str, login: &str) {
    let mut fields = Fields::new();
    fields.point("manager", &key_of(login));
    world.sample.patches.push((key.to_owned(), fields.into_map()));
}

fn add_units(world: &mut World) {
    for (index, (key, code, name, short, kind, parent, zh, region, manager)) in UNITS.iter().enumerate() {
        // One unit a day, parents first.
        let day = FOUNDED_DAYS_AGO + 20 - index as u32;
        let mut fields = Fields::new();
        fields.set("code", *code).set("name", *name).set("short_name", *short).set("type", *kind);
        if let Some(parent) = parent {
            fields.point("parent", parent);
        }
        fields
            .maybe("region_code", *region)
            .set("cost_centre", format!("CC-{code}"))
            .set("default_currency", if *zh { "CNY" } else { "EUR" })
            .set("timezone", timezone(*zh))
            .set("locale", locale(*zh))
            .set("active_from", world.calendar.date(i64::from(day)));
        let moment = Moment { day, zh: *zh, watch: 0 };
        let record = world.record("unit", key, fields, Vec::new(), moment);
        world.sample.units.push(record);
        manager_patch(world, key, manager);
    }
}

fn add_teams(world: &mut World) {
    for (key, name, description, zh, manager) in TEAMS {
        let mut fields = Fields::new();
        fields.set("name", *name).set("description", *description);
        let moment = Moment { day: FOUNDED_DAYS_AGO, zh: *zh, watch: 1 };
        let record = world.record("team", key, fields, Vec::new(), moment);
        world.sample.teams.push(record);
        manager_patch(world, key, manager);
    }
}

fn add_person(world: &mut World, index: usize, row: &PersonRow) {
    let (login, name, title, role, unit, team, zh, sign_in, superior) = *row;
    let key = key_of(login);
    let mut fields = Fields::new();
    fields
        .set("username", login)
        .set("display_name", name)
        .set("employee_no", format!("{}{:04}", if zh { "C" } else { "L" }, 1_000 + index * 7))
        .set("email", world.mail(login, "kogge-anker.example"))
        .maybe("mobile", world.numbers.mobile(if zh { "CN" } else { "DE" }))
        .set("title", title)
        .set("status", "active")
        .set("auth_source", "local")
        .set("locale", locale(zh))
        .set("timezone", timezone(zh))
        .point("unit", unit);
    if !superior.is_empty() {
        fields.point("manager", &key_of(superior));
    }
    let mut teams: Vec<String> = Vec::new();
    if !team.is_empty() {
        fields.point("team", team);
        teams.push(team.to_owned());
    }
    teams.extend(SECOND_TEAMS.iter().filter(|(who, _)| *who == login).map(|(_, team)| (*team).to_owned()));
    let links = teams
        .iter()
        .map(|team| {
            let leads = TEAMS.iter().any(|row| row.0 == team && row.4 == login);
            SampleLink { relation: "teams", target: team.clone(), role: Some(if leads { "lead" } else { "member" }) }
        })
        .collect();
    let moment = Moment { day: FOUNDED_DAYS_AGO - 1 - index as u32, zh, watch: 2 };
    let record = world.record("user", &key, fields, links, moment);
    if matches!(role, "seller" | "service_agent") {
        world.owners.push(Owner { key: key.clone(), unit, team, zh, service: role == "service_agent", sign_in });
    }
    world.sample.users.push(SampleUser {
        key,
        login: login.to_owned(),
        roles: if role.is_empty() { Vec::new() } else { vec![role] },
        unit: unit.to_owned(),
        teams,
        locale: locale(zh),
        sign_in,
        record,
    });
}

fn locale(zh: bool) -> &'static str {
    if zh { "zh_cn" } else { "en" }
}

fn timezone(zh: bool) -> &'static str {
    if zh { "Asia/Shanghai" } else { "Europe/Berlin" }
}
