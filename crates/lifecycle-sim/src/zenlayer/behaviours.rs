//! The simulated behaviour of Zenlayer ZEC, with sources and confidence.

use crate::behaviour::{Behaviour, documented, inferred, vendor};

/// The behaviour without the [switches](super::switches).
pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    documented(
        "Requests are signed with `ZC2-HMAC-SHA256`: the signed path is always `/`, and the action is not covered.",
        "sign page; the simulator reproduces its worked example",
    ),
    documented(
        "At least `content-type` and `host` must be signed.",
        "sign page",
    ),
    vendor(
        "Header values are signed as sent.",
        "every SDK; the page shows lower case",
    ),
    documented(
        "A time more than five minutes off answers 401 `AUTHFAILURE_SIGNATURE_EXPIRED`.",
        "draft of the error table, 2023; storage driver",
    ),
    documented(
        "A bearer token replaces the signature.",
        "access token page; all SDKs",
    ),
    inferred(
        "A bad token and missing headers answer 401 `AUTHFAILURE_INVALID_AUTHORIZATION`.",
        "the meaning of the codes",
    ),
    documented(
        "Missing permissions and unknown actions answer the same 401.",
        "draft of the error table",
    ),
    documented(
        "Every call is a POST of a JSON object to `/api/v2/zec`, named by `X-ZC-Action`; no parameters are `{}`.",
        "request page",
    ),
    inferred(
        "An unknown version and a body that is not JSON are refused, with codes by their meaning.",
        "only the correct forms are documented",
    ),
    documented(
        "A stop is forced unless `forceShutdown` is false.",
        "StopInstances, English and Chinese page; the command line",
    ),
    documented(
        "Successful responses are nested in `response`, errors are flat.",
        "response page; all SDKs",
    ),
    documented(
        "`instanceIds` in the response to a power call lists the failed instances, without reasons, with status 200.",
        "StartInstances and the neighbouring pages",
    ),
    documented(
        "At most 100 ids in one call.",
        "the pages of the calls; the code for more ids is inferred",
    ),
    documented(
        "A start needs a stopped instance, a reboot a running instance; a forced reboot can follow a reboot in progress.",
        "the command line's copy of the pages",
    ),
    inferred(
        "Locks, arrears and missing stock block a power action, like a wrong state.",
        "other clouds; no page or SDK names them",
    ),
    inferred(
        "An expired instance shows `STOPPED` and a failed instance `CREATE_FAILED`; a failed boot ends in `STOPPED`.",
        "the closest words of the enumeration",
    ),
    documented(
        "States are those of the enumeration, `REBOOT` and never REBOOTING among them.",
        "both describe actions; identical in the command line and the storage driver",
    ),
    documented(
        "Describe calls have pages with `pageSize`, by default 20 and at most 1000, and `pageNum` from 1.",
        "DescribeInstances, DescribeInstancesStatus",
    ),
    documented(
        "`DescribeInstances` has filters by a part of the name, at most 20 tags, at most 20 keys of tags, zone, state, type and address. The status call has none.",
        "DescribeInstances; the combination with AND and the meaning of empty lists are inferred",
    ),
    vendor(
        "Throttling answers 429 `REQUEST_LIMIT_EXCEEDED`.",
        "READMEs and common clients of the SDKs",
    ),
    inferred(
        "The response to a throttled call can have `Retry-After` in whole seconds.",
        "a third party's SDK that cites the vendor's page",
    ),
    vendor(
        "A protection service can answer 403 with `cf-mitigated: challenge`, or 451.",
        "Python and Java SDKs",
    ),
];
