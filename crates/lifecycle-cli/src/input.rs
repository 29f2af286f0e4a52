//! References on standard input: text, or rows of the JSON output of this command.
//!
//! The fuzz target `standard_input` includes this file, which therefore imports no other file of the command.

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};

/// A word of the input that names an instance or a group, and its position for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    /// The position, such as `line 3`.
    pub(crate) position: String,
}

/// Returns the references in a text: one or more on a line, or rows of JSON up to a schema.
///
/// # Errors
/// The text is not JSON despite its first character, or a row has no reference.
pub(crate) fn words(text: &str, newest_schema: u64) -> Result<Vec<Word>, String> {
    match text.trim_start().as_bytes().first() {
        Some(b'[' | b'{') => json_words(text, newest_schema),
        _ => Ok(text_words(text)),
    }
}

/// Returns the words of each line. A `#` starts a comment.
fn text_words(text: &str) -> Vec<Word> {
    let lines = (1..).zip(text.lines());
    let words = lines.flat_map(|(number, line)| {
        let line = line.split('#').next().unwrap_or_default();
        line.split_whitespace().map(move |word| Word {
            text: word.to_owned(),
            position: format!("line {number}"),
        })
    });
    words.collect()
}

/// Returns the references in arrays and objects, one after another.
fn json_words(text: &str, newest_schema: u64) -> Result<Vec<Word>, String> {
    let mut words: Vec<Word> = Vec::new();
    for rows in serde_json::Deserializer::from_str(text).into_iter() {
        let Rows(rows) = rows.map_err(|error| format!("invalid JSON: {error}"))?;
        for row in rows {
            let position = format!("row {}", words.len() + 1);
            if let Some(newer) = row.schema.filter(|schema| *schema > newest_schema) {
                return Err(format!(
                    "{position} has the schema {newer}, and this version reads up to schema {newest_schema}"
                ));
            }
            let Some(text) = row.instance else {
                return Err(format!(
                    "{position} has no field \"instance\": use the rows of list, status, start, stop, reboot or wait"
                ));
            };
            words.push(Word { text, position });
        }
    }
    Ok(words)
}

/// A row of the JSON output, as far as the row names an instance.
#[derive(Debug, Deserialize)]
struct InputRow {
    instance: Option<String>,
    schema: Option<u64>,
}

/// One row, or an array of rows.
#[derive(Debug)]
struct Rows(Vec<InputRow>);

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct RowsVisitor;

        impl<'de> Visitor<'de> for RowsVisitor {
            type Value = Rows;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a row or an array of rows of the JSON output")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Rows, A::Error> {
                let mut read = Vec::new();
                while let Some(row) = rows.next_element()? {
                    read.push(row);
                }
                Ok(Rows(read))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Rows, A::Error> {
                let mut row = InputRow {
                    instance: None,
                    schema: None,
                };
                while let Some(key) = map.next_key::<String>()? {
                    match &*key {
                        "instance" => row.instance = map.next_value()?,
                        "schema" => row.schema = map.next_value()?,
                        _ => {
                            let IgnoredAny = map.next_value()?;
                        }
                    }
                }
                Ok(Rows(vec![row]))
            }
        }

        from.deserialize_any(RowsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Result<Vec<String>, String> {
        Ok(words(text, 1)?.into_iter().map(|word| word.text).collect())
    }

    #[test]
    fn rows_of_an_array_and_of_lines_are_references() {
        for text in [
            r#"[{"schema":1,"instance":"baidu/bj/i-1","name":null},{"instance":"baidu/bj/i-2"}]"#,
            "{\"instance\":\"baidu/bj/i-1\",\"tags\":{\"instance\":\"x\"}}\n{\"instance\":\"baidu/bj/i-2\"}\n",
            "  [{\"instance\":\"baidu/bj/i-1\"}]\n[]\n[{\"instance\":\"baidu/bj/i-2\"}]",
        ] {
            assert_eq!(texts(text).unwrap(), ["baidu/bj/i-1", "baidu/bj/i-2"]);
        }
        assert_eq!(texts("[]\n").unwrap(), [""; 0]);
    }

    #[test]
    fn json_of_another_form_is_reported_with_the_row() {
        for (text, expected) in [
            (
                "[{\"instance\":\"baidu/bj/i-1\"},{\"place\":\"x\"}]",
                "row 2 has no field",
            ),
            ("{\"instance\":null}", "row 1 has no field"),
            (
                "[{\"schema\":2,\"instance\":\"x\"}]",
                "row 1 has the schema 2",
            ),
            ("[{\"instance\":\"x\"}", "invalid JSON: EOF"),
            ("[1]", "invalid JSON: "),
            ("{\"instance\":1}", "invalid JSON: "),
        ] {
            let error = words(text, 1).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }

    #[test]
    fn words_of_lines_have_the_number_of_the_line() {
        let words = words("a b # c\n\n d\n", 1).unwrap();
        let words: Vec<_> = words
            .iter()
            .map(|word| (&*word.text, &*word.position))
            .collect();
        assert_eq!(words, [("a", "line 1"), ("b", "line 1"), ("d", "line 3")]);
    }
}
