//! `ClientMetrics`: the metrics of clients, from the events that the clients count.

use lifecycle_client::{ClientLabels, StatsEvent, StatsObserver};
use lifecycle_core::{ActionKind, FaultKind};
use metrics::{counter, gauge, histogram};

use crate::catalogue::{
    CALL_DURATION, CALLS, KEY_SEARCHES, OUTCOMES, POLLED_INSTANCES, POLLS, RATE, RATE_LIMIT_WAIT,
    RETRIES, UNSENT,
};

/// Passes the events of clients to the recorder of the program.
///
/// The labels are bounded: clouds, accounts and regions come from the settings of the program, and the other
/// labels have small fixed sets of values.
///
/// # Examples
/// ```
/// use lifecycle_facade::Fleet;
/// use lifecycle_metrics::ClientMetrics;
/// use lifecycle_sim::Simulator;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let simulator = Simulator::builder().fleet("baidu/bj=2")?.build();
/// let fleet = Fleet::builder()
///     .stats_observer(ClientMetrics)
/// #   .simulated(&simulator)
///     .build()?;
/// fleet.start(simulator.instances()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "the recorder has the state")]
pub struct ClientMetrics;

impl StatsObserver for ClientMetrics {
    fn on_event(&self, client: &ClientLabels, event: &StatsEvent) {
        let cloud = || client.cloud.clone();
        let account = || client.account.clone();
        let region = || client.region.clone();
        match event {
            StatsEvent::Call {
                operation,
                result,
                took,
            } => {
                let result = result.map_or_else(FaultKind::as_str, |()| "ok");
                counter!(
                    CALLS,
                    "cloud" => cloud(),
                    "account" => account(),
                    "region" => region(),
                    "operation" => *operation,
                    "result" => result,
                )
                .increment(1);
                histogram!(CALL_DURATION, "cloud" => cloud(), "operation" => *operation)
                    .record(took.as_secs_f64());
            }
            StatsEvent::Unsent { operation, kind } => counter!(
                UNSENT,
                "cloud" => cloud(),
                "account" => account(),
                "operation" => *operation,
                "kind" => kind.as_str(),
            )
            .increment(1),
            StatsEvent::Retry { operation, kind } => counter!(
                RETRIES,
                "cloud" => cloud(),
                "account" => account(),
                "operation" => *operation,
                "kind" => kind.as_str(),
            )
            .increment(1),
            StatsEvent::Waited { limit, waited } => histogram!(
                RATE_LIMIT_WAIT,
                "cloud" => cloud(),
                "account" => account(),
                "limit" => limit.as_str(),
            )
            .record(waited.as_secs_f64()),
            StatsEvent::Rate { limit, per_second } => gauge!(
                RATE,
                "cloud" => cloud(),
                "account" => account(),
                "region" => region(),
                "limit" => limit.as_str(),
            )
            .set(*per_second),
            StatsEvent::Polled { instances } => {
                let labels = [
                    ("cloud", cloud()),
                    ("account", account()),
                    ("region", region()),
                ];
                counter!(POLLS, &labels).increment(1);
                counter!(POLLED_INSTANCES, &labels).increment(*instances as u64);
            }
            StatsEvent::Outcome {
                action,
                outcome,
                instances,
            } => counter!(
                OUTCOMES,
                "cloud" => cloud(),
                "account" => account(),
                "action" => action.map_or("wait", ActionKind::as_str),
                "outcome" => *outcome,
            )
            .increment(*instances),
            StatsEvent::KeySearch { found } => counter!(
                KEY_SEARCHES,
                "cloud" => cloud(),
                "account" => account(),
                "result" => if *found { "found" } else { "failed" },
            )
            .increment(1),
            // A later version of the client may count more.
            _ => {}
        }
    }
}
