//! Which project a key works in, on the one cloud that has projects: Huawei.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use lifecycle_client::{CredentialProvider, ResolveError, StepDriver};
use lifecycle_core::{
    Credential, CredentialSourceConfig, Fault, FaultKind, HostEnvironment,
    credential_source::FileCheck,
};
use tokio::sync::Mutex as Turn;

use super::{
    FleetError, Location,
    connect::{Connector, lock},
};

impl Connector {
    /// What was set, else what IAM says. A key that it refuses is replaced once.
    pub(super) async fn project(
        &self,
        place: &Location,
        source: &dyn CredentialProvider,
        key: Arc<Credential>,
    ) -> Result<String, FleetError> {
        let account = self.account(place)?;
        let own = account.and_then(|account| account.project.as_ref());
        if let Some(project) = self.settings.project.as_ref().or(own) {
            return Ok(project.clone());
        }
        let resolver = if self.heeds_environment(account) {
            self.resolver.clone()
        } else {
            let machine = WithoutVariables(Arc::clone(&self.settings.machine));
            self.resolver.clone().machine(machine)
        };
        let search = Search {
            place,
            config: self.origin_config(place, account)?,
            resolver,
        };
        let mut found = self.projects.find(&search, &key).await;
        let is_refused = matches!(&found, Err(fault) if fault.kind() == FaultKind::Credential);
        if is_refused && source.invalidate(&key) {
            let next = source.credential().await?;
            found = self.projects.find(&search, &next).await;
        }
        found.map_err(|fault| FleetError::Project {
            place: place.to_string(),
            fault,
        })
    }
}

/// What IAM refused, account by account. Some clouds lock a key that is refused a few times.
#[derive(Debug, Default)]
pub(super) struct Projects {
    refusals: Mutex<BTreeMap<Option<String>, Refusals>>,
}

/// Held by the one who searches.
type Refusals = Arc<Turn<Vec<Refusal>>>;

/// A key that was refused.
#[derive(Debug)]
struct Refusal {
    region: String,
    key: Arc<Credential>,
    fault: Fault,
}

/// What it takes to look a project up.
struct Search<'s> {
    place: &'s Location,
    config: CredentialSourceConfig,
    resolver: StepDriver,
}

impl Projects {
    /// One search of an account at a time, so that an untried key goes out alone.
    async fn find(&self, search: &Search<'_>, key: &Arc<Credential>) -> Result<String, Fault> {
        let account = search.place.account.clone();
        let refusals = Arc::clone(lock(&self.refusals).entry(account).or_default());
        let mut refusals = refusals.lock().await;
        let mut known = refusals.iter();
        if let Some(refusal) = known.find(|refusal| refusal.is_about(search.place, key)) {
            return Err(refusal.fault.clone());
        }
        let found = search.run(key).await;
        if let Err(fault) = &found
            && fault.kind() == FaultKind::Credential
        {
            refusals.push(Refusal {
                region: search.place.region.clone(),
                key: Arc::clone(key),
                fault: fault.clone(),
            });
        }
        found
    }
}

impl Refusal {
    /// A token is good for one region, so another one may take it. An access key is not.
    fn is_about(&self, place: &Location, key: &Credential) -> bool {
        let is_here = self.region == place.region || matches!(key, Credential::Keys { .. });
        is_here && self.key.same_key(key)
    }
}

impl Search<'_> {
    async fn run(&self, key: &Credential) -> Result<String, Fault> {
        let config = &self.config;
        let found = self
            .resolver
            .resolve(|ctx| provider_huawei::find_project_id(config, key, ctx))
            .await;
        found.map_err(|unresolved| match unresolved {
            ResolveError::Failed(fault) => fault,
            ResolveError::Absent(why) => Fault::new(FaultKind::Invalid, why),
        })
    }
}

/// A machine whose variables are about another account.
#[derive(Debug)]
struct WithoutVariables(Arc<dyn HostEnvironment>);

impl HostEnvironment for WithoutVariables {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str, holds: FileCheck) -> Result<Option<String>, String> {
        self.0.file(path, holds)
    }
}
