//! Tests of the output formats, and of rows on standard input.

use serde_json::Value;

use crate::support::{RunResult, run, run_with};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/output.md");

fn list(options: &[&str]) -> RunResult {
    run(&[&["list", "baidu/bj", "--sim"], options].concat()).exits_with(0)
}

/// Returns the fields of the documented table: name, and `true` if every row has the field.
fn documented_fields() -> Vec<(String, bool)> {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (_, table) = page.split_once("<!-- fields:").unwrap();
    let (table, _) = table.split_once("<!-- end of fields -->").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let name = cells[0].trim_matches(['|', ' ', '`']);
        (name.to_owned(), cells[1] == "all")
    })
    .collect()
}

fn keys(row: &Value) -> Vec<&str> {
    row.as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn columns_of_a_list_of_several_clouds_are_in_line() {
    let list = run(&["list", "--sim", "--columns", "instance,state"]).exits_with(0);
    let begins = list.stdout.lines().map(|line| line.rfind(' '));
    let begins: std::collections::BTreeSet<_> = begins.collect();
    assert_eq!(begins.len(), 1, "{}", list.stdout);
    assert!(list.stdout.contains("huawei/") && list.stdout.contains("baidu/"));
}

#[test]
fn documented_fields_are_the_fields_of_the_rows() {
    let fields = documented_fields();
    assert!(fields.len() > 10, "{fields:?}");
    let mut everywhere: Vec<&str> = fields
        .iter()
        .filter(|(_, everywhere)| *everywhere)
        .map(|(name, _)| &**name)
        .collect();
    everywhere.push("schema");
    everywhere.sort_unstable();
    for row in list(&["--output", "json"]).rows() {
        assert_eq!(keys(&row), everywhere);
        assert_eq!(row["schema"], 1);
    }
    let args = ["stop", "baidu/bj/i-none", "--sim", "--output", "json"];
    let stop = run(&args).exits_with(1).rows();
    let pending = run(&[
        "start",
        "baidu/bj/i-P7J6xY5N",
        "--sim",
        "--timeout",
        "1s",
        "--output",
        "json",
    ])
    .exits_with(4)
    .rows();
    let args = [
        "status",
        "baidu/bj/i-P7J6xY5N",
        "--watch",
        "--for",
        "stopped",
    ];
    let watch = run(&[&args[..], &["--sim", "--output", "json"]].concat());
    let watch = watch.exits_with(0).rows();
    let mut all: Vec<&str> = [keys(&stop[0]), keys(&pending[0]), keys(&watch[0])].concat();
    all.sort_unstable();
    all.dedup();
    let mut documented: Vec<&str> = fields.iter().map(|(name, _)| &**name).collect();
    documented.push("schema");
    documented.sort_unstable();
    assert_eq!(all, documented);
}

#[test]
fn columns_of_the_command_are_the_documented_fields_and_detail() {
    let result = run(&["list", "baidu/bj", "--sim", "--columns", "stat"]).exits_with(2);
    let (_, columns) = result.stderr.rsplit_once("columns: ").unwrap();
    let columns: Vec<&str> = columns.trim().split(", ").collect();
    let mut documented: Vec<String> = documented_fields()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    documented.extend(["detail", "ip", "tag:KEY"].map(str::to_owned));
    documented.sort_unstable();
    let mut columns = columns;
    columns.sort_unstable();
    assert_eq!(columns, documented);
    result.has_only_error("--columns: unknown column \"stat\": did you mean \"state\"?");
}

#[test]
fn json_lines_and_references_have_the_rows_of_the_array() {
    // Each command simulates instances of its own, created and started when the command starts.
    let without_times = |mut row: Value| {
        let fields = row.as_object_mut().unwrap();
        fields.retain(|name, _| !name.ends_with("_at"));
        row
    };
    let array = list(&["--output", "json"]).rows();
    let array: Vec<Value> = array.into_iter().map(without_times).collect();
    let lines = list(&["--output", "jsonl"]).stdout;
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| without_times(serde_json::from_str(line).unwrap()))
        .collect();
    assert_eq!(array, lines);
    let ids = list(&["--output", "ids"]).stdout;
    let instances: Vec<&str> = array
        .iter()
        .map(|row| row["instance"].as_str().unwrap())
        .collect();
    assert_eq!(ids.lines().collect::<Vec<_>>(), instances);
}

#[test]
fn csv_has_a_header_and_the_requested_columns() {
    let csv = list(&["--output", "csv"]).stdout;
    let header = csv.lines().next().unwrap();
    assert!(header.starts_with("instance,state,code,"), "{header}");
    assert!(!header.contains("outcome"), "{header}");
    assert_eq!(csv.lines().count(), 7, "{csv}");
    let csv = list(&["--output", "csv", "--columns", "id,state", "--no-header"]).stdout;
    assert!(csv.contains("i-P7J6xY5N,stopped\n"), "{csv}");
    assert_eq!(csv.lines().count(), 6, "{csv}");
}

#[test]
fn sorted_rows_of_every_format_have_the_order_of_the_column() {
    let states = |result: &RunResult| -> Vec<String> {
        let lines = result.stdout.lines();
        lines.map(|line| line.trim().to_owned()).collect()
    };
    let options = ["--columns", "state", "--no-header", "--sort"];
    let sorted = states(&list(&[&options[..], &["state"]].concat()));
    let expected = [
        "expired", "running", "running", "stopped", "stopped", "stopped",
    ];
    assert_eq!(sorted, expected);
    let mut descending = states(&list(&[&options[..], &["-state"]].concat()));
    descending.reverse();
    assert_eq!(descending, expected);
    let json = list(&["--output", "json", "--sort", "state"]);
    assert_eq!(json.column("state"), expected);
}

#[test]
fn option_for_tables_is_wrong_usage_with_another_format() {
    for (options, expected) in [
        (
            &["--columns", "id", "--output", "json"][..],
            "--columns needs",
        ),
        (&["--no-header", "--output", "ids"], "--no-header needs"),
        (&["--sort", "stat"], "--sort: unknown column \"stat\""),
    ] {
        let args = [&["list", "baidu/bj", "--sim"], options].concat();
        run(&args).exits_with(2).has_only_error(expected);
    }
    for command in ["credentials", "doctor"] {
        let args = [command, "--sim", "--output", "csv"];
        run(&args)
            .exits_with(2)
            .has_only_error("--output csv prints rows of instances");
    }
}

#[test]
fn output_of_a_list_is_accepted_as_input() {
    for format in ["ids", "json", "jsonl"] {
        let listed = list(&["--output", format]).stdout;
        let args = ["status", "-", "--sim", "--output", "ids"];
        let result = run_with(&args, &[], &listed).exits_with(0);
        assert_eq!(result.stdout, list(&["--output", "ids"]).stdout, "{format}");
    }
    let table = list(&[]).stdout;
    run_with(&["stop", "-", "--sim"], &[], &table)
        .exits_with(2)
        .has_only_error("write --output ids or --output json before the pipe");
}

#[test]
fn every_format_without_rows_is_valid() {
    for (format, expected) in [
        ("json", "[]\n"),
        ("jsonl", ""),
        ("ids", ""),
        ("table", "INSTANCE  STATE  NAME  DETAIL\n"),
    ] {
        let args = ["list", "baidu/su", "--sim", "--output", format];
        assert_eq!(run(&args).exits_with(0).stdout, expected, "{format}");
    }
}

#[test]
fn quiet_command_prints_errors_only() {
    let result = run(&["list", "baidu/su", "--sim", "--quiet"]).exits_with(0);
    assert_eq!(result.stderr, "");
    let result = run(&["start", "baidu/bj/i-P7J6xY5N", "--sim", "-q"]).exits_with(0);
    assert_eq!(result.stderr, "");
    run(&["list", "baidu", "--sim", "-q"])
        .exits_with(2)
        .has_only_error("invalid region");
    run(&["list", "baidu/bj", "--sim", "-q", "-v"]).exits_with(2);
}

#[test]
fn long_wait_without_a_terminal_prints_a_line_every_minute() {
    let args = ["wait", "baidu/bj/i-P7J6xY5N", "--sim", "--timeout", "130s"];
    let result = run(&args).exits_with(4);
    for elapsed in [60, 120] {
        let line = format!("after {elapsed} s: 0 of 1 instances have a result (1 stopped)\n");
        assert!(result.stderr.contains(&line), "{result:#?}");
    }
    let result = run(&[&args[..], &["--quiet"]].concat()).exits_with(4);
    assert_eq!(result.stderr, "");
}
