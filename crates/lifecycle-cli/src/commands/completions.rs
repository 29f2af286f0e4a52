//! `lifecycle completions`: the completion script of a shell.

use clap_complete::env::Shells;

use crate::{
    args::CompletionsArgs,
    completion::VARIABLE,
    exit::{CommandError, Exit},
    output,
};

/// The name of the command in the search path of the shell.
const COMMAND: &str = "lifecycle";

/// Prints the script.
pub(crate) fn run(args: &CompletionsArgs) -> Result<Exit, CommandError> {
    let shell = args.shell.as_str();
    let failed = |problem: String| CommandError::nothing_done(format!("{shell}: {problem}"));
    let shells = Shells::builtins();
    let completer = shells
        .completer(shell)
        .ok_or_else(|| failed("this shell is not supported".to_owned()))?;
    let mut script = Vec::new();
    completer
        .write_registration(VARIABLE, COMMAND, COMMAND, COMMAND, &mut script)
        .map_err(|error| failed(error.to_string()))?;
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Complete)
}
