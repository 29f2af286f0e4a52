//! Tests of `CredentialsFile`, the `credentials.ini` of Alibaba's SDKs: each type of a section, the
//! search for the file, and invalid files. A profile is a section of the file.

use super::*;
use crate::{credentials::CredentialsFile, sign::tests::decoded_query};

const PATH: &str = "~/.alibabacloud/credentials.ini";
const SAMPLE: &str = include_str!("../../../tests/samples/credentials.ini");

/// Resolves the key of a section of the sample.
fn resolve_section(
    section: &str,
    host_entries: &[(&str, &str)],
    answers: Vec<ScriptedAnswer>,
) -> ExchangeRun<ResolvedCredential> {
    let variable = ("ALIBABA_CLOUD_PROFILE", section);
    let host = FakeHost::new(&[&[(PATH, SAMPLE), variable], host_entries].concat());
    resolve(&CredentialsFile::new(), &host, answers)
}

#[test]
fn type_selects_the_source_of_the_key() {
    for (section, key) in [
        ("default", "LTAI-default/hidden-default"),
        ("sts", "STS.sts/hidden-sts/hidden-token"),
        ("Case", "LTAI-Case/hidden-Case"),
    ] {
        let resolved = resolve_section(section, &[], vec![]).done();
        assert_eq!(key_of(&resolved), key);
        assert_eq!(resolved.source, format!("section [{section}] in {PATH}"));
    }

    let run = resolve_section("role", &[], vec![http(200, STS_RESPONSE)]);
    let query = decoded_query(run.request(0).uri());
    assert_eq!(query["AccessKeyId"], "LTAI-role");
    assert_eq!(query["RoleArn"], "acs:ram::1:role/web");
    assert_eq!(query["RoleSessionName"], "alice");
    let policy: serde_json::Value = serde_json::from_str(&query["Policy"]).unwrap();
    assert_eq!(policy["Version"], "1");
    assert_eq!(
        run.done().source,
        "section [role] in ~/.alibabacloud/credentials.ini, role acs:ram::1:role/web"
    );

    let run = resolve_section("oidc", &[OIDC_TOKEN_FILE], vec![http(200, STS_RESPONSE)]);
    assert_eq!(run.lines(), ["POST https://sts.aliyuncs.com/"]);

    let answers = vec![http(200, "t"), http(200, METADATA_RESPONSE)];
    let run = resolve_section("ecs", &[], answers);
    assert!(
        run.lines()[1].ends_with("/security-credentials/web"),
        "{:?}",
        run.lines()
    );
    assert_eq!(
        run.done().source,
        "section [ecs] in ~/.alibabacloud/credentials.ini, role web (ECS metadata)"
    );
}

#[test]
fn path_comes_from_the_variable_or_the_defaults() {
    let second_path = "~/.alibabacloud/credentials";
    let path_variable = ("ALIBABA_CLOUD_CREDENTIALS_FILE", "/etc/keys.ini");
    let keys = "[default]\ntype=access_key\naccess_key_id=i\naccess_key_secret=s\n";
    for (host_entries, path) in [
        (&[(second_path, keys)][..], second_path),
        (&[(PATH, keys), (second_path, "[")], PATH),
        (
            &[(PATH, "["), path_variable, ("/etc/keys.ini", keys)],
            "/etc/keys.ini",
        ),
    ] {
        let resolved = resolve(
            &CredentialsFile::new(),
            &FakeHost::new(host_entries),
            vec![],
        )
        .done();
        assert_eq!(resolved.source, format!("section [default] in {path}"));
    }
    resolve(&CredentialsFile::new(), &FakeHost::new(&[]), vec![]).expect_not_configured();
    let without_default = FakeHost::new(&[(PATH, "[other]\ntype = sts\n")]);
    resolve(&CredentialsFile::new(), &without_default, vec![]).expect_not_configured();
}

#[test]
fn fault_names_the_invalid_setting_and_shows_no_secret() {
    for (text, expected) in [
        (
            "[default]\ntype = access_key\naccess_key_id = i\n",
            "has no access_key_secret",
        ),
        (
            "[default]\ntype = access_key\naccess_key_id =\naccess_key_secret = hidden",
            "has no access_key_id",
        ),
        (
            "[default]\naccess_key_id = i\naccess_key_secret = hidden",
            "has no type",
        ),
        (
            "[default]\ntype = sts\naccess_key_id = i\naccess_key_secret = hidden",
            "has no security_token",
        ),
        (
            "[default]\ntype = ram_role_arn\naccess_key_id = i\naccess_key_secret = hidden",
            "has no role_arn",
        ),
        (
            "[default]\ntype = oidc_role_arn",
            "has no oidc_provider_arn",
        ),
        (
            "[default]\ntype = nonsense",
            r#"the type "nonsense", which is not supported"#,
        ),
        (
            "[default\naccess_key_secret = hidden",
            "is not a valid ini file: cannot read line 1",
        ),
        (
            "[default]\n= hidden",
            "is not a valid ini file: cannot read line 2",
        ),
        (FakeHost::UNREADABLE, "permission denied"),
    ] {
        let fault = resolve(
            &CredentialsFile::new(),
            &FakeHost::new(&[(PATH, text)]),
            vec![],
        )
        .fault();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(fault.message().contains(PATH), "{fault}");
        assert!(fault.message().contains(expected), "{fault}");
    }
    // A type that is not supported.
    let fault = resolve_section("pair", &[], vec![]).fault();
    assert!(fault.message().contains("rsa_key_pair"), "{fault}");
    // The names of sections are case-sensitive: the sample has a section `Case`.
    let fault = resolve_section("case", &[], vec![]).fault();
    assert!(fault.message().contains("has no section [case]"), "{fault}");
    let named = FakeHost::new(&[("ALIBABA_CLOUD_CREDENTIALS_FILE", "/x/y")]);
    let fault = resolve(&CredentialsFile::new(), &named, vec![]).fault();
    assert!(fault.message().contains("/x/y does not exist"), "{fault}");
}

/// A requested profile that no file has is a fault, although another source has a key.
#[test]
fn unknown_requested_profile_is_a_fault_and_no_other_source_is_used() {
    let config = CredentialSourceConfig::default().with_profile("prod");
    let chain = CredentialSourceChain::new(sources(&config));
    let fault = resolve(&chain, &FakeHost::new(&[CREDENTIALS_URI_VARIABLE]), vec![]).fault();
    assert!(
        fault
            .message()
            .starts_with(r#"profile "prod" was not found"#),
        "{fault}"
    );
    let ini = "[prod]\ntype=access_key\naccess_key_id=i\naccess_key_secret=s\n";
    let host = FakeHost::new(&[CLI_CONFIG_FILE, (PATH, ini)]);
    assert_eq!(key_of(&resolve(&chain, &host, vec![]).done()), "i/s");
}
