//! Tests that the tables in the README agree with the code.
//!
//! `LIFECYCLE_WRITE=1` writes the tables.

use std::{collections::HashSet, env, fmt::Write as _, fs};

use lifecycle_core::{Action, ExecutionStatus, FaultKind, Idempotency};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

#[test]
fn tables_of_the_readme_equal_the_code() {
    let written = fs::read_to_string(README).unwrap();
    let mut readme = written.clone();
    for (name, table) in [("idempotency", idempotency()), ("faults", faults())] {
        let comment = readme.find(&format!("<!-- {name}:")).unwrap();
        let begin = comment + readme[comment..].find('\n').unwrap() + 1;
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
fn every_kind_has_a_unique_name_and_advice() {
    let names: HashSet<&str> = FaultKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(names.len(), FaultKind::ALL.len());
    assert!(FaultKind::ALL.iter().all(|kind| !kind.advice().is_empty()));
}

fn idempotency() -> String {
    let mut table =
        String::from("| action | if the result is unknown | because |\n| --- | --- | --- |\n");
    for action in Action::all_variants() {
        let (what, why) = match action.idempotency() {
            Idempotency::Idempotent(why) => ("send the request again", why),
            Idempotency::NotIdempotent(why) => ("**observe; never send the request again**", why),
            other => panic!("no text for {other:?}"),
        };
        writeln!(table, "| {action} | {what} | {why} |").unwrap();
    }
    table
}

fn faults() -> String {
    let mut table = String::from(
        "| kind | executed? | one instance? | next step |\n| --- | --- | --- | --- |\n",
    );
    for kind in FaultKind::ALL {
        let executed = match kind.execution_status() {
            ExecutionStatus::NotExecuted => "no",
            _ => "perhaps",
        };
        let one_instance = if kind.is_per_instance() {
            "perhaps"
        } else {
            "no"
        };
        writeln!(
            table,
            "| `{kind}` | {executed} | {one_instance} | {} |",
            kind.advice()
        )
        .unwrap();
    }
    table
}
