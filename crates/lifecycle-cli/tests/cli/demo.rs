//! `lifecycle demo`: the first thing that anybody tries.

use std::collections::HashSet;

use crate::support::run;

#[test]
fn sixty_machines_come_up_without_keys_and_network() {
    let ran = run(&["demo", "--output", "json"]).exits_with(0);
    assert_eq!(ran.column("outcome"), vec!["reached"; 60]);
    let instances: HashSet<String> = ran
        .column("instance")
        .iter()
        .map(|instance| instance.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(instances.len(), 60);
    for cloud in ["baidu/", "aliyun/", "zenlayer/", "huawei/"] {
        let there = instances.iter().filter(|one| one.starts_with(cloud));
        assert_eq!(there.count(), 15, "{cloud}");
    }
    assert!(ran.stderr.contains("60 reached"), "{ran:#?}");
    assert!(ran.stderr.contains("60 starts, none twice"), "{ran:#?}");
}

#[test]
fn the_table_counts_the_calls_that_it_took() {
    let ran = run(&["demo"]).exits_with(0);
    let figures: Vec<Vec<&str>> = ran
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(figures.len(), 6, "{ran:#?}");
    // Place, machines, came up, start calls, the fewest possible.
    for line in &figures[1..5] {
        assert_eq!(line[1..5], ["15", "15", "1", "1"], "{ran:#?}");
    }
    assert_eq!(figures[5][..5], ["together", "60", "60", "4", "4"]);
    assert!(!ran.stdout.contains('\u{1b}'), "{ran:#?}");
    assert!(!ran.stderr.contains('\u{1b}'), "{ran:#?}");
    let wide = |line: &str| line.chars().count() > 80;
    assert!(!ran.stdout.lines().chain(ran.stderr.lines()).any(wide));
}
