//! `CloudEntry`: the data of a cloud. A build without the feature of the cloud has the entry too.

#[cfg(feature = "config")]
use crate::config::schema::CloudSettings;

/// The data of a cloud. The code is in the `driver` module of the same file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CloudEntry {
    /// The name in references and in the configuration file, and the name of the Cargo feature.
    pub(crate) name: &'static str,
    pub(crate) regions: Regions,
    pub(crate) key_scope: KeyScope,
    /// The settings of the configuration file beside the settings of all clouds.
    #[cfg(feature = "config")]
    pub(crate) settings: CloudSettings,
}

/// All clouds that a configuration file can name.
#[cfg(feature = "config")]
pub(crate) type Clouds = &'static [&'static CloudEntry];

/// The regions of a cloud.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Regions {
    /// One endpoint for all regions, under this name.
    One(&'static str),
    /// One endpoint per region.
    Many {
        /// The environment variables of the cloud's own tools for the region.
        variables: &'static [&'static str],
        /// A region for the first try of a key, and for examples.
        common: &'static str,
    },
}

/// The scope in which a key is valid.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum KeyScope {
    /// All regions of an account.
    Account,
    /// One region.
    Region,
}
