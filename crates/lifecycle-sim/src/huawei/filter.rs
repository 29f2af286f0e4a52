//! The filters of the simulated list of servers.
//!
//! Documented: the coarse filter by status, a part of the name with `.` for any character, a part of an
//! address (`ip`) or the whole address (`ip_eq`), `tags` as `key=value`. Inferred: several tags combine with
//! AND, and `not-tags` excludes a server with one of the tags.

use super::{
    api_error::{self, ApiError},
    record::{flavor, server_status},
    switches::{SeveralTags, Switches},
};
use crate::{
    IgnoredFilters,
    cloud_state::{CloudState, InstanceIndex},
    request::ReceivedRequest,
    template::Details,
};

/// The conditions of a filter; all conditions must be true.
pub(super) struct Filter {
    status: Option<String>,
    /// A part of the name. A dot matches any character.
    name: Option<String>,
    tags: Option<Vec<String>>,
    not_tags: Option<Vec<String>>,
    flavor: Option<String>,
    /// A part of an address.
    ip: Option<String>,
    ip_eq: Option<String>,
    ignores_case: bool,
    keys_match: bool,
}

/// Documented filters without simulation. The simulator refuses a filter instead of listing all
/// servers.
const UNSUPPORTED_FILTERS: [&str; 1] = ["reservation_id"];

impl Filter {
    pub(super) fn read(request: &ReceivedRequest, switches: &Switches) -> Result<Self, ApiError> {
        let mut names = UNSUPPORTED_FILTERS.into_iter();
        if let Some(name) = names.find(|name| request.parameter(name).is_some()) {
            return Err(api_error::unsupported_filter(name));
        }
        // Every simulated server is in the default enterprise project.
        match request.parameter("enterprise_project_id").as_deref() {
            None | Some("0" | "all_granted_eps") => {}
            Some(_) => return Err(api_error::unsupported_filter("enterprise_project_id")),
        }
        let tags = |name| read_tags(request, name, switches.several_tags);
        let text = |name: &str| request.parameter(name);
        let ignored_filters = switches.ignored_filters;
        Ok(Self {
            status: ignored_filters.keep(IgnoredFilters::States, text("status")),
            name: ignored_filters.keep(IgnoredFilters::Names, text("name")),
            tags: ignored_filters.keep(IgnoredFilters::Tags, tags("tags")),
            not_tags: ignored_filters.keep(IgnoredFilters::Tags, tags("not-tags")),
            flavor: ignored_filters.keep(IgnoredFilters::All, text("flavor")),
            ip: ignored_filters.keep(IgnoredFilters::All, text("ip")),
            ip_eq: ignored_filters.keep(IgnoredFilters::All, text("ip_eq")),
            ignores_case: switches.names_ignore_case,
            keys_match: switches.tag_keys_match,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.status.is_none()
            && self.name.is_none()
            && self.tags.is_none()
            && self.not_tags.is_none()
            && self.flavor.is_none()
            && self.ip.is_none()
            && self.ip_eq.is_none()
    }

    pub(super) fn matches(&self, cloud: &CloudState, index: InstanceIndex) -> bool {
        if self.is_empty() {
            return true;
        }
        let details = cloud.details(index);
        let has = |tag: &String| has_tag(&details, tag, self.keys_match);
        let folded = |text: &str| match self.ignores_case {
            true => text.to_lowercase(),
            false => text.to_owned(),
        };
        self.status
            .as_deref()
            .is_none_or(|wanted| covers(wanted, server_status(cloud.observed(index)).status))
            && self.tags.as_ref().is_none_or(|tags| tags.iter().all(has))
            && !self.not_tags.iter().flatten().any(has)
            && self
                .flavor
                .as_deref()
                .is_none_or(|wanted| flavor(&details) == wanted)
            && self
                .ip
                .as_deref()
                .is_none_or(|part| addresses(&details).iter().any(|ip| ip.contains(part)))
            && self
                .ip_eq
                .as_ref()
                .is_none_or(|wanted| addresses(&details).contains(wanted))
            && self
                .name
                .as_deref()
                .is_none_or(|part| is_part_of(&folded(part), &folded(&details.name())))
    }
}

/// Reads `tags=a=1&tags=b=2` or `tags=a=1,b=2`. A switch selects the form.
fn read_tags(request: &ReceivedRequest, name: &str, form: SeveralTags) -> Option<Vec<String>> {
    let values = request.pairs().filter(|(known, _)| known == name);
    let mut values: Vec<_> = values.map(|(_, value)| value).collect();
    match form {
        SeveralTags::First => values.truncate(1),
        SeveralTags::Repeated => {}
        SeveralTags::Comma => {
            values.truncate(1);
            values = values
                .iter()
                .flat_map(|value| value.split(','))
                .map(str::to_owned)
                .collect();
        }
    }
    (!values.is_empty()).then_some(values)
}

/// Compares the condition with the text of each tag.
fn has_tag(details: &Details<'_>, condition: &str, keys_match: bool) -> bool {
    let mut tags = details.tags().iter();
    tags.any(|tag| tag.to_string() == condition || keys_match && *tag.key == *condition)
}

fn addresses(details: &Details<'_>) -> Vec<String> {
    [details.private_ips(), details.public_ips()].concat()
}

/// Reports whether the filter value covers the status. The filter is coarse (documented).
fn covers(wanted: &str, status: &str) -> bool {
    let also: &[&str] = match wanted {
        "ACTIVE" => &["REBOOT", "HARD_REBOOT", "REBUILD", "MIGRATING", "RESIZE"],
        "SHUTOFF" => &["RESIZE", "REBUILD"],
        "ERROR" => &["REBUILD"],
        "VERIFY_RESIZE" => &["REVERT_RESIZE"],
        _ => &[],
    };
    wanted == status || also.contains(&status)
}

fn is_part_of(part: &str, name: &str) -> bool {
    let part = part.as_bytes();
    let fits = |window: &[u8]| {
        window
            .iter()
            .zip(part)
            .all(|(letter, wanted)| letter == wanted || *wanted == b'.')
    };
    part.is_empty() || name.as_bytes().windows(part.len()).any(fits)
}
