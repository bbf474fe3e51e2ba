"""A class VM under load: release to it, harm it, and watch what its clients see."""

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

import classvm
import pytest
import testinfra
from classvm.app import pack
from classvm.base.names import CHECK_FOLDER
from classvm.contract import archive, checker
from classvm.image import checker_image, image_labels, service_image, source
from classvm.release import health, history
from faults import apps, driver
from faults.load import PATIENCE, Load, Seen, Watch
from faults.table import Row
from faults.tally import Tally
from infra import expected

if TYPE_CHECKING:
    from infra.vm import Vm

# On the VM: the driver with classvm's code and orders. It has to survive a reboot.
ASIDE = "/var/tmp/classvm-faults"  # noqa: S108 - /tmp would be emptied
PACKAGE = Path(classvm.__path__[0])
IMAGE_FILES = expected.ROOT / "roles/service_image/files"
# An argument of a command may have 128 kB.
PIECE = 100_000
# Two good apps take turns; each answers with its name.
GOOD_APPS = ("a", "b")
# Seconds within which a VM has to recover by itself from any fault.
HEAL_SECONDS = 90.0
# Seconds without a failed request before each fault.
# What identifies a boot of a VM, also of a simulated one.
BOOT = "cat /proc/sys/kernel/random/boot_id; cut -d' ' -f22 /proc/1/stat"
BOOT_SECONDS = 120.0
STEADY_SECONDS = 0.5
# The time limits of the faults hold for a machine on which the service's container restarts within
# this many seconds; they grow in proportion on a slower one.
RESTART_SECONDS = 1.5


def on_each_host(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a target on each host that the run names."""
    if "target" in metafunc.fixturenames:
        option = metafunc.config.option
        hosts = testinfra.get_hosts(
            option.hosts.split(","), ansible_inventory=option.ansible_inventory
        )
        names = sorted(host.backend.get_hostname() for host in hosts)
        metafunc.parametrize("target", names, indirect=True, scope="session")


@dataclass
class Attempt:
    """One fault under load.

    Attributes:
        watch: what the clients see meanwhile.
        outcome: what happened, for the table.
        ended: whether the watch is over.

    """

    watch: Watch
    outcome: str = ""
    ended: bool = False

    def end(self) -> Seen:
        """End the watch, and return what the clients saw."""
        if not self.ended:
            self.ended = True
            self.watch.close()
        return self.watch.seen


@dataclass(frozen=True)
class Live:
    """The live container: its id, when it was started, and its release."""

    id: str
    started: str
    release: str


class Target:
    """A class VM whose service gets requests all the time.

    Attributes:
        pace: how many times slower the VM restarts the service's container than time limits assume;
            at least 1.
    """

    def __init__(self, vm: Vm, folder: Path, inventory: str, rows: list[Row]) -> None:
        """Take a VM that may be harmed, a folder for the apps, and the list of the table's rows."""
        self.vm = vm
        self.facts = vm.facts
        self.folder = folder
        self.inventory = inventory
        self.strategy = str(vm.facts["service_strategy"])
        self.rows = rows
        self.good_apps = [apps.good(folder, word) for word in GOOD_APPS]
        self.at_rest = Seen()
        self.pace = 1.0
        self._is_broken = False
        address = vm.facts.address("IPv4")
        assert address is not None
        self.tally = Tally(own_address(address))
        self.load = Load(address, vm.facts.host_port, apps.paths(), self.tally.counts)

    def require(self, strategy: str) -> None:
        """Skip a test that does not depend on the strategy, except where it has this one."""
        if strategy not in ("", self.strategy):
            pytest.skip(f"tried on the host with the strategy {strategy}")

    # --- Releases ----------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """The containers' environment: the address of the tally."""
        return {apps.TALLY: self.tally.place}

    def variables(self, app: Path, **more: object) -> dict[str, object]:
        """Return Ansible's variables for the release of an app."""
        # What is judged is a whole deploy, so its end is waited for.
        whole = {"service_background": False, **more}
        return {"service_dir": str(app), "service_environment": self.environment, **whole}

    def play_argv(self, playbook: str, variables: Mapping[str, object]) -> list[str]:
        """Return the command that runs a playbook for this VM alone."""
        argv = ["ansible-playbook", f"ansible/{playbook}.yml", "--limit", self.facts.name]
        argv += expected.options(self.inventory, [])
        return [*argv, "--extra-vars", json.dumps(variables)]

    def play(self, app: Path, playbook: str = "release", /, **more: object) -> expected.Finished:
        """Release an app as a student does."""
        return expected.run(self.play_argv(playbook, self.variables(app, **more)))

    def release(self, app: Path, **more: object) -> expected.Finished:
        """Release an app, which has to become live."""
        done = self.play(app, **more)
        assert done.returncode == 0, self.evidence(done)
        assert self.message() == app.name, self.evidence(done)
        return done

    @functools.cache  # noqa: B019 - a target lives as long as its run
    def recipe(self, app: Path) -> service_image.Recipe:
        """Return the recipe of an app's image."""
        name, base = str(self.facts["base_image_name"]), self.vm.base
        digest = pack.pack(app).digest
        return service_image.Recipe(str(self.facts["service_name"]), name, base.content, digest)

    def order(self, app: Path) -> dict[str, Any]:
        """Return the driver's order for the release of an app whose image is built."""
        ports = source.Ports(self.facts.host_port, self.facts.container_port)
        recipe = self.recipe(app)
        checker_files = pack.whole(IMAGE_FILES / "checker")
        checks = checker_image.Recipe(recipe.base, recipe.base_digest, checker_files.digest)
        spec = dataclasses.replace(
            self.facts.release_spec(recipe.release),
            environment=self.environment,
            contract=source.read(app, IMAGE_FILES / "kit", ports).contract,
            checker_image=checks.image,
            checker_program=archive.program(CHECK_FOLDER),
        )
        return {
            "spec": dataclasses.asdict(spec),
            "state_dir": self.state_dir,
            "keep": int(self.facts["service_keep_releases"]),
        }

    def install(self, *apps: Path) -> None:
        """Copy the driver to the VM, with classvm's code and the orders for some apps."""
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
        """Run the driver on the VM, behind a prefix such as `env X=1 `, and return its outcome."""
        argv = ["python3", f"{ASIDE}/driver.py", verb, f"{ASIDE}/{app.name}.json", *options]
        outcome: dict[str, Any] = json.loads(self.vm.read(f"{under}{shlex.join(argv)}"))
        return outcome

    def other(self) -> Path:
        """Return the good app that is not live."""
        live = self.message()
        return next(app for app in self.good_apps if app.name != live)

    def redeploy(self, app: Path, *, fully: bool = False) -> None:
        """Release an app, which has to become live, alone.

        Args:
            app: the app.
            fully: with the playbook, as a user does; otherwise with the driver, without the steady
                time and the contract check.

        """
        if fully:
            self.release(app)
        else:
            outcome = self.drive("release", app, "--skip-steady", "--unchecked")
            assert outcome["error"] == "", f"{outcome['error']}{self.evidence()}"
        self.assert_live(app)

    def start(self) -> None:
        """Build and release the good apps, measure the pace, then start the load."""
        for app in self.good_apps:
            self.release(app)
        self.install(*self.good_apps)
        began = time.monotonic()
        self.vm.docker.check("restart", "--time", "0", self.facts.container)
        self.wait_until_healthy()
        self.pace = max(1.0, (time.monotonic() - began) / RESTART_SECONDS)
        print(f"{self.facts.name}: pace {self.pace:.2f}")  # noqa: T201 - a measured number
        self.tally.start()
        self.load.start()

    def stop(self) -> None:
        """Stop the load, and remove the driver from the VM."""
        self.load.stop()
        self.tally.stop()
        self.vm.read("rm -rf %s", ASIDE)

    # --- What is there -----------------------------------------------------------------------

    @property
    def state_dir(self) -> str:
        """The state folder of the VM."""
        return str(self.facts["classvm_state_dir"])

    def live(self) -> Live:
        """Return the live container."""
        label = f'{{{{index .Config.Labels "{image_labels.LABEL_RELEASE}"}}}}'
        form = f"{{{{.Id}}}} {{{{.State.StartedAt}}}} {label}"
        argv = ("container", "inspect", "--format", form, self.facts.container)
        return Live(*self.vm.docker.check(*argv).split())

    def pid(self) -> str:
        """Return the process id, on the VM, of the service's first process."""
        argv = ("container", "inspect", "--format", "{{.State.Pid}}", self.facts.container)
        return self.vm.docker.check(*argv).strip()

    def containers(self) -> list[str]:
        """Return the names of all containers of the service, running or not."""
        label = f"label={image_labels.LABEL_SERVICE}={self.facts['service_name']}"
        form = ("--format", "{{.Names}}")
        return sorted(self.vm.docker.check("ps", "--all", "--filter", label, *form).split())

    def history(self) -> list[dict[str, Any]]:
        """Return the entries of the host's history, the oldest first."""
        lines = self.vm.read("cat %s", f"{self.state_dir}/{history.FILE}").splitlines()
        return [json.loads(line) for line in lines]

    def leftovers(self) -> list[str]:
        """Return the files that an interrupted release has left in the state folder."""
        names = self.vm.read("ls -A %s", self.state_dir).split()
        return [name for name in names if re.search(r"^swap-|\.new$", name)]

    def message(self) -> str:
        """Return the message that a client outside gets, or "nothing (REASON)"."""
        call = checker.Call("", "", "GET", f"{self.facts.url('IPv4')}{self.load.paths.page}")
        try:
            return str(json.loads(checker.send(call, PATIENCE).body)["message"])
        except (checker.NoAnswerError, ValueError, LookupError, TypeError) as error:
            return f"nothing ({error})"

    def is_healthy(self) -> bool:
        """Tell whether the live container answers, is healthy, and is the only one."""
        live = self.vm.docker.container(self.facts.container)
        return (
            live is not None
            and self.containers() == [self.facts.container]
            and health.is_healthy(self.vm.docker, live)
            and not self.message().startswith("nothing (")
        )

    def assert_live(self, app: Path) -> None:
        """Make sure that an app is live, alone, and that no interrupted swap is left."""
        assert self.message() == app.name, self.evidence()
        assert self.live().release == self.recipe(app).release, self.evidence()
        assert self.containers() == [self.facts.container], self.evidence()
        assert self.leftovers() == [], self.evidence()

    def evidence(self, done: expected.Finished | None = None) -> str:
        """Return output and logs that may explain a failure."""
        parts = [f"{done.stdout}\n{done.stderr}"] if done else []
        parts += [self.vm.evidence(name) for name in ("containers", "container log", "engine log")]
        return "\n".join(["", *parts])

    # --- Under load --------------------------------------------------------------------------

    @contextlib.contextmanager
    def attempt(self, fault: str, promise: str) -> Iterator[Attempt]:
        """Watch the clients during a fault, and add a row to the table, whatever the outcome.

        Before the fault, the VM has to be healthy. A doubled or lost POST breaks every promise.
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

    def reboot(self) -> None:
        """Reboot the VM, and wait until it can be reached again."""
        before = self.vm.read(BOOT)
        with contextlib.suppress(RuntimeError):  # the connection may end before the command does
            self.vm.root("systemctl reboot")
        self.vm.disconnect()
        deadline = time.monotonic() + BOOT_SECONDS * self.pace
        while self._booted() in ("", before):
            assert time.monotonic() < deadline
            time.sleep(0.5)

    def _booted(self) -> str:
        """Return what identifies the VM's boot, "" while the VM is out of reach."""
        try:
            return self.vm.read(BOOT)
        except (RuntimeError, AssertionError):
            return ""

    def wait_until_healthy(self) -> None:
        """Wait until the VM has recovered by itself."""
        until(self.is_healthy, self.evidence)

    def _record(self, fault: str, promise: str, attempt: Attempt, *, kept: bool) -> None:
        row = Row(fault, self.strategy, promise, attempt.outcome, attempt.end(), kept)
        self.rows.append(row)
        print(f"{fault}: {row.seen}")  # noqa: T201 - the measured numbers
        self._is_broken = not kept

    def note(
        self, fault: str, promise: str, outcome: str, seen: Seen, *, kept: bool | None
    ) -> None:
        """Add a row about something else that was seen during a fault."""
        self.rows.append(Row(fault, self.strategy, promise, outcome, seen, kept))

    def redeploy_if_broken(self) -> None:
        """Redeploy after a broken promise, so that the next test is judged on its own."""
        if self._is_broken:
            self._is_broken = False
            self.redeploy(self.other())

    def settle(self) -> None:
        """Wait until the VM is healthy and no request has failed for some time."""
        self.wait_until_healthy()
        deadline = time.monotonic() + HEAL_SECONDS
        while True:
            with self.load.watch() as watch:
                time.sleep(STEADY_SECONDS)
            if not watch.seen.failures:
                return
            assert time.monotonic() < deadline, f"{watch.seen}{self.evidence()}"


def until(condition: Callable[[], bool], evidence: Callable[[], str]) -> None:
    """Wait until a condition becomes true."""
    deadline = time.monotonic() + HEAL_SECONDS
    while True:
        with contextlib.suppress(RuntimeError, AssertionError):  # the VM is out of reach, for now
            if condition():
                return
        assert time.monotonic() < deadline, f"not within {HEAL_SECONDS:.0f} s{evidence()}"
        time.sleep(0.2)


# --- Which address may get the load -------------------------------------------------------------


def own_address(address: str) -> str:
    """Return the address of this machine on the network of a lab's VM.

    Raises:
        AssertionError: the address is not behind a bridge of this machine, so it is not a lab's.

    """
    argv = ["ip", "-json", "route", "get", str(ipaddress.ip_address(address))]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return on_bridge(json.loads(done.stdout)[0], lambda name: bridge(name).is_dir())


def bridge(name: str) -> Path:
    """Return the kernel's folder about an interface as a bridge; it exists for bridges only."""
    return Path("/sys/class/net") / name / "bridge"


def on_bridge(route: Mapping[str, Any], is_bridge: Callable[[str], bool]) -> str:
    """Return this machine's own address on a route, which has to lead to one of its bridges."""
    assert "gateway" not in route, f"{route['dst']} is not on a network of this machine"
    assert is_bridge(route["dev"]), f"{route['dst']} is not behind a bridge of this machine"
    return str(route["prefsrc"])
