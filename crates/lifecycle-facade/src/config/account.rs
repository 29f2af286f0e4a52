//! Reads the sections `[accounts.NAME]` of the configuration file.

use std::collections::BTreeMap;

use lifecycle_core::Endpoint;
use toml::de::DeTable;

use super::{
    cloud_name::CloudName,
    credential_reader,
    credentials::CredentialConfig,
    name::name_problem,
    schema::{ACCOUNT, PACE, Scope},
    secret,
    section::{Document, Section, TableEntry},
    value,
};
use crate::cloud::EndpointNetwork;

/// One account of one cloud. `None` leaves a setting to the cloud's default.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AccountConfig {
    /// The cloud. This build may lack the cloud: see [`in_this_build`](CloudName::in_this_build).
    pub cloud: CloudName,
    /// The region of requests without a region, as named by the cloud.
    pub region: Option<String>,
    /// The endpoint of the compute service.
    pub endpoint: Option<Endpoint>,
    /// The endpoint of the service for temporary keys: STS or IAM.
    pub identity_endpoint: Option<Endpoint>,
    /// The endpoint of the metadata service of an instance.
    pub metadata_endpoint: Option<Endpoint>,
    /// The project ID, on clouds with projects.
    pub project: Option<String>,
    /// The enterprise project (企业项目) ID, on clouds with enterprise projects.
    pub enterprise_project: Option<String>,
    /// Reboots several instances in one call, on clouds with this choice.
    pub batch_reboot: Option<bool>,
    /// The network over which the cloud is reached.
    pub network: Option<EndpointNetwork>,
    /// The rate limits.
    pub pace: PaceConfig,
    /// The source of the keys.
    pub credentials: CredentialConfig,
}

/// The rate limits of an account. `None` leaves a rate to the cloud's default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PaceConfig {
    /// Observations, lists and jobs, in calls per second; finite and above 0.
    pub reads: Option<f64>,
    /// Power actions, in calls per second; finite and above 0.
    pub writes: Option<f64>,
}

/// Reads all accounts. Leaves out accounts without a valid cloud.
pub(super) fn read_all(
    accounts: &DeTable<'_>,
    document: Document<'_>,
) -> BTreeMap<String, AccountConfig> {
    let mut read = BTreeMap::new();
    for (key, value) in accounts {
        let name = key.get_ref();
        let report = |problem| {
            let message = format!("{name:?} in [accounts]: {problem}");
            document.diagnostics.add(key.span(), message);
        };
        if let Some(table) = value.get_ref().as_table() {
            name_problem(name, document.clouds)
                .into_iter()
                .for_each(report);
            let account = AccountConfig::read(TableEntry { key, table }, document);
            read.extend(account.map(|account| (name.to_string(), account)));
        } else if secret::is_secret_name(name) {
            report(secret::NOT_IN_THIS_FILE);
        } else {
            report("write [accounts.NAME] above the settings of an account");
        }
    }
    read
}

impl AccountConfig {
    /// Returns `None` if the cloud is absent or invalid.
    fn read(found: TableEntry<'_>, document: Document<'_>) -> Option<Self> {
        let title = format!("[accounts.{}]", found.key.get_ref());
        let section = document.open(title, found.table, ACCOUNT);
        let cloud = section.required(found.key.span(), "cloud", |cloud| {
            value::cloud(cloud, document.clouds)
        });
        if let Some(cloud) = cloud {
            section.report_settings_not_on(cloud, Scope::Account);
        }
        Some(Self {
            region: section.take("region", value::text),
            endpoint: section.take("endpoint", value::endpoint),
            identity_endpoint: section.take("identity_endpoint", value::endpoint),
            metadata_endpoint: section.take("metadata_endpoint", value::endpoint),
            project: section.take("project", value::text),
            enterprise_project: section.take("enterprise_project", value::text),
            batch_reboot: section.take("batch_reboot", value::flag),
            network: section.take("network", value::network),
            pace: PaceConfig::read(&section),
            credentials: credential_reader::read(&section, cloud),
            // Comes last, so that the other settings are checked without a cloud too.
            cloud: cloud?,
        })
    }
}

impl PaceConfig {
    fn read(account: &Section<'_>) -> Self {
        let Some(found) = account.table("pace") else {
            return Self::default();
        };
        let title = format!("pace of {}", account.title());
        let section = account.document().open(title, found.table, PACE);
        Self {
            reads: section.take("reads", value::rate),
            writes: section.take("writes", value::rate),
        }
    }
}
