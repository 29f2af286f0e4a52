//! `cargo xtask weigh`: the cost of one cloud for a program, in crates and in seconds.
//!
//! The program to compare with uses the same libraries that every user of lifecycle needs, and sends no
//! request. Small programs below the target folder, outside of the workspace, are each built from scratch.
//! The seconds depend on the machine and on other programs; the processor time depends less on other
//! programs. Cargo writes the seconds of each crate to `target/cargo-timings` in the folder of a program.

use std::{
    collections::BTreeSet,
    env, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    cargo::Cargo,
    ci::now,
    clouds::CLOUDS,
    exit::{CheckResult, CommandResult, CouldNotRun},
};

/// Build small programs with and without lifecycle from scratch, and print crates and seconds.
#[derive(Debug, clap::Args)]
pub(crate) struct Weigh {
    /// Programs to build: `base`, a cloud, or `full`; all programs if none is given.
    names: Vec<String>,
    /// Count the crates only; build nothing.
    #[arg(long)]
    crates_only: bool,
}

impl Weigh {
    pub(crate) fn run(&self, root: &Path) -> CommandResult {
        let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        let base = root.join(target).join("weigh");
        println!(
            "| program | crates | / base | cold development build | processor time | / base |"
        );
        println!("| --- | ---: | ---: | ---: | ---: | ---: |");
        let mut first: Option<Weight> = None;
        let is_selected = |program: &Program| {
            self.names.is_empty() || self.names.iter().any(|name| name == program.folder)
        };
        for program in programs().into_iter().filter(is_selected) {
            let weight = program.weigh(root, &base, !self.crates_only)?;
            println!("{}", weight.row(&program.title, first.as_ref()));
            if program.folder == BASE {
                first = Some(weight);
            }
        }
        Ok(CheckResult::Passed)
    }
}

/// A program without lifecycle, a program with each cloud and a program with all clouds.
fn programs() -> Vec<Program> {
    let clouds = CLOUDS.map(|cloud| Program::with_facade(&format!("with `{cloud}`"), cloud));
    [Program {
        title: "the same libraries alone".to_owned(),
        folder: BASE,
        features: "",
    }]
    .into_iter()
    .chain(clouds)
    .chain([Program::with_facade("with all four", "full")])
    .collect()
}

/// The name of the program without lifecycle.
const BASE: &str = "base";

/// The libraries of a program that signs, sends and reads requests.
const LIBRARIES: &str = r#"async-trait = "0.1"
hmac = "0.13"
reqwest = { version = "0.13", default-features = false, features = ["rustls"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
sha2 = "0.11"
thiserror = "2"
tokio = { version = "1", features = ["macros", "rt-multi-thread", "sync", "time"] }
"#;

/// A program that does nothing but has dependencies.
struct Program {
    title: String,
    folder: &'static str,
    /// The features of the facade; if empty, the program has no facade.
    features: &'static str,
}

impl Program {
    fn with_facade(title: &str, feature: &'static str) -> Self {
        Self {
            title: title.to_owned(),
            folder: feature,
            features: feature,
        }
    }

    fn weigh(&self, root: &Path, base: &Path, builds: bool) -> Result<Weight, CouldNotRun> {
        let folder = base.join(self.folder);
        self.write(root, &folder)
            .map_err(|error| CouldNotRun(format!("{} is not usable: {error}", folder.display())))?;
        run_or_fail(&in_folder("fetch --quiet", &folder), root)?;
        let crates = self.count_crates(root, &folder)?;
        if !builds {
            return Ok(Weight {
                crates,
                build: None,
            });
        }
        let build = in_folder("build --quiet --timings", &folder)
            .arg("--target-dir")
            .arg(folder.join("target").to_string_lossy())
            .env("CARGO_INCREMENTAL", "0");
        let (begin, used) = (now(), processor_time());
        run_or_fail(&build, root)?;
        let build = Build {
            took: now().duration_since(begin),
            used: processor_time()
                .zip(used)
                .map(|(after, before)| after.saturating_sub(before)),
        };
        Ok(Weight {
            crates,
            build: Some(build),
        })
    }

    /// Writes the program into an empty folder, without results of an earlier build.
    fn write(&self, root: &Path, folder: &Path) -> io::Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("Cargo.toml"), self.manifest(root))?;
        fs::write(folder.join("src/main.rs"), "fn main() {}\n")?;
        // The same versions as in the workspace, also after newer releases.
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).map(drop)
    }

    fn manifest(&self, root: &Path) -> String {
        let facade = if self.features.is_empty() {
            String::new()
        } else {
            let path: PathBuf = root.join("crates/lifecycle-facade");
            format!(
                "lifecycle-facade = {{ path = {path:?}, features = [{:?}] }}\n",
                self.features
            )
        };
        format!(
            "[package]\nname = \"weighed\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n{LIBRARIES}{facade}"
        )
    }

    /// Counts the compiled crates without the program.
    fn count_crates(&self, root: &Path, folder: &Path) -> Result<usize, CouldNotRun> {
        let call = in_folder("tree --quiet --prefix none -e normal,build", folder);
        match call.read_stdout(root)? {
            (CheckResult::Passed, tree) => Ok(count_packages(&tree).saturating_sub(1)),
            _ => Err(CouldNotRun(format!("`{call}` failed"))),
        }
    }
}

/// The weight of one program.
struct Weight {
    crates: usize,
    /// `None` if nothing was built.
    build: Option<Build>,
}

/// The duration of one build from scratch.
struct Build {
    took: Duration,
    /// The time of all processors together, if the system reports the time.
    used: Option<Duration>,
}

impl Weight {
    /// Returns the row of a table, with the ratios to the program without lifecycle.
    fn row(&self, title: &str, base: Option<&Self>) -> String {
        let seconds = |time: Option<Duration>| {
            time.map_or(String::new(), |it| format!("{:.0} s", it.as_secs_f64()))
        };
        let ratio = |own: Option<f64>, base: Option<f64>| match (own, base) {
            (Some(own), Some(base)) if base > 0.0 => format!("{:.2}", own / base),
            _ => String::new(),
        };
        let cells = [
            title.to_owned(),
            self.crates.to_string(),
            ratio(Some(self.crates as f64), base.map(|it| it.crates as f64)),
            seconds(self.build.as_ref().map(|build| build.took)),
            seconds(self.used()),
            ratio(
                self.used().map(|it| it.as_secs_f64()),
                base.and_then(Self::used).map(|it| it.as_secs_f64()),
            ),
        ];
        format!("| {} |", cells.join(" | "))
    }

    fn used(&self) -> Option<Duration> {
        self.build.as_ref()?.used
    }
}

/// Returns the processor time of all finished child processes. Linux only.
fn processor_time() -> Option<Duration> {
    read_processor_time(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// Reads fields 16 and 17 of `/proc/self/stat`, counted from 1, in hundredths of a second. Field 2 is a
/// name in parentheses with any letters, so counting starts after the last parenthesis.
fn read_processor_time(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(13);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}

fn in_folder(command: &str, folder: &Path) -> Cargo {
    Cargo::new(command)
        .arg("--manifest-path")
        .arg(folder.join("Cargo.toml").to_string_lossy())
}

fn run_or_fail(call: &Cargo, root: &Path) -> Result<(), CouldNotRun> {
    match call.run(root)? {
        CheckResult::Passed => Ok(()),
        _ => Err(CouldNotRun(format!("`{call}` failed"))),
    }
}

/// Counts the packages in the output of `cargo tree --prefix none`.
fn count_packages(tree: &str) -> usize {
    let packages: BTreeSet<(&str, &str)> = tree
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?))
        })
        .collect();
    packages.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_of_a_package_counts_once() {
        let tree = "weighed v0.0.0 (/x)\ntokio v1.54.1\nsyn v2.0.1 (proc-macro)\ntokio v1.54.1 (*)\nsyn v3.0.0\n";

        assert_eq!(count_packages(tree), 4);
    }

    #[test]
    fn base_has_no_facade_and_each_cloud_is_alone() {
        let root = Path::new("/src");
        let manifests: Vec<String> = programs()
            .iter()
            .map(|program| program.manifest(root))
            .collect();

        assert_eq!(manifests.len(), 6);
        assert!(!manifests[0].contains("lifecycle"));
        assert!(manifests[1].starts_with(&manifests[0]));
        assert!(manifests[1].ends_with(
            "lifecycle-facade = { path = \"/src/crates/lifecycle-facade\", features = [\"baidu\"] }\n"
        ));
    }

    #[test]
    fn row_has_crates_and_seconds_and_their_ratios_to_the_base() {
        let weight = |crates, used| Weight {
            crates,
            build: Some(Build {
                took: Duration::from_millis(41_700),
                used: Some(Duration::from_millis(used)),
            }),
        };
        let base = weight(100, 60_000);

        assert_eq!(base.row("base", None), "| base | 100 |  | 42 s | 60 s |  |");
        assert_eq!(
            weight(113, 72_200).row("with `baidu`", Some(&base)),
            "| with `baidu` | 113 | 1.13 | 42 s | 72 s | 1.20 |"
        );
        let counted = Weight {
            crates: 113,
            build: None,
        };
        assert_eq!(counted.row("a", Some(&base)), "| a | 113 | 1.13 |  |  |  |");
    }

    #[test]
    fn processor_time_of_child_processes_is_read() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194304 1 2 3 4 5 6 700 80 20 0 1 0 99";

        assert_eq!(
            read_processor_time(stat),
            Some(Duration::from_millis(7_800))
        );
        assert_eq!(read_processor_time("42 (short) S 1"), None);
    }
}
