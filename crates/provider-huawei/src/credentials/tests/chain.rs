//! Tests of the order of the chain, and of incomplete configurations (Huawei).

use lifecycle_core::{Secret, credential_source::CredentialSourceChain};

use super::*;

/// Every source of the chain in order: the configuration, and the key or the first request.
const ALL: [(&[(&str, &str)], &str); 9] = [
    (
        &[
            ("HUAWEICLOUD_OIDC_PROVIDER_URN", "iam::a:provider:p"),
            ("HUAWEICLOUD_OIDC_AGENCY_URN", "iam::a:agency:g"),
            ("HUAWEICLOUD_OIDC_ID_TOKEN", "hidden-id"),
        ],
        "POST https://sts.cn-north-4.myhuaweicloud.com/v5/agencies/assume-with-oidc",
    ),
    (
        &[
            ("HUAWEICLOUD_SDK_IDP_ID", "idp"),
            ("HUAWEICLOUD_SDK_ID_TOKEN_FILE", "token"),
            ("token", "hidden-id"),
        ],
        "POST https://iam.cn-north-4.myhuaweicloud.com/v3.0/OS-AUTH/id-token/tokens",
    ),
    (
        &[
            ("HUAWEICLOUD_SDK_AK", "SDK"),
            ("HUAWEICLOUD_SDK_SK", "hidden-1"),
        ],
        "variable HUAWEICLOUD_SDK_AK",
    ),
    (
        &[("HW_ACCESS_KEY", "TF"), ("HW_SECRET_KEY", "hidden-2")],
        "variable HW_ACCESS_KEY",
    ),
    (
        &[("OS_ACCESS_KEY", "OS"), ("OS_SECRET_KEY", "hidden-3")],
        "variable OS_ACCESS_KEY",
    ),
    (&[("HW_AUTH_TOKEN", "hidden-4")], "variable HW_AUTH_TOKEN"),
    (
        &[
            ("HW_USER_NAME", "ops"),
            ("HW_USER_PASSWORD", "hidden-5"),
            ("HW_DOMAIN_NAME", "acme"),
        ],
        "POST https://iam.cn-north-4.myhuaweicloud.com/v3/auth/tokens",
    ),
    (
        &[(SDK_FILE, "[basic]\nak = FILE\nsk = hidden-6\n")],
        "[basic] in ~/.huaweicloud/credentials",
    ),
    (
        &[(
            CLI_FILE,
            r#"{"current": "x", "profiles": [
                {"name": "x", "accessKeyId": "CLI", "secretAccessKey": "hidden-7"}]}"#,
        )],
        "profile \"x\" in ~/.hcloud/config.json",
    ),
];

#[test]
fn default_chain_has_the_order_of_the_sdks() {
    let config = CredentialSourceConfig::in_region("cn-north-4");
    for start in 0..ALL.len() {
        let host_entries: Vec<_> = ALL[start..]
            .iter()
            .flat_map(|(host_entries, _)| host_entries.iter().copied())
            .collect();
        let host = fake_host(&host_entries);
        let first = match CredentialSourceChain::new(sources(&config)).begin(&ctx(&host)) {
            ExchangeStep::Done(resolved) => resolved.source,
            ExchangeStep::Http(exchange) => {
                format!("{} {}", exchange.request.method(), exchange.request.uri())
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(first, ALL[start].1);
    }
}

#[test]
fn ecs_agency_takes_precedence_over_pod_identity() {
    let host_entries = [
        (
            "HC_CONTAINER_CREDENTIALS_FULL_URI",
            "http://169.254.170.23/v1",
        ),
        ("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", "token"),
        ("token", "hidden-pod"),
    ];
    let host = fake_host(&host_entries);
    let chain = CredentialSourceChain::new(sources(&CredentialSourceConfig::default()));
    let run = resolve(
        &chain,
        &host,
        [no_response(FaultKind::NoAnswer), http(200, KEY_RESPONSE)],
    );
    assert_eq!(
        run.lines(),
        [
            "PUT http://169.254.169.254/meta-data/latest/api/token",
            "POST http://169.254.170.23/v1"
        ]
    );
    assert_eq!(run.done().source, "identity of this pod");
}

#[test]
fn requested_profile_is_a_profile_of_the_command_line() {
    let host_entries = [
        (SDK_FILE, "[basic]\nak = FILE\nsk = hidden\n"),
        (
            CLI_FILE,
            r#"{"profiles": [
                {"name": "prod", "accessKeyId": "CLI", "secretAccessKey": "hidden"}]}"#,
        ),
    ];
    let chain = CredentialSourceChain::new(sources(
        &CredentialSourceConfig::default().with_profile("prod"),
    ));
    let resolved = resolve_locally(&chain, &host_entries).done();
    assert_eq!(id_and_session(&resolved.credential).0, "CLI");
}

#[test]
fn source_without_configuration_names_the_missing_configuration() {
    let all = sources(&CredentialSourceConfig::default());
    assert_eq!(all.len(), 8);
    for source in &all {
        assert!(!source.name().is_empty() && !source.requirements().is_empty());
        if source.name() == "ECS agency" {
            continue;
        }
        let reason = resolve_locally(source, &[]).expect_not_configured();
        assert!(
            reason.contains("not set") || reason.contains('~'),
            "{reason}"
        );
    }
}

#[test]
fn source_has_a_name_and_its_requirements() {
    let chain = sources(&CredentialSourceConfig::default());
    let others: [Box<dyn CredentialSource>; 4] = [
        Box::new(AssumeAgency::new(SdkProfile::new(), "ops", "acme")),
        Box::new(IdentityProvider::new("idp-1", "/var/token")),
        Box::new(Password::new("ops", "acme", Secret::new("hidden"))),
        Box::new(PasswordVariable::new("ops", "acme", "OPS_PASSWORD")),
    ];
    let found: Vec<_> = chain.iter().chain(&others).collect();
    let expected = [
        (
            "agency (OIDC)",
            "HUAWEICLOUD_OIDC_PROVIDER_URN, HUAWEICLOUD_OIDC_AGENCY_URN and \
             HUAWEICLOUD_OIDC_TOKEN_FILE or HUAWEICLOUD_OIDC_ID_TOKEN",
        ),
        (
            "environment of Huawei's SDKs",
            "HUAWEICLOUD_SDK_IDP_ID and HUAWEICLOUD_SDK_ID_TOKEN_FILE, or \
             HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK",
        ),
        (
            "environment",
            "HW_ACCESS_KEY and HW_SECRET_KEY, or OS_ACCESS_KEY and OS_SECRET_KEY, or HW_AUTH_TOKEN",
        ),
        (
            "password (IAM)",
            "HW_USER_NAME, HW_USER_PASSWORD and HW_DOMAIN_NAME",
        ),
        ("file of Huawei's SDKs", "~/.huaweicloud/credentials"),
        ("Huawei command line", "~/.hcloud/config.json"),
        ("ECS agency", "an agency of the ECS server"),
        (
            "pod identity",
            "HC_CONTAINER_CREDENTIALS_FULL_URI and HC_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        ),
        (
            "agency ops for file of Huawei's SDKs",
            "~/.huaweicloud/credentials",
        ),
        ("identity provider idp-1", "a token in /var/token"),
        ("password of ops", "the password of an IAM user"),
        ("password of ops", "OPS_PASSWORD"),
    ];
    assert_eq!(found.len(), expected.len());
    for (source, (name, requirements)) in found.into_iter().zip(expected) {
        assert_eq!(source.name(), name);
        assert_eq!(source.requirements(), requirements, "{name}");
    }
}

#[test]
fn incomplete_set_is_a_fault_with_the_missing_name() {
    for (host_entries, expected) in [
        (
            &[("HUAWEICLOUD_SDK_IDP_ID", "x")][..],
            "HUAWEICLOUD_SDK_IDP_ID is set, but HUAWEICLOUD_SDK_ID_TOKEN_FILE is not",
        ),
        (
            &[("HUAWEICLOUD_SDK_ID_TOKEN_FILE", "x")],
            "HUAWEICLOUD_SDK_ID_TOKEN_FILE is set, but HUAWEICLOUD_SDK_IDP_ID is not",
        ),
        (
            &[("HUAWEICLOUD_SDK_SK", "hidden")],
            "HUAWEICLOUD_SDK_AK is not",
        ),
        (&[("HW_ACCESS_KEY", "x")], "HW_SECRET_KEY is not"),
        (&[("HW_USER_NAME", "x")], "HW_USER_PASSWORD is not set"),
        (&[("HW_USER_PASSWORD", "hidden")], "HW_USER_NAME is not set"),
        (
            &[("HW_USER_NAME", "x"), ("HW_USER_PASSWORD", "hidden")],
            "HW_DOMAIN_NAME is not set",
        ),
        (
            &[("HUAWEICLOUD_OIDC_AGENCY_URN", "x")],
            "HUAWEICLOUD_OIDC_PROVIDER_URN is not set",
        ),
        (
            &[("HUAWEICLOUD_OIDC_PROVIDER_URN", "x")],
            "HUAWEICLOUD_OIDC_AGENCY_URN is not set",
        ),
        (
            &[("HUAWEICLOUD_OIDC_ID_TOKEN", "hidden")],
            "HUAWEICLOUD_OIDC_PROVIDER_URN is not set",
        ),
    ] {
        let chain =
            CredentialSourceChain::new(sources(&CredentialSourceConfig::in_region("cn-north-4")));
        let fault = resolve_locally(&chain, host_entries).fault();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(fault.message().contains(expected), "{fault}");
    }
    for (host_entries, expected) in [
        (
            [("HC_CONTAINER_CREDENTIALS_FULL_URI", "http://a")],
            "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE is not",
        ),
        (
            [("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", "token")],
            "HC_CONTAINER_CREDENTIALS_FULL_URI is not",
        ),
    ] {
        let fault = resolve_locally(&PodIdentity::new(), &host_entries).fault();
        assert!(fault.message().contains(expected), "{fault}");
    }
    let with_password = [
        (
            "HC_CONTAINER_CREDENTIALS_FULL_URI",
            "http://user:hidden@127.0.0.1/key",
        ),
        ("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", "token"),
    ];
    let fault = resolve_locally(&PodIdentity::new(), &with_password).fault();
    assert!(fault.message().contains("has a user name"), "{fault}");
    assert!(!fault.message().contains("hidden"), "{fault}");
}

#[test]
fn incomplete_identity_provider_is_ignored_if_there_is_a_key() {
    let host_entries = [
        ("HUAWEICLOUD_SDK_IDP_ID", "idp"),
        ("HUAWEICLOUD_SDK_AK", "SDK"),
        ("HUAWEICLOUD_SDK_SK", "hidden"),
        ("HUAWEICLOUD_SDK_SECURITY_TOKEN", "hidden-token"),
    ];
    let source = SdkVariables::new();
    let host = fake_host(&host_entries);
    match source.begin(&ctx(&host)) {
        ExchangeStep::Done(resolved) => assert_eq!(
            id_and_session(&resolved.credential),
            ("SDK", Some("hidden-token"))
        ),
        other => panic!("{other:?}"),
    }
}
