//! Tests of missing keys and rejected keys.

use crate::support::{SimulatorServer, keys, run, run_with};

#[test]
fn command_without_key_exits_with_3() {
    let result = run(&["start", "baidu/bj/i-1"]).exits_with(3);
    assert_eq!(result.stdout, "");
    assert!(
        result.stderr
            .contains("no key for Baidu AI Cloud BCC: BAIDUCLOUD_ACCESS_KEY and BAIDUCLOUD_SECRET_KEY are not set"),
        "{result:#?}"
    );
    run(&["status", "baidu/bj/i-1"]).exits_with(3);
    run(&["wait", "baidu/bj/i-1"]).exits_with(3);
    run(&["list", "baidu/bj"]).exits_with(3);
}

#[test]
fn json_output_without_key_has_a_row_for_each_instance() {
    let args = [
        "reboot",
        "huawei/cn-north-4/a",
        "baidu/bj/i-1",
        "--output",
        "json",
    ];
    let result = run(&args).exits_with(3);
    assert_eq!(result.column("outcome"), ["skipped"; 2]);
    assert_eq!(result.column("kind"), ["credential"; 2]);
    let result = run(&["status", "baidu/bj/i-1", "--output", "json"]).exits_with(3);
    assert_eq!(result.column("kind"), ["credential"]);
    assert!(result.rows()[0].get("outcome").is_none());
    let result = run(&["list", "baidu/bj", "--output", "json"]).exits_with(3);
    assert_eq!(result.stdout, "[]\n");
}

#[test]
fn missing_half_of_a_key_is_reported() {
    let variables = [("BCE_ACCESS_KEY_ID", "id".to_owned())];
    run_with(&["stop", "baidu/bj/i-1"], &variables, "")
        .exits_with(3)
        .has_only_error("BCE_ACCESS_KEY_ID is set, but BCE_SECRET_ACCESS_KEY is not");
}

#[test]
fn rejected_key_is_reported_without_its_secret() {
    const SECRET: &str = "wrong-secret-of-this-test";
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=2,huawei/cn-north-4=1"]);
    let variables = keys(
        server.field("access_key"),
        SECRET,
        server.field("project_id"),
    );
    let instances = server.instances();
    for command in ["start", "stop", "reboot", "status", "wait"] {
        let endpoint = ["--endpoint", server.field("url"), "-vv", "--output", "json"];
        let args = [&[command][..], &instances, &endpoint].concat();
        let result = run_with(&args, &variables, "").exits_with(3);
        assert_eq!(result.column("kind"), ["credential"; 3], "{result:#?}");
        assert!(!format!("{result:?}").contains(SECRET), "{result:#?}");
    }
    let args = ["list", "baidu/bj", "--endpoint", server.field("url")];
    let result = run_with(&args, &variables, "").exits_with(3);
    assert!(
        result.stderr.contains("check the access key"),
        "{result:#?}"
    );
    assert!(!format!("{result:?}").contains(SECRET), "{result:#?}");
}

#[test]
fn key_rejected_by_one_cloud_does_not_affect_another_cloud() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=1,aliyun/cn-hangzhou=1"]);
    let mut variables = server.keys();
    variables.retain(|(name, _)| *name != "BCE_SECRET_ACCESS_KEY");
    variables.push(("BCE_SECRET_ACCESS_KEY", "wrong".into()));
    let instances = server.instances();
    let endpoint = [
        "--endpoint",
        server.field("url"),
        "--no-wait",
        "--output",
        "json",
    ];
    let args = [&["start"][..], &instances, &endpoint].concat();
    let result = run_with(&args, &variables, "").exits_with(1);
    assert_eq!(result.column("outcome"), ["refused", "accepted"]);
    let endpoint = ["--endpoint", server.field("url"), "--output", "json"];
    let args = [&["list", "baidu/bj", "aliyun/cn-hangzhou"][..], &endpoint].concat();
    let result = run_with(&args, &variables, "").exits_with(1);
    assert!(!result.rows().is_empty(), "{result:#?}");
}
