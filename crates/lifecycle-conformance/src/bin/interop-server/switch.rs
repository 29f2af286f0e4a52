//! The switch settings available to the tests of the vendors' SDKs.

use lifecycle_sim::{
    IgnoredFilters, Switches,
    switches::{aliyun, baidu, huawei, zenlayer},
};

/// Returns the change that sets the switch `name` to `value`.
///
/// # Errors
/// A text for an unknown switch or value.
pub(crate) fn change(name: &str, value: &str) -> Result<impl Fn(&mut Switches) + use<>, String> {
    let set: fn(&mut Switches) = match (name, value) {
        ("baidu.batch-failure", "partial") => {
            |all| all.baidu.batch_failure = baidu::BatchFailure::Partial
        }
        ("baidu.power-body", "object") => |all| all.baidu.power_body = baidu::PowerBody::Object,
        ("baidu.unknown-id", "no-such-object-400") => {
            |all| all.baidu.unknown_id = baidu::UnknownId::NoSuchObject400
        }
        ("baidu.unknown-id", "instance-not-exist") => {
            |all| all.baidu.unknown_id = baidu::UnknownId::InstanceNotExist
        }
        ("baidu.unknown-in-list", "refused") => {
            |all| all.baidu.unknown_in_list = baidu::UnknownInList::Refused
        }
        ("baidu.duplicates", "refused") => |all| all.baidu.duplicates = baidu::Duplicates::Refused,
        ("baidu.no-stock", "internal-error") => {
            |all| all.baidu.no_stock = baidu::NoStock::InternalError
        }
        ("baidu.client-token", "honoured") => {
            |all| all.baidu.client_token = baidu::ClientToken::Honoured
        }
        ("baidu.no-charge", "prepaid") => |all| all.baidu.no_charge = baidu::NoCharge::Prepaid,
        ("baidu.no-charge", "local-disk") => |all| all.baidu.no_charge = baidu::NoCharge::LocalDisk,
        ("baidu.no-charge", "unsupported") => {
            |all| all.baidu.no_charge = baidu::NoCharge::Unsupported
        }
        ("baidu.ignored-filters", "tags") => |all| all.baidu.ignored_filters = IgnoredFilters::Tags,
        ("aliyun.ignored-filters", "tags") => {
            |all| all.aliyun.ignored_filters = IgnoredFilters::Tags
        }
        ("zenlayer.ignored-filters", "tags") => {
            |all| all.zenlayer.ignored_filters = IgnoredFilters::Tags
        }
        ("huawei.ignored-filters", "tags") => {
            |all| all.huawei.ignored_filters = IgnoredFilters::Tags
        }
        ("zenlayer.several-tags", "any") => {
            |all| all.zenlayer.several_tags = zenlayer::SeveralTags::Any
        }
        ("baidu.throttling", "bare") => |all| all.baidu.throttling = baidu::Throttling::Bare,
        ("baidu.throttling", "unavailable") => {
            |all| all.baidu.throttling = baidu::Throttling::Unavailable
        }
        ("aliyun.throttling-hint", "rate-limit") => {
            |all| all.aliyun.throttling_hint = aliyun::ThrottlingHint::RateLimit
        }
        ("aliyun.throttling", "user-429") => {
            |all| all.aliyun.throttling = aliyun::Throttling::User429
        }
        ("aliyun.throttling", "api-429") => {
            |all| all.aliyun.throttling = aliyun::Throttling::Api429
        }
        ("aliyun.throttling", "plain-400") => {
            |all| all.aliyun.throttling = aliyun::Throttling::Plain400
        }
        ("aliyun.throttling", "plain-403") => {
            |all| all.aliyun.throttling = aliyun::Throttling::Plain403
        }
        ("aliyun.metadata-tokens", "required") => {
            |all| all.aliyun.metadata_tokens = aliyun::MetadataTokens::Required
        }
        ("aliyun.metadata-tokens", "absent-405") => {
            |all| all.aliyun.metadata_tokens = aliyun::MetadataTokens::Absent405
        }
        ("aliyun.metadata-tokens", "issued-but-refused") => {
            |all| all.aliyun.metadata_tokens = aliyun::MetadataTokens::IssuedButRefused
        }
        ("aliyun.missing-parameter", "dotted") => {
            |all| all.aliyun.missing_parameter = aliyun::MissingParameter::Dotted
        }
        ("aliyun.missing-parameter", "gateway") => {
            |all| all.aliyun.missing_parameter = aliyun::MissingParameter::Gateway
        }
        ("aliyun.not-ready-status", "500") => |all| all.aliyun.not_ready_status = 500,
        ("aliyun.batch-dry-run", "response-code") => {
            |all| all.aliyun.batch_dry_run = aliyun::BatchDryRun::ResponseCode
        }
        ("aliyun.stop-charging", "refused") => {
            |all| all.aliyun.refuses_unsupported_stop_charging = true
        }
        ("zenlayer.batch-failure", "whole") => {
            |all| all.zenlayer.batch_failure = zenlayer::BatchFailure::AllFail
        }
        ("zenlayer.unknown-id", "resource-not-found") => {
            |all| all.zenlayer.unknown_id = zenlayer::UnknownId::ResourceNotFound
        }
        ("zenlayer.recycled-code", "recycle-resource") => {
            |all| all.zenlayer.recycled_code = zenlayer::RecycledCode::RecycleResource
        }
        ("zenlayer.codes", "older") => |all| all.zenlayer.state_codes = zenlayer::StateCodes::Older,
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
        ("huawei.succeeds-in-target-state", "no") => {
            |all| all.huawei.succeeds_in_target_state = false
        }
        ("huawei.show-not-found", "item-not-found") => {
            |all| all.huawei.show_not_found = huawei::ShowNotFound::ItemNotFound
        }
        ("huawei.show-not-found", "ecs-0614") => {
            |all| all.huawei.show_not_found = huawei::ShowNotFound::Ecs0614
        }
        ("huawei.unknown-server", "ecs-0614") => {
            |all| all.huawei.unknown_server = huawei::UnknownServer::Ecs0614
        }
        ("huawei.wrong-project", "common-0018") => {
            |all| all.huawei.wrong_project = huawei::WrongProject::Common0018
        }
        ("huawei.ended-key", "stale") => {
            |all| all.huawei.expired_key = huawei::ExpiredKey::LikeExpiredToken
        }
        ("huawei.identity-error", "flat") => {
            |all| all.huawei.identity_error = huawei::IdentityError::WithoutErrorObject
        }
        ("huawei.metadata-tokens", "required") => {
            |all| all.huawei.metadata_tokens = huawei::MetadataTokens::Required
        }
        ("huawei.metadata-tokens", "absent-404") => {
            |all| all.huawei.metadata_tokens = huawei::MetadataTokens::Absent404
        }
        ("huawei.metadata-tokens", "absent-405") => {
            |all| all.huawei.metadata_tokens = huawei::MetadataTokens::Absent405
        }
        ("huawei.metadata-tokens", "absent-503") => {
            |all| all.huawei.metadata_tokens = huawei::MetadataTokens::Absent503
        }
        ("huawei.throttling", "service-429") => {
            |all| all.huawei.throttling = huawei::Throttling::Service429
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
            return Err(format!("unknown value {value:?} of the switch {name:?}"));
        }
    };
    Ok(set)
}
