//! `Fleet::protected`: applies the rule of protection to named instances.

use std::time::Duration;

use lifecycle_client::IntoInstances;
use lifecycle_core::Fault;

use super::{Fleet, FleetError, InstanceReference, SelectedInstance};

/// The result of [`Fleet::protected`]. Instances in neither list are unprotected.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ProtectionCheck {
    /// The protected instances, with the reasons.
    pub protected: Vec<SelectedInstance>,
    /// The instances that could not be read. Each of them can be protected.
    pub unread: Vec<UnreadInstance>,
}

/// An instance of a [`ProtectionCheck`] that could not be read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UnreadInstance {
    /// The reference.
    pub instance: InstanceReference,
    /// The reason: [`FaultKind::NotFound`](lifecycle_core::FaultKind::NotFound) for an instance that the cloud
    /// does not show.
    pub fault: Fault,
}

impl Fleet {
    /// Checks which of the instances are protected from stops and reboots.
    ///
    /// A request with references acts on all named instances, protected or not. A program that wants to leave
    /// protected instances alone calls this function first, and decides about instances that could not be
    /// read. A selection leaves protected instances alone without this call; see [`Protection`](crate::Protection).
    ///
    /// The check reads the names and tags of all instances, one call for up to a hundred. Instances that are not
    /// read within `time_limit` are [`unread`](ProtectionCheck::unread).
    ///
    /// # Errors
    /// [`FleetError`] for an invalid reference, or if a location cannot be connected.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, references| {
    /// let check = fleet.protected(&references, Duration::from_secs(30)).await?;
    /// for selected in check.protected {
    ///     println!("{}: {:?}", selected.instance, selected.protection);
    /// }
    /// assert!(check.unread.is_empty());
    /// # Ok(())
    /// # });
    /// ```
    pub async fn protected(
        &self,
        references: impl IntoInstances<Self>,
        time_limit: Duration,
    ) -> Result<ProtectionCheck, FleetError> {
        let statuses = self.observe(references).details().timeout(time_limit);
        let protection = &self.connector.settings.protection;
        let mut check = ProtectionCheck::default();
        for status in statuses.await? {
            let instance = status.instance;
            match status.result {
                Ok(observation) => {
                    if let Some(reason) = protection.reason(&observation) {
                        check.protected.push(SelectedInstance {
                            instance,
                            observation,
                            protection: Some(reason),
                        });
                    }
                }
                Err(fault) => check.unread.push(UnreadInstance { instance, fault }),
            }
        }
        Ok(check)
    }
}
