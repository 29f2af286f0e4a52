//! Tests of the requests and responses of Huawei: power actions, observations and lists.

use lifecycle_core::{LocalDisk, StartOptions, StopBilling, StopOptions, StoppedBilling};
use provider_testing::{NO_DETAILS, check_limits, numbered_ids, reboot, response, start};
use serde_json::{Value, json};

use super::*;
use crate::Huawei;

const PROJECT: &str = "0123456789abcdef";

fn config() -> Config {
    Config::new("cn-north-4", PROJECT).unwrap()
}

fn ids(count: usize) -> Vec<InstanceId> {
    numbered_ids("id-", count)
}

fn ok(body: &Value) -> HttpResponse {
    response(200, body)
}

fn stop(mode: StopMode) -> Action {
    provider_testing::stop(mode, StopBilling::Keep)
}

/// Guards against a mistake of a published program, which sends SOFT for a forced stop and HARD for a graceful
/// stop.
#[test]
fn type_of_stop_and_reboot_is_always_sent_and_never_inverted() {
    let servers = json!([{"id": "id-1"}, {"id": "id-2"}]);
    for (action, operation, body) in [
        (
            start(),
            "BatchStartServers",
            json!({"os-start": {"servers": servers}}),
        ),
        (
            stop(StopMode::Graceful),
            "BatchStopServers",
            json!({"os-stop": {"type": "SOFT", "servers": servers}}),
        ),
        (
            stop(StopMode::Forced),
            "BatchStopServers",
            json!({"os-stop": {"type": "HARD", "servers": servers}}),
        ),
        (
            reboot(StopMode::Graceful),
            "BatchRebootServers",
            json!({"reboot": {"type": "SOFT", "servers": servers}}),
        ),
        (
            reboot(StopMode::Forced),
            "BatchRebootServers",
            json!({"reboot": {"type": "HARD", "servers": servers}}),
        ),
    ] {
        let request = act(&config(), &action, &ids(2)).unwrap().request;
        assert_eq!(request.operation, operation);
        assert_eq!(request.method, Method::POST);
        assert_eq!(request.target(), "/v1/0123456789abcdef/cloudservers/action");
        assert_eq!(
            serde_json::from_slice::<Value>(&request.body).unwrap(),
            body
        );
    }
}

#[test]
fn unsupported_option_is_rejected() {
    let release = StopOptions::default().with_billing(StopBilling::Release);
    let initialize = StartOptions::default().with_local_disk(LocalDisk::Initialize);
    for action in [Action::Stop(release), Action::Start(initialize)] {
        let fault = act(&config(), &action, &ids(1)).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Unsupported, "{fault}");
    }
}

#[test]
fn call_accepts_one_id_up_to_the_limit() {
    check_limits(&Huawei::new(config()));
}

#[test]
fn body_of_an_action_names_every_server() {
    for (action, key) in [
        (start(), "/os-start/servers"),
        (stop(StopMode::Graceful), "/os-stop/servers"),
        (reboot(StopMode::Graceful), "/reboot/servers"),
    ] {
        let call = act(&config(), &action, &ids(1000)).unwrap();
        let body: Value = serde_json::from_slice(&call.request.body).unwrap();
        let expected: Vec<_> = ids(1000).iter().map(|id| json!({ "id": id })).collect();
        assert_eq!(body.pointer(key), Some(&json!(expected)), "{key}");
    }
}

#[test]
fn observe_shows_one_server_and_lists_several() {
    let plain = config();
    let limited = config().with_enterprise_project("a&b");
    for (config, count, target) in [
        (&plain, 1, "/v1/0123456789abcdef/cloudservers/id-1"),
        (&limited, 1, "/v1/0123456789abcdef/cloudservers/id-1"),
        (
            &plain,
            3,
            "/v1/0123456789abcdef/cloudservers/detail?limit=100&server_id=id-1%2Cid-2%2Cid-3",
        ),
        (
            &limited,
            2,
            "/v1/0123456789abcdef/cloudservers/detail?enterprise_project_id=a%26b&limit=100&server_id=id-1%2Cid-2",
        ),
    ] {
        let request = observe(config, &ids(count), NO_DETAILS).unwrap().request;
        assert_eq!(request.target(), target);
        assert_eq!(request.method, Method::GET);
        assert!(request.body.is_empty());
    }
}

#[test]
fn list_continues_at_the_page_token() {
    for (config, page, query) in [
        (config(), None, "limit=100"),
        (
            config(),
            Some("id 9&x=y"),
            "limit=100&marker=id%209%26x%3Dy",
        ),
        (config(), Some("offset=7"), "limit=100&offset=7"),
        (config(), Some("offset=x"), "limit=100&marker=offset%3Dx"),
        (
            config().with_enterprise_project("all_granted_eps"),
            Some("a"),
            "enterprise_project_id=all_granted_eps&limit=100&marker=a",
        ),
    ] {
        let request = list(
            &config,
            &ListQuery::default(),
            page.map(PageToken::new).as_ref(),
        )
        .request;
        assert_eq!(request.path, "/v1/0123456789abcdef/cloudservers/detail");
        assert_eq!(request.query, query);
    }
}

fn rows(ids: &[InstanceId]) -> Vec<Value> {
    let row = |id: &InstanceId| json!({"id": id, "status": "ACTIVE"});
    ids.iter().map(row).collect()
}

/// A full page expects a next page; a shorter page may still have one.
#[test]
fn page_reports_its_total_and_continues_after_its_last_server() {
    let page = |servers: Vec<Value>| {
        let response = ok(&json!({"count": 1234, "servers": servers}));
        list(&config(), &ListQuery::default(), None)
            .read(&response)
            .unwrap()
    };
    let token = PageToken::new;
    for (count, next) in [
        (0, NextPage::End),
        (25, NextPage::Possible(token("id-25"))),
        (99, NextPage::Possible(token("id-99"))),
        (100, NextPage::Expected(token("id-100"))),
    ] {
        let page = page(rows(&ids(count)));
        assert_eq!(page.observations.len(), count);
        assert_eq!(page.next, next);
        assert_eq!(page.total, Some(1234));
        assert!(!page.numbered);
    }

    let mut odd = rows(&ids(100));
    odd[99] = json!(null);
    odd[98] = json!({"id": 98});
    let odd = page(odd);
    assert_eq!(
        odd.next,
        NextPage::Expected(token("98")),
        "the last server with an id"
    );
    assert_eq!(odd.unidentified, 1);
    assert_eq!(odd.observations[98].state, PowerState::Unknown);

    let unknown = page(vec![json!({"name": "no id"}); 100]);
    assert_eq!((unknown.unidentified, unknown.next), (100, NextPage::End));
}

/// `offset` is the number of a page at Huawei, and 1 is the first page.
#[test]
fn cloud_that_ignores_the_marker_is_read_by_page_number() {
    let all = ids(300);
    let read = |token: &str, servers: &[InstanceId]| {
        let call = list(
            &config(),
            &ListQuery::default(),
            Some(&PageToken::new(token)),
        );
        call.read(&ok(&json!({"servers": rows(servers)}))).unwrap()
    };
    let by_number = NextPage::Named(PageToken::new("offset=2"));
    // The first page again.
    assert_eq!(read("id-100", &all[..100]).next, by_number);
    assert_eq!(read("id-25", &all[..100]).next, by_number);
    assert_eq!(read("id-1", &all[..1]).next, by_number);
    // The page after the marker, without and with the marker itself.
    let next = NextPage::Expected(PageToken::new("id-200"));
    assert_eq!(read("id-100", &all[100..200]).next, next);
    assert_eq!(read("id-101", &all[100..200]).next, next);
    // Pages by number.
    let page = read("offset=2", &all[100..200]);
    assert!(page.numbered);
    assert_eq!(page.next, NextPage::Expected(PageToken::new("offset=3")));
    let page = read("offset=3", &all[200..250]);
    assert_eq!(page.next, NextPage::Possible(PageToken::new("offset=4")));
}

#[test]
fn uuid_becomes_lower_case_and_another_id_stays() {
    let lower = "616fb98f-46ca-475e-917e-2563e5a8cd19";
    let id = |text: &str| InstanceId::new(text).unwrap();
    let upper = id(&lower.to_ascii_uppercase());
    assert_eq!(canonical_id(&upper).as_str(), lower);
    for other in [lower, "ID-1", "616FB98F_46CA-475E-917E-2563E5A8CD19"] {
        assert_eq!(canonical_id(&id(other)).as_str(), other);
    }
    let response = ok(&json!({"server": {"id": upper, "status": "ACTIVE"}}));
    assert_eq!(
        read_one(&response, NO_DETAILS).unwrap()[0]
            .instance
            .as_str(),
        lower
    );
}

#[test]
fn response_without_a_job_is_not_an_acceptance() {
    let call = act(&config(), &stop(StopMode::Graceful), &ids(1)).unwrap();
    let ack = call.read(&ok(&json!({"job_id": "ff80"}))).unwrap();
    assert!(matches!(ack, BatchAck::Job(job) if job.as_str() == "ff80"));
    for (body, kind) in [
        (json!({}), FaultKind::Unreadable),
        (json!({"job_id": null}), FaultKind::Unreadable),
        (json!({"job_id": ""}), FaultKind::Unreadable),
        (json!({"job_id": "../x"}), FaultKind::Unreadable),
        (json!({"job_id": 5}), FaultKind::Unreadable),
        (
            json!({"error": {"code": "Common.0024", "message": "m"}}),
            FaultKind::Throttled,
        ),
    ] {
        assert_eq!(call.read(&ok(&body)).unwrap_err().kind(), kind, "{body}");
    }
}

fn observation_of(row: &Value) -> Option<Observation> {
    let rows = read_many(&ok(&json!({"servers": [row]})), NO_DETAILS).unwrap();
    assert!(rows.len() < 2);
    rows.into_iter().next()
}

/// The table "ECS statuses" of the API reference, row by row.
#[test]
fn status_and_task_select_the_power_state() {
    let (rebuild, resize) = (
        [
            "rebuilding",
            "rebuild_block_device_mapping",
            "rebuild_spawning",
        ],
        [
            "resize_prep",
            "resize_migrating",
            "resize_migrated",
            "resize_finish",
        ],
    );
    let mut table = vec![
        ("BUILD", "building", "scheduling", PowerState::Creating),
        (
            "BUILD",
            "building",
            "block_device_mapping",
            PowerState::Creating,
        ),
        ("BUILD", "building", "networking", PowerState::Creating),
        ("BUILD", "building", "spawning", PowerState::Creating),
        ("BUILD", "building", "", PowerState::Creating),
        ("REBOOT", "active", "rebooting", PowerState::Rebooting),
        ("REBOOT", "active", "reboot_pending", PowerState::Rebooting),
        ("REBOOT", "active", "reboot_started", PowerState::Rebooting),
        (
            "HARD_REBOOT",
            "active",
            "rebooting_hard",
            PowerState::Rebooting,
        ),
        (
            "HARD_REBOOT",
            "active",
            "reboot_pending_hard",
            PowerState::Rebooting,
        ),
        (
            "HARD_REBOOT",
            "active",
            "reboot_started_hard",
            PowerState::Rebooting,
        ),
        ("MIGRATING", "active", "migrating", PowerState::Changing),
        ("ACTIVE", "active", "powering-off", PowerState::Stopping),
        ("ACTIVE", "active", "deleting", PowerState::Deleted),
        ("ACTIVE", "active", "", PowerState::Running),
        ("SHUTOFF", "stopped", "powering-on", PowerState::Starting),
        ("SHUTOFF", "stopped", "deleting", PowerState::Deleted),
        ("SHUTOFF", "stopped", "", PowerState::Stopped),
        (
            "REVERT_RESIZE",
            "resized",
            "resize_reverting",
            PowerState::Changing,
        ),
        ("VERIFY_RESIZE", "resized", "", PowerState::Changing),
        ("ERROR", "error", "deleting", PowerState::Deleted),
        ("ERROR", "error", "", PowerState::Failed),
        ("DELETED", "deleted", "", PowerState::Deleted),
        ("SHELVED", "shelved", "shelving", PowerState::Changing),
        (
            "SHELVED",
            "shelved",
            "shelving_image_pending_upload",
            PowerState::Changing,
        ),
        (
            "SHELVED",
            "shelved",
            "shelving_image_uploading",
            PowerState::Changing,
        ),
        ("SHELVED", "shelved", "unshelving", PowerState::Changing),
        ("SHELVED", "shelved", "", PowerState::Stopped),
        (
            "SHELVED_OFFLOADED",
            "shelved_offloaded",
            "shelving_offloading",
            PowerState::Changing,
        ),
        (
            "SHELVED_OFFLOADED",
            "shelved_offloaded",
            "unshelving",
            PowerState::Changing,
        ),
        (
            "SHELVED_OFFLOADED",
            "shelved_offloaded",
            "",
            PowerState::Stopped,
        ),
        ("UNKNOWN", "paused", "", PowerState::Unknown),
        // Not in the table: new values, and a task that the status does not show yet.
        ("HIBERNATED", "hibernated", "", PowerState::Unknown),
        ("ACTIVE", "active", "defragmenting", PowerState::Changing),
        ("ACTIVE", "active", "rebooting", PowerState::Rebooting),
        (
            "ACTIVE",
            "active",
            "reboot_started_hard",
            PowerState::Rebooting,
        ),
    ];
    for task in rebuild {
        for vm_state in ["active", "stopped", "error"] {
            table.push(("REBUILD", vm_state, task, PowerState::Changing));
        }
    }
    for task in resize {
        table.push(("RESIZE", "stopped", task, PowerState::Changing));
    }
    for (status, vm_state, task, state) in table {
        let row = json!({
            "id": "a",
            "status": status,
            "OS-EXT-STS:vm_state": vm_state,
            "OS-EXT-STS:task_state": if task.is_empty() { Value::Null } else { task.into() },
        });
        let seen = observation_of(&row).unwrap();
        assert_eq!(seen.state, state, "{row}");
        let raw = match task {
            "" => status.to_owned(),
            task => format!("{status}/{task}"),
        };
        assert_eq!(seen.raw, raw);
    }
}

/// `SUSPENDED`, `PAUSED` and `SOFT_DELETED` are in the model of the Go SDK, and `UNKNOWN` is in the table
/// "ECS statuses". No document gives a meaning.
#[test]
fn status_without_a_documented_meaning_is_unknown() {
    for status in ["SUSPENDED", "PAUSED", "SOFT_DELETED", "UNKNOWN"] {
        let row = json!({"id": "a", "status": status});
        let seen = observation_of(&row).unwrap();
        assert_eq!(
            (seen.state, seen.raw.as_str()),
            (PowerState::Unknown, status)
        );
    }
}

#[test]
fn power_state_without_a_status_comes_from_the_vm_state() {
    for (vm_state, task, state, raw) in [
        ("active", Value::Null, PowerState::Running, "active"),
        (
            "active",
            json!("powering-off"),
            PowerState::Stopping,
            "active/powering-off",
        ),
        ("stopped", Value::Null, PowerState::Stopped, "stopped"),
        ("building", Value::Null, PowerState::Creating, "building"),
        ("resized", Value::Null, PowerState::Changing, "resized"),
        ("error", Value::Null, PowerState::Failed, "error"),
        ("deleted", Value::Null, PowerState::Deleted, "deleted"),
        ("shelved", Value::Null, PowerState::Stopped, "shelved"),
        (
            "shelved_offloaded",
            Value::Null,
            PowerState::Stopped,
            "shelved_offloaded",
        ),
        ("paused", Value::Null, PowerState::Unknown, "paused"),
    ] {
        let row =
            json!({"id": "a", "OS-EXT-STS:vm_state": vm_state, "OS-EXT-STS:task_state": task});
        let seen = observation_of(&row).unwrap();
        assert_eq!((seen.state, seen.raw.as_str()), (state, raw));
    }
    let named = observation_of(&json!({"id": "a", "name": "n"})).unwrap();
    assert_eq!((named.state, named.raw.as_str()), (PowerState::Unknown, ""));
    let odd = observation_of(&json!({"id": "a", "status": [1]})).unwrap();
    assert_eq!((odd.state, odd.raw.as_str()), (PowerState::Unknown, "[1]"));
}

#[test]
fn row_without_id_or_without_name_and_status_is_no_observation() {
    let unknown = json!({"id": "a", "fault": {"message": "m"}, "name": null, "status": null});
    assert_eq!(observation_of(&unknown), None);
    assert_eq!(
        observation_of(&json!({"id": "a/b", "status": "ACTIVE"})),
        None
    );
    assert_eq!(observation_of(&json!({"status": "ACTIVE"})), None);
    let shown = |server: &Value| read_one(&ok(&json!({ "server": server })), NO_DETAILS);
    assert_eq!(shown(&unknown).unwrap(), []);
    assert_eq!(
        shown(&json!({"status": "ACTIVE"})).unwrap_err().kind(),
        FaultKind::Unreadable,
        "a response without an id does not mean that the server is missing"
    );
}

#[test]
fn lock_comes_from_the_freeze_status_or_the_locked_flag() {
    for (fields, lock) in [
        (json!({"locked": false}), None),
        (json!({"locked": "true"}), None),
        (json!({"locked": true}), Some("locked")),
        (json!({"metadata": {"EcmResStatus": "normal"}}), None),
        (json!({"metadata": {"EcmResStatus": 5}}), None),
        (json!({"metadata": "none"}), None),
        (
            json!({"metadata": {"EcmResStatus": "freeze"}, "locked": true}),
            Some("freeze"),
        ),
    ] {
        let mut row = json!({"id": "a", "status": "ACTIVE"});
        row.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let expected = lock.map(|word| Lock::Other(word.to_owned()));
        assert_eq!(observation_of(&row).unwrap().lock, expected, "{fields}");
    }
}

/// `launched_at` is not the time of the last start, and the response has no billing of a stopped
/// server.
#[test]
fn start_time_and_billing_stay_unknown() {
    let row = json!({
        "id": "a",
        "status": "SHUTOFF",
        "OS-SRV-USG:launched_at": "2025-11-01T02:04:05.123456",
        "metadata": {"charging_mode": "0"},
    });
    let seen = observation_of(&row).unwrap();
    assert_eq!(seen.started_at, None);
    assert_eq!(seen.stopped_billing, StoppedBilling::Unknown);
    assert_eq!(seen.name, None);
}
