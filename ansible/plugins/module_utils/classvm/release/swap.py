"""The two strategies by which a candidate takes the place of the live release.

Both rename the containers before anything else happens, so that the next run can finish or undo a
swap that was interrupted, and both bring the former release back when the swap fails.

recreate    The candidate proves itself on a loopback port of its own. Another container of its
            image, created beforehand, then takes the port that the live release has left.
blue_green  The candidate proves itself in the slot that the live release leaves free; if the contract
            check may have altered it, it is made anew. The edge then hands new requests to it;
            requests that have begun end where they began.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Optional

from ..base import progress
from ..base.docker import Container, Docker
from ..base.edge import Edge, slot_of
from ..base.errors import ClassvmError
from . import recover
from .candidate import create, promote, prove, start
from .contract_check import Verdict
from .release_spec import ReleaseSpec


class Swap(ABC):
    """What makes a release live in three steps, in this order."""

    def __init__(
        self, docker: Docker, spec: ReleaseSpec, edge: Edge, live: Optional[Container]
    ) -> None:
        """Prepare to make a release live.

        Args:
            docker: the engine of the host.
            spec: the release and how it shall run.
            edge: what stands before the releases of the host.
            live: the live container, if any.

        """
        self.docker = docker
        self.spec = spec
        self.edge = edge
        self.live = live
        self.verdict = Verdict()

    @abstractmethod
    def prepare(self, *, proven: bool) -> None:
        """Bring the candidate to where it can be swapped in; one that is not proven proves itself."""

    @abstractmethod
    def swap(self) -> None:
        """Make the candidate live; when that fails, bring the former release back."""

    @abstractmethod
    def retire(self) -> None:
        """Remove the former release."""


class Recreate(Swap):
    """The live container stops, the new one takes its port."""

    def prepare(self, *, proven: bool) -> None:
        """Have the candidate prove itself, unless it has before; create its final container."""
        spec = self.spec
        if not proven:
            # Docker picks a free port; loopback keeps the candidate invisible from outside.
            create(self.docker, spec.without_keep, f"127.0.0.1::{spec.container_port}")
            self.verdict = prove(self.docker, spec)
            recover.drop_candidate(self.docker, spec.service)
        # Created before the live one stops, which makes the gap shorter.
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
        """Remove the former release: it was stopped, or the edge no longer leads to it."""
        remove(self.docker, self.spec, self.live)


class BlueGreen(Swap):
    """The edge, which handed requests to the live release, hands them to the candidate."""

    def __init__(
        self, docker: Docker, spec: ReleaseSpec, edge: Edge, live: Optional[Container]
    ) -> None:
        """Prepare to make a release live behind the edge, in the slot that is free."""
        super().__init__(docker, spec, edge, live)
        self.slot = edge.free_slot(slot_of(live) if live else "")

    def prepare(self, *, proven: bool) -> None:
        """Have the candidate prove itself in the free slot; if it has before, only start it."""
        publish = f"127.0.0.1:{self.edge.slots[self.slot]}:{self.spec.container_port}"
        if not proven:
            create(self.docker, self.spec.without_keep, publish, self.slot)
            self.verdict = prove(self.docker, self.spec)
            if not self.spec.keep and not self.verdict.altered:
                return
            # What the check wrote into it must not go live, and its folders are not the kept ones.
            recover.drop_candidate(self.docker, self.spec.service)
        create(self.docker, self.spec, publish, self.slot)
        start(self.docker, self.spec, self.spec.candidate)

    def swap(self) -> None:
        """Let the host's port lead to the candidate."""
        # Before it is live: if this run were interrupted, nothing would promote it later.
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
        """Remove the former release once it has answered the requests that it had begun."""
        if self.live:
            progress.say("waiting until the former release has answered what it has begun")
            self.edge.drain(slot_of(self.live), self.spec.seconds.request)
        remove(self.docker, self.spec, self.live)


def rename(docker: Docker, spec: ReleaseSpec, live: Optional[Container]) -> None:
    """Give both containers their names of the time after the swap."""
    if live:
        docker.check("rename", spec.live, spec.previous)
    try:
        docker.check("rename", spec.candidate, spec.live)
    except BaseException:
        if live:
            docker.run("rename", spec.previous, spec.live)
        raise


def stop(docker: Docker, spec: ReleaseSpec) -> None:
    """Stop the former release, within the time that its container was created with."""
    docker.check("stop", spec.previous)


def remove(docker: Docker, spec: ReleaseSpec, live: Optional[Container]) -> None:
    """Remove the former release; one that published the port itself was stopped by the swap."""
    if not live:
        return
    if slot_of(live):
        stop(docker, spec)
    docker.check("rm", "--volumes", spec.previous)


def undo(
    docker: Docker, spec: ReleaseSpec, edge: Edge, live: Optional[Container], reason: BaseException
) -> None:
    """Remove the new release and bring the former one back.

    Raises:
        ClassvmError: the former release does not start again, either.

    """
    if not live:
        docker.run("rm", "--force", "--volumes", spec.live)
        return
    started = recover.bring_back(docker, spec.service, edge)
    if started.code:
        raise ClassvmError(
            str(reason),
            details="The former release does not start again, either:\n"
            f"{started.last_lines()}\nRemove that cause, then run `make deploy`.",
        ) from reason
