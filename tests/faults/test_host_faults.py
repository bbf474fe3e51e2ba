"""Faults of a class VM: it recovers by itself, and a deploy meanwhile does no harm."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from classvm.base.edge import BLUE_GREEN, RECREATE
from classvm.image.image_labels import LABEL_SERVICE
from faults import apps
from faults.target import ASIDE, Target
from infra import scope
from infra.expected import ROOT

if TYPE_CHECKING:
    from faults.faults import Fault

ANSWER_SECONDS = 60.0

UNIT = "classvm-faults-fill"
DISK_PROMISE = "refused before the live release is touched, no request fails"


def test_a_fault(target: Target, fault: Fault) -> None:
    target.require(fault.strategy)
    target.wait_until_healthy()
    release = target.live().release
    names = {
        "CONTAINER": target.facts.container,
        "PID": target.pid(),
        "PACKAGE": str(target.facts["docker_package"]),
    }
    exports = "".join(f"{name}={shlex.quote(value)}; " for name, value in names.items())
    with target.attempt(fault.name, fault.promised(target.strategy)) as attempt:
        target.vm.read("sh -c %s", exports + fault.script)
        target.wait_until_healthy()
        # If it only seems healthy, requests fail within the next second.
        time.sleep(1)
        seen = attempt.end()
        attempt.outcome = f"longest gap {seen.gap:.2f} s"
        assert target.live().release == release, target.evidence()
        within = fault.within * target.pace
        assert seen.healthy_after <= within, f"{seen}{target.evidence()}"
        if fault.only_in_flight_may_fail(target.strategy):
            assert seen.only_cut_at_one_moment, f"{seen.apart:.2f} s apart: {seen}"


@scope.slow
def test_a_container_that_docker_kill_ends_comes_back_with_the_next_deploy(target: Target) -> None:
    target.require(RECREATE)
    app = next(one for one in target.good_apps if one.name == target.message())
    promise = "the engine takes it for a deliberate stop; the next deploy starts the container"
    with target.attempt("docker kill of the container", promise) as attempt:
        target.vm.docker.check("kill", target.facts.container)
        attempt.outcome = "the next deploy did not start it"
        target.redeploy(app, fully=True)
        attempt.outcome = f"longest gap {attempt.end().gap:.1f} s, most of it the deploy"


@scope.slow
def test_two_deploys_at_once(target: Target) -> None:
    target.require(BLUE_GREEN)
    promise = "one after the other; the later one is live, alone; no request fails"
    with target.attempt("two deploys at once", promise) as attempt:
        playing = [
            subprocess.Popen(
                target.play_argv("release", target.variables(app)),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for app in target.good_apps
        ]
        outputs = [one.communicate(timeout=180 * target.pace)[0] for one in playing]
        seen = attempt.end()
        attempt.outcome = "a deploy failed, or the later one is not live"
        assert [one.returncode for one in playing] == [0, 0], "\n".join(outputs)
        last = target.history()[-1]["release"]
        target.assert_live(
            next(app for app in target.good_apps if target.recipe(app).release == last)
        )
        attempt.outcome = f"the second waited; longest gap {seen.gap:.2f} s"
        assert seen.failures == 0, str(seen)


# --- Disks --------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(target: Target) -> Iterator[None]:
    """Put the state folder on a small file system of its own.

    It is the state folder because the engine's folder is a volume on the disk of the machine that
    runs the lab, which must not be filled.
    """
    folder, copy = target.state_dir, f"{ASIDE}/state"
    options = "size=16m,nr_inodes=64,mode=2775,gid=$(stat --format %g $FOLDER)"
    target.vm.read(
        "sh -c %s",
        f"set -e; FOLDER={folder}; rm -rf {copy}; cp -a {folder} {copy};"
        f" mount -t tmpfs -o {options} tmpfs {folder}; cp -a {copy}/. {folder}/",
    )
    try:
        yield
    finally:
        target.vm.read("umount --lazy %s", folder)


def fill(target: Target) -> str:
    """Return the commands that fill the small disk."""
    return f"dd if=/dev/zero of={target.state_dir}/full bs=64k status=none; true"


def fill_inodes(target: Target) -> str:
    """Return the commands that use up the inodes of the small disk."""
    return f"n=0; while touch {target.state_dir}/full-$n 2>/dev/null; do n=$((n+1)); done"


def refuse(target: Target, fault: str, reason: str, at: str, script: str) -> None:
    """Deploy with a full disk, which has to be refused.

    Args:
        target: the VM.
        fault: what is done, as a clause.
        reason: text that the refusal has to contain.
        at: the event of the service's containers at which the disk is filled; "" before the deploy.
        script: shell commands that fill it.

    """
    with small_disk(target):
        if at:
            when(target, at, script)
        else:
            target.vm.read("sh -c %s", script)
        before = target.live()
        with target.attempt(fault, DISK_PROMISE) as attempt:
            done = target.play(target.other())
            seen = attempt.end()
            found = reason in done.stdout
            attempt.outcome = f'"{reason}"' if found else "refused without its reason"
            assert done.returncode != 0, target.evidence(done)
            assert reason in done.stdout, target.evidence(done)
            assert target.live() == before, target.evidence(done)
            assert seen.failures == 0, f"{seen}{target.evidence(done)}"
    target.redeploy(target.other())


def when(target: Target, event: str, script: str) -> None:
    """Have the VM run a script at the next event of the service's containers."""
    label = f"label={LABEL_SERVICE}={target.facts['service_name']}"
    events = f"docker events --filter type=container --filter {label} --filter event={event}"
    words = f"{events} | head --lines 1; {script}"
    target.vm.read(f"systemd-run --quiet --collect --unit {UNIT} sh -c %s", words)


def test_a_disk_that_is_full_before_a_deploy(target: Target) -> None:
    target.require(RECREATE)
    refuse(target, "the disk is full before a deploy", "Disk full: ", "", fill(target))


@scope.slow
def test_a_disk_without_inodes_before_a_deploy(target: Target) -> None:
    target.require(RECREATE)
    reason = "has no free inodes"
    refuse(target, "no inodes are left before a deploy", reason, "", fill_inodes(target))


@scope.slow
def test_a_disk_that_fills_while_the_candidate_is_tried(target: Target) -> None:
    target.require(RECREATE)
    reason = "cannot be written (No space left on device)"
    refuse(target, "the disk fills during a deploy", reason, "create", fill(target))


@scope.slow
def test_a_disk_whose_inodes_go_while_the_candidate_is_tried(target: Target) -> None:
    target.require(BLUE_GREEN)
    reason = "cannot be written (No space left on device)"
    refuse(target, "the inodes go during a deploy", reason, "create", fill_inodes(target))


@scope.slow
def test_a_disk_that_fills_during_the_swap(target: Target) -> None:
    target.require(RECREATE)
    app = target.other()
    promise = "a release is live, the old one or the new; the next deploy succeeds"

    with target.attempt("the disk fills during the swap", promise) as attempt:
        with small_disk(target):
            when(target, "rename", fill(target))
            done = target.play(app)
            attempt.outcome = "no release is live"
            target.wait_until_healthy()
            result = "failed" if done.returncode else "succeeded"
            live = f"{target.message()} is live, {app.name} was desired"
            attempt.outcome = f"the deploy {result}; {live}"
        target.redeploy(app)


# --- The clock ----------------------------------------------------------------------------------


# The VM shares the kernel's clock with the control node, so only single programs get a wrong time.
CLOCK = "/tmp/clock"  # noqa: S108 - inside the container, where nothing else can be written
LIBRARY = "/usr/local/lib/faketime.so"
INSTALL = (
    "apt-get install --quiet=2 --yes --no-install-recommends libfaketime >/dev/null 2>&1"
    f" && ln -sf $(dpkg --listfiles libfaketime | grep MT.so) {LIBRARY}"
)
# A real jump changes neither the monotonic clock nor the times of files.
ONLY_THE_WALL = "DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1"
YEAR = "+365d"


def deceived(folder: Path) -> Path:
    """Make an app whose clock is ahead by the time in a file of its container."""
    app = apps.good(folder, "deceived")
    lines = f"""RUN apt-get update && {INSTALL}
ENV LD_PRELOAD={LIBRARY} FAKETIME_TIMESTAMP_FILE={CLOCK} FAKETIME_NO_CACHE=1 {ONLY_THE_WALL}
"""
    apps.replace(app / "Dockerfile", r"\n(?=USER )", f"\n{lines}")
    return app


@scope.slow
def test_a_clock_that_jumps_by_a_year_under_the_service(target: Target) -> None:
    target.require(RECREATE)
    app = deceived(target.folder)
    target.release(app)
    ask = ("exec", target.facts.container, "python", "-c", "import time; print(time.time())")
    before = target.live()
    with target.attempt("the service's clock jumps by a year", "no request fails") as attempt:
        now = float(target.vm.docker.check(*ask))
        target.vm.docker.check("exec", target.facts.container, "sh", "-c", f"echo {YEAR} > {CLOCK}")
        later = float(target.vm.docker.check(*ask))
        time.sleep(5)
        seen = attempt.end()
        attempt.outcome = f"the clock jumped by {(later - now) / 86400:.0f} days"
        assert later - now > 364 * 86400
        assert target.live() == before, target.evidence()
        assert seen.failures == 0, f"{seen}{target.evidence()}"
    target.redeploy(target.other())


@scope.slow
def test_a_clock_that_jumps_by_a_year_between_deploys(target: Target) -> None:
    target.require(BLUE_GREEN)
    target.vm.read("sh -c %s", INSTALL)
    # No clock jumps while the process runs, so all may be ahead; sleeping would hang otherwise.
    under = f"env LD_PRELOAD={LIBRARY} FAKETIME={YEAR} NO_FAKE_STAT=1 "
    promise = "the deploy of the next year, and the one of this year after it, succeed"
    with target.attempt("the deploy's clock jumps by a year, and back", promise) as attempt:
        app = target.other()
        outcome = target.drive("release", app, under=under)
        assert outcome["error"] == "", outcome
        target.assert_live(app)
        ahead = target.history()[-1]["time"]
        target.redeploy(target.other())
        attempt.outcome = f"released at {ahead[:10]}, then at {target.history()[-1]['time'][:10]}"
        assert ahead[:4] > target.history()[-1]["time"][:4]


# --- The whole machine --------------------------------------------------------------------------


@scope.slow
def test_a_reboot(target: Target) -> None:
    release = target.live().release
    promise = f"all requests succeed within {ANSWER_SECONDS:.0f} s"
    with target.attempt("the VM reboots", promise) as attempt:
        target.reboot()
        target.wait_until_healthy()
        seen = attempt.end()
        attempt.outcome = f"longest gap {seen.gap:.1f} s"
        assert target.live().release == release, target.evidence()
        within = ANSWER_SECONDS * target.pace
        assert seen.healthy_after <= within, f"{seen}{target.evidence()}"


def test_the_next_deploy_succeeds(target: Target) -> None:
    app = target.other()
    with target.attempt("at the end, a plain deploy", "the desired release is live") as attempt:
        done = target.play(app, "deploy")
        assert done.returncode == 0, target.evidence(done)
        target.assert_live(app)
        attempt.outcome = f"gap {attempt.end().gap:.2f} s"
    # In the whole run: a POST may have been executed again after its fault was judged.
    counts = target.tally.counts()
    assert [one for one in target.load.records if counts.get(one.id, 0) > 1] == []
