//! Looks at the machines of all groups. A location that fails does not hide the others.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use lifecycle_facade::{InstanceReference, Location, Selector, config::Group};

use super::{handle::Keeper, report::Look};
use crate::{decide::SeenMachine, machine::machine_name};

impl Keeper {
    /// Looks at the machines of all groups.
    pub(super) async fn look(&self) -> Look {
        let mut look = Collector::default();
        let mut named: BTreeMap<Location, Vec<InstanceReference>> = BTreeMap::new();
        let mut selectors: Vec<(&String, Selector)> = Vec::new();
        for (group, members) in &self.settings.members {
            match members {
                Group::References(entries) => {
                    for entry in entries {
                        match entry.text.parse::<InstanceReference>() {
                            Ok(reference) => {
                                look.add_member(&reference, group);
                                let location = reference.location.clone();
                                named.entry(location).or_default().push(reference);
                            }
                            Err(error) => look.problem(group, &error.to_string()),
                        }
                    }
                }
                Group::Selection(selection) => match Selector::from_config(selection) {
                    Ok(selector) => selectors.push((group, selector)),
                    Err(error) => look.problem(group, &error.to_string()),
                },
                _ => look.problem(group, "this group is of an unknown kind"),
            }
        }
        let observed = join_all(named.values().map(|references| self.observe(references)));
        let selected = join_all(
            selectors
                .iter()
                .map(|(_, selector)| self.fleet.select(selector)),
        );
        let (observed, selected) = tokio::join!(observed, selected);
        for (machine, name) in observed.into_iter().flatten() {
            look.add(machine, name);
        }
        for ((group, _), selection) in selectors.iter().zip(selected) {
            match selection {
                Ok(selection) => {
                    for unavailable in selection.unavailable {
                        let (location, reason) = (unavailable.location, unavailable.reason);
                        look.problem(group, &format!("{location} is left out: {reason}"));
                    }
                    for found in selection.instances {
                        look.add_member(&found.instance, group);
                        let machine = SeenMachine {
                            instance: found.instance.to_string(),
                            groups: BTreeSet::new(),
                            state: Ok(found.observation.state),
                            protected: found.protection,
                        };
                        look.add(machine, found.observation.name);
                    }
                }
                Err(error) => look.problem(group, &error.to_string()),
            }
        }
        look.finish()
    }

    /// Observes the machines of one location, with the tags that can protect a machine.
    async fn observe(
        &self,
        references: &[InstanceReference],
    ) -> Vec<(SeenMachine, Option<String>)> {
        let seen = |reference: &InstanceReference, state| SeenMachine {
            instance: reference.to_string(),
            groups: BTreeSet::new(),
            state,
            protected: None,
        };
        match self.fleet.observe(references).details().await {
            Ok(statuses) => statuses
                .into_iter()
                .map(|status| {
                    let protected = status.result.as_ref().ok();
                    let protected = protected.and_then(|seen| self.fleet.protection().reason(seen));
                    let (state, name) = match status.result {
                        Ok(observation) => (Ok(observation.state), observation.name),
                        Err(fault) => (Err(fault.to_string()), None),
                    };
                    let machine = SeenMachine {
                        protected,
                        ..seen(&status.instance, state)
                    };
                    (machine, name)
                })
                .collect(),
            Err(error) => {
                let reason = error.to_string();
                let references = references.iter();
                references
                    .map(|reference| (seen(reference, Err(reason.clone())), None))
                    .collect()
            }
        }
    }
}

/// Collects machines, each once with all its groups, by the [`machine_name`]: groups can name one machine through
/// two accounts, or in two spellings.
#[derive(Debug, Default)]
struct Collector {
    machines: BTreeMap<String, (SeenMachine, Option<String>)>,
    groups: BTreeMap<String, BTreeSet<String>>,
    problems: Vec<String>,
}

impl Collector {
    fn add_member(&mut self, reference: &InstanceReference, group: &str) {
        let machine = reference.machine().to_string();
        let groups = self.groups.entry(machine).or_default();
        groups.insert(group.to_owned());
    }

    /// Adds a machine with its display name. The first reference through which the machine was seen stays.
    fn add(&mut self, machine: SeenMachine, name: Option<String>) {
        let key = machine_name(&machine.instance);
        let known = self.machines.get(&key);
        if known.is_none_or(|(known, _)| known.state.is_err() && machine.state.is_ok()) {
            self.machines.insert(key, (machine, name));
        }
    }

    fn problem(&mut self, group: &str, problem: &str) {
        self.problems.push(format!("group {group}: {problem}"));
    }

    fn finish(mut self) -> Look {
        let mut problems = self.problems;
        let mut machines = Vec::new();
        let mut names = BTreeMap::new();
        for (key, (mut machine, name)) in self.machines {
            machine.groups = self.groups.remove(&key).unwrap_or_default();
            if let Err(reason) = &machine.state {
                problems.push(format!("{}: {reason}", machine.instance));
            }
            names.extend(name.map(|name| (machine.instance.clone(), name)));
            machines.push(machine);
        }
        Look {
            machines,
            names,
            problems,
        }
    }
}
