"""Baidu BCC through `bce-python-sdk`."""

import json
import re
from email.utils import formatdate

from baidubce.auth import bce_v1_signer
from baidubce.auth.bce_credentials import BceCredentials
from baidubce.bce_client_configuration import BceClientConfiguration
from baidubce.exception import BceHttpClientError, BceServerError
from baidubce.services.bcc.bcc_client import BccClient
from baidubce.services.sts.sts_client import StsClient
from baidubce.utils import get_canonical_time

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
)

REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def client(site, key=None, **options):
    key = key or site.key
    credentials = BceCredentials(key.id, key.secret)
    return BccClient(BceClientConfiguration(credentials=credentials, endpoint=site.url, **options))


def status(site, number=0):
    """Reads the status of an instance."""
    return lambda: client(site).get_instance(site.ids[number]).instance.status


def expect_accepted(answer):
    """A good power call: no body, so that the SDK knows no status either; the request id in a header."""
    expect(answer.status_code, None, "status of an empty answer")
    expect_shape(REQUEST_ID, answer.metadata.bce_request_id, "request id")


def expect_refused(call, status_code, code):
    """The one exception of the SDK, with what the cloud said inside."""
    error = expect_raised(BceHttpClientError, call, status_code=status_code, code=code)
    expect(type(error.last_error), BceServerError, "last error")
    expect_shape(REQUEST_ID, error.request_id, "request id")
    return error


# One instance.


@case("baidu/bj=1:stopped", WATCHED)
def start(site):
    """an empty 200; Stopped, Starting, Running"""
    expect_accepted(client(site).start_instance(site.ids[0]))
    expect_passing(status(site), "Starting", "Running")
    expect(site.executed(), {"starts": 1})


@case("baidu/bj=1:running", WATCHED)
def stop(site):
    """an empty 200; Stopping, Stopped; graceful"""
    expect_accepted(client(site).stop_instance(site.ids[0]))
    expect_passing(status(site), "Stopping", "Stopped")
    expect(site.executed(), {"stops": 1})


@case("baidu/bj=1:running+stubborn")
def stop_forced(site):
    """forceStop cuts the power, even where the guest ignores a graceful stop"""
    expect_accepted(client(site).stop_instance(site.ids[0], force_stop=True))
    expect_end(status(site), "Stopped")
    expect(site.executed(), {"stops": 1, "forced_stops": 1})


@case("baidu/bj=1:running")
def stop_free_of_charge(site):
    """stopWithNoCharge stops the instance"""
    expect_accepted(client(site).stop_instance(site.ids[0], stopWithNoCharge=True))
    expect_end(status(site), "Stopped")


@case("baidu/bj=1:running")
def stop_free_of_charge_not_possible(site):
    """403 with the code of each documented reason; the instance runs on"""
    for setting, code in [
        ("prepaid", "Bcc.PrePayCannotStopWithNoCharge"),
        ("local-disk", "Bcc.Rocv1CannotStopWithNoCharge"),
        ("unsupported", "Bcc.InstanceTypeNotSupportException"),
    ]:
        site.switch("no-charge", setting)
        expect_refused(lambda: client(site).stop_instance(site.ids[0], False, True), 403, code)
    expect(status(site)(), "Running")
    expect(site.executed(), {})


@case("baidu/bj=1:running", WATCHED)
def reboot(site):
    """an empty 200; Starting, Running; graceful"""
    expect_accepted(client(site).reboot_instance(site.ids[0]))
    expect_passing(status(site), "Starting", "Running")
    expect(site.executed(), {"reboots": 1})


@case("baidu/bj=1:running")
def reboot_forced(site):
    """forceStop makes it a forced reboot"""
    expect_accepted(client(site).reboot_instance(site.ids[0], force_stop=True))
    expect_end(status(site), "Running")
    expect(site.executed(), {"reboots": 1, "forced_reboots": 1})


# Batches.


@case("baidu/bj=3:stopped", WATCHED)
def batch_start(site):
    """an empty 200 for three; all pass Starting and reach Running"""
    expect_accepted(client(site).batch_start_instance(site.ids))
    for number in range(3):
        expect(status(site, number)(), "Starting")
    for number in range(3):
        expect_end(status(site, number), "Running")
        expect(site.executed(number), {"starts": 1})


@case("baidu/bj=3:running")
def batch_stop(site):
    """an empty 200 for three; all stop gracefully"""
    expect_accepted(client(site).batch_stop_instance(site.ids))
    for number in range(3):
        expect_end(status(site, number), "Stopped")
        expect(site.executed(number), {"stops": 1})


@case("baidu/bj=2:running+stubborn")
def batch_stop_forced(site):
    """forceStop holds for every instance of the batch"""
    expect_accepted(client(site).batch_stop_instance(site.ids, force_stop=True))
    for number in range(2):
        expect_end(status(site, number), "Stopped")
        expect(site.executed(number), {"stops": 1, "forced_stops": 1})


@case("baidu/bj=2:running")
def batch_reboot(site):
    """graceful by default, forced when asked"""
    expect_accepted(client(site).batch_reboot_instance(site.ids))
    for number in range(2):
        expect_end(status(site, number), "Running")
    expect_accepted(client(site).batch_reboot_instance(site.ids, force_stop=True))
    for number in range(2):
        expect(site.executed(number), {"reboots": 2, "forced_reboots": 1})


@case("baidu/bj=2:stopped")
def batch_with_a_body(site):
    """where the service sends an object, the SDK shows an empty failed_instance_id_list"""
    site.switch("power-body", "object")
    answer = client(site).batch_start_instance(site.ids)
    expect(answer.status_code, 200)
    expect(answer.failed_instance_id_list, [])
    expect(answer.request_id, answer.metadata.bce_request_id, "request id")


@case("baidu/bj=1:running,baidu/bj=1:stopped")
def batch_fails_in_part(site):
    """200 that names the failed instance; the other one starts"""
    site.switch("batch-failure", "partial")
    answer = client(site).batch_start_instance(site.ids)
    expect(answer.failed_instance_id_list, [site.ids[0]])
    expect_end(status(site, 1), "Running")
    expect(site.executed(0), {})


@case("baidu/bj=1:running,baidu/bj=1:stopped")
def batch_fails_whole(site):
    """409, and none is started"""
    call = lambda: client(site).batch_start_instance(site.ids)
    expect_refused(call, 409, "Instance.StartInstanceOperationForbidden")
    expect(status(site, 1)(), "Stopped")
    expect(site.executed(1), {})


@case("baidu/bj=1:stopped")
def batch_repeated_with_a_client_token(site):
    """the SDK's own clientToken: a repeat is answered without acting again, other ids are 403"""
    site.switch("client-token", "honoured")
    bcc = client(site)
    for _ in range(2):
        expect_accepted(bcc.batch_start_instance(site.ids, client_token="token"))
    expect(site.executed(), {"starts": 1})
    other = lambda: bcc.batch_stop_instance(site.ids, client_token="token")
    expect_refused(other, 403, "IdempotentParameterMismatch")


@case("baidu/bj=1:stopped")
def batch_limits(site):
    """100 ids are taken, 101 are 400 InappropriateJSON, and so is an empty list"""
    bcc = client(site)
    many = [f"i-{number:08}" for number in range(101)]
    expect_refused(lambda: bcc.batch_start_instance(many), 400, "InappropriateJSON")
    expect_refused(lambda: bcc.batch_start_instance([]), 400, "InappropriateJSON")
    expect_refused(lambda: bcc.batch_start_instance(many[:100]), 404, "NoSuchObject")


# Looking.


@case("baidu/bj=1:running")
def detail(site):
    """the record in snake case; the number of cards is a text"""
    answer = client(site).get_instance(site.ids[0])
    expect(answer.status_code, 200)
    expect(answer.instance.id, site.ids[0])
    expect(answer.instance.status, "Running")
    expect(answer.instance.card_count, "0")
    expect(answer.instance.payment_timing, "Postpaid")
    expect(answer.instance.memory_capacity_in_gb, 8)
    expect_shape(
        re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), answer.instance.create_time, "time"
    )
    expect_shape(REQUEST_ID, answer.metadata.bce_request_id, "request id")


@case(
    "baidu/bj=1:running,baidu/bj=1:stopped,baidu/bj=1:starting,baidu/bj=1:stopping,"
    "baidu/bj=1:rebooting,baidu/bj=1:creating,baidu/bj=1:expired,baidu/bj=1:recycled,"
    "baidu/bj=1:failed,baidu/bj=1:changing",
    STILL,
)
def every_status(site):
    """the documented word for each state; creating and rebooting are Starting"""
    listed = client(site).list_instances()
    expect(
        [row.status for row in listed.instances],
        ["Running", "Stopped", "Starting", "Stopping", "Starting", "Starting"]
        + ["Expired", "Recycled", "Error", "Scaling"],
    )


@case("baidu/bj=7:stopped")
def list_in_pages(site):
    """three pages by nextMarker, each instance once; the last page has no nextMarker"""
    seen, sizes, marker = [], [], None
    while True:
        page = client(site).list_instances(marker=marker, max_keys=3)
        expect(page.max_keys, 3)
        seen += [row.id for row in page.instances]
        sizes.append(len(page.instances))
        if not page.is_truncated:
            break
        marker = page.next_marker
    expect(sizes, [3, 3, 1])
    expect(seen, site.ids)
    expect(page.next_marker, None)


@case("baidu/bj=3:stopped")
def list_on_one_page(site):
    """without maxKeys one page of up to 1000"""
    page = client(site).list_instances()
    expect((page.max_keys, page.is_truncated), (1000, False))
    expect([row.id for row in page.instances], site.ids)


@case("baidu/bj=3:stopped")
def list_by_ids(site):
    """the named instances, in pages; an unknown id has no row"""
    gone = site.delete(2)
    bcc = client(site)
    page = bcc.list_instance_by_instance_ids(instance_ids=[*site.ids[:2], gone])
    expect([row.id for row in page.instances], site.ids[:2])
    page = bcc.list_instance_by_instance_ids(instance_ids=site.ids[:2], max_keys=1)
    expect(([row.id for row in page.instances], page.is_truncated), (site.ids[:1], True))
    page = bcc.list_instance_by_instance_ids(site.ids[:2], page.next_marker, 1)
    expect(([row.id for row in page.instances], page.is_truncated), (site.ids[1:2], False))


NAMED = (
    "baidu/bj=2:running;name=web-#;tag:env=dev;zone=cn-bj-d;type=bcc.g5.c4m16;public,"
    "baidu/bj=1:stopped;name=db-#;tag:env=prod;tag:owner=ops;charge=prepaid,"
    "baidu/bj=1:stopped"
)


@case(NAMED)
def names_and_tags(site):
    """tags, zone, type, addresses and payment method of an instance, in lists and alone"""
    bcc = client(site)
    listed = bcc.list_instances().instances
    first, third = listed[0], listed[2]
    expect((first.name, first.zone_name, first.spec), ("web-1", "cn-bj-d", "bcc.g5.c4m16"))
    expect((first.internal_ip, first.public_ip), ("10.0.0.0", "198.18.0.0"))
    expect([(tag.tag_key, tag.tag_value) for tag in third.tags], [("env", "prod"), ("owner", "ops")])
    expect((first.payment_timing, third.payment_timing), ("Postpaid", "Prepaid"))
    expect_shape(re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), third.expire_time, "time")
    expect(bcc.get_instance(site.ids[2]).instance.tags[1].tag_value, "ops")


@case(NAMED)
def filters(site):
    """by tags (one is enough), names, a part of the name, zone, state, address and payment method"""
    ids = lambda **filters: [row.id for row in client(site).list_instances(**filters).instances]
    expect(ids(tags="env"), site.ids[:3])
    expect(ids(tags="env:dev"), site.ids[:2])
    expect(ids(tags="env:dev,owner:ops"), site.ids[:3])
    expect(ids(instance_names="web-2,db-1"), site.ids[1:3])
    expect(ids(fuzzy_instance_name="web"), site.ids[:2])
    expect(ids(zone_name="cn-bj-d"), site.ids[:2])
    expect(ids(status="Stopped"), site.ids[2:])
    expect(ids(internal_ip="10.0.0.3"), site.ids[3:])
    expect(ids(payment_timing="Prepaid"), site.ids[2:3])
    expect(ids(instance_ids=f"{site.ids[0]},{site.ids[3]}", status="Running"), site.ids[:1])
    both = lambda: ids(instance_names="web-1", fuzzy_instance_name="web")
    expect_refused(both, 400, "BadRequest")
    site.switch("ignored-filters", "tags")
    expect(ids(tags="none"), site.ids)


@case("baidu/bj=1:running")
def regions(site):
    """all regions, or the named one, with endpoints"""
    bcc = client(site)
    found = {region.region_id: region for region in bcc.describe_regions("").regions}
    expect(found["gz"].region_endpoint, "bcc.gz.baidubce.com")
    (one,) = bcc.describe_regions("bj").regions
    expect(one.region_name, "Beijing")


# What the cloud refuses.


@case("baidu/bj=2:stopped")
def not_found(site):
    """404 NoSuchObject from every call that names the instance; a batch does nothing"""
    gone = site.delete(0)
    bcc = client(site)
    for call in [
        lambda: bcc.get_instance(gone),
        lambda: bcc.start_instance(gone),
        lambda: bcc.stop_instance(gone),
        lambda: bcc.reboot_instance(gone),
        lambda: bcc.batch_start_instance(site.ids),
        lambda: bcc.batch_stop_instance(site.ids),
        lambda: bcc.batch_reboot_instance(site.ids),
    ]:
        expect_refused(call, 404, "NoSuchObject")
    expect(site.executed(1), {})


@case("baidu/bj=2:stopped")
def not_found_in_other_words(site):
    """400 NoSuchObject that names the id; 404 InstanceNotExist; a list that is refused whole"""
    gone = site.delete(0)
    site.switch("unknown-id", "no-such-object-400")
    error = expect_refused(lambda: client(site).get_instance(gone), 400, "NoSuchObject")
    assert gone in str(error), error
    site.switch("unknown-id", "instance-not-exist")
    expect_refused(lambda: client(site).start_instance(gone), 404, "InstanceNotExist")
    site.switch("unknown-in-list", "refused")
    by_ids = lambda: client(site).list_instance_by_instance_ids(site.ids)
    expect_refused(by_ids, 404, "InstanceNotExist")


@case("baidu/bj=1:running,baidu/bj=1:starting,baidu/bj=1:stopped,baidu/bj=1:stopping", STILL)
def wrong_state(site):
    """409 with the code of the action, also where the instance is already there"""
    bcc = client(site)
    running, starting, stopped, stopping = site.ids
    for id in (running, starting, stopping):
        call = lambda: bcc.start_instance(id)
        expect_refused(call, 409, "Instance.StartInstanceOperationForbidden")
    for id in (starting, stopped, stopping):
        call = lambda: bcc.stop_instance(id)
        expect_refused(call, 409, "Instance.StopInstanceOperationForbidden")
        call = lambda: bcc.reboot_instance(id, force_stop=True)
        expect_refused(call, 409, "Instance.RebootInstanceOperationForbidden")
    expect([site.executed(number) for number in range(4)], [{}] * 4)


@case("baidu/bj=1:creating,baidu/bj=1:expired,baidu/bj=1:locked,baidu/bj=1:no-stock")
def start_in_trouble(site):
    """409 while creating and when expired, 403 OperationDenied when locked or without stock"""
    for number, (status_code, code) in enumerate(
        [
            (409, "Instance.StartInstanceWhenCreating"),
            (409, "Instance.StartExpiredInstance"),
            (403, "OperationDenied"),
            (403, "OperationDenied"),
        ]
    ):
        call = lambda: client(site).start_instance(site.ids[number])
        expect_refused(call, status_code, code)
        expect(site.executed(number), {})


@case("baidu/bj=1:no-stock")
def start_without_stock(site):
    """where it is a 500 ServiceInternalError, the SDK repeats it three times"""
    site.switch("no-stock", "internal-error")
    expect_refused(lambda: client(site).start_instance(site.ids[0]), 500, "ServiceInternalError")
    expect(len(site.calls()), 4)
    expect(site.executed(), {})


@case("baidu/bj=1:stopped")
def requests_that_make_no_sense(site):
    """bad pages, bodies, paths, versions and authorizations, each with its documented code"""
    bcc = client(site)
    expect_refused(lambda: bcc.list_instances(max_keys=0), 400, "BadRequest")
    expect_refused(lambda: bcc.list_instances(marker="i-unknown"), 400, "BadRequest")
    expect_refused(lambda: bcc.modify_instance_desc(site.ids[0], "text"), 400, "InvalidURI")
    odd = lambda **parts: lambda: bcc._send_request(**{"http_method": b"PUT", **parts})
    start = {"path": b"/instance/batchAction", "params": {"start": None}}
    expect_refused(odd(**start, body=b"{"), 400, "MalformedJSON")
    expect_refused(odd(**start, body=b"[]"), 400, "InappropriateJSON")
    expect_refused(odd(**start, prefix=b"/v9"), 404, "InvalidVersion")
    site.switch("duplicates", "refused")
    expect_refused(lambda: bcc.batch_start_instance(site.ids * 2), 400, "BadRequest")
    for authorization, code in [
        ({}, "AccessDenied"),
        ({"Authorization": "x"}, "InvalidHTTPAuthHeader"),
    ]:
        _, body = site.send("GET", "/v2/instance", {"Host": site.host, **authorization})
        expect(json.loads(body)["code"], code)
    expect(site.executed(), {})


# Who asks.


@case("baidu/bj=1:stopped")
def wrong_secret(site):
    """400 SignatureDoesNotMatch; nothing is started"""
    bcc = client(site, site.key.with_secret("wrong"))
    expect_refused(lambda: bcc.start_instance(site.ids[0]), 400, "SignatureDoesNotMatch")
    expect_refused(lambda: bcc.list_instances(), 400, "SignatureDoesNotMatch")
    expect(site.executed(), {})


@case("baidu/bj=1:stopped")
def unknown_and_revoked_key(site):
    """403 InvalidAccessKeyId"""
    stranger = BceCredentials("unknown", site.key.secret)
    bcc = BccClient(BceClientConfiguration(credentials=stranger, endpoint=site.url))
    expect_refused(lambda: bcc.list_instances(), 403, "InvalidAccessKeyId")
    site.revoke()
    expect_refused(lambda: client(site).list_instances(), 403, "InvalidAccessKeyId")


@case("baidu/bj=1:stopped")
def stale_clock(site):
    """30 minutes are borne; more is 400 RequestExpired, asked once, in both directions"""
    for seconds in (1790, -1790):
        site.skew(seconds)
        expect(status(site)(), "Stopped")
    asked = len(site.calls())
    for seconds in (1830, -1830):
        site.skew(seconds)
        expect_refused(lambda: client(site).start_instance(site.ids[0]), 400, "RequestExpired")
    expect(len(site.calls()) - asked, 2, "requests for two calls")
    expect(site.executed(), {})


@case("baidu/bj=1:stopped")
def temporary_key_without_its_token(site):
    """the SDK's BCC client never sends security_token: 403 InvalidAccessKeyId"""
    key = site.issue("temporary")
    bcc = client(site, key, security_token=key.session)
    expect_refused(lambda: bcc.start_instance(site.ids[0]), 403, "InvalidAccessKeyId")


@case("baidu/bj=1:stopped")
def temporary_key_with_its_token(site):
    """the SDK's signer over a request that carries x-bce-security-token is let in; another token is not"""
    key = site.issue("temporary")
    for token, expected in [(key.session, 200), ("stray", 403)]:
        headers = {
            b"Host": site.host.encode(),
            b"x-bce-date": get_canonical_time(),
            b"x-bce-security-token": token.encode(),
        }
        answer, body = send_signed(site, key, "GET", f"/v2/instance/{site.ids[0]}", {}, headers)
        expect(answer, expected, body)


# Requests signed as the vendor's other SDKs sign them, by the signer of this one.


@case("baidu/bj=1:stopped")
def signed_as_go_does(site):
    """host, content-* and x-bce-date named in order, a client's request id left unsigned: accepted"""
    body = json.dumps({"instanceIds": site.ids}).encode()
    headers = {
        b"Host": site.host.encode(),
        b"User-Agent": b"bce-sdk-go",
        b"x-bce-date": get_canonical_time(),
        b"Content-Type": b"application/json;charset=utf-8",
        b"Content-Length": str(len(body)).encode(),
        b"Content-Md5": b"1B2M2Y8AsgTpgAmY7PhCfg==",
    }
    signed = [b"content-length", b"content-md5", b"content-type", b"host", b"x-bce-date"]
    unsigned = {b"x-bce-request-id": b"00000000-0000-4000-8000-000000000000"}
    call = ("PUT", "/v2/instance/batchAction", {b"start": b""}, headers, signed, unsigned, body)
    expect(send_signed(site, site.key, *call)[0], 200)
    expect(site.executed(), {"starts": 1})
    expect(send_signed(site, site.key.with_secret("wrong"), *call)[0], 400)


@case("baidu/bj=1:stopped")
def signed_as_java_does(site):
    """only host is signed, the time stands in Date: accepted"""
    headers = {b"Host": site.host.encode()}
    dated = {b"Date": formatdate(usegmt=True).encode(), b"Content-Length": b"0"}
    call = ("PUT", f"/v2/instance/{site.ids[0]}", {b"start": b""}, headers, [b"host"], dated)
    expect(send_signed(site, site.key, *call)[0], 200)
    expect(site.executed(), {"starts": 1})
    expect(send_signed(site, site.key.with_secret("wrong"), *call)[0], 400)


def send_signed(site, key, method, path, query, headers, signed=None, unsigned=None, body=b""):
    """Sends a request that the SDK's signer has signed over these headers only."""
    credentials = BceCredentials(key.id, key.secret)
    authorization = bce_v1_signer.sign(
        credentials, method.encode(), path.encode(), headers, query, headers_to_sign=signed
    )
    target = path + "".join(f"?{name.decode()}" for name in query)
    sent = {**headers, **(unsigned or {}), b"Authorization": authorization}
    return site.send(method, target, {k.decode(): v.decode() for k, v in sent.items()}, body)


# When things go wrong on the way.


@case("baidu/bj=1:stopped")
def throttled(site):
    """429 with a code; the SDK does not repeat it"""
    site.throttle(1)
    expect(status(site)(), "Stopped")
    expect_refused(lambda: client(site).start_instance(site.ids[0]), 429, "TooManyRequests")
    expect(len(site.calls()), 2)
    expect(site.executed(), {})


@case("baidu/bj=1:stopped")
def throttled_without_a_body(site):
    """429 without code; the request id comes from the header"""
    site.switch("throttling", "bare")
    site.spoil({"throttled": None})
    error = expect_refused(lambda: client(site).start_instance(site.ids[0]), 429, None)
    assert "Too Many Requests" in str(error.last_error), error.last_error


@case("baidu/bj=1:stopped")
def throttled_as_unavailable(site):
    """503 is repeated with a fresh signature until it is let in"""
    site.switch("throttling", "unavailable")
    site.spoil({"throttled": None}, times=2)
    expect_accepted(client(site).start_instance(site.ids[0]))
    expect([answer for _, answer in site.calls()], [503, 503, 200])
    expect(site.executed(), {"starts": 1})


@case("baidu/bj=1:stopped")
def internal_error(site):
    """500 is repeated three times, then raised with its code"""
    site.spoil({"error": 500}, times=4)
    expect_refused(lambda: client(site).start_instance(site.ids[0]), 500, "InternalError")
    expect([answer for _, answer in site.calls()], [500] * 4)


@case("baidu/bj=1:stopped")
def page_of_a_proxy(site):
    """502 with HTML: the SDK raises without status, and does not repeat"""
    site.spoil({"page": 502})
    error = expect_raised(
        BceHttpClientError,
        lambda: client(site).get_instance(site.ids[0]),
        status_code=None,
        code=None,
    )
    expect(type(error.last_error), json.JSONDecodeError, "last error")
    expect(len(site.calls()), 1)


@case("baidu/bj=1:running", STILL)
def lost_answer_of_a_reboot(site):
    """the SDK repeats a reboot whose answer was lost, and reports 409 although it was executed"""
    site.spoil({"lost": {}})
    call = lambda: client(site).reboot_instance(site.ids[0])
    expect_refused(call, 409, "Instance.RebootInstanceOperationForbidden")
    expect(site.executed(), {"reboots": 1})


# Where keys come from.


@case("")
def session_token(site):
    """the SDK gets a temporary key, whose token its BCC client does not send: 403 InvalidAccessKeyId"""
    credentials = BceCredentials(site.key.id, site.key.secret)
    sts = StsClient(BceClientConfiguration(credentials=credentials, endpoint=site.url))
    given = sts.get_session_token({"id": "x", "accessControlList": []}, 3600)
    assert given.session_token and given.user_id, given
    expect_shape(re.compile(r"[0-9-]{10}T[0-9:]{8}Z"), given.expiration, "expiration")
    key = Key(given.access_key_id, given.secret_access_key)
    refused = lambda: client(site, key).list_instances()
    expect_refused(refused, 403, "InvalidAccessKeyId")
    expect(site.calls()[0], ("GetSessionToken", 200))
