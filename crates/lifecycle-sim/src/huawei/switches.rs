//! What nobody outside the vendor knows about Huawei ECS, and where its documents disagree.

use crate::switches::{describe_fields, draw, setting};

describe_fields! {
    /// How the simulated Huawei ECS behaves where its documents are silent or contradict each other.
    #[derive(Clone, Debug, PartialEq)]
    #[non_exhaustive]
    pub struct Switches {
        /// What a batch does when some of its servers cannot be acted on. Unknown.
        pub unfit_server: UnfitServer,
        /// What a batch does when another operation is under way on one of its servers. `Ecs.0603` is
        /// documented, when it shows up is not.
        pub busy_server: BusyServer,
        /// What a batch does when one of its servers does not exist. Unknown.
        pub unknown_server: UnknownServer,
        /// Does starting a running server succeed, and stopping a stopped one? Otherwise the server is in
        /// a wrong state. Unknown.
        pub idle_succeeds: bool,
        /// Is a server that is named twice in a batch taken once? Otherwise the call is refused. Unknown.
        pub folds_duplicates: bool,
        /// Is a batch without servers accepted as a job that has nothing to do? Otherwise it is refused.
        /// No minimum is documented.
        pub accepts_empty_batch: bool,
        /// Do the 1000 servers of the limit count over a minute? Otherwise they count per call. Older and
        /// newer pages disagree.
        pub limit_is_per_minute: bool,
        /// The status of an accepted power call: 200 or 202. Documented with both.
        pub accepted_status: u16,
        /// Does a job say `FAIL` when only some of its sub-jobs failed? Otherwise it says `SUCCESS`.
        /// Unknown.
        pub partial_failure_fails_job: bool,
        /// Does the job of a single server name that server without a sub-job? The fields for both forms
        /// are documented.
        pub bare_single_job: bool,
        /// Does the sub-job of a graceful stop that the guest ignores fail after five minutes? Otherwise it
        /// runs for ever. Unknown.
        pub stuck_stop_fails: bool,
        /// The status for a job that ended more than a day ago: 400 or 404. Only its deletion is
        /// documented.
        pub expired_job_status: u16,
        /// In which form the list takes several values of `server_id`. Two documents disagree.
        pub server_ids: ServerIds,
        /// Is a list of named servers cut into pages of 25 unless told otherwise? Otherwise they all come.
        /// Not documented.
        pub pages_named_servers: bool,
        /// How the query of one server says that there is none. Unknown.
        pub show_not_found: ShowNotFound,
        /// How a project that is not the caller's is refused. Documented with two codes.
        pub wrong_project: WrongProject,
        /// How a call that came too soon is refused. Documented with several codes.
        pub throttling: Throttling,
        /// How a temporary key that has ended is refused. Unknown.
        pub ended_key: EndedKey,
        /// The form in which IAM refuses a login. Users quoted the one, newer documents have the other.
        pub identity_error: IdentityError,
        /// What the metadata service of a server does about tokens. A setting of the server; the SDK knows
        /// three ways of giving none.
        pub metadata_tokens: MetadataTokens,
    }
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            unfit_server: UnfitServer::default(),
            busy_server: BusyServer::default(),
            unknown_server: UnknownServer::default(),
            idle_succeeds: true,
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
            ended_key: EndedKey::default(),
            identity_error: IdentityError::default(),
            metadata_tokens: MetadataTokens::default(),
        }
    }
}

impl Switches {
    /// Every setting drawn by chance.
    pub(crate) fn random(rng: &mut fastrand::Rng) -> Self {
        Self {
            unfit_server: UnfitServer::draw(rng),
            busy_server: BusyServer::draw(rng),
            unknown_server: UnknownServer::draw(rng),
            idle_succeeds: rng.bool(),
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
            ended_key: EndedKey::draw(rng),
            identity_error: IdentityError::draw(rng),
            metadata_tokens: MetadataTokens::draw(rng),
        }
    }
}

setting! {
    /// What a batch does when some of its servers cannot be acted on.
    UnfitServer {
        /// It is accepted, and the sub-jobs of those servers fail.
        #[default]
        SubJobFails,
        /// It is refused with the code of the first of them, and nothing is done.
        Refused,
        /// It is refused with `Ecs.0611`, and the details give the code of each of them.
        RefusedWithDetails,
    }
}

setting! {
    /// What a batch does when another operation is under way on one of its servers.
    BusyServer {
        /// It is refused with 501 `Ecs.0603`, and nothing is done.
        #[default]
        Refused,
        /// The same as when a server cannot be acted on for another reason.
        Unfit,
    }
}

setting! {
    /// What a batch does when one of its servers does not exist.
    UnknownServer {
        /// It is refused with 404 `Ecs.0114`, and nothing is done.
        #[default]
        Ecs0114,
        /// It is refused with 404 `Ecs.0614`, and nothing is done.
        Ecs0614,
        /// It is accepted, and the sub-job of that server fails.
        SubJobFails,
    }
}

setting! {
    /// In which form the list takes several values of `server_id`.
    ServerIds {
        /// In both.
        #[default]
        Both,
        /// `server_id=a,b`, as the SDK's comment shows; of several parameters the first counts.
        Comma,
        /// `server_id=a&server_id=b`, as the web page shows; a value with a comma is one odd id.
        Repeated,
    }
}

setting! {
    /// How the query of one server says that there is none.
    ShowNotFound {
        /// 404 `Ecs.0114`.
        #[default]
        Ecs0114,
        /// 404 `Ecs.0614`.
        Ecs0614,
        /// 404 `itemNotFound`, in the form of OpenStack.
        ItemNotFound,
    }
}

setting! {
    /// How a project that is not the caller's is refused.
    WrongProject {
        /// 400 `Ecs.0023`.
        #[default]
        Ecs0023,
        /// 400 `Common.0018`.
        Common0018,
    }
}

setting! {
    /// How a call that came too soon is refused.
    Throttling {
        /// 429 `APIGW.0308`.
        #[default]
        Gateway429,
        /// 503 `Common.1503`.
        Service503,
        /// 429 `Common.1503`.
        Service429,
        /// 202 `Common.0024`: an error in the clothes of a success.
        FlowLimit202,
    }
}

setting! {
    /// How a temporary key that has ended is refused.
    EndedKey {
        /// 401 `APIGW.0301`, as any key that does not prove itself.
        #[default]
        NotAuthentic,
        /// 401 `APIGW.0307`, as a token that has ended.
        Stale,
    }
}

setting! {
    /// The form in which IAM refuses a login.
    IdentityError {
        /// `{"error":{"code":401,"message","title"}}`, whose code is a number.
        #[default]
        Keystone,
        /// `{"error_code":"IAM.0011","error_msg"}`.
        Flat,
    }
}

setting! {
    /// What the metadata service of a server does about tokens.
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
        /// It gives none: the request for one answers 503.
        Absent503,
    }
}
