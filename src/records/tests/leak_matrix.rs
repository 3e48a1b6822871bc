//! The leak matrix: surfaces × roles × scopes × field levels, on both engines. Every value is a canary; a canary may stand
//! in an answer only where scope admits the record and the level shows the field. What each actor gets is a committed
//! table, so that a change of the policy is seen in review: `UPDATE_SNAPSHOTS=1` writes it anew.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it must be"
)]

#[path = "leak/surfaces.rs"]
mod surfaces;
#[path = "leak/world.rs"]
mod world;

use authz::{Level, Verb};
use identity::Actor;
use kernel::Code;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use surfaces::{Answer, Surface, walk};
use testkit::TestAppliance;
use world::{Expected, FIELDS, LEVELS, PLACES, SCOPES, Subject, World};

struct Case {
    name: String,
    actor: Arc<Actor>,
    expected: Expected,
    /// Rows of the table: all fields together, or one by one.
    by_field: bool,
}

fn cases(world: &World<'_>) -> Vec<Case> {
    let case = |roles: &[&str], by_field| Case {
        name: roles.join(" & "),
        actor: world.actor(roles),
        expected: Expected::of(world.kontor, roles),
        by_field,
    };
    let named =
        ["seller", "sales_manager", "service_agent", "system_admin", "security_admin", "audit_admin", "x_custom"];
    let mut cases: Vec<Case> = named.map(|role| case(&[role], true)).into();
    cases.extend(SCOPES.iter().flat_map(|scope| LEVELS.map(|level| case(&[&format!("{scope}/{level}")], false))));
    cases.extend(SCOPES.map(|scope| case(&[&format!("{scope}/masked+reveal")], false)));
    for pair in [
        ["own/edit", "all/masked"],
        ["team/read", "unit/exists"],
        ["all/read", "own/none"],
        ["reveal only", "all/masked"],
        ["own/edit", "forbids reading"],
        ["all/edit", "forbids all business"],
        ["all/edit", "forbids fields"],
        ["seller", "audit_admin"],
        ["all/edit", "system_admin"],
        ["system_admin", "security_admin"],
    ] {
        cases.push(case(&pair, false));
    }
    cases.push(case(&["greedy administrator"], false));
    cases.push(case(&[], false));
    for (scopes, roles) in [("contact:read", ["none/none"]), ("account:read", ["team reads only"])] {
        let narrowed = Expected::of(world.kontor, &roles);
        let held = if scopes.starts_with("contact") { ["all/edit"] } else { ["team/edit"] };
        cases.push(Case {
            name: format!("{} by a token for {scopes}", held[0]),
            actor: world.program(&held, scopes),
            expected: narrowed,
            by_field: false,
        });
    }
    cases
}

/// What an answer shows of one value.
fn shown(answer: &str, subject: &Subject, field: &str) -> Level {
    if answer.contains(&subject.core(field)) {
        Level::Read
    } else if subject.tail(field).is_some_and(|tail| answer.contains(&tail)) {
        Level::Masked
    } else {
        Level::None
    }
}

/// What an answer may show of one value.
fn allowed(surface: &str, expected: &Expected, subject: &Subject, field: &str) -> Level {
    let level = expected.level(Verb::Read, subject.place, field);
    let open = |level: Level| {
        if level >= Level::Read {
            Level::Read
        } else if level == Level::Masked {
            level
        } else {
            Level::None
        }
    };
    let deleted = subject.deleted
        && !["open", "bin", "preview", "files", "pick.list", "pick.open", "pick.tried"].contains(&surface);
    match surface {
        _ if deleted || !expected.sees(subject) => Level::None,
        "reveal" => {
            let reveal = expected.level(Verb::Reveal, subject.place, field);
            if expected.any(Verb::Reveal) && level.min(reveal) >= Level::Masked { Level::Read } else { Level::None }
        }
        // The bare answers of these hold errors, names or nothing of the fields.
        "filter" | "rel.filter" | "bulk" | "create" | "metadata" | "log" | "access-log" | "views" | "events"
        | "bell" | "rights" | "view-as" | "merge" | "private" | "delete-plan" => Level::None,
        "conflict" if !expected.reaches(Verb::Update, subject.place) => Level::None,
        _ => open(level),
    }
}

fn leaks(case: &Case, surface: &Surface, subjects: &[Subject]) -> Vec<String> {
    let mut found = Vec::new();
    for answer in &surface.answers {
        let mut leak = |what: String| {
            found.push(format!(
                "{} · {} · {}: {what}: {}",
                case.name,
                surface.name,
                answer.about,
                answer.text.chars().take(300).collect::<String>()
            ))
        };
        for subject in subjects {
            for (field, _) in FIELDS {
                if shown(&answer.text, subject, field) > allowed(surface.name, &case.expected, subject, field) {
                    leak(format!("{field} of the {} record", subject.place));
                }
            }
            if answer.text.contains(&subject.name()) && !case.expected.sees(subject) {
                leak(format!("name of the {} record", subject.place));
            }
        }
        // What a filter says comes back in no answer, so the word itself is only there when the record is.
        if answer.text.contains(world::PRIVATE) {
            leak("a private activity of somebody else".to_owned());
        }
        if answer.code == Some(Code::Internal) {
            leak("an internal error".to_owned());
        }
        oracle(case, surface.name, answer, subjects, &mut leak);
    }
    found
}

/// Answers that show no value but could be counted, or asked about one.
fn oracle(case: &Case, surface: &str, answer: &Answer, subjects: &[Subject], leak: &mut impl FnMut(String)) {
    let field = FIELDS
        .iter()
        .map(|(field, _)| *field)
        .find(|field| answer.about.starts_with(&format!("{field} ")) || answer.about == format!("sort {field}"));
    let floor = field.map_or(Level::Edit, |field| case.expected.floor(field));
    if ["filter", "rel.filter", "sort"].contains(&surface) && floor < Level::Read && answer.code.is_none() {
        leak("selected by a field that may not be read".to_owned());
    }
    let inside = subjects.iter().filter(|subject| !subject.deleted && case.expected.sees(subject)).count() as u64;
    let binned = subjects.iter().filter(|subject| subject.deleted && case.expected.sees(subject)).count() as u64;
    let Some(count) = answer.count else { return };
    let target = subjects.iter().find(|subject| answer.about.ends_with(&subject.name()));
    let right = match surface {
        "list" if answer.about == "all" => count == inside,
        "bin" => count == binned,
        // Every value is one record's alone.
        "filter" | "rel.filter" => target.is_some_and(|target| count == u64::from(case.expected.sees(target))),
        "q" => count <= 1,
        _ => true,
    };
    if !right {
        leak(format!("counted {count}, with {inside} in sight and {binned} in the bin"));
    }
}

/// One cell: per place the strongest that was seen: `C`lear, `M`asked, `v`isible without, `-`; or the code of an error.
fn cell(surface: &Surface, subjects: &[Subject], fields: &[&str]) -> String {
    let codes: Vec<&str> = surface.answers.iter().filter_map(|answer| answer.code.map(Code::as_str)).collect();
    if codes.len() == surface.answers.len() && codes.windows(2).all(|pair| pair[0] == pair[1]) {
        return codes.first().copied().unwrap_or_default().to_owned();
    }
    if surface.name == "bulk" {
        return bulk_cell(surface, subjects);
    }
    let text: String = surface.answers.iter().map(|answer| answer.text.as_str()).collect();
    let of_place = |place: &str| {
        let here = subjects.iter().filter(|subject| subject.place == place);
        let strongest = here
            .clone()
            .flat_map(|subject| fields.iter().map(|field| shown(&text, subject, field)))
            .max()
            .unwrap_or_default();
        match strongest {
            Level::Read | Level::Edit => 'C',
            Level::Masked => 'M',
            _ if here
                .clone()
                .any(|subject| text.contains(&subject.id.to_string()) || text.contains(&subject.name())) =>
            {
                'v'
            }
            _ => '-',
        }
    };
    PLACES.map(of_place).iter().collect()
}

/// A bulk change repeats the ids it was given; what tells something is which of them it treats as there.
fn bulk_cell(surface: &Surface, subjects: &[Subject]) -> String {
    let answer: serde_json::Value =
        surface.answers.first().and_then(|answer| serde_json::from_str(&answer.text).ok()).unwrap_or_default();
    let rows = answer["rows"].as_array().cloned().unwrap_or_default();
    let there = |subject: &Subject| {
        rows.iter().any(|row| row["id"] == subject.id.to_string() && row["code"] != "record_not_found")
    };
    PLACES
        .map(|place| if subjects.iter().any(|subject| subject.place == place && there(subject)) { 'v' } else { '-' })
        .iter()
        .collect()
}

/// Runs every case and returns the table.
fn matrix(kontor: &TestAppliance) -> String {
    let world = World::new(kontor);
    let (mut table, mut leaked, mut rows) = (String::new(), Vec::new(), Vec::new());
    for case in cases(&world) {
        let surfaces = walk(&world, &case.actor);
        kontor.sql("DELETE FROM account WHERE name = 'Temporary'");
        surfaces.iter().for_each(|surface| leaked.extend(leaks(&case, surface, &world.subjects)));
        not_vacuous(&case, &surfaces, &world.subjects);
        let all: Vec<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
        let groups: Vec<(String, Vec<&str>)> = if case.by_field {
            all.iter().map(|field| (format!("{} {field}", case.name), vec![*field])).collect()
        } else {
            vec![(case.name.clone(), all)]
        };
        for (name, fields) in groups {
            rows.push((
                name,
                surfaces
                    .iter()
                    .map(|surface| (surface.name, cell(surface, &world.subjects, &fields)))
                    .collect::<Vec<_>>(),
            ));
        }
    }
    assert!(
        leaked.is_empty(),
        "{} leaks:\n{}",
        leaked.len(),
        leaked.iter().take(20).cloned().collect::<Vec<_>>().join("\n")
    );
    writeln!(table, "What each actor is shown of accounts, by place of the record: {}.\nC clear, M masked, v the record without the field, - nothing; or the error of every call.", PLACES.join(" ")).unwrap();
    for (name, cells) in rows {
        write!(table, "\n{name}\n ").unwrap();
        for (surface, cell) in cells {
            write!(table, " {surface}={cell}").unwrap();
        }
        table.push('\n');
    }
    table
}

/// A matrix in which nobody sees anything would find no leak.
fn not_vacuous(case: &Case, surfaces: &[Surface], subjects: &[Subject]) {
    let text = |name: &str| {
        surfaces
            .iter()
            .filter(|surface| surface.name == name)
            .flat_map(|surface| &surface.answers)
            .map(|answer| answer.text.as_str())
            .collect::<String>()
    };
    for subject in subjects.iter().filter(|subject| case.expected.sees(subject)) {
        for (field, _) in FIELDS {
            let level = case.expected.level(Verb::Read, subject.place, field);
            let seen = shown(&text("open"), subject, field);
            let right = match level {
                Level::Read | Level::Edit => seen == Level::Read,
                Level::Masked => seen == if subject.tail(field).is_some() { Level::Masked } else { Level::None },
                _ => seen == Level::None,
            };
            assert!(
                right,
                "{}: {field} of the {} record is to be {level:?} and shows {seen:?}",
                case.name, subject.place
            );
        }
        assert!(text("open").contains(&subject.name()), "{}: the {} record is in sight", case.name, subject.place);
    }
}

#[test]
fn nothing_leaks_on_any_surface() {
    let mut tables = std::thread::scope(|scope| {
        let run = |engine| scope.spawn(move || matrix(&TestAppliance::new(engine)));
        [run(testkit::Engine::Embedded), run(testkit::Engine::Server)].map(|table| table.join().expect("no leak"))
    });
    assert!(tables[0] == tables[1], "the engines show different things");
    let table = std::mem::take(&mut tables[0]);
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/leak_matrix.txt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, &table).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    let changed: Vec<&str> =
        table.lines().filter(|line| !committed.lines().any(|known| known == *line)).take(10).collect();
    assert!(
        table == committed,
        "the table of what each actor is shown has changed; look at it, then run with UPDATE_SNAPSHOTS=1:\n{}",
        changed.join("\n")
    );
}
