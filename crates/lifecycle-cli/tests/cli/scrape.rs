//! A strict parser of the Prometheus text format.

use std::collections::{BTreeMap, BTreeSet};

/// One line of a scrape.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Sample {
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// A scrape. The parser panics at each deviation from the text format.
#[derive(Debug, Default)]
pub(crate) struct Scrape {
    pub(crate) samples: Vec<Sample>,
    pub(crate) kinds: BTreeMap<String, String>,
}

impl Scrape {
    pub(crate) fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has no end");
        let mut scrape = Self::default();
        let mut family = (String::new(), String::new());
        let mut seen = BTreeSet::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(!help.is_empty(), "{line}");
                assert!(!scrape.kinds.contains_key(name), "{name} is not one block");
                name.clone_into(&mut family.0);
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert_eq!(name, family.0, "TYPE without HELP");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                kind.clone_into(&mut family.1);
                scrape.kinds.insert(name.to_owned(), kind.to_owned());
            } else {
                let sample = sample(line);
                let of_family = match family.1.as_str() {
                    "histogram" => ["_bucket", "_sum", "_count"]
                        .iter()
                        .any(|end| sample.name == format!("{}{end}", family.0)),
                    _ => sample.name == family.0,
                };
                assert!(of_family, "{line} is in the block of {}", family.0);
                assert!(family.1 != "counter" || sample.value >= 0.0, "{line}");
                let key = line.rsplit_once(' ').unwrap().0.to_owned();
                assert!(seen.insert(key), "twice: {line}");
                scrape.samples.push(sample);
            }
        }
        scrape.check_histograms();
        scrape
    }

    /// Buckets must be cumulative, and the last bucket must equal the count.
    fn check_histograms(&self) {
        let is_histogram = |(_, kind): &(&String, &String)| *kind == "histogram";
        for (name, _) in self.kinds.iter().filter(is_histogram) {
            for count in self.named(&format!("{name}_count")) {
                let buckets = self.named(&format!("{name}_bucket"));
                let mut buckets: Vec<(f64, f64)> = buckets
                    .filter(|bucket| count.labels.iter().all(|(k, v)| bucket.label(k) == v))
                    .map(|bucket| (number(bucket.label("le")), bucket.value))
                    .collect();
                buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
                assert!(buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1));
                assert_eq!(buckets.last(), Some(&(f64::INFINITY, count.value)));
            }
        }
    }

    pub(crate) fn named<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s Sample> + use<'s> {
        let name = name.to_owned();
        self.samples.iter().filter(move |it| it.name == name)
    }

    /// Returns the states of the machines by reference.
    pub(crate) fn states(&self) -> BTreeMap<&str, &str> {
        let machines = self.named("lifecycle_machine_state");
        machines
            .map(|it| {
                assert_eq!(it.value, 1.0, "{it:?}");
                (it.label("machine"), it.label("state"))
            })
            .collect()
    }

    pub(crate) fn value(&self, name: &str) -> f64 {
        let mut found = self.named(name);
        match (found.next(), found.next()) {
            (Some(sample), None) => sample.value,
            _ => panic!("{name} in {:#?}", self.samples),
        }
    }

    pub(crate) fn calls(&self) -> f64 {
        self.named("lifecycle_client_calls_total")
            .map(|it| it.value)
            .sum()
    }
}

fn number(text: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        text => text.parse().unwrap(),
    }
}

/// Parses one line: a name, labels in braces, a number.
fn sample(line: &str) -> Sample {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let end = line.find(|c| !is_name(c)).unwrap();
    let (name, mut rest) = line.split_at(end);
    assert!(
        !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()),
        "{line}"
    );
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, value) = rest.split_once("=\"").unwrap();
            assert!(
                label.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'),
                "{line}"
            );
            let mut text = String::new();
            let mut chars = value.char_indices();
            let end = loop {
                match chars.next().unwrap() {
                    (at, '"') => break at + 1,
                    (_, '\\') => match chars.next().unwrap().1 {
                        'n' => text.push('\n'),
                        c @ ('\\' | '"') => text.push(c),
                        other => panic!("\\{other} in {line}"),
                    },
                    (_, c) => text.push(c),
                }
            };
            assert_eq!(labels.insert(label.to_owned(), text), None, "{line}");
            match value[end..].strip_prefix(',') {
                Some(next) => rest = next,
                None => {
                    rest = value[end..].strip_prefix('}').unwrap();
                    break;
                }
            }
        }
    }
    Sample {
        name: name.to_owned(),
        labels,
        value: number(rest.strip_prefix(' ').unwrap()),
    }
}
