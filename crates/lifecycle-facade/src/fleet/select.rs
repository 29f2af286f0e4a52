//! `Fleet::select` and `Selection`: the instances that match a `Selector`, from the lists of the locations.

use std::pin::pin;

use futures_util::{StreamExt, TryStreamExt, stream};
use lifecycle_client::{
    Error, InstanceReport, Outcome, SelectFuture, SelectInstances, SelectedInstances,
};
use lifecycle_core::{ActionKind, Fault, FaultKind, Observation};

use super::{
    Fleet, FleetError, InstanceReference, Location, Protection, Selector,
    regions::{ResolvedLocation, UnavailableLocation},
};

/// The instances that matched a [`Selector`] at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Selection {
    /// The instances, in the order of the locations, each once: two accounts can see the same instance.
    pub instances: Vec<SelectedInstance>,
    /// The locations whose lists were read. A list without instances can mean that the key has no
    /// permission: see [`Cloud::empty_list_note`](crate::Cloud::empty_list_note).
    pub locations: Vec<Location>,
    /// The locations of patterns such as `aliyun/*` that the key cannot use, with the reasons.
    pub unavailable: Vec<UnavailableLocation>,
    /// The selector.
    pub selector: Selector,
}

/// An instance of a [`Selection`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SelectedInstance {
    /// The reference.
    pub instance: InstanceReference,
    /// The observation from the list of the location, with details.
    pub observation: Observation,
    /// The reason for the protection from stops and reboots; `None` for an unprotected instance.
    pub protection: Option<String>,
}

impl Selection {
    /// Returns the references of all selected instances, protected or not.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_facade::Selector;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, references| {
    /// let selector = Selector::new().location(setup::location().into());
    /// let selection = fleet.select(&selector).await?;
    /// assert!(fleet.start(selection.references()).await?.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn references(&self) -> Vec<InstanceReference> {
        let instances = self.instances.iter();
        instances
            .map(|selected| selected.instance.clone())
            .collect()
    }

    /// Returns the instances for a request, and the protected instances that the request leaves alone. `action` is
    /// `None` for a request that only waits.
    pub fn for_action(&self, action: Option<ActionKind>) -> SelectedInstances<Fleet> {
        let is_protecting = Protection::applies_to(action) && !self.selector.include_protected;
        let mut instances = Vec::new();
        let mut left_alone = Vec::new();
        for selected in &self.instances {
            match is_protecting && selected.protection.is_some() {
                true => left_alone.push(selected.left_alone()),
                false => instances.push(selected.instance.clone()),
            }
        }
        SelectedInstances::new(instances)
            .with_left_alone(left_alone)
            .with_description(self.selector.to_string())
    }
}

impl SelectedInstance {
    /// Returns the row in the report of a request that leaves the instance alone: skipped, with the reason for
    /// the protection.
    pub fn left_alone(&self) -> InstanceReport<InstanceReference> {
        let reason = self.protection.clone().unwrap_or_default();
        let fault = Fault::new(FaultKind::Protected, reason);
        InstanceReport::new(self.instance.clone(), Outcome::Skipped(fault))
            .with_last_seen(self.observation.clone())
    }
}

/// The number of locations whose lists are read at the same time.
const CONCURRENT_LISTS: usize = 10;

impl Fleet {
    /// Returns the instances that match `selector` now, with details.
    ///
    /// The selection reads the whole list of each location, or fails. A location of a pattern such as `aliyun/*`
    /// that the key cannot use does not fail the selection, and is in [`Selection::unavailable`].
    ///
    /// # Errors
    /// [`FleetError`] for an invalid location or a failed list, and [`Error::TooMany`] for more instances
    /// than [`Selector::max`].
    ///
    /// # Examples
    /// ```
    /// use lifecycle_facade::Selector;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, references| {
    /// let selector = Selector::new().location(setup::location().into());
    /// for selected in fleet.select(&selector).await?.instances {
    ///     println!("{}: {:?}", selected.instance, selected.observation.name);
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn select(&self, selector: &Selector) -> Result<Selection, FleetError> {
        let resolved = self.locations(&selector.locations).await?;
        let lists = resolved
            .locations
            .iter()
            .map(|location| self.list_selected(selector, location));
        let lists = stream::iter(lists.collect::<Vec<_>>()).buffered(CONCURRENT_LISTS);
        let lists: Vec<_> = lists.try_collect().await?;
        let mut selection = Selection {
            instances: Vec::new(),
            locations: Vec::new(),
            unavailable: resolved.unavailable,
            selector: selector.clone(),
        };
        for (list, resolved) in lists.into_iter().zip(resolved.locations) {
            match list {
                Ok(instances) => {
                    selection.instances.extend(instances);
                    selection.locations.push(resolved.location);
                }
                Err(unavailable) => selection.unavailable.push(unavailable),
            }
        }
        self.fold_duplicates(&mut selection.instances)?;
        match selector.max {
            Some(max) if selection.instances.len() > max => {
                Err(FleetError::Client(Error::TooMany {
                    instances: selection.instances.len(),
                    max,
                }))
            }
            _ => Ok(selection),
        }
    }

    /// Returns the selected instances of one location; the location itself if the key cannot use the location
    /// and the caller did not name the location.
    async fn list_selected(
        &self,
        selector: &Selector,
        resolved: &ResolvedLocation,
    ) -> Result<Result<Vec<SelectedInstance>, UnavailableLocation>, FleetError> {
        let location = &resolved.location;
        let list = self.list(location).filter(selector.filter.clone());
        let mut pages = pin!(list.details().pages());
        let mut rows: Option<Vec<Observation>> = None;
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => rows.get_or_insert_default().extend(page),
                // After the first page, the key can use the location, and the list is incomplete.
                Err(error)
                    if rows.is_none()
                        && !resolved.is_named
                        && error.kind() == FaultKind::Permission =>
                {
                    let reason = error.to_string();
                    return Ok(Err(UnavailableLocation::new(location.clone(), reason)));
                }
                Err(error) => return Err(error),
            }
        }
        let protection = &self.connector.settings.protection;
        let rows = rows.into_iter().flatten();
        let rows = rows.map(|observation| SelectedInstance {
            instance: InstanceReference::new(location.clone(), observation.instance.clone()),
            protection: protection.reason(&observation),
            observation,
        });
        let is_selected = |selected: &SelectedInstance| {
            !selector.excludes(&selected.instance, &selected.observation)
        };
        Ok(Ok(rows.filter(is_selected).collect()))
    }

    /// Keeps the first of several references to one instance: two accounts can see the same instance.
    fn fold_duplicates(&self, instances: &mut Vec<SelectedInstance>) -> Result<(), FleetError> {
        let references = instances.iter().map(|selected| &selected.instance);
        let distinct = lifecycle_client::distinct_instances(self, references)?;
        let mut distinct = distinct.into_iter().peekable();
        instances.retain(|selected| distinct.next_if_eq(&selected.instance).is_some());
        match distinct.next() {
            // Instances behind this one would be lost without a word.
            Some(instance) => Err(FleetError::at(&instance)(
                "the list spells the id in another way than the cloud does; name the instances by their \
                 references, and report this error to the project",
            )),
            None => Ok(()),
        }
    }
}

/// The instances of a request to a fleet: references, or a [`Selector`].
///
/// Implemented for `Selector`, `&Selector`, and for every collection of references and texts that
/// [`IntoInstances`](crate::IntoInstances) accepts.
pub trait IntoTargets: sealed::Sealed {}

impl<T: sealed::Sealed> IntoTargets for T {}

pub(super) mod sealed {
    use lifecycle_client::{IntoInstances, PowerRequest, WaitRequest};
    use lifecycle_core::{Action, PowerState};

    use crate::{Fleet, Selector};

    pub trait Sealed {
        fn power_request<O: Into<Action>>(self, fleet: Fleet, options: O)
        -> PowerRequest<O, Fleet>;
        fn wait_request(self, fleet: Fleet, goal: PowerState) -> WaitRequest<Fleet>;
    }

    impl<N: IntoInstances<Fleet>> Sealed for N {
        fn power_request<O: Into<Action>>(
            self,
            fleet: Fleet,
            options: O,
        ) -> PowerRequest<O, Fleet> {
            PowerRequest::new(fleet, self, options)
        }

        fn wait_request(self, fleet: Fleet, goal: PowerState) -> WaitRequest<Fleet> {
            WaitRequest::new(fleet, self, goal)
        }
    }

    impl Sealed for Selector {
        fn power_request<O: Into<Action>>(
            self,
            fleet: Fleet,
            options: O,
        ) -> PowerRequest<O, Fleet> {
            PowerRequest::select(fleet, self, options)
        }

        fn wait_request(self, fleet: Fleet, goal: PowerState) -> WaitRequest<Fleet> {
            WaitRequest::select(fleet, self, goal)
        }
    }

    impl Sealed for &Selector {
        fn power_request<O: Into<Action>>(
            self,
            fleet: Fleet,
            options: O,
        ) -> PowerRequest<O, Fleet> {
            self.clone().power_request(fleet, options)
        }

        fn wait_request(self, fleet: Fleet, goal: PowerState) -> WaitRequest<Fleet> {
            self.clone().wait_request(fleet, goal)
        }
    }
}

impl SelectInstances<Fleet> for Selector {
    fn select<'s>(
        &'s self,
        fleet: &'s Fleet,
        action: Option<ActionKind>,
    ) -> SelectFuture<'s, Fleet> {
        Box::pin(async move { Ok(fleet.select(self).await?.for_action(action)) })
    }
}
