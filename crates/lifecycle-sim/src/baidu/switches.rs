//! What nobody outside the vendor knows about Baidu BCC.

use crate::switches::{describe_fields, setting};

describe_fields! {
    /// How the simulated Baidu BCC behaves where its documents are silent or contradict each other.
    #[derive(Clone, Debug, Default, PartialEq)]
    #[non_exhaustive]
    pub struct Switches {
        /// What a batch does when some of its instances cannot be acted on. The pages of 2024 say that
        /// the whole batch fails with 409; the Go SDK of 2025 reads a list of failed instances.
        pub batch_failure: BatchFailure,
        /// What a good power call answers. The pages say nothing; the Go SDK reads an object after batch
        /// calls and single reboots.
        pub power_body: PowerBody,
        /// What a power or detail call for an instance that does not exist answers. Not documented.
        pub unknown_id: UnknownId,
        /// What `listByInstanceId` does with an id that does not exist. Not documented.
        pub unknown_in_list: UnknownInList,
        /// What a call with more than 100 ids answers. Not documented.
        pub too_many: BadList,
        /// What a call with an empty list of ids answers. Not documented.
        pub no_ids: NoIds,
        /// Whether an id may come twice in one call. Not documented.
        pub duplicates: Duplicates,
        /// The states that a reboot passes through. Only `Starting` is documented.
        pub reboot_path: RebootPath,
        /// Whether power calls honour `clientToken`, which the Python SDK sends with them and no page
        /// lists.
        pub client_token: ClientToken,
        /// Which of a request's two times is compared with the clock. Not documented.
        pub checked_time: CheckedTime,
        /// The answer to a call that came too soon. Nothing is known about it.
        pub throttling: Throttling,
        /// Whether instances can be stopped free of charge. Depends on account, type and disks.
        pub no_charge: NoCharge,
        /// What a start answers when the cloud has no machine for the instance. Not documented.
        pub no_stock: NoStock,
        /// What a call with a temporary key answers when the key has ended. Not documented.
        pub ended_key: EndedKey,
        /// What the assumption of a role answers when there is no such role. Not documented.
        pub unknown_role: UnknownRole,
        /// What happens to a session of a role that is to be longer than two hours. Only the limit is
        /// documented.
        pub long_session: LongSession,
    }
}

impl Switches {
    /// Every setting drawn by chance.
    pub(crate) fn random(rng: &mut fastrand::Rng) -> Self {
        Self {
            batch_failure: BatchFailure::draw(rng),
            power_body: PowerBody::draw(rng),
            unknown_id: UnknownId::draw(rng),
            unknown_in_list: UnknownInList::draw(rng),
            too_many: BadList::draw(rng),
            no_ids: NoIds::draw(rng),
            duplicates: Duplicates::draw(rng),
            reboot_path: RebootPath::draw(rng),
            client_token: ClientToken::draw(rng),
            checked_time: CheckedTime::draw(rng),
            throttling: Throttling::draw(rng),
            no_charge: NoCharge::draw(rng),
            no_stock: NoStock::draw(rng),
            ended_key: EndedKey::draw(rng),
            unknown_role: UnknownRole::draw(rng),
            long_session: LongSession::draw(rng),
        }
    }
}

setting! {
    /// What a batch does when some of its instances cannot be acted on.
    BatchFailure {
        /// 409, and none is acted on.
        #[default]
        Whole,
        /// 200, the others are acted on, and `failedInstanceIdList` names the failed ones.
        Partial,
        /// 409, although the others are acted on.
        WholeInName,
    }
}

setting! {
    /// What a good power call answers.
    PowerBody {
        /// Nothing. A list of failed instances is sent all the same where there are any.
        #[default]
        Empty,
        /// An object with the request id and an empty `failedInstanceIdList`.
        Object,
    }
}

setting! {
    /// What a power or detail call for an unknown instance answers.
    UnknownId {
        /// 404 `NoSuchObject`, as documented for other calls.
        #[default]
        NoSuchObject,
        /// 400 `NoSuchObject` with a list of ids, as one page shows.
        NoSuchObject400,
        /// 404 with another of the codes that the Terraform provider takes for it.
        InstanceNotExist,
    }
}

setting! {
    /// What `listByInstanceId` does with an unknown id.
    UnknownInList {
        /// It has no row in the answer.
        #[default]
        Omitted,
        /// The whole call fails like a detail call.
        Refused,
    }
}

setting! {
    /// The answer to a list of ids that is too long.
    BadList {
        /// 400 `InappropriateJSON`.
        #[default]
        InappropriateJson,
        /// 400 `BadRequest`.
        BadRequest,
    }
}

setting! {
    /// What a call with an empty list of ids answers.
    NoIds {
        /// The same as for a list that is too long.
        #[default]
        Refused,
        /// Success.
        Accepted,
    }
}

setting! {
    /// Whether an id may come twice in one call.
    Duplicates {
        /// It counts once.
        #[default]
        Folded,
        /// The call is refused.
        Refused,
    }
}

setting! {
    /// The states that a reboot passes through.
    RebootPath {
        /// `Starting` all the time.
        #[default]
        Starting,
        /// `Stopping`, then `Starting`.
        StoppingThenStarting,
    }
}

setting! {
    /// What power calls do with `clientToken`.
    ClientToken {
        /// Nothing.
        #[default]
        Ignored,
        /// A repeat with the same token is answered without acting again, and one with other
        /// parameters is refused with `IdempotentParameterMismatch`.
        Honoured,
    }
}

setting! {
    /// Which time of a request may be 30 minutes off at most.
    CheckedTime {
        /// The one in the Authorization header.
        #[default]
        Prefix,
        /// The one in `x-bce-date` or `Date`, where there is one.
        Header,
        /// Both.
        Both,
    }
}

setting! {
    /// The answer to a call that came too soon.
    Throttling {
        /// 429 in the usual form, with a made-up code.
        #[default]
        TooManyRequests,
        /// 429 with an empty body.
        Bare,
        /// 503 in the usual form, with a made-up code.
        Unavailable,
    }
}

setting! {
    /// What `stopWithNoCharge` does.
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
    /// What a start answers when the cloud has no machine.
    NoStock {
        /// 403 `OperationDenied`, a code documented for other calls.
        #[default]
        OperationDenied,
        /// 500 `ServiceInternalError`, a code documented for other calls.
        InternalError,
    }
}

setting! {
    /// What a call with a temporary key answers when the key has ended.
    EndedKey {
        /// 403 `InvalidAccessKeyId`, as for a key that never was.
        #[default]
        InvalidAccessKeyId,
        /// 403 `AccessDenied`.
        AccessDenied,
    }
}

setting! {
    /// What the assumption of a role answers when there is no such role.
    UnknownRole {
        /// 403 `AccessDenied`.
        #[default]
        AccessDenied,
        /// 404 `NoSuchObject`.
        NoSuchObject,
    }
}

setting! {
    /// What happens to a session of a role that is to be too long.
    LongSession {
        /// It is refused with 400 `BadRequest`.
        #[default]
        Refused,
        /// It is cut to the longest one.
        Cut,
    }
}
