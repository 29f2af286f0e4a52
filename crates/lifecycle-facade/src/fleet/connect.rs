//! Connects a location: builds the client with endpoint, credentials and project.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use lifecycle_client::{
    AccessKeyRecord, CachedCredentials, CallCounts, Client, CredentialError, CredentialProvider,
    StepDriver, Transport,
};
use lifecycle_core::{Credential, Endpoint, Fault, FaultKind, Region};
use tokio::{sync::OnceCell, time::timeout};

use super::{
    CredentialSettings, FleetError, Location,
    identity::{IdentityFn, IdentityLookups, IdentitySearch, SearchError, WithoutVariables},
    lock::lock,
    settings::FleetSettings,
};
use crate::cloud::{BuildInput, KeyScope, ProjectLookup, RegionLookup};

/// Connects each location once.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) settings: FleetSettings,
    pub(super) transport: Arc<dyn Transport>,
    driver: StepDriver,
    clients: Mutex<BTreeMap<Location, Arc<OnceCell<Client>>>>,
    credentials: Mutex<BTreeMap<Location, Arc<dyn CredentialProvider>>>,
    /// The records of rejected keys, by cloud and account.
    access_keys: Mutex<BTreeMap<Location, AccessKeyRecord>>,
    identity: IdentityLookups,
}

/// A client without a key, for plans.
pub(super) struct OfflineClient {
    pub(super) client: Client,
    pub(super) endpoint: Endpoint,
}

impl Connector {
    pub(super) fn new(settings: FleetSettings, transport: Arc<dyn Transport>) -> Self {
        let driver = StepDriver::new(Arc::clone(&transport))
            .clock(Arc::clone(&settings.clock))
            .machine(Arc::clone(&settings.host))
            .plain_http(settings.plain_http);
        Self {
            settings,
            transport,
            driver,
            clients: Mutex::default(),
            credentials: Mutex::default(),
            access_keys: Mutex::default(),
            identity: IdentityLookups::default(),
        }
    }

    /// Returns the client of a location, connected once for all callers. A failure is not remembered.
    pub(super) async fn client(&self, location: &Location) -> Result<Client, FleetError> {
        let cell = Arc::clone(lock(&self.clients).entry(location.clone()).or_default());
        let limit = self.settings.setup_timeout;
        let connected = timeout(limit, cell.get_or_try_init(|| self.connect(location))).await;
        let client = connected.map_err(|_| self.late(location, limit))??;
        Ok(client.clone())
    }

    /// Returns the record of rejected keys that all regions of an account share.
    fn access_keys(&self, location: &Location) -> AccessKeyRecord {
        let mut records = lock(&self.access_keys);
        records.entry(everywhere(location)).or_default().clone()
    }

    async fn connect(&self, location: &Location) -> Result<Client, FleetError> {
        // Reports an invalid location before the first call.
        self.offline_client(location)?;
        let credentials = self.credentials(location)?;
        let key = credentials.credential().await?;
        let project = match &location.cloud.driver().project {
            Some(lookup) => Some(self.project(lookup, location, &*credentials, key).await?),
            None => None,
        };
        Ok(self
            .build(location, credentials, project.as_deref(), None)?
            .client)
    }

    /// Returns the error of a connection that took too long, with the fault that delays the search
    /// for a key.
    fn late(&self, location: &Location, limit: Duration) -> FleetError {
        let credentials = self.credentials(location).ok();
        let fault = credentials.and_then(|credentials| credentials.search_fault());
        let reason = fault.map_or_else(String::new, |fault| format!(": {fault}"));
        let message = format!(
            "no key for {location} within {:.1} s{reason}; increase the time limit",
            limit.as_secs_f64()
        );
        FleetError::Credential(Fault::new(FaultKind::Deadline, message).into())
    }

    /// Returns a client that can plan. Calls nobody.
    pub(super) fn offline_client(&self, location: &Location) -> Result<OfflineClient, FleetError> {
        self.build(location, Arc::new(NoKey), None, None)
    }

    /// Returns the provider of the keys of a location. The locations of one key share the provider.
    pub(super) fn credentials(
        &self,
        location: &Location,
    ) -> Result<Arc<dyn CredentialProvider>, FleetError> {
        if let Some(provider) = &self.settings.credentials {
            return Ok(Arc::clone(provider));
        }
        let mut providers = lock(&self.credentials);
        let owner = key_owner(location);
        if let Some(provider) = providers.get(&owner) {
            return Ok(Arc::clone(provider));
        }
        let provider = self.new_credentials(location)?;
        providers.insert(owner, Arc::clone(&provider));
        Ok(provider)
    }

    fn new_credentials(
        &self,
        location: &Location,
    ) -> Result<Arc<dyn CredentialProvider>, FleetError> {
        let account = self.settings.account(location)?;
        let config = self.settings.source_config(location, account)?;
        let cloud = location.cloud;
        let sources = match account.map(|account| &account.credentials) {
            Some(CredentialSettings::Provider(provider)) => return Ok(Arc::clone(provider)),
            Some(CredentialSettings::Sources(factory)) => factory(&config),
            // Profiles are in files only, so a named profile excludes keys in variables.
            Some(CredentialSettings::Default) | None if config.profile.is_some() => {
                (cloud.driver().files)(&config)
            }
            Some(CredentialSettings::Default) | None => cloud.sources(&config),
        };
        let title = cloud.profile().title;
        let driver = self.driver.clone();
        Ok(Arc::new(CachedCredentials::new(title, sources, driver)))
    }

    /// Returns the configured project of a location, else looks the project up.
    async fn project(
        &self,
        lookup: &ProjectLookup,
        location: &Location,
        credentials: &dyn CredentialProvider,
        key: Arc<Credential>,
    ) -> Result<String, FleetError> {
        let account = self.settings.account(location)?;
        if let Some(project) = self.settings.project(account) {
            return Ok(project.to_owned());
        }
        let search = self.search(lookup.find, location)?;
        let found = self.identity.find(&search, credentials, key).await;
        found.map_err(|error| match error {
            SearchError::Credential(error) => error.into(),
            SearchError::Lookup(fault) => FleetError::Project {
                location: location.to_string(),
                setting: lookup.variables.first().copied().unwrap_or_default(),
                fault,
            },
        })
    }

    /// Looks up the regions of a cloud at its identity service.
    pub(super) async fn look_up_regions(
        &self,
        find: RegionLookup,
        location: &Location,
    ) -> Result<Vec<Region>, FleetError> {
        let credentials = self.credentials(location)?;
        let key = credentials.credential().await?;
        let search = self.search(find, location)?;
        let found = self.identity.find(&search, &*credentials, key).await;
        found.map_err(|error| match error {
            SearchError::Credential(error) => error.into(),
            SearchError::Lookup(fault) => FleetError::Regions {
                cloud: location.cloud,
                fault,
            },
        })
    }

    fn search<'s, T>(
        &self,
        find: IdentityFn<T>,
        location: &'s Location,
    ) -> Result<IdentitySearch<'s, T>, FleetError> {
        let account = self.settings.account(location)?;
        // The look-up ends before the time limit of the connection, so that its fault is known.
        let patience = self.settings.setup_timeout.mul_f64(0.8);
        let mut driver = self.driver.clone().patience(patience);
        if !self.settings.uses_vendor_env(account) {
            driver = driver.machine(WithoutVariables(Arc::clone(&self.settings.host)));
        }
        Ok(IdentitySearch {
            find,
            location,
            config: self.settings.source_config(location, account)?,
            driver,
        })
    }

    /// Returns a client of a location that calls `endpoint`, unless the settings have an endpoint.
    pub(super) async fn client_at(
        &self,
        location: &Location,
        endpoint: Endpoint,
    ) -> Result<Client, FleetError> {
        let credentials = self.credentials(location)?;
        Ok(self
            .build(location, credentials, None, Some(endpoint))?
            .client)
    }

    pub(super) fn calls(&self) -> BTreeMap<Location, CallCounts> {
        let clients = lock(&self.clients);
        let connected = clients
            .iter()
            .filter_map(|(location, cell)| Some((location.clone(), cell.get()?.calls())));
        connected.collect()
    }

    /// Builds the client of a location. `project` is `None` before the look-up of the project.
    /// `default_endpoint` replaces the endpoint of the region.
    fn build(
        &self,
        location: &Location,
        credentials: Arc<dyn CredentialProvider>,
        project: Option<&str>,
        default_endpoint: Option<Endpoint>,
    ) -> Result<OfflineClient, FleetError> {
        let (settings, cloud) = (&self.settings, location.cloud);
        let account = settings.account(location)?;
        let endpoint = settings.endpoint(location, account)?.or(default_endpoint);
        if let Some(only) = cloud.only_region()
            && location.region != only
        {
            let problem = format!("{cloud} has one endpoint for all regions: write {cloud}/{only}");
            return Err(FleetError::at(location)(problem));
        }
        let enterprise_project = account.and_then(|account| account.enterprise_project.as_deref());
        let parts = (cloud.driver().build)(BuildInput {
            region: &location.region,
            endpoint,
            network: account.map(|account| account.network).unwrap_or_default(),
            project,
            enterprise_project,
            credentials,
            transport: Arc::clone(&self.transport),
        });
        let parts = parts.map_err(FleetError::at(location))?;
        let mut builder = parts
            .builder
            .clock(Arc::clone(&settings.clock))
            .access_keys(self.access_keys(location))
            .plain_http(settings.plain_http);
        if let Some(limits) = account.and_then(|account| account.rate_limits) {
            builder = builder.rate_limits(limits);
        }
        Ok(OfflineClient {
            client: (settings.configure_client.0)(builder).build(),
            endpoint: parts.endpoint,
        })
    }
}

/// Returns the location that stands for all locations with the same key.
fn key_owner(location: &Location) -> Location {
    match location.cloud.entry().key_scope {
        KeyScope::Account => everywhere(location),
        KeyScope::Region => location.clone(),
    }
}

/// Returns the location that stands for all regions of an account.
fn everywhere(location: &Location) -> Location {
    Location {
        region: String::new(),
        ..location.clone()
    }
}

/// The provider of an offline client.
#[derive(Debug)]
struct NoKey;

#[async_trait]
impl CredentialProvider for NoKey {
    async fn credential(&self) -> Result<Arc<Credential>, CredentialError> {
        Err(CredentialError::not_configured("this client is offline"))
    }
}
