//! `lifecycle man`: manual pages in the roff format.

use std::io;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use lifecycle_facade::did_you_mean;

use crate::{
    args::{Args, ManArgs},
    exit::{CommandError, Exit},
    output,
};

/// Prints the page of a command.
pub(crate) fn run(args: &ManArgs) -> Result<Exit, CommandError> {
    let page = page(args.command.as_deref())?;
    output::print(&page)?;
    Ok(Exit::Complete)
}

fn page(name: Option<&str>) -> Result<String, CommandError> {
    let mut root = Args::command();
    root.build();
    let version = root.get_version().unwrap_or_default().to_owned();
    let command = match name {
        None => root,
        Some(name) => subcommand(&root, name)?,
    };
    let mut page = Vec::new();
    Man::new(command)
        .source(format!("lifecycle {version}"))
        .manual("lifecycle manual")
        .render(&mut page)
        .and_then(|()| String::from_utf8(page).map_err(io::Error::other))
        .map_err(|error| CommandError::nothing_done(format!("cannot write the page: {error}")))
}

fn subcommand(root: &Command, name: &str) -> Result<Command, CommandError> {
    root.find_subcommand(name).cloned().ok_or_else(|| {
        let names: Vec<&str> = root.get_subcommands().map(Command::get_name).collect();
        let hint = did_you_mean(name, names.iter().copied())
            .unwrap_or_else(|| format!("commands: {}", names.join(", ")));
        CommandError::wrong_usage(format!("unknown command {name:?}: {hint}"))
    })
}
