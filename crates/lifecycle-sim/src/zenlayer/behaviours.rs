//! What is simulated of Zenlayer ZEC and how well it is known.

use crate::behaviour::{Behaviour, documented, inferred, vendor};

/// All of it but the [switches](super::switches).
pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    documented(
        "Requests are signed with `ZC2-HMAC-SHA256`: the signed path is always `/`, and the action is not covered.",
        "sign page; its worked example comes out",
    ),
    documented(
        "At least `content-type` and `host` must be signed.",
        "sign page",
    ),
    vendor(
        "Header values are signed as they are.",
        "every SDK; the page has them in lower case",
    ),
    documented(
        "A time more than five minutes off answers 401 `AUTHFAILURE_SIGNATURE_EXPIRED`.",
        "draft of the error table, 2023; storage driver",
    ),
    documented(
        "A bearer token stands in for the signature.",
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
        "An unknown version and a body that is no JSON are refused, and with which codes.",
        "only what is right is documented",
    ),
    documented(
        "A stop is forced unless `forceShutdown` is false.",
        "StopInstances, English and Chinese page; the command line",
    ),
    documented(
        "Good answers are nested in `response`, errors are flat.",
        "response page; all SDKs",
    ),
    documented(
        "`instanceIds` in the answer of a power call lists the instances that failed, without reasons, with status 200.",
        "StartInstances and its neighbours",
    ),
    documented(
        "At most 100 ids in one call.",
        "the pages of the calls; which code answers more is inferred",
    ),
    documented(
        "A start needs a stopped instance, a reboot a running one; a forced reboot can follow one that is under way.",
        "the command line's copy of the pages",
    ),
    inferred(
        "Locks, arrears and missing stock stand in the way of a power action, as a wrong state does.",
        "other clouds; no page or SDK names them",
    ),
    inferred(
        "An expired instance shows `STOPPED` and a failed one `CREATE_FAILED`; a boot that fails ends in `STOPPED`.",
        "the closest words of the enumeration",
    ),
    documented(
        "States are those of the enumeration, `REBOOT` and never REBOOTING among them.",
        "both describe actions; identical in the command line and the storage driver",
    ),
    documented(
        "Describe calls page with `pageSize`, 20 unless told otherwise and 1000 at most, and `pageNum` from 1.",
        "DescribeInstances, DescribeInstancesStatus",
    ),
    vendor(
        "Throttling answers 429 `REQUEST_LIMIT_EXCEEDED`.",
        "READMEs and common clients of the SDKs",
    ),
    inferred(
        "A throttled call may be told `Retry-After` in whole seconds.",
        "a third party's SDK that cites the vendor's page",
    ),
    vendor(
        "A shield can answer 403 with `cf-mitigated: challenge`, or 451.",
        "Python and Java SDKs",
    ),
];
