"""A class VM under load: release to it, harm it, and see what its clients see."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import functools
import io
import ipaddress
import json
import re
import shlex
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apps
import classvm
import driver
import facts as expected
import pytest
from classvm.app import layout, pack
from classvm.contract import checker
from classvm.image import service_image
from classvm.release import health, history
from load import Load, Seen, Watch
from table import Row
from tally import Tally

if TYPE_CHECKING:
    from vm import Vm

# On the VM: classvm's code and what is to be released with it. A reboot of the VM leaves it.
ASIDE = "/var/tmp/classvm-faults"  # noqa: S108 - a reboot keeps it
PACKAGE = Path(classvm.__path__[0])
# An argument of a command has room for 128 kB.
PIECE = 100_000
# Two good releases, which take turns; they say their names.
GOODS = ("a", "b")
# How long a VM may take to be well again, by itself, whatever was done to it.
HEAL_SECONDS = 90.0
# So long all has to be well before anything is done.
STEADY_SECONDS = 0.5


@dataclass
class Attempt:
    """One thing that is done to the VM.

    Attributes:
        watch: what the clients see meanwhile.
        outcome: what became of it, for the table.
        ended: whether it is over.

    """

    watch: Watch
    outcome: str = ""

    ended: bool = False

    def end(self) -> Seen:
        """Watch no longer, and return what the clients saw."""
        if not self.ended:
            self.ended = True
            self.watch.close()
        return self.watch.seen


@dataclass(frozen=True)
class Live:
    """The container that serves."""

    id: str
    started: str
    release: str


class Victim:
    """A class VM with clients that never stop asking it."""

    def __init__(self, vm: Vm, folder: Path, inventory: str, rows: list[Row]) -> None:
        """Take a VM that may be harmed, a folder for the services, and a list for the rows."""
        self.vm = vm
        self.facts = vm.facts
        self.folder = folder
        self.inventory = inventory
        self.strategy = str(vm.facts["service_strategy"])
        self.rows = rows
        self.goods = [apps.good(folder, word) for word in GOODS]
        self.steady = Seen()
        self._is_hurt = False
        address = vm.facts.address("IPv4")
        assert address is not None
        self.tally = Tally(own_address(address))
        self.load = Load(address, vm.facts.host_port, apps.paths(), self.tally.counts)

    def require(self, strategy: str) -> None:
        """Skip what has nothing to do with the strategy, and is tried where that is another."""
        if strategy not in ("", self.strategy):
            pytest.skip(f"tried where the strategy is {strategy}")

    # --- Releases ----------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the containers: where the tally listens."""
        return {apps.TALLY: self.tally.place}

    def variables(self, app: Path, **more: object) -> dict[str, object]:
        """Return the variables with which a service is released."""
        return {"service_dir": str(app), "service_environment": self.environment, **more}

    def words(self, playbook: str, variables: Mapping[str, object]) -> list[str]:
        """Return the command that runs a playbook for this VM alone."""
        words = ["ansible-playbook", f"ansible/{playbook}.yml", "--limit", self.facts.name]
        words += expected.options(self.inventory, [])
        return [*words, "--extra-vars", json.dumps(variables)]

    def play(self, app: Path, playbook: str = "release", /, **more: object) -> expected.Finished:
        """Release a service as a student does."""
        return expected.run(self.words(playbook, self.variables(app, **more)))

    def release(self, app: Path, **more: object) -> expected.Finished:
        """Release a service, which has to become live."""
        done = self.play(app, **more)
        assert done.returncode == 0, self.evidence(done)
        assert self.said() == app.name, self.evidence(done)
        return done

    @functools.cache  # noqa: B019 - a victim lives as long as its run
    def recipe(self, app: Path) -> service_image.Recipe:
        """Return what the image of a service holds."""
        name, base = str(self.facts["base_image_name"]), self.vm.base
        digest = pack.pack(app).digest
        return service_image.Recipe(str(self.facts["service_name"]), name, base.content, digest)

    def order(self, app: Path) -> dict[str, Any]:
        """Return what the driver needs to release a service whose image is built."""
        spec = dataclasses.replace(
            self.facts.release_spec(self.recipe(app)),
            environment=self.environment,
            contract=(app / layout.SPEC).read_text(encoding="utf-8"),
        )
        return {
            "spec": dataclasses.asdict(spec),
            "state_dir": self.state_dir,
            "keep": int(self.facts["service_keep_releases"]),
        }

    def install(self, *apps: Path) -> None:
        """Put the driver on the VM, with classvm's code and the orders for some services."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            archive.add(Path(driver.__file__), "driver.py")
            for file in sorted(PACKAGE.rglob("*.py")):
                archive.add(file, file.relative_to(PACKAGE.parent))
            for app in apps:
                order = json.dumps(self.order(app)).encode()
                about = tarfile.TarInfo(f"{app.name}.json")
                about.size = len(order)
                archive.addfile(about, io.BytesIO(order))
        text = base64.b64encode(packed.getvalue()).decode()
        self.vm.read(f"rm -rf {ASIDE} && mkdir {ASIDE}")
        for start in range(0, len(text), PIECE):
            self.vm.read(f"printf %s {text[start : start + PIECE]} >> {ASIDE}/packed")
        self.vm.read(f"cd {ASIDE} && base64 -d packed | tar -xz && rm packed")

    def drive(self, verb: str, app: Path, *options: str, under: str = "") -> dict[str, Any]:
        """Run the driver on the VM and return what it says; `under` are words before its own."""
        words = ["python3", f"{ASIDE}/driver.py", verb, f"{ASIDE}/{app.name}.json", *options]
        said: dict[str, Any] = json.loads(self.vm.read(f"{under}{shlex.join(words)}"))
        return said

    def other(self) -> Path:
        """Return the good service that is not live."""
        said = self.said()
        return next(app for app in self.goods if app.name != said)

    def heal(self, app: Path, *, fully: bool = False) -> None:
        """Release a service as if nothing had been; `fully` is as a user would."""
        if fully:
            self.release(app)
        else:
            came = self.drive("release", app, "--skip-steady", "--unchecked")
            assert came["error"] == "", f"{came['error']}{self.evidence()}"
        self.assert_live(app)

    def start(self) -> None:
        """Build and release the good services, then begin to ask."""
        for app in self.goods:
            self.release(app)
        self.install(*self.goods)
        self.tally.start()
        self.load.start()

    def stop(self) -> None:
        """Ask no more, and remove from the VM what was put there."""
        self.load.stop()
        self.tally.stop()
        self.vm.read("rm -rf %s", ASIDE)

    # --- What is there -----------------------------------------------------------------------

    @property
    def state_dir(self) -> str:
        """The folder of the VM with classvm's state."""
        return str(self.facts["classvm_state_dir"])

    def live(self) -> Live:
        """Return the container that serves."""
        label = f'{{{{index .Config.Labels "{service_image.LABEL_RELEASE}"}}}}'
        form = f"{{{{.Id}}}} {{{{.State.StartedAt}}}} {label}"
        words = ("container", "inspect", "--format", form, self.facts.container)
        return Live(*self.vm.docker.check(*words).split())

    def pid(self) -> str:
        """Return the process id, on the VM, of the service's first process."""
        words = ("container", "inspect", "--format", "{{.State.Pid}}", self.facts.container)
        return self.vm.docker.check(*words).strip()

    def containers(self) -> list[str]:
        """Return the names of all containers of the service, running or not."""
        label = f"label={service_image.LABEL_SERVICE}={self.facts['service_name']}"
        form = ("--format", "{{.Names}}")
        return sorted(self.vm.docker.check("ps", "--all", "--filter", label, *form).split())

    def history(self) -> list[dict[str, Any]]:
        """Return the attempts of the host's history, the oldest first."""
        lines = self.vm.read("cat %s", f"{self.state_dir}/{history.FILE}").splitlines()
        return [json.loads(line) for line in lines]

    def leftovers(self) -> list[str]:
        """Return what a run that was cut off has left in the state folder."""
        names = self.vm.read("ls -A %s", self.state_dir).split()
        return [name for name in names if re.search(r"^swap-|\.new$", name)]

    def said(self) -> str:
        """Return what the service says to a client outside."""
        call = checker.Call("", "", "GET", f"{self.facts.url('IPv4')}{self.load.paths.page}")
        try:
            return str(json.loads(checker.send(call, 2).body)["message"])
        except (checker.NoAnswerError, ValueError, LookupError, TypeError) as error:
            return f"nothing ({error})"

    def is_well(self) -> bool:
        """Tell whether a release serves, its container is healthy, and no other is there."""
        live = self.vm.docker.container(self.facts.container)
        return (
            live is not None
            and self.containers() == [self.facts.container]
            and health.is_healthy(self.vm.docker, live)
            and not self.said().startswith("nothing (")
        )

    def assert_live(self, app: Path) -> None:
        """Make sure that a service is live, alone, and that no swap is left half done."""
        assert self.said() == app.name, self.evidence()
        assert self.live().release == self.recipe(app).release, self.evidence()
        assert self.containers() == [self.facts.container], self.evidence()
        assert self.leftovers() == [], self.evidence()

    def evidence(self, done: expected.Finished | None = None) -> str:
        """Return what may explain a failure."""
        parts = [f"{done.stdout}\n{done.stderr}"] if done else []
        parts += [self.vm.evidence(name) for name in ("containers", "container log", "engine log")]
        return "\n".join(["", *parts])

    # --- Under load --------------------------------------------------------------------------

    @contextlib.contextmanager
    def attempt(self, fault: str, promise: str) -> Iterator[Attempt]:
        """Do something to the VM; what became of it goes into the table, whatever it is.

        Before, all has to be well; a doubled or lost POST breaks every promise.
        """
        self.settle()
        with contextlib.ExitStack() as stack:
            attempt = Attempt(Watch(self.load))
            stack.callback(lambda: self._record(fault, promise, attempt, kept=False))
            yield attempt
            seen = attempt.end()
            assert (seen.doubled, seen.lost) == (0, 0), str(seen)
            stack.pop_all()
        self._record(fault, promise, attempt, kept=True)

    def heals(self) -> None:
        """Wait until the VM is well by itself."""
        until(self.is_well, self.evidence)

    def _record(self, fault: str, promise: str, attempt: Attempt, *, kept: bool) -> None:
        row = Row(fault, self.strategy, promise, attempt.outcome, attempt.end(), kept)
        self.rows.append(row)
        print(f"{fault}: {row.seen}")  # noqa: T201 - the measured numbers
        self._is_hurt = not kept

    def mend(self) -> None:
        """After a broken promise, deploy anew: what comes next shall be judged on its own."""
        if self._is_hurt:
            self._is_hurt = False
            self.heal(self.other())

    def settle(self) -> None:
        """Wait until all is well, and goes on to be."""
        self.heals()
        deadline = time.monotonic() + HEAL_SECONDS
        while True:
            with self.load.watch() as watch:
                time.sleep(STEADY_SECONDS)
            if not watch.seen.failures:
                return
            assert time.monotonic() < deadline, f"{watch.seen}{self.evidence()}"


def until(condition: Callable[[], bool], evidence: Callable[[], str]) -> None:
    """Wait for something that becomes true by itself."""
    deadline = time.monotonic() + HEAL_SECONDS
    while True:
        with contextlib.suppress(RuntimeError, AssertionError):  # out of reach, for now
            if condition():
                return
        assert time.monotonic() < deadline, f"not within {HEAL_SECONDS:.0f} s{evidence()}"
        time.sleep(0.2)


# --- Whom the load may ask ------------------------------------------------------------------------


def own_address(address: str) -> str:
    """Return the address of this machine on the network of a lab's VM.

    Raises:
        AssertionError: the address is not behind a bridge of this machine: it is no lab.

    """
    words = ["ip", "-json", "route", "get", str(ipaddress.ip_address(address))]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return on_bridge(json.loads(done.stdout)[0], lambda name: bridge(name).is_dir())


def bridge(name: str) -> Path:
    """Return the folder that the kernel has for an interface that is a bridge."""
    return Path("/sys/class/net") / name / "bridge"


def on_bridge(route: Mapping[str, Any], is_bridge: Callable[[str], bool]) -> str:
    """Return this machine's own address of a route that ends at one of its bridges."""
    assert "gateway" not in route, f"{route['dst']} is not on a network of this machine"
    assert is_bridge(route["dev"]), f"{route['dst']} is not behind a bridge of this machine"
    return str(route["prefsrc"])
