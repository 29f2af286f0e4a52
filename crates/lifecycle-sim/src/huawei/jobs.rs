//! The simulated jobs of accepted Huawei power calls.
//!
//! Documented: the fields, the values of the status, and the deletion of jobs a day after the end.
//! The format of a running job is quoted from a real response: `end_time` is empty, and the error
//! fields are missing. Inferred: the change from `INIT` to `RUNNING`, and the values of `job_type`,
//! which no document lists for power calls.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde::Serialize;

use super::api_error::{self, ApiError};
use crate::{
    cloud_state::CloudState,
    power_operation::ActionKind,
    response::{self, Response},
    time::{Moment, write_utc},
};

/// All accepted jobs by id.
pub(super) type Jobs = HashMap<String, Job>;

/// An accepted power call.
#[derive(Debug)]
pub(super) struct Job {
    action: ActionKind,
    begun_at: Moment,
    tasks: Vec<ServerTask>,
}

/// The work on one server.
#[derive(Debug)]
pub(super) struct ServerTask {
    pub(super) server: Arc<str>,
    /// The moment of completion.
    pub(super) done_at: Moment,
    pub(super) failure: Option<SubJobFailure>,
}

/// The cause of a failed sub-job.
#[derive(Clone, Debug)]
pub(super) struct SubJobFailure {
    pub(super) code: &'static str,
    pub(super) reason: String,
}

impl Job {
    pub(super) fn new(action: ActionKind, begun_at: Moment, tasks: Vec<ServerTask>) -> Self {
        Self {
            action,
            begun_at,
            tasks,
        }
    }

    fn done_at(&self) -> Moment {
        let last = self.tasks.iter().map(|task| task.done_at).max();
        last.unwrap_or(self.begun_at)
    }

    fn status(&self, now: Moment, partial_failure_fails: bool) -> JobStatus {
        if now < self.done_at() {
            return if self.has_just_begun(now) {
                JobStatus::Init
            } else {
                JobStatus::Running
            };
        }
        let failed = self
            .tasks
            .iter()
            .filter(|task| task.failure.is_some())
            .count();
        let fails = failed > 0 && (partial_failure_fails || failed == self.tasks.len());
        if fails {
            JobStatus::Fail
        } else {
            JobStatus::Success
        }
    }

    /// Reports whether less than a twentieth of the time until the first completion has passed.
    fn has_just_begun(&self, now: Moment) -> bool {
        let first = self
            .tasks
            .iter()
            .map(|task| task.done_at)
            .filter(|done_at| *done_at > self.begun_at && *done_at != Moment::NEVER)
            .min();
        first.is_some_and(|first| now.since(self.begun_at) * 20 < first.since(self.begun_at))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum JobStatus {
    Init,
    Running,
    Success,
    Fail,
}

/// Handles `GET /v1/{project_id}/jobs/{job_id}`.
pub(super) fn show(cloud: &CloudState, id: &str) -> Result<Response, ApiError> {
    let switches = &cloud.switches.huawei;
    let job = cloud.huawei.jobs.get(id).ok_or(api_error::NO_JOB)?;
    if cloud.now().since(job.done_at()) > Duration::from_secs(24 * 60 * 60) {
        return Err(api_error::NO_JOB.with_status(switches.expired_job_status));
    }
    let status = job.status(cloud.now(), switches.partial_failure_fails_job);
    let first_failure = job.tasks.iter().find_map(|task| task.failure.as_ref());
    let error = match (status, &*job.tasks, first_failure) {
        (JobStatus::Running, ..) => ErrorFields::absent(),
        (JobStatus::Fail, [_], Some(failure)) if switches.bare_single_job => {
            ErrorFields::of(failure.code, &failure.reason)
        }
        (JobStatus::Fail, ..) => ErrorFields::of("Common.0021", "Sub-jobs failed."),
        _ => ErrorFields::null(),
    };
    Ok(response::json(
        200,
        &JobBody {
            status,
            entities: Entities::of(cloud, id, job, status),
            job_id: id,
            job_type: batch_job_type(job.action),
            begin_time: time(cloud, job.begun_at),
            end_time: end_time(cloud, job.done_at()),
            error,
        },
    ))
}

/// Returns the type of the job of a batch.
fn batch_job_type(action: ActionKind) -> &'static str {
    match action {
        ActionKind::Start => "batchStartServer",
        ActionKind::Stop => "batchStopServer",
        ActionKind::Reboot => "batchRebootServer",
    }
}

/// Returns the type of the sub-job of one server.
fn sub_job_type(action: ActionKind) -> &'static str {
    match action {
        ActionKind::Start => "startServer",
        ActionKind::Stop => "stopServer",
        ActionKind::Reboot => "rebootServer",
    }
}

fn time(cloud: &CloudState, moment: Moment) -> String {
    write_utc("%Y-%m-%dT%H:%M:%S%.3fZ", cloud.wall_time_at(moment))
}

/// Returns the end time; empty until completion.
fn end_time(cloud: &CloudState, done_at: Moment) -> String {
    if cloud.now() < done_at {
        String::new()
    } else {
        time(cloud, done_at)
    }
}

#[derive(Serialize)]
struct JobBody<'a> {
    status: JobStatus,
    entities: Entities<'a>,
    job_id: &'a str,
    job_type: &'static str,
    begin_time: String,
    end_time: String,
    #[serde(flatten)]
    error: ErrorFields<'a>,
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
    fn of(cloud: &CloudState, id: &str, job: &'a Job, status: JobStatus) -> Self {
        match &*job.tasks {
            [only] if cloud.switches.huawei.bare_single_job => Self::Server {
                server_id: &only.server,
            },
            _ if status == JobStatus::Init => Self::SubJobs {
                sub_jobs_total: 0,
                sub_jobs: Vec::new(),
            },
            tasks => Self::SubJobs {
                sub_jobs_total: tasks.len(),
                sub_jobs: tasks
                    .iter()
                    .enumerate()
                    .map(|(number, task)| SubJob::of(cloud, id, number, job, task))
                    .collect(),
            },
        }
    }
}

#[derive(Serialize)]
struct SubJob<'a> {
    status: JobStatus,
    entities: SubEntities<'a>,
    job_id: String,
    job_type: &'static str,
    begin_time: String,
    end_time: String,
    #[serde(flatten)]
    error: ErrorFields<'a>,
}

#[derive(Serialize)]
struct SubEntities<'a> {
    server_id: &'a str,
    /// The concrete cause of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    errorcode_message: Option<&'a str>,
}

impl<'a> SubJob<'a> {
    fn of(
        cloud: &CloudState,
        parent: &str,
        number: usize,
        job: &Job,
        task: &'a ServerTask,
    ) -> Self {
        let (status, error) = match &task.failure {
            _ if cloud.now() < task.done_at => (JobStatus::Running, ErrorFields::absent()),
            Some(failure) => (
                JobStatus::Fail,
                ErrorFields::of(failure.code, &failure.reason),
            ),
            None => (JobStatus::Success, ErrorFields::null()),
        };
        let cause = task.failure.as_ref().filter(|_| status == JobStatus::Fail);
        Self {
            status,
            entities: SubEntities {
                server_id: &task.server,
                errorcode_message: cause.map(|failure| failure.reason.as_str()),
            },
            job_id: format!("{}{number:08x}", parent.get(..24).unwrap_or_default()),
            job_type: sub_job_type(job.action),
            begin_time: time(cloud, job.begun_at),
            end_time: end_time(cloud, task.done_at),
            error,
        }
    }
}

/// The error fields: missing, null, or set.
#[derive(Serialize)]
struct ErrorFields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fail_reason: Option<Option<&'a str>>,
}

impl<'a> ErrorFields<'a> {
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
