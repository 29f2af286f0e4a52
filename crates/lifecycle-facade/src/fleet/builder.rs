//! Settings of a fleet.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use lifecycle_client::{
    ClientBuilder, Clock, CredentialProvider, HttpTransport, PlainHttp, StaticCredential,
    SystemClock, SystemHost, Transport,
};
use lifecycle_core::{Credential, Endpoint, HostEnvironment};

use super::{Account, Fleet, FleetError, connect::Connector, location::admit_account};

/// Settings of a [`Fleet`]. They apply to every cloud that is named.
#[derive(Clone, Debug)]
pub struct FleetBuilder {
    pub(super) transport: Option<Arc<dyn Transport>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) machine: Arc<dyn HostEnvironment>,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) credential: Option<Arc<dyn CredentialProvider>>,
    pub(super) project: Option<String>,
    pub(super) plain_http: PlainHttp,
    pub(super) setup_timeout: Duration,
    pub(super) accounts: BTreeMap<String, Account>,
    pub(super) tune: Tune,
}

impl Default for FleetBuilder {
    fn default() -> Self {
        Self {
            transport: None,
            clock: Arc::new(SystemClock),
            machine: Arc::new(SystemHost),
            endpoint: None,
            credential: None,
            project: None,
            plain_http: PlainHttp::default(),
            setup_timeout: Duration::from_secs(120),
            accounts: BTreeMap::new(),
            tune: Tune(Arc::new(|builder| builder)),
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

    /// Looks for keys and settings among the variables and files of `machine` instead of this one.
    #[must_use]
    pub fn machine(mut self, machine: impl HostEnvironment) -> Self {
        self.machine = Arc::new(machine);
        self
    }

    /// Gives an account a name, so that references can name it: `name@cloud/region/instance`.
    ///
    /// # Errors
    /// [`FleetError::InstanceReference`] when no reference can hold this name: it takes letters, digits,
    /// `-` and `_`.
    pub fn account(
        mut self,
        name: impl Into<String>,
        account: Account,
    ) -> Result<Self, FleetError> {
        let name = name.into();
        admit_account(&name)?;
        self.accounts.insert(name, account);
        Ok(self)
    }

    /// Calls every cloud at this address instead of its own, whatever the accounts say.
    ///
    /// An address on this machine stands for the identity and metadata services as well: it is a
    /// simulator's, and what belongs to a simulator must not reach a cloud.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Uses this key for every cloud, whatever the accounts say.
    #[must_use]
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = Some(Arc::new(StaticCredential::new(credential)));
        self
    }

    /// Uses this project in every Huawei region, whatever the accounts say.
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

    /// How long it may take to find a key, and whatever else it takes to connect to a place;
    /// 2 minutes by default.
    #[must_use]
    pub fn setup_timeout(mut self, limit: Duration) -> Self {
        self.setup_timeout = limit;
        self
    }

    /// Changes settings of each client before it is built; several changes add up.
    #[must_use]
    pub fn tune(
        mut self,
        tune: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        let before = self.tune.0;
        self.tune = Tune(Arc::new(move |builder| tune(before(builder))));
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
            connector: Arc::new(Connector::new(self, transport)),
        })
    }
}

/// A change of a client's settings.
#[derive(Clone)]
pub(super) struct Tune(pub(super) Arc<dyn Fn(ClientBuilder) -> ClientBuilder + Send + Sync>);

impl fmt::Debug for Tune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
