//! Readers of single values of the configuration file, with the error messages of invalid values.
//!
//! A reader never quotes a value that may be a secret.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use jiff::SignedDuration;
use lifecycle_client::{FailureLimit, PlainHttp, Waves};
use lifecycle_core::{Endpoint, NamePattern, PowerState, TagCondition};
use toml::de::DeValue;

use super::{
    cloud_name::CloudName,
    schema::SOURCES,
    secret::{VariableName, may_be_secret},
};
use crate::{
    cloud::{CloudData, Clouds, EndpointNetwork},
    suggest::hint,
};

/// Parses a duration with units, such as `90s`, `10m` or `1h30m`: above zero and at most a week.
///
/// # Errors
/// A message that says what to write instead.
pub fn time_limit(text: &str) -> Result<Duration, String> {
    const MAX_TIME_LIMIT: Duration = Duration::from_secs(7 * 24 * 3600);
    let read: SignedDuration = text
        .parse()
        .map_err(|_| invalid_duration(&format!("{text:?}")))?;
    match Duration::try_from(read) {
        Ok(limit) if limit > MAX_TIME_LIMIT => Err(format!(
            "{text:?} is longer than a week: write at most 168h"
        )),
        Ok(limit) if !limit.is_zero() => Ok(limit),
        _ => Err(format!(
            "invalid duration {text:?}: write a time above zero, for example 90s or 10m"
        )),
    }
}

fn invalid_duration(written: &str) -> String {
    format!("invalid duration {written}: add a unit, for example 90s, 10m or 1h30m")
}

/// Parses the size of a wave: a number, such as `5`, or a percentage, such as `10%`.
///
/// # Errors
/// A message that says what to write instead.
pub fn waves(text: &str) -> Result<Waves, String> {
    let read = size(text, Waves::of, Waves::percent);
    read.ok_or_else(|| invalid_size(&format!("{text:?}")))
}

/// Parses the failures that end a rollout: a number, such as `3`, or a percentage of the request, such as
/// `10%`.
///
/// # Errors
/// A message that says what to write instead.
pub fn failure_limit(text: &str) -> Result<FailureLimit, String> {
    let read = size(text, FailureLimit::instances, FailureLimit::percent);
    read.ok_or_else(|| invalid_limit(&format!("{text:?}")))
}

/// Reads a number of at least 1, or a percentage from 1 to 100.
fn size<T>(text: &str, number: fn(usize) -> T, percent: fn(u8) -> T) -> Option<T> {
    match text.strip_suffix('%') {
        Some(share) => {
            let share = share.parse().ok();
            share.filter(|share| (1..=100).contains(share)).map(percent)
        }
        None => {
            let count = text.parse::<NonZeroUsize>().ok();
            count.map(|count| number(count.get()))
        }
    }
}

fn invalid_limit(written: &str) -> String {
    format!("invalid limit {written}: write a number or a percentage, for example 3 or 10%")
}

fn invalid_size(written: &str) -> String {
    format!("invalid wave size {written}: write a number or a percentage, for example 5 or 10%")
}

pub(super) fn duration(value: &DeValue<'_>) -> Result<Duration, String> {
    let otherwise = |written: &str| format!("{}, in quotes", invalid_duration(written));
    parsed(value, time_limit, otherwise)
}

pub(super) fn wave_size(value: &DeValue<'_>) -> Result<Waves, String> {
    match value {
        DeValue::Integer(_) => count(value).map(|count| Waves::of(count.get())),
        _ => parsed(value, waves, invalid_size),
    }
}

pub(super) fn stop_after(value: &DeValue<'_>) -> Result<FailureLimit, String> {
    match value {
        DeValue::Integer(_) => count(value).map(|count| count.get().into()),
        _ => parsed(value, failure_limit, invalid_limit),
    }
}

pub(super) fn count(value: &DeValue<'_>) -> Result<NonZeroUsize, String> {
    value
        .as_integer()
        .and_then(|number| usize::from_str_radix(number.as_str(), number.radix()).ok())
        .and_then(NonZeroUsize::new)
        .ok_or_else(|| format!("invalid number {}: write 1 or more", shown(value)))
}

pub(super) fn rate(value: &DeValue<'_>) -> Result<f64, String> {
    let rate = match value {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    };
    rate.filter(|rate: &f64| rate.is_finite() && *rate > 0.0)
        .ok_or_else(|| {
            format!(
                "invalid rate {}: write calls per second, above 0, for example 10 or 0.5",
                shown(value)
            )
        })
}

pub(super) fn paths(value: &DeValue<'_>) -> Result<Vec<PathBuf>, String> {
    let path = |entry: &DeValue<'_>| text(entry).ok().map(PathBuf::from);
    value
        .as_array()
        .and_then(|entries| entries.iter().map(|entry| path(entry.get_ref())).collect())
        .ok_or_else(|| "write a list of paths, such as [\"company-ca.pem\"]".to_owned())
}

/// Reads one text, or a list of texts.
pub(super) fn texts(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    match value.as_array() {
        None => Ok(vec![text(value)?]),
        Some(entries) if entries.is_empty() => {
            Err("the list is empty: add a text, or remove the setting".to_owned())
        }
        Some(entries) => entries.iter().map(|entry| text(entry.get_ref())).collect(),
    }
}

/// Reads one pattern of names, or a list of patterns.
pub(super) fn patterns(value: &DeValue<'_>) -> Result<Vec<NamePattern>, String> {
    let patterns = texts(value)?.into_iter();
    let patterns = patterns.map(|text| text.parse().map_err(|error| format!("{error}")));
    patterns.collect()
}

/// Reads conditions on tags: a table such as `{ env = "dev" }`, or a list such as `["env=dev", "!keep"]`.
pub(super) fn tags(value: &DeValue<'_>) -> Result<Vec<TagCondition>, String> {
    if let Some(table) = value.as_table() {
        let equals = table.iter().map(|(key, value)| {
            Ok(TagCondition::Equals {
                key: key.get_ref().to_string(),
                value: tag_value(value.get_ref())?,
            })
        });
        return equals.collect();
    }
    let conditions = texts(value)
        .map_err(|_| "write { key = \"value\" }, or a list such as [\"env=dev\", \"!keep\"]")?;
    let conditions = conditions.into_iter();
    let conditions = conditions.map(|text| text.parse().map_err(|error| format!("{error}")));
    conditions.collect()
}

/// Reads the value of a tag, which may be empty.
fn tag_value(value: &DeValue<'_>) -> Result<String, String> {
    let value = value.as_str().map(str::to_owned);
    value.ok_or_else(|| "write the value of each tag in quotes".to_owned())
}

/// Reads one state, or a list of states.
pub(super) fn states(value: &DeValue<'_>) -> Result<Vec<PowerState>, String> {
    let names: Vec<_> = PowerState::ALL
        .iter()
        .map(|state| (state.as_str(), *state))
        .collect();
    match value.as_array() {
        None => Ok(vec![one_of(value, &names)?]),
        Some(entries) => {
            let states = entries.iter();
            states
                .map(|entry| one_of(entry.get_ref(), &names))
                .collect()
        }
    }
}

pub(super) fn plain_http(value: &DeValue<'_>) -> Result<PlainHttp, String> {
    one_of(
        value,
        &[
            ("loopback", PlainHttp::LoopbackOnly),
            ("anywhere", PlainHttp::Anywhere),
        ],
    )
}

pub(super) fn network(value: &DeValue<'_>) -> Result<EndpointNetwork, String> {
    one_of(
        value,
        &[
            ("public", EndpointNetwork::Public),
            ("vpc", EndpointNetwork::Vpc),
        ],
    )
}

pub(super) fn cloud(value: &DeValue<'_>, clouds: Clouds<'_>) -> Result<CloudName, String> {
    let names: Vec<_> = CloudName::all(clouds)
        .map(|cloud| (cloud.as_str(), cloud))
        .collect();
    one_of(value, &names).map_err(|problem| {
        let written = value.as_str().unwrap_or_default();
        match CloudData::hint(clouds, written) {
            Some(hint) => format!("unknown value {}; {hint}", shown(value)),
            None => problem,
        }
    })
}

pub(super) fn source(value: &DeValue<'_>) -> Result<&'static str, String> {
    let sources: Vec<_> = SOURCES
        .iter()
        .map(|source| (source.name, source.name))
        .collect();
    one_of(value, &sources)
}

pub(super) fn one_of<T: Copy>(value: &DeValue<'_>, choices: &[(&str, T)]) -> Result<T, String> {
    let written = value.as_str().unwrap_or_default();
    let chosen = choices.iter().find(|(name, _)| *name == written);
    chosen.map(|(_, choice)| *choice).ok_or_else(|| {
        let names = choices.iter().map(|(name, _)| *name);
        format!("unknown value {}; {}", shown(value), hint(written, names))
    })
}

/// Reads a name that another section of the file defines.
pub(super) fn known_name(
    value: &DeValue<'_>,
    kind: &str,
    known: &[&str],
) -> Result<String, String> {
    let written = value.as_str().unwrap_or_default();
    if known.contains(&written) {
        return Ok(written.to_owned());
    }
    let hint = match known.is_empty() {
        true => format!("this file has no [{kind}s]"),
        false => hint(written, known.iter().copied()),
    };
    Err(format!("unknown {kind} {}; {hint}", shown(value)))
}

/// Reads an endpoint. An endpoint with a user name may hold a password, so the message does not quote
/// such an endpoint.
pub(super) fn endpoint(value: &DeValue<'_>) -> Result<Endpoint, String> {
    const URL_ADVICE: &str = "write a URL such as https://example.com";
    let read = |text: &str| match Endpoint::parse(text) {
        Err(_) if text.contains('@') => Err(format!("remove the user name: {URL_ADVICE}")),
        read => read.map_err(|error| format!("{error}: {URL_ADVICE}")),
    };
    parsed(value, read, |written| {
        format!("invalid URL {written}: {URL_ADVICE}")
    })
}

/// Reads a text for the cloud. The messages never quote such a text.
pub(super) fn text(value: &DeValue<'_>) -> Result<String, String> {
    match value.as_str() {
        Some(text) if text.trim().is_empty() => Err("the text is empty".to_owned()),
        Some(text) if text.trim() != text || text.contains(char::is_control) => {
            Err("remove spaces at the start and the end, and invisible characters".to_owned())
        }
        Some(text) => Ok(text.to_owned()),
        None => Err("write a text in quotes".to_owned()),
    }
}

/// Reads a switch.
pub(super) fn flag(value: &DeValue<'_>) -> Result<bool, String> {
    let not_a_switch = || "write true or false, without quotes".to_owned();
    value.as_bool().ok_or_else(not_a_switch)
}

/// Reads the URI of a service that returns keys. The path may be secret, so the message does not
/// quote the URI.
pub(super) fn uri(value: &DeValue<'_>) -> Result<String, String> {
    let uri = text(value)?;
    let has_scheme = ["http://", "https://"].iter().any(|scheme| {
        uri.strip_prefix(scheme)
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
    });
    let is_one_word = !uri.contains(char::is_whitespace);
    if has_scheme && is_one_word {
        Ok(uri)
    } else {
        Err("invalid URL: write a URL such as http://localhost:8080/keys".to_owned())
    }
}

/// Reads the name of a variable. Another text may be the secret itself, so the message does not quote
/// such a text.
pub(super) fn variable(value: &DeValue<'_>) -> Result<VariableName, String> {
    value.as_str().and_then(VariableName::read).ok_or_else(|| {
        "not the name of an environment variable (value not shown: it may be a secret): write the \
         name of the variable in capital letters, such as PROD_KEY"
            .to_owned()
    })
}

/// Parses a text with `read`. The message of `read` may quote the text, so `otherwise` makes the
/// message if the text may be a secret, or if the value is no text.
fn parsed<T>(
    value: &DeValue<'_>,
    read: impl FnOnce(&str) -> Result<T, String>,
    otherwise: impl FnOnce(&str) -> String,
) -> Result<T, String> {
    match value.as_str().map(|text| (text, read(text))) {
        Some((_, Ok(read))) => Ok(read),
        Some((text, Err(problem))) if !may_be_secret(text) => Err(problem),
        _ => Err(otherwise(&shown(value))),
    }
}

/// Formats a value as in the file, except a long value or a possible secret.
pub(super) fn shown(value: &DeValue<'_>) -> String {
    const MAX_SHOWN_CHARS: usize = 40;
    match value {
        DeValue::String(text) if may_be_secret(text) || text.chars().count() > MAX_SHOWN_CHARS => {
            "(value not shown: it may be a secret)".to_owned()
        }
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(moment) => moment.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_a_maximum() {
        for (text, seconds) in [
            ("90s", 90),
            ("10m", 600),
            ("1h30m", 5_400),
            ("168h", 604_800),
        ] {
            assert_eq!(time_limit(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for (text, expected) in [
            ("10", "add a unit"),
            ("soon", "add a unit"),
            ("0s", "above zero"),
            ("-5m", "above zero"),
            ("9999h", "longer than a week"),
        ] {
            let problem = time_limit(text).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
        }
    }

    #[test]
    fn waves_are_a_number_or_a_percentage() {
        assert_eq!(waves("5"), Ok(Waves::of(5)));
        assert_eq!(waves("10%"), Ok(Waves::percent(10)));
        assert_eq!(failure_limit("5"), Ok(FailureLimit::instances(5)));
        assert_eq!(failure_limit("10%"), Ok(FailureLimit::percent(10)));
        for text in ["0", "0%", "101%", "-1", "1.5", "%", "few"] {
            assert!(waves(text).is_err(), "{text}");
            assert!(failure_limit(text).is_err(), "{text}");
        }
    }

    #[test]
    fn uris_have_a_scheme_and_a_host() {
        let read = |text: &str| uri(&DeValue::String(text.into()));
        assert!(read("http://localhost:8080/keys?x=y").is_ok());
        for text in [
            "",
            "localhost/keys",
            "ftp://a",
            "https://",
            "https:///keys",
            "https://a b",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
