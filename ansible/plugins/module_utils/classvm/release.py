"""Move a host to "release R serves port P" without ever leaving it worse than before.

One release is live. A new one starts as the candidate, on a loopback port of its own, with
its real limits. Only when it is healthy and keeps its contract does the live one make room.
Three container names tell what a run that was cut off left behind:

    classvm-S             the live release
    classvm-S-candidate   being tried; safe to remove at any time
    classvm-S-previous    was live until a swap began; brought back if that swap did not end
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
from dataclasses import dataclass, field
from typing import List, Mapping, Optional, Sequence, Tuple

from . import contract, gap, health, history, host, lock, recover, rollback, state
from .docker import Container, Docker
from .errors import ClassvmError
from .image import LABEL_RELEASE, LABEL_SERVICE
from .prune import prune
from .service import STOP_SECONDS, candidate_name, check_name, container_name, previous_name

LABEL_SETTINGS = recover.LABEL_SETTINGS
# Ten operations take a second; a service that never ends its answers would take for ever.
CONTRACT_SECONDS = 120
SPACE_MEGABYTES = 10


@dataclass(frozen=True)
class Wish:
    """The release that shall serve, and how.

    Attributes:
        service: name of the service.
        release: id of the release.
        image: name of its image.
        host_port: TCP port of the host.
        container_port: TCP port inside the container.
        memory: limit in Docker's notation, for example "512m"; swap is not added to it.
        pids: highest number of processes and threads.
        tmpfs_size: size of /tmp, the only writable folder, for example "64m".
        environment: further variables of the container.
        health_timeout: seconds within which a release has to become healthy.
        contract: text of the OpenAPI file that the candidate has to keep, or "".
        revision: git revision of the service's folder, for the history, or "".

    """

    service: str
    release: str
    image: str
    host_port: int
    container_port: int
    memory: str
    pids: int
    tmpfs_size: str
    health_timeout: float
    environment: Mapping[str, str] = field(default_factory=dict)
    contract: str = ""
    revision: str = ""

    @property
    def live(self) -> str:
        """Name of the container that serves."""
        return container_name(self.service)

    @property
    def candidate(self) -> str:
        """Name of the container that is being tried."""
        return candidate_name(self.service)

    @property
    def previous(self) -> str:
        """Name of the container that served until the swap began."""
        return previous_name(self.service)

    @property
    def settings(self) -> str:
        """Digest of everything but the image that decides how the container runs."""
        publish = f"{self.host_port}:{self.container_port}"
        words = run_words(self, name=self.live, publish=publish, labels={})
        return hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]


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

    """

    changed: bool
    release: str
    container: str
    replaced: str
    gap: Optional[float] = None
    seconds: float = 0.0
    removed: Sequence[str] = ()


def run_words(
    wish: Wish,
    *,
    name: str,
    publish: str,
    labels: Mapping[str, str],
) -> List[str]:
    """Return the arguments of `docker run` that start a release.

    Args:
        wish: the release and its limits.
        name: the container's name.
        publish: host side and container side of the port mapping, as after `--publish`.
        labels: the container's labels.

    """
    words = ["run", "--detach", "--name", name]
    if publish:
        words += ["--publish", publish]
    words += ["--restart", "unless-stopped", "--read-only", "--cap-drop", "ALL"]
    words += ["--security-opt", "no-new-privileges", "--pids-limit", str(wish.pids)]
    words += ["--memory", wish.memory, "--memory-swap", wish.memory]
    words += ["--tmpfs", f"/tmp:rw,noexec,nosuid,nodev,size={wish.tmpfs_size}"]  # noqa: S108
    words += ["--env", f"HOST_PORT={wish.host_port}"]
    for key, value in sorted(wish.environment.items()):
        words += ["--env", f"{key}={value}"]
    for key, value in sorted(labels.items()):
        words += ["--label", f"{key}={value}"]
    return [*words, wish.image]


def health_words(docker: Docker, wish: Wish) -> Sequence[str]:
    """Return the command of the image's HEALTHCHECK; [] for an image that has none."""
    return health.words(docker, wish.image)


def is_live(docker: Docker, wish: Wish) -> bool:
    """Tell whether the wished release already serves, with the wished settings."""
    live = docker.container(wish.live)
    image = docker.image(wish.image)
    return (
        live is not None
        and image is not None
        and live.image == image.id
        and live.labels.get(LABEL_SETTINGS) == wish.settings
        and health.is_healthy(docker, live)
    )


def release(docker: Docker, wish: Wish, state_dir: str, keep: int) -> Outcome:
    """Make the wished release live, once it has proven itself beside the live one.

    Args:
        docker: the engine of the host.
        wish: the release and its limits.
        state_dir: folder with the host's state.
        keep: how many earlier releases keep their images, so that one can go back to them.

    Raises:
        ClassvmError: it did not become live; what was live before still is.

    """
    host.require_space(state_dir, SPACE_MEGABYTES)
    with lock.held(state_dir):
        recover.recover(docker, wish.service, state_dir)
        outcome = _go_live(docker, wish, state_dir, history.LIVE)
        if not outcome.changed:
            return outcome
        entries = history.read(state_dir, wish.service)
        removed = prune(docker, entries, wish.service, wish.image, keep)
        return dataclasses.replace(outcome, removed=removed)


def go_back(docker: Docker, wish: Wish, state_dir: str) -> Outcome:
    """Make a release live again that was live before.

    Args:
        docker: the engine of the host.
        wish: how it shall run; its image is looked up, its release may be "previous".
        state_dir: folder with the host's state.

    Raises:
        ClassvmError: there is no such release, or it did not become live; what was live
            before still is.

    """
    host.require_space(state_dir, SPACE_MEGABYTES)
    with lock.held(state_dir):
        recover.recover(docker, wish.service, state_dir)
        former = resolved(docker, wish, state_dir)
        return _go_live(docker, former, state_dir, history.ROLLED_BACK)


def preview(docker: Docker, wish: Wish, state_dir: str) -> Outcome:
    """Return what `release`, or without an image `go_back`, would do, and do nothing.

    Raises:
        ClassvmError: there is no release to go back to.

    """
    if not wish.image:
        wish = resolved(docker, wish, state_dir)
    container, replaced = _live_now(docker, wish)
    changed = not is_live(docker, wish)
    return Outcome(changed, wish.release, "" if changed else container, replaced)


def resolved(docker: Docker, wish: Wish, state_dir: str) -> Wish:
    """Return the wish with the release of the host's history that it asks for.

    Raises:
        ClassvmError: there is no such release.

    """
    _, live = _live_now(docker, wish)
    entries = history.read(state_dir, wish.service)
    former = rollback.resolve(docker, entries, wish.release, live)
    return dataclasses.replace(
        wish,
        release=former.release,
        image=former.image,
        revision=former.revision,
    )


def _live_now(docker: Docker, wish: Wish) -> Tuple[str, str]:
    """Return the id of the live container and that of its release; "" for what is not there."""
    live = docker.container(wish.live)
    return (live.id, live.labels.get(LABEL_RELEASE, "")) if live else ("", "")


def _go_live(docker: Docker, wish: Wish, state_dir: str, result: str) -> Outcome:
    """Make the release live unless it is, and record what became of it.

    Args:
        docker: the engine of the host.
        wish: the release and its limits.
        state_dir: folder with the host's state.
        result: what the history says of it when it is live.

    """
    container, replaced = _live_now(docker, wish)
    if is_live(docker, wish):
        _record_unknown(docker, wish, state_dir)
        return Outcome(changed=False, release=wish.release, container=container, replaced=replaced)
    entry = _attempt(docker, wish, replaced, result)
    watch = gap.Watch(wish.host_port)
    try:
        _require_image(wish, entry)
        _require_port(docker, wish, docker.container(wish.live))
        if result != history.ROLLED_BACK:  # that one has proven itself when it was released
            try_candidate(docker, wish)
        history.intend(state_dir, entry)
        with watch:
            swap(docker, wish)
    except BaseException as reason:
        _record_refusal(state_dir, _measured(entry, watch), reason)
        raise
    entry = _measured(entry, watch)
    history.finish(state_dir, entry)
    container, _ = _live_now(docker, wish)
    return Outcome(
        changed=True,
        release=wish.release,
        container=container,
        replaced=replaced,
        gap=entry.gap,
        seconds=entry.seconds,
    )


def _attempt(docker: Docker, wish: Wish, replaced: str, result: str) -> history.Entry:
    """Return what the history will say of an attempt, as far as it is known beforehand."""
    image = docker.image(wish.image)
    return history.Entry(
        time=state.now(),
        service=wish.service,
        release=wish.release,
        image=wish.image,
        image_id=image.id if image else "",
        settings=wish.settings,
        revision=wish.revision,
        who=state.account(),
        replaced=replaced,
        result=result,
    )


def _record_unknown(docker: Docker, wish: Wish, state_dir: str) -> None:
    """Record what is live where the history does not say so: it was lost, or is younger."""
    good = [one.release for one in history.read(state_dir, wish.service) if one.went_live]
    if good[-1:] != [wish.release]:
        replaced = good[-1] if good else ""
        history.finish(state_dir, _attempt(docker, wish, replaced, history.LIVE))


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


def try_candidate(docker: Docker, wish: Wish) -> None:
    """Start the release beside the live one and refuse it unless it proves itself."""
    try:
        # Docker picks a free port; loopback keeps the candidate invisible from outside.
        _start(docker, wish, wish.candidate, f"127.0.0.1::{wish.container_port}")
        check_contract(docker, wish)
    finally:
        recover.drop_candidate(docker, wish.service)


def swap(docker: Docker, wish: Wish) -> None:
    """Stop the live container and start the wished release in its place."""
    had_one = docker.container(wish.live) is not None
    if had_one:
        docker.check("rename", wish.live, wish.previous)
    try:
        if had_one:
            docker.check("stop", "-t", str(STOP_SECONDS), wish.previous)
        _start(docker, wish, wish.live, f"{wish.host_port}:{wish.container_port}")
    except BaseException as reason:
        if not had_one:
            docker.run("rm", "--force", wish.live)
            raise
        started = recover.bring_back(docker, wish.service)
        if started.code:
            raise ClassvmError(
                f"{reason}\nThe former release does not start again, either:\n"
                f"{started.last_lines()}\nFree what it lacks, then `make deploy`.",
            ) from reason
        raise
    if had_one:
        docker.check("rm", wish.previous)


def check_contract(docker: Docker, wish: Wish) -> None:
    """Call every operation of the candidate from a throw-away container in its network.

    The service image has all that the check needs, so nothing is installed on the host.
    """
    if not wish.contract:
        return
    try:
        checked = docker.run_within(
            CONTRACT_SECONDS,
            *("run", "--rm", "--interactive", "--name", check_name(wish.service)),
            *("--label", f"{LABEL_SERVICE}={wish.service}", "--read-only", "--cap-drop", "ALL"),
            *("--network", f"container:{wish.candidate}", "--entrypoint", "python3", wish.image),
            *("-c", inspect.getsource(contract), "--spec", "/dev/stdin"),
            *("--url", f"http://127.0.0.1:{wish.container_port}"),
            stdin=wish.contract.encode(),
        )
        broken = checked.last_lines() if checked.code else ""
    except ClassvmError:
        broken = f"Its answers took longer than {CONTRACT_SECONDS} s altogether."
    if broken:
        raise ClassvmError(
            f"Release {wish.release} breaks its contract; the running release was not touched."
            f"\n{broken}\n{health.last_words(docker, wish.candidate)}",
        )


def _require_image(wish: Wish, entry: history.Entry) -> None:
    if not entry.image_id:
        raise ClassvmError(
            f"The image {wish.image} is not on this host; `make deploy` builds it."
            " What runs now was not touched.",
        )


def _require_port(docker: Docker, wish: Wish, live: Optional[Container]) -> None:
    """Make sure that the port is free, or held by the release that will make room."""
    held = [port for places in (live.ports if live else {}).values() for _, port in places]
    if wish.host_port not in held:
        host.require_free_port(docker, wish.host_port)


def _start(docker: Docker, wish: Wish, name: str, publish: str) -> None:
    """Start a container of the release and wait until it is healthy."""
    labels = {
        LABEL_SERVICE: wish.service,
        LABEL_RELEASE: wish.release,
        LABEL_SETTINGS: wish.settings,
    }
    try:
        docker.check(*run_words(wish, name=name, publish=publish, labels=labels))
        health.wait(docker, name, wish.image, wish.health_timeout)
    except ClassvmError as reason:
        raise ClassvmError(
            f"Release {wish.release} was refused: {reason}\n{health.last_words(docker, name)}",
        ) from reason
