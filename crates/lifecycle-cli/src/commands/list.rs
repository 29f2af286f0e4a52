//! `lifecycle list`: the instances of regions.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt, stream};
use lifecycle_facade::{
    Error, FaultKind, Fleet, FleetError, InstanceReference, ListRequest, Location, Observation,
    ResolvedLocation, Selector,
};
use tokio::time::{Instant, timeout_at};

use crate::{
    args::{FilterArgs, ListArgs},
    console::{Console, Format, eprint_line, eprint_warning},
    exit::{CommandError, Exit},
    locations,
    output::{RowKind, RowWriter},
    row::Row,
    selection::empty_list_notes,
    setup::Setup,
    terminal::plain,
};

/// The first rows of a table wait at most for this time.
const LONGEST_HOLD: Duration = Duration::from_secs(1);
/// The number of rows that may wait for other regions.
const MAX_HELD: usize = 100;

/// Lists the instances of regions, and prints each page as soon as the page arrives. An error in one
/// region does not hide the other regions.
pub(crate) async fn run(args: &ListArgs, console: Console) -> Result<Exit, CommandError> {
    let format = args.table.format(RowKind::States, console)?;
    let setup = Setup::read(&args.connection).await?;
    let fleet = setup.fleet().await?;
    let is_simulated = args.connection.sim;
    let resolved = locations::of_list(&args.locations, &fleet, is_simulated, "list").await?;
    for unavailable in &resolved.unavailable {
        let reason = &unavailable.reason;
        eprint_warning(&format!("{} is left out: {reason}", unavailable.location));
    }
    let locations = resolved.locations;
    // Invalid regions are rejected before the first call.
    for location in &locations {
        fleet.endpoint(&location.location).await?;
    }
    let limit = setup.timeout();
    let lists = locations.iter().enumerate().map(|(place, location)| {
        let mut list = fleet.list(&location.location).filter(args.filter.filter());
        if format.has_details() {
            list = list.details();
        }
        let reader = ListReader {
            location: location.clone(),
            limit,
            exclude: exclude(&args.filter),
            // One line at the end replaces the lines of a selection, and of the regions behind a pattern.
            has_notes: !console.quiet && !args.filter.is_set() && location.is_named,
        };
        reader.read(list).map(move |part| (place, part)).boxed()
    });
    let mut lists = stream::select_all(lists);
    let mut queue = PageQueue::new(locations.len());
    let mut writer = RowWriter::new(format);
    let mut failures = 0;
    // The first rows of a table wait for the rows of other regions, so that their columns are in line.
    let mut is_held = console.output == Format::Table;
    let held_until = Instant::now() + LONGEST_HOLD;
    let mut held = Vec::new();
    loop {
        let next = match is_held {
            true => timeout_at(held_until, lists.next()).await,
            false => Ok(lists.next().await),
        };
        let has_ended = matches!(next, Ok(None));
        is_held &= next.is_ok() && !has_ended;
        match next.ok().flatten() {
            Some((place, Part::Rows(rows))) => queue.push(place, rows),
            Some((place, Part::End)) => queue.end(place),
            Some((place, Part::Unavailable(warning))) => {
                eprint_warning(&warning);
                queue.end(place);
            }
            Some((place, Part::Failed(error))) => {
                error.print();
                failures += 1;
                queue.end(place);
            }
            None => {}
        }
        while let Some(rows) = queue.pop() {
            held.extend(rows);
        }
        is_held &= held.len() < MAX_HELD;
        if !is_held && !held.is_empty() && !writer.write(std::mem::take(&mut held))? {
            // The reader of the output has all rows that it needs.
            return Ok(Exit::Complete);
        }
        if has_ended {
            break;
        }
    }
    let is_empty = !writer.has_rows();
    let nothing_done = failures > 0 && failures == locations.len() && is_empty;
    if !nothing_done || console.output == Format::Json {
        writer.finish()?;
    }
    if failures == 0 && is_empty {
        let regions = locations.iter().filter(|location| !location.is_named);
        let clouds = locations.iter().map(|one| one.location.cloud);
        let notes = empty_list_notes(&clouds.collect());
        match (args.filter.is_set(), regions.count()) {
            (true, _) => console.notice(format_args!("no instance matches the selection{notes}")),
            (false, 0) => {}
            (false, regions) => {
                console.notice(format_args!("no instances in {regions} regions{notes}"));
            }
        }
    }
    Ok(match failures {
        0 if is_empty && args.filter.fail_empty => Exit::Incomplete,
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

/// Returns a selector with the instances to leave out.
fn exclude(filter: &FilterArgs) -> Selector {
    let mut selector = Selector::new();
    selector.exclude.extend_from_slice(filter.exclude());
    selector
}

/// A part of the list of one location.
enum Part {
    Rows(Vec<Row>),
    /// The key may not use a region that stands for a pattern.
    Unavailable(String),
    Failed(CommandError),
    End,
}

/// Reads the list of one location.
struct ListReader {
    location: ResolvedLocation,
    limit: Duration,
    /// The instances to leave out.
    exclude: Selector,
    /// A line reports an empty list.
    has_notes: bool,
}

impl ListReader {
    /// Reads the list page by page. The last part is a failure or the end.
    fn read(self, list: ListRequest<Fleet>) -> impl Stream<Item = Part> + Send + use<> {
        let deadline = Instant::now() + self.limit;
        let pages = Box::pin(list.pages());
        let reader = Arc::new(self);
        stream::unfold((Some(pages), None), move |(pages, read)| {
            let reader = Arc::clone(&reader);
            async move {
                let mut pages = pages?;
                Some(match timeout_at(deadline, pages.next()).await {
                    Ok(Some(Ok(page))) => {
                        let read = Some(read.unwrap_or_default() + page.len());
                        (Part::Rows(reader.rows(page)), (Some(pages), read))
                    }
                    Ok(Some(Err(error))) => (reader.failed(error, read), (None, read)),
                    Ok(None) => {
                        reader.end(read);
                        (Part::End, (None, read))
                    }
                    Err(_) => (reader.too_slow(), (None, read)),
                })
            }
        })
    }

    fn rows(&self, page: Vec<Observation>) -> Vec<Row> {
        let rows = page.into_iter().filter_map(|observation| {
            let location = self.location.location.clone();
            let reference = InstanceReference::new(location, observation.instance.clone());
            let is_excluded = self.exclude.excludes(&reference, &observation);
            (!is_excluded).then(|| Row::of_observation(reference, observation))
        });
        rows.collect()
    }

    /// Returns the part of a failed page. `read` is the number of instances on the pages before; `None` if the first page
    /// failed.
    fn failed(&self, error: FleetError, read: Option<usize>) -> Part {
        let location = &self.location.location;
        match read {
            None if !self.location.is_named && error.kind() == FaultKind::Permission => {
                Part::Unavailable(format!("{location} is left out: {error}"))
            }
            Some(read) if !matches!(error, FleetError::Client(Error::IncompleteList { .. })) => {
                Part::Failed(CommandError {
                    message: plain(&format!(
                        "{location}: the list is incomplete after {read} instances: {error}"
                    )),
                    ..error.into()
                })
            }
            _ => Part::Failed(error.into()),
        }
    }

    fn end(&self, read: Option<usize>) {
        if read.unwrap_or_default() == 0 && self.has_notes {
            let location = &self.location.location;
            let note = empty_list_note(location);
            eprint_line(format_args!("no instances in {location}{note}"));
        }
    }

    fn too_slow(&self) -> Part {
        Part::Failed(CommandError::no_complete_list(
            &self.location.location,
            self.limit,
        ))
    }
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
    use lifecycle_facade::{Cloud, Fault, InstanceId, ListDefect, PowerState};

    use super::*;
    use crate::simulated;

    /// Returns a page of this many rows of the location.
    fn page(location: &str, count: usize) -> Vec<Row> {
        let location: Location = location.parse().unwrap();
        let row = |n| {
            let id = InstanceId::new(&format!("i-{n}")).unwrap();
            let reference = InstanceReference::new(location.clone(), id.clone());
            Row::of_observation(
                reference,
                Observation::new(id, PowerState::Running, "Running"),
            )
        };
        (0..count).map(row).collect()
    }

    fn next(queue: &mut PageQueue) -> Option<String> {
        let page = queue.pop()?;
        Some(format!("{} {}", page[0].instance(), page.len()))
    }

    #[tokio::test]
    async fn permission_fault_after_the_first_page_is_a_failure_and_not_an_unavailable_region() {
        let fleet = simulated::small_fleet_builder().unwrap().build().unwrap();
        let pattern = "zenlayer/*".parse().unwrap();
        let resolved = fleet.locations(&[pattern]).await.unwrap();
        let reader = ListReader {
            location: resolved.locations[0].clone(),
            limit: Duration::from_secs(5),
            exclude: Selector::new(),
            has_notes: false,
        };
        let error = FleetError::Regions {
            cloud: Cloud::ALL[0],
            fault: Fault::new(FaultKind::Permission, "denied"),
        };
        let first = reader.failed(error.clone(), None);
        assert!(matches!(first, Part::Unavailable(_)));
        let Part::Failed(second) = reader.failed(error, Some(1_000)) else {
            panic!("the list seems complete");
        };
        let expected = "zenlayer/global: the list is incomplete after 1000 instances: ";
        assert!(second.message.starts_with(expected), "{second:?}");
        let short = Error::IncompleteList {
            title: "Zenlayer ZEC",
            listed: 1_000,
            defect: ListDefect::NothingNew,
        };
        let Part::Failed(third) = reader.failed(short.clone().into(), Some(1_000)) else {
            panic!("the list seems complete");
        };
        assert_eq!(third.message, short.to_string());
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
