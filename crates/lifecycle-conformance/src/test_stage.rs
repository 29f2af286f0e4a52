//! The test stage of a fault scenario: the simulated cloud, and the client under test.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use fastrand::Rng;
use lifecycle_facade::{
    Account, Client, Credential, EmptyHost, Fleet, FleetBuilder, InstanceId, Location,
    lifecycle_core::{EnvVarNames, HostEnvironment, credential_source::FileCheck},
};
use lifecycle_sim::{KeyKind, SimulatedState, Simulator, TransitionTimes};

use crate::{
    draw::location,
    scenario::{ClientKey, ExternalChange, Request, Scenario, ScheduledChange},
};

/// A simulated cloud with its instances and a client, set up for one scenario.
pub(crate) struct TestStage {
    pub(crate) simulator: Simulator,
    pub(crate) client: Client,
    location: &'static str,
    /// The instances in the order of creation.
    known: Vec<InstanceId>,
}

impl TestStage {
    pub(crate) async fn new(scenario: &Scenario) -> Result<Self, String> {
        let (simulator, credential) = simulator(scenario)?;
        let client = client(&simulator, credential, location(scenario.cloud), scenario).await?;
        Self::with_client(scenario, simulator, client)
    }

    /// Returns the stage of a scenario with a client that is connected to `simulator`.
    pub(crate) fn with_client(
        scenario: &Scenario,
        simulator: Simulator,
        client: Client,
    ) -> Result<Self, String> {
        let id = |reference: String| InstanceId::new(last_part(&reference)).map_err(text);
        let known: Vec<InstanceId> = simulator
            .instances()
            .into_iter()
            .map(id)
            .collect::<Result<_, _>>()?;
        if known.is_empty() {
            return Err("an empty fleet".to_owned());
        }
        Ok(Self {
            client,
            simulator,
            location: location(scenario.cloud),
            known,
        })
    }

    /// Returns the reference `cloud/region/id`.
    pub(crate) fn reference(&self, id: &InstanceId) -> String {
        format!("{}/{id}", self.location)
    }

    /// Returns the ids of a request in a drawn order, including unknown and duplicate ids.
    pub(crate) fn request_ids(
        &self,
        request: &Request,
        seed: u64,
    ) -> Result<Vec<InstanceId>, String> {
        let mut rng = Rng::with_seed(seed ^ 0x5eed);
        let selection = request.selection;
        let known: Vec<InstanceId> = self
            .known
            .iter()
            .skip(selection.first)
            .step_by(selection.step)
            .cloned()
            .collect();
        let mut ids = known.clone();
        for n in 0..request.unknown_ids {
            ids.push(InstanceId::new(&format!("i-missing-{n}")).map_err(text)?);
        }
        if !known.is_empty() {
            for _ in 0..request.duplicates {
                ids.push(known[rng.usize(..known.len())].clone());
            }
        }
        rng.shuffle(&mut ids);
        Ok(ids)
    }

    /// Returns the simulator's states of the existing instances among `ids`.
    pub(crate) fn states(&self, ids: &[InstanceId]) -> HashMap<InstanceId, SimulatedState> {
        let state = |id: &InstanceId| {
            let state = self.simulator.state_of(&self.reference(id))?;
            Some((id.clone(), state))
        };
        ids.iter().filter_map(state).collect()
    }

    /// Returns the position of each instance in the order of creation.
    pub(crate) fn creation_order(&self) -> HashMap<&InstanceId, usize> {
        self.known.iter().zip(0..).collect()
    }

    /// Returns the instance of an external change.
    pub(crate) fn changed_instance(&self, change: &ScheduledChange) -> &InstanceId {
        &self.known[change.instance % self.known.len()]
    }

    /// Makes an external change in the simulator.
    pub(crate) fn apply(&self, change: &ScheduledChange) {
        let reference = self.reference(self.changed_instance(change));
        // An earlier change can have deleted the instance.
        let _ = match change.change {
            ExternalChange::Power(operation) => {
                self.simulator.execute_externally(&reference, operation)
            }
            ExternalChange::Delete => self.simulator.delete(&reference),
            ExternalChange::Impairment(impairment) => {
                self.simulator.set_impairment(&reference, impairment)
            }
        };
    }
}

/// Returns the simulated cloud of a scenario with its faults, and the first key of the client.
pub(crate) fn simulator(scenario: &Scenario) -> Result<(Simulator, Credential), String> {
    let faults = &scenario.faults;
    let simulator = Simulator::builder()
        .seed(scenario.seed)
        .epoch(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600))
        .transition_times(transition_times(faults.lag))
        .latency(faults.latency)
        .switches(scenario.switches.clone())
        .fleet(&scenario.fleet)
        .map_err(text)?
        .build();
    let credential = credential(&simulator, scenario);
    for rule in &faults.rules {
        simulator.inject(rule.clone());
    }
    simulator.throttle(scenario.cloud, faults.throttle);
    simulator.skew(scenario.cloud, faults.skew);
    Ok((simulator, credential))
}

/// Returns the client under test. A key that is rotated comes from environment variables, other keys
/// are constant.
async fn client(
    simulator: &Simulator,
    credential: Credential,
    location: &str,
    scenario: &Scenario,
) -> Result<Client, String> {
    let ClientKey::Rotated { after } = scenario.faults.key else {
        let fleet = Fleet::builder().machine(EmptyHost).credential(credential);
        return client_of(fleet, simulator, location, scenario).await;
    };
    let fleet = Fleet::builder()
        .machine(EmptyHost)
        .credential(credential.clone());
    // The names of the variables are in the profile of a client.
    let unused = client_of(fleet, simulator, location, scenario).await?;
    let host = RotatingHost {
        names: unused.profile().env_vars,
        keys: [
            credential,
            simulator.issue(scenario.cloud, KeyKind::Permanent),
        ],
        simulator: simulator.clone(),
        after,
    };
    client_of(
        Fleet::builder().machine(host),
        simulator,
        location,
        scenario,
    )
    .await
}

/// Returns the client of a fleet for the location of the scenario.
async fn client_of(
    fleet: FleetBuilder,
    simulator: &Simulator,
    location: &str,
    scenario: &Scenario,
) -> Result<Client, String> {
    const ACCOUNT: &str = "under-test";
    let (seed, mutation) = (scenario.seed, scenario.mutation);
    let location: Location = location.parse().map_err(text)?;
    let location = location.with_account(ACCOUNT);
    let mut account = Account::new(location.cloud);
    account.batch_reboot = scenario.batch_reboot;
    let fleet = fleet
        .account(ACCOUNT, account)
        .map_err(text)?
        .transport(simulator.transport())
        .clock(simulator.clock())
        .project(simulator.project_id())
        .configure_client(move |client| match mutation {
            Some(mutation) => client.seed(seed).mutation(mutation),
            None => client.seed(seed),
        })
        .build()
        .map_err(text)?;
    fleet.client(&location).await.map_err(text)
}

/// A host with a key in environment variables. A second key replaces the first key when the cloud
/// revokes the first key.
#[derive(Debug)]
struct RotatingHost {
    names: &'static [EnvVarNames],
    keys: [Credential; 2],
    simulator: Simulator,
    /// The number of calls before the change.
    after: u64,
}

impl HostEnvironment for RotatingHost {
    fn variable(&self, name: &str) -> Option<String> {
        let [first, second] = &self.keys;
        let calls = self.simulator.ledger().calls().len() as u64;
        let Credential::Keys { id, secret, .. } = (if calls < self.after { first } else { second })
        else {
            return None;
        };
        self.names.iter().find_map(|names| match names {
            EnvVarNames::Keys { id: known, .. } if *known == name => Some(id.clone()),
            EnvVarNames::Keys { secret: known, .. } if *known == name => {
                Some(secret.expose().to_owned())
            }
            _ => None,
        })
    }

    fn file(&self, _: &str, _: FileCheck) -> Result<Option<String>, String> {
        Ok(None)
    }
}

/// Returns the first key of the client.
fn credential(simulator: &Simulator, scenario: &Scenario) -> Credential {
    let cloud = scenario.cloud;
    match scenario.faults.key {
        ClientKey::Valid => simulator.credential(cloud),
        ClientKey::Other(kind) => simulator.issue(cloud, kind),
        ClientKey::Wrong => match simulator.credential(cloud) {
            Credential::Keys { id, .. } => Credential::keys(id, "not the secret"),
            other => other,
        },
        ClientKey::Revoked { after } | ClientKey::Rotated { after } => {
            let credential = simulator.credential(cloud);
            simulator.revoke_after(cloud, after);
            credential
        }
    }
}

fn transition_times(lag: Duration) -> TransitionTimes {
    let mut times = TransitionTimes::default();
    times.lag = lag;
    times
}

fn last_part(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or_default()
}

pub(crate) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
