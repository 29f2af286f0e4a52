//! Start, stop and reboot.
//!
//! Documented: names and limits of the parameters, preconditions, batch rows, dry runs, codes. Inferred:
//! the order of the checks, and that 101 ids are refused as an invalid parameter.

use std::collections::HashSet;

use serde::Serialize;

use super::{
    answer::Envelope,
    asked::Asked,
    named_region,
    refusal::{self, Refusal},
    standing::{self, Standing, is_prepaid},
    switches::{BatchDryRun, Switches},
};
use crate::{
    instance::{Act, State, Trouble, Verb},
    response::Response,
    site::{Index, Scope, Site},
};

/// `StartInstance`, `StopInstance`, `RebootInstance`.
pub(super) fn single(
    site: &mut Site,
    asked: &Asked,
    scope: Scope,
    verb: Verb,
    envelope: &Envelope,
) -> Result<Response, Refusal> {
    let switches = &site.switches.aliyun;
    let id = asked.required("InstanceId", switches)?;
    let order = Order::single(asked, verb, switches)?;
    let scope = match asked.text("RegionId") {
        Some(_) => named_region(site, asked, scope)?,
        None => scope,
    };
    let index = site.find(scope, id).ok_or(refusal::NO_INSTANCE)?;
    order.judge(site, index)?;
    if order.dry_run {
        return Err(refusal::DRY_RUN);
    }
    order.carry_out(site, index);
    Ok(envelope.success(&Nothing {}))
}

/// `StartInstances`, `StopInstances`, `RebootInstances`.
pub(super) fn batch(
    site: &mut Site,
    asked: &Asked,
    scope: Scope,
    verb: Verb,
    envelope: &Envelope,
) -> Result<Response, Refusal> {
    let scope = named_region(site, asked, scope)?;
    let ids = batch_ids(asked, &site.switches.aliyun)?;
    let order = Order::batch(asked, verb, &site.switches.aliyun)?;
    let each_on_its_own = match asked.text("BatchOptimization") {
        None | Some("AllTogether") => false,
        Some("SuccessFirst") => true,
        Some(_) => return Err(refusal::invalid("BatchOptimization")),
    };
    let mut verdicts: Vec<_> = ids
        .into_iter()
        .map(|id| Verdict::on(site, scope, id, &order))
        .collect();
    if !each_on_its_own && let Some((id, refusal)) = verdicts.iter().find_map(Verdict::refusal) {
        return Err(blame(id, refusal, &site.switches.aliyun));
    }
    if site.switches.aliyun.reversed_rows {
        verdicts.reverse();
    }
    if order.dry_run {
        return dry_run(site, &verdicts, envelope);
    }
    let rows = verdicts
        .iter()
        .map(|verdict| verdict.carry_out(site, &order))
        .collect();
    Ok(envelope.success(&Rows::new(rows)))
}

/// What happens to the resources of a stopped instance.
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

    fn read(asked: &Asked, switches: &Switches) -> Result<Self, Refusal> {
        match asked.text("StoppedMode") {
            Some("KeepCharging") => Ok(Self::KeepCharging),
            Some("StopCharging") => Ok(Self::StopCharging),
            Some(_) => Err(refusal::invalid("StoppedMode")),
            None if switches.economical_by_default => Ok(Self::StopCharging),
            None => Ok(Self::KeepCharging),
        }
    }
}

/// An action with its options.
struct Order {
    verb: Verb,
    act: Act,
    init_local_disk: bool,
    stopped_mode: StoppedMode,
    stopped_mode_asked: bool,
    dry_run: bool,
}

impl Order {
    /// The single reboot calls its force flag `ForceStop`.
    fn single(asked: &Asked, verb: Verb, switches: &Switches) -> Result<Self, Refusal> {
        Ok(Self {
            init_local_disk: asked.flag("InitLocalDisk", switches)?,
            ..Self::read(asked, verb, "ForceStop", switches)?
        })
    }

    /// The batch reboot calls its force flag `ForceReboot`.
    fn batch(asked: &Asked, verb: Verb, switches: &Switches) -> Result<Self, Refusal> {
        let force = match verb {
            Verb::Reboot => "ForceReboot",
            Verb::Start | Verb::Stop => "ForceStop",
        };
        Self::read(asked, verb, force, switches)
    }

    fn read(asked: &Asked, verb: Verb, force: &str, switches: &Switches) -> Result<Self, Refusal> {
        Ok(Self {
            verb,
            act: verb.act(asked.flag(force, switches)?),
            init_local_disk: false,
            stopped_mode: StoppedMode::read(asked, switches)?,
            stopped_mode_asked: asked.text("StoppedMode").is_some(),
            dry_run: asked.flag("DryRun", switches)?,
        })
    }

    /// Would the cloud do it?
    fn judge(&self, site: &Site, index: Index) -> Result<(), Refusal> {
        let trouble = site.instance(index).trouble;
        if let Some(refusal) = trouble.and_then(|trouble| self.hindered(trouble, site)) {
            return Err(refusal);
        }
        if !self.fits(site, index) {
            return Err(refusal::WRONG_STATUS);
        }
        if self.verb == Verb::Start && trouble == Some(Trouble::NoStock) {
            return Err(refusal::NO_STOCK);
        }
        let unfit = self.verb == Verb::Stop
            && self.stopped_mode_asked
            && self.stopped_mode == StoppedMode::StopCharging
            && is_prepaid(site, index);
        if unfit && site.switches.aliyun.refuses_unfit_stop_charging {
            return Err(refusal::STOP_CHARGING_UNFIT);
        }
        Ok(())
    }

    /// The refusal that this trouble causes, whatever the state.
    fn hindered(&self, trouble: Trouble, site: &Site) -> Option<Refusal> {
        let start = self.verb == Verb::Start;
        match trouble {
            Trouble::Creating if start => Some(refusal::not_ready(&site.switches.aliyun)),
            Trouble::Creating | Trouble::Recycled => Some(refusal::WRONG_STATUS),
            Trouble::Changing => Some(refusal::CONFLICT),
            Trouble::Locked => Some(refusal::LOCKED),
            Trouble::Expired if start => Some(refusal::EXPIRED),
            Trouble::Arrears if start => Some(refusal::NO_BALANCE),
            Trouble::Expired | Trouble::Arrears => Some(refusal::EXPIRED_OR_IN_ARREARS),
            Trouble::Failed if start && self.init_local_disk => None,
            Trouble::Failed => Some(refusal::DISK_ERROR),
            Trouble::NoStock | Trouble::Broken | Trouble::Stubborn => None,
        }
    }

    /// Does the instance's state allow it? An instance that is already where the action leads to does
    /// not (vendor's source).
    fn fits(&self, site: &Site, index: Index) -> bool {
        let standing = standing::real(site, index);
        if site.truth(index).state == State::Rebooting {
            return false;
        }
        match self.verb {
            Verb::Start => standing == Standing::Stopped,
            Verb::Stop => {
                standing == Standing::Running
                    || standing == Standing::Starting && site.switches.aliyun.stops_while_starting
            }
            Verb::Reboot => standing == Standing::Running,
        }
    }

    fn carry_out(&self, site: &mut Site, index: Index) {
        if self.init_local_disk && site.instance(index).trouble == Some(Trouble::Failed) {
            // Documented: restores local disks to a healthy state. Every instance is taken for one
            // with local disks.
            site.set_trouble(index, None);
        }
        if self.verb == Verb::Stop {
            // One that cannot give its resources back is stopped all the same (documented).
            let mode = if is_prepaid(site, index) {
                StoppedMode::KeepCharging
            } else {
                self.stopped_mode
            };
            site.aliyun.stopped_modes.insert(index, mode);
        }
        site.execute(index, self.act);
    }

    /// The status that a row of the answer gives to an instance which the action was begun on.
    fn passing(&self, site: &Site, index: Index) -> Standing {
        match self.verb {
            Verb::Start => Standing::Starting,
            Verb::Stop => Standing::Stopping,
            Verb::Reboot => standing::real(site, index),
        }
    }
}

/// What is to become of one instance of a batch.
struct Verdict<'a> {
    id: &'a str,
    index: Option<Index>,
    judged: Result<Index, Refusal>,
}

impl<'a> Verdict<'a> {
    fn on(site: &Site, scope: Scope, id: &'a str, order: &Order) -> Self {
        let index = site.find(scope, id);
        let judged = index
            .ok_or(refusal::NO_INSTANCE)
            .and_then(|index| order.judge(site, index).map(|()| index));
        Self { id, index, judged }
    }

    fn refusal(&self) -> Option<(&'a str, &Refusal)> {
        let refusal = self.judged.as_ref().err()?;
        Some((self.id, refusal))
    }

    fn carry_out(&self, site: &mut Site, order: &Order) -> Row<'_> {
        match &self.judged {
            Ok(index) => {
                let before = standing::real(site, *index);
                order.carry_out(site, *index);
                Row {
                    code: "200",
                    message: "success",
                    instance_id: self.id,
                    previous_status: before.as_str(),
                    current_status: order.passing(site, *index).as_str(),
                }
            }
            Err(refusal) => {
                let standing = self
                    .index
                    .filter(|_| site.switches.aliyun.failed_rows_show_status)
                    .map_or("", |index| standing::real(site, index).as_str());
                Row {
                    code: &refusal.code,
                    message: &refusal.message,
                    instance_id: self.id,
                    previous_status: standing,
                    current_status: standing,
                }
            }
        }
    }

    fn dry_run(&self, site: &Site, code: &'a str, message: &'a str) -> Row<'a> {
        let standing = self
            .index
            .map_or("", |index| standing::real(site, index).as_str());
        Row {
            code,
            message,
            instance_id: self.id,
            previous_status: standing,
            current_status: standing,
        }
    }
}

/// At most 100 ids (documented).
fn batch_ids<'a>(asked: &'a Asked, switches: &Switches) -> Result<Vec<&'a str>, Refusal> {
    let mut ids = asked.members("InstanceId");
    if ids.is_empty() {
        return Err(refusal::missing("InstanceId", switches.missing_parameter));
    }
    if ids.len() > 100 {
        return Err(refusal::invalid("InstanceId"));
    }
    let mut seen = HashSet::new();
    let named = ids.len();
    ids.retain(|id| seen.insert(*id));
    if ids.len() < named && !switches.folds_duplicates {
        return Err(refusal::invalid("InstanceId"));
    }
    Ok(ids)
}

/// The error of an all-or-nothing batch: that of the first instance which stands in the way.
fn blame(id: &str, refusal: &Refusal, switches: &Switches) -> Refusal {
    if switches.names_culprit {
        let message = format!("{} InstanceId: {id}", refusal.message);
        refusal.clone().with_message(message)
    } else {
        refusal.clone()
    }
}

fn dry_run(
    site: &Site,
    verdicts: &[Verdict<'_>],
    envelope: &Envelope,
) -> Result<Response, Refusal> {
    let passed = refusal::BATCH_DRY_RUN;
    let (code, message) = match site.switches.aliyun.batch_dry_run {
        BatchDryRun::ErrorCode => return Err(passed),
        BatchDryRun::AnswerCode => {
            return Ok(envelope.success(&DryRun {
                code: &passed.code,
                message: &passed.message,
            }));
        }
        BatchDryRun::RowCode => (&*passed.code, &*passed.message),
        BatchDryRun::RowMessage => ("200", &*passed.code),
    };
    let rows = verdicts
        .iter()
        .map(|verdict| verdict.dry_run(site, code, message))
        .collect();
    Ok(envelope.success(&Rows::new(rows)))
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DryRun<'a> {
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rows<'a> {
    instance_responses: RowList<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RowList<'a> {
    instance_response: Vec<Row<'a>>,
}

impl<'a> Rows<'a> {
    fn new(instance_response: Vec<Row<'a>>) -> Self {
        Self {
            instance_responses: RowList { instance_response },
        }
    }
}

/// What became of one instance. The code of a success is the text `200`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row<'a> {
    code: &'a str,
    message: &'a str,
    instance_id: &'a str,
    previous_status: &'a str,
    current_status: &'a str,
}
