//! The table of all clouds, one line each, and the public [`Cloud`] declared from the table.

#[cfg(feature = "_cloud")]
mod driver;
mod entry;
#[cfg(feature = "_cloud")]
mod external;
#[cfg(feature = "_cloud")]
mod methods;
mod network;
#[cfg(feature = "_cloud")]
mod parse_error;

mod aliyun;
mod baidu;
mod huawei;
mod zenlayer;

#[cfg(feature = "_cloud")]
pub use driver::{BuildProvider, BuiltProvider, EndpointFn, LocationSettings, SourceFn};
#[cfg(feature = "_cloud")]
pub(crate) use driver::{CloudDriver, ProjectLookup, RegionLookup, RegionsFrom};
pub(crate) use entry::CloudData;
pub use entry::CloudRegions;
#[cfg(feature = "config")]
pub(crate) use entry::Clouds;
#[cfg(feature = "_cloud")]
pub(crate) use entry::KeyScope;
#[cfg(all(feature = "_cloud", feature = "config"))]
pub(crate) use external::all_data;
#[cfg(feature = "_cloud")]
pub use external::{CloudEntry, ExternalCloud};
pub use network::EndpointNetwork;
#[cfg(feature = "_cloud")]
pub use parse_error::ParseReferenceError;

/// Returns the data of all clouds that a configuration file can name.
#[cfg(all(not(feature = "_cloud"), feature = "config"))]
pub(crate) fn all_data() -> Vec<&'static CloudData> {
    ENTRIES.to_vec()
}

/// Declares the clouds. A line has the documentation, the variant of `Cloud`, the Cargo feature, the
/// module of the entry, and the provider crate.
macro_rules! clouds {
    ($($(#[doc = $doc:literal])+ $variant:ident, $feature:literal, $module:ident, $provider:ident;)+) => {
        /// The entries of all clouds, including clouds that this build was not compiled with.
        pub(crate) const ENTRIES: &[&CloudData] = &[$(&$module::ENTRY),+];

        /// A cloud that this build was compiled with, or a cloud from outside of this crate.
        #[cfg(feature = "_cloud")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Cloud {
            $($(#[doc = $doc])+ #[cfg(feature = $feature)] $variant,)+
            /// A cloud from outside of this crate: see [`CloudEntry`].
            External(ExternalCloud),
        }

        #[cfg(feature = "_cloud")]
        impl Cloud {
            /// All clouds of this build. [`known`](Self::known) also has the clouds from outside.
            pub const ALL: &'static [Self] = &[$(#[cfg(feature = $feature)] Self::$variant,)+];

            pub(crate) fn entry(self) -> &'static CloudData {
                match self {
                    $(#[cfg(feature = $feature)] Self::$variant => &$module::ENTRY,)+
                    Self::External(cloud) => cloud.data(),
                }
            }

            pub(crate) fn driver(self) -> &'static CloudDriver {
                match self {
                    $(#[cfg(feature = $feature)] Self::$variant => &$module::driver::DRIVER,)+
                    Self::External(cloud) => cloud.driver(),
                }
            }
        }

        /// The provider crates, each under the name of the cloud.
        #[cfg(feature = "_cloud")]
        pub(crate) mod providers {
            $($(#[doc = $doc])+ #[cfg(feature = $feature)] pub use $provider as $module;)+
        }
    };
}

clouds! {
    /// Baidu AI Cloud BCC.
    Baidu, "baidu", baidu, provider_baidu;
    /// Alibaba Cloud ECS.
    Aliyun, "aliyun", aliyun, provider_aliyun;
    /// Zenlayer Elastic Compute (ZEC).
    Zenlayer, "zenlayer", zenlayer, provider_zenlayer;
    /// Huawei Cloud ECS.
    Huawei, "huawei", huawei, provider_huawei;
}
