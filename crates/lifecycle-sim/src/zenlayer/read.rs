//! The simulated Zenlayer operations `DescribeInstancesStatus` and `DescribeInstances`.

use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{
    IgnoredFilters,
    cloud_state::{CloudState, InstanceIndex, RegionScope},
    request::ReceivedRequest,
    response::Response,
};

use super::{
    MAX_IDS,
    api_error::{self, ApiError, request_id, success},
    power, read_body,
    record::{InstanceRow, RESOURCE_GROUP, created_at, instance_type, status, zone},
    switches::{IdsPage, RowOrder, SeveralTags, UnknownInDescribe},
};

const DEFAULT_PAGE_SIZE: i64 = 20;
const MAX_PAGE_SIZE: i64 = 1000;

/// The kind of rows in a describe call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKind {
    /// Id and status.
    Status,
    /// The complete instance.
    Full,
}

/// The body of both calls. Every field is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DescribeRequest {
    instance_ids: Option<Vec<String>>,
    zone_id: Option<String>,
    status: Option<String>,
    name: Option<String>,
    resource_group_id: Option<String>,
    page_size: Option<i64>,
    page_num: Option<i64>,
    ipv4_address: Option<String>,
    instance_type: Option<String>,
    tag_keys: Option<Vec<String>>,
    tags: Option<Vec<Tag>>,
    // Documented filters without simulation.
    image_id: Option<IgnoredAny>,
    ipv6_address: Option<IgnoredAny>,
    instance_type_series: Option<IgnoredAny>,
}

/// A condition on a tag. A missing value is an empty value (inferred).
#[derive(Debug, Deserialize)]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

/// The maximum number of tags and of keys in the filters. Documented.
const MAX_TAGS: usize = 20;

/// Returns a page of the matching instances.
pub(super) fn describe(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
    rows: RowKind,
) -> Result<Response, ApiError> {
    let mut query: DescribeRequest = read_body(request)?;
    query.check(rows)?;
    query.drop_ignored_filters(cloud.switches.zenlayer.ignored_filters);
    let (skipped, size) = query.page(cloud)?;
    let (found, total) = match &query.instance_ids {
        Some(ids) => query.named(cloud, scope, ids, (skipped, size))?,
        None if query.has_filters() => {
            let fits = |index: &InstanceIndex| query.matches(cloud, *index);
            let total = cloud.list(scope, None).filter(fits).count();
            let fitting = cloud.list(scope, None).filter(fits);
            (fitting.skip(skipped).take(size).collect(), total)
        }
        None => (
            cloud.list(scope, None).skip(skipped).take(size).collect(),
            cloud.count(scope),
        ),
    };
    Ok(page(cloud, found, total, rows))
}

/// Returns the number of ids in the body, for the ledger, or `None` for a body without ids.
pub(super) fn named_ids(request: &ReceivedRequest) -> Option<usize> {
    let query: DescribeRequest = read_body(request).ok()?;
    query.instance_ids.map(|ids| ids.len())
}

impl DescribeRequest {
    fn check(&self, rows: RowKind) -> Result<(), ApiError> {
        // The simulator refuses a filter instead of listing all instances.
        if rows == RowKind::Status && self.has_filters() {
            return Err(api_error::NO_STATUS_FILTER);
        }
        if self.image_id.is_some()
            || self.ipv6_address.is_some()
            || self.instance_type_series.is_some()
        {
            return Err(api_error::UNSUPPORTED_FILTER);
        }
        let tags = self.tags.as_ref().map_or(0, Vec::len);
        let keys = self.tag_keys.as_ref().map_or(0, Vec::len);
        if tags > MAX_TAGS || keys > MAX_TAGS {
            return Err(api_error::TOO_MANY);
        }
        if self
            .instance_ids
            .as_ref()
            .is_some_and(|ids| ids.len() > MAX_IDS)
        {
            return Err(api_error::TOO_MANY);
        }
        if self
            .resource_group_id
            .as_deref()
            .is_some_and(|group| group != RESOURCE_GROUP)
        {
            return Err(api_error::NO_SUCH_GROUP);
        }
        Ok(())
    }

    fn drop_ignored_filters(&mut self, ignored: IgnoredFilters) {
        self.zone_id = ignored.keep(IgnoredFilters::All, self.zone_id.take());
        self.ipv4_address = ignored.keep(IgnoredFilters::All, self.ipv4_address.take());
        self.instance_type = ignored.keep(IgnoredFilters::All, self.instance_type.take());
        self.status = ignored.keep(IgnoredFilters::States, self.status.take());
        self.name = ignored.keep(IgnoredFilters::Names, self.name.take());
        self.tag_keys = ignored.keep(IgnoredFilters::Tags, self.tag_keys.take());
        self.tags = ignored.keep(IgnoredFilters::Tags, self.tags.take());
    }

    /// Returns the number of skipped rows and the page size. The limits are documented.
    fn page(&self, cloud: &CloudState) -> Result<(usize, usize), ApiError> {
        let all_ids = self.instance_ids.is_some()
            && cloud.switches.zenlayer.ids_page == IdsPage::All
            && self.page_size.is_none();
        let size = if all_ids {
            MAX_PAGE_SIZE
        } else {
            self.page_size.unwrap_or(DEFAULT_PAGE_SIZE)
        };
        let number = self.page_num.unwrap_or(1);
        if size > MAX_PAGE_SIZE {
            return Err(api_error::TOO_LARGE);
        }
        let (Ok(size), Ok(before)) = (
            usize::try_from(size),
            usize::try_from(number.saturating_sub(1)),
        ) else {
            return Err(api_error::TOO_SMALL);
        };
        if size == 0 {
            return Err(api_error::TOO_SMALL);
        }
        Ok((before.saturating_mul(size), size))
    }

    /// Returns the page of the named instances that exist and match, and the number of these instances.
    fn named(
        &self,
        cloud: &CloudState,
        scope: RegionScope,
        ids: &[String],
        (skipped, size): (usize, usize),
    ) -> Result<(Vec<InstanceIndex>, usize), ApiError> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            match cloud.find(scope, id) {
                Some(index) => found.push(index),
                None if cloud.switches.zenlayer.unknown_in_describe
                    == UnknownInDescribe::Refused =>
                {
                    return Err(power::unknown_id(cloud));
                }
                None => {}
            }
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|index| self.matches(cloud, *index));
        let total = found.len();
        Ok((found.into_iter().skip(skipped).take(size).collect(), total))
    }

    fn has_filters(&self) -> bool {
        self.zone_id.is_some()
            || self.status.is_some()
            || self.name.is_some()
            || self.ipv4_address.is_some()
            || self.instance_type.is_some()
            || self.tag_keys.is_some()
            || self.tags.is_some()
    }

    /// Applies the filters, which combine with AND (inferred).
    fn matches(&self, cloud: &CloudState, index: InstanceIndex) -> bool {
        if !self.has_filters() {
            return true;
        }
        let details = cloud.details(index);
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == value)
        };
        let has_address = |wanted: &String| {
            details.private_ips().contains(wanted) || details.public_ips().contains(wanted)
        };
        is(&self.zone_id, &zone(cloud, index))
            && is(&self.status, status(cloud, index))
            && is(&self.instance_type, instance_type(&details))
            && self.ipv4_address.as_ref().is_none_or(has_address)
            && self.matches_tags(cloud, index)
            && self.name.as_ref().is_none_or(|part| {
                let name = details.name();
                match cloud.switches.zenlayer.names_ignore_case {
                    true => name.to_lowercase().contains(&part.to_lowercase()),
                    false => name.contains(part.as_str()),
                }
            })
    }

    /// Applies the filters by tags and by keys of tags. A switch decides about several of one kind. An
    /// empty list has no effect (inferred).
    fn matches_tags(&self, cloud: &CloudState, index: InstanceIndex) -> bool {
        let details = cloud.details(index);
        let combined = |met: Vec<bool>| match cloud.switches.zenlayer.several_tags {
            SeveralTags::All => met.iter().all(|met| *met),
            SeveralTags::Any => met.is_empty() || met.contains(&true),
        };
        let keys = self.tag_keys.iter().flatten();
        let tags = self.tags.iter().flatten();
        combined(keys.map(|key| details.tag(key).is_some()).collect())
            && combined(
                tags.map(|tag| details.tag(&tag.key) == Some(&tag.value))
                    .collect(),
            )
    }
}

fn page(
    cloud: &mut CloudState,
    mut found: Vec<InstanceIndex>,
    total_count: usize,
    rows: RowKind,
) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct DescribeResponse<T> {
        total_count: usize,
        data_set: Vec<T>,
    }
    if cloud.switches.zenlayer.order == RowOrder::Reversed {
        found.reverse();
    }
    let request_id = request_id(cloud);
    let created_at = created_at(cloud);
    let found = found.into_iter();
    match rows {
        RowKind::Status => {
            let data_set = found.map(|index| StatusRow::of(cloud, index)).collect();
            success(
                &request_id,
                &DescribeResponse {
                    total_count,
                    data_set,
                },
            )
        }
        RowKind::Full => {
            let data_set = found
                .map(|index| InstanceRow::of(cloud, index, &created_at))
                .collect();
            success(
                &request_id,
                &DescribeResponse {
                    total_count,
                    data_set,
                },
            )
        }
    }
}

/// A row with the status. The field is `instanceStatus` here and `status` in complete rows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusRow<'a> {
    instance_id: &'a str,
    instance_status: &'static str,
}

impl<'a> StatusRow<'a> {
    fn of(cloud: &'a CloudState, index: InstanceIndex) -> Self {
        Self {
            instance_id: cloud.instance(index).id(),
            instance_status: status(cloud, index),
        }
    }
}
