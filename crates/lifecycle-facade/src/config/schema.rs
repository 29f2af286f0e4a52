//! The settings of the configuration file, section by section, and the settings that a cloud adds.
//!
//! The readers, the error messages and the test of the sample use these tables.

/// A setting of a section.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    /// Every cloud has the setting; other settings are in the [`CloudSettings`] of some clouds.
    is_common: bool,
}

/// A credential source, and the settings beside `source`.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: &'static str,
    pub(super) kind: SourceKind,
    /// Every cloud has the source; other sources are in the [`CloudSettings`] of some clouds.
    is_common: bool,
    pub(super) settings: &'static [Setting],
}

/// The kind of a credential source, one for each variant of
/// [`CredentialConfig`](super::CredentialConfig) but two: `Variables` holds a key or a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SourceKind {
    Default,
    Environment,
    File,
    Variables,
    Metadata,
    Oidc,
    Uri,
    AssumeRole,
    SessionToken,
    Password,
}

/// The settings and sources of one cloud, beside the common ones.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CloudSettings {
    pub(crate) account: &'static [CloudSetting],
    pub(crate) sources: &'static [CloudSource],
}

/// A credential source of a cloud, with the settings of the source beside the common ones.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CloudSource {
    kind: SourceKind,
    settings: &'static [CloudSetting],
}

impl CloudSource {
    pub(crate) const fn new(kind: SourceKind, settings: &'static [CloudSetting]) -> Self {
        Self { kind, settings }
    }
}

/// A setting that some clouds have.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CloudSetting {
    name: &'static str,
    is_required: bool,
}

/// Describes an optional setting of a cloud.
pub(crate) const fn optional(name: &'static str) -> CloudSetting {
    let is_required = false;
    CloudSetting { name, is_required }
}

/// Describes a required setting of a cloud.
pub(crate) const fn required(name: &'static str) -> CloudSetting {
    let is_required = true;
    CloudSetting { name, is_required }
}

/// A section with settings that only some clouds have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    Account,
    Source(&'static Source),
}

impl CloudSettings {
    /// Returns the settings of the cloud in `scope`; `None` if the cloud has no such source.
    fn in_scope(&self, scope: Scope) -> Option<&'static [CloudSetting]> {
        match scope {
            Scope::Account => Some(self.account),
            Scope::Source(source) => {
                let mut own = self.sources.iter();
                let own = own.find(|own| own.kind == source.kind);
                own.map(|own| own.settings)
                    .or(source.is_common.then_some(&[]))
            }
        }
    }

    pub(super) fn has_source(&self, source: &'static Source) -> bool {
        self.in_scope(Scope::Source(source)).is_some()
    }

    /// Returns true if the cloud has the setting in `scope`.
    pub(super) fn has(&self, scope: Scope, setting: &Setting) -> bool {
        self.in_scope(scope)
            .is_some_and(|own| setting.is_common || own.iter().any(|own| own.name == setting.name))
    }

    /// Returns true if the cloud requires the setting in `scope`.
    pub(super) fn requires(&self, scope: Scope, name: &str) -> bool {
        let mut own = self.in_scope(scope).unwrap_or_default().iter();
        own.any(|own| own.name == name && own.is_required)
    }
}

/// The tables at the top level of the file.
pub(super) const TOP: &[Setting] = &[
    common("defaults"),
    common("accounts"),
    common("groups"),
    common("calendars"),
    common("schedules"),
    common("keep"),
    common("maintenance"),
    common("controller"),
];

/// The settings of `[defaults]`.
pub(super) const DEFAULTS: &[Setting] = &[
    common("timeout"),
    common("attempt_timeout"),
    common("connect_timeout"),
    common("waves"),
    common("wave_pause"),
    common("stop_after"),
    common("max"),
    common("ca_certificates"),
    common("plain_http"),
    common("protect"),
    common("protect_tag"),
];

/// The settings of `[groups.NAME]`, for a group that is a selection.
pub(super) const GROUP: &[Setting] = &[common("select")];

/// The settings of `select` of `[groups.NAME]`.
pub(super) const SELECT: &[Setting] = &[
    common("in"),
    common("name"),
    common("tags"),
    common("state"),
    common("zone"),
    common("type"),
    common("exclude"),
    common("max"),
];

/// The settings of `[calendars.NAME]`.
pub(super) const CALENDAR: &[Setting] = &[
    common("off"),
    common("work"),
    common("ends"),
    common("file"),
    common("builtin"),
];

/// The settings of a calendar file.
pub(super) const CALENDAR_FILE: &[Setting] = &[
    common("off"),
    common("work"),
    common("ends"),
    common("source"),
];

/// The settings of `[schedules.NAME]`.
pub(super) const SCHEDULE: &[Setting] = &[
    common("zone"),
    common("calendar"),
    common("windows"),
    common("inside"),
    common("outside"),
    common("manual"),
    common("except"),
];

/// The settings of one of the `windows` of `[schedules.NAME]`.
pub(super) const WINDOW: &[Setting] = &[common("days"), common("from"), common("to")];

/// The settings of one `except` of `[schedules.NAME]`.
pub(super) const EXCEPT: &[Setting] = &[common("on"), common("from"), common("to")];

/// The settings of `manual` of `[schedules.NAME]`, for a table.
pub(super) const MANUAL: &[Setting] = &[common("leave_for")];

/// The settings of `[[maintenance]]`.
pub(super) const MAINTENANCE: &[Setting] = &[
    common("group"),
    common("zone"),
    common("on"),
    common("from"),
    common("waves"),
];

/// The settings of `on` of `[[maintenance]]`.
pub(super) const MAINTENANCE_DAY: &[Setting] = &[common("weekday"), common("week")];

/// The settings of `[controller]`.
pub(super) const CONTROLLER: &[Setting] = &[
    common("journal"),
    common("store"),
    common("resync"),
    common("max_changes"),
    common("catch_up"),
    common("on_change"),
];

/// The settings of `store` of `[controller]`.
pub(super) const STORE: &[Setting] = &[common("postgres_variable"), common("lease")];

/// The settings of `[accounts.NAME]`.
pub(super) const ACCOUNT: &[Setting] = &[
    common("cloud"),
    common("region"),
    common("endpoint"),
    on_some_clouds("identity_endpoint"),
    on_some_clouds("metadata_endpoint"),
    on_some_clouds("project"),
    on_some_clouds("enterprise_project"),
    on_some_clouds("batch_reboot"),
    on_some_clouds("network"),
    common("pace"),
    common("credentials"),
];

/// The settings of `pace` in `[accounts.NAME]`.
pub(super) const PACE: &[Setting] = &[common("reads"), common("writes")];

/// The setting of every source.
pub(super) const COMMON_SOURCE_SETTINGS: &[Setting] = &[common("source")];

/// The values of `source` in `credentials`, each with its own settings.
pub(super) const SOURCES: &[Source] = &[
    Source {
        name: "default",
        kind: SourceKind::Default,
        is_common: true,
        settings: &[common("profile")],
    },
    Source {
        name: "environment",
        kind: SourceKind::Environment,
        is_common: true,
        settings: &[],
    },
    Source {
        name: "file",
        kind: SourceKind::File,
        is_common: true,
        settings: &[common("profile")],
    },
    Source {
        name: "variables",
        kind: SourceKind::Variables,
        is_common: true,
        settings: &[
            common("id"),
            common("secret"),
            on_some_clouds("session"),
            on_some_clouds("token"),
        ],
    },
    Source {
        name: "metadata",
        kind: SourceKind::Metadata,
        is_common: false,
        settings: &[on_some_clouds("role")],
    },
    Source {
        name: "oidc",
        kind: SourceKind::Oidc,
        is_common: false,
        settings: &[],
    },
    Source {
        name: "uri",
        kind: SourceKind::Uri,
        is_common: false,
        settings: &[common("uri")],
    },
    Source {
        name: "assume-role",
        kind: SourceKind::AssumeRole,
        is_common: false,
        settings: &[
            common("role"),
            on_some_clouds("account_id"),
            on_some_clouds("domain"),
            on_some_clouds("session_name"),
            on_some_clouds("external_id"),
            common("duration"),
            common("from"),
        ],
    },
    Source {
        name: "session-token",
        kind: SourceKind::SessionToken,
        is_common: false,
        settings: &[common("duration"), common("from")],
    },
    Source {
        name: "password",
        kind: SourceKind::Password,
        is_common: false,
        settings: &[
            common("user"),
            common("domain"),
            common("password_variable"),
        ],
    },
];

/// Returns the sections with a setting of this name.
pub(super) fn sections_with(name: &str) -> Vec<String> {
    let has = |settings: &[Setting]| settings.iter().any(|setting| setting.name == name);
    let sections = [
        ("[defaults]", DEFAULTS),
        ("[accounts.NAME]", ACCOUNT),
        ("pace of [accounts.NAME]", PACE),
        ("select of [groups.NAME]", SELECT),
        ("credentials of [accounts.NAME]", COMMON_SOURCE_SETTINGS),
        ("[calendars.NAME]", CALENDAR),
        ("[schedules.NAME]", SCHEDULE),
        ("windows of [schedules.NAME]", WINDOW),
        ("except of [schedules.NAME]", EXCEPT),
        ("manual of [schedules.NAME]", MANUAL),
        ("[[maintenance]]", MAINTENANCE),
        ("on of [[maintenance]]", MAINTENANCE_DAY),
        ("[controller]", CONTROLLER),
        ("store of [controller]", STORE),
    ];
    let sections = sections
        .iter()
        .filter(|(_, settings)| has(settings))
        .map(|(title, _)| (*title).to_owned());
    let sources = SOURCES
        .iter()
        .filter(|source| has(source.settings))
        .map(|source| format!("credentials with source = {:?}", source.name));
    sections.chain(sources).collect()
}

/// Describes a setting that every cloud has.
const fn common(name: &'static str) -> Setting {
    let is_common = true;
    Setting { name, is_common }
}

/// Describes a setting that some clouds have.
const fn on_some_clouds(name: &'static str) -> Setting {
    let is_common = false;
    Setting { name, is_common }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::ENTRIES;

    /// Panics if `own` has a setting that the section does not list as a setting of some clouds.
    fn check(cloud: &str, own: &[CloudSetting], section: &[Setting]) {
        for setting in own {
            let mut listed = section.iter().filter(|listed| !listed.is_common);
            let is_listed = listed.any(|listed| listed.name == setting.name);
            assert!(is_listed, "{cloud}: {} is in no section", setting.name);
        }
    }

    #[test]
    fn settings_of_clouds_are_in_the_sections() {
        for entry in ENTRIES {
            check(entry.name, entry.settings.account, ACCOUNT);
            for own in entry.settings.sources {
                let source = SOURCES.iter().find(|source| source.kind == own.kind);
                check(entry.name, own.settings, source.unwrap().settings);
            }
        }
    }

    #[test]
    fn each_setting_and_source_has_a_cloud() {
        let has = |scope, setting: &Setting| ENTRIES.iter().any(|e| e.settings.has(scope, setting));
        for setting in ACCOUNT {
            assert!(has(Scope::Account, setting), "{}", setting.name);
        }
        for source in SOURCES {
            for setting in source.settings {
                let scope = Scope::Source(source);
                assert!(has(scope, setting), "{} of {}", setting.name, source.name);
            }
            assert!(ENTRIES.iter().any(|e| e.settings.has_source(source)));
        }
    }
}
