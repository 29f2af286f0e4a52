//! Reads the `credentials` table of an account, and the sources that are nested in the table under
//! `from`.

use toml::{Spanned, de::DeTable};

use super::{
    cloud_name::CloudName,
    credentials::{CredentialConfig, RoleConfig},
    schema::{COMMON_SOURCE_SETTINGS, SOURCES, Scope, Setting, Source, SourceKind},
    section::{Section, TableEntry},
    value,
};

/// The maximum depth of nested `from` tables. Two or three are enough for chained roles.
const MAX_DEPTH: usize = 8;

/// Reads the credentials of an account. Returns the default for absent or invalid credentials.
pub(super) fn read(account: &Section<'_>, cloud: Option<CloudName>) -> CredentialConfig {
    let reader = SourceReader {
        account: account.title(),
        cloud,
        depth: 0,
    };
    reader
        .read_table(account, "credentials")
        .unwrap_or_default()
}

/// Reads one source. A reader with `depth + 1` reads the source in the `from` table.
#[derive(Clone, Copy, Debug)]
struct SourceReader<'a> {
    account: &'a str,
    /// The cloud of the account; `None` if the cloud is invalid.
    cloud: Option<CloudName>,
    depth: usize,
}

impl SourceReader<'_> {
    /// Reads the table of a source: `credentials` of an account, or `from` of another source. Returns
    /// `None` if the source is absent or invalid.
    fn read_table(self, outer: &Section<'_>, name: &str) -> Option<CredentialConfig> {
        let entry = outer.table(name)?;
        if self.depth > MAX_DEPTH {
            let problem = format!("at most {MAX_DEPTH} sources can be nested");
            outer.report_problem(entry.key.span(), name, &problem);
            return None;
        }
        let source = source_of(entry.table);
        let title = self.title(source);
        let section = outer
            .document()
            .open(title, entry.table, allowed_settings(source));
        // Reports an invalid value of `source`. A valid value is in `source` already.
        section.take("source", value::source);
        self.check_source_on_cloud(&section, entry, source?);
        self.read(&section, entry, source?)
    }

    /// Returns the name of the table in messages.
    fn title(self, source: Option<&Source>) -> String {
        let (path, account) = (".from".repeat(self.depth), self.account);
        match source {
            Some(Source { name, .. }) => {
                format!("credentials{path} of {account} with source = {name:?}")
            }
            None => format!("credentials{path} of {account}"),
        }
    }

    /// Reports a source that the cloud does not have. For other sources, reports the settings that
    /// the cloud does not have.
    fn check_source_on_cloud(
        self,
        section: &Section<'_>,
        entry: TableEntry<'_>,
        source: &'static Source,
    ) {
        match self.cloud {
            Some(cloud) if cloud.settings().has_source(source) => {
                section.report_settings_not_on(cloud, Scope::Source(source));
            }
            Some(cloud) => {
                let value = entry.table.get("source");
                let span = value.map_or_else(|| entry.key.span(), Spanned::span);
                let document = section.document();
                let problem =
                    document.only_on_message(cloud, |settings| settings.has_source(source));
                section.report_problem(span, "source", &problem);
            }
            None => {}
        }
    }

    /// Reads the settings of a source.
    fn read(
        self,
        section: &Section<'_>,
        entry: TableEntry<'_>,
        source: &'static Source,
    ) -> Option<CredentialConfig> {
        let optional_text = |name| section.take(name, value::text);
        let required_text = |name| section.required(entry.key.span(), name, value::text);
        let required_variable = |name| section.required(entry.key.span(), name, value::variable);
        let duration = || section.take("duration", value::duration);
        let from = || {
            Box::new(
                self.deeper()
                    .read_table(section, "from")
                    .unwrap_or_default(),
            )
        };
        let required_on_some_clouds = |name| {
            let scope = Scope::Source(source);
            let requires = |cloud: CloudName| cloud.settings().requires(scope, name);
            match self.cloud.is_some_and(requires) {
                true => required_text(name),
                false => optional_text(name),
            }
        };
        // `?` comes after all other settings of a source, so that one missing setting does not hide
        // mistakes in the others.
        Some(match source.kind {
            SourceKind::Default => CredentialConfig::Default {
                profile: optional_text("profile"),
            },
            SourceKind::Environment => CredentialConfig::Environment,
            SourceKind::File => CredentialConfig::File {
                profile: optional_text("profile"),
            },
            // The source `variables` holds `token`, or `id` and `secret`: the names of variables. The
            // source `environment` reads the vendor's own variables.
            SourceKind::Variables if section.has("token") => {
                for other in ["id", "secret", "session"] {
                    section.report_if_present(other, "not allowed beside token");
                }
                CredentialConfig::TokenVariable {
                    token: required_variable("token")?,
                }
            }
            SourceKind::Variables => {
                let (id, secret) = (required_variable("id"), required_variable("secret"));
                CredentialConfig::AccessKeyVariables {
                    session: section.take("session", value::variable),
                    id: id?,
                    secret: secret?,
                }
            }
            SourceKind::Metadata => CredentialConfig::Metadata {
                role: optional_text("role"),
            },
            SourceKind::Oidc => CredentialConfig::Oidc,
            SourceKind::Uri => CredentialConfig::Uri {
                uri: section.required(entry.key.span(), "uri", value::uri)?,
            },
            SourceKind::AssumeRole => CredentialConfig::AssumeRole(RoleConfig {
                account_id: required_on_some_clouds("account_id"),
                domain: required_on_some_clouds("domain"),
                session_name: optional_text("session_name"),
                external_id: optional_text("external_id"),
                duration: duration(),
                from: from(),
                role: required_text("role")?,
            }),
            SourceKind::SessionToken => CredentialConfig::SessionToken {
                duration: duration(),
                from: from(),
            },
            SourceKind::Password => {
                let (user, domain) = (required_text("user"), required_text("domain"));
                CredentialConfig::Password {
                    password_variable: required_variable("password_variable")?,
                    user: user?,
                    domain: domain?,
                }
            }
        })
    }

    /// Returns the reader of the `from` table.
    fn deeper(self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self
        }
    }
}

/// Returns the source of a table, by default the default source; `None` for an unknown source.
fn source_of(table: &DeTable<'_>) -> Option<&'static Source> {
    match table.get("source") {
        None => SOURCES
            .iter()
            .find(|source| source.kind == SourceKind::Default),
        Some(value) => {
            let name = value.get_ref().as_str()?;
            SOURCES.iter().find(|source| source.name == name)
        }
    }
}

/// Returns the settings allowed for a source, or the settings of all sources for an unknown source.
fn allowed_settings(source: Option<&'static Source>) -> impl Iterator<Item = &'static Setting> {
    let sources = match source {
        Some(source) => std::slice::from_ref(source),
        None => SOURCES,
    };
    let settings = sources.iter().flat_map(|source| source.settings);
    COMMON_SOURCE_SETTINGS.iter().chain(settings)
}
