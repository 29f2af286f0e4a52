//! Tests of responses, recorded and unusual (Alibaba).

use provider_testing::numbered_ids;

use super::*;

/// The meaning of each recorded response, in the format of [`describe`].
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
    // An unused operation, whose response has no list of instances.
    ("DescribeInstanceStatus-json", "unreadable, maybe executed"),
    ("DescribeInstanceStatus-xml", "unreadable, maybe executed"),
    (
        "DescribeInstanceStatus-empty-json",
        "unreadable, maybe executed",
    ),
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
    ("region-json", "wrong-endpoint"),
    ("bad-instance-ids-json", "invalid-request"),
    ("bad-signature-v3-json", "credential"),
    ("bad-signature-v1-json", "credential"),
    ("bad-access-key-json", "credential"),
    ("inactive-access-key-json", "credential"),
    ("expired-date-json", "clock-skew"),
    ("bad-date-json", "clock-skew"),
    ("nonce-used-json", "unavailable, maybe executed"),
    ("unknown-action-json", "invalid-request"),
    ("forbidden-ram-json", "permission"),
    ("throttling-json", "throttled"),
    ("throttling-xml", "throttled"),
    ("throttling-user-retry-after-json", "throttled, wait 1.2s"),
    ("conflict-json", "busy"),
    ("unavailable-json", "unavailable, maybe executed"),
    ("unavailable-xml", "unavailable, maybe executed"),
    ("internal-json", "unavailable, maybe executed"),
    ("internal-xml", "unavailable, maybe executed"),
];

#[test]
fn recorded_response_has_the_meaning_in_the_table() {
    let samples = samples();
    assert_eq!(samples.len(), MEANINGS.len());
    for sample in samples {
        let (name, response) = (&sample.name, &sample.response);
        let (_, expected) = MEANINGS
            .iter()
            .find(|(listed, _)| listed == name)
            .unwrap_or_else(|| panic!("{name} is missing in the table"));
        assert_eq!(describe(&sample.operation, response), *expected, "{name}");
        let id = "473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E";
        assert_eq!(fault::request_id(response).as_deref(), Some(id), "{name}");
        if let Err(fault) = fault::check(response) {
            assert_eq!(fault.request_id(), Some(id), "{name}");
            assert_eq!(fault.status(), Some(response.status().as_u16()), "{name}");
            let body = String::from_utf8_lossy(response.body());
            assert!(body.contains(fault.code().unwrap()), "{name}");
            assert!(!fault.message().is_empty(), "{name}");
        }
    }
}

/// Describes the meaning of a response to `operation`.
fn describe(operation: &str, response: &HttpResponse) -> String {
    let read = fault::check(response).and_then(|()| match operation {
        "StartInstance" | "StopInstance" | "RebootInstance" => {
            read_single(response).map(describe_ack)
        }
        "StartInstances" | "StopInstances" | "RebootInstances" => {
            read_batch(response).map(describe_ack)
        }
        _ => read_page(response, false, &first_page()).map(|page| {
            let token = page.next.token();
            let next = token.map(|token| format!("next {}", token.as_str()));
            let more = page.total.filter(|total| *total > page.rows());
            let total = more.map(|total| format!("of {total}"));
            let unread =
                (page.unidentified > 0).then(|| format!("{} without id", page.unidentified));
            let rows = page.observations.iter().map(describe_row);
            rows.chain(unread)
                .chain(next)
                .chain(total)
                .collect::<Vec<_>>()
        }),
    });
    match read {
        Ok(parts) if parts.is_empty() => "nothing".to_owned(),
        Ok(parts) => parts.join(", "),
        Err(fault) => describe_fault(&fault),
    }
}

fn describe_ack(ack: BatchAck) -> Vec<String> {
    match ack {
        BatchAck::All => vec!["all accepted".to_owned()],
        BatchAck::Each { accepted, refused } => accepted
            .iter()
            .map(|id| format!("{} accepted", short(id)))
            .chain(
                refused
                    .iter()
                    .map(|(id, fault)| format!("{} {}", short(id), describe_fault(fault))),
            )
            .collect(),
        other => panic!("ECS never returns {other:?}"),
    }
}

fn describe_row(row: &Observation) -> String {
    let billing = match row.stopped_billing {
        StoppedBilling::Unknown => None,
        known => Some(format!("{known:?}")),
    };
    let details: Vec<String> = [
        row.name.clone(),
        row.started_at.as_ref().map(|time| format!("since {time}")),
        row.lock.as_ref().map(|lock| format!("locked: {lock}")),
        billing,
    ]
    .into_iter()
    .flatten()
    .collect();
    match details.as_slice() {
        [] => format!("{} {}", short(&row.instance), row.state),
        details => format!(
            "{} {} ({})",
            short(&row.instance),
            row.state,
            details.join(", ")
        ),
    }
}

fn describe_fault(fault: &Fault) -> String {
    let mut text = fault.kind().to_string();
    if fault.maybe_executed() {
        text += ", maybe executed";
    }
    if let Some(wait) = fault.retry_after() {
        text += &format!(", wait {wait:?}");
    }
    text
}

fn short(id: &InstanceId) -> &str {
    id.as_str().trim_start_matches("i-bp67acfmxazb4p")
}

#[test]
fn unusual_response_has_the_expected_meaning() {
    for (operation, body, expected) in [
        // The pages of 2025 show the code of an accepted row as a number.
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
            "i-1 unknown, i-5 throttled",
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
            r#"{"Code":"200","RequestId":"x"}"#,
            "all accepted",
        ),
        // Another sender than ECS does not know the request id.
        (
            "StartInstance",
            r#"{"Code":"200","RequestId":null}"#,
            "unreadable, maybe executed",
        ),
        ("StartInstance", "{}", "unreadable, maybe executed"),
        ("RebootInstance", r#"{"a":1}"#, "unreadable, maybe executed"),
        (
            "StopInstance",
            "<StopInstanceResponse/>",
            "unreadable, maybe executed",
        ),
        ("StartInstance", "", "unreadable, maybe executed"),
        ("StartInstance", "OK", "unreadable, maybe executed"),
        ("StartInstance", "[]", "unreadable, maybe executed"),
        (
            "StartInstance",
            "<html></html>",
            "unreadable, maybe executed",
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
                {"InstanceId":7,"Status":"Running"},null,{"InstanceId":null},
                {"InstanceId":"i-4","Status":"Stopped","OperationLocks":{"LockReason":
                    {"LockReason":"Recycling"}}}]},"NextToken":null}"#,
            "i-1 unknown (since 7), i-2 unknown, 7 running, i-4 stopped (locked: recycling), \
             3 without id",
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
            "<DescribeInstancesResponse><Instances/></DescribeInstancesResponse>",
            "nothing",
        ),
        (
            "DescribeInstances",
            "<DescribeInstancesResponse><Instances> </Instances></DescribeInstancesResponse>",
            "nothing",
        ),
        // A list without a readable row is not an empty list.
        (
            "DescribeInstances",
            "<DescribeInstancesResponse><Instances><Instance/></Instances></DescribeInstancesResponse>",
            "unreadable, maybe executed",
        ),
        (
            "DescribeInstances",
            "<DescribeInstancesResponse><Instances><Server><InstanceId>i-1</InstanceId></Server>\
             </Instances></DescribeInstancesResponse>",
            "unreadable, maybe executed",
        ),
        (
            "DescribeInstances",
            "<DescribeInstancesResponse><Instances><Instance>i-1</Instance></Instances>\
             </DescribeInstancesResponse>",
            "unreadable, maybe executed",
        ),
        (
            "DescribeInstances",
            "<DescribeInstancesResponse><Instances>none</Instances></DescribeInstancesResponse>",
            "unreadable, maybe executed",
        ),
        // A response without a list is not an empty list.
        (
            "DescribeInstances",
            "<DescribeInstancesResponse/>",
            "unreadable, maybe executed",
        ),
        ("DescribeInstances", "{}", "unreadable, maybe executed"),
        (
            "DescribeInstances",
            r#"{"RequestId":"x"}"#,
            "unreadable, maybe executed",
        ),
        (
            "DescribeInstances",
            r#"{"RequestId":"x","Instances":{"Instance":7}}"#,
            "unreadable, maybe executed",
        ),
        (
            "DescribeInstances",
            r#"{"Instances":{"Instance":[]},"TotalCount":253}"#,
            "of 253",
        ),
        (
            "DescribeInstances",
            r#"{"Instances":{"Instance":[]},"TotalCount":253,"NextToken":"n"}"#,
            "next n",
        ),
    ] {
        assert_eq!(describe(operation, &success(body)), expected, "{body}");
    }
    let body = r#"{"Instances":{"Instance":[{"InstanceId":"i-1","Status":"Hibernating"}]}}"#;
    let rows = read_single_observation(&success(body), NO_DETAILS).unwrap();
    assert_eq!(rows[0].raw, "Hibernating");
    // The only row of a lookup may be the requested instance.
    let body = r#"{"Instances":{"Instance":[{"InstanceId":null,"Status":"Running"}]}}"#;
    assert!(read_single_observation(&success(body), NO_DETAILS).is_err());
    assert_eq!(read_observations(&success(body), NO_DETAILS), Ok(vec![]));
}

#[test]
fn security_lock_takes_precedence() {
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

#[test]
fn status_selects_the_state() {
    for (status, state) in [
        ("Pending", PowerState::Creating),
        ("Starting", PowerState::Starting),
        ("Running", PowerState::Running),
        ("Stopping", PowerState::Stopping),
        ("Stopped", PowerState::Stopped),
        ("running", PowerState::Unknown),
        ("", PowerState::Unknown),
    ] {
        assert_eq!(power_state(status), state, "{status}");
    }
}

#[test]
fn error_code_in_lower_case_is_a_fault_despite_the_status() {
    for body in [
        r#"{"requestId":"R","code":"InternalError","message":"m"}"#,
        r#"{"RequestId":"R","Code":"200","code":"InternalError","message":"m"}"#,
    ] {
        let fault = read_single(&success(body)).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Unavailable, "{body}");
        assert_eq!(
            (fault.code(), fault.message()),
            (Some("InternalError"), "m")
        );
        assert_eq!(fault.request_id(), Some("R"));
    }
    let accepted = success(r#"{"requestId":"R","code":"200"}"#);
    assert!(matches!(read_single(&accepted), Ok(BatchAck::All)));
}

#[test]
fn request_id_in_the_header_alone_confirms_the_action() {
    let mut response = success("{}");
    let id = "D6F4".parse().unwrap();
    response.headers_mut().insert("x-acs-request-id", id);
    assert!(matches!(read_single(&response), Ok(BatchAck::All)));
}

/// The row without an id may be the row of the only requested instance. Of several instances, each
/// missing instance is read alone.
#[test]
fn row_without_an_id_is_a_fault_only_for_a_single_instance() {
    let response = success(r#"{"Instances":{"Instance":[{"Status":"Running"}]}}"#);
    let read = |count| {
        let ids = numbered_ids("i-", count);
        let call = observe(&config(), &ids, NO_DETAILS).unwrap();
        call.read(&response).map_err(|fault| fault.kind())
    };
    assert_eq!(read(1), Err(FaultKind::Unreadable));
    assert_eq!(read(2), Ok(vec![]));
}
