//! Errors of the command line, and the text of `--help`.

use std::{env, error::Error as _, process::ExitCode};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::{
    console::eprint_line,
    exit::{CommandError, Exit},
    terminal::plain,
};

/// Prints the error or the requested help, and returns the exit code.
pub(crate) fn report(mut error: clap::Error) -> ExitCode {
    if let Some(message) = invalid_value(&error) {
        return CommandError::wrong_usage(message).print().into();
    }
    remove_harmful_hints(&mut error);
    if env::args_os().any(|arg| has_hidden_characters(&arg.to_string_lossy())) {
        // The error quotes the arguments, which can come from the output of another program.
        error.render().to_string().lines().for_each(eprint_line);
    } else {
        // A closed standard error must not hide the exit code.
        let _ = error.print();
    }
    u8::try_from(error.exit_code()).map_or(Exit::WrongUsage.into(), ExitCode::from)
}

fn has_hidden_characters(text: &str) -> bool {
    plain(text) != text
}

/// Returns a line about a value that a parser of this crate rejected. The text of the parser shows
/// a valid value, so the longer text of clap is not necessary.
fn invalid_value(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::ValueValidation {
        return None;
    }
    let problem = error.source()?;
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(name)) if name.starts_with("--") => {
            let option = name.split(' ').next().unwrap_or(name);
            Some(format!("{option}: {problem}"))
        }
        _ => Some(problem.to_string()),
    }
}

/// Commands, options and values that act on instances, lose data or reduce safety.
const HARMFUL: [&str; 10] = [
    "start",
    "stop",
    "reboot",
    "--force",
    "--force-after",
    "--include-protected",
    "--init-local-disk",
    "--plain-http",
    "--yes",
    "release",
];

/// What users of other tools type, and what to type here. No advice names a command or an option in
/// [`HARMFUL`].
const ADVICE: [(&[&str], &str); 9] = [
    (&["--json"], "write --output json, after the command"),
    (
        &["-o", "--format"],
        "write --output with table, json, jsonl, csv or ids",
    ),
    (
        &["--region", "--cloud", "--zone-id", "--location"],
        "write the region as an argument, for example: lifecycle list cloud/region",
    ),
    (
        &["--account", "--profile"],
        "write the account before the cloud, for example: lifecycle list account@cloud/region, or its name alone",
    ),
    (
        &["--all"],
        "for all instances of a region, write the region and --name '*'",
    ),
    (
        &["--instance", "--id", "--instance-id", "--instance-ids"],
        "write the instance as an argument: cloud/region/instance-id",
    ),
    (
        &["describe", "show", "get", "info"],
        "lifecycle status shows instances, and lifecycle list all instances of a region",
    ),
    (
        &["login", "configure", "init", "config"],
        "keys of the clouds' own tools are used: lifecycle credentials shows them, lifecycle doctor checks them",
    ),
    (&["version"], "write --version"),
];

fn advice(error: &clap::Error) -> Option<&'static str> {
    let kind = match error.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        _ => return None,
    };
    let Some(ContextValue::String(typed)) = error.get(kind) else {
        return None;
    };
    let mut known = ADVICE.iter();
    let (_, advice) = known.find(|(words, _)| words.contains(&typed.as_str()))?;
    Some(advice)
}

/// Removes hints that could do more harm than the rejected text. clap compares only letters: for
/// `reboot --force-after` its hint is `--force`, and for `restart` its hint is `start`.
fn remove_harmful_hints(error: &mut clap::Error) {
    let is_harmless = |hint: &String| !HARMFUL.contains(&hint.as_str());
    for kind in [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ] {
        let hints = match error.remove(kind) {
            Some(ContextValue::String(hint)) => vec![hint],
            Some(ContextValue::Strings(hints)) => hints,
            _ => continue,
        };
        let hints: Vec<String> = hints.into_iter().filter(is_harmless).collect();
        if !hints.is_empty() {
            error.insert(kind, ContextValue::Strings(hints));
        }
    }
    // Other hints name options of other commands, or suggest `--` before an option.
    error.remove(ContextKind::Suggested);
    if let Some(advice) = advice(error) {
        let advice = ContextValue::StyledStrs(vec![advice.into()]);
        error.insert(ContextKind::Suggested, advice);
    }
    if matches!(
        error.kind(),
        ErrorKind::UnknownArgument | ErrorKind::ArgumentConflict
    ) {
        // The usage line repeats the removed hint.
        error.remove(ContextKind::Usage);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::Args;

    fn message(line: &str) -> String {
        let mut error = Args::try_parse_from(line.split(' ')).unwrap_err();
        remove_harmful_hints(&mut error);
        error.to_string()
    }

    #[test]
    fn harmful_commands_options_and_values_are_never_suggested() {
        for (line, hint) in [
            ("lifecycle restart baidu/bj/i-1", "start"),
            ("lifecycle stat baidu/bj/i-1", "'start'"),
            (
                "lifecycle reboot baidu/bj/i-1 --force-after 90s",
                "'--force'",
            ),
            ("lifecycle reboot baidu/bj/i-1 --frce", "--force"),
            ("lifecycle stop baidu/bj/i-1 --for stopped", "--force"),
            ("lifecycle start baidu/bj/i-1 --init", "--init-local-disk"),
            ("lifecycle list baidu/bj --plain", "--plain-http"),
            ("lifecycle stop baidu/bj/i-1 --billing free", "tip"),
            ("lifecycle start baidu/bj/i-1 --force", "-- --force"),
            ("lifecycle --force", "tip"),
            (
                "lifecycle stop baidu/bj/i-1 --no-wait --force-after 90s",
                "Usage",
            ),
        ] {
            let message = message(line).replace("'restart'", "");
            assert!(!message.contains(hint), "{line}: {message}");
        }
    }

    #[test]
    fn harmless_commands_and_options_are_suggested() {
        for (line, hint) in [
            ("lifecycle lst baidu/bj", "'list'"),
            ("lifecycle start baidu/bj/i-1 --dryrun", "'--dry-run'"),
            ("lifecycle start baidu/bj/i-1 --strickt", "'--strict'"),
            ("lifecycle wait baidu/bj/i-1 --for runing", "'running'"),
        ] {
            let message = message(line);
            assert!(message.contains(hint), "{line}: {message}");
        }
    }

    #[test]
    fn every_harmful_name_exists() {
        use clap::CommandFactory;

        let help: String = Args::command()
            .get_subcommands_mut()
            .map(|command| {
                let help = command.render_long_help();
                format!("{}\n{help}", command.get_name())
            })
            .collect();
        for name in HARMFUL {
            assert!(help.contains(name), "{name}");
        }
    }
}
