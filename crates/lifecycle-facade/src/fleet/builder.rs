//! `FleetBuilder`: the accounts, the transport, the clock and the settings with which a fleet reaches all
//! clouds.

use std::{sync::Arc, time::Duration};

use lifecycle_client::{
    ClientBuilder, Clock, HttpTransport, PlainHttp, SharedRateLimit, StaticCredential,
    StatsObserver, Transport,
};
use lifecycle_core::{Credential, Endpoint, HostEnvironment};

use crate::cloud::{Cloud, CloudEntry};

use super::{
    Account, Fleet, FleetError, Protection,
    connect::Connector,
    location::check_account_name,
    settings::{ConfigureClient, FleetSettings},
};

/// Builds a [`Fleet`]. The settings apply to all clouds.
#[derive(Clone, Debug, Default)]
pub struct FleetBuilder {
    pub(super) transport: Option<Arc<dyn Transport>>,
    pub(super) settings: FleetSettings,
}

impl FleetBuilder {
    /// Sends requests through `transport` instead of an [`HttpTransport`].
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Takes the wall-clock time from `clock` instead of the system clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Reads the variables and files of `machine` instead of the variables and files of this machine.
    #[must_use]
    pub fn machine(mut self, machine: impl HostEnvironment) -> Self {
        self.settings.host = Arc::new(machine);
        self
    }

    /// Adds a cloud from outside of this crate: references, accounts and configuration files can name the cloud from
    /// now on, in the whole process. A program that reads a configuration file before it builds the fleet
    /// calls [`Cloud::register`](crate::Cloud::register) first.
    ///
    /// # Errors
    /// [`FleetError::Cloud`] for an invalid name, and for the name of another cloud.
    pub fn cloud(self, entry: &'static CloudEntry) -> Result<Self, FleetError> {
        Cloud::register(entry)?;
        Ok(self)
    }

    /// Adds an account under a name, for references such as `name@cloud/region/instance`.
    ///
    /// # Errors
    /// [`FleetError::InvalidReference`] for an invalid name. A name has letters, digits, `-` and `_`.
    pub fn account(
        mut self,
        name: impl Into<String>,
        account: Account,
    ) -> Result<Self, FleetError> {
        let name = name.into();
        check_account_name(&name)?;
        self.settings.accounts.insert(name, account);
        Ok(self)
    }

    /// Calls all clouds at this endpoint. Overrides the endpoints of accounts.
    ///
    /// A loopback endpoint also replaces the identity and metadata services: the endpoint is a
    /// simulator, and the keys of a simulator must not reach a cloud.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.settings.endpoint = Some(endpoint);
        self
    }

    /// Uses this key for all clouds. Overrides the credentials of accounts.
    #[must_use]
    pub fn credential(mut self, credential: Credential) -> Self {
        self.settings.credentials = Some(Arc::new(StaticCredential::new(credential)));
        self
    }

    /// Uses this project on all clouds with projects. Overrides the projects of accounts.
    #[must_use]
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.settings.project = Some(project.into());
        self
    }

    /// Sets the destinations that requests may reach without TLS.
    #[must_use]
    pub fn plain_http(mut self, plain_http: PlainHttp) -> Self {
        self.settings.plain_http = plain_http;
        self
    }

    /// Sets the instances that selections never stop or reboot. By default instances with the tag
    /// `lifecycle:protected`.
    #[must_use]
    pub fn protection(mut self, protection: Protection) -> Self {
        self.settings.protection = protection;
        self
    }

    /// Limits the time to connect to a location, including the search for a key; 2 minutes by
    /// default.
    #[must_use]
    pub fn setup_timeout(mut self, limit: Duration) -> Self {
        self.settings.setup_timeout = limit;
        self
    }

    /// Shares the rate limits and the rejected keys with the fleets that have the same `limit`, also in other
    /// programs.
    ///
    /// The calls of an account in a location share one limit, so all fleets must have the same names of
    /// accounts.
    #[must_use]
    pub fn shared_rate_limit(mut self, limit: impl SharedRateLimit) -> Self {
        self.settings.shared_rate_limit = Some(Arc::new(limit));
        self
    }

    /// Changes the settings of each client with `configure`. Several calls add up.
    #[must_use]
    pub fn configure_client(
        mut self,
        configure: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        let before = self.settings.configure_client.0;
        self.settings.configure_client =
            ConfigureClient(Arc::new(move |builder| configure(before(builder))));
        self
    }

    /// Passes each event that the clients count to `observer`, for metrics.
    #[must_use]
    pub fn stats_observer(mut self, observer: impl StatsObserver) -> Self {
        self.settings.stats_observer = Some(Arc::new(observer));
        self
    }

    /// Builds the fleet.
    ///
    /// # Errors
    /// [`FleetError::Setup`] if the HTTP client cannot be set up.
    pub fn build(self) -> Result<Fleet, FleetError> {
        let transport = match self.transport {
            Some(transport) => transport,
            None => {
                let transport = HttpTransport::new();
                Arc::new(transport.map_err(|error| FleetError::Setup(error.to_string()))?)
            }
        };
        Ok(Fleet {
            connector: Arc::new(Connector::new(self.settings, transport)),
        })
    }
}
