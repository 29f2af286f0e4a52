//! The target instances of a command: references, groups and standard input.

use std::{collections::HashSet, io};

use lifecycle_facade::{
    InstanceReference, ParseReferenceError,
    config::{Config, GroupEntry},
    did_you_mean, file,
};

use crate::{
    args::{InstanceArg, InstanceArgs},
    exit::CommandError,
};

/// Returns all references in the order of the arguments, without duplicates.
///
/// # Errors
/// A group is unknown, standard input is not readable or holds other text, or there is no instance
/// at all.
pub(crate) fn read(
    args: &InstanceArgs,
    config: Option<&Config>,
) -> Result<Vec<InstanceReference>, CommandError> {
    let mut references = Vec::new();
    for arg in &args.instances {
        references.extend(expand(arg, config)?);
    }
    let mut known = HashSet::new();
    references.retain(|reference| known.insert(reference.clone()));
    if references.is_empty() {
        return Err(CommandError::wrong_usage(
            "no instance on standard input: write cloud/region/instance-id, one or more on a line",
        ));
    }
    Ok(references)
}

fn expand(
    arg: &InstanceArg,
    config: Option<&Config>,
) -> Result<Vec<InstanceReference>, CommandError> {
    match arg {
        InstanceArg::Reference(reference) => Ok(vec![reference.clone()]),
        InstanceArg::Group(name) => group(name, config).map_err(CommandError::wrong_usage),
        InstanceArg::StandardInput => {
            let text = file::read_limited(io::stdin().lock(), MAX_INPUT).and_then(file::into_text);
            let text = text.map_err(|error| {
                CommandError::wrong_usage(format!("cannot read standard input: {error}"))
            })?;
            parse_lines(&text, config).map_err(CommandError::wrong_usage)
        }
    }
}

/// The size limit of standard input: more than 100,000 references.
const MAX_INPUT: u64 = 16 << 20;

/// Parses one or more references or group names on a line. A `#` starts a comment.
fn parse_lines(text: &str, config: Option<&Config>) -> Result<Vec<InstanceReference>, String> {
    let mut references = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let in_line = |error: String| format!("line {number} of standard input: {error}");
        let line = line.split('#').next().unwrap_or_default();
        for word in line.split_whitespace() {
            let arg: Result<InstanceArg, ParseReferenceError> = word.parse();
            match arg.map_err(|error| in_line(error.to_string()))? {
                InstanceArg::Reference(reference) => references.push(reference),
                _ => references.extend(group(word, config).map_err(in_line)?),
            }
        }
    }
    Ok(references)
}

/// Returns the instances of a group in the configuration file.
///
/// # Errors
/// The group is unknown. Then the name is probably an instance id, so the message shows a reference.
fn group(name: &str, config: Option<&Config>) -> Result<Vec<InstanceReference>, String> {
    let Some(group) = config.and_then(|config| config.groups.get(name)) else {
        let known = match config {
            None => "there is no configuration file".to_owned(),
            Some(config) if config.groups.is_empty() => {
                "the configuration file has no groups".to_owned()
            }
            Some(config) => {
                let names: Vec<&str> = config.groups.keys().map(String::as_str).collect();
                did_you_mean(name, names.iter().copied())
                    .unwrap_or_else(|| format!("known groups: {}", names.join(", ")))
            }
        };
        return Err(format!(
            "invalid reference {name:?}: write cloud/region/instance-id, for example baidu/bj/i-a1b2c3d4, or the name of a group ({known})"
        ));
    };
    let parse = |entry: &GroupEntry| entry.text.parse();
    let references: Result<Vec<_>, ParseReferenceError> = group.iter().map(parse).collect();
    references.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_accepts_references_groups_and_comments() {
        let config = Config::parse("[groups]\nweb = [\"baidu/bj/i-3\"]\n").unwrap();
        let text =
            "# all\nbaidu/bj/i-1  zenlayer/global/2 # both\n\n  \nhuawei/cn-north-4/c\nweb # group";
        let references: Vec<String> = parse_lines(text, Some(&config))
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            references,
            [
                "baidu/bj/i-1",
                "zenlayer/global/2",
                "huawei/cn-north-4/c",
                "baidu/bj/i-3"
            ]
        );
    }

    #[test]
    fn invalid_text_on_standard_input_is_reported_with_the_line() {
        for (text, line, end) in [
            ("baidu/bj/i-1\nfoo", 2, "(there is no configuration file)"),
            ("-", 1, "(there is no configuration file)"),
            ("baidu/bj", 1, "baidu/bj/i-a1b2c3d4"),
        ] {
            let error = parse_lines(text, None).unwrap_err();
            let start = format!("line {line} of standard input: ");
            assert!(error.starts_with(&start), "{error}");
            assert!(error.ends_with(end), "{error}");
        }
    }

    #[test]
    fn unknown_group_is_reported_with_the_known_groups() {
        let config = Config::parse("[groups]\nweb = [\"baidu/bj/i-3\"]\n").unwrap();
        let error = group("wbe", Some(&config)).unwrap_err();
        assert!(error.ends_with("(did you mean \"web\"?)"), "{error}");
        let error = group("database", Some(&config)).unwrap_err();
        assert!(error.ends_with("a group (known groups: web)"), "{error}");
        let error = group("wbe", Some(&Config::default())).unwrap_err();
        assert!(error.ends_with("file has no groups)"), "{error}");
    }
}
