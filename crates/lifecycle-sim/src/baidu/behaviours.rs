//! What is simulated of Baidu BCC and how well it is known.

use crate::behaviour::{Behaviour, documented, inferred, reported, vendor};

/// All of it but the [switches](super::switches).
pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    documented(
        "Requests are signed with `bce-auth-v1`; the header names the signed headers, and an empty list stands for the default set.",
        "Reference/s/njwvz1yfu; agrees with every SDK of the vendor",
    ),
    vendor(
        "Neither `x-bce-date` nor `Content-Type` must be there or be signed: a `Date` header will do.",
        "the Java SDK sends no x-bce-date, the Python SDK no Content-Type",
    ),
    inferred(
        "A date more than 30 minutes from the cloud's clock answers 400 `RequestExpired`.",
        "documented for another product; the pages of BCC do not say it",
    ),
    documented(
        "A wrong signature answers 400 `SignatureDoesNotMatch`, an unknown key 403 `InvalidAccessKeyId`.",
        "Reference/s/Bjz3uz3qj",
    ),
    inferred(
        "No Authorization, an unsigned `host` and a wrong session token are refused.",
        "the codes of all calls; which one applies is not written",
    ),
    documented(
        "Start, stop and reboot answer 200 as soon as the work is taken on, for one instance by its path and for many by `batchAction`.",
        "BCC/s/Mjwvyobl0 and its neighbours",
    ),
    vendor(
        "There is a batch call for reboots, with the limit of the others.",
        "Go SDK since March 2026; no page, so the limit is a conclusion",
    ),
    vendor(
        "An action's key is taken as `?start` and as `?start=`; both are signed as `start=`.",
        "Python and JavaScript send the one, Go and Java the other",
    ),
    documented(
        "Stops and reboots are graceful unless `forceStop` is true.",
        "BCC/s/Tjwvyobwq, BCC/s/Akyb07kw0",
    ),
    documented(
        "A start needs a stopped instance, a stop and a reboot a running one; else 409 with a code of the action.",
        "the pages of the calls; that a start of a starting instance is refused, too, follows from the rule",
    ),
    documented(
        "A start of an instance that is being created, or has expired, answers 409 with a code of its own.",
        "the page of the start call",
    ),
    documented(
        "A stop free of charge that is not possible answers 403 with one of three codes.",
        "BCC/s/Ilq0ti621",
    ),
    inferred(
        "A locked or unpaid instance answers 403 `OperationDenied`.",
        "the code is documented for other calls",
    ),
    documented(
        "A list is read page by page with `marker` and `maxKeys`, 1000 unless told otherwise; `nextMarker` is absent on the last page.",
        "BCC/s/Xjwvyodmx; that 1000 is the maximum is \"usually\" so",
    ),
    documented(
        "At most 100 instances are read by id in one call.",
        "BCC/s/4koffviai",
    ),
    documented(
        "An instance that boots or reboots shows `Starting`, and so does one that is being created.",
        "the pages of start and reboot; for creation the Terraform provider",
    ),
    vendor(
        "Other work under way shows as `Scaling`, which stands for all words of its kind.",
        "19 status words in the newer Go SDK; their meanings are mostly read from their names",
    ),
    vendor(
        "`cardCount` is a number in a string.",
        "Go SDK, and the example of BCC/s/sjwvyoeqr against its own table",
    ),
    documented(
        "Errors come as `requestId`, `code` and `message`, and every answer carries `x-bce-request-id`.",
        "BCC/s/Ojwvyo6nc, BCC/s/Mjwvyo6bm",
    ),
    reported(
        "A request that arrives long after it was signed is refused as expired, so a repeat must be signed anew.",
        "bce-sdk-go issue 106",
    ),
    documented(
        "`POST /v1/credential?assumeRole` gives a temporary key for a role, for two hours at most.",
        "IAM/s/Qjwvyc8ov; its refusals are switches",
    ),
    vendor(
        "`POST /v1/sessionToken` gives a temporary key for any length, twelve hours unless told otherwise.",
        "Go SDK, services/sts; a greatest length is not known",
    ),
    inferred(
        "A temporary key may ask for further ones.",
        "no page forbids it",
    ),
];
