//! The check of the program: versions of glibc, libraries and paths of this machine.

use std::{collections::BTreeSet, fmt, path::Path};

use object::{Architecture, ImportFlags, NameOrOrdinal, Object, read::elf::ElfFile64};

use super::target::Target;

/// The version of glibc that every system of the packages has: CentOS 7 has no later version.
pub(super) const GLIBC: GlibcVersion = GlibcVersion([2, 17, 0]);

/// The libraries of glibc 2.17. A system without any package of its own has no other library.
const LIBRARIES: [&str; 8] = [
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
];

/// A version of glibc, such as 2.17 or 2.2.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GlibcVersion([u32; 3]);

impl GlibcVersion {
    /// Reads the version of a symbol, such as `GLIBC_2.17`. `None` for `GLIBC_PRIVATE` and for versions
    /// of other libraries.
    fn of_symbol(version: &str) -> Option<Self> {
        let mut numbers = [0; 3];
        let mut parts = version.strip_prefix("GLIBC_")?.split('.');
        for number in &mut numbers {
            match parts.next() {
                Some(part) => *number = part.parse().ok()?,
                None => break,
            }
        }
        parts.next().is_none().then_some(Self(numbers))
    }
}

impl fmt::Display for GlibcVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}")?;
        if patch > 0 {
            write!(f, ".{patch}")?;
        }
        Ok(())
    }
}

/// The processor, the libraries and the symbols that a program needs from the system.
#[derive(Debug)]
pub(super) struct Imports {
    processor: Architecture,
    libraries: BTreeSet<String>,
    /// The names of symbols with their versions.
    symbols: BTreeSet<(String, String)>,
}

impl Imports {
    /// Reads a program of 64 bits.
    pub(super) fn read(program: &[u8]) -> Result<Self, String> {
        let unreadable = |error: object::Error| format!("not a program of 64 bits: {error}");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let elf = ElfFile64::<object::Endianness>::parse(program).map_err(unreadable)?;
        let mut imports = Self {
            processor: elf.architecture(),
            libraries: BTreeSet::new(),
            symbols: BTreeSet::new(),
        };
        for library in elf.import_libraries().map_err(unreadable)? {
            let library = library.map_err(unreadable)?;
            imports.libraries.insert(text(library.name()));
        }
        for import in elf.imports().map_err(unreadable)? {
            let import = import.map_err(unreadable)?;
            // The loader also refuses a program whose weak symbol has an unknown version.
            if let (
                NameOrOrdinal::Name(name),
                ImportFlags::Elf {
                    version: Some(version),
                    ..
                },
            ) = (import.name(), import.flags())
            {
                imports.symbols.insert((text(name), text(version)));
            }
        }
        Ok(imports)
    }

    /// Returns a line for another processor, and for each library and each symbol that a system with glibc
    /// 2.17 lacks.
    pub(super) fn findings(&self, target: Target) -> Vec<String> {
        let expected = match target {
            Target::X86_64 => Architecture::X86_64,
            Target::Aarch64 => Architecture::Aarch64,
        };
        let other =
            (self.processor != expected).then(|| format!("is a program for {:?}", self.processor));
        let libraries = self
            .libraries
            .iter()
            .filter(|library| !LIBRARIES.contains(&library.as_str()))
            .map(|library| format!("needs the library {library}"));
        let symbols = self.symbols.iter().filter(|(_, version)| {
            GlibcVersion::of_symbol(version).is_none_or(|version| version > GLIBC)
        });
        let symbols = symbols
            .map(|(name, version)| format!("needs {name} of {version}, which glibc {GLIBC} lacks"));
        other.into_iter().chain(libraries).chain(symbols).collect()
    }

    /// Returns the latest version of glibc that a symbol has.
    pub(super) fn newest(&self) -> Option<GlibcVersion> {
        self.symbols
            .iter()
            .filter_map(|(_, version)| GlibcVersion::of_symbol(version))
            .max()
    }
}

/// Returns the folders whose paths the program contains, for example in messages of panics. A path
/// shows the user's name and makes the program of each machine different.
pub(super) fn leaked_folders<'a>(program: &[u8], folders: &[&'a Path]) -> Vec<&'a Path> {
    folders
        .iter()
        .copied()
        .filter(|folder| {
            let path = folder.as_os_str().as_encoded_bytes();
            !path.is_empty() && program.windows(path.len()).any(|window| window == path)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(libraries: &[&str], symbols: &[(&str, &str)]) -> Imports {
        Imports {
            processor: Architecture::X86_64,
            libraries: libraries.iter().map(|&it| it.to_owned()).collect(),
            symbols: symbols
                .iter()
                .map(|&(name, version)| (name.to_owned(), version.to_owned()))
                .collect(),
        }
    }

    #[test]
    fn symbols_up_to_the_version_of_the_packages_have_no_findings() {
        let imports = imports(
            &["libc.so.6", "libpthread.so.0"],
            &[
                ("memcpy", "GLIBC_2.14"),
                ("read", "GLIBC_2.2.5"),
                ("secure_getenv", "GLIBC_2.17"),
            ],
        );

        assert_eq!(imports.findings(Target::X86_64), Vec::<String>::new());
        assert_eq!(
            imports.newest().map(|version| version.to_string()),
            Some("2.17".to_owned())
        );
    }

    #[test]
    fn later_symbol_is_found_by_number_and_not_by_text() {
        // As a text, 2.9 is later than 2.17, and 2.100 is earlier than 2.17.
        let imports = imports(
            &[],
            &[
                ("pipe2", "GLIBC_2.9"),
                ("getrandom", "GLIBC_2.25"),
                ("pthread_create", "GLIBC_2.34"),
                ("future", "GLIBC_2.100"),
                ("patched", "GLIBC_2.17.1"),
            ],
        );

        assert_eq!(
            imports.findings(Target::X86_64),
            [
                "needs future of GLIBC_2.100, which glibc 2.17 lacks",
                "needs getrandom of GLIBC_2.25, which glibc 2.17 lacks",
                "needs patched of GLIBC_2.17.1, which glibc 2.17 lacks",
                "needs pthread_create of GLIBC_2.34, which glibc 2.17 lacks"
            ]
        );
    }

    #[test]
    fn program_for_another_processor_is_found() {
        assert_eq!(
            imports(&[], &[]).findings(Target::Aarch64),
            ["is a program for X86_64"]
        );
    }

    #[test]
    fn unknown_version_and_foreign_library_are_found() {
        let imports = imports(
            &["libssl.so.3"],
            &[
                ("_Unwind_Resume", "GCC_3.0"),
                ("__abi", "GLIBC_ABI_DT_RELR"),
                ("__private", "GLIBC_PRIVATE"),
            ],
        );

        assert_eq!(
            imports.findings(Target::X86_64).len(),
            4,
            "{:?}",
            imports.findings(Target::X86_64)
        );
        assert_eq!(imports.newest(), None);
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
    fn imports_of_a_real_program_are_read() {
        let program = std::env::current_exe().expect("the program of this test");
        let program = std::fs::read(program).expect("a readable program");

        let imports = Imports::read(&program).expect("a program of 64 bits");

        assert!(imports.libraries.contains("libc.so.6"), "{imports:?}");
        assert!(imports.newest().is_some(), "{imports:?}");
        assert!(Imports::read(b"#!/bin/sh\n").is_err());
        assert!(Imports::read(&program[..100]).is_err());
    }

    #[test]
    fn folder_in_the_program_is_found() {
        let program = b"panicked at /home/me/.cargo/registry/x.rs";

        assert_eq!(
            leaked_folders(
                program,
                &[
                    Path::new("/home/me/.cargo"),
                    Path::new("/src"),
                    Path::new("")
                ]
            ),
            [Path::new("/home/me/.cargo")]
        );
    }
}
