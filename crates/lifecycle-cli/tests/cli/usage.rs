//! Wrong input: one clear line, exit code 2, nothing sent.

use crate::support::{keys, run, run_with};

#[test]
fn wrong_values_are_named_with_what_to_write_instead() {
    for (args, expected) in [
        (
            "start foo",
            r#"error: "foo" is no reference: write cloud/region/instance-id, such as baidu/bj/i-a1b2c3d4"#,
        ),
        (
            "start aws/us/i-1",
            r#"there is no cloud "aws": write one of"#,
        ),
        ("status baidu/bj/i@1", r#"instance id "i@1" has other"#),
        ("list baidu", "write cloud/region, such as baidu/bj"),
        (
            "reboot baidu/bj/i-1 --timeout 10",
            r#"--timeout: "10" is no time: write a number with its unit"#,
        ),
        (
            "wait baidu/bj/i-1 --timeout 0s",
            "--timeout: \"0s\" leaves no time",
        ),
        (
            "stop baidu/bj/i-1 --endpoint http://example.com",
            "--endpoint: http://example.com would send",
        ),
        (
            "stop baidu/bj/i-1 --endpoint ftp://a",
            "\"ftp://a\" has a scheme",
        ),
        (
            "simulate --fleet baidu/bj",
            "--fleet: fleet part \"baidu/bj\" has no =",
        ),
        (
            "simulate --listen 7070",
            "--listen: \"7070\" is no address: write address:port",
        ),
        (
            "simulate --speed 0",
            "--speed: \"0\" is no speed: write a number above 0",
        ),
        ("status zenlayer/asia/1 --sim", "write zenlayer/global"),
        ("list zenlayer/asia --sim", "write zenlayer/global"),
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        run(&args).exits_with(2).says_only(expected);
    }
}

#[test]
fn one_wrong_reference_among_good_ones_sends_nothing() {
    run(&["start", "baidu/bj/i-P7J6xY5N", "foo", "--sim"])
        .exits_with(2)
        .says_only("\"foo\" is no reference");
}

#[test]
fn options_that_a_cloud_cannot_honour_are_refused_before_anything_is_sent() {
    for args in [
        "stop zenlayer/global/1 --billing release --sim",
        "start baidu/bj/i-1 --init-local-disk --sim",
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        run(&args).exits_with(2).says_only("nothing was sent");
    }
}

#[test]
fn what_is_missing_or_unknown_is_wrong_usage_and_not_data() {
    for args in [
        &["start"][..],
        &["start", "baidu/bj/i-1", "--force"],
        &["wait", "baidu/bj/i-1", "--for", "nothing"],
        &["list"],
        &["launch"],
        &[],
        &["status", "baidu/bj/i-1", "--sim", "--endpoint", "https://a"],
    ] {
        let ran = run(args).exits_with(2);
        assert_eq!(ran.stdout, "", "{args:?}");
        assert!(!ran.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn standard_input_without_references_is_wrong_usage() {
    for (stdin, expected) in [
        ("", "standard input names no instance"),
        (
            "# nothing\n\n  # but comments\n",
            "standard input names no instance",
        ),
        (
            "baidu/bj/i-1\nfoo bar\n",
            "line 2 of standard input: \"foo\"",
        ),
    ] {
        run_with(&["start", "-"], &keys("id", "secret", "project"), stdin)
            .exits_with(2)
            .says_only(expected);
    }
}
