//! Tests of the requests and responses of each Huawei call.

use lifecycle_core::{LocalDisk, StartOptions, StopBilling, StopOptions, StoppedBilling};
use provider_testing::{check_limits, numbered_ids, reboot, response, start};
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

/// A published program sends SOFT for a forced stop and HARD for a graceful stop.
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
        let request = observe(config, &ids(count)).unwrap().request;
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
        let request = list(&config, page.map(PageToken::new).as_ref()).request;
        assert_eq!(request.path, "/v1/0123456789abcdef/cloudservers/detail");
        assert_eq!(request.query, query);
    }
}

/// Reads all pages of a list of `servers` servers. `take` returns the servers of a page for a
/// query.
fn read_whole_list(
    servers: usize,
    take: impl Fn(&str, &[InstanceId]) -> Vec<InstanceId>,
) -> Vec<InstanceId> {
    let all = ids(servers);
    let mut read = Vec::new();
    let mut token = None;
    for _ in 0..10 {
        let call = list(&config(), token.as_ref());
        let rows: Vec<_> = take(&call.request.query, &all)
            .iter()
            .map(|id| json!({"id": id, "status": "ACTIVE"}))
            .collect();
        let page = call.read(&ok(&json!({ "servers": rows }))).unwrap();
        read.extend(page.observations.into_iter().map(|row| row.instance));
        token = page.next;
        if token.is_none() {
            return read;
        }
    }
    panic!("the list does not end");
}

#[test]
fn every_server_is_listed_once_with_markers_and_with_page_numbers() {
    let value = |query: &str, name: &str| {
        let (_, rest) = query.split_once(&format!("{name}="))?;
        Some(rest.split('&').next().unwrap_or_default().to_owned())
    };
    let by_marker = |query: &str, all: &[InstanceId]| {
        let marker = value(query, "marker");
        let begin = marker.map_or(0, |marker| {
            1 + all.iter().position(|id| id.as_str() == marker).unwrap()
        });
        all.iter().skip(begin).take(100).cloned().collect()
    };
    let by_number = |query: &str, all: &[InstanceId]| {
        let number = value(query, "offset").map_or(1, |number| number.parse().unwrap());
        all.chunks(100).nth(number - 1).unwrap_or_default().to_vec()
    };
    for servers in [0, 1, 99, 100, 101, 200, 350] {
        assert_eq!(read_whole_list(servers, by_marker), ids(servers));
        assert_eq!(read_whole_list(servers, by_number), ids(servers));
    }
}

#[test]
fn full_page_has_a_next_page() {
    let page = |rows: Vec<Value>| {
        let response = ok(&json!({"count": 1234, "servers": rows}));
        list(&config(), None).read(&response)
    };
    let rows = |count| -> Vec<Value> {
        ids(count)
            .iter()
            .map(|id| json!({"id": id, "status": "ACTIVE"}))
            .collect()
    };
    for (count, next) in [(0, None), (99, None), (100, Some("id-100"))] {
        let page = page(rows(count)).unwrap();
        assert_eq!(page.observations.len(), count);
        assert_eq!(page.next.as_ref().map(PageToken::as_str), next);
    }

    let mut odd = rows(100);
    odd[99] = json!(null);
    let odd = page(odd).unwrap();
    assert_eq!(
        odd.next.unwrap().as_str(),
        "id-99",
        "the last server with an id"
    );

    let unknown = page(vec![json!({"name": "no id"}); 100]).unwrap_err();
    assert_eq!(unknown.kind(), FaultKind::Unreadable, "{unknown}");
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
    let rows = read_many(&ok(&json!({"servers": [row]}))).unwrap();
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
        ("error", Value::Null, PowerState::Failed, "error"),
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
fn row_with_only_an_id_is_an_unknown_server() {
    let unknown = json!({"id": "a", "fault": {"message": "m"}, "name": null, "status": null});
    assert_eq!(observation_of(&unknown), None);
    assert_eq!(
        observation_of(&json!({"id": "a/b", "status": "ACTIVE"})),
        None
    );
    assert_eq!(observation_of(&json!({"status": "ACTIVE"})), None);
    let shown = |server: &Value| read_one(&ok(&json!({ "server": server })));
    assert_eq!(shown(&unknown).unwrap(), []);
    assert_eq!(
        shown(&json!({"status": "ACTIVE"})).unwrap_err().kind(),
        FaultKind::Unreadable,
        "a response without an id does not mean that the server is missing"
    );
}

#[test]
fn lock_has_the_text_of_the_cloud() {
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
