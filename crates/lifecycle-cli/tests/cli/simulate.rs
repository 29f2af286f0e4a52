//! Tests of `lifecycle simulate`.

use std::fs;

use crate::support::{SimulatorServer, run, run_with};

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
fn keys_of_the_printed_metadata_service_and_credentials_uri_list_instances() {
    let server = SimulatorServer::with(&["--fleet", "aliyun/cn-hangzhou=2,huawei/cn-north-4=2"]);
    let [url, metadata_url, uri, project] =
        ["url", "metadata_url", "credentials_uri", "project_id"].map(|name| server.field(name));
    let config = tempfile::NamedTempFile::new().unwrap();
    let text = format!(
        "accounts.role = {{ cloud = \"aliyun\", endpoint = {url:?}, metadata_endpoint = {metadata_url:?}, \
         credentials.source = \"metadata\" }}\n\
         accounts.agency = {{ cloud = \"huawei\", endpoint = {url:?}, metadata_endpoint = {metadata_url:?}, \
         project = {project:?}, credentials.source = \"metadata\" }}\n\
         accounts.uri = {{ cloud = \"aliyun\", endpoint = {url:?}, \
         credentials = {{ source = \"uri\", uri = {uri:?} }} }}\n\
         accounts.variable = {{ cloud = \"aliyun\", endpoint = {url:?} }}\n"
    );
    fs::write(&config, text).unwrap();
    let variables = [
        (
            "LIFECYCLE_CONFIG",
            config.path().to_str().unwrap().to_owned(),
        ),
        ("ALIBABA_CLOUD_CREDENTIALS_URI", uri.to_owned()),
        ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true".to_owned()),
    ];
    let named_config = &variables[..1];
    for (account, location, variables, found) in [
        ("role", "aliyun/cn-hangzhou", named_config, "simulated-role"),
        ("agency", "huawei/cn-north-4", named_config, "metadata"),
        ("uri", "aliyun/cn-hangzhou", named_config, "credentials URI"),
        (
            "variable",
            "aliyun/cn-hangzhou",
            &variables,
            "credentials URI",
        ),
    ] {
        let place = format!("{account}@{location}");
        let json = |command: &str| {
            let args = [command, &place, "--output", "json"];
            run_with(&args, variables, "").exits_with(0)
        };
        let instances = server.instances().into_iter();
        let expected: Vec<String> = instances
            .filter(|instance| instance.starts_with(location))
            .map(|instance| format!("{account}@{instance}"))
            .collect();
        assert_eq!(json("list").column("instance"), expected, "{place}");
        let key = json("credentials");
        let source = key.column("found")[0].to_string();
        assert!(source.contains(found), "{place}: {key:#?}");
        assert_eq!(key.column("kind"), ["temporary"], "{place}: {key:#?}");
    }
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
