//! A toy machine, scripted answers, and what the whole chain does with them.

mod config_file;
mod credentials_file;
mod metadata;
mod sts;

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, FaultKind,
    HostEnvironment, HttpResponse, ProviderContext, ResolvedCredential, ServiceKind,
    SigningContext,
    credential_source::{CredentialSourceChain, FileCheck},
};
use provider_testing::http_response;

use super::sources;

/// Variables and files. A name with a `/` is a file.
#[derive(Debug, Default)]
pub(crate) struct Toy(HashMap<String, String>);

impl Toy {
    pub(crate) fn new(texts: &[(&str, &str)]) -> Self {
        let texts = texts.iter();
        Self(
            texts
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
        )
    }
}

impl HostEnvironment for Toy {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|_| !name.contains('/')).cloned()
    }

    fn file(&self, path: &str, _: FileCheck) -> Result<Option<String>, String> {
        match self.0.get(path).map(String::as_str) {
            Some("locked") => Err("cannot be read: permission denied".to_owned()),
            text => Ok(text.map(str::to_owned)),
        }
    }
}

/// 2018-01-29T08:00:00Z.
pub(super) const NOW: i64 = 1_517_212_800;

pub(crate) fn ctx(toy: &Toy) -> ProviderContext<'_> {
    ProviderContext::new(toy, SigningContext::from_unix(NOW, 10))
}

/// What the world says to a step.
pub(super) enum Answer {
    Http(u16, &'static str),
    Silence(FaultKind),
    Output(&'static str),
}

/// How an origin ended, and what it asked on the way.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) end: End,
    pub(super) asked: Vec<Asked>,
}

#[derive(Debug)]
pub(super) enum End {
    Done(ResolvedCredential),
    NotConfigured(String),
    Failed(Fault),
}

#[derive(Debug)]
pub(super) enum Asked {
    Http(ServiceKind, Box<http::Request<Bytes>>),
    Program(Vec<String>),
}

/// Drives an origin on this machine. The answers must be exactly as many as are needed.
pub(super) fn drive(origin: &dyn CredentialSource, toy: &Toy, answers: Vec<Answer>) -> Story {
    let ctx = ctx(toy);
    let mut answers = VecDeque::from(answers);
    let mut asked = Vec::new();
    let mut step = origin.begin(&ctx);
    let end = loop {
        step = match step {
            ExchangeStep::Done(grant) => break End::Done(grant),
            ExchangeStep::NotConfigured(why) => break End::NotConfigured(why),
            ExchangeStep::Failed(fault) => break End::Failed(fault),
            ExchangeStep::Http(ask) => {
                asked.push(Asked::Http(ask.service, Box::new(ask.request.clone())));
                let reply = match answers.pop_front() {
                    Some(Answer::Http(status, body)) => Ok(reply(status, body)),
                    Some(Answer::Silence(kind)) => Err(Fault::new(kind, "silence")),
                    _ => panic!("no answer to {asked:?}"),
                };
                ask.then(reply, &ctx)
            }
            ExchangeStep::Program(run) => {
                asked.push(Asked::Program(run.command.clone()));
                let Some(Answer::Output(output)) = answers.pop_front() else {
                    panic!("no answer to {asked:?}");
                };
                run.then(Ok(output.to_owned()), &ctx)
            }
        };
    };
    assert!(
        answers.is_empty(),
        "{} answers left of {asked:?}",
        answers.len()
    );
    Story { end, asked }
}

fn reply(status: u16, body: &'static str) -> HttpResponse {
    http_response(status, http::HeaderMap::new(), body)
}

impl Story {
    pub(super) fn grant(self) -> ResolvedCredential {
        match self.end {
            End::Done(grant) => grant,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn fault(self) -> Fault {
        match self.end {
            End::Failed(fault) => {
                let shown = format!("{fault} {fault:?}");
                assert!(!shown.contains("hidden"), "{shown}");
                fault
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn absence(self) -> String {
        match self.end {
            End::NotConfigured(why) => why,
            other => panic!("{other:?}"),
        }
    }

    /// `METHOD URL` of each request, or the program.
    pub(super) fn calls(&self) -> Vec<String> {
        let call = |asked: &Asked| match asked {
            Asked::Http(_, request) => format!("{} {}", request.method(), request.uri()),
            Asked::Program(command) => command.join(" "),
        };
        self.asked.iter().map(call).collect()
    }

    /// The request with this number.
    pub(super) fn request(&self, index: usize) -> &http::Request<Bytes> {
        match &self.asked[index] {
            Asked::Http(_, request) => request,
            Asked::Program(command) => panic!("{command:?}"),
        }
    }
}

/// `id`, `id/secret` or `id/secret/session` of a grant.
pub(super) fn key_of(grant: &ResolvedCredential) -> String {
    let Credential::Keys {
        id,
        secret,
        session,
    } = &grant.credential
    else {
        panic!("{grant:?}");
    };
    let session = session
        .as_ref()
        .map(|session| format!("/{}", session.expose()));
    format!("{id}/{}{}", secret.expose(), session.unwrap_or_default())
}

/// A good answer of STS.
pub(super) const ASSUMED: &str = r#"{
    "RequestId": "6894B13B-6D71-4EF5-88FA-F32781734A7F",
    "AssumedRoleUser": {"AssumedRoleId": "34458433936495****:alice", "Arn": "acs:ram::1:role/web/alice"},
    "Credentials": {
        "SecurityToken": "hidden-token",
        "Expiration": "2018-01-29T09:00:00Z",
        "AccessKeySecret": "hidden-secret",
        "AccessKeyId": "STS.id"
    }
}"#;

/// A good answer of the metadata service.
pub(super) const TOLD: &str = r#"{
    "AccessKeyId": "STS.id",
    "AccessKeySecret": "hidden-secret",
    "Expiration": "2018-01-29T14:00:00Z",
    "SecurityToken": "hidden-token",
    "LastUpdated": "2018-01-29T08:00:00Z",
    "Code": "Success"
}"#;

const ENVIRONMENT: [(&str, &str); 2] = [
    ("ALIBABA_CLOUD_ACCESS_KEY_ID", "variable"),
    ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s"),
];
const OIDC: [(&str, &str); 4] = [
    ("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::1:role/oidc"),
    (
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
        "acs:ram::1:oidc-provider/p",
    ),
    ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/var/token"),
    ("/var/token", "hidden-jwt"),
];
const CONFIG: (&str, &str) = (
    "~/.aliyun/config.json",
    r#"{"current": "a", "profiles": [{"name": "a", "mode": "AK", "access_key_id": "config", "access_key_secret": "s"}]}"#,
);
const INI: (&str, &str) = (
    "~/.alibabacloud/credentials",
    "[default]\ntype = access_key\naccess_key_id = ini\naccess_key_secret = s\n",
);
const URI: (&str, &str) = ("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:6666/key");

fn chain() -> CredentialSourceChain {
    CredentialSourceChain::new(sources(&CredentialSourceConfig::default()))
}

#[test]
fn the_chain_has_the_vendors_order() {
    let names: Vec<String> = sources(&CredentialSourceConfig::default())
        .iter()
        .map(CredentialSource::name)
        .collect();
    assert_eq!(
        names,
        [
            "environment",
            "OIDC role",
            "aliyun config file",
            "credentials file",
            "ECS RAM role",
            "credentials URI"
        ]
    );
    let mut texts: Vec<(&str, &str)> = [&ENVIRONMENT[..], &OIDC, &[CONFIG, INI, URI]].concat();
    let story = drive(&chain(), &Toy::new(&texts), vec![]);
    assert_eq!(story.grant().source, "variable ALIBABA_CLOUD_ACCESS_KEY_ID");

    texts.drain(..2);
    let story = drive(
        &chain(),
        &Toy::new(&texts),
        vec![Answer::Http(200, ASSUMED)],
    );
    assert_eq!(
        story.grant().source,
        "role acs:ram::1:role/oidc (OIDC token /var/token)"
    );

    texts.drain(..4);
    let story = drive(&chain(), &Toy::new(&texts), vec![]);
    assert_eq!(
        story.grant().source,
        r#"profile "a" in ~/.aliyun/config.json"#
    );

    texts.drain(..1);
    let story = drive(&chain(), &Toy::new(&texts), vec![]);
    assert_eq!(
        story.grant().source,
        "section [default] in ~/.alibabacloud/credentials"
    );

    texts.drain(..1);
    let metadata = || Answer::Http(200, "token");
    let answers = vec![
        metadata(),
        Answer::Http(200, "web"),
        Answer::Http(200, TOLD),
    ];
    let story = drive(&chain(), &Toy::new(&texts), answers);
    assert_eq!(story.grant().source, "role web (ECS metadata)");

    let answers = vec![
        Answer::Silence(FaultKind::Unreachable),
        Answer::Http(200, TOLD),
    ];
    let story = drive(&chain(), &Toy::new(&texts), answers);
    assert_eq!(
        story.calls(),
        [
            "PUT http://100.100.100.200/latest/api/token",
            "GET http://127.0.0.1:6666/key"
        ]
    );
    assert_eq!(
        story.grant().source,
        "credentials URI at http://127.0.0.1:6666"
    );

    let answers = vec![Answer::Silence(FaultKind::Unreachable)];
    let story = drive(&chain(), &Toy::new(&[]), answers);
    let absence = story.absence();
    for place in [
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "config.json",
        "100.100.100.200",
    ] {
        assert!(absence.contains(place), "{place}: {absence}");
    }
}

#[test]
fn the_metadata_service_and_the_config_file_can_be_switched_off() {
    let off = [
        ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "TRUE"),
        ("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true"),
    ];
    let story = drive(&chain(), &Toy::new(&[off[0], off[1], CONFIG, INI]), vec![]);
    assert_eq!(key_of(&story.grant()), "ini/s");
    let story = drive(&chain(), &Toy::new(&off), vec![]);
    let absence = story.absence();
    for switch in off.map(|(name, _)| name) {
        assert!(absence.contains(switch), "{switch}: {absence}");
    }
}

#[test]
fn origins_say_what_they_want() {
    for origin in sources(&CredentialSourceConfig::default()) {
        assert!(!origin.requirements().is_empty(), "{}", origin.name());
    }
}

/// Each byte of the samples is dropped and replaced in turn. What is left must be a key, a fault or
/// nothing.
#[test]
fn no_file_makes_it_panic_or_tell() {
    let samples = [
        (
            "~/.aliyun/config.json",
            include_str!("../../tests/samples/config.json"),
        ),
        (
            "~/.alibabacloud/credentials",
            include_str!("../../tests/samples/credentials.ini"),
        ),
    ];
    for (path, sample) in samples {
        for place in 0..sample.len() {
            for odd in ["", "\"", "]", "\\", "{", "\n", "\u{fffd}", "="] {
                let (before, after) = (&sample[..place], &sample[place + 1..]);
                let toy = Toy::new(&[(path, &format!("{before}{odd}{after}"))]);
                for origin in sources(&CredentialSourceConfig::default()) {
                    let shown = match origin.begin(&ctx(&toy)) {
                        ExchangeStep::Done(grant) => {
                            format!("{:?} {}", grant.credential, grant.source)
                        }
                        ExchangeStep::Failed(fault) => format!("{fault} {fault:?}"),
                        other => format!("{other:?}"),
                    };
                    assert!(!shown.contains("hidden"), "{before:?} {odd:?}: {shown}");
                }
            }
        }
    }
}
