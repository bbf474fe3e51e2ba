"""The bounds of a build that is a student's: time, memory, processes, processor, disk, output, network."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import Callable, Iterator, Tuple

from ..base import resolver
from ..base.docker import Docker
from ..base.errors import ClassvmError
from . import build_group

# The first engine whose builder heeds a parent group.
ENGINE = 23
# What a build may print, of all of its steps together.
OUTPUT_BYTES = 16 << 20
# What stays free for the host itself.
FREE_BYTES = 1 << 30
MEGABYTE = 1 << 20
# The folders of `RUN --mount=type=cache` belong to all builds that know their ids: those of students are others than
# those of admins, whose packages would otherwise come from what a student has put there.
# Source: https://docs.docker.com/reference/dockerfile/#buildkit-built-in-build-args
OWN_CACHES = "BUILDKIT_CACHE_MOUNT_NS=classvm-students"


@dataclass(frozen=True)
class Bounds:
    """What an admin allows to a student's build.

    Attributes:
        share: memory, processes, processors.
        seconds: for each build.
        disk: bytes by which the disk may fill meanwhile, and by which the image may exceed its base.

    """

    share: build_group.Share
    seconds: float
    disk: int


@dataclass(frozen=True)
class Confined:
    """A build within bounds.

    Attributes:
        words: arguments of `docker build`.
        run_words: arguments of `docker run`, for a container of an image that was built so.
        seconds: after which it is ended.
        watch: called now and then with the bytes that were printed; it raises where a bound is passed.

    """

    words: Tuple[str, ...]
    run_words: Tuple[str, ...]
    seconds: float
    watch: Callable[[int], None]


@contextlib.contextmanager
def confined(bounds: Bounds, folder: str) -> Iterator[Confined]:
    """Prepare a build within bounds, and end what is left of it.

    Args:
        bounds: those of the build.
        folder: where the engine keeps images.

    Raises:
        ClassvmError: this host cannot bound a build.

    """
    require_no_host_network()
    with build_group.made(bounds.share) as group:
        yield Confined(
            ("--cgroup-parent", group, "--build-arg", OWN_CACHES),
            _run_words(bounds.share),
            bounds.seconds,
            _Disk(folder, bounds.disk).watch,
        )


def _run_words(share: build_group.Share) -> Tuple[str, ...]:
    memory = str(share.memory)
    return (
        *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("--memory", memory, "--memory-swap", memory, "--pids-limit", str(share.pids)),
        *("--cpus", str(share.cpus), "--log-driver", "none"),
    )


def require_able(docker: Docker) -> None:
    """Make sure that the builder of an engine heeds the bounds.

    Raises:
        ClassvmError: it does not.

    """
    version = docker.require_engine()
    major = version.partition(".")[0]
    if not major.isdecimal() or int(major) < ENGINE:
        raise ClassvmError(
            f"The engine of this host, {version}, cannot bound what a student builds; {ENGINE} and later can",
            fix="Ask your admin to deploy, or to install a later engine.",
        )


def require_no_host_network() -> None:
    """Make sure that a build finds its name servers without the network of the host.

    Raises:
        ClassvmError: it does not.

    """
    if resolver.is_out_of_reach_of_containers():
        raise ClassvmError(
            "The name servers of this host answer on its loopback alone, where a student's build cannot ask them",
            fix="Ask your admin to deploy, or to name another server in /etc/resolv.conf.",
        )


class TooLargeError(ClassvmError):
    """A build has filled too much of the disk."""


class _Disk:
    """How far the disk has filled since a build began."""

    def __init__(self, folder: str, most: int) -> None:
        self._folder, self._most = folder, most
        self._before = _free(folder)

    def watch(self, printed: int) -> None:
        """Make sure that a build is within its bounds.

        Raises:
            ClassvmError: it is not.

        """
        if printed > OUTPUT_BYTES:
            raise ClassvmError(
                f"The build was ended: it has printed more than {OUTPUT_BYTES // MEGABYTE} MB",
                fix="Let its steps say less.",
            )
        free = _free(self._folder)
        if self._before - free > self._most or free < min(FREE_BYTES, self._before // 2):
            raise TooLargeError(
                f"The build was ended: it has filled more of the disk than {self._most // MEGABYTE} MB,"
                " or all but the rest that the host needs",
                fix="Let the image hold less; what your admin allows is service_build_disk.",
            )


def _free(folder: str) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
