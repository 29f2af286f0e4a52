//! What is simulated of Alibaba ECS and how well it is known.

use crate::behaviour::{Behaviour, documented, inferred, reported, vendor};

/// All of it but the [switches](super::switches).
pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    documented(
        "Requests are signed with `ACS3-HMAC-SHA256`, or with `HMAC-SHA1` of the older tools.",
        "V3 request body and signature method; RPC signature",
    ),
    vendor(
        "The list of signed headers is followed as it arrived.",
        "the Python SDK signs all that it sends, the Go SDK a part of it",
    ),
    documented(
        "A time more than 15 minutes off answers 400 `InvalidTimeStamp.Expired`.",
        "V3 signature page",
    ),
    documented(
        "A used nonce answers 400 `SignatureNonceUsed`.",
        "V3 signature page",
    ),
    reported(
        "A wrong signature is answered with the text that the cloud signed itself.",
        "texts quoted by users; the vendor's SDKs compare it with their own",
    ),
    inferred(
        "The order in which a request's key, time and signature are checked.",
        "no document names one",
    ),
    inferred(
        "A key that was taken back answers as a disabled one, a temporary one as expired.",
        "the meaning of the codes",
    ),
    documented(
        "Parameters are taken from the query and from a form, over GET and POST, and answers come as JSON or XML.",
        "request structure; Terraform sends forms",
    ),
    vendor(
        "Booleans are taken as `true` and as `True`.",
        "the Go SDK sends the one, the Python SDK the other",
    ),
    vendor(
        "A region answers at `ecs.<region>.aliyuncs.com` and `ecs-vpc.<region>.aliyuncs.com`; `ecs-cn-hangzhou` serves several.",
        "endpoint map of the Python and Go SDKs",
    ),
    documented(
        "Power calls are taken on with 200 and end later; a batch takes 1 to 100 ids.",
        "StartInstances and its neighbours",
    ),
    documented(
        "A start needs `Stopped`, a stop and a reboot `Running`; else 403 `IncorrectInstanceStatus`, also when it is so already.",
        "the pages of the calls; that the target state is refused, too, is how the vendor's Ansible library treats it",
    ),
    documented(
        "A batch is all or nothing (`AllTogether`) unless it asks for `SuccessFirst`, which gives a row for each instance.",
        "StartInstances; that such an answer has status 200 is inferred",
    ),
    documented(
        "A dry run answers the error `DryRunOperation` when all is well.",
        "DescribeInstances and others; the status is 400 there",
    ),
    documented(
        "`StopCharging` gives resources back: a later start can answer `OperationDenied.NoStock`.",
        "StopInstance, Python SDK model",
    ),
    documented(
        "A locked instance answers 403 `InstanceLockedForSecurity` to every power call.",
        "appendix on locks",
    ),
    inferred(
        "Which trouble of an instance causes which code.",
        "the meaning of the codes",
    ),
    documented(
        "There are five states: `Pending`, `Starting`, `Running`, `Stopping`, `Stopped`. Expired instances are `Stopped`.",
        "DescribeInstances",
    ),
    inferred("A broken disk shows nowhere.", "no field tells of it"),
    documented(
        "`DescribeInstances` pages with `NextToken` and `MaxResults` of 10 to 100, or with page numbers; `[]` as ids finds nothing.",
        "DescribeInstances",
    ),
    documented(
        "`DescribeInstanceStatus` shows 10 rows unless told otherwise and 50 at most, though 100 ids can be asked for.",
        "DescribeInstanceStatus, Python SDK model",
    ),
    reported(
        "A page beyond the end is empty and shows the full count.",
        "aliyun-openapi-python-sdk issue 275",
    ),
    inferred(
        "Page sizes out of range are refused in `DescribeInstanceStatus`.",
        "only the bounds are documented",
    ),
    documented(
        "Lists are wrapped twice, as in `Instances.Instance`.",
        "DescribeInstances",
    ),
    documented(
        "`AssumeRole` and `AssumeRoleWithOIDC` (version 2015-04-01) give a key with a security token for 900 s up to the role's longest session, an hour unless told otherwise.",
        "RAM, AssumeRole and AssumeRoleWithOIDC; both methods and both signatures are taken as for ECS",
    ),
    documented(
        "A role that is not there answers 404 `EntityNotExist.Role`, one that does not trust the caller 403 `NoPermission`, a bad parameter 400 `InvalidParameter.<Name>`.",
        "OSS page on AssumeRole errors; texts as users quoted them; that a wrong external id is no permission is inferred",
    ),
    documented(
        "An identity token that is not believed answers 401 `AuthenticationFail.OIDCToken.*`.",
        "STS error codes",
    ),
    inferred(
        "A temporary key may assume a further role.",
        "AssumeRole may be called by RAM roles; the CLI has a mode for chains",
    ),
    documented(
        "A temporary key that has ended answers `InvalidSecurityToken.Expired`.",
        "the vendor's error centre, through third parties; its status is a switch",
    ),
    documented(
        "The metadata service gives a token for 1 to 21600 s, not to forwarded requests, the role of the instance, and its key.",
        "ECS, instance metadata and instance RAM role; the statuses of refusals are inferred",
    ),
    inferred(
        "A key of the metadata service lives six hours, and a new one appears when a quarter of that is left.",
        "the example of the page; its Python library asks 15 minutes before the end",
    ),
    vendor(
        "A credentials URI answers as the metadata service does.",
        "Python credentials library; here it is `/aliyun/credentials-uri`",
    ),
];
