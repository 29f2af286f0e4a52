//! The processors with packages, and their names in each kind of package.

use std::env;

/// A processor that has packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Target {
    #[value(name = "x86_64")]
    X86_64,
    Aarch64,
}

impl Target {
    /// Returns the processor of this machine, if packages exist for the system.
    pub(super) fn host() -> Option<Self> {
        match (env::consts::OS, env::consts::ARCH) {
            ("linux", "x86_64") => Some(Self::X86_64),
            ("linux", "aarch64") => Some(Self::Aarch64),
            _ => None,
        }
    }

    /// Returns the name of the processor in RPM packages and Python wheels.
    pub(super) fn processor(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// Returns the name of the processor in Debian packages.
    pub(super) fn debian(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }

    /// Returns the name of the target in Rust.
    pub(super) fn triple(self) -> String {
        format!("{}-unknown-linux-gnu", self.processor())
    }
}
