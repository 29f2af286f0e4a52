//! The simulated behaviour of Alibaba ECS, with sources and confidence.

use crate::behaviour::{Behaviour, documented, inferred, reported, vendor};

/// The behaviour without the [switches](super::switches).
pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    documented(
        "Requests are signed with `ACS3-HMAC-SHA256`, or with `HMAC-SHA1` of the older tools.",
        "V3 request body and signature method; RPC signature",
    ),
    vendor(
        "The list of signed headers is used as received.",
        "the Python SDK signs all headers, the Go SDK some of them",
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
        "The error for a wrong signature quotes the text that the cloud signed.",
        "texts quoted by users; the vendor's SDKs compare the text with their own text",
    ),
    inferred(
        "The order in which a request's key, time and signature are checked.",
        "no document names one",
    ),
    inferred(
        "A revoked key answers as a disabled key, a revoked temporary key as an expired key.",
        "the meaning of the codes",
    ),
    documented(
        "Parameters are read from the query and from a form, over GET and POST; responses are JSON or XML.",
        "request structure; Terraform sends forms",
    ),
    vendor(
        "Booleans are accepted as `true` and as `True`.",
        "the Go SDK sends the first, the Python SDK the second",
    ),
    vendor(
        "A region answers at `ecs.<region>.aliyuncs.com` and `ecs-vpc.<region>.aliyuncs.com`; `ecs-cn-hangzhou` serves several.",
        "endpoint map of the Python and Go SDKs",
    ),
    documented(
        "Power calls are accepted with 200 and end later; a batch has 1 to 100 ids.",
        "StartInstances and the neighbouring pages",
    ),
    documented(
        "A start needs `Stopped`, a stop and a reboot `Running`; otherwise 403 `IncorrectInstanceStatus`, also in the target state.",
        "the pages of the calls; the vendor's Ansible library expects the error in the target state, too",
    ),
    documented(
        "A batch is all or nothing (`AllTogether`), or `SuccessFirst` with a row for each instance.",
        "StartInstances; the status 200 of a response with rows is inferred",
    ),
    documented(
        "A successful dry run answers the error `DryRunOperation`.",
        "DescribeInstances and others; the status is 400 there",
    ),
    documented(
        "`StopCharging` releases the resources: a later start can answer `OperationDenied.NoStock`.",
        "StopInstance, Python SDK model",
    ),
    documented(
        "A locked instance answers 403 `InstanceLockedForSecurity` to start and reboot.",
        "appendix on locks; the pages disagree about the stop, see the switch",
    ),
    inferred(
        "The relation between the impairments of an instance and the codes.",
        "the meaning of the codes",
    ),
    documented(
        "There are five states: `Pending`, `Starting`, `Running`, `Stopping`, `Stopped`. Expired instances are `Stopped`.",
        "DescribeInstances",
    ),
    inferred("A broken disk is invisible.", "no field shows the disk"),
    documented(
        "`DescribeInstances` pages with `NextToken` and `MaxResults` of 10 to 100, or with page numbers; `[]` as ids finds nothing.",
        "DescribeInstances",
    ),
    documented(
        "Filters of `DescribeInstances` combine with AND: tags (`Tag.N.Key`, `Tag.N.Value`), name with `*`, state, lock, zone, type, payment method and private addresses; an unknown state answers 404 `InvalidStatus.NotFound`.",
        "DescribeInstances, Python SDK model; at most 20 tags: inferred",
    ),
    documented(
        "A spot instance is `PostPaid` with a `SpotStrategy`; the end of the paid term and all other times have no seconds.",
        "DescribeInstances",
    ),
    vendor(
        "`DescribeRegions` lists all regions with endpoint and name, in Chinese by default.",
        "Python SDK model; the list is the endpoint map of the Go SDK",
    ),
    inferred(
        "A call in a region without access answers 403 `Forbidden.RAM`.",
        "the code for missing permissions; for lists see the switch",
    ),
    documented(
        "`DescribeInstanceStatus` shows 10 rows by default and 50 at most, although a call can name 100 ids.",
        "DescribeInstanceStatus, Python SDK model",
    ),
    reported(
        "A page beyond the end is empty and shows the full count.",
        "aliyun-openapi-python-sdk issue 275",
    ),
    inferred(
        "`DescribeInstanceStatus` refuses page sizes out of range.",
        "only the bounds are documented",
    ),
    documented(
        "Lists have two levels, as in `Instances.Instance`.",
        "DescribeInstances",
    ),
    documented(
        "`AssumeRole` and `AssumeRoleWithOIDC` (version 2015-04-01) issue a key with a security token for 900 s up to the maximum session of the role, by default an hour.",
        "RAM, AssumeRole and AssumeRoleWithOIDC; both methods and both signatures are accepted, as for ECS",
    ),
    documented(
        "An unknown role answers 404 `EntityNotExist.Role`, a role that does not trust the caller 403 `NoPermission`, a wrong parameter 400 `InvalidParameter.<Name>`.",
        "OSS page on AssumeRole errors; texts quoted from users; `NoPermission` for a wrong external id is inferred",
    ),
    documented(
        "An invalid identity token answers 401 `AuthenticationFail.OIDCToken.*`.",
        "STS error codes",
    ),
    inferred(
        "A temporary key can assume a further role.",
        "AssumeRole may be called by RAM roles; the CLI has a mode for chains",
    ),
    documented(
        "An expired temporary key answers `InvalidSecurityToken.Expired`.",
        "the vendor's error centre, through third parties; a switch selects the status",
    ),
    documented(
        "The metadata service returns a token for 1 to 21600 s (not to forwarded requests), the role of the instance, and the key of the role.",
        "ECS, instance metadata and instance RAM role; the statuses of errors are inferred",
    ),
    inferred(
        "A key of the metadata service is valid for six hours; a new key appears when a quarter of the time is left.",
        "the example of the page; the vendor's Python library requests a new key 15 minutes before the expiry",
    ),
    vendor(
        "A credentials URI answers in the format of the metadata service.",
        "Python credentials library; the path here is `/aliyun/credentials-uri`",
    ),
];
