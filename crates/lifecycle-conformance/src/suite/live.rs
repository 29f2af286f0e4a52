//! `CloudUnderTest` for named instances of a real account.

use std::{cell::Cell, collections::BTreeMap};

use async_trait::async_trait;
use lifecycle_facade::{
    ActionKind, Client, Fleet, FleetError, InstanceId, InstanceReference, Location, Outcome,
    PowerState,
};

use super::{
    CallFault, ClientSetup, CloudUnderTest, Condition, ExecutionCounts, FaultTarget, NotSupported,
    power::{LONG, plain, request},
    reads::observed_state,
};

/// The named instances of one location, and no other instances.
#[derive(Clone, Debug)]
pub struct LiveAccount {
    location: Location,
    client: Client,
    instances: Vec<InstanceId>,
    permission: Permission,
    used: Cell<usize>,
}

/// The permitted operations on the named instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Permission {
    /// Reads only.
    Read,
    /// Reads, starts, stops and reboots.
    Power,
}

/// The reason why a live run does not start. No power action was sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum LiveRunError {
    /// The command line names no instance.
    NoInstances,
    /// The client of an account could not be built.
    Fleet(FleetError),
}

impl std::fmt::Display for LiveRunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoInstances => {
                f.write_str("a live run uses only named instances: add --instance cloud/region/id")
            }
            Self::Fleet(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LiveRunError {}

impl LiveAccount {
    /// Creates an account for each location of `references`.
    ///
    /// # Errors
    /// [`LiveRunError`] without references, or if a client cannot be built.
    pub async fn new(
        fleet: &Fleet,
        references: &[InstanceReference],
        permission: Permission,
    ) -> Result<Vec<Self>, LiveRunError> {
        if references.is_empty() {
            return Err(LiveRunError::NoInstances);
        }
        let mut locations: BTreeMap<Location, Vec<InstanceId>> = BTreeMap::new();
        for reference in references {
            let ids = locations.entry(reference.location.clone()).or_default();
            if !ids.contains(&reference.instance) {
                ids.push(reference.instance.clone());
            }
        }
        let mut accounts = Vec::new();
        for (location, instances) in locations {
            accounts.push(Self {
                client: fleet.client(&location).await.map_err(LiveRunError::Fleet)?,
                location,
                instances,
                permission,
                used: Cell::new(0),
            });
        }
        Ok(accounts)
    }

    /// Returns the location of the instances.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Returns a copy with a new client and with all instances unused.
    ///
    /// # Errors
    /// [`LiveRunError`] if the client cannot be built.
    pub async fn renewed(&self, fleet: &Fleet) -> Result<Self, LiveRunError> {
        Ok(Self {
            client: fleet
                .client(&self.location)
                .await
                .map_err(LiveRunError::Fleet)?,
            used: Cell::new(0),
            ..self.clone()
        })
    }

    async fn bring_to_goal_of(
        &self,
        id: &InstanceId,
        kind: ActionKind,
    ) -> Result<(), NotSupported> {
        let failed = |reason: String| {
            NotSupported::new(format!("{id} could not be prepared for the case: {reason}"))
        };
        self.check_power()?;
        match observed_state(&self.client, id).await {
            Ok(seen) if seen == kind.goal() => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(failed(format!("{error:?}"))),
        }
        let report = request(&self.client, plain(kind), [id.clone()], Some(LONG)).await;
        let report = report.map_err(|error| failed(error.to_string()))?;
        match report.outcome(id) {
            Some(Outcome::Reached(_) | Outcome::Unchanged) => Ok(()),
            Some(outcome) => Err(failed(outcome.to_string())),
            None => Err(failed("no outcome".to_owned())),
        }
    }
}

#[async_trait(?Send)]
impl CloudUnderTest for LiveAccount {
    async fn client(&self, setup: ClientSetup) -> Result<Client, NotSupported> {
        match setup {
            ClientSetup::Valid => Ok(self.client.clone()),
            _ => Err(NotSupported::new(
                "a live account can lock a key after wrong signatures",
            )),
        }
    }

    async fn instances(
        &self,
        count: usize,
        condition: Condition,
    ) -> Result<Vec<InstanceId>, NotSupported> {
        let free = self.instances.iter().skip(self.used.get());
        let ids: Vec<InstanceId> = free.take(count).cloned().collect();
        if ids.len() < count {
            return Err(NotSupported::new(format!(
                "the case needs more than the {} named instances",
                self.instances.len()
            )));
        }
        let kind = match condition {
            Condition::Any => None,
            Condition::Running => Some(ActionKind::Start),
            Condition::Stopped => Some(ActionKind::Stop),
            _ => {
                return Err(NotSupported::new(
                    "a live instance cannot be brought into this condition",
                ));
            }
        };
        self.used.set(self.used.get() + count);
        for id in &ids {
            if let Some(kind) = kind {
                self.bring_to_goal_of(id, kind).await?;
            }
        }
        Ok(ids)
    }

    /// Returns the id of a named instance with other last digits.
    fn unknown_id(&self) -> Result<InstanceId, NotSupported> {
        let none = || NotSupported::new("no unknown id can be derived from the named instances");
        let known = self.instances.first().ok_or_else(none)?.as_str();
        ['0', '1', '2']
            .into_iter()
            .filter_map(|digit| InstanceId::new(&with_last_characters(known, digit)).ok())
            .find(|id| !self.instances.contains(id))
            .ok_or_else(none)
    }

    fn check_power(&self) -> Result<(), NotSupported> {
        match self.permission {
            Permission::Power => Ok(()),
            Permission::Read => Err(NotSupported::new("power actions are not allowed")),
        }
    }

    fn check_power_on_unknown_ids(&self) -> Result<(), NotSupported> {
        Err(NotSupported::new(
            "a live run sends power actions to named instances only",
        ))
    }

    fn inject(&self, _: CallFault, _: FaultTarget) -> Result<(), NotSupported> {
        Err(NotSupported::new(
            "faults cannot be injected into a live account",
        ))
    }

    fn actual_state(&self, _: &InstanceId) -> Option<PowerState> {
        None
    }

    fn executions(&self, _: &InstanceId) -> Option<ExecutionCounts> {
        None
    }
}

/// Returns `id` with `digit` for each of the last four letters and digits.
fn with_last_characters(id: &str, digit: char) -> String {
    let mut left = 4;
    let replaced: Vec<char> = id
        .chars()
        .rev()
        .map(|letter| {
            if left > 0 && letter.is_ascii_alphanumeric() {
                left -= 1;
                digit
            } else {
                letter
            }
        })
        .collect();
    replaced.into_iter().rev().collect()
}
