"""Apply a mutation to a class VM, run the checks of tests/infra, and undo the mutation."""

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

import pytest
from classvm.image.image_labels import LABEL_RELEASE, LABEL_SERVICE
from classvm.provision import engine, guard
from classvm.release import health
from classvm.release.release_spec import LABEL_SETTINGS, ReleaseSpec, env_file, run_argv
from infra import expected, scope
from infra.expected import FAMILIES, GUARD, ROOT, Facts
from mutation.mutations import DRY_RUN, Mutation

if TYPE_CHECKING:
    from infra.vm import Vm

LIBRARY = Path(__file__).with_name("library.sh")
CHECKS = ROOT / "tests/infra"
UNITS = GUARD / "etc/systemd/system"
# Marks of checks that take minutes or disturb the host: no mutation has such an owner.
SLOW = ("scan", "fuzz", "disruptive")
SUITE_SECONDS = 300
# How many of the other red checks the table names.
SHOWN = 5
# On the VM: saved copies of the files that a mutation changes, and the script that undoes it.
ASIDE = "/var/tmp/classvm-mutation"  # noqa: S108 - a reboot of the VM shall not empty it
UNDO = f"{ASIDE}/undo"


@dataclass(frozen=True)
class Outcome:
    """Which checks noticed a mutation.

    Attributes:
        mutation: the mutation.
        red: ids of the checks that were red.
        left: ids of those that were still red after the mutation was undone, by a deploy where that
            has to heal it.
        seconds: duration of all of it.
        deployed: the output of that deploy; "" where none was run.

    """

    mutation: Mutation
    red: tuple[str, ...]
    left: tuple[str, ...]
    seconds: float
    deployed: str = ""

    @property
    def caught(self) -> bool:
        """Whether the owner was red."""
        return any(owns(self.mutation.owner, check) for check in self.red)

    @property
    def others(self) -> list[str]:
        """The functions of the other checks that were red."""
        others = [check for check in self.red if not owns(self.mutation.owner, check)]
        return sorted({function(check) for check in others})


def function(check: str) -> str:
    """Return file and function of a check's id, as an owner is written."""
    return check.partition("[")[0].rpartition("/")[2]


def file(owner: str) -> str:
    """Return the file of an owner."""
    return owner.partition("::")[0]


def owns(owner: str, check: str) -> bool:
    """Tell whether a check's id matches an owner: the function, and the case where it names one."""
    _, _, case = owner.rstrip("]").partition("[")
    return function(owner) == function(check) and case in check.partition("[")[2]


def table(outcomes: Sequence[Outcome], desired: int) -> list[str]:
    """Return the lines for each mutation, and a last one that counts.

    Args:
        outcomes: of the mutations that were tried.
        desired: how many should have been tried.

    """
    lines = []
    for one in outcomes:
        verdict = "caught by" if one.caught else "NOT CAUGHT by"
        lines.append(f"{one.mutation.name}: {verdict} {one.mutation.owner} ({one.seconds:.0f} s)")
        if one.others:
            more = [f"and {len(one.others) - SHOWN} more"] if len(one.others) > SHOWN else []
            lines.append(f"    also red: {', '.join([*one.others[:SHOWN], *more])}")
        if one.left:
            how = "make deploy" if one.mutation.deploy_heals else "it was undone"
            lines.append(f"    STILL RED after {how}: {', '.join(one.left)}")
    caught = sum(one.caught for one in outcomes)
    lines.append(f"{caught} of {desired} mutations caught by their own check")
    to_heal = [one for one in outcomes if one.mutation.deploy_heals]
    healed = sum(one.caught and not one.left for one in to_heal)
    return [*lines, f"{healed} of {len(to_heal)} healed by a deploy, as they have to be"]


# --- The checks ---------------------------------------------------------------------------------


class Suite:
    """The quick checks of tests/infra, run against one host."""

    def __init__(self, host: str, inventory: str, known: dict[str, Facts], folder: Path) -> None:
        """Take the host's name, what all hosts should be, and a folder for the logs."""
        self.host = host
        self.inventory = inventory
        self.known = known
        self.folder = folder
        self.runs = 0

    def run(self, mutation: Mutation, *, whole: bool) -> tuple[str, ...]:
        """Run all checks, or those of the owner's file; return the ids of those that are red."""
        options = ["-m", " and ".join(f"not {mark}" for mark in SLOW)]
        if mutation.owner != DRY_RUN:
            # The dry run takes as long as all other checks together.
            options.append(f"--deselect={CHECKS.relative_to(ROOT)}/{DRY_RUN}")
        # Otherwise a check that is not selected now would stay in the file from an earlier run.
        self.failed.unlink(missing_ok=True)
        chosen = CHECKS if whole and not mutation.silent else CHECKS / file(mutation.owner)
        return self._pytest(chosen, *options)

    def again(self) -> tuple[str, ...]:
        """Run the checks that were red once more; return the ids of those that still are."""
        return self._pytest(CHECKS, "--last-failed", "--last-failed-no-failures=none")

    @property
    def log(self) -> Path:
        """The output of the last run."""
        return self.folder / f"{self.runs}.log"

    @property
    def failed(self) -> Path:
        """The file in which pytest records which checks are red."""
        return self.folder / "v/cache/lastfailed"

    def _pytest(self, checks: Path, *options: str) -> tuple[str, ...]:
        self.runs += 1
        argv = [str(checks), f"--rootdir={ROOT}", f"--override-ini=cache_dir={self.folder}"]
        argv += [f"--hosts=ansible://{self.host}", f"--ansible-inventory={self.inventory}"]
        # pytest and testinfra keep state, so each run gets its own process. A fork, because
        # starting Python and resolving the variables with Ansible again takes seconds.
        process = multiprocessing.get_context("fork").Process(
            target=run_pytest, args=([*argv, *options], self.log, self.known)
        )
        process.start()
        try:
            process.join(SUITE_SECONDS)
        finally:
            process.kill()
            process.join()
        if process.exitcode not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            log = self.log.read_text()[-2000:]
            raise RuntimeError(f"the checks gave no verdict (exit code {process.exitcode}):\n{log}")
        return tuple(json.loads(self.failed.read_text()) if self.failed.exists() else ())


def run_pytest(argv: list[str], log: Path, known: dict[str, Facts]) -> None:
    """Run pytest in this process, and end the process with pytest's exit code."""
    os.chdir(ROOT)
    known_facts = mock.patch.object(expected, "read", return_value=known)
    with known_facts, log.open("w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
        code = pytest.main(argv)
    os._exit(code)


# --- The mutations ------------------------------------------------------------------------------


class Mutator:
    """Applies mutations to a host, one at a time."""

    def __init__(self, vm: Vm, suite: Suite) -> None:
        """Take a VM that is in order, and its checks."""
        self.vm = vm
        self.suite = suite
        self.variables = variables(vm, suite.known)

    def attempt(self, mutation: Mutation, *, whole: bool = not scope.QUICK) -> Outcome:
        """Apply a mutation, run the checks, undo it, and run those that were red again.

        With SCOPE=quick, only the checks of the owner's file run, unless `whole` is given.
        """
        started = time.monotonic()
        deployed, healed = "", False
        left: tuple[str, ...] = ()
        try:
            self.vm.read("sh -c %s", script(mutation, self.vm.release_spec, self.variables))
            red = self.suite.run(mutation, whole=whole)
            if mutation.deploy_heals:
                deployed = self.deploy()
                left = self.suite.again() if red else ()
                healed = not left
        finally:
            # Where the deploy has healed the VM, nothing else may have touched it.
            self.vm.read("rm -rf %s", ASIDE) if healed else undo(self.vm)
        if red and not mutation.deploy_heals:
            left = self.suite.again()
        return Outcome(mutation, red, left, time.monotonic() - started, deployed)

    def deploy(self) -> str:
        """Run the main job for this host, and return its output."""
        argv = ["ansible-playbook", "ansible/deploy.yml", "--limit", self.vm.facts.name]
        done = expected.run([*argv, *expected.options(self.suite.inventory, [])])
        return f"{done.stdout}\n{done.stderr}\nexit code {done.returncode}"


def undo(vm: Vm) -> None:
    """Undo the mutation that this run or an earlier one has left on a VM, if there is one."""
    vm.read("if [ -e %s ]; then sh %s; fi", UNDO, UNDO)


def variables(vm: Vm, known: Mapping[str, Facts]) -> dict[str, str]:
    """Return the shell variables that the mutations' commands use."""
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
        "CANARY": "mutation-canary",
        "CANARY_PORT": str(facts.host_port + 1),
        "CONTAINER": spec.live,
        "CONTAINER_PORT": str(facts.container_port),
        "DAEMON_JSON": str(engine.DAEMON_JSON),
        "DROP_IN": f"/{drop_in.relative_to(GUARD)}",
        "HEALTHCHECK": shlex.join(health.check_argv(live)),
        "HOST_PORT": str(facts.host_port),
        "IMAGE": spec.image,
        "NEIGHBOURS": ", ".join(filter(None, others)),
        "OTHER_PORT": str(facts.host_port + 2),
        "RULES": str(guard.Files().rules),
        "SECOND": "mutation-second",
        "STATE_DIR": str(facts["classvm_state_dir"]),
        "TABLE": guard.TABLE,
        "UNIT": unit.name,
        "UNIT_FILE": f"/{unit.relative_to(GUARD)}",
    }


def good_run(spec: ReleaseSpec) -> list[str]:
    """Return the arguments with which classvm starts the release: `docker` ARGUMENTS."""
    labels = {
        LABEL_SERVICE: spec.service,
        LABEL_RELEASE: spec.release,
        LABEL_SETTINGS: spec.settings,
    }
    publish = f"{spec.host_port}:{spec.container_port}"
    argv = run_argv(spec, name=spec.live, publish=publish, labels=labels)
    return ["run", "--detach", *argv]


def script(mutation: Mutation, spec: ReleaseSpec, variables: Mapping[str, str]) -> str:
    """Return the script that applies a mutation; first it writes the VM's script that undoes it."""
    exports = "\n".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    serve_good = f"serve_good_release() {{\n{serve_line(good_run(spec), spec)}\n}}"
    library = f"{LIBRARY.read_text(encoding='utf-8')}{serve_good}\n{exports}"
    return "\n".join(
        [
            library,
            f"mkdir {ASIDE}",
            f"cat > {UNDO} <<'UNDO'\n{library}\n{undo_lines(mutation)}\nUNDO",
            apply_lines(mutation, spec, variables),
        ]
    )


def apply_lines(mutation: Mutation, spec: ReleaseSpec, variables: Mapping[str, str]) -> str:
    """Return the commands that apply a mutation."""
    lines = []
    if mutation.image:
        lines.append(f"replace_image $IMAGE <<'DOCKERFILE'\n{mutation.image}\nDOCKERFILE")
    if mutation.image or mutation.run:
        argv = mutation.run(good_run(spec)) if mutation.run else good_run(spec)
        argv = [string.Template(argument).safe_substitute(variables) for argument in argv]
        lines.append(serve_line(argv, spec))
    return "\n".join([*lines, mutation.apply])


def serve_line(argv: list[str], spec: ReleaseSpec) -> str:
    """Return the command that runs a container; as with classvm, it reads its environment."""
    return f"serve {shlex.join(argv)} <<'ENV'\n{env_file(spec)}ENV"


def undo_lines(mutation: Mutation) -> str:
    """Return the commands that undo a mutation, even where it was applied only in part."""
    lines = [mutation.undo]
    if mutation.image:
        lines += ["remove $CONTAINER", "bring_back_image $IMAGE"]
    if mutation.image or mutation.run:
        lines.append("serve_good_release")
    return "\n".join([*lines, "rm -rf $ASIDE"])
