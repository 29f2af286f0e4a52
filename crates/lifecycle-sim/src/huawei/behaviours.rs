//! The simulated behaviour of Huawei ECS, with sources and confidence.

use crate::behaviour::{Behaviour, documented, inferred, reported, vendor};

/// The behaviour without the [switches](super::switches).
pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    documented(
        "Requests are signed with `SDK-HMAC-SHA256`; the signed path ends in a slash that is optional in the request.",
        "API request signing guide; Python SDK",
    ),
    documented(
        "Only `X-Sdk-Date` must be signed; every set of other headers is accepted.",
        "signing guide; the Go SDK and the client under Terraform add headers after signing",
    ),
    documented(
        "A time more than 15 minutes off answers 401 `APIGW.0301`.",
        "signing guide; the text is quoted from a user",
    ),
    reported(
        "The error for a wrong signature quotes the canonical request of the gateway.",
        "huaweicloud-sdk-nodejs-v3 issue 2",
    ),
    documented(
        "Five failures in a row lock a key for five minutes.",
        "API gateway FAQ; every error of a known key counts: inferred",
    ),
    documented(
        "The payload can be unsigned.",
        "signing guide; for empty bodies the SDKs of the vendor differ, and both forms are accepted",
    ),
    documented(
        "An IAM token replaces the signature; an expired or revoked token answers 401 `APIGW.0307`.",
        "authentication page",
    ),
    documented(
        "The project is in every path: each region has one project with the name of the region; `Identity::projects` sets another number.",
        "request construction; the simulated account has the same id everywhere",
    ),
    documented(
        "Start, stop and reboot share one path and differ in the key of the body; a reboot needs a type, a stop without a type is `SOFT`.",
        "pages of the batch calls",
    ),
    documented(
        "At most 1000 servers in one call; more answer `Ecs.0118`.",
        "pages of the batch calls, error table",
    ),
    documented(
        "The response to a power call is a job; the job ends with the work.",
        "task status page",
    ),
    reported(
        "A running job has an empty `end_time` and no error fields.",
        "terraform-provider-huaweicloud issue 1944",
    ),
    documented("A job is deleted a day after its end.", "task status page"),
    inferred(
        "The change from `INIT` to `RUNNING`, and the values of `job_type`.",
        "no document lists the values of power jobs",
    ),
    documented(
        "`HARD` works for a server that is stuck in stopping or rebooting.",
        "user guide on starting and stopping",
    ),
    inferred(
        "The states that allow each action.",
        "no page has preconditions; the vendor's fork of Cloud Custodian filters by SHUTOFF and ACTIVE",
    ),
    documented(
        "A stopping server is still `ACTIVE` and a starting server still `SHUTOFF`; `task_state` shows the operation.",
        "table of server states",
    ),
    inferred(
        "The fields of recycled, locked and unpaid servers.",
        "the closest documented fields",
    ),
    inferred(
        "`launched_at` is the first launch: a start or a reboot does not change the value.",
        "OpenStack, the origin of the field",
    ),
    documented(
        "An unknown id in a list of named servers has an entry with null in all fields except id and fault.",
        "list page",
    ),
    documented(
        "Filters of the list: a part of the name with `.` for any character, `tags` as `key=value`, flavor, a part of an address (`ip`) or the whole address (`ip_eq`).",
        "list page, Python SDK model; the combination with AND and the effect of `not-tags` are inferred",
    ),
    vendor(
        "IAM lists regions at `/v3/regions`, and the projects of the key at `/v3/projects`; a region without access has no project.",
        "Python SDK of IAM; the missing project is inferred",
    ),
    documented(
        "A call in a region without access answers 403 `APIGW.0802`.",
        "error codes of the API gateway; the text is inferred",
    ),
    documented(
        "Lists have pages by number or by marker, by default 25 servers and at most 1000; the filter by state is coarse.",
        "list page",
    ),
    documented(
        "Errors have three formats: of the service, of the gateway and of OpenStack with a number as code.",
        "response page; the format of OpenStack is quoted from users",
    ),
    inferred(
        "The relation between the states of a server and the codes.",
        "the meaning of the codes",
    ),
    vendor(
        "A region answers at `ecs.<region>.myhuaweicloud.com` and `iam.<region>.myhuaweicloud.com`.",
        "region map of the SDK; European regions end in .eu in Terraform",
    ),
    documented(
        "`POST /v3/auth/tokens` issues a token in `X-Subject-Token` for a user's password, for 24 hours.",
        "IAM, iam_30_0001; the catalogue and the roles are empty",
    ),
    documented(
        "A token without a project is refused by all calls to ECS.",
        "IAM, scope of tokens; the code is inferred",
    ),
    documented(
        "`POST /v3.0/OS-AUTH/id-token/tokens` issues a token for an OpenID Connect token with the right `X-Idp-Id`.",
        "IAM, iam_13_0605",
    ),
    documented(
        "`POST /v3.0/OS-CREDENTIAL/securitytokens` issues a temporary key for 900 to 86400 s, by default 900.",
        "IAM, iam_04_0002; the Python SDK relies on a token only in the body",
    ),
    documented(
        "`POST /v5/agencies/assume-with-oidc` issues a temporary key for 900 s up to the maximum session of the agency, by default an hour.",
        "IAM 5, AssumeAgencyWithOIDC; the Python SDK reads these fields; the status 200 is inferred",
    ),
    inferred(
        "A wrong password, an invalid identity token and an unknown agency answer 401.",
        "401 for a password is quoted from users of a partner cloud; a switch selects the format",
    ),
    vendor(
        "The metadata service returns a token and the agency's key; a server without an agency gets 401 with the advice to configure an agency.",
        "Python SDK, which reads any other 401 as an expired token",
    ),
    documented(
        "A key of the metadata service is valid for 24 hours; a new key appears 6 hours before the expiry.",
        "user guide on metadata",
    ),
];
