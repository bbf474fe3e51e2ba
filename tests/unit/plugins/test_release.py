"""The whole release transaction on an engine that lives in memory, cut off at every step."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import errno
import itertools
import json
import multiprocessing
import os
import types
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Optional, Set, Tuple, Type

import pytest

from classvm import contract, host, release
from classvm.command import CommandError, Finished
from classvm.docker import Docker
from classvm.errors import ClassvmError
from classvm.image import LABEL_RELEASE, LABEL_SERVICE

if TYPE_CHECKING:
    from pathlib import Path

PORT = 11000
HEALTHCHECK = ["CMD", "python3", "healthcheck.py"]

WISH = release.Wish(
    service="lab",
    release="r2",
    image="classvm/lab:r2",
    host_port=PORT,
    container_port=8080,
    memory="512m",
    pids=128,
    tmpfs_size="64m",
    health_timeout=2,
    contract="openapi: 3.0.0",
)
OLD = dataclasses.replace(WISH, release="r1", image="classvm/lab:r1")
OTHER = dataclasses.replace(WISH, release="r3", image="classvm/lab:r3")


@dataclasses.dataclass(frozen=True)
class Behaviour:
    """How a release does: when it is healthy, and what is wrong with it."""

    healthy_after: Optional[int] = 1
    starts: bool = True
    crashes: bool = False
    keeps_contract: bool = True
    healthy_as_live: bool = True


GOOD = Behaviour()
RUN_FAILS = Behaviour(starts=False)
NEVER_HEALTHY = Behaviour(healthy_after=None)
CRASHES = Behaviour(crashes=True)
BREAKS_CONTRACT = Behaviour(keeps_contract=False)
BAD_AS_LIVE = Behaviour(healthy_as_live=False)


@dataclasses.dataclass
class Box:
    """A container of the model; ``state`` is created, running or exited."""

    image: str
    labels: Dict[str, str]
    publish: Tuple[str, int]
    behaviour: Behaviour = GOOD
    state: str = "running"
    probes: int = 0
    restarts: int = 0
    stops: int = 0

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def outside(self) -> bool:
        return self.publish[0] != "127.0.0.1"

    @property
    def healthy(self) -> bool:
        after = self.behaviour.healthy_after
        return (
            self.running
            and after is not None
            and self.probes >= after
            and not self.behaviour.crashes
            and (self.behaviour.healthy_as_live or not self.outside)
        )


class Killed(BaseException):
    """The process is dead: nothing that it would still do happens."""


@dataclasses.dataclass
class Cut:
    """Where and how a run is cut off: at which call, how much of it happened, by what."""

    at: int
    happened: str
    by: Type[BaseException]


class Engine(Docker):
    """Docker's methods on containers in memory; the words are those of the command line."""

    def __init__(self) -> None:
        super().__init__()
        self.boxes: Dict[str, Box] = {}
        self.behaviours: Dict[str, Behaviour] = {
            wish.image: GOOD for wish in (OLD, WISH, OTHER)
        }
        self.process_ports: Set[int] = set()
        self.calls: List[Tuple[str, ...]] = []
        self.cut: Optional[Cut] = None
        self.dead = False

    def run(self, *words: str, stdin: Optional[bytes] = None) -> Finished:
        del stdin
        if self.dead:
            raise Killed
        self.calls.append(words)
        if self.cut and len(self.calls) == self.cut.at:
            if self.cut.happened == "wholly":
                self._do(words)
            elif self.cut.happened == "by half":
                self._do_by_half(words)
            self.dead = self.cut.by is Killed
            raise self.cut.by
        return self._do(words)

    def check(self, *words: str, stdin: Optional[bytes] = None) -> str:
        finished = self.run(*words, stdin=stdin)
        if finished.code:
            raise CommandError(finished)
        return finished.out

    def revive(self) -> None:
        """Let the next process talk to the engine that the last one left behind."""
        self.dead, self.cut, self.calls = False, None, []

    def put(self, name: str, wish: release.Wish, **changes: Any) -> Box:
        """Have a container of that release there already, warm and healthy."""
        labels = {
            LABEL_SERVICE: wish.service,
            LABEL_RELEASE: wish.release,
            release.LABEL_SETTINGS: wish.settings,
        }
        settings = {"probes": 9, **changes}
        self.boxes[name] = Box(wish.image, labels, ("0.0.0.0", wish.host_port), **settings)  # noqa: S104
        return self.boxes[name]

    def state(self) -> str:
        """Return all that the model knows, as text to compare."""
        return repr(sorted(self.boxes.items()))

    def verbs(self) -> List[str]:
        return [words[0] for words in self.calls]

    def changes(self) -> List[str]:
        return [verb for verb in self.verbs() if verb in ("run", "rename", "start", "stop", "rm")]

    def _do(self, words: Tuple[str, ...]) -> Finished:
        try:
            return Finished(words, 0, self._answers[words[0]](self, words), "")
        except LookupError as error:
            return Finished(words, 1, "", f"Error: No such object: {error}")
        except RuntimeError as error:
            return Finished(words, 125, "", f"docker: {error}")

    def _do_by_half(self, words: Tuple[str, ...]) -> None:
        """Do what the engine has done when it is asked no further."""
        if words[0] == "run" and "--rm" not in words:
            self._create(words)
        elif words[0] == "rm" and words[-1] in self.boxes:
            self.boxes[words[-1]].state = "exited"

    def _inspect_container(self, words: Tuple[str, ...]) -> str:
        box = self.boxes[words[2]]
        address, port = box.publish
        places = [{"HostIp": address, "HostPort": str(port)}]
        described = {
            "Id": f"id-{words[2]}",
            "Name": f"/{words[2]}",
            "Image": f"sha256:{box.image}",
            "State": {"Running": box.running, "ExitCode": 3 if box.restarts else 0},
            "Config": {"Labels": box.labels},
            "NetworkSettings": {"Ports": {"8080/tcp": places} if box.running else {}},
        }
        return json.dumps([described])

    def _inspect_image(self, words: Tuple[str, ...]) -> str:
        self.behaviours[words[2]]
        config = {"Labels": {}, "Healthcheck": {"Test": HEALTHCHECK}}
        return json.dumps([{"Id": f"sha256:{words[2]}", "Size": 1, "Config": config}])

    def _inspect_format(self, words: Tuple[str, ...]) -> str:
        box = self.boxes[words[-1]]
        return f"{box.restarts} {str(box.running).lower()}\n"

    def _rm(self, words: Tuple[str, ...]) -> str:
        if self.boxes[words[-1]].running and "--force" not in words:
            raise RuntimeError("cannot remove a running container")
        del self.boxes[words[-1]]
        return ""

    def _rename(self, words: Tuple[str, ...]) -> str:
        if words[2] in self.boxes:
            raise RuntimeError(f"the name {words[2]} is already in use")
        self.boxes[words[2]] = self.boxes.pop(words[1])
        return ""

    def _start(self, words: Tuple[str, ...]) -> str:
        box = self.boxes[words[-1]]
        if not box.running:
            self._require_port(box)
            box.state = "running"
        return ""

    def _stop(self, words: Tuple[str, ...]) -> str:
        box = self.boxes[words[-1]]
        box.stops += box.running
        box.state = "exited"
        return ""

    def _run(self, words: Tuple[str, ...]) -> str:
        if "--rm" in words:
            tried = self.boxes[words[words.index("--network") + 1].partition(":")[2]]
            if not tried.healthy:
                raise RuntimeError("cannot join the network of a container that does not run")
            if not tried.behaviour.keeps_contract:
                raise RuntimeError("GET /e222/sum breaks its contract")
            return ""
        box = self._create(words)
        self._require_port(box)
        if not box.behaviour.starts:
            raise RuntimeError("exec: no such file or directory")
        box.state = "running"
        return ""

    def _create(self, words: Tuple[str, ...]) -> Box:
        name = words[words.index("--name") + 1]
        if name in self.boxes:
            raise RuntimeError(f"the name {name} is already in use")
        mapping = words[words.index("--publish") + 1].split(":")
        publish = ("127.0.0.1", 32768) if len(mapping) == 3 else ("0.0.0.0", int(mapping[0]))  # noqa: S104
        labels = dict(
            value.split("=", 1) for key, value in itertools.pairwise(words) if key == "--label"
        )
        behaviour = self.behaviours[words[-1]]
        self.boxes[name] = Box(words[-1], labels, publish, behaviour, state="created")
        return self.boxes[name]

    def _require_port(self, box: Box) -> None:
        port = box.publish[1]
        others = [other for other in self.boxes.values() if other.running and other is not box]
        if port in {other.publish[1] for other in others} | self.process_ports:
            raise RuntimeError(f"Bind for 0.0.0.0:{port} failed: port is already allocated")

    def _exec(self, words: Tuple[str, ...]) -> str:
        box = self.boxes[words[1]]
        if words[2:] != tuple(HEALTHCHECK[1:]):
            raise RuntimeError(f"not the image's health check: {words[2:]}")
        if box.running and box.behaviour.crashes:
            box.restarts += 1
        if not box.healthy:
            box.probes += 1
            raise RuntimeError("unhealthy")
        return ""

    def _logs(self, words: Tuple[str, ...]) -> str:
        return f"last words of {self.boxes[words[-1]].image}\n"

    def _ps(self, words: Tuple[str, ...]) -> str:
        port = int(words[2].partition("=")[2].partition("/")[0])
        found = [name for name, box in self.boxes.items() if box.running and box.publish[1] == port]
        return "\n".join(found)

    _answers: Dict[str, Callable[[Engine, Tuple[str, ...]], str]] = {  # noqa: RUF012
        "container": _inspect_container,
        "image": _inspect_image,
        "inspect": _inspect_format,
        "rm": _rm,
        "rename": _rename,
        "start": _start,
        "stop": _stop,
        "run": _run,
        "exec": _exec,
        "logs": _logs,
        "ps": _ps,
    }


class Clock(types.SimpleNamespace):
    """Time that passes only while somebody sleeps."""

    now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now

    def gmtime(self) -> None:
        """Stand in for the present, which no test looks at."""

    def strftime(self, _format: str, _when: None) -> str:
        return "2026-01-01T00:00:00Z"


class Probe:
    """A socket that cannot be bound where a process of the model listens."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, *_: object) -> None:
        """Close nothing."""

    def setsockopt(self, *_: int) -> None:
        """Set nothing."""

    def bind(self, address: Tuple[str, int]) -> None:
        if address[1] in self.engine.process_ports:
            raise OSError(errno.EADDRINUSE, "Address already in use")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Engine], None]:
    """Offer ``world(engine)``: the clock and the sockets then belong to the model."""
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("LOGNAME", "student")
    monkeypatch.setattr(release, "time", Clock())
    monkeypatch.setattr(release.inspect, "getsource", lambda module: f"source of {module.__name__}")
    monkeypatch.setattr(host, "port_owner", lambda _: "python3 (process 4711)")

    def enter(engine: Engine) -> None:
        fake = types.SimpleNamespace(
            AF_INET=0, SOCK_STREAM=0, SOL_SOCKET=0, SO_REUSEADDR=0, socket=lambda *_: Probe(engine)
        )
        monkeypatch.setattr(host, "socket", fake)

    return enter


# --- start states: what a release may find -------------------------------------------------


def nothing(engine: Engine) -> None:
    """Leave the host empty."""
    del engine


def same_release(engine: Engine) -> None:
    engine.put(WISH.live, WISH)


def same_release_with_other_settings(engine: Engine) -> None:
    engine.put(WISH.live, dataclasses.replace(WISH, memory="64m"))


def other_release(engine: Engine) -> None:
    engine.put(WISH.live, OLD)


def other_release_on_another_port(engine: Engine) -> None:
    engine.put(WISH.live, dataclasses.replace(OLD, host_port=PORT + 1))


def stopped(engine: Engine) -> None:
    engine.put(WISH.live, OLD, state="exited")


def crashed(engine: Engine) -> None:
    engine.put(WISH.live, OLD, state="exited", behaviour=CRASHES, restarts=3)


def crashing(engine: Engine) -> None:
    engine.put(WISH.live, WISH, behaviour=CRASHES, restarts=3)


def candidate_left(engine: Engine) -> None:
    engine.put(WISH.live, OLD)
    engine.put(WISH.candidate, OTHER, publish=("127.0.0.1", 32768))


def created_candidate_left(engine: Engine) -> None:
    engine.put(WISH.candidate, WISH, publish=("127.0.0.1", 32768), state="created")


def previous_left_live_healthy(engine: Engine) -> None:
    engine.put(WISH.live, OTHER)
    engine.put(WISH.previous, OLD, state="exited")


def previous_left_live_broken(engine: Engine) -> None:
    engine.put(WISH.live, OTHER, behaviour=NEVER_HEALTHY)
    engine.put(WISH.previous, OLD, state="exited")


def previous_left_live_created(engine: Engine) -> None:
    engine.put(WISH.live, WISH, state="created")
    engine.put(WISH.previous, OLD, state="exited")


def previous_left_no_live(engine: Engine) -> None:
    engine.put(WISH.previous, OLD, state="exited")


def previous_left_running(engine: Engine) -> None:
    engine.put(WISH.previous, OLD)


START_STATES = [
    nothing,
    same_release,
    same_release_with_other_settings,
    other_release,
    other_release_on_another_port,
    stopped,
    crashed,
    crashing,
    candidate_left,
    created_candidate_left,
    previous_left_live_healthy,
    previous_left_live_broken,
    previous_left_live_created,
    previous_left_no_live,
    previous_left_running,
]
# After these a healthy release serves, or served until a run was cut off.
SERVED = {
    same_release_with_other_settings: "r2",
    other_release: "r1",
    other_release_on_another_port: "r1",
    candidate_left: "r1",
    previous_left_live_healthy: "r3",
    previous_left_live_broken: "r1",
    previous_left_live_created: "r1",
    previous_left_no_live: "r1",
    previous_left_running: "r1",
}
REFUSALS = {
    RUN_FAILS: "exec: no such file or directory",
    NEVER_HEALTHY: "it was not healthy within 2 s",
    CRASHES: "it ended with exit code 3",
    BREAKS_CONTRACT: "breaks its contract; the running release was not touched",
    BAD_AS_LIVE: "it was not healthy within 2 s",
}
EACH_START = pytest.mark.parametrize("start", START_STATES, ids=lambda start: start.__name__)
ids_of_refusals = ["run fails", "never healthy", "crashes", "breaks contract", "bad as live"]
EACH_REFUSAL = pytest.mark.parametrize("behaviour", REFUSALS, ids=ids_of_refusals)


def engine_in(start: Callable[[Engine], None], behaviour: Behaviour = GOOD) -> Engine:
    engine = Engine()
    engine.behaviours[WISH.image] = behaviour
    start(engine)
    return engine


def assert_only_live(engine: Engine, wish: release.Wish = WISH) -> None:
    assert set(engine.boxes) == {wish.live}
    box = engine.boxes[wish.live]
    assert box.running
    assert box.healthy
    assert box.labels[LABEL_RELEASE] == wish.release
    assert box.labels[release.LABEL_SETTINGS] == wish.settings
    assert (box.image, box.publish) == (wish.image, ("0.0.0.0", wish.host_port))  # noqa: S104


def assert_served_still(engine: Engine, served: Optional[str]) -> None:
    """Whoever served healthily serves, and nobody else is there."""
    assert set(engine.boxes) <= {WISH.live}
    if served:
        assert engine.boxes[WISH.live].healthy
        assert engine.boxes[WISH.live].labels[LABEL_RELEASE] == served


# --- the command line ------------------------------------------------------------------------


def test_run_words() -> None:
    wish = dataclasses.replace(WISH, environment={"B": "2", "A": "1 3"})
    words = release.run_words(wish, name="n", publish="11000:8080", labels={"y": "2", "x": "1"})
    assert " ".join(words) == (
        "run --detach --name n --publish 11000:8080 --restart unless-stopped --read-only"
        " --cap-drop ALL --security-opt no-new-privileges --pids-limit 128 --memory 512m"
        " --memory-swap 512m --tmpfs /tmp:rw,noexec,nosuid,nodev,size=64m --env HOST_PORT=11000"
        " --env A=1 3 --env B=2 --label x=1 --label y=2 classvm/lab:r2"
    )


def test_run_words_without_publishing() -> None:
    assert "--publish" not in release.run_words(WISH, name="n", publish="", labels={})


def test_names() -> None:
    names = (WISH.live, WISH.candidate, WISH.previous)
    assert names == ("classvm-lab", "classvm-lab-candidate", "classvm-lab-previous")


@pytest.mark.parametrize(
    "change",
    [
        {"host_port": 1},
        {"container_port": 1},
        {"memory": "1m"},
        {"pids": 1},
        {"tmpfs_size": "1m"},
        {"environment": {"A": "1"}},
    ],
    ids=str,
)
def test_each_setting_counts(change: Dict[str, Any]) -> None:
    assert dataclasses.replace(WISH, **change).settings != WISH.settings


@pytest.mark.parametrize("change", [{"health_timeout": 9}, {"contract": ""}], ids=str)
def test_what_does_not_change_how_it_runs_does_not_count(change: Dict[str, Any]) -> None:
    assert dataclasses.replace(WISH, **change).settings == WISH.settings


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (["CMD", "a", "b"], ["a", "b"]),
        (["CMD-SHELL", "a | b"], ["/bin/sh", "-c", "a | b"]),
        (["NONE"], []),
        ([], []),
    ],
)
def test_health_words(test: List[str], words: List[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("test_release_health" if False else f"{__name__}.HEALTHCHECK", test)
    assert release.health_words(Engine(), WISH) == words


def test_an_image_that_is_not_here_has_no_health_words() -> None:
    assert release.health_words(Engine(), dataclasses.replace(WISH, image="gone")) == []
