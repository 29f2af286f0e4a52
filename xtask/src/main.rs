//! `cargo xtask`: the maintenance commands of this repository.
//!
//! The program starts cargo and links no crate of the product, so the commands work even while the
//! product does not compile.

mod apt;
mod bench;
mod cargo;
mod ci;
mod clouds;
mod conformance;
mod deny;
mod exit;
mod features;
mod fuzz;
mod interop;
mod manifest;
mod new_provider;
mod package;
mod postgres;
mod program;
mod promtool;
mod python;
mod release;
mod simulate;
mod step;
mod temporal;
mod tidy;
mod tree;
mod vectors;
mod weigh;

use std::{path::Path, process::ExitCode};

use clap::Parser;
use exit::CommandResult;

/// The maintenance commands of this repository.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", after_help = exit::HELP)]
enum Command {
    Ci(ci::Ci),
    Features(features::Features),
    Tree(tree::Tree),
    Tidy(tidy::Tidy),
    Deny(deny::Deny),
    Vectors(vectors::Vectors),
    Bench(bench::Bench),
    Simulate(simulate::Simulate),
    Chaos(postgres::Chaos),
    Temporal(temporal::Temporal),
    Interop(interop::Interop),
    Fuzz(fuzz::Fuzz),
    ReleaseCheck(release::ReleaseCheck),
    Package(package::Package),
    Weigh(weigh::Weigh),
    Conformance(conformance::Conformance),
    NewProvider(new_provider::NewProvider),
}

impl Command {
    fn run(&self, root: &Path) -> CommandResult {
        match self {
            Self::Ci(ci) => ci.run(root),
            Self::Features(features) => features.run(root),
            Self::Tree(tree) => tree.run(root),
            Self::Tidy(tidy) => tidy.run(root),
            Self::Deny(deny) => deny.run(root),
            Self::Vectors(vectors) => vectors.run(root),
            Self::Bench(bench) => bench.run(root),
            Self::Simulate(simulate) => simulate.run(root),
            Self::Chaos(chaos) => chaos.run(root),
            Self::Temporal(temporal) => temporal.run(root),
            Self::Interop(interop) => interop.run(root),
            Self::Fuzz(fuzz) => fuzz.run(root),
            Self::ReleaseCheck(check) => check.run(root),
            Self::Package(package) => package.run(root),
            Self::Weigh(weigh) => weigh.run(root),
            Self::Conformance(conformance) => conformance.run(root),
            Self::NewProvider(new_provider) => new_provider.run(root),
        }
    }
}

fn main() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => return exit::for_usage(&error),
    };
    exit::for_result(&cargo::workspace_root().and_then(|root| command.run(&root)))
}
