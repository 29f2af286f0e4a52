//! The queries of the dashboard and of the alert rules in `docs/deploy`: metrics and labels that they use.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::deploy::folder;

/// A query, and the templates of texts about its results.
#[derive(Debug)]
pub(crate) struct Query {
    expression: String,
    templates: Vec<String>,
}

fn deploy(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

/// Returns the queries of the dashboard and of the alert rules.
pub(crate) fn queries() -> Vec<Query> {
    let mut queries = Vec::new();
    let dashboard: Value = serde_json::from_str(&deploy("grafana-dashboard.json")).unwrap();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            queries.push(Query {
                expression: target["expr"].as_str().unwrap().to_owned(),
                templates: vec![target["legendFormat"].as_str().unwrap().to_owned()],
            });
        }
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if let Some(definition) = variable["definition"].as_str() {
            let inside = definition.strip_prefix("label_values(").unwrap();
            let (metric, label) = inside.strip_suffix(')').unwrap().split_once(", ").unwrap();
            queries.push(Query {
                expression: metric.to_owned(),
                templates: vec![format!("{{{{{label}}}}}")],
            });
        }
    }
    for rule in deploy("alerts.yaml").split("- alert: ").skip(1) {
        let field = |name: &str| {
            let line = rule.lines().find_map(|line| line.trim().strip_prefix(name));
            line.unwrap_or_else(|| panic!("{name} in {rule}"))
                .trim()
                .to_owned()
        };
        queries.push(Query {
            expression: field("expr:"),
            templates: vec![field("summary:"), field("description:")],
        });
    }
    queries
}

/// The words of queries that are no names of metrics or labels.
const WORDS: &[&str] = &[
    "and",
    "by",
    "count",
    "d",
    "h",
    "histogram_quantile",
    "increase",
    "m",
    "max",
    "max_over_time",
    "offset",
    "on",
    "or",
    "rate",
    "s",
    "sum",
    "time",
    "unless",
    "vector",
];

/// The labels that Prometheus adds to each series.
const TARGET_LABELS: [&str; 2] = ["instance", "job"];

/// Checks that the metrics exist, and that they have the labels.
pub(crate) fn check_query(query: &Query, labels: &BTreeMap<String, BTreeSet<String>>) {
    let mut text = query.expression.replace("$__rate_interval", "5m");
    // Values of labels are in quotes.
    while let Some(begin) = text.find('"') {
        let end = begin + 1 + text[begin + 1..].find('"').unwrap();
        text.replace_range(begin..=end, " ");
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c)).filter(|word| !word.is_empty());
    let words: Vec<&str> = words
        .map(|word| word.trim_start_matches(|c: char| c.is_ascii_digit()))
        .filter(|word| !word.is_empty())
        .collect();
    let (metrics, others): (Vec<&str>, Vec<&str>) = words
        .iter()
        .partition(|word| word.starts_with("lifecycle_"));
    assert!(!metrics.is_empty(), "{query:?}");
    let mut known = BTreeSet::from(TARGET_LABELS);
    for metric in metrics {
        let found = labels.get(metric);
        let found = found.unwrap_or_else(|| panic!("{metric} is not in the scrape: {query:?}"));
        known.extend(found.iter().map(String::as_str));
        known.extend(metric.ends_with("_bucket").then_some("le"));
    }
    for word in others.iter().filter(|word| !WORDS.contains(word)) {
        assert!(known.contains(word), "{word} is no label: {query:?}");
    }
    for template in &query.templates {
        for part in template.split("{{").skip(1) {
            let (name, _) = part.split_once("}}").unwrap();
            let name = name.trim();
            let name = name.strip_prefix("$labels.").unwrap_or(name);
            assert!(
                name == "$value" || known.contains(name),
                "{name} is no label: {query:?}"
            );
        }
    }
}

/// Returns promtool: from `PATH`, or from the target folder, into which `cargo xtask ci` puts it.
fn promtool() -> PathBuf {
    let in_target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("promtool");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([in_target]);
    let mut programs = folders.map(|folder| folder.join("promtool"));
    let found = programs.find(|program| program.is_file());
    found.unwrap_or_else(|| "promtool".into())
}

#[test]
fn alert_rules_pass_promtool() {
    let is_required = std::env::var_os("LIFECYCLE_REQUIRE_PROMTOOL").is_some_and(|it| it == "1");
    for arguments in [
        ["check", "rules", "alerts.yaml"],
        ["test", "rules", "alerts-test.yaml"],
    ] {
        let mut promtool = std::process::Command::new(promtool());
        match promtool.args(arguments).current_dir(folder()).output() {
            Ok(output) => assert!(output.status.success(), "{output:?}"),
            Err(error) => {
                assert!(!is_required, "promtool does not start: {error}");
                #[cfg(unix)]
                crate::support::report_skipped("promtool", &error);
            }
        }
    }
}

#[test]
fn each_alert_rule_has_a_test() {
    let rules = deploy("alerts.yaml");
    let tests = deploy("alerts-test.yaml");
    for rule in rules.split("- alert: ").skip(1) {
        let name = rule.lines().next().unwrap().trim();
        let is_fired = tests.split("alertname: ").any(|case| {
            let mut lines = case.lines();
            lines.next() == Some(name)
                && lines
                    .next()
                    .is_some_and(|line| line.trim() == "exp_alerts:")
        });
        assert!(is_fired, "no test in which {name} fires");
    }
}

#[test]
fn query_with_an_unknown_name_is_found() {
    let labels = BTreeMap::from([(
        "lifecycle_a".to_owned(),
        BTreeSet::from(["cloud".to_owned()]),
    )]);
    let check = |expression: &str, template: &str| {
        let query = Query {
            expression: expression.to_owned(),
            templates: vec![template.to_owned()],
        };
        std::panic::catch_unwind(|| check_query(&query, &labels)).is_ok()
    };
    assert!(check(
        r#"sum by (cloud) (rate(lifecycle_a{cloud="b"}[5m])) > 1"#,
        "{{cloud}}"
    ));
    assert!(!check("lifecycle_b", ""));
    assert!(!check("sum by (region) (lifecycle_a)", ""));
    assert!(!check("lifecycle_a", "{{ $labels.region }}"));
}
