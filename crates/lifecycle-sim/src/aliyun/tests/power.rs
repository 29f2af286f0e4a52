//! Tests of the power calls of simulated Alibaba ECS, and of the form of calls: hosts, bodies, versions and
//! methods. The helpers (`add`, `call`, `batch`, `record`, `status_and_code`) are in the parent module.

use serde_json::json;

use super::*;
use crate::{
    aliyun::switches::{BatchDryRun, MissingParameter, RebootShows},
    testing::move_clock_to,
};

#[test]
fn power_action_shows_the_documented_states() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, Stopped, None);
    for (action, passing, settled) in [
        ("StartInstance", "Starting", "Running"),
        ("RebootInstance", "Starting", "Running"),
        ("StopInstance", "Stopping", "Stopped"),
    ] {
        let now = cloud.now().elapsed().as_secs();
        assert_eq!(call(&mut cloud, action, &[("InstanceId", &id)]).0, 200);
        assert_eq!(instance_status(&mut cloud, &id), passing);
        move_clock_to(&mut cloud, now + 60);
        assert_eq!(instance_status(&mut cloud, &id), settled);
    }
    let executed = executed(&cloud, &id);
    assert_eq!(
        (executed.starts, executed.stops, executed.reboots),
        (1, 1, 1)
    );
    assert_eq!((executed.forced_stops, executed.forced_reboots), (0, 0));
}

#[test]
fn reboot_is_forced_only_by_the_flag_name_of_the_call() {
    let mut cloud = cloud_state();
    let [a, b, c] = [(); 3].map(|()| add(&mut cloud, Running, None));
    call(
        &mut cloud,
        "RebootInstance",
        &[("InstanceId", &a), ("ForceStop", "true")],
    );
    batch(
        &mut cloud,
        "RebootInstances",
        &[&b],
        &[("ForceReboot", "True")],
    );
    batch(&mut cloud, "StopInstances", &[&c], &[("ForceStop", "True")]);
    assert_eq!(executed(&cloud, &a).forced_reboots, 1);
    assert_eq!(executed(&cloud, &b).forced_reboots, 1);
    assert_eq!(executed(&cloud, &c).forced_stops, 1);

    let [a, b] = [(); 2].map(|()| add(&mut cloud, Running, None));
    call(
        &mut cloud,
        "RebootInstance",
        &[("InstanceId", &a), ("ForceReboot", "true")],
    );
    batch(
        &mut cloud,
        "RebootInstances",
        &[&b],
        &[("ForceStop", "true")],
    );
    assert_eq!(
        executed(&cloud, &a).forced_reboots,
        0,
        "the wrong name does nothing"
    );
    assert_eq!(
        executed(&cloud, &b).forced_reboots,
        0,
        "the wrong name does nothing"
    );
}

#[test]
fn boolean_is_accepted_in_the_spellings_of_the_sdks() {
    let mut cloud = cloud_state();
    let dry = |cloud: &mut CloudState, word: &str| {
        let id = add(cloud, Stopped, None);
        let response = call(
            cloud,
            "StartInstance",
            &[("InstanceId", &id), ("DryRun", word)],
        );
        status_and_code(&response).1.to_owned()
    };
    for (word, expected) in [
        ("true", "DryRunOperation"),
        ("True", "DryRunOperation"),
        ("TRUE", "DryRunOperation"),
        ("false", NO_CODE),
        ("False", NO_CODE),
        ("1", "InvalidParameter"),
    ] {
        assert_eq!(dry(&mut cloud, word), expected, "{word}");
    }
    cloud.switches.aliyun.upper_case_booleans = false;
    assert_eq!(dry(&mut cloud, "TRUE"), "InvalidParameter");
}

#[test]
fn action_in_each_state_and_impairment_has_the_documented_code() {
    use SimulatedState::{Starting, Stopping};
    const ACTIONS: [&str; 3] = ["StartInstance", "StopInstance", "RebootInstance"];
    const WRONG_STATE: &str = "IncorrectInstanceStatus";
    // The codes of a start, a stop and a reboot.
    let cases: [(SimulatedState, Option<Impairment>, [&str; 3]); 15] = [
        (Stopped, None, [NO_CODE, WRONG_STATE, WRONG_STATE]),
        (Running, None, [WRONG_STATE, NO_CODE, NO_CODE]),
        (Starting, None, [WRONG_STATE, WRONG_STATE, WRONG_STATE]),
        (Stopping, None, [WRONG_STATE, WRONG_STATE, WRONG_STATE]),
        (
            SimulatedState::Rebooting,
            None,
            [WRONG_STATE, WRONG_STATE, WRONG_STATE],
        ),
        (
            Stopped,
            Some(Impairment::Creating),
            ["InstanceNotReady", WRONG_STATE, WRONG_STATE],
        ),
        (
            Stopped,
            Some(Impairment::Changing),
            ["OperationConflict"; 3],
        ),
        (
            Stopped,
            Some(Impairment::Locked),
            ["InstanceLockedForSecurity"; 3],
        ),
        (
            Running,
            Some(Impairment::Locked),
            ["InstanceLockedForSecurity"; 3],
        ),
        (Stopped, Some(Impairment::BrokenDisk), ["DiskError"; 3]),
        (Stopped, Some(Impairment::Recycled), [WRONG_STATE; 3]),
        (
            Stopped,
            Some(Impairment::Expired),
            [
                "InstanceExpired",
                "InstanceExpiredOrInArrears",
                "InstanceExpiredOrInArrears",
            ],
        ),
        (
            Running,
            Some(Impairment::Arrears),
            [
                "InsufficientBalance",
                "InstanceExpiredOrInArrears",
                "InstanceExpiredOrInArrears",
            ],
        ),
        (
            Stopped,
            Some(Impairment::NoStock),
            ["OperationDenied.NoStock", WRONG_STATE, WRONG_STATE],
        ),
        (
            Running,
            Some(Impairment::NoStock),
            [WRONG_STATE, NO_CODE, NO_CODE],
        ),
    ];
    for (state, impairment, expected) in cases {
        for (action, expected) in ACTIONS.into_iter().zip(expected) {
            let mut cloud = cloud_state();
            let id = add(&mut cloud, state, impairment);
            let response = call(&mut cloud, action, &[("InstanceId", &id)]);
            assert_eq!(
                status_and_code(&response).1,
                expected,
                "{action} of {state} {impairment:?}"
            );
            let acted = executed(&cloud, &id) != crate::ExecutionCounts::default();
            assert_eq!(
                acted,
                expected == NO_CODE,
                "{action} of {state} {impairment:?}"
            );
        }
    }
}

#[test]
fn stop_of_a_locked_instance_follows_the_switch() {
    for (stops, expected) in [(false, "InstanceLockedForSecurity"), (true, NO_CODE)] {
        let mut cloud = cloud_state();
        cloud.switches.aliyun.stops_security_locked_instances = stops;
        let id = add(&mut cloud, Running, Impairment::Locked);
        for (action, expected) in [
            ("RebootInstance", "InstanceLockedForSecurity"),
            ("StopInstance", expected),
        ] {
            let response = call(&mut cloud, action, &[("InstanceId", &id)]);
            assert_eq!(status_and_code(&response).1, expected, "{action}, {stops}");
        }
    }
}

#[test]
fn start_with_init_local_disk_starts_an_instance_with_a_broken_disk() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, Stopped, Impairment::BrokenDisk);
    let response = call(
        &mut cloud,
        "StartInstance",
        &[("InstanceId", &id), ("InitLocalDisk", "true")],
    );
    assert_eq!(response.0, 200);
    assert_eq!(instance_status(&mut cloud, &id), "Starting");
    let counts = executed(&cloud, &id);
    assert_eq!((counts.starts, counts.initialised_starts), (1, 1));
}

#[test]
fn stopped_mode_follows_the_parameter_and_the_account_default() {
    let mut cloud = cloud_state();
    let mut stopped_mode = |mode: Option<&str>, by_default: bool| {
        cloud.switches.aliyun.economical_by_default = by_default;
        let id = add(&mut cloud, Running, None);
        let mut parameters = vec![("InstanceId", id.as_str())];
        parameters.extend(mode.map(|mode| ("StoppedMode", mode)));
        let now = cloud.now().elapsed().as_secs();
        let before = record(&mut cloud, &id)["StoppedMode"].clone();
        assert_eq!(before, "Not-applicable");
        assert_eq!(call(&mut cloud, "StopInstance", &parameters).0, 200);
        move_clock_to(&mut cloud, now + 60);
        let shown = record(&mut cloud, &id)["StoppedMode"].clone();
        (shown, executed(&cloud, &id).released_stops)
    };
    let (keep, stop) = ((json!("KeepCharging"), 0), (json!("StopCharging"), 1));
    assert_eq!(stopped_mode(Some("StopCharging"), false), stop);
    assert_eq!(stopped_mode(Some("KeepCharging"), true), keep);
    assert_eq!(stopped_mode(None, false), keep);
    assert_eq!(stopped_mode(None, true), stop);
    let id = add(&mut cloud, Running, None);
    let bad = call(
        &mut cloud,
        "StopInstance",
        &[("InstanceId", &id), ("StoppedMode", "Maybe")],
    );
    assert_eq!(status_and_code(&bad), (400, "InvalidParameter"));
}

#[test]
fn prepaid_instance_keeps_its_resources_or_refuses_stop_charging() {
    let mut cloud = cloud_state();
    // Some instances of the simulator have a paid term.
    let ids: Vec<_> = (0..8).map(|_| add(&mut cloud, Running, None)).collect();
    let id = ids
        .iter()
        .find(|id| record(&mut cloud, id)["InstanceChargeType"] == "PrePaid")
        .unwrap();
    let stop = [("InstanceId", id.as_str()), ("StoppedMode", "StopCharging")];
    cloud.switches.aliyun.refuses_unsupported_stop_charging = true;
    let response = call(&mut cloud, "StopInstance", &stop);
    assert_eq!(
        status_and_code(&response),
        (403, "InvalidInstanceId.NotSupport")
    );
    cloud.switches.aliyun.refuses_unsupported_stop_charging = false;
    assert_eq!(call(&mut cloud, "StopInstance", &stop).0, 200);
    move_clock_to(&mut cloud, 60);
    assert_eq!(record(&mut cloud, id)["StoppedMode"], "KeepCharging");
}

#[test]
fn all_together_batch_with_a_bad_instance_changes_no_instance() {
    let mut cloud = cloud_state();
    let good = add(&mut cloud, Stopped, None);
    let bad = add(&mut cloud, Running, None);
    let response = batch(&mut cloud, "StartInstances", &[&good, &bad], &[]);
    assert_eq!(status_and_code(&response), (403, "IncorrectInstanceStatus"));
    assert!(!response.1["Message"].as_str().unwrap().contains(&bad));
    assert_eq!(instance_status(&mut cloud, &good), "Stopped");

    cloud.switches.aliyun.error_names_the_instance = true;
    let response = batch(
        &mut cloud,
        "StartInstances",
        &[&good, "i-unknown"],
        &[("BatchOptimization", "AllTogether")],
    );
    assert_eq!(
        status_and_code(&response),
        (404, "InvalidInstanceId.NotFound")
    );
    assert!(
        response.1["Message"]
            .as_str()
            .unwrap()
            .contains("i-unknown")
    );
    assert_eq!(executed(&cloud, &good).starts, 0);

    let response = batch(&mut cloud, "StartInstances", &[&good], &[]);
    assert_eq!(response.0, 200);
    let row = &response.1["InstanceResponses"]["InstanceResponse"][0];
    assert_eq!(
        (&row["Code"], &row["PreviousStatus"], &row["CurrentStatus"]),
        (&"200".into(), &"Stopped".into(), &"Starting".into())
    );
}

fn rows(response: &(u16, Value)) -> Vec<[String; 4]> {
    assert_eq!(response.0, 200, "{}", response.1);
    response.1["InstanceResponses"]["InstanceResponse"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            ["InstanceId", "Code", "PreviousStatus", "CurrentStatus"]
                .map(|name| row[name].as_str().unwrap().to_owned())
        })
        .collect()
}

#[test]
fn success_first_batch_has_a_row_for_each_instance() {
    let mut cloud = cloud_state();
    let good = add(&mut cloud, Running, None);
    let bad = add(&mut cloud, Stopped, None);
    let ids = [good.as_str(), &bad, "i-unknown"];
    let each = [("BatchOptimization", "SuccessFirst")];
    let response = batch(&mut cloud, "StopInstances", &ids, &each);
    let row = |cells: [&str; 4]| cells.map(str::to_owned);
    let wrong = "IncorrectInstanceStatus";
    assert_eq!(
        rows(&response),
        [
            row([&good, "200", "Running", "Stopping"]),
            row([&bad, wrong, "Stopped", "Stopped"]),
            row(["i-unknown", "InvalidInstanceId.NotFound", "", ""]),
        ]
    );
    assert_eq!(executed(&cloud, &good).stops, 1);

    cloud.switches.aliyun.failed_rows_show_status = false;
    cloud.switches.aliyun.reversed_rows = true;
    let response = batch(&mut cloud, "StopInstances", &ids, &each);
    assert_eq!(rows(&response)[1], row([&bad, wrong, "", ""]));
    assert_eq!(rows(&response)[2], row([&good, wrong, "", ""]));
    let odd = batch(
        &mut cloud,
        "StopInstances",
        &ids,
        &[("BatchOptimization", "Some")],
    );
    assert_eq!(status_and_code(&odd), (400, "InvalidParameter"));
}

#[test]
fn dry_run_executes_nothing_and_reports_errors() {
    let mut cloud = cloud_state();
    let good = add(&mut cloud, Stopped, None);
    let bad = add(&mut cloud, Running, None);
    let dry = ("DryRun", "true");
    let single = call(&mut cloud, "StartInstance", &[("InstanceId", &good), dry]);
    assert_eq!(status_and_code(&single), (400, "DryRunOperation"));
    let single = call(&mut cloud, "StartInstance", &[("InstanceId", &bad), dry]);
    assert_eq!(status_and_code(&single), (403, "IncorrectInstanceStatus"));
    let all = batch(&mut cloud, "StartInstances", &[&good, &bad], &[dry]);
    assert_eq!(status_and_code(&all), (403, "IncorrectInstanceStatus"));
    assert_eq!(executed(&cloud, &good), crate::ExecutionCounts::default());
}

#[test]
fn success_first_dry_run_executes_nothing_and_has_four_response_forms() {
    let mut cloud = cloud_state();
    let good = add(&mut cloud, Stopped, None);
    let bad = add(&mut cloud, Running, None);
    let each = [("DryRun", "true"), ("BatchOptimization", "SuccessFirst")];
    let word = "DRYRUN.SUCCESS";
    let mut respond_with = |form| {
        cloud.switches.aliyun.batch_dry_run = form;
        batch(&mut cloud, "StartInstances", &[&good, &bad], &each)
    };
    assert_eq!(
        status_and_code(&respond_with(BatchDryRun::ErrorCode)),
        (400, word)
    );
    assert_eq!(
        status_and_code(&respond_with(BatchDryRun::ResponseCode)),
        (200, word)
    );
    assert_eq!(codes(&respond_with(BatchDryRun::RowCode)), [word, word]);
    let messages = respond_with(BatchDryRun::RowMessage);
    assert_eq!(codes(&messages), ["200", "200"]);
    let row = &messages.1["InstanceResponses"]["InstanceResponse"][0];
    assert_eq!(row["Message"], word);
    assert_eq!(executed(&cloud, &good), crate::ExecutionCounts::default());
}

/// Returns the codes of all rows.
fn codes(response: &(u16, Value)) -> Vec<String> {
    rows(response)
        .into_iter()
        .map(|[_, code, ..]| code)
        .collect()
}

#[test]
fn batch_has_at_most_100_ids_and_folds_duplicates_by_switch() {
    let mut cloud = cloud_state();
    let ids: Vec<_> = (0..101).map(|_| add(&mut cloud, Stopped, None)).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let response = batch(&mut cloud, "StartInstances", &ids, &[]);
    assert_eq!(status_and_code(&response), (400, "InvalidParameter"));
    let twice = [ids[0], ids[1], ids[0]];
    cloud.switches.aliyun.folds_duplicates = false;
    let response = batch(&mut cloud, "StartInstances", &twice, &[]);
    assert_eq!(status_and_code(&response), (400, "InvalidParameter"));
    cloud.switches.aliyun.folds_duplicates = true;
    let response = batch(&mut cloud, "StartInstances", &twice, &[]);
    assert_eq!(rows(&response).len(), 2);
    assert_eq!(executed(&cloud, ids[0]).starts, 1);
    let response = batch(&mut cloud, "StartInstances", &ids[2..], &[]);
    assert_eq!(rows(&response).len(), 99);
}

#[test]
fn missing_parameter_has_three_code_families() {
    let mut cloud = cloud_state();
    for (family, expected) in [
        (MissingParameter::Plain, "MissingParameter"),
        (MissingParameter::Dotted, "MissingParameter.RegionId"),
        (MissingParameter::Gateway, "MissingRegionId"),
    ] {
        cloud.switches.aliyun.missing_parameter = family;
        let response = call(&mut cloud, "StartInstances", &[("InstanceId.1", "i-1")]);
        assert_eq!(status_and_code(&response), (400, expected));
    }
    cloud.switches.aliyun.missing_parameter = MissingParameter::Plain;
    let response = batch(&mut cloud, "StartInstances", &[], &[]);
    assert_eq!(status_and_code(&response), (400, "MissingParameter"));
    let response = call(&mut cloud, "StopInstance", &[("InstanceId", "")]);
    assert_eq!(status_and_code(&response), (400, "MissingParameter"));
}

#[test]
fn rebooting_instance_shows_the_states_of_the_switch() {
    let mut cloud = cloud_state();
    for (shows, early, late) in [
        (RebootShows::Starting, "Starting", "Starting"),
        (RebootShows::Stopping, "Stopping", "Stopping"),
        (RebootShows::StoppingThenStarting, "Stopping", "Starting"),
    ] {
        cloud.switches.aliyun.reboot_shows = shows;
        let id = add(&mut cloud, Running, None);
        let now = cloud.now().elapsed().as_secs();
        let response = batch(&mut cloud, "RebootInstances", &[&id], &[]);
        assert_eq!(rows(&response)[0][3], early, "{shows:?}");
        move_clock_to(&mut cloud, now + 10);
        assert_eq!(instance_status(&mut cloud, &id), early, "{shows:?}");
        move_clock_to(&mut cloud, now + 30);
        assert_eq!(instance_status(&mut cloud, &id), late, "{shows:?}");
        move_clock_to(&mut cloud, now + 40);
        assert_eq!(instance_status(&mut cloud, &id), "Running", "{shows:?}");
    }
}

#[test]
fn failed_boot_shows_starting_or_stopped_by_switch() {
    for (hangs, shown, again) in [(true, "Starting", 403), (false, "Stopped", 200)] {
        let mut cloud = cloud_state();
        cloud.switches.aliyun.failed_boot_hangs = hangs;
        let id = add(&mut cloud, Stopped, Impairment::FailsToBoot);
        assert_eq!(
            call(&mut cloud, "StartInstance", &[("InstanceId", &id)]).0,
            200
        );
        move_clock_to(&mut cloud, 100);
        assert_eq!(instance_status(&mut cloud, &id), shown);
        assert_eq!(
            call(&mut cloud, "StartInstance", &[("InstanceId", &id)]).0,
            again
        );
    }
}

#[test]
fn starting_instance_can_be_stopped_only_by_switch() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, SimulatedState::Starting, None);
    let stop = [("InstanceId", id.as_str())];
    assert_eq!(call(&mut cloud, "StopInstance", &stop).0, 403);
    cloud.switches.aliyun.stops_while_starting = true;
    assert_eq!(call(&mut cloud, "StopInstance", &stop).0, 200);
}

#[test]
fn start_of_an_instance_in_creation_answers_403_or_500_by_switch() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, Stopped, Impairment::Creating);
    for status in [403, 500] {
        cloud.switches.aliyun.not_ready_status = status;
        let response = call(&mut cloud, "StartInstance", &[("InstanceId", &id)]);
        assert_eq!(status_and_code(&response), (status, "InstanceNotReady"));
    }
}

#[test]
fn instance_of_another_region_is_not_found() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, Running, None);
    let here = cloud.scope(REGION);
    let elsewhere = cloud.scope("cn-beijing");
    let mut stop = |scope, action: &str, parameters: &[(&str, &str)]| {
        let response = Aliyun.handle(&mut cloud, &request(action, parameters), scope);
        let response = read(&response);
        (response.0, status_and_code(&response).1.to_owned())
    };
    let not_found = (404, "InvalidInstanceId.NotFound".to_owned());
    let no_region = (404, "InvalidRegionId.NotFound".to_owned());
    let single = [("InstanceId", id.as_str())];
    let in_region = |region| [("RegionId", region), ("InstanceId.1", id.as_str())];
    let one = "StopInstance";
    let batch = "StopInstances";
    assert_eq!(stop(elsewhere, one, &single), not_found);
    assert_eq!(stop(here, batch, &in_region("cn-beijing")), not_found);
    assert_eq!(stop(elsewhere, batch, &in_region(REGION)), not_found);
    assert_eq!(
        stop(RegionScope::AllRegions, batch, &in_region("cn-nowhere")),
        no_region
    );
    assert_eq!(stop(here, batch, &in_region(REGION)).0, 200);
    cloud.switches.aliyun.refuses_foreign_regions = true;
    let response = Aliyun.handle(
        &mut cloud,
        &request("StopInstances", &in_region("cn-beijing")),
        here,
    );
    assert_eq!(
        status_and_code(&read(&response)),
        (404, "InvalidRegionId.NotFound")
    );
}

#[test]
fn regional_host_name_contains_the_region() {
    for (host, region) in [
        ("ecs.cn-beijing.aliyuncs.com", Some("cn-beijing")),
        ("ecs-vpc.cn-beijing.aliyuncs.com", Some("cn-beijing")),
        ("ecs-cn-hangzhou.aliyuncs.com", None),
        ("ecs.aliyuncs.com", None),
        ("127.0.0.1", None),
    ] {
        assert_eq!(Aliyun.region_of(host), region, "{host}");
    }
}

#[test]
fn form_parameters_are_read_only_with_the_form_content_type() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, Stopped, None);
    let mut request = request("StartInstance", &[]);
    request.body = format!("InstanceId={id}&DryRun=false").into();
    assert_eq!(
        respond(&mut cloud, &request).status(),
        400,
        "the content type is not a form"
    );
    let kind = "application/x-www-form-urlencoded";
    request
        .headers
        .insert("content-type", kind.parse().unwrap());
    assert_eq!(respond(&mut cloud, &request).status(), 200);
}

#[test]
fn unknown_action_version_or_method_is_refused() {
    let mut cloud = cloud_state();
    let response = call(&mut cloud, "startinstance", &[("InstanceId", "i-1")]);
    assert_eq!(status_and_code(&response), (404, "InvalidApi.NotFound"));
    let mut request = request("StartInstance", &[]);
    request
        .headers
        .insert("x-acs-version", "2014-05-27".parse().unwrap());
    let response = read(&super::respond(&mut cloud, &request));
    assert_eq!(status_and_code(&response), (404, "InvalidApi.NotFound"));
    request.method = http::Method::PUT;
    let response = read(&super::respond(&mut cloud, &request));
    assert_eq!(status_and_code(&response), (400, "UnsupportedHTTPMethod"));
}
