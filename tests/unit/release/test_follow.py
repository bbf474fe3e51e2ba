"""A log that is followed; `docker` is a script whose container prints into a file."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from classvm.base.docker import Docker
from classvm.contract.client import USER_AGENT
from classvm.release import follow
from classvm.release.follow import Position

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAME = "classvm-lab"
NOWHERE = Position()
# What `docker container inspect` says, as far as it is read.
DESCRIBED: dict[str, Any] = {
    "Name": f"/{NAME}",
    "Image": "i1",
    "Config": {},
    "NetworkSettings": {},
}
SCRIPT = """
case "$1 $2" in
container*) [ -e {0}/container ] || {{ echo "No such container" >&2; exit 1; }}; cat {0}/container;;
"logs --follow") n=0; while [ $n -lt 100 ]; do n=$((n+1)); cat {0}/log; sleep 0.05; done;;
logs*) cat {0}/log;;
esac
"""
OWN = json.dumps({"target": "/e222/hello", "user_agent": USER_AGENT})


class Host:
    """A host with a live container and its log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.second = 0
        self.runs("c1")
        (folder / "log").touch()

    def runs(self, container: str, *, running: bool = True) -> None:
        """Have another live container, with an empty log."""
        state = {"Running": running, "ExitCode": 0}
        described = {**DESCRIBED, "Id": container, "State": state}
        (self.folder / "container").write_text(json.dumps([described]))

    def prints(self, *lines: str) -> None:
        """Have the container print lines, a second after the other."""
        with open(self.folder / "log", "a", encoding="utf-8") as file:
            for line in lines:
                self.second += 1
                file.write(f"2026-01-01T10:00:{self.second:02}.500000000Z {line}\n")


@pytest.fixture
def host(program: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    program("docker", SCRIPT.format(tmp_path))
    monkeypatch.setattr(follow, "PAUSE_SECONDS", 0.05)
    return Host(tmp_path)


def read(position: Position = NOWHERE, *, everything: bool = False) -> tuple[list[str], Position]:
    return follow.read(Docker(), NAME, position, 2, everything=everything)


def test_it_begins_with_the_last_lines_and_goes_on_with_the_new_ones(host: Host) -> None:
    host.prints("one", "two", OWN, "three")
    lines, position = read()
    assert lines == ["two", "three"]
    assert read(position) == ([], position)
    host.prints("four", OWN, "five", "six")
    lines, position = read(position)
    assert lines == ["four", "five", "six"]
    assert read(position) == ([], position)


def test_everything_is_shown_where_it_is_asked_for(host: Host) -> None:
    host.prints(OWN, "one")
    assert read(everything=True)[0] == [OWN, "one"]


def test_what_the_kit_causes_is_passed_over_once(host: Host) -> None:
    _, position = read()
    host.prints(OWN)
    lines, passed = read(position)
    assert lines == []
    assert passed.stamp > position.stamp


def test_the_next_release_is_followed_from_its_first_line(host: Host) -> None:
    host.prints("old 1", "old 2", "old 3")
    _, position = read()
    (host.folder / "log").write_text("")
    host.second = 0  # its first lines are older than the last ones of the release before
    host.runs("c2")
    host.prints("new 1", "new 2", "new 3")
    lines, position = read(position)
    assert lines == ["new 1", "new 2", "new 3"]
    assert position.container == "c2"


def test_between_two_releases_nothing_is_lost(host: Host) -> None:
    host.prints("old")
    _, position = read()
    (host.folder / "container").unlink()
    assert read(position) == ([], position)
    follow.wait(Docker(), NAME, position, 1)
    host.runs("c1")
    host.prints("more")
    assert read(position)[0] == ["more"]


def test_a_service_that_was_never_deployed(host: Host) -> None:
    (host.folder / "container").unlink()
    assert read() == ([], Position())


def seconds_of_waiting(position: Position, most: float) -> float:
    began = time.monotonic()
    follow.wait(Docker(), NAME, position, most)
    return time.monotonic() - began


def test_a_new_line_ends_the_waiting(host: Host) -> None:
    host.prints("one")
    _, position = read()
    threading.Timer(0.5, host.prints, ["two"]).start()
    assert 0.4 < seconds_of_waiting(position, 30) < 10
    assert read(position)[0] == ["two"]


def test_without_a_new_line_the_waiting_ends_in_time(host: Host) -> None:
    host.prints("one")
    _, position = read()
    assert 0.4 < seconds_of_waiting(position, 0.5) < 5


def test_another_container_ends_the_waiting(host: Host) -> None:
    _, position = read()
    host.runs("c2")
    assert seconds_of_waiting(position, 30) < 10


def test_a_container_that_is_stopped_is_asked_again(host: Host) -> None:
    _, position = read()
    host.runs("c1", running=False)
    assert seconds_of_waiting(position, 30) < 10
