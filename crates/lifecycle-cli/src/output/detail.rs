//! The column `detail` of a table: the explanation of a row for people.

use crate::{
    row::Row,
    terminal::{LONGEST_MESSAGE, LONGEST_NAME, shortened},
};

/// Returns code, message and request id. A success has a short note only.
pub(super) fn detail(row: &Row, verbose: bool) -> String {
    if row.is_as_requested() && row.outcome.is_some() && !verbose {
        return row.note().to_owned();
    }
    let message = shortened(row.message.as_deref().unwrap_or_default(), LONGEST_MESSAGE);
    let part = |part: &Option<String>| {
        let part = shortened(part.as_deref()?, LONGEST_NAME);
        (!message.contains(&part)).then_some(part)
    };
    let code = part(&row.code).map(|code| format!("{code}: "));
    let request = part(&row.request_id).map(|id| format!(" (request {id})"));
    [code.as_deref(), Some(&message), request.as_deref()]
        .into_iter()
        .flatten()
        .collect()
}
