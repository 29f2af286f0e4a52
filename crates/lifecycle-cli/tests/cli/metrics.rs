//! Tests of `run --metrics` and `exporter`: real scrapes over a socket, read by a strict parser, and the queries
//! of the dashboard and of the alert rules.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::Child,
    thread::sleep,
    time::Duration,
};

use lifecycle_facade::{Clock, SystemClock};
use lifecycle_metrics::{METRICS, MetricKind};
use serde_json::Value;
use tokio::time::Instant;

use crate::support::{SimulatorServer, run, spawn};

/// One line of a scrape.
#[derive(Clone, Debug, PartialEq)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Sample {
    fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// A scrape. The parser panics at each deviation from the text format.
#[derive(Debug, Default)]
struct Scrape {
    samples: Vec<Sample>,
    kinds: BTreeMap<String, String>,
}

impl Scrape {
    fn parse(text: &str) -> Self {
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

    fn named<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s Sample> + use<'s> {
        let name = name.to_owned();
        self.samples.iter().filter(move |it| it.name == name)
    }

    /// Returns the states of the machines by reference.
    fn states(&self) -> BTreeMap<&str, &str> {
        let machines = self.named("lifecycle_machine_state");
        machines
            .map(|it| {
                assert_eq!(it.value, 1.0, "{it:?}");
                (it.label("machine"), it.label("state"))
            })
            .collect()
    }

    fn value(&self, name: &str) -> f64 {
        let mut found = self.named(name);
        match (found.next(), found.next()) {
            (Some(sample), None) => sample.value,
            _ => panic!("{name} in {:#?}", self.samples),
        }
    }

    fn calls(&self) -> f64 {
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

/// Sends a request, and returns status line, headers and body.
fn request(address: &str, head: &str) -> (String, String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let (status, headers) = head.split_once("\r\n").unwrap();
    (status.to_owned(), headers.to_lowercase(), body.to_owned())
}

fn get(address: &str, path: &str) -> (String, String, String) {
    request(
        address,
        &format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n"),
    )
}

/// A process that serves metrics.
struct MetricsProcess {
    child: Child,
    address: String,
}

impl MetricsProcess {
    fn start(args: &[&str], variables: &[(&str, String)]) -> Self {
        let mut child = spawn(args, variables);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            let url = line.strip_prefix("metrics: http://")?;
            Some(url.strip_suffix("/metrics").unwrap().to_owned())
        });
        // The pipe must stay open and empty.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            address: address.expect("a line with the address"),
            child,
        }
    }

    fn scrape(&self) -> Scrape {
        let (status, headers, body) = get(&self.address, "/metrics");
        assert_eq!(status, "HTTP/1.1 200 OK");
        assert!(
            headers.contains("content-type: text/plain; version=0.0.4"),
            "{headers}"
        );
        Scrape::parse(&body)
    }

    /// Scrapes until `is_reached`.
    #[track_caller]
    fn scrape_until(&self, is_reached: impl Fn(&Scrape) -> bool) -> Scrape {
        let begin = Instant::now();
        loop {
            let scrape = self.scrape_if_any();
            if scrape.as_ref().is_some_and(&is_reached) {
                return scrape.unwrap();
            }
            assert!(begin.elapsed() < Duration::from_secs(60), "{scrape:#?}");
            sleep(Duration::from_millis(200));
        }
    }

    /// Scrapes; `None` before the first metric.
    fn scrape_if_any(&self) -> Option<Scrape> {
        let (_, _, body) = get(&self.address, "/metrics");
        (!body.is_empty()).then(|| Scrape::parse(&body))
    }
}

impl Drop for MetricsProcess {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn exporter(server: &SimulatorServer, more: &[&str]) -> MetricsProcess {
    let endpoint = ["--listen", "127.0.0.1:0", "--endpoint", server.field("url")];
    let args = [&["exporter"][..], more, &endpoint].concat();
    MetricsProcess::start(&args, &server.keys())
}

#[test]
fn exporter_shows_new_machines_and_drops_machines_that_are_gone() {
    let server = SimulatorServer::with(&[
        "--fleet",
        "baidu/bj=2,huawei/cn-north-4=1",
        "--speed",
        "100",
    ]);
    let instances = server.instances();
    let args = [
        "baidu/bj",
        "huawei/cn-north-4",
        "--interval",
        "1s",
        "--state",
        "stopped",
    ];
    let exporter = exporter(&server, &args);
    let scrape = exporter.scrape_until(|scrape| scrape.states().len() == 3);
    let mut names: Vec<&str> = scrape.states().into_keys().collect();
    names.sort_unstable();
    let mut expected = instances.clone();
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(scrape.value("lifecycle_machines"), 3.0);
    assert!(
        scrape
            .named("lifecycle_exporter_location_up")
            .all(|it| it.value == 1.0)
    );
    // The machine is no longer among the stopped machines.
    server.run(&["start", instances[0]]).exits_with(0);
    let scrape = exporter.scrape_until(|scrape| scrape.states().len() == 2);
    assert!(!scrape.states().contains_key(instances[0]));
    server.run(&["stop", instances[0]]).exits_with(0);
    exporter.scrape_until(|scrape| scrape.states().contains_key(instances[0]));
    let (status, _, body) = get(&exporter.address, "/healthz");
    assert_eq!(
        (status.as_str(), body.as_str()),
        ("HTTP/1.1 200 OK", "ok\n")
    );
}

#[test]
fn scrape_calls_no_cloud_and_a_lost_cloud_makes_machines_unseen() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=2"]);
    let slow = exporter(&server, &["baidu/bj", "--interval", "1h"]);
    let before = slow
        .scrape_until(|scrape| scrape.states().len() == 2)
        .calls();
    assert!(before > 0.0);
    for _ in 0..20 {
        assert_eq!(slow.scrape().calls(), before);
    }
    let quick = exporter(
        &server,
        &["baidu/bj", "--interval", "1s", "--timeout", "3s"],
    );
    quick.scrape_until(|scrape| scrape.states().len() == 2);
    drop(server);
    let scrape = quick.scrape_until(|scrape| {
        scrape
            .named("lifecycle_exporter_location_up")
            .any(|it| it.value == 0.0)
    });
    let states: Vec<&str> = scrape.states().into_values().collect();
    assert_eq!(states, ["unseen", "unseen"]);
}

#[test]
fn server_of_metrics_is_bounded() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=1"]);
    let exporter = exporter(&server, &["baidu/bj"]);
    let address = &exporter.address;
    let (status, _, _) = get(address, "/other");
    assert_eq!(status, "HTTP/1.1 404 Not Found");
    let (status, headers, _) = request(address, "POST /metrics HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(status, "HTTP/1.1 405 Method Not Allowed");
    assert!(headers.contains("allow: get, head"), "{headers}");
    let long = format!("GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(40_000));
    let mut stream = TcpStream::connect(address).unwrap();
    // The server can close the connection in the middle of the head.
    let _ = stream.write_all(long.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    // Connections without a request use up all places, and lose them after five seconds.
    let idle: Vec<TcpStream> = (0..40)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let begin = Instant::now();
    let (status, _, _) = get(address, "/metrics");
    assert_eq!(status, "HTTP/1.1 200 OK");
    let took = begin.elapsed();
    assert!(
        took > Duration::from_secs(3) && took < Duration::from_secs(15),
        "{took:?}"
    );
    drop(idle);
}

#[test]
fn unusable_address_is_one_line() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=1"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let result = server.run(&["exporter", "baidu/bj", "--listen", &taken]);
    let result = result
        .exits_with(3)
        .has_only_error("cannot serve metrics on");
    assert!(result.stderr.contains("--listen"), "{result:?}");
    // The address belongs to another machine.
    let result = server.run(&["exporter", "baidu/bj", "--listen", "192.0.2.1:80"]);
    result
        .exits_with(3)
        .has_only_error("cannot serve metrics on 192.0.2.1:80");
    let result = run(&["exporter", "baidu/bj", "--listen", "9641"]).exits_with(2);
    assert!(result.stderr.contains("write address:port"), "{result:?}");
    let result = run(&["run", "--metrics", "localhost"]).exits_with(2);
    assert!(result.stderr.contains("write address:port"), "{result:?}");
    let result = server
        .run(&["exporter", "baidu/bj", "--interval", "1ms"])
        .exits_with(2);
    assert!(
        result.stderr.contains("the shortest interval is 1s"),
        "{result:?}"
    );
    let listen = ["--listen", "127.0.0.1:0"];
    let result = run(&[&["exporter"][..], &listen].concat()).exits_with(2);
    assert!(result.stderr.contains("no region"), "{result:?}");
}

/// Starts `run --metrics` with one kept group of two machines.
fn controller(server: &SimulatorServer, folder: &std::path::Path) -> MetricsProcess {
    let config = folder.join("lifecycle.toml");
    let instances = server.instances();
    let text = format!(
        "groups.web = {instances:?}\n\
         keep.web = \"office\"\n\
         [calendars.cn]\n\
         builtin = \"cn-2026\"\n\
         [schedules.office]\n\
         zone = \"Asia/Shanghai\"\n\
         calendar = \"cn\"\n\
         windows = [{{ days = \"workdays\", from = \"08:00\", to = \"20:00\" }}]\n\
         [controller]\n\
         journal = \"journal\"\n"
    );
    fs::write(&config, text).unwrap();
    let config = config.display().to_string();
    // A hold is a change of now, so that the pass acts at any time of the day.
    let hold = ["hold", "web", "running", "--until", "2h", "--why", "test"];
    run(&[&hold[..], &["--config", &config]].concat()).exits_with(0);
    let args = ["run", "--config", &config, "--metrics", "127.0.0.1:0"];
    let args = [&args[..], &["--endpoint", server.field("url")]].concat();
    MetricsProcess::start(&args, &server.keys())
}

#[test]
fn run_serves_machines_groups_and_calls_and_the_queries_of_dashboard_and_alerts_exist() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=2", "--speed", "100"]);
    let folder = tempfile::tempdir().unwrap();
    let controller = controller(&server, folder.path());
    let scrape = controller.scrape_until(|scrape| {
        let passes = scrape.named("lifecycle_controller_passes_total");
        passes.map(|it| it.value).sum::<f64>() >= 1.0
    });
    let states: Vec<&str> = scrape.states().into_values().collect();
    assert_eq!(states, ["running", "running"]);
    let wanted: Vec<&Sample> = scrape.named("lifecycle_machine_wanted").collect();
    assert_eq!(wanted.len(), 2);
    for machine in wanted {
        assert_eq!(
            (machine.label("state"), machine.label("group")),
            ("running", "web")
        );
        assert!(!machine.label("name").is_empty(), "{machine:?}");
    }
    let now = SystemClock.now();
    let now = now
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    let last = scrape.value("lifecycle_controller_last_pass_timestamp_seconds");
    assert!((now - last).abs() < 60.0, "{last} {now}");
    assert!(scrape.value("lifecycle_controller_next_pass_timestamp_seconds") > last);
    assert!(scrape.value("lifecycle_group_next_change_timestamp_seconds") > last);
    // 2027-01-01 in Shanghai.
    let end = scrape.value("lifecycle_group_calendar_end_timestamp_seconds");
    assert_eq!(end, 1_798_732_800.0);
    let mut outcomes = scrape.named("lifecycle_client_outcomes_total");
    let outcome = outcomes.next().unwrap();
    assert_eq!((outcome.label("outcome"), outcome.value), ("reached", 2.0));

    let exporter = exporter(&server, &["baidu/bj"]);
    let exported = exporter.scrape_until(|scrape| scrape.states().len() == 2);
    check_kinds(&scrape);
    check_kinds(&exported);
    let mut labels = labels_by_name(&scrape);
    labels.extend(labels_by_name(&exported));
    // A healthy scrape has no series of these names.
    for name in [
        "lifecycle_client_retries_total",
        "lifecycle_client_unsent_calls_total",
        "lifecycle_client_rate_limit_wait_seconds",
        "lifecycle_controller_facts_total",
    ] {
        let metric = METRICS.iter().find(|metric| metric.name == name).unwrap();
        let names = metric.labels.iter().map(ToString::to_string).collect();
        let ends: &[&str] = match metric.kind {
            MetricKind::Histogram => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        for end in ends {
            labels
                .entry(format!("{name}{end}"))
                .or_insert(BTreeSet::clone(&names));
        }
    }
    let queries = queries();
    assert!(queries.len() > 30, "{}", queries.len());
    for query in queries {
        check_query(&query, &labels);
    }
}

/// Every family of a scrape is in the catalogue, with its kind and its labels.
fn check_kinds(scrape: &Scrape) {
    for (name, kind) in &scrape.kinds {
        let metric = METRICS.iter().find(|metric| metric.name == name).unwrap();
        assert_eq!(metric.kind.as_str(), kind, "{name}");
    }
}

fn labels_by_name(scrape: &Scrape) -> BTreeMap<String, BTreeSet<String>> {
    let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for sample in &scrape.samples {
        let names = labels.entry(sample.name.clone()).or_default();
        names.extend(sample.labels.keys().cloned());
    }
    labels
}

/// A query, and the templates of texts about its results.
#[derive(Debug)]
struct Query {
    expression: String,
    templates: Vec<String>,
}

fn deploy(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/deploy");
    fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

/// Returns the queries of the dashboard and of the alert rules.
fn queries() -> Vec<Query> {
    let mut queries = Vec::new();
    let dashboard: Value = serde_json::from_str(&deploy("grafana-dashboard.json")).unwrap();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            queries.push(Query {
                expression: target["expr"].as_str().unwrap().to_owned(),
                templates: vec![target["legendFormat"].as_str().unwrap().to_owned()],
            });
        }
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if let Some(definition) = variable["definition"].as_str() {
            let inside = definition.strip_prefix("label_values(").unwrap();
            let (metric, label) = inside.strip_suffix(')').unwrap().split_once(", ").unwrap();
            queries.push(Query {
                expression: metric.to_owned(),
                templates: vec![format!("{{{{{label}}}}}")],
            });
        }
    }
    for rule in deploy("alerts.yaml").split("- alert: ").skip(1) {
        let field = |name: &str| {
            let line = rule.lines().find_map(|line| line.trim().strip_prefix(name));
            line.unwrap_or_else(|| panic!("{name} in {rule}"))
                .trim()
                .to_owned()
        };
        queries.push(Query {
            expression: field("expr:"),
            templates: vec![field("summary:"), field("description:")],
        });
    }
    queries
}

/// The words of queries that are no names of metrics or labels.
const WORDS: &[&str] = &[
    "and",
    "by",
    "count",
    "d",
    "h",
    "histogram_quantile",
    "increase",
    "m",
    "on",
    "or",
    "rate",
    "s",
    "sum",
    "time",
    "unless",
    "vector",
];

/// Checks that the metrics exist, and that they have the labels.
fn check_query(query: &Query, labels: &BTreeMap<String, BTreeSet<String>>) {
    let mut text = query.expression.replace("$__rate_interval", "5m");
    // Values of labels are in quotes.
    while let Some(begin) = text.find('"') {
        let end = begin + 1 + text[begin + 1..].find('"').unwrap();
        text.replace_range(begin..=end, " ");
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c)).filter(|word| !word.is_empty());
    let words: Vec<&str> = words
        .map(|word| word.trim_start_matches(|c: char| c.is_ascii_digit()))
        .filter(|word| !word.is_empty())
        .collect();
    let (metrics, others): (Vec<&str>, Vec<&str>) = words
        .iter()
        .partition(|word| word.starts_with("lifecycle_"));
    assert!(!metrics.is_empty(), "{query:?}");
    let mut known = BTreeSet::new();
    for metric in metrics {
        let found = labels.get(metric);
        let found = found.unwrap_or_else(|| panic!("{metric} is not in the scrape: {query:?}"));
        known.extend(found.iter().map(String::as_str));
        known.extend(metric.ends_with("_bucket").then_some("le"));
    }
    for word in others.iter().filter(|word| !WORDS.contains(word)) {
        assert!(known.contains(word), "{word} is no label: {query:?}");
    }
    for template in &query.templates {
        for part in template.split("{{").skip(1) {
            let (name, _) = part.split_once("}}").unwrap();
            let name = name.trim();
            let name = name.strip_prefix("$labels.").unwrap_or(name);
            assert!(
                name == "$value" || known.contains(name),
                "{name} is no label: {query:?}"
            );
        }
    }
}

#[test]
fn alert_rules_pass_promtool() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/deploy/alerts.yaml");
    let output = std::process::Command::new("promtool")
        .args(["check", "rules", file])
        .output();
    match output {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        #[cfg(unix)]
        Err(error) => crate::support::report_skipped("promtool", &error),
        #[cfg(not(unix))]
        Err(_) => {}
    }
}

#[test]
fn query_with_an_unknown_name_is_found() {
    let labels = BTreeMap::from([(
        "lifecycle_a".to_owned(),
        BTreeSet::from(["cloud".to_owned()]),
    )]);
    let check = |expression: &str, template: &str| {
        let query = Query {
            expression: expression.to_owned(),
            templates: vec![template.to_owned()],
        };
        std::panic::catch_unwind(|| check_query(&query, &labels)).is_ok()
    };
    assert!(check(
        r#"sum by (cloud) (rate(lifecycle_a{cloud="b"}[5m])) > 1"#,
        "{{cloud}}"
    ));
    assert!(!check("lifecycle_b", ""));
    assert!(!check("sum by (region) (lifecycle_a)", ""));
    assert!(!check("lifecycle_a", "{{ $labels.region }}"));
}
