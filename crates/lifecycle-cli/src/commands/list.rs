//! `lifecycle list`.

use std::time::Duration;

use futures_util::future::join_all;
use lifecycle_facade::{Fleet, InstanceReference, Location};
use tokio::time::timeout;

use crate::{
    args::ListArgs,
    console::{Console, Format, eprint_line},
    exit::{CommandError, Exit},
    output::{self, Columns},
    row::Row,
    setup::Setup,
};

/// Lists the instances of regions. One that cannot be read does not hide the others.
pub(crate) async fn run(args: &ListArgs, console: Console) -> Result<Exit, CommandError> {
    let setup = Setup::read(&args.connection)?;
    let fleet = setup.fleet()?;
    let places = args.places(&fleet)?;
    // Wrong regions are found before any cloud hears of the others.
    for place in &places {
        fleet.endpoint(place)?;
    }
    let limit = setup.timeout();
    let lists = places.iter().map(|place| read(&fleet, place, limit));
    let mut rows = Vec::new();
    let mut unread = 0;
    for list in join_all(lists).await {
        match list {
            Ok(list) => rows.extend(list),
            Err(error) => {
                error.print();
                unread += 1;
            }
        }
    }
    let nothing_read = unread == places.len();
    if !nothing_read || console.output == Format::Json {
        output::print_rows(&rows, Columns::States, console)?;
    }
    Ok(match unread {
        0 => Exit::Complete,
        _ if nothing_read => Exit::NothingDone,
        _ => Exit::Incomplete,
    })
}

async fn read(fleet: &Fleet, place: &Location, limit: Duration) -> Result<Vec<Row>, CommandError> {
    let Ok(list) = timeout(limit, fleet.list(place)).await else {
        return Err(CommandError::nothing_done(format!(
            "{place} could not be read within {} s; allow more time",
            limit.as_secs()
        )));
    };
    let list = list?;
    if list.is_empty() {
        eprint_line(format_args!("{place} has no instances"));
    }
    let rows = list.iter().map(|observation| {
        let reference = InstanceReference::new(place.clone(), observation.instance.clone());
        Row::of_observation(&reference, observation)
    });
    Ok(rows.collect())
}
