//! The part of `--help` that lists the sources of keys, generated from the chain of each cloud.

use std::fmt::Write;

use lifecycle_facade::{
    Cloud,
    lifecycle_core::{CredentialSource, CredentialSourceConfig},
};

/// Returns the help text with the sources of keys of each cloud.
pub(crate) fn help() -> String {
    let mut text = String::from(
        "Each cloud's key is looked for in these places. The first place with a key is\nused. Temporary keys are renewed before they expire.",
    );
    for cloud in Cloud::ALL {
        // Writing into a string cannot fail.
        let _ = write!(text, "\n\n  {}", cloud.profile().title);
        for (number, source) in (1..).zip(cloud.sources(&CredentialSourceConfig::default())) {
            let _ = write!(text, "\n{}", item(number, &source));
        }
        let projects = cloud.project_variables();
        if !projects.is_empty() {
            let projects = projects.join(" or ");
            let _ = write!(
                text,
                "\n    Project id: {projects}.\n    If neither is set, the command asks IAM for the project id"
            );
        }
    }
    text
}

/// Returns a numbered source, wrapped to the width of the help text.
fn item(number: usize, source: &impl CredentialSource) -> String {
    const WIDTH: usize = 80;
    const INDENT: usize = 7;
    let mut lines = format!("    {number}. ");
    let mut column = INDENT;
    for word in format!("{}: {}", source.name(), source.requirements()).split_whitespace() {
        if column > INDENT && column + word.len() >= WIDTH {
            let _ = write!(lines, "\n{:INDENT$}", "");
            column = INDENT;
        } else if column > INDENT {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += word.len();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_lists_the_sources_of_all_clouds() {
        let text = help();
        for name in [
            "BAIDUCLOUD_ACCESS_KEY",
            "~/.bce/config.json",
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "~/.aliyun/config.json",
            "ZENLAYER_TOKEN",
            "HUAWEICLOUD_SDK_AK",
            "~/.hcloud/config.json",
        ] {
            assert!(text.contains(name), "{name} is missing in\n{text}");
        }
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    }
}
