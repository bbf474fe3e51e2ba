"""An engine that lives in memory, with a state folder, and can be cut off at every step."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from classvm.base import background, client, edge, host, locks, state
from classvm.base.command import CommandError, Finished
from classvm.base.docker import Container, Docker
from classvm.base.edge import BLUE_GREEN, LABEL_SLOT, Edge
from classvm.base.errors import ClassvmError
from classvm.image.image_labels import LABEL_RELEASE, LABEL_SERVICE
from classvm.release import (
    candidate,
    connections,
    difference,
    gap,
    health,
    limits,
    listening,
    redirect,
)
from classvm.release.release_spec import (
    ALWAYS,
    ENV_FILE,
    EVEN_STOPPED,
    LABEL_HOW,
    LABEL_SETTINGS,
    LIVE_CPU_SHARES,
    ReleaseSpec,
    Seconds,
)

if TYPE_CHECKING:
    import pytest

STATE_DIR = "/state"
PORT = 11000
SLOTS = {"blue": 11001, "green": 11002}
HEALTHCHECK = ["CMD", "python3", "healthcheck.py"]
CHECKER = "classvm/checker:1"
# What the fake clients of the port see.
GAP, SECONDS = 0.9, 0.7
# Of a swap that is watched until the new release serves, and then again.
TWICE = 2 * SECONDS

RELEASE_SPEC = ReleaseSpec(
    service="lab",
    release="r2",
    host_port=PORT,
    container_port=8080,
    limits={"memory": "512m", "pids": "128", "tmpfs_size": "64m"},
    seconds=Seconds(health=2, steady=3, contract=120, stop=3, request=30),
    contract=json.dumps({"mode": "strict", "specs": [{"file": "a.yml", "text": "openapi: 3.0.0"}]}),
    checker_image=CHECKER,
    checker_program="the contract check",
    revision="abc1234",
    gapless=True,
)
OLD = dataclasses.replace(RELEASE_SPEC, release="r1")
OTHER = dataclasses.replace(RELEASE_SPEC, release="r3")
LAST = dataclasses.replace(RELEASE_SPEC, release="r4")
RELEASE_SPECS = (OLD, RELEASE_SPEC, OTHER, LAST)
MAP_FILE = os.path.join(STATE_DIR, edge.MAP)
RECORD_FILE = os.path.join(STATE_DIR, edge.RECORD)
LOG_DRIVER = "json-file"
# The candidate's own port, and the boot of the machine.
OWN_PORT = 40000


@dataclasses.dataclass(frozen=True)
class Behaviour:
    """How a release does: when it is healthy, and what is wrong with it."""

    healthy_after: int | None = 1
    starts: bool = True
    crashes: bool = False
    keeps_contract: bool = True
    healthy_as_live: bool = True
    check_hangs: bool = False
    answers_end: bool = True
    crashes_after: float | None = None
    report: dict[str, Any] = dataclasses.field(default_factory=lambda: REPORT, hash=False)


# What the contract check prints where all is well, and where it is not.
REPORT: dict[str, Any] = {
    "ok": True,
    "mode": "strict",
    "operations": 1,
    "probes": 1,
    "failures": [],
    "not_checked": [],
    "remarks": [],
    "first": "",
}
FAILURE = {
    "title": "GET /e222/sum",
    "request": "GET http://127.0.0.1:8080/e222/sum?a=1",
    "status": 200,
    "problems": ["'result' is a required property"],
    "place": "master.yml:35",
    "answer": '{"resul": 1}',
}
FIRST = "GET /e222/sum: 'result' is a required property"
BROKEN = json.dumps({**REPORT, "ok": False, "failures": [FAILURE], "first": FIRST})
GOOD = Behaviour()
RUN_FAILS = Behaviour(starts=False)
NEVER_HEALTHY = Behaviour(healthy_after=None)
CRASHES = Behaviour(crashes=True)
BREAKS_CONTRACT = Behaviour(keeps_contract=False)
BAD_AS_LIVE = Behaviour(healthy_as_live=False)
CHECK_HANGS = Behaviour(check_hangs=True)
ENDLESS = Behaviour(answers_end=False)
CRASHES_LATER = Behaviour(crashes_after=2.9)


NUMBERS = itertools.count(2)


@dataclasses.dataclass
class Box:
    """A container of the model; ``state`` is created, running or exited."""

    image: str
    labels: dict[str, str]
    publish: tuple[str, int]
    behaviour: Behaviour = GOOD
    state: str = "running"
    probes: int = 0
    restarts: int = 0
    stops: int = 0
    started: float = 0.0
    restart: str = ALWAYS
    cpu_shares: str = LIVE_CPU_SHARES
    networks: tuple[str, ...] = ("bridge",)
    limits: dict[str, Any] = dataclasses.field(default_factory=dict)
    log_driver: str = LOG_DRIVER
    environment: bytes = b""
    mounts: list[dict[str, str]] = dataclasses.field(default_factory=list)
    # What `docker stop` and `docker kill` do: the engine does not start it again by itself.
    stopped_by_hand: bool = False
    number: int = dataclasses.field(default_factory=NUMBERS.__next__, repr=False, compare=False)

    @property
    def comes_back(self) -> bool:
        """Tell whether the engine starts it when the machine reboots."""
        if self.state == "created":
            return False
        return self.restart == EVEN_STOPPED or (self.restart == ALWAYS and not self.stopped_by_hand)

    @property
    def address(self) -> str:
        return f"172.17.0.{self.number}"

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def outside(self) -> bool:
        return self.publish[0] != "127.0.0.1" and self.publish[1] != OWN_PORT

    @property
    def healthy(self) -> bool:
        after = self.behaviour.healthy_after
        return (
            self.running
            and after is not None
            and self.probes >= after
            and not self.behaviour.crashes
            and not self.behaviour.check_hangs
            and (self.behaviour.healthy_as_live or not self.outside)
        )


class Killed(BaseException):
    """The process is dead: nothing that it would still do happens."""


@dataclasses.dataclass
class Cut:
    """Where and how a run is cut off: at which call, how much of it happened, by what."""

    at: int
    happened: str
    by: type[BaseException]


class Clock:
    """Time that passes only while somebody sleeps, or waits in vain."""

    now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


@dataclasses.dataclass
class Haproxy:
    """HAProxy as its runtime interface shows it.

    ``waits`` says that it starts as soon as the port is free.
    """

    waits: bool = False
    listens: bool = False
    up: bool = False
    map: dict[str, str] = dataclasses.field(default_factory=lambda: dict(edge.NEW_MAP))
    busy: list[int] = dataclasses.field(default_factory=list)

    def answer(self, words: list[str], *, port_is_free: bool) -> str:
        """Do what a command says; "" is a silent success."""
        if words[1] == "map":
            return self._map(words)
        if words[:2] == ["show", "stat"]:
            status = "OPEN" if self.listens else "STOP"
            at_hand = self.busy.pop(0) if self.busy else 0
            backends = "".join(f"{slot},BACKEND,{at_hand},UP\n" for slot in SLOTS)
            return f"# pxname,svname,scur,status\nservice,FRONTEND,0,{status}\n{backends}"
        if words[0] == "enable" and not port_is_free:
            return "Failed to resume frontend, check logs for precise cause (port conflict?)."
        again = words[0] == "enable"
        already, self.listens = self.listens == again, again
        return f"Frontend is already {words[0]}d." if already else ""

    def _map(self, words: list[str]) -> str:
        if words[0] == "show":
            return "".join(f"0x55d0 {key} {value}\n" for key, value in self.map.items())
        if words[0] == "set" and words[3] not in self.map:
            return "entry not found."
        self.map[words[3]] = words[4]
        return ""


class Engine(Docker):
    """Docker's methods on containers in memory; the words are those of the command line.

    Writing to the state folder is one more call, which can be cut off like the others.
    """

    def __init__(self) -> None:
        super().__init__()
        self.boxes: dict[str, Box] = {}
        self.behaviours: dict[str, Behaviour] = {spec.image: GOOD for spec in RELEASE_SPECS}
        self.image_labels: dict[str, dict[str, str]] = {}
        self.volumes: dict[str, dict[str, str]] = {}
        # What each container has logged besides, and the kernel's table of its sockets.
        self.log: list[str] = []
        self.sockets = ""
        self.files: dict[str, str] = {}
        self.healthcheck = HEALTHCHECK
        self.process_ports: set[int] = set()
        self.calls: list[tuple[str, ...]] = []
        # Those that were made while a client measured.
        self.watched: list[tuple[str, ...]] = []
        self.poll_seconds = 0.0
        self.cut: Cut | None = None
        self.dead = False
        self.described: list[dict[str, Any]] = []
        self.clock = Clock()
        self.attempts = 0
        self.haproxy = Haproxy()
        # Whether this account may start HAProxy, and whether the control node still listens.
        self.may_start_haproxy = True
        self.client_has_gone = False
        self.stdin = b""
        # Why this account cannot redirect connections; where they are led; the boot of the machine.
        self.obstacle = ""
        self.led = ""
        self.led_to: list[str] = []
        self.boot = 1
        # Work that was left to a process in the background; whether such a process can be started.
        self.later: list[Callable[[], object]] = []
        self.may_fork = True
        # Whether somebody holds the lock when others look.
        self.is_busy = False
        # How many connections a container has left, each time that somebody asks.
        self.open: list[int] = []

    def engine_version(self) -> str | None:
        return "29.1.3"

    def run(self, *words: str, stdin: bytes | None = None) -> Finished:
        self.stdin = stdin or b""
        finished: Finished = self._step(
            words, lambda: self._do(words), lambda: self._do_by_half(words)
        )
        return finished

    def check(self, *words: str, stdin: bytes | None = None) -> str:
        finished = self.run(*words, stdin=stdin)
        if finished.code:
            raise CommandError(finished)
        return finished.out

    def run_within(
        self,
        seconds: float,
        *words: str,
        stdin: bytes | None = None,
        heard: Callable[[str], None] | None = None,
        watched: Callable[[int], None] | None = None,
    ) -> Finished:
        del watched
        if self._hangs(words):
            self.run(*words, stdin=stdin)
            self.clock.sleep(seconds)
            raise ClassvmError(f"docker did not end within {seconds:.0f} s")
        finished = self.run(*words, stdin=stdin)
        if heard:
            for line in finished.err.splitlines():
                heard(line)
        return finished

    def exec_code(self, seconds: float, name: str, *argv: str) -> int:
        return self.run_within(seconds, "exec", name, *argv).code

    def revive(self) -> None:
        """Let the next process talk to the engine that the last one left behind."""
        self.dead, self.cut, self.calls = False, None, []

    def put(self, name: str, spec: ReleaseSpec, **changes: object) -> Box:
        """Have a container of that release there already, warm and healthy."""
        labels = {
            LABEL_SERVICE: spec.service,
            LABEL_RELEASE: spec.release,
            LABEL_SETTINGS: spec.settings,
            LABEL_HOW: json.dumps(difference.how(spec)),
        }
        # In a slot, the spec's settings are those of a release behind the edge.
        slot = str(changes.pop("slot", ""))
        publish = ("127.0.0.1", SLOTS[slot]) if slot else ("0.0.0.0", spec.host_port)
        if slot:
            labels[LABEL_SETTINGS] = dataclasses.replace(spec, strategy=BLUE_GREEN).settings
            labels[LABEL_SLOT] = slot
        reported = [limits.LIMITS[one].host_config(value) for one, value in spec.limits.items()]
        host_config = {key: value for each in reported for key, value in each.items()}
        box = Box(spec.image, labels, publish, probes=9, limits=host_config)
        self.boxes[name] = dataclasses.replace(box, **changes)  # type: ignore[arg-type] # any field
        return self.boxes[name]

    def put_edge(self, strategy: str = BLUE_GREEN, live: str = "none") -> None:
        """Have HAProxy there, as the role leaves it; it waits where its port is taken."""
        self.files[MAP_FILE] = f"live {live}\nmaintenance off\n"
        self.record_edge(strategy)

    def record_edge(self, strategy: str) -> None:
        """Choose a strategy, and have HAProxy run as soon as its port is free."""
        record = {"strategy": strategy, "port": PORT, "slots": SLOTS, "socket": "/haproxy"}
        self.files[RECORD_FILE] = json.dumps(record)
        self.files.setdefault(MAP_FILE, "live none\nmaintenance off\n")
        if not self.haproxy.up:
            self.haproxy = Haproxy(waits=True)
            self.wake()

    def stop_edge(self) -> None:
        """Have HAProxy stopped, as `systemctl stop` leaves it."""
        self.haproxy = Haproxy()

    def start_edge(self) -> None:
        """Start HAProxy where it is stopped, as `Edge.start` does."""
        if self.haproxy.up or self.haproxy.waits:
            return
        if not self.may_start_haproxy:
            raise ClassvmError("HAProxy is stopped, and this account may not start it")
        self._step(("systemctl", "start"), lambda: setattr(self.haproxy, "waits", True))

    def end_edge(self, slot: str, seconds: float) -> None:
        """Stop HAProxy softly, as `Edge.end` does."""
        assert self._holders(PORT), "HAProxy would take the port"
        assert (slot in SLOTS, seconds) == (True, RELEASE_SPEC.seconds.request)
        again = Haproxy(waits=True)
        self._step(("systemctl", "kill"), lambda: setattr(self, "haproxy", again))
        self._step(("systemctl", "stop"), self.stop_edge)

    def retire_edge(self) -> None:
        """Have HAProxy gone."""
        self.haproxy = Haproxy()
        del self.files[RECORD_FILE], self.files[MAP_FILE]

    def leave(self, work: Callable[[], object], keep: Sequence[int]) -> None:
        """Keep some work for a process in the background."""
        assert keep == [Lock.DESCRIPTOR]
        if not self.may_fork:
            raise BlockingIOError("no process can be started")
        self._step(("fork",), lambda: self.later.append(work))

    def finish(self) -> list[ClassvmError]:
        """Do what was left to the background; return the refusals, of which nobody hears."""
        refusals = []
        while self.later:
            try:
                self.later.pop()()
            except ClassvmError as refusal:
                refusals.append(refusal)
        return refusals

    def wake(self) -> None:
        """Let HAProxy start when its port is free, as its unit does."""
        if self.haproxy.waits and not self._holders(PORT):
            words = [line.split() for line in self.files[MAP_FILE].splitlines()]
            self.haproxy = Haproxy(up=True, listens=True, map=dict(words))

    def tell(self, words: str) -> str:
        """Give HAProxy a command."""
        answer: str = self._step(("haproxy", *words.split()), lambda: self._tell(words))
        return answer

    def _tell(self, words: str) -> str:
        if not self.haproxy.up:
            raise ConnectionRefusedError
        return self.haproxy.answer(words.split(), port_is_free=not self._holders(PORT))

    def state(self) -> str:
        """Return all that the model knows of containers, as text to compare."""
        return repr((sorted(self.boxes.items()), self.haproxy, bool(self.led)))

    def is_listened_to(self, port: int) -> bool:
        return port in self.process_ports or (port == PORT and self.haproxy.listens)

    def verbs(self) -> list[str]:
        return [words[0] for words in self.calls]

    def changes(self) -> list[str]:
        verbs = ("run", "create", "rename", "start", "stop", "rm")
        return [verb for verb in self.verbs() if verb in verbs]

    def serving(self) -> str:
        """Return which release answers healthily at its port, or ""."""
        box = self.boxes.get(RELEASE_SPEC.live)
        if self.led:
            box = next((one for one in self.boxes.values() if one.address == self.led), None)
        elif self.haproxy.listens:
            led_to = [one for one in self.boxes.values() if self._is_led_to(one)]
            box = led_to[0] if led_to else None
        elif box and LABEL_SLOT in box.labels:
            return ""
        return box.labels[LABEL_RELEASE] if box and box.healthy and box.networks else ""

    def answers(self, port: int, address: str = health.LOOPBACK) -> bool:
        """Tell whether a port of the host, or of a container, gives any HTTP answer."""
        if address != health.LOOPBACK:
            return address in {box.address for box in self.reached()}
        if port == PORT and self.haproxy.listens:
            return True
        return port in {box.publish[1] for box in self.reached()}

    def reached(self) -> list[Box]:
        """Return the containers whose ports are published: without a network, none is."""
        return [box for box in self.boxes.values() if box.running and box.networks]

    def _is_led_to(self, box: Box) -> bool:
        return box.labels.get(LABEL_SLOT) == self.haproxy.map.get("live") and box.running

    def load(self, rules: str) -> None:
        """Load the rules of a redirect, or remove them."""
        to = re.search("dnat ip to ([0-9.]+):", rules)
        address = to[1] if to else ""
        self._step(("nft", address), lambda: setattr(self, "led", address))
        self.led_to += [address] if address else []

    def send(self, container: Container, signal: str) -> None:
        """Send a signal to a container's first process."""
        self._step(("signal", signal, container.name), lambda: None)

    def reboot(self, order: Sequence[str] = ()) -> None:
        """Have the machine reboot; the engine starts containers again, in this order first."""
        self.led, self.boot = "", self.boot + 1
        names = [*order, *(name for name in self.boxes if name not in order)]
        for name in names:
            box = self.boxes[name]
            box.state = "exited" if box.running else box.state
        # HAProxy's unit starts after the engine, and then waits for its port.
        self.haproxy = Haproxy(waits=RECORD_FILE in self.files)
        for name in names:
            if self.boxes[name].comes_back:
                with contextlib.suppress(RuntimeError):  # another one has the port
                    self._start(("start", name))
        self.wake()

    # --- The state folder ---------------------------------------------------------------------

    def read(self, path: str) -> str:
        if self.dead:
            raise Killed
        return str(self.boot) if path == redirect.BOOT_ID else self.files.get(path, "")

    def append(self, path: str, text: str) -> None:
        def write(written: str) -> None:
            self.files[path] = self.files.get(path, "") + written

        half = text[: len(text) // 2]
        self._step(("append", path), lambda: write(text), lambda: write(half))

    def write(self, path: str, text: str) -> None:
        self._step(("write", path), lambda: self.files.update({path: text}))

    def remove(self, path: str) -> None:
        self._step(("unlink", path), lambda: self.files.pop(path, None))

    # --- What happens at each call ------------------------------------------------------------

    def _step(
        self,
        words: tuple[str, ...],
        work: Callable[[], Any],
        half: Callable[[], None] = lambda: None,
    ) -> Any:
        if self.dead:
            raise Killed
        self.calls.append(words)
        if self.cut and len(self.calls) == self.cut.at:
            with contextlib.suppress(OSError):  # of a HAProxy that does not run
                {"not": lambda: None, "wholly": work, "by half": half}[self.cut.happened]()
            self.dead = self.cut.by is Killed
            raise self.cut.by
        done = work()
        self.wake()
        return done

    def _do(self, words: tuple[str, ...]) -> Finished:
        try:
            out = self._answers[words[0]](self, words)
            return Finished(words, int(out == BROKEN), out, "")
        except LookupError as error:
            return Finished(words, 1, "", f"Error: No such object: {error}")
        except RuntimeError as error:
            return Finished(words, 125, "", f"docker: {error}")

    def _do_by_half(self, words: tuple[str, ...]) -> None:
        """Do what the engine has done when it is asked no further."""
        if words[0] == "run":
            self._create(words)
        elif words[0] == "rm" and words[-1] in self.boxes:
            self.boxes[words[-1]].state = "exited"
        elif words[0] == "restart" and words[-1] in self.boxes:
            self._stop(words)

    def _hangs(self, words: tuple[str, ...]) -> bool:
        if words[0] == "exec":
            box = self.boxes.get(words[1])
            return bool(box and box.running and box.behaviour.check_hangs)
        tried = self.boxes.get(checked(words))
        return bool(tried and not tried.behaviour.answers_end)

    def _inspect(self, kind: str, *names: str) -> list[dict[str, Any]]:
        """Spare thousands of runs the way through JSON, which test_docker.py goes."""
        self.described = []
        self.run(kind, "inspect", *names)
        return self.described

    def _inspect_container(self, words: tuple[str, ...]) -> str:
        self.described = [self._describe(name) for name in words[2:] if name in self.boxes]
        return ""

    def _describe(self, name: str) -> dict[str, Any]:
        box = self.boxes[name]
        self._age(box)
        address, port = box.publish
        places = [{"HostIp": address, "HostPort": str(port)}]
        is_published = box.running and box.networks
        return {
            "Id": f"id-{name}",
            "Name": f"/{name}",
            "Image": f"sha256:{box.image}",
            "RestartCount": box.restarts,
            "State": {
                "Running": box.running,
                "ExitCode": 3 if box.restarts else 0,
                "Health": {"Status": "healthy" if box.healthy else "unhealthy"},
                "StartedAt": "2026-01-01T10:00:00.5Z",
            },
            "HostConfig": {
                **box.limits,
                "CpuShares": int(box.cpu_shares),
                "Mounts": box.mounts,
                "RestartPolicy": {"Name": box.restart},
                "LogConfig": {"Type": box.log_driver},
            },
            "Config": {
                # A container inherits those of its image.
                "Labels": {**self.image_labels.get(box.image, {}), **box.labels},
                "Healthcheck": {"Test": self.healthcheck},
                "WorkingDir": "/service",
            },
            "NetworkSettings": {
                "Ports": {"8080/tcp": places} if is_published else {},
                "Networks": {name: {"IPAddress": box.address} for name in box.networks},
            },
        }

    def _image(self, words: tuple[str, ...]) -> str:
        if words[1] == "ls":
            return "".join(f"{name}\n" for name in self.behaviours)
        name = words[2].removeprefix("sha256:")
        self.behaviours[name]
        if words[1] == "rm":
            if any(box.image == name for box in self.boxes.values()):
                raise RuntimeError("a container is using its referenced image")
            del self.behaviours[name]
            return ""
        labels = self.image_labels.get(name, {})
        self.described = [{"Id": f"sha256:{name}", "Size": 1, "Config": {"Labels": labels}}]
        return ""

    def _age(self, box: Box) -> None:
        """Let a container end that does so after some time."""
        after = box.behaviour.crashes_after
        if after is not None and box.running and self.clock.now - box.started >= after:
            box.restarts += 1

    def _rm(self, words: tuple[str, ...]) -> str:
        forced = "--force" in words
        named = [word for word in words[1:] if not word.startswith("--")]
        there = [name for name in named if name in self.boxes]
        if not forced and any(self.boxes[name].running for name in there):
            raise RuntimeError("cannot remove a running container")
        for name in there:
            del self.boxes[name]
        if there != named:
            raise LookupError(named)
        return ""

    def _rename(self, words: tuple[str, ...]) -> str:
        if words[2] in self.boxes:
            raise RuntimeError(f"the name {words[2]} is already in use")
        self.boxes[words[2]] = self.boxes.pop(words[1])
        return ""

    def _start(self, words: tuple[str, ...]) -> str:
        box = self.boxes[words[-1]]
        if not box.running:
            self._require_port(box)
            if not box.behaviour.starts:
                raise RuntimeError("exec: no such file or directory")
            box.state, box.restarts, box.started = "running", 0, self.clock.now
            box.stopped_by_hand = False
        return ""

    def _stop(self, words: tuple[str, ...]) -> str:
        box = self.boxes[words[-1]]
        box.stops += box.running
        box.state, box.stopped_by_hand = "exited", True
        return ""

    def _restart(self, words: tuple[str, ...]) -> str:
        self._stop(words)
        return self._start(words)

    def _run(self, words: tuple[str, ...]) -> str:
        if "--rm" in words:
            tried = self.boxes[checked(words)]
            if not tried.healthy:
                raise RuntimeError("cannot join the network of a container that does not run")
            if not tried.behaviour.answers_end:
                self._create(words).state = "running"
            if not tried.behaviour.keeps_contract:
                return BROKEN
            return json.dumps(tried.behaviour.report)
        box = self._create(words)
        self._require_port(box)
        if not box.behaviour.starts:
            raise RuntimeError("exec: no such file or directory")
        box.state, box.started = "running", self.clock.now
        return ""

    def _update(self, words: tuple[str, ...]) -> str:
        box, given = self.boxes[words[-1]], dict(itertools.pairwise(words))
        box.restart = given.get("--restart", box.restart)
        box.cpu_shares = given.get("--cpu-shares", box.cpu_shares)
        return ""

    def _create_only(self, words: tuple[str, ...]) -> str:
        self._create(words)
        return ""

    def _create(self, words: tuple[str, ...]) -> Box:
        name = words[words.index("--name") + 1]
        if name in self.boxes:
            raise RuntimeError(f"the name {name} is already in use")
        publish = ("127.0.0.1", 0)
        if "--publish" in words:
            mapping = words[words.index("--publish") + 1].split(":")
            address = mapping[0] if len(mapping) == 3 else "0.0.0.0"
            publish = (address, int(mapping[-2] or 32768))
        labels = dict(
            value.split("=", 1) for key, value in itertools.pairwise(words) if key == "--label"
        )
        image = CHECKER if "--rm" in words else words[-1]
        self.boxes[name] = Box(
            image,
            labels,
            publish,
            GOOD if image == CHECKER else self.behaviours[image],
            state="created",
            limits=limits_of(words),
            environment=self.stdin if ENV_FILE in words else b"",
            mounts=mounts_of(words),
        )
        if "--restart" in words:
            self.boxes[name].restart = words[words.index("--restart") + 1]
        self.boxes[name].cpu_shares = words[words.index("--cpu-shares") + 1]
        return self.boxes[name]

    def _holders(self, port: int) -> list[object]:
        """Return which running containers and processes, but for HAProxy, hold a port."""
        boxes = [one for one in self.reached() if one.publish[1] == port]
        return [*boxes, *(self.process_ports & {port})]

    def _require_port(self, box: Box) -> None:
        port = box.publish[1]
        if self._holders(port) or (port == PORT and self.haproxy.listens):
            raise RuntimeError(f"Bind for 0.0.0.0:{port} failed: port is already allocated")

    def _exec(self, words: tuple[str, ...]) -> str:
        box = self.boxes[words[1]]
        if words[2:] == ("cat", *listening.TABLES):
            return self.sockets
        if words[2:] != tuple(self.healthcheck[1:]):
            raise RuntimeError(f"not the image's health check: {words[2:]}")
        if box.running and box.behaviour.crashes:
            box.restarts += 1
        if not box.healthy:
            box.probes += 1
            raise RuntimeError("unhealthy")
        return ""

    def _logs(self, words: tuple[str, ...]) -> str:
        stamp = "2026-01-01T10:00:00.500000000Z " if "--timestamps" in words else ""
        said = [f"last words of {self.boxes[words[-1]].image}", *self.log]
        return "".join(f"{stamp}{line}\n" for line in said)

    def _ps(self, words: tuple[str, ...]) -> str:
        asked = words[words.index("--filter") + 1]
        if asked == f"label={LABEL_SERVICE}":
            boxes = [box for box in self.boxes.values() if LABEL_SERVICE in box.labels]
            return "\n".join(box.labels[LABEL_SERVICE] for box in boxes)
        if asked.startswith("ancestor="):
            image = asked.partition("=")[2]
            return "\n".join(name for name, box in self.boxes.items() if box.image == image)
        port = int(asked.partition("=")[2].partition("/")[0])
        reached = self.reached()
        found = [
            name for name, box in self.boxes.items() if box in reached and box.publish[1] == port
        ]
        return "\n".join(found)

    def _info(self, words: tuple[str, ...]) -> str:
        del words
        return json.dumps({"LoggingDriver": LOG_DRIVER})

    def _volume(self, words: tuple[str, ...]) -> str:
        """Make a volume unless it is there, or describe those that are."""
        if words[1] == "create":
            labels = [word.split("=", 1) for word in words[2:-1] if "=" in word]
            self.volumes.setdefault(words[-1], dict(labels))
            return words[-1]
        # Where one is missing, Docker ends with an error, and prints an empty line for it.
        there = {name: f"{name} {json.dumps(labels)}" for name, labels in self.volumes.items()}
        return "".join(f"{there.get(name, '')}\n" for name in words[4:])

    _answers: ClassVar[dict[str, Callable[..., str]]] = {
        "container": _inspect_container,
        "image": _image,
        "rm": _rm,
        "rename": _rename,
        "start": _start,
        "stop": _stop,
        "restart": _restart,
        "run": _run,
        "create": _create_only,
        "update": _update,
        "volume": _volume,
        "exec": _exec,
        "logs": _logs,
        "ps": _ps,
        "info": _info,
    }


def checked(words: tuple[str, ...]) -> str:
    """Return the name of the container that a contract check calls."""
    return words[words.index("--network") + 1].partition(":")[2]


def limits_of(words: tuple[str, ...]) -> dict[str, Any]:
    """Return what the engine reports of the limits on a command line."""
    given = dict(itertools.pairwise(words))
    if "--memory" not in given:
        return {}
    path, _, options = given["--tmpfs"].partition(":")
    return {
        "Memory": limits.in_bytes(given["--memory"]),
        "PidsLimit": int(given["--pids-limit"]),
        "Tmpfs": {path: options},
    }


def mounts_of(words: tuple[str, ...]) -> list[dict[str, str]]:
    """Return what the engine reports of the volumes on a command line."""
    given = [value for key, value in itertools.pairwise(words) if key == "--mount"]
    fields = [dict(field.split("=", 1) for field in one.split(",")) for one in given]
    return [{"Type": one["type"], "Source": one["src"], "Target": one["dst"]} for one in fields]


class Watch(gap.Watch):
    """A client that sees a gap of the same length in each swap of a release that served."""

    engine: Engine

    def __enter__(self) -> None:
        self.gap = GAP if self.engine.serving() else None
        self.engine.poll_seconds = self.poll_seconds
        self._first = len(self.engine.calls)

    def __exit__(self, *_: object) -> None:
        self.seconds = SECONDS
        self.engine.watched = self.engine.calls[self._first :]


def enter(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the engine's clock, ports and state folder be those of the code under test."""

    def now() -> str:
        engine.attempts += 1
        return f"2026-01-01T00:00:00.{engine.attempts:03d}Z"

    monkeypatch.setenv("LOGNAME", "student")
    monkeypatch.delenv("SUDO_USER", raising=False)
    for module in (health, candidate, connections, edge):
        monkeypatch.setattr(module, "time", engine.clock)
    monkeypatch.setattr(Edge, "tell", lambda _, words: engine.tell(words))
    monkeypatch.setattr(Edge, "start", lambda _: engine.start_edge())
    monkeypatch.setattr(Edge, "end", lambda _, *words: engine.end_edge(*words))
    monkeypatch.setattr(health, "answers", engine.answers)
    monkeypatch.setattr(connections, "count", lambda _: engine.open.pop(0) if engine.open else 0)
    monkeypatch.setattr(connections, "tell", engine.send)
    monkeypatch.setattr(redirect, "load", engine.load)
    monkeypatch.setattr(redirect, "obstacle", lambda: engine.obstacle)
    monkeypatch.setattr(redirect, "free_port", lambda: OWN_PORT)
    monkeypatch.setattr(client, "has_gone", lambda: engine.client_has_gone)
    monkeypatch.setattr(host, "port_owner", lambda _: "python3 (process 4711)")
    monkeypatch.setattr(host, "is_listened_to", engine.is_listened_to)
    monkeypatch.setattr(gap, "Watch", type("Watch", (Watch,), {"engine": engine}))
    monkeypatch.setattr(locks, "held", Lock)
    monkeypatch.setattr(locks, "sign", lambda _: None)
    monkeypatch.setattr(locks, "is_held", lambda _: engine.is_busy)
    monkeypatch.setattr(background, "run", engine.leave)
    monkeypatch.setattr(state, "now", now)
    for name in ("read", "append", "remove"):
        monkeypatch.setattr(state, name, getattr(engine, name))
    monkeypatch.setattr(state, "write_atomically", engine.write)


class Lock:
    """A lock that is always free: thousands of runs need no file for it."""

    DESCRIPTOR = 77

    def __init__(self, _: str) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def fileno(self) -> int:
        """Return the number of its file."""
        return self.DESCRIPTOR


def cuts(calls: list[tuple[str, ...]], by: type[BaseException]) -> Iterator[Cut]:
    """Yield each way to cut off a run that made these calls."""
    for at, words in enumerate(calls, start=1):
        yield Cut(at, "not", by)
        if words[0] in CHANGES or words[:2] == ("image", "rm"):
            yield Cut(at, "wholly", by)
        if words[0] in ("run", "rm", "restart", "append"):
            yield Cut(at, "by half", by)


CHANGES = (
    "run",
    "create",
    "update",
    "rename",
    "start",
    "stop",
    "restart",
    "rm",
    "append",
    "write",
    "unlink",
    "haproxy",
    "systemctl",
    "nft",
)
