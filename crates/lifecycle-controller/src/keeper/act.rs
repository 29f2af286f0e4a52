//! Carries out the actions of a pass, and settles the open calls of an earlier process.

use std::{collections::BTreeMap, fmt::Display, sync::Arc};

use futures_util::future::join_all;
use lifecycle_facade::{
    Event, FleetError, FleetEventStream, FleetReport, FleetRequest, FleetRow, InstanceReference,
    Outcome, lifecycle_core::Action,
};

use super::{
    handle::Keeper,
    pass::Stop,
    report::{ActionResult, PassReport},
};
use crate::{
    decide::{ActionName, Fact, FactKind, PlannedAction},
    record::{ActionRecord, OperationId, Record},
    recorder::StoreRecorder,
    resume::{ResumeMode, resume_request},
    state::{Operation, State},
};

impl Keeper {
    /// Carries out all actions at the same time, one request for each kind, group and reason.
    pub(super) async fn act(
        &self,
        actions: Vec<PlannedAction>,
        problems: &mut Vec<String>,
        stop: &Stop<'_>,
    ) -> Vec<(PlannedAction, ActionResult)> {
        let mut requests: BTreeMap<(ActionName, String, String), Vec<PlannedAction>> =
            BTreeMap::new();
        for action in actions {
            let key = (action.action, action.group.clone(), action.why.clone());
            requests.entry(key).or_default().push(action);
        }
        let requests = requests.into_iter().map(|((action, group, why), actions)| {
            let references: Result<Vec<InstanceReference>, _> = actions
                .iter()
                .map(|action| action.instance.parse())
                .collect();
            let edges = actions.iter().map(|action| action.edge.clone());
            let edges = edges.map(Record::Edge).collect();
            async move {
                let report = match references {
                    Ok(references) => self
                        .request(action, &group, why, &references, edges, stop)
                        .await
                        .map_err(|error| error.to_string()),
                    Err(error) => Err(error.to_string()),
                };
                (actions, report)
            }
        });
        let mut results = Vec::new();
        for (actions, report) in join_all(requests).await {
            match report {
                Ok(report) => {
                    let rows: BTreeMap<String, &FleetRow> = report
                        .instances()
                        .iter()
                        .map(|row| (row.instance.to_string(), row))
                        .collect();
                    results.extend(actions.into_iter().map(|action| {
                        let result = match rows.get(&action.instance) {
                            Some(row) => ActionResult::of(row),
                            None => ActionResult::not_sent("the report has no row".to_owned()),
                        };
                        (action, result)
                    }));
                }
                Err(error) => {
                    problems.push(error.clone());
                    results.extend(actions.into_iter().map(|action| {
                        let result = ActionResult::not_sent(error.clone());
                        (action, result)
                    }));
                }
            }
        }
        results
    }

    async fn request(
        &self,
        action: ActionName,
        group: &str,
        why: String,
        references: &[InstanceReference],
        edges: Vec<Record>,
        stop: &Stop<'_>,
    ) -> Result<FleetReport, FleetError> {
        let recorder = StoreRecorder::new(Arc::clone(&self.store), self.by.clone(), why);
        let recorder = recorder.clock(Arc::clone(&self.clock)).causes(edges);
        let recorder = Arc::new(recorder);
        let wait = self.settings.wait;
        let events = match action {
            ActionName::Start => {
                let request = self.fleet.start(references);
                request.wait(wait).recorder(recorder).events()
            }
            ActionName::Stop => {
                let request = self.fleet.stop(references);
                request.wait(wait).recorder(recorder).events()
            }
            ActionName::Reboot => {
                let mut request: FleetRequest<_> = self.fleet.reboot(references);
                if let Some(waves) = self.waves_of(group) {
                    request = request.waves(waves);
                }
                request.wait(wait).recorder(recorder).events()
            }
        };
        report_until(stop, events).await
    }

    fn waves_of(&self, group: &str) -> Option<lifecycle_facade::Waves> {
        let maintenance = self.settings.rules.maintenance.iter();
        let mut waves = maintenance.zip(&self.settings.maintenance_waves);
        let (_, waves) = waves.find(|(entry, _)| entry.group == group)?;
        *waves
    }

    /// Settles the open calls of programs that ended: looks, and records the outcomes. Calls of another living
    /// controller are left to this controller.
    ///
    /// Starts and stops that were never sent are not sent now: the decision after the look is newer. The
    /// reboots of a maintenance continue within `catch_up`, because no comparison brings them back.
    pub(super) async fn settle_open(
        &self,
        state: &State,
        open: &[OperationId],
        report: &mut PassReport,
    ) {
        let is_open = |operation: &&Operation| open.contains(&operation.request.operation);
        let operations = state.unfinished().filter(is_open);
        // At the same time: a reboot can take minutes, and the changes of schedules wait.
        let settled = join_all(operations.map(|operation| self.settle(operation))).await;
        for settled in settled {
            match settled {
                Ok(facts) => report.facts.extend(facts),
                Err(problem) => report.problems.push(problem),
            }
        }
    }

    async fn settle(&self, operation: &Operation) -> Result<Vec<Fact>, String> {
        let id = &operation.request.operation;
        let problem = |error: &dyn Display| format!("operation {id} is not settled: {error}");
        let request = resume_request(
            self.fleet.clone(),
            operation,
            self.mode(operation),
            Arc::clone(&self.store),
            Arc::clone(&self.clock),
        );
        let request = request.map_err(|error| problem(&error))?;
        let settled = request.report().await.map_err(|error| problem(&error))?;
        Ok(uncertain(operation, &settled))
    }

    fn mode(&self, operation: &Operation) -> ResumeMode {
        let request = &operation.request;
        let is_recent = self.now().duration_since(request.at) <= self.settings.rules.catch_up;
        match request.action {
            ActionRecord::Reboot { .. } if is_recent => ResumeMode::Finish,
            _ => ResumeMode::Settle,
        }
    }
}

/// Carries a request out, up to its end or to `stop`.
async fn report_until(
    stop: &Stop<'_>,
    mut events: FleetEventStream,
) -> Result<FleetReport, FleetError> {
    let mut stop = stop.clone();
    loop {
        tokio::select! {
            // A known outcome takes precedence over the end.
            biased;
            event = events.next() => match event {
                Some(Event::Finished(result)) => return result,
                Some(_) => {}
                // Unreachable: the last event is `Finished`.
                None => return events.cancel(),
            },
            () = &mut stop => return events.cancel(),
        }
    }
}

fn uncertain(operation: &Operation, settled: &FleetReport) -> Vec<Fact> {
    let verb = Action::from(operation.request.action).kind();
    let rows = settled.instances().iter();
    rows.filter_map(|row| {
        let Outcome::Uncertain(fault) = &row.outcome else {
            return None;
        };
        Some(Fact {
            kind: FactKind::Uncertain,
            subject: row.instance.to_string(),
            message: format!(
                "{verb} of {}: the cloud may have executed the action; {fault}",
                row.instance
            ),
        })
    })
    .collect()
}
