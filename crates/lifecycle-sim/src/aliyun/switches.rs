//! What nobody outside the vendor knows about Alibaba ECS, and where its documents disagree.

use crate::switches::{describe_fields, draw, setting};

describe_fields! {
    /// How the simulated Alibaba ECS behaves where its documents are silent or contradict each other.
    #[derive(Clone, Debug, PartialEq)]
    #[non_exhaustive]
    pub struct Switches {
        /// How a batch call says that a dry run went well. Unknown: only the word `DRYRUN.SUCCESS` is
        /// documented.
        pub batch_dry_run: BatchDryRun,
        /// Does the error of an all-or-nothing batch name the instance that caused it? Unknown.
        pub names_culprit: bool,
        /// Is an id that comes twice in a batch taken once? Otherwise the call is refused. Unknown.
        pub folds_duplicates: bool,
        /// Does a `SuccessFirst` row that failed by its state show that state? Unknown.
        pub failed_rows_show_status: bool,
        /// Is `DescribeInstanceStatus` refused when one of its ids is unknown? Otherwise that id is left
        /// out. Unknown.
        pub refuses_unknown_ids: bool,
        /// Are pages and rows in the reverse of the order in which the instances were made? No order is
        /// documented.
        pub reversed_rows: bool,
        /// What a rebooting instance shows. Newer and older documents disagree.
        pub reboot_shows: RebootShows,
        /// Does an instance whose boot failed show `Starting` for ever? Otherwise it shows `Stopped`
        /// again. The documents say only that a long `Starting` means a fault.
        pub failed_boot_hangs: bool,
        /// Is a stop taken while the instance is starting? The documents name `Running` as the
        /// precondition; Packer tries it.
        pub stops_while_starting: bool,
        /// Is `StopCharging` refused for an instance that cannot do it? The error table of 2021 says so;
        /// newer documents say that the instance is stopped in the ordinary way.
        pub refuses_unfit_stop_charging: bool,
        /// Does a stop that says nothing of `StoppedMode` give the resources back? Depends on a setting
        /// of the account.
        pub economical_by_default: bool,
        /// Does a regional host say that another region's name does not exist? Otherwise it takes the
        /// name and finds none of that region's instances. Unknown.
        pub refuses_foreign_regions: bool,
        /// Does the last page come with an empty `NextToken`? Otherwise it comes with none. Unknown.
        pub empty_last_token: bool,
        /// The status of `InstanceNotReady`: 403 or 500. Documented with both.
        pub not_ready_status: u16,
        /// The status of `InvalidAccessKeyId.NotFound`: 404 or 400. Documented with both.
        pub unknown_key_status: u16,
        /// The status of `InvalidSecurityToken.*` and `MissingSecurityToken`: 400 or 403. Unknown.
        pub session_status: u16,
        /// The code with which a missing parameter is refused. Three families are documented.
        pub missing_parameter: MissingParameter,
        /// The code and status of throttling. Documented with several.
        pub throttling: Throttling,
        /// In which header a throttled caller is told how long to wait. Two SDKs of the vendor read
        /// different ones.
        pub throttling_hint: ThrottlingHint,
        /// Is the answer XML when nothing says otherwise? Two documents disagree.
        pub xml_by_default: bool,
        /// What the metadata service of an instance does about tokens. A setting of the instance; on some
        /// hosts the service gives none.
        pub metadata_tokens: MetadataTokens,
        /// The status with which the metadata service refuses a token, or a request without one: 403 or
        /// 401. Unknown.
        pub metadata_refusal_status: u16,
        /// Are `TRUE` and `FALSE` taken as booleans? Only `true` and `True` are known to be.
        pub upper_case_booleans: bool,
    }
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            batch_dry_run: BatchDryRun::default(),
            names_culprit: false,
            folds_duplicates: true,
            failed_rows_show_status: true,
            refuses_unknown_ids: false,
            reversed_rows: false,
            reboot_shows: RebootShows::default(),
            failed_boot_hangs: true,
            stops_while_starting: false,
            refuses_unfit_stop_charging: false,
            economical_by_default: false,
            refuses_foreign_regions: false,
            empty_last_token: true,
            not_ready_status: 403,
            unknown_key_status: 404,
            session_status: 400,
            missing_parameter: MissingParameter::default(),
            throttling: Throttling::default(),
            throttling_hint: ThrottlingHint::default(),
            xml_by_default: true,
            metadata_tokens: MetadataTokens::default(),
            metadata_refusal_status: 403,
            upper_case_booleans: true,
        }
    }
}

impl Switches {
    /// Every setting drawn by chance.
    pub(crate) fn random(rng: &mut fastrand::Rng) -> Self {
        Self {
            batch_dry_run: BatchDryRun::draw(rng),
            names_culprit: rng.bool(),
            folds_duplicates: rng.bool(),
            failed_rows_show_status: rng.bool(),
            refuses_unknown_ids: rng.bool(),
            reversed_rows: rng.bool(),
            reboot_shows: RebootShows::draw(rng),
            failed_boot_hangs: rng.bool(),
            stops_while_starting: rng.bool(),
            refuses_unfit_stop_charging: rng.bool(),
            economical_by_default: rng.bool(),
            refuses_foreign_regions: rng.bool(),
            empty_last_token: rng.bool(),
            not_ready_status: draw(rng, &[403, 500], 403),
            unknown_key_status: draw(rng, &[404, 400], 404),
            session_status: draw(rng, &[400, 403], 400),
            missing_parameter: MissingParameter::draw(rng),
            throttling: Throttling::draw(rng),
            throttling_hint: ThrottlingHint::draw(rng),
            xml_by_default: rng.bool(),
            metadata_tokens: MetadataTokens::draw(rng),
            metadata_refusal_status: draw(rng, &[403, 401], 403),
            upper_case_booleans: rng.bool(),
        }
    }
}

setting! {
    /// How a batch call says that a dry run went well.
    BatchDryRun {
        /// As an error of status 400, like the single calls' `DryRunOperation`.
        #[default]
        ErrorCode,
        /// As a code of an answer of status 200.
        AnswerCode,
        /// As the code of every row.
        RowCode,
        /// As the message of every row, whose code is `200`.
        RowMessage,
    }
}

setting! {
    /// What a rebooting instance shows.
    RebootShows {
        /// `Starting`, then `Running`: the newer text.
        #[default]
        Starting,
        /// `Stopping`, then `Running`: the older text.
        Stopping,
        /// `Stopping`, `Starting`, `Running`.
        StoppingThenStarting,
    }
}

setting! {
    /// The code with which a missing parameter is refused.
    MissingParameter {
        /// `MissingParameter`.
        #[default]
        Plain,
        /// `MissingParameter.RegionId`.
        Dotted,
        /// `MissingRegionId`, as the gateway says.
        Gateway,
    }
}

setting! {
    /// The code and status of throttling.
    Throttling {
        /// `Throttling.User` with status 400.
        #[default]
        User400,
        /// `Throttling.User` with status 429.
        User429,
        /// `Throttling.Api` with status 429.
        Api429,
        /// `Throttling` with status 400.
        Plain400,
        /// `Throttling` with status 403.
        Plain403,
    }
}

setting! {
    /// In which header a throttled caller is told how long to wait.
    ThrottlingHint {
        /// `x-acs-retry-after`, in milliseconds, which the Python SDK reads.
        #[default]
        RetryAfter,
        /// `x-ratelimit-user-api` and `x-ratelimit-user`, which the Go SDK reads.
        RateLimit,
    }
}

setting! {
    /// What the metadata service of an instance does about tokens.
    MetadataTokens {
        /// It gives them, and answers without one, too.
        #[default]
        Optional,
        /// It answers only with one.
        Demanded,
        /// It gives none: the request for one answers 404.
        Absent404,
        /// It gives none: the request for one answers 405.
        Absent405,
        /// It gives them, and refuses requests that come with one; seen in 2026.
        Useless,
    }
}
