//! The progress of the job of an accepted Huawei power action.

use http::Method;
use lifecycle_core::{
    ApiCall, Fault, HttpResponse, InstanceId, JobId, JobProgress, JobStatus, LenientField, RawText,
    UnsignedRequest,
};
use serde::Deserialize;

use crate::{Config, fault};

/// Reads the progress of a job. The cloud deletes a finished job after a day.
///
/// <https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0901.html>
pub(crate) fn follow(config: &Config, job: &JobId) -> ApiCall<JobProgress> {
    let path = format!("/v1/{}/jobs/{job}", config.project_id());
    ApiCall::new(
        UnsignedRequest::new("ShowJob", Method::GET, path),
        read_progress,
    )
}

/// Reads the status of the job and of each part that names its server. The job's own status when
/// only some parts fail is undocumented.
fn read_progress(response: &HttpResponse) -> Result<JobProgress, Fault> {
    let job: Job = fault::read(response)?;
    if job.status.0.is_none() {
        return Err(fault::missing_field(response, "status"));
    }
    let entities = job.entities.0.unwrap_or_default();
    let overall = job_status(&job.status, &job.error_code, job.fail_reason);
    let sub_jobs = entities.sub_jobs.0.unwrap_or_default();
    let mut parts: Vec<_> = sub_jobs
        .into_iter()
        .filter_map(|row| row.0.and_then(SubJob::part))
        .collect();
    if parts.is_empty() {
        // A job for a single server may name the server directly.
        parts.extend(server(entities.server_id).map(|id| (id, overall.clone())));
    }
    Ok(JobProgress::new(overall).with_parts(parts))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Job {
    status: RawText,
    error_code: LenientField<String>,
    fail_reason: LenientField<String>,
    entities: LenientField<Entities>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entities {
    server_id: LenientField<String>,
    sub_jobs: LenientField<Vec<LenientField<SubJob>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SubJob {
    status: RawText,
    error_code: LenientField<String>,
    fail_reason: LenientField<String>,
    entities: LenientField<SubEntities>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SubEntities {
    server_id: LenientField<String>,
    errorcode_message: LenientField<String>,
}

impl SubJob {
    fn part(self) -> Option<(InstanceId, JobStatus)> {
        let entities = self.entities.0?;
        let id = server(entities.server_id)?;
        // `errorcode_message` is more specific than `fail_reason`.
        let reason = LenientField(entities.errorcode_message.0.or(self.fail_reason.0));
        Some((id, job_status(&self.status, &self.error_code, reason)))
    }
}

fn server(id: LenientField<String>) -> Option<InstanceId> {
    Some(crate::canonical_id(&InstanceId::new(&id.0?).ok()?))
}

/// Maps the status of a job.
fn job_status(
    status: &RawText,
    code: &LenientField<String>,
    reason: LenientField<String>,
) -> JobStatus {
    match status.0.as_deref() {
        Some("SUCCESS") => JobStatus::Succeeded,
        Some("FAIL") => JobStatus::Failed(fault::from_job(
            code.0.as_deref(),
            &reason.0.unwrap_or_default(),
        )),
        Some("INIT" | "RUNNING") => JobStatus::Running,
        _ => JobStatus::Unknown,
    }
}

#[cfg(test)]
mod tests;
