//! Connects a location: builds the client with endpoint, credentials and project.

use std::{
    collections::BTreeMap,
    panic::resume_unwind,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use lifecycle_client::{
    AccessKeyRecord, CachedCredentials, CallCounts, Client, ClientLabels, ClientStats,
    CredentialError, CredentialProvider, StepDriver, Transport,
};
use lifecycle_core::{Credential, Endpoint, Fault, FaultKind, Region};
use tokio::{sync::OnceCell, task::spawn_blocking, time::timeout};

use super::{
    CredentialSettings, FleetError, Location,
    identity::{IdentityFn, IdentityLookups, IdentitySearch, SearchError, WithoutVariables},
    lock::lock,
    settings::FleetSettings,
    simulated_key::SimulatedKey,
};
use crate::cloud::{KeyScope, LocationSettings, ProjectLookup, RegionLookup};

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
    pub(super) async fn client(
        self: &Arc<Self>,
        location: &Location,
    ) -> Result<Client, FleetError> {
        let cell = Arc::clone(lock(&self.clients).entry(location.clone()).or_default());
        let limit = self.settings.setup_timeout;
        let connected = timeout(limit, cell.get_or_try_init(|| self.connect(location))).await;
        let client = connected.map_err(|_| self.late(location, limit))??;
        Ok(client.clone())
    }

    /// Returns the client of a location that is connected.
    pub(super) fn connected(&self, location: &Location) -> Option<Client> {
        let clients = lock(&self.clients);
        clients.get(location)?.get().cloned()
    }

    /// Returns the record of rejected keys that all regions of an account share.
    fn access_keys(&self, location: &Location) -> AccessKeyRecord {
        let mut records = lock(&self.access_keys);
        records.entry(everywhere(location)).or_default().clone()
    }

    async fn connect(self: &Arc<Self>, location: &Location) -> Result<Client, FleetError> {
        // Reports an invalid location before the first call.
        self.endpoint(location).await?;
        let credentials = self.credentials(location).await?;
        let key = credentials.credential().await?;
        let project = match &location.cloud.driver().project {
            Some(lookup) => Some(self.project(lookup, location, &*credentials, key).await?),
            None => None,
        };
        let build = move |connector: &Self, location: &Location| {
            let endpoint = connector.settings.endpoint_of(location)?;
            connector.build(location, endpoint, credentials, project.as_deref())
        };
        Ok(self.read_settings(location, build).await?.client)
    }

    /// Runs `read` on a thread for blocking calls: the endpoint can be in a file of the cloud's own
    /// tools, and a file of a slow or dead network drive must not stop other tasks.
    pub(super) async fn read_settings<T: Send + 'static>(
        self: &Arc<Self>,
        location: &Location,
        read: impl FnOnce(&Self, &Location) -> Result<T, FleetError> + Send + 'static,
    ) -> Result<T, FleetError> {
        let (connector, location) = (Arc::clone(self), location.clone());
        match spawn_blocking(move || read(&connector, &location)).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => Err(FleetError::Setup("the setup was stopped".to_owned())),
            },
        }
    }

    /// Returns the error of a connection that took too long, with the step that did not end: the settings, the search
    /// for a key with the fault that delays the search, or the look-up of the project.
    fn late(&self, location: &Location, limit: Duration) -> FleetError {
        // Reads no settings: a file can be the cause of the delay.
        let credentials = self.known_credentials(location);
        let fault = credentials
            .as_deref()
            .and_then(CredentialProvider::search_fault);
        let is_found = |known: &Arc<dyn CredentialProvider>| {
            fault.is_none() && !known.info().source.is_empty()
        };
        let step = match &credentials {
            None => "settings",
            Some(known) if self.looks_up_project(location) && is_found(known) => "project",
            Some(_) => "key",
        };
        let reason = fault.map_or_else(String::new, |fault| format!(": {fault}"));
        let message = format!(
            "no {step} for {location} within {:.1} s{reason}; increase the time limit",
            limit.as_secs_f64()
        );
        FleetError::Credential(Fault::new(FaultKind::Deadline, message).into())
    }

    /// Returns `true` if a connection of the location looks the project up.
    fn looks_up_project(&self, location: &Location) -> bool {
        let account = self.settings.account(location);
        location.cloud.driver().project.is_some()
            && account.is_ok_and(|account| self.settings.project(account).is_none())
    }

    /// Returns a client that can plan. Calls nobody, and reads no file: the endpoint of the region takes the place of an
    /// endpoint in a file of the cloud's own tools.
    pub(super) fn offline_client(&self, location: &Location) -> Result<Client, FleetError> {
        let account = self.settings.account(location)?;
        let endpoint = self.settings.own_endpoint(account);
        Ok(self
            .build(location, endpoint, Arc::new(NoKey), None)?
            .client)
    }

    /// Returns the endpoint of a location. Calls nobody.
    pub(super) async fn endpoint(
        self: &Arc<Self>,
        location: &Location,
    ) -> Result<Endpoint, FleetError> {
        let build = |connector: &Self, location: &Location| {
            let endpoint = connector.settings.endpoint_of(location)?;
            connector.build(location, endpoint, Arc::new(NoKey), None)
        };
        Ok(self.read_settings(location, build).await?.endpoint)
    }

    /// Returns the provider of the keys of a location. The locations of one key share the provider.
    pub(super) async fn credentials(
        self: &Arc<Self>,
        location: &Location,
    ) -> Result<Arc<dyn CredentialProvider>, FleetError> {
        if let Some(provider) = self.known_credentials(location) {
            return Ok(provider);
        }
        // Not under the lock, because the settings can be in a file. Another caller may be faster.
        let new = self.read_settings(location, Self::new_credentials).await?;
        let mut providers = lock(&self.credentials);
        Ok(Arc::clone(
            providers.entry(key_owner(location)).or_insert(new),
        ))
    }

    /// Returns the provider of the keys of a location, if the provider exists already.
    fn known_credentials(&self, location: &Location) -> Option<Arc<dyn CredentialProvider>> {
        let own = self.settings.credentials.as_ref();
        own.map(Arc::clone)
            .or_else(|| lock(&self.credentials).get(&key_owner(location)).cloned())
    }

    fn new_credentials(
        &self,
        location: &Location,
    ) -> Result<Arc<dyn CredentialProvider>, FleetError> {
        let account = self.settings.account(location)?;
        let config = self.settings.source_config(location, account)?;
        let cloud = location.cloud;
        let settings = account.map(|account| &account.credentials);
        let sources = match (settings, &self.settings.simulated) {
            (Some(CredentialSettings::Provider(provider)), _) => return Ok(Arc::clone(provider)),
            (Some(CredentialSettings::Sources(factory)), _) => factory(&config),
            (Some(CredentialSettings::Default) | None, Some(clouds)) => {
                let clouds = Arc::clone(clouds);
                return Ok(Arc::new(SimulatedKey { clouds, cloud }));
            }
            // Profiles are in files only, so a named profile excludes keys in variables.
            (Some(CredentialSettings::Default) | None, None) if config.profile.is_some() => {
                (cloud.driver().files)(&config)
            }
            (Some(CredentialSettings::Default) | None, None) => cloud.sources(&config),
        };
        let title = cloud.profile().title;
        let driver = self.driver.clone();
        let credentials = match &self.settings.stats_observer {
            Some(observer) => CachedCredentials::with_stats_observer(
                title,
                sources,
                driver,
                labels(&key_owner(location)),
                Arc::clone(observer),
            ),
            None => CachedCredentials::new(title, sources, driver),
        };
        Ok(Arc::new(credentials))
    }

    /// Returns the configured project of a location, else looks the project up.
    async fn project(
        self: &Arc<Self>,
        lookup: &ProjectLookup,
        location: &Location,
        credentials: &dyn CredentialProvider,
        key: Arc<Credential>,
    ) -> Result<String, FleetError> {
        let account = self.settings.account(location)?;
        if let Some(project) = self.settings.project(account) {
            return Ok(project.to_owned());
        }
        let search = self.search(lookup.find, location).await?;
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
        self: &Arc<Self>,
        find: RegionLookup,
        location: &Location,
    ) -> Result<Vec<Region>, FleetError> {
        let credentials = self.credentials(location).await?;
        let key = credentials.credential().await?;
        let search = self.search(find, location).await?;
        let found = self.identity.find(&search, &*credentials, key).await;
        found.map_err(|error| match error {
            SearchError::Credential(error) => error.into(),
            SearchError::Lookup(fault) => FleetError::Regions {
                cloud: location.cloud,
                fault,
            },
        })
    }

    async fn search<'s, T>(
        self: &Arc<Self>,
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
        let config = self.read_settings(location, |connector, location| {
            let account = connector.settings.account(location)?;
            connector.settings.source_config(location, account)
        });
        Ok(IdentitySearch {
            find,
            location,
            config: config.await?,
            driver,
        })
    }

    /// Returns a client of a location that calls `endpoint`, unless the settings have an endpoint.
    pub(super) async fn client_at(
        self: &Arc<Self>,
        location: &Location,
        endpoint: Endpoint,
    ) -> Result<Client, FleetError> {
        let credentials = self.credentials(location).await?;
        let build = move |connector: &Self, location: &Location| {
            let configured = connector.settings.endpoint_of(location)?;
            connector.build(location, configured.or(Some(endpoint)), credentials, None)
        };
        Ok(self.read_settings(location, build).await?.client)
    }

    pub(super) fn calls(&self) -> BTreeMap<Location, CallCounts> {
        self.of_clients(Client::calls)
    }

    pub(super) fn stats(&self) -> BTreeMap<Location, ClientStats> {
        self.of_clients(Client::stats)
    }

    /// Returns a value of each connected client.
    fn of_clients<T>(&self, value: impl Fn(&Client) -> T) -> BTreeMap<Location, T> {
        let clients = lock(&self.clients);
        let connected = clients
            .iter()
            .filter_map(|(location, cell)| Some((location.clone(), value(cell.get()?))));
        connected.collect()
    }

    /// Builds the client of a location. `endpoint` replaces the endpoint of the region. `project` is `None` before the
    /// look-up of the project.
    fn build(
        &self,
        location: &Location,
        endpoint: Option<Endpoint>,
        credentials: Arc<dyn CredentialProvider>,
        project: Option<&str>,
    ) -> Result<OfflineClient, FleetError> {
        let (settings, cloud) = (&self.settings, location.cloud);
        let account = settings.account(location)?;
        if let Some(only) = cloud.only_region()
            && *location.region != *only
        {
            let problem = format!("{cloud} has one endpoint for all regions: write {cloud}/{only}");
            return Err(FleetError::at(location)(problem));
        }
        let enterprise_project = account.and_then(|account| account.enterprise_project.as_deref());
        let built = (cloud.driver().build)(&LocationSettings {
            region: &location.region,
            endpoint,
            network: account.map(|account| account.network).unwrap_or_default(),
            project,
            enterprise_project,
            batch_reboot: account.is_some_and(|account| account.batch_reboot),
        });
        let built = built.map_err(FleetError::at(location))?;
        let transport = Arc::clone(&self.transport);
        let mut builder = Client::builder(built.provider, credentials, transport)
            .clock(Arc::clone(&settings.clock))
            .access_keys(self.access_keys(location))
            .labels(
                location.account.as_deref().unwrap_or_default(),
                &*location.region,
            )
            .plain_http(settings.plain_http);
        if let Some(clouds) = &settings.simulated {
            builder = builder.polling(cloud.profile().polling.divided_by(clouds.speed()));
        }
        if let Some(limits) = account.and_then(|account| account.rate_limits) {
            builder = builder.rate_limits(limits);
        }
        if let Some(observer) = &settings.stats_observer {
            builder = builder.stats_observer(Arc::clone(observer));
        }
        if let Some(limit) = &settings.shared_rate_limit {
            builder = builder.shared_rate_limit(Arc::clone(limit), location.to_string());
        }
        Ok(OfflineClient {
            client: (settings.configure_client.0)(builder).build(),
            endpoint: built.endpoint,
        })
    }
}

/// Returns the names of the client of a location in stats and spans.
fn labels(location: &Location) -> ClientLabels {
    let account = location.account.as_deref();
    ClientLabels::new(
        location.cloud.as_str(),
        account.unwrap_or_default(),
        &*location.region,
    )
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
        region: Arc::default(),
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
