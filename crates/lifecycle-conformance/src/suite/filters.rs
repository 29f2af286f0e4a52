//! Cases of the conformance suite about filtered lists and the details of instances.

use std::collections::BTreeSet;

use lifecycle_facade::{
    Client, InstanceId, PowerState,
    lifecycle_core::{FilterSupport, InstanceDetails, InstanceFilter, Observation},
};

use super::{
    Access, Case, CaseError, CaseResult, ClientSetup, CloudUnderTest, Condition, InstanceFacts,
    case::ensure,
};

pub(super) fn cases() -> Vec<Case> {
    let of_kind = |kind: FilterKind| {
        Case::new(
            format!("listing by {}", kind.as_str()),
            Access::Read,
            move |s| Box::pin(filtered(s, kind)),
        )
    };
    let mut cases: Vec<Case> = FilterKind::ALL.map(of_kind).into();
    cases.extend([
        Case::new(
            "listing by filters that the cloud ignores",
            Access::Read,
            |s| Box::pin(ignored_filters(s)),
        ),
        Case::new(
            "a supported filter reduces the pages of a list",
            Access::Read,
            |s| Box::pin(reduced_pages(s)),
        ),
        Case::new("details in a list", Access::Read, |s| {
            Box::pin(details_in_list(s))
        }),
        Case::new("details of observed instances", Access::Read, |s| {
            Box::pin(observed_details(s))
        }),
    ]);
    cases
}

/// The conditions of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FilterKind {
    Name,
    Tag,
    Zone,
    State,
    Type,
    Id,
    PrivateIp,
}

impl FilterKind {
    const ALL: [Self; 7] = [
        Self::Name,
        Self::Tag,
        Self::Zone,
        Self::State,
        Self::Type,
        Self::Id,
        Self::PrivateIp,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Tag => "tag",
            Self::Zone => "zone",
            Self::State => "state",
            Self::Type => "instance type",
            Self::Id => "id",
            Self::PrivateIp => "private address",
        }
    }

    fn is_supported(self, support: FilterSupport) -> bool {
        match self {
            Self::Name => support.names,
            Self::Tag => support.tags,
            Self::Zone => support.zones,
            Self::State => support.states,
            Self::Type => support.instance_types,
            Self::Id => support.instances,
            Self::PrivateIp => support.private_ips,
        }
    }
}

/// The zone of the instances `web-1` and `web-2`.
const ZONE: &str = "zone-of-the-web";
/// The type of the instance `db-1`.
const TYPE: &str = "type.of.the.db";
/// The private address of the instance `db-1`.
const PRIVATE_IP: &str = "192.168.77.7";
/// The public address of the instance `db-1`.
const PUBLIC_IP: &str = "203.0.113.7";

/// Instances with similar names and tags.
struct NamedFleet {
    instances: Vec<(String, InstanceId)>,
}

impl NamedFleet {
    async fn create(cloud: &dyn CloudUnderTest) -> Result<Self, CaseError> {
        use Condition::{Running, Stopped};
        let dev = |name: &str| InstanceFacts::named(name).tag("env", "dev");
        let in_zone = |facts: InstanceFacts| InstanceFacts {
            zone: Some(ZONE.to_owned()),
            ..facts
        };
        let db = InstanceFacts {
            instance_type: Some(TYPE.to_owned()),
            private_ip: Some(PRIVATE_IP.to_owned()),
            public_ip: Some(PUBLIC_IP.to_owned()),
            ..dev("db-1").tag("owner", "ops")
        };
        let mut instances = Vec::new();
        for (condition, facts) in [
            (Running, in_zone(dev("web-1"))),
            (Stopped, in_zone(dev("web-2"))),
            (Stopped, InstanceFacts::named("web-10").tag("env", "prod")),
            (Running, InstanceFacts::named("Web-3").tag("env", "DEV")),
            (Stopped, db),
            (Running, InstanceFacts::named("old-web-1").tag("Env", "dev")),
            (
                Running,
                InstanceFacts::named("lone")
                    .tag("a:b", "c")
                    .tag("env:dev", ""),
            ),
            (Stopped, InstanceFacts::named("bare")),
        ] {
            let name = facts.name.clone();
            let id = cloud.described_instance(condition, &facts).await?;
            instances.push((name, id));
        }
        Ok(Self { instances })
    }

    fn id(&self, name: &str) -> Result<&InstanceId, CaseError> {
        let mut instances = self.instances.iter();
        instances
            .find(|(known, _)| known == name)
            .map(|(_, id)| id)
            .ok_or_else(|| CaseError::Failed(format!("no instance {name}")))
    }

    /// Returns the filters of a kind, each with the names of the matching instances.
    fn filters(&self, kind: FilterKind) -> Result<Vec<(InstanceFilter, Vec<&str>)>, CaseError> {
        let none = InstanceFilter::default;
        Ok(match kind {
            FilterKind::Name => vec![
                (named("web-*")?, vec!["web-1", "web-2", "web-10"]),
                (named("web-?")?, vec!["web-1", "web-2"]),
                (named("web-1")?, vec!["web-1"]),
                (named("*-1")?, vec!["web-1", "db-1", "old-web-1"]),
                (named("*")?, self.names()),
                (named("nothing")?, vec![]),
                (
                    named("web-1")?.with_name(pattern("db-*")?),
                    vec!["web-1", "db-1"],
                ),
            ],
            FilterKind::Tag => vec![
                (tagged(&["env=dev"])?, vec!["web-1", "web-2", "db-1"]),
                (
                    tagged(&["env"])?,
                    vec!["web-1", "web-2", "web-10", "Web-3", "db-1"],
                ),
                (tagged(&["!env"])?, vec!["old-web-1", "lone", "bare"]),
                (tagged(&["env=dev", "owner"])?, vec!["db-1"]),
                (tagged(&["env=dev", "!owner"])?, vec!["web-1", "web-2"]),
                (tagged(&["env", "!env=dev"])?, vec!["web-10", "Web-3"]),
                (tagged(&["env=dev", "owner=ops"])?, vec!["db-1"]),
                (tagged(&["a:b=c"])?, vec!["lone"]),
                (tagged(&["a:b"])?, vec!["lone"]),
                (tagged(&["env:dev"])?, vec!["lone"]),
                (tagged(&["env:dev="])?, vec!["lone"]),
                (tagged(&["owner="])?, vec![]),
            ],
            FilterKind::Zone => vec![
                (none().with_zone(ZONE), vec!["web-1", "web-2"]),
                (none().with_zone("zone-of"), vec![]),
            ],
            FilterKind::State => vec![
                (
                    none().with_state(PowerState::Stopped),
                    vec!["web-2", "web-10", "db-1", "bare"],
                ),
                (
                    none().with_state(PowerState::Running),
                    vec!["web-1", "Web-3", "old-web-1", "lone"],
                ),
                (
                    none()
                        .with_state(PowerState::Running)
                        .with_state(PowerState::Stopped),
                    self.names(),
                ),
                (none().with_state(PowerState::Expired), vec![]),
                (none().with_state(PowerState::Rebooting), vec![]),
            ],
            FilterKind::Type => vec![
                (none().with_instance_type(TYPE), vec!["db-1"]),
                (none().with_instance_type("type"), vec![]),
            ],
            FilterKind::Id => vec![
                (
                    none()
                        .with_instance(self.id("web-1")?.clone())
                        .with_instance(self.id("bare")?.clone()),
                    vec!["web-1", "bare"],
                ),
                (
                    named("web-*")?.with_instance(self.id("bare")?.clone()),
                    vec![],
                ),
            ],
            FilterKind::PrivateIp => vec![
                (none().with_private_ip(PRIVATE_IP), vec!["db-1"]),
                (none().with_private_ip("192.168.77."), vec![]),
                (none().with_private_ip(PUBLIC_IP), vec![]),
            ],
        })
    }

    fn names(&self) -> Vec<&str> {
        self.instances
            .iter()
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// Checks that the list has exactly the instances with these names.
    fn check(&self, filter: &InstanceFilter, rows: &[Observation], names: &[&str]) -> CaseResult {
        let ids: Result<BTreeSet<_>, _> = names.iter().map(|name| self.id(name)).collect();
        let expected = ids?;
        let listed: BTreeSet<_> = rows.iter().map(|row| &row.instance).collect();
        let shown: Vec<_> = rows.iter().map(|row| row.name.as_deref()).collect();
        ensure(listed == expected && listed.len() == rows.len(), || {
            format!("{filter:?} lists {shown:?} instead of {names:?}")
        })
    }
}

fn pattern(text: &str) -> Result<lifecycle_facade::lifecycle_core::NamePattern, CaseError> {
    text.parse()
        .map_err(|error| CaseError::Failed(format!("{text}: {error}")))
}

fn named(text: &str) -> Result<InstanceFilter, CaseError> {
    Ok(InstanceFilter::default().with_name(pattern(text)?))
}

fn tagged(conditions: &[&str]) -> Result<InstanceFilter, CaseError> {
    let mut filter = InstanceFilter::default();
    for text in conditions {
        let condition = text
            .parse()
            .map_err(|error| CaseError::Failed(format!("{text}: {error}")))?;
        filter = filter.with_tag(condition);
    }
    Ok(filter)
}

async fn filtered(cloud: &dyn CloudUnderTest, kind: FilterKind) -> CaseResult {
    let fleet = NamedFleet::create(cloud).await?;
    let client = cloud.client(ClientSetup::Valid).await?;
    check_all(&client, &fleet, kind).await
}

async fn check_all(client: &Client, fleet: &NamedFleet, kind: FilterKind) -> CaseResult {
    for (filter, names) in fleet.filters(kind)? {
        let rows = client.list().filter(filter.clone()).await?;
        fleet.check(&filter, &rows, &names)?;
    }
    Ok(())
}

async fn ignored_filters(cloud: &dyn CloudUnderTest) -> CaseResult {
    let fleet = NamedFleet::create(cloud).await?;
    cloud.ignore_filters()?;
    let client = cloud.client(ClientSetup::Valid).await?;
    for kind in FilterKind::ALL {
        check_all(&client, &fleet, kind).await?;
    }
    Ok(())
}

/// A number of instances above one page of every known cloud.
const MORE_THAN_A_PAGE: usize = 1_100;

async fn reduced_pages(cloud: &dyn CloudUnderTest) -> CaseResult {
    let fleet = NamedFleet::create(cloud).await?;
    cloud
        .instances(MORE_THAN_A_PAGE, Condition::Stopped)
        .await?;
    let client = cloud.client(ClientSetup::Valid).await?;
    let support = client.profile().filter_support;
    let kinds = FilterKind::ALL.into_iter();
    let supported: Vec<_> = kinds.filter(|kind| kind.is_supported(support)).collect();
    if supported.is_empty() {
        return Err(CaseError::NotApplicable(
            "the cloud applies no filter".to_owned(),
        ));
    }
    for kind in supported {
        // A cloud can support some states only. Every cloud has a filter for running instances.
        let is_running = |filter: &InstanceFilter| {
            filter.states.is_empty() || filter.states == [PowerState::Running]
        };
        let mut filters = fleet.filters(kind)?.into_iter();
        let Some((filter, names)) = filters.find(|(filter, _)| is_running(filter)) else {
            continue;
        };
        let before = client.calls().pages;
        let rows = client.list().filter(filter.clone()).await?;
        fleet.check(&filter, &rows, &names)?;
        let pages = client.calls().pages - before;
        ensure(pages == 1, || {
            format!("{pages} pages for {} instances of {filter:?}", names.len())
        })?;
    }
    Ok(())
}

async fn details_in_list(cloud: &dyn CloudUnderTest) -> CaseResult {
    let fleet = NamedFleet::create(cloud).await?;
    let client = cloud.client(ClientSetup::Valid).await?;
    let rows = client.list().details().await?;
    ensure(rows.len() == fleet.instances.len(), || {
        format!("{} rows", rows.len())
    })?;
    for (name, id) in &fleet.instances {
        let row = rows.iter().find(|row| row.instance == *id);
        let shown = row.and_then(|row| row.name.as_deref());
        ensure(shown == Some(name), || format!("{name} is named {shown:?}"))?;
    }
    let db = fleet.id("db-1")?;
    check_details(rows.iter().find(|row| row.instance == *db))
}

async fn observed_details(cloud: &dyn CloudUnderTest) -> CaseResult {
    let fleet = NamedFleet::create(cloud).await?;
    let client = cloud.client(ClientSetup::Valid).await?;
    let ids = [fleet.id("bare")?.clone(), fleet.id("db-1")?.clone()];
    let mut statuses = client.observe(&ids).details().await?;
    match statuses.pop().map(|status| status.result) {
        Some(Ok(row)) => check_details(Some(&row)),
        other => Err(CaseError::Failed(format!("db-1 returns {other:?}"))),
    }
}

/// Checks the details of the instance `db-1`.
fn check_details(row: Option<&Observation>) -> CaseResult {
    let details: &InstanceDetails = row
        .and_then(|row| row.details.as_deref())
        .ok_or_else(|| CaseError::Failed("db-1 has no details".to_owned()))?;
    let tags: Vec<_> = details.tags.iter().map(ToString::to_string).collect();
    let is_right = tags == ["env=dev", "owner=ops"]
        && details.instance_type.as_deref() == Some(TYPE)
        && details.private_ips == [PRIVATE_IP]
        && details.public_ips == [PUBLIC_IP]
        && details.zone.is_some()
        && details.created_at.is_some();
    ensure(is_right, || format!("db-1 has the details {details:?}"))
}
