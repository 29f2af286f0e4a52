//! Writes the recorded vectors of all providers as seeds of the fuzz targets. Started by
//! `cargo xtask fuzz --seeds`. The argument is the folder of the seeds.

use std::{env, fs, io, path::Path};

use http::HeaderMap;
use provider_testing::{read_vectors, recorded_request, recorded_response};

const CLOUDS: [&str; 4] = ["aliyun", "baidu", "huawei", "zenlayer"];
/// Requests and responses of one seed that has several.
const GROUP: usize = 3;

fn main() -> io::Result<()> {
    let folder = env::args_os()
        .nth(1)
        .ok_or_else(|| io::Error::other("the folder of the seeds is missing"))?;
    let folder = Path::new(&folder);
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for cloud in CLOUDS {
        let provider = crates.join(format!("provider-{cloud}"));
        let provider = provider.to_str().expect("a path in UTF-8");
        let files = ["wire.json", "list.json"].map(|file| read_vectors(provider, file));
        let entries = |part: &str| {
            let parts = files.iter().map(|file| file[part].as_array().cloned());
            parts
                .map(|part| part.expect("a list"))
                .collect::<Vec<_>>()
                .concat()
        };
        let responses = entries("responses");
        let mut messages = Vec::new();
        for entry in &responses {
            let response = recorded_response(entry);
            let start = response.status().as_str().to_owned();
            let message = message(&start, response.headers(), response.body());
            let target = format!("{cloud}_responses");
            let name = file_name(entry["name"].as_str().expect("a name"));
            write(&folder.join(target), &name, &message)?;
            messages.push(message);
        }
        for (number, group) in messages.chunks(GROUP).enumerate() {
            let mut seed = cloud.as_bytes().to_vec();
            for message in group {
                seed.extend_from_slice(b"\n== response\n");
                seed.extend_from_slice(message);
            }
            let name = format!("{cloud}-{number}");
            write(&folder.join("client_responses"), &name, &seed)?;
        }
        for (number, entry) in entries("requests").iter().enumerate() {
            let request = recorded_request(entry);
            let start = format!("{} {}", request.method(), request.uri());
            let message = message(&start, request.headers(), request.body());
            let name = format!("{cloud}-{number}");
            write(&folder.join("simulator_requests"), &name, &message)?;
        }
    }
    Ok(())
}

/// Returns the text form of a message, without a line break at the end of the body.
fn message(start: &str, headers: &HeaderMap, body: &[u8]) -> Vec<u8> {
    let mut text = start.as_bytes().to_vec();
    for (name, value) in headers {
        text.extend_from_slice(format!("\n{name}: ").as_bytes());
        text.extend_from_slice(value.as_bytes());
    }
    text.extend_from_slice(b"\n\n");
    text.extend_from_slice(body);
    text
}

fn file_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect()
}

fn write(folder: &Path, name: &str, seed: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(name), seed)
}
