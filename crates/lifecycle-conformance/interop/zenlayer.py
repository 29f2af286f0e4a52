"""Zenlayer ZEC through `zenlayercloud-sdk-python`.

Its one exception carries the code and the request id, but no HTTP status; the simulator's record of calls
tells that.
"""

import json
import re
import time

from zenlayercloud.common.config import Config
from zenlayercloud.common.credential import Credential, TokenCredential
from zenlayercloud.common.excpetion.zenlayer_cloud_sdk_exception import (
    ZenlayerCloudSdkException,
)
from zenlayercloud.common.request import BaseRequest
from zenlayercloud.zec.v20240401 import models as models_of_2024
from zenlayercloud.zec.v20240401.zec_client import ZecClient as ClientOf2024
from zenlayercloud.zec.v20250901 import models
from zenlayercloud.zec.v20250901.zec_client import ZecClient

from support import (
    STILL,
    WATCHED,
    case,
    expect,
    expect_end,
    expect_passing,
    expect_raised,
    expect_shape,
)

REQUEST_ID = re.compile(r"T[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


def client(site, key=None, kind=ZecClient, **options):
    key = key or site.key
    secret = TokenCredential(key.token) if key.token else Credential(key.id, key.secret)
    return kind(secret, Config(scheme="http", domain=site.host, **options))


def asked(kind, **fields):
    """A request of this kind with these fields set."""
    request = kind()
    for name, value in fields.items():
        assert hasattr(request, name), f"{kind.__name__} has no {name}"
        setattr(request, name, value)
    return request


def call(site, action, ids=None, key=None, **fields):
    """`StartInstances`, `StopInstances` or `RebootInstances`."""
    ids = site.ids if ids is None else ids
    request = asked(getattr(models, f"{action}Request"), instanceIds=ids, **fields)
    return getattr(client(site, key), action)(request)


def describe(site, action="DescribeInstancesStatus", key=None, **fields):
    request = asked(getattr(models, f"{action}Request"), **fields)
    answer = getattr(client(site, key), action)(request)
    expect_shape(REQUEST_ID, answer.requestId, "request id")
    return answer


def status(site, number=0):
    """Reads the status of an instance, from both calls that tell it."""

    def read():
        ids = [site.ids[number]]
        (row,) = describe(site, instanceIds=ids).dataSet
        expect(row.instanceId, ids[0])
        return row.instanceStatus

    return read


def expect_accepted(answer):
    """A good power call lists the instances that failed: none."""
    expect(answer.instanceIds, [])
    expect_shape(REQUEST_ID, answer.requestId, "request id")


def expect_refused(site, call, status_code, code):
    error = expect_raised(ZenlayerCloudSdkException, call, code=code)
    expect_shape(REQUEST_ID, error.request_id, "request id")
    expect(site.calls()[-1][1], status_code, "status on the wire")
    return error


# One instance.


@case("zenlayer/asia-southeast-1=1:stopped", WATCHED)
def start(site):
    """none failed; STOPPED, BOOTING, RUNNING"""
    expect_accepted(call(site, "StartInstances"))
    expect_passing(status(site), "BOOTING", "RUNNING")
    expect(site.executed(), {"starts": 1})


@case("zenlayer/asia-southeast-1=1:stopped", STILL)
def start_in_the_words_of_the_prose(site):
    """where the prose holds and not the enumeration: STARTING"""
    site.switch("starting", "starting")
    expect_accepted(call(site, "StartInstances"))
    expect(status(site)(), "STARTING")


@case("zenlayer/asia-southeast-1=1:running", WATCHED)
def stop(site):
    """forceShutdown false is graceful: STOPPING, STOPPED"""
    expect_accepted(call(site, "StopInstances", forceShutdown=False))
    expect_passing(status(site), "STOPPING", "STOPPED")
    expect(site.executed(), {"stops": 1})


@case("zenlayer/asia-southeast-1=1:running+stubborn")
def stop_forced(site):
    """forceShutdown true cuts the power"""
    expect_accepted(call(site, "StopInstances", forceShutdown=True))
    expect_end(status(site), "STOPPED")
    expect(site.executed(), {"stops": 1, "forced_stops": 1})


@case("zenlayer/asia-southeast-1=1:running+stubborn")
def stop_by_default(site):
    """a stop that does not say is forced"""
    expect_accepted(call(site, "StopInstances"))
    expect_end(status(site), "STOPPED")
    expect(site.executed(), {"stops": 1, "forced_stops": 1})


@case("zenlayer/asia-southeast-1=1:running", WATCHED)
def reboot(site):
    """graceful by default; REBOOT, RUNNING"""
    expect_accepted(call(site, "RebootInstances"))
    expect_passing(status(site), "REBOOT", "RUNNING")
    expect(site.executed(), {"reboots": 1})


@case("zenlayer/asia-southeast-1=1:running,zenlayer/asia-southeast-1=1:starting", STILL)
def reboot_forced(site):
    """forceReboot is a forced reboot, also of an instance that is starting"""
    expect_accepted(call(site, "RebootInstances", forceReboot=True))
    for number in range(2):
        expect(status(site, number)(), "REBOOT")
        expect(site.executed(number), {"reboots": 1, "forced_reboots": 1})


@case("zenlayer/asia-southeast-1=1:running")
def version_of_2024(site):
    """the older client, which Terraform's calls resemble: stop without a flag is forced; start"""
    older = client(site, kind=ClientOf2024)
    stopped = older.StopInstances(asked(models_of_2024.StopInstancesRequest, instanceIds=site.ids))
    expect(stopped.instanceIds, [])
    expect_end(status(site), "STOPPED")
    started = older.StartInstances(
        asked(models_of_2024.StartInstancesRequest, instanceIds=site.ids)
    )
    expect(started.instanceIds, [])
    expect(site.executed(), {"starts": 1, "stops": 1, "forced_stops": 1})


# Batches.


@case("zenlayer/asia-southeast-1=2:stopped,zenlayer/europe-west-1=1:stopped", WATCHED)
def batch_start(site):
    """three instances of two regions in one call; all reach RUNNING"""
    expect_accepted(call(site, "StartInstances"))
    for number in range(3):
        expect_end(status(site, number), "RUNNING")
        expect(site.executed(number), {"starts": 1})


@case("zenlayer/asia-southeast-1=2:running")
def batch_stop(site):
    """the flag holds for every instance of the batch"""
    expect_accepted(call(site, "StopInstances", forceShutdown=False))
    for number in range(2):
        expect_end(status(site, number), "STOPPED")
        expect(site.executed(number), {"stops": 1})


@case("zenlayer/asia-southeast-1=2:running")
def batch_reboot(site):
    """both reboot, gracefully"""
    expect_accepted(call(site, "RebootInstances", forceReboot=False))
    for number in range(2):
        expect_end(status(site, number), "RUNNING")
        expect(site.executed(number), {"reboots": 1})


@case("zenlayer/asia-southeast-1=1:running,zenlayer/asia-southeast-1=2:stopped")
def batch_fails_in_part(site):
    """200 whose instanceIds are the failed ones: wrong state and unknown; the other one starts"""
    site.delete(2)
    answer = call(site, "StartInstances")
    expect(answer.instanceIds, [site.ids[0], site.ids[2]])
    expect(site.calls()[-1], ("StartInstances", 200))
    expect_end(status(site, 1), "RUNNING")
    expect(site.executed(0), {})


@case("zenlayer/asia-southeast-1=1:running,zenlayer/asia-southeast-1=1:stopped")
def batch_fails_whole(site):
    """an error for all, and none starts"""
    site.switch("batch-failure", "whole")
    start = lambda: call(site, "StartInstances")
    expect_refused(site, start, 400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS")
    expect(site.executed(1), {})


@case("zenlayer/asia-southeast-1=1:stopped")
def none_failed_in_other_forms(site):
    """a list that is left out and one that is null both read as None"""
    for number, form in enumerate(("absent", "null")):
        site.switch("none-failed", form)
        action = ("StartInstances", "StopInstances")[number]
        expect(call(site, action).instanceIds, None)
        expect_end(status(site), ("RUNNING", "STOPPED")[number])


@case("zenlayer/asia-southeast-1=1:stopped")
def batch_limits(site):
    """100 ids are taken, 101 are 400 EXCEED_LENGTH, none is LESS_LENGTH, no list is MISSING_PARAMETER"""
    many = [str(number) for number in range(101)]
    expect(call(site, "StartInstances", many[:100]).instanceIds, many[:100])
    start = lambda ids: lambda: call(site, "StartInstances", ids)
    expect_refused(site, start(many), 400, "INVALID_PARAMETER_EXCEED_LENGTH")
    expect_refused(site, start([]), 400, "INVALID_PARAMETER_LESS_LENGTH")
    expect_refused(site, start("text"), 400, "INVALID_PARAMETER_TYPE")
    unsaid = lambda: client(site).StartInstances(models.StartInstancesRequest())
    expect_refused(site, unsaid, 400, "MISSING_PARAMETER")


# Looking.


@case("zenlayer/asia-southeast-1=1:running")
def detail(site):
    """the whole record; the field is `status` here and `instanceStatus` in the other call"""
    (record,) = describe(site, "DescribeInstances", instanceIds=site.ids).dataSet
    expect((record.instanceId, record.status), (site.ids[0], "RUNNING"))
    expect(status(site)(), record.status)
    expect((record.cpu, record.memory, record.keyId), (1, 2, None))
    expect(record.tags.tags, [])
    expect_shape(re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), record.createTime, "time")


@case(
    "zenlayer/asia-southeast-1=1:running,zenlayer/asia-southeast-1=1:stopped,"
    "zenlayer/asia-southeast-1=1:starting,zenlayer/asia-southeast-1=1:stopping,"
    "zenlayer/asia-southeast-1=1:rebooting,zenlayer/asia-southeast-1=1:creating,"
    "zenlayer/asia-southeast-1=1:changing,zenlayer/asia-southeast-1=1:failed,"
    "zenlayer/asia-southeast-1=1:recycled",
    STILL,
)
def every_status(site):
    """the word of the enumeration for each state, the same in both calls"""
    words = ["RUNNING", "STOPPED", "BOOTING", "STOPPING", "REBOOT", "DEPLOYING", "RESIZING"]
    words += ["CREATE_FAILED", "RECYCLE"]
    expect([row.instanceStatus for row in describe(site).dataSet], words)
    expect([row.status for row in describe(site, "DescribeInstances").dataSet], words)


@case("zenlayer/asia-southeast-1=45:stopped")
def list_in_pages(site):
    """twenty rows to a page unless told, numbered from 1; past the end a page is empty"""
    for action in ("DescribeInstances", "DescribeInstancesStatus"):
        seen = []
        for number, count in [(1, 20), (2, 20), (3, 5), (4, 0)]:
            page = describe(site, action, pageNum=number)
            expect((len(page.dataSet), page.totalCount), (count, 45), f"page {number}")
            seen += [row.instanceId for row in page.dataSet]
        expect(seen, site.ids)
        expect(len(describe(site, action, pageSize=1000).dataSet), 45)
        expect(len(describe(site, action, instanceIds=site.ids).dataSet), 20)
        expect(len(describe(site, action, instanceIds=site.ids, pageSize=100).dataSet), 45)


@case("zenlayer/asia-southeast-1=1:running,zenlayer/europe-west-1=1:stopped")
def filters(site):
    """by status and by zone; an unknown id has no row"""
    ids = lambda **fields: [
        row.instanceId for row in describe(site, "DescribeInstances", **fields).dataSet
    ]
    expect(ids(), site.ids)
    expect(ids(status="STOPPED"), site.ids[1:])
    expect(ids(zoneId="asia-southeast-1a"), site.ids[:1])
    expect(ids(instanceIds=["1", site.ids[1]]), site.ids[1:])
    expect(describe(site, instanceIds=["1"]).totalCount, 0)


NAMED = (
    "zenlayer/asia-southeast-1=2:running;name=web-#;tag:env=dev;zone=asia-southeast-1b;type=z2a.cpu.4;public,"
    "zenlayer/asia-southeast-1=1:stopped;name=db-#;tag:env=prod;tag:owner=ops;charge=prepaid,"
    "zenlayer/asia-southeast-1=1:stopped"
)


@case(NAMED)
def names_and_tags(site):
    """tags, zone, type and addresses in the whole record; id and state in the other call"""
    records = describe(site, "DescribeInstances").dataSet
    first, third = records[0], records[2]
    expect((first.instanceName, first.zoneId), ("web-1", "asia-southeast-1b"))
    expect(first.instanceType, "z2a.cpu.4")
    expect((first.privateIpAddresses, first.publicIpAddresses), (["10.0.0.0"], ["198.18.0.0"]))
    expect([(tag.key, tag.value) for tag in third.tags.tags], [("env", "prod"), ("owner", "ops")])
    expect(first.expiredTime, None)
    expect_shape(re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), third.expiredTime, "time")


@case(NAMED)
def filters_by_facts(site):
    """by tags and keys of tags, a part of the name, type and address"""
    ids = lambda **fields: [
        row.instanceId for row in describe(site, "DescribeInstances", **fields).dataSet
    ]
    tag = lambda key, value: asked(models.Tag, key=key, value=value)
    expect(ids(tagKeys=["env"]), site.ids[:3])
    expect(ids(tags=[tag("env", "dev")]), site.ids[:2])
    two = [tag("env", "dev"), tag("owner", "ops")]
    expect(ids(tags=two), [])
    expect(ids(name="web"), site.ids[:2])
    expect(ids(instanceType="z2a.cpu.4", status="RUNNING"), site.ids[:2])
    expect(ids(ipv4Address="10.0.0.3"), site.ids[3:])
    expect(describe(site, "DescribeInstances", name="web", pageSize=1).totalCount, 2)
    site.switch("several-tags", "any")
    expect(ids(tags=two), site.ids[:3])
    site.switch("ignored-filters", "tags")
    expect(ids(tagKeys=["none"]), site.ids)


@case("zenlayer/asia-southeast-1=1:running")
def parameters_out_of_range(site):
    """page size 0 and 1001, 101 ids, a foreign resource group, a text for a number"""
    for fields, status_code, code in [
        ({"pageSize": 0}, 400, "INVALID_PARAMETER_LESS_MINIMUM"),
        ({"pageSize": 1001}, 400, "INVALID_PARAMETER_EXCEED_MAXIMUM"),
        ({"pageNum": 0}, 400, "INVALID_PARAMETER_LESS_MINIMUM"),
        ({"pageNum": "one"}, 400, "INVALID_PARAMETER_TYPE"),
        ({"instanceIds": ["1"] * 101}, 400, "INVALID_PARAMETER_EXCEED_LENGTH"),
        ({"resourceGroupId": "other"}, 404, "OPERATION_FAILED_RESOURCE_GROUP_NOT_FOUND"),
    ]:
        for action in ("DescribeInstances", "DescribeInstancesStatus"):
            expect_refused(site, lambda: describe(site, action, **fields), status_code, code)


@case("zenlayer/asia-southeast-1=1:running")
def unknown_action_and_version(site):
    """401 AUTHFAILURE_UNAUTHORIZED_OPERATION, as for a missing permission; 400 INVALID_PARAMETER_VALUE"""
    other = lambda: client(site).DescribeZones(models.DescribeZonesRequest())
    expect_refused(site, other, 401, "AUTHFAILURE_UNAUTHORIZED_OPERATION")
    ancient = type("ClientOf1999", (ZecClient,), {"_api_version": "1999-01-01"})
    look = lambda: client(site, kind=ancient).DescribeInstances(models.DescribeInstancesRequest())
    expect_refused(site, look, 400, "INVALID_PARAMETER_VALUE")


# What the cloud refuses.


@case("zenlayer/asia-southeast-1=1:running")
def not_found(site):
    """listed as failed; where a bad id fails the call: 404 with one of two codes"""
    gone = site.delete(0)
    for action in ("StartInstances", "StopInstances", "RebootInstances"):
        expect(call(site, action).instanceIds, [gone])
    site.switch("batch-failure", "whole")
    for action in ("StartInstances", "StopInstances", "RebootInstances"):
        expect_refused(site, lambda: call(site, action), 404, "INVALID_INSTANCE_NOT_FOUND")
    site.switch("unknown-id", "resource-not-found")
    start = lambda: call(site, "StartInstances")
    expect_refused(site, start, 404, "OPERATION_FAILED_RESOURCE_NOT_FOUND")


@case(
    "zenlayer/asia-southeast-1=1:running,zenlayer/asia-southeast-1=1:stopped,"
    "zenlayer/asia-southeast-1=1:starting,zenlayer/asia-southeast-1=1:recycled",
    STILL,
)
def wrong_state(site):
    """400 for a wrong state, another one for a busy instance, 403 for the recycle bin; older codes 403"""
    site.switch("batch-failure", "whole")
    running, stopped, starting, recycled = ([id] for id in site.ids)
    wrong, busy = "UNSUPPORTED_OPERATION_INSTANCE_STATUS", "OPERATION_DENIED_INSTANCE_IN_OPERATION"
    for action, ids, status_code, code in [
        ("StartInstances", running, 400, wrong),
        ("StopInstances", stopped, 400, wrong),
        ("RebootInstances", stopped, 400, wrong),
        ("StartInstances", starting, 400, busy),
        ("StopInstances", starting, 400, busy),
        ("RebootInstances", starting, 400, busy),
        ("StartInstances", recycled, 403, "OPERATION_DENIED_INSTANCE_RECYCLED"),
        ("StopInstances", recycled, 403, "OPERATION_DENIED_INSTANCE_RECYCLED"),
        ("RebootInstances", recycled, 403, "OPERATION_DENIED_INSTANCE_RECYCLED"),
    ]:
        expect_refused(site, lambda: call(site, action, ids), status_code, code)
    site.switch("codes", "older")
    for action, ids, code in [
        ("StartInstances", running, "OPERATION_DENIED_INSTANCE_NOT_STOPPED"),
        ("StopInstances", stopped, "OPERATION_DENIED_INSTANCE_NOT_RUNNING"),
        ("RebootInstances", stopped, "OPERATION_DENIED_INSTANCE_STATUS"),
    ]:
        expect_refused(site, lambda: call(site, action, ids), 403, code)
    site.switch("recycled-code", "recycle-resource")
    start = lambda: call(site, "StartInstances", recycled)
    expect_refused(site, start, 403, "OPERATION_FAILED_FOR_RECYCLE_RESOURCE")
    expect([site.executed(number) for number in range(4)], [{}] * 4)


@case("zenlayer/asia-southeast-1=1:no-stock,zenlayer/asia-southeast-1=1:locked")
def trouble(site):
    """503 without stock, 400 when locked"""
    site.switch("batch-failure", "whole")
    start = lambda number: lambda: call(site, "StartInstances", [site.ids[number]])
    expect_refused(site, start(0), 503, "SERVICE_TEMPORARY_UNAVAILABLE")
    expect_refused(site, start(1), 400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS")


# Who asks.


@case("zenlayer/asia-southeast-1=1:stopped")
def wrong_secret(site):
    """401 AUTHFAILURE_SIGNATURE_FAILURE; nothing is started"""
    wrong = site.key.with_secret("wrong")
    start = lambda: call(site, "StartInstances", key=wrong)
    expect_refused(site, start, 401, "AUTHFAILURE_SIGNATURE_FAILURE")
    expect(site.executed(), {})


@case("zenlayer/asia-southeast-1=1:stopped")
def unknown_and_revoked_key(site):
    """401 AUTHFAILURE_SIGNATURE_FAILURE"""
    stranger = ZecClient(
        Credential("unknown", site.key.secret), Config(scheme="http", domain=site.host)
    )
    look = lambda: stranger.DescribeInstances(models.DescribeInstancesRequest())
    expect_refused(site, look, 401, "AUTHFAILURE_SIGNATURE_FAILURE")
    site.revoke()
    expect_refused(site, lambda: describe(site), 401, "AUTHFAILURE_SIGNATURE_FAILURE")


@case("zenlayer/asia-southeast-1=1:stopped")
def stale_clock(site):
    """five minutes are borne; more is 401 AUTHFAILURE_SIGNATURE_EXPIRED, in both directions"""
    for seconds in (290, -290):
        site.skew(seconds)
        expect(status(site)(), "STOPPED")
    for seconds in (330, -330):
        site.skew(seconds)
        start = lambda: call(site, "StartInstances")
        expect_refused(site, start, 401, "AUTHFAILURE_SIGNATURE_EXPIRED")
    expect(site.executed(), {})


@case("zenlayer/asia-southeast-1=1:stopped")
def bearer_token(site):
    """a token is let in, whatever the clock; a stray and a revoked one are 401 INVALID_AUTHORIZATION"""
    key = site.issue("token")
    site.skew(3600)
    expect_accepted(call(site, "StartInstances", key=key))
    stray = type(key)(token="stray")
    expect_refused(
        site, lambda: describe(site, key=stray), 401, "AUTHFAILURE_INVALID_AUTHORIZATION"
    )
    site.revoke()
    expect_refused(site, lambda: describe(site, key=key), 401, "AUTHFAILURE_INVALID_AUTHORIZATION")


# Requests as the vendor's other SDKs send them, signed by the signer of this one.


@case("zenlayer/asia-southeast-1=1:stopped")
def signed_as_java_does(site):
    """a content type with a charset, and headers that are not signed: accepted"""
    headers = {"Date": "x", "Accept": "application/json", "X-ZC-Signature-Version": "V2"}
    expect_let_in(
        site, "application/json; charset=utf-8", json.dumps({"instanceIds": site.ids}), headers
    )


@case("zenlayer/asia-southeast-1=1:stopped")
def signed_as_go_does(site):
    """compact JSON and a client name that is not signed: accepted"""
    body = json.dumps({"instanceIds": site.ids}, separators=(",", ":"))
    expect_let_in(site, "application/json", body, {"X-ZC-Request-Client": "Terraform-latest"})


def expect_let_in(site, content_type, body, headers):
    """Accepted with the right secret, refused with a wrong one and with another body."""
    wrong = site.key.with_secret("wrong")
    for key, sent, expected in [
        (wrong, body, 401),
        (site.key, body + " ", 401),
        (site.key, body, 200),
    ]:
        signed = signed_headers(site, key, content_type, body)
        length = {"content-length": str(len(sent))}
        status_code, answer = site.send(
            "POST", "/api/v2/zec", {**signed, **headers, **length}, sent.encode()
        )
        expect(status_code, expected, answer)
    expect(site.executed(), {"starts": 1})


def signed_headers(site, key, content_type, body):
    """The headers of `StartInstances` with the SDK's signature over content type, host and body."""
    request = BaseRequest(host=site.host, method="POST", uri="/api/v2/zec", header={})
    request.set_host(site.host)
    request.set_content_type(content_type)
    request.data = body
    request.header.update(
        {
            "x-zc-version": "2025-09-01",
            "x-zc-action": "StartInstances",
            "x-zc-signature-method": "ZC2-HMAC-SHA256",
            "x-zc-timestamp": str(int(time.time())),
        }
    )
    request.header["Authorization"] = client(site, key)._build_zc2_authorization(request)
    return request.header


# When things go wrong on the way.


@case("zenlayer/asia-southeast-1=1:stopped")
def throttled(site):
    """429 REQUEST_LIMIT_EXCEEDED is repeated with a fresh signature until it is let in"""
    site.spoil({"throttled": 1000}, times=2)
    start = asked(models.StartInstancesRequest, instanceIds=site.ids)
    waits = []
    patient = client(site, rate_limit_retry_duration=lambda index: waits.append(index) or 0)
    expect_accepted(patient.StartInstances(start))
    expect(site.calls(), [("StartInstances", 429)] * 2 + [("StartInstances", 200)])
    expect(waits, [0, 1], "asked how long to wait")
    expect(site.executed(), {"starts": 1})


@case("zenlayer/asia-southeast-1=1:stopped")
def throttled_for_good(site):
    """after three repeats, or none if told so, REQUEST_LIMIT_EXCEEDED is raised"""
    site.throttle(0)
    for retries, asked_times in [(3, 4), (0, 1)]:
        before = len(site.calls())
        impatient = client(
            site, rate_limit_max_retries=retries, rate_limit_retry_duration=lambda index: 0
        )
        look = lambda: impatient.DescribeInstances(models.DescribeInstancesRequest())
        expect_refused(site, look, 429, "REQUEST_LIMIT_EXCEEDED")
        expect(len(site.calls()) - before, asked_times)


@case("zenlayer/asia-southeast-1=1:stopped")
def server_errors(site):
    """500, 503 and 504 with their codes; asked once each"""
    for status_code, code in [
        (500, "INTERNAL_SERVER_ERROR"),
        (503, "SERVICE_TEMPORARY_UNAVAILABLE"),
        (504, "REQUEST_TIMED_OUT"),
    ]:
        site.spoil({"error": status_code})
        expect_refused(site, lambda: call(site, "StartInstances"), status_code, code)
    expect(len(site.calls()), 3)


@case("zenlayer/asia-southeast-1=1:stopped")
def shields(site):
    """a challenge is SECURITY_CHALLENGE, a block REQUEST_BLOCKED, both made by the SDK"""
    for how, code in [
        ({"challenged": {}}, "SECURITY_CHALLENGE"),
        ({"blocked": {}}, "REQUEST_BLOCKED"),
    ]:
        site.spoil(how)
        start = lambda: call(site, "StartInstances")
        expect_raised(ZenlayerCloudSdkException, start, code=code, request_id=None)


@case("zenlayer/asia-southeast-1=1:stopped")
def page_of_a_proxy(site):
    """502 with HTML, and one without a body, raise a bare JSON error"""
    for how in ({"page": 502}, {"bare": 502}):
        site.spoil(how)
        expect_raised(json.JSONDecodeError, lambda: call(site, "StartInstances"))


@case("zenlayer/asia-southeast-1=1:running", STILL)
def lost_answer_of_a_reboot(site):
    """NETWORK_ERROR, made by the SDK, which does not repeat: executed once"""
    site.spoil({"lost": {}})
    reboot = lambda: call(site, "RebootInstances")
    expect_raised(ZenlayerCloudSdkException, reboot, code="NETWORK_ERROR", request_id=None)
    expect(site.executed(), {"reboots": 1})
