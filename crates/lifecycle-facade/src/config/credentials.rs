//! The setting `credentials` of an account: where its keys come from, never what they are.

use std::time::Duration;

use toml::{Spanned, de::DeTable};

use super::{
    findings::Findings,
    known::{self, CloudName, SOURCES, Setting, Source, SourceKind},
    secret::VariableName,
    section::{Found, Section, not_on},
    value,
};

/// Where the keys of an account come from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialConfig {
    /// Every place where the cloud's own tools look, in their order.
    #[non_exhaustive]
    Default {
        /// The profile of the vendor's files; `None` for the one that they name.
        profile: Option<String>,
    },
    /// The variables that the cloud's own tools read.
    Environment,
    /// The files of the cloud's own tools.
    #[non_exhaustive]
    File {
        /// The profile; `None` for the one that the files name.
        profile: Option<String>,
    },
    /// An access key in variables of these names.
    #[non_exhaustive]
    EnvVarNames {
        /// Holds the public half.
        id: VariableName,
        /// Holds the secret half.
        secret: VariableName,
        /// Holds the session token, when the key is temporary.
        session: Option<VariableName>,
    },
    /// A bearer token in a variable of this name.
    #[non_exhaustive]
    TokenVariable {
        /// Holds the token.
        token: VariableName,
    },
    /// The machine that the program runs on, when that is one of the cloud's own.
    #[non_exhaustive]
    Metadata {
        /// The machine's role; `None` asks for it.
        role: Option<String>,
    },
    /// An OIDC token, as the variables of the cloud's own tools describe it.
    Oidc,
    /// A service that hands out keys.
    #[non_exhaustive]
    Uri {
        /// Its address: `http://` or `https://`.
        uri: String,
    },
    /// Temporary keys of a role.
    AssumeRole(RoleConfig),
    /// Temporary keys of the same user.
    #[non_exhaustive]
    SessionToken {
        /// How long they are to live; `None` for what the cloud takes for it.
        duration: Option<Duration>,
        /// With which keys they are asked for.
        from: Box<Self>,
    },
    /// An IAM token for a user's name and password.
    #[non_exhaustive]
    Password {
        /// The user's name.
        user: String,
        /// The account that the user is of.
        domain: String,
        /// The variable that holds the password.
        password_variable: VariableName,
    },
}

/// A role, and how it is assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleConfig {
    /// The role: its ARN on Alibaba, its name on Baidu, the name of an agency on Huawei.
    pub role: String,
    /// The account that the role is in. Baidu needs it; on others it is in the role's name.
    pub account_id: Option<String>,
    /// The name of the account that has the agency. Huawei needs it.
    pub domain: Option<String>,
    /// What the cloud's records call the session; `None` leaves it to the program.
    pub session_name: Option<String>,
    /// What the role's owner asks of others who assume it.
    pub external_id: Option<String>,
    /// How long the keys are to live; `None` for what the cloud takes for it.
    pub duration: Option<Duration>,
    /// With which keys the role is asked for.
    pub from: Box<CredentialConfig>,
}

impl Default for CredentialConfig {
    /// Every place where the cloud's own tools look.
    fn default() -> Self {
        Self::Default { profile: None }
    }
}

/// How many sources may stand within each other. Roles that lead to roles need two or three.
const DEEPEST: usize = 8;

impl CredentialConfig {
    /// The credentials of an account. What is wrong is found, and gives the default.
    pub(super) fn of_account(
        account: &Section<'_>,
        cloud: Option<CloudName>,
        findings: &Findings,
    ) -> Self {
        let reader = Reader {
            account: account.title(),
            cloud,
            findings,
            depth: 0,
        };
        reader.nested(account, "credentials").unwrap_or_default()
    }
}

/// Reads one source, and with one more of depth those within it.
#[derive(Clone, Copy, Debug)]
struct Reader<'a> {
    account: &'a str,
    /// `None` when the account's cloud is not known.
    cloud: Option<CloudName>,
    findings: &'a Findings,
    depth: usize,
}

impl Reader<'_> {
    /// The source at a setting of `outer`; `None` when there is none, or it is wrong.
    fn nested(self, outer: &Section<'_>, name: &str) -> Option<CredentialConfig> {
        let found = outer.table(name)?;
        if self.depth > DEEPEST {
            let problem = format!("no more than {DEEPEST} sources may stand within one");
            outer.wrong(found.key.span(), name, &problem);
            return None;
        }
        let source = source_of(found.table);
        let title = self.title(source);
        let section = Section::open(self.findings, title, found.table, settings(source));
        section.take("source", value::source);
        self.check_cloud(&section, found, source?);
        self.read(&section, found, source?)
    }

    fn title(self, source: Option<&Source>) -> String {
        let (path, account) = (".from".repeat(self.depth), self.account);
        match source {
            Some(Source { name, .. }) => {
                format!("credentials{path} of {account} with source = {name:?}")
            }
            None => format!("credentials{path} of {account}"),
        }
    }

    /// Finds what the account's cloud does not have: the source itself, or else settings of it.
    fn check_cloud(self, section: &Section<'_>, found: Found<'_>, source: &Source) {
        match self.cloud {
            Some(cloud) if source.clouds.contains(&cloud) => section.only_what_has(cloud),
            Some(cloud) => {
                let value = found.table.get("source");
                let span = value.map_or_else(|| found.key.span(), Spanned::span);
                section.wrong(span, "source", &not_on(cloud, source.clouds));
            }
            None => {}
        }
    }

    fn read(
        self,
        section: &Section<'_>,
        found: Found<'_>,
        source: &Source,
    ) -> Option<CredentialConfig> {
        let text = |name| section.take(name, value::text);
        let needed = |name| section.required(found.key.span(), name, value::text);
        let variable = |name| section.required(found.key.span(), name, value::variable);
        let duration = || section.take("duration", value::time);
        let from = || Box::new(self.deeper().nested(section, "from").unwrap_or_default());
        // What has to be there comes last, so that whatever else is wrong is found as well.
        Some(match source.kind {
            SourceKind::Default => CredentialConfig::Default {
                profile: text("profile"),
            },
            SourceKind::Environment => CredentialConfig::Environment,
            SourceKind::File => CredentialConfig::File {
                profile: text("profile"),
            },
            SourceKind::EnvCredentialSource if section.has("token") => {
                for other in ["id", "secret", "session"] {
                    section.absent(other, "a token stands alone");
                }
                CredentialConfig::TokenVariable {
                    token: variable("token")?,
                }
            }
            SourceKind::EnvCredentialSource => {
                let (id, secret) = (variable("id"), variable("secret"));
                CredentialConfig::EnvVarNames {
                    session: section.take("session", value::variable),
                    id: id?,
                    secret: secret?,
                }
            }
            SourceKind::Metadata => CredentialConfig::Metadata { role: text("role") },
            SourceKind::Oidc => CredentialConfig::Oidc,
            SourceKind::Uri => CredentialConfig::Uri {
                uri: section.required(found.key.span(), "uri", value::uri)?,
            },
            SourceKind::AssumeRole => CredentialConfig::AssumeRole(RoleConfig {
                account_id: match self.cloud {
                    Some(CloudName::BAIDU) => needed("account_id"),
                    _ => text("account_id"),
                },
                domain: match self.cloud {
                    Some(CloudName::HUAWEI) => needed("domain"),
                    _ => text("domain"),
                },
                session_name: text("session_name"),
                external_id: text("external_id"),
                duration: duration(),
                from: from(),
                role: needed("role")?,
            }),
            SourceKind::SessionToken => CredentialConfig::SessionToken {
                duration: duration(),
                from: from(),
            },
            SourceKind::Password => {
                let (user, domain) = (needed("user"), needed("domain"));
                CredentialConfig::Password {
                    password_variable: variable("password_variable")?,
                    user: user?,
                    domain: domain?,
                }
            }
        })
    }

    fn deeper(self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self
        }
    }
}

/// The source that a table names, which is the default where it names none; `None` when there is
/// no such source.
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

/// The settings beside a source; those of all of them where the source is not known.
fn settings(source: Option<&'static Source>) -> impl Iterator<Item = &'static Setting> {
    let sources = match source {
        Some(source) => std::slice::from_ref(source),
        None => SOURCES,
    };
    let settings = sources.iter().flat_map(|source| source.settings);
    known::CREDENTIALS.iter().chain(settings)
}
