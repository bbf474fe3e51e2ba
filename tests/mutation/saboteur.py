"""Make a fault on a class VM, see which checks of tests/infra go red, and undo the fault."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import shlex
import string
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import facts as expected
import pytest
from classvm.image.service_image import LABEL_RELEASE, LABEL_SERVICE
from classvm.provision import engine, guard
from classvm.release import health
from classvm.release.release_spec import LABEL_SETTINGS, ReleaseSpec
from classvm.release.release_spec import run_argv as options
from facts import FAMILIES, GUARD, ROOT, Facts
from faults import DRY_RUN, Fault

if TYPE_CHECKING:
    from vm import Vm

LIBRARY = Path(__file__).with_name("library.sh")
CHECKS = ROOT / "tests/infra"
UNITS = GUARD / "etc/systemd/system"
# Minutes long, or harmful: no fault has such an owner.
SLOW = ("scan", "fuzz", "disruptive")
SUITE_SECONDS = 300
# How many of the others that are red a table names.
SHOWN = 5
# On the VM: what a fault puts aside, and how it is undone if this run is cut off.
ASIDE = "/var/tmp/classvm-sabotage"  # noqa: S108 - a reboot of the VM shall not empty it
UNDO = f"{ASIDE}/undo"


@dataclass(frozen=True)
class Outcome:
    """What a fault has led to.

    Attributes:
        fault: what was wrong.
        red: the checks that were red, by their ids.
        left: those that were still red after it was undone.
        seconds: how long all of it took.

    """

    fault: Fault
    red: tuple[str, ...]
    left: tuple[str, ...]
    seconds: float

    @property
    def caught(self) -> bool:
        """Whether the owner was red."""
        return any(owns(self.fault.owner, check) for check in self.red)

    @property
    def others(self) -> list[str]:
        """The functions of the other checks that were red."""
        others = [check for check in self.red if not owns(self.fault.owner, check)]
        return sorted({function(check) for check in others})


def function(check: str) -> str:
    """Return file and function of a check's id, as an owner is written."""
    return check.partition("[")[0].rpartition("/")[2]


def file(owner: str) -> str:
    """Return the file of an owner."""
    return owner.partition("::")[0]


def owns(owner: str, check: str) -> bool:
    """Tell whether an id is that of an owner: its function, and its case where it names one."""
    _, _, case = owner.rstrip("]").partition("[")
    return function(owner) == function(check) and case in check.partition("[")[2]


def table(outcomes: Sequence[Outcome], desired: int) -> list[str]:
    """Return a line for each fault, and one for all of those that were to be made."""
    lines = []
    for one in outcomes:
        verdict = "caught by" if one.caught else "NOT CAUGHT by"
        lines.append(f"{one.fault.name}: {verdict} {one.fault.owner} ({one.seconds:.0f} s)")
        if one.others:
            more = [f"and {len(one.others) - SHOWN} more"] if len(one.others) > SHOWN else []
            lines.append(f"    also red: {', '.join([*one.others[:SHOWN], *more])}")
        if one.left:
            lines.append(f"    STILL RED when undone: {', '.join(one.left)}")
    caught = sum(one.caught for one in outcomes)
    return [*lines, f"{caught} of {desired} faults caught by their own check"]


# --- The checks ---------------------------------------------------------------------------------


class Suite:
    """The quick checks of tests/infra, run against one host."""

    def __init__(self, host: str, inventory: str, known: dict[str, Facts], folder: Path) -> None:
        """Take the host, what all hosts should be, and a folder for what the runs say."""
        self.host = host
        self.inventory = inventory
        self.known = known
        self.folder = folder
        self.runs = 0

    def run(self, fault: Fault) -> tuple[str, ...]:
        """Return the ids of the checks that are red."""
        options = ["-m", " and ".join(f"not {mark}" for mark in SLOW)]
        if fault.owner != DRY_RUN:
            # It takes as long as all others together.
            options.append(f"--deselect={CHECKS.relative_to(ROOT)}/{DRY_RUN}")
        # What is not chosen would stay there as a failure of a former run.
        self.failed.unlink(missing_ok=True)
        return self._pytest(CHECKS / file(fault.owner) if fault.silent else CHECKS, *options)

    def again(self) -> tuple[str, ...]:
        """Return which of the checks that were red still are."""
        return self._pytest(CHECKS, "--last-failed", "--last-failed-no-failures=none")

    @property
    def log(self) -> Path:
        """What the last run has said."""
        return self.folder / f"{self.runs}.log"

    @property
    def failed(self) -> Path:
        """Where pytest notes which checks are red."""
        return self.folder / "v/cache/lastfailed"

    def _pytest(self, checks: Path, *options: str) -> tuple[str, ...]:
        self.runs += 1
        words = [str(checks), f"--rootdir={ROOT}", f"--override-ini=cache_dir={self.folder}"]
        words += [f"--hosts=ansible://{self.host}", f"--ansible-inventory={self.inventory}"]
        # A process of its own, for what pytest and testinfra remember; a fork, because to start
        # from nothing and to ask Ansible again what the hosts should be takes seconds.
        target = multiprocessing.get_context("fork").Process(
            target=run_pytest, args=([*words, *options], self.log, self.known)
        )
        target.start()
        try:
            target.join(SUITE_SECONDS)
        finally:
            target.kill()
            target.join()
        if target.exitcode not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            raise RuntimeError(f"no verdict ({target.exitcode}): {self.log.read_text()[-2000:]}")
        return tuple(json.loads(self.failed.read_text()) if self.failed.exists() else ())


def run_pytest(words: list[str], log: Path, known: dict[str, Facts]) -> None:
    """Run pytest in this process, which ends with it."""
    os.chdir(ROOT)
    told = mock.patch.object(expected, "read", return_value=known)
    with told, log.open("w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
        code = pytest.main(words)
    os._exit(code)


# --- The faults ---------------------------------------------------------------------------------


class Saboteur:
    """Makes faults on a host, one at a time."""

    def __init__(self, vm: Vm, suite: Suite) -> None:
        """Take a good VM and its checks."""
        self.vm = vm
        self.suite = suite
        self.variables = variables(vm, suite.known)

    def attempt(self, fault: Fault) -> Outcome:
        """Make a fault, look, undo it and look again."""
        started = time.monotonic()
        try:
            self.vm.read("sh -c %s", script(fault, self.vm.release_spec, self.variables))
            red = self.suite.run(fault)
        finally:
            undo(self.vm)
        left = self.suite.again() if red else ()
        return Outcome(fault, red, left, time.monotonic() - started)


def undo(vm: Vm) -> None:
    """Undo the fault that a VM has, if it has one, whoever made it."""
    vm.read("if [ -e %s ]; then sh %s; fi", UNDO, UNDO)


def variables(vm: Vm, known: Mapping[str, Facts]) -> dict[str, str]:
    """Return the variables of the scripts."""
    facts, spec = vm.facts, vm.release_spec
    live = vm.docker.container(spec.live)
    assert live is not None, f"{spec.live} is not there"
    unit, drop_in = next(UNITS.glob("*.service")), next(UNITS.glob("*/*.conf"))
    others = [one.address("IPv4") for one in known.values() if one.name != facts.name]
    addresses = [facts.address(family) for family in FAMILIES]
    return {
        "ADDRESS": addresses[0] or "",
        "ADDRESS6": addresses[1] or "",
        "ASIDE": ASIDE,
        "BASE": str(facts["base_image_name"]),
        "CANARY": "sabotage-canary",
        "CANARY_PORT": str(facts.host_port + 1),
        "CONTAINER": spec.live,
        "CONTAINER_PORT": str(facts.container_port),
        "DAEMON_JSON": str(engine.DAEMON_JSON),
        "DROP_IN": f"/{drop_in.relative_to(GUARD)}",
        "HEALTHCHECK": shlex.join(health.words(live)),
        "HOST_PORT": str(facts.host_port),
        "IMAGE": spec.image,
        "NEIGHBOURS": ", ".join(filter(None, others)),
        "OTHER_PORT": str(facts.host_port + 2),
        "RULES": str(guard.Files().rules),
        "SECOND": "sabotage-second",
        "STATE_DIR": str(facts["classvm_state_dir"]),
        "TABLE": guard.TABLE,
        "UNIT": unit.name,
        "UNIT_FILE": f"/{unit.relative_to(GUARD)}",
    }


def run_argv(spec: ReleaseSpec) -> list[str]:
    """Return the words that start the good release, as classvm starts it."""
    labels = {
        LABEL_SERVICE: spec.service,
        LABEL_RELEASE: spec.release,
        LABEL_SETTINGS: spec.settings,
    }
    publish = f"{spec.host_port}:{spec.container_port}"
    words = options(spec, name=spec.live, publish=publish, labels=labels)
    return ["run", "--detach", *words]


def script(fault: Fault, spec: ReleaseSpec, variables: Mapping[str, str]) -> str:
    """Return the script that makes a fault; first it leaves on the VM the one that undoes it."""
    exports = "\n".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    library = f"{LIBRARY.read_text(encoding='utf-8')}{exports}"
    return "\n".join(
        [
            library,
            f"mkdir {ASIDE}",
            f"cat > {UNDO} <<'UNDO'\n{library}\n{undo_lines(fault, spec)}\nUNDO",
            apply_lines(fault, spec, variables),
        ]
    )


def apply_lines(fault: Fault, spec: ReleaseSpec, variables: Mapping[str, str]) -> str:
    """Return the commands that make a fault."""
    lines = []
    if fault.image:
        lines.append(f"replace_image $IMAGE <<'DOCKERFILE'\n{fault.image}\nDOCKERFILE")
    if fault.image or fault.run:
        words = fault.run(run_argv(spec)) if fault.run else run_argv(spec)
        words = [string.Template(word).safe_substitute(variables) for word in words]
        lines.append(f"serve {shlex.join(words)}")
    return "\n".join([*lines, fault.apply])


def undo_lines(fault: Fault, spec: ReleaseSpec) -> str:
    """Return the commands that undo a fault, however much of it was made."""
    lines = [fault.undo]
    if fault.image:
        lines += ["remove $CONTAINER", "bring_back_image $IMAGE"]
    if fault.image or fault.run:
        lines.append(f"serve {shlex.join(run_argv(spec))}")
    return "\n".join([*lines, "rm -rf $ASIDE"])
