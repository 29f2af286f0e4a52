//! Keys: missing ones, wrong ones, and that none is ever shown.

use crate::support::{Served, keys, run, run_with};

#[test]
fn without_a_key_nothing_can_be_done() {
    let ran = run(&["start", "baidu/bj/i-1"]).exits_with(3);
    assert_eq!(ran.stdout, "");
    assert!(
        ran.stderr
            .contains("no key for Baidu AI Cloud BCC: BAIDUCLOUD_ACCESS_KEY and BAIDUCLOUD_SECRET_KEY are not set"),
        "{ran:#?}"
    );
    run(&["status", "baidu/bj/i-1"]).exits_with(3);
    run(&["wait", "baidu/bj/i-1"]).exits_with(3);
    run(&["list", "baidu/bj"]).exits_with(3);
}

#[test]
fn programs_get_a_row_for_each_instance_even_then() {
    let args = [
        "reboot",
        "huawei/cn-north-4/a",
        "baidu/bj/i-1",
        "--output",
        "json",
    ];
    let ran = run(&args).exits_with(3);
    assert_eq!(ran.column("outcome"), ["skipped"; 2]);
    assert_eq!(ran.column("kind"), ["credential"; 2]);
    let ran = run(&["status", "baidu/bj/i-1", "--output", "json"]).exits_with(3);
    assert_eq!(ran.column("kind"), ["credential"]);
    assert!(ran.rows()[0].get("outcome").is_none());
    let ran = run(&["list", "baidu/bj", "--output", "json"]).exits_with(3);
    assert_eq!(ran.stdout, "[]\n");
}

#[test]
fn half_a_key_is_named() {
    let variables = [("BCE_ACCESS_KEY_ID", "id".to_owned())];
    run_with(&["stop", "baidu/bj/i-1"], &variables, "")
        .exits_with(3)
        .says_only("BCE_ACCESS_KEY_ID is set, but BCE_SECRET_ACCESS_KEY is not");
}

#[test]
fn a_refused_key_is_told_and_never_shown() {
    const SECRET: &str = "wrong-secret-of-this-test";
    let served = Served::with(&["--fleet", "baidu/bj=2,huawei/cn-north-4=1"]);
    let variables = keys(
        served.field("access_key"),
        SECRET,
        served.field("project_id"),
    );
    let instances = served.instances();
    for command in ["start", "stop", "reboot", "status", "wait"] {
        let endpoint = ["--endpoint", served.field("url"), "-vv", "--output", "json"];
        let args = [&[command][..], &instances, &endpoint].concat();
        let ran = run_with(&args, &variables, "").exits_with(3);
        assert_eq!(ran.column("kind"), ["credential"; 3], "{ran:#?}");
        assert!(!format!("{ran:?}").contains(SECRET), "{ran:#?}");
    }
    let args = ["list", "baidu/bj", "--endpoint", served.field("url")];
    let ran = run_with(&args, &variables, "").exits_with(3);
    assert!(ran.stderr.contains("check the access key"), "{ran:#?}");
    assert!(!format!("{ran:?}").contains(SECRET), "{ran:#?}");
}

#[test]
fn one_cloud_that_lets_nobody_in_does_not_stop_the_other() {
    let served = Served::with(&["--fleet", "baidu/bj=1,aliyun/cn-hangzhou=1"]);
    let mut variables = served.keys();
    variables.retain(|(name, _)| *name != "BCE_SECRET_ACCESS_KEY");
    variables.push(("BCE_SECRET_ACCESS_KEY", "wrong".into()));
    let instances = served.instances();
    let endpoint = [
        "--endpoint",
        served.field("url"),
        "--no-wait",
        "--output",
        "json",
    ];
    let args = [&["start"][..], &instances, &endpoint].concat();
    let ran = run_with(&args, &variables, "").exits_with(1);
    assert_eq!(ran.column("outcome"), ["refused", "accepted"]);
    let endpoint = ["--endpoint", served.field("url"), "--output", "json"];
    let args = [&["list", "baidu/bj", "aliyun/cn-hangzhou"][..], &endpoint].concat();
    let ran = run_with(&args, &variables, "").exits_with(1);
    assert!(!ran.rows().is_empty(), "{ran:#?}");
}
