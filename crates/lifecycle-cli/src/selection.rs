//! `Selected`: the instances of a command line, named or selected; their protection, and the question before an
//! action.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    io::{self, BufRead, IsTerminal, Write},
    mem,
    time::Duration,
};

use lifecycle_facade::{
    ActionKind, Cloud, Fault, FaultKind, Fleet, FleetError, FleetRow, InstanceReference,
    InstanceReport, Observation, Outcome, PowerState, ProtectionCheck, SelectedInstance, Selection,
    Selector, UnreadInstance, distinct_instances,
    lifecycle_core::{FilterMatch, InstanceFilter},
};
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

use crate::{
    args::ConfirmArgs,
    console::{Console, eprint_line, eprint_warning},
    exit::{CommandError, Exit},
    row::{self, RequestKind, Row},
    targets::Targets,
};

/// The instances of a command after all selections.
#[derive(Debug, Default)]
pub(crate) struct Selected {
    /// The instances on which the command acts, named or selected.
    pub(crate) references: Vec<InstanceReference>,
    /// The selected instances with their observations, protected or not; empty if all instances are named.
    found: Vec<SelectedInstance>,
    /// The rows of the instances that the command leaves alone: protected instances, and instances whose protection
    /// is not known.
    pub(crate) left_alone: Vec<Row>,
    /// The same rows for the journal.
    pub(crate) left_alone_reports: Vec<FleetRow>,
    /// The description of each selection.
    descriptions: Vec<String>,
    /// The clouds whose lists were read.
    clouds: BTreeSet<Cloud>,
}

impl Selected {
    /// Makes the selections of `targets`, and writes a warning for each location that is left out. `request` is
    /// `None` if the command requests nothing.
    ///
    /// # Errors
    /// A list cannot be read completely within the time limit, or a location is invalid.
    pub(crate) async fn find(
        targets: Targets,
        fleet: &Fleet,
        time_limit: Duration,
        action: Option<ActionKind>,
        include_protected: bool,
        request: Option<RequestKind>,
    ) -> Result<Self, CommandError> {
        let mut selected = Self {
            references: targets.references,
            ..Self::default()
        };
        let deadline = Instant::now() + time_limit;
        for mut selector in targets.selectors {
            selector.include_protected = include_protected;
            // A list without end has answers, so the time limit of a single call is not enough.
            let listed = without_conditions(&selector);
            let selection = timeout_at(deadline, fleet.select(&listed)).await;
            let mut selection =
                selection.map_err(|_| CommandError::no_complete_list(&selector, time_limit))??;
            let action_kind = action.and(request);
            selected.add_missing(&selector, &selection, fleet, action_kind)?;
            for unavailable in &selection.unavailable {
                let reason = &unavailable.reason;
                eprint_warning(&format!("{} is left out: {reason}", unavailable.location));
            }
            selection.instances.retain(|selected| {
                let (instance, observation) = (&selected.instance, &selected.observation);
                targets.filter.matches(observation) == FilterMatch::Yes
                    && !selector.excludes(instance, observation)
            });
            selected
                .descriptions
                .push(description(&selector, &targets.filter));
            let clouds = selection.locations.iter().map(|location| location.cloud);
            selected.clouds.extend(clouds);
            let parts = selection.for_action(action);
            selected.references.extend(parts.instances);
            let kind = request.unwrap_or(RequestKind::Wait);
            selected.add_left_alone(parts.left_alone, kind);
            selected.found.extend(selection.instances);
        }
        selected.fold_duplicates(fleet)?;
        Ok(selected)
    }

    /// Adds the named instances that no list contains. The conditions cannot be checked on these instances, so an
    /// action leaves the instances alone; a command that only reads asks the cloud again.
    fn add_missing(
        &mut self,
        selector: &Selector,
        selection: &Selection,
        fleet: &Fleet,
        action: Option<RequestKind>,
    ) -> Result<(), FleetError> {
        let listed = selection.references();
        let named = selection.locations.iter().flat_map(|location| {
            let ids = selector.filter.instances.iter().cloned();
            ids.map(|id| InstanceReference::new(location.clone(), id))
        });
        let distinct = distinct_instances(fleet, listed.iter().cloned().chain(named))?;
        for instance in distinct.into_iter().skip(listed.len()) {
            let unseen = Observation::new(instance.instance.clone(), PowerState::Unknown, "");
            if selector.excludes(&instance, &unseen) {
                continue;
            }
            let Some(kind) = action else {
                self.references.push(instance);
                continue;
            };
            let location = &instance.location;
            let message = format!("the list of {location} does not contain the instance");
            let fault = Fault::new(FaultKind::NotFound, message);
            let report = InstanceReport::new(instance, Outcome::Refused(fault));
            self.add_left_alone(vec![report], kind);
        }
        Ok(())
    }

    /// Keeps each instance once. An instance that one argument names and another argument selects is left alone if
    /// the instance is protected.
    fn fold_duplicates(&mut self, fleet: &Fleet) -> Result<(), FleetError> {
        let left_alone = self.left_alone.iter().map(|row| row.reference.clone());
        let references = left_alone.chain(mem::take(&mut self.references));
        let distinct = distinct_instances(fleet, references)?;
        let mut unseen: HashSet<_> = distinct.iter().cloned().collect();
        let mut unreported = unseen.clone();
        self.left_alone_reports
            .retain(|report| unreported.remove(&report.instance));
        self.left_alone.retain(|row| unseen.remove(&row.reference));
        self.references = distinct;
        self.references
            .retain(|reference| unseen.contains(reference));
        Ok(())
    }

    /// Returns `true` if the command line has a selection, which reads lists.
    pub(crate) fn is_selection(&self) -> bool {
        !self.descriptions.is_empty()
    }

    /// Reads the protection of the named instances. The lists of the selections have the protection of the others.
    pub(crate) async fn read_protection(
        &self,
        fleet: &Fleet,
        time_limit: Duration,
    ) -> Result<ProtectionCheck, FleetError> {
        let found = self.found.iter().map(|selected| &selected.instance);
        let found: HashSet<_> = found.collect();
        let references = self.references.iter();
        let named: Vec<_> = references
            .filter(|reference| !found.contains(reference))
            .collect();
        if named.is_empty() {
            return Ok(ProtectionCheck::default());
        }
        let reads = u32::try_from(named.len() / INSTANCES_PER_READ).unwrap_or(u32::MAX);
        let time = FIRST_READ_TIME.saturating_add(FURTHER_READ_TIME.saturating_mul(reads));
        fleet.protected(named, time.min(time_limit)).await
    }

    /// Leaves the protected instances of a check alone.
    ///
    /// `is_configured` says whether the configuration file has a rule. Then an instance that could not be read is
    /// left alone, too, because the rule can apply to the instance. Without a rule the command acts on the
    /// instance, so that a key with permission to stop but not to read remains usable.
    pub(crate) fn leave_alone(
        &mut self,
        check: ProtectionCheck,
        verb: &str,
        kind: RequestKind,
        is_configured: bool,
    ) {
        let mut reports: Vec<FleetRow> = check
            .protected
            .iter()
            .map(SelectedInstance::left_alone)
            .collect();
        match is_configured {
            true => reports.extend(check.unread.into_iter().map(unread_report)),
            false => warn_of_unread(&check.unread, verb),
        }
        let left_alone: HashSet<_> = reports.iter().map(|report| &report.instance).collect();
        self.references
            .retain(|reference| !left_alone.contains(reference));
        self.add_left_alone(reports, kind);
    }

    fn add_left_alone(&mut self, reports: Vec<FleetRow>, kind: RequestKind) {
        let rows = reports.iter().map(|report| Row::of_report(report, kind));
        self.left_alone.extend(rows);
        self.left_alone_reports.extend(reports);
    }

    /// Returns `None` if the command has instances to act on. Otherwise writes a notice with the reason, and
    /// returns the exit code of the command.
    pub(crate) fn exit_if_empty(&self, fail_empty: bool, console: Console) -> Option<Exit> {
        if !self.references.is_empty() {
            return None;
        }
        let selections = self.descriptions.join("; ");
        // A row without an instance says so itself.
        let existing = self.left_alone.iter().filter(|row| !row.is_missing());
        let protected = self.left_alone.iter().filter(|row| row.is_protected());
        match (existing.count(), protected.count()) {
            (0, _) if !self.left_alone.is_empty() => {}
            (0, _) => {
                let notes = empty_list_notes(&self.clouds);
                console.notice(format_args!("no instance matches: {selections}{notes}"));
            }
            (count, protected) if protected < count => console.notice(format_args!(
                "nothing was sent: the protection of {} instances is not known",
                count - protected
            )),
            (count, _) if selections.is_empty() => {
                console.notice(format_args!("only protected instances are named ({count})"));
            }
            (count, _) => console.notice(format_args!(
                "only protected instances match ({count}): {selections}"
            )),
        }
        Some(match row::exit(&self.left_alone) {
            Exit::Complete if fail_empty => Exit::Incomplete,
            exit => exit,
        })
    }

    /// Returns the rows of all instances from the lists of the selections; `None` if an instance is named, because
    /// no list was read for the instance.
    pub(crate) fn rows(&self) -> Option<Vec<Row>> {
        let observations: HashMap<_, _> = self
            .found
            .iter()
            .map(|selected| (&selected.instance, &selected.observation))
            .collect();
        let rows = self.references.iter().map(|reference| {
            let observation = (*observations.get(reference)?).clone();
            Some(Row::of_observation(reference.clone(), observation))
        });
        rows.collect()
    }

    /// Writes the names, states and number of the selected instances to standard error, and the instances that are
    /// left alone. Writes nothing if all instances are named and none is left alone.
    pub(crate) fn describe(&self, verb: &str) {
        if self.found.is_empty() && self.left_alone.is_empty() {
            return;
        }
        let mut notes: HashMap<_, _> = self
            .left_alone
            .iter()
            .map(|row| (&row.reference, row.left_alone_note()))
            .collect();
        let mut lines: Vec<String> = Vec::new();
        for selected in &self.found {
            let (reference, observation) = (&selected.instance, &selected.observation);
            let note = notes.remove(reference).unwrap_or_default();
            let name = observation.name.as_deref().unwrap_or("-");
            lines.push(format!("{reference}  {}  {name}{note}", observation.state));
        }
        let named = self.left_alone.iter();
        for row in named.filter(|row| notes.contains_key(&row.reference)) {
            let name = row.seen(|seen| seen.name.as_deref()).unwrap_or("-");
            let (state, note) = (row.state().unwrap_or("-"), row.left_alone_note());
            lines.push(format!("{}  {state}  {name}{note}", row.reference));
        }
        for line in lines.iter().take(MAX_SHOWN) {
            eprint_line(format_args!("  {line}"));
        }
        if lines.len() > MAX_SHOWN {
            eprint_line(format_args!("  … and {} more", lines.len() - MAX_SHOWN));
        }
        let selections = match self.descriptions.join("; ") {
            text if text.is_empty() => text,
            text => format!(", selected by {text}"),
        };
        let count = self.references.len();
        eprint_line(format_args!("{verb}: {count} instances{selections}"));
    }

    /// Asks for a confirmation before an action on two or more instances of which some are selected. Asks only
    /// on a terminal, and not with `--yes`.
    ///
    /// # Errors
    /// The answer is not yes. Nothing was sent.
    pub(crate) async fn confirm(
        &self,
        verb: &'static str,
        args: ConfirmArgs,
    ) -> Result<(), CommandError> {
        let is_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        if args.yes || !is_terminal || self.found.is_empty() || self.references.len() < 2 {
            return Ok(());
        }
        self.describe(verb);
        let line = QuestionLine;
        let answer = spawn_blocking(move || {
            let mut answer = String::new();
            // Without an answer, for example from a closed terminal, the action is not confirmed.
            let _ = write!(anstream::stderr(), "{verb} these instances? [y/N] ");
            let _ = anstream::stderr().flush();
            let _ = io::stdin().lock().read_line(&mut answer);
            answer
        });
        let answer = answer.await.unwrap_or_default();
        mem::forget(line);
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(CommandError::nothing_done(
                "not confirmed: nothing was sent",
            )),
        }
    }
}

/// The line of a question without an answer. Dropped, the line ends, so that the next message begins a line.
struct QuestionLine;

impl Drop for QuestionLine {
    fn drop(&mut self) {
        eprint_line("");
    }
}

/// Returns the end of a message about empty lists: the note of each cloud that lists nothing to a key without
/// permission.
pub(crate) fn empty_list_notes(clouds: &BTreeSet<Cloud>) -> String {
    let notes = clouds.iter().filter_map(|cloud| cloud.empty_list_note());
    notes.map(|note| format!(" ({note})")).collect()
}

/// Returns the selector of named instances without conditions, so that the list shows which of the instances exist.
/// Returns any other selector as it is.
fn without_conditions(selector: &Selector) -> Selector {
    let mut selector = selector.clone();
    if !selector.filter.instances.is_empty() {
        selector.exclude.clear();
    }
    selector
}

/// Returns the description of a selection for people. `filter` has the conditions that all selections of a
/// command share.
fn description(selector: &Selector, filter: &InstanceFilter) -> String {
    let mut described = selector.clone();
    let InstanceFilter {
        names,
        tags,
        states,
        zones,
        instance_types,
        ..
    } = filter.clone();
    described.filter.names.extend(names);
    described.filter.tags.extend(tags);
    described.filter.states.extend(states);
    described.filter.zones.extend(zones);
    described.filter.instance_types.extend(instance_types);
    described.to_string()
}

/// Returns the report of an instance whose protection is not known.
fn unread_report(unread: UnreadInstance) -> FleetRow {
    let fault = unread.fault;
    let outcome = match fault.kind() {
        FaultKind::NotFound => Outcome::Refused(fault),
        _ => {
            let message = format!(
                "the protection could not be read, so nothing was sent: {}",
                fault.message()
            );
            Outcome::Skipped(fault.with_message(message))
        }
    };
    InstanceReport::new(unread.instance, outcome)
}

/// Warns that a command acts on instances whose protection is not known. A cloud that does not show an instance, or
/// accepts no call at all, gives the reason in the row of the instance.
fn warn_of_unread(unread: &[UnreadInstance], verb: &str) {
    let mut unknown = unread.iter().filter(|unread| {
        !matches!(
            unread.fault.kind(),
            FaultKind::NotFound
                | FaultKind::Credential
                | FaultKind::Unreachable
                | FaultKind::Certificate
                | FaultKind::Proxy
        )
    });
    let Some(UnreadInstance {
        instance, fault, ..
    }) = unknown.next()
    else {
        return;
    };
    let others = match unknown.count() {
        0 => String::new(),
        count => format!(" and of {count} more"),
    };
    eprint_warning(&format!(
        "the protection of {instance}{others} could not be read: {}; {verb} includes what could not be read, \
         unless the configuration file has protect or protect_tag",
        fault.description()
    ));
}

/// The number of instances that one call reads.
const INSTANCES_PER_READ: usize = 100;

/// The time limit for the protection of up to a hundred named instances.
const FIRST_READ_TIME: Duration = Duration::from_secs(30);

/// The additional time for each further hundred.
const FURTHER_READ_TIME: Duration = Duration::from_secs(1);

/// The number of instances that are shown before a question.
const MAX_SHOWN: usize = 50;
