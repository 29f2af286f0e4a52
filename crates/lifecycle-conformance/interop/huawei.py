"""Huawei ECS through `huaweicloudsdkecs`."""

import json
import re
import time
from datetime import datetime, timezone

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.auth.internal import MetadataAccessor, OidcStsAccessor
from huaweicloudsdkcore.exceptions.exceptions import (
    ClientRequestException,
    ConnectionException,
    SdkException,
    ServerResponseException,
)
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from huaweicloudsdkecs import v2 as ecs

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

REQUEST_ID = re.compile(r"[0-9a-f]{32}")


def client(site, key=None, project_id=None, **options):
    key = key or site.key
    credentials = BasicCredentials(key.id, key.secret, project_id or site.project_id)
    if key.session:
        credentials = credentials.with_security_token(key.session)
    config = HttpConfig.get_default_config()
    for name, value in options.items():
        setattr(config, name, value)
    builder = ecs.EcsClient.new_builder().with_http_config(config)
    return builder.with_credentials(credentials).with_endpoint(site.url).build()


def show(site, number=0):
    """Reads one server."""
    return client(site).show_server(ecs.ShowServerRequest(server_id=site.ids[number])).server


def standing(site, number=0):
    """Reads status and task of a server: `ACTIVE` or `ACTIVE powering-off`."""

    def read():
        server = show(site, number)
        return " ".join(filter(None, [server.status, server.os_ext_st_stask_state]))

    return read


def power(site, verb, type=None, ids=None, key=None, **options):
    """`start`, `stop` or `reboot` of these servers, or of all."""
    servers = [ecs.ServerId(id=id) for id in (site.ids if ids is None else ids)]
    if verb == "start":
        body = ecs.BatchStartServersRequestBody(ecs.BatchStartServersOption(servers))
        request = ecs.BatchStartServersRequest(body)
    elif verb == "stop":
        body = ecs.BatchStopServersRequestBody(ecs.BatchStopServersOption(servers, type))
        request = ecs.BatchStopServersRequest(body)
    else:
        body = ecs.BatchRebootServersRequestBody(ecs.BatchRebootSeversOption(servers, type))
        request = ecs.BatchRebootServersRequest(body)
    return getattr(client(site, key, **options), f"batch_{verb}_servers")(request)


def accepted(answer, status_code=200):
    """A good power call answers with a job; gives its id."""
    expect(answer.status_code, status_code)
    expect_shape(REQUEST_ID, answer.job_id, "job id")
    return answer.job_id


def job(site, id):
    return client(site).show_job(ecs.ShowJobRequest(job_id=id))


def ended(site, id):
    """Waits for the end of a job, and gives it."""
    busy = lambda: job(site, id).status not in ("SUCCESS", "FAIL")
    expect_end(busy, False)
    return job(site, id)


def parts(ended_job):
    """What became of each server of a job: id, status and code."""
    return [
        (part.entities.server_id, part.status, part.error_code)
        for part in ended_job.entities.sub_jobs
    ]


def expect_refused(call, status_code, error_code, kind=ClientRequestException):
    error = expect_raised(kind, call, status_code=status_code, error_code=error_code)
    expect_shape(REQUEST_ID, error.request_id, "request id")
    return error


def expect_not_authentic(call, cause):
    """The gateway's one code for a bad key, signature, clock or token."""
    error = expect_refused(call, 401, "APIGW.0301")
    start = "Incorrect IAM authentication information: "
    assert error.error_msg.startswith(start + cause), error.error_msg


# One server.


@case("huawei/cn-north-4=1:stopped", WATCHED)
def start(site):
    """a job; SHUTOFF powering-on, then ACTIVE; the job ends in SUCCESS"""
    id = accepted(power(site, "start"))
    expect_passing(standing(site), "SHUTOFF powering-on", "ACTIVE")
    done = ended(site, id)
    expect((done.status, done.error_code, done.fail_reason), ("SUCCESS", None, None))
    expect(parts(done), [(site.ids[0], "SUCCESS", None)])
    expect(site.executed(), {"starts": 1})


@case("huawei/cn-north-4=1:running", WATCHED)
def stop(site):
    """SOFT is graceful: ACTIVE powering-off, then SHUTOFF"""
    accepted(power(site, "stop", "SOFT"))
    expect_passing(standing(site), "ACTIVE powering-off", "SHUTOFF")
    expect(site.executed(), {"stops": 1})


@case("huawei/cn-north-4=1:running")
def stop_by_default(site):
    """a stop without type is graceful"""
    expect(ended(site, accepted(power(site, "stop"))).status, "SUCCESS")
    expect(standing(site)(), "SHUTOFF")
    expect(site.executed(), {"stops": 1})


@case("huawei/cn-north-4=1:running+stubborn")
def stop_forced(site):
    """HARD helps a server that is stuck in a graceful stop"""
    accepted(power(site, "stop", "SOFT"))
    expect(standing(site)(), "ACTIVE powering-off")
    accepted(power(site, "stop", "HARD"))
    expect_end(standing(site), "SHUTOFF")
    expect(site.executed(), {"stops": 2, "forced_stops": 1})


@case("huawei/cn-north-4=1:running", WATCHED)
def reboot(site):
    """SOFT is graceful: REBOOT with two tasks, then ACTIVE"""
    accepted(power(site, "reboot", "SOFT"))
    expect_passing(standing(site), "REBOOT rebooting", "REBOOT reboot_started", "ACTIVE")
    expect(site.executed(), {"reboots": 1})


@case("huawei/cn-north-4=1:running", WATCHED)
def reboot_forced(site):
    """HARD: HARD_REBOOT with two tasks, then ACTIVE"""
    accepted(power(site, "reboot", "HARD"))
    states = ("HARD_REBOOT rebooting_hard", "HARD_REBOOT reboot_started_hard", "ACTIVE")
    expect_passing(standing(site), *states)
    expect(site.executed(), {"reboots": 1, "forced_reboots": 1})


@case("huawei/cn-north-4=1:running")
def bodies_that_are_not_taken(site):
    """a reboot without type, a type in small letters: 400 Ecs.0005; no body: Common.0002"""
    expect_refused(lambda: power(site, "reboot"), 400, "Ecs.0005")
    expect_refused(lambda: power(site, "reboot", "soft"), 400, "Ecs.0005")
    expect_refused(lambda: power(site, "stop", "hard"), 400, "Ecs.0005")
    empty = lambda: client(site).batch_start_servers(ecs.BatchStartServersRequest())
    expect_refused(empty, 400, "Common.0002")
    expect(site.executed(), {})


# Batches and their jobs.


@case("huawei/cn-north-4=3:stopped", WATCHED)
def batch_start(site):
    """one job with a sub-job for each of three; all reach ACTIVE"""
    done = ended(site, accepted(power(site, "start")))
    expect(done.entities.sub_jobs_total, 3)
    expect(parts(done), [(id, "SUCCESS", None) for id in site.ids])
    for number in range(3):
        expect(standing(site, number)(), "ACTIVE")
        expect(site.executed(number), {"starts": 1})


@case("huawei/cn-north-4=2:running")
def batch_stop_and_reboot(site):
    """types hold for every server of the batch"""
    ended(site, accepted(power(site, "reboot", "SOFT")))
    ended(site, accepted(power(site, "reboot", "HARD")))
    ended(site, accepted(power(site, "stop", "HARD")))
    for number in range(2):
        expect(standing(site, number)(), "SHUTOFF")
        executed = {"stops": 1, "forced_stops": 1, "reboots": 2, "forced_reboots": 1}
        expect(site.executed(number), executed)


@case("huawei/cn-north-4=1:stopped", STILL)
def job_under_way(site):
    """INIT without sub-jobs, later RUNNING with them; the end time is empty"""
    id = accepted(power(site, "start"))
    fresh = job(site, id)
    expect((fresh.status, fresh.end_time, fresh.job_id), ("INIT", "", id))
    expect(fresh.entities.sub_jobs_total, 0)
    expect_end(lambda: job(site, id).status, "RUNNING")
    running = job(site, id)
    expect((running.end_time, running.error_code, running.fail_reason), ("", None, None))
    expect(parts(running), [(site.ids[0], "RUNNING", None)])


@case("huawei/cn-north-4=1:stopped,huawei/cn-north-4=1:running+locked")
def batch_fails_in_part(site):
    """the job says FAIL, its sub-jobs which server failed and why; the other one starts"""
    done = ended(site, accepted(power(site, "start")))
    expect((done.status, done.error_code), ("FAIL", "Common.0021"))
    expect(parts(done), [(site.ids[0], "SUCCESS", None), (site.ids[1], "FAIL", "Ecs.0605")])
    expect(done.entities.sub_jobs[1].fail_reason, "ECS locked.")
    expect([site.executed(0), site.executed(1)], [{"starts": 1}, {}])


@case("huawei/cn-north-4=1:stopped,huawei/cn-north-4=1:running+locked")
def batch_fails_whole(site):
    """Ecs.0605 of the first unfit server, or Ecs.0611 with details, which the SDK drops; none starts"""
    site.switch("unfit-server", "refused")
    expect_refused(lambda: power(site, "start"), 400, "Ecs.0605")
    site.switch("unfit-server", "refused-with-details")
    error = expect_refused(lambda: power(site, "start"), 400, "Ecs.0611")
    expect(error.error_msg, "Batch operation failed.")
    expect(site.executed(0), {})


@case("huawei/cn-north-4=1:running,huawei/cn-north-4=1:stopped")
def already_there(site):
    """a start of a running server succeeds and does nothing; where it does not: Ecs.0100"""
    expect(ended(site, accepted(power(site, "start", ids=site.ids[:1]))).status, "SUCCESS")
    expect(ended(site, accepted(power(site, "stop", ids=site.ids[1:]))).status, "SUCCESS")
    site.switch("succeeds-in-target-state", "no")
    site.switch("unfit-server", "refused")
    expect_refused(lambda: power(site, "start", ids=site.ids[:1]), 400, "Ecs.0100")
    expect_refused(lambda: power(site, "stop", ids=site.ids[1:]), 400, "Ecs.0100")
    expect([site.executed(0), site.executed(1)], [{}, {}])


@case("huawei/cn-north-4=1:stopped")
def batch_limits(site):
    """1001 servers are 400 Ecs.0118, none is Ecs.0005; a server named twice is taken once"""
    many = [f"00000000-0000-4000-8000-{number:012}" for number in range(1001)]
    expect_refused(lambda: power(site, "start", ids=many), 400, "Ecs.0118")
    expect_refused(lambda: power(site, "start", ids=many[:1000]), 404, "Ecs.0114")
    expect_refused(lambda: power(site, "start", ids=[]), 400, "Ecs.0005")
    done = ended(site, accepted(power(site, "start", ids=site.ids * 2)))
    expect(done.entities.sub_jobs_total, 1)
    expect(site.executed(), {"starts": 1})


@case("huawei/cn-north-4=1:stopped")
def accepted_with_202(site):
    """where acceptance is 202, the SDK gives the job all the same"""
    site.switch("accepted-status", "202")
    expect(ended(site, accepted(power(site, "start"), 202)).status, "SUCCESS")


# Looking.


@case("huawei/cn-north-4=1:running")
def detail(site):
    """one server: numbers as texts in the flavor, a number for the power state"""
    answer = client(site).show_server(ecs.ShowServerRequest(server_id=site.ids[0]))
    expect(answer.status_code, 200)
    server = answer.server
    expect((server.id, server.status), (site.ids[0], "ACTIVE"))
    expect((server.os_ext_st_svm_state, server.os_ext_st_spower_state), ("active", 1))
    expect((server.locked, server.fault, server.tenant_id), (False, None, site.project_id))
    assert server.flavor.vcpus.isdigit() and server.flavor.ram.isdigit(), server.flavor
    expect_shape(re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), server.updated, "time")


@case(
    "huawei/cn-north-4=1:running,huawei/cn-north-4=1:stopped,huawei/cn-north-4=1:starting,"
    "huawei/cn-north-4=1:stopping,huawei/cn-north-4=1:rebooting,huawei/cn-north-4=1:creating,"
    "huawei/cn-north-4=1:changing,huawei/cn-north-4=1:failed",
    STILL,
)
def every_status(site):
    """status and task as the table of the documents has them: no word for starting and stopping"""
    expect(
        [standing(site, number)() for number in range(8)],
        ["ACTIVE", "SHUTOFF", "SHUTOFF powering-on", "ACTIVE powering-off", "REBOOT rebooting"]
        + ["BUILD spawning", "RESIZE resize_migrating", "ERROR"],
    )


def listed(site, **fields):
    """A page of the list: the ids on it, and how many servers there are."""
    page = client(site).list_servers_details(ecs.ListServersDetailsRequest(**fields))
    return [server.id for server in page.servers], page.count


@case("huawei/cn-north-4=30:stopped")
def list_by_page_number(site):
    """offset counts pages from 1, 0 is 1; 25 to a page unless told; past the end a page is empty"""
    expect(listed(site), (site.ids[:25], 30))
    expect(listed(site, offset=2), (site.ids[25:], 30))
    for offset, ids in [(0, site.ids[:12]), (1, site.ids[:12]), (2, site.ids[12:24])]:
        expect(listed(site, limit=12, offset=offset), (ids, 30))
    expect(listed(site, limit=12, offset=3), (site.ids[24:], 30))
    expect(listed(site, limit=12, offset=4), ([], 30))
    expect_refused(lambda: listed(site, limit=1001), 400, "Ecs.0005")


@case("huawei/cn-north-4=7:stopped")
def list_by_marker(site):
    """marker is the last server of the page before: three pages, each server once"""
    seen, sizes, marker = [], [], None
    while len(seen) < 7:
        ids, _ = listed(site, limit=3, marker=marker)
        seen += ids
        sizes.append(len(ids))
        marker = ids[-1]
    expect((seen, sizes), (site.ids, [3, 3, 1]))
    expect(listed(site, limit=3, marker=marker)[0], [])


@case("huawei/cn-north-4=3:stopped,huawei/cn-north-4=1:running")
def filters(site):
    """by status; by server_id with a comma, where an unknown id has a row that is null but for the id"""
    expect(listed(site, status="ACTIVE"), (site.ids[3:], 1))
    site.switch("server-ids", "comma")
    gone = site.delete(1)
    request = ecs.ListServersDetailsRequest(server_id=",".join([site.ids[0], gone]))
    known, unknown = client(site).list_servers_details(request).servers
    expect((known.id, known.status), (site.ids[0], "SHUTOFF"))
    expect((unknown.id, unknown.status, unknown.os_ext_st_svm_state), (gone, None, None))


NAMED = (
    "huawei/cn-north-4=2:running;name=web-#;tag:env=dev;zone=cn-north-4g;type=s7.large.4;public,"
    "huawei/cn-north-4=1:stopped;name=db-#;tag:env=prod;tag:owner=ops;charge=spot,"
    "huawei/cn-north-4=1:stopped"
)


@case(NAMED)
def names_and_tags(site):
    """tags as `key=value`, zone, flavor, addresses by kind, the number of the payment method"""
    first, third = show(site), show(site, 2)
    expect((first.name, first.os_ext_a_zavailability_zone), ("web-1", "cn-north-4g"))
    expect(first.flavor.id, "s7.large.4")
    expect((first.tags, third.tags), (["env=dev"], ["env=prod", "owner=ops"]))
    (addresses,) = first.addresses.values()
    kinds = [(address.addr, address.os_ext_ip_stype) for address in addresses]
    expect(kinds, [("10.0.0.0", "fixed"), ("198.18.0.0", "floating")])
    expect((first.metadata["charging_mode"], third.metadata["charging_mode"]), ("0", "2"))


@case(NAMED)
def filters_by_facts(site):
    """by tag, missing tag, a part of the name, flavor, a part of the address and the whole address"""
    expect(listed(site, tags="env=dev"), (site.ids[:2], 2))
    expect(listed(site, not_tags="env=dev"), (site.ids[2:], 2))
    expect(listed(site, name="web"), (site.ids[:2], 2))
    expect(listed(site, name="d.-1"), (site.ids[2:3], 1))
    expect(listed(site, flavor="s7.large.4", status="ACTIVE"), (site.ids[:2], 2))
    expect(listed(site, ip="10.0.0"), (site.ids, 4))
    expect(listed(site, ip_eq="10.0.0.3"), (site.ids[3:], 1))
    expect(listed(site, ip_eq="10.0.0"), ([], 0))
    site.switch("ignored-filters", "tags")
    expect(listed(site, tags="none=here"), (site.ids, 4))


# What the cloud refuses.


@case("huawei/cn-north-4=2:stopped")
def not_found(site):
    """404 Ecs.0114 from every call, or Ecs.0614, or itemNotFound with a number as code, or a failed sub-job"""
    gone = site.delete(0)
    expect_refused(lambda: power(site, "start"), 404, "Ecs.0114")
    expect_refused(lambda: power(site, "stop"), 404, "Ecs.0114")
    expect_refused(lambda: power(site, "reboot", "SOFT"), 404, "Ecs.0114")
    expect_refused(lambda: show(site), 404, "Ecs.0114")
    expect(site.executed(1), {})
    site.switch("show-not-found", "ecs-0614")
    site.switch("unknown-server", "ecs-0614")
    expect_refused(lambda: show(site), 404, "Ecs.0614")
    expect_refused(lambda: power(site, "start"), 404, "Ecs.0614")
    site.switch("show-not-found", "item-not-found")
    expect_refused(lambda: show(site), 404, 404)
    site.switch("unknown-server", "sub-job-fails")
    done = ended(site, accepted(power(site, "start")))
    expect(parts(done), [(gone, "FAIL", "Ecs.0114"), (site.ids[1], "SUCCESS", None)])


@case("huawei/cn-north-4=1:stopped")
def unknown_job_and_path(site):
    """400 Common.0011; 404 APIGW.0101 for an API that is not there"""
    expect_refused(lambda: job(site, "0" * 32), 400, "Common.0011")
    other = lambda: client(site).nova_list_servers_details(ecs.NovaListServersDetailsRequest())
    expect_refused(other, 404, "APIGW.0101")


@case(
    "huawei/cn-north-4=1:starting,huawei/cn-north-4=1:stopping,huawei/cn-north-4=1:rebooting,"
    "huawei/cn-north-4=1:changing",
    STILL,
)
def busy(site):
    """501 Ecs.0603, a ServerResponseException, from each; HARD is taken while stopping or rebooting"""
    for id in site.ids:
        for verb, type in [("start", None), ("stop", "SOFT"), ("reboot", "SOFT")]:
            call = lambda: power(site, verb, type, [id])
            expect_refused(call, 501, "Ecs.0603", ServerResponseException)
    accepted(power(site, "reboot", "HARD", site.ids[1:3]))
    expect([site.executed(0), site.executed(3)], [{}, {}])


TROUBLES = {
    "creating": (400, "Ecs.0100"),
    "failed": (400, "Ecs.0100"),
    "recycled": (400, "Ecs.0100"),
    "locked": (400, "Ecs.0605"),
    "expired": (400, "Ecs.0030"),
    "arrears": (403, "Ecs.0003"),
    "no-stock": (400, "Ecs.0319"),
}


@case(",".join(f"huawei/cn-north-4=1:{trouble}" for trouble in TROUBLES))
def trouble(site):
    """wrong state, locked, frozen, restricted account, no capacity: each with its code, at once or as sub-job"""
    codes = [code for _, code in TROUBLES.values()]
    done = ended(site, accepted(power(site, "start")))
    expect([code for _, _, code in parts(done)], codes)
    site.switch("unfit-server", "refused")
    for id, (status_code, code) in zip(site.ids, TROUBLES.values()):
        expect_refused(lambda: power(site, "start", ids=[id]), status_code, code)


@case("huawei/cn-north-4=1:running+broken,huawei/cn-north-4=1:stopped+broken")
def accepted_and_failed(site):
    """a boot that fails is known from the job alone: Ecs.0226 and Ecs.0227"""
    for verb, type, number, code in [
        ("reboot", "SOFT", 0, "Ecs.0227"),
        ("start", None, 1, "Ecs.0226"),
    ]:
        done = ended(site, accepted(power(site, verb, type, [site.ids[number]])))
        expect((done.status, parts(done)), ("FAIL", [(site.ids[number], "FAIL", code)]))


# Who asks.


@case("huawei/cn-north-4=1:stopped")
def wrong_secret(site):
    """401 APIGW.0301 that shows the canonical request; nothing is started"""
    wrong = site.key.with_secret("wrong")
    cause = "verify aksk signature fail, canonicalRequest:POST|/v1/"
    expect_not_authentic(lambda: power(site, "start", key=wrong), cause)
    expect(site.executed(), {})


@case("huawei/cn-north-4=1:stopped")
def unknown_and_revoked_key(site):
    """401 APIGW.0301: ak not exist"""
    credentials = BasicCredentials("unknown", "unknown", site.project_id)
    stranger = ecs.EcsClient.new_builder().with_credentials(credentials).with_endpoint(site.url)
    look = lambda: stranger.build().list_servers_details(ecs.ListServersDetailsRequest())
    expect_not_authentic(look, "Get secretKey failed,ak:unknown,err:ak not exist")
    site.revoke()
    expect_not_authentic(
        lambda: show(site), f"Get secretKey failed,ak:{site.key.id},err:ak not exist"
    )


@case("huawei/cn-north-4=1:stopped")
def locked_key(site):
    """after five failures in a row the good secret is refused too"""
    wrong = site.key.with_secret("wrong")
    for _ in range(5):
        expect_not_authentic(lambda: power(site, "start", key=wrong), "verify aksk signature fail")
    expect_not_authentic(lambda: show(site), "AK access failed to reach the limit, forbidden")


@case("huawei/cn-north-4=1:stopped")
def stale_clock(site):
    """15 minutes are borne; more is 401 APIGW.0301 with both times, in both directions"""
    for seconds in (890, -890):
        site.skew(seconds)
        expect(standing(site)(), "SHUTOFF")
    for seconds in (930, -930):
        site.skew(seconds)
        cause = "calc aksk signature fail:signature expired, signature time:"
        expect_not_authentic(lambda: power(site, "start"), cause)
    expect(site.executed(), {})


@case("huawei/cn-north-4=1:stopped")
def temporary_key(site):
    """a key with its security token is let in; without it or with another: 401 APIGW.0301"""
    key = site.issue("temporary")
    accepted(power(site, "start", key=key))
    cause = "the security token does not belong to the ak"
    for session in (None, "stray"):
        call = lambda: power(site, "stop", key=key.with_session(session))
        expect_not_authentic(call, cause)
    expect(site.executed(), {"starts": 1})


@case("huawei/cn-north-4=1:stopped")
def project(site):
    """400 Ecs.0023 or Common.0018 for a foreign one; without one the SDK looks it up by the region's name"""
    foreign = lambda: power(site, "start", project_id="0" * 32)
    expect_refused(foreign, 400, "Ecs.0023")
    site.switch("wrong-project", "common-0018")
    expect_refused(foreign, 400, "Common.0018")
    credentials = BasicCredentials(site.key.id, site.key.secret).with_iam_endpoint(site.url)
    region = Region("cn-north-4", site.url)
    regional = ecs.EcsClient.new_builder().with_credentials(credentials).with_region(region).build()
    answer = regional.show_server(ecs.ShowServerRequest(server_id=site.ids[0]))
    expect(answer.server.tenant_id, site.project_id)


# Requests signed as the vendor's other tools sign them, by the signer of this one.


@case("huawei/cn-north-4=1:stopped")
def signed_as_go_does(site):
    """x-sdk-date alone is signed, as Go leaves out Content-Type and Host: accepted"""
    unsigned = {"Content-Type": "application/json", "Host": site.host}
    expect_let_in(site, site.key, {}, unsigned)


@case("huawei/cn-north-4=1:stopped")
def signed_as_terraform_does(site):
    """project and security token are added after signing: accepted"""
    key = site.issue("temporary")
    signed = {"Content-Type": "application/json", "Host": site.host}
    unsigned = {"X-Project-Id": site.project_id, "X-Security-Token": key.session}
    expect_let_in(site, key, signed, unsigned)


@case("huawei/cn-north-4=1:stopped")
def signed_in_full(site):
    """every header is signed, with a charset in the content type: accepted"""
    signed = {
        "Content-Type": "application/json;charset=UTF-8",
        "Host": site.host,
        "User-Agent": "interop/1.0",
        "X-Project-Id": site.project_id,
    }
    expect_let_in(site, site.key, signed, {})


class SparseSigner(Signer):
    """The SDK's signer, but it adds no Host to what is signed."""

    @classmethod
    def _process_header_host(cls, request):
        pass


def expect_let_in(site, key, signed, unsigned):
    """Accepted with the right secret; refused with a wrong one and with another body."""
    path = f"/v1/{site.project_id}/cloudservers/action"
    body = json.dumps({"os-start": {"servers": [{"id": site.ids[0]}]}}).encode()
    wrong = key.with_secret("wrong")
    for secret, sent, expected in [(wrong, body, 401), (key, body + b" ", 401), (key, body, 200)]:
        date = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        request = SdkRequest(
            method="POST",
            schema="http",
            host=site.host,
            resource_path=path,
            query_params=[],
            header_params={"X-Sdk-Date": date, **signed},
            body=body,
        )
        SparseSigner(BasicCredentials(secret.id, secret.secret)).sign(request)
        headers = {**request.header_params, **unsigned, "Content-Length": str(len(sent))}
        status_code, answer = site.send("POST", path, headers, sent)
        expect(status_code, expected, answer)
    expect(site.executed(), {"starts": 1})


# When things go wrong on the way.


@case("huawei/cn-north-4=1:stopped")
def throttled(site):
    """429 APIGW.0308 of a POST; asked once, whatever the hint"""
    for hint in (None, 1000):
        site.spoil({"throttled": hint})
        expect_refused(lambda: power(site, "start"), 429, "APIGW.0308")
    expect([answer for _, answer in site.calls()], [429, 429])
    expect(site.executed(), {})


@case("huawei/cn-north-4=1:stopped")
def throttled_while_looking(site):
    """429 of a GET: the SDK loses the gateway's code, text and request id"""
    site.spoil({"throttled": None})
    error = expect_raised(
        ClientRequestException, lambda: show(site), status_code=429, error_code="429"
    )
    assert not error.request_id and "too many 429 error responses" in error.error_msg, error


@case("huawei/cn-north-4=1:stopped")
def throttled_in_other_forms(site):
    """429 and 503 Common.1503 are raised; 202 Common.0024 reads as success without a job"""
    site.switch("throttling", "service-429")
    site.spoil({"throttled": None})
    expect_refused(lambda: power(site, "start"), 429, "Common.1503")
    site.switch("throttling", "service-503")
    site.spoil({"throttled": None})
    expect_refused(lambda: power(site, "start"), 503, "Common.1503", ServerResponseException)
    site.switch("throttling", "flow-limit-202")
    site.spoil({"throttled": None})
    answer = power(site, "start")
    expect((answer.status_code, answer.job_id), (202, None))
    expect(site.executed(), {})


@case("huawei/cn-north-4=1:stopped")
def throttled_and_repeated(site):
    """with retries switched on the SDK repeats a GET until it is let in"""
    site.spoil({"throttled": None}, times=2)
    request = ecs.ShowServerRequest(server_id=site.ids[0])
    expect(client(site, retry_times=2).show_server(request).server.status, "SHUTOFF")
    expect([answer for _, answer in site.calls()], [429, 429, 200])


@case("huawei/cn-north-4=1:stopped")
def server_errors(site):
    """500 Common.0001, 502 and 504 APIGW.0201, 503 APIGW.0601; asked once each"""
    for status_code, code in [
        (500, "Common.0001"),
        (502, "APIGW.0201"),
        (503, "APIGW.0601"),
        (504, "APIGW.0201"),
    ]:
        site.spoil({"error": status_code})
        expect_refused(lambda: power(site, "start"), status_code, code, ServerResponseException)
    expect(len(site.calls()), 4)


@case("huawei/cn-north-4=1:stopped")
def page_of_a_proxy(site):
    """502 with HTML: the status as code, the page as text"""
    site.spoil({"page": 502})
    error = expect_raised(
        ServerResponseException, lambda: power(site, "start"), status_code=502, error_code="502"
    )
    assert error.error_msg.startswith("<html>"), error.error_msg


@case("huawei/cn-north-4=1:running", STILL)
def lost_answer_of_a_reboot(site):
    """a ConnectionException, and the SDK does not repeat: executed once"""
    site.spoil({"lost": {}})
    expect_raised(ConnectionException, lambda: power(site, "reboot", "SOFT"))
    expect(site.executed(), {"reboots": 1})


# Where keys come from.

REGION = "cn-north-4"
AGENCY = "iam::1001:agency:night"
PROVIDER = "iam::1001:oidc-provider:ci"


def regional(site, credentials):
    """A client that is given a region and no project, and so asks IAM for it."""
    credentials._CACHE.clear()  # the SDK remembers projects by key, and all cases have the same one
    credentials.with_iam_endpoint(site.url).with_sts_endpoint(site.url)
    builder = ecs.EcsClient.new_builder().with_credentials(credentials)
    return builder.with_region(Region(REGION, site.url)).build()


def list_servers(client):
    return client.list_servers_details(ecs.ListServersDetailsRequest())


def instance(site):
    """The part of the SDK that asks the metadata service."""
    accessor = MetadataAccessor()
    accessor._METADATA_ENDPOINT = site.url
    return accessor


def expect_good(site, given):
    """The key is good for ECS."""
    key = Key(given.access, given.secret, given.security_token)
    assert key.session, "a temporary key has a token"
    list_servers(client(site, key))


def names(site):
    return [name for name, _ in site.calls()]


@case("huawei/cn-north-4=1:stopped")
def project_is_looked_up(site):
    """with a region and no project the SDK finds the project of the region"""
    credentials = BasicCredentials(site.key.id, site.key.secret)
    expect(list_servers(regional(site, credentials)).count, 1)
    expect(credentials.project_id, site.project_id)
    expect(names(site), ["KeystoneListProjects", "ListServersDetails"])


@case("")
def project_is_missing_or_one_of_several(site):
    """none or two projects: the SDK gives up, and names the two"""
    for count, words in [(0, "Failed to get project id"), (2, "Multiple project ids found")]:
        site.knows(projects=count)
        credentials = BasicCredentials(site.key.id, site.key.secret)
        error = expect_raised(SdkException, lambda: regional(site, credentials))
        assert words in str(error), error
    assert site.project_id in str(error), error


@case("huawei/cn-north-4=1:stopped")
def agency_by_metadata(site):
    """the SDK gets a token and the key of the agency, and works with it"""
    site.knows(metadata="ops")
    expect_good(site, instance(site).get_credential())
    expect(names(site), ["PutMetadataToken", "GetSecurityKey", "ListServersDetails"])


@case("huawei/cn-north-4=1:stopped")
def agency_whatever_the_tokens(site):
    """with tokens absent or required the SDK still gets its key"""
    site.knows(metadata="ops")
    for setting in ["absent-404", "absent-405", "absent-503", "required"]:
        site.switch("metadata-tokens", setting)
        expect_good(site, instance(site).get_credential())


@case("huawei/cn-north-4=1:stopped")
def agency_by_a_stale_token(site):
    """a token that the service does not take is renewed"""
    site.knows(metadata="ops")
    accessor = instance(site)
    accessor._token = "stale"
    expect_good(site, accessor.get_credential())
    expect(names(site)[:3], ["GetSecurityKey", "PutMetadataToken", "GetSecurityKey"])


@case("")
def agency_that_is_not_there(site):
    """a server without an agency: 401 and no second try"""
    site.knows(metadata="")
    error = expect_raised(
        ClientRequestException, instance(site).get_credential, status_code=401
    )
    assert "configure Cloud Service Agency" in error.error_msg, error
    expect(names(site), ["PutMetadataToken", "GetSecurityKey"])


@case("huawei/cn-north-4=1:stopped")
def key_for_an_id_token(site):
    """the SDK exchanges an identity token for a token, and that for a key"""
    site.knows(id_tokens=[["ci", "an.id.token"]])
    with file_with("an.id.token\n") as path:
        credentials = BasicCredentials().with_project_id(site.project_id)
        credentials.with_idp_id("ci").with_id_token_file(path)
        expect(list_servers(regional(site, credentials)).count, 1)
    exchanged = ["CreateTokenWithIdToken", "CreateTemporaryAccessKeyByToken"]
    expect(names(site), [*exchanged, "ListServersDetails"])


@case("")
def id_token_that_is_not_believed(site):
    """401, in both forms that IAM may have"""
    for form, code in [(None, 401), ("flat", "IAM.0011")]:
        if form:
            site.switch("identity-error", form)
        with file_with("an.id.token") as path:
            credentials = BasicCredentials().with_project_id(site.project_id)
            credentials.with_idp_id("ci").with_id_token_file(path)
            call = lambda: list_servers(regional(site, credentials))
            expect_raised(ClientRequestException, call, status_code=401, error_code=code)


@case("huawei/cn-north-4=1:stopped")
def agency_with_an_id_token(site):
    """the SDK assumes an agency with an identity token, unsigned"""
    site.knows(roles=[[AGENCY, None]], id_tokens=[[PROVIDER, "an.id.token"]])
    for token, good in [("an.id.token", True), ("another", False)]:
        credentials = BasicCredentials().with_project_id(site.project_id)
        credentials.sts_accessor = OidcStsAccessor(PROVIDER, AGENCY, token, "interop")
        call = lambda: list_servers(regional(site, credentials))
        if good:
            expect(call().count, 1)
        else:
            expect_raised(SdkException, call)
    expect(names(site)[:2], ["AssumeAgencyWithOIDC", "ListServersDetails"])


@case("huawei/cn-north-4=1:stopped")
def key_that_has_ended(site):
    """APIGW.0301, or APIGW.0307 as for a token"""
    site.knows(metadata="ops", lifetime=1)
    given = instance(site).get_credential()
    time.sleep(2.1)
    key = Key(given.access, given.secret, given.security_token)
    call = lambda: list_servers(client(site, key))
    expect_refused(call, 401, "APIGW.0301")
    site.switch("ended-key", "stale")
    expect_refused(call, 401, "APIGW.0307")
