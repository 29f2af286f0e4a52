//! Identity and Access Management: tokens for a password or an identity token, temporary keys for
//! either.
//!
//! Paths, bodies and answers are documented (IAM API reference, "token management", "access key
//! management", "federated identity authentication"; IAM 5, "`AssumeAgencyWithOIDC`") and were checked
//! against what the vendor's Python SDK sends and reads. Their refusals are inferred from the form that
//! users quoted, see the [switch](super::switches::IdentityError). A policy has no effect, a token's
//! catalogue and roles are empty, and temporary keys by assumption of an agency
//! (`"methods": ["assume_role"]`) are not simulated.

use serde::{Deserialize, Serialize};

use super::{
    api_error::{self, ApiError},
    projects::{self, DOMAIN},
};
use crate::{
    KeyKind,
    cloud_state::CloudState,
    identity::IssuedCredential,
    request::ReceivedRequest,
    response::{self, Response},
    time::write_utc,
};

/// `POST /v3/auth/tokens`: a token for a user's password, good for a day.
pub(super) fn create_token(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
) -> Result<Response, ApiError> {
    let Login { identity, scope } = read::<Login>(request)?;
    let user = identity
        .password
        .filter(|_| identity.methods == ["password"])
        .ok_or(api_error::BAD_LOGIN)?
        .user;
    if !cloud
        .identity
        .accepts_password(&user.name, &user.password, &user.domain.name)
    {
        return Err(api_error::wrong_password(&cloud.switches.huawei));
    }
    token(cloud, "password", user.name, &user.domain.name, scope)
}

/// `POST /v3.0/OS-AUTH/id-token/tokens`: a token for an identity token, good for a day. Without a scope
/// it can only be exchanged for a key.
pub(super) fn create_token_by_id_token(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
) -> Result<Response, ApiError> {
    let provider = request.header("x-idp-id").ok_or(api_error::BAD_LOGIN)?;
    let IdTokenLogin { id_token, scope } = read(request)?;
    if !cloud.identity.accepts_id_token(provider, &id_token.id) {
        return Err(api_error::foreign_id_token(&cloud.switches.huawei));
    }
    token(
        cloud,
        "mapped",
        "FederationUser".to_owned(),
        provider,
        scope,
    )
}

fn token(
    cloud: &mut CloudState,
    method: &'static str,
    user: String,
    domain: &str,
    scope: Option<Scope>,
) -> Result<Response, ApiError> {
    let domain = Domain {
        id: DOMAIN,
        name: domain.to_owned(),
    };
    let project = match scope.and_then(|scope| scope.project) {
        Some(named) => Some(scoped_project(cloud, named, &domain)?),
        None => None,
    };
    let issued = cloud.issue_key(KeyKind::Token, DAY);
    if project.is_none() {
        cloud.huawei.unscoped.insert(issued.key.id.clone());
    }
    let token = Token {
        methods: [method],
        expires_at: time(&issued),
        issued_at: write_utc(TIME, issued.issued_at),
        project,
        user: Account {
            domain,
            id: USER,
            name: user,
        },
        catalog: [],
        roles: [],
    };
    Ok(with_token(&token, &issued))
}

/// `POST /v3.0/OS-CREDENTIAL/securitytokens`: a temporary key for a token or for another key.
pub(super) fn create_key(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
) -> Result<Response, ApiError> {
    let exchange: Exchange = read(request)?;
    if exchange.identity.methods != ["token"] {
        return Err(api_error::BAD_LOGIN);
    }
    let asked = exchange
        .identity
        .token
        .and_then(|token| token.duration_seconds);
    let seconds = asked.unwrap_or(SHORTEST);
    if !(SHORTEST..=DAY).contains(&seconds) {
        return Err(api_error::BAD_LOGIN);
    }
    let issued = cloud.issue_key(KeyKind::Temporary, seconds);
    Ok(response::json(201, &Credential::of(&issued)))
}

/// `POST /v5/agencies/assume-with-oidc`: a temporary key for an identity token.
pub(super) fn assume_with_oidc(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
) -> Result<Response, ApiError> {
    let asked: Assumption = request.json().map_err(|_| api_error::BAD_LOGIN)?;
    if !cloud
        .identity
        .accepts_id_token(&asked.provider_urn, &asked.id_token)
    {
        return Err(api_error::foreign_id_token(&cloud.switches.huawei));
    }
    let agency = cloud.identity.role_named(&asked.agency_urn);
    let longest = agency
        .ok_or_else(|| api_error::no_agency(&cloud.switches.huawei))?
        .longest(HOUR);
    let seconds = asked.duration_seconds.unwrap_or(HOUR.min(longest));
    if !(SHORTEST..=longest).contains(&seconds) {
        return Err(api_error::BAD_LOGIN);
    }
    let issued = cloud.issue_key(KeyKind::Temporary, seconds);
    let assumed = Assumed {
        credentials: StsCredentials {
            access_key_id: &issued.key.id,
            secret_access_key: &issued.key.secret,
            security_token: issued.session(),
            expiration: time(&issued),
        },
        assumed_agency: AssumedAgency {
            urn: format!("{}/{}", asked.agency_urn, asked.agency_session_name),
            id: format!("{USER}:{}", asked.agency_session_name),
        },
    };
    Ok(response::json(200, &assumed))
}

/// The token that is to be exchanged for a key, from the body: the Python SDK sends it in no header
/// (vendor's source).
pub(super) fn exchanged_token(request: &ReceivedRequest) -> Option<String> {
    read::<Exchange>(request).ok()?.identity.token?.id
}

const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;
/// A temporary key lives 15 minutes at least, and unless told otherwise.
const SHORTEST: u64 = 900;

/// The only user there is, under whatever name.
const USER: &str = "0123456789abcdef0123456789abcdef";

/// With a fraction, which the Python SDK insists on (vendor's source).
const TIME: &str = "%Y-%m-%dT%H:%M:%S.000000Z";

fn time(issued: &IssuedCredential) -> String {
    write_utc(TIME, issued.expires_at)
}

/// Reads the `auth` of a body.
fn read<'r, T: Deserialize<'r>>(request: &'r ReceivedRequest) -> Result<T, ApiError> {
    #[derive(Deserialize)]
    struct Body<T> {
        auth: T,
    }
    let body: Body<T> = request.json().map_err(|_| api_error::BAD_LOGIN)?;
    Ok(body.auth)
}

/// The project that a token is for, by name or by id.
fn scoped_project(
    cloud: &CloudState,
    named: ScopedProject,
    domain: &Domain,
) -> Result<Project, ApiError> {
    let own = cloud.account.project_id.as_str();
    let is_known = match (&named.id, &named.name) {
        (Some(id), _) => id == own,
        (None, Some(name)) => projects::has_project(cloud, name),
        (None, None) => false,
    };
    if !is_known {
        return Err(api_error::wrong_scope(&cloud.switches.huawei));
    }
    Ok(Project {
        domain: domain.clone(),
        id: own.to_owned(),
        name: named.name.unwrap_or_default(),
    })
}

fn with_token(token: &Token, issued: &IssuedCredential) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        token: &'a Token,
    }
    let response = response::json(201, &Body { token });
    response::with_header(response, "x-subject-token", &issued.key.id)
}

#[derive(Deserialize)]
struct Login {
    identity: PasswordIdentity,
    scope: Option<Scope>,
}

#[derive(Deserialize)]
struct PasswordIdentity {
    methods: Vec<String>,
    password: Option<Password>,
}

#[derive(Deserialize)]
struct Password {
    user: User,
}

#[derive(Deserialize)]
struct User {
    name: String,
    password: String,
    domain: Named,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Scope {
    project: Option<ScopedProject>,
}

#[derive(Deserialize)]
struct ScopedProject {
    name: Option<String>,
    id: Option<String>,
}

#[derive(Deserialize)]
struct IdTokenLogin {
    id_token: IdToken,
    scope: Option<Scope>,
}

#[derive(Deserialize)]
struct IdToken {
    id: String,
}

#[derive(Deserialize)]
struct Exchange {
    identity: TokenIdentity,
}

#[derive(Deserialize)]
struct TokenIdentity {
    methods: Vec<String>,
    token: Option<ExchangedToken>,
}

#[derive(Deserialize)]
struct ExchangedToken {
    id: Option<String>,
    duration_seconds: Option<u64>,
}

#[derive(Deserialize)]
struct Assumption {
    provider_urn: String,
    agency_urn: String,
    agency_session_name: String,
    id_token: String,
    duration_seconds: Option<u64>,
}

#[derive(Serialize)]
struct Token {
    methods: [&'static str; 1],
    expires_at: String,
    issued_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<Project>,
    user: Account,
    catalog: [(); 0],
    roles: [(); 0],
}

#[derive(Serialize)]
struct Account {
    domain: Domain,
    id: &'static str,
    name: String,
}

#[derive(Serialize)]
struct Project {
    domain: Domain,
    id: String,
    name: String,
}

#[derive(Clone, Serialize)]
struct Domain {
    id: &'static str,
    name: String,
}

/// A temporary key, as IAM and the metadata service write it.
#[derive(Serialize)]
pub(super) struct Credential<'a> {
    credential: CredentialFields<'a>,
}

#[derive(Serialize)]
struct CredentialFields<'a> {
    access: &'a str,
    secret: &'a str,
    securitytoken: &'a str,
    expires_at: String,
}

impl<'a> Credential<'a> {
    pub(super) fn of(issued: &'a IssuedCredential) -> Self {
        Self {
            credential: CredentialFields {
                access: &issued.key.id,
                secret: &issued.key.secret,
                securitytoken: issued.session(),
                expires_at: time(issued),
            },
        }
    }
}

#[derive(Serialize)]
struct Assumed<'a> {
    credentials: StsCredentials<'a>,
    assumed_agency: AssumedAgency,
}

#[derive(Serialize)]
struct StsCredentials<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    security_token: &'a str,
    expiration: String,
}

#[derive(Serialize)]
struct AssumedAgency {
    urn: String,
    id: String,
}
