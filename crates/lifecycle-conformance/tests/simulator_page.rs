//! Tests that the simulator's page of the documentation agrees with the simulator's own list of
//! behaviours.
//!
//! Run with `LIFECYCLE_WRITE=1` to update the page.

use std::{collections::HashSet, env, fmt::Write as _, fs};

use lifecycle_sim::{
    Behaviour, COMMON_BEHAVIOURS, Cloud, Confidence, SwitchDescription, common_switches,
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/simulator.md");

#[test]
fn page_is_current() {
    let page = page();
    if env::var_os("LIFECYCLE_WRITE").is_some() {
        fs::write(PAGE, page).unwrap();
    } else {
        let written = fs::read_to_string(PAGE).unwrap_or_default();
        assert_eq!(written, page, "run this test with LIFECYCLE_WRITE=1");
    }
}

#[test]
fn behaviours_are_unique_and_have_a_source_and_a_suitable_confidence() {
    for list in lists() {
        let mut seen = HashSet::new();
        for Behaviour {
            description,
            confidence,
            source,
            ..
        } in list
        {
            assert!(seen.insert(description), "listed twice: {description}");
            assert!(description.ends_with('.'), "not a sentence: {description}");
            assert!(!source.is_empty(), "no source: {description}");
            assert_ne!(
                *confidence,
                Confidence::SwitchableUnknown,
                "undocumented behaviour must be a switch: {description}"
            );
        }
    }
}

/// Compares the fields of the switches with the listed switches.
#[test]
fn switches_are_all_listed() {
    let text = format!("{:?}", lifecycle_sim::Switches::default());
    for cloud in Cloud::ALL {
        for switch in cloud.switches() {
            assert!(text.contains(&format!("{}: ", switch.name)), "{switch:?}");
        }
    }
    let fields = text.matches(": ").count();
    let listed: usize = Cloud::ALL.iter().map(|cloud| cloud.switches().len()).sum();
    let clouds = Cloud::ALL.len();
    assert_eq!(fields, listed + clouds + common_switches().count());
}

fn lists() -> impl Iterator<Item = &'static [Behaviour]> {
    let own = Cloud::ALL.into_iter().map(Cloud::behaviours);
    own.chain([COMMON_BEHAVIOURS])
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str(&counts());
    page.push_str("\n## All clouds\n");
    section(&mut page, COMMON_BEHAVIOURS, common_switches());
    for cloud in Cloud::ALL {
        let _ = write!(page, "\n## {}\n", title(cloud));
        section(
            &mut page,
            cloud.behaviours(),
            cloud.switches().iter().copied(),
        );
    }
    page
}

const INTRODUCTION: &str = "\
# What the simulator knows, and how well

<!-- Written by the test `simulator_page` of lifecycle-conformance; run it with LIFECYCLE_WRITE=1. -->

Nothing here was compared with a live cloud. Each thing that `lifecycle-sim` does carries a mark, so that nobody takes a
guess for a fact:

- **documented**: a page of the vendor says so;
- **vendor's source**: an SDK, a command line or a Terraform provider of the vendor does so, or relies on it;
- **reported issue**: somebody reported it in public;
- **inferred**: a conclusion from other facts;
- **switchable unknown**: nobody outside the vendor knows, or the vendor's own words disagree. Each is a setting of the
  simulator, and the seeded simulation draws all of them.

";

fn counts() -> String {
    let mut table = String::from("| |");
    for mark in Confidence::ALL {
        let _ = write!(table, " {mark} |");
    }
    table.push_str("\n| --- |");
    table.push_str(&" --- |".repeat(Confidence::ALL.len()));
    table.push('\n');
    let common = ("all clouds", COMMON_BEHAVIOURS, common_switches().count());
    let own = Cloud::ALL
        .into_iter()
        .map(|cloud| (title(cloud), cloud.behaviours(), cloud.switches().len()));
    for (name, behaviours, switches) in [common].into_iter().chain(own) {
        let _ = write!(table, "| {name} |");
        for mark in Confidence::ALL {
            let count = match mark {
                Confidence::SwitchableUnknown => switches,
                mark => behaviours
                    .iter()
                    .filter(|one| one.confidence == mark)
                    .count(),
            };
            let _ = write!(table, " {count} |");
        }
        table.push('\n');
    }
    table
}

fn section(
    page: &mut String,
    behaviours: &[Behaviour],
    switches: impl Iterator<Item = SwitchDescription>,
) {
    page.push_str("\n| what it does | mark | source |\n| --- | --- | --- |\n");
    for mark in Confidence::ALL {
        for behaviour in behaviours.iter().filter(|one| one.confidence == mark) {
            let Behaviour {
                description,
                source,
                ..
            } = behaviour;
            let _ = writeln!(page, "| {description} | {mark} | {source} |");
        }
    }
    page.push_str("\n| switch | what it decides |\n| --- | --- |\n");
    for switch in switches {
        let _ = writeln!(
            page,
            "| `{}` | {} |",
            switch.name,
            switch.description.trim()
        );
    }
}

fn title(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Baidu => "Baidu BCC",
        Cloud::Aliyun => "Alibaba ECS",
        Cloud::Zenlayer => "Zenlayer ZEC",
        Cloud::Huawei => "Huawei ECS",
        other => other.as_str(),
    }
}
