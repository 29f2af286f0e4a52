//! The settings of a fleet, and the settings of one location derived from them.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use lifecycle_client::{
    ClientBuilder, Clock, CredentialProvider, PlainHttp, SharedRateLimit, SimulatedClouds,
    StatsObserver, SystemClock, SystemHost,
};
use lifecycle_core::{CredentialSourceConfig, Endpoint, HostEnvironment, ProviderContext};

use super::{Account, CredentialSettings, FleetError, Location, Protection};
use crate::{cloud::EndpointNetwork, suggest::did_you_mean};

/// The settings of a fleet.
#[derive(Clone, Debug)]
pub(super) struct FleetSettings {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) host: Arc<dyn HostEnvironment>,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) credentials: Option<Arc<dyn CredentialProvider>>,
    /// The simulated clouds that replace all clouds.
    pub(super) simulated: Option<Arc<dyn SimulatedClouds>>,
    pub(super) project: Option<String>,
    pub(super) plain_http: PlainHttp,
    pub(super) setup_timeout: Duration,
    pub(super) accounts: BTreeMap<String, Account>,
    pub(super) protection: Protection,
    pub(super) shared_rate_limit: Option<Arc<dyn SharedRateLimit>>,
    pub(super) configure_client: ConfigureClient,
    pub(super) stats_observer: Option<Arc<dyn StatsObserver>>,
}

impl Default for FleetSettings {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            host: Arc::new(SystemHost),
            endpoint: None,
            credentials: None,
            simulated: None,
            project: None,
            plain_http: PlainHttp::default(),
            setup_timeout: Duration::from_secs(120),
            accounts: BTreeMap::new(),
            protection: Protection::default(),
            shared_rate_limit: None,
            configure_client: ConfigureClient(Arc::new(|builder| builder)),
            stats_observer: None,
        }
    }
}

impl FleetSettings {
    /// Returns the account of a location; `None` for a location without an account.
    pub(super) fn account(&self, location: &Location) -> Result<Option<&Account>, FleetError> {
        let Some(name) = &location.account else {
            return Ok(None);
        };
        let wrong = |problem: String| FleetError::at(location)(problem);
        let account = self.accounts.get(&**name);
        let account = account.ok_or_else(|| wrong(self.unknown_account(name)))?;
        if account.cloud != location.cloud {
            return Err(wrong(format!(
                "the account {name:?} is an account of {}",
                account.cloud
            )));
        }
        match &account.region {
            Some(region)
                if account.endpoint.is_some() && !region.eq_ignore_ascii_case(&location.region) =>
            {
                Err(wrong(format!(
                    "the endpoint of the account {name:?} is for {region} only"
                )))
            }
            _ => Ok(Some(account)),
        }
    }

    /// Returns the account with this name.
    pub(super) fn named_account(&self, name: &str) -> Result<&Account, FleetError> {
        let account = self.accounts.get(name);
        account.ok_or_else(|| FleetError::at(&format!("{name}@"))(self.unknown_account(name)))
    }

    fn unknown_account(&self, name: &str) -> String {
        let known: Vec<&str> = self.accounts.keys().map(String::as_str).collect();
        if known.is_empty() {
            return format!("unknown account {name:?}: the configuration has no accounts");
        }
        let hint = did_you_mean(name, known.iter().copied());
        let hint = hint.unwrap_or_else(|| format!("known accounts: {}", known.join(", ")));
        format!("unknown account {name:?}; {hint}")
    }

    /// Returns the endpoint of an account in the settings of this fleet.
    pub(super) fn own_endpoint(&self, account: Option<&Account>) -> Option<Endpoint> {
        let own = account.and_then(|account| account.endpoint.as_ref());
        self.endpoint.as_ref().or(own).cloned()
    }

    /// Returns the configured endpoint of a location; `None` for the endpoint of the region. Reads files of the cloud's
    /// own tools.
    pub(super) fn endpoint_of(&self, location: &Location) -> Result<Option<Endpoint>, FleetError> {
        self.endpoint(location, self.account(location)?)
    }

    fn endpoint(
        &self,
        location: &Location,
        account: Option<&Account>,
    ) -> Result<Option<Endpoint>, FleetError> {
        if let Some(endpoint) = self.own_endpoint(account) {
            return Ok(Some(endpoint));
        }
        if !self.uses_vendor_env(account) {
            return Ok(None);
        }
        let ctx = ProviderContext::new(&*self.host, self.clock.signing_context(0));
        let found = (location.cloud.driver().endpoint_from)(&location.region, &ctx);
        found.map_err(|fault| FleetError::at(location)(fault.message()))
    }

    /// Returns the configured project of an account.
    pub(super) fn project<'s>(&'s self, account: Option<&'s Account>) -> Option<&'s str> {
        let own = account.and_then(|account| account.project.as_ref());
        self.project.as_ref().or(own).map(String::as_str)
    }

    /// Returns true if the settings of the cloud's own tools apply to the account. They apply only to
    /// the keys of these tools: another key must not go to their endpoint or work in their project.
    pub(super) fn uses_vendor_env(&self, account: Option<&Account>) -> bool {
        let is_vendor_default = |account: &Account| {
            matches!(account.credentials, CredentialSettings::Default)
                && account.profile.is_none()
                && account.network == EndpointNetwork::Public
        };
        self.credentials.is_none()
            && self.simulated.is_none()
            && account.is_none_or(is_vendor_default)
    }

    /// Returns the configuration of the credential sources of a location.
    ///
    /// A loopback endpoint is a simulator, and serves as the identity and metadata service as well.
    pub(super) fn source_config(
        &self,
        location: &Location,
        account: Option<&Account>,
    ) -> Result<CredentialSourceConfig, FleetError> {
        let is_simulator = |endpoint: &&Endpoint| endpoint.is_loopback();
        let simulator = self.endpoint.as_ref().filter(is_simulator);
        let configured = self.endpoint(location, account)?;
        let own_simulator = configured.as_ref().filter(is_simulator);
        let service = |own: fn(&Account) -> Option<&Endpoint>| {
            let own = account.and_then(own);
            simulator.or(own).or(own_simulator).cloned()
        };
        let mut config = CredentialSourceConfig::in_region(&*location.region);
        config.identity = service(|account| account.identity_endpoint.as_ref());
        config.metadata = service(|account| account.metadata_endpoint.as_ref());
        config.profile = account.and_then(|account| account.profile.clone());
        Ok(config)
    }
}

/// Changes the settings of a client.
#[derive(Clone)]
pub(super) struct ConfigureClient(
    pub(super) Arc<dyn Fn(ClientBuilder) -> ClientBuilder + Send + Sync>,
);

impl fmt::Debug for ConfigureClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
