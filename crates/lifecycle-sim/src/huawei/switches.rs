//! Switches of the simulated Huawei ECS: one for each behaviour that the documentation leaves open or
//! contradicts.

use crate::switches::{IgnoredFilters, describe_fields, draw, setting};

describe_fields! {
    /// The behaviour of the simulated Huawei ECS where the documentation is missing or
    /// contradictory.
    #[derive(Clone, Debug, PartialEq)]
    #[non_exhaustive]
    pub struct Switches {
        /// The result of a batch in which some servers cannot execute the action in their state. Unknown.
        pub unfit_server: UnfitServer,
        /// The result of a batch in which another operation is in progress on one server.
        /// `Ecs.0603` is documented, the condition is not.
        pub busy_server: BusyServer,
        /// The result of a batch in which one server does not exist. Unknown.
        pub unknown_server: UnknownServer,
        /// A start of a running server succeeds, and a stop of a stopped server. Otherwise the
        /// server has a wrong state. Unknown.
        pub succeeds_in_target_state: bool,
        /// A server that is named twice in a batch counts once. Otherwise the call is refused.
        /// Unknown.
        pub folds_duplicates: bool,
        /// A batch without servers is accepted as a job without work. Otherwise the batch is
        /// refused. No minimum is documented.
        pub accepts_empty_batch: bool,
        /// The limit of 1000 servers counts over a minute. Otherwise the limit counts per call.
        /// Older and newer documentation disagree.
        pub limit_is_per_minute: bool,
        /// The status of an accepted power call: 200 or 202. Documented with both.
        pub accepted_status: u16,
        /// A job shows `FAIL` when only some sub-jobs failed. Otherwise the job shows `SUCCESS`.
        /// Unknown.
        pub partial_failure_fails_job: bool,
        /// The job of a single server names the server without a sub-job. The fields for both forms
        /// are documented.
        pub bare_single_job: bool,
        /// The sub-job of a graceful stop that the guest ignores fails after five minutes.
        /// Otherwise the sub-job runs for ever. Unknown.
        pub stuck_stop_fails: bool,
        /// The status for a job that ended more than a day ago: 400 or 404. Only the deletion is
        /// documented.
        pub expired_job_status: u16,
        /// The form of several values of `server_id` in the list. Two documents disagree.
        pub server_ids: ServerIds,
        /// A list of named servers has pages of 25 by default. Otherwise the list is complete. Not
        /// documented.
        pub pages_named_servers: bool,
        /// The error of the query for an unknown server. Unknown.
        pub show_not_found: ShowNotFound,
        /// The error for a project that is not the caller's. Two codes are documented.
        pub wrong_project: WrongProject,
        /// The error of a throttled call. Several codes are documented.
        pub throttling: Throttling,
        /// The error of a call with an expired temporary key. Unknown.
        pub expired_key: ExpiredKey,
        /// The format of IAM's error for a failed login. Users quoted one, newer documents show the
        /// other.
        pub identity_error: IdentityError,
        /// The tokens of a server's metadata service. A setting of the server; the SDK handles
        /// three forms of a service without tokens.
        pub metadata_tokens: MetadataTokens,
        /// The filters that the list ignores. `server_id` has a switch of its own.
        pub ignored_filters: IgnoredFilters,
        /// The filter by name ignores upper and lower case. Unknown.
        pub names_ignore_case: bool,
        /// The filter by tag accepts a key without a value. Only `key=value` is documented.
        pub tag_keys_match: bool,
        /// The form of several tags in a filter. Only one tag is documented.
        pub several_tags: SeveralTags,
    }
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            unfit_server: UnfitServer::default(),
            busy_server: BusyServer::default(),
            unknown_server: UnknownServer::default(),
            succeeds_in_target_state: true,
            folds_duplicates: true,
            accepts_empty_batch: false,
            limit_is_per_minute: false,
            accepted_status: 200,
            partial_failure_fails_job: true,
            bare_single_job: false,
            stuck_stop_fails: false,
            expired_job_status: 400,
            server_ids: ServerIds::default(),
            pages_named_servers: false,
            show_not_found: ShowNotFound::default(),
            wrong_project: WrongProject::default(),
            throttling: Throttling::default(),
            expired_key: ExpiredKey::default(),
            identity_error: IdentityError::default(),
            metadata_tokens: MetadataTokens::default(),
            ignored_filters: IgnoredFilters::default(),
            names_ignore_case: false,
            tag_keys_match: false,
            several_tags: SeveralTags::default(),
        }
    }
}

impl Switches {
    /// Draws all settings at random.
    pub(crate) fn random(rng: &mut fastrand::Rng) -> Self {
        Self {
            unfit_server: UnfitServer::draw(rng),
            busy_server: BusyServer::draw(rng),
            unknown_server: UnknownServer::draw(rng),
            succeeds_in_target_state: rng.bool(),
            folds_duplicates: rng.bool(),
            accepts_empty_batch: rng.bool(),
            limit_is_per_minute: rng.bool(),
            accepted_status: draw(rng, &[200, 202], 200),
            partial_failure_fails_job: rng.bool(),
            bare_single_job: rng.bool(),
            stuck_stop_fails: rng.bool(),
            expired_job_status: draw(rng, &[400, 404], 400),
            server_ids: ServerIds::draw(rng),
            pages_named_servers: rng.bool(),
            show_not_found: ShowNotFound::draw(rng),
            wrong_project: WrongProject::draw(rng),
            throttling: Throttling::draw(rng),
            expired_key: ExpiredKey::draw(rng),
            identity_error: IdentityError::draw(rng),
            metadata_tokens: MetadataTokens::draw(rng),
            ignored_filters: IgnoredFilters::draw(rng),
            names_ignore_case: rng.bool(),
            tag_keys_match: rng.bool(),
            several_tags: SeveralTags::draw(rng),
        }
    }
}

setting! {
    /// The result of a batch in which some servers are unfit: their state does not allow the action.
    UnfitServer {
        /// The batch is accepted, and the sub-jobs of the unfit servers fail.
        #[default]
        SubJobFails,
        /// The batch is refused with the code of the first unfit server, and nothing is executed.
        Refused,
        /// The batch is refused with `Ecs.0611`, and the details list the code of each unfit
        /// server.
        RefusedWithDetails,
    }
}

setting! {
    /// The result of a batch in which another operation is in progress on one server.
    BusyServer {
        /// The batch is refused with 501 `Ecs.0603`, and nothing is executed.
        #[default]
        Refused,
        /// The same result as for an unfit server.
        TreatedAsUnfit,
    }
}

setting! {
    /// The result of a batch in which one server does not exist.
    UnknownServer {
        /// The batch is refused with 404 `Ecs.0114`, and nothing is executed.
        #[default]
        Ecs0114,
        /// The batch is refused with 404 `Ecs.0614`, and nothing is executed.
        Ecs0614,
        /// The batch is accepted, and the sub-job of the unknown server fails.
        SubJobFails,
    }
}

setting! {
    /// The form of several values of `server_id` in the list.
    ServerIds {
        /// Both forms.
        #[default]
        Both,
        /// `server_id=a,b`, as in the SDK's comment; of several parameters the first counts.
        Comma,
        /// `server_id=a&server_id=b`, as on the web page; a value with a comma is one unknown id.
        Repeated,
        /// Neither `server_id` nor `marker` is a parameter of the list, as in the documentation of
        /// Open Telekom Cloud and of some regions: both are ignored, and the list has all servers.
        Ignored,
    }
}

setting! {
    /// The error of the query for an unknown server.
    ShowNotFound {
        /// 404 `Ecs.0114`.
        #[default]
        Ecs0114,
        /// 404 `Ecs.0614`.
        Ecs0614,
        /// 404 `itemNotFound`, in the format of OpenStack.
        ItemNotFound,
    }
}

setting! {
    /// The error for a project that is not the caller's.
    WrongProject {
        /// 400 `Ecs.0023`.
        #[default]
        Ecs0023,
        /// 400 `Common.0018`.
        Common0018,
    }
}

setting! {
    /// The error of a throttled call.
    Throttling {
        /// 429 `APIGW.0308`.
        #[default]
        Gateway429,
        /// 503 `Common.1503`.
        Service503,
        /// 429 `Common.1503`.
        Service429,
        /// 202 `Common.0024`: an error with the status of a success.
        FlowLimit202,
    }
}

setting! {
    /// The error of a call with an expired temporary key.
    ExpiredKey {
        /// 401 `APIGW.0301`, as for every key with a wrong signature.
        #[default]
        LikeWrongSignature,
        /// 401 `APIGW.0307`, as for an expired token.
        LikeExpiredToken,
    }
}

setting! {
    /// The format of IAM's error for a failed login.
    IdentityError {
        /// `{"error":{"code":401,"message","title"}}`, whose code is a number.
        #[default]
        Keystone,
        /// `{"error_code":"IAM.0011","error_msg"}`.
        WithoutErrorObject,
    }
}

setting! {
    /// The tokens of a server's metadata service.
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
        /// The service issues no tokens: the request for a token answers 503.
        Absent503,
    }
}

setting! {
    /// The form of several tags in a filter.
    SeveralTags {
        /// The parameter occurs several times, and the server must have all tags.
        #[default]
        Repeated,
        /// One parameter has several tags, separated by commas, and the server must have all tags.
        Comma,
        /// The first parameter counts, and a comma is a part of the value.
        First,
    }
}
