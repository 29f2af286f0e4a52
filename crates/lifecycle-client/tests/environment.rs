//! Tests of the variables of the environment that `HttpTransport` reads: proxies, and certificate stores. Each
//! test runs itself again in another process, with the variables.
#![cfg(feature = "reqwest")]

use std::process::Command;

use bytes::Bytes;
use lifecycle_client::{HttpTransport, Transport, TransportError, proxy_variable};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// The variable that marks the process with the variables.
const INSIDE: &str = "LIFECYCLE_TEST_ENVIRONMENT";

/// The variables that a test sets or removes.
const ALL: [&str; 11] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "REQUEST_METHOD",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Returns true in the process with the variables. Runs the test of this name in such a process otherwise.
fn is_inside(test: &str, variables: &[(&str, &str)]) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]);
    for name in ALL {
        command.env_remove(name);
    }
    command.env(INSIDE, "1").envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("1 passed"), "{text}{errors}");
    false
}

/// Starts a server that answers every request with its name.
async fn server(name: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read(&mut [0; 4096]).await;
            let length = name.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n");
            let text = format!("{head}connection: close\r\n\r\n{name}");
            let _ = socket.write_all(text.as_bytes()).await;
        }
    });
    address
}

async fn get(url: String) -> Result<String, TransportError> {
    let request = http::Request::get(url).body(Bytes::new()).unwrap();
    let response = HttpTransport::new()?.send(request).await?;
    Ok(String::from_utf8_lossy(response.body()).into_owned())
}

#[tokio::test]
async fn plain_call_goes_through_the_proxy_except_to_this_machine() {
    let proxy = server("proxy").await;
    let is_inside = tokio::task::spawn_blocking(move || {
        let name = "plain_call_goes_through_the_proxy_except_to_this_machine";
        let no_proxy = "internal.invalid,port.invalid:8080";
        is_inside(name, &[("HTTP_PROXY", &*proxy), ("NO_PROXY", no_proxy)])
    });
    if !is_inside.await.unwrap() {
        return;
    }
    let get_text = async |url: &str| get(url.to_owned()).await;
    assert_eq!(get_text("http://cloud.invalid/").await.unwrap(), "proxy");
    let local = server("local").await;
    let found = get(format!("http://{local}/")).await.unwrap();
    assert_eq!(found, "local");
    let error = get_text("http://a.internal.invalid/").await.unwrap_err();
    assert!(error.to_string().starts_with("no address"), "{error}");
    let error = get_text("http://port.invalid:8080/").await.unwrap_err();
    assert!(error.to_string().starts_with("no address"), "{error}");
    assert_eq!(get_text("http://port.invalid/").await.unwrap(), "proxy");
    assert_eq!(proxy_variable("cloud.invalid", 443).unwrap(), None);
}

#[test]
fn proxy_of_encrypted_calls_is_named_by_its_variable() {
    let variables = [
        ("https_proxy", "proxy.invalid:1"),
        ("NO_PROXY", "cloud.invalid:8443"),
    ];
    let name = "proxy_of_encrypted_calls_is_named_by_its_variable";
    if is_inside(name, &variables) {
        let variable = |port| proxy_variable("cloud.invalid", port).unwrap();
        assert_eq!(variable(443), Some("https_proxy"));
        assert_eq!(variable(8443), None);
    }
}

/// Checks that the error of the transport names the only variable that is set.
fn transport_names_the_variable(test: &str, variable: &str, value: &str) {
    if is_inside(test, &[(variable, value)]) {
        let error = HttpTransport::new().unwrap_err().to_string();
        let is_set = |name: &&str| std::env::var_os(name).is_some();
        let expected = ALL.into_iter().find(is_set).unwrap();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn unusable_proxy_is_named_by_the_transport() {
    let name = "unusable_proxy_is_named_by_the_transport";
    transport_names_the_variable(name, "HTTP_PROXY", "ftp://proxy.invalid:1");
}

#[cfg(all(unix, not(target_vendor = "apple")))]
#[test]
fn unusable_certificate_store_is_named_by_the_transport() {
    for (variable, value) in [
        ("SSL_CERT_FILE", "/nonexistent/certificates.pem"),
        ("SSL_CERT_DIR", "/nonexistent/certificates"),
        ("SSL_CERT_FILE", ""),
        ("SSL_CERT_DIR", ""),
    ] {
        let name = "unusable_certificate_store_is_named_by_the_transport";
        transport_names_the_variable(name, variable, value);
    }
}

#[test]
fn empty_proxy_variables_are_no_settings() {
    let variables = ["HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"].map(|name| (name, ""));
    if is_inside("empty_proxy_variables_are_no_settings", &variables) {
        HttpTransport::new().unwrap();
        assert_eq!(proxy_variable("cloud.invalid", 443).unwrap(), None);
    }
}

#[tokio::test]
async fn proxy_without_a_connection_is_named_without_its_password() {
    let no_connection = |variable| format!("no connection to the proxy 127.0.0.1:1 in {variable}");
    let no_address = |variable| {
        format!("no address for the proxy proxy.invalid: check {variable} and the DNS servers")
    };
    let cases = [
        (
            "HTTPS_PROXY",
            "http://ops:hidden@127.0.0.1:1",
            no_connection("HTTPS_PROXY"),
        ),
        (
            "https_proxy",
            "https://ops:hidden@127.0.0.1:1",
            no_connection("https_proxy"),
        ),
        (
            "ALL_PROXY",
            "socks5h://ops:hidden@127.0.0.1:1",
            no_connection("ALL_PROXY"),
        ),
        (
            "all_proxy",
            "socks4://127.0.0.1:1",
            no_connection("all_proxy"),
        ),
        (
            "HTTP_PROXY",
            "http://ops:hidden@127.0.0.1:1",
            no_connection("HTTP_PROXY"),
        ),
        (
            "HTTPS_PROXY",
            "http://ops:hidden@proxy.invalid:8080",
            no_address("HTTPS_PROXY"),
        ),
        (
            "http_proxy",
            "http://ops:hidden@proxy.invalid:8080",
            no_address("http_proxy"),
        ),
    ];
    for (variable, proxy, expected) in cases {
        let name = "proxy_without_a_connection_is_named_without_its_password";
        if std::env::var_os(INSIDE).is_some() && std::env::var(variable).as_deref() != Ok(proxy) {
            continue;
        }
        if is_inside(name, &[(variable, proxy)]) {
            // An address, because socks4 looks up the name of the cloud on this machine.
            let url = match variable {
                "HTTP_PROXY" | "http_proxy" => "http://203.0.113.1/",
                _ => "https://203.0.113.1/",
            };
            let error = get(url.to_owned()).await.unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
            assert!(!error.to_fault().to_string().contains("hidden"));
        }
    }
}

#[tokio::test]
async fn failure_behind_the_proxy_names_the_cloud_and_the_proxy() {
    let proxy = server("not a TLS server").await;
    let is_inside = tokio::task::spawn_blocking(move || {
        let name = "failure_behind_the_proxy_names_the_cloud_and_the_proxy";
        is_inside(name, &[("HTTPS_PROXY", &*proxy)])
    });
    if is_inside.await.unwrap() {
        let proxy = std::env::var("HTTPS_PROXY").unwrap();
        let error = get("https://cloud.invalid/".to_owned()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("no connection to cloud.invalid:443 through the proxy {proxy} in HTTPS_PROXY")
        );
    }
}
