//! The conformance page of the documentation, generated from the result matrix.

use std::fmt::Write as _;

use super::{CaseStatus, Matrix};

/// Returns the text of `docs/conformance.md`.
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

The results of the conformance suite for each provider and the client against the [simulated clouds](simulator.md).
`cargo xtask conformance` runs the suite in seconds. `cargo xtask conformance --live --instance cloud/region/id` runs the
read-only cases on a real account; `--allow-power` adds the other cases possible on a real account.

A case passes if the report agrees with the cloud. An instance reported as reached is in the requested state, and the action
was executed once. An action reported as refused was not executed. No instance is rebooted twice, and the client makes no
needless calls. The provider's profile decides which cases apply. A number refers to the reason below the table.

A column of passed cases shows that the provider and the client agree with the simulator. The page on the
[simulator](simulator.md) lists the behaviour of each simulated cloud with its sources. No result here was compared with a
live cloud.

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
    for (name, statuses) in matrix.rows() {
        let _ = write!(table, "| {name} |");
        for status in statuses {
            let _ = write!(table, " {} |", cell(status, notes));
        }
        table.push('\n');
    }
    table
}

fn cell<'m>(status: &'m CaseStatus, notes: &mut Vec<&'m str>) -> String {
    let Some(reason) = status.reason() else {
        return "pass".to_owned();
    };
    let number = notes.iter().position(|note| *note == reason);
    let number = number.unwrap_or_else(|| {
        notes.push(reason);
        notes.len() - 1
    });
    match status {
        CaseStatus::Failed(_) => format!("**fail** ({})", number + 1),
        _ => format!("– ({})", number + 1),
    }
}
