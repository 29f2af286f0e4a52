//! From a place to its client: which endpoint, which key, which project.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use lifecycle_client::{
    Calls, Chain, Client, ClientBuilder, Clock, CredentialSource, NoCredential, Resolver, Transport,
};
use lifecycle_core::{Credential, Endpoint, Fault, OriginConfig, Provider, Surroundings};
use tokio::sync::OnceCell;

use super::{Account, Cloud, FleetBuilder, FleetError, Keys, Place};

/// Connects to places, each once.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) settings: FleetBuilder,
    pub(super) transport: Arc<dyn Transport>,
    resolver: Resolver,
    clients: Mutex<BTreeMap<Place, Arc<OnceCell<Client>>>>,
    sources: Mutex<BTreeMap<Place, Arc<dyn CredentialSource>>>,
}

/// A client that was not connected: it can plan, and it has no key.
pub(super) struct Sketch {
    pub(super) client: Client,
    pub(super) endpoint: Endpoint,
}

impl Connector {
    pub(super) fn new(settings: FleetBuilder, transport: Arc<dyn Transport>) -> Self {
        let resolver = Resolver::new(Arc::clone(&transport))
            .clock(Arc::clone(&settings.clock))
            .machine(Arc::clone(&settings.machine))
            .plain_http(settings.plain_http);
        Self {
            settings,
            transport,
            resolver,
            clients: Mutex::default(),
            sources: Mutex::default(),
        }
    }

    /// The client of a place, connected once for all callers. Nothing is kept of a failure.
    pub(super) async fn client(&self, place: &Place) -> Result<Client, FleetError> {
        let cell = Arc::clone(lock(&self.clients).entry(place.clone()).or_default());
        let client = cell.get_or_try_init(|| self.connect(place)).await?;
        Ok(client.clone())
    }

    async fn connect(&self, place: &Place) -> Result<Client, FleetError> {
        // What is wrong with the place is said before anybody is asked.
        self.sketch(place)?;
        let source = self.source(place)?;
        let key = source.credential().await?;
        let project = self.project(place, &key).await?;
        Ok(self.build(place, source, project.as_deref())?.client)
    }

    /// Checks a place without calling anybody.
    pub(super) fn sketch(&self, place: &Place) -> Result<Sketch, FleetError> {
        self.build(place, Arc::new(NoKey), None)
    }

    /// Where the key of a place comes from. Regions of one account share it.
    pub(super) fn source(&self, place: &Place) -> Result<Arc<dyn CredentialSource>, FleetError> {
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

    fn new_source(&self, place: &Place) -> Result<Arc<dyn CredentialSource>, FleetError> {
        let account = self.account(place)?;
        let config = self.origin_config(place, account);
        let origins = match account.map(|account| &account.keys) {
            Some(Keys::Source(source)) => return Ok(Arc::clone(source)),
            Some(Keys::Origins(origins)) => origins(&config),
            Some(Keys::Default) | None => place.cloud.origins(&config),
        };
        let title = place.cloud.profile().title;
        Ok(Arc::new(Chain::new(title, origins, self.resolver.clone())))
    }

    pub(super) fn accounts(&self) -> impl Iterator<Item = (&str, &Account)> {
        let accounts = self.settings.accounts.iter();
        accounts.map(|(name, account)| (name.as_str(), account))
    }

    pub(super) fn calls(&self) -> BTreeMap<Place, Calls> {
        let clients = lock(&self.clients);
        let connected = clients
            .iter()
            .filter_map(|(place, cell)| Some((place.clone(), cell.get()?.calls())));
        connected.collect()
    }

    /// The account that a place names; `None` for one that names none.
    fn account(&self, place: &Place) -> Result<Option<&Account>, FleetError> {
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
            Some(region) if account.endpoint.is_some() && *region != place.region => Err(wrong(
                format!("the account {name:?} has an endpoint of its own, for {region} only"),
            )),
            _ => Ok(Some(account)),
        }
    }

    /// The address that was set for a place; `None` for the cloud's own.
    fn endpoint(
        &self,
        place: &Place,
        account: Option<&Account>,
        from_environment: impl FnOnce(&str, &Surroundings<'_>) -> Result<Option<Endpoint>, Fault>,
    ) -> Result<Option<Endpoint>, FleetError> {
        if let Some(endpoint) = self.given_endpoint(account) {
            return Ok(Some(endpoint.clone()));
        }
        let stamp = self.settings.clock.stamp(0);
        let around = Surroundings::new(&*self.settings.machine, stamp);
        from_environment(&place.region, &around)
            .map_err(|fault| in_place(place)(fault.message().to_owned()))
    }

    fn given_endpoint<'s>(&'s self, account: Option<&'s Account>) -> Option<&'s Endpoint> {
        let own = account.and_then(|account| account.endpoint.as_ref());
        self.settings.endpoint.as_ref().or(own)
    }

    fn origin_config(&self, place: &Place, account: Option<&Account>) -> OriginConfig {
        let simulator = self
            .given_endpoint(account)
            .filter(|endpoint| endpoint.is_loopback());
        let mut config = OriginConfig::in_region(&place.region);
        config.identity = account
            .and_then(|account| account.identity_endpoint.as_ref())
            .or(simulator)
            .cloned();
        config.metadata = account
            .and_then(|account| account.metadata_endpoint.as_ref())
            .or(simulator)
            .cloned();
        config
    }

    /// The project of a place, on the one cloud that has projects.
    async fn project(
        &self,
        place: &Place,
        key: &Arc<Credential>,
    ) -> Result<Option<String>, FleetError> {
        #[cfg(feature = "huawei")]
        if place.cloud == Cloud::Huawei {
            let account = self.account(place)?;
            let own = account.and_then(|account| account.project.as_ref());
            if let Some(project) = self.settings.project.as_ref().or(own) {
                return Ok(Some(project.clone()));
            }
            let config = self.origin_config(place, account);
            let found = self
                .resolver
                .resolve(|around| provider_huawei::project(&config, key, around))
                .await;
            return found.map(Some).map_err(|unresolved| FleetError::Project {
                place: place.to_string(),
                fault: NoCredential::from(unresolved).fault().clone(),
            });
        }
        let _ = (place, key);
        Ok(None)
    }

    /// The one place where a cloud's provider is chosen by name. `project` is `None`
    /// where it is not known yet.
    fn build(
        &self,
        place: &Place,
        source: Arc<dyn CredentialSource>,
        project: Option<&str>,
    ) -> Result<Sketch, FleetError> {
        // Only Huawei has projects.
        let _ = project;
        let account = self.account(place)?;
        match place.cloud {
            #[cfg(feature = "baidu")]
            Cloud::Baidu => {
                let endpoint = self.endpoint(place, account, provider_baidu::endpoint_from)?;
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
                let endpoint = self.endpoint(place, account, provider_aliyun::endpoint_from)?;
                let network = match account.map(|account| account.network) {
                    Some(super::Network::Vpc) => provider_aliyun::Network::Vpc,
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
                let endpoint = self.endpoint(place, account, provider_zenlayer::endpoint_from)?;
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
                let endpoint = self.endpoint(place, account, provider_huawei::endpoint_from)?;
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
        source: Arc<dyn CredentialSource>,
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
fn owner(place: &Place) -> Place {
    #[cfg(feature = "huawei")]
    if place.cloud == Cloud::Huawei {
        return place.clone();
    }
    Place {
        region: String::new(),
        ..place.clone()
    }
}

/// The source of a client that only plans.
#[derive(Debug)]
struct NoKey;

#[async_trait]
impl CredentialSource for NoKey {
    async fn credential(&self) -> Result<Arc<Credential>, NoCredential> {
        Err(NoCredential::new("this client was not connected"))
    }
}

fn in_place<E: fmt::Display>(place: &Place) -> impl FnOnce(E) -> FleetError {
    move |problem| FleetError::Place {
        place: place.to_string(),
        problem: problem.to_string(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
