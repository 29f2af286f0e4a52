//! The tables in the README say what the code says.
//!
//! Run with `LIFECYCLE_WRITE=1` to write them anew.

use std::{collections::HashSet, env, fmt::Write as _, fs};

use lifecycle_core::{Action, ExecutionStatus, FaultKind, Idempotency};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

#[test]
fn the_tables_are_fresh() {
    let written = fs::read_to_string(README).unwrap();
    let mut readme = written.clone();
    for (name, table) in [("repeats", repeats()), ("faults", faults())] {
        let mark = readme.find(&format!("<!-- {name}:")).unwrap();
        let begin = mark + readme[mark..].find('\n').unwrap() + 1;
        let end = readme.find(&format!("<!-- end of {name}")).unwrap();
        readme.replace_range(begin..end, &table);
    }
    if env::var_os("LIFECYCLE_WRITE").is_some() {
        fs::write(README, readme).unwrap();
    } else {
        assert_eq!(written, readme, "run this test with LIFECYCLE_WRITE=1");
    }
}

#[test]
fn every_kind_has_a_name_of_its_own_and_advice() {
    let names: HashSet<&str> = FaultKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(names.len(), FaultKind::ALL.len());
    assert!(FaultKind::ALL.iter().all(|kind| !kind.advice().is_empty()));
}

fn repeats() -> String {
    let mut table = String::from("| action | when nobody knows | because |\n| --- | --- | --- |\n");
    for action in Action::all_variants() {
        let (what, why) = match action.idempotency() {
            Idempotency::Idempotent(why) => ("send it again", why),
            Idempotency::NotIdempotent(why) => ("**look, and never send it again**", why),
            other => panic!("no words for {other:?}"),
        };
        writeln!(table, "| {action} | {what} | {why} |").unwrap();
    }
    table
}

fn faults() -> String {
    let mut table = String::from(
        "| kind | carried out? | one of many? | what to do |\n| --- | --- | --- | --- |\n",
    );
    for kind in FaultKind::ALL {
        let effect = match kind.execution_status() {
            ExecutionStatus::NotExecuted => "no",
            _ => "perhaps",
        };
        let search = if kind.is_per_instance() {
            "perhaps"
        } else {
            "no"
        };
        writeln!(
            table,
            "| `{kind}` | {effect} | {search} | {} |",
            kind.advice()
        )
        .unwrap();
    }
    table
}
