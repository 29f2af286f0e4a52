//! Connections that fail: the message names host, port and the setting to correct.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::support::{keys, run_with};

fn variables() -> Vec<(&'static str, String)> {
    keys("id", "secret", "project")
}

#[test]
fn action_to_a_closed_port_is_skipped_and_names_host_and_port() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let endpoint = format!("http://{address}");
    let args = ["reboot", "aliyun/cn-hangzhou/i-1", "--endpoint", &endpoint];
    let args = [&args[..], &["--output", "json"]].concat();
    let result = run_with(&args, &variables(), "").exits_with(3);
    assert_eq!(result.column("outcome"), ["skipped"]);
    let message = result.column("message")[0].as_str().unwrap().to_owned();
    assert!(
        message.contains(&format!("no connection to {address}")),
        "{message}"
    );
    assert!(message.contains("after 5 attempts"), "{message}");
    // A list has the same text.
    let args = ["list", "aliyun/cn-hangzhou", "--endpoint", &endpoint];
    let result = run_with(&args, &variables(), "").exits_with(3);
    assert!(result.stderr.contains(&message), "{message}: {result:#?}");
}

#[test]
fn unknown_region_leads_to_the_advice_to_check_its_name() {
    let args = ["list", "aliyun/cn-nowhere-9"];
    let result = run_with(&args, &variables(), "").exits_with(3);
    assert!(
        result
            .stderr
            .contains("no address for ecs.cn-nowhere-9.aliyuncs.com")
            && result.stderr.contains("check the region name"),
        "{result:#?}"
    );
}

#[test]
fn rejection_by_the_proxy_is_presented_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n";
            let _ = stream.write_all(answer);
        }
    });
    let mut variables = variables();
    variables.push(("HTTPS_PROXY", proxy));
    let args = ["start", "aliyun/cn-hangzhou/i-1", "--output", "json"];
    let result = run_with(&args, &variables, "").exits_with(3);
    assert_eq!(result.column("outcome"), ["skipped"]);
    assert_eq!(result.column("kind"), ["proxy"]);
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}
