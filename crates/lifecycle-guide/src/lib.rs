//! The guide as tests: every Rust block of a chapter is an example that `cargo test` compiles and runs.
//!
//! The chapters are in `docs/guide/src`. The examples use [`simulated`] in place of real clouds.

use std::error::Error;

use lifecycle_facade::Fleet;
use lifecycle_sim::Simulator;

/// Returns simulated clouds with the instances of `spec`, and a fleet of these clouds.
///
/// A program for real clouds has `Fleet::from_environment()` instead.
///
/// # Errors
/// `spec` is invalid, for example because of an unknown cloud.
///
/// # Examples
/// ```
/// let (simulator, fleet) = lifecycle_guide::simulated("aliyun/cn-hangzhou=2:running")?;
/// assert_eq!(simulator.instances().len(), 2);
/// # drop(fleet);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn simulated(spec: &str) -> Result<(Simulator, Fleet), Box<dyn Error>> {
    let simulator = Simulator::builder().seed(1).fleet(spec)?.build();
    let fleet = Fleet::simulated(&simulator);
    Ok((simulator, fleet))
}

/// Makes the Rust blocks of each document examples of this crate. `cargo doc` does not need the
/// documents.
macro_rules! documents {
    ($($name:ident: $path:literal,)*) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../", $path))]
            mod $name {}
        )*
    };
}

documents! {
    readme: "README.md",
    first_machine: "docs/guide/src/first-machine.md",
    selecting: "docs/guide/src/selecting.md",
    outcomes: "docs/guide/src/outcomes.md",
    errors: "docs/guide/src/errors.md",
    waiting: "docs/guide/src/waiting.md",
    rolling_reboots: "docs/guide/src/rolling-reboots.md",
    keys: "docs/guide/src/keys.md",
    accounts: "docs/guide/src/accounts.md",
    observability: "docs/guide/src/observability.md",
    testing: "docs/guide/src/testing.md",
    transport: "docs/guide/src/transport.md",
    adding_a_cloud: "docs/guide/src/adding-a-cloud.md",
}
