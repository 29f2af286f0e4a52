//! Tests of `lifecycle demo`.

use std::collections::HashSet;

use crate::support::run;

#[test]
fn demo_starts_60_instances_without_key_and_network() {
    let result = run(&["demo", "--output", "json"]).exits_with(0);
    assert_eq!(result.column("outcome"), vec!["reached"; 60]);
    let instances: HashSet<String> = result
        .column("instance")
        .iter()
        .map(|instance| instance.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(instances.len(), 60);
    for cloud in ["baidu/", "aliyun/", "zenlayer/", "huawei/"] {
        let of_cloud = instances.iter().filter(|one| one.starts_with(cloud));
        assert_eq!(of_cloud.count(), 15, "{cloud}");
    }
    assert!(result.stderr.contains("60 reached"), "{result:#?}");
    assert!(
        result.stderr.contains("60 starts, none of them twice"),
        "{result:#?}"
    );
}

#[test]
fn demo_table_counts_calls_and_fits_80_columns() {
    let result = run(&["demo"]).exits_with(0);
    let figures: Vec<Vec<&str>> = result
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(figures.len(), 6, "{result:#?}");
    // Region, instances, running instances, start calls, minimum.
    for line in &figures[1..5] {
        assert_eq!(line[1..5], ["15", "15", "1", "1"], "{result:#?}");
    }
    assert_eq!(figures[5][..5], ["total", "60", "60", "4", "4"]);
    assert!(!result.stdout.contains('\u{1b}'), "{result:#?}");
    assert!(!result.stderr.contains('\u{1b}'), "{result:#?}");
    let wide = |line: &str| line.chars().count() > 80;
    assert!(!result.stdout.lines().chain(result.stderr.lines()).any(wide));
}
