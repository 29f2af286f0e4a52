//! `lifecycle credentials`: the key of each account and region, without secrets.

use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use jiff::{SignedDuration, SpanRound, Timestamp, Unit};
use lifecycle_facade::{Credential, CredentialInfo, CredentialProvider, Fleet, Location};
use serde::Serialize;
use tokio::time::timeout;

use crate::{
    args::LocationsArgs,
    console::{Console, eprint_line, eprint_warning},
    exit::{CommandError, Exit},
    locations, output,
    setup::Setup,
};

/// Prints the key for each account and region, its source and its expiry.
pub(crate) async fn run(args: &LocationsArgs, console: Console) -> Result<Exit, CommandError> {
    let setup = Setup::read(&args.connection).await?;
    let fleet = setup.fleet().await?;
    let locations = locations::resolve_or_all(&args.locations, &fleet)?;
    let limit = setup.timeout();
    let mut keys = join_all(
        locations
            .iter()
            .map(|location| find(&fleet, location, limit)),
    )
    .await;
    for key in &mut keys {
        // Few users have keys for all clouds.
        key.is_optional &= args.locations.is_empty();
    }
    let mut warnings: Vec<&String> = keys.iter().flat_map(|key| &key.warnings).collect();
    warnings.sort();
    warnings.dedup();
    for warning in warnings {
        eprint_warning(warning);
    }
    match output::json_records(&keys, console.output)? {
        Some(json) => output::print(&json)?,
        None => output::print_texts(
            ["REGION", "KEY", "EXPIRES", "SOURCE"],
            &keys.iter().map(cells).collect::<Vec<_>>(),
        )?,
    }
    let missing = keys.iter().filter(|key| key.key.is_none()).count();
    if missing == keys.len() {
        eprint_line("no key was found: lifecycle --help lists all places for keys");
        return Ok(Exit::NothingDone);
    }
    Ok(if keys.iter().all(Key::is_as_expected) {
        Exit::Complete
    } else {
        Exit::Incomplete
    })
}

/// One key in the output. The serialized fields are the fields of the JSON output.
#[derive(Debug, Serialize)]
struct Key {
    /// The account and region.
    #[serde(rename = "place")]
    location: String,
    /// The access key id, or `token` for a bearer token; `null` without a key.
    key: Option<String>,
    /// `permanent`, `temporary` or `token`.
    kind: Option<&'static str>,
    /// The kind of source.
    origin: Option<String>,
    /// The source.
    found: Option<String>,
    /// The expiry time in RFC 3339 format.
    expires: Option<String>,
    /// The seconds until the expiry.
    expires_in: Option<u64>,
    /// Warnings about the file with the key.
    warnings: Vec<String>,
    /// The reason why there is no key.
    problem: Option<String>,
    /// Set for a cloud without a key that neither command line nor configuration names.
    #[serde(skip)]
    is_optional: bool,
}

async fn find(fleet: &Fleet, location: &Location, limit: Duration) -> Key {
    let mut row = Key {
        location: location.to_string(),
        key: None,
        kind: None,
        origin: None,
        found: None,
        expires: None,
        expires_in: None,
        warnings: Vec::new(),
        problem: None,
        is_optional: false,
    };
    let source = match fleet.credentials(location).await {
        Ok(source) => source,
        Err(error) => {
            row.problem = Some(error.to_string());
            return row;
        }
    };
    match timeout(limit, source.credential()).await {
        Ok(Ok(key)) => row.set(&key, source.info(), fleet.now()),
        Ok(Err(missing)) => {
            row.is_optional = missing.is_not_configured() && location.account.is_none();
            row.problem = Some(missing.to_string());
        }
        Err(_) => row.problem = Some(no_key_in_time(limit, &*source)),
    }
    row.warnings = source.info().warnings;
    row
}

/// Returns the problem of a search for a key that took too long.
pub(super) fn no_key_in_time(limit: Duration, source: &dyn CredentialProvider) -> String {
    let fault = source.search_fault();
    let reason = fault.map_or_else(String::new, |fault| format!(": {fault}"));
    format!("no answer within {} s{reason}", limit.as_secs())
}

impl Key {
    fn is_as_expected(&self) -> bool {
        self.key.is_some() || self.is_optional
    }

    fn set(&mut self, key: &Credential, info: CredentialInfo, now: SystemTime) {
        let (name, kind) = match key {
            Credential::Keys {
                id, session: None, ..
            } => (id.as_str(), "permanent"),
            Credential::Keys { id, .. } => (id.as_str(), "temporary"),
            _ => ("token", "token"),
        };
        self.key = Some(name.to_owned());
        self.kind = Some(kind);
        self.origin = Some(info.kind);
        self.found = Some(info.source);
        self.expires = info
            .expires
            .and_then(|expiry| Timestamp::try_from(expiry).ok())
            .map(|expiry| expiry.round(Unit::Second).unwrap_or(expiry).to_string());
        self.expires_in = info
            .expires
            .map(|expiry| expiry.duration_since(now).unwrap_or_default().as_secs());
    }
}

fn cells(key: &Key) -> [String; 4] {
    let nothing = "no key found".to_owned();
    let problem = key.problem.as_ref();
    let problem = problem.map(|problem| if key.is_optional { &nothing } else { problem });
    let found = problem.or(key.found.as_ref());
    [
        key.location.clone(),
        key.key.clone().unwrap_or_else(|| "-".to_owned()),
        key.expires_in.map_or_else(|| "-".to_owned(), time_left),
        found.cloned().unwrap_or_default(),
    ]
}

/// Returns a text such as `in 5h 59m`.
fn time_left(seconds: u64) -> String {
    let left = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    let unit = if seconds < 60 {
        Unit::Second
    } else {
        Unit::Minute
    };
    let round = SpanRound::new().largest(Unit::Hour).smallest(unit);
    let left = jiff::Span::try_from(left).and_then(|span| span.round(round));
    left.map_or_else(|_| format!("in {seconds} s"), |left| format!("in {left:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_has_hours_and_minutes_or_seconds() {
        for (seconds, text) in [(5, "in 5s"), (3_540, "in 59m"), (21_540, "in 5h 59m")] {
            assert_eq!(time_left(seconds), text);
        }
    }
}
