//! `SimulatedKey`: the key of a simulated cloud, as a provider of keys.

use std::sync::Arc;

use async_trait::async_trait;
use lifecycle_client::{CredentialError, CredentialProvider, SimulatedClouds};
use lifecycle_core::Credential;

use crate::cloud::Cloud;

/// The newest key of a simulated cloud.
#[derive(Debug)]
pub(super) struct SimulatedKey {
    pub(super) clouds: Arc<dyn SimulatedClouds>,
    pub(super) cloud: Cloud,
}

#[async_trait]
impl CredentialProvider for SimulatedKey {
    async fn credential(&self) -> Result<Arc<Credential>, CredentialError> {
        let key = self.clouds.credential(self.cloud.as_str());
        let missing = || {
            let cloud = self.cloud;
            CredentialError::not_configured(format!(
                "no simulated cloud has the name {cloud}: set the credentials of the fleet or of an account"
            ))
        };
        key.map(Arc::new).ok_or_else(missing)
    }
}
