//! The filters of the simulated `DescribeInstances`.
//!
//! Documented: the conditions combine with AND, `*` in a name, the errors of unknown states and lock
//! reasons, the names of the parameters. Inferred: at most 20 tags and at most 100 addresses.

use wildmatch::WildMatchPattern;

use super::{
    api_error::{self, ApiError},
    params::Params,
    record::{charge_type, instance_type, zone},
    status::{self, InstanceStatus, LOCK_REASONS, lock_reason},
    switches::{EmptyTagValue, Switches},
};
use crate::{
    IgnoredFilters,
    cloud_state::{CloudState, InstanceIndex},
};

/// The conditions of a filter; all conditions must be true.
#[derive(Default)]
pub(super) struct Filter<'a> {
    status: Option<InstanceStatus>,
    lock: Option<&'a str>,
    name: Option<NameFilter>,
    zone: Option<&'a str>,
    instance_type: Option<&'a str>,
    charge_type: Option<&'a str>,
    private_ips: Option<Vec<String>>,
    tags: Option<Vec<TagFilter<'a>>>,
}

/// A condition on a tag; without a value, the value does not count.
struct TagFilter<'a> {
    key: &'a str,
    value: Option<&'a str>,
}

/// Documented filters without simulation. The simulator refuses a filter instead of listing all
/// instances.
const UNSUPPORTED_FILTERS: [&str; 15] = [
    "DeviceAvailable",
    "EipAddresses",
    "HpcClusterId",
    "ImageId",
    "InnerIpAddresses",
    "InstanceNetworkType",
    "InstanceTypeFamily",
    "IoOptimized",
    "KeyPairName",
    "PublicIpAddresses",
    "RdmaIpAddresses",
    "ResourceGroupId",
    "SecurityGroupId",
    "VSwitchId",
    "VpcId",
];

impl<'a> Filter<'a> {
    /// Reads the filter of `DescribeInstanceStatus`. The other documented filter has no simulation.
    pub(super) fn by_zone(params: &'a Params) -> Result<Self, ApiError> {
        if params.text("ClusterId").is_some() {
            return Err(api_error::unsupported_filter("ClusterId"));
        }
        Ok(Self {
            zone: params.text("ZoneId"),
            ..Self::default()
        })
    }

    pub(super) fn read(params: &'a Params, switches: &Switches) -> Result<Self, ApiError> {
        let mut names = UNSUPPORTED_FILTERS.into_iter();
        if let Some(name) = names.find(|name| params.text(name).is_some()) {
            return Err(api_error::unsupported_filter(name));
        }
        if params.has_any("Filter.") {
            return Err(api_error::unsupported_filter("Filter.N"));
        }
        let status = params.text("Status").map(|word| {
            InstanceStatus::ALL
                .into_iter()
                .find(|status| status.as_str() == word)
                .ok_or(api_error::NO_STATUS)
        });
        let lock = params.text("LockReason");
        if lock.is_some_and(|word| !LOCK_REASONS.contains(&word)) {
            return Err(api_error::NO_LOCK_REASON);
        }
        let private_ips = params.json_ids("PrivateIpAddresses")?;
        if private_ips.as_ref().is_some_and(|all| all.len() > 100) {
            return Err(api_error::invalid("PrivateIpAddresses"));
        }
        let name = params.text("InstanceName");
        let ignored = switches.ignored_filters;
        Ok(Self {
            status: ignored.keep(IgnoredFilters::States, status.transpose()?),
            lock: ignored.keep(IgnoredFilters::All, lock),
            name: ignored.keep(
                IgnoredFilters::Names,
                name.map(|name| NameFilter::new(name, switches)),
            ),
            zone: ignored.keep(IgnoredFilters::All, params.text("ZoneId")),
            instance_type: ignored.keep(IgnoredFilters::All, params.text("InstanceType")),
            charge_type: ignored.keep(IgnoredFilters::All, params.text("InstanceChargeType")),
            private_ips: ignored.keep(IgnoredFilters::All, private_ips),
            tags: ignored.keep(IgnoredFilters::Tags, read_tags(params, switches)?),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.status.is_none()
            && self.lock.is_none()
            && self.name.is_none()
            && self.zone.is_none()
            && self.instance_type.is_none()
            && self.charge_type.is_none()
            && self.private_ips.is_none()
            && self.tags.is_none()
    }

    pub(super) fn matches(&self, cloud: &CloudState, index: InstanceIndex) -> bool {
        if self.is_empty() {
            return true;
        }
        let details = cloud.details(index);
        let has_tag = |tag: &TagFilter<'_>| {
            let found = details.tag(tag.key);
            found.is_some() && tag.value.is_none_or(|value| found == Some(value))
        };
        self.status
            .is_none_or(|status| status::observed(cloud, index) == status)
            && self
                .lock
                .is_none_or(|lock| lock_reason(cloud.instance(index).impairment) == Some(lock))
            && self.zone.is_none_or(|wanted| zone(cloud, index) == wanted)
            && self
                .instance_type
                .is_none_or(|wanted| instance_type(&details) == wanted)
            && self
                .charge_type
                .is_none_or(|wanted| charge_type(cloud, index) == wanted)
            && self
                .tags
                .as_ref()
                .is_none_or(|tags| tags.iter().all(has_tag))
            && self
                .private_ips
                .as_ref()
                .is_none_or(|wanted| details.private_ips().iter().any(|ip| wanted.contains(ip)))
            && self
                .name
                .as_ref()
                .is_none_or(|name| name.matches(&details.name()))
    }
}

/// Reads `Tag.1.Key` and `Tag.1.Value`.
fn read_tags<'a>(
    params: &'a Params,
    switches: &Switches,
) -> Result<Option<Vec<TagFilter<'a>>>, ApiError> {
    let keys = params.numbered("Tag.", ".Key");
    if keys.len() > 20 {
        return Err(api_error::invalid("Tag"));
    }
    let values = params.numbered("Tag.", ".Value");
    let value_of = |number: u32| {
        let (_, value) = values.iter().find(|(known, _)| *known == number)?;
        let counts = !value.is_empty() || switches.empty_tag_value == EmptyTagValue::Empty;
        counts.then_some(*value)
    };
    let tags: Vec<_> = keys
        .iter()
        .map(|(number, key)| TagFilter {
            key,
            value: value_of(*number),
        })
        .collect();
    Ok((!tags.is_empty()).then_some(tags))
}

/// A name, in which `*` stands for any characters.
struct NameFilter {
    pattern: WildMatchPattern<'*', '\0'>,
    ignores_case: bool,
}

impl NameFilter {
    fn new(name: &str, switches: &Switches) -> Self {
        let is_part = switches.names_match_parts && !name.contains('*');
        let name = match is_part {
            true => format!("*{name}*"),
            false => name.to_owned(),
        };
        let ignores_case = switches.names_ignore_case;
        Self {
            pattern: WildMatchPattern::new(&match ignores_case {
                true => name.to_lowercase(),
                false => name,
            }),
            ignores_case,
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self.ignores_case {
            true => self.pattern.matches(&name.to_lowercase()),
            false => self.pattern.matches(name),
        }
    }
}
