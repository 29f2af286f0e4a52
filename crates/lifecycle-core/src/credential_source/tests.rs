use std::collections::HashMap;

use super::*;
use crate::ServiceKind;

#[derive(Debug, Default)]
struct Toy {
    variables: HashMap<&'static str, &'static str>,
}

impl HostEnvironment for Toy {
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

fn ctx(toy: &Toy) -> ProviderContext<'_> {
    ProviderContext::new(toy, SigningContext::from_unix(0, 0))
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
    let toy = Toy {
        variables: variables.iter().copied().collect(),
    };
    EnvCredentialSource::new(SETS).begin(&ctx(&toy))
}

fn done(step: ExchangeStep<ResolvedCredential>) -> ResolvedCredential {
    match step {
        ExchangeStep::Done(grant) => grant,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_complete_set_counts() {
    let grant = done(read(&[
        ("A_ID", " id\n"),
        ("A_SECRET", "s"),
        ("B_TOKEN", "t"),
    ]));
    assert_eq!(grant.source, "variable A_ID");
    assert!(matches!(grant.credential, Credential::Keys { id, session: None, .. } if id == "id"));
    let grant = done(read(&[
        ("A_ID", "id"),
        ("A_SECRET", "s"),
        ("A_SESSION", "x"),
    ]));
    assert!(matches!(
        grant.credential,
        Credential::Keys {
            session: Some(_),
            ..
        }
    ));
    let grant = done(read(&[("A_ID", ""), ("B_TOKEN", "t")]));
    assert!(matches!(grant.credential, Credential::Token(_)));
}

#[test]
fn what_is_missing_is_named() {
    match read(&[]) {
        ExchangeStep::NotConfigured(why) => {
            assert_eq!(why, "A_ID and A_SECRET, or B_TOKEN are not set")
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
fn a_file_that_cannot_be_read_is_named() {
    let toy = Toy::default();
    let fault = ctx(&toy).secret_file("locked").unwrap_err();
    assert_eq!(fault.message(), "locked cannot be read: permission denied");
}

/// Asks once, and then has nothing.
#[derive(Debug)]
struct Empty;

impl CredentialSource for Empty {
    fn name(&self) -> String {
        "empty".to_owned()
    }

    fn wants(&self) -> String {
        "a miracle".to_owned()
    }

    fn begin(&self, _: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let request = http::Request::new(bytes::Bytes::new());
        ExchangeStep::http(
            "Look",
            ServiceKind::Metadata,
            request,
            |reply, _| match reply {
                Ok(_) => ExchangeStep::NotConfigured("nobody is there".to_owned()),
                Err(fault) => ExchangeStep::Failed(fault),
            },
        )
    }
}

#[test]
fn a_chain_goes_on_where_nothing_is_set_up_and_stops_at_a_fault() {
    let toy = Toy {
        variables: [("B_TOKEN", "t")].into(),
    };
    let ctx = ctx(&toy);
    let ask = || match CredentialSourceChain::new(vec![
        Box::new(Empty),
        Box::new(EnvCredentialSource::new(SETS)),
    ])
    .begin(&ctx)
    {
        ExchangeStep::Http(ask) => ask,
        other => panic!("{other:?}"),
    };
    let reply = response(404, b"");
    assert_eq!(done(ask().then(Ok(reply), &ctx)).source, "variable B_TOKEN");
    let fault = Fault::new(FaultKind::NoAnswer, "silence");
    assert!(matches!(
        ask().then(Err(fault), &ctx),
        ExchangeStep::Failed(_)
    ));
}

#[test]
fn a_result_leads_on() {
    let toy = Toy {
        variables: [("B_TOKEN", "t")].into(),
    };
    let ctx = ctx(&toy);
    let step = EnvCredentialSource::new(SETS)
        .begin(&ctx)
        .and_then(&ctx, |grant, _| {
            ExchangeStep::Done(grant.with_source_prefix("exchange"))
        });
    assert_eq!(done(step).source, "exchange, variable B_TOKEN");
}

#[test]
fn expiries_are_read_or_refused() {
    let reply = response(
        200,
        br#"{"SecretAccessKey": "hidden", "Expiration": "soon"}"#,
    );
    let expected = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_763_769_600);
    for text in ["2025-11-22T00:00:00Z", "2025-11-22T00:00:00.000000Z"] {
        assert_eq!(read_expiry(text, &reply), Ok(expected));
    }
    let fault = read_expiry("soon", &reply).unwrap_err();
    assert!(fault.message().contains("\"soon\" is no time"), "{fault}");
    assert!(!fault.message().contains("hidden"), "{fault}");
}

fn response(status: u16, body: &'static [u8]) -> HttpResponse {
    let body = bytes::Bytes::from_static(body);
    http::Response::builder().status(status).body(body).unwrap()
}
