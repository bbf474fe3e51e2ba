"""What the clients notice of a service at rest, and of one release after the other."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import plan
from classvm.base.edge import BLUE_GREEN

if TYPE_CHECKING:
    from victim import Victim

# What `recreate` aims at, and what it has to keep.
AIM_SECONDS, LONGEST_SECONDS = 1.0, 4.0
# p99 while releases change beside that at rest, for `blue_green`.
SLOWER = 2.0


def test_nobody_fails_while_nothing_happens(victim: Victim) -> None:
    with victim.attempt("nothing", "no request fails") as attempt:
        time.sleep(plan.STEADY_SECONDS)
        victim.steady = seen = attempt.end()
        attempt.outcome = f"p50 {seen.p50 * 1000:.0f} ms, p99 {seen.p99 * 1000:.0f} ms"
        assert seen.failures == 0, f"{seen}{victim.evidence()}"
        assert seen.retried == 0, str(seen)


def test_redeploys_in_a_row(victim: Victim) -> None:
    lossless = victim.strategy == BLUE_GREEN
    promise = (
        f"no request fails; p99 at most {SLOWER:g} times that at rest"
        if lossless
        else f"a gap of at most {LONGEST_SECONDS:g} s (aim: {AIM_SECONDS:g} s)"
    )
    gaps, before = [], len(victim.history())
    with victim.attempt(f"{plan.REDEPLOYS} redeploys in a row", promise) as attempt:
        for _ in range(plan.REDEPLOYS):
            with victim.load.watch() as watch:
                redeploy(victim, skip_steady=not lossless)
            gaps.append(watch.seen.gap)
        seen = attempt.end()
        at_host = [entry["gap"] for entry in victim.history()[before:]]
        attempt.outcome = (
            f"gap {statistics.median(gaps):.2f} s (median), {max(gaps):.2f} s (maximum);"
            f" as the host saw it {statistics.median(at_host):.2f} s, {max(at_host):.2f} s;"
            f" p99 {seen.p99 * 1000:.0f} ms, at rest {victim.steady.p99 * 1000:.0f} ms"
        )
        assert len(at_host) == plan.REDEPLOYS
        if lossless:
            assert seen.failures == 0, str(seen)
            # A few redeploys measure nothing: `make test` does not fail for its machine's sake.
            assert plan.QUICK or seen.p99 <= SLOWER * victim.steady.p99, attempt.outcome
        assert plan.QUICK or max(gaps) <= LONGEST_SECONDS, gaps


def redeploy(victim: Victim, *, skip_steady: bool) -> None:
    """Release without Ansible, which in a lab takes its time from the VM's own processors."""
    app = victim.other()
    came = victim.drive("release", app, *(["--skip-steady", "--unchecked"] if skip_steady else []))
    assert came["error"] == "", f"{came['error']}{victim.evidence()}"
    assert victim.said() == app.name, victim.evidence()
