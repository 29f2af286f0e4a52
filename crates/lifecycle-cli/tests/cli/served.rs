//! `lifecycle simulate` itself.

use crate::support::{Served, run};

#[test]
fn the_first_line_says_all_that_a_client_needs() {
    let served = Served::with(&["--fleet", "baidu/bj=1:running,zenlayer/asia-east-1=2"]);
    assert!(served.field("url").starts_with("http://127.0.0.1:"));
    assert_ne!(served.field("url"), "http://127.0.0.1:0");
    assert_eq!(served.field("project_id").len(), 32);
    let instances = served.instances();
    assert_eq!(instances.len(), 3);
    // As this command takes them, whatever the region is called.
    assert!(
        instances[2].starts_with("zenlayer/global/"),
        "{instances:?}"
    );
    let args = [&["status"][..], &instances, &["--output", "json"]].concat();
    let ran = served.run(&args).exits_with(0);
    assert_eq!(ran.column("state"), ["running", "stopped", "stopped"]);
}

#[test]
fn without_a_specification_there_is_the_fleet_of_sim() {
    let served = Served::with(&[]);
    let ran = run(&["list", "huawei/cn-north-4", "--sim", "--output", "json"]);
    let of_sim: Vec<String> = ran
        .column("instance")
        .iter()
        .map(|instance| instance.as_str().unwrap().to_owned())
        .collect();
    assert!(
        served
            .instances()
            .ends_with(&of_sim.iter().map(String::as_str).collect::<Vec<_>>())
    );
}

#[test]
fn both_signals_end_it_well() {
    for name in ["TERM", "INT"] {
        assert_eq!(Served::with(&[]).end_by(name), Some(0), "{name}");
    }
}

#[test]
fn a_port_in_use_is_told() {
    let served = Served::with(&[]);
    let address = served.field("url").trim_start_matches("http://");
    run(&["simulate", "--listen", address])
        .exits_with(3)
        .says_only("choose another address with --listen");
}
