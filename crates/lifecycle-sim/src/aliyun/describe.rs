//! Looking at instances.
//!
//! Documented: paging in both ways, filters, fields and their formats, `[]` as a filter that nothing
//! passes, an empty page beyond the end. Inferred: that page sizes out of range are refused in
//! `DescribeInstanceStatus`, and the values of fields that no simulated call changes.

use lifecycle_core::encode::hex;
use serde::Serialize;

use super::{
    answer::Envelope,
    asked::Asked,
    named_region,
    refusal::{self, Refusal},
    standing::{self, LOCK_REASONS, Standing, is_prepaid, lock_reason},
};
use crate::{
    response::Response,
    site::{Index, Scope, Site},
    time::write_utc,
};

/// `DescribeInstanceStatus`: up to 100 ids, yet at most 50 of them on a page, 10 unless told.
pub(super) fn statuses(
    site: &Site,
    asked: &Asked,
    scope: Scope,
    envelope: &Envelope,
) -> Result<Response, Refusal> {
    let scope = named_region(site, asked, scope)?;
    let number = asked.number("PageNumber", 1, 1, usize::MAX)?;
    let size = asked.number("PageSize", 10, 1, 50)?;
    let ids = asked.members("InstanceId");
    if ids.len() > 100 {
        return Err(refusal::invalid("InstanceId"));
    }
    let candidates = if ids.is_empty() {
        Candidates::All(scope)
    } else {
        Candidates::Some(statuses_asked_for(site, scope, &ids)?)
    };
    let filter = Filter {
        zone: asked.text("ZoneId"),
        ..Filter::default()
    };
    let page = candidates.page(site, &filter, number, size);
    let rows = page
        .members
        .iter()
        .map(|index| StatusRow {
            instance_id: site.instance(*index).id(),
            status: standing::shown(site, *index).as_str(),
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

/// `DescribeInstances`.
pub(super) fn instances(
    site: &Site,
    asked: &Asked,
    scope: Scope,
    envelope: &Envelope,
) -> Result<Response, Refusal> {
    let scope = named_region(site, asked, scope)?;
    let filter = Filter::read(asked)?;
    let ids = asked.json_ids("InstanceIds")?;
    if ids.as_ref().is_some_and(|ids| ids.len() > 100) {
        return Err(refusal::invalid("InstanceIds"));
    }
    let by_token = asked.text("MaxResults").is_some() || asked.text("NextToken").is_some();
    let (size, number) = if by_token {
        let size = asked.number("MaxResults", 10, 0, usize::MAX)?;
        (size.clamp(10, 100), 1)
    } else {
        (
            asked.number("PageSize", 10, 1, 100)?,
            asked.number("PageNumber", 1, 1, usize::MAX)?,
        )
    };
    let after = read_token(site, asked)?;
    if asked.flag("DryRun", &site.switches.aliyun)? {
        return Err(refusal::DRY_RUN);
    }
    let candidates = match &ids {
        None => Candidates::All(scope),
        Some(ids) => Candidates::Some(found(site, scope, ids.iter().map(String::as_str))),
    };
    let page = if by_token {
        candidates.page_after(site, &filter, after, size)
    } else {
        candidates.page(site, &filter, number, size)
    };
    let next_token = match &page.next {
        Some(last) => Some(write_token(site, *last)),
        None if by_token && site.switches.aliyun.empty_last_token => Some(String::new()),
        None => None,
    };
    Ok(envelope.success(&Instances {
        instances: InstanceList {
            instance: page
                .members
                .iter()
                .map(|index| Record::of(site, *index))
                .collect(),
        },
        total_count: page.total,
        page_number: number,
        page_size: size,
        next_token,
    }))
}

/// The instances that a call looks through.
enum Candidates {
    /// All that it can see.
    All(Scope),
    /// These, in the order of lists.
    Some(Vec<Index>),
}

/// One page of an answer.
struct Page {
    members: Vec<Index>,
    /// How many there are on all pages. It means nothing when paging by token.
    total: usize,
    /// The last of this page, when more follow and paging is by token.
    next: Option<Index>,
}

impl Candidates {
    fn after<'s>(
        &'s self,
        site: &'s Site,
        filter: &'s Filter<'s>,
        after: Option<Index>,
    ) -> impl Iterator<Item = Index> + 's {
        let (all, some) = match self {
            Self::All(scope) => (Some(site.listed(*scope, after)), &[][..]),
            Self::Some(members) => (None, members.as_slice()),
        };
        all.into_iter()
            .flatten()
            .chain(
                some.iter()
                    .copied()
                    .filter(move |index| Some(*index) > after),
            )
            .filter(|index| filter.passes(site, *index))
    }

    fn page(&self, site: &Site, filter: &Filter<'_>, number: usize, size: usize) -> Page {
        let total = match self {
            Self::All(scope) if filter.is_open() => site.count(*scope),
            _ => self.after(site, filter, None).count(),
        };
        let members = self
            .after(site, filter, None)
            .skip((number - 1).saturating_mul(size))
            .take(size)
            .collect();
        Page {
            members: in_row_order(site, members),
            total,
            next: None,
        }
    }

    fn page_after(
        &self,
        site: &Site,
        filter: &Filter<'_>,
        after: Option<Index>,
        size: usize,
    ) -> Page {
        let mut members: Vec<_> = self.after(site, filter, after).take(size + 1).collect();
        let more = members.len() > size;
        members.truncate(size);
        Page {
            next: members.last().copied().filter(|_| more),
            total: members.len(),
            members: in_row_order(site, members),
        }
    }
}

fn in_row_order(site: &Site, mut members: Vec<Index>) -> Vec<Index> {
    if site.switches.aliyun.reversed_rows {
        members.reverse();
    }
    members
}

/// The instances with these ids that the call can see, each once, in the order of lists.
fn found<'i>(site: &Site, scope: Scope, ids: impl Iterator<Item = &'i str>) -> Vec<Index> {
    let mut found: Vec<_> = ids.filter_map(|id| site.find(scope, id)).collect();
    found.sort();
    found.dedup();
    found
}

fn statuses_asked_for(site: &Site, scope: Scope, ids: &[&str]) -> Result<Vec<Index>, Refusal> {
    let all_known = ids.iter().all(|id| site.find(scope, id).is_some());
    if !all_known && site.switches.aliyun.refuses_unknown_ids {
        return Err(refusal::NO_INSTANCE);
    }
    Ok(found(site, scope, ids.iter().copied()))
}

/// Conditions that all must hold.
#[derive(Default)]
struct Filter<'a> {
    status: Option<Standing>,
    lock: Option<&'a str>,
    name: Option<&'a str>,
    zone: Option<&'a str>,
    /// No simulated instance has a tag.
    tagged: bool,
}

impl<'a> Filter<'a> {
    fn read(asked: &'a Asked) -> Result<Self, Refusal> {
        let status = asked.text("Status").map(|word| {
            Standing::ALL
                .into_iter()
                .find(|standing| standing.as_str() == word)
                .ok_or(refusal::NO_STATUS)
        });
        let lock = asked.text("LockReason");
        if lock.is_some_and(|word| !LOCK_REASONS.contains(&word)) {
            return Err(refusal::NO_LOCK_REASON);
        }
        Ok(Self {
            status: status.transpose()?,
            lock,
            name: asked.text("InstanceName"),
            zone: asked.text("ZoneId"),
            tagged: asked.has_any("Tag."),
        })
    }

    fn is_open(&self) -> bool {
        self.status.is_none()
            && self.lock.is_none()
            && self.name.is_none()
            && self.zone.is_none()
            && !self.tagged
    }

    fn passes(&self, site: &Site, index: Index) -> bool {
        if self.is_open() {
            return true;
        }
        let instance = site.instance(index);
        !self.tagged
            && self
                .status
                .is_none_or(|status| standing::shown(site, index) == status)
            && self
                .lock
                .is_none_or(|lock| lock_reason(instance.trouble) == Some(lock))
            && self.name.is_none_or(|name| instance.name() == name)
            && self.zone.is_none_or(|zone| zone_of(site, index) == zone)
    }
}

/// A token says after which instance the next page begins; to the client it is a text of digits.
fn write_token(site: &Site, last: Index) -> String {
    hex(site.instance(last).id().as_bytes())
}

fn read_token(site: &Site, asked: &Asked) -> Result<Option<Index>, Refusal> {
    let Some(token) = asked.text("NextToken") else {
        return Ok(None);
    };
    unhex(token)
        .and_then(|id| site.any(&id))
        .map(Some)
        .ok_or_else(|| refusal::invalid("NextToken"))
}

fn unhex(text: &str) -> Option<String> {
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

fn zone_of(site: &Site, index: Index) -> String {
    let letter = ["g", "h", "i"][site.instance(index).number as usize % 3];
    format!("{}-{letter}", site.region(index))
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
    instance: Vec<Record<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Record<'a> {
    instance_id: &'a str,
    instance_name: String,
    status: &'a str,
    stopped_mode: &'a str,
    region_id: &'a str,
    zone_id: String,
    instance_type: &'a str,
    instance_charge_type: &'a str,
    spot_strategy: &'a str,
    creation_time: &'a str,
    /// Cut to the minute, like all times here: a reboot within the minute does not show.
    start_time: String,
    expired_time: &'a str,
    operation_locks: Locks,
    deletion_protection: bool,
    recyclable: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Locks {
    lock_reason: Vec<Lock>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Lock {
    lock_reason: &'static str,
}

impl<'a> Record<'a> {
    fn of(site: &'a Site, index: Index) -> Self {
        let instance = site.instance(index);
        let standing = standing::shown(site, index);
        let prepaid = is_prepaid(site, index);
        let lock = lock_reason(instance.trouble);
        Self {
            instance_id: instance.id(),
            instance_name: instance.name(),
            status: standing.as_str(),
            stopped_mode: standing::stopped_mode(site, index, standing),
            region_id: site.region(index),
            zone_id: zone_of(site, index),
            instance_type: "ecs.g7.large",
            instance_charge_type: if prepaid { "PrePaid" } else { "PostPaid" },
            spot_strategy: "NoSpot",
            creation_time: "2017-12-10T04:04Z",
            start_time: write_utc("%Y-%m-%dT%H:%MZ", site.started_at(index)),
            expired_time: if lock == Some("financial") {
                "2018-12-10T16:00Z"
            } else {
                "2099-12-31T15:59Z"
            },
            operation_locks: Locks {
                lock_reason: lock
                    .map(|lock_reason| Lock { lock_reason })
                    .into_iter()
                    .collect(),
            },
            deletion_protection: false,
            recyclable: lock == Some("Recycling"),
        }
    }
}
