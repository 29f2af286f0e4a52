//! `lifecycle history`: the calls and outcomes of a journal.

use lifecycle_controller::{HistoryEntry, HistoryQuery, Journal};

use crate::{
    args::HistoryArgs,
    console::Console,
    exit::{CommandError, Exit},
    output,
};

/// Prints the entries of a journal, the oldest first.
pub(crate) async fn run(args: &HistoryArgs, console: Console) -> Result<Exit, CommandError> {
    let query = HistoryQuery::default()
        .with_subject(args.reference.clone())
        .with_since(args.since);
    let entries = Journal::read_history(&args.journal, &query).await?;
    print(&entries, console)?;
    if entries.is_empty() {
        console.notice("no entry matches");
    }
    Ok(Exit::Complete)
}

/// Prints entries.
pub(super) fn print(entries: &[HistoryEntry], console: Console) -> Result<(), CommandError> {
    match output::json_records(entries, console.output)? {
        Some(json) => output::print(&json),
        None => output::print_texts(
            [
                "TIME", "BY", "WHY", "WHAT", "INSTANCE", "RESULT", "REQUEST", "NOTE",
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
        text(&entry.by),
        text(&entry.why),
        what,
        text(&entry.subject),
        result.to_owned(),
        text(&entry.request_id),
        text(&entry.message),
    ]
}
