//! Tests of proxies and certificate stores from environment variables.

use std::{
    io::{BufRead, BufReader, Read, Write},
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

#[test]
fn unusable_proxy_is_reported_with_the_variable_and_without_the_value() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=1"]);
    for (name, value) in [
        ("HTTPS_PROXY", "::::"),
        ("https_proxy", "ftp://ops:hidden@proxy.invalid"),
        ("ALL_PROXY", "http://"),
    ] {
        let variables = variables(&server, &[(name, value)]);
        for command in ["list", "doctor"] {
            let result = run_with(&[command, "baidu/bj", "--endpoint", CLOUD], &variables, "");
            let result = result.exits_with(3).has_only_error(name);
            assert!(!result.stderr.contains("hidden"), "{result:#?}");
        }
    }
}

#[test]
fn spaces_around_the_address_of_a_proxy_are_ignored() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=1"]);
    let (proxy, lines) = proxy();
    let variables = variables(&server, &[("HTTPS_PROXY", &format!(" {proxy} "))]);
    let args = ["list", "baidu/bj", "--timeout", "5s", "--endpoint", CLOUD];
    run_with(&args, &variables, "").exits_with(3);
    let line = lines.recv_timeout(Duration::from_secs(5)).unwrap();
    assert!(line.starts_with("CONNECT api.cloud.invalid:443 "), "{line}");
}

#[test]
fn socks_proxy_receives_the_host_name() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=1"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("socks5h://{}", listener.local_addr().unwrap());
    let (sender, received) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut greeting = [0; 3];
            let mut request = [0; 32];
            // The proxy accepts a connection without a password, and ends after the request.
            if stream.read_exact(&mut greeting).is_ok()
                && stream.write_all(&[5, 0]).is_ok()
                && let Ok(length) = stream.read(&mut request)
            {
                let _ = sender.send(String::from_utf8_lossy(&request[..length]).into_owned());
            }
        }
    });
    let variables = variables(&server, &[("ALL_PROXY", &proxy)]);
    let args = ["list", "baidu/bj", "--timeout", "5s", "--endpoint", CLOUD];
    run_with(&args, &variables, "").exits_with(3);
    let request = received.recv_timeout(Duration::from_secs(5)).unwrap();
    assert!(request.contains("api.cloud.invalid"), "{request:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn unusable_certificate_store_is_reported_with_the_variable() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=1"]);
    for (name, value) in [
        ("SSL_CERT_FILE", "/nonexistent/ca.pem"),
        ("SSL_CERT_FILE", "/dev/null"),
        ("SSL_CERT_DIR", "/nonexistent"),
    ] {
        let variables = variables(&server, &[(name, value)]);
        let result = run_with(&["list", "baidu/bj", "--endpoint", CLOUD], &variables, "");
        let result = result.exits_with(3).has_only_error(name);
        assert!(result.stderr.contains(value), "{result:#?}");
    }
}
