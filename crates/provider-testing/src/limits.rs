//! Test helper: checks the batch limits of a provider against its profile.

use lifecycle_core::{FaultKind, Provider, StopBilling, StopMode};

use crate::{numbered_ids, reboot, start, stop};

/// Checks that each call accepts 1 instance up to the limit of the profile, and rejects 0 instances and
/// more instances than the limit.
///
/// # Panics
/// If a call accepts or rejects another number.
pub fn check_limits(provider: &dyn Provider) {
    let limits = &provider.profile().batch_limits;
    for action in [
        start(),
        stop(StopMode::Graceful, StopBilling::Keep),
        reboot(StopMode::Graceful),
    ] {
        check(limits.of(action.kind()), |count| {
            let call = provider.act(&action, &numbered_ids("i-", count));
            call.err().map(|fault| fault.kind())
        });
    }
    check(limits.observe, |count| {
        let call = provider.observe(&numbered_ids("i-", count));
        call.err().map(|fault| fault.kind())
    });
}

fn check(limit: usize, call: impl Fn(usize) -> Option<FaultKind>) {
    for (count, expected) in [
        (0, Some(FaultKind::Invalid)),
        (1, None),
        (limit, None),
        (limit + 1, Some(FaultKind::Invalid)),
    ] {
        assert_eq!(call(count), expected, "{count} of {limit}");
    }
}
