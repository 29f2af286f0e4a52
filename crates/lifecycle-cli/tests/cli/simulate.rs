//! Tests of `lifecycle simulate`.

use crate::support::{SimulatorServer, run};

#[test]
fn first_line_of_simulate_has_all_settings_of_a_client() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=1:running,zenlayer/asia-east-1=2"]);
    assert!(server.field("url").starts_with("http://127.0.0.1:"));
    assert_ne!(server.field("url"), "http://127.0.0.1:0");
    assert_eq!(server.field("project_id").len(), 32);
    let instances = server.instances();
    assert_eq!(instances.len(), 3);
    // References of Zenlayer have the region `global`.
    assert!(
        instances[2].starts_with("zenlayer/global/"),
        "{instances:?}"
    );
    let args = [&["status"][..], &instances, &["--output", "json"]].concat();
    let result = server.run(&args).exits_with(0);
    assert_eq!(result.column("state"), ["running", "stopped", "stopped"]);
}

#[test]
fn simulate_without_fleet_option_serves_the_fleet_of_sim() {
    let server = SimulatorServer::with(&[]);
    let result = run(&["list", "huawei/cn-north-4", "--sim", "--output", "json"]);
    let of_sim: Vec<String> = result
        .column("instance")
        .iter()
        .map(|instance| instance.as_str().unwrap().to_owned())
        .collect();
    assert!(
        server
            .instances()
            .ends_with(&of_sim.iter().map(String::as_str).collect::<Vec<_>>())
    );
}

#[test]
fn simulate_exits_with_0_after_a_signal() {
    for name in ["TERM", "INT"] {
        assert_eq!(
            SimulatorServer::with(&[]).stop_with(name),
            Some(0),
            "{name}"
        );
    }
}

#[test]
fn port_in_use_is_reported_with_advice() {
    let server = SimulatorServer::with(&[]);
    let address = server.field("url").trim_start_matches("http://");
    run(&["simulate", "--listen", address])
        .exits_with(3)
        .has_only_error("write another address with --listen");
}
