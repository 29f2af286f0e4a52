//! Tests of the default chain, and helpers and samples for the tests of credential sources (Alibaba).

mod config_file;
mod credentials_file;
mod metadata;
mod sts;

use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, ExchangeStep, FaultKind, ProviderContext,
    ResolvedCredential, ServiceKind, SigningContext, credential_source::CredentialSourceChain,
};
use provider_testing::{ExchangeRun, FakeHost, HIDDEN, ScriptedAnswer, SentStep, run_exchange};

use super::sources;

/// 2018-01-29T08:00:00Z.
const NOW: i64 = 1_517_212_800;

pub(crate) fn ctx(host: &FakeHost) -> ProviderContext<'_> {
    ProviderContext::new(host, SigningContext::from_unix(NOW, 10))
}

/// Runs a source with one answer per step.
fn resolve(
    source: &dyn CredentialSource,
    host: &FakeHost,
    answers: impl IntoIterator<Item = ScriptedAnswer>,
) -> ExchangeRun<ResolvedCredential> {
    run_exchange(source.begin(&ctx(host)), &ctx(host), answers)
}

fn http(status: u16, body: &str) -> ScriptedAnswer {
    ScriptedAnswer::http(status, body)
}

fn no_response(kind: FaultKind) -> ScriptedAnswer {
    ScriptedAnswer::no_response(kind)
}

/// Returns `id/secret` or `id/secret/session` of a key.
fn key_of(resolved: &ResolvedCredential) -> String {
    let Credential::Keys {
        id,
        secret,
        session,
    } = &resolved.credential
    else {
        panic!("{resolved:?}");
    };
    let session = session
        .as_ref()
        .map(|session| format!("/{}", session.expose()));
    format!("{id}/{}{}", secret.expose(), session.unwrap_or_default())
}

/// A successful response of STS.
const STS_RESPONSE: &str = r#"{
    "RequestId": "6894B13B-6D71-4EF5-88FA-F32781734A7F",
    "AssumedRoleUser": {"AssumedRoleId": "34458433936495****:alice", "Arn": "acs:ram::1:role/web/alice"},
    "Credentials": {
        "SecurityToken": "hidden-token",
        "Expiration": "2018-01-29T09:00:00Z",
        "AccessKeySecret": "hidden-secret",
        "AccessKeyId": "STS.id"
    }
}"#;

/// A successful response of the metadata service.
const METADATA_RESPONSE: &str = r#"{
    "AccessKeyId": "STS.id",
    "AccessKeySecret": "hidden-secret",
    "Expiration": "2018-01-29T14:00:00Z",
    "SecurityToken": "hidden-token",
    "LastUpdated": "2018-01-29T08:00:00Z",
    "Code": "Success"
}"#;

/// The variables of an access key.
const KEY_VARIABLES: [(&str, &str); 2] = [
    ("ALIBABA_CLOUD_ACCESS_KEY_ID", "variable"),
    ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s"),
];
/// The variables of a role with an OIDC token, and the file of the token.
const OIDC_ENTRIES: [(&str, &str); 4] = [
    ("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::1:role/oidc"),
    (
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
        "acs:ram::1:oidc-provider/p",
    ),
    ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/var/token"),
    OIDC_TOKEN_FILE,
];
const OIDC_TOKEN_FILE: (&str, &str) = ("/var/token", "hidden-jwt");
/// The configuration file of `aliyun`, with one key.
const CLI_CONFIG_FILE: (&str, &str) = (
    "~/.aliyun/config.json",
    r#"{"current": "a", "profiles": [{"name": "a", "mode": "AK", "access_key_id": "config", "access_key_secret": "s"}]}"#,
);
/// The credentials file of the SDKs, with one key.
const CREDENTIALS_FILE: (&str, &str) = (
    "~/.alibabacloud/credentials",
    "[default]\ntype = access_key\naccess_key_id = ini\naccess_key_secret = s\n",
);
const CREDENTIALS_URI_VARIABLE: (&str, &str) =
    ("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:6666/key");

fn chain() -> CredentialSourceChain {
    CredentialSourceChain::new(sources(&CredentialSourceConfig::default()))
}

#[test]
fn default_chain_has_the_order_of_the_vendor() {
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
    let mut host_entries: Vec<(&str, &str)> = [
        &KEY_VARIABLES[..],
        &OIDC_ENTRIES,
        &[CLI_CONFIG_FILE, CREDENTIALS_FILE, CREDENTIALS_URI_VARIABLE],
    ]
    .concat();
    let run = resolve(&chain(), &FakeHost::new(&host_entries), vec![]);
    assert_eq!(run.done().source, "variable ALIBABA_CLOUD_ACCESS_KEY_ID");

    host_entries.drain(..2);
    let run = resolve(
        &chain(),
        &FakeHost::new(&host_entries),
        vec![http(200, STS_RESPONSE)],
    );
    assert_eq!(
        run.done().source,
        "role acs:ram::1:role/oidc (OIDC token /var/token)"
    );

    host_entries.drain(..4);
    let run = resolve(&chain(), &FakeHost::new(&host_entries), vec![]);
    assert_eq!(run.done().source, r#"profile "a" in ~/.aliyun/config.json"#);

    host_entries.drain(..1);
    let run = resolve(&chain(), &FakeHost::new(&host_entries), vec![]);
    assert_eq!(
        run.done().source,
        "section [default] in ~/.alibabacloud/credentials"
    );

    host_entries.drain(..1);
    let answers = vec![
        http(200, "token"),
        http(200, "web"),
        http(200, METADATA_RESPONSE),
    ];
    let run = resolve(&chain(), &FakeHost::new(&host_entries), answers);
    assert_eq!(run.done().source, "role web (ECS metadata)");

    let answers = vec![
        no_response(FaultKind::Unreachable),
        http(200, METADATA_RESPONSE),
    ];
    let run = resolve(&chain(), &FakeHost::new(&host_entries), answers);
    assert_eq!(
        run.lines(),
        [
            "PUT http://100.100.100.200/latest/api/token",
            "GET http://127.0.0.1:6666/key"
        ]
    );
    assert_eq!(
        run.done().source,
        "credentials URI at http://127.0.0.1:6666"
    );

    let answers = vec![no_response(FaultKind::Unreachable)];
    let run = resolve(&chain(), &FakeHost::new(&[]), answers);
    let reason = run.expect_not_configured();
    for name in [
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "config.json",
        "100.100.100.200",
    ] {
        assert!(reason.contains(name), "{name}: {reason}");
    }
}

#[test]
fn metadata_service_and_config_file_can_be_disabled() {
    let off = [
        ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "TRUE"),
        ("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true"),
    ];
    let run = resolve(
        &chain(),
        &FakeHost::new(&[off[0], off[1], CLI_CONFIG_FILE, CREDENTIALS_FILE]),
        vec![],
    );
    assert_eq!(key_of(&run.done()), "ini/s");
    let run = resolve(&chain(), &FakeHost::new(&off), vec![]);
    let reason = run.expect_not_configured();
    for switch in off.map(|(name, _)| name) {
        assert!(reason.contains(switch), "{switch}: {reason}");
    }
}

#[test]
fn every_source_names_its_configuration() {
    let sources = sources(&CredentialSourceConfig::default());
    let requirements: Vec<String> = sources.iter().map(CredentialSource::requirements).collect();
    let [variables, others @ ..] = requirements.as_slice() else {
        panic!("no source");
    };
    assert!(variables.starts_with("ALIBABA_CLOUD_ACCESS_KEY_ID and "));
    assert_eq!(
        others,
        [
            "ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN and \
             ALIBABA_CLOUD_OIDC_TOKEN_FILE",
            "~/.aliyun/config.json",
            "~/.alibabacloud/credentials.ini",
            "a RAM role of the ECS instance",
            "ALIBABA_CLOUD_CREDENTIALS_URI",
        ]
    );
}

/// Removes and replaces each byte of the samples.
#[test]
fn damaged_file_causes_no_panic_and_shows_no_secret() {
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
        for index in 0..sample.len() {
            for odd in ["", "\"", "]", "\\", "{", "\n", "\u{fffd}", "="] {
                let (before, after) = (&sample[..index], &sample[index + 1..]);
                let host = FakeHost::new(&[(path, &format!("{before}{odd}{after}"))]);
                for source in sources(&CredentialSourceConfig::default()) {
                    let shown = match source.begin(&ctx(&host)) {
                        ExchangeStep::Done(resolved) => {
                            format!("{:?} {}", resolved.credential, resolved.source)
                        }
                        ExchangeStep::Failed(fault) => format!("{fault} {fault:?}"),
                        other => format!("{other:?}"),
                    };
                    assert!(!shown.contains(HIDDEN), "{before:?} {odd:?}: {shown}");
                }
            }
        }
    }
}
