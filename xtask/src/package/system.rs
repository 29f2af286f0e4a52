//! Packages of Debian and RPM systems, made by `dpkg-deb` and `rpmbuild`.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    files::{PackagedFile, renew, unusable},
    names::Metadata,
    symbols::GLIBC,
    target::Target,
};
use crate::{exit::CouldNotRun, program};

/// The licence of the workspace, as SPDX expression.
const LICENSE: &str = env!("CARGO_PKG_LICENSE");
const CONTROL: &str = include_str!("../../templates/package/control");
const SPEC: &str = include_str!("../../templates/package/lifecycle.spec");
const SCRIPTS: [(&str, &str); 2] = [
    ("postinst", include_str!("../../templates/package/postinst")),
    ("prerm", include_str!("../../templates/package/prerm")),
];

/// The programs of the packaging, and the packages of Debian that have them.
const PROGRAMS: [(&str, &str); 7] = [
    ("tar", "tar"),
    ("gzip", "gzip"),
    ("install", "coreutils"),
    ("md5sum", "coreutils"),
    ("sha256sum", "coreutils"),
    ("dpkg-deb", "dpkg"),
    ("rpmbuild", "rpm"),
];
/// The further programs of the check.
const CHECK_PROGRAMS: [(&str, &str); 3] = [("dpkg", "dpkg"), ("rpm2cpio", "rpm"), ("cpio", "cpio")];

/// Returns a sentence with all programs that are not on `path`; `None` if all are there.
pub(super) fn missing_programs(check: bool, path: &OsStr) -> Option<String> {
    let folders: Vec<PathBuf> = env::split_paths(path).collect();
    let further = if check { &CHECK_PROGRAMS[..] } else { &[] };
    let missing = PROGRAMS
        .iter()
        .chain(further)
        .filter(|(program, _)| !folders.iter().any(|folder| folder.join(program).is_file()));
    let (programs, packages): (Vec<&str>, BTreeSet<&str>) = missing.copied().unzip();
    let packages: Vec<&str> = packages.into_iter().collect();
    (!programs.is_empty()).then(|| {
        format!(
            "missing: {}; on Debian: apt-get install {}",
            programs.join(", "),
            packages.join(" ")
        )
    })
}

/// Fills a template in: `@NAME@` and so on.
fn filled(template: &str, metadata: &Metadata, target: Target) -> String {
    let glibc = GLIBC.to_string();
    [
        ("@NAME@", metadata.name.as_str()),
        ("@VERSION@", &metadata.system_version()),
        ("@DESCRIPTION@", &metadata.description),
        ("@HOMEPAGE@", &metadata.repository),
        ("@LICENSE@", LICENSE),
        ("@GLIBC@", &glibc),
        ("@DEBIAN_ARCHITECTURE@", target.debian()),
    ]
    .iter()
    .fold(template.to_owned(), |text, (name, value)| {
        text.replace(name, value)
    })
}

/// Packs the files in `folder` as a Debian package.
pub(super) fn build_deb(
    metadata: &Metadata,
    target: Target,
    files: &[PackagedFile],
    folder: &Path,
    package: &Path,
    epoch: &str,
) -> Result<(), CouldNotRun> {
    let control = folder.join("DEBIAN");
    fs::create_dir_all(&control).map_err(|error| unusable(&control, &error))?;
    let write = |name: &str, text: &str| {
        let path = control.join(name);
        fs::write(&path, text).map_err(|error| unusable(&path, &error))
    };
    let mut bytes = 0;
    let mut sums = String::new();
    for file in files {
        let path = folder.join(file.installed());
        let size = fs::metadata(&path).map_err(|error| unusable(&path, &error))?;
        bytes += size.len();
        // `dpkg --verify` compares the installed files with these sums.
        let mut sum = Command::new("md5sum");
        sum.arg(file.installed()).current_dir(folder);
        sums.push_str(&program::output(&mut sum)?);
    }
    let text = filled(CONTROL, metadata, target);
    write(
        "control",
        &text.replace("@KIBIBYTES@", &bytes.div_ceil(1024).to_string()),
    )?;
    write("md5sums", &sums)?;
    for (name, script) in SCRIPTS {
        write(name, script)?;
    }
    let rights = |mode: &str, names: &[&str]| {
        let mut chmod = Command::new("chmod");
        chmod.arg(mode).args(names).current_dir(&control);
        program::output(&mut chmod).map(drop)
    };
    rights("755", &[".", "postinst", "prerm"])?;
    rights("644", &["control", "md5sums"])?;
    // Debian 10 cannot read zstd, and one thread writes the same bytes on every machine.
    let mut build = Command::new("dpkg-deb");
    build
        .args(["--root-owner-group", "-Zxz", "--threads-max=1", "--build"])
        .arg(folder)
        .arg(package)
        .env("SOURCE_DATE_EPOCH", epoch);
    program::output(&mut build).map(drop)
}

/// Packs the files in `folder` as an RPM package.
pub(super) fn build_rpm(
    metadata: &Metadata,
    target: Target,
    files: &[PackagedFile],
    folder: &Path,
    package: &Path,
    epoch: &str,
) -> Result<(), CouldNotRun> {
    let top = folder.with_extension("rpmbuild");
    renew(&top)?;
    let spec = top.join("lifecycle.spec");
    fs::write(&spec, spec_text(metadata, target, files))
        .map_err(|error| unusable(&spec, &error))?;
    let mut build = Command::new("rpmbuild");
    build
        .args(["-bb", "--quiet", "--target", target.processor()])
        .args(["--define", &format!("_topdir {}", top.display())])
        .args(["--define", &format!("staged {}", folder.display())])
        .arg(&spec)
        .env("SOURCE_DATE_EPOCH", epoch);
    program::output(&mut build)?;
    let built: PathBuf = ["RPMS", target.processor(), &metadata.rpm(target)]
        .iter()
        .fold(top, |path, part| path.join(part));
    fs::copy(&built, package)
        .map(drop)
        .map_err(|error| unusable(&built, &error))
}

/// Returns the spec file of `rpmbuild`, with the list of files.
fn spec_text(metadata: &Metadata, target: Target, files: &[PackagedFile]) -> String {
    let mut text = filled(SPEC, metadata, target);
    for file in files {
        let path = file.installed();
        let kind = match path.as_str() {
            path if path.starts_with("usr/share/licenses/") => "%license ",
            path if path.starts_with("usr/share/doc/") => "%doc ",
            _ => "",
        };
        text.push_str(&format!("{kind}/{path}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::names::tests::metadata;

    #[test]
    fn all_missing_programs_are_named_at_once_with_their_packages() {
        let nothing = OsStr::new("no-such-folder");

        assert_eq!(
            missing_programs(false, nothing).as_deref(),
            Some(
                "missing: tar, gzip, install, md5sum, sha256sum, dpkg-deb, rpmbuild; on Debian: apt-get install \
                 coreutils dpkg gzip rpm tar"
            )
        );
        let checked = missing_programs(true, nothing).unwrap_or_default();
        assert!(
            checked.contains("dpkg, rpm2cpio, cpio; on Debian"),
            "{checked}"
        );
    }

    #[test]
    fn control_file_has_a_value_in_each_field() {
        let text = filled(CONTROL, &metadata(), Target::Aarch64).replace("@KIBIBYTES@", "9000");

        assert!(!text.contains('@'), "{text}");
        for line in [
            "Package: lifecycle-cli",
            "Version: 0.2.0~rc.1-1",
            "Architecture: arm64",
            "Depends: libc6 (>= 2.17)",
            "Installed-Size: 9000",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}: {text}");
        }
        for line in text.lines().filter(|line| !line.starts_with(' ')) {
            let value = line.split_once(": ").map_or("", |(_, value)| value.trim());
            assert!(!value.is_empty(), "{line}");
        }
    }

    #[test]
    fn spec_file_names_every_file_and_no_processor() {
        let files = crate::package::files::files(
            crate::package::files::Format::Rpm,
            "lifecycle-cli",
            &crate::package::files::Sources {
                root: Path::new("r"),
                program: Path::new("p"),
                page_folder: "m".into(),
                pages: vec!["lifecycle.1".to_owned()],
                completions: "c".into(),
            },
        );

        let text = spec_text(&metadata(), Target::X86_64, &files);

        assert!(!text.contains('@'), "{text}");
        assert!(text.contains("\nVersion: 0.2.0~rc.1\n"), "{text}");
        assert!(text.contains("\n/usr/bin/lifecycle\n"), "{text}");
        assert!(
            text.contains("\n%license /usr/share/licenses/lifecycle-cli/LICENSE-MIT\n"),
            "{text}"
        );
        let (_, list) = text.split_once("%files\n").expect("a list of files");
        assert_eq!(list.lines().count(), files.len());
    }

    #[test]
    #[cfg(unix)]
    fn scripts_are_valid_and_change_nothing_on_a_system_without_systemd() {
        for (name, script) in SCRIPTS {
            let checked = Command::new("sh").args(["-n", "-c", script]).output();
            let checked = checked.expect("every Unix has sh");
            assert!(checked.status.success(), "{name}: {checked:?}");
            assert!(script.contains("/run/systemd/system"), "{name}");
        }
    }
}
