"""Start-up beside the vendors' SDKs: new processes, timed one after the other.

`startup.py PROGRAM` starts simulated clouds with the command at PROGRAM and times, in turns, the command and
Python programs that list the same instances of one region through the SDK of the cloud. Printed are the medians
of wall-clock time and of processor time, which depends less on other programs.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

REGIONS = {
    "baidu": "bj",
    "aliyun": "cn-hangzhou",
    "zenlayer": "global",
    "huawei": "cn-north-4",
}
INSTANCES = 10


def list_baidu(url, key, secret, _project):
    from baidubce.auth.bce_credentials import BceCredentials
    from baidubce.bce_client_configuration import BceClientConfiguration
    from baidubce.services.bcc.bcc_client import BccClient

    configuration = BceClientConfiguration(credentials=BceCredentials(key, secret), endpoint=url)
    return len(BccClient(configuration).list_instances().instances)


def list_aliyun(url, key, secret, _project):
    from alibabacloud_ecs20140526 import models
    from alibabacloud_ecs20140526.client import Client
    from alibabacloud_tea_openapi.utils_models import Config

    region = REGIONS["aliyun"]
    host = url.removeprefix("http://")
    config = Config(
        access_key_id=key,
        access_key_secret=secret,
        region_id=region,
        endpoint=host,
        protocol="http",
    )
    request = models.DescribeInstancesRequest(region_id=region)
    return len(Client(config).describe_instances(request).body.instances.instance)


def list_zenlayer(url, key, secret, _project):
    from zenlayercloud.common.config import Config
    from zenlayercloud.common.credential import Credential
    from zenlayercloud.zec.v20250901 import models
    from zenlayercloud.zec.v20250901.zec_client import ZecClient

    config = Config(scheme="http", domain=url.removeprefix("http://"))
    client = ZecClient(Credential(key, secret), config)
    return len(client.DescribeInstances(models.DescribeInstancesRequest()).dataSet)


def list_huawei(url, key, secret, project):
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkecs import v2 as ecs

    credentials = BasicCredentials(key, secret, project)
    client = ecs.EcsClient.new_builder().with_credentials(credentials).with_endpoint(url).build()
    return len(client.list_servers_details(ecs.ListServersDetailsRequest()).servers)


LISTS = {
    "baidu": list_baidu,
    "aliyun": list_aliyun,
    "zenlayer": list_zenlayer,
    "huawei": list_huawei,
}


def timed(command, environment, expected):
    """Returns wall-clock and processor seconds of one process whose output has so many lines."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = done.stdout.splitlines()
    if done.returncode != 0 or len(lines) != expected:
        sys.exit(f"{command}: exit {done.returncode}, {len(lines)} lines: {done.stderr}")
    processor = sum(getattr(after, name) - getattr(before, name) for name in ("ru_utime", "ru_stime"))
    return wall, processor


def environment(simulated, home):
    """Keys of all clouds, and nothing of the user."""
    key, secret = simulated["access_key"], simulated["secret_key"]
    pairs = {
        "BCE_ACCESS_KEY_ID": key,
        "BCE_SECRET_ACCESS_KEY": secret,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": key,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret,
        "ZENLAYERCLOUD_SECRET_KEY_ID": key,
        "ZENLAYERCLOUD_SECRET_KEY_PASSWORD": secret,
        "HUAWEICLOUD_SDK_AK": key,
        "HUAWEICLOUD_SDK_SK": secret,
        "HUAWEICLOUD_SDK_PROJECT_ID": simulated["project_id"],
    }
    return {"PATH": os.environ["PATH"], "HOME": home, **pairs}


def rows(program, simulated, home):
    """Each row: what is timed, the command and its lines, the SDK's program and its lines."""
    url = simulated["url"]
    python = [sys.executable, "-B", os.path.abspath(__file__)]
    key = [url, simulated["access_key"], simulated["secret_key"], simulated["project_id"]]
    yield "start, no call (SDK of Zenlayer)", ([program, "--version"], 1), ([*python, "--import"], 1)
    for cloud, region in REGIONS.items():
        command = [program, "list", f"{cloud}/{region}", "--endpoint", url, "--output", "ids"]
        yield f"list {cloud}", (command, INSTANCES), ([*python, "--list", cloud, *key], 1)


def measure(program, runs):
    fleet = ",".join(f"{cloud}/{region}={INSTANCES}" for cloud, region in REGIONS.items())
    server = subprocess.Popen(
        [program, "simulate", "--listen", "127.0.0.1:0", "--fleet", fleet],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        simulated = json.loads(server.stdout.readline())
        home = os.path.expanduser("~")
        variables = environment(simulated, home)
        print(f"load {os.getloadavg()[0]:.0f}, medians of {runs} processes each, ms")
        print()
        print("| what | command | CPU | Python SDK | CPU | / command | CPU / command |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for what, own, sdk in rows(program, simulated, home):
            times = {}
            # In turns, so that both see the same load. The first two processes only fill the caches.
            for run in range(-1, runs):
                for who, (command, lines) in (("own", own), ("sdk", sdk)):
                    times.setdefault(who, []).append(timed(command, variables, lines))
            own_wall, own_cpu, sdk_wall, sdk_cpu = (
                statistics.median(values) * 1000
                for who in ("own", "sdk")
                for values in zip(*times[who][1:])
            )
            print(
                f"| {what} | {own_wall:.1f} | {own_cpu:.1f} | {sdk_wall:.0f} | {sdk_cpu:.0f} |"
                f" {sdk_wall / own_wall:.0f} | {sdk_cpu / own_cpu:.0f} |",
                flush=True,
            )
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", nargs="?", help="the command lifecycle")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--import", dest="imports", action="store_true")
    parser.add_argument("--list", nargs=5, metavar=("CLOUD", "URL", "KEY", "SECRET", "PROJECT"))
    args = parser.parse_args()
    if args.imports:
        # The SDK with the fewest packages: what a program in Python pays before a call.
        import zenlayercloud.zec.v20250901.zec_client as client

        print(client.__name__)
    elif args.list:
        cloud, *rest = args.list
        count = LISTS[cloud](*rest)
        if count != INSTANCES:
            sys.exit(f"{cloud}: {count} instances")
        print(count)
    else:
        measure(args.program, args.runs)


if __name__ == "__main__":
    main()
