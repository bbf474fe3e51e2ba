"""The bounds of a student's build."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from classvm.base import docker, resolver
from classvm.base.errors import ClassvmError
from classvm.image import build_group, confinement
from classvm.image.build_group import Share
from classvm.image.confinement import Bounds, TooLargeError, confined, require_able

BOUNDS = Bounds(Share(1 << 30, 512, 1.0), seconds=900, disk=4 << 30)


@pytest.fixture(autouse=True)
def a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def made(share: Share) -> Iterator[str]:
        assert share == BOUNDS.share
        yield "/group"

    monkeypatch.setattr(build_group, "made", made)
    monkeypatch.setattr(resolver, "is_out_of_reach_of_containers", lambda: False)


def free(monkeypatch: pytest.MonkeyPatch, *megabytes: int) -> None:
    """Let the disk have that much free, one time after the other."""
    left = list(megabytes)

    def statvfs(_: str) -> SimpleNamespace:
        return SimpleNamespace(f_bavail=left.pop(0), f_frsize=1 << 20)

    monkeypatch.setattr(os, "statvfs", statvfs)


def test_what_the_engine_is_told() -> None:
    with confined(BOUNDS, "/") as within:
        assert within.words[:2] == ("--cgroup-parent", "/group")
        # Whoever writes there writes as root, and an admin's build of another app would read it.
        assert within.words[2:] == ("--build-arg", "BUILDKIT_CACHE_MOUNT_NS=classvm-students")
        assert within.seconds == 900
        run = " ".join(within.run_words)
        assert "--pids-limit 512 --cpus 1.0" in run
        assert f"--memory {1 << 30} --memory-swap {1 << 30}" in run
        assert "--cap-drop ALL" in run
        within.watch(0)


def test_too_much_output() -> None:
    with confined(BOUNDS, "/") as within:
        within.watch(confinement.OUTPUT_BYTES)
        with pytest.raises(ClassvmError, match="printed more than 16 MB"):
            within.watch(confinement.OUTPUT_BYTES + 1)


def test_a_disk_that_fills(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 9000, 9000 - 4096, 9000 - 4097)
    with confined(BOUNDS, "/") as within:
        within.watch(0)
        with pytest.raises(TooLargeError, match="more of the disk than 4096 MB"):
            within.watch(0)


def test_the_host_keeps_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 3000, 1024, 1023)
    with confined(BOUNDS, "/") as within:
        within.watch(0)
        with pytest.raises(TooLargeError, match="the rest that the host needs"):
            within.watch(0)


def test_the_network_of_the_host_is_never_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "is_out_of_reach_of_containers", lambda: True)
    with pytest.raises(ClassvmError, match="on its loopback alone"), confined(BOUNDS, "/"):
        pytest.fail("the build would run without name servers")


@pytest.mark.parametrize(
    ("version", "is_able"),
    [("29.1.3", True), ("23.0.1", True), ("20.10.24+dfsg1", False), ("dev", False)],
)
def test_which_engine_heeds_the_bounds(
    version: str, is_able: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker.Docker, "require_engine", lambda _: version)
    if is_able:
        require_able(docker.Docker())
        return
    with pytest.raises(ClassvmError, match="cannot bound what a student builds"):
        require_able(docker.Docker())
