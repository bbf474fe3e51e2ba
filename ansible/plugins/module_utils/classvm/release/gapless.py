"""The swaps in which the port changes hands and somebody answers, where the host has nftables."""

from __future__ import annotations

import contextlib
import functools
from typing import Optional

from ..base.docker import Container, Docker
from ..base.edge import Edge, slot_of
from ..base.errors import ClassvmError
from . import connections, gap, health, recover, redirect
from .candidate import create_in_slot, create_on_port, start, watch_steady
from .release_spec import CANDIDATE_CPU_SHARES, ReleaseSpec
from .swap import Recreate, stand_by, stop, undo


class Gapless(Recreate):
    """The candidate serves through a redirect while the port goes from one container to the next.

    Each step leaves a service that answers, whatever interrupts it: the redirect begins when the
    candidate has proven itself, and ends when another container serves on the port. After a reboot
    in between, the engine starts the former release again, or the one that has its port by then.
    """

    poll_seconds = gap.RARE_POLL_SECONDS

    def __init__(
        self, docker: Docker, spec: ReleaseSpec, edge: Edge, live: Optional[Container]
    ) -> None:
        """Prepare to make a release live, and choose a port of its own for its candidate."""
        super().__init__(docker, spec, edge, live)
        self.redirect = redirect.Redirect(
            spec.service,
            edge.state_dir,
            spec.host_port,
            redirect.free_port(),
            spec.container_port,
        )

    @staticmethod
    def suits(live: Optional[Container], host_port: int) -> bool:
        """Tell whether a release serves on the port that another one can relieve."""
        if live is None or not live.running:
            return False
        return bool(slot_of(live)) or host_port in health.published(live)

    def prepare(self, *, proven: bool) -> None:
        """Have the candidate prove itself, and be ready to serve on a port of its own."""
        # Before it starts: nobody from outside reaches a candidate.
        self.redirect.close()
        publish = f"{self.redirect.own_port}:{self.spec.container_port}"
        self.start_candidate(publish, proven=proven)

    def swap(self) -> None:
        """Lead clients to the candidate."""
        try:
            self._lead()
        except BaseException as reason:
            self._undo(reason)
            raise

    @property
    def serves_early(self) -> bool:
        """Whether the caller may go on: not to remove HAProxy, while the former release is behind it."""
        return not self.edge.slots

    def settle(self) -> None:
        """Bring another container of the candidate's image to the port, and lead clients there."""
        try:
            if not self.is_proven:
                # The former release has the port still, and serves there as soon as the rule is gone.
                back = functools.partial(redirect.end, self.spec.service)
                watch_steady(self.docker, self.spec, self.spec.candidate, give_way=back)
            self._bring_to_port()
            redirect.end(self.spec.service)
        except BaseException as reason:
            self._undo(reason)
            raise

    def retire(self) -> None:
        """Remove the candidate once it has answered what it has begun, and the former release."""
        connections.drain(self.docker, self.spec.candidate, self.spec.seconds.request)
        recover.drop_candidate(self.docker, self.spec.service)
        redirect.remove(self.spec.service, self.edge.state_dir)
        super().retire()

    def discard(self) -> None:
        """Remove what a candidate that was refused has left."""
        super().discard()
        with contextlib.suppress(ClassvmError):  # a closed port where nobody listens does no harm
            redirect.remove(self.spec.service, self.edge.state_dir)

    def _lead(self) -> None:
        spec, candidate = self.spec, self.docker.container(self.spec.candidate)
        if candidate is None:
            raise ClassvmError(
                f"The candidate of release {spec.release} is gone",
                fix="Somebody has removed it; run the command again.",
            )
        self.redirect.lead(candidate.address)
        self.begin_to_serve()

    def _bring_to_port(self) -> None:
        spec = self.spec
        self.docker.check("rename", spec.live, spec.previous)
        # Clients have the candidate, which this one shall not slow down while it starts.
        create_on_port(self.docker, spec, spec.live, CANDIDATE_CPU_SHARES)
        if self.former_has_port():
            self._stop_former()
        self.edge.leave_port()
        start(self.docker, spec, spec.live)
        recover.give_shares(self.docker, spec.live)

    def _stop_former(self) -> None:
        """Stop the former release, which has the port, once it has answered what it has begun."""
        spec = self.spec
        connections.drain(self.docker, spec.previous, spec.seconds.request)
        stand_by(self.docker, spec)
        stop(self.docker, spec)

    def _undo(self, reason: BaseException) -> None:
        """Bring the former release back, and lead clients to it as soon as it is healthy."""
        spec = self.spec
        try:
            if self.docker.container(spec.previous):
                undo(self.docker, spec, self.edge, self.live, reason)
        finally:
            recover.end_redirect(self.docker, spec.service, self.edge.state_dir)


class ToEdge(Gapless):
    """The first release behind the edge: the port goes from the former one's container to HAProxy."""

    def _bring_to_port(self) -> None:
        spec, slot = self.spec, self.edge.free_slot("")
        self.docker.check("rename", spec.live, spec.previous)
        # It needs another port than the former release, so it serves before that one stops.
        create_in_slot(self.docker, spec, spec.live, self.edge, slot)
        start(self.docker, spec, spec.live)
        recover.give_shares(self.docker, spec.live)
        self._stop_former()
        self.edge.lead_to(slot)
