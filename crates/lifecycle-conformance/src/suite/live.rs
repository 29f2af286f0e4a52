//! Named instances of a real account.

use std::{cell::Cell, collections::BTreeMap};

use async_trait::async_trait;
use lifecycle_facade::{
    ActionKind, Client, Fleet, FleetError, InstanceId, InstanceReference, Location, Outcome,
    PowerState,
};

use super::{
    Condition, Deeds, Disturbance, Missing, Setting, Subject, Target,
    looks::state,
    power::{LONG, plain, request},
};

/// The instances of one place that were named, and no others.
#[derive(Clone, Debug)]
pub struct Live {
    place: Location,
    client: Client,
    named: Vec<InstanceId>,
    permission: Permission,
    given: Cell<usize>,
}

/// What may be done to the named instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Permission {
    /// They may be looked at.
    Look,
    /// They may be started, stopped and rebooted, too.
    Power,
}

/// A live run was asked for and does not begin. Nothing was sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum RefusedToRun {
    /// No instance was named.
    NoInstances,
    /// The account cannot be reached.
    Fleet(FleetError),
}

impl std::fmt::Display for RefusedToRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoInstances => f.write_str(
                "a live run touches only instances that are named: name them with --instance cloud/region/id",
            ),
            Self::Fleet(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RefusedToRun {}

impl Live {
    /// A subject for each place in which an instance is named.
    ///
    /// # Errors
    /// [`RefusedToRun`] when none is named, or a place cannot be connected to.
    pub async fn new(
        fleet: &Fleet,
        references: &[InstanceReference],
        permission: Permission,
    ) -> Result<Vec<Self>, RefusedToRun> {
        if references.is_empty() {
            return Err(RefusedToRun::NoInstances);
        }
        let mut places: BTreeMap<Location, Vec<InstanceId>> = BTreeMap::new();
        for reference in references {
            let named = places.entry(reference.location.clone()).or_default();
            if !named.contains(&reference.instance) {
                named.push(reference.instance.clone());
            }
        }
        let mut subjects = Vec::new();
        for (place, named) in places {
            subjects.push(Self {
                client: fleet.client(&place).await.map_err(RefusedToRun::Fleet)?,
                place,
                named,
                permission,
                given: Cell::new(0),
            });
        }
        Ok(subjects)
    }

    /// Where the instances are.
    pub fn place(&self) -> &Location {
        &self.place
    }

    /// The same with none of its instances given yet, and a client that has not called yet.
    ///
    /// # Errors
    /// [`RefusedToRun`] when the place cannot be connected to.
    pub async fn afresh(&self, fleet: &Fleet) -> Result<Self, RefusedToRun> {
        Ok(Self {
            client: fleet
                .client(&self.place)
                .await
                .map_err(RefusedToRun::Fleet)?,
            given: Cell::new(0),
            ..self.clone()
        })
    }

    async fn bring(&self, id: &InstanceId, verb: ActionKind) -> Result<(), Missing> {
        let could_not =
            |why: String| Missing::new(format!("{id} could not be brought there: {why}"));
        self.allows_power()?;
        match state(&self.client, id).await {
            Ok(seen) if seen == verb.goal() => return Ok(()),
            Ok(_) => {}
            Err(stop) => return Err(could_not(format!("{stop:?}"))),
        }
        let report = request(&self.client, plain(verb), [id.clone()], Some(LONG)).await;
        let report = report.map_err(|error| could_not(error.to_string()))?;
        match report.outcome(id) {
            Some(Outcome::Reached(_) | Outcome::Unchanged) => Ok(()),
            Some(outcome) => Err(could_not(outcome.to_string())),
            None => Err(could_not("it has no outcome".to_owned())),
        }
    }
}

#[async_trait(?Send)]
impl Subject for Live {
    async fn client(&self, setting: Setting) -> Result<Client, Missing> {
        match setting {
            Setting::Usual => Ok(self.client.clone()),
            _ => Err(Missing::new(
                "a live account can lock a key whose signatures it refuses",
            )),
        }
    }

    async fn instances(
        &self,
        count: usize,
        condition: Condition,
    ) -> Result<Vec<InstanceId>, Missing> {
        let free = self.named.iter().skip(self.given.get());
        let ids: Vec<InstanceId> = free.take(count).cloned().collect();
        if ids.len() < count {
            return Err(Missing::new(format!(
                "it takes more instances than the {} that are named",
                self.named.len()
            )));
        }
        let verb = match condition {
            Condition::Any => None,
            Condition::Running => Some(ActionKind::Start),
            Condition::Stopped => Some(ActionKind::Stop),
            _ => {
                return Err(Missing::new(
                    "a live instance cannot be brought into every condition",
                ));
            }
        };
        self.given.set(self.given.get() + count);
        for id in &ids {
            if let Some(verb) = verb {
                self.bring(id, verb).await?;
            }
        }
        Ok(ids)
    }

    /// The last digits of a named one are changed.
    fn strange_id(&self) -> Result<InstanceId, Missing> {
        let none = || Missing::new("no id can be made from the named ones");
        let known = self.named.first().ok_or_else(none)?.as_str();
        ['0', '1', '2']
            .into_iter()
            .filter_map(|digit| InstanceId::new(&with_end_of(known, digit)).ok())
            .find(|id| !self.named.contains(id))
            .ok_or_else(none)
    }

    fn allows_power(&self) -> Result<(), Missing> {
        match self.permission {
            Permission::Power => Ok(()),
            Permission::Look => Err(Missing::new("power actions were not allowed")),
        }
    }

    fn allows_power_on_strangers(&self) -> Result<(), Missing> {
        Err(Missing::new(
            "a live run asks for power actions on the named instances only",
        ))
    }

    fn disturb(&self, _: Disturbance, _: Target) -> Result<(), Missing> {
        Err(Missing::new("a live account cannot be disturbed"))
    }

    fn truth(&self, _: &InstanceId) -> Option<PowerState> {
        None
    }

    fn deeds(&self, _: &InstanceId) -> Option<Deeds> {
        None
    }
}

/// `id` with its last four letters and digits replaced.
fn with_end_of(id: &str, digit: char) -> String {
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
