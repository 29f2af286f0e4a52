"""Shared parts of the scripts: cases, the simulator process and assertions.

A case is a function with one argument, the simulated cloud, marked with `@case`. The first line of its
docstring is the expected result, which the report prints.
"""

import http.client
import json
import os
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass

# Divisors of the simulator's durations (a boot takes about 30 s) for a case that ...
QUICK = 500.0  # ... waits for the final state only,
WATCHED = 10.0  # ... observes every state of the transition,
STILL = 1.0  # ... keeps an instance in a transition.


def case(fleet, speed=QUICK):
    """Marks a case, which gets new clouds with these instances."""

    def mark(function):
        function.fleet, function.speed = fleet, speed
        return function

    return mark


def cases_of(module):
    """Returns the cases of a module in the order of definition."""
    return [value for value in vars(module).values() if hasattr(value, "fleet")]


# Assertions.


def expect(actual, expected, what="value"):
    assert actual == expected, f"{what}: expected {expected!r}, got {actual!r}"


def expect_shape(pattern, text, what):
    """Checks that a compiled pattern matches the whole `text`."""
    assert isinstance(text, str) and pattern.fullmatch(text), f"{what}: odd {text!r}"


def expect_raised(kind, call, **fields):
    """Checks that `call` raises exactly a `kind` with these attributes; returns the exception."""
    try:
        value = call()
    except Exception as error:  # noqa: BLE001 - an SDK may raise anything
        described = f"{type(error).__name__}: {error}"
        assert type(error) is kind, f"expected {kind.__name__}, got {described}"
        for name, expected in fields.items():
            expect(getattr(error, name), expected, f"{name} of {described}")
        return error
    raise AssertionError(f"expected {kind.__name__}, but it returned {value!r}")


@contextmanager
def file_with(text):
    """A file with this text, for as long as it is needed; gives its path."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "token")
        with open(path, "w") as file:
            file.write(text)
        yield path


def expect_passing(read, *states):
    """`read()` must show exactly these states, one after the other, and stay with the last one."""
    seen = []
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        state = read()
        if not seen or seen[-1] != state:
            seen.append(state)
        if state == states[-1] and len(seen) >= len(states):
            break
        time.sleep(0.02)
    expect(tuple(seen), states, "states on the way")
    expect(read(), states[-1], "state afterwards")


def expect_end(read, state):
    """`read()` must show this state before long."""
    deadline = time.monotonic() + PATIENCE
    while (seen := read()) != state and time.monotonic() < deadline:
        time.sleep(0.02)
    expect(seen, state, "state in the end")


PATIENCE = 30.0


# What is asked.


@dataclass(frozen=True)
class Key:
    """An access key of the simulator, or a bearer token."""

    id: str = None
    secret: str = None
    session: str = None
    token: str = None

    def with_secret(self, secret):
        return Key(self.id, secret, self.session)

    def with_session(self, session):
        return Key(self.id, self.secret, session)


class Simulator:
    """A running `interop-server`, which lists its commands in `command.rs`."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, do, **fields):
        """Sends one command and gives its answer."""
        self.process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the simulator ended")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{do}: {answer['error']}")
        return answer

    def serve(self, cloud, fleet, speed):
        """New clouds; the one named `cloud` is what a case is about."""
        return Site(self, cloud, self.ask("serve", fleet=fleet, speed=speed))

    def close(self):
        """Ends the process, which ends with its input."""
        self.process.stdin.close()
        self.process.wait(timeout=10)


class Site:
    """One simulated cloud, as a case sees it."""

    def __init__(self, simulator, cloud, introduction):
        self._simulator = simulator
        self.cloud = cloud
        self.url = introduction["url"]
        self.host = self.url.removeprefix("http://")
        self.key = Key(**introduction["keys"][cloud])
        self.project_id = introduction["project_id"]
        self.references = introduction["instances"]
        self.ids = [reference.rsplit("/", 1)[1] for reference in self.references]

    def issue(self, kind):
        """A further key: `permanent`, `temporary` or `token`."""
        return Key(**self._ask("issue", kind=kind))

    def revoke(self):
        """Takes back every key issued so far."""
        self._ask("revoke")

    def knows(self, **what):
        """Sets what the identity services know: `roles`, `id_tokens`, `metadata`, `lifetime`, `projects`."""
        self._ask("identity", **what)

    def skew(self, seconds):
        """Lets the cloud's clock run ahead, which makes the client's one late."""
        self._ask("skew", seconds=seconds)

    def throttle(self, calls):
        """Takes so many calls in each minute."""
        self._ask("throttle", calls=calls)

    def spoil(self, how, times=1, call=None):
        """Lets the next calls go wrong; `how` is one of the ways of `command.rs`."""
        self._ask("spoil", how=how, times=times, call=call)

    def switch(self, name, value):
        """Changes how the cloud behaves where its documents are silent."""
        self._simulator.ask("switch", name=f"{self.cloud}.{name}", value=value)

    def delete(self, number):
        """Takes an instance away; gives its id."""
        self._simulator.ask("delete", instance=self.references[number])
        return self.ids[number]

    def executed(self, number=0):
        """What the cloud really executed on an instance, in words: `{"stops": 1, "forced_stops": 1}`."""
        counts = self._simulator.ask("executed", instance=self.references[number])
        return {word: count for word, count in counts.items() if count}

    def calls(self):
        """Name and status of every call that the cloud has received."""
        return [tuple(call) for call in self._ask("calls")["calls"]]

    def send(self, method, target, headers, body=b""):
        """Sends a request as it is, past the SDK; gives status and body of the answer."""
        connection = http.client.HTTPConnection(self.host, timeout=10)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def _ask(self, do, **fields):
        return self._simulator.ask(do, cloud=self.cloud, **fields)
