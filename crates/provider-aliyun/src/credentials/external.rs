//! Credential source: a key that an external program prints.

use std::collections::HashMap;

use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential, credential_source::read_time,
};
use serde_json::{Map, Value};

use super::{command, mode, profile_section::ProfileSection};

/// Runs the program of a profile of mode `External`. The program prints a profile in JSON, with a
/// `mode` and the settings of that mode, in the format of Alibaba's tool `aliyun`.
/// <https://github.com/aliyun/aliyun-cli#configure-authentication-methods>
#[derive(Debug)]
pub(super) struct External {
    section: ProfileSection,
    config: CredentialSourceConfig,
}

impl External {
    pub(super) fn new(section: ProfileSection, config: CredentialSourceConfig) -> Self {
        Self { section, config }
    }

    fn try_begin(
        &self,
        ctx: &ProviderContext<'_>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        check_allowed(&self.section, ctx)?;
        let command = self.section.required("process_command")?;
        let command = command::split(command).map_err(|reason| {
            let reason = format!("has an invalid process_command: {reason}");
            self.section.fault(&reason)
        })?;
        let (section, config) = (self.section.clone(), self.config.clone());
        Ok(ExchangeStep::program(command, move |output, ctx| {
            output
                .and_then(|output| parse_output(&section, &output))
                .and_then(|printed| begin(&printed, &config, ctx))
                .unwrap_or_else(ExchangeStep::Failed)
        }))
    }
}

impl CredentialSource for External {
    fn name(&self) -> String {
        "external program".to_owned()
    }

    fn requirements(&self) -> String {
        self.section.location().to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.try_begin(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

/// Fails if the vendor's switch forbids external programs and credentials URIs.
pub(super) fn check_allowed(
    section: &ProfileSection,
    ctx: &ProviderContext<'_>,
) -> Result<(), Fault> {
    if ctx.is_on(PROGRAM_DISABLED_VAR) {
        return Err(section.fault(&format!(
            "cannot be used: {PROGRAM_DISABLED_VAR} forbids it"
        )));
    }
    Ok(())
}

const PROGRAM_DISABLED_VAR: &str = "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS";

/// Parses the output of the program. A fault never quotes the output, which may hold secrets.
fn parse_output(section: &ProfileSection, output: &str) -> Result<ProfileSection, Fault> {
    let output: Map<String, Value> = serde_json::from_str(output).map_err(|error| {
        section.fault(&format!(
            "has a program whose output is not a JSON object (line {}, column {})",
            error.line(),
            error.column()
        ))
    })?;
    let location = format!("the program output for {}", section.location());
    Ok(ProfileSection::new(location, settings(&output)))
}

/// Returns the settings of a profile in JSON as text, whatever their JSON type is. A policy may be
/// a JSON object, and a policy that is left out would give the key more permissions.
pub(super) fn settings(profile: &Map<String, Value>) -> HashMap<String, String> {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let settings = profile.iter();
    settings
        .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
        .collect()
}

fn begin(
    printed: &ProfileSection,
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
    let source = match printed.setting("mode") {
        Some(mode @ ("External" | "ChainableRamRoleArn")) => {
            return Err(printed.fault(&format!("has the mode {mode}, which is not supported here")));
        }
        Some(_) => mode::source(printed, config, ctx)?,
        None => mode::access_key(printed)?,
    };
    let expires = printed.setting("expiration").map(|text| {
        read_time(text)
            .ok_or_else(|| printed.fault("has an invalid expiration: use an RFC 3339 time"))
    });
    let expires = expires.transpose()?;
    Ok(source.begin(ctx).and_then(ctx, move |resolved, _| {
        ExchangeStep::Done(match expires {
            Some(expires) if resolved.expires.is_none() => resolved
                .with_expiry(expires)
                .with_renewal(mode::PROGRAM_RENEWAL),
            _ => resolved,
        })
    }))
}
