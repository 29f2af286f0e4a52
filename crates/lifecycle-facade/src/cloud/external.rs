//! Clouds from outside of this crate: `CloudEntry`, and the names of the clouds of this process.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ptr,
    sync::{PoisonError, RwLock},
};

use lifecycle_core::Profile;

use super::{
    Cloud, CloudData, ENTRIES,
    driver::{BuildProvider, CloudDriver, EndpointFn, RegionsFrom, SourceFn},
    entry::{CloudRegions, KeyScope},
};
use crate::FleetError;
#[cfg(feature = "config")]
use crate::config::schema::{CloudSettings, CloudSource, SourceKind, optional};

/// A cloud from outside of this crate: everything that a [`Fleet`](crate::Fleet) needs to give a provider
/// references, accounts and settings of the configuration file.
///
/// Declare the entry as a `static` beside the provider, and pass the entry to
/// [`FleetBuilder::cloud`](crate::FleetBuilder::cloud).
///
/// # Examples
/// ```no_run
/// use lifecycle_facade::{
///     BuiltProvider, CloudEntry, CloudRegions, Fleet,
///     lifecycle_core::{BatchLimits, EnvVarNames, Profile},
/// };
/// # use lifecycle_facade::lifecycle_core::Endpoint;
/// # mod acme { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/acme.rs")); }
/// # use acme::Acme;
///
/// static PROFILE: Profile = Profile::new("acme", "Acme Cloud", BatchLimits::all(50))
///     .with_env_vars(&[EnvVarNames::Keys {
///         id: "ACME_ACCESS_KEY_ID",
///         secret: "ACME_ACCESS_KEY_SECRET",
///         session: None,
///     }]);
///
/// static ACME: CloudEntry = CloudEntry::new(
///     &PROFILE,
///     CloudRegions::Many { variables: &["ACME_REGION"], default: "r1" },
///     |location| {
///         let region = location.region;
///         let endpoint = match &location.endpoint {
///             Some(endpoint) => endpoint.clone(),
///             None => Endpoint::of_region(region, |region| format!("{region}.acme.example"))
///                 .map_err(|error| error.to_string())?,
///         };
///         Ok(BuiltProvider::new(Acme { profile: &PROFILE }, endpoint))
///     },
/// );
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let fleet = Fleet::builder().cloud(&ACME)?.build()?;
/// fleet.start(["acme/r1/vm-00001", "baidu/bj/i-2"]).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct CloudEntry {
    data: CloudData,
    driver: CloudDriver,
}

impl CloudEntry {
    /// Returns the entry of the cloud of `profile`: keys in the variables of the profile, one key for all regions,
    /// and the list of regions from the provider.
    ///
    /// `build` builds the provider of a location, or says why the region is invalid.
    pub const fn new(
        profile: &'static Profile,
        regions: CloudRegions,
        build: BuildProvider,
    ) -> Self {
        Self {
            data: CloudData {
                name: profile.cloud,
                aliases: &[],
                empty_list_note: None,
                regions,
                key_scope: KeyScope::Account,
                #[cfg(feature = "config")]
                settings: SETTINGS,
            },
            driver: CloudDriver {
                profile,
                build,
                endpoint_from: |_, _| Ok(None),
                sources: None,
                files: |_| Vec::new(),
                #[cfg(feature = "config")]
                env_sources: None,
                #[cfg(feature = "config")]
                exchange_source: |_, _, _| None,
                regions: RegionsFrom::Provider,
                project: None,
            },
        }
    }

    /// Sets the credential sources: `all` in order of precedence, and `files` for the sources of `all` that read
    /// files with profiles. Without these functions only the variables of the profile hold keys.
    #[must_use]
    pub const fn with_sources(mut self, all: SourceFn, files: SourceFn) -> Self {
        self.driver.sources = Some(all);
        self.driver.files = files;
        self
    }

    /// Sets the function that reads the endpoint from the variables of the cloud's own tools.
    #[must_use]
    pub const fn with_endpoint_from(mut self, endpoint_from: EndpointFn) -> Self {
        self.driver.endpoint_from = endpoint_from;
        self
    }

    /// Sets other names of the cloud and of its products, for suggestions only.
    #[must_use]
    pub const fn with_aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.data.aliases = aliases;
        self
    }

    /// Sets the note for people after an empty list, if the cloud sends an empty list to a key without
    /// permission.
    #[must_use]
    pub const fn with_empty_list_note(mut self, note: &'static str) -> Self {
        self.data.empty_list_note = Some(note);
        self
    }

    /// Looks up a key for each region, because a key is valid in one region only.
    #[must_use]
    pub const fn with_regional_keys(mut self) -> Self {
        self.data.key_scope = KeyScope::Region;
        self
    }

    /// Returns the name in references.
    pub const fn name(&self) -> &'static str {
        self.data.name
    }
}

/// The settings of the configuration file: the common settings of an account, and keys in variables.
#[cfg(feature = "config")]
const SETTINGS: CloudSettings = CloudSettings {
    account: &[],
    sources: &[CloudSource::new(
        SourceKind::Variables,
        &[optional("session"), optional("token")],
    )],
};

/// A cloud from outside of this crate, as a value of [`Cloud`]. Two values are equal if the names are equal.
#[derive(Clone, Copy)]
pub struct ExternalCloud(&'static CloudEntry);

impl ExternalCloud {
    pub(super) fn data(self) -> &'static CloudData {
        &self.0.data
    }

    pub(super) fn driver(self) -> &'static CloudDriver {
        &self.0.driver
    }
}

impl fmt::Debug for ExternalCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl PartialEq for ExternalCloud {
    fn eq(&self, other: &Self) -> bool {
        self.0.name() == other.0.name()
    }
}

impl Eq for ExternalCloud {}

impl PartialOrd for ExternalCloud {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ExternalCloud {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.name().cmp(other.0.name())
    }
}

impl Hash for ExternalCloud {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name().hash(state);
    }
}

/// The external clouds of this process, in the order of their registration. References have only the name
/// of a cloud, and are parsed without a fleet.
static EXTERNAL: RwLock<Vec<&'static CloudEntry>> = RwLock::new(Vec::new());

impl Cloud {
    /// Makes an external cloud known in this process: references and configuration files can name the cloud from
    /// now on. [`FleetBuilder::cloud`](crate::FleetBuilder::cloud) calls this function. A program that reads
    /// references or a configuration file before it builds the fleet calls this function first. A second call
    /// with the same entry has no effect.
    ///
    /// # Errors
    /// [`FleetError::Cloud`] for an invalid name, and for the name of another cloud.
    pub fn register(entry: &'static CloudEntry) -> Result<Self, FleetError> {
        let name = entry.name();
        let problem = |problem: &str| FleetError::Cloud {
            name: name.to_owned(),
            problem: problem.to_owned(),
        };
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !name.starts_with(|first: char| first.is_ascii_lowercase()) || !name.bytes().all(fits) {
            return Err(problem(
                "invalid name: start with a lower-case letter; use lower-case letters, digits and -",
            ));
        }
        let mut known = EXTERNAL.write().unwrap_or_else(PoisonError::into_inner);
        let same_name = known.iter().find(|other| other.name() == name);
        if same_name.is_some_and(|other| ptr::eq(*other, entry)) {
            return Ok(Self::External(ExternalCloud(entry)));
        }
        if same_name.is_some() || ENTRIES.iter().any(|data| data.name == name) {
            return Err(problem(
                "another cloud has this name: choose another name, or declare the entry once, as a static",
            ));
        }
        known.push(entry);
        Ok(Self::External(ExternalCloud(entry)))
    }

    /// Returns the clouds of this build, and the external clouds that this process knows.
    pub fn known() -> Vec<Self> {
        let external = EXTERNAL.read().unwrap_or_else(PoisonError::into_inner);
        let external = external
            .iter()
            .map(|entry| Self::External(ExternalCloud(entry)));
        Self::ALL.iter().copied().chain(external).collect()
    }
}

/// Returns the data of all clouds that a reference or a configuration file can name.
pub(crate) fn all_data() -> Vec<&'static CloudData> {
    let external = EXTERNAL.read().unwrap_or_else(PoisonError::into_inner);
    let external = external.iter().map(|entry| &entry.data);
    ENTRIES.iter().copied().chain(external).collect()
}
