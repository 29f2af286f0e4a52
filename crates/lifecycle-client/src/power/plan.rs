//! The plan of a request, made before anything is sent.

use std::time::Duration;

use lifecycle_core::{
    Action, ActionKind, Fault, InstanceId, PowerState, Profile, Provider, StopMode,
};

use crate::{
    call::policy::WaitTimeout,
    mutation::{Mutant, Mutation},
    power::options::PowerRequestOptions,
    power::waves::Waves,
};

/// The plan of a request.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The action; `None` for a request that only waits.
    pub(crate) action: Option<Action>,
    pub(crate) goal: PowerState,
    pub(crate) ids: Vec<InstanceId>,
    pub(crate) waves: Option<Waves>,
    pub(crate) terms: PowerRequestOptions,
}

impl Plan {
    /// Returns the time to wait for the goal; `None` for a request that ends with acceptance.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.terms.patience(self.waves.is_some())
    }

    /// Returns the calls of the request if nothing fails: as few as the cloud allows.
    pub(crate) fn calls(&self, provider: &dyn Provider) -> Result<Vec<PlannedCall>, Fault> {
        let Some(action) = self.action else {
            return Ok(Vec::new());
        };
        let profile = provider.profile();
        let mut calls = Vec::new();
        for (number, wave) in (1..).zip(self.waves.unwrap_or_default().ranges(self.ids.len())) {
            let ids = &self.ids[wave];
            let mut plan = |operation, instances: &[InstanceId]| {
                calls.push(PlannedCall {
                    wave: number,
                    operation,
                    instances: instances.to_vec(),
                });
            };
            if self.looks_first() {
                for batch in ids.chunks(profile.batch_limits.observe.max(1)) {
                    plan(provider.observe(batch)?.request.operation, batch);
                }
            }
            for batch in batches(ids, &action, profile, Mutant::default()) {
                plan(provider.act(&action, batch)?.request.operation, batch);
            }
        }
        Ok(calls)
    }

    /// Returns whether a lookup comes first. A lookup afterwards alone proves neither a reboot nor that
    /// an instance was in the requested state before.
    pub(crate) fn looks_first(&self) -> bool {
        let kind = self.action.map(|action| action.kind());
        kind.is_some() && (kind == Some(ActionKind::Reboot) || self.terms.strict)
    }

    /// Returns the plan with the mutation of `mutant`.
    pub(crate) fn mutated(mut self, mutant: Mutant) -> Self {
        if mutant.is(Mutation::DropsAnId) && self.ids.len() > 1 {
            self.ids.pop();
        }
        if mutant.is(Mutation::IgnoresTheDeadline) {
            let doubled = self.patience().map(|patience| patience * 2);
            self.terms.patience = doubled.map(WaitTimeout::from);
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

/// A planned call, returned by [`PowerRequest::dry_run`](crate::PowerRequest::dry_run).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedCall {
    /// Number of the wave, counted from 1; always 1 without waves.
    pub wave: usize,
    /// The cloud's name of the operation.
    pub operation: &'static str,
    /// The instances of the call, in the order of the request.
    pub instances: Vec<InstanceId>,
}

/// Splits `ids` into as few batches as the cloud's limit allows.
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
