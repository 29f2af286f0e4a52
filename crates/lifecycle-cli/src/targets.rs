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
    input::{self, Word},
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
            parse_input(&text, config).map_err(CommandError::wrong_usage)
        }
    }
}

/// The size limit of standard input: 100,000 rows of JSON with all facts.
const MAX_INPUT: u64 = 128 << 20;

/// Parses references and group names in text or JSON.
fn parse_input(text: &str, config: Option<&Config>) -> Result<Vec<InstanceReference>, String> {
    let mut references = Vec::new();
    let words = input::words(text).map_err(|error| format!("standard input: {error}"))?;
    for Word { text, position } in words {
        let in_line = |error: String| format!("{position} of standard input: {error}");
        if position == "line 1" && is_header(&text) {
            return Err(in_line(
                "a table is for people: write --output ids or --output json before the pipe"
                    .to_owned(),
            ));
        }
        let arg: Result<InstanceArg, ParseReferenceError> = text.parse();
        match arg.map_err(|error| in_line(error.to_string()))? {
            InstanceArg::Reference(reference) => references.push(reference),
            _ => references.extend(group(&text, config).map_err(in_line)?),
        }
    }
    Ok(references)
}

/// Returns `true` for the first word of a table, or for the first line of CSV.
fn is_header(word: &str) -> bool {
    word == "INSTANCE" || word.starts_with("instance,")
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
        let references: Vec<String> = parse_input(text, Some(&config))
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
            (
                "INSTANCE  STATE\nbaidu/bj/i-1  running",
                1,
                "before the pipe",
            ),
            ("instance,state\nbaidu/bj/i-1,running", 1, "before the pipe"),
            ("-", 1, "(there is no configuration file)"),
            ("baidu/bj", 1, "baidu/bj/i-a1b2c3d4"),
        ] {
            let error = parse_input(text, None).unwrap_err();
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
