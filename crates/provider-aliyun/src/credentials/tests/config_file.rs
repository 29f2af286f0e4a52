//! The profiles of the vendor's command line, mode by mode, and files that are wrong.

use lifecycle_core::Endpoint;
use serde_json::json;

use super::*;
use crate::{credentials::ConfigFile, sign::tests::decoded_query};

const PATH: &str = "~/.aliyun/config.json";
/// As the command line writes it.
const SAMPLE: &str = include_str!("../../../tests/samples/config.json");

fn read(profile: &str, texts: &[(&str, &str)], answers: Vec<Answer>) -> Story {
    let toy = Toy::new(&[&[(PATH, SAMPLE)], texts].concat());
    let config = CredentialSourceConfig::default().with_profile(profile);
    drive(&ConfigFile::new().with_config(config), &toy, answers)
}

/// What becomes of a file with this one profile, which is the current one.
fn read_one(profile: serde_json::Value, texts: &[(&str, &str)]) -> Story {
    let mut profile = profile;
    profile["name"] = "x".into();
    let text = json!({"current": "x", "profiles": [profile]}).to_string();
    let toy = Toy::new(&[&[(PATH, text.as_str())], texts].concat());
    drive(&ConfigFile::new(), &toy, vec![])
}

fn assumed() -> Answer {
    Answer::Http(200, ASSUMED)
}

#[test]
fn keys_stand_in_the_file() {
    for (profile, key) in [
        ("default", "LTAI-default/hidden-default"),
        ("sts", "STS.sts/hidden-sts/hidden-token"),
    ] {
        let grant = read(profile, &[], vec![]).grant();
        assert_eq!(key_of(&grant), key);
        let place = format!("profile {profile:?} in ~/.aliyun/config.json");
        assert_eq!(grant.source, place);
        assert_eq!((grant.expires, grant.renewal), (None, None));
    }
}

#[test]
fn a_role_is_assumed_with_all_its_settings() {
    let story = read("role", &[], vec![assumed()]);
    let query = decoded_query(story.request(0).uri());
    for (name, value) in [
        ("AccessKeyId", "LTAI-role"),
        ("DurationSeconds", "900"),
        ("ExternalId", "e x"),
        ("Policy", r#"{"Version": "1", "Statement": []}"#),
        ("RoleArn", "acs:ram::1:role/web"),
        ("RoleSessionName", "alice"),
    ] {
        assert_eq!(query[name], value);
    }
    assert!(!query.contains_key("SecurityToken"));
    assert_eq!(
        story.request(0).headers()["host"],
        "sts-vpc.cn-hangzhou.aliyuncs.com"
    );
    assert_eq!(
        story.grant().source,
        r#"profile "role" in ~/.aliyun/config.json, role acs:ram::1:role/web"#
    );
}

#[test]
fn the_instances_role_is_asked_for_by_name() {
    let answers = || vec![Answer::Http(200, "t"), Answer::Http(200, TOLD)];
    let story = read("ecs", &[], answers());
    assert_eq!(
        story.calls()[1],
        "GET http://100.100.100.200/latest/meta-data/ram/security-credentials/web"
    );
    assert_eq!(
        story.grant().source,
        r#"profile "ecs" in ~/.aliyun/config.json, role web (ECS metadata)"#
    );
    let mut answers = answers();
    answers.push(assumed());
    let story = read("ecs-role", &[], answers);
    let query = decoded_query(story.request(2).uri());
    assert_eq!(query["AccessKeyId"], "STS.id");
    assert_eq!(query["RoleSessionName"], "bob");
    // A profile that says so must not give way to somebody else's key.
    let fault = read("ecs", &[], vec![Answer::Silence(FaultKind::Unreachable)]).fault();
    assert!(fault.message().contains("no metadata service"), "{fault}");
    let off = ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
    let fault = read("ecs", &[off], vec![]).fault();
    assert!(fault.message().contains(off.0), "{fault}");
}

#[test]
fn an_oidc_profile_is_completed_by_variables() {
    let story = read("oidc", &[OIDC[3]], vec![assumed()]);
    assert_eq!(story.calls(), ["POST https://sts.cn-beijing.aliyuncs.com/"]);
    let body = String::from_utf8(story.request(0).body().to_vec()).unwrap();
    assert!(body.contains("RoleSessionName=carol"), "{body}");
    assert_eq!(
        story.grant().source,
        r#"profile "oidc" in ~/.aliyun/config.json, role acs:ram::1:role/oidc (OIDC token /var/token)"#
    );
    let text = r#"{"current": "x", "profiles": [{"name": "x", "mode": "OIDC", "role_session_name": "p"}]}"#;
    let toy = Toy::new(&[&[(PATH, text)], &OIDC[..]].concat());
    let story = drive(&ConfigFile::new(), &toy, vec![assumed()]);
    let body = String::from_utf8(story.request(0).body().to_vec()).unwrap();
    assert!(body.contains("RoleSessionName=p&"), "{body}");
    assert!(
        body.contains("RoleArn=acs%3Aram%3A%3A1%3Arole%2Foidc"),
        "{body}"
    );
    let fault = read_one(json!({"mode": "OIDC"}), &OIDC[..2]).fault();
    assert!(fault.message().contains("oidc_token_file"), "{fault}");
}

#[test]
fn roles_are_chained_and_never_in_a_circle() {
    let story = read("chain", &[], vec![assumed(), assumed()]);
    let (first, second) = (story.request(0).uri(), story.request(1).uri());
    assert_eq!(decoded_query(first)["RoleArn"], "acs:ram::1:role/web");
    let second = decoded_query(second);
    assert_eq!(second["RoleArn"], "acs:ram::2:role/db");
    assert_eq!(second["RoleSessionName"], "dave");
    assert_eq!(second["SecurityToken"], "hidden-token");
    assert_eq!(
        story.grant().source,
        r#"profile "chain" in ~/.aliyun/config.json, profile "role" in ~/.aliyun/config.json, role acs:ram::1:role/web, role acs:ram::2:role/db"#
    );

    let link = |name: &str, source: &str| json!({"name": name, "mode": "ChainableRamRoleArn", "ram_role_arn": "r", "source_profile": source});
    for (profiles, expected) in [
        (json!([link("a", "a")]), "source_profile cycle: a -> a"),
        (
            json!([link("a", "b"), link("b", "c"), link("c", "b")]),
            "source_profile cycle: a -> b -> c -> b",
        ),
        (
            json!([link("a", "z")]),
            r#"has no profile "z"; known profiles: "a""#,
        ),
        (json!([link("a", "")]), "has no source_profile"),
        (
            json!([{"name": "a", "mode": "ChainableRamRoleArn", "source_profile": "a"}]),
            "source_profile cycle: a -> a",
        ),
    ] {
        let text = json!({"current": "a", "profiles": profiles}).to_string();
        let story = drive(&ConfigFile::new(), &Toy::new(&[(PATH, &text)]), vec![]);
        let fault = story.fault();
        assert!(fault.message().contains(expected), "{fault}");
    }
}

#[test]
fn a_program_writes_a_profile() {
    let role = r#"{"mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "hidden",
        "ram_role_arn": "acs:ram::1:role/web", "ram_session_name": "s"}"#;
    let ecs = r#"{"mode": "EcsRamRole", "ram_role_name": "web"}"#;
    for (output, answers, key) in [
        (
            r#"{"mode": "AK", "access_key_id": "i", "access_key_secret": "s"}"#,
            vec![],
            "i/s",
        ),
        (
            r#"{"access_key_id": "i", "access_key_secret": "s"}"#,
            vec![],
            "i/s",
        ),
        (
            r#"{"access_key_id": "i", "access_key_secret": "s", "sts_token": "t"}"#,
            vec![],
            "i/s/t",
        ),
        (
            r#"{"mode": "StsToken", "access_key_id": "i", "access_key_secret": "s", "sts_token": "t"}"#,
            vec![],
            "i/s/t",
        ),
        (role, vec![assumed()], "STS.id/hidden-secret/hidden-token"),
        (
            ecs,
            vec![Answer::Http(200, "t"), Answer::Http(200, TOLD)],
            "STS.id/hidden-secret/hidden-token",
        ),
    ] {
        let answers = std::iter::once(Answer::Output(output))
            .chain(answers)
            .collect();
        let story = read("program", &[], answers);
        let Asked::Program(command) = &story.asked[0] else {
            panic!("{story:?}");
        };
        assert_eq!(command, &["acs-sso", "login", "--profile", "my sso"]);
        let grant = story.grant();
        assert_eq!(key_of(&grant), key, "{output}");
        assert!(
            grant.source.starts_with(r#"profile "program" in"#),
            "{}",
            grant.source
        );
    }
    let timed = r#"{"mode": "StsToken", "access_key_id": "i", "access_key_secret": "s", "sts_token": "t", "expiration": "2018-01-29T09:00:00Z"}"#;
    let grant = read("program", &[], vec![Answer::Output(timed)]).grant();
    assert!(grant.expires.is_some());
    assert_eq!(grant.renewal, Some(std::time::Duration::from_secs(180)));

    for output in [
        "",
        "hidden",
        r#"["hidden"]"#,
        r#"{"access_key_id": "hidden"#,
        r#"{"access_key_id": "i"}"#,
        r#"{"mode": "StsToken", "access_key_id": "i", "access_key_secret": "hidden"}"#,
        r#"{"mode": "External", "process_command": "x"}"#,
        r#"{"mode": "ChainableRamRoleArn", "source_profile": "program"}"#,
        r#"{"mode": "Nonsense"}"#,
        r#"{"access_key_id": "i", "access_key_secret": "hidden", "expiration": "hidden"}"#,
    ] {
        let fault = read("program", &[], vec![Answer::Output(output)]).fault();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(fault.message().contains("program"), "{output}: {fault}");
    }
    let off = ("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS", "1");
    for profile in ["program", "uri"] {
        let fault = read(profile, &[off], vec![]).fault();
        assert!(fault.message().contains(off.0), "{fault}");
    }
    let fault = read_one(
        json!({"mode": "External", "process_command": "a 'hidden"}),
        &[],
    )
    .fault();
    assert!(fault.message().contains("a quote is not closed"), "{fault}");
}

#[test]
fn a_url_is_asked() {
    let story = read("uri", &[], vec![Answer::Http(200, TOLD)]);
    assert_eq!(
        story.calls(),
        ["GET http://127.0.0.1:6666/key?secret=hidden"]
    );
    assert_eq!(
        story.grant().source,
        r#"profile "uri" in ~/.aliyun/config.json, credentials URI at http://127.0.0.1:6666"#
    );
}

/// The sample's first key ends an hour after the tests' moment, the second at that moment.
#[test]
fn keys_of_a_sign_in_are_good_until_they_end() {
    let grant = read("sso", &[], vec![]).grant();
    assert_eq!(key_of(&grant), "STS.sso/hidden-sso/hidden-sso-token");
    assert!(grant.expires.is_some());
    for (profile, mode) in [
        ("oauth", "OAuth"),
        ("pair", "RsaKeyPair"),
        ("bearer", "BearerToken"),
        ("anonymous", "Anonymous"),
    ] {
        let fault = read(profile, &[], vec![]).fault();
        assert!(
            fault
                .message()
                .starts_with(&format!("profile {profile:?} in")),
            "{fault}"
        );
        assert!(fault.message().contains(mode), "{fault}");
        assert!(fault.message().contains("not supported"), "{fault}");
    }
    for expiration in [
        json!(null),
        json!(0),
        json!("soon"),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
    ] {
        let profile = json!({"mode": "CloudSSO", "access_key_id": "i", "access_key_secret": "hidden",
            "sts_token": "hidden", "sts_expiration": expiration});
        let fault = read_one(profile, &[]).fault();
        assert!(fault.message().contains("no valid stored key"), "{fault}");
    }
}

#[test]
fn the_profile_is_the_callers_or_the_variables_or_the_current_one() {
    let file = (PATH, SAMPLE);
    let variable = ("ALIBABA_CLOUD_PROFILE", "sts");
    let command_line = ("ALICLOUD_PROFILE", "sso");
    for (asked, texts, id) in [
        (None, &[file][..], "LTAI-default"),
        (None, &[file, command_line], "STS.sso"),
        (None, &[file, command_line, variable], "STS.sts"),
        (Some("default"), &[file, variable], "LTAI-default"),
    ] {
        let mut config = CredentialSourceConfig::default();
        config.profile = asked.map(str::to_owned);
        let story = drive(
            &ConfigFile::new().with_config(config),
            &Toy::new(texts),
            vec![],
        );
        assert!(key_of(&story.grant()).starts_with(id), "{texts:?}");
    }
    let elsewhere = ("ALIBABA_CLOUD_CONFIG_FILE", "/etc/aliyun.json");
    let toy = Toy::new(&[elsewhere, ("/etc/aliyun.json", SAMPLE)]);
    let grant = drive(&ConfigFile::new(), &toy, vec![]).grant();
    assert_eq!(grant.source, r#"profile "default" in /etc/aliyun.json"#);
}

#[test]
fn addresses_of_the_caller_win() {
    let own = |text: &str| Endpoint::parse(text).unwrap();
    let config = CredentialSourceConfig::default()
        .with_profile("ecs-role")
        .with_identity(own("http://127.0.0.1:1"))
        .with_metadata(own("http://127.0.0.1:2"));
    let answers = vec![Answer::Http(200, "t"), Answer::Http(200, TOLD), assumed()];
    let origin = ConfigFile::new().with_config(config);
    let calls = drive(&origin, &Toy::new(&[(PATH, SAMPLE)]), answers).calls();
    assert!(
        calls[0].starts_with("PUT http://127.0.0.1:2/latest"),
        "{calls:?}"
    );
    assert!(
        calls[2].starts_with("GET http://127.0.0.1:1/?AccessKeyId"),
        "{calls:?}"
    );
    // The command line's own setting.
    let role = json!({"mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "s",
        "ram_role_arn": "r", "sts_endpoint": "a b"});
    let fault = read_one(role, &[]).fault();
    assert!(fault.message().contains("sts_endpoint"), "{fault}");
}

#[test]
fn where_nothing_is_set_up_others_are_asked() {
    for texts in [
        &[][..],
        &[(PATH, "{}")],
        &[(PATH, r#"{"current": "", "profiles": []}"#)],
        &[(
            PATH,
            r#"{"current": "x", "profiles": [{"name": "x", "region_id": "cn-beijing"}]}"#,
        )],
        &[
            (PATH, SAMPLE),
            ("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true"),
        ],
        // A name that belongs to the other file.
        &[
            (PATH, SAMPLE),
            INI,
            ("ALIBABA_CLOUD_PROFILE", "default2"),
            ("~/.alibabacloud/credentials.ini", "[default2]\n"),
        ],
    ] {
        drive(&ConfigFile::new(), &Toy::new(texts), vec![]).absence();
    }
}

#[test]
fn what_is_wrong_is_named_and_not_shown() {
    for (texts, named) in [
        (
            &[(PATH, "hidden")][..],
            "not a JSON object (line 1, column 1)",
        ),
        (&[(PATH, r#"["hidden"]"#)], "not a JSON object"),
        (
            &[(PATH, r#"{"access_key_secret": "hidden"#)],
            "not a JSON object",
        ),
        (&[(PATH, "")], "not a JSON object"),
        (&[(PATH, "locked")], "permission denied"),
        (
            &[(PATH, r#"{"current": "x"}"#)],
            r#"has no profile "x"; known profiles: none"#,
        ),
        (
            &[(PATH, SAMPLE), ("ALIBABA_CLOUD_PROFILE", "x")],
            r#"has no profile "x"; known profiles: "default", "sts""#,
        ),
        (
            &[("ALIBABA_CLOUD_CONFIG_FILE", "/x/y")],
            "/x/y does not exist",
        ),
    ] {
        let fault = drive(&ConfigFile::new(), &Toy::new(texts), vec![]).fault();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(fault.message().contains(named), "{fault}");
    }
    for (profile, named) in [
        (json!({"mode": "AK"}), "has no access_key_id"),
        (
            json!({"mode": "AK", "access_key_id": " ", "access_key_secret": "hidden"}),
            "has no access_key_id",
        ),
        (
            json!({"mode": "AK", "access_key_id": "i"}),
            "has no access_key_secret",
        ),
        (
            json!({"mode": "StsToken", "access_key_id": "i", "access_key_secret": "hidden"}),
            "has no sts_token",
        ),
        (
            json!({"mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "hidden"}),
            "has no ram_role_arn",
        ),
        (json!({"mode": "External"}), "has no process_command"),
        (json!({"mode": "CredentialsURI"}), "has no credentials_uri"),
        (
            json!({"mode": "ak"}),
            r#"the mode "ak", which is not supported"#,
        ),
        (json!({"mode": {"hidden": 1}}), "not supported"),
        (
            json!({"mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "hidden", "ram_role_arn": "r",
            "expired_seconds": 10}),
            "900 or more",
        ),
        (
            json!({"mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "hidden", "ram_role_arn": "r",
            "expired_seconds": "x"}),
            "expired_seconds",
        ),
        (
            json!({"mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "hidden", "ram_role_arn": "r",
            "enable_vpc": 1}),
            "enable_vpc",
        ),
    ] {
        let fault = read_one(profile.clone(), &[]).fault();
        assert!(fault.message().contains(named), "{profile}: {fault}");
    }
}

/// The command line takes profiles without a mode for what their settings amount to.
#[test]
fn a_profile_without_a_mode_is_recognised() {
    let keys = json!({"access_key_id": "i", "access_key_secret": "s"});
    assert_eq!(key_of(&read_one(keys, &[]).grant()), "i/s");
    let session =
        json!({"mode": "", "access_key_id": "i", "access_key_secret": "s", "sts_token": "t"});
    assert_eq!(key_of(&read_one(session, &[]).grant()), "i/s/t");
}

/// A policy that is written as an object narrows the key too.
#[test]
fn no_setting_is_lost_for_its_type() {
    let text = r#"{"current": "x", "profiles": [7, {"name": 7}, {"name": "x", "mode": "RamRoleArn", "access_key_id": 12,
        "access_key_secret": true, "ram_role_arn": "r", "expired_seconds": 0, "policy": {"Version":"1"}}]}"#;
    let story = drive(
        &ConfigFile::new(),
        &Toy::new(&[(PATH, text)]),
        vec![assumed()],
    );
    let query = decoded_query(story.request(0).uri());
    assert_eq!(query["Policy"], r#"{"Version":"1"}"#);
    assert_eq!(query["AccessKeyId"], "12");
    assert_eq!(query["DurationSeconds"], "3600");
}
