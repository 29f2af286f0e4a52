//! Switches of the simulated Zenlayer ZEC: one for each behaviour that the documentation leaves open
//! or contradicts.

use crate::switches::{IgnoredFilters, describe_fields, setting};

describe_fields! {
    /// The behaviour of the simulated Zenlayer ZEC where the documentation is missing or
    /// contradictory.
    #[derive(Clone, Debug, Default, PartialEq)]
    #[non_exhaustive]
    pub struct Switches {
        /// The status of a starting instance: the text and the enumeration in the documentation
        /// differ.
        pub starting: Starting,
        /// The status of an instance in the recycle bin: the text and the enumeration in the
        /// documentation differ.
        pub recycled: Recycled,
        /// The value of `instanceIds`, the list of failed instances, without failed instances. Not
        /// documented.
        pub none_failed: NoneFailed,
        /// The result of a call in which some instances do not allow the action. Not documented.
        pub batch_failure: BatchFailure,
        /// The codes of a wrong state: older and newer documentation differ.
        pub state_codes: StateCodes,
        /// The code of an instance in the recycle bin: two are documented.
        pub recycled_code: RecycledCode,
        /// The code of an instance that does not exist: two are documented.
        pub unknown_id: UnknownId,
        /// The result of a describe call with an id that does not exist. The vendor's storage
        /// driver expects a response without the id; the vendor's Terraform provider expects an
        /// error, too.
        pub unknown_in_describe: UnknownInDescribe,
        /// The result of a power call with an empty list of ids. Not documented.
        pub no_ids: NoIds,
        /// The result of a power call with an id that occurs twice. Not documented.
        pub duplicates: Duplicates,
        /// The states from which an instance can be stopped: the English and the Chinese
        /// documentation differ.
        pub stop_from: StopFrom,
        /// The kind of a reboot without `forceReboot`. Not documented.
        pub plain_reboot: PlainReboot,
        /// The number of rows of a describe call with ids and without a page size. Not documented.
        pub ids_page: IdsPage,
        /// The order of rows. Not documented.
        pub order: RowOrder,
        /// The need for the header `X-ZC-Version`. Not documented.
        pub version_header: VersionHeader,
        /// The filters that `DescribeInstances` ignores.
        pub ignored_filters: IgnoredFilters,
        /// The filter by name ignores upper and lower case. Not documented.
        pub names_ignore_case: bool,
        /// The meaning of several tags, or of several keys of tags, in a filter. Not documented.
        pub several_tags: SeveralTags,
    }
}

impl Switches {
    /// Draws all settings at random.
    pub(crate) fn random(rng: &mut fastrand::Rng) -> Self {
        Self {
            starting: Starting::draw(rng),
            recycled: Recycled::draw(rng),
            none_failed: NoneFailed::draw(rng),
            batch_failure: BatchFailure::draw(rng),
            state_codes: StateCodes::draw(rng),
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
            ignored_filters: IgnoredFilters::draw(rng),
            names_ignore_case: rng.bool(),
            several_tags: SeveralTags::draw(rng),
        }
    }
}

setting! {
    /// The status of a starting instance.
    Starting {
        /// `BOOTING`, as in the enumeration.
        #[default]
        Booting,
        /// `STARTING`, as in the text.
        Starting,
    }
}

setting! {
    /// The status of an instance in the recycle bin.
    Recycled {
        /// `RECYCLE`, as in the enumeration.
        #[default]
        Recycle,
        /// `RECYCLED`, as in the text.
        Recycled,
    }
}

setting! {
    /// The list of failed instances in a response without failed instances.
    NoneFailed {
        /// An empty list.
        #[default]
        Empty,
        /// No field.
        Absent,
        /// `null`.
        Null,
    }
}

setting! {
    /// The result of a call in which some instances do not allow the action.
    BatchFailure {
        /// 200; the action is executed on the other instances, and `instanceIds` lists the failed
        /// instances.
        #[default]
        Listed,
        /// An error, and nothing is executed.
        AllFail,
        /// An error without execution if an id is unknown; a list otherwise.
        AllFailForUnknown,
        /// An error, although the action is executed on the other instances.
        ErrorDespiteExecution,
    }
}

setting! {
    /// The codes of a wrong state.
    StateCodes {
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
    /// The result of a describe call with an unknown id.
    UnknownInDescribe {
        /// The id has no row.
        #[default]
        Omitted,
        /// The whole call fails.
        Refused,
    }
}

setting! {
    /// The result of a power call with an empty list of ids.
    NoIds {
        /// 400 `INVALID_PARAMETER_LESS_LENGTH`.
        #[default]
        LessLength,
        /// 400 `MISSING_PARAMETER`.
        Missing,
        /// Success without an effect.
        Accepted,
    }
}

setting! {
    /// The result of a power call with an id that occurs twice.
    Duplicates {
        /// The id counts once.
        #[default]
        CountedOnce,
        /// 400 `INVALID_PARAMETER_VALUE`.
        Refused,
    }
}

setting! {
    /// The states from which an instance can be stopped.
    StopFrom {
        /// `RUNNING`, as on the English page.
        #[default]
        Running,
        /// `RUNNING` and `STOPPING`, as on the Chinese page.
        RunningOrStopping,
    }
}

setting! {
    /// The kind of a reboot without `forceReboot`.
    PlainReboot {
        /// A graceful reboot.
        #[default]
        Graceful,
        /// A forced reboot, like a stop without `forceShutdown`.
        Forced,
    }
}

setting! {
    /// The number of rows of a describe call with ids and without a page size.
    IdsPage {
        /// The default page of 20.
        #[default]
        Default,
        /// All rows.
        All,
    }
}

setting! {
    /// The order of rows.
    RowOrder {
        /// The order of creation.
        #[default]
        Creation,
        /// The reverse order within a page.
        Reversed,
    }
}

setting! {
    /// The need for the header `X-ZC-Version`.
    VersionHeader {
        /// The header is optional.
        #[default]
        Optional,
        /// The header is mandatory: 400 `MISSING_PARAMETER` without it.
        Required,
    }
}

setting! {
    /// The meaning of several tags in a filter.
    SeveralTags {
        /// The instance must have all of them.
        #[default]
        All,
        /// The instance must have one of them.
        Any,
    }
}
