//! Origins on a machine of texts, with scripted answers.

mod chain;
mod exchanges;
mod files;
mod metadata;

use std::{collections::HashMap, fmt::Debug, time::SystemTime};

use bytes::Bytes;
use http::Request;
use lifecycle_core::{
    ExchangeStep, Fault, FaultKind, HostEnvironment, HttpResponse, ResolvedCredential, ServiceKind,
    SigningContext, credential_source::FileCheck,
};
use provider_testing::http_response;

use super::*;

/// A machine of texts: files under their paths, variables under their names.
#[derive(Debug, Default)]
pub(crate) struct Toy(HashMap<String, String>);

impl Toy {
    pub(crate) fn new(texts: &[(&str, &str)]) -> Self {
        let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        Self(texts.iter().map(own).collect())
    }
}

impl HostEnvironment for Toy {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn file(&self, path: &str, holds: FileCheck) -> Result<Option<String>, String> {
        let is_token = path.ends_with("token");
        assert_eq!(holds == FileCheck::Any, is_token, "{path}");
        Ok(self.0.get(path).cloned())
    }
}

pub(crate) fn ctx(toy: &Toy) -> ProviderContext<'_> {
    ProviderContext::new(toy, noon())
}

/// 2025-11-21T12:00:00Z.
pub(crate) fn noon() -> SigningContext {
    SigningContext::from_unix(1_763_726_400, 0)
}

pub(crate) const SDK_FILE: &str = "~/.huaweicloud/credentials";
pub(crate) const CLI_FILE: &str = "~/.hcloud/config.json";

pub(crate) fn reply(status: u16, body: &str) -> HttpResponse {
    http_response(status, http::HeaderMap::new(), Bytes::from(body.to_owned()))
}

/// What was asked on the way, and where it ended.
pub(crate) struct Way<T> {
    pub(crate) asked: Vec<(&'static str, ServiceKind, Request<Bytes>)>,
    pub(crate) end: ExchangeStep<T>,
}

/// Drives a step with these answers. All of them must be asked for, and no more.
pub(crate) fn drive<T: Debug>(
    mut step: ExchangeStep<T>,
    toy: &Toy,
    answers: impl IntoIterator<Item = Result<HttpResponse, Fault>>,
) -> Way<T> {
    let mut asked = Vec::new();
    for answer in answers {
        let ExchangeStep::Http(ask) = step else {
            panic!("nothing more is asked: {step:?}");
        };
        asked.push((ask.operation, ask.service, ask.request.clone()));
        step = ask.then(answer, &ctx(toy));
    }
    assert!(!format!("{step:?}").contains("hidden"), "{step:?}");
    Way { asked, end: step }
}

impl Way<ResolvedCredential> {
    pub(crate) fn grant(self) -> ResolvedCredential {
        match self.end {
            ExchangeStep::Done(grant) => grant,
            other => panic!("{other:?}"),
        }
    }
}

impl<T: Debug> Way<T> {
    pub(crate) fn fault(self) -> Fault {
        match self.end {
            ExchangeStep::Failed(fault) => fault,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn absence(self) -> String {
        match self.end {
            ExchangeStep::NotConfigured(why) => why,
            other => panic!("{other:?}"),
        }
    }

    /// Method and URI of each request.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |request: &Request<Bytes>| format!("{} {}", request.method(), request.uri());
        self.asked
            .iter()
            .map(|(_, _, request)| line(request))
            .collect()
    }

    pub(crate) fn header(&self, index: usize, name: &str) -> Option<&str> {
        self.asked[index].2.headers().get(name)?.to_str().ok()
    }

    pub(crate) fn body(&self, index: usize) -> serde_json::Value {
        serde_json::from_slice(self.asked[index].2.body()).unwrap()
    }
}

/// Where the key is found without any question.
pub(crate) fn found(origin: &dyn CredentialSource, texts: &[(&str, &str)]) -> ResolvedCredential {
    let toy = Toy::new(texts);
    drive(origin.begin(&ctx(&toy)), &toy, []).grant()
}

pub(crate) fn refused(origin: &dyn CredentialSource, texts: &[(&str, &str)]) -> Fault {
    let toy = Toy::new(texts);
    drive(origin.begin(&ctx(&toy)), &toy, []).fault()
}

pub(crate) fn absent(origin: &dyn CredentialSource, texts: &[(&str, &str)]) -> String {
    let toy = Toy::new(texts);
    drive(origin.begin(&ctx(&toy)), &toy, []).absence()
}

/// Id and session token.
pub(crate) fn key(grant: &ResolvedCredential) -> (&str, Option<&str>) {
    match &grant.credential {
        Credential::Keys { id, session, .. } => {
            (id, session.as_ref().map(lifecycle_core::Secret::expose))
        }
        _ => ("token", None),
    }
}

/// A key of IAM and of the metadata service.
pub(crate) const ISSUED: &str = r#"{"credential": {
    "access": "ISSUED0000000000001",
    "secret": "hidden-secret",
    "securitytoken": "hidden-token",
    "expires_at": "2025-11-22T11:50:00.000000Z"
}}"#;

pub(crate) fn end_of_issued() -> SystemTime {
    let minutes = 24 * 60 - 10;
    SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_763_726_400 + minutes * 60)
}
