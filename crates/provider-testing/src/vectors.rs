//! Recorded vectors, in the folder `tests/vectors` of each provider.

use std::{env, fs, path::Path};

use serde_json::Value;

/// Reads a file of recorded vectors.
///
/// `manifest_dir` is `env!("CARGO_MANIFEST_DIR")` of the provider, and `file` a name such as
/// `wire.json`.
///
/// # Panics
/// If the file cannot be read, or is not JSON.
pub fn read_vectors(manifest_dir: &str, file: &str) -> Value {
    read(&Path::new(manifest_dir).join("tests/vectors").join(file))
}

/// Checks each vector of `signing.json`, which is a list or an object with a list under `v3`.
/// `differences` returns the names of the stages whose text differs from the recorded text.
///
/// If the variable `LIFECYCLE_VECTORS` is set, the file is `CLOUD/signing.json` in the folder of
/// this variable. `cargo xtask vectors` reads the count that this function prints.
///
/// # Panics
/// If a vector has differences, if there are no vectors, or if the file cannot be read.
pub fn check_signing_vectors(manifest_dir: &str, differences: impl Fn(&Value) -> Vec<String>) {
    let cloud = Path::new(manifest_dir)
        .file_name()
        .and_then(|name| name.to_str()?.strip_prefix("provider-"))
        .expect("the folder of a provider");
    let vectors = match env::var_os("LIFECYCLE_VECTORS") {
        Some(folder) => read(&Path::new(&folder).join(cloud).join("signing.json")),
        None => read_vectors(manifest_dir, "signing.json"),
    };
    let vectors = vectors.as_array().or_else(|| vectors["v3"].as_array());
    let vectors = vectors.expect("a list of vectors");
    let mut failed = 0;
    for vector in vectors {
        let differences = differences(vector);
        if !differences.is_empty() {
            failed += 1;
            println!("{}: {}", vector["name"], differences.join(", "));
        }
    }
    println!(
        "{cloud}: {} passed, {failed} failed",
        vectors.len() - failed
    );
    assert!(failed == 0 && !vectors.is_empty());
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}
