//! `lifecycle man`: manual pages in the roff format.

use std::{fs, io, path::Path};

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use lifecycle_facade::did_you_mean;

use crate::{
    args::{Args, ManArgs},
    exit::{CommandError, Exit},
    output,
};

/// Prints the page of a command, or writes the pages of all commands.
pub(crate) fn run(args: &ManArgs) -> Result<Exit, CommandError> {
    let mut root = Args::command();
    root.build();
    match &args.folder {
        Some(folder) => write_pages(&root, folder)?,
        None => output::print(&page(command(&root, args.command.as_deref())?, &root)?)?,
    }
    Ok(Exit::Complete)
}

/// Writes `lifecycle.1`, `lifecycle-start.1` and so on.
fn write_pages(root: &Command, folder: &Path) -> Result<(), CommandError> {
    let subcommands = root.get_subcommands().filter(|it| it.get_name() != "help");
    for command in [root].into_iter().chain(subcommands) {
        let name = command.get_display_name().unwrap_or(command.get_name());
        let path = folder.join(format!("{name}.1"));
        let text = page(command, root)?;
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| {
                CommandError::nothing_done(format!("cannot write {}: {error}", path.display()))
            })?;
    }
    Ok(())
}

fn page(command: &Command, root: &Command) -> Result<String, CommandError> {
    let version = root.get_version().unwrap_or_default();
    let mut page = Vec::new();
    Man::new(command.clone())
        .source(format!("lifecycle {version}"))
        .manual("lifecycle manual")
        .render(&mut page)
        .and_then(|()| String::from_utf8(page).map_err(io::Error::other))
        .map_err(|error| CommandError::nothing_done(format!("cannot write the page: {error}")))
}

fn command<'a>(root: &'a Command, name: Option<&str>) -> Result<&'a Command, CommandError> {
    let Some(name) = name else { return Ok(root) };
    root.find_subcommand(name).ok_or_else(|| {
        let names: Vec<&str> = root.get_subcommands().map(Command::get_name).collect();
        let hint = did_you_mean(name, names.iter().copied())
            .unwrap_or_else(|| format!("commands: {}", names.join(", ")));
        CommandError::wrong_usage(format!("unknown command {name:?}: {hint}"))
    })
}
