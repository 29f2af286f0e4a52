//! Tests of the profiles of Alibaba's tool `aliyun` (`~/.aliyun/config.json`): each mode, and invalid
//! files.

use std::time::{Duration, SystemTime};

use lifecycle_core::Endpoint;
use serde_json::json;

use super::*;
use crate::{credentials::ConfigFile, sign::tests::decoded_query};

const PATH: &str = "~/.aliyun/config.json";
/// A file in the format of `aliyun`.
const SAMPLE: &str = include_str!("../../../tests/samples/config.json");

/// Resolves the key of a profile of the sample.
fn resolve_profile(
    profile: &str,
    host_entries: &[(&str, &str)],
    answers: Vec<ScriptedAnswer>,
) -> ExchangeRun<ResolvedCredential> {
    let host = FakeHost::new(&[&[(PATH, SAMPLE)], host_entries].concat());
    let config = CredentialSourceConfig::default().with_profile(profile);
    resolve(&ConfigFile::new().with_config(config), &host, answers)
}

/// Resolves the key of this profile, the only and current profile of a file.
fn resolve_only_profile(
    profile: serde_json::Value,
    host_entries: &[(&str, &str)],
) -> ExchangeRun<ResolvedCredential> {
    let mut profile = profile;
    profile["name"] = "x".into();
    let text = json!({"current": "x", "profiles": [profile]}).to_string();
    let host = FakeHost::new(&[&[(PATH, text.as_str())], host_entries].concat());
    resolve(&ConfigFile::new(), &host, vec![])
}

fn after_now(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs() + seconds)
}

fn sts_response() -> ScriptedAnswer {
    http(200, STS_RESPONSE)
}

#[test]
fn key_modes_return_the_key_of_the_file() {
    for (profile, key) in [
        ("default", "LTAI-default/hidden-default"),
        ("sts", "STS.sts/hidden-sts/hidden-token"),
    ] {
        let resolved = resolve_profile(profile, &[], vec![]).done();
        assert_eq!(key_of(&resolved), key);
        let location = format!("profile {profile:?} in ~/.aliyun/config.json");
        assert_eq!(resolved.source, location);
        assert_eq!((resolved.expires, resolved.renewal), (None, None));
    }
}

#[test]
fn role_mode_sends_every_setting_of_the_role() {
    let run = resolve_profile("role", &[], vec![sts_response()]);
    let query = decoded_query(run.request(0).uri());
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
        run.request(0).headers()["host"],
        "sts-vpc.cn-hangzhou.aliyuncs.com"
    );
    assert_eq!(
        run.done().source,
        r#"profile "role" in ~/.aliyun/config.json, role acs:ram::1:role/web"#
    );
}

#[test]
fn instance_role_mode_requests_the_role_by_name() {
    let answers = || vec![http(200, "t"), http(200, METADATA_RESPONSE)];
    let run = resolve_profile("ecs", &[], answers());
    assert_eq!(
        run.lines()[1],
        "GET http://100.100.100.200/latest/meta-data/ram/security-credentials/web"
    );
    assert_eq!(
        run.done().source,
        r#"profile "ecs" in ~/.aliyun/config.json, role web (ECS metadata)"#
    );
    let mut answers = answers();
    answers.push(sts_response());
    let run = resolve_profile("ecs-role", &[], answers);
    let query = decoded_query(run.request(2).uri());
    assert_eq!(query["AccessKeyId"], "STS.id");
    assert_eq!(query["RoleSessionName"], "bob");
}

// The next source of the chain must not replace the configured profile.
#[test]
fn instance_role_mode_without_metadata_is_a_fault() {
    let fault = resolve_profile("ecs", &[], vec![no_response(FaultKind::Unreachable)]).fault();
    assert!(fault.message().contains("no metadata service"), "{fault}");
    let off = ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
    let fault = resolve_profile("ecs", &[off], vec![]).fault();
    assert!(fault.message().contains(off.0), "{fault}");
}

#[test]
fn variables_complete_an_oidc_profile() {
    let run = resolve_profile("oidc", &[OIDC_TOKEN_FILE], vec![sts_response()]);
    assert_eq!(run.lines(), ["POST https://sts.cn-beijing.aliyuncs.com/"]);
    let body = String::from_utf8(run.request(0).body().to_vec()).unwrap();
    assert!(body.contains("RoleSessionName=carol"), "{body}");
    assert_eq!(
        run.done().source,
        r#"profile "oidc" in ~/.aliyun/config.json, role acs:ram::1:role/oidc (OIDC token /var/token)"#
    );
    let text = r#"{"current": "x", "profiles": [{"name": "x", "mode": "OIDC", "role_session_name": "p"}]}"#;
    let host = FakeHost::new(&[&[(PATH, text)], &OIDC_ENTRIES[..]].concat());
    let run = resolve(&ConfigFile::new(), &host, vec![sts_response()]);
    let body = String::from_utf8(run.request(0).body().to_vec()).unwrap();
    assert!(body.contains("RoleSessionName=p&"), "{body}");
    assert!(
        body.contains("RoleArn=acs%3Aram%3A%3A1%3Arole%2Foidc"),
        "{body}"
    );
    let fault = resolve_only_profile(json!({"mode": "OIDC"}), &OIDC_ENTRIES[..2]).fault();
    assert!(fault.message().contains("oidc_token_file"), "{fault}");
}

#[test]
fn setting_of_a_profile_takes_precedence_over_the_variable() {
    let entries = [
        OIDC_TOKEN_FILE,
        ("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::9:role/other"),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/var/other"),
    ];
    let run = resolve_profile("oidc", &entries, vec![sts_response()]);
    assert_eq!(
        run.done().source,
        r#"profile "oidc" in ~/.aliyun/config.json, role acs:ram::1:role/oidc (OIDC token /var/token)"#
    );
}

#[test]
fn chained_profile_assumes_each_role_and_a_cycle_is_a_fault() {
    let run = resolve_profile("chain", &[], vec![sts_response(), sts_response()]);
    let (first, second) = (run.request(0).uri(), run.request(1).uri());
    assert_eq!(decoded_query(first)["RoleArn"], "acs:ram::1:role/web");
    let second = decoded_query(second);
    assert_eq!(second["RoleArn"], "acs:ram::2:role/db");
    assert_eq!(second["RoleSessionName"], "dave");
    assert_eq!(second["SecurityToken"], "hidden-token");
    assert_eq!(
        run.done().source,
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
        let run = resolve(&ConfigFile::new(), &FakeHost::new(&[(PATH, &text)]), vec![]);
        let fault = run.fault();
        assert!(fault.message().contains(expected), "{fault}");
    }
}

#[test]
fn external_mode_reads_the_output_of_the_program() {
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
        (
            role,
            vec![sts_response()],
            "STS.id/hidden-secret/hidden-token",
        ),
        (
            ecs,
            vec![http(200, "t"), http(200, METADATA_RESPONSE)],
            "STS.id/hidden-secret/hidden-token",
        ),
    ] {
        let answers = std::iter::once(ScriptedAnswer::output(output))
            .chain(answers)
            .collect();
        let run = resolve_profile("program", &[], answers);
        let SentStep::Program(command) = &run.sent[0] else {
            panic!("{run:?}");
        };
        assert_eq!(command, &["acs-sso", "login", "--profile", "my sso"]);
        let resolved = run.done();
        assert_eq!(key_of(&resolved), key, "{output}");
        assert!(
            resolved.source.starts_with(r#"profile "program" in"#),
            "{}",
            resolved.source
        );
    }
    let timed = r#"{"mode": "StsToken", "access_key_id": "i", "access_key_secret": "s", "sts_token": "t", "expiration": "2018-01-29T09:00:00Z"}"#;
    let resolved = resolve_profile("program", &[], vec![ScriptedAnswer::output(timed)]).done();
    assert_eq!(resolved.expires, Some(after_now(3600)));
    assert_eq!(resolved.renewal, Some(Duration::from_secs(180)));
    assert_eq!(
        resolved.source,
        r#"profile "program" in ~/.aliyun/config.json, the program output for profile "program" in ~/.aliyun/config.json"#
    );
}

/// The time in the output is the time of the key in the output, not of a key in exchange for that key.
#[test]
fn expiry_of_an_exchanged_key_takes_precedence_over_the_output_of_the_program() {
    let output = r#"{"mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "hidden",
        "ram_role_arn": "acs:ram::1:role/web", "expiration": "2018-01-29T10:00:00Z"}"#;
    let answers = vec![ScriptedAnswer::output(output), sts_response()];
    let resolved = resolve_profile("program", &[], answers).done();
    assert_eq!(resolved.expires, Some(after_now(3600)));
    assert_eq!(resolved.renewal, Some(Duration::from_secs(900)));
}

#[test]
fn external_mode_refuses_an_invalid_output() {
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
        let fault = resolve_profile("program", &[], vec![ScriptedAnswer::output(output)]).fault();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(fault.message().contains("program"), "{output}: {fault}");
    }
}

#[test]
fn external_programs_can_be_disabled() {
    let off = ("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS", "1");
    for profile in ["program", "uri"] {
        let fault = resolve_profile(profile, &[off], vec![]).fault();
        assert!(fault.message().contains(off.0), "{fault}");
    }
}

#[test]
fn external_mode_refuses_an_unclosed_quote() {
    let fault = resolve_only_profile(
        json!({"mode": "External", "process_command": "a 'hidden"}),
        &[],
    )
    .fault();
    assert!(fault.message().contains("a quote is not closed"), "{fault}");
}

#[test]
fn uri_mode_requests_the_url() {
    let run = resolve_profile("uri", &[], vec![http(200, METADATA_RESPONSE)]);
    assert_eq!(run.lines(), ["GET http://127.0.0.1:6666/key?secret=hidden"]);
    assert_eq!(
        run.done().source,
        r#"profile "uri" in ~/.aliyun/config.json, credentials URI at http://127.0.0.1:6666"#
    );
}

/// The stored key of the profile `sso` expires an hour after [`NOW`].
#[test]
fn stored_key_of_a_sign_in_is_used_until_it_expires() {
    let resolved = resolve_profile("sso", &[], vec![]).done();
    assert_eq!(key_of(&resolved), "STS.sso/hidden-sso/hidden-sso-token");
    assert_eq!(resolved.expires, Some(after_now(3600)));
}

#[test]
fn unsupported_mode_is_a_fault() {
    for (profile, mode) in [
        ("oauth", "OAuth"),
        ("pair", "RsaKeyPair"),
        ("bearer", "BearerToken"),
        ("anonymous", "Anonymous"),
    ] {
        let fault = resolve_profile(profile, &[], vec![]).fault();
        assert!(
            fault
                .message()
                .starts_with(&format!("profile {profile:?} in")),
            "{fault}"
        );
        assert!(fault.message().contains(mode), "{fault}");
        assert!(fault.message().contains("not supported"), "{fault}");
    }
}

#[test]
fn stored_key_without_a_valid_expiry_is_a_fault() {
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
        let fault = resolve_only_profile(profile, &[]).fault();
        assert!(fault.message().contains("no valid stored key"), "{fault}");
    }
}

#[test]
fn profile_comes_from_the_caller_the_variable_or_the_file() {
    let file = (PATH, SAMPLE);
    let variable = ("ALIBABA_CLOUD_PROFILE", "sts");
    let aliyun_variable = ("ALICLOUD_PROFILE", "sso");
    for (requested, host_entries, id) in [
        (None, &[file][..], "LTAI-default"),
        (None, &[file, aliyun_variable], "STS.sso"),
        (None, &[file, aliyun_variable, variable], "STS.sts"),
        (Some("default"), &[file, variable], "LTAI-default"),
    ] {
        let mut config = CredentialSourceConfig::default();
        config.profile = requested.map(str::to_owned);
        let run = resolve(
            &ConfigFile::new().with_config(config),
            &FakeHost::new(host_entries),
            vec![],
        );
        assert!(key_of(&run.done()).starts_with(id), "{host_entries:?}");
    }
    let path = ("ALIBABA_CLOUD_CONFIG_FILE", "/etc/aliyun.json");
    let host = FakeHost::new(&[path, ("/etc/aliyun.json", SAMPLE)]);
    let resolved = resolve(&ConfigFile::new(), &host, vec![]).done();
    assert_eq!(resolved.source, r#"profile "default" in /etc/aliyun.json"#);
}

#[test]
fn endpoints_of_the_caller_take_precedence() {
    let endpoint = |text: &str| Endpoint::parse(text).unwrap();
    let config = CredentialSourceConfig::default()
        .with_profile("ecs-role")
        .with_identity(endpoint("http://127.0.0.1:1"))
        .with_metadata(endpoint("http://127.0.0.1:2"));
    let answers = vec![http(200, "t"), http(200, METADATA_RESPONSE), sts_response()];
    let source = ConfigFile::new().with_config(config);
    let calls = resolve(&source, &FakeHost::new(&[(PATH, SAMPLE)]), answers).lines();
    assert!(
        calls[0].starts_with("PUT http://127.0.0.1:2/latest"),
        "{calls:?}"
    );
    assert!(
        calls[2].starts_with("GET http://127.0.0.1:1/?AccessKeyId"),
        "{calls:?}"
    );
    // The setting of `aliyun`.
    let role = json!({"mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "s",
        "ram_role_arn": "r", "sts_endpoint": "a b"});
    let fault = resolve_only_profile(role, &[]).fault();
    assert!(fault.message().contains("sts_endpoint"), "{fault}");
}

#[test]
fn file_without_a_profile_is_not_configured() {
    for host_entries in [
        &[][..],
        &[(PATH, "{}")],
        &[(PATH, r#"{"current": "", "profiles": []}"#)],
        &[(
            PATH,
            r#"{"current": "x", "profiles": [{"name": "x", "region_id": "cn-beijing"}]}"#,
        )],
        &[(
            PATH,
            r#"{"profiles": [{"name": "x", "region_id": "cn-beijing", "access_key_id": ""}]}"#,
        )],
        &[
            (PATH, SAMPLE),
            ("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true"),
        ],
        // The profile is in the SDKs' credentials file.
        &[
            (PATH, SAMPLE),
            CREDENTIALS_FILE,
            ("ALIBABA_CLOUD_PROFILE", "default2"),
            ("~/.alibabacloud/credentials.ini", "[default2]\n"),
        ],
    ] {
        resolve(&ConfigFile::new(), &FakeHost::new(host_entries), vec![]).expect_not_configured();
    }
}

#[test]
fn fault_names_the_invalid_setting_and_shows_no_secret() {
    for (host_entries, expected) in [
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
        (&[(PATH, FakeHost::UNREADABLE)], "permission denied"),
        (
            &[(PATH, r#"{"current": "x"}"#)],
            r#"has no profile "x"; known profiles: none"#,
        ),
        // The key of another place must not take the place of a key in the file.
        (
            &[(
                PATH,
                r#"{"current": null, "profiles": [{"name": "x", "mode": "AK"}, {"name": "y"}]}"#,
            )],
            r#"has no current profile: choose a profile; known profiles: "x", "y""#,
        ),
        (
            &[(
                PATH,
                r#"{"profiles": [{"name": "x", "sts_token": "hidden"}]}"#,
            )],
            "has no current profile",
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
        let fault = resolve(&ConfigFile::new(), &FakeHost::new(host_entries), vec![]).fault();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(fault.message().contains(expected), "{fault}");
    }
    for (profile, expected) in [
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
        // A profile without a mode.
        (
            json!({"access_key_secret": "hidden"}),
            "has no access_key_id",
        ),
        (json!({"access_key_id": "i"}), "has no access_key_secret"),
        (
            json!({"ram_role_arn": "r"}),
            "has ram_role_arn, but no mode: set mode",
        ),
        (json!({"sts_token": "hidden"}), "has sts_token, but no mode"),
        (
            json!({"oidc_token_file": "f"}),
            "has oidc_token_file, but no mode",
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
        let fault = resolve_only_profile(profile.clone(), &[]).fault();
        assert!(fault.message().contains(expected), "{profile}: {fault}");
    }
}

/// `aliyun` derives the mode from the other settings.
#[test]
fn profile_without_a_mode_is_recognized() {
    let keys = json!({"access_key_id": "i", "access_key_secret": "s"});
    assert_eq!(key_of(&resolve_only_profile(keys, &[]).done()), "i/s");
    let session =
        json!({"mode": "", "access_key_id": "i", "access_key_secret": "s", "sts_token": "t"});
    assert_eq!(key_of(&resolve_only_profile(session, &[]).done()), "i/s/t");
}

/// A policy in the form of an object restricts the key too.
#[test]
fn setting_of_any_json_type_is_used() {
    let text = r#"{"current": "x", "profiles": [7, {"name": 7}, {"name": "x", "mode": "RamRoleArn", "access_key_id": 12,
        "access_key_secret": true, "ram_role_arn": "r", "expired_seconds": 0, "policy": {"Version":"1"}}]}"#;
    let run = resolve(
        &ConfigFile::new(),
        &FakeHost::new(&[(PATH, text)]),
        vec![sts_response()],
    );
    let query = decoded_query(run.request(0).uri());
    assert_eq!(query["Policy"], r#"{"Version":"1"}"#);
    assert_eq!(query["AccessKeyId"], "12");
    assert_eq!(query["DurationSeconds"], "3600");
}
