"""One client that takes what it can get: the others hardly notice."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from classvm.base.edge import BLUE_GREEN, RECREATE
from faults import bad_client, plan
from infra import scope

if TYPE_CHECKING:
    from faults.target import Target
    from infra.vm import Vm

UNIT = "classvm-bad-client"
# It ends by itself.
MOST_SECONDS = 120
# Until all of its connections are open.
BEGIN_SECONDS = 3
# The p99 of the others, as a multiple of that at rest; less than NOTICED_SECONDS counts as that.
# Behind HAProxy each request passes Docker's proxy for the loopback address, too, which is the
# first to run out of processor.
MOST_DELAY = {RECREATE: 3, BLUE_GREEN: 10}
NOTICED_SECONDS = 0.005
PROMISE = "no request of the others fails; p99 of theirs at most {} times that at rest"
CLIENTS = {
    "2,000 silent connections of one client": (bad_client.SILENT, 2000),
    "one client sends 200 requests a byte a second": (bad_client.SLOW, 200),
    "one client asks over 8 connections without a pause": (bad_client.GREEDY, 8),
}


@contextlib.contextmanager
def beside(neighbour: Vm, target: Target, kind: str, count: int) -> Iterator[None]:
    """Have the neighbour be a bad client."""
    script = Path(bad_client.__file__).read_text(encoding="utf-8")
    words = [kind, str(count), target.load.address, str(target.load.port), target.load.paths.page]
    limits: dict[str, object] = {"RuntimeMaxSec": MOST_SECONDS, "LimitNOFILE": 10000}
    # A real one has processors of its own: it takes none from the service.
    limits["CPUSchedulingPolicy"] = "idle"
    properties = " ".join(f"--property {name}={value}" for name, value in limits.items())
    start = f"systemd-run --quiet --collect --unit {UNIT} {properties} python3 -c %s"
    neighbour.read(" ".join([start, *["%s"] * len(words)]), script, *words)
    try:
        yield
    finally:
        neighbour.root(f"systemctl stop {UNIT}")


def held(neighbour: Vm, target: Target) -> int:
    """Return how many connections the neighbour has to the service."""
    listed = neighbour.read(f"ss -Htn state established dst {target.load.address}")
    return sum(f":{target.load.port}" in line for line in listed.splitlines())


@scope.slow
@pytest.mark.parametrize("name", CLIENTS)
def test_a_bad_client(target: Target, neighbour: Vm, name: str) -> None:
    kind, count = CLIENTS[name]
    most = MOST_DELAY[target.strategy]
    with target.load.watch() as rest:
        time.sleep(plan.REST_SECONDS)
    with beside(neighbour, target, kind, count):
        time.sleep(BEGIN_SECONDS)
        connections = held(neighbour, target)
        with target.attempt(name, PROMISE.format(most)) as attempt:
            time.sleep(plan.REST_SECONDS)
            seen = attempt.end()
            attempt.outcome = (
                f"p50 {seen.p50 * 1000:.0f} ms, p99 {seen.p99 * 1000:.0f} ms; at rest"
                f" {rest.seen.p50 * 1000:.0f} ms, {rest.seen.p99 * 1000:.0f} ms;"
                f" {connections} connections held"
            )
            assert neighbour.read(f"systemctl is-active {UNIT}").strip() == "active"
            assert connections > 0
            assert seen.failures == 0, f"{seen}{target.evidence()}"
            assert seen.p99 <= most * max(rest.seen.p99, NOTICED_SECONDS), str(seen)
