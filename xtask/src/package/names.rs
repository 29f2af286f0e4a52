//! The names of packages. Every name and every version of a package comes from here and from the
//! manifest of the command.

use super::{symbols::GLIBC, target::Target};
use crate::manifest::Manifest;

/// The facts about the command in the manifest of the crate `lifecycle-cli`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) description: String,
    pub(super) repository: String,
}

impl Metadata {
    /// Reads the manifest, or returns the name of a missing field.
    pub(super) fn read(manifest: &str) -> Result<Self, String> {
        let manifest = Manifest::read(manifest);
        let field = |name: &str| {
            let text = manifest.text(name).map(str::to_owned);
            text.ok_or_else(|| format!("the manifest of the command has no {name}"))
        };
        Ok(Self {
            name: field("name")?,
            version: field("version")?,
            description: field("description")?,
            repository: field("repository")?,
        })
    }

    /// Returns the tag of the release.
    #[cfg(test)]
    pub(super) fn tag(&self) -> String {
        format!("{}-v{}", self.name, self.version)
    }

    /// Returns the version for Debian and RPM packages, where `~` is before the end of a version. So
    /// 0.2.0~rc.1 is older than 0.2.0.
    pub(super) fn system_version(&self) -> String {
        self.version.replacen('-', "~", 1)
    }

    /// Returns the only folder in the archive.
    pub(super) fn archive_folder(&self, target: Target) -> String {
        format!("{}-{}-{}", self.name, self.version, target.triple())
    }

    pub(super) fn archive(&self, target: Target) -> String {
        format!("{}.tar.gz", self.archive_folder(target))
    }

    pub(super) fn deb(&self, target: Target) -> String {
        let version = self.system_version();
        format!("{}_{version}-1_{}.deb", self.name, target.debian())
    }

    pub(super) fn rpm(&self, target: Target) -> String {
        let version = self.system_version();
        format!("{}-{version}-1.{}.rpm", self.name, target.processor())
    }

    /// Returns beginning and end of the wheel's name. The tool for wheels writes the version in Python's
    /// form between the two.
    pub(super) fn wheel(&self, target: Target) -> (String, String) {
        let glibc = GLIBC.to_string().replace('.', "_");
        (
            format!("{}-", self.name.replace('-', "_")),
            format!(
                "-py3-none-manylinux2014_{0}.manylinux_{glibc}_{0}.whl",
                target.processor()
            ),
        )
    }

    /// Returns the name of the file with the checksums.
    pub(super) fn checksums(&self, target: Target) -> String {
        format!("{}.sha256", self.archive_folder(target))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::{fs, path::Path, process::Command};

    use clap::ValueEnum;
    use toml::de::{DeTable, DeValue};

    use super::*;

    pub(in crate::package) fn metadata() -> Metadata {
        Metadata {
            name: "lifecycle-cli".to_owned(),
            version: "0.2.0-rc.1".to_owned(),
            description: "The command lifecycle: start and stop instances".to_owned(),
            repository: "https://example.com/lifecycle".to_owned(),
        }
    }

    fn read(path: &str) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let path = root.expect("xtask is in the workspace").join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    const MANIFEST: &str = "crates/lifecycle-cli/Cargo.toml";
    const WORKFLOW: &str = ".github/workflows/release.yml";

    #[test]
    fn each_package_has_the_name_that_its_system_expects() {
        let metadata = metadata();
        let arm = Target::Aarch64;

        assert_eq!(
            metadata.archive(Target::X86_64),
            "lifecycle-cli-0.2.0-rc.1-x86_64-unknown-linux-gnu.tar.gz"
        );
        assert_eq!(metadata.deb(arm), "lifecycle-cli_0.2.0~rc.1-1_arm64.deb");
        assert_eq!(metadata.rpm(arm), "lifecycle-cli-0.2.0~rc.1-1.aarch64.rpm");
        assert_eq!(
            metadata.wheel(arm),
            (
                "lifecycle_cli-".to_owned(),
                "-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl".to_owned()
            )
        );
    }

    #[test]
    fn manifest_without_a_repository_is_an_error() {
        let manifest = "[package]\nname = \"a\"\nversion = \"1.0.0\"\ndescription = \"d\"\n";

        assert_eq!(
            Metadata::read(manifest),
            Err("the manifest of the command has no repository".to_owned())
        );
    }

    /// Returns a text of `[package.metadata.binstall]` with the values of a target, as cargo-binstall does.
    fn binstall(key: &str, metadata: &Metadata, target: Target) -> String {
        let manifest = read(MANIFEST);
        let (table, errors) = DeTable::parse_recoverable(&manifest);
        assert!(errors.is_empty(), "{errors:?}");
        let value = ["package", "metadata", "binstall", key]
            .iter()
            .try_fold(DeValue::Table(table.into_inner()), |value, key| {
                Some(value.get(*key)?.get_ref().clone())
            });
        let template = value.expect("the manifest has the key");
        let template = template.as_str().expect("a text");
        [
            ("{ repo }", metadata.repository.as_str()),
            ("{ name }", &metadata.name),
            ("{ version }", &metadata.version),
            ("{ target }", &target.triple()),
            ("{ bin }", "lifecycle"),
            ("{ binary-ext }", ""),
        ]
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        })
    }

    #[test]
    fn binstall_finds_the_archive_and_the_program_in_the_archive() {
        let metadata = Metadata::read(&read(MANIFEST)).expect("the manifest is complete");
        for target in Target::value_variants() {
            assert_eq!(
                binstall("pkg-url", &metadata, *target),
                format!(
                    "{}/releases/download/{}/{}",
                    metadata.repository,
                    metadata.tag(),
                    metadata.archive(*target)
                )
            );
            assert_eq!(
                binstall("bin-dir", &metadata, *target),
                format!("{}/lifecycle", metadata.archive_folder(*target))
            );
            assert_eq!(binstall("pkg-fmt", &metadata, *target), "tgz");
        }
    }

    #[test]
    fn workflow_builds_each_target_of_a_tag_and_uploads_the_folder_of_the_packages() {
        let workflow = read(WORKFLOW);
        let metadata = Metadata::read(&read(MANIFEST)).expect("the manifest is complete");

        let tags = format!("tags: [\"{}-v*\"]", metadata.name);
        assert!(workflow.contains(&tags), "{tags}");
        for target in Target::value_variants() {
            let line = format!("- target: {}\n", target.processor());
            assert_eq!(workflow.matches(&line).count(), 1, "{line}");
        }
        assert!(workflow.contains("cargo --locked xtask package --check --target"));
        let folder = super::super::packages_folder(Path::new("target"));
        let folder = folder.to_string_lossy().replace('\\', "/");
        assert!(workflow.contains(&format!("{folder}/*")), "{folder}");
    }

    #[test]
    fn workflows_are_yaml_with_jobs_and_pinned_actions() {
        let script = "import sys, yaml\n\
            for path in sys.argv[1:]:\n\
            \x20   flow = yaml.safe_load(open(path))\n\
            \x20   assert flow['permissions'] == {'contents': 'read'}, path\n\
            \x20   for job in flow['jobs'].values():\n\
            \x20       assert job['timeout-minutes'] and job['runs-on'] and job['steps'], job\n\
            \x20       for step in job['steps']:\n\
            \x20           assert ('run' in step) != ('uses' in step), step\n\
            \x20           if 'uses' in step:\n\
            \x20               assert len(step['uses'].split('@')[1]) == 40, step\n";
        let parser = Command::new(crate::python::PYTHON)
            .args(["-c", "import yaml"])
            .output();
        if !parser.is_ok_and(|output| output.status.success()) {
            println!("skipped, because Python has no parser of YAML");
            return;
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let checked = Command::new(crate::python::PYTHON)
            .args(["-c", script, ".github/workflows/ci.yml", WORKFLOW])
            .current_dir(root)
            .output()
            .expect("Python has just run");
        assert!(checked.status.success(), "{checked:?}");
    }
}
