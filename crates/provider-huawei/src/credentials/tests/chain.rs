//! The order of the chain, and what is half set up.

use lifecycle_core::credential_source::CredentialSourceChain;

use super::*;

/// Everything that there can be, in the order in which it counts, with what is found.
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
fn the_order_is_that_of_the_sdks() {
    let config = CredentialSourceConfig::in_region("cn-north-4");
    for start in 0..ALL.len() {
        let texts: Vec<_> = ALL[start..]
            .iter()
            .flat_map(|(texts, _)| texts.iter().copied())
            .collect();
        let toy = Toy::new(&texts);
        let first = match CredentialSourceChain::new(sources(&config)).begin(&ctx(&toy)) {
            ExchangeStep::Done(grant) => grant.source,
            ExchangeStep::Http(ask) => format!("{} {}", ask.request.method(), ask.request.uri()),
            other => panic!("{other:?}"),
        };
        assert_eq!(first, ALL[start].1);
    }
}

#[test]
fn the_machines_agency_comes_before_the_pods_identity() {
    let texts = [
        (
            "HC_CONTAINER_CREDENTIALS_FULL_URI",
            "http://169.254.170.23/v1",
        ),
        ("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", "token"),
        ("token", "hidden-pod"),
    ];
    let toy = Toy::new(&texts);
    let chain = CredentialSourceChain::new(sources(&CredentialSourceConfig::default()));
    let silence = Fault::new(FaultKind::NoAnswer, "silence");
    let way = drive(
        chain.begin(&ctx(&toy)),
        &toy,
        [Err(silence), Ok(reply(200, ISSUED))],
    );
    assert_eq!(
        way.lines(),
        [
            "PUT http://169.254.169.254/meta-data/latest/api/token",
            "POST http://169.254.170.23/v1"
        ]
    );
    assert_eq!(way.grant().source, "identity of this pod");
}

#[test]
fn a_profile_that_is_asked_for_is_one_of_the_command_line() {
    let texts = [
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
    assert_eq!(key(&found(&chain, &texts)).0, "CLI");
}

#[test]
fn where_nothing_is_set_up_each_says_what_it_looked_for() {
    let all = sources(&CredentialSourceConfig::default());
    assert_eq!(all.len(), 8);
    for origin in &all {
        assert!(!origin.name().is_empty() && !origin.requirements().is_empty());
        if origin.name() == "ECS agency" {
            continue;
        }
        let why = absent(origin, &[]);
        assert!(why.contains("not set") || why.contains('~'), "{why}");
    }
}

#[test]
fn half_a_set_is_named() {
    for (texts, expected) in [
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
        let fault = refused(&chain, texts);
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(fault.message().contains(expected), "{fault}");
    }
    for (texts, expected) in [
        (
            [("HC_CONTAINER_CREDENTIALS_FULL_URI", "http://a")],
            "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE is not",
        ),
        (
            [("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", "token")],
            "HC_CONTAINER_CREDENTIALS_FULL_URI is not",
        ),
    ] {
        let fault = refused(&PodIdentity::new(), &texts);
        assert!(fault.message().contains(expected), "{fault}");
    }
}

#[test]
fn half_an_identity_provider_does_not_stand_in_the_way_of_a_key() {
    let texts = [
        ("HUAWEICLOUD_SDK_IDP_ID", "idp"),
        ("HUAWEICLOUD_SDK_AK", "SDK"),
        ("HUAWEICLOUD_SDK_SK", "hidden"),
        ("HUAWEICLOUD_SDK_SECURITY_TOKEN", "hidden-token"),
    ];
    let origin = SdkVariables::new();
    let toy = Toy::new(&texts);
    match origin.begin(&ctx(&toy)) {
        ExchangeStep::Done(grant) => assert_eq!(key(&grant), ("SDK", Some("hidden-token"))),
        other => panic!("{other:?}"),
    }
}
