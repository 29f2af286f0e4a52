//! Proxies, as the environment names them.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use crate::support::{Served, run_with};

/// Takes connections, tells the first line of each, and hangs up.
fn proxy() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, lines) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut line = String::new();
            // A client that goes away says nothing.
            let _ = BufReader::new(stream.unwrap()).read_line(&mut line);
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    (url, lines)
}

/// No host of this name exists, so nothing leaves this machine.
const CLOUD: &str = "https://api.cloud.invalid";

fn variables<'v>(served: &Served, more: &[(&'v str, &str)]) -> Vec<(&'v str, String)> {
    let mut variables: Vec<(&str, String)> = served.keys();
    variables.extend(
        more.iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    variables
}

#[test]
fn calls_to_clouds_go_through_the_proxy_and_calls_to_this_machine_do_not() {
    let served = Served::with(&["--fleet", "baidu/bj=1"]);
    let (proxy, lines) = proxy();
    let variables = variables(&served, &[("HTTPS_PROXY", &proxy), ("HTTP_PROXY", &proxy)]);
    let args = ["list", "baidu/bj", "--timeout", "5s", "--endpoint"];
    run_with(&[&args[..], &[CLOUD]].concat(), &variables, "").exits_with(3);
    let line = lines.recv_timeout(Duration::from_secs(5)).unwrap();
    assert!(line.starts_with("CONNECT api.cloud.invalid:443 "), "{line}");
    while lines.try_recv().is_ok() {}
    let url = served.field("url");
    run_with(&[&args[..], &[url]].concat(), &variables, "").exits_with(0);
    assert!(
        lines.try_recv().is_err(),
        "the simulator was asked by proxy"
    );
}

#[test]
fn no_proxy_is_heeded() {
    let served = Served::with(&["--fleet", "baidu/bj=1"]);
    let (proxy, lines) = proxy();
    let more = [("HTTPS_PROXY", &*proxy), ("NO_PROXY", "cloud.invalid")];
    let variables = variables(&served, &more);
    let args = ["list", "baidu/bj", "--timeout", "5s", "--endpoint", CLOUD];
    run_with(&args, &variables, "").exits_with(3);
    assert!(lines.try_recv().is_err(), "the proxy was asked");
}
