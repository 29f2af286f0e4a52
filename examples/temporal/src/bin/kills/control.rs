//! The control group: a reboot as an activity is usually written, without a journal and with retries.

use std::{sync::Arc, time::Duration};

use lifecycle_facade::{Fleet, InstanceReference};
use lifecycle_temporal_example::activities::HEARTBEAT_TIMEOUT;
use temporalio_common::RetryPolicy;
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::{
    ActivityOptions, Runtime, Worker, WorkerOptions, WorkflowContext, WorkflowResult,
    activities::{ActivityContext, ActivityError},
};

use crate::stage::{self, WAIT_SECONDS};

/// The task queue of the control group.
pub(crate) const QUEUE: &str = "control";

struct UsualActivities {
    fleet: Fleet,
}

#[activities]
impl UsualActivities {
    /// Reboots an instance, and waits for the result.
    #[activity]
    async fn usual_reboot(
        self: Arc<Self>,
        context: ActivityContext,
        instance: String,
    ) -> Result<String, ActivityError> {
        let instance: InstanceReference = instance.parse()?;
        let reboot = self.fleet.reboot([instance]);
        let reboot = reboot.wait(Duration::from_secs(WAIT_SECONDS));
        let mut report = Box::pin(async { reboot.await });
        let mut beat = tokio::time::interval(HEARTBEAT_TIMEOUT / 3);
        loop {
            tokio::select! {
                report = &mut report => {
                    let report = report?;
                    let outcome = report.instances().first().map(|row| row.outcome.to_string());
                    return Ok(outcome.unwrap_or_default());
                }
                _ = beat.tick() => context.record_heartbeat(()).await?,
            }
        }
    }
}

#[workflow]
#[derive(Debug, Default)]
pub(crate) struct UsualWorkflow;

#[workflow_methods]
impl UsualWorkflow {
    #[run]
    pub(crate) async fn run(
        context: &mut WorkflowContext<Self>,
        instance: String,
    ) -> WorkflowResult<String> {
        let retries = RetryPolicy::builder().maximum_attempts(3).build();
        let options = ActivityOptions::with_start_to_close_timeout(Duration::from_secs(60))
            .heartbeat_timeout(HEARTBEAT_TIMEOUT)
            .retry_policy(retries)
            .build();
        let outcome = context.execute_activity(UsualActivities::usual_reboot, instance, options);
        Ok(outcome.await?)
    }
}

/// Runs the worker of the control group.
pub(crate) async fn worker(server: &str, endpoint: &str) -> anyhow::Result<()> {
    let fleet = Fleet::builder().endpoint(endpoint.parse()?).build()?;
    let client = stage::client(server).await?;
    let options = WorkerOptions::new(QUEUE)
        .register_activities(UsualActivities { fleet })
        .register_workflow::<UsualWorkflow>()?
        .build();
    let runtime = Runtime::from_current_tokio(Default::default())?;
    let worker = Worker::new(&runtime, client, options);
    let mut worker = worker.map_err(|error| anyhow::anyhow!("no worker: {error}"))?;
    worker.run().await?;
    Ok(())
}
