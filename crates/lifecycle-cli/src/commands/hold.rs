//! `lifecycle hold`, `release` and `holds`: exceptions from a schedule, which end by themselves.

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use lifecycle_controller::{Hold, Record, Release, State, Wanted, settings::Settings};
use lifecycle_facade::{InstanceReference, config::Config, did_you_mean};
use serde::Serialize;

use super::{controller, journal};
use crate::{
    args::{HoldArgs, HoldsArgs, ReleaseArgs, StoreArgs},
    config_file,
    console::Console,
    exit::{CommandError, Exit},
    output,
};

/// Holds a group or a machine in a state.
pub(crate) async fn hold(args: &HoldArgs, console: Console) -> Result<Exit, CommandError> {
    let config = read(&args.store).await?;
    let settings = controller::settings(Some(&config))?;
    let target = target(&args.target, &settings)?;
    let zone = zone(&target, &settings);
    let now = controller::now();
    let until = until(&args.until, now, &zone).map_err(CommandError::wrong_usage)?;
    if args.why.trim().is_empty() {
        return Err(CommandError::wrong_usage(
            "--why is empty: write the reason, for other people",
        ));
    }
    let why = args.why.trim();
    let state = Wanted::from(args.state);
    let hold = Hold::new(&target, state, until, why, journal::operator(), now);
    append(&args.store, &config, Record::Hold(hold)).await?;
    console.notice(format_args!(
        "{target} is held {} until {}; end it earlier with: lifecycle release {target}",
        state.as_str(),
        controller::local(until, &zone)
    ));
    Ok(Exit::Complete)
}

/// Ends a hold before its time.
pub(crate) async fn release(args: &ReleaseArgs, console: Console) -> Result<Exit, CommandError> {
    let config = read(&args.store).await?;
    let choice = controller::store_choice(args.store.journal.as_ref(), Some(&config))?;
    let state = choice.state().await?;
    let now = controller::now();
    let Some(held) = state.hold(&args.target, now) else {
        let held: Vec<_> = active(&state, now)
            .map(|hold| hold.target.as_str())
            .collect();
        let hint = did_you_mean(&args.target, held.iter().copied());
        let hint = hint.unwrap_or_else(|| match held.is_empty() {
            true => "nothing is held".to_owned(),
            false => format!("held: {}", held.join(", ")),
        });
        return Err(CommandError::wrong_usage(format!(
            "{} is not held; {hint}",
            args.target
        )));
    };
    let release = Release::new(&held.target, journal::operator(), now);
    append(&args.store, &config, Record::Release(release)).await?;
    console.notice(format_args!("{} follows its schedule again", args.target));
    Ok(Exit::Complete)
}

/// One hold. The serialized fields are the fields of the JSON output.
#[derive(Debug, Serialize)]
struct Line<'a> {
    schema: u32,
    target: &'a str,
    state: &'static str,
    until: Timestamp,
    why: &'a str,
    by: &'a str,
    at: Timestamp,
}

/// Prints the holds.
pub(crate) async fn holds(args: &HoldsArgs, console: Console) -> Result<Exit, CommandError> {
    let config = config_file::read(args.store.config.clone(), None).await?;
    let choice = controller::store_choice(args.store.journal.as_ref(), config.as_ref())?;
    let state = choice.state().await?;
    let now = controller::now();
    let lines: Vec<_> = active(&state, now)
        .map(|hold| Line {
            schema: 1,
            target: &hold.target,
            state: hold.state.as_str(),
            until: hold.until,
            why: &hold.why,
            by: &hold.by,
            at: hold.at,
        })
        .collect();
    match output::json_records(&lines, console.output)? {
        Some(json) => output::print(&json)?,
        None if lines.is_empty() => console.notice("nothing is held"),
        None => output::print_texts(
            ["TARGET", "STATE", "UNTIL", "BY", "WHY"],
            &lines.iter().map(cells).collect::<Vec<_>>(),
        )?,
    }
    Ok(Exit::Complete)
}

fn cells(line: &Line<'_>) -> [String; 5] {
    [
        line.target.to_owned(),
        line.state.to_owned(),
        format!("{:.0}", line.until),
        line.by.to_owned(),
        line.why.to_owned(),
    ]
}

fn active(state: &State, now: Timestamp) -> impl Iterator<Item = &Hold> {
    state.holds.values().filter(move |hold| now < hold.until)
}

async fn read(args: &StoreArgs) -> Result<Config, CommandError> {
    let config = config_file::read(args.config.clone(), None).await?;
    config.ok_or_else(|| {
        CommandError::wrong_usage("there is no configuration file: name a file with --config")
    })
}

async fn append(args: &StoreArgs, config: &Config, record: Record) -> Result<(), CommandError> {
    let choice = controller::store_choice(args.journal.as_ref(), Some(config))?;
    let store = choice.open().await?;
    store.append(vec![record]).await?;
    Ok(())
}

/// Returns the target as the records name it: a kept group, or the machine of a reference.
fn target(written: &str, settings: &Settings) -> Result<String, CommandError> {
    let groups = settings
        .rules
        .groups
        .iter()
        .map(|group| group.name.as_str());
    if groups.clone().any(|group| group == written) {
        return Ok(written.to_owned());
    }
    if let Ok(reference) = written.parse::<InstanceReference>() {
        return Ok(reference.machine().to_string());
    }
    let groups: Vec<_> = groups.collect();
    let hint = did_you_mean(written, groups.iter().copied())
        .unwrap_or_else(|| format!("groups with a schedule: {}", groups.join(", ")));
    Err(CommandError::wrong_usage(format!(
        "{written:?} is neither a group with a schedule nor a reference; {hint}"
    )))
}

/// Returns the zone of the schedule of a group, or of the first schedule for a machine.
fn zone(target: &str, settings: &Settings) -> TimeZone {
    let groups = &settings.rules.groups;
    let group = groups.iter().find(|group| group.name == target);
    let group = group.or_else(|| groups.first());
    group.map_or(TimeZone::UTC, |group| group.schedule.zone.clone())
}

/// Reads the end of a hold: a time of day, a day with a time, a moment, or a time from now.
fn until(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let moment = if let Ok(moment) = text.parse::<Timestamp>() {
        Some(moment)
    } else if let Ok(span) = text.parse::<SignedDuration>() {
        now.checked_add(span).ok()
    } else if let Ok(local) = text.parse::<civil::DateTime>() {
        // A day with a time is a time of day as well, and comes first.
        let local = local.to_zoned(zone.clone());
        local.ok().map(|local| local.timestamp())
    } else if let Ok(time) = text.parse::<civil::Time>() {
        let today = now.to_zoned(zone.clone()).date();
        let on = |date: civil::Date| {
            let moment = date.to_datetime(time).to_zoned(zone.clone());
            moment.ok().map(|moment| moment.timestamp())
        };
        on(today)
            .filter(|moment| *moment > now)
            .or_else(|| on(today.tomorrow().ok()?))
    } else {
        None
    };
    let advice =
        "write 22:00, 2026-11-28T08:00, 2026-11-28T08:00:00+08:00, or a time from now such as 2h";
    match moment {
        Some(moment) if moment > now => Ok(moment),
        Some(_) => Err(format!("--until {text} is in the past: {advice}")),
        None => Err(format!("invalid time {text:?}: {advice}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_is_a_group_or_the_machine_of_a_reference() {
        let config =
            "groups.web = [\"baidu/bj/i-1\"]\nkeep.web = \"s\"\nschedules.s.zone = \"UTC\"";
        let settings = Settings::from_config(&Config::parse(config).unwrap()).unwrap();
        let machine = "huawei/cn-north-4/616fb98f-46ca-475e-917e-2563e5a8cd19";
        let upper = "huawei/cn-north-4/616FB98F-46CA-475E-917E-2563E5A8CD19";
        let other = format!("ops@{upper}");
        for (written, expected) in [
            ("web", "web"),
            ("baidu/bj/i-AbC", "baidu/bj/i-AbC"),
            (machine, machine),
            (upper, machine),
            (other.as_str(), machine),
        ] {
            assert_eq!(target(written, &settings).unwrap(), expected, "{written}");
        }
        assert!(target("wbe", &settings).is_err());
    }

    #[test]
    fn end_of_a_hold_is_a_time_of_day_a_day_a_moment_or_a_time_from_now() {
        let now: Timestamp = "2026-11-27T19:00:00+08:00".parse().unwrap();
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        for (text, expected) in [
            ("22:00", "2026-11-27T22:00:00+08:00"),
            ("08:00", "2026-11-28T08:00:00+08:00"),
            ("2026-11-29T06:30", "2026-11-29T06:30:00+08:00"),
            ("2026-11-29T06:30:00Z", "2026-11-29T06:30:00Z"),
            ("2h30m", "2026-11-27T21:30:00+08:00"),
        ] {
            assert_eq!(
                until(text, now, &zone),
                Ok(expected.parse().unwrap()),
                "{text}"
            );
        }
        for (text, problem) in [
            ("2026-11-27T10:00", "in the past"),
            ("soon", "invalid time"),
            ("-2h", "in the past"),
            ("", "invalid time"),
        ] {
            let error = until(text, now, &zone).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
