//! What is simulated of Huawei ECS and how well it is known.

use crate::behaviour::{Behaviour, documented, inferred, reported, vendor};

/// All of it but the [switches](super::switches).
pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    documented(
        "Requests are signed with `SDK-HMAC-SHA256`; the signed path ends in a slash that the request need not have.",
        "API request signing guide; Python SDK",
    ),
    documented(
        "Only `X-Sdk-Date` must be signed; any other set of headers is taken.",
        "signing guide; the Go SDK and the client under Terraform add headers after signing",
    ),
    documented(
        "A time more than 15 minutes off answers 401 `APIGW.0301`.",
        "signing guide; the text is one that a user quoted",
    ),
    reported(
        "A wrong signature is answered with the canonical request that the gateway computed.",
        "huaweicloud-sdk-nodejs-v3 issue 2",
    ),
    documented(
        "Five failures in a row lock a key for five minutes.",
        "API gateway FAQ; that every refusal of a known key counts is inferred",
    ),
    documented(
        "The payload may be left unsigned.",
        "signing guide; for empty bodies the SDKs of the vendor differ, and both are taken",
    ),
    documented(
        "An IAM token stands in for the signature; one that ended or was taken back answers 401 `APIGW.0307`.",
        "authentication page",
    ),
    documented(
        "The project is in every path: one for each region, named like it and found by that name; `Identity::projects` makes it none or several.",
        "request construction; the simulated account has the same id everywhere",
    ),
    documented(
        "Start, stop and reboot share one address and are told apart by the key of the body; a reboot needs a type, a stop is `SOFT` without one.",
        "pages of the batch calls",
    ),
    documented(
        "At most 1000 servers in one call; more answer `Ecs.0118`.",
        "pages of the batch calls, error table",
    ),
    documented(
        "A power call is answered with a job; its end is the end of the work.",
        "task status page",
    ),
    reported(
        "A running job has an empty `end_time` and no error fields.",
        "terraform-provider-huaweicloud issue 1944",
    ),
    documented("A job is deleted a day after its end.", "task status page"),
    inferred(
        "When `INIT` becomes `RUNNING`, and the words of `job_type`.",
        "no document has those of power jobs",
    ),
    documented(
        "`HARD` helps a server that is stuck in stopping or rebooting.",
        "user guide on starting and stopping",
    ),
    inferred(
        "In which states each action is possible.",
        "no page has preconditions; the vendor's fork of Cloud Custodian filters by SHUTOFF and ACTIVE",
    ),
    documented(
        "A server that is being stopped is still `ACTIVE` and one that is being started still `SHUTOFF`; `task_state` tells.",
        "table of server states",
    ),
    inferred(
        "How servers in the recycle bin, locked and unpaid ones look.",
        "the closest documented fields",
    ),
    inferred(
        "`launched_at` is the first launch: a start or a reboot leaves it as it is.",
        "OpenStack, from which the field comes",
    ),
    documented(
        "An unknown id in a list of named servers is an entry in which all but id and fault is null.",
        "list page",
    ),
    documented(
        "Lists page by number or by marker, 25 servers unless told otherwise and 1000 at most; the filter by state is coarse.",
        "list page",
    ),
    documented(
        "Errors come in three forms: of the service, of the gateway and of OpenStack, whose code is a number.",
        "response page; the form of OpenStack as users quoted it",
    ),
    inferred(
        "Which state of a server causes which code.",
        "the meaning of the codes",
    ),
    vendor(
        "A region answers at `ecs.<region>.myhuaweicloud.com`, and `iam` likewise.",
        "region map of the SDK; European regions end in .eu in Terraform",
    ),
    documented(
        "`POST /v3/auth/tokens` gives a token in `X-Subject-Token` for a user's password, for 24 hours.",
        "IAM, iam_30_0001; the catalogue and the roles are empty",
    ),
    documented(
        "A token without a project is good for no call to ECS.",
        "IAM, scope of tokens; which code says so is inferred",
    ),
    documented(
        "`POST /v3.0/OS-AUTH/id-token/tokens` gives a token for an OpenID Connect token that comes with the right `X-Idp-Id`.",
        "IAM, iam_13_0605",
    ),
    documented(
        "`POST /v3.0/OS-CREDENTIAL/securitytokens` gives a temporary key for 900 to 86400 s, 900 unless told otherwise.",
        "IAM, iam_04_0002; that the token may be in the body alone is what the Python SDK relies on",
    ),
    documented(
        "`POST /v5/agencies/assume-with-oidc` gives a temporary key for 900 s up to the agency's longest session, an hour unless told otherwise.",
        "IAM 5, AssumeAgencyWithOIDC; fields as the Python SDK reads them, status 200 is inferred",
    ),
    inferred(
        "A wrong password, an identity token that is not believed and an unknown agency answer 401.",
        "401 for a password as users of a partner cloud quoted it; the form is a switch",
    ),
    vendor(
        "The metadata service gives a token and the agency's key; a server without an agency is told to configure one, with 401.",
        "Python SDK; that another 401 means a stale token is its reading, too",
    ),
    documented(
        "A key of the metadata service lives 24 hours, and a new one appears 6 hours before the end.",
        "user guide on metadata",
    ),
];
