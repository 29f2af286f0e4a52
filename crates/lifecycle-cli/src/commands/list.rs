//! `lifecycle list`: the instances of regions.

use std::{collections::VecDeque, time::Duration};

use futures_util::{Stream, StreamExt, stream};
use lifecycle_facade::{Fleet, InstanceReference, ListRequest, Location, Observation};
use tokio::time::{Instant, timeout_at};

use crate::{
    args::ListArgs,
    console::{Console, Format},
    exit::{CommandError, Exit},
    locations,
    output::{RowFormat, RowKind, RowWriter},
    row::Row,
    setup::Setup,
};

/// Lists the instances of regions, and prints each page as soon as the page arrives. An error in one
/// region does not hide the other regions.
pub(crate) async fn run(args: &ListArgs, console: Console) -> Result<Exit, CommandError> {
    let format = RowFormat::new(&args.table, RowKind::States, console)?;
    let setup = Setup::read(&args.connection).await?;
    let fleet = setup.fleet().await?;
    let locations = locations::resolve(&args.locations, &fleet)?;
    // Invalid regions are rejected before the first call.
    for location in &locations {
        fleet.endpoint(location)?;
    }
    let limit = setup.timeout();
    let lists = locations.iter().enumerate().map(|(place, location)| {
        let mut list = fleet.list(location);
        if format.has_details() {
            list = list.details();
        }
        let list = read(list, location, limit, console);
        list.map(move |part| (place, part)).boxed()
    });
    let mut lists = stream::select_all(lists);
    let mut queue = PageQueue::new(locations.len());
    let mut writer = RowWriter::new(format);
    let mut failures = 0;
    while let Some((place, part)) = lists.next().await {
        match part {
            Part::Rows(rows) => queue.push(place, rows),
            Part::End => queue.end(place),
            Part::Failed(error) => {
                error.print();
                failures += 1;
                queue.end(place);
            }
        }
        while let Some(rows) = queue.pop() {
            if !writer.write(rows)? {
                // The reader of the output has all rows that it needs.
                return Ok(Exit::Complete);
            }
        }
    }
    let nothing_done = failures == locations.len() && !writer.has_rows();
    if !nothing_done || console.output == Format::Json {
        writer.finish()?;
    }
    Ok(match failures {
        0 => Exit::Complete,
        _ if nothing_done => Exit::NothingDone,
        _ => Exit::Incomplete,
    })
}

/// Returns the end of a message about an empty list.
pub(super) fn empty_list_note(location: &Location) -> String {
    let note = location.cloud.empty_list_note();
    note.map_or_else(String::new, |note| format!(" ({note})"))
}

/// A part of the list of one location.
enum Part {
    Rows(Vec<Row>),
    Failed(CommandError),
    End,
}

/// Reads the list of a location page by page. The last part is a failure or the end.
fn read(
    list: ListRequest<Fleet>,
    location: &Location,
    limit: Duration,
    console: Console,
) -> impl Stream<Item = Part> + Send {
    let deadline = Instant::now() + limit;
    let location = location.clone();
    let pages = Box::pin(list.pages());
    stream::unfold((Some(pages), true), move |(pages, is_empty)| {
        let location = location.clone();
        async move {
            let mut pages = pages?;
            Some(match timeout_at(deadline, pages.next()).await {
                Ok(Some(Ok(page))) => {
                    let is_empty = is_empty && page.is_empty();
                    (Part::Rows(rows(&location, page)), (Some(pages), is_empty))
                }
                Ok(Some(Err(error))) => (Part::Failed(error.into()), (None, is_empty)),
                Ok(None) => {
                    if is_empty {
                        console.notice(format_args!(
                            "no instances in {location}{}",
                            empty_list_note(&location)
                        ));
                    }
                    (Part::End, (None, is_empty))
                }
                Err(_) => {
                    let error = CommandError::nothing_done(format!(
                        "{location}: no complete list within {} s; increase --timeout",
                        limit.as_secs()
                    ));
                    (Part::Failed(error), (None, is_empty))
                }
            })
        }
    })
}

fn rows(location: &Location, page: Vec<Observation>) -> Vec<Row> {
    let rows = page.into_iter().map(|observation| {
        let reference = InstanceReference::new(location.clone(), observation.instance.clone());
        Row::of_observation(reference, observation)
    });
    rows.collect()
}

/// Pages of several locations, in the order of the locations as long as few rows wait.
///
/// Rows of a later location wait until each earlier location has ended. If more than [`MAX_WAITING`]
/// rows wait, all of them are next: memory is worth more than order.
struct PageQueue {
    waiting: Vec<VecDeque<Vec<Row>>>,
    ended: Vec<bool>,
    /// The first location that has not ended.
    current: usize,
    waiting_rows: usize,
}

/// The number of rows that may wait.
const MAX_WAITING: usize = 20_000;

impl PageQueue {
    fn new(locations: usize) -> Self {
        Self {
            waiting: (0..locations).map(|_| VecDeque::new()).collect(),
            ended: vec![false; locations],
            current: 0,
            waiting_rows: 0,
        }
    }

    fn push(&mut self, location: usize, rows: Vec<Row>) {
        if let Some(waiting) = self.waiting.get_mut(location) {
            self.waiting_rows += rows.len();
            waiting.push_back(rows);
        }
    }

    fn end(&mut self, location: usize) {
        if let Some(ended) = self.ended.get_mut(location) {
            *ended = true;
        }
    }

    /// Returns the next page to print.
    fn pop(&mut self) -> Option<Vec<Row>> {
        let page = self.next_in_order().or_else(|| {
            let mut waiting = self.waiting.iter_mut();
            (self.waiting_rows > MAX_WAITING)
                .then(|| waiting.find_map(VecDeque::pop_front))
                .flatten()
        })?;
        self.waiting_rows = self.waiting_rows.saturating_sub(page.len());
        Some(page)
    }

    fn next_in_order(&mut self) -> Option<Vec<Row>> {
        loop {
            if let Some(page) = self.waiting.get_mut(self.current)?.pop_front() {
                return Some(page);
            }
            if !*self.ended.get(self.current)? {
                return None;
            }
            self.current += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_facade::{InstanceId, PowerState};

    use super::*;

    /// Returns a page of this many rows of the location.
    fn page(location: &str, count: usize) -> Vec<Row> {
        let location: Location = location.parse().unwrap();
        let observations: Vec<Observation> = (0..count)
            .map(|n| {
                let id = InstanceId::new(&format!("i-{n}")).unwrap();
                Observation::new(id, PowerState::Running, "Running")
            })
            .collect();
        rows(&location, observations)
    }

    fn next(queue: &mut PageQueue) -> Option<String> {
        let page = queue.pop()?;
        Some(format!("{} {}", page[0].instance(), page.len()))
    }

    #[test]
    fn pages_of_a_later_location_wait_for_the_earlier_one() {
        let mut queue = PageQueue::new(2);
        queue.push(1, page("baidu/gz", 2));
        queue.end(1);
        assert_eq!(next(&mut queue), None);
        queue.push(0, page("baidu/bj", 3));
        assert_eq!(next(&mut queue).as_deref(), Some("baidu/bj/i-0 3"));
        assert_eq!(next(&mut queue), None);
        queue.end(0);
        assert_eq!(next(&mut queue).as_deref(), Some("baidu/gz/i-0 2"));
        assert_eq!(next(&mut queue), None);
    }

    #[test]
    fn pages_do_not_wait_if_too_many_rows_would() {
        let mut queue = PageQueue::new(2);
        queue.push(1, page("baidu/gz", MAX_WAITING));
        assert_eq!(next(&mut queue), None);
        queue.push(1, page("baidu/gz", 1));
        assert_eq!(
            next(&mut queue),
            Some(format!("baidu/gz/i-0 {MAX_WAITING}"))
        );
        assert_eq!(next(&mut queue), None);
    }
}
