//! References sorted out by place, and reports put back into their order.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::Range,
};

use futures_util::future::try_join_all;
use lifecycle_client::{Client, Report};
use lifecycle_core::InstanceId;

use super::{
    Fleet, FleetError, InstanceReference, Location,
    report::{FleetReport, FleetRow},
};

/// References sorted out by place, and their own order.
pub(crate) struct Order {
    pub(crate) references: Vec<InstanceReference>,
    pub(crate) groups: Vec<Group>,
}

/// The instances of one place.
pub(crate) struct Group {
    pub(crate) place: Location,
    pub(crate) client: Client,
    pub(crate) ids: Vec<InstanceId>,
}

impl Order {
    /// Folds duplicates and checks every place. Its clients can plan, and nothing else yet.
    pub(crate) fn sketch(
        fleet: &Fleet,
        mut references: Vec<InstanceReference>,
    ) -> Result<Self, FleetError> {
        let mut known = HashSet::new();
        references.retain(|reference| known.insert(reference.clone()));
        let places: BTreeSet<&Location> = references.iter().map(|r| &r.location).collect();
        let clients = places
            .into_iter()
            .map(|place| Ok((place.clone(), fleet.connector.offline_client(place)?.client)))
            .collect::<Result<BTreeMap<_, _>, FleetError>>()?;
        Ok(Self::with(references, |place| clients.get(place).cloned()))
    }

    /// Connects to every place, to all at once.
    pub(crate) async fn connect(self, fleet: &Fleet) -> Result<Self, FleetError> {
        let connect = async |group: Group| {
            let client = fleet.client(&group.place).await?;
            Ok::<_, FleetError>(Group { client, ..group })
        };
        Ok(Self {
            groups: try_join_all(self.groups.into_iter().map(connect)).await?,
            references: self.references,
        })
    }

    /// A part of the order, in the order of the whole.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        let client = |place: &Location| {
            let group = self.groups.iter().find(|group| group.place == *place)?;
            Some(group.client.clone())
        };
        Self::with(self.references[range].to_vec(), client)
    }

    fn with(
        references: Vec<InstanceReference>,
        client: impl Fn(&Location) -> Option<Client>,
    ) -> Self {
        let mut ids: BTreeMap<&Location, Vec<InstanceId>> = BTreeMap::new();
        for reference in &references {
            let ids = ids.entry(&reference.location).or_default();
            ids.push(reference.instance.clone());
        }
        let groups = ids
            .into_iter()
            .filter_map(|(place, ids)| {
                Some(Group {
                    place: place.clone(),
                    client: client(place)?,
                    ids,
                })
            })
            .collect();
        Self { references, groups }
    }

    /// Puts the reports of the groups into the order of the request.
    pub(crate) fn assemble(self, reports: Vec<Report>) -> FleetReport {
        let mut rows = HashMap::new();
        for (group, report) in self.groups.iter().zip(reports) {
            for row in report {
                rows.insert((&group.place, row.instance.clone()), row);
            }
        }
        let rows = self.references.iter().filter_map(|reference| {
            let report = rows.remove(&(&reference.location, reference.instance.clone()))?;
            Some(FleetRow {
                reference: reference.clone(),
                report,
            })
        });
        FleetReport::new(rows.collect())
    }
}
