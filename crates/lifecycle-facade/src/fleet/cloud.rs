//! The clouds that this build knows, by name.

use std::{fmt, str::FromStr};

#[cfg(feature = "config")]
use lifecycle_core::credential_source::EnvCredentialSource;
use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, Endpoint, Fault, Profile, ProviderContext,
};

use super::ParseReferenceError;

/// A cloud that this build was compiled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Cloud {
    /// Baidu AI Cloud BCC.
    #[cfg(feature = "baidu")]
    Baidu,
    /// Alibaba Cloud ECS.
    #[cfg(feature = "aliyun")]
    Aliyun,
    /// Zenlayer Elastic Compute (ZEC).
    #[cfg(feature = "zenlayer")]
    Zenlayer,
    /// Huawei Cloud ECS.
    #[cfg(feature = "huawei")]
    Huawei,
}

impl Cloud {
    /// All clouds of this build.
    pub const ALL: &'static [Self] = &[
        #[cfg(feature = "baidu")]
        Self::Baidu,
        #[cfg(feature = "aliyun")]
        Self::Aliyun,
        #[cfg(feature = "zenlayer")]
        Self::Zenlayer,
        #[cfg(feature = "huawei")]
        Self::Huawei,
    ];

    /// What is known of the cloud as data.
    pub fn profile(self) -> &'static Profile {
        match self {
            #[cfg(feature = "baidu")]
            Self::Baidu => &provider_baidu::PROFILE,
            #[cfg(feature = "aliyun")]
            Self::Aliyun => &provider_aliyun::PROFILE,
            #[cfg(feature = "zenlayer")]
            Self::Zenlayer => &provider_zenlayer::PROFILE,
            #[cfg(feature = "huawei")]
            Self::Huawei => &provider_huawei::PROFILE,
        }
    }

    /// Where the cloud's own tools look for keys, in their order.
    pub fn sources(self, config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
        match self {
            #[cfg(feature = "baidu")]
            Self::Baidu => provider_baidu::credentials::sources(config),
            #[cfg(feature = "aliyun")]
            Self::Aliyun => provider_aliyun::credentials::sources(config),
            #[cfg(feature = "zenlayer")]
            Self::Zenlayer => provider_zenlayer::credentials::sources(config),
            #[cfg(feature = "huawei")]
            Self::Huawei => provider_huawei::credentials::sources(config),
        }
    }

    /// The variables of the cloud's own tools that hold keys.
    #[cfg(feature = "config")]
    pub(super) fn variables(
        self,
        config: &CredentialSourceConfig,
    ) -> Vec<Box<dyn CredentialSource>> {
        #[cfg(feature = "huawei")]
        if self == Self::Huawei {
            return provider_huawei::credentials::variables(config);
        }
        let _ = config;
        vec![Box::new(EnvCredentialSource::new(self.profile().env_vars))]
    }

    /// The files of the cloud's own tools that hold keys.
    pub(super) fn files(self, config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
        match self {
            #[cfg(feature = "baidu")]
            Self::Baidu => provider_baidu::credentials::files(config),
            #[cfg(feature = "aliyun")]
            Self::Aliyun => provider_aliyun::credentials::files(config),
            #[cfg(feature = "zenlayer")]
            Self::Zenlayer => provider_zenlayer::credentials::files(config),
            #[cfg(feature = "huawei")]
            Self::Huawei => provider_huawei::credentials::files(config),
        }
    }

    /// Where the settings of the cloud's own tools send the calls of a region instead.
    pub(super) fn endpoint_from(
        self,
        region: &str,
        ctx: &ProviderContext<'_>,
    ) -> Result<Option<Endpoint>, Fault> {
        match self {
            #[cfg(feature = "baidu")]
            Self::Baidu => provider_baidu::endpoint_from(region, ctx),
            #[cfg(feature = "aliyun")]
            Self::Aliyun => provider_aliyun::endpoint_from(region, ctx),
            #[cfg(feature = "zenlayer")]
            Self::Zenlayer => provider_zenlayer::endpoint_from(region, ctx),
            #[cfg(feature = "huawei")]
            Self::Huawei => provider_huawei::endpoint_from(region, ctx),
        }
    }

    /// The name as references have it.
    pub fn as_str(self) -> &'static str {
        match self {
            #[cfg(feature = "baidu")]
            Self::Baidu => "baidu",
            #[cfg(feature = "aliyun")]
            Self::Aliyun => "aliyun",
            #[cfg(feature = "zenlayer")]
            Self::Zenlayer => "zenlayer",
            #[cfg(feature = "huawei")]
            Self::Huawei => "huawei",
        }
    }
}

/// Every cloud that some build may know.
const NAMES: [&str; 4] = ["baidu", "aliyun", "zenlayer", "huawei"];

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Cloud {
    type Err = ParseReferenceError;

    fn from_str(name: &str) -> Result<Self, ParseReferenceError> {
        if let Some(cloud) = Self::ALL.iter().find(|cloud| cloud.as_str() == name) {
            return Ok(*cloud);
        }
        Err(if NAMES.contains(&name) {
            ParseReferenceError::new(format!(
                "this build does not know {name}: compile it with the feature \"{name}\""
            ))
        } else {
            ParseReferenceError::new(format!(
                "there is no cloud {name:?}: write one of {}",
                NAMES.join(", ")
            ))
        })
    }
}
