//! The SDKs' ini file, type by type, and files that are wrong.

use super::*;
use crate::{credentials::CredentialsFile, sign::tests::decoded_query};

const PATH: &str = "~/.alibabacloud/credentials.ini";
const SAMPLE: &str = include_str!("../../../tests/samples/credentials.ini");

fn read(section: &str, texts: &[(&str, &str)], answers: Vec<Answer>) -> Story {
    let variable = ("ALIBABA_CLOUD_PROFILE", section);
    let toy = Toy::new(&[&[(PATH, SAMPLE), variable], texts].concat());
    drive(&CredentialsFile::new(), &toy, answers)
}

#[test]
fn every_type_is_read() {
    for (section, key) in [
        ("default", "LTAI-default/hidden-default"),
        ("sts", "STS.sts/hidden-sts/hidden-token"),
        ("Case", "LTAI-Case/hidden-Case"),
    ] {
        let grant = read(section, &[], vec![]).grant();
        assert_eq!(key_of(&grant), key);
        assert_eq!(grant.source, format!("section [{section}] in {PATH}"));
    }

    let story = read("role", &[], vec![Answer::Http(200, ASSUMED)]);
    let query = decoded_query(story.request(0).uri());
    assert_eq!(query["AccessKeyId"], "LTAI-role");
    assert_eq!(query["RoleArn"], "acs:ram::1:role/web");
    assert_eq!(query["RoleSessionName"], "alice");
    let policy: serde_json::Value = serde_json::from_str(&query["Policy"]).unwrap();
    assert_eq!(policy["Version"], "1");
    assert_eq!(
        story.grant().source,
        "section [role] in ~/.alibabacloud/credentials.ini, role acs:ram::1:role/web"
    );

    let story = read("oidc", &[OIDC[3]], vec![Answer::Http(200, ASSUMED)]);
    assert_eq!(story.calls(), ["POST https://sts.aliyuncs.com/"]);

    let answers = vec![Answer::Http(200, "t"), Answer::Http(200, TOLD)];
    let story = read("ecs", &[], answers);
    assert!(
        story.calls()[1].ends_with("/security-credentials/web"),
        "{:?}",
        story.calls()
    );
    assert_eq!(
        story.grant().source,
        "section [ecs] in ~/.alibabacloud/credentials.ini, role web (ECS metadata)"
    );
}

#[test]
fn both_paths_and_the_variable_are_known() {
    let second = "~/.alibabacloud/credentials";
    let named = ("ALIBABA_CLOUD_CREDENTIALS_FILE", "/etc/keys.ini");
    let keys = "[default]\ntype=access_key\naccess_key_id=i\naccess_key_secret=s\n";
    for (texts, path) in [
        (&[(second, keys)][..], second),
        (&[(PATH, keys), (second, "[")], PATH),
        (
            &[(PATH, "["), named, ("/etc/keys.ini", keys)],
            "/etc/keys.ini",
        ),
    ] {
        let grant = drive(&CredentialsFile::new(), &Toy::new(texts), vec![]).grant();
        assert_eq!(grant.source, format!("section [default] in {path}"));
    }
    drive(&CredentialsFile::new(), &Toy::new(&[]), vec![]).absence();
    let only = Toy::new(&[(PATH, "[other]\ntype = sts\n")]);
    drive(&CredentialsFile::new(), &only, vec![]).absence();
}

#[test]
fn what_is_wrong_is_named_and_not_shown() {
    for (text, named) in [
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
        ("locked", "permission denied"),
    ] {
        let fault = drive(&CredentialsFile::new(), &Toy::new(&[(PATH, text)]), vec![]).fault();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(fault.message().contains(PATH), "{fault}");
        assert!(fault.message().contains(named), "{fault}");
    }
    let fault = read("pair", &[], vec![]).fault();
    assert!(fault.message().contains("rsa_key_pair"), "{fault}");
    let fault = read("case", &[], vec![]).fault();
    assert!(fault.message().contains("has no section [case]"), "{fault}");
    let named = Toy::new(&[("ALIBABA_CLOUD_CREDENTIALS_FILE", "/x/y")]);
    let fault = drive(&CredentialsFile::new(), &named, vec![]).fault();
    assert!(fault.message().contains("/x/y does not exist"), "{fault}");
}

/// A caller who names a profile gets that one or none, even where no file is.
#[test]
fn a_profile_that_is_nowhere_ends_the_search() {
    let config = CredentialSourceConfig::default().with_profile("prod");
    let chain = CredentialSourceChain::new(sources(&config));
    let fault = drive(&chain, &Toy::new(&[URI]), vec![]).fault();
    assert!(
        fault
            .message()
            .starts_with(r#"profile "prod" was not found"#),
        "{fault}"
    );
    let ini = "[prod]\ntype=access_key\naccess_key_id=i\naccess_key_secret=s\n";
    let toy = Toy::new(&[CONFIG, (PATH, ini)]);
    assert_eq!(key_of(&drive(&chain, &toy, vec![]).grant()), "i/s");
}
