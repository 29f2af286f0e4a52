//! `tidy`: the files of the repository that the checks read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

/// The files of the repository. Paths are relative to the root and separated by `/`.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// All files and folders.
    pub(super) paths: BTreeSet<String>,
    /// The contents of Rust files, manifests and documents.
    pub(super) texts: BTreeMap<String, String>,
}

/// Endings of the names of files whose text is checked.
const READ_ENDINGS: [&str; 3] = [".rs", ".toml", ".md"];

impl Files {
    /// Reads the files below `root`.
    pub(super) fn below(root: &Path) -> io::Result<Self> {
        let mut files = Self::default();
        files.add_folder(root, "")?;
        Ok(files)
    }

    fn add_folder(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type()?;
            if kind.is_dir() && !is_foreign(&entry.path()) {
                self.add_folder(&entry.path(), &format!("{path}/"))?;
            }
            // The text of a symbolic link is checked at the target.
            if kind.is_file() && READ_ENDINGS.iter().any(|ending| path.ends_with(ending)) {
                self.texts
                    .insert(path.clone(), fs::read_to_string(entry.path())?);
            }
            self.paths.insert(path);
        }
        Ok(())
    }

    /// Returns the texts of paths with this beginning and ending.
    pub(super) fn texts(
        &self,
        beginning: &str,
        ending: &str,
    ) -> impl Iterator<Item = (&str, &str)> {
        let matches = move |path: &str| path.starts_with(beginning) && path.ends_with(ending);
        self.texts
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .filter(move |(path, _)| matches(path))
    }

    /// Returns the Rust files below `src` of all crates.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts("crates/", ".rs")
            .filter(|(path, _)| path.split('/').nth(2) == Some("src"))
    }
}

/// Returns true for a folder that git or cargo created.
fn is_foreign(folder: &Path) -> bool {
    folder.ends_with(".git") || folder.join("CACHEDIR.TAG").exists()
}

#[cfg(test)]
impl Files {
    /// Creates files for a test, with the folders above the files.
    pub(super) fn of<const N: usize>(texts: [(&str, &str); N]) -> Self {
        let texts: BTreeMap<String, String> = texts
            .map(|(path, text)| (path.to_owned(), text.to_owned()))
            .into();
        let folders = |path: &str| {
            path.match_indices('/')
                .map(|(at, _)| path[..at].to_owned())
                .collect::<Vec<_>>()
        };
        let paths = texts
            .keys()
            .flat_map(|path| [vec![path.clone()], folders(path)].concat())
            .collect();
        Self { paths, texts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_root() {
        let files = Files::below(Path::new(env!("CARGO_MANIFEST_DIR")))
            .expect("the tests run in a checkout");

        assert!(files.paths.contains("src/tidy"));
        assert!(files.texts["src/tidy.rs"].contains("mod files;"));
    }

    #[test]
    fn sources_are_the_rust_files_below_src() {
        let files = Files::of([
            ("crates/a/src/lib.rs", ""),
            ("crates/a/src/deep/mod.rs", ""),
            ("crates/a/tests/src.rs", ""),
            ("xtask/src/main.rs", ""),
        ]);
        let paths: Vec<&str> = files.sources().map(|(path, _)| path).collect();

        assert_eq!(paths, ["crates/a/src/deep/mod.rs", "crates/a/src/lib.rs"]);
    }
}
