"""The whole release transaction on an engine that lives in memory, cut off at every step."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import itertools
import json
import multiprocessing
import os
import time
import types
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from classvm import contract, host, release, service
from classvm.command import CommandError, Finished
from classvm.docker import Docker
from classvm.errors import ClassvmError
from classvm.image import LABEL_RELEASE, LABEL_SERVICE

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess
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
LAST = dataclasses.replace(WISH, release="r4", image="classvm/lab:r4")


@dataclasses.dataclass(frozen=True)
class Behaviour:
    """How a release does: when it is healthy, and what is wrong with it."""

    healthy_after: int | None = 1
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
    labels: dict[str, str]
    publish: tuple[str, int]
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
    by: type[BaseException]


class Engine(Docker):
    """Docker's methods on containers in memory; the words are those of the command line."""

    def __init__(self) -> None:
        super().__init__()
        self.boxes: dict[str, Box] = {}
        self.behaviours: dict[str, Behaviour] = {
            wish.image: GOOD for wish in (OLD, WISH, OTHER, LAST)
        }
        self.healthcheck = HEALTHCHECK
        self.process_ports: set[int] = set()
        self.calls: list[tuple[str, ...]] = []
        self.cut: Cut | None = None
        self.dead = False
        self.described: dict[str, Any] = {}

    def run(self, *words: str, stdin: bytes | None = None) -> Finished:
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

    def check(self, *words: str, stdin: bytes | None = None) -> str:
        finished = self.run(*words, stdin=stdin)
        if finished.code:
            raise CommandError(finished)
        return finished.out

    def revive(self) -> None:
        """Let the next process talk to the engine that the last one left behind."""
        self.dead, self.cut, self.calls = False, None, []

    def put(self, name: str, wish: release.Wish, **changes: object) -> Box:
        """Have a container of that release there already, warm and healthy."""
        labels = {
            LABEL_SERVICE: wish.service,
            LABEL_RELEASE: wish.release,
            release.LABEL_SETTINGS: wish.settings,
        }
        box = Box(wish.image, labels, ("0.0.0.0", wish.host_port), probes=9)  # noqa: S104
        self.boxes[name] = dataclasses.replace(box, **changes)  # type: ignore[arg-type]
        return self.boxes[name]

    def state(self) -> str:
        """Return all that the model knows, as text to compare."""
        return repr(sorted(self.boxes.items()))

    def verbs(self) -> list[str]:
        return [words[0] for words in self.calls]

    def changes(self) -> list[str]:
        return [verb for verb in self.verbs() if verb in ("run", "rename", "start", "stop", "rm")]

    def _do(self, words: tuple[str, ...]) -> Finished:
        try:
            return Finished(words, 0, self._answers[words[0]](self, words), "")
        except LookupError as error:
            return Finished(words, 1, "", f"Error: No such object: {error}")
        except RuntimeError as error:
            return Finished(words, 125, "", f"docker: {error}")

    def _do_by_half(self, words: tuple[str, ...]) -> None:
        """Do what the engine has done when it is asked no further."""
        if words[0] == "run" and "--rm" not in words:
            self._create(words)
        elif words[0] == "rm" and words[-1] in self.boxes:
            self.boxes[words[-1]].state = "exited"

    def _inspect(self, kind: str, name: str) -> dict[str, Any] | None:
        """Spare thousands of runs the way through JSON, which test_docker.py goes."""
        return None if self.run(kind, "inspect", name).code else self.described

    def _inspect_container(self, words: tuple[str, ...]) -> str:
        box = self.boxes[words[2]]
        address, port = box.publish
        places = [{"HostIp": address, "HostPort": str(port)}]
        self.described = {
            "Id": f"id-{words[2]}",
            "Name": f"/{words[2]}",
            "Image": f"sha256:{box.image}",
            "State": {"Running": box.running, "ExitCode": 3 if box.restarts else 0},
            "Config": {"Labels": box.labels},
            "NetworkSettings": {"Ports": {"8080/tcp": places} if box.running else {}},
        }
        return ""

    def _inspect_image(self, words: tuple[str, ...]) -> str:
        self.behaviours[words[2]]
        config = {"Healthcheck": {"Test": self.healthcheck}}
        self.described = {"Id": f"sha256:{words[2]}", "Size": 1, "Config": config}
        return ""

    def _inspect_format(self, words: tuple[str, ...]) -> str:
        box = self.boxes[words[-1]]
        return f"{box.restarts} {str(box.running).lower()}\n"

    def _rm(self, words: tuple[str, ...]) -> str:
        if self.boxes[words[-1]].running and "--force" not in words:
            raise RuntimeError("cannot remove a running container")
        del self.boxes[words[-1]]
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
            box.state = "running"
        return ""

    def _stop(self, words: tuple[str, ...]) -> str:
        box = self.boxes[words[-1]]
        box.stops += box.running
        box.state = "exited"
        return ""

    def _run(self, words: tuple[str, ...]) -> str:
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

    def _create(self, words: tuple[str, ...]) -> Box:
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

    def _exec(self, words: tuple[str, ...]) -> str:
        box = self.boxes[words[1]]
        if words[2:] != tuple(self.healthcheck[1:] or ["true"]):
            raise RuntimeError(f"not the image's health check: {words[2:]}")
        if box.running and box.behaviour.crashes:
            box.restarts += 1
        if not box.healthy:
            box.probes += 1
            raise RuntimeError("unhealthy")
        return ""

    def _logs(self, words: tuple[str, ...]) -> str:
        return f"last words of {self.boxes[words[-1]].image}\n"

    def _ps(self, words: tuple[str, ...]) -> str:
        port = int(words[2].partition("=")[2].partition("/")[0])
        found = [name for name, box in self.boxes.items() if box.running and box.publish[1] == port]
        return "\n".join(found)

    _answers: dict[str, Callable[[Engine, tuple[str, ...]], str]] = {  # noqa: RUF012
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


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Engine], None]:
    """Offer ``world(engine)``: the clock and the ports then belong to the model."""
    (tmp_path / "state").mkdir(exist_ok=True)
    monkeypatch.setenv("LOGNAME", "student")
    monkeypatch.setattr(release, "time", Clock())
    monkeypatch.setattr("inspect.getsource", lambda module: f"source of {module.__name__}")
    monkeypatch.setattr(host, "port_owner", lambda _: "python3 (process 4711)")

    def enter(engine: Engine) -> None:
        monkeypatch.setattr(host, "is_listened_to", engine.process_ports.__contains__)

    return enter


# --- start states: what a release may find -------------------------------------------------


def nothing(engine: Engine) -> None:
    """Leave the host empty."""
    del engine


def same_release(engine: Engine) -> None:
    engine.put(WISH.live, WISH)


def same_release_with_other_settings(engine: Engine) -> None:
    engine.put(WISH.live, dataclasses.replace(WISH, memory="64m"))


def same_release_of_another_image(engine: Engine) -> None:
    """Leave what the image's name meant before it was built anew."""
    engine.put(WISH.live, WISH, image=OLD.image)


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


Start = Callable[[Engine], None]

START_STATES: list[Start] = [
    nothing,
    same_release,
    same_release_with_other_settings,
    same_release_of_another_image,
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
SERVED: dict[Start, str] = {
    same_release_with_other_settings: "r2",
    same_release_of_another_image: "r2",
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
EACH_START = pytest.mark.parametrize("start", START_STATES)
EACH_START_BUT_THE_WISHED = pytest.mark.parametrize(
    "start", [start for start in START_STATES if start is not same_release]
)
ids_of_refusals = ["run fails", "never healthy", "crashes", "breaks contract", "bad as live"]
EACH_REFUSAL = pytest.mark.parametrize("behaviour", REFUSALS, ids=ids_of_refusals)


def engine_in(start: Start, behaviour: Behaviour = GOOD) -> Engine:
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


def assert_served_still(engine: Engine, served: str | None) -> None:
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
def test_each_setting_counts(change: dict[str, Any]) -> None:
    assert dataclasses.replace(WISH, **change).settings != WISH.settings


@pytest.mark.parametrize("change", [{"health_timeout": 9}, {"contract": ""}], ids=str)
def test_what_does_not_change_how_it_runs_does_not_count(change: dict[str, Any]) -> None:
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
def test_health_words(test: list[str], words: list[str]) -> None:
    engine = Engine()
    engine.healthcheck = test
    assert release.health_words(engine, WISH) == words


def test_an_image_that_is_not_here_has_no_health_words() -> None:
    assert release.health_words(Engine(), dataclasses.replace(WISH, image="gone")) == []


# --- the transaction -------------------------------------------------------------------------

World = Callable[[Engine], None]


@pytest.fixture
def state_dir(tmp_path: Path) -> str:
    return str(tmp_path / "state")


def history(state_dir: str) -> list[dict[str, Any]]:
    path = os.path.join(state_dir, "releases.jsonl")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@EACH_START
def test_a_good_release_becomes_live(start: Start, world: World, state_dir: str) -> None:
    engine = engine_in(start)
    world(engine)
    outcome = release.release(engine, WISH, state_dir)
    assert_only_live(engine)
    assert outcome.container == f"id-{WISH.live}"
    assert outcome.changed == (start is not same_release)
    # And it stays as it is when it is asked for again.
    before = engine.state()
    assert not release.release(engine, WISH, state_dir).changed
    assert engine.state() == before


@EACH_START_BUT_THE_WISHED
@EACH_REFUSAL
def test_a_bad_release_is_refused(
    start: Start, behaviour: Behaviour, world: World, state_dir: str
) -> None:
    engine = engine_in(start, behaviour)
    world(engine)
    with pytest.raises(ClassvmError, match=REFUSALS[behaviour]) as refused:
        release.release(engine, WISH, state_dir)
    assert "last words of classvm/lab:r2" in str(refused.value)
    assert_served_still(engine, SERVED.get(start))
    if start in {nothing, created_candidate_left}:
        assert engine.boxes == {}
    if behaviour is not BAD_AS_LIVE:
        assert [box.stops for box in engine.boxes.values()] in ([], [0])
    assert history(state_dir) == []
    # Repaired, it becomes live.
    engine.behaviours[WISH.image] = GOOD
    release.release(engine, WISH, state_dir)
    assert_only_live(engine)


def test_the_live_release_is_stopped_only_after_the_contract(world: World, state_dir: str) -> None:
    engine = engine_in(other_release)
    world(engine)
    release.release(engine, WISH, state_dir)
    rm = ("rm", "--force", WISH.candidate)
    assert [words[:3] for words in engine.calls if words[0] in engine.changes()] == [
        rm,
        ("run", "--detach", "--name"),
        ("run", "--rm", "--interactive"),
        rm,
        ("rename", WISH.live, WISH.previous),
        ("stop", "-t", str(service.STOP_SECONDS)),
        ("run", "--detach", "--name"),
        ("rm", WISH.previous),
    ]


def test_the_candidate_is_invisible_from_outside(world: World, state_dir: str) -> None:
    engine = engine_in(nothing)
    world(engine)
    release.release(engine, WISH, state_dir)
    publishes = [words[5] for words in engine.calls if words[:2] == ("run", "--detach")]
    assert publishes == ["127.0.0.1::8080", "11000:8080"]


def test_what_is_live_already_is_left_alone(world: World, state_dir: str) -> None:
    engine = engine_in(same_release)
    world(engine)
    outcome = release.release(engine, WISH, state_dir)
    assert outcome == release.Outcome(
        changed=False, container=f"id-{WISH.live}", replaced="r2", seconds=0.0
    )
    assert engine.changes() == ["rm"]  # of a candidate that might have been left over
    assert history(state_dir) == []


def test_history_has_one_line_per_change(world: World, state_dir: str) -> None:
    engine = engine_in(nothing)
    world(engine)
    outcomes = [release.release(engine, wish, state_dir) for wish in (WISH, WISH, OTHER)]
    assert [outcome.replaced for outcome in outcomes] == ["", "r2", "r2"]
    lines = history(state_dir)
    assert [(line["release"], line["replaced"]) for line in lines] == [("r2", ""), ("r3", "r2")]
    assert lines[0] == {
        "time": "2026-01-01T00:00:00Z",
        "service": "lab",
        "release": "r2",
        "image": "classvm/lab:r2",
        "replaced": "",
        "who": "student",
        "seconds": outcomes[0].seconds,
    }
    assert outcomes[0].seconds == release.POLL_SECONDS


def test_the_group_may_write_the_files_of_the_state_folder(world: World, state_dir: str) -> None:
    engine = engine_in(nothing)
    world(engine)
    release.release(engine, WISH, state_dir)
    modes = {file.stat().st_mode & 0o777 for file in os.scandir(state_dir)}
    assert modes == {0o664}


@pytest.mark.parametrize("start", [nothing, stopped, other_release_on_another_port])
def test_a_port_that_a_container_holds_is_named(start: Start, world: World, state_dir: str) -> None:
    engine = engine_in(start)
    engine.put("somebody", OTHER)
    before = engine.state()
    world(engine)
    with pytest.raises(ClassvmError, match="Port 11000 is busy: the container somebody publishes"):
        release.release(engine, WISH, state_dir)
    assert engine.state() == before
    del engine.boxes["somebody"]
    release.release(engine, WISH, state_dir)
    assert_only_live(engine)


@pytest.mark.parametrize("start", [nothing, stopped, other_release_on_another_port])
def test_a_port_that_a_process_holds_is_named(start: Start, world: World, state_dir: str) -> None:
    engine = engine_in(start)
    engine.process_ports.add(PORT)
    before = engine.state()
    world(engine)
    with pytest.raises(ClassvmError, match=r"Port 11000 is busy: python3 \(process 4711\) listens"):
        release.release(engine, WISH, state_dir)
    assert engine.state() == before
    engine.process_ports.clear()
    release.release(engine, WISH, state_dir)
    assert_only_live(engine)


def test_the_port_that_the_live_release_holds_is_not_busy(world: World, state_dir: str) -> None:
    engine = engine_in(other_release)
    engine.process_ports.add(PORT + 1)
    world(engine)
    release.release(engine, WISH, state_dir)
    assert "ps" not in engine.verbs()


class Thief(Engine):
    """An engine on whose host a process takes the port as soon as the swap has stopped the old."""

    def _stop(self, words: tuple[str, ...]) -> str:
        self.process_ports.add(PORT)
        return super()._stop(words)

    _answers = {**Engine._answers, "stop": _stop}  # type: ignore[dict-item] # noqa: RUF012


def test_a_port_taken_meanwhile_brings_the_old_release_back(world: World, state_dir: str) -> None:
    engine = Thief()
    other_release_on_another_port(engine)
    world(engine)
    with pytest.raises(ClassvmError, match="port is already allocated"):
        release.release(engine, WISH, state_dir)
    assert_served_still(engine, "r1")


def test_an_old_release_whose_port_was_taken_is_kept_and_told(world: World, state_dir: str) -> None:
    engine = Thief()
    other_release(engine)
    world(engine)
    with pytest.raises(ClassvmError, match="Release r2 was refused: ") as told:
        release.release(engine, WISH, state_dir)
    assert "The former release does not start again, either" in str(told.value)
    assert set(engine.boxes) == {WISH.live}
    assert engine.boxes[WISH.live].labels[LABEL_RELEASE] == "r1"
    # The next run names who holds the port; another port helps, too.
    with pytest.raises(ClassvmError, match=r"Port 11000 is busy: python3 \(process 4711\)"):
        release.release(engine, WISH, state_dir)
    elsewhere = dataclasses.replace(WISH, host_port=PORT + 1)
    release.release(engine, elsewhere, state_dir)
    assert_only_live(engine, elsewhere)


def test_a_cut_off_swap_does_not_block_another_port(world: World, state_dir: str) -> None:
    engine = engine_in(previous_left_no_live)
    engine.process_ports.add(PORT)
    world(engine)
    elsewhere = dataclasses.replace(WISH, host_port=PORT + 1)
    release.release(engine, elsewhere, state_dir)
    assert_only_live(engine, elsewhere)


def test_no_contract_means_no_check(world: World, state_dir: str) -> None:
    engine = engine_in(nothing, BREAKS_CONTRACT)
    world(engine)
    release.release(engine, dataclasses.replace(WISH, contract=""), state_dir)
    assert engine.boxes[WISH.live].healthy


def test_the_contract_check_runs_in_the_candidates_network() -> None:
    engine = engine_in(nothing)
    engine.put(WISH.candidate, WISH)
    release.check_contract(engine, WISH)
    words = list(engine.calls[0])
    source = words.pop(words.index("-c") + 1)
    assert "def main" in source
    assert source.startswith('"""')
    assert contract.__doc__
    assert contract.__doc__[:40] in source
    assert " ".join(words) == (
        "run --rm --interactive --read-only --cap-drop ALL"
        " --network container:classvm-lab-candidate --entrypoint python3 classvm/lab:r2"
        " -c --spec /dev/stdin --url http://127.0.0.1:8080"
    )


def test_an_image_without_a_health_check_is_asked_whether_it_runs(
    world: World, state_dir: str
) -> None:
    engine = engine_in(nothing)
    engine.healthcheck = []
    world(engine)
    release.release(engine, WISH, state_dir)
    assert ("exec", WISH.live, "true") in engine.calls


def test_a_container_that_vanishes_is_refused(world: World) -> None:
    engine = engine_in(nothing)
    world(engine)
    assert release._ended(engine, WISH.live) == "it is gone"


def test_a_full_disk_stops_everything(
    world: World, state_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_in(other_release)
    world(engine)
    monkeypatch.setattr(release, "SPACE_MEGABYTES", 1 << 40)
    with pytest.raises(ClassvmError, match="Disk full"):
        release.release(engine, WISH, state_dir)
    assert engine.calls == []


@pytest.mark.parametrize("start", [nothing, stopped, crashed, crashing, other_release])
def test_is_live_tells_no(start: Start) -> None:
    assert not release.is_live(engine_in(start), WISH)


def test_is_live_tells_yes_and_changes_nothing() -> None:
    engine = engine_in(same_release)
    assert release.is_live(engine, WISH)
    assert engine.changes() == []


# --- cut off at every call -------------------------------------------------------------------


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare thousands of runs the lock's file, which they do not compete for."""
    monkeypatch.setattr(release, "locked", contextlib.nullcontext)


def cuts(calls: list[tuple[str, ...]], by: type[BaseException]) -> Iterator[Cut]:
    """Yield each way to cut off a run that made these calls."""
    for at, words in enumerate(calls, start=1):
        yield Cut(at, "not", by)
        if words[0] in ("run", "rename", "start", "stop", "rm"):
            yield Cut(at, "wholly", by)
        if words[0] in ("run", "rm"):
            yield Cut(at, "by half", by)


@pytest.mark.usefixtures("unlocked")
@EACH_START
@pytest.mark.parametrize("by", [Killed, KeyboardInterrupt])
@pytest.mark.parametrize(
    "behaviour", [GOOD, BREAKS_CONTRACT, BAD_AS_LIVE], ids=["good", "refused", "refused as live"]
)
def test_a_run_cut_off_anywhere_is_finished_by_the_next(
    start: Start,
    by: type[BaseException],
    behaviour: Behaviour,
    world: World,
    state_dir: str,
) -> None:
    engine = engine_in(start, behaviour)
    world(engine)
    with contextlib.suppress(ClassvmError):
        release.release(engine, WISH, state_dir)
    assert "exec" in engine.verbs()
    seen: set[str] = set()
    for cut in cuts(engine.calls, by):
        engine = engine_in(start, behaviour)
        engine.cut = cut
        world(engine)
        with pytest.raises(by):
            release.release(engine, WISH, state_dir)
        engine.revive()
        if engine.state() not in seen:
            seen.add(engine.state())
            finish(engine, start, world, state_dir, cut)


def finish(engine: Engine, start: Start, world: World, state_dir: str, cut: Cut) -> None:
    """Run again after a cut: once with a release that is refused, once with the wished one."""
    refused = copy.deepcopy(engine)
    refused.behaviours[LAST.image] = BREAKS_CONTRACT
    world(refused)
    with pytest.raises(ClassvmError, match="breaks its contract"):
        release.release(refused, LAST, state_dir)
    assert set(refused.boxes) <= {WISH.live}, cut
    if start in SERVED:
        assert refused.boxes[WISH.live].healthy, cut
    for box in engine.boxes.values():
        if box.image == WISH.image:
            box.behaviour = GOOD
    engine.behaviours[WISH.image] = GOOD
    world(engine)
    release.release(engine, WISH, state_dir)
    assert_only_live(engine)


@pytest.mark.parametrize("by", [KeyboardInterrupt, SystemExit])
def test_an_interruption_leaves_the_old_release_serving(
    by: type[BaseException], world: World, state_dir: str
) -> None:
    """Not only the next run: already the interrupted one puts back what it moved."""
    engine = engine_in(other_release)
    world(engine)
    release.release(engine, WISH, state_dir)
    for cut in cuts(engine.calls, by):
        engine = engine_in(other_release)
        engine.cut = cut
        world(engine)
        with pytest.raises(by):
            release.release(engine, WISH, state_dir)
        serving = [box for box in engine.boxes.values() if box.running and box.outside]
        assert len(serving) == 1, cut
        assert serving[0].healthy, cut


# --- the lock --------------------------------------------------------------------------------

Holder = tuple["ForkProcess", "Connection"]
FORK = multiprocessing.get_context("fork")


def hold(state_dir: str, channel: Connection) -> None:
    with release.locked(state_dir):
        channel.send("held")
        channel.recv()


@pytest.fixture
def holder(state_dir: str, tmp_path: Path) -> Iterator[Holder]:
    """Another process that holds the lock, and the channel on which it waits."""
    del tmp_path
    os.makedirs(state_dir, exist_ok=True)
    here, there = FORK.Pipe()
    process = FORK.Process(target=hold, args=(state_dir, there))
    process.start()
    assert here.recv() == "held"
    yield process, here
    if process.is_alive():
        here.send("go")
    process.join(5)


def test_a_second_deploy_waits_and_then_tells_who_holds_the_host(
    holder: Holder, state_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "LOCK_SECONDS", 0.2)
    monkeypatch.setattr(release, "POLL_SECONDS", 0.02)
    started = time.monotonic()
    who = f"Another deploy holds this host: process {holder[0].pid} of "
    with pytest.raises(ClassvmError, match=who), release.locked(state_dir):
        pytest.fail("two hold the lock")
    assert time.monotonic() - started >= 0.2


def test_a_second_deploy_goes_on_when_the_first_has_ended(
    holder: Holder, state_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "POLL_SECONDS", 0.02)
    holder[1].send("go")
    with release.locked(state_dir), open(os.path.join(state_dir, "lock"), encoding="utf-8") as lock:
        assert lock.read().startswith(f"process {os.getpid()} of ")


def test_a_killed_holder_frees_the_lock(
    holder: Holder, state_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "LOCK_SECONDS", 0)
    holder[0].kill()
    holder[0].join()
    with release.locked(state_dir):
        pass


def test_a_run_that_is_refused_frees_the_lock(
    world: World, state_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "LOCK_SECONDS", 0)
    engine = engine_in(nothing, BREAKS_CONTRACT)
    world(engine)
    for _ in range(2):
        with pytest.raises(ClassvmError, match="breaks its contract"):
            release.release(engine, WISH, state_dir)


def test_a_host_that_was_never_provisioned_is_told_what_to_do(tmp_path: Path) -> None:
    engine = engine_in(other_release)
    with pytest.raises(ClassvmError, match="make provision"):
        release.release(engine, WISH, str(tmp_path / "absent"))
    assert engine.calls == []
