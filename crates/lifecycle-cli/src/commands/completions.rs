//! `lifecycle completions`: the completion script of a shell.

use clap_complete::env::Shells;

use crate::{
    args::{CompletionsArgs, Shell},
    completion::VARIABLE,
    exit::{CommandError, Exit},
    output,
};

/// The name of the command in the search path of the shell.
const COMMAND: &str = "lifecycle";

/// The end of the script as a file `_lifecycle` in zsh's `fpath`: zsh runs such a file as the completer at
/// the first completion, which else has no candidates.
const ZSH_AUTOLOAD: &str = "
if [[ ${funcstack[1]} == _lifecycle ]]; then
    _clap_dynamic_completer_lifecycle \"$@\"
fi
";

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
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if matches!(args.shell, Shell::Zsh) {
        script.push_str(ZSH_AUTOLOAD);
    }
    output::print(&script)?;
    Ok(Exit::Complete)
}
