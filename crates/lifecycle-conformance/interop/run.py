"""Runs the vendors' own Python SDKs against the simulated clouds.

    python run.py [--cloud NAME]... [--case WORD] -- COMMAND OF interop-server

One line for each case: cloud, case, `ok` or `failed`, what was expected. Exit code 0 when all cases are
ok, 1 otherwise. `cargo xtask interop` prepares the SDKs and starts this.
"""

import argparse
import importlib
import logging
import os
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

from support import Simulator, cases_of

CLOUDS = ["baidu", "aliyun", "zenlayer", "huawei"]


def main():
    arguments = read_arguments()
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]  # the simulator is on this machine
    logging.disable(logging.CRITICAL)  # the SDKs log what a case provokes
    with ThreadPoolExecutor(len(arguments.cloud)) as pool:
        runs = [pool.submit(run_cloud, cloud, arguments) for cloud in arguments.cloud]
        tallies = [run.result() for run in runs]
    return summary(tallies)


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cloud", action="append", choices=CLOUDS, help="only this cloud")
    parser.add_argument("--case", default="", help="only cases with this in their name")
    parser.add_argument("server", nargs="+", help="the command that starts the simulator")
    arguments = parser.parse_args()
    arguments.cloud = arguments.cloud or CLOUDS
    return arguments


def run_cloud(cloud, arguments):
    """Runs the cases of one cloud and prints them; gives cloud, cases that are ok, and cases."""
    cases = [
        case for case in cases_of(importlib.import_module(cloud)) if arguments.case in case.__name__
    ]
    simulator = Simulator(arguments.server)
    try:
        passed = sum(run_case(cloud, case, simulator) for case in cases)
    finally:
        simulator.close()
    return cloud, passed, len(cases)


def run_case(cloud, case, simulator):
    """Runs one case in clouds of its own; was it ok?"""
    expected = case.__doc__.strip().splitlines()[0]
    begin = time.monotonic()
    try:
        case(simulator.serve(cloud, case.fleet, case.speed))
    except Exception:  # noqa: BLE001 - an SDK may raise anything
        line, trouble = "failed", "\n" + traceback.format_exc().rstrip()
    else:
        line, trouble = "ok", ""
    took = time.monotonic() - begin
    print(f"{cloud:<9}{case.__name__:<46}{line:<7}{took:5.1f} s  {expected}{trouble}", flush=True)
    return line == "ok"


def summary(tallies):
    """Prints the last lines; gives the exit code."""
    print()
    for cloud, passed, cases in tallies:
        print(f"interop: {cloud:<9}{passed} ok, {cases - passed} failed")
    passed = sum(passed for _, passed, _ in tallies)
    cases = sum(cases for _, _, cases in tallies)
    print(f"interop: {passed} ok, {cases - passed} failed")
    return 0 if cases and passed == cases else 1


if __name__ == "__main__":
    sys.exit(main())
