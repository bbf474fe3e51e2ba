"""Make a release live on a host without ever leaving the host worse than before.

The story of a deploy, under the host's lock:

    recover     finish or undo what an interrupted run left behind
    prepare     the new release proves itself as the candidate, beside the live one
    swap        new requests go to the candidate (swap.py has the two strategies)
    finish      the candidate takes the live release's place, which is then removed (finish.py)
    record      the history gets its line, whatever became of the attempt

Where the former release stays up meanwhile, the caller has the answer before `finish`, which a process
in the background does under the same lock.

Three container names tell the next run how far an interrupted one came:

    classvm-S             the live release
    classvm-S-candidate   the candidate; safe to remove at any time
    classvm-S-previous    was live until a swap began; brought back if that swap did not end
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Sequence, TextIO, Tuple, Type

from ..base import client, host, locks, state
from ..base.docker import Container, Docker, Image
from ..base.edge import Edge, slot_of
from ..base.errors import ClassvmError
from ..image.image_labels import LABEL_APP, LABEL_RELEASE, LABEL_SERVICE, container_port
from . import difference, drift, finish, gap, health, history, recover, redirect, rollback
from . import keep as keep_volumes
from .gapless import Gapless, ToEdge
from .recover import Recovered
from .release_spec import LABEL_SETTINGS, ReleaseSpec
from .swap import BlueGreen, Recreate, Swap

SPACE_MEGABYTES = 10


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    Attributes:
        changed: whether another release is live, or the same one runs otherwise, than before.
        release: id of the live release.
        container: id of the container that serves; "" in check mode when it does not exist yet.
        replaced: the release that was live before, or "".
        gap: longest time in which the port did not answer during the swap, in seconds; None where
            there was no swap, or the port did not answer before it.
        gap_reason: what this host, or this account, lacks for a swap without a gap that was asked
            for, or "".
        seconds: how long the swap took, from stopping the old release to the new one's health.
        removed: names of the images of old releases that were removed.
        finishing: what the host still does in the background, for a closing line, or "".
        edge_is_idle: whether HAProxy is still on this host, though no release is behind it.
        maintenance_note: what a closing line adds to its address, or "": `Edge.maintenance_note`.
        classvm_notes: what a person should know, a line each: how the release breaks its contract,
            where that is no reason to refuse it, and which operations were not checked.

    """

    changed: bool
    release: str
    container: str
    replaced: str
    gap: Optional[float] = None
    gap_reason: str = ""
    seconds: float = 0.0
    removed: Sequence[str] = ()
    finishing: str = ""
    edge_is_idle: bool = False
    maintenance_note: str = ""
    classvm_notes: List[str] = field(default_factory=list)


# --- What the module calls ----------------------------------------------------------------------


def release(docker: Docker, spec: ReleaseSpec, state_dir: str, keep: int) -> Outcome:
    """Make the desired release live, once it has proven itself as a candidate.

    Args:
        docker: the engine of the host.
        spec: the release and how it shall run.
        state_dir: folder with the host's state.
        keep: how many earlier releases keep their images for a rollback.

    Raises:
        ClassvmError: it did not become live; the release that was live before still is.

    """
    host.require_space(state_dir, SPACE_MEGABYTES)
    with locks.held(state_dir) as lock:
        edge, found, spec = _recovered(docker, spec, state_dir)
        attempt = Attempt(docker, spec, edge, found, history.LIVE, keep)
        return _make_live(attempt, lock)


def roll_back(docker: Docker, spec: ReleaseSpec, state_dir: str) -> Outcome:
    """Make a release live again that was live before.

    Args:
        docker: the engine of the host.
        spec: how it shall run; its release may be "previous".
        state_dir: folder with the host's state.

    Raises:
        ClassvmError: there is no such release, or it did not become live; the release that was live
            before still is.

    """
    host.require_space(state_dir, SPACE_MEGABYTES)
    with locks.held(state_dir) as lock:
        edge, found, spec = _recovered(docker, spec, state_dir)
        target = resolved(docker, spec, state_dir, found.live)
        return _make_live(Attempt(docker, target, edge, found, history.ROLLED_BACK), lock)


def preview(docker: Docker, spec: ReleaseSpec, state_dir: str, *, rolled_back: bool) -> Outcome:
    """Return what `release`, or `roll_back`, would do, and change nothing.

    Raises:
        ClassvmError: there is no release to roll back to.

    """
    edge, live, spec = _looked_up(docker, spec, state_dir, rolled_back=rolled_back)
    spec, image = _with_image(docker, spec)
    changed = not is_live(docker, spec, edge, live, image)
    return Outcome(
        changed,
        spec.release,
        "" if changed else _id(live),
        _release(live),
        maintenance_note=edge.maintenance_note() if edge.takes_releases else "",
    )


def compare(
    docker: Docker, spec: ReleaseSpec, state_dir: str, content: str, *, rolled_back: bool
) -> Dict[str, str]:
    """Return the live and the desired release in lines, as Ansible shows differences.

    Args:
        docker: the engine of the host.
        spec: the release and how it shall run.
        state_dir: folder with the host's state.
        content: what the release is made of, as JSON, or "".
        rolled_back: whether the spec names a release to roll back to.

    Raises:
        ClassvmError: there is no release to roll back to.

    """
    _, live, spec = _looked_up(docker, spec, state_dir, rolled_back=rolled_back)
    spec, _ = _with_image(docker, spec)
    return {
        "before": difference.before(docker, live),
        "after": difference.after(docker, spec, content),
    }


def is_live(
    docker: Docker,
    spec: ReleaseSpec,
    edge: Edge,
    live: Optional[Container],
    image: Optional[Image],
) -> bool:
    """Tell whether the desired release is live, as desired and reachable.

    Args:
        docker: the engine of the host.
        spec: the release and how it shall run.
        edge: what stands before the releases of the host.
        live: the live container, if any.
        image: the image of the desired release, if it is there.

    """
    return (
        live is not None
        and image is not None
        and live.image == image.id
        and live.labels.get(LABEL_SETTINGS) == spec.settings
        and health.is_healthy(docker, live)
        and not drift.problems(docker, edge, live)
    )


def resolved(
    docker: Docker, spec: ReleaseSpec, state_dir: str, live: Optional[Container]
) -> ReleaseSpec:
    """Return the spec with the release of the host's history that it asks for.

    Raises:
        ClassvmError: there is no such release.

    """
    entries = history.read(state_dir, spec.service)
    try:
        target = rollback.resolve(docker, entries, spec.release, _release(live))
    except ClassvmError as error:
        incomplete = history.remark(state_dir, spec.service, _release(live))
        if not incomplete:
            raise
        # Its own advice is to look at a history that does not show it.
        raise ClassvmError(error.cause, fix=incomplete) from error
    return dataclasses.replace(spec, release=target.release, revision=target.revision)


# --- The story ----------------------------------------------------------------------------------


def _recovered(
    docker: Docker, spec: ReleaseSpec, state_dir: str
) -> Tuple[Edge, Recovered, ReleaseSpec]:
    """Recover the host; return its edge, what is live, and the spec as this host runs it."""
    # Before anything is touched: an attempt whose line cannot be written shall not begin.
    history.read(state_dir, spec.service)
    edge = Edge.load(state_dir)
    found = recover.recover(docker, spec.service, state_dir, edge)
    return edge, found, _on_host(spec, edge, create_key=True)


def _looked_up(
    docker: Docker, spec: ReleaseSpec, state_dir: str, *, rolled_back: bool
) -> Tuple[Edge, Optional[Container], ReleaseSpec]:
    """Return the edge, the live container and the resolved spec, and change nothing."""
    edge = Edge.load(state_dir)
    live = docker.container(spec.live)
    if rolled_back:
        spec = resolved(docker, spec, state_dir, live)
    return edge, live, _on_host(spec, edge, create_key=False)


def _on_host(spec: ReleaseSpec, edge: Edge, *, create_key: bool) -> ReleaseSpec:
    """Return the spec with what only the host knows: its strategy, and its key for secrets."""
    key = state.settings_key(edge.state_dir, create=create_key) if spec.environment else ""
    return dataclasses.replace(spec, strategy=edge.strategy, key=key)


def _with_image(docker: Docker, spec: ReleaseSpec) -> Tuple[ReleaseSpec, Optional[Image]]:
    """Return the spec with what only the image of the release knows, and that image, if it is there."""
    image = docker.image(spec.image) if spec.image else None
    port = container_port(image, spec.container_port)
    kept, app = keep_volumes.folders(image), image.labels.get(LABEL_APP, "") if image else ""
    return dataclasses.replace(spec, keep=kept, app=app, container_port=port), image


@dataclass(frozen=True)
class Attempt:
    """What is to become live, and where.

    Attributes:
        docker: the engine of the host.
        spec: the release and how it shall run.
        edge: what stands before the releases of this host.
        found: the live container, if any.
        result: the result that the history shows if the release becomes live.
        keep: how many earlier releases keep their images; None removes none.

    """

    docker: Docker
    spec: ReleaseSpec
    edge: Edge
    found: Recovered
    result: str
    keep: Optional[int] = None


def _make_live(attempt: Attempt, lock: TextIO) -> Outcome:
    """Make the release live unless it is, and record the attempt.

    Args:
        attempt: what is to become live.
        lock: of the host, which this process holds.

    """
    docker, edge, live = attempt.docker, attempt.edge, attempt.found.live
    spec, image = _with_image(docker, attempt.spec)
    outcome = Outcome(
        changed=attempt.found.edge_repaired,
        release=spec.release,
        container=_id(live),
        replaced=_release(live),
        edge_is_idle=bool(edge.slots) and not edge.takes_releases,
        maintenance_note=edge.maintenance_note() if edge.takes_releases else "",
    )
    if is_live(docker, spec, edge, live, image):
        _record_unknown(spec, image, edge.state_dir)
        return outcome
    entry = _attempt(spec, image, outcome.replaced, attempt.result)
    before = live.labels.get(LABEL_APP, "") if live else ""
    shared = keep_volumes.note(docker, spec.service, spec.keep, spec.app, before)
    kind, gap_reason = _kind(spec, edge, live)
    strategy = kind(docker, spec, edge, live)
    entry = _prepare_and_swap(strategy, entry)
    rest = finish.Rest(strategy, entry, attempt.keep)
    is_later = spec.background and strategy.serves_early and rest.later(lock)
    done = finish.Done(entry) if is_later else rest.now()
    return dataclasses.replace(
        outcome,
        changed=True,
        container=_id(docker.container(spec.candidate) or docker.container(spec.live)),
        gap=done.entry.gap,
        gap_reason=gap_reason,
        seconds=done.entry.seconds,
        removed=done.removed,
        finishing=strategy.rest if is_later else "",
        classvm_notes=[*shared, *strategy.verdict.warnings, *strategy.verdict.notes],
    )


def _prepare_and_swap(strategy: Swap, entry: history.Entry) -> history.Entry:
    """Take an attempt to where its release serves; return its entry with the measured gap.

    Raises:
        ClassvmError: the release is refused; its entry is recorded.

    """
    docker, spec, edge, live = strategy.docker, strategy.spec, strategy.edge, strategy.live
    watch = gap.Watch(spec.host_port, poll_seconds=strategy.poll_seconds)
    if strategy.serves_early:
        # For those who look meanwhile, and for the next run, should this one be killed.
        strategy.announce = lambda served: history.intend(
            edge.state_dir, dataclasses.replace(entry, served=served)
        )
    try:
        _require_image(spec, entry)
        if live is None:
            host.require_only_service(docker, edge.state_dir, spec.service, LABEL_SERVICE)
        _require_port(docker, spec, edge, live)
        # A rollback target has proven itself when it was deployed.
        strategy.prepare(proven=entry.result == history.ROLLED_BACK)
        client.require_present()
        history.intend(edge.state_dir, entry)
        with watch:
            strategy.swap()
    except BaseException as reason:
        strategy.discard()
        finish.record_refusal(
            edge.state_dir, finish.measured(entry, watch, strategy.served), reason
        )
        raise
    return finish.measured(entry, watch, strategy.served)


def _kind(spec: ReleaseSpec, edge: Edge, live: Optional[Container]) -> Tuple[Type[Swap], str]:
    """Return how a release goes live on this host, and why not without a gap as it should, or ""."""
    if edge.takes_releases and live is not None and slot_of(live):
        return BlueGreen, ""
    with_gap: Type[Swap] = BlueGreen if edge.takes_releases else Recreate
    if not spec.gapless or not Gapless.suits(live, spec.host_port):
        return with_gap, ""
    obstacle = redirect.obstacle()
    if obstacle:
        return with_gap, obstacle
    return (ToEdge if edge.takes_releases else Gapless), ""


# --- What the history says ----------------------------------------------------------------------


def _attempt(
    spec: ReleaseSpec, image: Optional[Image], replaced: str, result: str
) -> history.Entry:
    """Return the entry of an attempt, as far as it is known beforehand."""
    return history.Entry(
        time=state.now(),
        service=spec.service,
        release=spec.release,
        image=spec.image,
        image_id=image.id if image else "",
        settings=spec.settings,
        revision=spec.revision,
        who=state.account(),
        replaced=replaced,
        result=result,
    )


def _record_unknown(spec: ReleaseSpec, image: Optional[Image], state_dir: str) -> None:
    """Record the live release where the history does not show it, because it was lost."""
    good = [one.release for one in history.read(state_dir, spec.service) if one.went_live]
    if good[-1:] != [spec.release]:
        replaced = good[-1] if good else ""
        history.finish(state_dir, _attempt(spec, image, replaced, history.LIVE))


# --- What an attempt needs ----------------------------------------------------------------------


def _require_image(spec: ReleaseSpec, entry: history.Entry) -> None:
    if not entry.image_id:
        raise ClassvmError(
            f"The image {spec.image} is not on this host; another deploy may have removed it"
            " meanwhile. `make deploy` builds it. The live release was not touched.",
        )


def _require_port(docker: Docker, spec: ReleaseSpec, edge: Edge, live: Optional[Container]) -> None:
    """Make sure that the port is open, and free or used by the live release or the edge."""
    if edge.takes_releases and spec.host_port != edge.port:
        raise ClassvmError(
            f"HAProxy shows the service of this host on port {edge.port}, not {spec.host_port}",
            fix=f"An admin can change it: `make provision PORT={spec.host_port}`.",
        )
    host.require_open_port(edge.state_dir, spec.host_port)
    held = health.published(live) if live else []
    if spec.host_port not in held and not edge.holds_port():
        host.require_free_port(docker, spec.host_port)


def _id(live: Optional[Container]) -> str:
    return live.id if live else ""


def _release(live: Optional[Container]) -> str:
    return live.labels.get(LABEL_RELEASE, "") if live else ""
