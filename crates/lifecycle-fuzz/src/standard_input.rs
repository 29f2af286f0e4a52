//! Fuzz target: the references on standard input of the command.

// The command is a program without a library.
#[path = "../../lifecycle-cli/src/input.rs"]
mod input;

use serde_json::json;

/// The schema of the rows that the command writes.
const SCHEMA: u64 = 1;

/// Reads the references in a text.
///
/// # Panics
/// If the parser panics, if a reference or an error is larger than the input allows, or if the references are others
/// after they were written as rows.
pub fn check(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    match input::words(text, SCHEMA) {
        Ok(words) => {
            let texts = words.iter().map(|word| &*word.text);
            assert!(texts.clone().map(str::len).sum::<usize>() <= text.len());
            let rows: Vec<_> = texts
                .clone()
                .map(|text| json!({ "schema": SCHEMA, "instance": text }))
                .collect();
            let rows = serde_json::to_string(&rows).expect("rows have JSON");
            let again = input::words(&rows, SCHEMA).expect("rows are read");
            assert!(again.iter().map(|word| &*word.text).eq(texts));
            assert!(words.iter().all(|word| !word.position.is_empty()));
        }
        Err(error) => assert!(error.len() <= 8 * data.len() + 1024),
    }
}
