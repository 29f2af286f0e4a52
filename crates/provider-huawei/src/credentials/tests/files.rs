//! The files of the SDKs and of the command line.

use super::*;

/// As the page of Huawei's SDKs shows it (huaweicloud-sdk-python-v3, README, "Profile").
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

/// As `hcloud configure set` writes it with `--cli-auth-encrypt=false`.
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
fn the_file_of_the_sdks() {
    let grant = found(&SdkProfile::new(), &[(SDK_FILE, SDK_SAMPLE)]);
    assert_eq!(key(&grant), ("SDKKEY00000000000001", None));
    assert_eq!(grant.source, "[basic] in ~/.huaweicloud/credentials");
    match grant.credential {
        Credential::Keys { secret, .. } => assert_eq!(secret.expose(), "hidden=sk;with#signs%"),
        other => panic!("{other:?}"),
    }

    let temporary = "[basic]\nAK: A\nsk: hidden\nsecurity_token = hidden+/==\n";
    let named = [
        ("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/etc/keys"),
        ("/etc/keys", temporary),
        (SDK_FILE, SDK_SAMPLE),
    ];
    let toy = Toy::new(&named);
    match SdkProfile::new().begin(&ctx(&toy)) {
        ExchangeStep::Done(grant) => {
            assert_eq!(key(&grant), ("A", Some("hidden+/==")));
            assert_eq!(grant.source, "[basic] in /etc/keys");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_identity_provider_in_the_file_of_the_sdks() {
    let text = "[basic]\nidp_id = idp\nid_token_file = /var/token\nak = A\nsk = hidden\n\
                iam_endpoint = https://iam.example.com\n";
    let texts = [(SDK_FILE, text), ("/var/token", "hidden-id\n")];
    let toy = Toy::new(&texts);
    let asked = |origin: SdkProfile| match origin.begin(&ctx(&toy)) {
        ExchangeStep::Http(ask) => ask.request.uri().to_string(),
        other => panic!("{other:?}"),
    };
    let path = "/v3.0/OS-AUTH/id-token/tokens";
    assert_eq!(
        asked(SdkProfile::new()),
        format!("https://iam.example.com{path}")
    );
    let local = lifecycle_core::Endpoint::parse("http://127.0.0.1:7070").unwrap();
    let config = CredentialSourceConfig::default().with_identity(local);
    assert_eq!(
        asked(SdkProfile::new().with_config(config)),
        format!("http://127.0.0.1:7070{path}")
    );

    let mut first = reply(201, r#"{"token": {}}"#);
    first
        .headers_mut()
        .insert("x-subject-token", "hidden-subject".parse().unwrap());
    let step = SdkProfile::new().begin(&ctx(&toy));
    let grant = drive(step, &toy, [Ok(first), Ok(reply(201, ISSUED))]).grant();
    assert_eq!(
        grant.source,
        "[basic] in ~/.huaweicloud/credentials, identity provider idp (IAM)"
    );

    let bad = text.replace("https://iam.example.com", "not an endpoint");
    let fault = refused(
        &SdkProfile::new(),
        &[(SDK_FILE, &bad), ("/var/token", "hidden")],
    );
    assert!(fault.message().contains("iam_endpoint"), "{fault}");
}

#[test]
fn the_profiles_of_the_command_line() {
    let with = |name: &str| {
        CommandLineProfile::new().with_config(CredentialSourceConfig::default().with_profile(name))
    };
    let stored = (CLI_FILE, CLI_SAMPLE);
    let grant = found(&CommandLineProfile::new(), &[stored]);
    assert_eq!(key(&grant).0, "CLIKEY00000000000001");
    assert_eq!(grant.source, "profile \"default\" in ~/.hcloud/config.json");
    let grant = found(
        &CommandLineProfile::new(),
        &[stored, ("HW_PROFILE", "temporary")],
    );
    assert_eq!(key(&grant).0, "CLIKEY00000000000002");
    let toy = Toy::new(&[stored, ("HW_PROFILE", "default")]);
    match with("temporary").begin(&ctx(&toy)) {
        ExchangeStep::Done(grant) => {
            assert_eq!(
                key(&grant),
                ("CLIKEY00000000000002", Some("hidden-session"))
            );
        }
        other => panic!("{other:?}"),
    }
    let elsewhere = [
        ("HW_SHARED_CONFIG_FILE", "/etc/hcloud"),
        ("/etc/hcloud", CLI_SAMPLE),
    ];
    let grant = found(&CommandLineProfile::new(), &elsewhere);
    assert_eq!(grant.source, "profile \"default\" in /etc/hcloud");

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
        let fault = refused(&with(profile), &[stored]);
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(fault.message().contains(expected), "{fault}");
    }
    let fault = refused(&with("prod"), &[]);
    assert!(
        fault
            .message()
            .contains("~/.hcloud/config.json does not exist"),
        "{fault}"
    );
    let fault = refused(&with("prod"), &[(CLI_FILE, "{}")]);
    assert!(
        fault
            .message()
            .contains("no profile \"prod\"; known profiles: none"),
        "{fault}"
    );
}

#[test]
fn a_profile_for_the_machines_agency_needs_one() {
    let origin = CommandLineProfile::new()
        .with_config(CredentialSourceConfig::default().with_profile("machine"));
    let toy = Toy::new(&[(CLI_FILE, CLI_SAMPLE)]);
    let answers = [Ok(reply(200, "hidden-token")), Ok(reply(200, ISSUED))];
    let grant = drive(origin.begin(&ctx(&toy)), &toy, answers).grant();
    assert_eq!(
        grant.source,
        "profile \"machine\" in ~/.hcloud/config.json, ECS agency (metadata)"
    );
    let silence = Fault::new(FaultKind::Unreachable, "refused");
    let fault = drive(origin.begin(&ctx(&toy)), &toy, [Err(silence)]).fault();
    assert!(
        fault
            .message()
            .contains("has the mode ecsAgency, but no metadata service at"),
        "{fault}"
    );
}

#[test]
fn a_profile_with_an_agency_assumes_it() {
    for (field, asked) in [("Name", "domain_name"), ("Id", "domain_id")] {
        let owner = format!(r#""agencyName": "ops", "agencyDomain{field}": "acme""#);
        let text = CLI_SAMPLE.replace(r#""agencyName": "ops""#, &owner);
        let toy = Toy::new(&[(CLI_FILE, &text), ("HW_PROFILE", "agency")]);
        let step = CommandLineProfile::new().begin(&ctx(&toy));
        let way = drive(step, &toy, [Ok(reply(201, ISSUED))]);
        assert_eq!(
            way.body(0)["auth"]["identity"]["assume_role"][asked],
            "acme"
        );
        assert_eq!(
            way.grant().source,
            "profile \"agency\" in ~/.hcloud/config.json, agency ops of account acme (IAM)"
        );
    }
}

#[test]
fn files_that_say_nothing_are_absent() {
    for (text, why) in [
        (None, "~/.huaweicloud/credentials has no section [basic]"),
        (Some(""), "~/.huaweicloud/credentials has no"),
        (
            Some("[global]\nak = a\nsk = hidden\n"),
            "~/.huaweicloud/credentials has no",
        ),
    ] {
        let texts: Vec<_> = text.map(|text| (SDK_FILE, text)).into_iter().collect();
        assert!(absent(&SdkProfile::new(), &texts).starts_with(why));
    }
    for text in [
        None,
        Some("{}"),
        Some(r#"{"current": "default", "profiles": []}"#),
    ] {
        let texts: Vec<_> = text.map(|text| (CLI_FILE, text)).into_iter().collect();
        assert_eq!(
            absent(&CommandLineProfile::new(), &texts),
            "~/.hcloud/config.json has no profiles"
        );
    }
}

#[test]
fn files_that_cannot_be_used_are_named_and_never_shown() {
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
        let fault = refused(&SdkProfile::new(), &[(SDK_FILE, text)]);
        assert!(fault.message().starts_with(&expected), "{fault}");
    }
    for text in [
        "",
        "hidden",
        r#"{"profiles": [{"secretAccessKey": ["hidden"]}]}"#,
        r#"{"profiles": [{"secretAccessKey": "hidden"#,
    ] {
        let fault = refused(&CommandLineProfile::new(), &[(CLI_FILE, text)]);
        let expected = format!("{CLI_FILE} is not a valid `hcloud` file (line 1, column ");
        assert!(fault.message().starts_with(&expected), "{fault}");
    }
    for (origin, variable) in [
        (
            &SdkProfile::new() as &dyn CredentialSource,
            "HUAWEICLOUD_SDK_CREDENTIALS_FILE",
        ),
        (&CommandLineProfile::new(), "HW_SHARED_CONFIG_FILE"),
    ] {
        let fault = refused(origin, &[(variable, "/gone")]);
        assert_eq!(
            fault.message(),
            format!("/gone does not exist, but {variable} names it")
        );
    }
}

#[test]
fn no_bytes_make_them_panic() {
    let try_all = |text: &str| {
        let toy = Toy::new(&[(SDK_FILE, text), (CLI_FILE, text), ("token", text)]);
        for origin in sources(&CredentialSourceConfig::in_region("cn-north-4")) {
            drop(origin.begin(&ctx(&toy)));
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
