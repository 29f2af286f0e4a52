//! Tests of proxies from environment variables.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use crate::support::{SimulatorServer, run_with};

/// Starts a proxy that returns the first line of each connection, then closes the connection.
fn proxy() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, lines) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut line = String::new();
            // A closed connection gives an empty line.
            let _ = BufReader::new(stream.unwrap()).read_line(&mut line);
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    (url, lines)
}

/// The address of a host that does not exist, so nothing leaves this machine.
const CLOUD: &str = "https://api.cloud.invalid";

fn variables<'v>(server: &SimulatorServer, more: &[(&'v str, &str)]) -> Vec<(&'v str, String)> {
    let mut variables: Vec<(&str, String)> = server.keys();
    variables.extend(
        more.iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    variables
}

#[test]
fn proxy_receives_calls_to_clouds_but_not_to_this_machine() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=1"]);
    let (proxy, lines) = proxy();
    let variables = variables(&server, &[("HTTPS_PROXY", &proxy), ("HTTP_PROXY", &proxy)]);
    let args = ["list", "baidu/bj", "--timeout", "5s", "--endpoint"];
    run_with(&[&args[..], &[CLOUD]].concat(), &variables, "").exits_with(3);
    let line = lines.recv_timeout(Duration::from_secs(5)).unwrap();
    assert!(line.starts_with("CONNECT api.cloud.invalid:443 "), "{line}");
    while lines.try_recv().is_ok() {}
    let url = server.field("url");
    run_with(&[&args[..], &[url]].concat(), &variables, "").exits_with(0);
    assert!(
        lines.try_recv().is_err(),
        "the proxy received a call to this machine"
    );
}

#[test]
fn host_in_no_proxy_is_called_directly() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=1"]);
    let (proxy, lines) = proxy();
    let more = [("HTTPS_PROXY", &*proxy), ("NO_PROXY", "cloud.invalid")];
    let variables = variables(&server, &more);
    let args = ["list", "baidu/bj", "--timeout", "5s", "--endpoint", CLOUD];
    run_with(&args, &variables, "").exits_with(3);
    assert!(lines.try_recv().is_err(), "the proxy received a call");
}
