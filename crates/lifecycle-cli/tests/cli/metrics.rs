//! Tests of `run --metrics` and `exporter`: real scrapes over a socket, read by a strict parser, and compared with
//! the queries of the dashboard and of the alert rules.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::Child,
    thread::sleep,
    time::Duration,
};

use lifecycle_facade::{Clock, Credential, SystemClock};
use lifecycle_metrics::{METRICS, MetricKind};
use lifecycle_sim::{Cloud, Server, Simulator, switches::aliyun::ForbiddenList};
use tokio::{runtime::Runtime, time::Instant};

use crate::{
    queries::{check_query, queries},
    scrape::{Sample, Scrape},
    support::{SimulatorServer, keys, run, spawn},
};

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

/// Simulated clouds of this process with a region that the key may not use.
struct Forbidden {
    simulator: Simulator,
    server: Server,
    _runtime: Runtime,
}

impl Forbidden {
    fn new() -> Self {
        let fleet = "aliyun/cn-hangzhou=1,aliyun/cn-beijing=2";
        let simulator = Simulator::builder()
            .fleet(fleet)
            .unwrap()
            .credential(Cloud::Aliyun, &Credential::keys("id", "secret"))
            .build();
        simulator.forbid_region(Cloud::Aliyun, "cn-beijing");
        simulator.switches(|switches| switches.aliyun.forbidden_list = ForbiddenList::Refused);
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(simulator.serve("127.0.0.1:0")).unwrap();
        Self {
            simulator,
            server,
            _runtime: runtime,
        }
    }

    fn exporter(&self, location: &str) -> MetricsProcess {
        let url = self.server.url();
        let args = [
            "exporter",
            location,
            "--listen",
            "127.0.0.1:0",
            "--endpoint",
            &url,
        ];
        let args = [&args[..], &["--interval", "1s"]].concat();
        MetricsProcess::start(&args, &keys("id", "secret", "project"))
    }
}

/// Returns the series of the locations.
fn locations(scrape: &Scrape) -> Vec<(&str, &str, f64)> {
    let names = [
        "lifecycle_exporter_location_up",
        "lifecycle_exporter_location_unavailable",
    ];
    let samples = scrape.samples.iter();
    let samples = samples.filter(|sample| names.contains(&sample.name.as_str()));
    let mut found: Vec<_> = samples
        .map(|sample| {
            let name = sample
                .name
                .trim_start_matches("lifecycle_exporter_location_");
            (sample.label("location"), name, sample.value)
        })
        .collect();
    found.sort_by(|a, b| a.partial_cmp(b).unwrap());
    found
}

#[test]
fn region_of_a_pattern_without_permission_is_left_out_and_has_a_series() {
    let clouds = Forbidden::new();
    let exporter = clouds.exporter("aliyun/*");
    let scrape = exporter.scrape_until(|scrape| !scrape.states().is_empty());
    // The other regions are empty.
    let other = |location: &&(&str, &str, f64)| location.1 != "up" || location.2 != 1.0;
    let beijing = ("aliyun/cn-beijing", "unavailable", 1.0);
    let found = locations(&scrape);
    assert_eq!(found.iter().filter(other).collect::<Vec<_>>(), [&beijing]);
    assert!(
        found.contains(&("aliyun/cn-hangzhou", "up", 1.0)),
        "{found:?}"
    );
    assert_eq!(scrape.value("lifecycle_exporter_problems"), 0.0);
    // A region that could be read before is a problem, not a region that is left out.
    clouds.simulator.forbid_region(Cloud::Aliyun, "cn-hangzhou");
    let lost = ("aliyun/cn-hangzhou", "up", 0.0);
    let scrape = exporter.scrape_until(|scrape| locations(scrape).contains(&lost));
    let found = locations(&scrape);
    assert_eq!(
        found.iter().filter(other).collect::<Vec<_>>(),
        [&beijing, &lost]
    );
    assert_eq!(scrape.value("lifecycle_exporter_problems"), 1.0);
    assert_eq!(
        scrape.states().into_values().collect::<Vec<_>>(),
        ["unseen"]
    );
}

#[test]
fn named_region_without_permission_is_a_problem_and_no_refresh_counts_as_a_success() {
    let clouds = Forbidden::new();
    let exporter = clouds.exporter("aliyun/cn-beijing");
    let scrape = exporter.scrape_until(|scrape| {
        let mut problems = scrape.named("lifecycle_exporter_problems");
        problems.any(|it| it.value > 0.0)
    });
    assert_eq!(locations(&scrape), [("aliyun/cn-beijing", "up", 0.0)]);
    let last = "lifecycle_exporter_last_refresh_timestamp_seconds";
    assert_eq!(scrape.named(last).count(), 0);
    assert!(scrape.value("lifecycle_exporter_next_refresh_timestamp_seconds") > 0.0);
    // A pattern that leaves out all of its regions is a problem, too.
    let pattern = clouds.exporter("aliyun/cn-b*");
    let scrape = pattern.scrape_until(|scrape| !locations(scrape).is_empty());
    assert_eq!(
        locations(&scrape),
        [("aliyun/cn-beijing", "unavailable", 1.0)]
    );
    assert_eq!(scrape.value("lifecycle_exporter_problems"), 1.0);
    assert_eq!(scrape.named(last).count(), 0);
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
    let example = "for example lifecycle exporter aliyun/cn-hangzhou";
    assert!(result.stderr.contains(example), "{result:?}");
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
        "lifecycle_exporter_location_unavailable",
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
