//! Our requests against those of Huawei's SDK, and the meaning of every recorded answer.

mod support;

use std::collections::BTreeSet;

use lifecycle_core::{
    Credential, Endpoint, InstanceId, JobId, PageToken, Provider, RebootOptions, SigningContext,
    StartOptions, StopMode, StopOptions, UnsignedRequest, encode,
};
use provider_huawei::{Config, Huawei};
use serde_json::Value;

use support::{CALLS, JOB, PROJECT, fault, ids, meaning, provider, reply, wire};

/// Requests of the SDK that no operation of ours corresponds to, and why.
const NOT_OURS: [(&str, &str); 9] = [
    ("batch-start-empty-list", "there is nothing to start"),
    ("batch-stop-type-omitted", "the type is always sent"),
    ("list-default", "pages of 25 are many"),
    ("list-page", "page numbers are deprecated"),
    ("list-status-name", "lists are not filtered"),
    ("list-not-tags", "lists are not filtered"),
    ("show-server-odd-id", "is refused as an instance id"),
    ("show-server-no-project-id", "is refused as a configuration"),
    ("project-id-lookup#1", "the project id is configuration"),
];

/// Our draft of what the SDK was asked for.
fn draft(name: &str) -> Option<UnsignedRequest> {
    let provider = provider();
    let two = ids();
    let one = &two[..1];
    let start = StartOptions::default();
    let mut stop = StopOptions::default();
    let mut reboot = RebootOptions::default();
    if name.ends_with("-hard") {
        stop.mode = StopMode::Forced;
        reboot.mode = StopMode::Forced;
    }
    Some(match name {
        "batch-start-two" | "batch-start-fixed-date" => {
            provider.act(&start.into(), &two).unwrap().request
        }
        "batch-start-one" | "batch-start-security-token" => {
            provider.act(&start.into(), one).unwrap().request
        }
        "batch-stop-soft" => provider.act(&stop.into(), &two).unwrap().request,
        "batch-stop-hard" => provider.act(&stop.into(), one).unwrap().request,
        "batch-reboot-soft" => provider.act(&reboot.into(), one).unwrap().request,
        "batch-reboot-hard" => provider.act(&reboot.into(), &two).unwrap().request,
        "show-job" => provider.follow(&JobId::new(JOB).unwrap()).unwrap().request,
        "list-marker" => {
            let marker = PageToken::new(two[0].as_str());
            provider.list(Some(&marker)).unwrap().request
        }
        "list-server-ids-comma" => provider.observe(&two).unwrap().request,
        "show-server"
        | "show-server-security-token"
        | "show-server-no-content-type"
        | "project-id-lookup#2" => provider.observe(one).unwrap().request,
        _ => return None,
    })
}

#[test]
fn requests_mean_what_the_sdk_means() {
    let mut compared = 0;
    for request in wire("requests") {
        let name = request["name"].as_str().unwrap();
        let is_ours = !NOT_OURS.iter().any(|(other, _)| *other == name);
        let draft = draft(name);
        assert_eq!(draft.is_some(), is_ours, "{name} is not listed");
        let Some(draft) = draft else { continue };
        compared += 1;

        let (path, query) = split_target(request["path_and_query"].as_str().unwrap());
        let mut ours = pairs(&draft.query);
        if name == "list-server-ids-comma" {
            // The SDK's caller gave no limit, and would have got 25 servers of 100.
            assert!(ours.remove(&("limit".to_owned(), "100".to_owned())));
        }
        assert_eq!(draft.method, *request["method"].as_str().unwrap(), "{name}");
        assert_eq!(draft.path, path, "{name}");
        assert_eq!(ours, pairs(query), "{name}");
        assert_eq!(
            json(&draft.body),
            json(request["body"].as_str().unwrap().as_bytes()),
            "{name}"
        );
        assert_is_signed_like(&draft, &request);
    }
    assert_eq!(compared + NOT_OURS.len(), wire("requests").len());
}

#[test]
fn what_the_sdk_sends_to_its_harm_is_refused() {
    assert!(InstanceId::new("a/b c~é").is_err());
    assert!(Config::new("cn-north-4", "{project_id}").is_err());
    assert!(
        provider()
            .act(&StartOptions::default().into(), &[])
            .is_err()
    );
    assert!(provider().observe(&[]).is_err());
}

/// Our request, signed with the key and for the moment of the recorded one, has the signature that
/// the SDK would have made for the headers that we send.
fn assert_is_signed_like(draft: &UnsignedRequest, recorded: &Value) {
    let name = recorded["name"].as_str().unwrap();
    let header = |wanted: &str| {
        recorded["headers"]
            .as_array()
            .unwrap()
            .iter()
            .find_map(|row| {
                let found = row[0].as_str().unwrap().eq_ignore_ascii_case(wanted);
                found.then(|| row[1].as_str().unwrap())
            })
    };
    let (id, secret) = (
        recorded["access_key"].as_str().unwrap(),
        recorded["secret_key"].as_str().unwrap(),
    );
    let key = match header("x-security-token") {
        None => Credential::keys(id, secret),
        Some(session) => Credential::session(id, secret, session),
    };
    let host = Endpoint::parse(header("host").unwrap()).unwrap();
    let config = Config::new("cn-north-4", PROJECT).unwrap();
    let provider = Huawei::new(config.with_endpoint(host));
    let date = header("x-sdk-date").unwrap();
    let request = provider.sign(draft, &key, &stamp(date)).unwrap();

    let names = request
        .headers()
        .keys()
        .filter(|name| *name != "authorization");
    let mut names: Vec<&str> = names.map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let mut lines = String::new();
    for wanted in &names {
        let ours = request.headers()[*wanted].to_str().unwrap();
        assert_eq!(Some(ours), header(wanted), "{name}: {wanted}");
        lines += &format!("{wanted}:{ours}\n");
    }
    let canonical = format!(
        "{}\n{}/\n{}\n{lines}\n{}\n{}",
        request.method(),
        request.uri().path(),
        request.uri().query().unwrap_or_default(),
        names.join(";"),
        encode::sha256_hex(request.body()),
    );
    let hash = encode::sha256_hex(canonical.as_bytes());
    let to_sign = format!("SDK-HMAC-SHA256\n{date}\n{hash}");
    let signature = encode::hmac_sha256_hex(secret.as_bytes(), to_sign.as_bytes());
    let authorization = request.headers()["authorization"].to_str().unwrap();
    assert_eq!(
        authorization,
        format!(
            "SDK-HMAC-SHA256 Access={id}, SignedHeaders={}, Signature={signature}",
            names.join(";")
        ),
        "{name}"
    );
}

/// The stamp of a text like `20251121T080000Z`, found by halving.
fn stamp(basic: &str) -> SigningContext {
    let (mut low, mut high) = (0_i64, 1 << 33);
    while low < high {
        let middle = low.midpoint(high);
        if SigningContext::from_unix(middle, 0).basic().as_str() < basic {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let stamp = SigningContext::from_unix(low, 0);
    assert_eq!(stamp.basic(), basic);
    stamp
}

fn split_target(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

/// Name and value of every parameter, decoded.
fn pairs(query: &str) -> BTreeSet<(String, String)> {
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8()
            .unwrap()
            .into_owned()
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn json(body: &[u8]) -> Option<Value> {
    (!body.is_empty()).then(|| serde_json::from_slice(body).unwrap())
}

/// What every recorded answer means.
const MEANINGS: [(&str, &str); 46] = [
    ("accepted", "job ff80808288d41e1b018990260955686a"),
    ("accepted-delayed", "job ff80808288d41e1b018990260955686a"),
    ("job-init", "running"),
    ("job-running-real", "running, 1c74e090 running"),
    ("job-success-doc", "succeeded, bae51750 succeeded"),
    (
        "job-success-batch-two",
        "succeeded, 616fb98f succeeded, 726fb98f succeeded",
    ),
    (
        "job-fail-partial",
        "failed Common.0021, may have happened, 616fb98f succeeded, 726fb98f wrong-state Ecs.0100, nothing happened",
    ),
    ("job-fail-no-subjobs", "failed Ecs.0226, may have happened"),
    ("job-single-entity", "succeeded, 616fb98f succeeded"),
    ("job-pending-payment", "running"),
    (
        "job-id-invalid",
        "invalid-request Common.0011, nothing happened",
    ),
    ("show-active", "[616fb98f web-1 running (ACTIVE)]"),
    (
        "show-stopping",
        "[616fb98f web-1 stopping (ACTIVE/powering-off)]",
    ),
    (
        "show-starting",
        "[616fb98f web-1 starting (SHUTOFF/powering-on)]",
    ),
    ("show-shutoff", "[616fb98f web-1 stopped (SHUTOFF)]"),
    (
        "show-rebooting",
        "[616fb98f web-1 rebooting (REBOOT/rebooting)]",
    ),
    (
        "show-hard-rebooting",
        "[616fb98f web-1 rebooting (HARD_REBOOT/rebooting_hard)]",
    ),
    ("show-error", "[616fb98f web-1 failed (ERROR)]"),
    ("show-not-found", "not-found Ecs.0114, nothing happened"),
    ("nova-item-not-found", "not-found 404, nothing happened"),
    (
        "not-found-hidden-in-400",
        "not-found Ecs.0307, may have happened",
    ),
    ("nova-error-as-string", "failed Ecs.1000, may have happened"),
    (
        "list-two",
        "[616fb98f web-1 running (ACTIVE), 726fb98f web-2 stopped (SHUTOFF)]",
    ),
    ("list-empty", "[]"),
    ("list-unknown-id", "[]"),
    (
        "bad-parameter",
        "invalid-request Ecs.0005, nothing happened",
    ),
    ("wrong-state", "wrong-state Ecs.0100, nothing happened"),
    ("too-many-servers", "quota Ecs.0118, nothing happened"),
    ("locked", "locked Ecs.0605, nothing happened"),
    ("other-command-running", "busy Ecs.0603, nothing happened"),
    (
        "batch-failed-with-details",
        "wrong-state Ecs.0611, may have happened",
    ),
    (
        "batch-internalError-form",
        "wrong-state Ecs.0611, may have happened, names 616fb98f",
    ),
    ("flow-limit-202", "throttled Common.0024, nothing happened"),
    (
        "api-flow-control-503",
        "throttled Common.1503, nothing happened",
    ),
    (
        "api-flow-control-429",
        "throttled Common.1503, nothing happened",
    ),
    (
        "system-exception",
        "unavailable Common.0001, may have happened",
    ),
    ("policy-denied", "permission Pdp.0001, nothing happened"),
    ("apigw-signature", "credential APIGW.0301, nothing happened"),
    ("apigw-clock", "clock-skew APIGW.0301, nothing happened"),
    (
        "apigw-unknown-ak",
        "credential APIGW.0301, nothing happened",
    ),
    (
        "apigw-token-stale",
        "credential APIGW.0307, nothing happened",
    ),
    (
        "apigw-throttled-user",
        "throttled APIGW.0308, nothing happened",
    ),
    (
        "apigw-throttled-ip",
        "throttled APIGW.0308, nothing happened",
    ),
    (
        "apigw-no-such-api",
        "invalid-request APIGW.0101, nothing happened",
    ),
    (
        "apigw-backend-timeout",
        "unavailable APIGW.0201, may have happened",
    ),
    (
        "apigw-backend-unavailable",
        "unavailable APIGW.0201, may have happened",
    ),
];

/// Answers to calls that this crate does not make.
const NOT_READ: [&str; 2] = ["projects", "token-created"];

#[test]
fn answers_mean_what_the_table_says() {
    let entries = wire("responses");
    for entry in &entries {
        let name = entry["name"].as_str().unwrap();
        if NOT_READ.contains(&name) {
            continue;
        }
        let (_, expected) = MEANINGS
            .iter()
            .find(|(listed, _)| *listed == name)
            .unwrap_or_else(|| panic!("{name} is not in the table"));
        for call in entry["for"].as_array().unwrap() {
            let call = match call.as_str().unwrap() {
                ours if CALLS.contains(&ours) => ours,
                // The form of the error is what counts; it could come to a power action as well.
                _ => "batch-reboot",
            };
            assert_eq!(meaning(call, &reply(entry)), *expected, "{name} to {call}");
        }
    }
    assert_eq!(MEANINGS.len() + NOT_READ.len(), entries.len());
}

/// Where we read an error in another way than the SDK, what we read, and why.
const UNLIKE_SDK: [(&str, Option<&str>, &str, &str); 8] = [
    (
        "ecs-error-with-details",
        Some("Ecs.0611"),
        "outer (Ecs.0100 inner)",
        "the outer message says nothing",
    ),
    (
        "batch-internalError",
        Some("Ecs.0611"),
        "Batch operation failed. (Ecs.0100 x)",
        "the outer message says nothing",
    ),
    (
        "apigw-throttle-get",
        Some("APIGW.0308"),
        "The throttling threshold has been reached: policy user over ratelimit,limit:200,time:5 minute",
        "its HTTP library throws the body away",
    ),
    (
        "html-502",
        None,
        "the answer is not in the cloud's form: <html><body>Bad Gateway</body></html>",
        "a status is no code of the cloud's",
    ),
    (
        "empty-500",
        None,
        "the answer is empty",
        "a status is no code of the cloud's",
    ),
    (
        "status-202-flow-limit",
        Some("Common.0024"),
        "exceeds flow over limit",
        "it takes every status below 400 for success",
    ),
    (
        "status-204-empty",
        None,
        "the answer is empty (EOF while parsing a value at line 1 column 0)",
        "it takes every status below 400 for success",
    ),
    (
        "status-302",
        None,
        "the answer is empty",
        "it takes every status below 400 for success",
    ),
];

#[test]
fn errors_are_read_as_the_sdk_reads_them() {
    let mut unlike = 0;
    for entry in wire("sdk_error_parsing") {
        let name = entry["name"].as_str().unwrap();
        let call = match entry["operation"].as_str().unwrap() {
            "start" => "batch-start",
            "status" => "show-server",
            "job" => "show-job",
            "list" => "list",
            other => panic!("{other} is not listed"),
        };
        let ours = fault(call, &reply(&entry));
        let ours = ours.as_ref().map(|fault| (fault.code(), fault.message()));
        let theirs = &entry["sdk_outcome"];
        let their_code = match &theirs["error_code"] {
            Value::Number(number) => Some(number.to_string()),
            other => other.as_str().map(str::to_owned),
        };
        let same = match (ours, theirs["ok"] == true) {
            (None, ok) => ok,
            (Some(_), true) => false,
            (Some((code, message)), false) => {
                code == their_code.as_deref() && message == theirs["error_message"]
            }
        };
        let listed = UNLIKE_SDK.iter().find(|(listed, ..)| *listed == name);
        match listed {
            None => assert!(same, "{name}: {ours:?} is not {theirs}"),
            Some((_, code, message, _)) => {
                assert!(!same, "{name} is listed in vain");
                assert_eq!(ours, Some((*code, *message)), "{name}");
                unlike += 1;
            }
        }
    }
    assert_eq!(unlike, UNLIKE_SDK.len());
}
