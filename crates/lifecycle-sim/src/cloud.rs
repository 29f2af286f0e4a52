//! `Cloud`: the four simulated clouds and their names.

use std::{fmt, str::FromStr};

use crate::{aliyun, baidu, cloud_api::CloudApi, huawei, zenlayer};

/// A simulated cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Cloud {
    /// Baidu AI Cloud BCC.
    Baidu,
    /// Alibaba Cloud ECS.
    Aliyun,
    /// Zenlayer Elastic Compute (ZEC).
    Zenlayer,
    /// Huawei Cloud ECS.
    Huawei,
}

impl Cloud {
    /// All clouds.
    pub const ALL: [Self; 4] = [Self::Baidu, Self::Aliyun, Self::Zenlayer, Self::Huawei];

    /// Returns the name in references and fleet specifications, such as `aliyun`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baidu => "baidu",
            Self::Aliyun => "aliyun",
            Self::Zenlayer => "zenlayer",
            Self::Huawei => "huawei",
        }
    }

    pub(crate) fn api(self) -> &'static dyn CloudApi {
        match self {
            Self::Baidu => &baidu::Baidu,
            Self::Aliyun => &aliyun::Aliyun,
            Self::Zenlayer => &zenlayer::Zenlayer,
            Self::Huawei => &huawei::Huawei,
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Cloud {
    type Err = UnknownCloud;

    fn from_str(text: &str) -> Result<Self, UnknownCloud> {
        Self::ALL
            .into_iter()
            .find(|cloud| cloud.as_str() == text)
            .ok_or_else(|| UnknownCloud(text.to_owned()))
    }
}

/// The name of a cloud that is not simulated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown cloud {0:?}; known clouds: baidu, aliyun, zenlayer, huawei")]
pub struct UnknownCloud(String);
