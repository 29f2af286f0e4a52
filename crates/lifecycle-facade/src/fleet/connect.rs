//! The fleet, and how it connects to a place.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use lifecycle_client::{
    Calls, Client, ClientBuilder, Clock, Error, HttpTransport, NoCredential, PlainHttp,
    StaticCredential, SystemClock, Transport, credential_from,
};
use lifecycle_core::{
    Credential, Endpoint, Observation, PowerState, Provider, RebootOptions, StartOptions,
    StopOptions,
};

use super::{
    BadReference, Cloud, Place, Reference,
    request::{FleetRequest, FleetWait},
    status::{FleetStatus, observe},
};

/// Instances in several clouds and regions, named by [`Reference`]s.
///
/// Connects to a place when it is first named, with one [`Client`] for each, shared by all
/// clones.
#[derive(Clone, Debug)]
pub struct Fleet {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: FleetBuilder,
    transport: Arc<dyn Transport>,
    clients: Mutex<BTreeMap<Place, Client>>,
}

impl Fleet {
    /// A fleet with keys from the environment variables that the clouds' own tools use.
    ///
    /// # Errors
    /// [`FleetError::Setup`] when no HTTP client can be set up on this machine.
    pub fn from_environment() -> Result<Self, FleetError> {
        Self::builder().build()
    }

    /// A fleet with settings.
    pub fn builder() -> FleetBuilder {
        FleetBuilder::default()
    }

    /// Boots stopped instances. Await the result for a [`FleetReport`](crate::FleetReport).
    pub fn start<I>(&self, references: I) -> FleetRequest<'_, StartOptions>
    where
        I: IntoIterator,
        I::Item: TryInto<Reference>,
        FleetError: From<<I::Item as TryInto<Reference>>::Error>,
    {
        FleetRequest::new(self, collect(references), Client::start)
    }

    /// Shuts running instances down, gracefully unless told otherwise. Await the result for a
    /// [`FleetReport`](crate::FleetReport).
    pub fn stop<I>(&self, references: I) -> FleetRequest<'_, StopOptions>
    where
        I: IntoIterator,
        I::Item: TryInto<Reference>,
        FleetError: From<<I::Item as TryInto<Reference>>::Error>,
    {
        FleetRequest::new(self, collect(references), Client::stop)
    }

    /// Shuts running instances down and boots them again. Await the result for a
    /// [`FleetReport`](crate::FleetReport).
    pub fn reboot<I>(&self, references: I) -> FleetRequest<'_, RebootOptions>
    where
        I: IntoIterator,
        I::Item: TryInto<Reference>,
        FleetError: From<<I::Item as TryInto<Reference>>::Error>,
    {
        FleetRequest::new(self, collect(references), Client::reboot)
    }

    /// Waits until instances are in `goal`, without changing anything.
    pub fn wait<I>(&self, references: I, goal: PowerState) -> FleetWait<'_>
    where
        I: IntoIterator,
        I::Item: TryInto<Reference>,
        FleetError: From<<I::Item as TryInto<Reference>>::Error>,
    {
        FleetWait::new(self, collect(references), goal)
    }

    /// Reads the states of instances once, in the order of the request, duplicates folded.
    ///
    /// # Errors
    /// [`FleetError`] when a reference is wrong or a place cannot be connected to; nothing was
    /// read then.
    pub async fn observe<I>(&self, references: I) -> Result<Vec<FleetStatus>, FleetError>
    where
        I: IntoIterator,
        I::Item: TryInto<Reference>,
        FleetError: From<<I::Item as TryInto<Reference>>::Error>,
    {
        observe(self, collect(references)?).await
    }

    /// Reads all instances of one place.
    ///
    /// # Errors
    /// [`FleetError`] when the place cannot be connected to or the list cannot be read.
    pub async fn list(&self, place: &Place) -> Result<Vec<Observation>, FleetError> {
        Ok(self.client(place)?.list().await?)
    }

    /// The client of one place.
    ///
    /// # Errors
    /// [`FleetError`] when there is no key for it, or its region cannot be one.
    pub fn client(&self, place: &Place) -> Result<Client, FleetError> {
        let mut clients = self
            .inner
            .clients
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(place) {
            return Ok(client.clone());
        }
        let client = self.inner.connect(place)?;
        clients.insert(place.clone(), client.clone());
        Ok(client)
    }

    /// The calls made so far, by place.
    pub fn calls(&self) -> BTreeMap<Place, Calls> {
        let clients = self
            .inner
            .clients
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        clients
            .iter()
            .map(|(place, client)| (place.clone(), client.calls()))
            .collect()
    }
}

fn collect<I>(references: I) -> Result<Vec<Reference>, FleetError>
where
    I: IntoIterator,
    I::Item: TryInto<Reference>,
    FleetError: From<<I::Item as TryInto<Reference>>::Error>,
{
    let references = references.into_iter();
    Ok(references
        .map(TryInto::try_into)
        .collect::<Result<_, _>>()?)
}

impl Inner {
    /// The one place where a cloud is chosen by name.
    fn connect(&self, place: &Place) -> Result<Client, FleetError> {
        match place.cloud {
            #[cfg(feature = "baidu")]
            Cloud::Baidu => {
                let config = provider_baidu::Config::new(&place.region).map_err(in_place(place))?;
                let config = match &self.settings.endpoint {
                    Some(endpoint) => config.with_endpoint(endpoint.clone()),
                    None => config,
                };
                self.client(provider_baidu::Baidu::new(config))
            }
            #[cfg(feature = "aliyun")]
            Cloud::Aliyun => {
                let config =
                    provider_aliyun::Config::new(&place.region).map_err(in_place(place))?;
                let config = match &self.settings.endpoint {
                    Some(endpoint) => config.with_endpoint(endpoint.clone()),
                    None => config,
                };
                self.client(provider_aliyun::Aliyun::new(config))
            }
            #[cfg(feature = "zenlayer")]
            Cloud::Zenlayer => {
                if place.region != "global" {
                    return Err(in_place(place)(
                        "this cloud has one global endpoint: write zenlayer/global",
                    ));
                }
                let config = provider_zenlayer::Config::new();
                let config = match &self.settings.endpoint {
                    Some(endpoint) => config.with_endpoint(endpoint.clone()),
                    None => config,
                };
                self.client(provider_zenlayer::Zenlayer::new(config))
            }
            #[cfg(feature = "huawei")]
            Cloud::Huawei => {
                let project = self.settings.huawei_project()?;
                let config = provider_huawei::Config::new(&place.region, &project)
                    .map_err(in_place(place))?;
                let config = match &self.settings.endpoint {
                    Some(endpoint) => config.with_endpoint(endpoint.clone()),
                    None => config,
                };
                self.client(provider_huawei::Huawei::new(config))
            }
        }
    }

    fn client(&self, provider: impl Provider) -> Result<Client, FleetError> {
        let settings = &self.settings;
        let credential = match &settings.credential {
            Some(credential) => credential.clone(),
            None => credential_from(provider.profile(), &*settings.variables.0)?,
        };
        let builder = Client::builder(
            provider,
            StaticCredential::new(credential),
            Arc::clone(&self.transport),
        )
        .clock(Arc::clone(&settings.clock))
        .plain_http(settings.plain_http);
        Ok((settings.tune.0)(builder).build())
    }
}

fn in_place<E: fmt::Display>(place: &Place) -> impl FnOnce(E) -> FleetError {
    move |problem| FleetError::Place {
        place: place.to_string(),
        problem: problem.to_string(),
    }
}

/// Settings of a [`Fleet`]. They apply to every cloud that is named.
#[derive(Debug)]
pub struct FleetBuilder {
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
    endpoint: Option<Endpoint>,
    credential: Option<Credential>,
    project: Option<String>,
    plain_http: PlainHttp,
    variables: Opaque<Variables>,
    tune: Opaque<Tune>,
}

impl Default for FleetBuilder {
    fn default() -> Self {
        Self {
            transport: None,
            clock: Arc::new(SystemClock),
            endpoint: None,
            credential: None,
            project: None,
            plain_http: PlainHttp::default(),
            variables: Opaque(Box::new(|name| std::env::var(name).ok())),
            tune: Opaque(Box::new(|builder| builder)),
        }
    }
}

impl FleetBuilder {
    /// Sends through `transport` instead of an [`HttpTransport`].
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Takes wall-clock time from `clock` instead of this machine.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Calls every cloud at this address instead of its own.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Uses this key for every cloud instead of the environment's.
    #[must_use]
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// Uses this project in every Huawei region instead of the environment's.
    #[must_use]
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// Where requests may go without TLS.
    #[must_use]
    pub fn plain_http(mut self, plain_http: PlainHttp) -> Self {
        self.plain_http = plain_http;
        self
    }

    /// Looks variables up here instead of in the environment.
    #[must_use]
    pub fn variables(
        mut self,
        variables: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.variables = Opaque(Box::new(variables));
        self
    }

    /// Changes settings of each client before it is built; several changes add up.
    #[must_use]
    pub fn tune(
        mut self,
        tune: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        let before = self.tune.0;
        self.tune = Opaque(Box::new(move |builder| tune(before(builder))));
        self
    }

    /// The fleet.
    ///
    /// # Errors
    /// [`FleetError::Setup`] when no HTTP client can be set up on this machine.
    pub fn build(mut self) -> Result<Fleet, FleetError> {
        let transport = match self.transport.take() {
            Some(transport) => transport,
            None => {
                let transport = HttpTransport::new();
                Arc::new(transport.map_err(|error| FleetError::Setup(error.to_string()))?)
            }
        };
        Ok(Fleet {
            inner: Arc::new(Inner {
                settings: self,
                transport,
                clients: Mutex::default(),
            }),
        })
    }

    #[cfg(feature = "huawei")]
    fn huawei_project(&self) -> Result<String, FleetError> {
        let names = provider_huawei::PROJECT_VARIABLES;
        self.project
            .clone()
            .or_else(|| names.iter().find_map(|name| (self.variables.0)(name)))
            .ok_or_else(|| {
                FleetError::NoCredential(NoCredential::new(format!(
                    "no project id for Huawei Cloud ECS: set {}",
                    names.join(" or ")
                )))
            })
    }
}

type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;
type Tune = dyn Fn(ClientBuilder) -> ClientBuilder + Send + Sync;

/// A closure within a struct that can be printed.
struct Opaque<F: ?Sized>(Box<F>);

impl<F: ?Sized> fmt::Debug for Opaque<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// Why a fleet did nothing.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// A text that is no reference. Nothing was sent.
    #[error(transparent)]
    Reference(#[from] BadReference),
    /// A place that cannot be.
    #[error("{place}: {problem}")]
    Place {
        /// The place as it was written.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no key for a cloud. Nothing was sent.
    #[error(transparent)]
    NoCredential(#[from] NoCredential),
    /// No HTTP client can be set up.
    #[error("{0}")]
    Setup(String),
    /// More instances than the caller's own cap. Nothing was sent.
    #[error("{instances} instances are more than the cap of {cap}: nothing was sent")]
    TooMany {
        /// How many instances were asked for.
        instances: usize,
        /// The cap.
        cap: usize,
    },
    /// A client refused or failed as a whole.
    #[error(transparent)]
    Client(#[from] Error),
}

impl From<std::convert::Infallible> for FleetError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
