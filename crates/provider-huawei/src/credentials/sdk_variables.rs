//! Credential source: the environment variables of Huawei's SDKs (`auth/provider.py` of
//! huaweicloudsdkcore).

use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, ExchangeStep, ProviderContext, ResolvedCredential,
    credential_source::{EnvCredentialSource, not_set, unusable},
};

use super::{IdentityProvider, SDK};

/// Reads the variables of Huawei's SDKs: `HUAWEICLOUD_SDK_IDP_ID` with
/// `HUAWEICLOUD_SDK_ID_TOKEN_FILE`, or `HUAWEICLOUD_SDK_AK` with `HUAWEICLOUD_SDK_SK` and, for a
/// temporary key, `HUAWEICLOUD_SDK_SECURITY_TOKEN`.
///
/// As in the SDKs, an identity provider takes precedence over a key, and an incomplete identity
/// provider is ignored if the variables hold a key.
#[derive(Clone, Debug, Default)]
pub struct SdkVariables {
    config: CredentialSourceConfig,
}

impl SdkVariables {
    /// Creates a source without a region.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the region and the address of IAM.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }
}

impl CredentialSource for SdkVariables {
    fn name(&self) -> String {
        "environment of Huawei's SDKs".to_owned()
    }

    fn requirements(&self) -> String {
        format!("{IDP_ID} and {ID_TOKEN_FILE}, or {SDK}")
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let incomplete = match (ctx.variable(IDP_ID), ctx.variable(ID_TOKEN_FILE)) {
            (Some(id), Some(file)) => {
                return IdentityProvider::new(id, file)
                    .with_config(self.config.clone())
                    .begin(ctx);
            }
            (Some(_), None) => Some((IDP_ID, ID_TOKEN_FILE)),
            (None, Some(_)) => Some((ID_TOKEN_FILE, IDP_ID)),
            (None, None) => None,
        };
        match (EnvCredentialSource::new(&[SDK]).begin(ctx), incomplete) {
            (ExchangeStep::NotConfigured(_), Some((present, absent))) => {
                let reason = format!("is set, but {absent} is not: set both or neither");
                ExchangeStep::Failed(unusable(present, &reason))
            }
            (ExchangeStep::NotConfigured(_), None) => {
                ExchangeStep::NotConfigured(not_set(&self.requirements()))
            }
            (step, _) => step,
        }
    }
}

const IDP_ID: &str = "HUAWEICLOUD_SDK_IDP_ID";
const ID_TOKEN_FILE: &str = "HUAWEICLOUD_SDK_ID_TOKEN_FILE";
