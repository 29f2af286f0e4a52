//! Arguments of `resume` and `history`.

use std::path::PathBuf;

use clap::ValueHint;
use jiff::{Span, Timestamp, Zoned, civil, tz::TimeZone};

use super::{ConnectionArgs, TableArgs};

/// The arguments of `resume`.
#[derive(Debug, clap::Args)]
pub(crate) struct ResumeArgs {
    /// The file of --journal [default: the store of the configuration file]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) journal: Option<PathBuf>,

    /// Send nothing: look at instances whose call has no answer, and leave the others alone
    #[arg(long)]
    pub(crate) report_only: bool,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

/// The arguments of `history`.
#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// The file of --journal; a REFERENCE alone shows the store of the configuration file
    /// [default: the store of the configuration file]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) journal: Option<PathBuf>,

    /// Only entries about this instance, as the journal names the instance
    #[arg(value_name = "REFERENCE")]
    pub(crate) reference: Option<String>,

    /// The configuration file [default: lifecycle/lifecycle.toml in the user's configuration folder]
    /// [env: LIFECYCLE_CONFIG]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,

    /// Only entries from this time on, for example 2026-11-20, 2026-11-20T18:00:00Z or 2h (two hours ago)
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(crate) since: Option<Timestamp>,
}

/// Reads a moment, a day in the time zone of this machine, or a time before now.
pub(super) fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    // A day alone is the first moment of the day.
    let local = text.parse::<civil::DateTime>().ok();
    if let Some(start) = local.and_then(|local| local.to_zoned(TimeZone::system()).ok()) {
        return Ok(start.timestamp());
    }
    let before = text.parse::<Span>().ok();
    let moment = before.and_then(|before| Zoned::now().checked_sub(before).ok());
    moment.map(|moment| moment.timestamp()).ok_or_else(|| {
        format!(
            "invalid time {text:?}: write a day (2026-11-20), a moment (2026-11-20T18:00:00Z) or a time before \
             now (2h)"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_accepts_days_moments_and_times_before_now() {
        let moment: Timestamp = "2026-11-20T18:00:00Z".parse().unwrap();
        assert_eq!(since("2026-11-20T18:00:00Z"), Ok(moment));
        let (day, hour) = (
            since("2026-11-20").unwrap(),
            since("2026-11-20T18:00").unwrap(),
        );
        assert_eq!(hour.duration_since(day).as_hours(), 18);
        let now = Timestamp::now();
        let ago = now.duration_since(since("2h").unwrap());
        assert_eq!(ago.as_mins(), 119.max(ago.as_mins().min(120)));
        for text in ["", "yesterday", "20"] {
            assert!(since(text).is_err(), "{text}");
        }
    }
}
