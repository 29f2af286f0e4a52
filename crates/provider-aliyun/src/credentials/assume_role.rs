//! A key for a role, in exchange for another key.

use std::sync::Arc;

use http::Method;
use lifecycle_core::{Fault, Grant, Origin, Reach, Step, Surroundings};

use super::{
    role::Role,
    session::{self, request},
    signature::signed_query,
};

/// The key that STS hands out for a role in exchange for the key of another origin, by
/// `AssumeRole`. That key may be temporary too, so roles can be chained.
/// <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole>
#[derive(Debug)]
pub struct AssumeRole {
    base: Box<dyn Origin>,
    role: Arc<Role>,
}

impl AssumeRole {
    /// Exchanges the key of `base` for one of `role`, such as its ARN.
    pub fn new(base: Box<dyn Origin>, role: impl Into<Role>) -> Self {
        Self {
            base,
            role: Arc::new(role.into()),
        }
    }
}

impl Origin for AssumeRole {
    fn name(&self) -> String {
        format!("{} by way of {}", self.role.title(), self.base.name())
    }

    fn wants(&self) -> String {
        self.base.wants()
    }

    fn begin(&self, around: &Surroundings<'_>) -> Step<Grant> {
        let role = Arc::clone(&self.role);
        self.base
            .begin(around)
            .and_then(around, move |base, around| {
                assume(&role, base, around).unwrap_or_else(Step::Failed)
            })
    }
}

fn assume(role: &Role, base: Grant, around: &Surroundings<'_>) -> Result<Step<Grant>, Fault> {
    let parameters = role.parameters("AssumeRole", around)?;
    let parameters = match role.external_id() {
        Some(id) => parameters.with("ExternalId", id),
        None => parameters,
    };
    let query = signed_query(parameters, &base.credential, &around.stamp())?;
    let request = request(Method::GET, &role.sts(around)?, format!("/?{query}"))?;
    let title = role.title();
    let then = move |reply: Result<_, Fault>, _: &Surroundings<'_>| {
        reply
            .and_then(|reply| session::assumed(&reply, &title))
            .map(|grant| grant.found_by(&base.found))
            .map_err(|fault| {
                let fault = session::scrubbed(fault, base.credential.secrets());
                session::about(fault, &format!("{title}, asked for with {}", base.found))
            })
            .into()
    };
    Ok(Step::ask("AssumeRole", Reach::Service, request, then))
}
