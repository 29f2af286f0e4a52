//! Looking at instances of several clouds once.

use std::{collections::HashMap, future::IntoFuture};

use futures_util::future::try_join_all;
use lifecycle_core::{Fault, Observation};

use super::{Fleet, FleetError, InstanceReference, order::Order};

/// What one look showed of one instance.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FleetStatus {
    /// Which instance.
    pub reference: InstanceReference,
    /// It as its cloud shows it, or why it could not be seen.
    pub result: Result<Observation, Fault>,
}

pub(crate) async fn observe(
    fleet: &Fleet,
    references: Vec<InstanceReference>,
) -> Result<Vec<FleetStatus>, FleetError> {
    let order = Order::sketch(fleet, references)?.connect(fleet).await?;
    let looks: Vec<_> = order
        .groups
        .iter()
        .map(|group| group.client.observe(group.ids.clone()).into_future())
        .collect();
    let mut results = HashMap::new();
    for (group, statuses) in order.groups.iter().zip(try_join_all(looks).await?) {
        for status in statuses {
            results.insert((&group.place, status.instance), status.result);
        }
    }
    Ok(order
        .references
        .iter()
        .filter_map(|reference| {
            let result = results.remove(&(&reference.location, reference.instance.clone()))?;
            Some(FleetStatus {
                reference: reference.clone(),
                result,
            })
        })
        .collect())
}
