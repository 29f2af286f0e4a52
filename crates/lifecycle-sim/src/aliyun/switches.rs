//! Switches of the simulated Alibaba ECS: one for each behaviour that the documentation leaves open
//! or contradicts.

use crate::switches::{IgnoredFilters, describe_fields, draw, setting};

describe_fields! {
    /// The behaviour of the simulated Alibaba ECS where the documentation is missing or
    /// contradictory.
    #[derive(Clone, Debug, PartialEq)]
    #[non_exhaustive]
    pub struct Switches {
        /// The form of a successful dry run of a batch call. Unknown: only the word
        /// `DRYRUN.SUCCESS` is documented.
        pub batch_dry_run: BatchDryRun,
        /// The error of an all-or-nothing batch names the instance that caused the error. Unknown.
        pub error_names_the_instance: bool,
        /// An id that occurs twice in a batch counts once. Otherwise the call is refused. Unknown.
        pub folds_duplicates: bool,
        /// A `SuccessFirst` row that failed because of the state shows the state. Unknown.
        pub failed_rows_show_status: bool,
        /// `DescribeInstanceStatus` is refused if one of the ids is unknown. Otherwise the unknown
        /// id has no row. Unknown.
        pub refuses_unknown_ids: bool,
        /// Pages and rows are in the reverse order of creation. No order is documented.
        pub reversed_rows: bool,
        /// The states that a rebooting instance shows. Newer and older documents disagree.
        pub reboot_shows: RebootShows,
        /// An instance whose boot failed shows `Starting` for ever. Otherwise the instance shows
        /// `Stopped` again. The documents say only that a long `Starting` means a fault.
        pub failed_boot_hangs: bool,
        /// A stop is accepted while the instance is starting. The documents name `Running` as the
        /// precondition; Packer tries a stop in this state.
        pub stops_while_starting: bool,
        /// A stop of an instance with a security lock is executed. The documentation of locked
        /// instances of April 2025 says so; the documentation of the stop calls says that the stop
        /// is refused.
        pub stops_security_locked_instances: bool,
        /// `StopCharging` is refused for an instance that does not support the mode. The error
        /// table of 2021 says so; newer documents say that the instance is stopped in the ordinary
        /// way.
        pub refuses_unsupported_stop_charging: bool,
        /// A stop without `StoppedMode` releases the resources. Depends on a setting of the
        /// account.
        pub economical_by_default: bool,
        /// A regional host reports that the name of another region does not exist. Otherwise the
        /// host accepts the name and finds none of the other region's instances. Unknown.
        pub refuses_foreign_regions: bool,
        /// The last page has an empty `NextToken`. Otherwise the last page has none. Unknown.
        pub empty_last_token: bool,
        /// The status of `InstanceNotReady`: 403 or 500. Documented with both.
        pub not_ready_status: u16,
        /// The status of `InvalidAccessKeyId.NotFound`: 404 or 400. Documented with both.
        pub unknown_key_status: u16,
        /// The status of `InvalidSecurityToken.*` and `MissingSecurityToken`: 400 or 403. Unknown.
        pub session_status: u16,
        /// The code for a missing parameter. Three families are documented.
        pub missing_parameter: MissingParameter,
        /// The code and status of throttling. Several are documented.
        pub throttling: Throttling,
        /// The header with the time to wait after throttling. Two SDKs of the vendor read different
        /// headers.
        pub throttling_hint: ThrottlingHint,
        /// The response is XML if the request does not name a format. Two documents disagree.
        pub xml_by_default: bool,
        /// The tokens of an instance's metadata service. A setting of the instance; on some hosts
        /// the service issues no tokens.
        pub metadata_tokens: MetadataTokens,
        /// The status of the metadata service for an invalid token, or for a request without a
        /// token: 403 or 401. Unknown.
        pub metadata_refusal_status: u16,
        /// A time with fractional seconds is accepted. The documents show whole seconds; a published
        /// client sends fractions.
        pub fractional_seconds: bool,
        /// The filters that `DescribeInstances` ignores.
        pub ignored_filters: IgnoredFilters,
        /// The filter by name ignores upper and lower case. Unknown.
        pub names_ignore_case: bool,
        /// A name without `*` finds names that contain the text. Otherwise only the same name matches.
        /// The documents call the search fuzzy.
        pub names_match_parts: bool,
        /// The meaning of a filter by tag with an empty value. Unknown.
        pub empty_tag_value: EmptyTagValue,
        /// The response to a list in a region without access. The documents say that a RAM user without
        /// permission gets an empty list.
        pub forbidden_list: ForbiddenList,
        /// `TRUE` and `FALSE` are accepted as booleans. Only `true` and `True` are known to be
        /// accepted.
        pub upper_case_booleans: bool,
    }
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            batch_dry_run: BatchDryRun::default(),
            error_names_the_instance: false,
            folds_duplicates: true,
            failed_rows_show_status: true,
            refuses_unknown_ids: false,
            reversed_rows: false,
            reboot_shows: RebootShows::default(),
            failed_boot_hangs: true,
            stops_while_starting: false,
            stops_security_locked_instances: false,
            refuses_unsupported_stop_charging: false,
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
            fractional_seconds: false,
            ignored_filters: IgnoredFilters::default(),
            names_ignore_case: false,
            names_match_parts: false,
            empty_tag_value: EmptyTagValue::default(),
            forbidden_list: ForbiddenList::default(),
            upper_case_booleans: true,
        }
    }
}

impl Switches {
    /// Draws all settings at random.
    pub(crate) fn random(rng: &mut fastrand::Rng) -> Self {
        Self {
            batch_dry_run: BatchDryRun::draw(rng),
            error_names_the_instance: rng.bool(),
            folds_duplicates: rng.bool(),
            failed_rows_show_status: rng.bool(),
            refuses_unknown_ids: rng.bool(),
            reversed_rows: rng.bool(),
            reboot_shows: RebootShows::draw(rng),
            failed_boot_hangs: rng.bool(),
            stops_while_starting: rng.bool(),
            stops_security_locked_instances: rng.bool(),
            refuses_unsupported_stop_charging: rng.bool(),
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
            fractional_seconds: rng.bool(),
            upper_case_booleans: rng.bool(),
            ignored_filters: IgnoredFilters::draw(rng),
            names_ignore_case: rng.bool(),
            names_match_parts: rng.bool(),
            empty_tag_value: EmptyTagValue::draw(rng),
            forbidden_list: ForbiddenList::draw(rng),
        }
    }
}

setting! {
    /// The form of a successful dry run of a batch call.
    BatchDryRun {
        /// An error of status 400, like the `DryRunOperation` of single calls.
        #[default]
        ErrorCode,
        /// A code in a response of status 200.
        ResponseCode,
        /// The code of every row.
        RowCode,
        /// The message of every row; the code of the rows is `200`.
        RowMessage,
    }
}

setting! {
    /// The states that a rebooting instance shows.
    RebootShows {
        /// `Starting`, then `Running`: the pages of RebootInstance(s) of January 2026.
        #[default]
        Starting,
        /// `Stopping`, then `Running`: older copies of the page of the batch call.
        Stopping,
        /// `Stopping`, `Starting`, `Running`.
        StoppingThenStarting,
    }
}

setting! {
    /// The code for a missing parameter.
    MissingParameter {
        /// `MissingParameter`.
        #[default]
        Plain,
        /// `MissingParameter.RegionId`.
        Dotted,
        /// `MissingRegionId`, as in the gateway's documents.
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
    /// The header with the time to wait after throttling.
    ThrottlingHint {
        /// `x-acs-retry-after`, in milliseconds, which the Python SDK reads.
        #[default]
        RetryAfter,
        /// `x-ratelimit-user-api` and `x-ratelimit-user`, which the Go SDK reads.
        RateLimit,
    }
}

setting! {
    /// The tokens of an instance's metadata service.
    MetadataTokens {
        /// The service issues tokens and also answers requests without a token.
        #[default]
        Optional,
        /// The service answers only requests with a token.
        Required,
        /// The service issues no tokens: the request for a token answers 404.
        Absent404,
        /// The service issues no tokens: the request for a token answers 405.
        Absent405,
        /// The service issues tokens and refuses requests with a token; seen in 2026.
        IssuedButRefused,
    }
}

setting! {
    /// The meaning of a filter by tag with an empty value.
    EmptyTagValue {
        /// The tag can have any value.
        #[default]
        Any,
        /// The tag must have an empty value.
        Empty,
    }
}

setting! {
    /// The response to a list in a region without access.
    ForbiddenList {
        /// An empty list.
        #[default]
        Empty,
        /// 403 `Forbidden.RAM`.
        Refused,
    }
}
