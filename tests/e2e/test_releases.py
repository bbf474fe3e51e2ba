"""Release, roll back, start and stop a service of its own, beside the lab's."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from classvm.base import locks, progress, state
from classvm.base.names import container_name, previous_name
from classvm.release import history
from e2e.machine import (
    ROOT,
    Run,
    common_defaults,
    copy_of_service,
    docker,
    free_port,
    play,
    settle,
)

NAME = "releases-test"
SWAP_SECONDS = 300


@dataclass(frozen=True)
class Host:
    """This machine with a state folder, a port and a service for these tests alone."""

    folder: Path
    port: int

    @property
    def app(self) -> Path:
        """The service, which the tests change."""
        return self.folder / "service"

    @property
    def state_dir(self) -> Path:
        """The state folder, which contains the history."""
        return self.folder / "state"

    def play(self, name: str, *words: str, **variables: object) -> Run:
        """Run a playbook for this service."""
        return play(name, *words, **self.variables(**variables))

    def variables(self, **more: object) -> dict[str, object]:
        """Return variables with which a playbook does not touch the lab's service."""
        return {
            "service_name": NAME,
            "service_dir": str(self.app),
            "service_host_port": self.port,
            "classvm_state_dir": str(self.state_dir),
            **more,
        }

    def says(self, word: str) -> None:
        """Change the message of the service."""
        handler = self.app / "src/hello.py"
        text = handler.read_text()
        changed = re.sub(r'("message": ")[^"]*', rf"\g<1>{word}", text)
        assert changed != text
        handler.write_text(changed)

    def said(self) -> str:
        """Return the message of the service."""
        url = f"http://localhost:{self.port}/e222/hello"
        with urllib.request.urlopen(url, timeout=5) as got:
            return str(json.loads(got.read())["message"])

    def release(self, word: str, **variables: object) -> str:
        """Release the service with a message, and return the release's id."""
        self.says(word)
        done = self.play("release", **variables)
        assert done.code == 0, done.text
        assert self.said() == word
        return self.live()

    def live(self) -> str:
        """Return the id of the live release."""
        label = '{{index .Config.Labels "classvm.release"}}'
        return docker("inspect", "--format", label, container_name(NAME))

    def history(self) -> list[history.Entry]:
        """Return the entries of the history, the oldest first."""
        return history.read(str(self.state_dir), NAME)

    def containers(self) -> list[str]:
        """Return the names of all its containers."""
        label = f"label=classvm.service={NAME}"
        return docker("ps", "--all", "--filter", label, "--format", "{{.Names}}").split()


@pytest.fixture(scope="module")
def host(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    """Return a host without a release; containers and images are removed at the end."""
    if not docker("image", "ls", "--quiet", common_defaults()["base_image_name"]):
        request.getfixturevalue("deployed")
    folder = tmp_path_factory.mktemp("releases")
    copy_of_service(folder)
    (folder / "state").mkdir()
    host = Host(folder, free_port())
    yield host
    for container in host.containers():
        docker("rm", "--force", container)
    label = f"label=classvm.service={NAME}"
    for image in docker("image", "ls", "--quiet", "--filter", label).split():
        docker("image", "rm", "--force", image)
    shutil.rmtree(host.state_dir)


@pytest.fixture(scope="module")
def three(host: Host) -> list[str]:
    """Return the ids of three releases, of which the last one is live."""
    return [host.release(word) for word in ("one", "two", "three")]


def live_again(host: Host, release: str, run: Run) -> None:
    assert run.code == 0, run.text
    assert f"release {release} is up at " in run.last_line
    assert host.live() == release
    assert host.containers() == [container_name(NAME)]


def test_without_a_history_there_is_nothing_to_go_back_to(host: Host) -> None:
    refused = host.play("rollback")
    assert refused.code != 0
    assert "Nothing to roll back to: no release is in the history" in refused.last_line
    assert "no release of" in host.play("releases").text


def test_the_history_shows_what_was_released(host: Host, three: list[str]) -> None:
    shown = host.play("releases")
    assert (shown.code, shown.changed) == (0, 0), shown.text
    rows = [line.split() for line in shown.text.splitlines() if re.match(r"(kept|live) ", line)]
    assert [(row[0], row[3]) for row in rows] == [
        ("kept", three[0]),
        ("kept", three[1]),
        ("live", three[2]),
    ]
    first, *others = host.history()
    assert first.gap is None
    assert all(0 < (entry.gap or 0) < entry.seconds + 2 for entry in others)


def test_a_dry_run_tells_where_it_would_go(host: Host, three: list[str]) -> None:
    dry = host.play("rollback", "--check")
    assert f"release {three[1]} would be up at " in dry.last_line
    assert (dry.code, dry.changed, host.live()) == (0, 1, three[2]), dry.text


def test_going_back_and_back_again(host: Host, three: list[str]) -> None:
    back = host.play("rollback")
    live_again(host, three[1], back)
    assert host.said() == "two"
    rest = "(, the former release ends in the background)?"
    closing = rf"\(instead of {three[2]}, gap \d+\.\d s{rest}, 1 changed\)$"
    assert re.search(closing, back.last_line)
    live_again(host, three[2], host.play("rollback"))
    assert host.said() == "three"


def test_going_back_to_a_named_release(host: Host, three: list[str]) -> None:
    live_again(host, three[0], host.play("rollback", rollback_to=three[0]))
    again = host.play("rollback", rollback_to=three[0])
    live_again(host, three[0], again)
    assert again.changed == 0
    live_again(host, three[2], host.play("rollback", rollback_to=three[2]))


def test_a_release_that_nobody_knows_is_refused(host: Host, three: list[str]) -> None:
    refused = host.play("rollback", rollback_to="0000000")
    assert refused.code != 0
    assert "Release 0000000 was never on this host. `make releases`" in refused.last_line
    assert host.live() == three[2]


def test_a_refused_release_is_in_the_history(host: Host, three: list[str]) -> None:
    handler = host.app / "src/hello.py"
    good = handler.read_text()
    handler.write_text(good.replace('"message":', '"massage":'))
    refused = host.play("release")
    handler.write_text(good)
    assert refused.code != 0
    assert host.live() == three[2]
    last = host.history()[-1]
    assert last.result == history.REFUSED
    assert "breaks its contract" in last.reason
    assert "never live here, it was refused" in host.play("rollback", rollback_to=last.release).text


def test_stopping_starting_and_restarting(host: Host, three: list[str]) -> None:
    for name, changes in [("stop", 1), ("start", 1), ("start", 0), ("restart", 1)]:
        dry = host.play(name, "--check")
        done = host.play(name)
        assert (done.code, done.changed, dry.changed) == (0, changes, changes), done.text
    assert f"release {three[2]} is up at " in done.last_line
    assert host.said() == "three"
    assert host.play("stop").code == 0
    assert "`make start` starts it" in host.play("status").last_line
    live_again(host, three[2], host.play("rollback", rollback_to=three[2]))


def when(condition: Any) -> None:
    """Wait until a condition becomes true."""
    deadline = time.monotonic() + SWAP_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_module_that_is_killed_during_the_swap(host: Host, three: list[str]) -> None:
    words = ("ansible-playbook", "ansible/rollback.yml", "--extra-vars")
    with subprocess.Popen(
        [*words, json.dumps(host.variables(service_background=False))],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    ) as playing:
        when(lambda: previous_name(NAME) in host.containers())
        holder = re.match(r"process (\d+) ", state.read(str(host.state_dir / state.LOCK)))
        assert holder
        os.kill(int(holder[1]), signal.SIGKILL)
        assert playing.wait(60) != 0
    before = len(host.history())
    assert previous_name(NAME) in host.containers()

    healed = host.play("start")

    assert healed.code == 0, healed.text
    assert host.containers() == [container_name(NAME)]
    assert host.live() in (three[0], three[2])
    kept = {state.LOCK, history.FILE, progress.FOLDER, f"{state.SECRET}-{NAME}.json"}
    assert set(os.listdir(host.state_dir)) == kept
    (line,) = host.history()[before:]
    assert line.went_live is (host.live() == line.release)
    live_again(host, three[2], host.play("rollback", rollback_to=three[2]))


def test_a_second_deploy_waits_for_the_first(host: Host, three: list[str]) -> None:
    before = host.live()
    other = next(release for release in three if release != before)
    held = threading.Event()
    free = threading.Event()

    def hold() -> None:
        with locks.held(str(host.state_dir)):
            held.set()
            free.wait(SWAP_SECONDS)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    variables = json.dumps(host.variables(rollback_to=other))
    words = ("ansible-playbook", "ansible/rollback.yml", "--extra-vars", variables)
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL) as waiting:
        with contextlib.suppress(subprocess.TimeoutExpired):
            waiting.wait(15)
        assert waiting.returncode is None
        assert host.live() == before
        free.set()
        holder.join()
        assert waiting.wait(SWAP_SECONDS) == 0
    settle(str(host.state_dir))
    assert host.live() == other


def test_a_deploy_removes_what_nobody_goes_back_to(host: Host, three: list[str]) -> None:
    name = f"classvm/{NAME}"
    others = docker("image", "ls", "--quiet", common_defaults()["base_image_name"])
    before = host.live()
    removed = next(release for release in three if release != before)
    four = host.release("four", service_keep_releases=1)
    kept = docker("image", "ls", "--format", "{{.Tag}}", name).split()
    assert sorted(kept) == sorted([four, before])
    assert docker("image", "ls", "--quiet", common_defaults()["base_image_name"]) == others
    gone = host.play("rollback", rollback_to=removed)
    assert f"The image of release {removed} is no longer on this host" in gone.last_line
    live_again(host, before, host.play("rollback"))
