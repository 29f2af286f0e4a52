//! Tests of the generated page about the simulator. Run with `LIFECYCLE_WRITE=1` to write the page.

use std::{collections::HashSet, env, fmt::Write as _, fs};

use lifecycle_sim::{
    Behaviour, COMMON_BEHAVIOURS, Cloud, Confidence, SwitchDescription, common_switches,
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/simulator.md");

#[test]
fn page_is_up_to_date() {
    let page = page();
    if env::var_os("LIFECYCLE_WRITE").is_some() {
        fs::write(PAGE, page).unwrap();
    } else {
        let written = fs::read_to_string(PAGE).unwrap_or_default();
        assert_eq!(written, page, "run this test with LIFECYCLE_WRITE=1");
    }
}

#[test]
fn each_behaviour_is_listed_once_with_a_source_and_a_confidence() {
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
            assert!(description.ends_with('.'), "no sentence: {description}");
            assert!(!source.is_empty(), "no source: {description}");
            assert_ne!(
                *confidence,
                Confidence::SwitchableUnknown,
                "unknown behaviour is a switch: {description}"
            );
        }
    }
}

#[test]
fn switches_in_the_list_are_the_fields_of_the_settings() {
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
# The behaviour of the simulator, with sources

<!-- Written by the test `simulator_page` of lifecycle-conformance; run it with LIFECYCLE_WRITE=1. -->

None of the behaviour was compared with a live cloud. Each behaviour of `lifecycle-sim` has a level of confidence, which
separates facts from guesses:

- **documented**: a page of the vendor documents the behaviour;
- **vendor's source**: an SDK, a command line or a Terraform provider of the vendor has the behaviour, or relies on it;
- **reported issue**: a public report describes the behaviour;
- **inferred**: a conclusion from other facts;
- **switchable unknown**: the behaviour is unknown outside the vendor, or the vendor's documents disagree. Each unknown is
  a setting of the simulator, and the seeded simulation draws all settings.

";

fn counts() -> String {
    let mut table = String::from("| |");
    for confidence in Confidence::ALL {
        let _ = write!(table, " {confidence} |");
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
        for confidence in Confidence::ALL {
            let count = match confidence {
                Confidence::SwitchableUnknown => switches,
                confidence => behaviours
                    .iter()
                    .filter(|one| one.confidence == confidence)
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
    page.push_str("\n| behaviour | confidence | source |\n| --- | --- | --- |\n");
    for confidence in Confidence::ALL {
        for behaviour in behaviours.iter().filter(|one| one.confidence == confidence) {
            let Behaviour {
                description,
                source,
                ..
            } = behaviour;
            let _ = writeln!(page, "| {description} | {confidence} | {source} |");
        }
    }
    page.push_str("\n| switch | meaning |\n| --- | --- |\n");
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
