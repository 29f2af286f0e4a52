//! `lifecycle credentials`.

use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use jiff::{SignedDuration, SpanRound, Timestamp, Unit};
use lifecycle_facade::{Credential, CredentialInfo, Fleet, Location};
use serde::Serialize;
use tokio::time::timeout;

use crate::{
    args::LocationsArgs,
    console::{Console, Format, eprint_line, eprint_warning, plain},
    exit::{CommandError, Exit},
    output,
    setup::Setup,
};

/// Shows which keys would be used, where they come from and when they end. Never a secret.
pub(crate) async fn run(args: &LocationsArgs, console: Console) -> Result<Exit, CommandError> {
    let setup = Setup::read(&args.connection)?;
    let fleet = setup.fleet()?;
    let places = args.places(&fleet)?;
    let limit = setup.timeout();
    let mut keys = join_all(places.iter().map(|place| find(&fleet, place, limit))).await;
    for key in &mut keys {
        // Nobody has keys for all clouds.
        key.may_be_absent &= args.somewhere.is_empty();
    }
    let mut warnings: Vec<&String> = keys.iter().flat_map(|key| &key.warnings).collect();
    warnings.sort();
    warnings.dedup();
    for warning in warnings {
        eprint_warning(plain(warning));
    }
    match console.output {
        Format::Json => output::print(&output::json(&keys)?)?,
        Format::Table => output::print_texts(
            ["PLACE", "KEY", "EXPIRES", "FOUND"],
            &keys.iter().map(cells).collect::<Vec<_>>(),
        )?,
    }
    let missing = keys.iter().filter(|key| key.key.is_none()).count();
    if missing == keys.len() {
        eprint_line("no key was found: see lifecycle --help for where keys come from");
        return Ok(Exit::NothingDone);
    }
    let wrong = keys.iter().filter(|key| key.is_wrong()).count();
    Ok(if wrong == 0 {
        Exit::Complete
    } else {
        Exit::Incomplete
    })
}

/// One key in the output. Its fields are those of the JSON form.
#[derive(Debug, Serialize)]
struct Key {
    /// For which account and region it would be used.
    place: String,
    /// Its public half, `token` for a bearer token; `null` when there is none.
    key: Option<String>,
    /// `permanent`, `temporary` or `token`.
    kind: Option<&'static str>,
    /// The kind of place where it was found.
    origin: Option<String>,
    /// The place where it was found.
    found: Option<String>,
    /// When it ends, as RFC 3339 has it.
    expires: Option<String>,
    /// Seconds until then.
    expires_in: Option<u64>,
    /// What is wrong with how it is kept.
    warnings: Vec<String>,
    /// Why there is none.
    problem: Option<String>,
    /// Nothing is set up, and nobody asked for it.
    #[serde(skip)]
    may_be_absent: bool,
}

async fn find(fleet: &Fleet, place: &Location, limit: Duration) -> Key {
    let mut row = Key {
        place: place.to_string(),
        key: None,
        kind: None,
        origin: None,
        found: None,
        expires: None,
        expires_in: None,
        warnings: Vec::new(),
        problem: None,
        may_be_absent: false,
    };
    let source = match fleet.credentials(place) {
        Ok(source) => source,
        Err(error) => {
            row.problem = Some(error.to_string());
            return row;
        }
    };
    match timeout(limit, source.credential()).await {
        Ok(Ok(key)) => row.describe(&key, source.info(), fleet.now()),
        Ok(Err(missing)) => {
            row.may_be_absent = missing.is_absent() && place.account.is_none();
            row.problem = Some(missing.to_string());
        }
        Err(_) => row.problem = Some(format!("no answer within {} s", limit.as_secs())),
    }
    row.warnings = source.info().warnings;
    row
}

impl Key {
    fn is_wrong(&self) -> bool {
        self.key.is_none() && !self.may_be_absent
    }

    fn describe(&mut self, key: &Credential, info: CredentialInfo, now: SystemTime) {
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
            .and_then(|end| Timestamp::try_from(end).ok())
            .map(|end| end.round(Unit::Second).unwrap_or(end).to_string());
        self.expires_in = info
            .expires
            .map(|end| end.duration_since(now).unwrap_or_default().as_secs());
    }
}

fn cells(key: &Key) -> [String; 4] {
    let nothing = "nothing is set up".to_owned();
    let problem = key.problem.as_ref();
    let problem = problem.map(|problem| if key.may_be_absent { &nothing } else { problem });
    let found = problem.or(key.found.as_ref());
    [
        key.place.clone(),
        key.key.clone().unwrap_or_else(|| "-".to_owned()),
        key.expires_in.map_or_else(|| "-".to_owned(), time_left),
        plain(&found.cloned().unwrap_or_default()),
    ]
}

/// `in 5h 59m`.
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
    fn times_are_for_people() {
        for (seconds, text) in [(5, "in 5s"), (3_540, "in 59m"), (21_540, "in 5h 59m")] {
            assert_eq!(time_left(seconds), text);
        }
    }
}
