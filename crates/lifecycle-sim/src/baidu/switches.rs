//! Switches of the simulated Baidu BCC: one for each behaviour that the documentation leaves open or
//! contradicts.

use crate::switches::{IgnoredFilters, describe_fields, setting};

describe_fields! {
    /// The behaviour of the simulated Baidu BCC where the documentation is missing or
    /// contradictory.
    #[derive(Clone, Debug, Default, PartialEq)]
    #[non_exhaustive]
    pub struct Switches {
        /// The result of a batch in which some instances do not allow the action. The documentation
        /// of 2024 says that the whole batch fails with 409; the Go SDK of 2025 reads a list of
        /// failed instances.
        pub batch_failure: BatchFailure,
        /// The body of a successful power call. The documentation says nothing; the Go SDK reads an
        /// object after batch calls and single reboots.
        pub power_body: PowerBody,
        /// The error of a power or detail call for an instance that does not exist. Not documented.
        pub unknown_id: UnknownId,
        /// The result of `listByInstanceId` with an id that does not exist. Not documented.
        pub unknown_in_list: UnknownInList,
        /// The error of a call with more than 100 ids. Not documented.
        pub too_many_ids: TooManyIds,
        /// The result of a call with an empty list of ids. Not documented.
        pub no_ids: NoIds,
        /// The result of a call with an id that occurs twice. Not documented.
        pub duplicates: Duplicates,
        /// The states during a reboot. Only `Starting` is documented.
        pub reboot_path: RebootPath,
        /// The effect of `clientToken` in power calls. The Python SDK sends the parameter, and the
        /// documentation does not list the parameter.
        pub client_token: ClientToken,
        /// The time of a request that is compared with the clock: the time in the Authorization
        /// header, or the date header. Not documented.
        pub checked_time: CheckedTime,
        /// The response to a throttled call. Nothing is known about it.
        pub throttling: Throttling,
        /// The support for stops free of charge. Depends on account, type and disks.
        pub no_charge: NoCharge,
        /// The error of a start without capacity for the instance. Not documented.
        pub no_stock: NoStock,
        /// The error of a call with an expired temporary key. Not documented.
        pub expired_key: ExpiredKey,
        /// The error of the assumption of an unknown role. Not documented.
        pub unknown_role: UnknownRole,
        /// The result of a requested role session of more than two hours. Only the limit is
        /// documented.
        pub long_session: LongSession,
        /// The filters that the list ignores.
        pub ignored_filters: IgnoredFilters,
        /// The filters by name ignore upper and lower case. Not documented.
        pub names_ignore_case: bool,
        /// The colon between key and value in the filter by tag, if there are several. Not documented.
        pub tag_colon: TagColon,
        /// The result of a filter by a state that is not among the documented values of the filter.
        pub other_statuses: OtherStatuses,
    }
}

impl Switches {
    /// Draws all settings at random.
    pub(crate) fn random(rng: &mut fastrand::Rng) -> Self {
        Self {
            batch_failure: BatchFailure::draw(rng),
            power_body: PowerBody::draw(rng),
            unknown_id: UnknownId::draw(rng),
            unknown_in_list: UnknownInList::draw(rng),
            too_many_ids: TooManyIds::draw(rng),
            no_ids: NoIds::draw(rng),
            duplicates: Duplicates::draw(rng),
            reboot_path: RebootPath::draw(rng),
            client_token: ClientToken::draw(rng),
            checked_time: CheckedTime::draw(rng),
            throttling: Throttling::draw(rng),
            no_charge: NoCharge::draw(rng),
            no_stock: NoStock::draw(rng),
            expired_key: ExpiredKey::draw(rng),
            unknown_role: UnknownRole::draw(rng),
            long_session: LongSession::draw(rng),
            ignored_filters: IgnoredFilters::draw(rng),
            names_ignore_case: rng.bool(),
            tag_colon: TagColon::draw(rng),
            other_statuses: OtherStatuses::draw(rng),
        }
    }
}

setting! {
    /// The result of a batch in which some instances do not allow the action.
    BatchFailure {
        /// 409, and no instance is changed.
        #[default]
        AllFail,
        /// 200; the action is executed on the other instances, and `failedInstanceIdList` names the
        /// failed instances.
        Partial,
        /// 409, although the action is executed on the other instances.
        ErrorDespiteExecution,
    }
}

setting! {
    /// The body of a successful power call.
    PowerBody {
        /// Empty, except with failed instances: then the body lists them.
        #[default]
        Empty,
        /// An object with the request id and an empty `failedInstanceIdList`.
        Object,
    }
}

setting! {
    /// The error of a power or detail call for an unknown instance.
    UnknownId {
        /// 404 `NoSuchObject`, as documented for other calls.
        #[default]
        NoSuchObject,
        /// 400 `NoSuchObject` with a list of ids, as one page shows.
        NoSuchObject400,
        /// 404 with another of the codes that the Terraform provider recognises.
        InstanceNotExist,
    }
}

setting! {
    /// The result of `listByInstanceId` with an unknown id.
    UnknownInList {
        /// The id has no row in the response.
        #[default]
        Omitted,
        /// The whole call fails like a detail call.
        Refused,
    }
}

setting! {
    /// The error of a call with too many ids.
    TooManyIds {
        /// 400 `InappropriateJSON`.
        #[default]
        InappropriateJson,
        /// 400 `BadRequest`.
        BadRequest,
    }
}

setting! {
    /// The result of a call with an empty list of ids.
    NoIds {
        /// The same error as for too many ids.
        #[default]
        Refused,
        /// Success without an effect.
        Accepted,
    }
}

setting! {
    /// The result of a call with an id that occurs twice.
    Duplicates {
        /// The id counts once.
        #[default]
        CountedOnce,
        /// The call is refused.
        Refused,
    }
}

setting! {
    /// The states during a reboot.
    RebootPath {
        /// `Starting` all the time.
        #[default]
        Starting,
        /// `Stopping`, then `Starting`.
        StoppingThenStarting,
    }
}

setting! {
    /// The effect of `clientToken` in power calls.
    ClientToken {
        /// No effect.
        #[default]
        Ignored,
        /// A repeated call with the same token is answered without a second execution. A call with
        /// other parameters is refused with `IdempotentParameterMismatch`.
        Honoured,
    }
}

setting! {
    /// The time of a request that can differ from the clock by 30 minutes at most.
    CheckedTime {
        /// The time in the Authorization header.
        #[default]
        Authorization,
        /// The time in `x-bce-date` or `Date`, if present.
        DateHeader,
        /// Both times.
        Both,
    }
}

setting! {
    /// The response to a throttled call.
    Throttling {
        /// 429 in the usual format, with an invented code.
        #[default]
        TooManyRequests,
        /// 429 with an empty body.
        Bare,
        /// 503 in the usual format, with an invented code.
        Unavailable,
    }
}

setting! {
    /// The result of `stopWithNoCharge`.
    NoCharge {
        /// The instance stops.
        #[default]
        Possible,
        /// 403 `Bcc.PrePayCannotStopWithNoCharge`: all instances are prepaid.
        Prepaid,
        /// 403 `Bcc.Rocv1CannotStopWithNoCharge`: all instances have local disks.
        LocalDisk,
        /// 403 `Bcc.InstanceTypeNotSupportException`: the type does not support it.
        Unsupported,
    }
}

setting! {
    /// The error of a start without capacity.
    NoStock {
        /// 403 `OperationDenied`, a code documented for other calls.
        #[default]
        OperationDenied,
        /// 500 `ServiceInternalError`, a code documented for other calls.
        InternalError,
    }
}

setting! {
    /// The error of a call with an expired temporary key.
    ExpiredKey {
        /// 403 `InvalidAccessKeyId`, as for a key that never existed.
        #[default]
        InvalidAccessKeyId,
        /// 403 `AccessDenied`.
        AccessDenied,
    }
}

setting! {
    /// The error of the assumption of an unknown role.
    UnknownRole {
        /// 403 `AccessDenied`.
        #[default]
        AccessDenied,
        /// 404 `NoSuchObject`.
        NoSuchObject,
    }
}

setting! {
    /// The result of a requested role session above the limit.
    LongSession {
        /// The call is refused with 400 `BadRequest`.
        #[default]
        Refused,
        /// The session is shortened to the limit.
        Shortened,
    }
}

setting! {
    /// The colon between key and value in the filter by tag.
    TagColon {
        /// The first colon.
        #[default]
        First,
        /// The last colon.
        Last,
    }
}

setting! {
    /// The result of a filter by a state without documentation, such as `Expired`.
    OtherStatuses {
        /// The filter finds instances in this state.
        #[default]
        Compared,
        /// The call is refused with 400 `BadRequest`.
        Refused,
    }
}
