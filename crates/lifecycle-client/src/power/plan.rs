//! The plan of a power request on one client, made before the first call.

use std::collections::HashMap;

use lifecycle_core::{Action, ActionKind, InstanceId, PowerState, Profile, StopMode};

use crate::{
    call::{engine::Engine, policy::WaitTimeout},
    error::Error,
    mutation::{Mutant, Mutation},
    power::options::PowerRequestOptions,
    power::resume_point::ClientPoint,
};

/// The part of a request that one client carries out.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// `None` only waits.
    pub(crate) action: Option<Action>,
    pub(crate) goal: PowerState,
    pub(crate) ids: Vec<InstanceId>,
    pub(crate) options: PowerRequestOptions,
    /// The instances that an earlier process sent.
    pub(crate) resume: HashMap<InstanceId, ClientPoint>,
}

impl Plan {
    /// Checks that the cloud supports the options.
    pub(crate) fn check(&self, profile: &Profile) -> Result<(), Error> {
        let Some(action) = self.action else {
            return Ok(());
        };
        profile.supports(&action).map_err(Error::Unsupported)?;
        match self.options.force(&action)? {
            Some(force) => profile.supports(&force.action).map_err(Error::Unsupported),
            None => Ok(()),
        }
    }

    /// Returns the calls that carry the plan out if nothing fails: as few as the cloud allows.
    pub(crate) fn calls(&self, engine: &Engine, wave: usize) -> Result<Vec<PlannedCall>, Error> {
        let Some(action) = self.action else {
            return Ok(Vec::new());
        };
        let (provider, profile) = (engine.provider(), engine.profile());
        let mut calls = Vec::new();
        if self.observes_first() {
            for batch in self.ids.chunks(profile.batch_limits.observe.max(1)) {
                let call = provider.observe(batch).map_err(Error::Unsupported)?;
                calls.push(PlannedCall::new(wave, call.request.operation, batch));
            }
        }
        for batch in batches(&self.ids, &action, profile, Mutant::default()) {
            let call = provider.act(&action, batch).map_err(Error::Unsupported)?;
            calls.push(PlannedCall::new(wave, call.request.operation, batch));
        }
        Ok(calls)
    }

    /// Returns whether a lookup comes before the action. Without a lookup, nothing shows later that
    /// an instance was rebooted, or that the instance was already at the goal.
    pub(crate) fn observes_first(&self) -> bool {
        let kind = self.action.map(|action| action.kind());
        kind.is_some()
            && (kind == Some(ActionKind::Reboot) || self.options.strict || self.options.when_idle)
    }

    /// Returns the plan with the mutation of `mutant`.
    pub(crate) fn mutated(mut self, mutant: Mutant) -> Self {
        if mutant.is(Mutation::DropsAnId) && self.ids.len() > 1 {
            self.ids.pop();
        }
        if mutant.is(Mutation::IgnoresTheDeadline) {
            let doubled = self.options.timeout().map(|timeout| timeout * 2);
            self.options.wait = doubled.map(WaitTimeout::from);
        }
        match &mut self.action {
            _ if !mutant.is(Mutation::Forces) => {}
            Some(Action::Stop(stop)) => stop.mode = StopMode::Forced,
            Some(Action::Reboot(reboot)) => reboot.mode = StopMode::Forced,
            _ => {}
        }
        self
    }
}

/// A call of a dry run, see [`PowerRequest::dry_run`](crate::PowerRequest::dry_run).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedCall<I = InstanceId> {
    /// The number of the wave, counted from 1. A request without waves has one wave.
    pub wave: usize,
    /// The cloud's name of the operation.
    pub operation: &'static str,
    /// The instances of the call, in the order of the request; never empty. All instances of a call
    /// are in the same region of the same account.
    pub instances: Vec<I>,
}

impl<I: Clone> PlannedCall<I> {
    /// Creates a planned call.
    pub fn new(wave: usize, operation: &'static str, instances: &[I]) -> Self {
        Self {
            wave,
            operation,
            instances: instances.to_vec(),
        }
    }
}

/// Splits instances into as few batches as the cloud's limit allows.
pub(crate) fn batches<'i>(
    ids: &'i [InstanceId],
    action: &Action,
    profile: &Profile,
    mutant: Mutant,
) -> impl Iterator<Item = &'i [InstanceId]> {
    let limit = match mutant.is(Mutation::SplitsBatches) {
        true => profile
            .batch_limit(action)
            .min(ids.len())
            .div_ceil(2)
            .max(1),
        false => profile.batch_limit(action),
    };
    ids.chunks(limit)
}
