//! Fault scenarios of several clouds: one request of a fleet acts on instances of two to four simulated clouds, each
//! with its own faults. The judge sees each cloud with its part of the report.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use fastrand::Rng;
use futures_util::future::{join, join_all, try_join_all};
use lifecycle_facade::{
    Account, ActionKind, CredentialSettings, EmptyHost, Fleet, FleetReport, InstanceReference,
    InstanceReport, Location, RebootOptions, Report, StartOptions, StaticCredential, StopOptions,
    Transport, TransportError,
    lifecycle_core::{Action, HttpResponse},
};
use lifecycle_sim::{Cloud, MemoryTransport, Simulator};
use tokio::time::{Instant, sleep_until, timeout};

use crate::{
    draw::{action_kind, location},
    judge::{Violation, judge},
    run::{HANG_LIMIT, hangs, in_paused_time, options_of, run_from},
    scenario::{ClientKey, Request, ResultForm, Scenario},
    scenario_run::{RequestRun, ScenarioRun},
    test_stage::{TestStage, simulator, text},
};

/// The scenarios of several clouds. The first requests of all scenarios are one request of a fleet.
#[derive(Clone, Debug)]
pub struct FleetScenario {
    /// The scenarios of two to four clouds. Seed and mutation of the first scenario are those of all clients.
    pub clouds: Vec<Scenario>,
}

impl FleetScenario {
    /// Draws the scenario of `seed`. Equal seeds give equal scenarios.
    pub fn from_seed(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0xf1ee7);
        let mut order = Cloud::ALL;
        rng.shuffle(&mut order);
        let count = rng.usize(2..=order.len());
        let kind = action_kind(&mut rng);
        let scenario = |cloud| Scenario::of_cloud(rng.u64(..), cloud, kind);
        let mut clouds: Vec<_> = order.into_iter().take(count).map(scenario).collect();
        let shared = shared_request(&clouds);
        for scenario in &mut clouds {
            for first in scenario.requests.iter_mut().take(1) {
                *first = Request {
                    selection: first.selection,
                    unknown_ids: first.unknown_ids,
                    duplicates: first.duplicates,
                    ..shared.clone()
                };
            }
            // A rotated key is in environment variables, which all clouds share.
            if let ClientKey::Rotated { .. } = scenario.faults.key {
                scenario.faults.key = ClientKey::Valid;
            }
        }
        Self { clouds }
    }
}

/// Returns the first request of the first cloud, with options that every cloud supports.
fn shared_request(clouds: &[Scenario]) -> Request {
    let first = clouds[0].requests[0].clone();
    let is_supported = |scenario: &Scenario| {
        let location: Result<Location, _> = location(scenario.cloud).parse();
        location.is_ok_and(|location| location.cloud.profile().supports(&first.action).is_ok())
    };
    let action = match first.action.kind() {
        _ if clouds.iter().all(is_supported) => first.action,
        ActionKind::Start => StartOptions::default().into(),
        ActionKind::Stop => StopOptions::default().into(),
        _ => RebootOptions::default().into(),
    };
    let limit = first.wait_timeout.unwrap_or(Duration::MAX);
    Request {
        action,
        force_after: first.force_after.filter(|after| *after < limit),
        // A wave takes instances of all clouds, and the judge knows the waves of one.
        waves: None,
        result_form: ResultForm::Report,
        ..first
    }
}

/// The result of one simulated scenario of several clouds.
#[derive(Debug)]
pub struct FleetSimulationResult {
    /// The broken promises, each with the cloud; empty for a correct client.
    pub violations: Vec<(Cloud, Violation)>,
    /// The number of requested instances.
    pub instances: usize,
    /// The number of calls that the clouds received.
    pub calls: u64,
}

/// Runs one scenario under paused time, and judges each cloud.
///
/// # Errors
/// A text if the run could not be set up, hung or panicked, or if the request ended without a report.
pub fn simulate_fleet(scenario: &FleetScenario) -> Result<FleetSimulationResult, String> {
    let runs = in_paused_time(run(&scenario.clouds))?;
    let judged = scenario.clouds.iter().zip(&runs).flat_map(|(cloud, run)| {
        let violations = judge(cloud, run).into_iter();
        violations.map(|violation| (cloud.cloud, violation))
    });
    let requests = runs.iter().flat_map(|run| &run.requests);
    Ok(FleetSimulationResult {
        violations: judged.collect(),
        instances: requests.map(|request| request.ids.len()).sum(),
        calls: runs
            .iter()
            .map(|run| run.stage.simulator.ledger().total())
            .sum(),
    })
}

async fn run(scenarios: &[Scenario]) -> Result<Vec<ScenarioRun>, String> {
    let prepared = scenarios.iter().map(simulator);
    let prepared: Vec<_> = prepared.collect::<Result<_, _>>()?;
    let simulators: Vec<_> = scenarios
        .iter()
        .zip(&prepared)
        .map(|(scenario, (simulator, _))| (scenario.cloud, simulator.clone()))
        .collect();
    let mut builder = Fleet::builder()
        .machine(EmptyHost)
        .transport(Clouds::new(&simulators));
    for (scenario, (simulator, credential)) in scenarios.iter().zip(prepared) {
        let location: Location = location(scenario.cloud).parse().map_err(text)?;
        let mut account = Account::new(location.cloud);
        let key = Arc::new(StaticCredential::new(credential));
        account.credentials = CredentialSettings::Provider(key);
        account.batch_reboot = scenario.batch_reboot;
        builder = builder
            .account(account_of(scenario), account)
            .map_err(text)?
            .clock(simulator.clock());
        if scenario.cloud == Cloud::Huawei {
            builder = builder.project(simulator.project_id());
        }
    }
    let (seed, mutation) = (scenarios[0].seed, scenarios[0].mutation);
    let fleet = builder.configure_client(move |client| match mutation {
        Some(mutation) => client.seed(seed).mutation(mutation),
        None => client.seed(seed),
    });
    let fleet = fleet.build().map_err(text)?;
    let stages = scenarios.iter().zip(simulators);
    let stages = stages.map(async |(scenario, (_, simulator))| {
        let client = fleet.client(&location_of(scenario)?).await.map_err(text)?;
        TestStage::with_client(scenario, simulator, client)
    });
    let stages = try_join_all(stages).await?;

    let start = Instant::now();
    let others = stages.iter().zip(scenarios);
    let others = others.map(|(stage, scenario)| run_from(1, stage, scenario, start));
    let all = join(shared(&fleet, scenarios, &stages, start), join_all(others));
    let (shared, others) = timeout(HANG_LIMIT, all).await.map_err(hangs)?;
    let runs = stages.into_iter().zip(shared?).zip(others);
    let runs = runs.map(|((stage, first), others)| {
        let (mut requests, lists) = others?;
        requests.insert(0, first);
        Ok(ScenarioRun {
            stage,
            requests,
            lists,
        })
    });
    runs.collect()
}

/// Makes the request of all clouds, and returns the record of each cloud.
async fn shared(
    fleet: &Fleet,
    scenarios: &[Scenario],
    stages: &[TestStage],
    start: Instant,
) -> Result<Vec<RequestRun>, String> {
    let ids = scenarios.iter().zip(stages);
    let ids = ids.map(|(scenario, stage)| stage.request_ids(&scenario.requests[0], scenario.seed));
    let ids: Vec<_> = ids.collect::<Result<_, _>>()?;
    let locations = scenarios.iter().map(location_of);
    let locations: Vec<Location> = locations.collect::<Result<_, _>>()?;
    let mut references: Vec<_> = locations
        .iter()
        .zip(&ids)
        .flat_map(|(location, ids)| {
            let ids = ids.iter().cloned();
            ids.map(|id| InstanceReference::new(location.clone(), id))
        })
        .collect();
    Rng::with_seed(scenarios[0].seed).shuffle(&mut references);
    // Each cloud's instances in the order of the request.
    let ids: Vec<Vec<_>> = locations
        .iter()
        .map(|location| {
            let own = references.iter();
            let own = own.filter(|reference| reference.location == *location);
            own.map(|reference| reference.instance.clone()).collect()
        })
        .collect();
    let request = &scenarios[0].requests[0];
    sleep_until(start + request.starts_at).await;
    let stages = || stages.iter().zip(&ids);
    let before: Vec<_> = stages().map(|(stage, ids)| stage.states(ids)).collect();
    let started = start.elapsed();
    let action: Action = request.action;
    let sent = fleet.act(action, references);
    let sent = sent.request_options(options_of(request)).into_future();
    let report = match request.dropped_after {
        Some(span) => timeout(span, sent).await.ok(),
        None => Some(sent.await),
    };
    let report = report.transpose().map_err(text)?;
    let ended = start.elapsed();
    let after: Vec<_> = stages().map(|(stage, ids)| stage.states(ids)).collect();
    let runs = ids.into_iter().zip(locations).zip(before).zip(after);
    let runs = runs.map(|(((ids, location), before), after)| RequestRun {
        ids,
        before,
        after,
        started,
        ended,
        result: report.as_ref().map(|report| Ok(part(report, &location))),
        events: None,
    });
    Ok(runs.collect())
}

/// Returns the rows of one location.
fn part(report: &FleetReport, location: &Location) -> Report {
    let rows = report.instances().iter();
    let rows = rows.filter(|row| row.instance.location == *location);
    rows.map(|row| {
        let mut part = InstanceReport::new(row.instance.instance.clone(), row.outcome.clone());
        part.last_seen.clone_from(&row.last_seen);
        part.request_id.clone_from(&row.request_id);
        part.billing = row.billing;
        part
    })
    .collect()
}

fn account_of(scenario: &Scenario) -> String {
    format!("at-{}", location(scenario.cloud).replace('/', "-"))
}

fn location_of(scenario: &Scenario) -> Result<Location, String> {
    let location: Location = location(scenario.cloud).parse().map_err(text)?;
    Ok(location.with_account(account_of(scenario)))
}

/// A transport to several simulated clouds. The host name of a request selects the cloud.
#[derive(Debug)]
struct Clouds(Vec<(&'static str, MemoryTransport)>);

impl Clouds {
    fn new(simulators: &[(Cloud, Simulator)]) -> Self {
        let transports = simulators.iter().map(|(cloud, simulator)| {
            let domain = match cloud {
                Cloud::Baidu => "baidubce.com",
                Cloud::Aliyun => "aliyuncs.com",
                Cloud::Zenlayer => "zenlayer.com",
                _ => "myhuaweicloud.com",
            };
            (domain, simulator.transport())
        });
        Self(transports.collect())
    }
}

#[async_trait]
impl Transport for Clouds {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let host = request.uri().host().unwrap_or_default();
        let of_host = self.0.iter().find(|(domain, _)| host.ends_with(domain));
        let Some((_, transport)) = of_host else {
            return Err(TransportError::unsent(format!("no cloud at {host}")));
        };
        transport.send(request).await
    }
}
