//! Tests of wrong usage: a line of error, exit code 2, and nothing sent.

use crate::support::{keys, run, run_with};

#[test]
fn invalid_value_is_reported_with_a_valid_form() {
    for (args, expected) in [
        (
            "start foo",
            r#"error: invalid reference "foo": write cloud/region/instance-id, for example baidu/bj/i-a1b2c3d4"#,
        ),
        (
            "start aws/us/i-1",
            "write one of baidu, aliyun, zenlayer, huawei",
        ),
        (
            "status baidu/bj/i@1",
            r#"instance id "i@1" has characters other"#,
        ),
        (
            "list baidu",
            "invalid region \"baidu\": write cloud/region, for example baidu/bj",
        ),
        ("reboot baidu/bj/i-1 --timeout 10", "90s, 10m or 1h30m"),
        ("wait baidu/bj/i-1 --timeout 0s", "90s or 10m"),
        (
            "stop baidu/bj/i-1 --endpoint http://example.com",
            "--endpoint: http://example.com is not encrypted: write https://",
        ),
        (
            "stop baidu/bj/i-1 --endpoint ftp://a",
            "\"ftp://a\" has a scheme",
        ),
        (
            "start baidu/bj/i-1 --max many",
            "--max: invalid count \"many\": write a whole number",
        ),
        (
            "start baidu/bj/i-1 --stop-after 0",
            "--stop-after: invalid limit \"0\"",
        ),
        (
            "simulate --fleet baidu/bj",
            "--fleet: invalid fleet part \"baidu/bj\": missing =",
        ),
        (
            "simulate --listen 7070",
            "--listen: invalid address \"7070\": write address:port",
        ),
        (
            "simulate --speed 0",
            "--speed: invalid speed \"0\": write a number above 0",
        ),
        ("status zenlayer/asia/1 --sim", "write zenlayer/global"),
        ("list zenlayer/asia --sim", "write zenlayer/global"),
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        run(&args).exits_with(2).has_only_error(expected);
    }
}

#[test]
fn one_invalid_reference_rejects_the_whole_command() {
    run(&["start", "baidu/bj/i-P7J6xY5N", "foo", "--sim"])
        .exits_with(2)
        .has_only_error("invalid reference \"foo\"");
}

#[test]
fn option_without_support_in_the_cloud_is_wrong_usage() {
    for args in [
        "stop zenlayer/global/1 --billing release --sim",
        "start baidu/bj/i-1 --init-local-disk --sim",
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        run(&args).exits_with(2).has_only_error("nothing was sent");
    }
}

#[test]
fn missing_or_unknown_argument_is_wrong_usage_without_output() {
    for args in [
        &["start"][..],
        &["start", "baidu/bj/i-1", "--force"],
        &["wait", "baidu/bj/i-1", "--for", "nothing"],
        &["list"],
        &["launch"],
        &[],
        &["status", "baidu/bj/i-1", "--sim", "--endpoint", "https://a"],
    ] {
        let result = run(args).exits_with(2);
        assert_eq!(result.stdout, "", "{args:?}");
        assert!(!result.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn harmful_option_is_not_suggested() {
    for args in [
        "reboot baidu/bj/i-1 --force-after 90s --sim",
        "restart baidu/bj/i-1 --sim",
        "stop baidu/bj/i-1 --billing free --sim",
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        let result = run(&args).exits_with(2);
        assert!(!result.stderr.contains("tip:"), "{result:#?}");
        assert!(
            !result.stderr.contains("Usage: lifecycle reboot"),
            "{result:#?}"
        );
    }
}

#[test]
fn standard_input_without_references_is_wrong_usage() {
    for (stdin, expected) in [
        ("", "no instance on standard input"),
        (
            "# nothing\n\n  # but comments\n",
            "no instance on standard input",
        ),
        (
            "baidu/bj/i-1\nfoo bar\n",
            "line 2 of standard input: invalid reference \"foo\"",
        ),
    ] {
        run_with(&["start", "-"], &keys("id", "secret", "project"), stdin)
            .exits_with(2)
            .has_only_error(expected);
    }
}
