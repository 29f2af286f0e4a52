//! `tidy`: the check of retired names, which the project has replaced by established terms.

use std::collections::BTreeMap;

use super::{
    files::Files,
    rust::{Part, keep},
};

/// Retired names in a part of the repository.
struct Vocabulary {
    /// Beginnings of paths. Other folders may use the names in the usual sense.
    folders: &'static [&'static str],
    /// Pairs of a retired name and the term.
    names: &'static [(&'static str, &'static str)],
}

const CORE: &str = "crates/lifecycle-core/";
const CLIENT: &str = "crates/lifecycle-client/src/";
const FACADE: &str = "crates/lifecycle-facade/";
const COMMAND: &str = "crates/lifecycle-cli/";
const SIMULATOR: &str = "crates/lifecycle-sim/";
const CONFORMANCE: &str = "crates/lifecycle-conformance/";
const PROVIDERS: &str = "crates/provider-";
const TEMPLATES: &str = "xtask/templates/";

const RETIRED: &[Vocabulary] = &[
    Vocabulary {
        folders: &[""],
        names: &[
            // Core.
            ("Draft", "UnsignedRequest"),
            ("Stamp", "SigningContext"),
            ("Reply", "http::Response<Bytes>"),
            ("Receipt", "BatchAck"),
            ("Effect", "ExecutionStatus"),
            ("Repeat", "Idempotency"),
            ("Cadence", "PollingPolicy"),
            ("Verdict", "a status, such as JobStatus"),
            ("Lenient", "LenientField"),
            ("InvalidId", "ParseInstanceIdError"),
            ("admits_look", "check_observe"),
            ("bare_fault", "fault_from_status"),
            ("hidden_header", "sensitive_header"),
            ("is_dead_end", "is_stuck"),
            // Credentials.
            ("Origin", "CredentialSource"),
            ("OriginConfig", "CredentialSourceConfig"),
            ("Origins", "CredentialSourceFactory"),
            ("Grant", "ResolvedCredential or Permit"),
            ("Surroundings", "ProviderContext"),
            ("ThisMachine", "SystemHost"),
            ("BareMachine", "EmptyHost"),
            ("Holds", "FileCheck"),
            ("KeyVariables", "EnvVarNames"),
            ("FirstOf", "CredentialSourceChain"),
            ("Reach", "ServiceKind"),
            ("NoCredential", "CredentialError"),
            ("Unresolved", "ResolveError"),
            ("Standing", "CredentialInfo or RowStatus"),
            ("Witness", "RecordingHost"),
            ("Dated", "WithClockSkew"),
            // Client.
            ("Patience", "WaitTimeout"),
            ("Book", "OutcomeTracker"),
            ("Doubt", "Ambiguity"),
            ("Sight", "ObserveResult"),
            ("Sights", "ObserveResults"),
            ("Sightedness", "BatchReadSupport"),
            ("Inbox", "Mailbox"),
            ("nudge", "notify"),
            ("Effort", "CallContext"),
            ("Lesson", "Recovery"),
            ("Pacer", "RateLimiter"),
            ("probation", "first_use_lock"),
            ("is_suspect", "rejected"),
            ("Grace", "ForceDeadline"),
            ("Graces", "ForceTimers"),
            ("Parcel", "ActionBatch"),
            ("take_apart", "bisect"),
            ("Flaw", "Mutation"),
            ("Flawed", "Mutant"),
            ("Unproved", "Unconfirmed"),
            ("DeadEnd", "StuckState"),
            // Facade and command.
            ("Sketch", "OfflineClient"),
            ("heeds_environment", "uses_vendor_env"),
            ("BadConfig", "ConfigError"),
            ("BadEndpoint", "ParseEndpointError"),
            ("Somewhere", "LocationArg"),
            ("fast_motion", "simulated_time"),
            ("metronome", "simulated_time"),
            // Simulator and conformance.
            ("Mishap", "InjectedFault"),
            ("Injection", "FaultRule"),
            ("Dialect", "CloudApi"),
            ("Denial", "ApiError"),
            ("Complaint", "ApiError"),
            ("Tempo", "TransitionTimes"),
            ("Trouble", "Impairment"),
            ("Deed", "ExternalChange"),
            ("Strike", "InjectedFault"),
            ("Episode", "ScenarioRun"),
        ],
    },
    Vocabulary {
        folders: &[CORE, CLIENT, PROVIDERS],
        names: &[
            ("Progress", "JobProgress"),
            ("Machine", "HostEnvironment"),
            ("Verb", "ActionKind"),
            ("Pace", "RateLimits"),
            ("Limits", "BatchLimits"),
            ("Variables", "EnvCredentialSource"),
            ("Step", "ExchangeStep"),
            ("Ask", "HttpExchange"),
            ("around", "ctx"),
        ],
    },
    Vocabulary {
        folders: &[CORE, PROVIDERS, TEMPLATES],
        names: &[("Call", "ApiCall")],
    },
    Vocabulary {
        folders: &[CORE],
        names: &[
            ("Row", "LenientObject"),
            ("admits", "supports"),
            ("mentions", "may_contain"),
            ("exposure", "permission_warning"),
            ("is_same", "same_key"),
        ],
    },
    Vocabulary {
        folders: &[CLIENT],
        names: &[
            ("Resolver", "StepDriver"),
            ("Term", "Validity"),
            ("Held", "CachedKey"),
            ("View", "CacheState"),
            ("Direct", "BypassProxy"),
            ("Terms", "PowerRequestOptions"),
            ("Work", "ReportFuture"),
            ("Calls", "CallCounts"),
            ("Incomplete", "IncompleteError"),
            ("Purpose", "CallKind"),
            ("Answer", "CallOutput"),
            ("Failure", "CallError"),
            ("Pass", "Admission"),
            ("Speed", "AdaptiveRate"),
            ("Trust", "KeyHealth"),
            ("Run", "RequestRunner"),
            ("Place", "SendDecision"),
            ("Delivery", "BatchOutcome"),
            ("Blind", "Unobservable"),
            ("roll", "run_rollout"),
        ],
    },
    Vocabulary {
        folders: &[FACADE],
        names: &[
            ("Place", "Location"),
            ("Reference", "InstanceReference"),
            ("Probe", "DoctorProbe"),
            ("tune", "configure_client"),
            ("Findings", "Diagnostics"),
            ("Problem", "Diagnostic"),
            ("roll", "run_rollout"),
        ],
    },
    Vocabulary {
        folders: &["crates/lifecycle-facade/src/fleet/"],
        names: &[("Order", "GroupedReferences"), ("Group", "LocationGroup")],
    },
    Vocabulary {
        folders: &[COMMAND],
        names: &[
            ("Facts", "ProgressState"),
            ("Failure", "CommandError"),
            ("Page", "Table"),
            ("Visit", "Checkup"),
        ],
    },
    Vocabulary {
        folders: &[SIMULATOR],
        names: &[
            ("Refusal", "ApiError"),
            ("Asked", "Params"),
            ("Claim", "SignatureParts"),
            ("Site", "CloudState"),
            ("Act", "PowerOperation"),
            ("Mark", "Confidence"),
            ("When", "FaultTiming"),
        ],
    },
    Vocabulary {
        folders: &[CONFORMANCE],
        names: &[("Stage", "TestStage"), ("Subject", "CloudUnderTest")],
    },
    Vocabulary {
        folders: &["crates/provider-aliyun/"],
        names: &[("Entry", "ProfileSection"), ("Batch", "BatchMode")],
    },
];

/// Retired names in code and in code spans of comments and documents. History may use old names.
pub(super) fn names(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    let documents = files.texts("", ".md");
    let documents = documents.filter(|(path, _)| !path.ends_with("CHANGELOG.md"));
    for (path, text) in files.texts("", ".rs").chain(documents) {
        let terms: BTreeMap<&str, &str> = RETIRED
            .iter()
            .filter(|vocabulary| vocabulary.folders.iter().any(|it| path.starts_with(it)))
            .flat_map(|vocabulary| vocabulary.names.iter().copied())
            .collect();
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, name) in used_names(path, text) {
            if terms.contains_key(name.as_str()) {
                places.entry(name).or_default().push(number);
            }
        }
        findings.extend(places.iter().map(|(name, lines)| {
            let (first, count) = (lines.iter().min().unwrap_or(&0), lines.len());
            let term = terms[name.as_str()];
            format!("{path}:{first}: {name} is retired, the term is {term}; occurrences: {count}")
        }));
    }
    findings
}

/// Returns each name in code with the line number.
fn used_names(path: &str, text: &str) -> Vec<(usize, String)> {
    let is_rust = path.ends_with(".rs");
    let (code, prose) = if is_rust {
        (keep(&[Part::Code], text), keep(&[Part::Comment], text))
    } else {
        (String::new(), text.to_owned())
    };
    let mut found = Vec::new();
    for (number, line) in (1..).zip(code.lines()) {
        found.extend(identifiers(line).map(|name| (number, name.to_owned())));
    }
    let mut fence = None;
    for (number, line) in (1..).zip(prose.lines()) {
        let line = line.trim_start_matches(['/', '!', ' ']);
        if let Some(info) = line.strip_prefix("```") {
            let holds_rust = info.starts_with("rust") || (is_rust && !info.starts_with("text"));
            fence = if fence.is_some() {
                None
            } else {
                Some(holds_rust)
            };
            continue;
        }
        let spans = match fence {
            None => line.split('`').skip(1).step_by(2).collect::<Vec<_>>(),
            Some(true) => vec![line],
            Some(false) => Vec::new(),
        };
        let names = spans.into_iter().flat_map(identifiers);
        found.extend(names.map(|name| (number, name.to_owned())));
    }
    found
}

fn identifiers(code: &str) -> impl Iterator<Item = &str> {
    code.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Vec<String> = Vec::new();

    #[test]
    fn retired_name_is_found_in_code_spans_and_fences() {
        let text = "/// A [`Draft`].\n/// ```\n/// let it: Stamp;\n/// ```\nfn f(it: &Draft) {}\n";
        let files = Files::of([
            ("crates/a/src/lib.rs", text),
            ("docs/a.md", "Use `Draft::new`.\n```rust\nDraft\n```\n"),
        ]);

        assert_eq!(
            names(&files),
            [
                "crates/a/src/lib.rs:1: Draft is retired, the term is UnsignedRequest; occurrences: 2",
                "crates/a/src/lib.rs:3: Stamp is retired, the term is SigningContext; occurrences: 1",
                "docs/a.md:1: Draft is retired, the term is UnsignedRequest; occurrences: 2",
            ]
        );
    }

    #[test]
    fn plain_words_parts_of_names_and_history_are_free() {
        let text =
            "/// A Draft.\n/// ```text\n/// Draft\n/// ```\nlet DraftX = \"Draft\"; // Draft\n";
        let files = Files::of([
            ("crates/a/src/lib.rs", text),
            ("docs/a.md", "A Draft.\n```toml\nDraft = 1\n```\n"),
            ("crates/a/CHANGELOG.md", "`Draft` is gone.\n"),
        ]);

        assert_eq!(names(&files), NONE);
    }

    #[test]
    fn name_with_a_folder_is_free_elsewhere() {
        let text = "struct Site;\n";
        let inside = Files::of([("crates/lifecycle-sim/src/site.rs", text)]);
        let outside = Files::of([("crates/lifecycle-cli/src/site.rs", text)]);

        assert_eq!(names(&inside).len(), 1);
        assert_eq!(names(&outside), NONE);
    }

    #[test]
    fn no_term_is_retired_where_it_is_the_term() {
        for vocabulary in RETIRED {
            for (name, term) in vocabulary.names {
                let clashes = RETIRED.iter().filter(|other| {
                    let same_folder =
                        |folder: &&str| vocabulary.folders.contains(folder) || folder.is_empty();
                    let has_term = other.names.iter().any(|(retired, _)| retired == term);
                    has_term && other.folders.iter().any(same_folder)
                });
                assert_eq!(clashes.count(), 0, "{name} -> {term}");
            }
        }
    }
}
