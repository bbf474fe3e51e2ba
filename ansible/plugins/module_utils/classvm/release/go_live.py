"""Move a host to "release R serves port P" without ever leaving it worse than before.

One release is live. A new one starts as the candidate, on a loopback port of its own, with
its real limits. Only when it is healthy and keeps its contract does the live one make room:
how, is the strategy's business (swap.py).
Three container names tell what a run that was cut off left behind:

    classvm-S             the live release
    classvm-S-candidate   being tried; safe to remove at any time
    classvm-S-previous    was live until a swap began; brought back if that swap did not end
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Dict, Optional, Sequence, Tuple

from ..base import host, locks, state
from ..base.docker import Container, Docker, Image
from ..base.edge import Edge
from ..base.errors import ClassvmError
from ..image.service_image import LABEL_RELEASE
from . import difference, gap, health, history, recover, rollback
from .prune import prune
from .release_spec import LABEL_SETTINGS, ReleaseSpec
from .swap import BlueGreen, Recreate

SPACE_MEGABYTES = 10


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    Attributes:
        changed: whether the live release is another one, or runs otherwise, than before.
        release: id of the live release.
        container: id of the live container; "" in check mode when it does not exist yet.
        replaced: the release that was live before, or "".
        gap: longest time in which nobody answered on the port during the swap, in seconds;
            None where there was no swap, or nobody answered before it.
        seconds: how long the swap took, from stopping the old to the new one's health.
        removed: names of the images of old releases that were removed.
        edge_is_idle: whether HAProxy is still on this host, though no release is behind it.

    """

    changed: bool
    release: str
    container: str
    replaced: str
    gap: Optional[float] = None
    seconds: float = 0.0
    removed: Sequence[str] = ()
    edge_is_idle: bool = False


def is_live(
    docker: Docker, spec: ReleaseSpec, live: Optional[Container], image: Optional[Image]
) -> bool:
    """Tell whether the desired release already serves, with the desired settings.

    Args:
        docker: the engine of the host.
        spec: the release and its limits.
        live: the container that serves, if any.
        image: the image of the desired release, if it is there.

    """
    return (
        live is not None
        and image is not None
        and live.image == image.id
        and live.labels.get(LABEL_SETTINGS) == spec.settings
        and health.is_healthy(docker, live)
    )


def release(docker: Docker, spec: ReleaseSpec, state_dir: str, keep: int) -> Outcome:
    """Make the desired release live, once it has proven itself beside the live one.

    Args:
        docker: the engine of the host.
        spec: the release and its limits.
        state_dir: folder with the host's state.
        keep: how many earlier releases keep their images, so that one can go back to them.

    Raises:
        ClassvmError: it did not become live; what was live before still is.

    """
    host.require_space(state_dir, SPACE_MEGABYTES)
    with locks.held(state_dir):
        edge, live, spec = _recovered(docker, spec, state_dir)
        outcome = _go_live(docker, spec, edge, live, history.LIVE)
        if not outcome.changed:
            return outcome
        entries = history.read(state_dir, spec.service)
        removed = prune(docker, entries, spec.service, spec.image, keep)
        return dataclasses.replace(outcome, removed=removed)


def go_back(docker: Docker, spec: ReleaseSpec, state_dir: str) -> Outcome:
    """Make a release live again that was live before.

    Args:
        docker: the engine of the host.
        spec: how it shall run; its image is looked up, its release may be "previous".
        state_dir: folder with the host's state.

    Raises:
        ClassvmError: there is no such release, or it did not become live; what was live
            before still is.

    """
    host.require_space(state_dir, SPACE_MEGABYTES)
    with locks.held(state_dir):
        edge, live, spec = _recovered(docker, spec, state_dir)
        former = resolved(docker, spec, state_dir, live)
        return _go_live(docker, former, edge, live, history.ROLLED_BACK)


def preview(docker: Docker, spec: ReleaseSpec, state_dir: str) -> Outcome:
    """Return what `release`, or without an image `go_back`, would do, and do nothing.

    Raises:
        ClassvmError: there is no release to go back to.

    """
    spec = dataclasses.replace(spec, strategy=Edge.load(state_dir).strategy)
    live = docker.container(spec.live)
    if not spec.image:
        spec = resolved(docker, spec, state_dir, live)
    changed = not is_live(docker, spec, live, docker.image(spec.image))
    return Outcome(changed, spec.release, "" if changed else _id(live), _release(live))


def compare(docker: Docker, spec: ReleaseSpec, state_dir: str, content: str) -> Dict[str, str]:
    """Return what is live and what would be, in lines, as Ansible shows differences.

    Args:
        docker: the engine of the host.
        spec: the release, or without an image the one to go back to.
        state_dir: folder with the host's state.
        content: what the release is made of, as JSON, or "".

    Raises:
        ClassvmError: there is no release to go back to.

    """
    spec = dataclasses.replace(spec, strategy=Edge.load(state_dir).strategy)
    live = docker.container(spec.live)
    if spec.release and not spec.image:
        spec = resolved(docker, spec, state_dir, live)
    return {
        "before": difference.before(docker, live),
        "after": difference.after(docker, spec, content),
    }


def resolved(
    docker: Docker, spec: ReleaseSpec, state_dir: str, live: Optional[Container]
) -> ReleaseSpec:
    """Return the spec with the release of the host's history that it asks for.

    Raises:
        ClassvmError: there is no such release.

    """
    entries = history.read(state_dir, spec.service)
    former = rollback.resolve(docker, entries, spec.release, _release(live))
    return dataclasses.replace(
        spec,
        release=former.release,
        image=former.image,
        revision=former.revision,
    )


def _recovered(
    docker: Docker, spec: ReleaseSpec, state_dir: str
) -> Tuple[Edge, Optional[Container], ReleaseSpec]:
    """Bring in order what was cut off; return the edge, what is live, and the spec with its strategy."""
    edge = Edge.load(state_dir)
    live = recover.recover(docker, spec.service, state_dir, edge)
    return edge, live, dataclasses.replace(spec, strategy=edge.strategy)


def _id(live: Optional[Container]) -> str:
    return live.id if live else ""


def _release(live: Optional[Container]) -> str:
    return live.labels.get(LABEL_RELEASE, "") if live else ""


def _go_live(
    docker: Docker, spec: ReleaseSpec, edge: Edge, live: Optional[Container], result: str
) -> Outcome:
    """Make the release live unless it is, and record what became of it.

    Args:
        docker: the engine of the host.
        spec: the release and its limits.
        edge: what stands before the releases of this host.
        live: the container that is live, running or not, or None.
        result: what the history says of it when it is live.

    """
    image = docker.image(spec.image)
    replaced, state_dir = _release(live), edge.state_dir
    idle = bool(edge.slots) and not edge.takes_releases
    if is_live(docker, spec, live, image):
        _record_unknown(spec, image, state_dir)
        return Outcome(
            changed=False,
            release=spec.release,
            container=_id(live),
            replaced=replaced,
            edge_is_idle=idle,
        )
    entry = _attempt(spec, image, replaced, result)
    watch = gap.Watch(spec.host_port)
    strategy = (BlueGreen if edge.takes_releases else Recreate)(docker, spec, edge, live)
    try:
        _require_image(spec, entry)
        _require_port(docker, spec, edge, live)
        # One to which somebody goes back has proven itself when it was released.
        strategy.prepare(proven=result == history.ROLLED_BACK)
        history.intend(state_dir, entry)
        with watch:
            strategy.swap()
    except BaseException as reason:
        recover.drop_candidate(docker, spec.service)
        _record_refusal(state_dir, _measured(entry, watch), reason)
        raise
    entry = _measured(entry, watch)
    try:
        # Clients wait for nothing of that, so nobody asks meanwhile whether they do.
        strategy.retire()
    except ClassvmError as reason:
        raise ClassvmError(
            f"Release {spec.release} is live, but the former one is still there: {reason}\n"
            "The next `make deploy` removes it.",
        ) from reason
    finally:
        # Live it is, even where the former one does not go.
        history.finish(state_dir, entry)
    return Outcome(
        changed=True,
        release=spec.release,
        container=_id(docker.container(spec.live)),
        replaced=replaced,
        gap=entry.gap,
        seconds=entry.seconds,
        edge_is_idle=idle,
    )


def _attempt(
    spec: ReleaseSpec, image: Optional[Image], replaced: str, result: str
) -> history.Entry:
    """Return what the history will say of an attempt, as far as it is known beforehand."""
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
    """Record what is live where the history does not say so: it was lost, or is younger."""
    good = [one.release for one in history.read(state_dir, spec.service) if one.went_live]
    if good[-1:] != [spec.release]:
        replaced = good[-1] if good else ""
        history.finish(state_dir, _attempt(spec, image, replaced, history.LIVE))


def _measured(entry: history.Entry, watch: gap.Watch) -> history.Entry:
    missing = None if watch.gap is None else round(watch.gap, 3)
    return dataclasses.replace(entry, gap=missing, seconds=round(watch.seconds, 3))


def _record_refusal(state_dir: str, entry: history.Entry, reason: BaseException) -> None:
    """Record an attempt that failed, or was interrupted."""
    text = str(reason) if isinstance(reason, ClassvmError) else f"interrupted: {reason!r}"
    try:
        history.finish(state_dir, entry.refused(text))
    except ClassvmError as unwritten:
        raise ClassvmError(f"{text}\n{unwritten}") from reason


def _require_image(spec: ReleaseSpec, entry: history.Entry) -> None:
    if not entry.image_id:
        raise ClassvmError(
            f"The image {spec.image} is not on this host; `make deploy` builds it."
            " What runs now was not touched.",
        )


def _require_port(docker: Docker, spec: ReleaseSpec, edge: Edge, live: Optional[Container]) -> None:
    """Make sure that the port is free, or held by the one who will make room or stays."""
    if edge.takes_releases and spec.host_port != edge.port:
        raise ClassvmError(
            f"HAProxy shows the service of this host on port {edge.port}, not {spec.host_port}:"
            " an admin can change it with `make provision PORT=…`.",
        )
    held = [port for places in (live.ports if live else {}).values() for _, port in places]
    if spec.host_port not in held and not edge.holds_port():
        host.require_free_port(docker, spec.host_port)
