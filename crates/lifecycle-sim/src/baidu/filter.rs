//! The filters of the simulated list of Baidu.
//!
//! Documented: filters combine with AND, the values of one filter with OR; `fuzzyInstanceName` does not
//! combine with `instanceNames`; a tag is `key:value` or `key`. Inferred: the errors.

use crate::{
    IgnoredFilters,
    cloud_state::{CloudState, InstanceIndex},
    request::ReceivedRequest,
};

use super::{
    MAX_IDS,
    api_error::{self, ApiError},
    record::{first, payment_timing, status, zone},
    switches::{OtherStatuses, Switches, TagColon},
};

/// The conditions of a list.
pub(super) struct ListFilter {
    ids: Option<Vec<String>>,
    names: Option<Vec<String>>,
    name_part: Option<String>,
    /// Key and value; without a value, the value does not count.
    tags: Option<Vec<(String, Option<String>)>>,
    statuses: Option<Vec<String>>,
    payments: Option<Vec<String>>,
    zone: Option<String>,
    internal_ip: Option<String>,
    ignores_case: bool,
}

/// Documented filters without simulation. The simulator refuses a filter instead of listing all
/// instances. The Go SDK spells `dedicatedHostId` in another way.
const UNSUPPORTED_FILTERS: [&str; 12] = [
    "autoRenew",
    "cdsIds",
    "dedicateHostId",
    "dedicatedHostId",
    "deploySetIds",
    "ehcClusterId",
    "ipv6Addresses",
    "keypairId",
    "privateIps",
    "securityGroupIds",
    "volumeIds",
    "vpcId",
];

/// The states of the filter in the documents.
const DOCUMENTED_STATUSES: [&str; 5] = ["Recycled", "Running", "Starting", "Stopped", "Stopping"];

impl ListFilter {
    pub(super) fn read(request: &ReceivedRequest, switches: &Switches) -> Result<Self, ApiError> {
        let text = |name: &str| request.parameter(name).filter(|text| !text.is_empty());
        let mut unsupported = UNSUPPORTED_FILTERS.into_iter();
        if let Some(name) = unsupported.find(|name| text(name).is_some()) {
            return Err(api_error::unsupported_filter(name));
        }
        let several = |key: &str| -> Result<Option<Vec<String>>, ApiError> {
            let Some(text) = request.parameter(key) else {
                return Ok(None);
            };
            let values: Vec<String> = text.split(',').map(str::to_owned).collect();
            if values.len() > MAX_IDS {
                return Err(api_error::BAD_REQUEST);
            }
            Ok(Some(values))
        };
        let names = several("instanceNames")?;
        let name_part = text("fuzzyInstanceName");
        if names.is_some() && name_part.is_some() {
            return Err(api_error::BAD_REQUEST);
        }
        let tags = several("tags")?.map(|tags| {
            let tags = tags.iter().map(|tag| split_tag(tag, switches.tag_colon));
            tags.collect()
        });
        let ignored = switches.ignored_filters;
        Ok(Self {
            ids: several("instanceIds")?,
            names: ignored.keep(IgnoredFilters::Names, names),
            name_part: ignored.keep(IgnoredFilters::Names, name_part),
            tags: ignored.keep(IgnoredFilters::Tags, tags),
            statuses: ignored.keep(
                IgnoredFilters::States,
                read_statuses(several("status")?, switches.other_statuses)?,
            ),
            payments: ignored.keep(IgnoredFilters::All, several("paymentTiming")?),
            zone: ignored.keep(IgnoredFilters::All, text("zoneName")),
            internal_ip: ignored.keep(IgnoredFilters::All, text("internalIp")),
            ignores_case: switches.names_ignore_case,
        })
    }

    pub(super) fn matches(&self, cloud: &CloudState, index: InstanceIndex) -> bool {
        let details = cloud.details(index);
        let has = |wanted: &Option<Vec<String>>, value: &str| {
            wanted
                .as_ref()
                .is_none_or(|wanted| wanted.iter().any(|one| one == value))
        };
        let has_tag = |(key, value): &(String, Option<String>)| {
            let found = details.tag(key);
            found.is_some() && (value.is_none() || value.as_deref() == found)
        };
        has(&self.ids, cloud.instance(index).id())
            && has(&self.statuses, status(cloud, index))
            && has(&self.payments, payment_timing(&details))
            && self
                .zone
                .as_ref()
                .is_none_or(|wanted| zone(cloud, index) == wanted.as_str())
            && self
                .internal_ip
                .as_ref()
                .is_none_or(|wanted| first(details.private_ips()) == *wanted)
            && self
                .tags
                .as_ref()
                .is_none_or(|tags| tags.iter().any(has_tag))
            && self.matches_name(|| details.name().into_owned())
    }

    fn matches_name(&self, name: impl Fn() -> String) -> bool {
        if self.names.is_none() && self.name_part.is_none() {
            return true;
        }
        let folded = |text: &str| match self.ignores_case {
            true => text.to_lowercase(),
            false => text.to_owned(),
        };
        let name = folded(&name());
        self.names
            .as_ref()
            .is_none_or(|names| names.iter().any(|wanted| folded(wanted) == name))
            && self
                .name_part
                .as_ref()
                .is_none_or(|part| name.contains(&folded(part)))
    }
}

fn split_tag(tag: &str, colon: TagColon) -> (String, Option<String>) {
    let parts = match colon {
        TagColon::First => tag.split_once(':'),
        TagColon::Last => tag.rsplit_once(':'),
    };
    match parts {
        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
        None => (tag.to_owned(), None),
    }
}

fn read_statuses(
    wanted: Option<Vec<String>>,
    others: OtherStatuses,
) -> Result<Option<Vec<String>>, ApiError> {
    let has_others = wanted
        .iter()
        .flatten()
        .any(|status| !DOCUMENTED_STATUSES.contains(&status.as_str()));
    match others {
        OtherStatuses::Refused if has_others => Err(api_error::BAD_REQUEST),
        _ => Ok(wanted),
    }
}
