"""What clients notice of a service at rest, and of one release after the other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from classvm.base.edge import BLUE_GREEN, RECREATE
from faults import plan
from faults.load import gap_summary
from infra import scope

if TYPE_CHECKING:
    from faults.load import Seen
    from faults.target import Target

# p99 with `blue_green` while releases change, as a multiple of that at rest.
SLOWER = 2.0


def test_no_request_fails_at_rest(target: Target) -> None:
    with target.attempt("nothing", "no request fails") as attempt:
        time.sleep(plan.REST_SECONDS)
        target.at_rest = seen = attempt.end()
        attempt.outcome = f"p50 {seen.p50 * 1000:.0f} ms, p99 {seen.p99 * 1000:.0f} ms"
        assert seen.requests > plan.REST_SECONDS, str(seen)
        assert seen.failures == 0, f"{seen}{target.evidence()}"
        assert seen.retried == 0, str(seen)


def test_redeploys_in_a_row(target: Target) -> None:
    redeploys = plan.REDEPLOYS[target.strategy]
    fault = f"{redeploys} redeploys in a row"
    gaps, before = [], len(target.history())
    with target.attempt(fault, "no request fails") as attempt:
        for _ in range(redeploys):
            with target.load.watch() as watch:
                redeploy(target, skip_steady=target.strategy == RECREATE)
            gaps.append(watch.seen.gap)
        seen = attempt.end()
        at_host = [entry["gap"] for entry in target.history()[before:]]
        slow, usual = (f"{one.p99 * 1000:.0f} ms" for one in (seen, target.at_rest))
        attempt.outcome = (
            f"gap {gap_summary(gaps)}; as the host saw it {gap_summary(at_host)};"
            f" p99 {slow}, at rest {usual}"
        )
        assert len(at_host) == redeploys
        assert seen.failures == 0, f"{seen}{target.evidence()}"
    if target.strategy == BLUE_GREEN:
        compare_latency(target, fault, seen)


def compare_latency(target: Target, fault: str, seen: Seen) -> None:
    """Compare the latency during redeploys with that at rest, before and after them.

    With SCOPE=quick, there are too few requests for a p99: the row is not asserted.
    """
    rest, kept = target.at_rest.p99, None
    if not scope.QUICK:
        with target.load.watch() as watch:
            time.sleep(plan.REST_SECONDS)
        rest = max(rest, watch.seen.p99)
        kept = seen.p99 <= SLOWER * rest
    outcome = f"p99 {seen.p99 * 1000:.0f} ms, at rest {rest * 1000:.0f} ms"
    promise = f"p99 at most {SLOWER:g} times that at rest"
    target.note(f"{fault}: latency", promise, outcome, seen, kept=kept)
    assert kept is not False, outcome


def redeploy(target: Target, *, skip_steady: bool) -> None:
    """Release with the driver: in a lab, Ansible would use the VM's own processors."""
    app = target.other()
    options = ["--skip-steady", "--unchecked"] if skip_steady else []
    outcome = target.drive("release", app, *options)
    assert outcome["error"] == "", f"{outcome['error']}{target.evidence()}"
    assert target.message() == app.name, target.evidence()
