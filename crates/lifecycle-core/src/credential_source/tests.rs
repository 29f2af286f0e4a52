//! Tests of credential sources on a host in memory, with scripted responses.

use std::collections::HashMap;

use super::*;
use crate::{EnvVarNames, ServiceKind, SigningContext};

#[derive(Debug, Default)]
struct FakeHost {
    variables: HashMap<&'static str, &'static str>,
}

impl HostEnvironment for FakeHost {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|value| (*value).to_owned())
    }

    fn file(&self, path: &str, _: FileCheck) -> Result<Option<String>, String> {
        match path {
            "locked" => Err("cannot be read: permission denied".to_owned()),
            _ => Ok(None),
        }
    }
}

fn ctx(host: &FakeHost) -> ProviderContext<'_> {
    ProviderContext::new(host, SigningContext::from_unix(0, 0))
}

const SETS: &[EnvVarNames] = &[
    EnvVarNames::Keys {
        id: "A_ID",
        secret: "A_SECRET",
        session: Some("A_SESSION"),
    },
    EnvVarNames::Token("B_TOKEN"),
];

fn read(variables: &[(&'static str, &'static str)]) -> ExchangeStep<ResolvedCredential> {
    let host = FakeHost {
        variables: variables.iter().copied().collect(),
    };
    EnvCredentialSource::new(SETS).begin(&ctx(&host))
}

fn done(step: ExchangeStep<ResolvedCredential>) -> ResolvedCredential {
    match step {
        ExchangeStep::Done(resolved) => resolved,
        other => panic!("{other:?}"),
    }
}

#[test]
fn first_complete_set_of_variables_is_used() {
    let resolved = done(read(&[
        ("A_ID", " id\n"),
        ("A_SECRET", "s"),
        ("B_TOKEN", "t"),
    ]));
    assert_eq!(resolved.source, "variable A_ID");
    assert!(
        matches!(resolved.credential, Credential::Keys { id, session: None, .. } if id == "id")
    );
    let resolved = done(read(&[
        ("A_ID", "id"),
        ("A_SECRET", "s"),
        ("A_SESSION", "x"),
    ]));
    assert!(matches!(
        resolved.credential,
        Credential::Keys {
            session: Some(_),
            ..
        }
    ));
    let resolved = done(read(&[("A_ID", ""), ("B_TOKEN", "t")]));
    assert!(matches!(resolved.credential, Credential::Token(_)));
}

#[test]
fn missing_variables_are_named() {
    match read(&[]) {
        ExchangeStep::NotConfigured(why) => {
            assert_eq!(why, "A_ID and A_SECRET, or B_TOKEN are not set");
        }
        other => panic!("{other:?}"),
    }
    match read(&[("A_SECRET", "s")]) {
        ExchangeStep::Failed(fault) => assert_eq!(
            fault.message(),
            "A_SECRET is set, but A_ID is not: set both, or neither"
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn unreadable_file_is_named_in_the_fault() {
    let host = FakeHost::default();
    let fault = ctx(&host).secret_file("locked").unwrap_err();
    assert_eq!(fault.message(), "locked cannot be read: permission denied");
}

/// A source that sends one request, and has no key after a response.
#[derive(Debug)]
struct WithoutKey;

impl CredentialSource for WithoutKey {
    fn name(&self) -> String {
        "without key".to_owned()
    }

    fn requirements(&self) -> String {
        "a service".to_owned()
    }

    fn begin(&self, _: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let request = http::Request::new(bytes::Bytes::new());
        ExchangeStep::http(
            "GetKey",
            ServiceKind::Metadata,
            request,
            |response, _| match response {
                Ok(_) => ExchangeStep::NotConfigured("no key".to_owned()),
                Err(fault) => ExchangeStep::Failed(fault),
            },
        )
    }
}

#[test]
fn chain_continues_after_a_source_without_key_and_ends_at_a_fault() {
    let host = FakeHost {
        variables: [("B_TOKEN", "t")].into(),
    };
    let ctx = ctx(&host);
    let exchange = || match CredentialSourceChain::new(vec![
        Box::new(WithoutKey),
        Box::new(EnvCredentialSource::new(SETS)),
    ])
    .begin(&ctx)
    {
        ExchangeStep::Http(exchange) => exchange,
        other => panic!("{other:?}"),
    };
    let response = response(404, b"");
    assert_eq!(
        done(exchange().then(Ok(response), &ctx)).source,
        "variable B_TOKEN"
    );
    let fault = Fault::new(FaultKind::NoAnswer, "silence");
    assert!(matches!(
        exchange().then(Err(fault), &ctx),
        ExchangeStep::Failed(_)
    ));
}

#[test]
fn and_then_continues_with_the_result() {
    let host = FakeHost {
        variables: [("B_TOKEN", "t")].into(),
    };
    let ctx = ctx(&host);
    let step = EnvCredentialSource::new(SETS)
        .begin(&ctx)
        .and_then(&ctx, |resolved, _| {
            ExchangeStep::Done(resolved.with_source_prefix("exchange"))
        });
    assert_eq!(done(step).source, "exchange, variable B_TOKEN");
}

#[test]
fn invalid_expiry_is_a_fault_without_the_secrets_of_the_response() {
    let response = response(
        200,
        br#"{"SecretAccessKey": "hidden", "Expiration": "soon"}"#,
    );
    let expected = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_763_769_600);
    for text in ["2025-11-22T00:00:00Z", "2025-11-22T00:00:00.000000Z"] {
        assert_eq!(read_expiry(text, &response), Ok(expected));
    }
    let fault = read_expiry("soon", &response).unwrap_err();
    assert!(fault.message().contains("invalid time \"soon\""), "{fault}");
    assert!(!fault.message().contains("hidden"), "{fault}");
}

#[test]
fn every_time_from_outside_has_a_text() {
    for (text, expected) in [
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("1969-12-31T23:59:59.4Z", "1969-12-31T23:59:59Z"),
        ("9999-12-30T21:59:59Z", "9999-12-30T21:59:59Z"),
    ] {
        assert_eq!(display_time(read_time(text).unwrap()), expected);
    }
    for days in [0, 4_000_000, i64::MAX as u64 / 86_400] {
        let shift = std::time::Duration::from_secs(days * 86_400);
        for time in [
            SystemTime::UNIX_EPOCH.checked_sub(shift),
            SystemTime::UNIX_EPOCH.checked_add(shift),
        ] {
            assert!(time.is_none_or(|time| !display_time(time).is_empty()));
        }
    }
}

fn response(status: u16, body: &'static [u8]) -> HttpResponse {
    let body = bytes::Bytes::from_static(body);
    http::Response::builder().status(status).body(body).unwrap()
}

#[test]
fn chain_names_its_sources_and_their_requirements_in_order() {
    let sources: Vec<Box<dyn CredentialSource>> = vec![
        Box::new(WithoutKey),
        Box::new(EnvCredentialSource::keys("C_ID", "C_SECRET", None)),
        Box::new(EnvCredentialSource::token("C_TOKEN")),
    ];
    let chain = CredentialSourceChain::new(sources);
    assert_eq!(
        chain.name(),
        "without key, else environment, else environment"
    );
    assert_eq!(
        chain.requirements(),
        "a service; or C_ID and C_SECRET; or C_TOKEN"
    );
}

#[test]
fn settings_of_sources_are_kept() {
    let endpoint = |text| Endpoint::parse(text).unwrap();
    let config = CredentialSourceConfig::in_region("r-1");
    assert_eq!(config.region.as_deref(), Some("r-1"));
    assert_eq!(
        (config.profile, config.identity, config.metadata),
        (None, None, None)
    );
    let config = CredentialSourceConfig::default()
        .with_region("r-2")
        .with_profile("prod")
        .with_identity(endpoint("sts.example.com"))
        .with_metadata(endpoint("http://169.254.169.254"));
    assert_eq!(config.region.as_deref(), Some("r-2"));
    assert_eq!(config.profile.as_deref(), Some("prod"));
    assert_eq!(config.identity, Some(endpoint("sts.example.com")));
    assert_eq!(config.metadata, Some(endpoint("http://169.254.169.254")));
}

#[test]
fn expiry_and_renewal_of_a_key_are_kept() {
    let resolved = ResolvedCredential::new(Credential::token("t"), "here");
    assert_eq!((resolved.expires, resolved.renewal), (None, None));
    let (expires, ahead) = (SystemTime::UNIX_EPOCH, Duration::from_secs(60));
    let resolved = resolved.with_expiry(expires).with_renewal(ahead);
    assert_eq!(
        (resolved.expires, resolved.renewal),
        (Some(expires), Some(ahead))
    );
}

#[test]
fn message_without_a_code_is_not_quoted() {
    let fault = Fault::new(FaultKind::Unreadable, "quoted body");
    let coded = without_excerpt(fault.clone().with_code("Denied"));
    assert_eq!(coded.message(), "quoted body");
    assert_eq!(
        without_excerpt(fault).message(),
        "the response is not in the format of the cloud"
    );
}
