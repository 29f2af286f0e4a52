//! Lists the regions of a cloud, and resolves patterns to locations.

use std::{collections::BTreeSet, sync::Arc};

use lifecycle_core::{NamePattern, Region};

use super::{Fleet, FleetError, Location, LocationPattern, connect::Connector};
use crate::cloud::{Cloud, RegionsFrom};

/// The locations that match some [`LocationPattern`]s.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ResolvedLocations {
    /// The locations, each once, in the order of the patterns.
    pub locations: Vec<ResolvedLocation>,
    /// The locations of patterns such as `aliyun/*` that the key cannot use, with the reasons.
    pub unavailable: Vec<UnavailableLocation>,
}

/// A location, and its origin: named by the caller, or found by a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResolvedLocation {
    /// The location.
    pub location: Location,
    /// `true` if the caller named the location. The key may lack access to a location of a pattern such as
    /// `aliyun/*`, but must have access to a named location.
    pub is_named: bool,
}

/// A location that the key cannot use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnavailableLocation {
    /// The location.
    pub location: Location,
    /// The reason, in the terms of the cloud.
    pub reason: String,
}

impl UnavailableLocation {
    pub(super) fn new(location: Location, reason: impl Into<String>) -> Self {
        Self {
            location,
            reason: reason.into(),
        }
    }
}

impl Fleet {
    /// Reads the regions of a cloud with the key of the cloud's own tools. A cloud with one endpoint for all
    /// regions has the region `global`, without a call.
    ///
    /// # Errors
    /// [`FleetError`] if there is no key, or if the call failed.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_facade::Cloud;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, _| {
    /// # let cloud = setup::location().cloud; // such as Cloud::Aliyun
    /// for region in fleet.regions(cloud).await? {
    ///     println!("{cloud}/{}", region.id);
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn regions(&self, cloud: Cloud) -> Result<Vec<Region>, FleetError> {
        self.connector.regions(cloud, None).await
    }

    /// Returns the locations of the patterns; without patterns, the locations of all named accounts.
    ///
    /// The call reads the regions of a cloud only for a pattern with a wildcard, and for an account without a
    /// region.
    ///
    /// # Errors
    /// [`FleetError`] for an unknown account or an invalid location, for a pattern that matches no region, without
    /// patterns if the fleet has no named accounts, or if the regions of a cloud cannot be read.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |fleet, _| {
    /// # let cloud = setup::location().cloud; // such as Cloud::Aliyun
    /// let all = fleet.locations(&[format!("{cloud}/*").parse()?]).await?;
    /// assert!(!all.locations.is_empty());
    /// # Ok(())
    /// # });
    /// ```
    pub async fn locations(
        &self,
        patterns: &[LocationPattern],
    ) -> Result<ResolvedLocations, FleetError> {
        let accounts: Vec<LocationPattern>;
        let patterns = match patterns {
            [] => {
                let names = self.accounts().map(|(name, _)| name.to_owned());
                accounts = names.map(LocationPattern::Account).collect();
                &accounts
            }
            patterns => patterns,
        };
        if patterns.is_empty() {
            return Err(FleetError::NoLocation);
        }
        let mut resolver = Resolver::new(self);
        for pattern in patterns {
            resolver.add(pattern).await?;
        }
        Ok(resolver.resolved)
    }
}

/// Collects the locations of patterns, each once.
struct Resolver<'f> {
    fleet: &'f Fleet,
    known: BTreeSet<Location>,
    resolved: ResolvedLocations,
}

impl<'f> Resolver<'f> {
    fn new(fleet: &'f Fleet) -> Self {
        Self {
            fleet,
            known: BTreeSet::new(),
            resolved: ResolvedLocations::default(),
        }
    }

    /// Adds the locations of a pattern.
    async fn add(&mut self, pattern: &LocationPattern) -> Result<(), FleetError> {
        match pattern {
            LocationPattern::Location(location) => {
                self.push(location.clone(), true);
                Ok(())
            }
            LocationPattern::Regions {
                cloud,
                account,
                region,
            } => {
                self.add_regions(*cloud, account.as_deref(), Some(region))
                    .await
            }
            LocationPattern::Account(name) => {
                let account = self.fleet.connector.settings.named_account(name)?;
                let (cloud, region) = (account.cloud, account.region.clone());
                match region.as_deref().or(cloud.only_region()) {
                    Some(region) => {
                        self.push(Location::new(cloud, region).with_account(name), true);
                        Ok(())
                    }
                    None => self.add_regions(cloud, Some(name), None).await,
                }
            }
        }
    }

    /// Adds the regions that the cloud reports, and that match `pattern`.
    async fn add_regions(
        &mut self,
        cloud: Cloud,
        account: Option<&str>,
        pattern: Option<&NamePattern>,
    ) -> Result<(), FleetError> {
        let regions = self.fleet.connector.regions(cloud, account).await?;
        let (regions, others): (Vec<_>, Vec<_>) = regions.into_iter().partition(|region| {
            let id = region.id.to_ascii_lowercase();
            pattern.is_none_or(|pattern| pattern.matches(&id))
        });
        if let (Some(pattern), []) = (pattern, &*regions) {
            let written = LocationPattern::Regions {
                cloud,
                account: account.map(Into::into),
                region: pattern.clone(),
            };
            let known: Vec<&str> = others.iter().map(|region| &*region.id).collect();
            let problem = format!("no region matches; the regions are {}", known.join(", "));
            return Err(FleetError::at(&written)(problem));
        }
        for region in regions {
            let id = region.id.to_ascii_lowercase();
            let mut location = Location::new(cloud, id);
            location.account = account.map(Into::into);
            match region.unavailable {
                Some(reason) => {
                    let unavailable = UnavailableLocation::new(location, reason);
                    self.resolved.unavailable.push(unavailable);
                }
                None => self.push(location, false),
            }
        }
        Ok(())
    }

    fn push(&mut self, location: Location, is_named: bool) {
        if self.known.insert(location.clone()) {
            let resolved = ResolvedLocation { location, is_named };
            self.resolved.locations.push(resolved);
        }
    }
}

impl Connector {
    /// Reads the regions of a cloud with the key of a named account, or of the cloud's own tools.
    async fn regions(
        self: &Arc<Self>,
        cloud: Cloud,
        account: Option<&str>,
    ) -> Result<Vec<Region>, FleetError> {
        if let Some(only) = cloud.only_region() {
            return Ok(vec![Region::new(only)]);
        }
        let configured = match account {
            Some(name) => self.settings.named_account(name)?.region.clone(),
            None => None,
        };
        let region = configured.unwrap_or_else(|| cloud.default_region(&*self.settings.host));
        let mut location = Location::new(cloud, region);
        location.account = account.map(Into::into);
        let regions = match &cloud.driver().regions {
            RegionsFrom::Provider => self.client(&location).await?.regions().await?,
            RegionsFrom::Endpoint(endpoint) => {
                let client = self.client_at(&location, endpoint()).await?;
                client.regions().await?
            }
            RegionsFrom::Identity(lookup) => Some(self.look_up_regions(*lookup, &location).await?),
        };
        regions.ok_or_else(|| FleetError::at(&location)("the cloud has no list of regions"))
    }
}
