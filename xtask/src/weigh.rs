//! `cargo xtask weigh`: what a program pays for one cloud, in crates and in seconds.
//!
//! Small programs are laid out below the target folder, away from the workspace, and each is built
//! from nothing. The seconds depend on the machine, and on what else it does meanwhile; the processor
//! time depends less on the latter.

use std::{
    collections::BTreeSet,
    env, fmt, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    CLOUDS,
    cargo::Cargo,
    ci::now,
    exit::{CouldNotRun, Verdict},
};

/// Build small programs from nothing, with and without us, and print what they weigh.
#[derive(Debug, clap::Args)]
pub(crate) struct Weigh {
    /// What to weigh: `base`, a cloud, or `full`. All of these, if nothing is named.
    names: Vec<String>,
}

impl Weigh {
    pub(crate) fn run(&self, root: &Path) -> Result<Verdict, CouldNotRun> {
        let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        let base = root.join(target).join("weigh");
        println!("| program | crates | cold development build | processor time |");
        println!("| --- | --- | --- | --- |");
        let is_asked = |program: &Program| {
            self.names.is_empty() || self.names.iter().any(|name| name == program.folder)
        };
        for program in programs().into_iter().filter(is_asked) {
            println!("{}", program.weigh(root, &base)?);
        }
        Ok(Verdict::Passed)
    }
}

/// What any program of this kind has already, then each cloud, then all.
fn programs() -> Vec<Program> {
    let clouds = CLOUDS.map(|cloud| Program::with_us(&format!("with `{cloud}`"), cloud));
    [Program {
        title: "`reqwest` and `tokio` alone".to_owned(),
        folder: "base",
        features: "",
    }]
    .into_iter()
    .chain(clouds)
    .chain([Program::with_us("with all four", "full")])
    .collect()
}

/// A program that does nothing but depend.
struct Program {
    title: String,
    folder: &'static str,
    /// The features of the facade; none: without it.
    features: &'static str,
}

impl Program {
    fn with_us(title: &str, feature: &'static str) -> Self {
        Self {
            title: title.to_owned(),
            folder: feature,
            features: feature,
        }
    }

    fn weigh(&self, root: &Path, base: &Path) -> Result<Weight<'_>, CouldNotRun> {
        let folder = base.join(self.folder);
        self.lay(root, &folder)
            .map_err(|error| CouldNotRun(format!("{} is not usable: {error}", folder.display())))?;
        must(&in_folder("fetch --quiet", &folder), root)?;
        let crates = self.count(root, &folder)?;
        let build = in_folder("build --quiet", &folder)
            .arg("--target-dir")
            .arg(folder.join("target").to_string_lossy());
        let (begin, used) = (now(), processor_time());
        must(&build, root)?;
        Ok(Weight {
            title: &self.title,
            crates,
            took: now().duration_since(begin),
            used: processor_time()
                .zip(used)
                .map(|(after, before)| after.saturating_sub(before)),
        })
    }

    /// Writes the program anew; what an earlier run built is gone.
    fn lay(&self, root: &Path, folder: &Path) -> io::Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("Cargo.toml"), self.manifest(root))?;
        fs::write(folder.join("src/main.rs"), "fn main() {}\n")?;
        // The same versions as here, whatever has been published since.
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).map(drop)
    }

    fn manifest(&self, root: &Path) -> String {
        let ours = if self.features.is_empty() {
            String::new()
        } else {
            let path: PathBuf = root.join("crates/lifecycle-facade");
            format!(
                "lifecycle-facade = {{ path = {path:?}, features = [{:?}] }}\n",
                self.features
            )
        };
        format!(
            "[package]\nname = \"weighed\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
             reqwest = {{ version = \"0.13\", default-features = false, features = [\"rustls\", \"http2\"] }}\n\
             tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\", \"sync\", \"time\"] }}\n{ours}"
        )
    }

    /// The crates that are compiled, the program itself not counted.
    fn count(&self, root: &Path, folder: &Path) -> Result<usize, CouldNotRun> {
        let call = in_folder("tree --quiet --prefix none -e normal,build", folder);
        match call.read(root)? {
            (Verdict::Passed, tree) => Ok(distinct(&tree).saturating_sub(1)),
            _ => Err(CouldNotRun(format!("`{call}` failed"))),
        }
    }
}

struct Weight<'a> {
    title: &'a str,
    crates: usize,
    took: Duration,
    /// Of all processors together, where the system tells.
    used: Option<Duration>,
}

impl fmt::Display for Weight<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = self.took.as_secs_f64();
        let used = self.used.map_or("unknown".to_owned(), |used| {
            format!("{:.0} s", used.as_secs_f64())
        });
        write!(
            f,
            "| {} | {} | {took:.0} s | {used} |",
            self.title, self.crates
        )
    }
}

/// What the programs that this one has started and seen end have used so far. Linux only.
fn processor_time() -> Option<Duration> {
    read_processor_time(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// Fields 16 and 17 of `/proc/self/stat`, counted from 1, in hundredths of a second. Field 2 is a name
/// in parentheses that may hold anything, so counting starts after its end.
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

fn must(call: &Cargo, root: &Path) -> Result<(), CouldNotRun> {
    match call.run(root)? {
        Verdict::Passed => Ok(()),
        _ => Err(CouldNotRun(format!("`{call}` failed"))),
    }
}

/// How many packages the output of `cargo tree --prefix none` names.
fn distinct(tree: &str) -> usize {
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
    fn a_package_counts_once_and_each_version_of_it() {
        let tree = "weighed v0.0.0 (/x)\ntokio v1.54.1\nsyn v2.0.1 (proc-macro)\ntokio v1.54.1 (*)\nsyn v3.0.0\n";

        assert_eq!(distinct(tree), 4);
    }

    #[test]
    fn the_base_is_weighed_without_us_and_each_cloud_alone() {
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
    fn a_row_has_the_title_the_crates_and_the_seconds() {
        let weight = Weight {
            title: "with `baidu`",
            crates: 118,
            took: Duration::from_millis(41_700),
            used: Some(Duration::from_millis(70_200)),
        };

        assert_eq!(weight.to_string(), "| with `baidu` | 118 | 42 s | 70 s |");
    }

    #[test]
    fn processor_time_is_that_of_children() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194304 1 2 3 4 5 6 700 80 20 0 1 0 99";

        assert_eq!(
            read_processor_time(stat),
            Some(Duration::from_millis(7_800))
        );
        assert_eq!(read_processor_time("42 (short) S 1"), None);
    }
}
