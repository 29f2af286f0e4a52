//! `Fleet`: power actions on instances of several clouds through one object.

mod account;
mod builder;
mod connect; // builds the client of a location
mod error;
#[cfg(feature = "config")]
mod from_config; // accounts from a configuration file
mod identity; // look-ups of projects and regions
mod into_location; // accepted types of locations
mod location;
mod location_pattern;
#[cfg(feature = "serde")]
mod location_serde; // references as text
mod lock; // locks on maps
mod probe; // the probe of an endpoint
mod protection;
mod protection_check;
mod regions; // the regions of a cloud
mod select; // selects instances
mod selector;
mod settings; // settings of fleet and location
mod simulated; // a fleet of simulated clouds
mod simulated_key; // the key of a simulated cloud
mod target; // requests to a fleet

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use lifecycle_client::{
    CallCounts, Client, ClientStats, CredentialProvider, IntoInstances, ListRequest,
    ObserveRequest, TransportError,
};
use lifecycle_core::{Action, Endpoint, PowerState, RebootOptions, StartOptions, StopOptions};

pub use account::{Account, CredentialSettings, CredentialSourceFactory};
pub use builder::FleetBuilder;
pub use error::FleetError;
pub use into_location::IntoLocation;
pub use location::{InstanceReference, Location};
pub use location_pattern::LocationPattern;
pub use probe::DoctorProbe;
pub use protection::Protection;
pub use protection_check::{ProtectionCheck, UnreadInstance};
pub use regions::{ResolvedLocation, ResolvedLocations, UnavailableLocation};
pub use select::{IntoTargets, SelectedInstance, Selection};
pub use selector::Selector;
pub use target::{FleetEvent, FleetEventStream, FleetReport, FleetRequest, FleetRow, FleetWait};

use connect::Connector;

/// Instances in several clouds and regions, named by [`InstanceReference`]s.
///
/// A fleet connects to a location at the first use, with one [`Client`] per location. All clones share
/// the clients.
#[derive(Clone, Debug)]
pub struct Fleet {
    connector: Arc<Connector>,
}

impl Fleet {
    /// Returns a fleet with the keys of the clouds' own tools on this machine: variables, files and
    /// metadata services.
    ///
    /// # Errors
    /// [`FleetError::Setup`] if the HTTP client cannot be set up.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_facade::Fleet;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let fleet = Fleet::from_environment()?;
    /// # drop(fleet);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_environment() -> Result<Self, FleetError> {
        Self::builder().build()
    }

    /// Returns a builder with the default settings.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_facade::{Credential, EmptyHost, Fleet};
    /// use lifecycle_sim::Simulator;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // A fleet of simulated clouds, for tests.
    /// let simulator = Simulator::builder().fleet("huawei/cn-north-4=2")?.build();
    /// let fleet = Fleet::builder()
    ///     .transport(simulator.transport())
    ///     .clock(simulator.clock())
    ///     .machine(EmptyHost)
    ///     .credential(Credential::keys("id", "secret"))
    ///     .build()?;
    /// # drop(fleet);
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> FleetBuilder {
        FleetBuilder::default()
    }

    /// Performs an action on instances: the options of a start, a stop or a reboot, an [`Action`] that is
    /// known only at run time, or an [`ActionKind`](crate::ActionKind) with the default options. Await the
    /// request for a [`FleetReport`].
    ///
    /// The type of `action` selects the further options: only a request with [`StopOptions`] has
    /// [`billing`](crate::PowerRequest::billing).
    ///
    /// # Examples
    /// ```
    /// use lifecycle_facade::{ActionKind, WaitTimeout};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, references| {
    /// // The name of the action is data, for example from a request to a service.
    /// let action: ActionKind = "start".parse()?;
    /// let report = fleet.act(action, &references).wait(WaitTimeout::minutes(5)).await?;
    /// assert!(report.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn act<O: Into<Action>>(&self, action: O, targets: impl IntoTargets) -> FleetRequest<O> {
        targets.power_request(self.clone(), action)
    }

    /// Starts stopped instances. Await the request for a [`FleetReport`].
    ///
    /// # Examples
    /// ```
    /// use lifecycle_facade::WaitTimeout;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, references| {
    /// let report = fleet.start(&references).wait(WaitTimeout::minutes(5)).await?;
    /// for row in &report {
    ///     println!("{}: {}", row.instance, row.outcome);
    /// }
    /// assert!(report.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn start(&self, targets: impl IntoTargets) -> FleetRequest<StartOptions> {
        self.act(StartOptions::default(), targets)
    }

    /// Stops running instances, gracefully by default. Await the request for a [`FleetReport`].
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, references| {
    /// # fleet.start(&references).wait(lifecycle_facade::WaitTimeout::minutes(5)).await?;
    /// // Instances that still run after two minutes are stopped by force.
    /// let stop = fleet.stop(&references).force_after(Duration::from_secs(120));
    /// assert!(stop.await?.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn stop(&self, targets: impl IntoTargets) -> FleetRequest<StopOptions> {
        self.act(StopOptions::default(), targets)
    }

    /// Reboots running instances, gracefully by default. Each instance is rebooted at most once.
    /// Await the request for a [`FleetReport`].
    ///
    /// # Examples
    /// ```
    /// use lifecycle_facade::Waves;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, references| {
    /// # fleet.start(&references).wait(lifecycle_facade::WaitTimeout::minutes(5)).await?;
    /// // One instance at a time, whatever the cloud. A failure ends the request.
    /// let reboot = fleet.reboot(&references).waves(Waves::of(1));
    /// assert!(reboot.await?.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn reboot(&self, targets: impl IntoTargets) -> FleetRequest<RebootOptions> {
        self.act(RebootOptions::default(), targets)
    }

    /// Waits until instances are in the state `goal`. Sends no action.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_facade::{PowerState, WaitTimeout};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, references| {
    /// fleet.start(&references).await?;
    /// let wait = fleet.wait(&references, PowerState::Running).timeout(WaitTimeout::minutes(5));
    /// assert!(wait.await?.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn wait(&self, targets: impl IntoTargets, goal: PowerState) -> FleetWait {
        targets.wait_request(self.clone(), goal)
    }

    /// Reads the states of instances once.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_facade::PowerState;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, references| {
    /// for status in fleet.observe(&references).await? {
    ///     assert_eq!(status.result?.state, PowerState::Stopped);
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub fn observe(&self, references: impl IntoInstances<Self>) -> ObserveRequest<Self> {
        ObserveRequest::new(self.clone(), references)
    }

    /// Reads all instances of one location.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, references| {
    /// let location = setup::location().to_string(); // such as "aliyun/cn-hangzhou"
    /// let instances = fleet.list(&location).await?;
    /// assert_eq!(instances.len(), references.len());
    /// # Ok(())
    /// # });
    /// ```
    pub fn list(&self, location: impl IntoLocation) -> ListRequest<Self> {
        ListRequest::new(self.clone(), location.into_location())
    }

    /// Returns the connected client of one location.
    ///
    /// # Errors
    /// [`FleetError`] for an invalid location, or if the location has no key.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, _| {
    /// let location = setup::location(); // such as "aliyun/cn-hangzhou"
    /// let client = fleet.client(&location).await?;
    /// assert_eq!(client.profile().cloud, location.cloud.as_str());
    /// # Ok(())
    /// # });
    /// ```
    pub async fn client(&self, location: impl IntoLocation) -> Result<Client, FleetError> {
        self.connector.client(&location.into_location()?).await
    }

    /// Returns the endpoint of a location. Sends nothing.
    ///
    /// # Errors
    /// [`FleetError`] for an invalid location.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, _| {
    /// let location = setup::location(); // such as "aliyun/cn-hangzhou"
    /// println!("{location} is called at {}", fleet.endpoint(&location).await?);
    /// # Ok(())
    /// # });
    /// ```
    pub async fn endpoint(&self, location: impl IntoLocation) -> Result<Endpoint, FleetError> {
        self.connector.endpoint(&location.into_location()?).await
    }

    /// Returns the provider of the keys of a location. Sends nothing.
    ///
    /// # Errors
    /// [`FleetError`] for an invalid location.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, _| {
    /// let location = setup::location(); // such as "aliyun/cn-hangzhou"
    /// let info = fleet.credentials(&location).await?.info();
    /// println!("{location} has its key from: {}", info.source);
    /// # Ok(())
    /// # });
    /// ```
    pub async fn credentials(
        &self,
        location: impl IntoLocation,
    ) -> Result<Arc<dyn CredentialProvider>, FleetError> {
        let location = location.into_location()?;
        self.connector.endpoint(&location).await?;
        self.connector.credentials(&location).await
    }

    /// Sends a harmless request without a key to the endpoint of a location. The probe shows that the
    /// endpoint can be reached, and the time at the endpoint.
    ///
    /// The inner error is the error of the connection.
    ///
    /// # Errors
    /// [`FleetError`] for an invalid location.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, _| {
    /// let location = setup::location(); // such as "aliyun/cn-hangzhou"
    /// let probe = fleet.probe(&location).await??;
    /// println!("status {} after {:?}", probe.status, probe.took);
    /// # Ok(())
    /// # });
    /// ```
    pub async fn probe(
        &self,
        location: impl IntoLocation,
    ) -> Result<Result<DoctorProbe, TransportError>, FleetError> {
        self.connector.probe(&location.into_location()?).await
    }

    /// Returns the time of the fleet's clock.
    ///
    /// # Examples
    /// ```
    /// use std::time::SystemTime;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, _| {
    /// assert!(fleet.now() > SystemTime::UNIX_EPOCH);
    /// # Ok(())
    /// # });
    /// ```
    pub fn now(&self) -> SystemTime {
        self.connector.settings.clock.now()
    }

    /// Returns the rule for protected instances.
    pub fn protection(&self) -> &Protection {
        &self.connector.settings.protection
    }

    /// Returns the named accounts in the order of the names.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_facade::{Account, Cloud, Fleet};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, _| {
    /// let fleet = Fleet::builder()
    ///     .account("prod", Account::new(Cloud::ALL[0]))?
    ///     .build()?;
    /// let names: Vec<&str> = fleet.accounts().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["prod"]);
    /// # Ok(())
    /// # });
    /// ```
    pub fn accounts(&self) -> impl Iterator<Item = (&str, &Account)> {
        let accounts = self.connector.settings.accounts.iter();
        accounts.map(|(name, account)| (name.as_str(), account))
    }

    /// Returns the number of calls so far, by location.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, references| {
    /// fleet.start(&references).await?;
    /// for (location, calls) in fleet.calls() {
    ///     println!("{location}: {} calls", calls.total());
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub fn calls(&self) -> BTreeMap<Location, CallCounts> {
        self.connector.calls()
    }

    /// Returns the counters and gauges of each connected client, by location. Calls no cloud.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, references| {
    /// fleet.start(&references).await?;
    /// for (location, stats) in fleet.stats() {
    ///     println!("{location}: throttled {} times", stats.throttled());
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub fn stats(&self) -> BTreeMap<Location, ClientStats> {
        self.connector.stats()
    }
}
