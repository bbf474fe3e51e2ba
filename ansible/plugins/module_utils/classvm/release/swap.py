"""The two strategies by which a candidate takes the place of the live release.

Both give the containers telling names before anything else happens, so that a run that was
cut off can be finished or undone, and both bring the former release back when they fail.

recreate    the candidate is tried on a loopback port of its own; another container of its
            image, made beforehand, then takes the port that the live one has left.
blue_green  the candidate is tried in the slot that the live release leaves free; the edge
            then hands new requests to it, while the old ones are answered where they began.
"""

from __future__ import annotations

from typing import Optional

from ..base.docker import Container, Docker
from ..base.edge import Edge, slot_of
from ..base.errors import ClassvmError
from ..base.names import STOP_SECONDS
from . import recover
from .candidate import create, promote, prove, start
from .release_spec import ReleaseSpec


class Recreate:
    """The live container stops, the new one takes its port."""

    def __init__(
        self, docker: Docker, spec: ReleaseSpec, edge: Edge, live: Optional[Container]
    ) -> None:
        """Prepare to make a release live that publishes the host's port itself."""
        self.docker = docker
        self.spec = spec
        self.edge = edge
        self.live = live

    def prepare(self, *, proven: bool) -> None:
        """Try the release, unless it has proven itself, and have its container ready."""
        spec = self.spec
        if not proven:
            # Docker picks a free port; loopback keeps the candidate invisible from outside.
            create(self.docker, spec, f"127.0.0.1::{spec.container_port}")
            prove(self.docker, spec)
            recover.drop_candidate(self.docker, spec.service)
        # Made before the live one stops: the gap is then shorter by that.
        publish = f"{spec.host_port}:{spec.container_port}"
        create(self.docker, spec, publish, beside=False)

    def swap(self) -> None:
        """Let the candidate take the port."""
        live = self.live
        rename(self.docker, self.spec, live)
        try:
            if live and not slot_of(live):
                stop(self.docker, self.spec)
            self.edge.leave_port()
            start(self.docker, self.spec, self.spec.live)
        except BaseException as reason:
            undo(self.docker, self.spec, self.edge, live, reason)
            raise

    def retire(self) -> None:
        """Remove the release that served; it was stopped, or the edge leads to it no more."""
        remove(self.docker, self.spec, self.live)


class BlueGreen:
    """The edge hands requests to the candidate, where the live release had them before."""

    def __init__(
        self, docker: Docker, spec: ReleaseSpec, edge: Edge, live: Optional[Container]
    ) -> None:
        """Prepare to make a release live behind the edge."""
        self.docker = docker
        self.spec = spec
        self.edge = edge
        self.live = live
        self.slot = edge.free_slot(slot_of(live) if live else "")

    def prepare(self, *, proven: bool) -> None:
        """Try the release in the free slot; one that has proven itself only starts there."""
        publish = f"127.0.0.1:{self.edge.slots[self.slot]}:{self.spec.container_port}"
        create(self.docker, self.spec, publish, self.slot)
        if proven:
            start(self.docker, self.spec, self.spec.candidate)
        else:
            prove(self.docker, self.spec)

    def swap(self) -> None:
        """Let the port lead to the candidate."""
        # Before it serves: nobody would do it later if this run were cut off.
        promote(self.docker, self.spec)
        live = self.live
        rename(self.docker, self.spec, live)
        try:
            if live and not slot_of(live):
                stop(self.docker, self.spec)  # HAProxy waits for the port
            self.edge.lead_to(self.slot)
        except BaseException as reason:
            undo(self.docker, self.spec, self.edge, live, reason)
            raise

    def retire(self) -> None:
        """Remove the release that served, once it has answered what it had begun."""
        if self.live:
            self.edge.drain(slot_of(self.live))
        remove(self.docker, self.spec, self.live)


def rename(docker: Docker, spec: ReleaseSpec, live: Optional[Container]) -> None:
    """Give both containers the names of the time after the swap."""
    if live:
        docker.check("rename", spec.live, spec.previous)
    try:
        docker.check("rename", spec.candidate, spec.live)
    except BaseException:
        if live:
            docker.run("rename", spec.previous, spec.live)
        raise


def stop(docker: Docker, spec: ReleaseSpec) -> None:
    """Stop the release that served."""
    docker.check("stop", "-t", str(STOP_SECONDS), spec.previous)


def remove(docker: Docker, spec: ReleaseSpec, live: Optional[Container]) -> None:
    """Remove a release; one that had the port to itself was stopped for the swap."""
    if not live:
        return
    if slot_of(live):
        stop(docker, spec)
    docker.check("rm", spec.previous)


def undo(
    docker: Docker, spec: ReleaseSpec, edge: Edge, live: Optional[Container], reason: BaseException
) -> None:
    """Take the new release away and bring the former one back.

    Raises:
        ClassvmError: it does not come back, either.

    """
    if not live:
        docker.run("rm", "--force", spec.live)
        return
    started = recover.bring_back(docker, spec.service, edge)
    if started.code:
        raise ClassvmError(
            f"{reason}\nThe former release does not start again, either:\n"
            f"{started.last_lines()}\nFree what it lacks, then `make deploy`.",
        ) from reason
