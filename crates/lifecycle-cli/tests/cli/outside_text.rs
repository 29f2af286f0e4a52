//! Text and files from outside: byte order marks, pipes, control characters.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::Command,
    thread,
};

use tempfile::TempDir;

use crate::support::{SimulatorServer, keys, run_with, run_within};

#[test]
fn standard_input_may_have_a_byte_order_mark_and_windows_line_ends() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=2"]);
    let [first, second] = server.instances()[..] else {
        panic!("two instances");
    };
    let args = [
        "status",
        "-",
        "--output",
        "json",
        "--endpoint",
        server.field("url"),
    ];
    let stdin = format!("\u{feff}{first}\r\n\r\n# comment\r\n {second}\t\r\n");
    let result = run_with(&args, &server.keys(), &stdin).exits_with(0);
    assert_eq!(result.column("instance"), [first, second]);
    // A long word is compared with no name.
    let stdin = "x".repeat(16 << 20);
    run_with(&args, &server.keys(), &stdin)
        .exits_with(2)
        .has_only_error("line 1 of standard input: invalid reference");
    let stdin = "x".repeat((128 << 20) + 1);
    run_with(&args, &server.keys(), &stdin)
        .exits_with(2)
        .has_only_error("standard input: longer than");
}

#[test]
fn name_of_the_table_is_in_the_json_output() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=1"]);
    let result = server
        .run(&["list", "baidu/bj", "--output", "json"])
        .exits_with(0);
    let name = result.column("name")[0].as_str().unwrap().to_owned();
    let instance = server.instances()[0];
    assert!(server.run(&["list", "baidu/bj"]).stdout.contains(&name));
    for command in ["status", "start"] {
        let result = server
            .run(&[command, instance, "--output", "json"])
            .exits_with(0);
        assert_eq!(result.column("name"), [&*name], "{result:#?}");
    }
}

#[test]
fn pipe_in_place_of_a_file_is_reported_at_once() {
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let pipe = pipe.to_str().unwrap();
    fs::create_dir(folder.path().join(".bce")).unwrap();
    let home = folder.path().to_str().unwrap().to_owned();
    std::os::unix::fs::symlink(pipe, folder.path().join(".bce/config.json")).unwrap();
    for (options, code) in [
        (&["--config", pipe][..], 2),
        (&["--ca-certificates", pipe], 2),
        (&[], 2),
    ] {
        let args = [&["list", "baidu/bj", "--timeout", "60s"][..], options].concat();
        run_within(15, &args, &[("HOME", home.clone())], "")
            .exits_with(code)
            .has_only_error("not a regular file");
    }
}

/// A cloud that answers every request with an error, which quotes the head of the request.
fn hostile_cloud(text: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let text = text.to_owned();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head = lines
                .by_ref()
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty());
            let quoted: Vec<String> = head.collect();
            let message = format!("{text} {}", quoted.join(" "));
            let body = serde_json::json!({"code": text, "message": message, "requestId": text});
            let body = body.to_string();
            let head = "HTTP/1.1 403 No\r\ncontent-type: application/json\r\nconnection: close";
            let length = body.len();
            // The client may have closed the connection.
            let _ = write!(stream, "{head}\r\ncontent-length: {length}\r\n\r\n{body}");
        }
    });
    url
}

#[test]
fn text_of_a_cloud_cannot_steer_the_terminal_and_quotes_no_signature() {
    const SECRET: &str = "secret-that-never-leaves-this-test";
    let text = "\u{1b}[2J\u{7}\nbaidu/bj/i-fake  running\r\u{9b}31m\u{202e}A\u{200b}\u{2028}B";
    let url = hostile_cloud(text);
    for command in [
        &["list", "baidu/bj"][..],
        &["status", "baidu/bj/i-1"],
        &["start", "baidu/bj/i-1"],
        &["doctor", "baidu/bj"],
    ] {
        for options in [&[][..], &["-vv"], &["--output", "json"]] {
            let args = [command, options, &["--timeout", "5s", "--endpoint", &url]].concat();
            let result = run_with(&args, &keys("id", SECRET, "project"), "");
            let output = format!("{}{}", result.stdout, result.stderr);
            for hostile in [
                '\u{1b}', '\u{7}', '\r', '\u{9b}', '\u{202e}', '\u{200b}', '\u{2028}',
            ] {
                assert!(
                    !output.contains(hostile),
                    "{args:?}: {hostile:?} in {result:#?}"
                );
            }
            assert!(
                !output.contains("\nbaidu/bj/i-fake"),
                "{args:?}: {result:#?}"
            );
            let is_signature =
                |word: &str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(
                !output
                    .split(|c: char| !c.is_alphanumeric())
                    .any(is_signature),
                "{result:#?}"
            );
            assert!(!output.contains(SECRET), "{result:#?}");
            if options == ["--output", "json"] {
                result.rows();
            }
        }
    }
}
