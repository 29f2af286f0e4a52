//! `tidy`: the checks of the crates: required files, and manifests.

use super::files::Files;
use crate::{clouds::CLOUDS, manifest::Manifest};

/// Returns a finding for each crate without a README, and each published crate without a changelog.
pub(super) fn missing_files(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (folder, manifest) in crates(files) {
        let changelog = manifest.is_published().then_some("CHANGELOG.md");
        for name in ["README.md"].into_iter().chain(changelog) {
            if !files.paths.contains(&format!("{folder}/{name}")) {
                findings.push(format!("{folder} has no {name}"));
            }
        }
    }
    findings
}

/// Returns a finding for each field of the registry's page that a manifest lacks. The registry
/// shows no README of an unpublished crate.
pub(super) fn missing_fields(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (folder, manifest) in crates(files) {
        let readme = manifest.is_published().then_some("readme");
        for field in ["description", "license", "rust-version"]
            .into_iter()
            .chain(readme)
        {
            if !manifest.has_field(field) {
                findings.push(format!("{folder}/Cargo.toml has no {field}"));
            }
        }
    }
    findings
}

/// Returns a finding for each version outside of the root manifest. A crate outside of the
/// workspace cannot inherit versions.
pub(super) fn own_versions(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    let members = crates(files).chain(member(files, "xtask", "xtask/Cargo.toml"));
    for (folder, manifest) in members.filter(|(_, manifest)| !manifest.is_workspace()) {
        let own = manifest
            .dependencies
            .iter()
            .filter(|it| !it.inherits && !it.is_neighbour_in_tests());
        findings.extend(own.map(|it| {
            format!(
                "{folder}/Cargo.toml: {} has a version; write `{{ workspace = true }}`",
                it.name
            )
        }));
    }
    findings
}

/// Returns a finding for each external dependency without a reason in the table of
/// `docs/decisions/dependencies.md`.
pub(super) fn unjustified_dependencies(files: &Files) -> Vec<String> {
    const PAGE: &str = "docs/decisions/dependencies.md";
    let page = files.texts.get(PAGE).map_or("", String::as_str);
    let rows: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
        .collect();
    let manifest = Manifest::read(files.texts.get("Cargo.toml").map_or("", String::as_str));
    manifest
        .dependencies
        .iter()
        .filter(|it| !it.has_path)
        .filter(|it| {
            let quoted = format!("`{}`", it.name);
            !rows.iter().any(|row| row.contains(&quoted))
        })
        .map(|it| format!("{PAGE} has no row for {}", it.name))
        .collect()
}

/// Providers without one of the common files, which let a reader compare two clouds. A module may be
/// a folder.
pub(super) fn provider_files(files: &Files) -> Vec<String> {
    let expected = CLOUDS.into_iter().flat_map(|cloud| {
        ["lib", "config", "credentials", "wire", "sign", "fault"]
            .map(|name| format!("crates/provider-{cloud}/src/{name}"))
    });
    let is_missing = |path: &String| {
        let forms = [format!("{path}.rs"), format!("{path}/mod.rs")];
        !forms.iter().any(|form| files.paths.contains(form))
    };
    expected
        .filter(is_missing)
        .map(|path| format!("{path}.rs is missing"))
        .collect()
}

/// Returns each folder directly below `crates` with the manifest.
fn crates(files: &Files) -> impl Iterator<Item = (&str, Manifest)> {
    files
        .texts("crates/", "/Cargo.toml")
        .filter_map(|(path, text)| {
            let folder = path.strip_suffix("/Cargo.toml")?;
            (folder.matches('/').count() == 1).then(|| (folder, Manifest::read(text)))
        })
}

fn member<'a>(files: &'a Files, folder: &'a str, manifest: &str) -> Option<(&'a str, Manifest)> {
    files
        .texts
        .get(manifest)
        .map(|text| (folder, Manifest::read(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: &str = "[package]\ndescription = \"d\"\nlicense.workspace = true\nrust-version.workspace = true\n\
                            readme = \"README.md\"\n[dependencies]\nhttp = { workspace = true }\n";
    const BARE: &str =
        "[package]\n[dependencies]\nhttp = \"1\"\n[dependencies.bytes]\nversion = \"1\"\n";
    const NONE: Vec<String> = Vec::new();

    fn complete() -> Files {
        Files::of([
            ("crates/a/Cargo.toml", COMPLETE),
            ("crates/a/README.md", ""),
            ("crates/a/CHANGELOG.md", ""),
            ("crates/a/fixtures/deep/Cargo.toml", BARE),
        ])
    }

    #[test]
    fn complete_crate_has_no_findings() {
        let files = complete();

        assert_eq!(
            (
                missing_files(&files),
                missing_fields(&files),
                own_versions(&files)
            ),
            (NONE, NONE, NONE)
        );
    }

    #[test]
    fn missing_parts_of_a_published_crate_are_found() {
        let files = Files::of([("crates/a/Cargo.toml", BARE)]);

        assert_eq!(
            missing_files(&files),
            ["crates/a has no README.md", "crates/a has no CHANGELOG.md"]
        );
        assert_eq!(
            missing_fields(&files),
            ["description", "license", "rust-version", "readme"]
                .map(|field| format!("crates/a/Cargo.toml has no {field}"))
        );
    }

    #[test]
    fn unpublished_crate_needs_no_changelog_and_no_readme_field() {
        let manifest = BARE.replace("[package]", "[package]\npublish = false");
        let files = Files::of([("crates/a/Cargo.toml", &manifest)]);

        assert_eq!(missing_files(&files), ["crates/a has no README.md"]);
        assert_eq!(missing_fields(&files).len(), 3);
    }

    #[test]
    fn version_is_found_in_crates_and_in_xtask() {
        let files = Files::of([
            ("crates/a/Cargo.toml", BARE),
            ("xtask/Cargo.toml", "[dependencies]\nclap = \"4\""),
        ]);
        let findings = own_versions(&files);

        assert_eq!(findings.len(), 3, "{findings:?}");
        assert!(findings[0].starts_with("crates/a/Cargo.toml: bytes "));
        assert!(findings[1].starts_with("crates/a/Cargo.toml: http "));
        assert!(findings[2].starts_with("xtask/Cargo.toml: clap "));
    }

    #[test]
    fn version_of_a_crate_outside_of_the_workspace_is_accepted() {
        let manifest = format!("{BARE}[workspace]\n");
        let files = Files::of([("crates/a/Cargo.toml", &*manifest)]);

        assert_eq!(own_versions(&files), NONE);
    }

    #[test]
    fn dependency_without_a_row_is_found() {
        let files = Files::of([
            (
                "Cargo.toml",
                "[workspace.dependencies]\nours = { path = \"crates/ours\", version = \"1\" }\n\
                 http = { version = \"1\" }\nbytes = \"1\"\nhmac = \"1\"\n",
            ),
            (
                "docs/decisions/dependencies.md",
                "| crate | for |\n| `bytes`, `http` | Requests, unlike `hmac`. |\n",
            ),
        ]);

        assert_eq!(
            unjustified_dependencies(&files),
            ["docs/decisions/dependencies.md has no row for hmac"]
        );
        assert_eq!(unjustified_dependencies(&Files::default()), NONE);
    }

    #[test]
    fn provider_without_one_of_the_six_files_is_found() {
        let mut files = Files::default();
        assert_eq!(provider_files(&files).len(), 24);

        files.paths.extend(
            provider_files(&files)
                .iter()
                .map(|finding| finding.replace(" is missing", "")),
        );
        files.paths.remove("crates/provider-huawei/src/fault.rs");
        files
            .paths
            .remove("crates/provider-aliyun/src/credentials.rs");
        let folder = "crates/provider-aliyun/src/credentials/mod.rs";
        files.paths.insert(folder.to_owned());
        assert_eq!(
            provider_files(&files),
            ["crates/provider-huawei/src/fault.rs is missing"]
        );
    }
}
