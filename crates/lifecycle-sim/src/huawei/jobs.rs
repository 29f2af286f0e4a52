//! Jobs: what an accepted power call turns into.
//!
//! Documented: the fields, the words of the status, and that jobs are deleted a day after their end. The
//! form of a running job is that of a real answer: `end_time` is empty, and the fields of the error are
//! not there. Inferred: when `INIT` becomes `RUNNING`, and the words of `job_type`, which no document
//! gives for power calls.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde::Serialize;

use super::refusal::{self, Refusal};
use crate::{
    instance::Verb,
    response::{self, Response},
    site::Site,
    time::{Moment, write_utc},
};

/// All jobs that were ever accepted.
pub(super) type Jobs = HashMap<String, Job>;

/// An accepted power call.
#[derive(Debug)]
pub(super) struct Job {
    verb: Verb,
    began: Moment,
    parts: Vec<Part>,
}

/// What becomes of one server.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) server: Arc<str>,
    /// When it is over.
    pub(super) due: Moment,
    pub(super) failure: Option<Failure>,
}

/// Why a sub-job failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    pub(super) reason: String,
}

impl Job {
    pub(super) fn new(verb: Verb, began: Moment, parts: Vec<Part>) -> Self {
        Self { verb, began, parts }
    }

    fn due(&self) -> Moment {
        let last = self.parts.iter().map(|part| part.due).max();
        last.unwrap_or(self.began)
    }

    fn status(&self, now: Moment, partial_failure_fails: bool) -> Status {
        if now < self.due() {
            return if self.is_fresh(now) {
                Status::Init
            } else {
                Status::Running
            };
        }
        let failed = self
            .parts
            .iter()
            .filter(|part| part.failure.is_some())
            .count();
        let fails = failed > 0 && (partial_failure_fails || failed == self.parts.len());
        if fails { Status::Fail } else { Status::Success }
    }

    /// The first twentieth of the time until the first server is done.
    fn is_fresh(&self, now: Moment) -> bool {
        let first = self
            .parts
            .iter()
            .map(|part| part.due)
            .filter(|due| *due > self.began && *due != Moment::NEVER)
            .min();
        first.is_some_and(|first| now.since(self.began) * 20 < first.since(self.began))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Init,
    Running,
    Success,
    Fail,
}

/// `GET /v1/{project_id}/jobs/{job_id}`.
pub(super) fn show(site: &Site, id: &str) -> Result<Response, Refusal> {
    let switches = &site.switches.huawei;
    let job = site.huawei.jobs.get(id).ok_or(refusal::NO_JOB)?;
    if site.now().since(job.due()) > Duration::from_secs(24 * 60 * 60) {
        return Err(refusal::NO_JOB.with_status(switches.expired_job_status));
    }
    let status = job.status(site.now(), switches.partial_failure_fails_job);
    let first_failure = job.parts.iter().find_map(|part| part.failure.as_ref());
    let error = match (status, &*job.parts, first_failure) {
        (Status::Running, ..) => Fields::absent(),
        (Status::Fail, [_], Some(failure)) if switches.bare_single_job => {
            Fields::of(failure.code, &failure.reason)
        }
        (Status::Fail, ..) => Fields::of("Common.0021", "Sub-jobs failed."),
        _ => Fields::null(),
    };
    Ok(response::json(
        200,
        &JobBody {
            status,
            entities: Entities::of(site, id, job, status),
            job_id: id,
            job_type: job_type(job.verb, true),
            begin_time: time(site, job.began),
            end_time: end_time(site, job.due()),
            error,
        },
    ))
}

fn job_type(verb: Verb, whole: bool) -> &'static str {
    match (verb, whole) {
        (Verb::Start, true) => "batchStartServer",
        (Verb::Start, false) => "startServer",
        (Verb::Stop, true) => "batchStopServer",
        (Verb::Stop, false) => "stopServer",
        (Verb::Reboot, true) => "batchRebootServer",
        (Verb::Reboot, false) => "rebootServer",
    }
}

fn time(site: &Site, moment: Moment) -> String {
    write_utc("%Y-%m-%dT%H:%M:%S%.3fZ", site.wall_at(moment))
}

/// Empty until then.
fn end_time(site: &Site, due: Moment) -> String {
    if site.now() < due {
        String::new()
    } else {
        time(site, due)
    }
}

#[derive(Serialize)]
struct JobBody<'a> {
    status: Status,
    entities: Entities<'a>,
    job_id: &'a str,
    job_type: &'static str,
    begin_time: String,
    end_time: String,
    #[serde(flatten)]
    error: Fields<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Entities<'a> {
    SubJobs {
        sub_jobs_total: usize,
        sub_jobs: Vec<SubJob<'a>>,
    },
    Server {
        server_id: &'a str,
    },
}

impl<'a> Entities<'a> {
    fn of(site: &Site, id: &str, job: &'a Job, status: Status) -> Self {
        match &*job.parts {
            [only] if site.switches.huawei.bare_single_job => Self::Server {
                server_id: &only.server,
            },
            _ if status == Status::Init => Self::SubJobs {
                sub_jobs_total: 0,
                sub_jobs: Vec::new(),
            },
            parts => Self::SubJobs {
                sub_jobs_total: parts.len(),
                sub_jobs: parts
                    .iter()
                    .enumerate()
                    .map(|(number, part)| SubJob::of(site, id, number, job, part))
                    .collect(),
            },
        }
    }
}

#[derive(Serialize)]
struct SubJob<'a> {
    status: Status,
    entities: SubEntities<'a>,
    job_id: String,
    job_type: &'static str,
    begin_time: String,
    end_time: String,
    #[serde(flatten)]
    error: Fields<'a>,
}

#[derive(Serialize)]
struct SubEntities<'a> {
    server_id: &'a str,
    /// The concrete cause of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    errorcode_message: Option<&'a str>,
}

impl<'a> SubJob<'a> {
    fn of(site: &Site, parent: &str, number: usize, job: &Job, part: &'a Part) -> Self {
        let (status, error) = match &part.failure {
            _ if site.now() < part.due => (Status::Running, Fields::absent()),
            Some(failure) => (Status::Fail, Fields::of(failure.code, &failure.reason)),
            None => (Status::Success, Fields::null()),
        };
        let cause = part.failure.as_ref().filter(|_| status == Status::Fail);
        Self {
            status,
            entities: SubEntities {
                server_id: &part.server,
                errorcode_message: cause.map(|failure| failure.reason.as_str()),
            },
            job_id: format!("{}{number:08x}", parent.get(..24).unwrap_or_default()),
            job_type: job_type(job.verb, false),
            begin_time: time(site, job.began),
            end_time: end_time(site, part.due),
            error,
        }
    }
}

/// The fields of the error: not there, null, or set.
#[derive(Serialize)]
struct Fields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fail_reason: Option<Option<&'a str>>,
}

impl<'a> Fields<'a> {
    fn absent() -> Self {
        Self {
            error_code: None,
            fail_reason: None,
        }
    }

    fn null() -> Self {
        Self {
            error_code: Some(None),
            fail_reason: Some(None),
        }
    }

    fn of(code: &'a str, reason: &'a str) -> Self {
        Self {
            error_code: Some(Some(code)),
            fail_reason: Some(Some(reason)),
        }
    }
}
