//! Output of `--dry-run`: the planned calls.

use lifecycle_facade::{InstanceReference, PlannedCall};
use serde::Serialize;

use crate::{
    console::Console,
    exit::{CommandError, Exit},
    output,
};

/// One planned call. The serialized fields are the fields of the JSON output.
#[derive(Debug, Serialize)]
struct Call {
    /// Number of the wave, from 1.
    wave: usize,
    /// The account and region.
    #[serde(rename = "place")]
    location: String,
    /// The cloud's name for the operation.
    operation: &'static str,
    /// The references of the instances.
    instances: Vec<String>,
}

impl Call {
    fn new(call: &PlannedCall<InstanceReference>) -> Self {
        let location = call.instances.first().map(|first| &first.location);
        let instances = call.instances.iter();
        Self {
            wave: call.wave,
            location: location.map(ToString::to_string).unwrap_or_default(),
            operation: call.operation,
            instances: instances.map(ToString::to_string).collect(),
        }
    }
}

/// Prints the planned calls.
///
/// # Errors
/// See [`output::print`].
pub(crate) fn print(
    planned: &[PlannedCall<InstanceReference>],
    console: Console,
) -> Result<Exit, CommandError> {
    let calls: Vec<Call> = planned.iter().map(Call::new).collect();
    match output::json_records(&calls, console.output)? {
        Some(json) => output::print(&json)?,
        None => output::print_figures(
            ["CALL", "WAVE", "INSTANCES"],
            &calls.iter().map(cells).collect::<Vec<_>>(),
        )?,
    }
    console.notice(format_args!(
        "dry run: nothing was sent; planned calls: {}",
        calls.len()
    ));
    Ok(Exit::Complete)
}

fn cells(call: &Call) -> [String; 3] {
    [
        format!("{} {}", call.location, call.operation),
        call.wave.to_string(),
        call.instances.len().to_string(),
    ]
}
