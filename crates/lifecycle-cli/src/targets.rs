//! The target instances of a command before any call: references, groups, selections and standard input.

use std::{collections::HashSet, io};

use lifecycle_facade::{
    Cloud, EmptyHost, InstanceFilter, InstanceReference, LocationPattern, ParseReferenceError,
    Selector,
    config::{Config, Group, GroupEntry},
    file,
};

use crate::{
    args::{InstanceArg, InstanceArgs, is_instance_id},
    exit::CommandError,
    input::{self, Word},
    locations::suggestion,
    output::SCHEMA,
};

/// The instances of a command line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Targets {
    /// Named instances, without duplicates.
    pub(crate) references: Vec<InstanceReference>,
    pub(crate) selectors: Vec<Selector>,
    /// Conditions on the instances of groups that are selections.
    pub(crate) filter: InstanceFilter,
}

/// Returns the instances in the order of the arguments.
///
/// # Errors
/// A name is unknown, standard input is not readable or holds other text, or the command line names no
/// instance at all.
pub(crate) fn read(args: &InstanceArgs, config: Option<&Config>) -> Result<Targets, CommandError> {
    let reader = Reader {
        config,
        has_filter: args.filter.is_set(),
    };
    let mut targets = Targets {
        filter: args.filter.filter(),
        ..Targets::default()
    };
    let mut locations = Vec::new();
    for arg in &args.instances {
        reader
            .add(arg, &mut targets, &mut locations)
            .map_err(CommandError::wrong_usage)?;
    }
    let mut known = HashSet::new();
    targets
        .references
        .retain(|reference| known.insert(reference.clone()));
    if args.instances.contains_standard_input() && targets.is_empty() && locations.is_empty() {
        return Err(CommandError::wrong_usage(
            "no instance on standard input: write cloud/region/instance-id, one or more on a line",
        ));
    }
    if args.instances.is_empty() && !reader.has_filter {
        return Err(CommandError::wrong_usage(
            "no instance: write cloud/region/instance-id, for example baidu/bj/i-a1b2c3d4, the name of \
             a group, or a selection, for example aliyun/cn-hangzhou --name 'web-*'; lifecycle list \
             shows instances",
        ));
    }
    let has_locations = !locations.is_empty() || args.instances.is_empty();
    if has_locations {
        let mut selector = Selector::new();
        selector.locations = locations;
        targets.selectors.push(selector);
    }
    if reader.has_filter {
        targets.select_references();
        for selector in &mut targets.selectors {
            selector.exclude.extend_from_slice(args.filter.exclude());
        }
    }
    Ok(targets)
}

impl Targets {
    fn is_empty(&self) -> bool {
        self.references.is_empty() && self.selectors.is_empty()
    }

    /// Makes selections of named instances, so that the conditions apply to them.
    fn select_references(&mut self) {
        let mut references = std::mem::take(&mut self.references);
        // One list for each location, also if the references alternate between locations.
        references.sort_by(|one, other| one.location.cmp(&other.location));
        for same in references.chunk_by(|one, next| one.location == next.location) {
            let Some(first) = same.first() else { continue };
            let mut selector = Selector::new().location(first.location.clone().into());
            for reference in same {
                selector = selector.instance(reference.instance.clone());
            }
            self.selectors.push(selector);
        }
    }
}

trait Arguments {
    fn contains_standard_input(&self) -> bool;
}

impl Arguments for Vec<InstanceArg> {
    fn contains_standard_input(&self) -> bool {
        let mut args = self.iter();
        args.any(|arg| matches!(arg, InstanceArg::StandardInput))
    }
}

/// Reads arguments with the names of the configuration file.
struct Reader<'c> {
    config: Option<&'c Config>,
    has_filter: bool,
}

impl Reader<'_> {
    fn add(
        &self,
        arg: &InstanceArg,
        targets: &mut Targets,
        locations: &mut Vec<LocationPattern>,
    ) -> Result<(), String> {
        match arg {
            InstanceArg::Reference(reference) => targets.references.push(reference.clone()),
            InstanceArg::Location(location) if self.has_filter => locations.push(location.clone()),
            InstanceArg::Location(location) => return Err(location_without_filter(location)),
            InstanceArg::Name(name) => match self.group(name) {
                Some(group) => add_group(group, targets)?,
                None if self.has_filter && self.is_account(name) => {
                    locations.push(LocationPattern::Account(name.clone()));
                }
                None => return Err(self.unknown_name(name)),
            },
            InstanceArg::StandardInput => {
                let text = file::read_limited(io::stdin().lock(), MAX_INPUT)
                    .and_then(file::into_text)
                    .map_err(|error| format!("cannot read standard input: {error}"))?;
                self.add_input(&text, targets)?;
            }
        }
        Ok(())
    }

    /// Adds references and group names in text or JSON.
    fn add_input(&self, text: &str, targets: &mut Targets) -> Result<(), String> {
        let words =
            input::words(text, SCHEMA).map_err(|error| format!("standard input: {error}"))?;
        for Word { text, position } in words {
            let in_line = |error: String| format!("{position} of standard input: {error}");
            if position == "line 1" && is_header(&text) {
                return Err(in_line(
                    "a table is for people: write --output ids or --output json before the pipe"
                        .to_owned(),
                ));
            }
            let arg: InstanceArg = text.parse().map_err(in_line)?;
            match arg {
                InstanceArg::Reference(reference) => targets.references.push(reference),
                InstanceArg::Location(location) => {
                    return Err(in_line(location_without_filter(&location)));
                }
                _ => match self.group(&text) {
                    Some(group) => add_group(group, targets).map_err(in_line)?,
                    None => return Err(in_line(self.unknown_name(&text))),
                },
            }
        }
        Ok(())
    }

    fn group(&self, name: &str) -> Option<&Group> {
        self.config?.groups.get(name)
    }

    fn is_account(&self, name: &str) -> bool {
        self.config
            .is_some_and(|config| config.accounts.contains_key(name))
    }

    /// Returns the error of a name that is no group. The name is probably an instance id, a cloud or an
    /// account.
    fn unknown_name(&self, name: &str) -> String {
        if self.is_account(name) {
            return format!(
                "{name:?} is an account: write {name}@cloud/region/instance-id, or select its instances \
                 with --name, --tag, --state or --zone"
            );
        }
        if let Ok(cloud) = name.parse::<Cloud>() {
            let location = example(cloud);
            return format!(
                "{name:?} is a cloud: write the region and the instance, for example {location}/i-a1b2c3d4; \
                 lifecycle list {location} shows the instances of a region"
            );
        }
        let config = self.config.into_iter();
        let accounts = config.clone().flat_map(|config| config.accounts.keys());
        let groups = config.flat_map(|config| config.groups.keys());
        let names = groups.chain(accounts).map(String::as_str);
        let known = suggestion(name, names).unwrap_or_else(|| match self.config {
            None => "there is no configuration file".to_owned(),
            Some(config) if config.groups.is_empty() => {
                "the configuration file has no groups".to_owned()
            }
            Some(config) => {
                let names: Vec<&str> = config.groups.keys().map(String::as_str).collect();
                format!("known groups: {}", names.join(", "))
            }
        });
        if is_instance_id(name) {
            return format!(
                "invalid reference {name:?}: write cloud and region before the id, for example \
                 baidu/bj/{name}, or the name of a group ({known})"
            );
        }
        format!(
            "invalid reference {name:?}: write cloud/region/instance-id, for example baidu/bj/i-a1b2c3d4, \
             or the name of a group ({known})"
        )
    }
}

/// Returns a location of a cloud for messages.
fn example(cloud: Cloud) -> String {
    format!("{cloud}/{}", cloud.default_region(&EmptyHost))
}

/// Returns the error of a location for a command that needs instances.
fn location_without_filter(location: &LocationPattern) -> String {
    let (what, reference) = match location {
        LocationPattern::Location(_) => ("is a region", format!("{location}/INSTANCE-ID")),
        LocationPattern::Account(name) => {
            ("is an account", format!("{name}@cloud/region/instance-id"))
        }
        _ => ("names regions", "cloud/region/instance-id".to_owned()),
    };
    format!(
        "\"{location}\" {what}, not an instance: write {reference}, or select instances with --name, --tag, \
         --state or --zone; lifecycle list {location} shows the instances"
    )
}

/// The size limit of standard input: 100,000 rows of JSON with all facts.
const MAX_INPUT: u64 = 128 << 20;

/// Returns `true` for the first word of a table, or for the first line of CSV.
fn is_header(word: &str) -> bool {
    word == "INSTANCE" || word.starts_with("instance,")
}

fn add_group(group: &Group, targets: &mut Targets) -> Result<(), String> {
    match group {
        Group::References(entries) => {
            let parse = |entry: &GroupEntry| entry.text.parse();
            let references: Result<Vec<InstanceReference>, ParseReferenceError> =
                entries.iter().map(parse).collect();
            let references = references.map_err(|error| error.to_string())?;
            targets.references.extend(references);
        }
        Group::Selection(selection) => {
            let selector = Selector::from_config(selection).map_err(|error| error.to_string())?;
            targets.selectors.push(selector);
        }
        _ => return Err("this group is of an unknown kind".to_owned()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str, config: Option<&Config>) -> Result<Vec<InstanceReference>, String> {
        let reader = Reader {
            config,
            has_filter: false,
        };
        let mut targets = Targets::default();
        reader.add_input(text, &mut targets)?;
        Ok(targets.references)
    }

    #[test]
    fn standard_input_accepts_references_groups_and_comments() {
        let config = Config::parse("[groups]\nweb = [\"baidu/bj/i-3\"]\n").unwrap();
        let text =
            "# all\nbaidu/bj/i-1  zenlayer/global/2 # both\n\n  \nhuawei/cn-north-4/c\nweb # group";
        let references: Vec<String> = input(text, Some(&config))
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
    fn named_instances_with_conditions_are_one_selection_for_each_location() {
        let references = ["baidu/bj/i-1", "aliyun/cn-hangzhou/i-2", "baidu/bj/i-3"];
        let mut targets = Targets {
            references: references.map(|text| text.parse().unwrap()).into(),
            ..Targets::default()
        };
        targets.select_references();
        let ids = targets
            .selectors
            .iter()
            .map(|selector| &selector.filter.instances);
        let mut ids: Vec<_> = ids.map(Vec::len).collect();
        ids.sort_unstable();
        assert_eq!(ids, [1, 2]);
        assert!(targets.references.is_empty());
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
            ("baidu/bj", 1, "lifecycle list baidu/bj shows the instances"),
        ] {
            let error = input(text, None).unwrap_err();
            let start = format!("line {line} of standard input: ");
            assert!(error.starts_with(&start), "{error}");
            assert!(error.ends_with(end), "{error}");
        }
    }

    #[test]
    fn unknown_group_is_reported_with_the_known_groups() {
        let config = Config::parse("[groups]\nweb = [\"baidu/bj/i-3\"]\n").unwrap();
        let error = |name: &str, config: &Config| input(name, Some(config)).unwrap_err();
        let message = error("wbe", &config);
        assert!(message.ends_with("(did you mean \"web\"?)"), "{message}");
        let message = error("database", &config);
        assert!(
            message.ends_with("a group (known groups: web)"),
            "{message}"
        );
        let message = error("wbe", &Config::default());
        assert!(message.ends_with("file has no groups)"), "{message}");
    }

    #[test]
    fn misspelled_account_or_cloud_is_reported_with_the_known_name() {
        let config = Config::parse("[accounts.ops-prod]\ncloud = \"baidu\"\n").unwrap();
        for (name, hint) in [
            ("ops-prd", "(did you mean \"ops-prod\"?)"),
            ("badu", "(did you mean \"baidu\"?)"),
            (
                "hwcloud",
                "(unknown cloud \"hwcloud\": did you mean \"huawei\"?)",
            ),
        ] {
            let message = input(name, Some(&config)).unwrap_err();
            assert!(message.ends_with(hint), "{message}");
        }
    }
}
