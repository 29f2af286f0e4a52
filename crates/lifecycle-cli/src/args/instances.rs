//! Arguments that name instances.

use std::str::FromStr;

use lifecycle_facade::{Cloud, EmptyHost, InstanceReference, LocationPattern, ParseReferenceError};

use super::FilterArgs;
use crate::completion;

/// The instances of a command.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct InstanceArgs {
    /// Instances: cloud/region/instance-id, for example baidu/bj/i-a1b2c3d4 or
    /// zenlayer/global/1234567890. For another account: account@cloud/region/instance-id. For a
    /// group in the configuration file: its name. For references from standard input: -
    ///
    /// With --name, --tag, --state, --zone or --exclude also locations: cloud/region, cloud/* for all
    /// regions, or the name of an account; without any, all accounts in the configuration file.
    #[arg(value_name = "REFERENCE", add = completion::references())]
    pub(crate) instances: Vec<InstanceArg>,

    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

/// One argument of a command on instances.
#[derive(Clone, Debug)]
pub(crate) enum InstanceArg {
    Reference(InstanceReference),
    /// The name of a group or an account in the configuration file.
    Name(String),
    /// Locations, for a selection.
    Location(LocationPattern),
    StandardInput,
}

impl FromStr for InstanceArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "-" {
            return Ok(Self::StandardInput);
        }
        if is_name(text) {
            return Ok(Self::Name(text.to_owned()));
        }
        let parts = text.split('/').count();
        if let Some((location, id)) = text.split_once('/')
            && parts == 2
            && is_instance_id(id)
            && let Ok(cloud) = location
                .rsplit('@')
                .next()
                .unwrap_or(location)
                .parse::<Cloud>()
        {
            let region = cloud.default_region(&EmptyHost);
            return Err(format!(
                "invalid reference {text:?}: the region is missing: write {location}/REGION/{id}, for example {location}/{region}/{id}"
            ));
        }
        if text.ends_with('@') || parts == 2 && !text.ends_with('/') {
            return text
                .parse()
                .map(Self::Location)
                .map_err(|_| two_parts(text));
        }
        let parsed: Result<InstanceReference, ParseReferenceError> = text.parse();
        parsed.map(Self::Reference).map_err(|error| match text {
            text if text.contains(',') => format!(
                "invalid reference {text:?}: write a space between two references, not a comma"
            ),
            text if text.contains(['*', '?']) => format!(
                "{text:?} is a pattern, not an instance: write a location and a pattern of names, for example {} --name 'web-*'",
                text.rsplit_once('/').map_or("cloud/region", |(location, _)| location)
            ),
            _ => error.to_string(),
        })
    }
}

/// Returns the error of a text with one slash that is no location, such as `cn-hangzhou/i-1`.
fn two_parts(text: &str) -> String {
    let (first, rest) = text.split_once('/').unwrap_or((text, ""));
    let cloud = first.rsplit('@').next().unwrap_or(first);
    let error = match cloud.parse::<Cloud>() {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    if error.contains("did you mean") {
        return error;
    }
    let clouds: Vec<&str> = Cloud::ALL.iter().map(|cloud| cloud.as_str()).collect();
    format!(
        "invalid reference {text:?}: the cloud is missing: write CLOUD/{first}/{rest}, with one of {} for CLOUD",
        clouds.join(", ")
    )
}

/// Returns `true` for a text that is an instance id rather than a region: the ids of the clouds begin with
/// `i-`, are long numbers, or are UUIDs.
pub(crate) fn is_instance_id(text: &str) -> bool {
    let is_number = text.len() >= 10 && text.bytes().all(|b| b.is_ascii_digit());
    text.starts_with("i-") || is_number || text.len() == 36
}

/// Returns `true` for a text that can be the name of a group or an account.
fn is_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    !text.is_empty() && text.bytes().all(fits)
}
