//! The files of a package: which files, where, and with which rights.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{exit::CouldNotRun, program};

/// The kind of a package, which decides on the folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// One folder for `tar`, for people and for cargo-binstall.
    Archive,
    Deb,
    Rpm,
}

/// The files that the command itself writes, and the files of the repository.
#[derive(Debug)]
pub(super) struct Sources<'a> {
    pub(super) root: &'a Path,
    pub(super) program: &'a Path,
    /// The folder with [`pages`](Self::pages).
    pub(super) page_folder: PathBuf,
    /// The names of the manual pages.
    pub(super) pages: Vec<String>,
    /// The folder with the completion scripts, named by the shell.
    pub(super) completions: PathBuf,
}

/// One file of a package.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PackagedFile {
    pub(super) from: PathBuf,
    /// The path in the package.
    pub(super) to: String,
    is_program: bool,
    is_compressed: bool,
}

/// The shells with a completion script in the packages.
pub(super) const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];
/// The units of `docs/deploy`.
pub(super) const UNITS: [&str; 4] = [
    "lifecycle-run.service",
    "lifecycle-run-database.service",
    "lifecycle-apply.service",
    "lifecycle-apply.timer",
];
/// The user of the units.
const USER: &str = "xtask/templates/package/sysusers.conf";
const LICENCES: [&str; 3] = ["LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY.md"];
const DOCUMENTS: [&str; 7] = [
    "crates/lifecycle-cli/README.md",
    "crates/lifecycle-cli/CHANGELOG.md",
    "crates/lifecycle-facade/lifecycle.sample.toml",
    "docs/deploy/README.md",
    "docs/deploy/alerts.yaml",
    "docs/deploy/grafana-dashboard.json",
    "docs/deploy/lifecycle-cronjob.yaml",
];

impl Format {
    fn page(self, name: &str) -> String {
        match self {
            Self::Archive => format!("man/{name}"),
            Self::Deb | Self::Rpm => format!("usr/share/man/man1/{name}"),
        }
    }

    /// Returns the path at which the shell looks for the completion script.
    fn completion(self, shell: &str) -> String {
        match (self, shell) {
            (Self::Archive, "zsh") => "completions/_lifecycle".to_owned(),
            (Self::Archive, shell) => format!("completions/lifecycle.{shell}"),
            (_, "bash") => "usr/share/bash-completion/completions/lifecycle".to_owned(),
            (Self::Deb, "zsh") => "usr/share/zsh/vendor-completions/_lifecycle".to_owned(),
            (Self::Rpm, "zsh") => "usr/share/zsh/site-functions/_lifecycle".to_owned(),
            (_, shell) => {
                format!("usr/share/{shell}/vendor_completions.d/lifecycle.{shell}")
            }
        }
    }

    fn unit(self, name: &str) -> String {
        match self {
            Self::Archive => format!("systemd/{name}"),
            Self::Deb | Self::Rpm => format!("usr/lib/systemd/system/{name}"),
        }
    }

    fn document(self, package: &str, path: &str) -> String {
        let name = match path {
            "docs/deploy/README.md" => "deploy.md",
            path => path.rsplit('/').next().unwrap_or(path),
        };
        match self {
            Self::Archive => name.to_owned(),
            Self::Deb | Self::Rpm => format!("usr/share/doc/{package}/{name}"),
        }
    }

    fn licence(self, package: &str, name: &str) -> String {
        match self {
            Self::Rpm => format!("usr/share/licenses/{package}/{name}"),
            Self::Archive | Self::Deb => self.document(package, name),
        }
    }
}

/// Returns the files of a package.
pub(super) fn files(format: Format, package: &str, sources: &Sources<'_>) -> Vec<PackagedFile> {
    let root = sources.root;
    let plain = |from: PathBuf, to: String| PackagedFile {
        from,
        to,
        is_program: false,
        is_compressed: false,
    };
    let is_system = format != Format::Archive;
    let program = PackagedFile {
        is_program: true,
        ..plain(
            sources.program.to_owned(),
            if is_system {
                "usr/bin/lifecycle"
            } else {
                "lifecycle"
            }
            .to_owned(),
        )
    };
    let pages = sources.pages.iter().map(|name| PackagedFile {
        is_compressed: is_system,
        ..plain(sources.page_folder.join(name), format.page(name))
    });
    let completions =
        SHELLS.map(|shell| plain(sources.completions.join(shell), format.completion(shell)));
    let units = UNITS.map(|name| plain(root.join("docs/deploy").join(name), format.unit(name)));
    let user = is_system.then(|| {
        let to = "usr/lib/sysusers.d/lifecycle.conf".to_owned();
        plain(root.join(USER), to)
    });
    let documents = DOCUMENTS.map(|path| plain(root.join(path), format.document(package, path)));
    let licences = LICENCES.map(|name| plain(root.join(name), format.licence(package, name)));
    [program]
        .into_iter()
        .chain(pages)
        .chain(completions)
        .chain(units)
        .chain(user)
        .chain(documents)
        .chain(licences)
        .collect()
}

/// Copies the files to an empty `folder`.
pub(super) fn place(files: &[PackagedFile], folder: &Path) -> Result<(), CouldNotRun> {
    renew(folder)?;
    for file in files {
        let to = folder.join(&file.to);
        let mode = if file.is_program { "755" } else { "644" };
        // `install` gives folders the same rights, whatever the umask of the user is.
        let mut install = Command::new("install");
        install.args(["-D", "-m", mode]).arg(&file.from).arg(&to);
        program::output(&mut install)?;
        if file.is_compressed {
            // No name and no time in the compressed file.
            program::output(Command::new("gzip").args(["-9", "-n"]).arg(&to))?;
        }
    }
    Ok(())
}

/// Creates `folder`, without files of an earlier run.
pub(super) fn renew(folder: &Path) -> Result<(), CouldNotRun> {
    let removed = match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    removed
        .and_then(|()| fs::create_dir_all(folder))
        .map_err(|error| unusable(folder, &error))
}

pub(super) fn unusable(path: &Path, error: &io::Error) -> CouldNotRun {
    CouldNotRun(format!("{} is not usable: {error}", path.display()))
}

impl PackagedFile {
    /// Returns the path in the package after compression.
    pub(super) fn installed(&self) -> String {
        let end = if self.is_compressed { ".gz" } else { "" };
        format!("{}{end}", self.to)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn paths(format: Format) -> BTreeSet<String> {
        let sources = Sources {
            root: Path::new(".."),
            program: Path::new("target/lifecycle"),
            page_folder: "pages".into(),
            pages: vec!["lifecycle.1".to_owned(), "lifecycle-start.1".to_owned()],
            completions: "completions".into(),
        };
        let files = files(format, "lifecycle-cli", &sources);
        let copied = files.iter().filter(|file| file.from.starts_with(".."));
        for file in copied {
            assert!(file.from.is_file(), "{}", file.from.display());
        }
        let paths: BTreeSet<String> = files.iter().map(PackagedFile::installed).collect();
        assert_eq!(paths.len(), files.len(), "two files have the same path");
        paths
    }

    #[test]
    fn system_packages_have_program_pages_completions_units_and_licences() {
        for (format, zsh, licence) in [
            (Format::Deb, "vendor-completions", "doc"),
            (Format::Rpm, "site-functions", "licenses"),
        ] {
            let paths = paths(format);
            for path in [
                "usr/bin/lifecycle",
                "usr/share/man/man1/lifecycle.1.gz",
                "usr/share/man/man1/lifecycle-start.1.gz",
                "usr/share/bash-completion/completions/lifecycle",
                &format!("usr/share/zsh/{zsh}/_lifecycle"),
                "usr/share/fish/vendor_completions.d/lifecycle.fish",
                "usr/lib/systemd/system/lifecycle-run.service",
                "usr/lib/systemd/system/lifecycle-apply.timer",
                "usr/lib/sysusers.d/lifecycle.conf",
                &format!("usr/share/{licence}/lifecycle-cli/LICENSE-MIT"),
                "usr/share/doc/lifecycle-cli/README.md",
                "usr/share/doc/lifecycle-cli/deploy.md",
            ] {
                assert!(paths.contains(path), "{path}: {paths:#?}");
            }
            assert!(paths.iter().all(|path| path.starts_with("usr/")));
        }
    }

    #[test]
    fn archive_has_the_program_in_its_folder() {
        let paths = paths(Format::Archive);

        for path in [
            "lifecycle",
            "man/lifecycle.1",
            "completions/_lifecycle",
            "LICENSE-APACHE",
        ] {
            assert!(paths.contains(path), "{path}: {paths:#?}");
        }
    }
}
