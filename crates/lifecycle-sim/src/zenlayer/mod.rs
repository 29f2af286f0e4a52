//! Zenlayer ZEC as its clients see it.

pub(crate) mod switches;

use std::time::Duration;

pub use switches::Switches;

use crate::{
    dialect::{Denial, Dialect, Intent, Operation},
    request::Received,
    response::{self, Response},
    site::{Scope, Site},
};

/// Zenlayer ZEC.
#[derive(Debug)]
pub(crate) struct Zenlayer;

impl Dialect for Zenlayer {
    fn claims(&self, request: &Received) -> bool {
        request.path.starts_with("/api/v2/")
    }

    fn region_of<'h>(&self, _hostname: &'h str) -> Option<&'h str> {
        None
    }

    fn mint(&self, chance: &mut fastrand::Rng) -> String {
        format!("i-{:08x}", chance.u32(..))
    }

    fn intent(&self, _request: &Received) -> Intent {
        Intent {
            operation: Operation::Other,
            name: "unknown",
            ids: 0,
            key: String::new(),
        }
    }

    fn authenticate(&self, _site: &mut Site, _request: &Received) -> Result<(), Denial> {
        Ok(())
    }

    fn perform(&self, _site: &mut Site, _request: &Received, _scope: Scope) -> Response {
        response::with_body(501, "text/plain", "not simulated yet")
    }

    fn throttled(&self, _site: &mut Site, _hint: Option<Duration>) -> Response {
        response::with_body(429, "text/plain", "not simulated yet")
    }

    fn failure(&self, _site: &mut Site, status: u16) -> Response {
        response::with_body(status, "text/plain", "not simulated yet")
    }
}
