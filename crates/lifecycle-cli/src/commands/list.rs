//! `lifecycle list`: the instances of regions.

use std::time::Duration;

use futures_util::future::join_all;
use lifecycle_facade::{Fleet, InstanceReference, Location};
use tokio::time::timeout;

use crate::{
    args::ListArgs,
    console::{Console, Format, eprint_line},
    exit::{CommandError, Exit},
    locations,
    output::{self, Columns},
    row::Row,
    setup::Setup,
};

/// Lists the instances of regions. An error in one region does not hide the other regions.
pub(crate) async fn run(args: &ListArgs, console: Console) -> Result<Exit, CommandError> {
    let setup = Setup::read(&args.connection).await?;
    let fleet = setup.fleet().await?;
    let locations = locations::resolve(&args.locations, &fleet)?;
    // Invalid regions are rejected before the first call.
    for location in &locations {
        fleet.endpoint(location)?;
    }
    let limit = setup.timeout();
    let lists = locations
        .iter()
        .map(|location| read(&fleet, location, limit));
    let mut rows = Vec::new();
    let mut failures = 0;
    for list in join_all(lists).await {
        match list {
            Ok(list) => rows.extend(list),
            Err(error) => {
                error.print();
                failures += 1;
            }
        }
    }
    let all_failed = failures == locations.len();
    if !all_failed || console.output == Format::Json {
        output::print_rows(&rows, Columns::States, console)?;
    }
    Ok(match failures {
        0 => Exit::Complete,
        _ if all_failed => Exit::NothingDone,
        _ => Exit::Incomplete,
    })
}

/// Returns the end of a message about an empty list.
pub(super) fn empty_list_note(location: &Location) -> String {
    let note = location.cloud.empty_list_note();
    note.map_or_else(String::new, |note| format!(" ({note})"))
}

async fn read(
    fleet: &Fleet,
    location: &Location,
    limit: Duration,
) -> Result<Vec<Row>, CommandError> {
    let Ok(list) = timeout(limit, fleet.list(location)).await else {
        return Err(CommandError::nothing_done(format!(
            "{location}: no complete list within {} s; increase --timeout",
            limit.as_secs()
        )));
    };
    let list = list?;
    if list.is_empty() {
        eprint_line(format_args!(
            "no instances in {location}{}",
            empty_list_note(location)
        ));
    }
    let rows = list.iter().map(|observation| {
        let reference = InstanceReference::new(location.clone(), observation.instance.clone());
        Row::of_observation(&reference, observation)
    });
    Ok(rows.collect())
}
