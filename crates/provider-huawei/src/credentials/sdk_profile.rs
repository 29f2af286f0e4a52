//! Credential source: the credentials file of Huawei's SDKs (`ProfileCredentialProvider` of
//! huaweicloudsdkcore).

use configparser::ini::Ini;
use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential, credential_source::unusable,
};

use super::IdentityProvider;

/// Reads a key or an identity provider from the section `[basic]` of `~/.huaweicloud/credentials`,
/// or of the file that `HUAWEICLOUD_SDK_CREDENTIALS_FILE` names.
#[derive(Clone, Debug, Default)]
pub struct SdkProfile {
    config: CredentialSourceConfig,
}

impl SdkProfile {
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

    fn try_begin(
        &self,
        ctx: &ProviderContext<'_>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let (path, section) = read(ctx)?;
        let Some(section) = section else {
            return Ok(ExchangeStep::NotConfigured(format!(
                "{path} has no section [basic]"
            )));
        };
        let location = format!("[basic] in {path}");
        if let (Some(id), Some(file)) = (section.value("idp_id"), section.value("id_token_file")) {
            let mut provider = IdentityProvider::new(id, file).with_config(self.config.clone());
            if let Some(endpoint) = section.value("iam_endpoint") {
                provider =
                    provider.with_stored_endpoint(format!("{location}, iam_endpoint"), endpoint);
            }
            let step = provider.begin(ctx);
            return Ok(step.and_then(ctx, move |resolved, _| {
                ExchangeStep::Done(resolved.with_source_prefix(&location))
            }));
        }
        let credential = match (section.value("ak"), section.value("sk")) {
            (Some(id), Some(secret)) => match section.value("security_token") {
                Some(token) => Credential::session(id, secret, token),
                None => Credential::keys(id, secret),
            },
            (Some(_), None) => return Err(unusable(&location, "has no sk")),
            (None, Some(_)) => return Err(unusable(&location, "has no ak")),
            (None, None) => {
                let reason = "has neither ak and sk nor idp_id and id_token_file";
                return Err(unusable(&location, reason));
            }
        };
        Ok(ExchangeStep::Done(ResolvedCredential::new(
            credential, location,
        )))
    }
}

impl CredentialSource for SdkProfile {
    fn name(&self) -> String {
        "file of Huawei's SDKs".to_owned()
    }

    fn requirements(&self) -> String {
        CREDENTIALS_FILE.to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.try_begin(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

/// Returns the project of the section, if the section holds the key with this id.
pub(crate) fn project_of(id: &str, ctx: &ProviderContext<'_>) -> Result<Option<String>, Fault> {
    let (_, section) = read(ctx)?;
    let section = section.filter(|section| section.value("ak").is_some_and(|ak| ak == id));
    Ok(section.and_then(|section| section.value("project_id")))
}

const CREDENTIALS_FILE: &str = "~/.huaweicloud/credentials";
const FILE_VARIABLE: &str = "HUAWEICLOUD_SDK_CREDENTIALS_FILE";

/// Returns the path of the file and the section; `None` without a section.
fn read(ctx: &ProviderContext<'_>) -> Result<(String, Option<Section>), Fault> {
    let custom = ctx.variable(FILE_VARIABLE);
    let path = custom
        .clone()
        .unwrap_or_else(|| CREDENTIALS_FILE.to_owned());
    let Some(text) = ctx.secret_file(&path)? else {
        if custom.is_some() {
            let reason = format!("does not exist, but {FILE_VARIABLE} names it");
            return Err(unusable(&path, &reason));
        }
        return Ok((path, None));
    };
    let mut ini = Ini::new();
    // A # or ; in a value does not start a comment.
    ini.set_inline_comment_symbols(Some(&[]));
    if ini.read(text).is_err() {
        // The parser's error quotes the line, which may hold a secret.
        return Err(unusable(&path, "is not a valid ini file"));
    }
    let sections = ini.sections();
    if sections.iter().any(|name| name == "basic") {
        return Ok((path, Some(Section(ini))));
    }
    // The SDKs have one more section, for global services.
    if sections.iter().all(|name| name == "global") {
        return Ok((path, None));
    }
    // The key of another place must not take the place of a key that cannot be read.
    let reason = "has settings, but no section [basic]: write [basic] above ak and sk";
    Err(unusable(&path, reason))
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
