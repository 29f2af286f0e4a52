//! Tests of command lines that a first-time user types: the error leads to the right command line.

use std::fs;

use crate::support::run;

/// A wrong command line, and parts of its error.
const WRONG: &[(&str, &[&str])] = &[
    (
        "stop i-123",
        &["write cloud and region before the id, for example baidu/bj/i-123"],
    ),
    (
        "stop web",
        &[
            "write cloud/region/instance-id",
            "the name of a group (there is no configuration file)",
        ],
    ),
    (
        "stop",
        &[
            "no instance: write cloud/region/instance-id",
            "--name 'web-*'",
            "lifecycle list",
        ],
    ),
    ("reboot", &["no instance: write cloud/region/instance-id"]),
    ("list", &["for example lifecycle list aliyun/cn-hangzhou"]),
    (
        "list aliyun",
        &[
            "for example aliyun/cn-hangzhou",
            "lifecycle list aliyun/* lists all regions",
        ],
    ),
    (
        "list cn-hangzhou",
        &["write CLOUD/cn-hangzhou, with one of baidu, aliyun"],
    ),
    (
        "list aliyun cn-hangzhou",
        &["for example aliyun/cn-hangzhou"],
    ),
    (
        "list alyun/cn-hangzhou",
        &["unknown cloud \"alyun\": did you mean \"aliyun\"?"],
    ),
    ("list alibaba/cn-hangzhou", &["did you mean \"aliyun\"?"]),
    (
        "list aws/us-east-1",
        &["write one of baidu, aliyun, zenlayer, huawei"],
    ),
    (
        "list aliyun/cn-hangzhou/i-1",
        &["is an instance: write lifecycle status aliyun/cn-hangzhou/i-1"],
    ),
    (
        "status aliyun",
        &["\"aliyun\" is a cloud", "lifecycle list aliyun/cn-hangzhou"],
    ),
    (
        "stop aliyun/cn-hangzhou",
        &[
            "\"aliyun/cn-hangzhou\" is a region",
            "write aliyun/cn-hangzhou/INSTANCE-ID",
            "lifecycle list aliyun/cn-hangzhou",
        ],
    ),
    (
        "stop aliyun/*",
        &["names regions, not an instance", "--name"],
    ),
    (
        "stop aliyun/cn-hangzhou/*",
        &["is a pattern", "aliyun/cn-hangzhou --name 'web-*'"],
    ),
    (
        "stop cn-hangzhou/i-1",
        &["the cloud is missing: write CLOUD/cn-hangzhou/i-1"],
    ),
    (
        "stop aliyun/i-1",
        &["the region is missing: write aliyun/REGION/i-1, for example aliyun/cn-hangzhou/i-1"],
    ),
    ("stop aliyum/cn-hangzhou/i-1", &["did you mean \"aliyun\"?"]),
    ("stop Aliyun/cn-hangzhou/i-1", &["did you mean \"aliyun\"?"]),
    (
        "stop aliyun:cn-hangzhou:i-1",
        &["write cloud/region/instance-id"],
    ),
    (
        "status baidu/bj/i-1,baidu/bj/i-2",
        &["write a space between two references, not a comma"],
    ),
    ("status zenlayer/asia/1 --sim", &["write zenlayer/global"]),
    (
        "--json list",
        &["unexpected argument '--json'", "write --output json"],
    ),
    ("list baidu/bj --json", &["write --output json"]),
    ("list -o json baidu/bj", &["write --output"]),
    (
        "list --output yaml baidu/bj",
        &["possible values: table, json, jsonl, csv, ids"],
    ),
    (
        "list --region cn-hangzhou",
        &["lifecycle list cloud/region"],
    ),
    ("list baidu/bj --colums id", &["'--columns'"]),
    (
        "list baidu/bj --columns instanse",
        &["did you mean \"instance\"?"],
    ),
    (
        "list baidu/bj --sort",
        &["a value is required for '--sort <COLUMN>'"],
    ),
    ("list baidu/bj --state runing", &["'running'"]),
    ("stop --all", &["--name '*'"]),
    ("stop --instance-id i-1", &["cloud/region/instance-id"]),
    (
        "wait baidu/bj/i-1 stopped",
        &["invalid reference \"stopped\""],
    ),
    (
        "reboot baidu/bj/i-1 --timeout 10",
        &["add a unit", "90s, 10m"],
    ),
    (
        "reboot baidu/bj/i-1 --waves 10% --wave-pause 2",
        &["add a unit"],
    ),
    ("status baidu/bj/i-1 --for running", &["--watch"]),
    ("ls baidu/bj", &["'list'"]),
    ("describe baidu/bj/i-1", &["lifecycle status"]),
    ("login", &["lifecycle credentials", "lifecycle doctor"]),
    ("version", &["--version"]),
    ("completions", &["<SHELL>"]),
    ("completions tcsh", &["bash, zsh, fish, powershell"]),
    ("man stp", &["did you mean \"stop\"?"]),
];

#[test]
fn wrong_command_line_leads_to_the_right_one() {
    for (line, parts) in WRONG {
        let args: Vec<&str> = line.split(' ').collect();
        let result = run(&args).exits_with(2);
        assert_eq!(result.stdout, "", "{line}");
        for part in *parts {
            assert!(result.stderr.contains(part), "{line}: {part}: {result:#?}");
        }
    }
}

#[test]
fn wrong_name_leads_to_the_names_of_the_configuration_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lifecycle.toml");
    let text = "[accounts.prod]\ncloud = \"aliyun\"\n\n[groups]\nweb = [\"baidu/bj/i-1\"]\n";
    fs::write(&config, text).unwrap();
    for (line, part) in [
        (
            "stop prod",
            "\"prod\" is an account: write prod@cloud/region/instance-id",
        ),
        ("stop prod@", "\"prod@\" is an account, not an instance"),
        ("stop wbe", "did you mean \"web\"?"),
        ("list prd", "did you mean \"prod\"?"),
        ("list dev@aliyun/cn-hangzhou", "dev"),
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let args = [&args[..], &["--config", config.to_str().unwrap()]].concat();
        let result = run(&args).exits_with(2);
        assert!(result.stderr.contains(part), "{line}: {result:#?}");
    }
}
