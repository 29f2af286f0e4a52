//! From a place to its client: which endpoint, which key, which project.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use lifecycle_client::{
    CachedCredentials, CallCounts, Client, ClientBuilder, Clock, CredentialError,
    CredentialProvider, StepDriver, Transport,
};
use lifecycle_core::{
    Credential, CredentialSourceConfig, Endpoint, Fault, FaultKind, Provider, ProviderContext,
};
use tokio::{sync::OnceCell, time::timeout};

#[cfg(feature = "huawei")]
use super::project::Projects;
use super::{Account, Cloud, CredentialSettings, FleetBuilder, FleetError, Location};

/// Connects to places, each once.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) settings: FleetBuilder,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) resolver: StepDriver,
    clients: Mutex<BTreeMap<Location, Arc<OnceCell<Client>>>>,
    sources: Mutex<BTreeMap<Location, Arc<dyn CredentialProvider>>>,
    #[cfg(feature = "huawei")]
    pub(super) projects: Projects,
}

/// A client that was not connected: it can plan, and it has no key.
pub(super) struct Sketch {
    pub(super) client: Client,
    pub(super) endpoint: Endpoint,
}

impl Connector {
    pub(super) fn new(settings: FleetBuilder, transport: Arc<dyn Transport>) -> Self {
        let resolver = StepDriver::new(Arc::clone(&transport))
            .clock(Arc::clone(&settings.clock))
            .machine(Arc::clone(&settings.machine))
            .plain_http(settings.plain_http);
        Self {
            settings,
            transport,
            resolver,
            clients: Mutex::default(),
            sources: Mutex::default(),
            #[cfg(feature = "huawei")]
            projects: Projects::default(),
        }
    }

    /// The client of a place, connected once for all callers. Nothing is kept of a failure.
    pub(super) async fn client(&self, place: &Location) -> Result<Client, FleetError> {
        let cell = Arc::clone(lock(&self.clients).entry(place.clone()).or_default());
        let limit = self.settings.setup_timeout;
        let connected = timeout(limit, cell.get_or_try_init(|| self.connect(place))).await;
        let client = connected.map_err(|_| late(place, limit))??;
        Ok(client.clone())
    }

    async fn connect(&self, place: &Location) -> Result<Client, FleetError> {
        // What is wrong with the place is said before anybody is asked.
        self.sketch(place)?;
        let source = self.source(place)?;
        let key = source.credential().await?;
        #[cfg(feature = "huawei")]
        let project = if place.cloud == Cloud::Huawei {
            Some(self.project(place, &*source, key).await?)
        } else {
            None
        };
        #[cfg(not(feature = "huawei"))]
        let project: Option<String> = {
            drop(key);
            None
        };
        Ok(self.build(place, source, project.as_deref())?.client)
    }

    /// Checks a place without calling anybody.
    pub(super) fn sketch(&self, place: &Location) -> Result<Sketch, FleetError> {
        self.build(place, Arc::new(NoKey), None)
    }

    /// Where the key of a place comes from. Regions of one account share it.
    pub(super) fn source(
        &self,
        place: &Location,
    ) -> Result<Arc<dyn CredentialProvider>, FleetError> {
        if let Some(source) = &self.settings.credential {
            return Ok(Arc::clone(source));
        }
        let mut sources = lock(&self.sources);
        let owner = owner(place);
        if let Some(source) = sources.get(&owner) {
            return Ok(Arc::clone(source));
        }
        let source = self.new_source(place)?;
        sources.insert(owner, Arc::clone(&source));
        Ok(source)
    }

    fn new_source(&self, place: &Location) -> Result<Arc<dyn CredentialProvider>, FleetError> {
        let account = self.account(place)?;
        let config = self.origin_config(place, account)?;
        let origins = match account.map(|account| &account.keys) {
            Some(CredentialSettings::Source(source)) => return Ok(Arc::clone(source)),
            Some(CredentialSettings::CredentialSourceFactory(origins)) => origins(&config),
            // A profile is a thing of files, and who names one does not mean a key in a variable.
            Some(CredentialSettings::Default) | None if config.profile.is_some() => {
                place.cloud.files(&config)
            }
            Some(CredentialSettings::Default) | None => place.cloud.sources(&config),
        };
        let title = place.cloud.profile().title;
        Ok(Arc::new(CachedCredentials::new(
            title,
            origins,
            self.resolver.clone(),
        )))
    }

    pub(super) fn accounts(&self) -> impl Iterator<Item = (&str, &Account)> {
        let accounts = self.settings.accounts.iter();
        accounts.map(|(name, account)| (name.as_str(), account))
    }

    pub(super) fn calls(&self) -> BTreeMap<Location, CallCounts> {
        let clients = lock(&self.clients);
        let connected = clients
            .iter()
            .filter_map(|(place, cell)| Some((place.clone(), cell.get()?.calls())));
        connected.collect()
    }

    /// The account that a place names; `None` for one that names none.
    pub(super) fn account(&self, place: &Location) -> Result<Option<&Account>, FleetError> {
        let Some(name) = &place.account else {
            return Ok(None);
        };
        let wrong = |problem: String| in_place(place)(problem);
        let account = self.settings.accounts.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.settings.accounts.keys().map(String::as_str).collect();
            wrong(if known.is_empty() {
                format!("there is no account {name:?}: the configuration has none")
            } else {
                format!(
                    "there is no account {name:?}: there is {}",
                    known.join(", ")
                )
            })
        })?;
        if account.cloud != place.cloud {
            return Err(wrong(format!(
                "the account {name:?} is one of {}",
                account.cloud
            )));
        }
        match &account.region {
            Some(region)
                if account.endpoint.is_some() && !region.eq_ignore_ascii_case(&place.region) =>
            {
                Err(wrong(format!(
                    "the account {name:?} has an endpoint of its own, for {region} only"
                )))
            }
            _ => Ok(Some(account)),
        }
    }

    /// The address that was set for a place; `None` for the cloud's own.
    fn endpoint(
        &self,
        place: &Location,
        account: Option<&Account>,
    ) -> Result<Option<Endpoint>, FleetError> {
        let own = account.and_then(|account| account.endpoint.as_ref());
        if let Some(endpoint) = self.settings.endpoint.as_ref().or(own) {
            return Ok(Some(endpoint.clone()));
        }
        if !self.heeds_environment(account) {
            return Ok(None);
        }
        let stamp = self.settings.clock.signing_context(0);
        let ctx = ProviderContext::new(&*self.settings.machine, stamp);
        let found = place.cloud.endpoint_from(&place.region, &ctx);
        found.map_err(|fault| in_place(place)(fault.message().to_owned()))
    }

    /// Whether the settings of the cloud's own tools are about this account: only where their keys
    /// are used. A key from elsewhere must not go where they point, nor work in their project.
    pub(super) fn heeds_environment(&self, account: Option<&Account>) -> bool {
        let is_theirs = |account: &Account| {
            matches!(account.keys, CredentialSettings::Default)
                && account.profile.is_none()
                && account.network == super::EndpointNetwork::Public
        };
        self.settings.credential.is_none() && account.is_none_or(is_theirs)
    }

    pub(super) fn origin_config(
        &self,
        place: &Location,
        account: Option<&Account>,
    ) -> Result<CredentialSourceConfig, FleetError> {
        let is_simulator = |endpoint: &&Endpoint| endpoint.is_loopback();
        let simulator = self.settings.endpoint.as_ref().filter(is_simulator);
        let set = self.endpoint(place, account)?;
        let own_simulator = set.as_ref().filter(is_simulator);
        let of = |own: fn(&Account) -> Option<&Endpoint>| {
            let own = account.and_then(own);
            simulator.or(own).or(own_simulator).cloned()
        };
        let mut config = CredentialSourceConfig::in_region(&place.region);
        config.identity = of(|account| account.identity_endpoint.as_ref());
        config.metadata = of(|account| account.metadata_endpoint.as_ref());
        config.profile = account.and_then(|account| account.profile.clone());
        Ok(config)
    }

    /// The one place where a cloud's provider is chosen by name. `project` is `None`
    /// where it is not known yet.
    fn build(
        &self,
        place: &Location,
        source: Arc<dyn CredentialProvider>,
        project: Option<&str>,
    ) -> Result<Sketch, FleetError> {
        // Only Huawei has projects.
        let _ = project;
        let account = self.account(place)?;
        let endpoint = self.endpoint(place, account)?;
        match place.cloud {
            #[cfg(feature = "baidu")]
            Cloud::Baidu => {
                let mut config =
                    provider_baidu::Config::new(&place.region).map_err(in_place(place))?;
                if let Some(endpoint) = endpoint {
                    config = config.with_endpoint(endpoint);
                }
                let endpoint = config.endpoint().clone();
                Ok(self.finish(
                    provider_baidu::Baidu::new(config),
                    endpoint,
                    source,
                    account,
                ))
            }
            #[cfg(feature = "aliyun")]
            Cloud::Aliyun => {
                let network = match account.map(|account| account.network) {
                    Some(super::EndpointNetwork::Vpc) => provider_aliyun::Network::Vpc,
                    _ => provider_aliyun::Network::Public,
                };
                let mut config = provider_aliyun::Config::new(&place.region)
                    .map_err(in_place(place))?
                    .with_network(network);
                if let Some(endpoint) = endpoint {
                    config = config.with_endpoint(endpoint);
                }
                let endpoint = config.endpoint().clone();
                Ok(self.finish(
                    provider_aliyun::Aliyun::new(config),
                    endpoint,
                    source,
                    account,
                ))
            }
            #[cfg(feature = "zenlayer")]
            Cloud::Zenlayer => {
                if place.region != "global" {
                    return Err(in_place(place)(
                        "this cloud has one global endpoint: write zenlayer/global",
                    ));
                }
                let mut config = provider_zenlayer::Config::new();
                if let Some(endpoint) = endpoint {
                    config = config.with_endpoint(endpoint);
                }
                let endpoint = config.endpoint().clone();
                Ok(self.finish(
                    provider_zenlayer::Zenlayer::new(config),
                    endpoint,
                    source,
                    account,
                ))
            }
            #[cfg(feature = "huawei")]
            Cloud::Huawei => {
                let project = project.unwrap_or(UNKNOWN_PROJECT);
                let mut config = provider_huawei::Config::new(&place.region, project)
                    .map_err(in_place(place))?;
                if let Some(endpoint) = endpoint {
                    config = config.with_endpoint(endpoint);
                }
                if let Some(id) = account.and_then(|account| account.enterprise_project.as_ref()) {
                    config = config.with_enterprise_project(id);
                }
                let endpoint = config.endpoint().clone();
                Ok(self.finish(
                    provider_huawei::Huawei::new(config),
                    endpoint,
                    source,
                    account,
                ))
            }
        }
    }

    fn finish(
        &self,
        provider: impl Provider,
        endpoint: Endpoint,
        source: Arc<dyn CredentialProvider>,
        account: Option<&Account>,
    ) -> Sketch {
        let settings = &self.settings;
        let mut builder = Client::builder(provider, source, Arc::clone(&self.transport))
            .clock(Arc::clone(&settings.clock))
            .plain_http(settings.plain_http);
        if let Some(pace) = account.and_then(|account| account.pace) {
            builder = builder.pace(pace);
        }
        let builder: ClientBuilder = (settings.tune.0)(builder);
        Sketch {
            client: builder.build(),
            endpoint,
        }
    }
}

/// Stands where a project belongs that is not known yet. Nothing is sent with it.
#[cfg(feature = "huawei")]
const UNKNOWN_PROJECT: &str = "unknown";

/// Whose key a place needs: regions of one account share it, but where a key is good for one region
/// only.
fn owner(place: &Location) -> Location {
    #[cfg(feature = "huawei")]
    if place.cloud == Cloud::Huawei {
        return place.clone();
    }
    Location {
        region: String::new(),
        ..place.clone()
    }
}

/// The source of a client that only plans.
#[derive(Debug)]
struct NoKey;

#[async_trait]
impl CredentialProvider for NoKey {
    async fn credential(&self) -> Result<Arc<Credential>, CredentialError> {
        Err(CredentialError::new("this client was not connected"))
    }
}

fn late(place: &Location, limit: Duration) -> FleetError {
    let message = format!(
        "no key for {place} within {:.1} s: allow more time",
        limit.as_secs_f64()
    );
    FleetError::CredentialError(Fault::new(FaultKind::Deadline, message).into())
}

fn in_place<E: fmt::Display>(place: &Location) -> impl FnOnce(E) -> FleetError {
    move |problem| FleetError::Location {
        place: place.to_string(),
        problem: problem.to_string(),
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
