use std::{collections::BTreeSet, ops::Range};

use proptest::prelude::*;
use toml::de::{DeTable, DeValue};

use super::{
    Config, ConfigError, SAMPLE,
    schema::{ACCOUNT, CREDENTIALS, DEFAULTS, PACE, SOURCES, Setting, TOP},
};

#[test]
fn the_sample_as_it_is_says_nothing() {
    assert_eq!(Config::parse(SAMPLE), Ok(Config::default()));
}

#[test]
fn the_sample_shows_every_setting_and_nothing_else() {
    Config::parse(&uncommented()).unwrap();
    let shown: BTreeSet<_> = shown(&uncommented())
        .into_iter()
        .map(|setting| (setting.place, setting.name))
        .collect();
    assert_eq!(shown, known());
}

#[test]
fn every_setting_of_the_sample_is_read() {
    let text = uncommented();
    for setting in shown(&text) {
        // No setting is a list of lists.
        let wrong = replaced(&text, &setting.value, "[[]]");
        let bad = Config::parse(&wrong).unwrap_err();
        let tells = |message: &str| message.starts_with(&format!("{} in ", setting.name));
        assert!(
            told_at(&bad, line(&text, &setting.value)).any(tells),
            "{} of {}: {bad}",
            setting.name,
            setting.place
        );
    }
}

#[test]
fn a_key_in_the_place_of_any_value_is_not_quoted() {
    // Made up. Two kinds: a wrong value everywhere, and a right one where a text is taken.
    for key in [
        "LTAI5tAbCdEfGhIjKlMnOpQr",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCY==",
    ] {
        let text = uncommented();
        let mut refused = 0;
        for setting in shown(&text) {
            for value in [format!("{key:?}"), format!("[{key:?}]"), key.to_owned()] {
                let wrong = replaced(&text, &setting.value, &value);
                if let Err(bad) = Config::parse(&wrong) {
                    refused += 1;
                    assert!(!format!("{bad} {bad:?}").contains(key), "{bad}");
                }
            }
        }
        assert!(refused > 100, "only {refused} were refused");
    }
}

proptest! {
    #[test]
    fn a_slip_in_a_setting_is_found_and_put_right(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        slip in 0..4_u8,
        letter in "[a-z]",
    ) {
        let text = uncommented();
        let settings = shown(&text);
        let setting = which.get(&settings);
        let written = slipped(&setting.name, at.index(setting.name.len()), slip, &letter);
        let is_known = known().contains(&(setting.place.clone(), written.clone()));
        prop_assume!(!written.is_empty() && !is_known);

        let bad = Config::parse(&replaced(&text, &setting.key, &written)).unwrap_err();
        let tells = |message: &str| {
            message.starts_with(&format!("unknown setting {written:?} in "))
                && message.contains("; did you mean ")
                && message.contains(&format!("{:?}", setting.name))
        };
        prop_assert!(told_at(&bad, line(&text, &setting.key)).any(tells), "{}", bad);
    }

    #[test]
    fn no_text_is_too_much(text in any::<String>()) {
        let _ = Config::parse(&text);
    }

    /// Unlike arbitrary texts, some of these get beyond the first letters.
    #[test]
    fn no_pieces_are_too_much(pieces in prop::collection::vec(piece(), 0..40)) {
        let text = pieces.concat();
        if let Err(bad) = Config::parse(&text) {
            let lines = text.split('\n').count();
            prop_assert!(!bad.diagnostics().is_empty());
            for problem in bad.diagnostics() {
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
        "credentials = {",
        "from = {",
        "\"prod@aliyun/a/b\"",
    ];
    pieces.extend(signs.map(str::to_owned));
    prop::sample::select(pieces)
}

/// The sample with all that is commented out.
fn uncommented() -> String {
    let lines = SAMPLE.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') && !setting.is_empty() => setting,
        _ => line,
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// A setting as it stands in a text.
#[derive(Clone, Debug)]
struct Shown {
    place: String,
    name: String,
    key: Range<usize>,
    value: Range<usize>,
}

/// The settings of a text, tables with a line of their own left out.
fn shown(text: &str) -> Vec<Shown> {
    let document = DeTable::parse(text).unwrap();
    let mut shown = Vec::new();
    for (key, value) in document.get_ref() {
        let table = value.get_ref().as_table().unwrap();
        match key.get_ref().as_ref() {
            "defaults" => collect(text, "defaults", table, &mut shown),
            "accounts" => {
                for (_, account) in table {
                    collect(
                        text,
                        "account",
                        account.get_ref().as_table().unwrap(),
                        &mut shown,
                    );
                }
            }
            name => assert_eq!(name, "groups"),
        }
    }
    shown
}

fn collect(text: &str, place: &str, table: &DeTable<'_>, shown: &mut Vec<Shown>) {
    for (key, value) in table {
        let name = key.get_ref().to_string();
        if let DeValue::Table(inner) = value.get_ref() {
            let source = inner.get("source").map(|source| source.get_ref().as_str());
            let place = source.map_or(name.as_str(), Option::unwrap);
            collect(text, place, inner, shown);
        }
        let has_own_line = text[key.span().end..].starts_with(']');
        if !has_own_line {
            shown.push(Shown {
                place: place.to_owned(),
                name,
                key: key.span(),
                value: value.span(),
            });
        }
    }
}

/// What the table knows, with the places as the sample's.
fn known() -> BTreeSet<(String, String)> {
    let of = |place: &'static str, settings: &'static [Setting]| {
        settings
            .iter()
            .map(move |setting| (place.to_owned(), setting.name.to_owned()))
    };
    let sources = SOURCES
        .iter()
        .flat_map(|source| of(source.name, source.settings).chain(of(source.name, CREDENTIALS)));
    of("defaults", DEFAULTS)
        .chain(of("account", ACCOUNT))
        .chain(of("pace", PACE))
        .chain(sources)
        .collect()
}

fn slipped(word: &str, at: usize, slip: u8, letter: &str) -> String {
    let (before, after) = word.split_at(at);
    let rest = &after[1..];
    match slip {
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

fn told_at(bad: &ConfigError, line: usize) -> impl Iterator<Item = &str> {
    let problems = bad.diagnostics().iter();
    problems
        .filter(move |problem| problem.line == Some(line))
        .map(|problem| problem.message.as_str())
}
