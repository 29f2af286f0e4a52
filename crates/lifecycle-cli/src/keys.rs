//! Where keys come from, as `--help` tells it. The clouds' own chains are the source.

use std::fmt::Write;

use lifecycle_facade::{
    Cloud,
    core::{CredentialSource, CredentialSourceConfig},
};

/// The places where a key of each cloud is looked for.
pub(crate) fn help() -> String {
    let mut text = String::from(
        "Keys come from where each cloud's own tools have them. The first of these\nplaces that has one counts:",
    );
    for cloud in Cloud::ALL {
        // Writing into a string cannot fail.
        let _ = write!(text, "\n\n  {}", cloud.profile().title);
        for (number, origin) in (1..).zip(cloud.sources(&CredentialSourceConfig::default())) {
            let _ = write!(text, "\n{}", item(number, &origin));
        }
        let projects = cloud.project_variables();
        if !projects.is_empty() {
            let projects = projects.join(" or ");
            let _ = write!(
                text,
                "\n    The project id: {projects},\n    else it is looked up at IAM"
            );
        }
    }
    text
}

/// A numbered place, wrapped to the page.
fn item(number: usize, origin: &impl CredentialSource) -> String {
    const WIDTH: usize = 80;
    const INDENT: usize = 7;
    let mut lines = format!("    {number}. ");
    let mut column = INDENT;
    for word in format!("{}: {}", origin.name(), origin.wants()).split_whitespace() {
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
    fn all_clouds_are_there() {
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
