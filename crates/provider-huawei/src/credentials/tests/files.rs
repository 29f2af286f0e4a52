//! Tests of the files of the SDKs and of the command line (Huawei).

use super::*;

/// The example of Huawei's SDKs (huaweicloud-sdk-python-v3, README, "Profile").
const SDK_SAMPLE: &str = "\
# for regional services
[basic]
ak = SDKKEY00000000000001
sk = hidden=sk;with#signs%
project_id = 0123456789abcdef0123456789abcdef

[global]
ak = GLOBAL
sk = hidden-global
domain_id = d
";

/// A file that `hcloud configure set` writes with `--cli-auth-encrypt=false`.
const CLI_SAMPLE: &str = r#"{
  "language": "en",
  "current": "default",
  "profiles": [
    {
      "name": "default",
      "mode": "AKSK",
      "accessKeyId": "CLIKEY00000000000001",
      "secretAccessKey": "hidden-cli",
      "securityToken": "",
      "xAuthToken": "",
      "expiresAt": "",
      "region": "cn-north-4",
      "projectId": "fedcba9876543210fedcba9876543210",
      "domainId": "",
      "skipSecureVerify": "false",
      "readTimeout": "10",
      "agencyDomainId": "",
      "agencyDomainName": "",
      "agencyName": ""
    },
    {
      "name": "temporary",
      "mode": "AKSK",
      "accessKeyId": "CLIKEY00000000000002",
      "secretAccessKey": "hidden-temporary",
      "securityToken": "hidden-session"
    },
    {
      "name": "half",
      "mode": "AKSK",
      "accessKeyId": "CLIKEY00000000000003"
    },
    {
      "name": "other-half",
      "secretAccessKey": "hidden-half"
    },
    {
      "name": "encrypted",
      "mode": "AKSK",
      "accessKeyId": "hidden/6G5zL7rdQm2kJ0cXv9nYw==",
      "secretAccessKey": "hidden/8sDf7gHjK="
    },
    {
      "name": "long",
      "accessKeyId": "hidden6G5zL7rdQm2kJ0cXv9nYwAb8sDf7gHjK4Qe",
      "secretAccessKey": "hidden8sDf7gHjK"
    },
    {
      "name": "blank",
      "mode": "AKSK",
      "accessKeyId": " ",
      "secretAccessKey": ""
    },
    {
      "name": "sso",
      "mode": "SSO"
    },
    {
      "name": "machine",
      "mode": "ecsAgency"
    },
    {
      "name": "agency",
      "mode": "AKSK",
      "accessKeyId": "CLIKEY00000000000004",
      "secretAccessKey": "hidden-agency",
      "agencyName": "ops"
    }
  ]
}"#;

#[test]
fn key_comes_from_the_file_of_the_sdks() {
    let resolved = resolve_locally(&SdkProfile::new(), &[(SDK_FILE, SDK_SAMPLE)]).done();
    assert_eq!(
        id_and_session(&resolved.credential),
        ("SDKKEY00000000000001", None)
    );
    assert_eq!(resolved.source, "[basic] in ~/.huaweicloud/credentials");
    match resolved.credential {
        Credential::Keys { secret, .. } => assert_eq!(secret.expose(), "hidden=sk;with#signs%"),
        other => panic!("{other:?}"),
    }

    let temporary = "[basic]\nAK: A\nsk: hidden\nsecurity_token = hidden+/==\n";
    let custom = [
        ("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/etc/keys"),
        ("/etc/keys", temporary),
        (SDK_FILE, SDK_SAMPLE),
    ];
    let host = fake_host(&custom);
    match SdkProfile::new().begin(&ctx(&host)) {
        ExchangeStep::Done(resolved) => {
            assert_eq!(
                id_and_session(&resolved.credential),
                ("A", Some("hidden+/=="))
            );
            assert_eq!(resolved.source, "[basic] in /etc/keys");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn identity_provider_comes_from_the_file_of_the_sdks() {
    let text = "[basic]\nidp_id = idp\nid_token_file = /var/token\nak = A\nsk = hidden\n\
                iam_endpoint = https://iam.example.com\n";
    let host_entries = [(SDK_FILE, text), ("/var/token", "hidden-id\n")];
    let host = fake_host(&host_entries);
    let uri = |source: SdkProfile| request_of(source.begin(&ctx(&host))).uri().to_string();
    let path = "/v3.0/OS-AUTH/id-token/tokens";
    assert_eq!(
        uri(SdkProfile::new()),
        format!("https://iam.example.com{path}")
    );
    let local = lifecycle_core::Endpoint::parse("http://127.0.0.1:7070").unwrap();
    let config = CredentialSourceConfig::default().with_identity(local);
    assert_eq!(
        uri(SdkProfile::new().with_config(config)),
        format!("http://127.0.0.1:7070{path}")
    );

    let mut first = response(201, r#"{"token": {}}"#);
    first
        .headers_mut()
        .insert("x-subject-token", "hidden-subject".parse().unwrap());
    let answers = [ScriptedAnswer::Http(Ok(first)), http(201, KEY_RESPONSE)];
    let resolved = resolve(&SdkProfile::new(), &host, answers).done();
    assert_eq!(
        resolved.source,
        "[basic] in ~/.huaweicloud/credentials, identity provider idp (IAM)"
    );

    let bad = text.replace("https://iam.example.com", "not an endpoint");
    let fault = resolve_locally(
        &SdkProfile::new(),
        &[(SDK_FILE, &bad), ("/var/token", "hidden")],
    )
    .fault();
    assert!(fault.message().contains("iam_endpoint"), "{fault}");
}

#[test]
fn key_comes_from_a_profile_of_the_command_line() {
    let with = |name: &str| {
        CommandLineProfile::new().with_config(CredentialSourceConfig::default().with_profile(name))
    };
    let stored = (CLI_FILE, CLI_SAMPLE);
    let resolved = resolve_locally(&CommandLineProfile::new(), &[stored]).done();
    assert_eq!(
        id_and_session(&resolved.credential).0,
        "CLIKEY00000000000001"
    );
    assert_eq!(
        resolved.source,
        "profile \"default\" in ~/.hcloud/config.json"
    );
    let resolved = resolve_locally(
        &CommandLineProfile::new(),
        &[stored, ("HW_PROFILE", "temporary")],
    )
    .done();
    assert_eq!(
        id_and_session(&resolved.credential).0,
        "CLIKEY00000000000002"
    );
    let host = fake_host(&[stored, ("HW_PROFILE", "default")]);
    match with("temporary").begin(&ctx(&host)) {
        ExchangeStep::Done(resolved) => {
            assert_eq!(
                id_and_session(&resolved.credential),
                ("CLIKEY00000000000002", Some("hidden-session"))
            );
        }
        other => panic!("{other:?}"),
    }
    let custom = [
        ("HW_SHARED_CONFIG_FILE", "/etc/hcloud"),
        ("/etc/hcloud", CLI_SAMPLE),
    ];
    let resolved = resolve_locally(&CommandLineProfile::new(), &custom).done();
    assert_eq!(resolved.source, "profile \"default\" in /etc/hcloud");

    for (profile, expected) in [
        (
            "half",
            "profile \"half\" in ~/.hcloud/config.json has no secretAccessKey",
        ),
        ("other-half", "has no accessKeyId"),
        (
            "encrypted",
            "run `hcloud configure set --cli-auth-encrypt=false`",
        ),
        (
            "long",
            "has an encrypted key: run `hcloud configure set --cli-auth-encrypt=false`",
        ),
        (
            "blank",
            "profile \"blank\" in ~/.hcloud/config.json has no accessKeyId",
        ),
        (
            "sso",
            "has the mode \"SSO\", which is not supported: use AKSK or ecsAgency",
        ),
        (
            "agency",
            "has an agencyName, but no agencyDomainName and no agencyDomainId",
        ),
        (
            "prod",
            "~/.hcloud/config.json has no profile \"prod\"; known profiles: \"default\", \"temporary\"",
        ),
    ] {
        let fault = resolve_locally(&with(profile), &[stored]).fault();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(fault.message().contains(expected), "{fault}");
    }
    let fault = resolve_locally(&with("prod"), &[]).fault();
    assert!(
        fault
            .message()
            .contains("~/.hcloud/config.json does not exist"),
        "{fault}"
    );
    let fault = resolve_locally(&with("prod"), &[(CLI_FILE, "{}")]).fault();
    assert!(
        fault
            .message()
            .contains("no profile \"prod\"; known profiles: none"),
        "{fault}"
    );
}

#[test]
fn ecs_agency_profile_requires_an_agency_of_the_server() {
    let source = CommandLineProfile::new()
        .with_config(CredentialSourceConfig::default().with_profile("machine"));
    let host = fake_host(&[(CLI_FILE, CLI_SAMPLE)]);
    let answers = [http(200, "hidden-token"), http(200, KEY_RESPONSE)];
    let resolved = resolve(&source, &host, answers).done();
    assert_eq!(
        resolved.source,
        "profile \"machine\" in ~/.hcloud/config.json, ECS agency (metadata)"
    );
    let answers = [no_response(FaultKind::Unreachable)];
    let fault = resolve(&source, &host, answers).fault();
    assert!(
        fault
            .message()
            .contains("has the mode ecsAgency, but no metadata service at"),
        "{fault}"
    );
}

#[test]
fn profile_with_an_agency_assumes_the_agency() {
    for (field, parameter) in [("Name", "domain_name"), ("Id", "domain_id")] {
        let owner = format!(r#""agencyName": "ops", "agencyDomain{field}": "acme""#);
        let text = CLI_SAMPLE.replace(r#""agencyName": "ops""#, &owner);
        let host = fake_host(&[(CLI_FILE, &text), ("HW_PROFILE", "agency")]);
        let run = resolve(&CommandLineProfile::new(), &host, [http(201, KEY_RESPONSE)]);
        assert_eq!(
            run.body(0)["auth"]["identity"]["assume_role"][parameter],
            "acme"
        );
        assert_eq!(
            run.done().source,
            "profile \"agency\" in ~/.hcloud/config.json, agency ops of account acme (IAM)"
        );
    }
}

/// The next place can have the key of another account.
#[test]
fn file_with_settings_outside_of_the_known_sections_ends_the_search() {
    for text in [
        "ak = a\nsk = hidden\n",
        "[basics]\nak = a\nsk = hidden\n",
        "[global]\nak = a\n[other]\nsk = hidden\n",
    ] {
        let fault = resolve_locally(&SdkProfile::new(), &[(SDK_FILE, text)]).fault();
        assert!(fault.message().contains("no section [basic]"), "{fault}");
    }
}

#[test]
fn file_without_a_profile_is_not_configured() {
    for (text, reason) in [
        (None, "~/.huaweicloud/credentials has no section [basic]"),
        (Some(""), "~/.huaweicloud/credentials has no"),
        (
            Some("[global]\nak = a\nsk = hidden\n"),
            "~/.huaweicloud/credentials has no",
        ),
    ] {
        let host_entries: Vec<_> = text.map(|text| (SDK_FILE, text)).into_iter().collect();
        assert!(
            resolve_locally(&SdkProfile::new(), &host_entries)
                .expect_not_configured()
                .starts_with(reason)
        );
    }
    for text in [
        None,
        Some("{}"),
        Some(r#"{"current": "default", "profiles": []}"#),
    ] {
        let host_entries: Vec<_> = text.map(|text| (CLI_FILE, text)).into_iter().collect();
        assert_eq!(
            resolve_locally(&CommandLineProfile::new(), &host_entries).expect_not_configured(),
            "~/.hcloud/config.json has no profiles"
        );
    }
}

#[test]
fn fault_names_the_invalid_file_and_shows_no_secret() {
    let found = "[basic] in ~/.huaweicloud/credentials ";
    for (text, expected) in [
        ("[basic]\nak = a\n", format!("{found}has no sk")),
        ("[basic]\nsk = hidden\n", format!("{found}has no ak")),
        ("[basic]\nak =\nsk =\n", format!("{found}has neither")),
        ("[basic]\nproject_id = p\n", format!("{found}has neither")),
        (
            "[basic\nsk = hidden\n",
            format!("{SDK_FILE} is not a valid ini file"),
        ),
    ] {
        let fault = resolve_locally(&SdkProfile::new(), &[(SDK_FILE, text)]).fault();
        assert!(fault.message().starts_with(&expected), "{fault}");
    }
    for text in [
        "",
        "hidden",
        r#"{"profiles": [{"secretAccessKey": ["hidden"]}]}"#,
        r#"{"profiles": [{"secretAccessKey": "hidden"#,
    ] {
        let fault = resolve_locally(&CommandLineProfile::new(), &[(CLI_FILE, text)]).fault();
        let expected = format!("{CLI_FILE} is not a valid `hcloud` file (line 1, column ");
        assert!(fault.message().starts_with(&expected), "{fault}");
    }
    for (source, variable) in [
        (
            &SdkProfile::new() as &dyn CredentialSource,
            "HUAWEICLOUD_SDK_CREDENTIALS_FILE",
        ),
        (&CommandLineProfile::new(), "HW_SHARED_CONFIG_FILE"),
    ] {
        let fault = resolve_locally(source, &[(variable, "/gone")]).fault();
        assert_eq!(
            fault.message(),
            format!("/gone does not exist, but {variable} names it")
        );
    }
}

#[test]
fn damaged_file_causes_no_panic() {
    let try_all = |text: &str| {
        let host = fake_host(&[(SDK_FILE, text), (CLI_FILE, text), ("token", text)]);
        for source in sources(&CredentialSourceConfig::in_region("cn-north-4")) {
            drop(source.begin(&ctx(&host)));
        }
    };
    for sample in [SDK_SAMPLE, CLI_SAMPLE] {
        (0..sample.len()).for_each(|length| try_all(&sample[..length]));
    }
    for junk in [
        "\u{0}",
        "\u{feff}",
        "[",
        "]",
        "[]",
        "=",
        "[basic",
        "[basic]=",
        "[basic]]",
        "=\n=",
        "🔑",
        "[basic]\n=\n:",
        "[[basic]]\nak",
        "[[[[[[",
        "{\"profiles\":[{}]}",
        "[basic]\r\nak\u{85}",
    ] {
        try_all(junk);
    }
}
