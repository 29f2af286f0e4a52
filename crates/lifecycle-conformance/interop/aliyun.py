"""Alibaba ECS through `alibabacloud-ecs20140526`."""

import asyncio
import json
import re
import time

from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_credentials.provider.ecs_ram_role import EcsRamRoleCredentialsProvider
from alibabacloud_credentials.provider.oidc import OIDCRoleArnCredentialsProvider
from alibabacloud_credentials.provider.ram_role_arn import RamRoleArnCredentialsProvider
from alibabacloud_credentials.provider.static_ak import StaticAKCredentialsProvider
from alibabacloud_credentials.provider.uri import URLCredentialsProvider
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.exceptions import (
    ClientException,
    ServerException,
    ThrottlingException,
)
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.exceptions import UnretryableException
from darabonba.policy.retry import RetryCondition, RetryOptions
from darabonba.request import DaraRequest
from darabonba.runtime import ExtendsParameters, RuntimeOptions

from support import (
    STILL,
    WATCHED,
    Key,
    case,
    expect,
    expect_end,
    expect_passing,
    expect_raised,
    expect_shape,
    file_with,
)

REGION = "cn-hangzhou"
REQUEST_ID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


def client(site, key=None, **options):
    key = key or site.key
    return Client(
        Config(
            access_key_id=key.id,
            access_key_secret=key.secret,
            security_token=key.session,
            region_id=REGION,
            endpoint=site.host,
            protocol="http",
            **options,
        )
    )


def describe(site, number=0):
    """Reads the whole record of an instance."""
    ids = json.dumps([site.ids[number]])
    request = models.DescribeInstancesRequest(region_id=REGION, instance_ids=ids)
    (record,) = client(site).describe_instances(request).body.instances.instance
    return record


def status(site, number=0):
    """Reads the status of an instance."""

    def read():
        request = models.DescribeInstanceStatusRequest(
            region_id=REGION, instance_id=[site.ids[number]]
        )
        answer = client(site).describe_instance_status(request).body
        (row,) = answer.instance_statuses.instance_status
        expect(row.instance_id, site.ids[number])
        return row.status

    return read


def start(site, id=None, **options):
    return client(site).start_instance(
        models.StartInstanceRequest(instance_id=id or site.ids[0], **options)
    )


def stop(site, id=None, **options):
    return client(site).stop_instance(
        models.StopInstanceRequest(instance_id=id or site.ids[0], **options)
    )


def reboot(site, id=None, **options):
    return client(site).reboot_instance(
        models.RebootInstanceRequest(instance_id=id or site.ids[0], **options)
    )


def batch(site, verb, ids=None, **options):
    """`StartInstances`, `StopInstances` or `RebootInstances`; gives the answer's body."""
    request = getattr(models, f"{verb.title()}InstancesRequest")
    ids = site.ids if ids is None else ids
    call = getattr(client(site), f"{verb}_instances")
    return call(request(region_id=REGION, instance_id=ids, **options)).body


def expect_accepted(answer):
    """A good power call says nothing but its request id."""
    expect(answer.status_code, 200)
    expect_shape(REQUEST_ID, answer.body.request_id, "request id")
    expect(answer.headers["x-acs-request-id"], answer.body.request_id, "request id in the header")


def rows(answer):
    """What a batch call says of each instance."""
    expect_shape(REQUEST_ID, answer.request_id, "request id")
    return [
        (row.instance_id, row.code, row.previous_status, row.current_status)
        for row in answer.instance_responses.instance_response
    ]


def expect_refused(call, status_code, code, kind=ClientException):
    error = expect_raised(kind, call, status_code=status_code, code=code)
    expect_shape(REQUEST_ID, error.request_id, "request id")
    expect(error.data["RequestId"], error.request_id, "request id in the body")
    return error


# One instance.


@case("aliyun/cn-hangzhou=1:stopped", WATCHED)
def start_one(site):
    """200 with a request id; Stopped, Starting, Running"""
    expect_accepted(start(site))
    expect_passing(status(site), "Starting", "Running")
    expect(site.executed(), {"starts": 1})


@case("aliyun/cn-hangzhou=1:running", WATCHED)
def stop_one(site):
    """200 with a request id; Stopping, Stopped; graceful, and the resources are kept"""
    expect_accepted(stop(site))
    expect_passing(status(site), "Stopping", "Stopped")
    expect(site.executed(), {"stops": 1})
    expect(describe(site).stopped_mode, "KeepCharging")


@case("aliyun/cn-hangzhou=1:running+stubborn")
def stop_forced(site):
    """ForceStop, which travels as `True`, cuts the power"""
    expect_accepted(stop(site, force_stop=True))
    expect_end(status(site), "Stopped")
    expect(site.executed(), {"stops": 1, "forced_stops": 1})


@case("aliyun/cn-hangzhou=1:running")
def stop_charging(site):
    """StopCharging shows as StoppedMode of the stopped instance"""
    expect(describe(site).stopped_mode, "Not-applicable")
    expect_accepted(stop(site, stopped_mode="StopCharging"))
    expect_end(status(site), "Stopped")
    expect(describe(site).stopped_mode, "StopCharging")


@case("aliyun/cn-hangzhou=8:running")
def stop_charging_not_possible(site):
    """a subscription is stopped and kept; where the older table holds: 403 InvalidInstanceId.NotSupport"""
    expect(describe(site, 7).instance_charge_type, "PrePaid")
    site.switch("stop-charging", "refused")
    call = lambda: stop(site, site.ids[7], stopped_mode="StopCharging")
    expect_refused(call, 403, "InvalidInstanceId.NotSupport")
    expect_accepted(stop(site, site.ids[7]))
    expect_end(status(site, 7), "Stopped")
    expect(describe(site, 7).stopped_mode, "KeepCharging")


@case("aliyun/cn-hangzhou=1:running", WATCHED)
def reboot_one(site):
    """200 with a request id; Starting, Running, and a later StartTime"""
    before = describe(site).start_time
    expect_accepted(reboot(site))
    expect_passing(status(site), "Starting", "Running")
    expect(site.executed(), {"reboots": 1})
    assert describe(site).start_time > before, before


@case("aliyun/cn-hangzhou=1:running")
def reboot_forced(site):
    """ForceStop, as the single reboot calls it, makes it a forced reboot"""
    expect_accepted(reboot(site, force_stop=True))
    expect_end(status(site), "Running")
    expect(site.executed(), {"reboots": 1, "forced_reboots": 1})


@case("aliyun/cn-hangzhou=1:stopped")
def start_asynchronous(site):
    """the SDK's async client, which signs other headers than it sends, is let in too"""
    request = models.StartInstanceRequest(instance_id=site.ids[0])
    expect_accepted(asyncio.run(client(site).start_instance_async(request)))
    expect(site.executed(), {"starts": 1})


# Batches.


@case("aliyun/cn-hangzhou=3:stopped", WATCHED)
def batch_start(site):
    """a row with code `200` for each of three; all reach Running"""
    answer = batch(site, "start")
    expect(rows(answer), [(id, "200", "Stopped", "Starting") for id in site.ids])
    for number in range(3):
        expect_end(status(site, number), "Running")
        expect(site.executed(number), {"starts": 1})


@case("aliyun/cn-hangzhou=2:running")
def batch_stop(site):
    """graceful by default; both stop"""
    expect(rows(batch(site, "stop")), [(id, "200", "Running", "Stopping") for id in site.ids])
    for number in range(2):
        expect_end(status(site, number), "Stopped")
        expect(site.executed(number), {"stops": 1})


@case("aliyun/cn-hangzhou=2:running+stubborn")
def batch_stop_forced(site):
    """ForceStop and StoppedMode hold for every instance of the batch"""
    batch(site, "stop", force_stop=True, stopped_mode="StopCharging")
    for number in range(2):
        expect_end(status(site, number), "Stopped")
        expect(site.executed(number), {"stops": 1, "forced_stops": 1})
        expect(describe(site, number).stopped_mode, "StopCharging")


@case("aliyun/cn-hangzhou=2:running")
def batch_reboot(site):
    """graceful by default; forced by ForceReboot, which is the batch's other name for it"""
    expect([code for _, code, _, _ in rows(batch(site, "reboot"))], ["200", "200"])
    for number in range(2):
        expect_end(status(site, number), "Running")
    batch(site, "reboot", force_reboot=True)
    for number in range(2):
        expect(site.executed(number), {"reboots": 2, "forced_reboots": 1})


@case("aliyun/cn-hangzhou=1:running,aliyun/cn-hangzhou=2:stopped", STILL)
def batch_each_on_its_own(site):
    """SuccessFirst: 200 with the code of each row; what can start starts"""
    gone = site.delete(2)
    answer = batch(site, "start", batch_optimization="SuccessFirst")
    expect(
        rows(answer),
        [
            (site.ids[0], "IncorrectInstanceStatus", "Running", "Running"),
            (site.ids[1], "200", "Stopped", "Starting"),
            (gone, "InvalidInstanceId.NotFound", "", ""),
        ],
    )
    expect([site.executed(0), site.executed(1)], [{}, {"starts": 1}])


@case("aliyun/cn-hangzhou=1:running,aliyun/cn-hangzhou=2:stopped")
def batch_all_together(site):
    """one unfit or unknown instance fails the call with its code, and none is started"""
    expect_refused(lambda: batch(site, "start", site.ids[:2]), 403, "IncorrectInstanceStatus")
    site.delete(2)
    expect_refused(lambda: batch(site, "start", site.ids[1:]), 404, "InvalidInstanceId.NotFound")
    expect(site.executed(1), {})


@case("aliyun/cn-hangzhou=1:stopped")
def batch_limits(site):
    """100 ids are taken, 101 are 400 InvalidParameter, none is 400 MissingParameter"""
    many = [f"i-{number:08}" for number in range(101)]
    expect_refused(lambda: batch(site, "start", many), 400, "InvalidParameter")
    expect_refused(lambda: batch(site, "start", many[:100]), 404, "InvalidInstanceId.NotFound")
    expect_refused(lambda: batch(site, "start", []), 400, "MissingParameter")


@case("aliyun/cn-hangzhou=1:stopped")
def dry_run(site):
    """a passed check is an error: DryRunOperation for one, DRYRUN.SUCCESS for a batch; nothing is started"""
    expect_refused(lambda: start(site, dry_run=True), 400, "DryRunOperation")
    expect_refused(lambda: stop(site, dry_run=True), 403, "IncorrectInstanceStatus")
    expect_refused(lambda: batch(site, "start", dry_run=True), 400, "DRYRUN.SUCCESS")
    site.switch("batch-dry-run", "response-code")
    expect(batch(site, "start", dry_run=True).instance_responses, None)
    look = models.DescribeInstancesRequest(region_id=REGION, dry_run=True)
    expect_refused(lambda: client(site).describe_instances(look), 400, "DryRunOperation")
    expect(site.executed(), {})


# Looking.


@case("aliyun/cn-hangzhou=1:running")
def detail(site):
    """the record in snake case, times in minutes"""
    record = describe(site)
    expect(record.instance_id, site.ids[0])
    expect(record.status, "Running")
    expect((record.region_id, record.instance_charge_type), (REGION, "PostPaid"))
    expect(record.operation_locks.lock_reason, [])
    for time in (record.start_time, record.creation_time, record.expired_time):
        expect_shape(re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ"), time, "time")


@case(
    "aliyun/cn-hangzhou=1:running,aliyun/cn-hangzhou=1:stopped,aliyun/cn-hangzhou=1:starting,"
    "aliyun/cn-hangzhou=1:stopping,aliyun/cn-hangzhou=1:rebooting,aliyun/cn-hangzhou=1:creating,"
    "aliyun/cn-hangzhou=1:expired,aliyun/cn-hangzhou=1:running+locked,aliyun/cn-hangzhou=1:recycled",
    STILL,
)
def every_status(site):
    """five words for all states; locks stand beside them"""
    request = models.DescribeInstancesRequest(region_id=REGION, page_size=20)
    records = client(site).describe_instances(request).body.instances.instance
    expect(
        [record.status for record in records],
        ["Running", "Stopped", "Starting", "Stopping", "Starting", "Pending"]
        + ["Stopped", "Running", "Stopped"],
    )
    locks = [
        [lock.lock_reason for lock in record.operation_locks.lock_reason] for record in records
    ]
    expect(locks[6:], [["financial"], ["security"], ["Recycling"]])


@case("aliyun/cn-hangzhou=25:stopped")
def list_by_token(site):
    """MaxResults and NextToken: three pages, each instance once; the last token is empty"""
    seen, sizes, token = [], [], None
    while token != "":
        request = models.DescribeInstancesRequest(
            region_id=REGION, max_results=10, next_token=token
        )
        page = client(site).describe_instances(request).body
        seen += [record.instance_id for record in page.instances.instance]
        sizes.append(len(page.instances.instance))
        token = page.next_token
    expect(sizes, [10, 10, 5])
    expect(seen, site.ids)


@case("aliyun/cn-hangzhou=25:stopped")
def list_by_number(site):
    """PageNumber: ten to a page unless told, the total on each; past the end a page is empty"""
    for number, count in [(1, 10), (2, 10), (3, 5), (4, 0)]:
        request = models.DescribeInstancesRequest(region_id=REGION, page_number=number)
        page = client(site).describe_instances(request).body
        expect(len(page.instances.instance), count, f"page {number}")
        expect((page.page_number, page.page_size, page.total_count), (number, 10, 25))


@case("aliyun/cn-hangzhou=60:stopped")
def statuses_in_pages(site):
    """DescribeInstanceStatus: of 60 named instances ten come unless told, fifty at most"""
    for size, counts in [(None, [10, 10]), (50, [50, 10])]:
        for number, count in enumerate(counts, 1):
            request = models.DescribeInstanceStatusRequest(
                region_id=REGION, instance_id=site.ids, page_size=size, page_number=number
            )
            page = client(site).describe_instance_status(request).body
            expect(len(page.instance_statuses.instance_status), count)
            expect(page.total_count, 60)
    request = models.DescribeInstanceStatusRequest(region_id=REGION, page_size=51)
    expect_refused(lambda: client(site).describe_instance_status(request), 400, "InvalidParameter")


@case("aliyun/cn-hangzhou=1:running,aliyun/cn-hangzhou=1:stopped,aliyun/cn-beijing=1:running")
def filters(site):
    """by region and by status; [] is a filter that nothing passes; unknown ids are left out"""

    def ids(**filters):
        request = models.DescribeInstancesRequest(**{"region_id": REGION, **filters})
        answer = client(site).describe_instances(request).body
        return [record.instance_id for record in answer.instances.instance]

    expect(ids(), site.ids[:2])
    expect(ids(region_id="cn-beijing"), site.ids[2:])
    expect(ids(region_id="cn-shanghai"), [])
    expect(ids(status="Stopped"), site.ids[1:2])
    expect(ids(instance_ids="[]"), [])
    expect(ids(instance_ids=json.dumps([site.ids[1], "i-unknown"])), site.ids[1:2])
    expect_refused(lambda: ids(status="Asleep"), 404, "InvalidStatus.NotFound")
    expect_refused(lambda: ids(lock_reason="mood"), 404, "InvalidLockReason.NotFound")
    expect_refused(lambda: ids(region_id="mars"), 404, "InvalidRegionId.NotFound")
    expect_refused(lambda: ids(region_id=None), 400, "MissingParameter")
    error = expect_refused(lambda: ids(instance_ids="i-1"), 400, "InvalidParameter")
    assert 'The specified parameter "InstanceIds" is not valid.' in error.message, error.message


NAMED = (
    "aliyun/cn-hangzhou=2:running;name=web-#;tag:env=dev;zone=cn-hangzhou-k;type=ecs.g8i.large;public,"
    "aliyun/cn-hangzhou=1:stopped;name=db-#;tag:env=prod;tag:owner=ops;charge=spot,"
    "aliyun/cn-hangzhou=1:stopped"
)


@case(NAMED)
def names_and_tags(site):
    """tags, zone, type, addresses and payment method of an instance"""
    first, second, third = (describe(site, number) for number in range(3))
    expect(first.instance_name, "web-1")
    expect([(tag.tag_key, tag.tag_value) for tag in third.tags.tag], [("env", "prod"), ("owner", "ops")])
    expect((first.zone_id, first.instance_type), ("cn-hangzhou-k", "ecs.g8i.large"))
    expect(first.vpc_attributes.private_ip_address.ip_address, ["10.0.0.0"])
    expect(first.public_ip_address.ip_address, ["198.18.0.0"])
    expect(second.eip_address.ip_address, "198.18.0.1")
    expect((third.instance_charge_type, third.spot_strategy), ("PostPaid", "SpotAsPriceGo"))


@case(NAMED)
def filters_by_facts(site):
    """by tags (all must be there), name with *, zone, type and private address"""

    def ids(**filters):
        request = models.DescribeInstancesRequest(region_id=REGION, **filters)
        answer = client(site).describe_instances(request).body
        expect(answer.total_count, len(answer.instances.instance))
        return [record.instance_id for record in answer.instances.instance]

    tag = models.DescribeInstancesRequestTag
    expect(ids(tag=[tag(key="env")]), site.ids[:3])
    expect(ids(tag=[tag(key="env", value="dev")]), site.ids[:2])
    expect(ids(tag=[tag(key="env", value="prod"), tag(key="owner")]), site.ids[2:3])
    expect(ids(tag=[tag(key="env", value="dev"), tag(key="owner")]), [])
    expect(ids(instance_name="web-*"), site.ids[:2])
    expect(ids(instance_name="web-2"), site.ids[1:2])
    expect(ids(zone_id="cn-hangzhou-k"), site.ids[:2])
    expect(ids(instance_type="ecs.g8i.large", status="Running"), site.ids[:2])
    expect(ids(private_ip_addresses='["10.0.0.2"]'), site.ids[2:3])
    site.switch("ignored-filters", "tags")
    expect(ids(tag=[tag(key="none")]), site.ids)


@case("aliyun/cn-hangzhou=1:running,aliyun/cn-beijing=1:running")
def regions(site):
    """all regions, with endpoints and names"""
    answer = client(site).describe_regions(models.DescribeRegionsRequest()).body
    expect_shape(REQUEST_ID, answer.request_id, "request id")
    found = {region.region_id: region for region in answer.regions.region}
    expect(found["cn-beijing"].region_endpoint, "ecs.cn-beijing.aliyuncs.com")
    expect(found[REGION].local_name, "华东1（杭州）")
    expect(site.calls()[-1], ("DescribeRegions", 200))


# What the cloud refuses.


@case("aliyun/cn-hangzhou=1:stopped")
def not_found(site):
    """404 InvalidInstanceId.NotFound from start, stop and reboot"""
    site.delete(0)
    for call in (start, stop, reboot):
        error = expect_refused(lambda: call(site), 404, "InvalidInstanceId.NotFound")
        expect(error.data["HostId"], "127.0.0.1")
        assert "The specified InstanceId does not exist." in error.message, error.message


@case(
    "aliyun/cn-hangzhou=1:running,aliyun/cn-hangzhou=1:starting,aliyun/cn-hangzhou=1:stopped,"
    "aliyun/cn-hangzhou=1:stopping,aliyun/cn-hangzhou=1:rebooting",
    STILL,
)
def wrong_state(site):
    """403 IncorrectInstanceStatus, also where the instance is already there"""
    running, starting, stopped, stopping, rebooting = site.ids
    for call, ids in [
        (start, [running, starting, stopping, rebooting]),
        (stop, [starting, stopped, stopping, rebooting]),
        (reboot, [starting, stopped, stopping, rebooting]),
    ]:
        for id in ids:
            expect_refused(lambda: call(site, id), 403, "IncorrectInstanceStatus")
    expect([site.executed(number) for number in range(5)], [{}] * 5)


TROUBLES = {
    # trouble: code of a start, code of a stop or reboot, status of both
    "creating": ("InstanceNotReady", "IncorrectInstanceStatus", 403),
    "changing": ("OperationConflict", "OperationConflict", 409),
    "locked": ("InstanceLockedForSecurity", "InstanceLockedForSecurity", 403),
    "expired": ("InstanceExpired", "InstanceExpiredOrInArrears", 403),
    "arrears": ("InsufficientBalance", "InstanceExpiredOrInArrears", 403),
    "failed": ("DiskError", "DiskError", 403),
    "recycled": ("IncorrectInstanceStatus", "IncorrectInstanceStatus", 403),
}


@case(",".join(f"aliyun/cn-hangzhou=1:{trouble}" for trouble in [*TROUBLES, "no-stock"]))
def trouble(site):
    """the documented code of each: not ready, conflict, locked, expired, in arrears, disk, no stock"""
    for id, (at_start, otherwise, status_code) in zip(site.ids, TROUBLES.values()):
        expect_refused(lambda: start(site, id), status_code, at_start)
        expect_refused(lambda: stop(site, id), status_code, otherwise)
        expect_refused(lambda: reboot(site, id), status_code, otherwise)
    expect_refused(lambda: start(site, site.ids[-1]), 403, "OperationDenied.NoStock")
    expect_accepted(start(site, site.ids[5], init_local_disk=True))


@case("aliyun/cn-hangzhou=1:creating")
def not_ready_as_a_server_error(site):
    """InstanceNotReady is documented with 500 too: then a ServerException"""
    site.switch("not-ready-status", "500")
    expect_refused(lambda: start(site), 500, "InstanceNotReady", ServerException)


@case("aliyun/cn-hangzhou=1:stopped")
def requests_that_make_no_sense(site):
    """an unknown operation, values that are not allowed, missing parameters in three families"""
    zones = lambda: client(site).describe_zones(models.DescribeZonesRequest(region_id=REGION))
    expect_refused(zones, 404, "InvalidApi.NotFound")
    expect_refused(lambda: stop(site, stopped_mode="Nap"), 400, "InvalidParameter")
    odd = lambda: batch(site, "start", batch_optimization="Sometimes")
    expect_refused(odd, 400, "InvalidParameter")
    nothing = lambda: client(site).start_instance(models.StartInstanceRequest())
    expect_refused(nothing, 400, "MissingParameter")
    for family, code in [
        ("dotted", "MissingParameter.InstanceId"),
        ("gateway", "MissingInstanceId"),
    ]:
        site.switch("missing-parameter", family)
        expect_refused(nothing, 400, code)
    unsigned = {
        "host": site.host,
        "x-acs-action": "DescribeInstances",
        "accept": "application/json",
    }
    _, body = site.send("GET", "/", unsigned)
    expect(json.loads(body)["Code"], "IncompleteSignature")


# Who asks.


@case("aliyun/cn-hangzhou=1:stopped")
def wrong_secret(site):
    """400 SignatureDoesNotMatch, which quotes the text that was to be signed; nothing is started"""
    request = models.StartInstanceRequest(instance_id=site.ids[0])
    wrong = client(site, site.key.with_secret("wrong"))
    error = expect_refused(lambda: wrong.start_instance(request), 400, "SignatureDoesNotMatch")
    assert "server StringToSign is [ACS3-HMAC-SHA256\n" in error.message, error.message
    expect(site.executed(), {})


@case("aliyun/cn-hangzhou=1:stopped")
def unknown_and_revoked_key(site):
    """404 InvalidAccessKeyId.NotFound; 400 InvalidAccessKeyId.Inactive"""
    stranger = Client(
        Config(
            access_key_id="unknown",
            access_key_secret="unknown",
            region_id=REGION,
            endpoint=site.host,
            protocol="http",
        )
    )
    request = models.StartInstanceRequest(instance_id=site.ids[0])
    call = lambda: stranger.start_instance(request)
    expect_refused(call, 404, "InvalidAccessKeyId.NotFound")
    site.revoke()
    expect_refused(lambda: start(site), 400, "InvalidAccessKeyId.Inactive")


@case("aliyun/cn-hangzhou=1:stopped")
def stale_clock(site):
    """15 minutes are borne; more is 400 InvalidTimeStamp.Expired, in both directions and both signatures"""
    for seconds in (890, -890):
        site.skew(seconds)
        expect(status(site)(), "Stopped")
    request = models.StartInstanceRequest(instance_id=site.ids[0])
    for seconds in (930, -930):
        site.skew(seconds)
        for algorithm in ("ACS3-HMAC-SHA256", "v2"):
            ecs = client(site, signature_algorithm=algorithm)
            expect_refused(lambda: ecs.start_instance(request), 400, "InvalidTimeStamp.Expired")
    expect(site.executed(), {})


@case("aliyun/cn-hangzhou=1:stopped,aliyun/cn-hangzhou=1:stopped")
def temporary_key(site):
    """an STS key with its token is let in, under both signatures"""
    key = site.issue("temporary")
    for id, algorithm in zip(site.ids, ("ACS3-HMAC-SHA256", "v2")):
        request = models.StartInstanceRequest(instance_id=id)
        expect_accepted(client(site, key, signature_algorithm=algorithm).start_instance(request))
    expect([site.executed(0), site.executed(1)], [{"starts": 1}] * 2)


@case("aliyun/cn-hangzhou=1:stopped")
def temporary_key_with_a_wrong_token(site):
    """400 MissingSecurityToken, InvalidSecurityToken.MismatchWithAccessKey and, once revoked, .Expired"""
    key = site.issue("temporary")
    request = models.StartInstanceRequest(instance_id=site.ids[0])
    for session, code in [
        (None, "MissingSecurityToken"),
        ("stray", "InvalidSecurityToken.MismatchWithAccessKey"),
    ]:
        wrong = client(site, key.with_session(session))
        expect_refused(lambda: wrong.start_instance(request), 400, code)
    site.revoke()
    call = lambda: client(site, key).start_instance(request)
    expect_refused(call, 400, "InvalidSecurityToken.Expired")
    expect(site.executed(), {})


@case("aliyun/cn-hangzhou=2:stopped")
def signature_version_1(site):
    """the SDK's HMAC-SHA1 signature (`v2` in its words) is let in; with a wrong secret it is not"""
    one = models.StartInstanceRequest(instance_id=site.ids[0])
    expect_accepted(client(site, signature_algorithm="v2").start_instance(one))
    two = models.StartInstancesRequest(region_id=REGION, instance_id=[site.ids[1]])
    answer = client(site, signature_algorithm="v2").start_instances(two).body
    expect(rows(answer), [(site.ids[1], "200", "Stopped", "Starting")])
    wrong = client(site, site.key.with_secret("wrong"), signature_algorithm="v2")
    error = expect_refused(lambda: wrong.start_instance(one), 400, "SignatureDoesNotMatch")
    assert "server string to sign is:POST&%2F&" in error.message, error.message


# Requests signed as the vendor's other SDKs sign them, by the signer of this one.


@case("aliyun/cn-hangzhou=1:stopped")
def signed_as_go_does(site):
    """only host, content-type and x-acs-* are signed, parameters in a form: accepted"""
    form = f"InstanceId={site.ids[0]}"
    headers, unsigned = signed_headers(site, site.key, form)
    status_code, body = site.send("POST", "/", {**headers, **unsigned}, form.encode())
    expect(status_code, 200, body)
    expect(site.executed(), {"starts": 1})
    wrong, _ = signed_headers(site, site.key.with_secret("wrong"), form)
    status_code, body = site.send("POST", "/", {**wrong, **unsigned}, form.encode())
    expect((status_code, json.loads(body)["Code"]), (400, "SignatureDoesNotMatch"))


@case("aliyun/cn-hangzhou=1:stopped")
def sent_twice(site):
    """a request that comes again as it is: 400 SignatureNonceUsed; executed once"""
    form = f"InstanceId={site.ids[0]}"
    headers, unsigned = signed_headers(site, site.key, form)
    send = lambda: site.send("POST", "/", {**headers, **unsigned}, form.encode())
    expect(send()[0], 200)
    status_code, body = send()
    expect((status_code, json.loads(body)["Code"]), (400, "SignatureNonceUsed"))
    expect(site.executed(), {"starts": 1})


def signed_headers(site, key, form):
    """The headers that Go signs, with the signature over them, and those that it sends besides."""
    request = DaraRequest()
    request.method, request.pathname, request.query = "POST", "/", {}
    payload = Utils.hash(form.encode(), "ACS3-HMAC-SHA256").hex()
    request.headers = {
        "host": site.host,
        "content-type": "application/x-www-form-urlencoded",
        "x-acs-action": "StartInstance",
        "x-acs-version": "2014-05-26",
        "x-acs-date": Utils.get_timestamp(),
        "x-acs-signature-nonce": Utils.get_nonce(),
        "x-acs-content-sha256": payload,
    }
    authorization = Utils.get_authorization(
        request, "ACS3-HMAC-SHA256", payload, key.id, key.secret
    )
    unsigned = {"accept": "application/json", "user-agent": "go", "content-length": str(len(form))}
    return {**request.headers, "Authorization": authorization}, unsigned


# When things go wrong on the way.


@case("aliyun/cn-hangzhou=1:stopped")
def throttled_with_a_hint(site):
    """x-acs-retry-after makes it a ThrottlingException that knows the milliseconds; asked once"""
    site.spoil({"throttled": 1500})
    error = expect_refused(lambda: start(site), 400, "Throttling.User", ThrottlingException)
    expect(error.retry_after, 1500)
    expect(site.calls(), [("StartInstance", 400)])
    expect(site.executed(), {})


@case("aliyun/cn-hangzhou=1:stopped")
def throttled_without_a_hint(site):
    """an ordinary ClientException; the headers that the Go SDK reads are none for this one"""
    site.spoil({"throttled": None})
    expect_refused(lambda: start(site), 400, "Throttling.User")
    site.switch("throttling-hint", "rate-limit")
    site.spoil({"throttled": 1500})
    expect_refused(lambda: start(site), 400, "Throttling.User")


@case("aliyun/cn-hangzhou=1:stopped")
def throttled_in_other_words(site):
    """every documented pair of code and status; with a hint each is a ThrottlingException"""
    for setting, status_code, code in [
        ("user-429", 429, "Throttling.User"),
        ("api-429", 429, "Throttling.Api"),
        ("plain-400", 400, "Throttling"),
        ("plain-403", 403, "Throttling"),
    ]:
        site.switch("throttling", setting)
        for hint, kind in [(None, ClientException), (1, ThrottlingException)]:
            site.spoil({"throttled": hint})
            expect_refused(lambda: start(site), status_code, code, kind)


@case("aliyun/cn-hangzhou=1:stopped")
def throttled_for_the_minute(site):
    """every call after the allowed ones is refused, with the time to the next minute as hint"""
    site.throttle(1)
    expect(status(site)(), "Stopped")
    for _ in range(2):
        error = expect_refused(lambda: start(site), 400, "Throttling.User", ThrottlingException)
        assert 0 < error.retry_after <= 60_000, error.retry_after


@case("aliyun/cn-hangzhou=1:stopped")
def throttled_and_repeated(site):
    """with retries switched on the SDK waits for the hint and signs again: accepted"""
    condition = RetryCondition(max_attempts=3, exception=["ThrottlingException"])
    options = RetryOptions(retryable=True, retry_condition=[condition])
    site.spoil({"throttled": 100}, times=2)
    request = models.StartInstanceRequest(instance_id=site.ids[0])
    expect_accepted(client(site, retry_options=options).start_instance(request))
    expect([answer for _, answer in site.calls()], [400, 400, 200])
    expect(site.executed(), {"starts": 1})


@case("aliyun/cn-hangzhou=1:stopped")
def server_errors(site):
    """500 InternalError and 503 ServiceUnavailable are ServerExceptions; asked once each"""
    for status_code, code in [(500, "InternalError"), (503, "ServiceUnavailable")]:
        site.spoil({"error": status_code})
        expect_refused(lambda: start(site), status_code, code, ServerException)
    expect(len(site.calls()), 2)


@case("aliyun/cn-hangzhou=1:stopped")
def page_of_a_proxy(site):
    """502 with HTML: a parse error that hides the status"""
    site.spoil({"page": 502})
    error = expect_raised(UnretryableException, lambda: start(site))
    expect(type(error.inner_exception), RuntimeError, "inner exception")
    assert "Failed to parse the value as json format" in str(error), error


@case("aliyun/cn-hangzhou=1:stopped")
def error_in_xml(site):
    """asked for XML, the error comes with the content type that the SDK reads as XML"""
    runtime = RuntimeOptions(extends_parameters=ExtendsParameters(queries={"Format": "XML"}))
    request = models.StopInstanceRequest(instance_id=site.ids[0])
    call = lambda: client(site).stop_instance_with_options(request, runtime)
    expect_refused(call, 403, "IncorrectInstanceStatus")


@case("aliyun/cn-hangzhou=1:running", STILL)
def lost_answer_of_a_reboot(site):
    """the SDK reports the broken connection, and does not repeat: executed once"""
    site.spoil({"lost": {}})
    expect_raised(UnretryableException, lambda: reboot(site))
    expect(site.executed(), {"reboots": 1})


# Where keys come from.

ROLE = "acs:ram::1001:role/night"
PROVIDER = "acs:ram::1001:oidc-provider/ci"


def own(site):
    return StaticAKCredentialsProvider(
        access_key_id=site.key.id, access_key_secret=site.key.secret
    )


def role(site, source=None, **options):
    """A role that is assumed; the address says that HTTP will do."""
    return RamRoleArnCredentialsProvider(
        credentials_provider=source or own(site),
        role_arn=options.pop("role_arn", ROLE),
        role_session_name="interop",
        sts_endpoint=site.url,
        **options,
    )


def instance_role(site, name=None):
    provider = EcsRamRoleCredentialsProvider(role_name=name, async_update_enabled=False)
    provider._EcsRamRoleCredentialsProvider__metadata_service_host = site.host
    return provider


def key_of(provider):
    """The key that a provider of the library gives."""
    given = provider.get_credentials()
    return Key(
        given.get_access_key_id(), given.get_access_key_secret(), given.get_security_token()
    )


def expect_good(site, key):
    """The key is good for ECS."""
    assert key.session, "a temporary key has a token"
    request = models.DescribeInstancesRequest(region_id=REGION)
    expect(client(site, key).describe_instances(request).status_code, 200)


def expect_no_key(provider, *words):
    error = expect_raised(CredentialException, provider.get_credentials)
    for word in words:
        assert word in str(error), f"{word!r} is not in {error}"


def names(site):
    return [name for name, _ in site.calls()]


@case("aliyun/cn-hangzhou=1:stopped")
def role_is_assumed(site):
    """the library assumes a role, and the SDK works with its key"""
    site.knows(roles=[[ROLE, "patch"]])
    key = key_of(role(site, external_id="patch", duration_seconds=900))
    expect_good(site, key)
    expect(names(site), ["AssumeRole", "DescribeInstances"])


@case("aliyun/cn-hangzhou=1:stopped")
def role_is_assumed_by_a_role(site):
    """the key of one role assumes another one"""
    further = "acs:ram::1001:role/further"
    site.knows(roles=[[ROLE, None], [further, None]])
    expect_good(site, key_of(role(site, source=role(site), role_arn=further)))
    expect(names(site), ["AssumeRole", "AssumeRole", "DescribeInstances"])


@case("")
def role_is_refused(site):
    """unknown role, wrong external id, wrong key: the library shows what STS said"""
    site.knows(roles=[[ROLE, "patch"]])
    unknown = role(site, role_arn="acs:ram::1001:role/day")
    expect_no_key(unknown, "http_code: 404", "EntityNotExist.Role")
    expect_no_key(role(site, external_id="x"), "http_code: 403", "NoPermission")
    long = role(site, external_id="patch", duration_seconds=3601)
    expect_no_key(long, "http_code: 400", "InvalidParameter.DurationSeconds")
    wrong = StaticAKCredentialsProvider(access_key_id=site.key.id, access_key_secret="wrong")
    expect_no_key(role(site, source=wrong), "SignatureDoesNotMatch")


@case("aliyun/cn-hangzhou=1:stopped")
def role_by_id_token(site):
    """the library takes an identity token from a file to STS"""
    site.knows(roles=[[ROLE, None]], id_tokens=[[PROVIDER, "an.id.token"]])
    for text, good in [("an.id.token", True), ("another.id.token", False)]:
        with file_with(text) as path:
            provider = OIDCRoleArnCredentialsProvider(
                role_arn=ROLE,
                oidc_provider_arn=PROVIDER,
                oidc_token_file_path=path,
                sts_endpoint=site.url,
            )
            if good:
                expect_good(site, key_of(provider))
            else:
                expect_no_key(provider, "http_code: 401", "AuthenticationFail.OIDCToken")


@case("aliyun/cn-hangzhou=1:stopped")
def instance_role_by_metadata(site):
    """the library finds role and key of the instance, with a token"""
    site.knows(metadata="web")
    key = key_of(instance_role(site))
    expect_good(site, key)
    asked = ["PutMetadataToken", "GetMetadataRole", "PutMetadataToken", "GetMetadataCredentials"]
    expect(names(site), [*asked, "DescribeInstances"])
    expect(key_of(instance_role(site, "web")), key, "the key of the named role")
    expect_no_key(instance_role(site, "db"), "HttpCode=404")


@case("aliyun/cn-hangzhou=1:stopped")
def instance_role_whatever_the_tokens(site):
    """with tokens absent, required or refused the library still gets its key"""
    site.knows(metadata="web")
    for setting in ["absent-405", "required", "issued-but-refused"]:
        site.switch("metadata-tokens", setting)
        expect_good(site, key_of(instance_role(site)))


@case("")
def instance_without_a_role(site):
    """neither a metadata service nor a role: the library gives up"""
    expect_no_key(instance_role(site), "HttpCode=404")
    site.knows(metadata="")
    expect_no_key(instance_role(site), "HttpCode=404")


@case("aliyun/cn-hangzhou=1:stopped")
def credentials_uri(site):
    """the library reads the answer of a credentials URI"""
    site.knows(metadata="web")
    expect_good(site, key_of(URLCredentialsProvider(uri=f"{site.url}/aliyun/credentials-uri")))


@case("aliyun/cn-hangzhou=1:stopped")
def key_that_has_ended(site):
    """InvalidSecurityToken.Expired"""
    site.knows(roles=[[ROLE, None]], lifetime=1)
    key = key_of(role(site))
    time.sleep(2.1)
    request = models.DescribeInstancesRequest(region_id=REGION)
    call = lambda: client(site, key).describe_instances(request)
    expect_raised(ClientException, call, status_code=400, code="InvalidSecurityToken.Expired")
