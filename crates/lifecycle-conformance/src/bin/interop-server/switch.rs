//! The settings that the vendors' clients are tried under.

use lifecycle_sim::{
    Switches,
    switches::{aliyun, baidu, huawei, zenlayer},
};

/// The change that turns the switch `name` to `value`.
///
/// # Errors
/// A text when there is no such switch, or no such setting of it.
pub(crate) fn change(name: &str, value: &str) -> Result<impl Fn(&mut Switches) + use<>, String> {
    let set: fn(&mut Switches) = match (name, value) {
        ("baidu.batch-failure", "partial") => {
            |all| all.baidu.batch_failure = baidu::BatchFailure::Partial
        }
        ("baidu.power-body", "object") => |all| all.baidu.power_body = baidu::PowerBody::Object,
        ("baidu.client-token", "honoured") => {
            |all| all.baidu.client_token = baidu::ClientToken::Honoured
        }
        ("baidu.no-charge", "prepaid") => |all| all.baidu.no_charge = baidu::NoCharge::Prepaid,
        ("baidu.no-charge", "local-disk") => |all| all.baidu.no_charge = baidu::NoCharge::LocalDisk,
        ("baidu.no-charge", "unsupported") => {
            |all| all.baidu.no_charge = baidu::NoCharge::Unsupported
        }
        ("baidu.throttling", "bare") => |all| all.baidu.throttling = baidu::Throttling::Bare,
        ("baidu.throttling", "unavailable") => {
            |all| all.baidu.throttling = baidu::Throttling::Unavailable
        }
        ("aliyun.throttling-hint", "rate-limit") => {
            |all| all.aliyun.throttling_hint = aliyun::ThrottlingHint::RateLimit
        }
        ("aliyun.batch-dry-run", "answer-code") => {
            |all| all.aliyun.batch_dry_run = aliyun::BatchDryRun::AnswerCode
        }
        ("aliyun.stop-charging", "refused") => |all| all.aliyun.refuses_unfit_stop_charging = true,
        ("zenlayer.batch-failure", "whole") => {
            |all| all.zenlayer.batch_failure = zenlayer::BatchFailure::Whole
        }
        ("zenlayer.codes", "older") => |all| all.zenlayer.codes = zenlayer::Codes::Older,
        ("zenlayer.starting", "starting") => {
            |all| all.zenlayer.starting = zenlayer::Starting::Starting
        }
        ("zenlayer.none-failed", "absent") => {
            |all| all.zenlayer.none_failed = zenlayer::NoneFailed::Absent
        }
        ("zenlayer.none-failed", "null") => {
            |all| all.zenlayer.none_failed = zenlayer::NoneFailed::Null
        }
        ("huawei.unfit-server", "refused") => {
            |all| all.huawei.unfit_server = huawei::UnfitServer::Refused
        }
        ("huawei.unfit-server", "refused-with-details") => {
            |all| all.huawei.unfit_server = huawei::UnfitServer::RefusedWithDetails
        }
        ("huawei.unknown-server", "sub-job-fails") => {
            |all| all.huawei.unknown_server = huawei::UnknownServer::SubJobFails
        }
        ("huawei.idle-succeeds", "no") => |all| all.huawei.idle_succeeds = false,
        ("huawei.show-not-found", "item-not-found") => {
            |all| all.huawei.show_not_found = huawei::ShowNotFound::ItemNotFound
        }
        ("huawei.throttling", "service-503") => {
            |all| all.huawei.throttling = huawei::Throttling::Service503
        }
        ("huawei.throttling", "flow-limit-202") => {
            |all| all.huawei.throttling = huawei::Throttling::FlowLimit202
        }
        ("huawei.server-ids", "comma") => |all| all.huawei.server_ids = huawei::ServerIds::Comma,
        ("huawei.accepted-status", "202") => |all| all.huawei.accepted_status = 202,
        _ => {
            return Err(format!(
                "there is no setting {value:?} of a switch {name:?}"
            ));
        }
    };
    Ok(set)
}
