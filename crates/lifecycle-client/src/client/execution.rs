//! The common part of power requests and wait requests: check, dry run, execution.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
    sync::{Arc, Mutex},
};

use lifecycle_core::{ActionKind, InstanceId};
use tokio::sync::mpsc::UnboundedSender;
use tracing::Span;

use super::{
    Client,
    request_span::{in_span, record_request, request_span},
    selection::Selection,
    target::{Target, by_location, connect, distinct},
};
use crate::{
    error::Error,
    power::event::Event,
    power::event_stream::{EventStream, ReportFuture},
    power::plan::{Plan, PlannedCall},
    power::recorder::{Name, RecordedRequest, Recorder, record_in_time},
    power::report::{InstanceReport, Report},
    power::resume_point::ResumePoints,
    power::rollout::{RolloutState, Share, run_rollout, skip_all},
    power::until::WavesUntil,
    sync::lock,
};

/// A request that can be carried out as soon as [`check`](Self::check) accepts it.
#[derive(Clone, Debug)]
pub(super) struct Execution<T: Target> {
    pub(super) target: T,
    pub(super) instances: Arc<[T::Instance]>,
    /// The selection of the instances, which the run makes first.
    pub(super) selection: Selection<T>,
    pub(super) waves: Option<WavesUntil>,
    /// The most instances that the caller allows.
    pub(super) max: Option<usize>,
    /// The plan of each client, without instances.
    pub(super) plan: Plan,
    /// Records the calls before they are sent.
    pub(super) recorder: Option<Arc<dyn Recorder<T::Instance>>>,
    /// The points that an earlier process reached.
    pub(super) resume: ResumePoints<T::Instance>,
}

impl<T: Target> Execution<T> {
    /// Checks everything that can be checked without a call.
    pub(super) fn check(self) -> Result<Self, T::Error> {
        let locations: BTreeSet<T::Location> = by_location::<T>(&self.instances)
            .into_keys()
            .chain(T::default_location())
            .collect();
        let clients = locations.iter();
        let clients = clients.map(|location| self.target.offline_client(location));
        let clients: Vec<_> = clients.collect::<Result<_, _>>()?;
        match self.max {
            Some(max) if self.instances.len() > max => {
                return Err(T::Error::from(Error::TooMany {
                    instances: self.instances.len(),
                    max,
                }));
            }
            _ => {}
        }
        for client in clients {
            self.plan.check(client.profile())?;
        }
        Ok(self)
    }

    /// Returns the calls of an execution in which nothing fails.
    pub(super) fn dry_run(&self) -> Result<Vec<PlannedCall<T::Instance>>, T::Error> {
        if self.selection.is_some() {
            return Err(Error::NotSelected.into());
        }
        let waves = self.waves.as_ref().map(|waves| waves.waves);
        let waves = waves.unwrap_or_default();
        let mut calls = Vec::new();
        for (number, wave) in (1..).zip(waves.ranges(self.instances.len())) {
            for (location, ids) in by_location::<T>(&self.instances[wave]) {
                let client = self.target.offline_client(&location)?;
                let planned = self.plan_for(ids).calls(&client.observer.engine, number)?;
                calls.extend(planned.into_iter().map(|call| PlannedCall {
                    wave: call.wave,
                    operation: call.operation,
                    instances: named::<T>(&location, call.instances),
                }));
            }
        }
        Ok(calls)
    }

    /// Carries a request out, and returns the report.
    pub(super) fn report(request: Result<Self, T::Error>) -> ReportFuture<T::Instance, T::Error> {
        let span = request.as_ref().map_or_else(|_| Span::none(), Self::span);
        let in_run = span.clone();
        let report = Box::pin(async move {
            let request = request?;
            let state = Mutex::new(request.state());
            request.run(&state, None, in_run).await
        });
        in_span(report, span)
    }

    fn state(&self) -> RolloutState<T::Instance> {
        let action = self.plan.action.map(|action| action.kind());
        RolloutState::new(Arc::clone(&self.instances), action, self.resume.clone())
    }

    /// Returns the span of the request.
    fn span(&self) -> Span {
        let action = self.plan.action.map(|action| action.kind());
        request_span(
            action.map_or("wait", ActionKind::as_str),
            self.instances.len(),
        )
    }

    /// Carries a request out, and returns the events.
    pub(super) fn events(request: Result<Self, T::Error>) -> EventStream<T::Instance, T::Error> {
        let request = match request {
            Ok(request) => request,
            Err(error) => return EventStream::failed(error),
        };
        let (state, span) = (request.state(), request.span());
        let in_run = span.clone();
        EventStream::new(state, |state, events| {
            let report = Box::pin(async move { request.run(&state, Some(&events), in_run).await });
            in_span(report, span)
        })
    }

    async fn run(
        mut self,
        state: &Mutex<RolloutState<T::Instance>>,
        events: Option<&UnboundedSender<Event<T::Instance, T::Error>>>,
        span: Span,
    ) -> Result<Report<T::Instance>, T::Error> {
        if let Some(selection) = self.selection.take() {
            let action = self.plan.action.map(|action| action.kind());
            let selected = selection.select(&self.target, action).await?;
            self.instances = distinct(&self.target, selected.instances).into();
            self = self.check()?;
            let instances = Arc::clone(&self.instances);
            lock(state).select(instances, selected.left_alone, selected.description, events);
        }
        let clients = connect(&self.target, &self.instances).await?;
        record_request(&span, self.instances.len(), clients.values());
        lock(state).count_unsent_with(self.counter(&clients));
        let mut recorder = None;
        if let (Some(chosen), Some(request)) = (&self.recorder, self.recorded(state)) {
            match record_in_time(chosen.begin(request)).await {
                Ok(begun) => recorder = Some(begun),
                Err(error) => return Ok(skip_all(state, &error.fault(), events)),
            }
        }
        let split = |wave: &[T::Instance]| {
            let groups = by_location::<T>(wave).into_iter();
            let share = |(location, ids): (T::Location, Vec<InstanceId>)| {
                let client = clients.get(&location)?;
                let name: Name<T::Instance> = Arc::new(move |id| T::join(&location, id));
                let resume = self.resume.of_client(&ids, &*name);
                Some(Share {
                    observer: Arc::clone(&client.observer),
                    plan: Plan {
                        resume,
                        ..self.plan_for(ids)
                    },
                    name,
                })
            };
            groups.filter_map(share).collect()
        };
        let waves = self.waves.clone();
        Ok(run_rollout(state, waves, split, recorder, events).await)
    }

    /// Returns the function that counts the rows of instances for which no client of `clients` did anything.
    fn counter(
        &self,
        clients: &BTreeMap<T::Location, Client>,
    ) -> impl Fn(&InstanceReport<T::Instance>) + Send + 'static {
        let action = self.plan.action.map(|action| action.kind());
        let clients = clients.clone();
        move |row| {
            let (location, _) = T::split(&row.instance);
            if let Some(client) = clients.get(&location) {
                let collector = client.observer.engine.collector();
                collector.outcomes(action, iter::once(row.outcome.as_str()));
            }
        }
    }

    /// Returns the request for the recorder; `None` for a request without an action.
    fn recorded(
        &self,
        state: &Mutex<RolloutState<T::Instance>>,
    ) -> Option<RecordedRequest<T::Instance>> {
        let (left_alone, selected_by) = lock(state).selection();
        Some(RecordedRequest {
            instances: Arc::clone(&self.instances),
            action: self.plan.action?,
            options: self.plan.options,
            waves: self.waves.as_ref().map(|waves| waves.waves),
            selected_by,
            left_alone,
        })
    }

    /// Returns the plan of one client.
    fn plan_for(&self, ids: Vec<InstanceId>) -> Plan {
        Plan {
            ids,
            ..self.plan.clone()
        }
    }
}

fn named<T: Target>(location: &T::Location, ids: Vec<InstanceId>) -> Vec<T::Instance> {
    ids.into_iter().map(|id| T::join(location, id)).collect()
}
