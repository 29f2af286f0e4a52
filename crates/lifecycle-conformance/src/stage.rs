//! The simulated cloud, and the client that is tried on it.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use fastrand::Rng;
use lifecycle_facade::{Client, Credential, EmptyHost, Fleet, InstanceId, Location};
use lifecycle_sim::{SimulatedState, Simulator, TransitionTimes};

use crate::{
    draw::place,
    scenario::{Deed, Incident, Key, Request, Scenario},
};

/// The simulated cloud before anything is asked of it.
pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    pub(crate) client: Client,
    place: &'static str,
    /// The instances in the order in which they were made.
    known: Vec<InstanceId>,
}

impl Stage {
    pub(crate) async fn new(scenario: &Scenario) -> Result<Self, String> {
        let faults = &scenario.faults;
        let simulator = Simulator::builder()
            .seed(scenario.seed)
            .epoch(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600))
            .transition_times(tempo(faults.lag))
            .latency(faults.latency)
            .switches(scenario.switches.clone())
            .fleet(&scenario.fleet)
            .map_err(text)?
            .build();
        let credential = credential(&simulator, scenario);
        for injection in &faults.injections {
            simulator.inject(injection.clone());
        }
        simulator.throttle(scenario.cloud, faults.throttle);
        simulator.skew(scenario.cloud, faults.skew);
        let place = place(scenario.cloud);
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
            client: client(&simulator, credential, place, scenario).await?,
            simulator,
            place,
            known,
        })
    }

    /// `cloud/region/id`.
    pub(crate) fn reference(&self, id: &InstanceId) -> String {
        format!("{}/{id}", self.place)
    }

    /// The ids of a request, in a drawn order, with unknown ones and duplicates.
    pub(crate) fn asked(&self, request: &Request, seed: u64) -> Result<Vec<InstanceId>, String> {
        let mut rng = Rng::with_seed(seed ^ 0x5eed);
        let share = request.share;
        let known: Vec<InstanceId> = self
            .known
            .iter()
            .skip(share.nth)
            .step_by(share.of)
            .cloned()
            .collect();
        let mut asked = known.clone();
        for n in 0..request.unknown {
            asked.push(InstanceId::new(&format!("i-missing-{n}")).map_err(text)?);
        }
        if !known.is_empty() {
            for _ in 0..request.doubled {
                asked.push(known[rng.usize(..known.len())].clone());
            }
        }
        rng.shuffle(&mut asked);
        Ok(asked)
    }

    /// How instances really are now; those that there are not are left out.
    pub(crate) fn states(&self, ids: &[InstanceId]) -> HashMap<InstanceId, SimulatedState> {
        let state = |id: &InstanceId| {
            let state = self.simulator.state_of(&self.reference(id))?;
            Some((id.clone(), state))
        };
        ids.iter().filter_map(state).collect()
    }

    /// The number of an instance in the order in which they were made.
    pub(crate) fn numbers(&self) -> HashMap<&InstanceId, usize> {
        self.known.iter().zip(0..).collect()
    }

    /// The instance that an incident strikes.
    pub(crate) fn struck(&self, incident: &Incident) -> &InstanceId {
        &self.known[incident.instance % self.known.len()]
    }

    pub(crate) fn happen(&self, incident: &Incident) {
        let reference = self.reference(self.struck(incident));
        // One that is deleted already has nothing more to fear.
        let _ = match incident.deed {
            Deed::Act(act) => self.simulator.execute_externally(&reference, act),
            Deed::Delete => self.simulator.delete(&reference),
            Deed::Trouble(trouble) => self.simulator.set_impairment(&reference, trouble),
        };
    }
}

async fn client(
    simulator: &Simulator,
    credential: Credential,
    place: &str,
    scenario: &Scenario,
) -> Result<Client, String> {
    let (seed, mutation) = (scenario.seed, scenario.mutation);
    let fleet = Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(EmptyHost)
        .credential(credential)
        .project(simulator.project_id())
        .tune(move |client| match mutation {
            Some(mutation) => client.seed(seed).mutation(mutation),
            None => client.seed(seed),
        })
        .build()
        .map_err(text)?;
    let place: Location = place.parse().map_err(text)?;
    fleet.client(&place).await.map_err(text)
}

fn credential(simulator: &Simulator, scenario: &Scenario) -> Credential {
    let cloud = scenario.cloud;
    match scenario.faults.key {
        Key::Good => simulator.credential(cloud),
        Key::Other(kind) => simulator.issue(cloud, kind),
        Key::Wrong => match simulator.credential(cloud) {
            Credential::Keys { id, .. } => Credential::keys(id, "not the secret"),
            other => other,
        },
        Key::Revoked { after } => {
            let credential = simulator.credential(cloud);
            simulator.revoke_after(cloud, after);
            credential
        }
    }
}

fn tempo(lag: Duration) -> TransitionTimes {
    let mut tempo = TransitionTimes::default();
    tempo.lag = lag;
    tempo
}

fn last_part(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or_default()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
