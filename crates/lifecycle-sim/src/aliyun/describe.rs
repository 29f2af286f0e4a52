//! The simulated Alibaba operations `DescribeInstances` and `DescribeInstanceStatus`.
//!
//! Documented: both kinds of paging, filters, fields and formats, `[]` as a filter without a match,
//! an empty page beyond the end. Inferred: `DescribeInstanceStatus` rejects page sizes out of
//! range.

use lifecycle_core::encode::hex;
use serde::Serialize;

use super::{
    api_error::{self, ApiError},
    envelope::Envelope,
    filter::Filter,
    named_region,
    params::Params,
    record::InstanceRecord,
    status,
};
use crate::{
    cloud_state::{CloudState, InstanceIndex, RegionScope},
    response::Response,
};

/// Handles `DescribeInstanceStatus`: up to 100 ids, but at most 50 rows on a page, 10 by default.
pub(super) fn statuses(
    cloud: &CloudState,
    params: &Params,
    scope: RegionScope,
    envelope: &Envelope,
) -> Result<Response, ApiError> {
    let scope = named_region(cloud, params, scope)?;
    let number = params.number("PageNumber", 1, 1, usize::MAX)?;
    let size = params.number("PageSize", 10, 1, 50)?;
    let ids = params.members("InstanceId");
    if ids.len() > 100 {
        return Err(api_error::invalid("InstanceId"));
    }
    let candidates = if ids.is_empty() {
        Candidates::All(scope)
    } else {
        Candidates::Some(named_statuses(cloud, scope, &ids)?)
    };
    let filter = Filter::by_zone(params)?;
    let page = candidates.page(cloud, &filter, number, size);
    let rows = page
        .members
        .iter()
        .map(|index| StatusRow {
            instance_id: cloud.instance(*index).id(),
            status: status::observed(cloud, *index).as_str(),
        })
        .collect();
    Ok(envelope.success(&Statuses {
        instance_statuses: StatusList {
            instance_status: rows,
        },
        total_count: page.total,
        page_number: number,
        page_size: size,
    }))
}

/// Handles `DescribeInstances`.
pub(super) fn instances(
    cloud: &CloudState,
    params: &Params,
    scope: RegionScope,
    envelope: &Envelope,
) -> Result<Response, ApiError> {
    let scope = named_region(cloud, params, scope)?;
    let filter = Filter::read(params, &cloud.switches.aliyun)?;
    let ids = params.json_ids("InstanceIds")?;
    if ids.as_ref().is_some_and(|ids| ids.len() > 100) {
        return Err(api_error::invalid("InstanceIds"));
    }
    let by_token = params.text("MaxResults").is_some() || params.text("NextToken").is_some();
    let (size, number) = if by_token {
        let size = params.number("MaxResults", 10, 0, usize::MAX)?;
        (size.clamp(10, 100), 1)
    } else {
        (
            params.number("PageSize", 10, 1, 100)?,
            params.number("PageNumber", 1, 1, usize::MAX)?,
        )
    };
    let after = read_token(cloud, params)?;
    if params.flag("DryRun", &cloud.switches.aliyun)? {
        return Err(api_error::DRY_RUN);
    }
    let candidates = match &ids {
        None => Candidates::All(scope),
        Some(ids) => Candidates::Some(found(cloud, scope, ids.iter().map(String::as_str))),
    };
    let page = if by_token {
        candidates.page_after(cloud, &filter, after, size)
    } else {
        candidates.page(cloud, &filter, number, size)
    };
    let next_token = match &page.next {
        Some(last) => Some(write_token(cloud, *last)),
        None if by_token && cloud.switches.aliyun.empty_last_token => Some(String::new()),
        None => None,
    };
    Ok(envelope.success(&Instances {
        instances: InstanceList {
            instance: page
                .members
                .iter()
                .map(|index| InstanceRecord::of(cloud, *index))
                .collect(),
        },
        total_count: page.total,
        page_number: number,
        page_size: size,
        next_token,
    }))
}

/// The instances that a call searches.
enum Candidates {
    /// All visible instances.
    All(RegionScope),
    /// Named instances, in the order of lists.
    Some(Vec<InstanceIndex>),
}

/// One page of a response.
struct ResultPage {
    members: Vec<InstanceIndex>,
    /// The number of instances on all pages. Without meaning for paging by token.
    total: usize,
    /// The last instance of this page, for paging by token with a further page.
    next: Option<InstanceIndex>,
}

impl Candidates {
    fn after<'s>(
        &'s self,
        cloud: &'s CloudState,
        filter: &'s Filter<'s>,
        after: Option<InstanceIndex>,
    ) -> impl Iterator<Item = InstanceIndex> + 's {
        let (all, some) = match self {
            Self::All(scope) => (Some(cloud.list(*scope, after)), &[][..]),
            Self::Some(members) => (None, members.as_slice()),
        };
        all.into_iter()
            .flatten()
            .chain(
                some.iter()
                    .copied()
                    .filter(move |index| Some(*index) > after),
            )
            .filter(|index| filter.matches(cloud, *index))
    }

    fn page(
        &self,
        cloud: &CloudState,
        filter: &Filter<'_>,
        number: usize,
        size: usize,
    ) -> ResultPage {
        let total = match self {
            Self::All(scope) if filter.is_empty() => cloud.count(*scope),
            _ => self.after(cloud, filter, None).count(),
        };
        let members = self
            .after(cloud, filter, None)
            .skip((number - 1).saturating_mul(size))
            .take(size)
            .collect();
        ResultPage {
            members: in_row_order(cloud, members),
            total,
            next: None,
        }
    }

    fn page_after(
        &self,
        cloud: &CloudState,
        filter: &Filter<'_>,
        after: Option<InstanceIndex>,
        size: usize,
    ) -> ResultPage {
        let mut members: Vec<_> = self.after(cloud, filter, after).take(size + 1).collect();
        let more = members.len() > size;
        members.truncate(size);
        ResultPage {
            next: members.last().copied().filter(|_| more),
            total: members.len(),
            members: in_row_order(cloud, members),
        }
    }
}

fn in_row_order(cloud: &CloudState, mut members: Vec<InstanceIndex>) -> Vec<InstanceIndex> {
    if cloud.switches.aliyun.reversed_rows {
        members.reverse();
    }
    members
}

/// Returns the visible instances with these ids, each once, in the order of lists.
fn found<'i>(
    cloud: &CloudState,
    scope: RegionScope,
    ids: impl Iterator<Item = &'i str>,
) -> Vec<InstanceIndex> {
    let mut found: Vec<_> = ids.filter_map(|id| cloud.find(scope, id)).collect();
    found.sort();
    found.dedup();
    found
}

fn named_statuses(
    cloud: &CloudState,
    scope: RegionScope,
    ids: &[&str],
) -> Result<Vec<InstanceIndex>, ApiError> {
    let all_known = ids.iter().all(|id| cloud.find(scope, id).is_some());
    if !all_known && cloud.switches.aliyun.refuses_unknown_ids {
        return Err(api_error::NO_INSTANCE);
    }
    Ok(found(cloud, scope, ids.iter().copied()))
}

/// Encodes the last instance of a page as a token. For the client a token is a text of digits.
fn write_token(cloud: &CloudState, last: InstanceIndex) -> String {
    hex(cloud.instance(last).id().as_bytes())
}

fn read_token(cloud: &CloudState, params: &Params) -> Result<Option<InstanceIndex>, ApiError> {
    let Some(token) = params.text("NextToken") else {
        return Ok(None);
    };
    decode_hex(token)
        .and_then(|id| cloud.find_any(&id))
        .map(Some)
        .ok_or_else(|| api_error::invalid("NextToken"))
}

fn decode_hex(text: &str) -> Option<String> {
    let digits: Option<Vec<_>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let bytes = digits?
        .chunks(2)
        .map(|pair| {
            let value = pair.iter().fold(0, |value, digit| 16 * value + digit);
            u8::try_from(value).ok()
        })
        .collect::<Option<Vec<_>>>()?;
    String::from_utf8(bytes).ok()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statuses<'a> {
    instance_statuses: StatusList<'a>,
    total_count: usize,
    page_number: usize,
    page_size: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatusList<'a> {
    instance_status: Vec<StatusRow<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatusRow<'a> {
    instance_id: &'a str,
    status: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Instances<'a> {
    instances: InstanceList<'a>,
    total_count: usize,
    page_number: usize,
    page_size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceList<'a> {
    instance: Vec<InstanceRecord<'a>>,
}
