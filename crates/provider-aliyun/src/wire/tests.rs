//! Requests against recorded ones, answers against what they mean.

use bytes::Bytes;
use lifecycle_core::{Credential, Endpoint, Provider, SigningContext, StopBilling};
use provider_testing::{http_response, with_body};
use serde_json::Value;

use super::*;
use crate::{
    Aliyun,
    sign::tests::{decoded_query, verify},
};

// Requests.

/// What we ask for where the vendor's Python SDK was recorded; `None` where we ask in another way.
fn our_draft(name: &str) -> Option<UnsignedRequest> {
    let together = &config().with_batch_mode(BatchMode::AllTogether);
    let one = &ids(1)[..];
    Some(match name {
        "start-instance" => act_draft(
            &config(),
            start(),
            &[InstanceId::new("i-instance1").unwrap()],
        ),
        "start-instance-sts" | "start-instance-async-client" => act_draft(&config(), start(), one),
        "start-instances-three" => act_draft(&config(), start(), &ids(3)),
        "stop-instance" => act_draft(&config(), stop(StopMode::Graceful, StopBilling::Keep), one),
        "stop-instances" => act_draft(
            together,
            stop(StopMode::Graceful, StopBilling::Keep),
            &ids(2),
        ),
        "reboot-instance" => act_draft(&config(), reboot(StopMode::Graceful), one),
        "reboot-instance-force" => act_draft(&config(), reboot(StopMode::Forced), one),
        "reboot-instances-force" => act_draft(together, reboot(StopMode::Forced), &ids(2)),
        "describe-instances-ids" => observe(&config(), &ids(2)).unwrap().request,
        "describe-instances-first-page" => list(&config(), None).request,
        "describe-instances-next-page" => {
            let token = PageToken::new("caeba0bbb2be03f84eb48b699f0a4883");
            list(&config(), Some(&token)).request
        }
        // Dry runs, ConfirmStop, a batch of one, filters, an operation we do not use.
        "start-instance-options"
        | "start-instances-dry-run"
        | "stop-instance-options"
        | "start-instances-one"
        | "describe-instances-filters"
        | "describe-instance-status"
        | "describe-instance-status-region" => return None,
        // The V1 signature.
        "start-instance-v1-signature"
        | "legacy-sdk-start-instance"
        | "legacy-sdk-start-instances"
        | "legacy-sdk-describe-instances" => return None,
        _ => panic!("{name} has no line in this table"),
    })
}

/// What we say aloud where the SDK leaves it to a default: each of these is the default, but for
/// the stopped mode, which has none, and the size of a page.
const SAID_ALOUD: &[(&str, &str)] = &[
    ("ForceStop", "false"),
    ("StoppedMode", "KeepCharging"),
    ("BatchOptimization", "AllTogether"),
    ("MaxResults", "100"),
];

#[test]
fn requests_mean_what_the_vendors_sdk_means() {
    let wire = wire();
    let mut compared = 0;
    for recorded in wire["requests"].as_array().unwrap() {
        let name = recorded["name"].as_str().unwrap();
        let Some(draft) = our_draft(name) else {
            continue;
        };
        let header = |name: &str| {
            let headers = recorded["headers"].as_array().unwrap().iter();
            let mut found =
                headers.filter(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name));
            found.next().map(|pair| pair[1].as_str().unwrap())
        };
        let nonce = u128::from_str_radix(header("x-acs-signature-nonce").unwrap(), 16).unwrap();
        let at = SigningContext::from_unix(1_517_212_800, nonce);
        let (key, secret) = credential(&wire["about"]["credentials"], name);
        let request = Aliyun::new(config()).sign(&draft, &key, &at).unwrap();

        verify(&request, &secret);
        assert_eq!(request.method(), recorded["method"].as_str().unwrap());
        assert_eq!(request.uri().path(), "/");
        assert!(request.body().is_empty());
        for same in [
            "host",
            "accept",
            "x-acs-action",
            "x-acs-version",
            "x-acs-date",
            "x-acs-signature-nonce",
            "x-acs-content-sha256",
            "x-acs-accesskey-id",
            "x-acs-security-token",
            "content-length",
        ] {
            let ours = request
                .headers()
                .get(same)
                .map(|value| value.to_str().unwrap());
            assert_eq!(ours, header(same), "{name}: {same}");
        }
        for different in ["user-agent", "content-type"] {
            assert!(
                !request.headers().contains_key(different),
                "{name}: {different}"
            );
        }

        let mut ours = decoded_query(request.uri());
        for pair in recorded["decoded_query"].as_array().unwrap() {
            let (key, theirs) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
            let value = ours
                .remove(key)
                .unwrap_or_else(|| panic!("{name}: no {key}"));
            assert_eq!(
                without_spelling(&value),
                without_spelling(theirs),
                "{name}: {key}"
            );
        }
        for (key, value) in &ours {
            assert!(
                SAID_ALOUD.contains(&(key.as_str(), value.as_str())),
                "{name}: {key}={value} is more than was asked for"
            );
        }
        compared += 1;
    }
    assert_eq!(compared, 12);
}

/// The SDK writes `True`, and blanks into JSON.
fn without_spelling(value: &str) -> Value {
    match serde_json::from_str(&value.replace("True", "true").replace("False", "false")) {
        Ok(value) => value,
        Err(_) => Value::from(value),
    }
}

fn credential(credentials: &Value, name: &str) -> (Credential, String) {
    let named = credentials.get(name).unwrap_or(&credentials["default"]);
    let text = |name: &str| named[name].as_str();
    let (id, secret) = (
        text("access_key_id").unwrap(),
        text("access_key_secret").unwrap(),
    );
    let key = match text("security_token") {
        Some(token) => Credential::session(id, secret, token),
        None => Credential::keys(id, secret),
    };
    (key, secret.to_owned())
}

#[test]
fn options_become_parameters() {
    for (action, count, operation, query) in [
        (start(), 1, "StartInstance", "InstanceId=i-1"),
        (
            initialize(),
            1,
            "StartInstance",
            "InitLocalDisk=true&InstanceId=i-1",
        ),
        (
            start(),
            2,
            "StartInstances",
            "BatchOptimization=SuccessFirst&InstanceId.1=i-1&InstanceId.2=i-2&RegionId=cn-beijing",
        ),
        (
            stop(StopMode::Graceful, StopBilling::Keep),
            1,
            "StopInstance",
            "ForceStop=false&InstanceId=i-1&StoppedMode=KeepCharging",
        ),
        (
            stop(StopMode::Forced, StopBilling::Release),
            1,
            "StopInstance",
            "ForceStop=true&InstanceId=i-1&StoppedMode=StopCharging",
        ),
        (
            stop(StopMode::Forced, StopBilling::Release),
            2,
            "StopInstances",
            "BatchOptimization=SuccessFirst&ForceStop=true&InstanceId.1=i-1&InstanceId.2=i-2\
             &RegionId=cn-beijing&StoppedMode=StopCharging",
        ),
        (
            reboot(StopMode::Graceful),
            1,
            "RebootInstance",
            "ForceStop=false&InstanceId=i-1",
        ),
        (
            reboot(StopMode::Forced),
            2,
            "RebootInstances",
            "BatchOptimization=SuccessFirst&ForceReboot=true&InstanceId.1=i-1&InstanceId.2=i-2\
             &RegionId=cn-beijing",
        ),
    ] {
        let draft = act_draft(
            &Config::new("cn-beijing").unwrap(),
            action,
            &short_ids(count),
        );
        assert_eq!((draft.operation, draft.query.as_str()), (operation, query));
        assert_eq!((draft.method, draft.path.as_str()), (Method::POST, "/"));
    }
}

#[test]
fn lists_go_on_with_an_encoded_token() {
    let next = PageToken::new("a+b/c=&d");
    assert_eq!(
        list(&config(), Some(&next)).request.query,
        "MaxResults=100&NextToken=a%2Bb%2Fc%3D%26d&RegionId=cn-hangzhou"
    );
}

#[test]
fn what_does_not_fit_is_refused_before_sending() {
    let initialize_two = act(&config(), &initialize(), &ids(2)).unwrap_err();
    assert_eq!(initialize_two.kind(), FaultKind::Invalid);
    assert!(initialize_two.to_string().contains("where 1 to 1 can be"));
    for count in [0, 101] {
        for action in [start(), initialize(), reboot(StopMode::Graceful)] {
            let fault = act(&config(), &action, &ids(count)).unwrap_err();
            assert_eq!(fault.kind(), FaultKind::Invalid, "{count} {action:?}");
        }
        assert!(observe(&config(), &ids(count)).is_err());
    }
    assert!(act(&config(), &start(), &ids(100)).is_ok());
    assert!(observe(&config(), &ids(100)).is_ok());
}

#[test]
fn the_profile_says_what_the_requests_can_do() {
    let aliyun = Aliyun::new(config());
    let profile = aliyun.profile();
    assert_eq!(profile.cloud, "aliyun");
    for action in [
        start(),
        initialize(),
        stop(StopMode::Forced, StopBilling::Release),
        reboot(StopMode::Forced),
    ] {
        profile.supports(&action).unwrap();
        assert!(aliyun.act(&action, &ids(profile.batch(&action))).is_ok());
        assert!(
            aliyun
                .act(&action, &ids(profile.batch(&action) + 1))
                .is_err()
        );
    }
    assert!(aliyun.observe(&ids(profile.batch_limits.observe)).is_ok());
}

#[test]
fn keys_of_a_batch_sort_as_text() {
    for count in 1..=LIMIT {
        let query = Query::default().with_ids(&short_ids(count)).canonical();
        let mut pairs: Vec<_> = (1..=count)
            .map(|n| (format!("InstanceId.{n}"), format!("i-{n}")))
            .collect();
        pairs.sort();
        let sorted: Vec<_> = pairs
            .iter()
            .map(|(key, id)| format!("{key}={id}"))
            .collect();
        assert_eq!(query, sorted.join("&"), "{count} ids");
    }
}

#[test]
fn parameters_are_sorted_and_values_encoded() {
    let ids = short_ids(2);
    let query = Query::default()
        .with("RegionId", "cn-beijing")
        .with_ids(&ids)
        .with("InstanceIds", "[\"i 1\"]")
        .with("BatchOptimization", "SuccessFirst");
    assert_eq!(
        query.canonical(),
        "BatchOptimization=SuccessFirst&InstanceId.1=i-1&InstanceId.2=i-2\
         &InstanceIds=%5B%22i%201%22%5D&RegionId=cn-beijing"
    );
    assert_eq!(Query::default().canonical(), "");
}

// Answers.

/// What each recorded answer means, in the words of [`meaning`].
const MEANINGS: &[(&str, &str)] = &[
    ("StartInstance-ok-json", "all accepted"),
    ("StartInstance-ok-xml", "all accepted"),
    ("StopInstance-ok-json", "all accepted"),
    ("StopInstance-ok-xml", "all accepted"),
    ("RebootInstance-ok-json", "all accepted"),
    ("RebootInstance-ok-xml", "all accepted"),
    (
        "StartInstances-mixed-json",
        "001 accepted, 002 accepted, i-TestID not-found",
    ),
    (
        "StartInstances-mixed-xml",
        "001 accepted, 002 accepted, i-TestID not-found",
    ),
    ("StartInstances-ok-json", "001 accepted, 002 accepted"),
    ("StopInstances-ok-json", "001 accepted, 002 accepted"),
    ("StopInstances-mixed-json", "001 accepted, 002 wrong-state"),
    ("RebootInstances-ok-json", "001 accepted, 002 accepted"),
    // An operation that is never called: nothing is made up from its rows.
    ("DescribeInstanceStatus-json", "nothing"),
    ("DescribeInstanceStatus-xml", "nothing"),
    ("DescribeInstanceStatus-empty-json", "nothing"),
    (
        "DescribeInstances-first-page-json",
        "001 running (web, since 2017-12-10T04:04Z), \
         002 stopped (web, since 2017-12-10T04:04Z, locked: security, NotBilled), \
         next caeba0bbb2be03f84eb48b699f0a4883",
    ),
    (
        "DescribeInstances-last-page-json",
        "001 running (web, since 2017-12-10T04:04Z)",
    ),
    ("DescribeInstances-empty-json", "nothing"),
    ("DescribeInstances-xml", "001 running (Billed)"),
    ("missing-instance-id-json", "invalid-request"),
    ("missing-instance-id-xml", "invalid-request"),
    ("not-found-json", "not-found"),
    ("not-found-xml", "not-found"),
    ("bad-status-json", "wrong-state"),
    ("bad-status-xml", "wrong-state"),
    ("locked-json", "locked"),
    ("locked-xml", "locked"),
    ("disk-json", "failed"),
    ("not-ready-403-json", "busy"),
    ("not-ready-500-json", "busy"),
    ("balance-json", "billing"),
    ("expired-json", "billing"),
    ("arrears-json", "billing"),
    ("no-stock-json", "capacity"),
    ("quota-json", "quota"),
    ("confirm-stop-json", "unsupported"),
    ("stop-not-supported-json", "unsupported"),
    ("dry-run-single-json", "invalid-request"),
    ("region-json", "invalid-request"),
    ("bad-instance-ids-json", "invalid-request"),
    ("bad-signature-v3-json", "credential"),
    ("bad-signature-v1-json", "credential"),
    ("bad-access-key-json", "credential"),
    ("inactive-access-key-json", "credential"),
    ("expired-date-json", "clock-skew"),
    ("bad-date-json", "clock-skew"),
    ("nonce-used-json", "unavailable, perhaps carried out"),
    ("unknown-action-json", "invalid-request"),
    ("forbidden-ram-json", "permission"),
    ("throttling-json", "throttled"),
    ("throttling-xml", "throttled"),
    ("throttling-user-retry-after-json", "throttled, wait 1.2s"),
    ("conflict-json", "busy"),
    ("unavailable-json", "unavailable, perhaps carried out"),
    ("unavailable-xml", "unavailable, perhaps carried out"),
    ("internal-json", "unavailable, perhaps carried out"),
    ("internal-xml", "unavailable, perhaps carried out"),
];

#[test]
fn answers_mean_what_the_table_says() {
    let wire = wire();
    let recorded = wire["responses"].as_array().unwrap();
    for response in recorded {
        let name = response["name"].as_str().unwrap();
        let (_, expected) = MEANINGS
            .iter()
            .find(|(listed, _)| *listed == name)
            .unwrap_or_else(|| panic!("{name} has no line in the table"));
        let reply = reply_of(response);
        assert_eq!(
            meaning(response["operation"].as_str().unwrap(), &reply),
            *expected,
            "{name}"
        );
        let id = "473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E";
        assert_eq!(fault::request_id(&reply).as_deref(), Some(id), "{name}");
        if let Err(fault) = fault::check(&reply) {
            assert_eq!(fault.request_id(), Some(id), "{name}");
            assert_eq!(fault.status(), Some(reply.status().as_u16()), "{name}");
            let body = String::from_utf8_lossy(reply.body());
            assert!(body.contains(fault.code().unwrap()), "{name}");
            assert!(!fault.message().is_empty(), "{name}");
        }
    }
    assert_eq!(recorded.len(), MEANINGS.len());
}

/// What an answer to `operation` means, in words.
fn meaning(operation: &str, reply: &HttpResponse) -> String {
    let read = fault::check(reply).and_then(|()| match operation {
        "StartInstance" | "StopInstance" | "RebootInstance" => read_single(reply).map(words),
        "StartInstances" | "StopInstances" | "RebootInstances" => read_batch(reply).map(words),
        _ => read_page(reply).map(|page| {
            let next = page.next.map(|token| format!("next {}", token.as_str()));
            let seen = page.observations.iter().map(seen_words).chain(next);
            seen.collect::<Vec<_>>()
        }),
    });
    match read {
        Ok(words) if words.is_empty() => "nothing".to_owned(),
        Ok(words) => words.join(", "),
        Err(fault) => fault_words(&fault),
    }
}

fn words(receipt: BatchAck) -> Vec<String> {
    match receipt {
        BatchAck::All => vec!["all accepted".to_owned()],
        BatchAck::Each { accepted, refused } => accepted
            .iter()
            .map(|id| format!("{} accepted", short(id)))
            .chain(
                refused
                    .iter()
                    .map(|(id, fault)| format!("{} {}", short(id), fault_words(fault))),
            )
            .collect(),
        other => panic!("ECS answers with no {other:?}"),
    }
}

fn seen_words(seen: &Observation) -> String {
    let billing = match seen.stopped_billing {
        StoppedBilling::Unknown => None,
        known => Some(format!("{known:?}")),
    };
    let details: Vec<String> = [
        seen.name.clone(),
        seen.started_at.as_ref().map(|time| format!("since {time}")),
        seen.lock.as_ref().map(|lock| format!("locked: {lock}")),
        billing,
    ]
    .into_iter()
    .flatten()
    .collect();
    match details.as_slice() {
        [] => format!("{} {}", short(&seen.instance), seen.state),
        details => format!(
            "{} {} ({})",
            short(&seen.instance),
            seen.state,
            details.join(", ")
        ),
    }
}

fn fault_words(fault: &Fault) -> String {
    let mut words = fault.kind().to_string();
    if fault.maybe_executed() {
        words += ", perhaps carried out";
    }
    if let Some(wait) = fault.retry_after() {
        words += &format!(", wait {wait:?}");
    }
    words
}

fn short(id: &InstanceId) -> &str {
    id.as_str().trim_start_matches("i-bp67acfmxazb4p")
}

#[test]
fn odd_answers_are_carried_through_as_what_they_are() {
    for (operation, body, expected) in [
        // The pages of 2025 show the code of a good row as a number.
        (
            "StopInstances",
            r#"{"InstanceResponses":{"InstanceResponse":[{"InstanceId":"i-1","Code":200}]}}"#,
            "i-1 accepted",
        ),
        (
            "StopInstances",
            r#"{"InstanceResponses":{"InstanceResponse":[
                {"InstanceId":"i-1","Code":"SomethingNew","Message":null},
                {"InstanceId":"i-2","Code":null},{"InstanceId":"i-3"},
                {"InstanceId":"../i-4","Code":"200"},{"Code":"200"},null,
                {"InstanceId":"i-5","Code":"Throttling.User"}]}}"#,
            "i-1 unknown, perhaps carried out, i-5 throttled",
        ),
        ("StopInstances", r#"{"RequestId":"x"}"#, "nothing"),
        ("StopInstances", r#"{"InstanceResponses":null}"#, "nothing"),
        (
            "StartInstances",
            r#"{"Code":"DRYRUN.SUCCESS","Message":"checked"}"#,
            "invalid-request",
        ),
        (
            "StartInstance",
            r#"{"Code":"DryRunOperation"}"#,
            "invalid-request",
        ),
        (
            "StartInstance",
            r#"{"Code":"200","RequestId":null}"#,
            "all accepted",
        ),
        ("StartInstance", "", "unreadable, perhaps carried out"),
        ("StartInstance", "OK", "unreadable, perhaps carried out"),
        ("StartInstance", "[]", "unreadable, perhaps carried out"),
        (
            "StartInstance",
            "<html></html>",
            "unreadable, perhaps carried out",
        ),
        (
            "StopInstance",
            "<Error><Code>IncorrectInstanceStatus</Code></Error>",
            "wrong-state",
        ),
        (
            "DescribeInstances",
            r#"{"Instances":{"Instance":[
                {"InstanceId":"i-1","Status":"Hibernating","StartTime":7,"StoppedMode":{}},
                {"InstanceId":"i-2"},{"InstanceId":["i-3"],"Status":"Running"},
                {"InstanceId":"i-4","Status":"Stopped","OperationLocks":{"LockReason":
                    {"LockReason":"Recycling"}}}]},"NextToken":null}"#,
            "i-1 unknown (since 7), i-2 unknown, i-4 stopped (locked: recycling)",
        ),
        (
            "DescribeInstances",
            "<DescribeInstancesResponse><Instances>\
             <Instance><InstanceId>i-1</InstanceId><Status>Stopped</Status><OperationLocks>\
             <LockReason><LockReason>financial</LockReason></LockReason>\
             <LockReason><LockReason>Security</LockReason></LockReason></OperationLocks></Instance>\
             <Instance><InstanceId>i-2</InstanceId><Status>Pending</Status></Instance></Instances>\
             <NextToken>n</NextToken></DescribeInstancesResponse>",
            "i-1 stopped (locked: security), i-2 creating, next n",
        ),
        (
            "DescribeInstances",
            "<DescribeInstancesResponse/>",
            "nothing",
        ),
    ] {
        assert_eq!(meaning(operation, &good_reply(body)), expected, "{body}");
    }
    let body = r#"{"Instances":{"Instance":[{"InstanceId":"i-1","Status":"Hibernating"}]}}"#;
    let seen = read_observations(&good_reply(body)).unwrap();
    assert_eq!(seen[0].raw, "Hibernating");
}

#[test]
fn the_security_lock_counts_before_others() {
    let locks = |reasons: &[&str]| OperationLocks {
        lock_reason: LenientList(
            reasons
                .iter()
                .map(|reason| LockReason {
                    lock_reason: LenientText(Some((*reason).to_owned())),
                })
                .collect(),
        ),
    };
    for (reasons, expected) in [
        (&[] as &[&str], None),
        (&["security"], Some(Lock::Security)),
        (&["financial", "Security"], Some(Lock::Security)),
        (&["dedicatedhostfinancial"], Some(Lock::Financial)),
        (&["Recycling"], Some(Lock::Recycling)),
        (&["recycling", "financial"], Some(Lock::Recycling)),
        (&["refunded"], Some(Lock::Other("refunded".to_owned()))),
    ] {
        assert_eq!(locks(reasons).lock(), expected, "{reasons:?}");
    }
}

// Damaged answers.

/// Half an answer must never pass for a whole one.
#[test]
fn a_cut_answer_is_never_a_good_one() {
    for response in wire()["responses"].as_array().unwrap() {
        let reply = reply_of(response);
        for length in 0..reply.body().len() {
            let cut = with_body(&reply, reply.body().slice(..length));
            match fault::check(&cut) {
                Err(fault) => assert_eq!(fault.code(), None, "{length} of {response}"),
                Ok(()) => assert!(Body::read(&cut).is_err(), "{length} of {response}"),
            }
        }
    }
}

/// One odd value costs at most its own row.
#[test]
fn an_odd_value_leaves_the_rest_alone() {
    for response in wire()["responses"].as_array().unwrap() {
        let reply = reply_of(response);
        let Ok(whole) = serde_json::from_slice::<Value>(reply.body()) else {
            continue;
        };
        let rows = count_rows(&reply);
        for pointer in pointers(&whole) {
            for odd in ["null", "7", "-0.5", "true", r#""x""#, "[[]]", r#"{"x":{}}"#] {
                let mut damaged = whole.clone();
                *damaged.pointer_mut(&pointer).unwrap() = serde_json::from_str(odd).unwrap();
                let damaged = with_body(&reply, damaged.to_string());
                fault::request_id(&damaged);
                if fault::check(&damaged).is_err() {
                    continue;
                }
                // A list has two names, as in `/Instances/Instance/0`.
                let inside_a_row = pointer.split('/').count() > 3;
                let left = count_rows(&damaged);
                let lost = left.zip(rows).map(|(left, rows)| rows - left);
                let allowed = lost.is_some_and(|lost| lost <= 1 || !inside_a_row);
                assert!(
                    allowed,
                    "{pointer} = {odd} in {response}: {left:?} rows of {rows:?}"
                );
            }
        }
    }
}

/// Seeded: the same bytes are changed in every run.
#[test]
fn changed_bytes_do_no_harm() {
    const SEED: u64 = 0x5eed;
    let mut state = SEED;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    println!("seed {SEED:#x}");
    for response in wire()["responses"].as_array().unwrap() {
        let reply = reply_of(response);
        for _ in 0..50 {
            let mut body = reply.body().to_vec();
            for _ in 0..=next(3) {
                let place = next(body.len());
                body[place] = u8::try_from(next(256)).unwrap();
            }
            let changed = with_body(&reply, body);
            let _ = fault::request_id(&changed);
            let _ = fault::check(&changed);
            let _ = read_single(&changed);
            let _ = read_batch(&changed);
            let _ = read_observations(&changed);
            let _ = read_page(&changed);
        }
    }
}

fn count_rows(reply: &HttpResponse) -> Option<usize> {
    let BatchAck::Each { accepted, refused } = read_batch(reply).ok()? else {
        return None;
    };
    let seen = read_page(reply).ok()?.observations;
    Some(accepted.len() + refused.len() + seen.len())
}

/// The JSON pointers of all values below the root.
fn pointers(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(list) => {
            let numbered = list.iter().enumerate();
            numbered
                .map(|(place, value)| (place.to_string(), value))
                .collect()
        }
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (name, child) in children {
        found.push(format!("/{name}"));
        found.extend(
            pointers(child)
                .iter()
                .map(|below| format!("/{name}{below}")),
        );
    }
    found
}

// Samples.

fn wire() -> Value {
    serde_json::from_str(include_str!("../../tests/vectors/wire.json")).unwrap()
}

fn config() -> Config {
    let recorder = Endpoint::parse("http://127.0.0.1:18765").unwrap();
    Config::new("cn-hangzhou").unwrap().with_endpoint(recorder)
}

fn act_draft(config: &Config, action: Action, ids: &[InstanceId]) -> UnsignedRequest {
    act(config, &action, ids).unwrap().request
}

fn start() -> Action {
    StartOptions::default().into()
}

fn initialize() -> Action {
    let mut options = StartOptions::default();
    options.local_disk = LocalDisk::Initialize;
    options.into()
}

fn stop(mode: StopMode, billing: StopBilling) -> Action {
    let mut options = StopOptions::default();
    options.mode = mode;
    options.billing = billing;
    options.into()
}

fn reboot(mode: StopMode) -> Action {
    let mut options = RebootOptions::default();
    options.mode = mode;
    options.into()
}

fn ids(count: usize) -> Vec<InstanceId> {
    (1..=count)
        .map(|n| InstanceId::new(&format!("i-bp67acfmxazb4p{n:03}")).unwrap())
        .collect()
}

fn short_ids(count: usize) -> Vec<InstanceId> {
    (1..=count)
        .map(|n| InstanceId::new(&format!("i-{n}")).unwrap())
        .collect()
}

fn good_reply(body: &'static str) -> HttpResponse {
    http_response(
        200,
        http::HeaderMap::new(),
        Bytes::from_static(body.as_bytes()),
    )
}

fn reply_of(response: &Value) -> HttpResponse {
    let mut headers = http::HeaderMap::new();
    let content_type = response["content_type"].as_str().unwrap();
    headers.insert("content-type", content_type.parse().unwrap());
    for (name, value) in response["headers"].as_object().unwrap() {
        let name: http::HeaderName = name.parse().unwrap();
        headers.insert(name, value.as_str().unwrap().parse().unwrap());
    }
    http_response(
        response["status"].as_u64().unwrap().try_into().unwrap(),
        headers,
        response["body"].as_str().unwrap().to_owned(),
    )
}
