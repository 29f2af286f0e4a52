//! Tests of the look-up of Huawei's project id: variables, profiles, and the request to IAM.

use lifecycle_core::{Endpoint, FaultKind};
use provider_testing::{FakeHost, ScriptedAnswer, read_vectors, recorded_request, run_exchange};

use super::*;
use crate::credentials::tests::{CLI_FILE, SDK_FILE, ctx, fake_host, request_of};

const PROJECT: &str = "0123456789abcdef0123456789abcdef";
const OTHER_PROJECT: &str = "fedcba9876543210fedcba9876543210";

fn config_in_north_4() -> CredentialSourceConfig {
    CredentialSourceConfig::in_region("cn-north-4")
}

fn key() -> Credential {
    Credential::keys(
        "FAKEACCESSKEY0000001",
        "FakeSecretKey/+0000000000000000000000001",
    )
}

/// Returns the project id if the id is found without a request.
fn project_id_without_request(
    config: &CredentialSourceConfig,
    key: &Credential,
    variables_and_files: &[(&str, &str)],
) -> Option<String> {
    match find_project_id(config, key, &ctx(&fake_host(variables_and_files))) {
        ExchangeStep::Done(id) => Some(id),
        ExchangeStep::Http(_) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn variables_take_precedence_over_profiles() {
    let file = format!("[basic]\nak = FAKEACCESSKEY0000001\nsk = hidden\nproject_id = {PROJECT}\n");
    let sdk_file = (SDK_FILE, file.as_str());
    let variables_and_files = [
        ("HUAWEICLOUD_SDK_PROJECT_ID", "one"),
        ("HW_PROJECT_ID", "two"),
        sdk_file,
    ];
    assert_eq!(
        project_id_without_request(&config_in_north_4(), &key(), &variables_and_files).as_deref(),
        Some("one")
    );
    assert_eq!(
        project_id_without_request(&config_in_north_4(), &key(), &variables_and_files[1..])
            .as_deref(),
        Some("two")
    );
    assert_eq!(
        project_id_without_request(&config_in_north_4(), &key(), &variables_and_files[2..])
            .as_deref(),
        Some(PROJECT)
    );
    let without_region = CredentialSourceConfig::default();
    assert_eq!(
        project_id_without_request(&without_region, &key(), &variables_and_files).as_deref(),
        Some("one")
    );
}

#[test]
fn project_of_a_profile_needs_the_same_key_and_region() {
    let profile = |id: &str, region: &str| {
        let profile = serde_json::json!({
            "name": "x", "accessKeyId": id, "region": region, "projectId": OTHER_PROJECT,
        });
        serde_json::json!({"current": "x", "profiles": [profile]}).to_string()
    };
    let key_id = "FAKEACCESSKEY0000001";
    for (id, region, expected) in [
        (key_id, "cn-north-4", Some(OTHER_PROJECT)),
        (key_id, "", Some(OTHER_PROJECT)),
        (key_id, "cn-east-3", None),
        ("SOMEBODYELSE", "cn-north-4", None),
    ] {
        let text = profile(id, region);
        let id = project_id_without_request(&config_in_north_4(), &key(), &[(CLI_FILE, &text)]);
        assert_eq!(id.as_deref(), expected);
    }
    let text = profile(key_id, "");
    let token = Credential::token("hidden");
    assert_eq!(
        project_id_without_request(&config_in_north_4(), &token, &[(CLI_FILE, &text)]),
        None
    );
    let file = "[basic]\nak = SOMEBODYELSE\nsk = hidden\nproject_id = x\n";
    assert_eq!(
        project_id_without_request(&config_in_north_4(), &key(), &[(SDK_FILE, file)]),
        None
    );
}

/// The file may name another project than IAM.
#[test]
fn project_is_not_requested_if_a_file_cannot_be_read() {
    for (file, text, expected) in [
        (SDK_FILE, "[basic", "is not a valid ini file"),
        (CLI_FILE, "{", "is not a valid `hcloud` file"),
    ] {
        let step = find_project_id(
            &config_in_north_4(),
            &key(),
            &ctx(&fake_host(&[(file, text)])),
        );
        match step {
            ExchangeStep::Failed(fault) => assert!(fault.message().contains(expected), "{fault}"),
            other => panic!("{other:?}"),
        }
    }
}

/// The profile is for the source of keys; the key comes from another source.
#[test]
fn profile_that_does_not_exist_has_no_project() {
    let config = config_in_north_4().with_profile("other");
    let text = r#"{"profiles": [{"name": "x"}]}"#;
    assert_eq!(
        project_id_without_request(&config, &key(), &[(CLI_FILE, text)]),
        None
    );
    assert_eq!(project_id_without_request(&config, &key(), &[]), None);
}

/// Signatures that huaweicloudsdkcore 3.1.219 computed for the same request without a User-Agent
/// (`BasicCredentials.sign_request`, run with a fixed date).
#[test]
fn request_to_iam_has_the_signature_of_the_sdk() {
    let host = FakeHost::default();
    let (id, secret) = (
        "FAKEACCESSKEY0000001",
        "FakeSecretKey/+0000000000000000000000001",
    );
    for (key, signature) in [
        (
            Credential::keys(id, secret),
            "SignedHeaders=host;x-sdk-date, \
             Signature=3bec584cda1ea23cd253e16c2da82d383299a64582149b77254c587329a9d314",
        ),
        (
            Credential::session(id, secret, "FAKE-session+/=="),
            "SignedHeaders=host;x-sdk-date;x-security-token, \
             Signature=3f01c92d9bad318d01eba67790e07e5a798e3ad35e0ff701c3fc8996571f6e45",
        ),
    ] {
        let step = find_project_id(&config_in_north_4(), &key, &ctx(&host));
        assert!(
            matches!(
                &step,
                ExchangeStep::Http(exchange)
                    if exchange.operation == "KeystoneListProjects"
                        && exchange.service == lifecycle_core::ServiceKind::Identity
            ),
            "{step:?}"
        );
        let request = request_of(step);
        assert_eq!(
            request.uri(),
            "https://iam.cn-north-4.myhuaweicloud.com/v3/projects?name=cn-north-4"
        );
        let authorization = request.headers()["authorization"].to_str().unwrap();
        assert!(authorization.ends_with(signature), "{authorization}");
        assert!(!request.headers().contains_key("x-project-id"));
    }
    let token = Credential::token("FAKE-TOKEN");
    let request = request_of(find_project_id(&config_in_north_4(), &token, &ctx(&host)));
    assert_eq!(request.headers()["x-auth-token"], "FAKE-TOKEN");
    assert!(!request.headers().contains_key("authorization"));
}

/// Compares with the recorded request of the SDK (`project-id-lookup#1` of `wire.json`).
#[test]
fn request_to_iam_equals_the_recorded_one() {
    let recordings = read_vectors(env!("CARGO_MANIFEST_DIR"), "wire.json");
    let mut entries = recordings["requests"].as_array().unwrap().iter();
    let entry = entries.find(|entry| entry["name"] == "project-id-lookup#1");
    let recorded = recorded_request(entry.unwrap());
    let request = request_of(find_project_id(
        &config_in_north_4(),
        &key(),
        &ctx(&FakeHost::default()),
    ));
    assert_eq!(request.method(), recorded.method());
    assert_eq!(
        request.uri().path_and_query(),
        recorded.uri().path_and_query()
    );
    assert_eq!(request.body(), recorded.body());
    for name in request.headers().keys() {
        assert!(recorded.headers().contains_key(name), "{name}");
    }
}

#[test]
fn sub_project_of_the_region_is_searched_by_name() {
    for (name, query) in [
        ("cn-north-4_team a", "name=cn-north-4_team%20a"),
        ("cn-north-4", "name=cn-north-4"),
        // The name of a project in another region is ignored.
        ("cn-east-3_team", "name=cn-north-4"),
    ] {
        let host = fake_host(&[("HW_PROJECT_NAME", name)]);
        let request = request_of(find_project_id(&config_in_north_4(), &key(), &ctx(&host)));
        assert_eq!(request.uri().query(), Some(query));
    }
}

#[test]
fn exactly_one_matching_project_is_required_and_faults_of_iam_are_reported() {
    let host = FakeHost::default();
    let local = Endpoint::parse("http://127.0.0.1:7070").unwrap();
    let config = config_in_north_4().with_identity(local);
    let run = |answer| {
        let step = find_project_id(&config, &key(), &ctx(&host));
        run_exchange(step, &ctx(&host), [answer])
    };
    let one =
        format!(r#"{{"projects": [{{"id": "{PROJECT}", "name": "cn-north-4"}}], "links": {{}}}}"#);
    let outcome = run(ScriptedAnswer::http(200, &one));
    assert_eq!(
        outcome.lines(),
        ["GET http://127.0.0.1:7070/v3/projects?name=cn-north-4"]
    );
    assert_eq!(outcome.done(), PROJECT);
    let two = format!(r#"{{"projects": [{{"id": "{PROJECT}"}}, {{"id": "{OTHER_PROJECT}"}}]}}"#);
    for (status, body, kind, expected) in [
        (
            200,
            r#"{"projects": []}"#,
            FaultKind::Invalid,
            "this key cannot access a project \"cn-north-4\"",
        ),
        (
            200,
            r#"{"projects": [{"id": "a/b"}]}"#,
            FaultKind::Invalid,
            "cannot access a project",
        ),
        (
            200,
            two.as_str(),
            FaultKind::Invalid,
            "(0123456789abcdef0123456789abcdef, fedcba9876543210fedcba9876543210)",
        ),
        (200, "{}", FaultKind::Unreadable, "cannot be read"),
        (
            200,
            r#"{"projects": [], "links": {"next": "http://127.0.0.1/2"}}"#,
            FaultKind::Unreadable,
            "another page",
        ),
        (
            403,
            r#"{"error": {"code": 403, "message": "not allowed"}}"#,
            FaultKind::Permission,
            "not allowed",
        ),
        (
            401,
            r#"{"error_code": "APIGW.0301", "error_msg": "verify aksk signature fail"}"#,
            FaultKind::Credential,
            "verify",
        ),
        (503, "", FaultKind::Unavailable, "empty"),
    ] {
        let fault = run(ScriptedAnswer::http(status, body)).fault();
        assert_eq!(
            (fault.kind(), fault.status()),
            (kind, Some(status)),
            "{fault}"
        );
        assert!(fault.message().contains(expected), "{fault}");
    }
    let no_answer = Fault::new(FaultKind::NoAnswer, "no answer");
    let outcome = run(ScriptedAnswer::Http(Err(no_answer.clone())));
    assert_eq!(outcome.fault(), no_answer);
    match find_project_id(&CredentialSourceConfig::default(), &key(), &ctx(&host)) {
        ExchangeStep::Failed(fault) => {
            assert!(fault.message().contains("set a region"), "{fault}");
        }
        other => panic!("{other:?}"),
    }
}
