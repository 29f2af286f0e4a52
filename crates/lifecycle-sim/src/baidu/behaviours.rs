//! The simulated behaviour of Baidu BCC, with sources and confidence.

use crate::behaviour::{Behaviour, documented, inferred, reported, vendor};

/// The behaviour without the [switches](super::switches).
pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    documented(
        "Requests are signed with `bce-auth-v1`; the header lists the signed headers, and an empty list means the default set.",
        "Reference/s/njwvz1yfu; agrees with every SDK of the vendor",
    ),
    vendor(
        "`x-bce-date` and `Content-Type` are optional, and so is their signature: a `Date` header is enough.",
        "the Java SDK sends no x-bce-date, the Python SDK no Content-Type",
    ),
    inferred(
        "A date more than 30 minutes from the cloud's clock answers 400 `RequestExpired`.",
        "documented for another product; the pages of BCC do not mention the window",
    ),
    documented(
        "A wrong signature answers 400 `SignatureDoesNotMatch`, an unknown key 403 `InvalidAccessKeyId`.",
        "Reference/s/Bjz3uz3qj",
    ),
    inferred(
        "No Authorization, an unsigned `host` and a wrong session token are refused.",
        "the codes of all calls; the relation is not documented",
    ),
    documented(
        "Start, stop and reboot answer 200 as soon as the cloud accepts the action, for one instance by the path and for several by `batchAction`.",
        "BCC/s/Mjwvyobl0 and the neighbouring pages",
    ),
    vendor(
        "Reboots have a batch call, with the limit of the other batch calls.",
        "Go SDK since March 2026; no page, so the limit is inferred",
    ),
    vendor(
        "The query key of an action is accepted as `?start` and as `?start=`; both are signed as `start=`.",
        "Python and JavaScript send the first, Go and Java the second",
    ),
    documented(
        "Stops and reboots are graceful unless `forceStop` is true.",
        "BCC/s/Tjwvyobwq, BCC/s/Akyb07kw0",
    ),
    documented(
        "A start needs a stopped instance, a stop and a reboot a running instance; otherwise 409 with a code of the action.",
        "the pages of the calls; the refused start of a starting instance follows from the rule",
    ),
    documented(
        "A start of an instance in creation, or of an expired instance, answers 409 with a separate code.",
        "the page of the start call",
    ),
    documented(
        "An impossible stop free of charge answers 403 with one of three codes.",
        "BCC/s/Ilq0ti621",
    ),
    inferred(
        "A locked or unpaid instance answers 403 `OperationDenied`.",
        "the code is documented for other calls",
    ),
    documented(
        "Filters of the list combine with AND, and the values of one filter with OR: ids, names, a part of the name, tags (`key:value` or `key`), zone, state, address and payment method.",
        "BCC/s/Xjwvyodmx; 400 `BadRequest` for `instanceNames` with `fuzzyInstanceName` is inferred",
    ),
    vendor(
        "Tags have the fields `tagKey` and `tagValue`; the payment method of a spot instance is `bidding`.",
        "Go SDK model",
    ),
    vendor(
        "`describeRegions` lists all regions, or the region in the body.",
        "Go SDK; every host answers here, the vendor's documents name the host without a region",
    ),
    inferred(
        "A call in a region without access answers 403 `AccessDenied`.",
        "the code for missing permissions",
    ),
    documented(
        "Lists have pages with `marker` and `maxKeys`, by default 1000; `nextMarker` is absent on the last page.",
        "BCC/s/Xjwvyodmx; 1000 is the maximum \"usually\"",
    ),
    documented(
        "One call reads at most 100 instances by id.",
        "BCC/s/4koffviai",
    ),
    documented(
        "A booting or rebooting instance shows `Starting`, and so does an instance in creation.",
        "the pages of start and reboot; for creation the Terraform provider",
    ),
    vendor(
        "Other operations in progress show as `Scaling`, which stands for all similar states.",
        "19 status words in the newer Go SDK; most meanings are inferred from the names",
    ),
    vendor(
        "`cardCount` is a number in a string.",
        "Go SDK, and the example of BCC/s/sjwvyoeqr against its own table",
    ),
    documented(
        "Errors have `requestId`, `code` and `message`, and every response has `x-bce-request-id`.",
        "BCC/s/Ojwvyo6nc, BCC/s/Mjwvyo6bm",
    ),
    reported(
        "A request that arrives long after signing is refused as expired, so a retry needs a new signature.",
        "bce-sdk-go issue 106",
    ),
    documented(
        "`POST /v1/credential?assumeRole` issues a temporary key for a role, for two hours at most.",
        "IAM/s/Qjwvyc8ov; switches select the errors",
    ),
    vendor(
        "`POST /v1/sessionToken` issues a temporary key for any time, by default twelve hours.",
        "Go SDK, services/sts; no maximum is known",
    ),
    inferred(
        "A temporary key can request further temporary keys.",
        "no page forbids it",
    ),
];
