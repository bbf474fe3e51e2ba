"""Deploys that are killed: the next one finds its way, whatever the first has left behind."""

from __future__ import annotations

import itertools
import json
import os
import random
import secrets
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import plan
from classvm.base.edge import BLUE_GREEN
from classvm.base.names import candidate_name, previous_name
from facts import ROOT

if TYPE_CHECKING:
    from victim import Victim

PROMISE = "the next deploy brings the desired release, alone; nothing is left over"
# A deploy that is killed comes this far at least.
PLAY_SECONDS = 60.0


def heals(victim: Victim) -> str:
    """Return what is promised of a killed deploy."""
    return f"no request fails; {PROMISE}" if victim.strategy == BLUE_GREEN else PROMISE


@plan.slow
def test_a_deploy_killed_at_each_step(victim: Victim) -> None:
    steps: list[str] = []
    silent, wanted = 0, steps_of(victim)
    with victim.attempt("kill -9 of a deploy at each step", heals(victim)) as attempt:
        for step in wanted:
            app = victim.other()
            came = victim.drive("kill", app, "--skip-steady", "--event", str(step))
            if not came["killed"]:
                break
            steps.append(came["events"][step - 1])
            attempt.outcome = f"killed at: {steps[-1]}"
            silent += victim.said() not in {one.name for one in victim.goods}
            victim.heal(app)
        seen = attempt.end()
        attempt.outcome = (
            f"{len(steps)} steps; the service went on answering after {len(steps) - silent} kills,"
            f" and after each next deploy; longest gap {seen.gap:.1f} s"
        )
        # The last step may be the end.
        assert len(steps) >= len(wanted) - 1, steps
        assert not (victim.strategy == BLUE_GREEN and seen.failures), str(seen)


def steps_of(victim: Victim) -> range:
    """Return the steps at which a deploy is killed.

    Up to the swap, both strategies do the same; `blue_green` is killed from there on.
    """
    events = not_killed(victim)["events"]
    swap = next(step for step, event in enumerate(events, 1) if event.startswith("rename"))
    return range(swap if victim.strategy == BLUE_GREEN else 1, len(events) + 1)


def not_killed(victim: Victim) -> dict[str, Any]:
    """Return what is seen of a deploy that nobody kills; the instrument itself is tried by it."""
    app = victim.other()
    came = victim.drive("kill", app, "--skip-steady")
    assert not came["killed"], came
    assert json.loads(came["said"])["error"] == "", came
    assert len(came["events"]) >= 8, came
    victim.assert_live(app)
    return came


def test_a_deploy_killed_at_any_moment(victim: Victim) -> None:
    seed = secrets.randbelow(10_000)
    chance = random.Random(seed)  # noqa: S311 - no secret
    took = not_killed(victim)["seconds"]
    kills = 0
    with victim.attempt(
        f"kill -9 of a deploy at {plan.KILLS} random moments", heals(victim)
    ) as attempt:
        for tried in itertools.count(1):
            assert tried <= 2 * plan.KILLS, attempt.outcome
            app, after = victim.other(), chance.uniform(0.1, took)
            attempt.outcome = f"killed after {after:.2f} s of {took:.2f} s (seed {seed})"
            kills += victim.drive("kill", app, "--skip-steady", "--after", f"{after:.3f}")["killed"]
            victim.heal(app, fully=kills == plan.KILLS)
            if kills == plan.KILLS:
                break
        seen = attempt.end()
        attempt.outcome = f"of {tried} deploys (seed {seed}); longest gap {seen.gap:.1f} s"
        assert not (victim.strategy == BLUE_GREEN and seen.failures), str(seen)


def test_a_control_process_that_is_killed(victim: Victim) -> None:
    service = str(victim.facts["service_name"])
    moments = (candidate_name(service), previous_name(service))[: plan.CONTROL_KILLS]
    with victim.attempt(
        f"kill -9 of {plan.CONTROL_KILLS} control processes during a deploy", heals(victim)
    ) as attempt:
        for moment in moments:
            app = victim.other()
            words = victim.words("release", victim.variables(app))
            with subprocess.Popen(
                words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as playing:
                deadline = time.monotonic() + PLAY_SECONDS
                while playing.poll() is None and moment not in victim.containers():
                    assert time.monotonic() < deadline
                os.kill(playing.pid, signal.SIGKILL)
                assert playing.wait() == -signal.SIGKILL, "it has ended before it was killed"
            victim.heal(app, fully=moment == moments[-1])
        seen = attempt.end()
        attempt.outcome = f"healed by the next deploy; longest gap {seen.gap:.1f} s"
        assert not (victim.strategy == BLUE_GREEN and seen.failures), str(seen)
