"""The two strategies by which a candidate takes the place of the live release.

Both rename the containers before anything else happens, so that the next run can finish or undo a
swap that was interrupted, and both bring the former release back when the swap fails.

recreate    The candidate proves itself on a loopback port of its own. Another container of its
            image, created beforehand, then takes the port that the live release has left. Where
            that is asked for, `gapless` bridges the time in which nobody has the port,
            also on the way from a container that has the port to the edge.
blue_green  The candidate proves itself in the slot that the live release leaves free; if the contract
            check may have altered it, it is made anew. The edge then hands new requests to it;
            requests that have begun end where they began. The former release stays for the steady
            time, and serves again if the new one ends.

Where the former release stays, the new one serves before the work has ended, and nobody has to wait
for the rest of it.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from typing import Callable, Optional

from ..base import progress, state
from ..base.docker import Container, Docker
from ..base.edge import Edge, slot_of
from ..base.errors import ClassvmError
from . import gap, recover
from .candidate import (
    create,
    create_on_port,
    promote,
    prove,
    published_in,
    start,
    watch_steady,
)
from .contract_check import Verdict
from .release_spec import EVEN_STOPPED, ReleaseSpec


class Swap(ABC):
    """What makes a release live in four steps, in this order.

    Attributes:
        poll_seconds: how often to ask meanwhile whether anybody answers.
        announce: is told when new requests begin to go to the new release.

    """

    poll_seconds = gap.RARE_POLL_SECONDS

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
        # Whether the release has proven itself before: then nobody waits for it to stay up.
        self.is_proven = False
        # When new requests began to go to the new release; "" until then.
        self.served = ""
        self.announce: Callable[[str], None] = lambda _: None

    @abstractmethod
    def prepare(self, *, proven: bool) -> None:
        """Bring the candidate to where it can be swapped in; one that is not proven proves itself."""

    @abstractmethod
    def swap(self) -> None:
        """Have new requests go to the candidate; when that fails, bring the former release back."""

    @property
    def serves_early(self) -> bool:
        """Whether the new release serves from `swap` on, and the rest can be done without a caller."""
        return False

    @abstractmethod
    def settle(self) -> None:
        """Do what is left until the former release is not needed; when that fails, bring it back."""

    @abstractmethod
    def retire(self) -> None:
        """Remove the former release."""

    def start_candidate(
        self, publish: str, slot: str = "", *, proven: bool, steady: bool = False
    ) -> None:
        """Start a candidate that may serve, as a live one does; one that is not proven proves itself.

        Args:
            publish: host side and container side of its port mapping.
            slot: its slot behind the edge, or "".
            proven: whether the release has proven itself before.
            steady: whether one that is not proven also has to stay up for the steady time.

        """
        self.is_proven = proven
        if not proven:
            create(self.docker, self.spec.without_keep, publish, slot)
            self.verdict = prove(self.docker, self.spec, steady=steady)
            if not self.spec.keep and not self.verdict.altered:
                promote(self.docker, self.spec)
                return
            # What the check wrote into it must not go live, and its folders are not the kept ones.
            recover.drop_candidate(self.docker, self.spec.service)
        create(self.docker, self.spec, publish, slot, proven=True)
        start(self.docker, self.spec, self.spec.candidate)

    def begin_to_serve(self) -> None:
        """Note, and tell, that new requests go to the new release."""
        self.served = state.now()
        self.announce(self.served)

    @property
    def rest(self) -> str:
        """What is left to do when the new release serves, for the person who has the answer already."""
        if self.is_proven:
            return "the former release ends in the background"
        return f"the former release stands by for {self.spec.seconds.steady:g} s"

    def former_has_port(self) -> bool:
        """Tell whether the release that was live publishes the port itself, without the edge."""
        return self.live is not None and not slot_of(self.live)

    def discard(self) -> None:
        """Remove the candidate, which was refused."""
        recover.drop_candidate(self.docker, self.spec.service)


class Recreate(Swap):
    """The live container stops, the new one takes its port."""

    poll_seconds = gap.POLL_SECONDS

    def prepare(self, *, proven: bool) -> None:
        """Have the candidate prove itself, unless it has before; create its final container."""
        spec = self.spec
        if not proven:
            # Docker picks a free port; loopback keeps the candidate invisible from outside.
            create(self.docker, spec.without_keep, f"127.0.0.1::{spec.container_port}")
            self.verdict = prove(self.docker, spec, steady=True)
            recover.drop_candidate(self.docker, spec.service)
        # Created before the live one stops, which makes the gap shorter.
        create_on_port(self.docker, spec, spec.candidate)

    def swap(self) -> None:
        """Let the candidate take the port."""
        live = self.live
        rename(self.docker, self.spec, live)
        try:
            if self.former_has_port():
                stand_by(self.docker, self.spec)
                stop(self.docker, self.spec)
            self.edge.leave_port()
            start(self.docker, self.spec, self.spec.live)
            self.begin_to_serve()
        except BaseException as reason:
            undo(self.docker, self.spec, self.edge, live, reason)
            raise

    def settle(self) -> None:
        """Do nothing: the former release has stopped."""

    def retire(self) -> None:
        """Remove the former release: it was stopped, or the edge gets no new connections any more."""
        if self.live and slot_of(self.live):
            self.edge.end(slot_of(self.live), self.spec.seconds.request)
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
        publish = published_in(self.edge, self.slot, self.spec)
        # A former release that has the port stops before the edge gets it, so it cannot stand by.
        self.start_candidate(publish, self.slot, proven=proven, steady=self.former_has_port())

    def swap(self) -> None:
        """Let the host's port lead to the candidate."""
        live = self.live
        rename(self.docker, self.spec, live)
        try:
            if self.former_has_port():
                stop(self.docker, self.spec)  # HAProxy waits for the port
            self.edge.lead_to(self.slot)
            self.begin_to_serve()
        except BaseException as reason:
            undo(self.docker, self.spec, self.edge, live, reason)
            raise

    @property
    def serves_early(self) -> bool:
        """Whether there is a former release that stays up beside the new one."""
        return self.live is not None and not self.former_has_port()

    def settle(self) -> None:
        """Let the former release stand by for the steady time, where the new one has yet to prove itself."""
        live = self.live
        if self.former_has_port() or self.is_proven:
            return
        back = functools.partial(self.edge.lead_to, slot_of(live)) if live else lambda: None
        try:
            watch_steady(self.docker, self.spec, self.spec.live, give_way=back)
        except BaseException as reason:
            undo(self.docker, self.spec, self.edge, self.live, reason)
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


def stand_by(docker: Docker, spec: ReleaseSpec) -> None:
    """Have the engine start the former release again when the machine reboots, though it is stopped."""
    docker.check("update", "--restart", EVEN_STOPPED, spec.previous)


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
