//! What was executed: reboots at most once for each request, and nothing that was not asked for.

use lifecycle_facade::{ActionKind, InstanceId, LocalDisk, StopMode, core::Action};
use lifecycle_sim::PowerOperation;

use super::{Broken, facts::Facts, facts::verb_of};
use crate::scenario::Request;

pub(super) fn judge(facts: &Facts<'_>, broken: &mut Broken<'_>) {
    for (name, acts) in facts.acts() {
        let last = name.rsplit('/').next().unwrap_or_default();
        let Ok(id) = InstanceId::new(last) else {
            continue;
        };
        let requests: Vec<&Request> = facts.requests_for(&id).collect();
        for (act, _) in acts {
            if !requests.iter().any(|request| asks_for(request, *act)) {
                broken(
                    "what is not asked for never happens",
                    format!("{act:?} was executed on {name}"),
                );
            }
        }
        for verb in [ActionKind::Start, ActionKind::Reboot] {
            let once = |request: &&&Request| {
                request.action.kind() == verb && must_not_be_repeated(&request.action)
            };
            let asked = requests.iter().filter(once).count();
            let executed = acts.iter().filter(|(act, _)| verb_of(*act) == verb).count();
            if executed > asked
                && (verb == ActionKind::Reboot || asked == requests.len() && asked > 0)
            {
                broken(
                    "at most once",
                    format!(
                        "{name}: {verb} was asked for {asked} times, executed {executed} times"
                    ),
                );
            }
        }
    }
}

fn asks_for(request: &Request, act: PowerOperation) -> bool {
    let mode = match request.action {
        Action::Stop(stop) => stop.mode,
        Action::Reboot(reboot) => reboot.mode,
        _ => StopMode::Graceful,
    };
    let forced = matches!(
        act,
        PowerOperation::ForcedStop | PowerOperation::ForcedReboot
    );
    let may_be_forced = mode.is_forced() || request.force_after.is_some();
    let fits = if forced {
        may_be_forced
    } else {
        !mode.is_forced()
    };
    request.action.kind() == verb_of(act) && fits
}

fn must_not_be_repeated(action: &Action) -> bool {
    match action {
        Action::Start(start) => start.local_disk == LocalDisk::Initialize,
        Action::Reboot(_) => true,
        _ => false,
    }
}
