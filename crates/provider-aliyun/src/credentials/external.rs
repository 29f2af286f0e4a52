//! A key that a program writes.

use std::collections::HashMap;

use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential, credential_source::read_moment,
};
use serde_json::{Map, Value};

use super::{command, entry::Entry, mode};

/// The program that a profile of mode `External` names. What it writes is a profile in JSON, as
/// the vendor's command line reads it: with `mode`, and what belongs to that mode.
/// <https://github.com/aliyun/aliyun-cli#configure-authentication-methods>
#[derive(Debug)]
pub(super) struct External {
    entry: Entry,
    config: CredentialSourceConfig,
}

impl External {
    pub(super) fn new(entry: Entry, config: CredentialSourceConfig) -> Self {
        Self { entry, config }
    }

    fn run(&self, ctx: &ProviderContext<'_>) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        refuse_if_off(&self.entry, ctx)?;
        let command = command::split(self.entry.need("process_command")?).map_err(|reason| {
            self.entry
                .fault(&format!("has a process_command that {reason}"))
        })?;
        let (entry, config) = (self.entry.clone(), self.config.clone());
        Ok(ExchangeStep::program(command, move |output, ctx| {
            output
                .and_then(|output| read(&entry, &output))
                .and_then(|told| take(&told, &config, ctx))
                .unwrap_or_else(ExchangeStep::Failed)
        }))
    }
}

impl CredentialSource for External {
    fn name(&self) -> String {
        "external program".to_owned()
    }

    fn wants(&self) -> String {
        self.entry.place().to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.run(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

/// What the vendor's command line leaves when a program or a URL may not be asked.
pub(super) fn refuse_if_off(entry: &Entry, ctx: &ProviderContext<'_>) -> Result<(), Fault> {
    if ctx.is_on(OFF) {
        return Err(entry.fault(&format!("may not be used: {OFF} forbids it")));
    }
    Ok(())
}

const OFF: &str = "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS";

/// The output as a profile. It may hold secrets, so nothing of it is quoted.
fn read(entry: &Entry, output: &str) -> Result<Entry, Fault> {
    let output: Map<String, Value> = serde_json::from_str(output).map_err(|error| {
        entry.fault(&format!(
            "names a program that wrote no JSON object (line {}, column {})",
            error.line(),
            error.column()
        ))
    })?;
    let place = format!("what the program of {} wrote", entry.place());
    Ok(Entry::new(place, settings(&output)))
}

/// The settings of a profile in JSON, as text whatever their type is: a policy may be written as
/// an object, and a setting that is left out could widen what the key may do.
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

fn take(
    told: &Entry,
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
    let origin = match told.text("mode") {
        Some(mode @ ("External" | "ChainableRamRoleArn")) => {
            return Err(told.fault(&format!("has the mode {mode}, which leads elsewhere again")));
        }
        Some(_) => mode::origin(told, config, ctx)?,
        None => mode::keys(told)?,
    };
    let expires = told.text("expiration").map(|text| {
        read_moment(text).ok_or_else(|| told.fault("has an expiration that is no time"))
    });
    let expires = expires.transpose()?;
    Ok(origin.begin(ctx).and_then(ctx, move |grant, _| {
        ExchangeStep::Done(match expires {
            Some(expires) if grant.expires.is_none() => grant
                .with_expiry(expires)
                .with_renewal(mode::PROGRAM_RENEWAL),
            _ => grant,
        })
    }))
}
