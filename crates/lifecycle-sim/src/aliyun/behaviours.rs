//! What is simulated of Alibaba ECS and how well it is known.

use crate::marks::{Behaviour, documented, inferred, reported, vendor};

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
];
