//! The workflows: one power action, and the hours of a group.

use std::time::Duration;

use temporalio_common::RetryPolicy;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    ActivityCancellationType, ActivityExecutionError, ActivityOptions, WorkflowCancellationToken,
    WorkflowContext, WorkflowResult,
};

use crate::{
    activities::{HEARTBEAT_TIMEOUT, PowerActivities},
    power::{Power, PowerCall, PowerInput, PowerReport},
};

/// The end of an activity in any case. A dead worker is noticed by its missing heartbeats long before.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// The time limit of the result of a call.
pub const WAIT_SECONDS: u64 = 300;
/// Executions of an activity that starts or stops: both may be repeated.
const REPEATABLE: u32 = 4;
/// A reboot is executed once by Temporal.
const ONCE: u32 = 1;

/// Carries out one power action.
#[workflow]
#[derive(Debug, Default)]
pub struct PowerWorkflow;

#[workflow_methods]
impl PowerWorkflow {
    #[run]
    pub async fn run(
        context: &mut WorkflowContext<Self>,
        input: PowerInput,
    ) -> WorkflowResult<PowerReport> {
        Ok(perform(context, input).await?)
    }
}

/// Starts or stops a group, as its schedule wants now.
#[workflow]
#[derive(Debug, Default)]
pub struct KeepHours;

#[workflow_methods]
impl KeepHours {
    #[run]
    pub async fn run(
        context: &mut WorkflowContext<Self>,
        group: String,
    ) -> WorkflowResult<PowerReport> {
        let options = options(REPEATABLE);
        let wanted = context.execute_activity(PowerActivities::wanted, group.clone(), options);
        let Some(action) = wanted.await? else {
            return Ok(PowerReport::default());
        };
        let input = PowerInput {
            action,
            targets: vec![group],
            waves: None,
            wait_seconds: WAIT_SECONDS,
        };
        Ok(perform(context, input).await?)
    }
}

/// Executes the activity of an action. After a failure, for example the death of the worker, the workflow finds out
/// what happened.
async fn perform<W: 'static>(
    context: &WorkflowContext<W>,
    input: PowerInput,
) -> Result<PowerReport, ActivityExecutionError> {
    let action = input.action;
    let call = PowerCall {
        operation: context.info().first_execution_run_id().to_owned(),
        workflow: context.workflow_id().to_owned(),
        input,
    };
    let sent = call.clone();
    let result = match action {
        Power::Start => {
            let options = options(REPEATABLE);
            context
                .execute_activity(PowerActivities::start, sent, options)
                .await
        }
        Power::Stop => {
            let options = options(REPEATABLE);
            context
                .execute_activity(PowerActivities::stop, sent, options)
                .await
        }
        Power::Reboot => {
            let options = options(ONCE);
            context
                .execute_activity(PowerActivities::reboot, sent, options)
                .await
        }
    };
    let Err(error) = result else {
        return result;
    };
    let settled = context
        .execute_activity(PowerActivities::settle, call, settle_options())
        .await?;
    // Nothing was sent: the reason is the failure of the activity.
    match settled.rows.is_empty() {
        true => Err(error),
        false => Ok(settled),
    }
}

fn options(attempts: u32) -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(LONGEST)
        .heartbeat_timeout(HEARTBEAT_TIMEOUT)
        .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
        .retry_policy(RetryPolicy::builder().maximum_attempts(attempts).build())
        .build()
}

/// Looking may be repeated until it succeeds, also in a cancelled workflow.
fn settle_options() -> ActivityOptions {
    let retries = RetryPolicy::builder()
        .maximum_interval(Duration::from_secs(30))
        .build();
    ActivityOptions::with_start_to_close_timeout(LONGEST)
        .heartbeat_timeout(HEARTBEAT_TIMEOUT)
        .cancellation_token(WorkflowCancellationToken::new())
        .retry_policy(retries)
        .build()
}
