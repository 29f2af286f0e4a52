//! Draws the conditions of a list, and the names and tags of the fleet.

use fastrand::Rng;
use lifecycle_facade::{PowerState, lifecycle_core::InstanceFilter};

/// Draws no conditions, or conditions that few or many instances of [`with_facts`] meet.
pub(super) fn draw(rng: &mut Rng) -> InstanceFilter {
    let mut filter = InstanceFilter::default();
    if rng.bool() {
        return filter;
    }
    for _ in 0..rng.usize(1..=2) {
        filter = match rng.u8(..8) {
            0..=2 => {
                let names = ["web-*", "w*1", "WEB-1", "web-?", "db-1", "*", "vm-00000*"];
                with_name(filter, choose(rng, &names))
            }
            3 => filter.with_state(choose(rng, &[PowerState::Running, PowerState::Stopped])),
            _ => {
                let tags = [
                    "env=dev",
                    "env",
                    "!env",
                    "!env=dev",
                    "owner",
                    "owner=",
                    "a:b=c",
                    "env:dev",
                    "env=prod",
                    "!owner=ops",
                ];
                with_tag(filter, choose(rng, &tags))
            }
        };
    }
    filter
}

fn choose<T: Copy>(rng: &mut Rng, values: &[T]) -> T {
    values[rng.usize(..values.len())]
}

fn with_name(filter: InstanceFilter, name: &str) -> InstanceFilter {
    match name.parse() {
        Ok(pattern) => filter.with_name(pattern),
        Err(_) => filter,
    }
}

fn with_tag(filter: InstanceFilter, tag: &str) -> InstanceFilter {
    match tag.parse() {
        Ok(condition) => filter.with_tag(condition),
        Err(_) => filter,
    }
}

/// Adds drawn names and tags to each part of a fleet.
pub(super) fn with_facts(rng: &mut Rng, fleet: &str) -> String {
    let mut parts = Vec::new();
    for part in fleet.split(',') {
        let mut part = part.to_owned();
        if rng.u8(..4) > 0 {
            part += choose(
                rng,
                &[
                    ";name=web-#",
                    ";name=Web-#",
                    ";name=db-#",
                    ";name=old-web-1",
                ],
            );
        }
        if rng.u8(..4) > 0 {
            part += choose(
                rng,
                &[
                    ";tag:env=dev",
                    ";tag:env=prod",
                    ";tag:env=DEV",
                    ";tag:env:dev=",
                ],
            );
        }
        if rng.u8(..4) == 0 {
            part += choose(rng, &[";tag:owner=ops", ";tag:owner=", ";tag:a:b=c"]);
        }
        parts.push(part);
    }
    parts.join(",")
}
