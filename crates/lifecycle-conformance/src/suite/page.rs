//! The matrix as a page of the documentation.

use std::fmt::Write as _;

use super::{Matrix, Verdict};

/// `docs/conformance.md`.
pub fn page(matrix: &Matrix) -> String {
    let mut notes: Vec<&str> = Vec::new();
    let table = table(matrix, &mut notes);
    let mut page = INTRODUCTION.to_owned();
    let _ = writeln!(
        page,
        "{} cases pass, {} are not applicable, {} fail.\n\n{table}",
        matrix.count("pass"),
        matrix.count("not applicable"),
        matrix.count("fail")
    );
    for (number, note) in notes.iter().enumerate() {
        let _ = writeln!(page, "{}. {note}", number + 1);
    }
    page
}

const INTRODUCTION: &str = "\
# Conformance

<!-- Written by the test `conformance` of lifecycle-conformance; run it with LIFECYCLE_WRITE=1. -->

What each provider and the engine were seen to do, with the [simulated cloud](simulator.md) on the other side.
`cargo xtask conformance` runs it in seconds; `cargo xtask conformance --live --instance cloud/region/id` runs
what is harmless on a real account, and with `--allow-power` the rest of what a real account allows.

A case passes when the outcome says what is so: what is reported as reached is there and was carried out once, what
is reported as refused was not carried out, nothing is rebooted twice, and no calls are made that need not be. Which cases
apply follows from the provider's profile. A number points to the reason below the table.

A green column says that the provider and the engine fit the simulator. What the simulator knows of a cloud, and how
well, is on [its own page](simulator.md); nothing here was compared with a live cloud.

";

fn table<'m>(matrix: &'m Matrix, notes: &mut Vec<&'m str>) -> String {
    let mut table = String::from("| case |");
    for column in matrix.columns() {
        let _ = write!(table, " {} |", column.name);
    }
    table.push_str("\n| --- |");
    for _ in matrix.columns() {
        table.push_str(" --- |");
    }
    table.push('\n');
    for (name, verdicts) in matrix.rows() {
        let _ = write!(table, "| {name} |");
        for verdict in verdicts {
            let _ = write!(table, " {} |", cell(verdict, notes));
        }
        table.push('\n');
    }
    table
}

fn cell<'m>(verdict: &'m Verdict, notes: &mut Vec<&'m str>) -> String {
    let Some(reason) = verdict.reason() else {
        return "pass".to_owned();
    };
    let number = notes.iter().position(|note| *note == reason);
    let number = number.unwrap_or_else(|| {
        notes.push(reason);
        notes.len() - 1
    });
    match verdict {
        Verdict::Failed(_) => format!("**fail** ({})", number + 1),
        _ => format!("– ({})", number + 1),
    }
}
