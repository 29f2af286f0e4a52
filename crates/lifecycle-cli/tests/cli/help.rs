//! What `--help` tells.

use crate::support::run;

#[test]
fn help_goes_to_standard_output_and_names_the_exit_codes() {
    for command in [
        &[][..],
        &["start"],
        &["stop"],
        &["reboot"],
        &["status"],
        &["wait"],
        &["list"],
        &["demo"],
        &["simulate"],
    ] {
        for flag in ["-h", "--help"] {
            let ran = run(&[command, &[flag]].concat()).exits_with(0);
            for code in ["Exit codes:", "  0  ", "  1  ", "  2  ", "  3  "] {
                assert!(ran.stdout.contains(code), "{command:?} {code}: {ran:#?}");
            }
            assert!(
                ran.stdout.lines().all(|line| line.chars().count() <= 80),
                "{ran:#?}"
            );
            assert_eq!(ran.stderr, "");
        }
    }
}

#[test]
fn losses_are_announced() {
    for (command, loss) in [
        ("start", "ALL DATA ON THEM IS LOST"),
        ("stop", "Data that was not written to disk is lost"),
        ("reboot", "Data that was not written to disk is lost"),
    ] {
        let help = run(&[command, "--help"]).stdout;
        let words: Vec<&str> = help.split_whitespace().collect();
        assert!(words.join(" ").contains(loss), "{help}");
    }
}

#[test]
fn the_whole_help_names_every_variable() {
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
fn the_version_is_the_crates() {
    let ran = run(&["--version"]).exits_with(0);
    assert_eq!(
        ran.stdout,
        format!("lifecycle {}\n", env!("CARGO_PKG_VERSION"))
    );
}
