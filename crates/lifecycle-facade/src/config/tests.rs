//! Tests of the configuration file: the sample, the schema and random texts.

use std::{collections::BTreeSet, ops::Range};

use proptest::prelude::*;
use toml::de::{DeTable, DeValue};

use super::{
    Config, ConfigError, SAMPLE,
    schema::{
        ACCOUNT, CALENDAR, COMMON_SOURCE_SETTINGS, CONTROLLER, DEFAULTS, EXCEPT, GROUP,
        MAINTENANCE, MAINTENANCE_DAY, MANUAL, PACE, SCHEDULE, SELECT, SOURCES, STORE, Setting, TOP,
        WINDOW,
    },
};

#[test]
fn sample_without_changes_has_no_settings() {
    assert_eq!(Config::parse(SAMPLE), Ok(Config::default()));
}

#[test]
fn sample_shows_every_setting_and_no_other() {
    Config::parse(&uncommented()).unwrap();
    let shown: BTreeSet<_> = shown(&uncommented())
        .into_iter()
        .map(|setting| (setting.section, setting.name))
        .collect();
    assert_eq!(shown, known());
}

#[test]
fn invalid_value_of_each_setting_in_the_sample_is_reported() {
    let text = uncommented();
    for setting in shown(&text) {
        // No setting is a list of lists.
        let wrong = replaced(&text, &setting.value, "[[]]");
        let error = Config::parse(&wrong).unwrap_err();
        let names_setting = |message: &str| message.starts_with(&format!("{} in ", setting.name));
        assert!(
            messages_at(&error, line(&text, &setting.value)).any(names_setting),
            "{} of {}: {error}",
            setting.name,
            setting.section
        );
    }
}

#[test]
fn key_as_a_value_is_not_quoted() {
    // Two invented keys: the first is always an invalid value, the second is a valid text.
    for key in [
        "LTAI5tAbCdEfGhIjKlMnOpQr",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCY==",
    ] {
        let text = uncommented();
        let mut rejected = 0;
        for setting in shown(&text) {
            for value in [format!("{key:?}"), format!("[{key:?}]"), key.to_owned()] {
                let wrong = replaced(&text, &setting.value, &value);
                if let Err(error) = Config::parse(&wrong) {
                    rejected += 1;
                    assert!(!format!("{error} {error:?}").contains(key), "{error}");
                }
            }
        }
        assert!(rejected > 100, "only {rejected} values were rejected");
    }
}

proptest! {
    #[test]
    fn misspelled_setting_is_reported_with_a_suggestion(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        change in 0..4_u8,
        letter in "[a-z]",
    ) {
        let text = uncommented();
        let settings = shown(&text);
        let setting = which.get(&settings);
        let written = misspelled(&setting.name, at.index(setting.name.len()), change, &letter);
        let is_known = known().contains(&(setting.section.clone(), written.clone()));
        prop_assume!(!written.is_empty() && !is_known);

        let error = Config::parse(&replaced(&text, &setting.key, &written)).unwrap_err();
        let names_setting = |message: &str| {
            message.starts_with(&format!("unknown setting {written:?} in "))
                && message.contains("; did you mean ")
                && message.contains(&format!("{:?}", setting.name))
        };
        prop_assert!(messages_at(&error, line(&text, &setting.key)).any(names_setting), "{}", error);
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>()) {
        let _ = Config::parse(&text);
    }

    /// Combines pieces of valid files, because random texts fail in the first line.
    #[test]
    fn any_pieces_are_read_without_a_panic(pieces in prop::collection::vec(piece(), 0..40)) {
        let text = pieces.concat();
        if let Err(error) = Config::parse(&text) {
            let lines = text.split('\n').count();
            prop_assert!(!error.diagnostics().is_empty());
            for problem in error.diagnostics() {
                prop_assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)));
            }
        }
    }
}

fn piece() -> impl Strategy<Value = String> {
    let words = TOP
        .iter()
        .chain(DEFAULTS)
        .chain(ACCOUNT)
        .chain(CALENDAR)
        .chain(SCHEDULE)
        .chain(WINDOW)
        .chain(MAINTENANCE)
        .chain(CONTROLLER)
        .chain(SOURCES.iter().flat_map(|source| source.settings))
        .map(|setting| setting.name)
        .chain(SOURCES.iter().map(|source| source.name));
    let mut pieces: Vec<String> = words
        .flat_map(|word| [format!("{word} = "), format!("{word:?}")])
        .collect();
    let signs = [
        "\n",
        "\n",
        "{",
        "}",
        "[",
        "]",
        ", ",
        ".",
        "=",
        "#",
        "\"",
        "'",
        "1",
        "0.5",
        "1e400",
        "-0",
        "nan",
        "true",
        "1979-05-27",
        "é",
        "\0",
        "\r",
        "\"90s\"",
        "\"aliyun\"",
        "[accounts.prod]\n",
        "[groups]\n",
        "[calendars.cn]\n",
        "[schedules.office]\n",
        "[keep]\n",
        "[[maintenance]]\n",
        "[controller]\n",
        "\"2026-10-01..2026-10-07\"",
        "08:00:00",
        "\"mon..fri\"",
        "\"office\"",
        "credentials = {",
        "from = {",
        "\"prod@aliyun/a/b\"",
    ];
    pieces.extend(signs.map(str::to_owned));
    prop::sample::select(pieces)
}

/// Returns the sample with all settings in use.
fn uncommented() -> String {
    let lines = SAMPLE.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') && !setting.is_empty() => setting,
        _ => line,
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// A setting in a text.
#[derive(Clone, Debug)]
struct Shown {
    section: String,
    name: String,
    key: Range<usize>,
    value: Range<usize>,
}

/// Returns the settings of a text, except tables with a separate line.
fn shown(text: &str) -> Vec<Shown> {
    let document = DeTable::parse(text).unwrap();
    let mut shown = Vec::new();
    for (key, value) in document.get_ref() {
        match key.get_ref().as_ref() {
            "accounts" => collect_named(text, "account", value.get_ref(), &mut shown),
            "groups" => collect_named(text, "group", value.get_ref(), &mut shown),
            "calendars" => collect_named(text, "calendar", value.get_ref(), &mut shown),
            "schedules" => collect_named(text, "schedule", value.get_ref(), &mut shown),
            // The keys are names of the user.
            "keep" => {}
            name => collect_tables(text, name, value.get_ref(), &mut shown),
        }
    }
    shown
}

/// Collects the settings of tables with names of the user.
fn collect_named(text: &str, section: &str, tables: &DeValue<'_>, shown: &mut Vec<Shown>) {
    for table in tables.as_table().unwrap().values() {
        if let Some(table) = table.get_ref().as_table() {
            collect(text, section, table, shown);
        }
    }
}

/// Collects the settings of a table, or of each table in a list.
fn collect_tables(text: &str, section: &str, value: &DeValue<'_>, shown: &mut Vec<Shown>) {
    match value {
        DeValue::Table(table) => collect(text, section, table, shown),
        DeValue::Array(entries) => {
            for entry in entries {
                if let DeValue::Table(table) = entry.get_ref() {
                    collect(text, section, table, shown);
                }
            }
        }
        _ => {}
    }
}

fn collect(text: &str, section: &str, table: &DeTable<'_>, shown: &mut Vec<Shown>) {
    for (key, value) in table {
        let name = key.get_ref().to_string();
        // The keys of `tags` are those of the user.
        if name != "tags" {
            let inner = value.get_ref().as_table();
            let source = inner.and_then(|inner| inner.get("source"));
            let source = source.map(|source| source.get_ref().as_str());
            let section = source.map_or(name.as_str(), Option::unwrap);
            collect_tables(text, section, value.get_ref(), shown);
        }
        let has_own_line = text[key.span().end..].starts_with(']');
        if !has_own_line {
            shown.push(Shown {
                section: section.to_owned(),
                name,
                key: key.span(),
                value: value.span(),
            });
        }
    }
}

/// Returns the settings of the schema, with the sections of the sample.
fn known() -> BTreeSet<(String, String)> {
    let of = |section: &'static str, settings: &'static [Setting]| {
        settings
            .iter()
            .map(move |setting| (section.to_owned(), setting.name.to_owned()))
    };
    let sources = SOURCES.iter().flat_map(|source| {
        of(source.name, source.settings).chain(of(source.name, COMMON_SOURCE_SETTINGS))
    });
    of("defaults", DEFAULTS)
        .chain(of("account", ACCOUNT))
        .chain(of("pace", PACE))
        .chain(of("group", GROUP))
        .chain(of("select", SELECT))
        .chain(of("calendar", CALENDAR))
        .chain(of("schedule", SCHEDULE))
        .chain(of("windows", WINDOW))
        .chain(of("except", EXCEPT))
        .chain(of("manual", MANUAL))
        .chain(of("maintenance", MAINTENANCE))
        .chain(of("on", MAINTENANCE_DAY))
        .chain(of("controller", CONTROLLER))
        .chain(of("store", STORE))
        .chain(sources)
        .collect()
}

fn misspelled(word: &str, at: usize, change: u8, letter: &str) -> String {
    let (before, after) = word.split_at(at);
    let rest = &after[1..];
    match change {
        0 => format!("{before}{rest}"),
        1 => format!("{before}{letter}{after}"),
        2 => format!("{before}{letter}{rest}"),
        _ => {
            let (next, rest) = rest.split_at(rest.len().min(1));
            format!("{before}{next}{}{rest}", &after[..1])
        }
    }
}

fn replaced(text: &str, range: &Range<usize>, with: &str) -> String {
    let mut text = text.to_owned();
    text.replace_range(range.clone(), with);
    text
}

fn line(text: &str, range: &Range<usize>) -> usize {
    text[..range.start].split('\n').count()
}

fn messages_at(error: &ConfigError, line: usize) -> impl Iterator<Item = &str> {
    let problems = error.diagnostics().iter();
    problems
        .filter(move |problem| problem.line == Some(line))
        .map(|problem| problem.message.as_str())
}
