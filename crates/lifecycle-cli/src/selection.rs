//! `Selected`: the instances of a command line, named or selected; and the question before an action.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    io::{self, BufRead, IsTerminal, Write},
    time::Duration,
};

use lifecycle_facade::{
    ActionKind, Cloud, Fleet, FleetRow, InstanceReference, SelectedInstance, Selector,
    core::{FilterMatch, InstanceFilter},
    distinct_instances,
};
use tokio::{task::spawn_blocking, time::timeout};

use crate::{
    args::ConfirmArgs,
    console::{Console, eprint_line, eprint_warning},
    exit::{CommandError, Exit},
    row::{RequestKind, Row},
    targets::Targets,
};

/// The instances of a command after all selections.
#[derive(Debug, Default)]
pub(crate) struct Selected {
    /// The instances on which the command acts, named or selected.
    pub(crate) references: Vec<InstanceReference>,
    /// The selected instances with their observations, protected or not; empty if all instances are named.
    found: Vec<SelectedInstance>,
    /// The rows of the protected instances, which the command leaves alone.
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
    /// A list cannot be read completely, or a location is invalid.
    pub(crate) async fn find(
        targets: Targets,
        fleet: &Fleet,
        action: Option<ActionKind>,
        include_protected: bool,
        request: Option<RequestKind>,
    ) -> Result<Self, CommandError> {
        let mut selected = Self {
            references: targets.references,
            ..Self::default()
        };
        for mut selector in targets.selectors {
            selector.include_protected = include_protected;
            let mut selection = fleet.select(&selector).await?;
            for unavailable in &selection.unavailable {
                let reason = &unavailable.reason;
                eprint_warning(&format!("{} is left out: {reason}", unavailable.location));
            }
            selection.instances.retain(|selected| {
                targets.filter.matches(&selected.observation) == FilterMatch::Yes
            });
            selected
                .descriptions
                .push(description(&selector, &targets.filter));
            let clouds = selection.locations.iter().map(|location| location.cloud);
            selected.clouds.extend(clouds);
            let parts = selection.for_action(action);
            selected.references.extend(parts.instances);
            let kind = request.unwrap_or(RequestKind::Wait);
            let rows = parts.left_alone.iter();
            selected
                .left_alone
                .extend(rows.map(|row| Row::of_report(row, kind)));
            selected.left_alone_reports.extend(parts.left_alone);
            selected.found.extend(selection.instances);
        }
        selected.references = distinct_instances(fleet, selected.references)?;
        Ok(selected)
    }

    /// Leaves the protected instances among the named instances alone. Instances that cannot be read count as
    /// unprotected, so that a key with permission to stop but not to read remains usable.
    pub(crate) async fn leave_protected_alone(
        &mut self,
        fleet: &Fleet,
        kind: RequestKind,
    ) -> Result<(), CommandError> {
        let found: HashSet<_> = self
            .found
            .iter()
            .map(|selected| &selected.instance)
            .collect();
        let references = self.references.iter();
        let named: Vec<_> = references
            .filter(|reference| !found.contains(reference))
            .collect();
        if named.is_empty() {
            return Ok(());
        }
        let protected = match timeout(PROTECTION_TIME_LIMIT, fleet.protected(named)).await {
            Ok(protected) => protected?,
            Err(_) => {
                eprint_warning(
                    "the protection of the named instances could not be checked in time",
                );
                return Ok(());
            }
        };
        for selected in protected {
            self.references
                .retain(|reference| *reference != selected.instance);
            let report = selected.left_alone();
            self.left_alone.push(Row::of_report(&report, kind));
            self.left_alone_reports.push(report);
        }
        Ok(())
    }

    /// Returns `None` if the command has instances to act on. Otherwise writes a notice with the reason, and
    /// returns the exit code of the command.
    pub(crate) fn exit_if_empty(&self, fail_empty: bool, console: Console) -> Option<Exit> {
        if !self.references.is_empty() {
            return None;
        }
        let selections = self.descriptions.join("; ");
        match self.left_alone.len() {
            0 => {
                let notes = empty_list_notes(&self.clouds);
                console.notice(format_args!("no instance matches: {selections}{notes}"));
            }
            count if selections.is_empty() => {
                console.notice(format_args!("only protected instances are named ({count})"));
            }
            count => console.notice(format_args!(
                "only protected instances match ({count}): {selections}"
            )),
        }
        Some(match fail_empty {
            true => Exit::Incomplete,
            false => Exit::Complete,
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

    /// Writes the names, states and number of the selected instances to standard error. Writes nothing if all
    /// instances are named.
    pub(crate) fn describe(&self, verb: &str) {
        if self.found.is_empty() {
            return;
        }
        let left_alone: HashSet<_> = self.left_alone.iter().map(|row| &row.reference).collect();
        for selected in self.found.iter().take(MAX_SHOWN) {
            let (reference, observation) = (&selected.instance, &selected.observation);
            let name = observation.name.as_deref().unwrap_or("-");
            let note = match left_alone.contains(reference) {
                true => "  (protected: left alone)",
                false => "",
            };
            eprint_line(format_args!(
                "  {reference}  {}  {name}{note}",
                observation.state
            ));
        }
        if self.found.len() > MAX_SHOWN {
            eprint_line(format_args!(
                "  … and {} more",
                self.found.len() - MAX_SHOWN
            ));
        }
        eprint_line(format_args!(
            "{verb}: {} instances, selected by {}",
            self.references.len(),
            self.descriptions.join("; ")
        ));
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
        let answer = spawn_blocking(move || {
            let mut answer = String::new();
            // Without an answer, for example from a closed terminal, the action is not confirmed.
            let _ = write!(anstream::stderr(), "{verb} these instances? [y/N] ");
            let _ = anstream::stderr().flush();
            let _ = io::stdin().lock().read_line(&mut answer);
            answer
        });
        let answer = answer.await.unwrap_or_default();
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(CommandError::nothing_done(
                "not confirmed: nothing was sent",
            )),
        }
    }
}

/// Returns the end of a message about empty lists: the note of each cloud that lists nothing to a key without
/// permission.
pub(crate) fn empty_list_notes(clouds: &BTreeSet<Cloud>) -> String {
    let notes = clouds.iter().filter_map(|cloud| cloud.empty_list_note());
    notes.map(|note| format!(" ({note})")).collect()
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

/// The time limit for the check whether named instances are protected.
const PROTECTION_TIME_LIMIT: Duration = Duration::from_secs(30);

/// The number of instances that are shown before a question.
const MAX_SHOWN: usize = 50;
