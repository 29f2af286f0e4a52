//! Huawei's simulated Identity and Access Management: tokens for a password or an identity token,
//! and temporary keys for both.
//!
//! Paths, bodies and responses are documented (IAM API reference, "token management", "access key
//! management", "federated identity authentication"; IAM 5, "`AssumeAgencyWithOIDC`") and were
//! checked against the vendor's Python SDK. The errors are inferred from quotations of users, see
//! the [switch](super::switches::IdentityError). A policy has no effect, the catalogue and the
//! roles of a token are empty, and temporary keys by assumption of an agency (`"methods":
//! ["assume_role"]`) are not simulated.

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

/// Handles `POST /v3/auth/tokens`: issues a token for a user's password, valid for a day.
pub(super) fn create_token(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
) -> Result<Response, ApiError> {
    let LoginRequest { identity, scope } = read::<LoginRequest>(request)?;
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

/// Handles `POST /v3.0/OS-AUTH/id-token/tokens`: issues a token for an identity token, valid for a
/// day. Without a scope the token can only be exchanged for a key.
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
    scope: Option<TokenScope>,
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
        user: TokenUser {
            domain,
            id: USER_ID,
            name: user,
        },
        catalog: [],
        roles: [],
    };
    Ok(with_token(&token, &issued))
}

/// Handles `POST /v3.0/OS-CREDENTIAL/securitytokens`: issues a temporary key for a token or for
/// another key.
pub(super) fn create_key(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
) -> Result<Response, ApiError> {
    let exchange: Exchange = read(request)?;
    if exchange.identity.methods != ["token"] {
        return Err(api_error::BAD_LOGIN);
    }
    let requested = exchange
        .identity
        .token
        .and_then(|token| token.duration_seconds);
    let seconds = requested.unwrap_or(MIN_LIFETIME);
    if !(MIN_LIFETIME..=DAY).contains(&seconds) {
        return Err(api_error::BAD_LOGIN);
    }
    let issued = cloud.issue_key(KeyKind::Temporary, seconds);
    Ok(response::json(201, &Credential::of(&issued)))
}

/// Handles `POST /v5/agencies/assume-with-oidc`: issues a temporary key for an identity token.
pub(super) fn assume_with_oidc(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
) -> Result<Response, ApiError> {
    let assumption: Assumption = request.json().map_err(|_| api_error::BAD_LOGIN)?;
    if !cloud
        .identity
        .accepts_id_token(&assumption.provider_urn, &assumption.id_token)
    {
        return Err(api_error::foreign_id_token(&cloud.switches.huawei));
    }
    let agency = cloud.identity.role_named(&assumption.agency_urn);
    let max_session = agency
        .ok_or_else(|| api_error::no_agency(&cloud.switches.huawei))?
        .max_session(HOUR);
    let seconds = assumption.duration_seconds.unwrap_or(HOUR.min(max_session));
    if !(MIN_LIFETIME..=max_session).contains(&seconds) {
        return Err(api_error::BAD_LOGIN);
    }
    let issued = cloud.issue_key(KeyKind::Temporary, seconds);
    let assumed = AssumedResponse {
        credentials: StsCredentials {
            access_key_id: &issued.key.id,
            secret_access_key: &issued.key.secret,
            security_token: issued.session(),
            expiration: time(&issued),
        },
        assumed_agency: AssumedAgency {
            urn: format!(
                "{}/{}",
                assumption.agency_urn, assumption.agency_session_name
            ),
            id: format!("{USER_ID}:{}", assumption.agency_session_name),
        },
    };
    Ok(response::json(200, &assumed))
}

/// Returns the token for a key exchange from the body. The Python SDK does not send the token in a
/// header (vendor's source).
pub(super) fn exchanged_token(request: &ReceivedRequest) -> Option<String> {
    read::<Exchange>(request).ok()?.identity.token?.id
}

const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;
/// The minimum and default lifetime of a temporary key: 15 minutes, in seconds.
const MIN_LIFETIME: u64 = 900;

/// The id of all users.
const USER_ID: &str = "0123456789abcdef0123456789abcdef";

/// Time format with a fraction, which the Python SDK requires (vendor's source).
const TIME: &str = "%Y-%m-%dT%H:%M:%S.000000Z";

fn time(issued: &IssuedCredential) -> String {
    write_utc(TIME, issued.expires_at)
}

/// Parses the `auth` field of a body.
fn read<'r, T: Deserialize<'r>>(request: &'r ReceivedRequest) -> Result<T, ApiError> {
    #[derive(Deserialize)]
    struct AuthBody<T> {
        auth: T,
    }
    let body: AuthBody<T> = request.json().map_err(|_| api_error::BAD_LOGIN)?;
    Ok(body.auth)
}

/// Returns the project of a token, by name or by id.
fn scoped_project(
    cloud: &CloudState,
    named: ScopedProject,
    domain: &Domain,
) -> Result<Project, ApiError> {
    let own_project = cloud.account.project_id.as_str();
    let is_known = match (&named.id, &named.name) {
        (Some(id), _) => id == own_project,
        (None, Some(name)) => projects::has_project(cloud, name),
        (None, None) => false,
    };
    if !is_known {
        return Err(api_error::wrong_scope(&cloud.switches.huawei));
    }
    Ok(Project {
        domain: domain.clone(),
        id: own_project.to_owned(),
        name: named.name.unwrap_or_default(),
    })
}

fn with_token(token: &Token, issued: &IssuedCredential) -> Response {
    #[derive(Serialize)]
    struct AuthBody<'a> {
        token: &'a Token,
    }
    let response = response::json(201, &AuthBody { token });
    response::with_header(response, "x-subject-token", &issued.key.id)
}

#[derive(Deserialize)]
struct LoginRequest {
    identity: PasswordIdentity,
    scope: Option<TokenScope>,
}

#[derive(Deserialize)]
struct PasswordIdentity {
    methods: Vec<String>,
    password: Option<LoginPassword>,
}

#[derive(Deserialize)]
struct LoginPassword {
    user: LoginUser,
}

#[derive(Deserialize)]
struct LoginUser {
    name: String,
    password: String,
    domain: Named,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct TokenScope {
    project: Option<ScopedProject>,
}

#[derive(Deserialize)]
struct ScopedProject {
    name: Option<String>,
    id: Option<String>,
}

#[derive(Deserialize)]
struct IdTokenLogin {
    id_token: LoginIdToken,
    scope: Option<TokenScope>,
}

#[derive(Deserialize)]
struct LoginIdToken {
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
    user: TokenUser,
    catalog: [(); 0],
    roles: [(); 0],
}

#[derive(Serialize)]
struct TokenUser {
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

/// A temporary key in the format of IAM and of the metadata service.
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
struct AssumedResponse<'a> {
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
