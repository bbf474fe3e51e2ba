"""A release that comes from a student."""

from __future__ import annotations

import io
import json
import os
import tarfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tree
from classvm.app import pack
from classvm.base import client, docker, locks
from classvm.base import host as base_host
from classvm.base.errors import ClassvmError
from classvm.image import (
    build_group,
    checked_dockerfile,
    checker_image,
    confinement,
    image_labels,
    received,
    service_image,
)
from classvm.image.service_image import Recipe
from classvm.program import checked, protocol, releasing, schema, student_record, student_release
from classvm.program.checked import problems
from classvm.program.host import Host
from classvm.program.protocol import RefusedError
from classvm.release import building, history
from program_requests import SETTINGS

BASE = "classvm/base:18.04"
RECORD: dict[str, Any] = {
    "settings": {**SETTINGS, "environment": {"SECRET": "x"}},
    "keep_releases": 5,
    "base_image": BASE,
    "build": {"memory": "1g", "pids": 512, "cpus": 1, "seconds": 900, "disk": "4g"},
}
CONTRACT = '{"specs": []}'
REQUEST: dict[str, Any] = {"protocol": 1, "service": "lab", "contract": CONTRACT, "app": "mine"}
DOCKERFILE = b"# mine\nARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nRUN a \\\n && b\n"
LOCK = pack.File("requirements.txt", 0o644, b"flask==2.2.5\n")
APP = [pack.File("Dockerfile", 0o644, DOCKERFILE), LOCK, pack.File("server.py", 0o755, b"1")]
KIT = [
    pack.File("Dockerfile", 0o644, DOCKERFILE),
    pack.File("app/server.py", 0o644, b"1"),
    pack.File("kit/lock.sh", 0o644, b"2"),
    pack.File("requirements.in", 0o644, b"flask\n"),
]


class World:
    """A host that notes what it was told."""

    def __init__(self, state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state_dir = state_dir
        self.built: list[tuple[Recipe, bytes, dict[str, str]]] = []
        self.asked: list[dict[str, Any]] = []
        self.images = {BASE: docker.Image("b", {}, 1, ("layer",))}
        self.checker = "classvm/checker:1"
        self.docker = SimpleNamespace(
            image=self.images.get,
            require_engine=lambda: "29.1.3",
            data_root=lambda: "/",
            run=self.run,
        )
        self.ran: list[tuple[str, ...]] = []
        monkeypatch.setattr(checker_image, "present", lambda _: self.checker)
        monkeypatch.setattr(client, "end_orderly", lambda: None)
        monkeypatch.setattr(base_host, "require_space", lambda *_: None)
        monkeypatch.setattr(building, "build", self.build)
        monkeypatch.setattr(build_group, "made", lambda _: self)
        monkeypatch.setattr(confinement, "require_no_host_network", lambda: None)
        monkeypatch.setattr(releasing, "release", self.release_it)
        (state_dir / student_record.FILE).write_text(json.dumps(RECORD))

    def __enter__(self) -> str:
        return "/group"

    def __exit__(self, *_: object) -> None:
        self.ran.append(("the group is gone",))

    def run(self, *words: str) -> None:
        self.ran.append(words)

    def build(self, _: object, recipe: Recipe, context: bytes, *rest: Any) -> None:
        secrets, state_dir, within = rest
        assert state_dir == str(self.state_dir)
        assert within.words[:2] == ("--cgroup-parent", "/group")
        self.built.append((recipe, context, secrets))
        self.images[recipe.image] = docker.Image("i", service_image.labels(recipe), 1)

    def release_it(self, _: Host, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(asked)
        return {"changed": True}

    def send(self, files: list[pack.File], **more: Any) -> dict[str, Any]:
        return self.send_bytes(pack.packed(files, "").archive, **more)

    def send_bytes(self, content: bytes, **more: Any) -> dict[str, Any]:
        request = {**REQUEST, **more}
        assert not list(problems(request, schema.REQUESTS_OF_STUDENTS["release"]))
        host = Host(str(self.state_dir), self.docker)  # type: ignore[arg-type] # a model of it
        return student_release.release(host, request, io.BytesIO(content))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_the_host_computes_the_release_and_takes_the_rest_from_its_record(world: World) -> None:
    packed = pack.packed(APP, "flask==2.2.5\n")
    answer = world.send(APP, revision="abc", secrets={"ca.pem": "c"}, keep=["/service/data"])
    base, kept = world.images[BASE].content, ("/service/data",)
    recipe = Recipe("lab", BASE, base, packed.digest, packed.content, keep=kept, app="mine")
    ((built, context, secrets),) = world.built
    assert (built, secrets) == (recipe, {"ca.pem": "c"})
    assert json.loads(built.content)["package flask"] == "2.2.5"
    assert world.asked == [
        {
            "protocol": 1,
            "service": "lab",
            "contract": CONTRACT,
            "revision": "abc",
            "release": recipe.release,
            "content": packed.content,
            "settings": RECORD["settings"],
            "keep_releases": 5,
            "checker_image": "classvm/checker:1",
        }
    ]
    assert not list(problems(world.asked[0], schema.REQUESTS["release"]))
    assert "as your admin has set" in answer["bounds"][0]
    assert world.ran == [("the group is gone",)]
    with tarfile.open(fileobj=io.BytesIO(context)) as archive:
        names = archive.getnames()
        dockerfile = archive.extractfile("Dockerfile")
        assert dockerfile is not None
        text = dockerfile.read().decode()
    assert names == [one.name for one in APP]
    assert text == checked_dockerfile.written_anew(DOCKERFILE.decode()) != DOCKERFILE.decode()


def test_the_same_app_is_built_once(world: World) -> None:
    world.send(APP)
    world.send(APP)
    assert len(world.built) == 1
    assert world.asked[0] == world.asked[1]
    world.send([*APP[:2], pack.File("server.py", 0o755, b"2")])
    assert len(world.built) == 2
    assert world.asked[2]["release"] != world.asked[0]["release"]


def test_a_dry_run_builds_nothing(world: World) -> None:
    world.send(APP, check=True, diff=True)
    assert world.built == []
    assert (world.asked[0]["check"], world.asked[0]["diff"]) == (True, True)


def test_a_lock_that_the_host_compiles_belongs_to_everything_but_the_app(world: World) -> None:
    world.send(KIT, kit=True)
    world.send([KIT[0], pack.File("app/server.py", 0o644, b"9"), *KIT[2:]], kit=True)
    world.send([*KIT[:2], pack.File("kit/lock.sh", 0o644, b"evil"), KIT[3]], kit=True)
    first, second, third = (recipe.lock for recipe, *_ in world.built)
    assert first == second != third
    assert len(first) == 64
    with pytest.raises(RefusedError, match="this host makes its lock"):
        world.send([*KIT, LOCK], kit=True)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"limits": {"memory": "2g"}}, "memory is 512m at most"),
        ({"limits": {"pids": "1000000"}}, "pids is .* at most"),
        ({"limits": {"memory": "1k"}}, "takes 6m or more"),
        ({"host_port": 22}, "has port 11000.*PORT=11000"),
        ({"contract": ""}, "comes with its contract"),
        ({"contract": "{"}, "comes with its contract"),
        ({"contract": "[]"}, "comes with its contract"),
        ({"contract": '{"specs": 1}'}, "comes with its contract"),
        ({"contract": "[" * 100_000}, "comes with its contract"),
        ({"limits": {"tmpfs_size": "0"}}, "takes more than 0"),
        ({"limits": {"tmpfs_size": "0.4"}}, "takes more than 0"),
    ],
)
def test_more_than_the_admin_allows(asked: dict[str, Any], why: str, world: World) -> None:
    with pytest.raises(RefusedError, match=why) as refused:
        world.send(APP, **asked)
    assert refused.value.code == protocol.REQUEST
    assert (world.built, world.asked) == ([], [])


def test_less_than_the_admin_allows(world: World) -> None:
    world.send(APP, limits={"memory": "100m"}, host_port=11000, container_port=9)
    settings = world.asked[0]["settings"]
    assert settings["limits"] == {**SETTINGS["limits"], "memory": "100m"}
    assert (settings["container_port"], settings["environment"]) == (9, {"SECRET": "x"})


@pytest.mark.parametrize("record", ["", "{", "[]", '{"settings": {}}'])
def test_a_host_without_a_record(record: str, world: World) -> None:
    (world.state_dir / student_record.FILE).write_text(record)
    with pytest.raises(RefusedError, match=r"no record.*make provision") as refused:
        world.send(APP)
    assert refused.value.code == protocol.NOT_PROVISIONED


def test_the_images_of_the_host_have_to_be_there(world: World) -> None:
    world.checker = ""
    with pytest.raises(ClassvmError, match="The image for the contract check is not on this host"):
        world.send(APP)
    world.checker = "c"
    del world.images[BASE]
    with pytest.raises(ClassvmError, match=r"classvm/base:18.04 is missing"):
        world.send(APP)


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ([pack.File("Dockerfile", 0o644, b"FROM evil\n")], "Dockerfile:1"),
        ([pack.File("Dockerfile", 0o644, b"\xff")], "Dockerfile"),
        ([LOCK], ""),
        ([pack.File("../Dockerfile", 0o644, b"")], "../Dockerfile"),
    ],
)
def test_an_app_that_is_not_taken(files: list[pack.File], place: str, world: World) -> None:
    with pytest.raises(RefusedError) as refused:
        world.send(files)
    assert (refused.value.code, refused.value.place) == (protocol.REQUEST, place)
    assert (world.built, world.asked) == ([], [])


def test_an_app_that_does_not_arrive(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(student_release, "ARRIVAL_SECONDS", 1)
    reading, writing = os.pipe()
    host = Host(str(world.state_dir), world.docker)  # type: ignore[arg-type] # a model of it
    began = time.monotonic()
    with open(reading, "rb") as stream, pytest.raises(RefusedError, match="did not arrive"):
        student_release.release(host, REQUEST, stream)
    os.close(writing)
    assert time.monotonic() - began < 10


def test_two_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "SECONDS", 0)
    with (
        locks.held(str(world.state_dir), student_release.LOCK_FILE),
        pytest.raises(ClassvmError, match="Another deploy holds this host: process"),
    ):
        world.send(APP)
    world.send(APP)


def test_a_failed_build_gets_its_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise confinement.TooLargeError("The build was ended")

    monkeypatch.setattr(building, "build", fail)
    with pytest.raises(ClassvmError, match="The build was ended"):
        world.send(APP, revision="abc")
    (line,) = history.read(str(world.state_dir), "lab")
    assert (line.result, line.reason, line.revision) == ("refused", "The build was ended", "abc")
    assert ("builder", "prune", "--force") in world.ran
    assert ("the group is gone",) in world.ran


def test_the_image_of_a_refused_release_does_not_stay(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    state_dir = str(world.state_dir)
    old = history.Entry(time="1", service="lab", release="a", image="classvm/lab:a", result="live")
    history.add(state_dir, old)
    removed: list[str] = []

    def refuse(_: Host, asked: dict[str, Any]) -> None:
        image = world.built[-1][0].image
        entry = history.Entry(time="2", service="lab", release=asked["release"], image=image)
        history.add(state_dir, entry.refused("it broke its contract"))
        raise ClassvmError("Release was refused")

    def run(*words: str) -> SimpleNamespace:
        if words[:2] == ("image", "rm"):
            removed.append(words[2])
        names = ["classvm/lab:a", *(recipe.image for recipe, _, _ in world.built)]
        return SimpleNamespace(code=0, out="\n".join(names) if words[1] == "ls" else "")

    monkeypatch.setattr(world.docker, "run", run)
    monkeypatch.setattr(releasing, "release", refuse)
    with pytest.raises(ClassvmError, match="refused"):
        world.send(APP)
    assert removed == [world.built[-1][0].image]


def images_here(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have the engine list the images that were built; return a list of those that go."""
    removed: list[str] = []

    def run(*words: str) -> SimpleNamespace:
        if words[:2] == ("image", "rm"):
            removed.append(words[2])
            del world.images[words[2]]
        names = [name for name in world.images if name != BASE]
        return SimpleNamespace(code=0, out="\n".join(names) if words[1] == "ls" else "")

    monkeypatch.setattr(world.docker, "run", run)
    return removed


@pytest.mark.parametrize("reason", [SystemExit("terminated"), KeyboardInterrupt(), OSError("full")])
def test_an_image_that_came_to_no_line_in_the_history_does_not_stay(
    reason: BaseException, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it waits for another deploy, nothing knows of it but this process."""
    removed = images_here(world, monkeypatch)

    def end(*_: object) -> None:
        raise reason

    monkeypatch.setattr(releasing, "release", end)
    with pytest.raises(type(reason)):
        world.send(APP)
    assert removed == [world.built[0][0].image]


def test_an_image_of_a_killed_run_goes_with_the_next_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed = images_here(world, monkeypatch)
    with monkeypatch.context() as killed:
        killed.setattr(student_release, "prune", lambda *_: [])
        killed.setattr(releasing, "release", lambda *_: pytest.fail("killed"))
        killed.setattr(student_release, "_forget", lambda *_: None)
        with pytest.raises(pytest.fail.Exception):
            world.send(APP)
    assert removed == []
    world.send([*APP[:2], pack.File("server.py", 0o755, b"2")])
    assert removed == [world.built[0][0].image]


def test_the_image_of_what_is_live_stays_when_its_deploy_is_interrupted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed = images_here(world, monkeypatch)

    def go_live(_: Host, asked: dict[str, Any]) -> dict[str, Any]:
        image = world.built[-1][0].image
        entry = history.Entry(time="1", service="lab", release=asked["release"], image=image)
        history.add(str(world.state_dir), entry)
        raise KeyboardInterrupt

    monkeypatch.setattr(releasing, "release", go_live)
    with pytest.raises(KeyboardInterrupt):
        world.send(APP)
    assert removed == []
    monkeypatch.setattr(releasing, "release", world.release_it)
    world.send(APP)
    assert removed == []


@pytest.mark.parametrize(
    ("folder", "is_fit"),
    [
        ("/service/data", True),
        ("/a.b/c_d-e", True),
        ("/", False),
        ("data", False),
        ("/a/../b", False),
        ("/a/.", False),
        ("/a//b", False),
        ("/a/", False),
        ("/proc/x", False),
        ("/sys", False),
        ("/a,b", False),
        ("/a b", False),
        ("/..a/...", True),
    ],
)
def test_folders_that_may_be_kept(folder: str, is_fit: bool) -> None:
    asked = {**REQUEST, "keep": [folder]}
    assert list(problems(asked, schema.REQUESTS_OF_STUDENTS["release"])) == [] or not is_fit
    assert bool(list(problems(asked, schema.REQUESTS_OF_STUDENTS["release"]))) is not is_fit
    assert list(problems({**REQUEST, "keep": ["/a"] * 21}, schema.REQUESTS_OF_STUDENTS["release"]))


def test_the_guide_tells_the_bounds_as_they_are() -> None:
    text = (tree.ROOT / "docs/students.md").read_text()
    for told in (
        f"request | {checked.LARGEST >> 20} MB",
        f"{received.ENTRIES:,} members",
        f"each {received.FILE_MEGABYTES} MB at most, {received.TOTAL_MEGABYTES} MB together",
        f"{received.DEPTH} folders deep",
        f"within {student_release.ARRIVAL_SECONDS} s",
        f"of {received.NAME_BYTES} bytes",
        f"version {confinement.ENGINE} or later",
    ):
        assert told in text
    assert "waits, for two minutes at most" in text
    assert locks.SECONDS == 120


def test_labels_of_the_host(program: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program("docker", 'case "$*" in *--help) echo --secret ;; esac')
    recipe = Recipe("lab", BASE, "b", "5")
    labels = {**service_image.labels(recipe), image_labels.LABEL_DRAIN: "USR1", "other": "x"}
    image = docker.Image("i", labels, 1)
    monkeypatch.setattr(docker.Docker, "image", lambda *_: image)
    within = confinement.Confined((), (), 9.0, lambda _: None)
    assert service_image.build(docker.Docker(), recipe, b"", {}, within) == image
    build = (tmp_path / "docker.calls").read_text().splitlines()[-1]
    for label in service_image.OPTIONAL:
        assert f"--label {label}= " in build
    image = docker.Image("i", {**labels, "classvm.how": "{}"}, 1)
    service_image.build(docker.Docker(), recipe, b"", {})
    with pytest.raises(ClassvmError, match=r"The label classvm.how is the host's alone"):
        service_image.build(docker.Docker(), recipe, b"", {}, within)
    assert (tmp_path / "docker.calls").read_text().endswith(f"image rm {recipe.image}\n")
