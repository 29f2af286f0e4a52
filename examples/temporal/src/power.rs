//! `PowerActor`: carries out the power calls of workflows with a fleet and a folder of journals.

use std::{fmt, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use lifecycle_controller::{
    Operation, ResumeMode, RowRecord, StoreRecorder, WavesRecord, host_name, resume_request,
};
use lifecycle_facade::{
    ActionKind, Fleet, FleetRequest, InstanceReference, Selector, SystemClock, Waves,
    config::{Config, Group},
    lifecycle_core::Action,
};
use serde::{Deserialize, Serialize};

use crate::journals::Journals;

/// A power action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// Starts stopped instances.
    Start,
    /// Stops running instances.
    Stop,
    /// Reboots running instances.
    Reboot,
}

impl From<Power> for ActionKind {
    fn from(power: Power) -> Self {
        match power {
            Power::Start => Self::Start,
            Power::Stop => Self::Stop,
            Power::Reboot => Self::Reboot,
        }
    }
}

/// The input of a workflow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PowerInput {
    /// The action.
    pub action: Power,
    /// References of instances, or the name of one group of the configuration file.
    pub targets: Vec<String>,
    /// The number or the share of the instances in a wave; `None` for all at once.
    pub waves: Option<WavesRecord>,
    /// The time limit in seconds for the result of a call.
    pub wait_seconds: u64,
}

/// The input of an activity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PowerCall {
    /// The id of the first run of the workflow. A workflow is one operation.
    pub operation: String,
    /// The id of the workflow.
    pub workflow: String,
    /// The input of the workflow.
    pub input: PowerInput,
}

impl PowerCall {
    /// Returns the reason for the history.
    pub fn why(&self) -> String {
        format!("workflow {} run {}", self.workflow, self.operation)
    }
}

/// The result of a workflow: one row for each instance.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PowerReport {
    /// The rows, in the order of the request. No rows: nothing was sent.
    pub rows: Vec<RowRecord>,
}

impl PowerReport {
    fn recorded(operation: &Operation) -> Self {
        let request = &operation.request;
        let outcomes = request.instances.iter();
        let outcomes = outcomes.filter_map(|name| operation.progress(name).outcome.clone());
        let rows = request.left_alone.iter().cloned().chain(outcomes);
        Self {
            rows: rows.collect(),
        }
    }
}

impl fmt::Display for PowerReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.is_empty() {
            f.write_str("nothing was sent")?;
        }
        for (at, row) in self.rows.iter().enumerate() {
            let separator = if at == 0 { "" } else { "\n" };
            write!(f, "{separator}{}: {}", row.instance, row.outcome.as_str())?;
            if let Some(fault) = row.outcome.fault() {
                write!(f, ": {}", fault.message)?;
            }
        }
        Ok(())
    }
}

/// Carries out the power calls of workflows.
#[derive(Clone, Debug)]
pub struct PowerActor {
    /// The machines.
    pub fleet: Fleet,
    /// The journals.
    pub journals: Journals,
    /// The configuration file, for groups and schedules.
    pub config: Config,
}

impl PowerActor {
    /// Sends the action, or continues the request of an earlier execution: machines with an open call are looked at,
    /// and a reboot is never sent again.
    ///
    /// # Errors
    /// The journal cannot be written, or the request as a whole is invalid: no call was sent by this execution.
    pub async fn act(&self, call: &PowerCall) -> anyhow::Result<PowerReport> {
        let journal = self.journals.of_workflow(&call.operation).await?;
        match &journal.earlier {
            Some(earlier) => {
                let store = journal.store();
                self.resume(earlier, ResumeMode::Finish, store).await
            }
            None => {
                let by = format!("temporal worker on {}", host_name());
                let recorder = StoreRecorder::new(journal.store(), by, call.why());
                let request = self.request(&call.input)?.recorder(Arc::new(recorder));
                let report = request.await?;
                Ok(PowerReport {
                    rows: report.instances().iter().map(RowRecord::from).collect(),
                })
            }
        }
    }

    /// Looks at the machines with an open call, and sends nothing. Closes the operation, so that a late execution
    /// of [`act`](Self::act) sends nothing either.
    ///
    /// # Errors
    /// The journal is locked by a living execution, or cannot be written; or a look failed as a whole.
    pub async fn settle(&self, call: &PowerCall) -> anyhow::Result<PowerReport> {
        let journal = self.journals.of_workflow(&call.operation).await?;
        match &journal.earlier {
            Some(earlier) => {
                let store = journal.store();
                self.resume(earlier, ResumeMode::Settle, store).await
            }
            None => {
                journal.close(call).await?;
                Ok(PowerReport::default())
            }
        }
    }

    async fn resume(
        &self,
        earlier: &Operation,
        mode: ResumeMode,
        store: Arc<dyn lifecycle_controller::Store>,
    ) -> anyhow::Result<PowerReport> {
        if earlier.is_finished() {
            return Ok(PowerReport::recorded(earlier));
        }
        let request = resume_request(self.fleet.clone(), earlier, mode, store, SystemClock)?;
        let report = request.report().await?;
        Ok(PowerReport {
            rows: report.instances().iter().map(RowRecord::from).collect(),
        })
    }

    fn request(&self, input: &PowerInput) -> anyhow::Result<FleetRequest<Action>> {
        let action = Action::from(ActionKind::from(input.action));
        let request = match &input.targets[..] {
            [name] if !name.contains('/') => match self.group(name)? {
                Group::References(entries) => {
                    let names = entries.iter().map(|entry| entry.text.as_str());
                    self.fleet.act(action, references(names)?)
                }
                Group::Selection(selection) => {
                    self.fleet.act(action, Selector::from_config(selection)?)
                }
                _ => bail!("the group {name:?} is of an unknown kind"),
            },
            names => {
                let names = names.iter().map(String::as_str);
                self.fleet.act(action, references(names)?)
            }
        };
        let request = request.wait(Duration::from_secs(input.wait_seconds));
        Ok(match input.waves {
            Some(waves) => request.waves(Waves::from(waves)),
            None => request,
        })
    }

    fn group(&self, name: &str) -> anyhow::Result<&Group> {
        let group = self.config.groups.get(name);
        group.with_context(|| format!("the configuration file has no group {name:?}"))
    }
}

fn references<'n>(names: impl Iterator<Item = &'n str>) -> anyhow::Result<Vec<InstanceReference>> {
    let parsed = names.map(|name| name.parse().with_context(|| format!("{name:?}")));
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use lifecycle_sim::Simulator;

    use super::*;

    /// The clouds, an actor, and the folder of its journals.
    struct Stage {
        simulator: Simulator,
        actor: PowerActor,
        _folder: tempfile::TempDir,
    }

    fn stage() -> Stage {
        let fleet = "aliyun/cn-hangzhou=2:running,baidu/bj=1:running";
        let simulator = Simulator::builder().fleet(fleet).unwrap().build();
        let folder = tempfile::tempdir().unwrap();
        let names = simulator.instances();
        let config = Config::parse(&format!("groups.web = {names:?}")).unwrap();
        Stage {
            actor: PowerActor {
                fleet: Fleet::simulated(&simulator),
                journals: Journals::open(folder.path()).unwrap(),
                config,
            },
            simulator,
            _folder: folder,
        }
    }

    fn call(action: Power) -> PowerCall {
        PowerCall {
            operation: "0199-a".to_owned(),
            workflow: "test".to_owned(),
            input: PowerInput {
                action,
                targets: vec!["web".to_owned()],
                waves: None,
                wait_seconds: 300,
            },
        }
    }

    fn outcomes(report: &PowerReport) -> Vec<&str> {
        let rows = report.rows.iter();
        rows.map(|row| row.outcome.as_str()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn second_execution_of_a_finished_reboot_sends_nothing() {
        let stage = stage();
        let first = stage.actor.act(&call(Power::Reboot)).await.unwrap();
        let calls = stage.simulator.ledger().total();
        let second = stage.actor.act(&call(Power::Reboot)).await.unwrap();
        assert_eq!(outcomes(&first), ["reached"; 3]);
        assert_eq!(first.rows, second.rows);
        assert_eq!(stage.simulator.ledger().total(), calls);
    }

    #[tokio::test(start_paused = true)]
    async fn execution_that_ended_in_the_middle_is_settled_by_looking() {
        let stage = stage();
        let reboot = call(Power::Reboot);
        tokio::select! {
            report = stage.actor.act(&reboot) => panic!("too early: {report:?}"),
            () = sent(&stage.simulator) => {}
        }
        let settled = stage.actor.settle(&reboot).await.unwrap();
        let again = stage.actor.act(&reboot).await.unwrap();
        assert_eq!(outcomes(&settled), ["reached"; 3]);
        assert_eq!(settled.rows, again.rows);
        assert_eq!(stage.simulator.ledger().most_reboots(), 1);
    }

    async fn sent(simulator: &Simulator) {
        while simulator.ledger().most_reboots() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn settled_workflow_without_a_call_never_sends() {
        let stage = stage();
        let settled = stage.actor.settle(&call(Power::Reboot)).await.unwrap();
        assert_eq!(settled.to_string(), "nothing was sent");
        let late = stage.actor.act(&call(Power::Reboot)).await.unwrap();
        assert_eq!(late.rows, []);
        assert_eq!(stage.simulator.ledger().total(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn living_execution_keeps_others_away() {
        let stage = stage();
        let open = stage.actor.journals.of_workflow("0199-a").await.unwrap();
        let error = stage.actor.settle(&call(Power::Stop)).await.unwrap_err();
        assert!(error.to_string().contains("is in use"), "{error}");
        drop(open);
        let report = stage.actor.act(&call(Power::Stop)).await.unwrap();
        assert_eq!(outcomes(&report), ["reached"; 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn unknown_group_and_invalid_reference_are_errors_before_any_call() {
        let stage = stage();
        for (target, expected) in [("wbe", "no group \"wbe\""), ("mars/x/i-1", "mars/x/i-1")] {
            let mut call = call(Power::Start);
            call.input.targets = vec![target.to_owned()];
            let error = stage.actor.act(&call).await.unwrap_err();
            assert!(format!("{error:#}").contains(expected), "{error:#}");
        }
        assert_eq!(stage.simulator.ledger().total(), 0);
    }
}
