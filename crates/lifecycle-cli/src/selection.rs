//! Makes the selections of a command line: reads the lists, and asks before an action on several instances.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    io::{self, BufRead, IsTerminal, Write},
    time::Duration,
};

use lifecycle_facade::{
    ActionKind, Cloud, Fleet, InstanceReference, SelectedInstance, core::FilterMatch,
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

/// The instances of a command after all selections were made.
#[derive(Debug, Default)]
pub(crate) struct Selected {
    /// The instances on which the command acts.
    pub(crate) references: Vec<InstanceReference>,
    /// Selected instances with their facts; empty without a selection.
    found: Vec<SelectedInstance>,
    /// Protected instances, which the command leaves alone.
    pub(crate) left_alone: Vec<Row>,
    /// The descriptions of the selections.
    descriptions: Vec<String>,
    /// The clouds whose lists were read.
    clouds: BTreeSet<Cloud>,
}

impl Selected {
    /// Makes the selections of `targets`. `request` is `None` if the command requests nothing.
    ///
    /// # Errors
    /// A list is not complete, or a location is invalid.
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
            selection
                .instances
                .retain(|one| targets.filter.matches(&one.observation) == FilterMatch::Yes);
            let mut described = selection.selector.clone();
            described
                .filter
                .names
                .extend(targets.filter.names.iter().cloned());
            described
                .filter
                .tags
                .extend(targets.filter.tags.iter().cloned());
            described.filter.states.extend(&targets.filter.states);
            described
                .filter
                .zones
                .extend(targets.filter.zones.iter().cloned());
            let types = targets.filter.instance_types.iter();
            described.filter.instance_types.extend(types.cloned());
            selected.descriptions.push(described.to_string());
            selected
                .clouds
                .extend(selection.locations.iter().map(|one| one.cloud));
            let parts = selection.for_action(action);
            selected.references.extend(parts.instances);
            let kind = request.unwrap_or(RequestKind::Wait);
            let rows = parts.left_alone.iter();
            selected
                .left_alone
                .extend(rows.map(|row| Row::of_report(row, kind)));
            selected.found.extend(selection.instances);
        }
        selected.references = distinct_instances(fleet, selected.references)?;
        Ok(selected)
    }

    /// Leaves alone the protected instances among the named ones. Instances that cannot be read count as
    /// unprotected: a key that may stop but not read must not be useless.
    pub(crate) async fn leave_protected_alone(
        &mut self,
        fleet: &Fleet,
        kind: RequestKind,
    ) -> Result<(), CommandError> {
        let found: HashSet<_> = self.found.iter().map(|one| &one.instance).collect();
        let named = self.references.iter();
        let named: Vec<_> = named.filter(|named| !found.contains(named)).collect();
        if named.is_empty() {
            return Ok(());
        }
        let protected = match timeout(CHECK_LIMIT, fleet.protected(named)).await {
            Ok(protected) => protected?,
            Err(_) => {
                eprint_warning(
                    "the protection of the named instances could not be checked in time",
                );
                return Ok(());
            }
        };
        for one in protected {
            self.references.retain(|named| *named != one.instance);
            self.left_alone
                .push(Row::of_report(&one.left_alone(), kind));
        }
        Ok(())
    }

    /// Returns the exit code of a command whose selection has no instance, after a line about it; `None`
    /// if there is an instance.
    pub(crate) fn exit_if_empty(&self, fail_empty: bool, console: Console) -> Option<Exit> {
        if !self.references.is_empty() {
            return None;
        }
        let what = self.descriptions.join("; ");
        match self.left_alone.len() {
            0 => {
                let notes = empty_list_notes(&self.clouds);
                console.notice(format_args!("no instance matches: {what}{notes}"));
            }
            n if what.is_empty() => {
                console.notice(format_args!("only protected instances are named ({n})"));
            }
            n => console.notice(format_args!("only protected instances match ({n}): {what}")),
        }
        Some(match fail_empty {
            true => Exit::Incomplete,
            false => Exit::Complete,
        })
    }

    /// Returns the rows of all instances as the selections saw them; `None` if some instances are named, so
    /// that nothing is known about them.
    pub(crate) fn rows(&self) -> Option<Vec<Row>> {
        let found = self.found.iter();
        let found: HashMap<_, _> = found.map(|one| (&one.instance, one)).collect();
        let rows = self.references.iter().map(|reference| {
            let observation = found.get(reference)?.observation.clone();
            Some(Row::of_observation(reference.clone(), observation))
        });
        rows.collect()
    }

    /// Shows the selected instances on standard error: their names, states and number.
    pub(crate) fn describe(&self, verb: &str) {
        if self.found.is_empty() {
            return;
        }
        let left_alone: HashSet<_> = self.left_alone.iter().map(|row| &row.reference).collect();
        for one in self.found.iter().take(MAX_SHOWN) {
            let name = one.observation.name.as_deref().unwrap_or("-");
            let note = match left_alone.contains(&one.instance) {
                true => "  (protected: left alone)",
                false => "",
            };
            eprint_line(format_args!(
                "  {}  {}  {name}{note}",
                one.instance, one.observation.state
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

    /// Asks before an action on several selected instances. Asks only on a terminal.
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
            // A closed terminal is no answer.
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

/// The time limit for the check of named instances.
const CHECK_LIMIT: Duration = Duration::from_secs(30);

/// The number of instances that are shown before a question.
const MAX_SHOWN: usize = 50;
