//! The simulated Alibaba operations for start, stop and reboot.
//!
//! Documented: names and limits of the parameters, preconditions, batch rows, dry runs, codes.
//! Inferred: the order of the checks, and `InvalidParameter` for 101 ids.

use serde::Serialize;

use super::{
    api_error::{self, ApiError},
    envelope::Envelope,
    named_region,
    params::Params,
    status::{self, InstanceStatus, is_prepaid},
    switches::{BatchDryRun, Switches},
};
use crate::{
    Impairment, PowerOperation, SimulatedState,
    cloud_state::{CloudState, InstanceIndex, RegionScope},
    power_operation::{ActionKind, OperationOptions},
    request::distinct,
    response::Response,
};

/// Handles `StartInstance`, `StopInstance` and `RebootInstance`.
pub(super) fn single(
    cloud: &mut CloudState,
    params: &Params,
    scope: RegionScope,
    action: ActionKind,
    envelope: &Envelope,
) -> Result<Response, ApiError> {
    let switches = &cloud.switches.aliyun;
    let id = params.required("InstanceId", switches)?;
    let power_request = PowerRequest::single(params, action, switches)?;
    let scope = match params.text("RegionId") {
        Some(_) => named_region(cloud, params, scope)?,
        None => scope,
    };
    let index = cloud.find(scope, id).ok_or(api_error::NO_INSTANCE)?;
    power_request.check(cloud, index)?;
    if power_request.dry_run {
        return Err(api_error::DRY_RUN);
    }
    power_request.execute(cloud, index);
    Ok(envelope.success(&EmptyContent {}))
}

/// Handles `StartInstances`, `StopInstances` and `RebootInstances`.
pub(super) fn batch(
    cloud: &mut CloudState,
    params: &Params,
    scope: RegionScope,
    action: ActionKind,
    envelope: &Envelope,
) -> Result<Response, ApiError> {
    let scope = named_region(cloud, params, scope)?;
    let ids = batch_ids(params, &cloud.switches.aliyun)?;
    let power_request = PowerRequest::batch(params, action, &cloud.switches.aliyun)?;
    let success_first = match params.text("BatchOptimization") {
        None | Some("AllTogether") => false,
        Some("SuccessFirst") => true,
        Some(_) => return Err(api_error::invalid("BatchOptimization")),
    };
    let mut items: Vec<_> = ids
        .into_iter()
        .map(|id| BatchItem::check(cloud, scope, id, &power_request))
        .collect();
    if !success_first && let Some((id, error)) = items.iter().find_map(BatchItem::error) {
        return Err(batch_error(id, error, &cloud.switches.aliyun));
    }
    if cloud.switches.aliyun.reversed_rows {
        items.reverse();
    }
    if power_request.dry_run {
        return dry_run(cloud, &items, envelope);
    }
    let rows = items
        .iter()
        .map(|item| item.execute(cloud, &power_request))
        .collect();
    Ok(envelope.success(&BatchResponse::new(rows)))
}

/// The treatment of a stopped instance's resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoppedMode {
    KeepCharging,
    StopCharging,
}

impl StoppedMode {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::KeepCharging => "KeepCharging",
            Self::StopCharging => "StopCharging",
        }
    }

    fn read(params: &Params, switches: &Switches) -> Result<Self, ApiError> {
        match params.text("StoppedMode") {
            Some("KeepCharging") => Ok(Self::KeepCharging),
            Some("StopCharging") => Ok(Self::StopCharging),
            Some(_) => Err(api_error::invalid("StoppedMode")),
            None if switches.economical_by_default => Ok(Self::StopCharging),
            None => Ok(Self::KeepCharging),
        }
    }
}

/// A power action with its options.
struct PowerRequest {
    action: ActionKind,
    operation: PowerOperation,
    init_local_disk: bool,
    stopped_mode: StoppedMode,
    names_stopped_mode: bool,
    dry_run: bool,
}

impl PowerRequest {
    /// Reads a single call. The single reboot calls the force flag `ForceStop`.
    fn single(params: &Params, action: ActionKind, switches: &Switches) -> Result<Self, ApiError> {
        Ok(Self {
            init_local_disk: params.flag("InitLocalDisk", switches)?,
            ..Self::read(params, action, "ForceStop", switches)?
        })
    }

    /// Reads a batch call. The batch reboot calls the force flag `ForceReboot`.
    fn batch(params: &Params, action: ActionKind, switches: &Switches) -> Result<Self, ApiError> {
        let force = match action {
            ActionKind::Reboot => "ForceReboot",
            ActionKind::Start | ActionKind::Stop => "ForceStop",
        };
        Self::read(params, action, force, switches)
    }

    fn read(
        params: &Params,
        action: ActionKind,
        force: &str,
        switches: &Switches,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            action,
            operation: action.operation(params.flag(force, switches)?),
            init_local_disk: false,
            stopped_mode: StoppedMode::read(params, switches)?,
            names_stopped_mode: params.text("StoppedMode").is_some(),
            dry_run: params.flag("DryRun", switches)?,
        })
    }

    /// Checks whether the cloud would execute the action.
    fn check(&self, cloud: &CloudState, index: InstanceIndex) -> Result<(), ApiError> {
        let impairment = cloud.instance(index).impairment;
        if let Some(error) =
            impairment.and_then(|impairment| self.impairment_error(impairment, cloud))
        {
            return Err(error);
        }
        if !self.state_allows(cloud, index) {
            return Err(api_error::WRONG_STATUS);
        }
        if self.action == ActionKind::Start && impairment == Some(Impairment::NoStock) {
            return Err(api_error::NO_STOCK);
        }
        let unsupported = self.action == ActionKind::Stop
            && self.names_stopped_mode
            && self.stopped_mode == StoppedMode::StopCharging
            && is_prepaid(cloud, index);
        if unsupported && cloud.switches.aliyun.refuses_unsupported_stop_charging {
            return Err(api_error::STOP_CHARGING_UNFIT);
        }
        Ok(())
    }

    /// Returns the error that this impairment causes in any state.
    fn impairment_error(&self, impairment: Impairment, cloud: &CloudState) -> Option<ApiError> {
        let start = self.action == ActionKind::Start;
        match impairment {
            Impairment::Creating if start => Some(api_error::not_ready(&cloud.switches.aliyun)),
            Impairment::Creating | Impairment::Recycled => Some(api_error::WRONG_STATUS),
            Impairment::Changing => Some(api_error::CONFLICT),
            Impairment::Locked
                if self.action == ActionKind::Stop
                    && cloud.switches.aliyun.stops_security_locked_instances =>
            {
                None
            }
            Impairment::Locked => Some(api_error::LOCKED),
            Impairment::Expired if start => Some(api_error::EXPIRED),
            Impairment::Arrears if start => Some(api_error::NO_BALANCE),
            Impairment::Expired | Impairment::Arrears => Some(api_error::EXPIRED_OR_IN_ARREARS),
            Impairment::BrokenDisk if start && self.init_local_disk => None,
            Impairment::BrokenDisk => Some(api_error::DISK_ERROR),
            Impairment::NoStock | Impairment::FailsToBoot | Impairment::Stubborn => None,
        }
    }

    /// Reports whether the state allows the action. An instance that is already in the target state
    /// does not (vendor's source).
    fn state_allows(&self, cloud: &CloudState, index: InstanceIndex) -> bool {
        let status = status::actual(cloud, index);
        if cloud.actual(index).state == SimulatedState::Rebooting {
            return false;
        }
        match self.action {
            ActionKind::Start => status == InstanceStatus::Stopped,
            ActionKind::Stop => {
                status == InstanceStatus::Running
                    || status == InstanceStatus::Starting
                        && cloud.switches.aliyun.stops_while_starting
            }
            ActionKind::Reboot => status == InstanceStatus::Running,
        }
    }

    fn execute(&self, cloud: &mut CloudState, index: InstanceIndex) {
        if self.init_local_disk && cloud.instance(index).impairment == Some(Impairment::BrokenDisk)
        {
            // Documented: restores local disks to a healthy state. Every instance counts as an
            // instance with local disks.
            cloud.set_impairment(index, None);
        }
        if self.action == ActionKind::Stop {
            // An instance that cannot release its resources is stopped, too (documented).
            let mode = if is_prepaid(cloud, index) {
                StoppedMode::KeepCharging
            } else {
                self.stopped_mode
            };
            cloud.aliyun.stopped_modes.insert(index, mode);
        }
        let options = OperationOptions {
            releases_billing: self.stopped_mode == StoppedMode::StopCharging,
            initialises_disks: self.init_local_disk,
        };
        cloud.execute_with(index, self.operation, options);
    }

    /// Returns the status that a batch row shows after the action has begun.
    fn transitional_status(&self, cloud: &CloudState, index: InstanceIndex) -> InstanceStatus {
        match self.action {
            ActionKind::Start => InstanceStatus::Starting,
            ActionKind::Stop => InstanceStatus::Stopping,
            ActionKind::Reboot => status::actual(cloud, index),
        }
    }
}

/// An instance of a batch with the result of the check.
struct BatchItem<'a> {
    id: &'a str,
    index: Option<InstanceIndex>,
    checked: Result<InstanceIndex, ApiError>,
}

impl<'a> BatchItem<'a> {
    fn check(
        cloud: &CloudState,
        scope: RegionScope,
        id: &'a str,
        power_request: &PowerRequest,
    ) -> Self {
        let index = cloud.find(scope, id);
        let checked = index
            .ok_or(api_error::NO_INSTANCE)
            .and_then(|index| power_request.check(cloud, index).map(|()| index));
        Self { id, index, checked }
    }

    fn error(&self) -> Option<(&'a str, &ApiError)> {
        let error = self.checked.as_ref().err()?;
        Some((self.id, error))
    }

    fn execute(
        &self,
        cloud: &mut CloudState,
        power_request: &PowerRequest,
    ) -> InstanceResponse<'_> {
        match &self.checked {
            Ok(index) => {
                let before = status::actual(cloud, *index);
                power_request.execute(cloud, *index);
                InstanceResponse {
                    code: "200",
                    message: "success",
                    instance_id: self.id,
                    previous_status: before.as_str(),
                    current_status: power_request.transitional_status(cloud, *index).as_str(),
                }
            }
            Err(error) => {
                let status = self
                    .index
                    .filter(|_| cloud.switches.aliyun.failed_rows_show_status)
                    .map_or("", |index| status::actual(cloud, index).as_str());
                InstanceResponse {
                    code: &error.code,
                    message: &error.message,
                    instance_id: self.id,
                    previous_status: status,
                    current_status: status,
                }
            }
        }
    }

    fn dry_run(&self, cloud: &CloudState, code: &'a str, message: &'a str) -> InstanceResponse<'a> {
        let status = self
            .index
            .map_or("", |index| status::actual(cloud, index).as_str());
        InstanceResponse {
            code,
            message,
            instance_id: self.id,
            previous_status: status,
            current_status: status,
        }
    }
}

/// Returns the ids, each once; at most 100 (documented).
fn batch_ids<'a>(params: &'a Params, switches: &Switches) -> Result<Vec<&'a str>, ApiError> {
    let ids = params.members("InstanceId");
    if ids.is_empty() {
        return Err(api_error::missing("InstanceId", switches.missing_parameter));
    }
    if ids.len() > 100 {
        return Err(api_error::invalid("InstanceId"));
    }
    let distinct = distinct(ids.iter().copied());
    if distinct.len() < ids.len() && !switches.folds_duplicates {
        return Err(api_error::invalid("InstanceId"));
    }
    Ok(distinct)
}

/// Returns the error of an all-or-nothing batch: the error of the first rejected instance.
fn batch_error(id: &str, error: &ApiError, switches: &Switches) -> ApiError {
    if switches.error_names_the_instance {
        let message = format!("{} InstanceId: {id}", error.message);
        error.clone().with_message(message)
    } else {
        error.clone()
    }
}

fn dry_run(
    cloud: &CloudState,
    items: &[BatchItem<'_>],
    envelope: &Envelope,
) -> Result<Response, ApiError> {
    let passed = api_error::BATCH_DRY_RUN;
    let (code, message) = match cloud.switches.aliyun.batch_dry_run {
        BatchDryRun::ErrorCode => return Err(passed),
        BatchDryRun::ResponseCode => {
            return Ok(envelope.success(&DryRun {
                code: &passed.code,
                message: &passed.message,
            }));
        }
        BatchDryRun::RowCode => (&*passed.code, &*passed.message),
        BatchDryRun::RowMessage => ("200", &*passed.code),
    };
    let rows = items
        .iter()
        .map(|item| item.dry_run(cloud, code, message))
        .collect();
    Ok(envelope.success(&BatchResponse::new(rows)))
}

#[derive(Serialize)]
struct EmptyContent {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DryRun<'a> {
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BatchResponse<'a> {
    instance_responses: InstanceResponses<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceResponses<'a> {
    instance_response: Vec<InstanceResponse<'a>>,
}

impl<'a> BatchResponse<'a> {
    fn new(instance_response: Vec<InstanceResponse<'a>>) -> Self {
        Self {
            instance_responses: InstanceResponses { instance_response },
        }
    }
}

/// The row of one instance. The code of a success is the text `200`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceResponse<'a> {
    code: &'a str,
    message: &'a str,
    instance_id: &'a str,
    previous_status: &'a str,
    current_status: &'a str,
}
