//! What `--dry-run` prints: the calls that would be made, and that none was.

use lifecycle_facade::FleetPlannedCall;
use serde::Serialize;

use crate::{
    console::{Console, Format, eprint_line},
    exit::{CommandError, Exit},
    output,
};

/// One call in the output. Its fields are those of the JSON form.
#[derive(Debug, Serialize)]
struct Call {
    /// In which wave it would go out, counted from 1.
    wave: usize,
    /// Where it would go.
    place: String,
    /// The cloud's name of the operation.
    operation: &'static str,
    /// The full references that it would name.
    instances: Vec<String>,
}

impl Call {
    fn new(planned: &FleetPlannedCall) -> Self {
        let (place, call) = (&planned.place, &planned.call);
        let instances = call.instances.iter();
        Self {
            wave: call.wave,
            place: place.to_string(),
            operation: call.operation,
            instances: instances.map(|id| format!("{place}/{id}")).collect(),
        }
    }
}

/// Prints planned calls.
///
/// # Errors
/// When standard output cannot be written to.
pub(crate) fn print(planned: &[FleetPlannedCall], console: Console) -> Result<Exit, CommandError> {
    let calls: Vec<Call> = planned.iter().map(Call::new).collect();
    match console.output {
        Format::Json => output::print(&output::json(&calls)?)?,
        Format::Table => output::print_figures(
            ["CALL", "WAVE", "INSTANCES"],
            &calls.iter().map(cells).collect::<Vec<_>>(),
        )?,
    }
    eprint_line(format_args!(
        "{} calls would be made if nothing stood in the way; nothing was sent",
        calls.len()
    ));
    Ok(Exit::Complete)
}

fn cells(call: &Call) -> [String; 3] {
    [
        format!("{} {}", call.place, call.operation),
        call.wave.to_string(),
        call.instances.len().to_string(),
    ]
}
