//! Fuzz target: credential sources with files, variables, responses of services, and outputs of
//! programs.

use std::fmt::Debug;

use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, FaultKind,
    HttpResponse, ListQuery, ProviderContext, ResolvedCredential,
};
use provider_testing::FakeHost;

use crate::{
    key,
    message::Message,
    sections::{self, Section},
    signing_context,
    traces::assert_bounded,
};

/// Resolves a key with each source of a cloud. The input has the name of the cloud in the first line,
/// then sections `== file PATH`, `== variable NAME`, `== response` and `== output`.
///
/// # Panics
/// If a source panics, asks without an end, shows a secret, or returns a text that is larger than the
/// input allows.
pub fn check(data: &[u8]) {
    let (name, parts) = sections::parse(data);
    let sources = match &*name {
        "aliyun" => provider_aliyun::credentials::sources,
        "baidu" => provider_baidu::credentials::sources,
        "huawei" => provider_huawei::credentials::sources,
        "zenlayer" => provider_zenlayer::credentials::sources,
        _ => return,
    };
    let texts: Vec<(String, String)> = parts
        .iter()
        .filter(|part| matches!(&*part.kind, "file" | "variable"))
        .map(|part| (part.argument.clone(), text(part).trim_end().to_owned()))
        .collect();
    let texts: Vec<(&str, &str)> = texts
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    let host = FakeHost::new(&texts);
    let run = Run {
        ctx: ProviderContext::new(&host, signing_context()),
        responses: of_kind(&parts, "response")
            .map(|part| Message::parse(part.content).into_response())
            .collect(),
        outputs: of_kind(&parts, "output").map(text).collect(),
        data,
    };
    for config in [
        CredentialSourceConfig::default(),
        CredentialSourceConfig::in_region(crate::REGION).with_profile("prod"),
    ] {
        for source in sources(&config) {
            run.resolve(&*source);
        }
        run.find_project(&config);
        run.find_regions(&config);
    }
    run.find_endpoint();
}

fn of_kind<'a>(parts: &'a [Section<'a>], kind: &str) -> impl Iterator<Item = &'a Section<'a>> {
    parts.iter().filter(move |part| part.kind == kind)
}

fn text(part: &Section<'_>) -> String {
    String::from_utf8_lossy(part.content).into_owned()
}

/// The most steps of one exchange. The longest exchange is a chain of profiles.
const MAX_STEPS: usize = 64;

struct Run<'a> {
    ctx: ProviderContext<'a>,
    responses: Vec<HttpResponse>,
    outputs: Vec<String>,
    data: &'a [u8],
}

impl Run<'_> {
    fn resolve(&self, source: &dyn CredentialSource) {
        let _ = (source.name(), source.requirements());
        if let Some(resolved) = self.drive(source.begin(&self.ctx)) {
            self.check_resolved(&resolved);
        }
    }

    fn find_project(&self, config: &CredentialSourceConfig) {
        let step = provider_huawei::find_project_id(config, &key(), &self.ctx);
        if let Some(project) = self.drive(step) {
            // An id that a URL cannot hold is an error of the configuration.
            let _ = provider_huawei::Config::new(crate::REGION, &project);
        }
    }

    fn find_regions(&self, config: &CredentialSourceConfig) {
        let step = provider_huawei::find_regions(config, &key(), &self.ctx);
        let regions = self.drive(step).unwrap_or_default();
        assert!(regions.len() <= self.data.len());
    }

    fn find_endpoint(&self) {
        for find in [
            provider_aliyun::endpoint_from,
            provider_baidu::endpoint_from,
            provider_huawei::endpoint_from,
            provider_zenlayer::endpoint_from,
        ] {
            if let Err(fault) = find(crate::REGION, &self.ctx) {
                assert_bounded(&fault, self.data);
            }
        }
    }

    /// Returns the result of an exchange; `None` for a failure or a source without configuration.
    fn drive<T: Debug + 'static>(&self, mut step: ExchangeStep<T>) -> Option<T> {
        for number in 0..MAX_STEPS {
            step = match step {
                ExchangeStep::Done(value) => return Some(value),
                ExchangeStep::NotConfigured(reason) => {
                    assert!(reason.len() <= 8 * self.data.len() + 4096);
                    return None;
                }
                ExchangeStep::Failed(fault) => {
                    assert_bounded(&fault, self.data);
                    return None;
                }
                ExchangeStep::Http(exchange) => {
                    let response = nth(&self.responses, number);
                    exchange.then(response.ok_or_else(no_answer), &self.ctx)
                }
                ExchangeStep::Program(run) => {
                    assert!(!run.command.is_empty());
                    let output = nth(&self.outputs, number);
                    run.then(output.ok_or_else(no_answer), &self.ctx)
                }
            };
        }
        panic!("an exchange without an end");
    }

    /// Checks that no text for operators has a secret. A text that stands at several places of the
    /// input can be a name, too.
    fn check_resolved(&self, resolved: &ResolvedCredential) {
        let shown = format!("{resolved:?} {}", resolved.source);
        assert!(shown.len() <= 32 * self.data.len() + 4096);
        for secret in resolved.credential.secrets() {
            let secret = secret.expose();
            let input = String::from_utf8_lossy(self.data);
            if secret.len() >= 16 && input.matches(secret).count() == 1 {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
        // A key that cannot be signed with is an error, not a panic.
        let _ = sign_with(&resolved.credential);
    }
}

fn sign_with(credential: &Credential) -> Result<(), Fault> {
    for cloud in crate::CLOUDS {
        let provider = crate::provider(cloud).expect("a known cloud");
        let call = provider.list(&ListQuery::default(), None)?;
        let _ = provider.sign(&call.request, credential, &signing_context());
    }
    Ok(())
}

/// Returns the answers in turn.
fn nth<T: Clone>(answers: &[T], number: usize) -> Option<T> {
    answers.get(number % answers.len().max(1)).cloned()
}

fn no_answer() -> Fault {
    Fault::new(FaultKind::Unavailable, "no answer")
}
