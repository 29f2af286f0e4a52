//! The file of Huawei's SDKs (`ProfileCredentialProvider` of huaweicloudsdkcore).

use configparser::ini::Ini;
use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential, credential_source::unusable,
};

use super::IdentityProvider;

/// The section `[basic]` of `~/.huaweicloud/credentials`, or of the file that
/// `HUAWEICLOUD_SDK_CREDENTIALS_FILE` names: a key, or an identity provider.
#[derive(Clone, Debug, Default)]
pub struct SdkProfile {
    config: CredentialSourceConfig,
}

impl SdkProfile {
    /// Any region; IAM where the file or Huawei's own variables say.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a region, and with another address of IAM.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }

    fn find(&self, ctx: &ProviderContext<'_>) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let (path, section) = read(ctx)?;
        let Some(section) = section else {
            return Ok(ExchangeStep::NotConfigured(format!(
                "there is no [basic] in {path}"
            )));
        };
        let found = format!("[basic] in {path}");
        if let (Some(id), Some(file)) = (section.value("idp_id"), section.value("id_token_file")) {
            let mut provider = IdentityProvider::new(id, file).with_config(self.config.clone());
            if let Some(endpoint) = section.value("iam_endpoint") {
                provider =
                    provider.with_stored_endpoint(format!("{found}, iam_endpoint"), endpoint);
            }
            let step = provider.begin(ctx);
            return Ok(step.and_then(ctx, move |grant, _| {
                ExchangeStep::Done(grant.with_source_prefix(&found))
            }));
        }
        let credential = match (section.value("ak"), section.value("sk")) {
            (Some(id), Some(secret)) => match section.value("security_token") {
                Some(token) => Credential::session(id, secret, token),
                None => Credential::keys(id, secret),
            },
            (Some(_), None) => return Err(unusable(&found, "has no sk")),
            (None, Some(_)) => return Err(unusable(&found, "has no ak")),
            (None, None) => {
                let reason = "has neither ak and sk nor idp_id and id_token_file";
                return Err(unusable(&found, reason));
            }
        };
        Ok(ExchangeStep::Done(ResolvedCredential::new(
            credential, found,
        )))
    }
}

impl CredentialSource for SdkProfile {
    fn name(&self) -> String {
        "file of Huawei's SDKs".to_owned()
    }

    fn wants(&self) -> String {
        FILE.to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.find(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

/// The project that is stored with the key of this id.
pub(crate) fn project_of(id: &str, ctx: &ProviderContext<'_>) -> Option<String> {
    let section = read(ctx).ok()?.1?;
    let same = section.value("ak").is_some_and(|own| own == id);
    section.value("project_id").filter(|_| same)
}

const FILE: &str = "~/.huaweicloud/credentials";
const FILE_VARIABLE: &str = "HUAWEICLOUD_SDK_CREDENTIALS_FILE";

/// The path of the file, and its section where there is one.
fn read(ctx: &ProviderContext<'_>) -> Result<(String, Option<Section>), Fault> {
    let named = ctx.variable(FILE_VARIABLE);
    let path = named.clone().unwrap_or_else(|| FILE.to_owned());
    let Some(text) = ctx.secret_file(&path)? else {
        if named.is_some() {
            let reason = format!("is the file that {FILE_VARIABLE} names, but is not there");
            return Err(unusable(&path, &reason));
        }
        return Ok((path, None));
    };
    let mut ini = Ini::new();
    // What follows a # or a ; in a value is part of it.
    ini.set_inline_comment_symbols(Some(&[]));
    if ini.read(text).is_err() {
        // Its own error quotes the line.
        return Err(unusable(&path, "is no ini file"));
    }
    let has_section = ini.sections().iter().any(|name| name == "basic");
    Ok((path, has_section.then_some(Section(ini))))
}

/// The section `[basic]`.
struct Section(Ini);

impl Section {
    fn value(&self, name: &str) -> Option<String> {
        let value = self.0.get("basic", name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }
}
