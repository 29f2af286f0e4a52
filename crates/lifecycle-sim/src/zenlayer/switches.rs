//! What nobody outside the vendor knows about Zenlayer ZEC.

use crate::switches::{describe_fields, setting};

describe_fields! {
    /// How the simulated Zenlayer ZEC behaves where its documents are silent or contradict each other.
    #[derive(Clone, Debug, Default, PartialEq)]
    #[non_exhaustive]
    pub struct Switches {
        /// The status of a starting instance: the prose and the enumeration of the documents differ.
        pub starting: Starting,
        /// The status of an instance in the recycle bin: the prose and the enumeration differ.
        pub recycled: Recycled,
        /// What `instanceIds`, the list of failed instances, is when none failed. Not documented.
        pub none_failed: NoneFailed,
        /// What a call does when some of its instances cannot be acted on. Not documented.
        pub batch_failure: BatchFailure,
        /// The codes of a wrong state: older and newer pages differ.
        pub codes: Codes,
        /// The code of an instance in the recycle bin: two are documented.
        pub recycled_code: RecycledCode,
        /// The code of an instance that does not exist: two are documented.
        pub unknown_id: UnknownId,
        /// What a describe call does with an id that does not exist. The vendor's storage driver relies on
        /// the id being left out; its Terraform provider expects an error, too.
        pub unknown_in_describe: UnknownInDescribe,
        /// What a power call with an empty list of ids answers. Not documented.
        pub no_ids: NoIds,
        /// What a power call does with an id that comes twice. Not documented.
        pub duplicates: Duplicates,
        /// The states from which an instance can be stopped: the English and the Chinese page differ.
        pub stop_from: StopFrom,
        /// What a reboot without `forceReboot` is. Not documented.
        pub plain_reboot: PlainReboot,
        /// Whether a describe call with ids and without a page size is cut to the default page. Not
        /// documented.
        pub ids_page: IdsPage,
        /// The order of rows. Not documented.
        pub order: RowOrder,
        /// Whether `X-ZC-Version` must be there. Not documented.
        pub version_header: VersionHeader,
    }
}

impl Switches {
    /// Every setting drawn by chance.
    pub(crate) fn random(rng: &mut fastrand::Rng) -> Self {
        Self {
            starting: Starting::draw(rng),
            recycled: Recycled::draw(rng),
            none_failed: NoneFailed::draw(rng),
            batch_failure: BatchFailure::draw(rng),
            codes: Codes::draw(rng),
            recycled_code: RecycledCode::draw(rng),
            unknown_id: UnknownId::draw(rng),
            unknown_in_describe: UnknownInDescribe::draw(rng),
            no_ids: NoIds::draw(rng),
            duplicates: Duplicates::draw(rng),
            stop_from: StopFrom::draw(rng),
            plain_reboot: PlainReboot::draw(rng),
            ids_page: IdsPage::draw(rng),
            order: RowOrder::draw(rng),
            version_header: VersionHeader::draw(rng),
        }
    }
}

setting! {
    /// The status of a starting instance.
    Starting {
        /// `BOOTING`, as the enumeration has it.
        #[default]
        Booting,
        /// `STARTING`, as the prose has it.
        Starting,
    }
}

setting! {
    /// The status of an instance in the recycle bin.
    Recycled {
        /// `RECYCLE`, as the enumeration has it.
        #[default]
        Recycle,
        /// `RECYCLED`, as the prose has it.
        Recycled,
    }
}

setting! {
    /// What the list of failed instances is when none failed.
    NoneFailed {
        /// An empty list.
        #[default]
        Empty,
        /// Left out.
        Absent,
        /// `null`.
        Null,
    }
}

setting! {
    /// What a call does when some of its instances cannot be acted on.
    BatchFailure {
        /// 200, the others are acted on, and `instanceIds` lists the failed ones.
        #[default]
        Listed,
        /// An error, and none is acted on.
        Whole,
        /// An error, and none is acted on, when an id is unknown; a list otherwise.
        WholeForUnknown,
        /// An error, although the others are acted on.
        WholeInName,
    }
}

setting! {
    /// The codes of a wrong state.
    Codes {
        /// 400 `UNSUPPORTED_OPERATION_INSTANCE_STATUS` and `OPERATION_DENIED_INSTANCE_IN_OPERATION`.
        #[default]
        Newer,
        /// 403 `OPERATION_DENIED_INSTANCE_NOT_STOPPED`, `_NOT_RUNNING` and `_STATUS`.
        Older,
    }
}

setting! {
    /// The code of an instance in the recycle bin.
    RecycledCode {
        /// 403 `OPERATION_DENIED_INSTANCE_RECYCLED`.
        #[default]
        InstanceRecycled,
        /// 403 `OPERATION_FAILED_FOR_RECYCLE_RESOURCE`.
        RecycleResource,
    }
}

setting! {
    /// The code of an unknown instance.
    UnknownId {
        /// 404 `INVALID_INSTANCE_NOT_FOUND`.
        #[default]
        InstanceNotFound,
        /// 404 `OPERATION_FAILED_RESOURCE_NOT_FOUND`.
        ResourceNotFound,
    }
}

setting! {
    /// What a describe call does with an unknown id.
    UnknownInDescribe {
        /// It has no row.
        #[default]
        Omitted,
        /// The whole call fails.
        Refused,
    }
}

setting! {
    /// What a power call with an empty list of ids answers.
    NoIds {
        /// 400 `INVALID_PARAMETER_LESS_LENGTH`.
        #[default]
        LessLength,
        /// 400 `MISSING_PARAMETER`.
        Missing,
        /// Success.
        Accepted,
    }
}

setting! {
    /// What a power call does with an id that comes twice.
    Duplicates {
        /// It counts once.
        #[default]
        Folded,
        /// 400 `INVALID_PARAMETER_VALUE`.
        Refused,
    }
}

setting! {
    /// The states from which an instance can be stopped.
    StopFrom {
        /// `RUNNING`, as the English page has it.
        #[default]
        Running,
        /// `RUNNING` and `STOPPING`, as the Chinese page has it.
        RunningOrStopping,
    }
}

setting! {
    /// What a reboot without `forceReboot` is.
    PlainReboot {
        /// Graceful.
        #[default]
        Graceful,
        /// Forced, like a stop without `forceShutdown`.
        Forced,
    }
}

setting! {
    /// How many rows a describe call with ids and without a page size gives.
    IdsPage {
        /// The default page of 20.
        #[default]
        Default,
        /// All of them.
        All,
    }
}

setting! {
    /// The order of rows.
    RowOrder {
        /// In which the instances were made.
        #[default]
        Made,
        /// The other way round within a page.
        Reversed,
    }
}

setting! {
    /// Whether `X-ZC-Version` must be there.
    VersionHeader {
        /// It need not.
        #[default]
        Optional,
        /// 400 `MISSING_PARAMETER` without it.
        Required,
    }
}
