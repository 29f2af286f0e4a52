//! Start, stop and reboot.

use super::*;
use crate::{
    aliyun::switches::{BatchDryRun, MissingParameter, RebootShows},
    testing::at,
};

#[test]
fn actions_take_the_documented_way() {
    let mut site = site();
    let id = add(&mut site, State::Stopped, None);
    for (action, passing, settled) in [
        ("StartInstance", "Starting", "Running"),
        ("RebootInstance", "Starting", "Running"),
        ("StopInstance", "Stopping", "Stopped"),
    ] {
        let now = site.now().elapsed().as_secs();
        assert_eq!(call(&mut site, action, &[("InstanceId", &id)]).0, 200);
        assert_eq!(status(&mut site, &id), passing);
        at(&mut site, now + 60);
        assert_eq!(status(&mut site, &id), settled);
    }
    let executed = executed(&site, &id);
    assert_eq!(
        (executed.starts, executed.stops, executed.reboots),
        (1, 1, 1)
    );
    assert_eq!((executed.forced_stops, executed.forced_reboots), (0, 0));
}

fn executed(site: &Site, id: &str) -> crate::Executed {
    site.instance(site.find(Scope::Everywhere, id).unwrap())
        .executed
}

#[test]
fn force_has_another_name_in_each_reboot() {
    let mut site = site();
    let [a, b, c] = [(); 3].map(|()| add(&mut site, State::Running, None));
    call(
        &mut site,
        "RebootInstance",
        &[("InstanceId", &a), ("ForceStop", "true")],
    );
    batch(
        &mut site,
        "RebootInstances",
        &[&b],
        &[("ForceReboot", "True")],
    );
    batch(&mut site, "StopInstances", &[&c], &[("ForceStop", "True")]);
    assert_eq!(executed(&site, &a).forced_reboots, 1);
    assert_eq!(executed(&site, &b).forced_reboots, 1);
    assert_eq!(executed(&site, &c).forced_stops, 1);

    let [a, b] = [(); 2].map(|()| add(&mut site, State::Running, None));
    call(
        &mut site,
        "RebootInstance",
        &[("InstanceId", &a), ("ForceReboot", "true")],
    );
    batch(
        &mut site,
        "RebootInstances",
        &[&b],
        &[("ForceStop", "true")],
    );
    assert_eq!(
        executed(&site, &a).forced_reboots,
        0,
        "the wrong name does nothing"
    );
    assert_eq!(
        executed(&site, &b).forced_reboots,
        0,
        "the wrong name does nothing"
    );
}

#[test]
fn booleans_are_taken_as_the_sdks_write_them() {
    let mut site = site();
    let dry = |site: &mut Site, word: &str| {
        let id = add(site, State::Stopped, None);
        let answer = call(
            site,
            "StartInstance",
            &[("InstanceId", &id), ("DryRun", word)],
        );
        code(&answer).1.to_owned()
    };
    for (word, expected) in [
        ("true", "DryRunOperation"),
        ("True", "DryRunOperation"),
        ("TRUE", "DryRunOperation"),
        ("false", "no code"),
        ("False", "no code"),
        ("1", "InvalidParameter"),
    ] {
        assert_eq!(dry(&mut site, word), expected, "{word}");
    }
    site.switches.aliyun.upper_case_booleans = false;
    assert_eq!(dry(&mut site, "TRUE"), "InvalidParameter");
}

#[test]
fn each_state_and_trouble_has_its_code() {
    use State::{Running, Starting, Stopped, Stopping};
    const ACTIONS: [&str; 3] = ["StartInstance", "StopInstance", "RebootInstance"];
    const WRONG: &str = "IncorrectInstanceStatus";
    const OK: &str = "no code";
    let cases: [(State, Option<Trouble>, [&str; 3]); 15] = [
        (Stopped, None, [OK, WRONG, WRONG]),
        (Running, None, [WRONG, OK, OK]),
        (Starting, None, [WRONG, WRONG, WRONG]),
        (Stopping, None, [WRONG, WRONG, WRONG]),
        (State::Rebooting, None, [WRONG, WRONG, WRONG]),
        (
            Stopped,
            Some(Trouble::Creating),
            ["InstanceNotReady", WRONG, WRONG],
        ),
        (Stopped, Some(Trouble::Changing), ["OperationConflict"; 3]),
        (
            Stopped,
            Some(Trouble::Locked),
            ["InstanceLockedForSecurity"; 3],
        ),
        (
            Running,
            Some(Trouble::Locked),
            ["InstanceLockedForSecurity"; 3],
        ),
        (Stopped, Some(Trouble::Failed), ["DiskError"; 3]),
        (Stopped, Some(Trouble::Recycled), [WRONG; 3]),
        (
            Stopped,
            Some(Trouble::Expired),
            [
                "InstanceExpired",
                "InstanceExpiredOrInArrears",
                "InstanceExpiredOrInArrears",
            ],
        ),
        (
            Running,
            Some(Trouble::Arrears),
            [
                "InsufficientBalance",
                "InstanceExpiredOrInArrears",
                "InstanceExpiredOrInArrears",
            ],
        ),
        (
            Stopped,
            Some(Trouble::NoStock),
            ["OperationDenied.NoStock", WRONG, WRONG],
        ),
        (Running, Some(Trouble::NoStock), [WRONG, OK, OK]),
    ];
    for (state, trouble, expected) in cases {
        for (action, expected) in ACTIONS.into_iter().zip(expected) {
            let mut site = site();
            let id = add(&mut site, state, trouble);
            let answer = call(&mut site, action, &[("InstanceId", &id)]);
            assert_eq!(code(&answer).1, expected, "{action} of {state} {trouble:?}");
            let acted = executed(&site, &id) != crate::Executed::default();
            assert_eq!(acted, expected == OK, "{action} of {state} {trouble:?}");
        }
    }
}

#[test]
fn a_start_can_be_told_to_renew_broken_disks() {
    let mut site = site();
    let id = add(&mut site, State::Stopped, Trouble::Failed);
    let answer = call(
        &mut site,
        "StartInstance",
        &[("InstanceId", &id), ("InitLocalDisk", "true")],
    );
    assert_eq!(answer.0, 200);
    assert_eq!(status(&mut site, &id), "Starting");
}

#[test]
fn a_stop_says_what_becomes_of_the_resources() {
    let mut site = site();
    let mut stopped_mode = |mode: Option<&str>, by_default: bool| {
        site.switches.aliyun.economical_by_default = by_default;
        let id = add(&mut site, State::Running, None);
        let mut parameters = vec![("InstanceId", id.as_str())];
        parameters.extend(mode.map(|mode| ("StoppedMode", mode)));
        let now = site.now().elapsed().as_secs();
        let before = record(&mut site, &id)["StoppedMode"].clone();
        assert_eq!(before, "Not-applicable");
        assert_eq!(call(&mut site, "StopInstance", &parameters).0, 200);
        at(&mut site, now + 60);
        record(&mut site, &id)["StoppedMode"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(stopped_mode(Some("StopCharging"), false), "StopCharging");
    assert_eq!(stopped_mode(Some("KeepCharging"), true), "KeepCharging");
    assert_eq!(stopped_mode(None, false), "KeepCharging");
    assert_eq!(stopped_mode(None, true), "StopCharging");
    let id = add(&mut site, State::Running, None);
    let bad = call(
        &mut site,
        "StopInstance",
        &[("InstanceId", &id), ("StoppedMode", "Maybe")],
    );
    assert_eq!(code(&bad), (400, "InvalidParameter"));
}

#[test]
fn an_instance_paid_by_the_month_keeps_its_resources() {
    let mut site = site();
    let ids: Vec<_> = (0..8)
        .map(|_| add(&mut site, State::Running, None))
        .collect();
    let id = ids
        .iter()
        .find(|id| record(&mut site, id)["InstanceChargeType"] == "PrePaid")
        .unwrap();
    let stop = [("InstanceId", id.as_str()), ("StoppedMode", "StopCharging")];
    site.switches.aliyun.refuses_unfit_stop_charging = true;
    let answer = call(&mut site, "StopInstance", &stop);
    assert_eq!(code(&answer), (403, "InvalidInstanceId.NotSupport"));
    site.switches.aliyun.refuses_unfit_stop_charging = false;
    assert_eq!(call(&mut site, "StopInstance", &stop).0, 200);
    at(&mut site, 60);
    assert_eq!(record(&mut site, id)["StoppedMode"], "KeepCharging");
}

#[test]
fn all_together_is_all_or_nothing() {
    let mut site = site();
    let good = add(&mut site, State::Stopped, None);
    let bad = add(&mut site, State::Running, None);
    let answer = batch(&mut site, "StartInstances", &[&good, &bad], &[]);
    assert_eq!(code(&answer), (403, "IncorrectInstanceStatus"));
    assert!(!answer.1["Message"].as_str().unwrap().contains(&bad));
    assert_eq!(status(&mut site, &good), "Stopped");

    site.switches.aliyun.names_culprit = true;
    let answer = batch(
        &mut site,
        "StartInstances",
        &[&good, "i-unknown"],
        &[("BatchOptimization", "AllTogether")],
    );
    assert_eq!(code(&answer), (404, "InvalidInstanceId.NotFound"));
    assert!(answer.1["Message"].as_str().unwrap().contains("i-unknown"));
    assert_eq!(executed(&site, &good).starts, 0);

    let answer = batch(&mut site, "StartInstances", &[&good], &[]);
    assert_eq!(answer.0, 200);
    let row = &answer.1["InstanceResponses"]["InstanceResponse"][0];
    assert_eq!(
        (&row["Code"], &row["PreviousStatus"], &row["CurrentStatus"]),
        (&"200".into(), &"Stopped".into(), &"Starting".into())
    );
}

fn rows(answer: &(u16, Value)) -> Vec<[String; 4]> {
    assert_eq!(answer.0, 200, "{}", answer.1);
    answer.1["InstanceResponses"]["InstanceResponse"]
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
fn success_first_has_a_row_for_each() {
    let mut site = site();
    let good = add(&mut site, State::Running, None);
    let bad = add(&mut site, State::Stopped, None);
    let ids = [good.as_str(), &bad, "i-unknown"];
    let each = [("BatchOptimization", "SuccessFirst")];
    let answer = batch(&mut site, "StopInstances", &ids, &each);
    let row = |cells: [&str; 4]| cells.map(str::to_owned);
    let wrong = "IncorrectInstanceStatus";
    assert_eq!(
        rows(&answer),
        [
            row([&good, "200", "Running", "Stopping"]),
            row([&bad, wrong, "Stopped", "Stopped"]),
            row(["i-unknown", "InvalidInstanceId.NotFound", "", ""]),
        ]
    );
    assert_eq!(executed(&site, &good).stops, 1);

    site.switches.aliyun.failed_rows_show_status = false;
    site.switches.aliyun.reversed_rows = true;
    let answer = batch(&mut site, "StopInstances", &ids, &each);
    assert_eq!(rows(&answer)[1], row([&bad, wrong, "", ""]));
    assert_eq!(rows(&answer)[2], row([&good, wrong, "", ""]));
    let odd = batch(
        &mut site,
        "StopInstances",
        &ids,
        &[("BatchOptimization", "Some")],
    );
    assert_eq!(code(&odd), (400, "InvalidParameter"));
}

#[test]
fn a_dry_run_does_nothing() {
    let mut site = site();
    let good = add(&mut site, State::Stopped, None);
    let bad = add(&mut site, State::Running, None);
    let dry = ("DryRun", "true");
    let single = call(&mut site, "StartInstance", &[("InstanceId", &good), dry]);
    assert_eq!(code(&single), (400, "DryRunOperation"));
    let single = call(&mut site, "StartInstance", &[("InstanceId", &bad), dry]);
    assert_eq!(code(&single), (403, "IncorrectInstanceStatus"));
    let all = batch(&mut site, "StartInstances", &[&good, &bad], &[dry]);
    assert_eq!(code(&all), (403, "IncorrectInstanceStatus"));

    let each = [dry, ("BatchOptimization", "SuccessFirst")];
    let word = "DRYRUN.SUCCESS";
    let mut passed = |form| {
        site.switches.aliyun.batch_dry_run = form;
        batch(&mut site, "StartInstances", &[&good, &bad], &each)
    };
    assert_eq!(code(&passed(BatchDryRun::ErrorCode)), (400, word));
    assert_eq!(code(&passed(BatchDryRun::AnswerCode)), (200, word));
    assert_eq!(codes(&passed(BatchDryRun::RowCode)), [word, word]);
    let messages = passed(BatchDryRun::RowMessage);
    assert_eq!(codes(&messages), ["200", "200"]);
    let row = &messages.1["InstanceResponses"]["InstanceResponse"][0];
    assert_eq!(row["Message"], word);
    assert_eq!(executed(&site, &good), crate::Executed::default());
}

/// The codes of all rows.
fn codes(answer: &(u16, Value)) -> Vec<String> {
    rows(answer).into_iter().map(|[_, code, ..]| code).collect()
}

#[test]
fn batches_are_bounded_and_may_name_an_instance_twice() {
    let mut site = site();
    let ids: Vec<_> = (0..101)
        .map(|_| add(&mut site, State::Stopped, None))
        .collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let answer = batch(&mut site, "StartInstances", &ids, &[]);
    assert_eq!(code(&answer), (400, "InvalidParameter"));
    let twice = [ids[0], ids[1], ids[0]];
    site.switches.aliyun.folds_duplicates = false;
    let answer = batch(&mut site, "StartInstances", &twice, &[]);
    assert_eq!(code(&answer), (400, "InvalidParameter"));
    site.switches.aliyun.folds_duplicates = true;
    let answer = batch(&mut site, "StartInstances", &twice, &[]);
    assert_eq!(rows(&answer).len(), 2);
    assert_eq!(executed(&site, ids[0]).starts, 1);
    let answer = batch(&mut site, "StartInstances", &ids[2..], &[]);
    assert_eq!(rows(&answer).len(), 99);
}

#[test]
fn mandatory_parameters_are_named_in_three_ways() {
    let mut site = site();
    for (family, expected) in [
        (MissingParameter::Plain, "MissingParameter"),
        (MissingParameter::Dotted, "MissingParameter.RegionId"),
        (MissingParameter::Gateway, "MissingRegionId"),
    ] {
        site.switches.aliyun.missing_parameter = family;
        let answer = call(&mut site, "StartInstances", &[("InstanceId.1", "i-1")]);
        assert_eq!(code(&answer), (400, expected));
    }
    site.switches.aliyun.missing_parameter = MissingParameter::Plain;
    let answer = batch(&mut site, "StartInstances", &[], &[]);
    assert_eq!(code(&answer), (400, "MissingParameter"));
    let answer = call(&mut site, "StopInstance", &[("InstanceId", "")]);
    assert_eq!(code(&answer), (400, "MissingParameter"));
}

#[test]
fn a_reboot_shows_what_the_switch_says() {
    let mut site = site();
    for (shows, early, late) in [
        (RebootShows::Starting, "Starting", "Starting"),
        (RebootShows::Stopping, "Stopping", "Stopping"),
        (RebootShows::StoppingThenStarting, "Stopping", "Starting"),
    ] {
        site.switches.aliyun.reboot_shows = shows;
        let id = add(&mut site, State::Running, None);
        let now = site.now().elapsed().as_secs();
        let answer = batch(&mut site, "RebootInstances", &[&id], &[]);
        assert_eq!(rows(&answer)[0][3], early, "{shows:?}");
        at(&mut site, now + 10);
        assert_eq!(status(&mut site, &id), early, "{shows:?}");
        at(&mut site, now + 30);
        assert_eq!(status(&mut site, &id), late, "{shows:?}");
        at(&mut site, now + 40);
        assert_eq!(status(&mut site, &id), "Running", "{shows:?}");
    }
}

#[test]
fn a_boot_that_fails_hangs_or_falls_back() {
    for (hangs, shown, again) in [(true, "Starting", 403), (false, "Stopped", 200)] {
        let mut site = site();
        site.switches.aliyun.failed_boot_hangs = hangs;
        let id = add(&mut site, State::Stopped, Trouble::Broken);
        assert_eq!(
            call(&mut site, "StartInstance", &[("InstanceId", &id)]).0,
            200
        );
        at(&mut site, 100);
        assert_eq!(status(&mut site, &id), shown);
        assert_eq!(
            call(&mut site, "StartInstance", &[("InstanceId", &id)]).0,
            again
        );
    }
}

#[test]
fn a_starting_instance_may_be_stopped_by_switch() {
    let mut site = site();
    let id = add(&mut site, State::Starting, None);
    let stop = [("InstanceId", id.as_str())];
    assert_eq!(call(&mut site, "StopInstance", &stop).0, 403);
    site.switches.aliyun.stops_while_starting = true;
    assert_eq!(call(&mut site, "StopInstance", &stop).0, 200);
}

#[test]
fn an_instance_being_made_answers_403_or_500() {
    let mut site = site();
    let id = add(&mut site, State::Stopped, Trouble::Creating);
    for status in [403, 500] {
        site.switches.aliyun.not_ready_status = status;
        let answer = call(&mut site, "StartInstance", &[("InstanceId", &id)]);
        assert_eq!(code(&answer), (status, "InstanceNotReady"));
    }
}

#[test]
fn regions_keep_to_themselves() {
    let mut site = site();
    let id = add(&mut site, State::Running, None);
    let here = site.scope(REGION);
    let elsewhere = site.scope("cn-beijing");
    let mut stop = |scope, parameters: &[(&str, &str)]| {
        let action = if parameters.len() > 1 {
            "StopInstances"
        } else {
            "StopInstance"
        };
        let answer = Aliyun.perform(&mut site, &request(action, parameters), scope);
        let answer = read(&answer);
        (answer.0, code(&answer).1.to_owned())
    };
    let not_found = (404, "InvalidInstanceId.NotFound".to_owned());
    let no_region = (404, "InvalidRegionId.NotFound".to_owned());
    let single = [("InstanceId", id.as_str())];
    let in_region = |region| [("RegionId", region), ("InstanceId.1", id.as_str())];
    assert_eq!(stop(elsewhere, &single), not_found);
    assert_eq!(stop(here, &in_region("cn-beijing")), not_found);
    assert_eq!(stop(elsewhere, &in_region(REGION)), not_found);
    assert_eq!(stop(Scope::Everywhere, &in_region("cn-hangzou")), no_region);
    assert_eq!(stop(here, &in_region(REGION)).0, 200);
    site.switches.aliyun.refuses_foreign_regions = true;
    let answer = Aliyun.perform(
        &mut site,
        &request("StopInstances", &in_region("cn-beijing")),
        here,
    );
    assert_eq!(code(&read(&answer)), (404, "InvalidRegionId.NotFound"));
}

#[test]
fn hosts_name_their_region() {
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
fn parameters_may_come_in_a_form() {
    let mut site = site();
    let id = add(&mut site, State::Stopped, None);
    let mut request = request("StartInstance", &[]);
    request.body = format!("InstanceId={id}&DryRun=false").into();
    assert_eq!(
        answer(&mut site, &request).status(),
        400,
        "it is no form yet"
    );
    let kind = "application/x-www-form-urlencoded";
    request
        .headers
        .insert("content-type", kind.parse().unwrap());
    assert_eq!(answer(&mut site, &request).status(), 200);
}

#[test]
fn nobody_knows_other_operations() {
    let mut site = site();
    let answer = call(&mut site, "startinstance", &[("InstanceId", "i-1")]);
    assert_eq!(code(&answer), (404, "InvalidApi.NotFound"));
    let mut request = request("StartInstance", &[]);
    request
        .headers
        .insert("x-acs-version", "2014-05-27".parse().unwrap());
    let answer = read(&super::answer(&mut site, &request));
    assert_eq!(code(&answer), (404, "InvalidApi.NotFound"));
    request.method = http::Method::PUT;
    let answer = read(&super::answer(&mut site, &request));
    assert_eq!(code(&answer), (400, "UnsupportedHTTPMethod"));
}
