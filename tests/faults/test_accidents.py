"""What happens to a class VM: it is well again by itself, and no deploy makes it worse."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import apps
import plan
from classvm.base.edge import BLUE_GREEN, RECREATE
from classvm.image.service_image import LABEL_SERVICE
from facts import ROOT
from victim import ASIDE, Victim

if TYPE_CHECKING:
    from accidents import Accident

BOOT = "cat /proc/sys/kernel/random/boot_id; cut -d' ' -f22 /proc/1/stat"
BOOT_SECONDS, ANSWER_SECONDS = 120.0, 60.0
# HAProxy's answer where a connection broke behind it; 503 would say that it found nobody.
BROKEN_OFF = "status 502"
UNIT = "classvm-faults-fill"
DISK_PROMISE = "refused before the live release is touched, no request fails"


def test_an_accident(victim: Victim, accident: Accident) -> None:
    victim.require(accident.strategy)
    victim.heals()
    release = victim.live().release
    names = {
        "CONTAINER": victim.facts.container,
        "PID": victim.pid(),
        "PACKAGE": str(victim.facts["docker_package"]),
    }
    exports = "".join(f"{name}={shlex.quote(value)}; " for name, value in names.items())
    with victim.attempt(accident.name, accident.promised(victim.strategy)) as attempt:
        victim.vm.read("sh -c %s", exports + accident.script)
        victim.heals()
        # A VM that only looks well would fail again at once.
        time.sleep(1)
        seen = attempt.end()
        attempt.outcome = f"longest gap {seen.gap:.2f} s"
        assert victim.live().release == release, victim.evidence()
        assert seen.healthy_after <= accident.within, f"{seen}{victim.evidence()}"
        if accident.breaks_only_carried(victim.strategy):
            assert set(seen.failed) <= {BROKEN_OFF}, f"{seen}{victim.evidence()}"
            assert seen.at_one_moment, f"{seen}{victim.evidence()}"


@plan.slow
def test_a_container_that_docker_kill_ends_comes_back_with_the_next_deploy(victim: Victim) -> None:
    victim.require(RECREATE)
    app = next(one for one in victim.goods if one.name == victim.said())
    promise = "to the engine that is a stop on purpose; the next deploy starts it"
    with victim.attempt("docker kill of the container", promise) as attempt:
        victim.vm.docker.check("kill", victim.facts.container)
        attempt.outcome = "the next deploy did not bring it back"
        victim.heal(app, fully=True)
        attempt.outcome = f"longest gap {attempt.end().gap:.1f} s, most of it the deploy"


@plan.slow
def test_two_deploys_at_once(victim: Victim) -> None:
    victim.require(BLUE_GREEN)
    promise = "one after the other; the later one is live, alone; no request fails"
    with victim.attempt("two deploys at once", promise) as attempt:
        playing = [
            subprocess.Popen(
                victim.words("release", victim.variables(app)),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for app in victim.goods
        ]
        said = [one.communicate(timeout=180)[0] for one in playing]
        seen = attempt.end()
        attempt.outcome = "the outcome is another"
        assert [one.returncode for one in playing] == [0, 0], "\n".join(said)
        last = victim.history()[-1]["release"]
        victim.assert_live(next(app for app in victim.goods if victim.recipe(app).release == last))
        attempt.outcome = f"the second waited; longest gap {seen.gap:.2f} s"
        assert seen.failures == 0, str(seen)


# --- Disks --------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(victim: Victim) -> Iterator[None]:
    """Put the state folder on a file system of its own that is soon full.

    The engine's own folder is a volume on the disk of the machine that runs the lab: nobody may
    fill that, so the state folder it is.
    """
    folder, copy = victim.state_dir, f"{ASIDE}/state"
    options = "size=16m,nr_inodes=64,mode=2775,gid=$(stat --format %g $FOLDER)"
    victim.vm.read(
        "sh -c %s",
        f"set -e; FOLDER={folder}; rm -rf {copy}; cp -a {folder} {copy};"
        f" mount -t tmpfs -o {options} tmpfs {folder}; cp -a {copy}/. {folder}/",
    )
    try:
        yield
    finally:
        victim.vm.read("umount --lazy %s", folder)


def fill(victim: Victim) -> str:
    """Return the commands that fill the small disk."""
    return f"dd if=/dev/zero of={victim.state_dir}/full bs=64k status=none; true"


def fill_inodes(victim: Victim) -> str:
    """Return the commands that use up the inodes of the small disk."""
    return f"n=0; while touch {victim.state_dir}/full-$n 2>/dev/null; do n=$((n+1)); done"


def refuse(victim: Victim, fault: str, reason: str, at: str, script: str) -> None:
    """Deploy with a full disk, which has to be refused.

    Args:
        victim: the VM.
        fault: what is done, as a clause.
        reason: what the refusal has to say.
        at: the event of the service's containers at which the disk becomes full; "" for before.
        script: what fills it.

    """
    with small_disk(victim):
        if at:
            when(victim, at, script)
        else:
            victim.vm.read("sh -c %s", script)
        before = victim.live()
        with victim.attempt(fault, DISK_PROMISE) as attempt:
            done = victim.play(victim.other())
            seen = attempt.end()
            attempt.outcome = f'"{reason}"' if reason in done.stdout else "without its reason"
            assert done.returncode != 0, victim.evidence(done)
            assert reason in done.stdout, victim.evidence(done)
            assert victim.live() == before, victim.evidence(done)
            assert seen.failures == 0, f"{seen}{victim.evidence(done)}"
    victim.heal(victim.other())


def when(victim: Victim, event: str, script: str) -> None:
    """Have the VM do something at the next event of the service's containers."""
    label = f"label={LABEL_SERVICE}={victim.facts['service_name']}"
    events = f"docker events --filter type=container --filter {label} --filter event={event}"
    words = f"{events} | head --lines 1; {script}"
    victim.vm.read(f"systemd-run --quiet --collect --unit {UNIT} sh -c %s", words)


def test_a_disk_that_is_full_before_a_deploy(victim: Victim) -> None:
    victim.require(RECREATE)
    refuse(victim, "the disk is full before a deploy", "Disk full: ", "", fill(victim))


@plan.slow
def test_a_disk_without_inodes_before_a_deploy(victim: Victim) -> None:
    victim.require(RECREATE)
    reason = "has no free inodes"
    refuse(victim, "no inodes are left before a deploy", reason, "", fill_inodes(victim))


@plan.slow
def test_a_disk_that_fills_while_the_candidate_is_tried(victim: Victim) -> None:
    victim.require(RECREATE)
    reason = "cannot be written (No space left on device)"
    refuse(victim, "the disk fills during a deploy", reason, "create", fill(victim))


@plan.slow
def test_a_disk_whose_inodes_go_while_the_candidate_is_tried(victim: Victim) -> None:
    victim.require(BLUE_GREEN)
    reason = "cannot be written (No space left on device)"
    refuse(victim, "the inodes go during a deploy", reason, "create", fill_inodes(victim))


@plan.slow
def test_a_disk_that_fills_during_the_swap(victim: Victim) -> None:
    victim.require(RECREATE)
    app = victim.other()
    promise = "a release is live, the old one or the new; the next deploy is as any other"
    with victim.attempt("the disk fills during the swap", promise) as attempt:
        with small_disk(victim):
            when(victim, "rename", fill(victim))
            done = victim.play(app)
            attempt.outcome = "no release is live"
            victim.heals()
            said = "the deploy failed" if done.returncode else "the deploy succeeded"
            attempt.outcome = f"{said}; {victim.said()} is live, {app.name} was desired"
        victim.heal(app)


# --- The clock ----------------------------------------------------------------------------------


# The kernel's clock is that of the control node, too, so single programs are deceived instead.
CLOCK = "/tmp/clock"  # noqa: S108 - inside the container, where nothing else can be written
LIBRARY = "/usr/local/lib/faketime.so"
INSTALL = (
    "apt-get install --quiet=2 --yes --no-install-recommends libfaketime >/dev/null 2>&1"
    f" && ln -sf $(dpkg --listfiles libfaketime | grep MT.so) {LIBRARY}"
)
# A real jump moves neither the monotonic clock nor the times of files.
ONLY_THE_WALL = "DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1"
YEAR = "+365d"


def deceived(folder: Path) -> Path:
    """Make a service whose clock jumps when a file in its container says so."""
    app = apps.good(folder, "deceived")
    lines = f"""RUN apt-get update && {INSTALL}
ENV LD_PRELOAD={LIBRARY} FAKETIME_TIMESTAMP_FILE={CLOCK} FAKETIME_NO_CACHE=1 {ONLY_THE_WALL}
"""
    apps.replace(app / "Dockerfile", r"\n(?=USER )", f"\n{lines}")
    return app


@plan.slow
def test_a_clock_that_jumps_by_a_year_under_the_service(victim: Victim) -> None:
    victim.require(RECREATE)
    app = deceived(victim.folder)
    victim.release(app)
    ask = ("exec", victim.facts.container, "python", "-c", "import time; print(time.time())")
    before = victim.live()
    with victim.attempt("the service's clock jumps by a year", "no request fails") as attempt:
        now = float(victim.vm.docker.check(*ask))
        victim.vm.docker.check("exec", victim.facts.container, "sh", "-c", f"echo {YEAR} > {CLOCK}")
        later = float(victim.vm.docker.check(*ask))
        time.sleep(5)
        seen = attempt.end()
        attempt.outcome = f"the clock jumped by {(later - now) / 86400:.0f} days"
        assert later - now > 364 * 86400
        assert victim.live() == before, victim.evidence()
        assert seen.failures == 0, f"{seen}{victim.evidence()}"
    victim.heal(victim.other())


@plan.slow
def test_a_clock_that_jumps_by_a_year_between_deploys(victim: Victim) -> None:
    victim.require(BLUE_GREEN)
    victim.vm.read("sh -c %s", INSTALL)
    # Here nothing jumps while it runs, so all clocks may be ahead; the library cannot sleep else.
    under = f"env LD_PRELOAD={LIBRARY} FAKETIME={YEAR} NO_FAKE_STAT=1 "
    promise = "the deploy in the year after, and the one back in ours, are as any other"
    with victim.attempt("the deploy's clock jumps by a year, and back", promise) as attempt:
        app = victim.other()
        came = victim.drive("release", app, under=under)
        assert came["error"] == "", came
        victim.assert_live(app)
        there = victim.history()[-1]["time"]
        victim.heal(victim.other())
        attempt.outcome = f"released at {there[:10]}, then at {victim.history()[-1]['time'][:10]}"
        assert there[:4] > victim.history()[-1]["time"][:4]


# --- The whole machine --------------------------------------------------------------------------


@plan.slow
def test_a_reboot(victim: Victim) -> None:
    release = victim.live().release
    promise = f"well again within {ANSWER_SECONDS:.0f} s"
    with victim.attempt("the VM reboots", promise) as attempt:
        before = victim.vm.read(BOOT)
        with contextlib.suppress(RuntimeError):  # the connection may end before the command does
            victim.vm.root("systemctl reboot")
        victim.vm.disconnect()
        deadline = time.monotonic() + BOOT_SECONDS
        while booted(victim) in ("", before):
            assert time.monotonic() < deadline
            time.sleep(0.5)
        victim.heals()
        seen = attempt.end()
        attempt.outcome = f"longest gap {seen.gap:.1f} s"
        assert victim.live().release == release, victim.evidence()
        assert seen.healthy_after <= ANSWER_SECONDS, f"{seen}{victim.evidence()}"


def booted(victim: Victim) -> str:
    """Return what differs from boot to boot, "" while the VM is out of reach."""
    try:
        return victim.vm.read(BOOT)
    except (RuntimeError, AssertionError):
        return ""


def test_the_next_deploy_is_as_any_other(victim: Victim) -> None:
    app = victim.other()
    with victim.attempt("at the end, a plain deploy", "the desired release is live") as attempt:
        done = victim.play(app, "deploy")
        assert done.returncode == 0, victim.evidence(done)
        victim.assert_live(app)
        attempt.outcome = f"gap {attempt.end().gap:.2f} s"
    # Of the whole run: a POST that was executed twice may have been so only later.
    counts = victim.tally.counts()
    assert [one for one in victim.load.records if counts.get(one.id, 0) > 1] == []
