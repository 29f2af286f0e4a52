//! Methods of [`Cloud`]: the name, the provider's data, regions and credential sources.

use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    sync::{Arc, PoisonError, RwLock},
};

use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, HostEnvironment, InstanceId, Profile, Provider,
    ProviderContext, SigningContext, credential_source::EnvCredentialSource,
};

use super::{
    Cloud, CloudData, ENTRIES, EndpointNetwork, LocationSettings, ParseReferenceError,
    entry::CloudRegions, external::all_data,
};

impl Cloud {
    /// Returns the name in references.
    pub fn as_str(self) -> &'static str {
        self.entry().name
    }

    /// Returns the title, the limits and the options of the cloud.
    pub fn profile(self) -> &'static Profile {
        self.driver().profile
    }

    /// Returns the credential sources of the cloud's own tools, in the order of these tools.
    pub fn sources(self, config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
        match self.driver().sources {
            Some(sources) => sources(config),
            None => self.env_sources(config),
        }
    }

    /// Returns the name of the only region; `None` if every region has an endpoint.
    pub fn only_region(self) -> Option<&'static str> {
        match self.entry().regions {
            CloudRegions::One(name) => Some(name),
            CloudRegions::Many { .. } => None,
        }
    }

    /// Returns a region in which a key can be tried if the caller names no region.
    ///
    /// The variables of the cloud's own tools on `host` come first, then a default region.
    pub fn default_region(self, host: &dyn HostEnvironment) -> String {
        match self.entry().regions {
            CloudRegions::One(name) => name.to_owned(),
            CloudRegions::Many { variables, default } => {
                let ctx = ProviderContext::new(host, SigningContext::from_unix(0, 0));
                let set = ctx.first_variable(variables);
                set.unwrap_or_else(|| default.to_owned())
            }
        }
    }

    /// Returns the environment variables for the project ID, in order of precedence; none on a cloud
    /// without projects.
    pub fn project_variables(self) -> &'static [&'static str] {
        let project = self.driver().project.as_ref();
        project.map_or(&[], |project| project.variables)
    }

    /// Returns the environment variables of the cloud's own tools as credential sources.
    pub(crate) fn env_sources(
        self,
        config: &CredentialSourceConfig,
    ) -> Vec<Box<dyn CredentialSource>> {
        #[cfg(feature = "config")]
        let own = self.driver().env_sources;
        #[cfg(not(feature = "config"))]
        let own: Option<super::driver::SourceFn> = None;
        match own {
            Some(sources) => sources(config),
            None => vec![Box::new(EnvCredentialSource::new(self.profile().env_vars))],
        }
    }

    /// Returns the id as the cloud spells the id, in all regions. Sends nothing.
    pub(crate) fn canonical_id(self, id: &InstanceId) -> InstanceId {
        match self.spelling_provider() {
            Some(provider) => provider.canonical_id(id),
            None => id.clone(),
        }
    }

    /// Returns a provider that compares ids, built once in the process; `None` if no provider can be built for the
    /// example region.
    fn spelling_provider(self) -> Option<Arc<dyn Provider>> {
        static PROVIDERS: RwLock<BTreeMap<Cloud, Arc<dyn Provider>>> = RwLock::new(BTreeMap::new());
        let known = PROVIDERS.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(provider) = known.get(&self) {
            return Some(Arc::clone(provider));
        }
        drop(known);
        let built = (self.driver().build)(&LocationSettings {
            region: self.example_region(),
            endpoint: None,
            network: EndpointNetwork::default(),
            project: None,
            enterprise_project: None,
            batch_reboot: false,
        });
        let provider = built.ok()?.provider;
        let mut known = PROVIDERS.write().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(known.entry(self).or_insert(provider)))
    }

    fn example_region(self) -> &'static str {
        let (CloudRegions::One(region)
        | CloudRegions::Many {
            default: region, ..
        }) = self.entry().regions;
        region
    }

    /// Returns a note for people about an empty list; `None` if an empty list has one meaning.
    pub fn empty_list_note(self) -> Option<&'static str> {
        self.entry().empty_list_note
    }

    /// Returns a location for messages, such as `cloud/region`.
    pub(crate) fn example_location(self) -> String {
        format!("{self}/{}", self.example_region())
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Cloud {
    type Err = ParseReferenceError;

    fn from_str(name: &str) -> Result<Self, ParseReferenceError> {
        let known = Self::known();
        if let Some(cloud) = known.iter().find(|cloud| cloud.as_str() == name) {
            return Ok(*cloud);
        }
        let is_in_another_build = ENTRIES.iter().any(|entry| entry.name == name);
        Err(ParseReferenceError::new(if is_in_another_build {
            format!("{name} is not part of this build: compile with the feature \"{name}\"")
        } else {
            let hint = CloudData::hint(&all_data(), &name.to_lowercase());
            let hint = hint.unwrap_or_else(|| {
                let names: Vec<&str> = known.iter().map(|cloud| cloud.as_str()).collect();
                format!("write one of {}", names.join(", "))
            });
            format!("unknown cloud {name:?}: {hint}")
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_cloud_is_suggested_by_name_and_by_alias() {
        for (written, expected) in [
            ("alibaba", "did you mean \"aliyun\"?"),
            ("Aliyun", "did you mean \"aliyun\"?"),
            ("hwcloud", "did you mean \"huawei\"?"),
            ("huawai", "did you mean \"huawei\"?"),
            ("badu", "did you mean \"baidu\"?"),
            ("aws", "write one of baidu, aliyun, zenlayer, huawei"),
        ] {
            let error = written.parse::<Cloud>().unwrap_err().to_string();
            assert_eq!(error, format!("unknown cloud {written:?}: {expected}"));
        }
    }

    #[test]
    fn profile_has_the_name_of_the_entry() {
        for cloud in Cloud::ALL {
            assert_eq!(cloud.profile().cloud, cloud.as_str());
        }
    }
}
