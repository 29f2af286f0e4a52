//! The activities: the steps of a workflow that reach the clouds.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use anyhow::Context;
use jiff::Timestamp;
use lifecycle_controller::{schedule::Wanted, settings::Settings};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use crate::power::{Power, PowerActor, PowerCall, PowerReport};

/// A worker that reports no heartbeat for this time is dead.
pub const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(6);

/// The activities of a worker.
#[derive(Clone, Debug)]
pub struct PowerActivities {
    /// Carries out the calls.
    pub actor: PowerActor,
}

#[activities]
impl PowerActivities {
    /// Starts instances.
    #[activity]
    pub async fn start(
        self: Arc<Self>,
        context: ActivityContext,
        call: PowerCall,
    ) -> Result<PowerReport, ActivityError> {
        with_heartbeats(&context, self.actor.act(&call)).await
    }

    /// Stops instances.
    #[activity]
    pub async fn stop(
        self: Arc<Self>,
        context: ActivityContext,
        call: PowerCall,
    ) -> Result<PowerReport, ActivityError> {
        with_heartbeats(&context, self.actor.act(&call)).await
    }

    /// Reboots instances, each at most once.
    #[activity]
    pub async fn reboot(
        self: Arc<Self>,
        context: ActivityContext,
        call: PowerCall,
    ) -> Result<PowerReport, ActivityError> {
        with_heartbeats(&context, self.actor.act(&call)).await
    }

    /// Finds out what an interrupted activity did. Sends nothing.
    #[activity]
    pub async fn settle(
        self: Arc<Self>,
        context: ActivityContext,
        call: PowerCall,
    ) -> Result<PowerReport, ActivityError> {
        with_heartbeats(&context, self.actor.settle(&call)).await
    }

    /// Returns the action that the schedule of a group wants now; `None` for neither start nor stop.
    ///
    /// The answer depends on the present time only. A firing that is late, doubled or lost changes nothing.
    #[activity]
    pub async fn wanted(
        self: Arc<Self>,
        _context: ActivityContext,
        group: String,
    ) -> Result<Option<Power>, ActivityError> {
        Ok(self.wanted_at(&group, Timestamp::now())?)
    }
}

impl PowerActivities {
    fn wanted_at(&self, group: &str, moment: Timestamp) -> anyhow::Result<Option<Power>> {
        let settings = Settings::from_config(&self.actor.config)?;
        let kept = settings.rules.groups.iter().find(|kept| kept.name == group);
        let kept = kept.with_context(|| format!("[keep] has no group {group:?}"))?;
        Ok(match kept.schedule.wanted(moment).wanted {
            Wanted::Running => Some(Power::Start),
            Wanted::Stopped => Some(Power::Stop),
            _ => None,
        })
    }
}

/// Reports heartbeats until `work` ends. A cancelled activity continues: a call that was sent cannot be taken back,
/// and its outcome has to be found out.
async fn with_heartbeats<T>(
    context: &ActivityContext,
    work: impl Future<Output = anyhow::Result<T>>,
) -> Result<T, ActivityError> {
    let mut work = pin!(work);
    let mut beat = tokio::time::interval(HEARTBEAT_TIMEOUT / 3);
    loop {
        tokio::select! {
            result = &mut work => return Ok(result?),
            _ = beat.tick() => context.record_heartbeat(()).await?,
        }
    }
}
