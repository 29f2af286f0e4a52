//! The sections `[accounts.NAME]`.

use std::collections::BTreeMap;

use lifecycle_core::Endpoint;
use toml::de::DeTable;

use super::{
    credentials::CredentialConfig,
    findings::Findings,
    known::{self, CloudName},
    secret,
    section::{Found, Section},
    value,
};

/// One account of one cloud. `None` leaves it to the cloud's own rules.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AccountConfig {
    /// Whose account it is. This build may not know that cloud: see
    /// [`in_this_build`](CloudName::in_this_build).
    pub cloud: CloudName,
    /// The region of requests that name none, in the cloud's own words.
    pub region: Option<String>,
    /// Where the cloud's machines are switched.
    pub endpoint: Option<Endpoint>,
    /// Where the cloud hands out temporary keys: STS or IAM.
    pub identity_endpoint: Option<Endpoint>,
    /// Where a machine of the cloud asks for its own keys.
    pub metadata_endpoint: Option<Endpoint>,
    /// The project id, on Huawei.
    pub project: Option<String>,
    /// The enterprise project id, on Huawei.
    pub enterprise_project: Option<String>,
    /// Which of the cloud's addresses are used, on Alibaba.
    pub network: Option<NetworkConfig>,
    /// How fast calls may be sent.
    pub pace: PaceConfig,
    /// Where its keys come from.
    pub credentials: CredentialConfig,
}

/// Which addresses of a cloud are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkConfig {
    /// Those that the whole internet reaches.
    Public,
    /// Those within a VPC of the same region.
    Vpc,
}

/// How fast calls may be sent. `None` leaves it at the cloud's own pace.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PaceConfig {
    /// Observations, lists and jobs, in calls a second; finite and above 0.
    pub reads: Option<f64>,
    /// Power actions, in calls a second; finite and above 0.
    pub writes: Option<f64>,
}

/// All accounts that can be read.
pub(super) fn read_all(
    accounts: &DeTable<'_>,
    findings: &Findings,
) -> BTreeMap<String, AccountConfig> {
    let mut read = BTreeMap::new();
    for (key, value) in accounts {
        let name = key.get_ref();
        let found =
            |problem| findings.add(key.span(), format!("{name:?} in [accounts]: {problem}"));
        if let Some(table) = value.get_ref().as_table() {
            bad_name(name).into_iter().for_each(found);
            let account = AccountConfig::read(Found { key, table }, findings);
            read.extend(account.map(|account| (name.to_string(), account)));
        } else if secret::is_name_of_one(name) {
            found(secret::INSTEAD);
        } else {
            found("write [accounts.NAME] above the settings of an account");
        }
    }
    read
}

/// What is wrong with the name of an account or a group.
pub(super) fn bad_name(name: &str) -> Option<&'static str> {
    let is_word = name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !is_word {
        return Some("a name begins with a letter or digit and has letters, digits, - and _");
    }
    CloudName::ALL
        .iter()
        .any(|cloud| cloud.as_str() == name)
        .then_some("a cloud has this name, so references could mean either: take another one")
}

impl AccountConfig {
    /// `None` when there is no cloud, which was found then.
    fn read(found: Found<'_>, findings: &Findings) -> Option<Self> {
        let title = format!("[accounts.{}]", found.key.get_ref());
        let section = Section::open(findings, title, found.table, known::ACCOUNT);
        let cloud = section.required(found.key.span(), "cloud", value::cloud);
        if let Some(cloud) = cloud {
            section.only_what_has(cloud);
        }
        Some(Self {
            region: section.take("region", value::text),
            endpoint: section.take("endpoint", value::endpoint),
            identity_endpoint: section.take("identity_endpoint", value::endpoint),
            metadata_endpoint: section.take("metadata_endpoint", value::endpoint),
            project: section.take("project", value::text),
            enterprise_project: section.take("enterprise_project", value::text),
            network: section.take("network", value::network),
            pace: PaceConfig::read(&section, findings),
            credentials: CredentialConfig::of_account(&section, cloud, findings),
            // Last, so that whatever else is wrong is found as well.
            cloud: cloud?,
        })
    }
}

impl PaceConfig {
    fn read(account: &Section<'_>, findings: &Findings) -> Self {
        let Some(found) = account.table("pace") else {
            return Self::default();
        };
        let title = format!("pace of {}", account.title());
        let section = Section::open(findings, title, found.table, known::PACE);
        Self {
            reads: section.take("reads", value::rate),
            writes: section.take("writes", value::rate),
        }
    }
}
