//! Connections that fail: the message names host, port and the setting to correct.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crate::support::{keys, run_with, run_within};

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

/// A cloud whose list always has a further page.
fn cloud_with_an_endless_list() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            thread::sleep(Duration::from_millis(50));
            let instance = serde_json::json!({"id": format!("i-{number}"), "status": "Running"});
            let page = serde_json::json!({
                "isTruncated": true,
                "nextMarker": format!("page-{number}"),
                "instances": [instance],
            });
            let page = page.to_string();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            let length = page.len();
            // The client may have closed the connection.
            let _ = write!(stream, "{head}\r\ncontent-length: {length}\r\n\r\n{page}");
        }
    });
    url
}

#[test]
fn endless_list_ends_at_the_time_limit_in_every_command() {
    let endpoint = cloud_with_an_endless_list();
    for args in [
        "list baidu/bj",
        "status baidu/bj --name x",
        "wait baidu/bj --name x",
        "stop baidu/bj --name x",
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        let limit = ["--timeout", "2s", "--endpoint", &endpoint];
        let args = [&args[..], &limit].concat();
        let result = run_within(20, &args, &variables(), "");
        assert_ne!(result.code, -1, "{args:?} has no end");
        let expected = "no complete list within 2 s; increase --timeout";
        assert!(result.stderr.contains(expected), "{args:?}: {result:#?}");
    }
}

#[test]
fn watch_without_an_answer_is_an_error_with_the_reason() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let endpoint = format!("http://{address}");
    let args = ["status", "baidu/bj/i-1", "--watch", "--timeout", "2s"];
    let args = [&args[..], &["--output", "json", "--endpoint", &endpoint]].concat();
    let result = run_within(20, &args, &variables(), "").exits_with(3);
    let message = result.column("message")[0].as_str().unwrap().to_owned();
    assert!(message.contains("within"), "{result:#?}");
}
