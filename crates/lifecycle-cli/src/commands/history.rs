//! `lifecycle history`: the calls and outcomes of a store.

#[cfg(feature = "postgres")]
use lifecycle_controller::Store as _;
use lifecycle_controller::{HistoryEntry, HistoryQuery, Journal};
use lifecycle_facade::{InstanceReference, config::Config};

use super::{
    controller::{self, StoreChoice},
    journal,
};
use crate::{
    args::HistoryArgs,
    config_file,
    console::Console,
    exit::{CommandError, Exit},
    output,
};

/// Prints the entries of a store, the oldest first.
pub(crate) async fn run(args: &HistoryArgs, console: Console) -> Result<Exit, CommandError> {
    let (choice, reference) = choice(args).await?;
    let query = HistoryQuery::default()
        .with_subject(reference)
        .with_since(args.since);
    let entries = match choice {
        StoreChoice::Journal(path) => Journal::read_history(&path, &query).await?,
        #[cfg(feature = "postgres")]
        StoreChoice::Database(database) => database.open().await?.history(&query).await?,
    };
    print(&entries, console)?;
    if entries.is_empty() {
        console.notice("no entry matches");
    }
    Ok(Exit::Complete)
}

/// Returns the store and the reference. A single argument is a reference or a group if no file has this name, and the
/// configuration file names a store.
async fn choice(args: &HistoryArgs) -> Result<(StoreChoice, Option<String>), CommandError> {
    if let (Some(file), Some(_)) = (&args.journal, &args.reference) {
        return Ok((StoreChoice::Journal(file.clone()), args.reference.clone()));
    }
    let config = config_file::read(args.config.clone(), None).await;
    match &args.journal {
        Some(file) => {
            let has_store = config.as_ref().is_ok_and(|config| {
                let controller = config.as_ref().map(|config| &config.controller);
                controller.is_some_and(|found| {
                    found.journal.is_some() || found.postgres_variable.is_some()
                })
            });
            if journal::exists(file).await? || !has_store {
                return Ok((StoreChoice::Journal(file.clone()), None));
            }
            let config = config?;
            let subject = file.to_string_lossy().into_owned();
            let is_group = |config: &Config| config.groups.contains_key(&subject);
            if subject.parse::<InstanceReference>().is_err()
                && !config.as_ref().is_some_and(is_group)
            {
                return Err(CommandError::wrong_usage(format!(
                    "{subject} is neither a file, nor a group of the configuration file, nor a reference: write the file of \
                     --journal, or cloud/region/instance-id"
                )));
            }
            Ok((
                controller::store_choice(None, config.as_ref())?,
                Some(subject),
            ))
        }
        None => Ok((controller::store_choice(None, config?.as_ref())?, None)),
    }
}

/// Prints entries.
pub(super) fn print(entries: &[HistoryEntry], console: Console) -> Result<(), CommandError> {
    match output::json_records(entries, console.output)? {
        Some(json) => output::print(&json),
        None => output::print_texts(
            [
                "TIME", "WHAT", "RESULT", "INSTANCE", "BY", "WHY", "REQUEST", "NOTE",
            ],
            &entries.iter().map(cells).collect::<Vec<_>>(),
        ),
    }
}

fn cells(entry: &HistoryEntry) -> [String; 8] {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let what = match (&entry.action, entry.kind) {
        (Some(action), "call" | "not-sent") => action.clone(),
        (Some(action), kind) => format!("{kind} {action}"),
        (None, kind) => kind.to_owned(),
    };
    let result = match (entry.outcome, entry.answer, entry.call) {
        (Some(outcome), ..) => outcome,
        (None, Some(answer), _) => answer,
        (None, None, Some(_)) => "no answer",
        (None, None, None) => "-",
    };
    [
        format!("{:.0}", entry.at),
        what,
        result.to_owned(),
        text(&entry.subject),
        text(&entry.by),
        text(&entry.why),
        text(&entry.request_id),
        text(&entry.message),
    ]
}
