"""Deploys that are killed: the next deploy succeeds, whatever the killed one has left behind."""

from __future__ import annotations

import functools
import itertools
import json
import random
import secrets
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

from classvm.base import state
from classvm.base.edge import BLUE_GREEN, RECREATE
from classvm.base.names import candidate_name, previous_name
from faults import plan
from faults.target import until
from infra import scope
from infra.expected import ROOT

if TYPE_CHECKING:
    from faults.target import Target

PROMISE = (
    "no request fails; the next deploy makes the desired release live, alone; nothing is left over"
)
# Seconds within which a deploy reaches the moment at which it is killed, at the pace 1.
PLAY_SECONDS = 60.0
# A kill comes too late where the deploy has ended before; then it is tried again, this many times.
TRIES = 5


@scope.slow
def test_a_deploy_killed_at_each_step(target: Target) -> None:
    killed: list[str] = []
    silent, steps = 0, steps_of(target)
    with target.attempt("kill -9 of a deploy at each step", PROMISE) as attempt:
        for step in steps:
            event, answered = kill_at(target, step)
            if event:
                killed.append(event)
                silent += not answered
                attempt.outcome = f"killed at: {event}"
        seen = attempt.end()
        attempt.outcome = (
            f"{len(killed)} steps; the service still answered after {len(killed) - silent} kills,"
            f" and after each next deploy; longest gap {seen.gap:.1f} s"
        )
        # After the last event, the deploy may end before the kill.
        assert len(killed) >= len(steps) - 1, killed
        assert not seen.failures, str(seen)


def kill_at(target: Target, step: int) -> tuple[str, bool]:
    """Kill a deploy at a step, and redeploy.

    Returns the step's event, "" when each deploy ended before the kill, and whether the service
    answered after the kill.
    """
    for _ in range(TRIES):
        app = target.other()
        outcome = target.drive("kill", app, "--skip-steady", "--event", str(step))
        answered = target.message() in {one.name for one in target.good_apps}
        if outcome["killed"]:
            target.redeploy(app)
            return str(outcome["events"][step - 1]), answered
    return "", True


def steps_of(target: Target) -> range:
    """Return the steps at which a deploy is killed, as numbers of events.

    Up to the swap, both strategies do the same; with `blue_green`, only the steps from there on.
    """
    events = not_killed(target)["events"]
    swap = next(step for step, event in enumerate(events, 1) if event.startswith("rename"))
    return range(swap if target.strategy == BLUE_GREEN else 1, len(events) + 1)


def not_killed(target: Target) -> dict[str, Any]:
    """Return the outcome of a deploy without a kill, which also tests the driver itself."""
    app = target.other()
    outcome = target.drive("kill", app, "--skip-steady")
    assert not outcome["killed"], outcome
    assert json.loads(outcome["output"])["error"] == "", outcome
    assert len(outcome["events"]) >= 8, outcome
    target.assert_live(app)
    return outcome


def test_a_deploy_killed_at_any_moment(target: Target) -> None:
    seed = secrets.randbelow(10_000)
    chance = random.Random(seed)  # noqa: S311 - no secret
    took = not_killed(target)["seconds"]
    kills = 0
    with target.attempt(f"kill -9 of a deploy at {plan.KILLS} random moments", PROMISE) as attempt:
        for tried in itertools.count(1):
            assert tried <= TRIES * plan.KILLS, attempt.outcome
            app, after = target.other(), chance.uniform(0.1, took)
            attempt.outcome = f"killed after {after:.2f} s of {took:.2f} s (seed {seed})"
            outcome = target.drive("kill", app, "--skip-steady", "--after", f"{after:.3f}")
            if not outcome["killed"]:
                # This one was faster than the deploy that was measured.
                took = min(took, outcome["seconds"])
            kills += outcome["killed"]
            target.redeploy(app, fully=kills == plan.KILLS)
            if kills == plan.KILLS:
                break
        seen = attempt.end()
        attempt.outcome = f"of {tried} deploys (seed {seed}); longest gap {seen.gap:.1f} s"
        assert not seen.failures, str(seen)


@scope.slow
def test_a_reboot_after_a_kill(target: Target) -> None:
    """The former release has stopped, the next one has not started: the engine starts that one."""
    target.require(RECREATE)
    former = previous_name(str(target.facts["service_name"]))
    promise = "a release is live after the reboot; the next deploy is as any other"
    fault = "kill -9 of a deploy in the middle of its swap, then a reboot"
    with target.attempt(fault, promise) as attempt:
        step = not_killed(target)["events"].index(f"stop {former}") + 1
        outcome = target.drive("kill", target.other(), "--skip-steady", "--event", str(step))
        assert outcome["killed"], outcome
        assert former in target.containers()
        target.reboot()
        until(lambda: target.message() in {one.name for one in target.good_apps}, target.evidence)
        after = target.message()
        target.redeploy(next(one for one in target.good_apps if one.name != after))
        seen = attempt.end()
        attempt.outcome = f"{after} was live after the reboot; longest gap {seen.gap:.1f} s"


def test_a_control_process_that_is_killed(target: Target) -> None:
    service = str(target.facts["service_name"])
    containers = (candidate_name(service), previous_name(service))[: plan.CONTROL_KILLS]
    with target.attempt(
        f"kill -9 of {plan.CONTROL_KILLS} control processes during a deploy", PROMISE
    ) as attempt:
        for container in containers:
            kills = (kill_control_process(target, container) for _ in range(TRIES))
            assert any(kills), f"each deploy ended before {container} was seen"
            # Nobody waits for the check of a candidate any more; a swap goes to its end.
            if container == candidate_name(service):
                until(functools.partial(is_gone, target, container), target.evidence)
            target.redeploy(target.other(), fully=container == containers[-1])
        seen = attempt.end()
        attempt.outcome = f"the next deploy succeeded; longest gap {seen.gap:.1f} s"
        assert not seen.failures, str(seen)


def is_gone(target: Target, container: str) -> bool:
    """Tell whether the host has removed a container."""
    return container not in target.containers()


def kill_control_process(target: Target, container: str) -> bool:
    """Kill Ansible during a deploy as soon as a container exists; False if it ended before."""
    argv = target.play_argv("release", target.variables(target.other()))
    with subprocess.Popen(
        argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as playing:
        deadline = time.monotonic() + PLAY_SECONDS * target.pace
        while playing.poll() is None and container not in target.containers():
            assert time.monotonic() < deadline, f"{container} was not there{target.evidence()}"
        # Does nothing where the process has ended.
        playing.kill()
        return playing.wait() == -signal.SIGKILL


def test_what_ends_a_swap_in_the_background_is_killed(target: Target) -> None:
    promise = f"{PROMISE.partition(';')[0]}; the next deploy makes the desired release live, alone"
    fault = f"kill -9 of what ends {plan.BACKGROUND_KILLS} swaps in the background"
    kills = 0
    with target.attempt(fault, promise) as attempt:
        for _ in range(plan.BACKGROUND_KILLS):
            app = target.other()
            target.release(app, service_background=True)
            kills += kill_holder(target)
            assert target.message() in {one.name for one in target.good_apps}, target.evidence()
            target.redeploy(app)
        seen = attempt.end()
        attempt.outcome = f"{kills} were at work still; longest gap {seen.gap:.1f} s"
        assert kills, attempt.outcome
        assert not seen.failures, str(seen)


def kill_holder(target: Target) -> bool:
    """Kill the process that holds the lock of the releases; return whether there was one."""
    lock = f"{target.state_dir}/{state.LOCK}"
    is_free = target.vm.root("flock --shared --nonblock %s true", lock).rc == 0
    if not is_free:
        # Its line begins with "process 4711 of".
        target.vm.read("kill -9 $(cut -d' ' -f2 %s)", lock)
    return not is_free
