//! Tests of `--help` and `--version`.

use crate::support::run;

#[test]
fn help_of_each_command_lists_exit_codes_and_fits_80_columns() {
    for command in [
        &[][..],
        &["start"],
        &["stop"],
        &["reboot"],
        &["resume"],
        &["history"],
        &["plan"],
        &["apply"],
        &["run"],
        &["hold"],
        &["release"],
        &["holds"],
        &["status"],
        &["wait"],
        &["list"],
        &["credentials"],
        &["doctor"],
        &["demo"],
        &["simulate"],
        &["completions"],
        &["man"],
    ] {
        for flag in ["-h", "--help"] {
            let result = run(&[command, &[flag]].concat()).exits_with(0);
            for code in ["Exit codes:", "  0  ", "  1  ", "  2  ", "  3  "] {
                assert!(
                    result.stdout.contains(code),
                    "{command:?} {code}: {result:#?}"
                );
            }
            assert!(
                result.stdout.lines().all(|line| line.chars().count() <= 80),
                "{result:#?}"
            );
            assert_eq!(result.stderr, "");
        }
    }
}

#[test]
fn option_of_a_command_is_under_its_heading() {
    let help = run(&["stop", "-h"]).stdout;
    let position = |text: &str| help.find(text).unwrap_or_else(|| panic!("{text}: {help}"));
    let headings = [
        "Arguments:",
        "\nOptions:",
        "\nSelection:",
        "\nConnection options:",
        "\nOutput options:",
    ];
    let starts = headings.map(position);
    assert!(starts.is_sorted(), "{help}");
    for (option, heading) in [
        ("[REFERENCE]...  Instances", 0),
        ("--billing", 1),
        ("--waves", 1),
        ("--wave-pause", 1),
        ("--tag", 2),
        ("--yes", 2),
        ("--timeout <TIME>", 3),
        ("--columns", 4),
    ] {
        let at = position(option);
        let heading = headings[heading];
        let last = starts.iter().rposition(|start| *start < at).unwrap();
        assert_eq!(headings[last], heading, "{option}: {help}");
    }
}

#[test]
fn help_warns_of_data_loss() {
    for (command, loss) in [
        ("start", "ALL DATA ON THESE DISKS IS LOST"),
        ("stop", "Data that was not written to disk is lost"),
        ("reboot", "Data that was not written to disk is lost"),
    ] {
        let help = run(&[command, "--help"]).stdout;
        let words: Vec<&str> = help.split_whitespace().collect();
        assert!(words.join(" ").contains(loss), "{help}");
    }
}

#[test]
fn long_help_lists_the_variables_of_all_clouds() {
    let help = run(&["--help"]).stdout;
    for name in [
        "BCE_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "ZENLAYER_ACCESS_KEY_ID",
        "HUAWEICLOUD_SDK_AK",
        "HW_PROJECT_ID",
    ] {
        assert!(help.contains(name), "{name}: {help}");
    }
}

#[test]
fn version_is_the_version_of_the_crate() {
    let result = run(&["--version"]).exits_with(0);
    assert_eq!(
        result.stdout,
        format!("lifecycle {}\n", env!("CARGO_PKG_VERSION"))
    );
}
