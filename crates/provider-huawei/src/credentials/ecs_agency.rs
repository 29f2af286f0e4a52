//! The agency of the machine itself:
//! <https://support.huaweicloud.com/intl/en-us/usermanual-ecs/ecs_03_0166.html> and
//! `MetadataAccessor` of huaweicloudsdkcore.

use http::{HeaderValue, Method};
use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, Endpoint, ExchangeStep, Fault, FaultKind,
    HttpResponse, ProviderContext, ResolvedCredential, ResponseExt, Secret, ServiceKind,
    sensitive_header,
};

use super::issued::{self, RENEWAL};
use crate::{
    fault,
    identity::{invalid, unsigned},
};

/// The key of the agency that an ECS server runs under, by its metadata service.
///
/// A key lives for a day, and is renewed 40 minutes before its end, as Huawei's SDK does.
#[derive(Clone, Debug, Default)]
pub struct EcsAgency {
    config: CredentialSourceConfig,
}

impl EcsAgency {
    /// By the metadata service at its fixed address.
    pub fn new() -> Self {
        Self::default()
    }

    /// With another address of the metadata service.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }
}

impl CredentialSource for EcsAgency {
    fn name(&self) -> String {
        "ECS agency".to_owned()
    }

    fn wants(&self) -> String {
        "an agency for this ECS server".to_owned()
    }

    fn begin(&self, _: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let endpoint = match &self.config.metadata {
            Some(endpoint) => Ok(endpoint.clone()),
            None => Endpoint::parse("http://169.254.169.254"),
        };
        match endpoint {
            Ok(endpoint) => Service(endpoint).first_token(),
            Err(error) => ExchangeStep::Failed(invalid(error.to_string())),
        }
    }
}

/// The metadata service.
#[derive(Clone)]
struct Service(Endpoint);

impl Service {
    /// The first call: nobody may be there, or somebody who knows no tokens.
    fn first_token(self) -> ExchangeStep<ResolvedCredential> {
        let service = self.clone();
        self.ask_token(move |reply| match reply {
            Ok(reply) if reply.status().as_u16() == 200 => {
                service.key(Some(token(&reply)), Renewal::Possible)
            }
            Ok(reply) if has_no_tokens(&reply) => service.key(None, Renewal::Possible),
            Ok(reply) if is_refusal(&reply) => ExchangeStep::NotConfigured(format!(
                "the metadata service at {} is not Huawei's: it answers HTTP {}",
                service.0,
                reply.status().as_u16()
            )),
            Ok(reply) => ExchangeStep::Failed(failure(&reply)),
            Err(fault) if is_silence(&fault) => ExchangeStep::NotConfigured(format!(
                "no metadata service at {}: this machine is no ECS server of Huawei Cloud, or it \
                 is switched off",
                service.0
            )),
            Err(fault) => ExchangeStep::Failed(fault),
        })
    }

    /// The second call: the key itself.
    fn key(self, token: Option<Secret>, renewal: Renewal) -> ExchangeStep<ResolvedCredential> {
        let header = token
            .as_ref()
            .map(|token| sensitive_header(token.expose()))
            .transpose();
        let request = header.and_then(|header| {
            let headers = header.map(|value| ("x-metadata-token", value));
            unsigned(&self.0, Method::GET, KEY, headers)
        });
        let request = match request {
            Ok(request) => request,
            Err(fault) => return ExchangeStep::Failed(fault),
        };
        ExchangeStep::http(
            "securitykey",
            ServiceKind::Metadata,
            request,
            move |reply, _| {
                let reply = match reply {
                    Ok(reply) => reply,
                    Err(fault) => return ExchangeStep::Failed(fault),
                };
                match reply.status().as_u16() {
                    401 if reply.may_contain("Please configure Cloud Service Agency first") => {
                        ExchangeStep::NotConfigured("this ECS server has no agency".to_owned())
                    }
                    401 if renewal == Renewal::Possible => self.next_token(token.is_some(), reply),
                    404 => ExchangeStep::NotConfigured(format!(
                        "the metadata service at {} has no keys",
                        self.0
                    )),
                    _ => issued::read(&reply, "ECS agency (metadata)".to_owned())
                        .map(|grant| grant.with_renewal(RENEWAL))
                        .into(),
                }
            },
        )
    }

    /// After a 401: the token was refused, or one is needed after all.
    fn next_token(self, had_one: bool, refusal: HttpResponse) -> ExchangeStep<ResolvedCredential> {
        let service = self.clone();
        self.ask_token(move |reply| match reply {
            Ok(reply) if reply.status().as_u16() == 200 => {
                service.key(Some(token(&reply)), Renewal::Done)
            }
            Ok(reply) if !had_one && has_no_tokens(&reply) => ExchangeStep::NotConfigured(format!(
                "the metadata service at {} gives no key and no token",
                service.0
            )),
            Ok(_) => ExchangeStep::Failed(failure(&refusal)),
            Err(fault) => ExchangeStep::Failed(fault),
        })
    }

    fn ask_token(
        &self,
        then: impl FnOnce(Result<HttpResponse, Fault>) -> ExchangeStep<ResolvedCredential>
        + Send
        + 'static,
    ) -> ExchangeStep<ResolvedCredential> {
        const SIX_HOURS: HeaderValue = HeaderValue::from_static("21600");
        let lifetime = [("x-metadata-token-ttl-seconds", SIX_HOURS)];
        match unsigned(&self.0, Method::PUT, TOKEN, lifetime) {
            Ok(request) => {
                ExchangeStep::http("token", ServiceKind::Metadata, request, |reply, _| {
                    then(reply)
                })
            }
            Err(fault) => ExchangeStep::Failed(fault),
        }
    }
}

const TOKEN: &str = "/meta-data/latest/api/token";
const KEY: &str = "/openstack/latest/securitykey";

/// May the token be renewed once?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Renewal {
    Possible,
    Done,
}

fn token(reply: &HttpResponse) -> Secret {
    Secret::new(String::from_utf8_lossy(reply.body()).trim())
}

/// A metadata service of before there were tokens.
fn has_no_tokens(reply: &HttpResponse) -> bool {
    matches!(reply.status().as_u16(), 404 | 405 | 503)
}

/// Another cloud's metadata service wants other headers.
fn is_refusal(reply: &HttpResponse) -> bool {
    (400..500).contains(&reply.status().as_u16()) && reply.status().as_u16() != 429
}

fn is_silence(fault: &Fault) -> bool {
    matches!(fault.kind(), FaultKind::Unreachable | FaultKind::NoAnswer)
}

/// What a failing answer says.
fn failure(reply: &HttpResponse) -> Fault {
    fault::check(reply)
        .err()
        .unwrap_or_else(|| issued::unreadable(reply, "it is no answer to the question"))
}
