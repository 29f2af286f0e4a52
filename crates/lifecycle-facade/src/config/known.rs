//! Every setting there is, in one table.
//!
//! What is read and what is refused is checked against it, and so is the sample: a setting that
//! is missing here is in neither.

use std::fmt;

/// A cloud by its name in references. It need not be one that this build knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloudName(&'static str);

const BAIDU: CloudName = CloudName("baidu");
const ALIYUN: CloudName = CloudName("aliyun");
const ZENLAYER: CloudName = CloudName("zenlayer");
const HUAWEI: CloudName = CloudName("huawei");

impl CloudName {
    /// Every cloud that some build may know.
    pub const ALL: &'static [Self] = &[BAIDU, ALIYUN, ZENLAYER, HUAWEI];

    pub(super) const BAIDU: Self = BAIDU;
    pub(super) const HUAWEI: Self = HUAWEI;

    /// The name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The cloud, in a build that was compiled with it.
    ///
    /// # Errors
    /// [`ParseReferenceError`](crate::BadReference) says which feature is missing.
    #[cfg(any(
        feature = "baidu",
        feature = "aliyun",
        feature = "zenlayer",
        feature = "huawei"
    ))]
    pub fn in_this_build(self) -> Result<crate::Cloud, crate::ParseReferenceError> {
        self.0.parse()
    }
}

impl fmt::Display for CloudName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Debug for CloudName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// One setting.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    /// The clouds that have it.
    pub(super) clouds: &'static [CloudName],
}

/// One source of keys, and the settings beside `source` that it takes.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: &'static str,
    pub(super) kind: SourceKind,
    /// The clouds that have it.
    pub(super) clouds: &'static [CloudName],
    pub(super) settings: &'static [Setting],
}

/// What [`CredentialConfig`](super::CredentialConfig) a source becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceKind {
    Default,
    Environment,
    File,
    EnvCredentialSource,
    Metadata,
    Oidc,
    Uri,
    AssumeRole,
    SessionToken,
    Password,
}

pub(super) const TOP: &[Setting] = &[every("defaults"), every("accounts"), every("groups")];

pub(super) const DEFAULTS: &[Setting] = &[
    every("timeout"),
    every("attempt_timeout"),
    every("connect_timeout"),
    every("waves"),
    every("stop_after"),
    every("max"),
    every("ca_certificates"),
    every("plain_http"),
];

pub(super) const ACCOUNT: &[Setting] = &[
    every("cloud"),
    every("region"),
    every("endpoint"),
    only("identity_endpoint", &[BAIDU, ALIYUN, HUAWEI]),
    only("metadata_endpoint", &[ALIYUN, HUAWEI]),
    only("project", &[HUAWEI]),
    only("enterprise_project", &[HUAWEI]),
    only("network", &[ALIYUN]),
    every("pace"),
    every("credentials"),
];

pub(super) const PACE: &[Setting] = &[every("reads"), every("writes")];

/// What stands beside the settings of each source.
pub(super) const CREDENTIALS: &[Setting] = &[every("source")];

pub(super) const SOURCES: &[Source] = &[
    Source {
        name: "default",
        kind: SourceKind::Default,
        clouds: CloudName::ALL,
        settings: &[every("profile")],
    },
    Source {
        name: "environment",
        kind: SourceKind::Environment,
        clouds: CloudName::ALL,
        settings: &[],
    },
    Source {
        name: "file",
        kind: SourceKind::File,
        clouds: CloudName::ALL,
        settings: &[every("profile")],
    },
    Source {
        name: "variables",
        kind: SourceKind::EnvCredentialSource,
        clouds: CloudName::ALL,
        settings: &[
            every("id"),
            every("secret"),
            only("session", &[BAIDU, ALIYUN, HUAWEI]),
            only("token", &[ZENLAYER, HUAWEI]),
        ],
    },
    Source {
        name: "metadata",
        kind: SourceKind::Metadata,
        clouds: &[ALIYUN, HUAWEI],
        settings: &[only("role", &[ALIYUN])],
    },
    Source {
        name: "oidc",
        kind: SourceKind::Oidc,
        clouds: &[ALIYUN, HUAWEI],
        settings: &[],
    },
    Source {
        name: "uri",
        kind: SourceKind::Uri,
        clouds: &[ALIYUN],
        settings: &[every("uri")],
    },
    Source {
        name: "assume-role",
        kind: SourceKind::AssumeRole,
        clouds: &[BAIDU, ALIYUN, HUAWEI],
        settings: &[
            every("role"),
            only("account_id", &[BAIDU]),
            only("domain", &[HUAWEI]),
            only("session_name", &[ALIYUN]),
            only("external_id", &[ALIYUN]),
            every("duration"),
            every("from"),
        ],
    },
    Source {
        name: "session-token",
        kind: SourceKind::SessionToken,
        clouds: &[BAIDU],
        settings: &[every("duration"), every("from")],
    },
    Source {
        name: "password",
        kind: SourceKind::Password,
        clouds: &[HUAWEI],
        settings: &[every("user"), every("domain"), every("password_variable")],
    },
];

/// Where else a setting of this name belongs; nothing when it is nowhere.
pub(super) fn homes(name: &str) -> Vec<String> {
    let has = |settings: &[Setting]| settings.iter().any(|setting| setting.name == name);
    let sections = [
        ("[defaults]", DEFAULTS),
        ("[accounts.NAME]", ACCOUNT),
        ("pace of [accounts.NAME]", PACE),
        ("credentials of [accounts.NAME]", CREDENTIALS),
    ];
    let sections = sections
        .iter()
        .filter(|(_, settings)| has(settings))
        .map(|(title, _)| (*title).to_owned());
    let sources = SOURCES
        .iter()
        .filter(|source| has(source.settings))
        .map(|source| format!("credentials with source = {:?}", source.name));
    sections.chain(sources).collect()
}

const fn every(name: &'static str) -> Setting {
    only(name, CloudName::ALL)
}

const fn only(name: &'static str, clouds: &'static [CloudName]) -> Setting {
    Setting { name, clouds }
}
