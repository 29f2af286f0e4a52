//! `CloudData`: the data of a cloud. A build without the feature of the cloud has the data too.

#[cfg(feature = "config")]
use crate::config::schema::CloudSettings;
use crate::suggest::{nearest, quoted};

/// The data of a cloud. The code is in the `driver` module of the same file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CloudData {
    /// The name in references and in the configuration file, and the name of the Cargo feature.
    pub(crate) name: &'static str,
    /// Other names of the cloud and of its products, for suggestions only.
    pub(crate) aliases: &'static [&'static str],
    /// The note of the command after an empty list, if the cloud answers so to a key without
    /// permission.
    pub(crate) empty_list_note: Option<&'static str>,
    pub(crate) regions: CloudRegions,
    pub(crate) key_scope: KeyScope,
    /// The settings of the configuration file beside the settings of all clouds.
    #[cfg(feature = "config")]
    pub(crate) settings: CloudSettings,
}

impl CloudData {
    /// Returns the end of a message about the unknown cloud `written`: the cloud with the closest
    /// name or alias; `None` if every name is a different word.
    pub(crate) fn hint(clouds: &[&'static Self], written: &str) -> Option<String> {
        let names = |entry: &&&Self| [&[entry.name], entry.aliases].concat();
        let meant = nearest(written, clouds.iter().flat_map(|entry| names(&entry)));
        let mut meant = clouds.iter().filter(|entry| {
            let mut names = names(entry).into_iter();
            names.any(|name| meant.contains(&name))
        });
        let first = meant.next()?;
        let others = meant.map(|entry| entry.name);
        let all: Vec<&str> = [first.name].into_iter().chain(others).collect();
        Some(format!("did you mean {}?", quoted(all, " or ")))
    }
}

/// All clouds that a configuration file can name.
#[cfg(feature = "config")]
pub(crate) type Clouds<'a> = &'a [&'static CloudData];

/// The regions of a cloud, for references and for the first try of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CloudRegions {
    /// One endpoint for all regions, under this name.
    One(&'static str),
    /// One endpoint per region.
    Many {
        /// The environment variables of the cloud's own tools for the region.
        variables: &'static [&'static str],
        /// A region for the first try of a key, and for examples.
        default: &'static str,
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
