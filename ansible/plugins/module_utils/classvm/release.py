"""Move a host to "release R serves port P" without ever leaving it worse than before.

One release is live. A new one starts as the candidate, on a loopback port of its own, with
its real limits. Only when it is healthy and keeps its contract does the live one make room.
Three container names tell what a run that was cut off left behind:

    classvm-S             the live release
    classvm-S-candidate   being tried; safe to remove at any time
    classvm-S-previous    was live until a swap began; brought back if that swap did not end
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import hashlib
import inspect
import json
import os
import time
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, TextIO

from . import contract, host
from .command import Finished
from .docker import Container, Docker
from .errors import ClassvmError
from .image import LABEL_RELEASE, LABEL_SERVICE
from .service import STOP_SECONDS, container_name

LABEL_SETTINGS = "classvm.settings"
LOG_LINES = 20
POLL_SECONDS = 0.1
LOCK_SECONDS = 120
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

    @property
    def live(self) -> str:
        """Name of the container that serves."""
        return container_name(self.service)

    @property
    def candidate(self) -> str:
        """Name of the container that is being tried."""
        return f"{self.live}-candidate"

    @property
    def previous(self) -> str:
        """Name of the container that served until the swap began."""
        return f"{self.live}-previous"

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
        container: id of the live container; "" in check mode when it does not exist yet.
        replaced: the release that was live before, or "".
        seconds: how long the swap took, from stopping the old to the new one's health.

    """

    changed: bool
    container: str
    replaced: str
    seconds: float


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


def is_live(docker: Docker, wish: Wish) -> bool:
    """Tell whether the wished release already serves, with the wished settings."""
    live = docker.container(wish.live)
    image = docker.image(wish.image)
    return (
        live is not None
        and image is not None
        and live.running
        and live.image == image.id
        and live.labels.get(LABEL_SETTINGS) == wish.settings
        and _probe(docker, wish, wish.live)
    )


def release(docker: Docker, wish: Wish, state_dir: str) -> Outcome:
    """Make the wished release live.

    Raises:
        ClassvmError: it did not become live; what was live before still is.

    """
    host.require_space(state_dir, SPACE_MEGABYTES)
    with locked(state_dir):
        recover(docker, wish)
        live = docker.container(wish.live)
        if live is not None and is_live(docker, wish):
            return Outcome(
                changed=False,
                container=live.id,
                replaced=live.labels.get(LABEL_RELEASE, ""),
                seconds=0.0,
            )
        _require_port(docker, wish, live)
        try_candidate(docker, wish)
        started = time.monotonic()
        swap(docker, wish)
        seconds = time.monotonic() - started
        replaced = live.labels.get(LABEL_RELEASE, "") if live else ""
        record(state_dir, wish, replaced, seconds)
        now_live = docker.container(wish.live)
        return Outcome(
            changed=True,
            container=now_live.id if now_live else "",
            replaced=replaced,
            seconds=seconds,
        )


def recover(docker: Docker, wish: Wish) -> None:
    """Finish or undo what a run that was cut off left behind."""
    docker.run("rm", "--force", wish.candidate)
    if docker.container(wish.previous) is None:
        return
    live = docker.container(wish.live)
    if live is not None and live.running and _probe(docker, wish, wish.live):
        docker.check("rm", "--force", wish.previous)
    else:
        bring_back(docker, wish)


def bring_back(docker: Docker, wish: Wish) -> Finished:
    """Put the container that served before the swap back into its place.

    It keeps its telling name until it runs: cut off here, the next run brings it back again.

    Returns:
        What `docker start` said; its code is not 0 when somebody took the port meanwhile.

    """
    if docker.container(wish.live) is not None:
        docker.check("rm", "--force", wish.live)
    started = docker.run("start", wish.previous)
    docker.check("rename", wish.previous, wish.live)
    return started


def try_candidate(docker: Docker, wish: Wish) -> None:
    """Start the release beside the live one and refuse it unless it proves itself."""
    try:
        # Docker picks a free port; loopback keeps the candidate invisible from outside.
        _start(docker, wish, wish.candidate, f"127.0.0.1::{wish.container_port}")
        check_contract(docker, wish)
    finally:
        docker.run("rm", "--force", wish.candidate)


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
        started = bring_back(docker, wish)
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
    checked = docker.run(
        *("run", "--rm", "--interactive", "--read-only", "--cap-drop", "ALL"),
        *("--network", f"container:{wish.candidate}", "--entrypoint", "python3", wish.image),
        *("-c", inspect.getsource(contract), "--spec", "/dev/stdin"),
        *("--url", f"http://127.0.0.1:{wish.container_port}"),
        stdin=wish.contract.encode(),
    )
    if checked.code:
        raise ClassvmError(
            f"Release {wish.release} breaks its contract; the running release was not touched."
            f"\n{checked.last_lines()}\nIts last log lines:\n"
            + docker.logs(wish.candidate, LOG_LINES),
        )


def record(state_dir: str, wish: Wish, replaced: str, seconds: float) -> None:
    """Append one line to the host's history of releases."""
    line = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "service": wish.service,
        "release": wish.release,
        "image": wish.image,
        "replaced": replaced,
        "who": getpass.getuser(),
        "seconds": round(seconds, 3),
    }
    with _open_shared(os.path.join(state_dir, "releases.jsonl")) as history:
        history.write(json.dumps(line) + "\n")


@contextlib.contextmanager
def locked(state_dir: str) -> Iterator[None]:
    """Let one deploy at a time work on this host; the kernel frees the lock of a dead process.

    Raises:
        ClassvmError: another deploy did not end in time; the text names its process.

    """
    path = os.path.join(state_dir, "lock")
    with _open_shared(path) as lock:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _try_lock(lock.fileno()):
            if time.monotonic() > deadline:
                with open(path, encoding="utf-8") as holder:
                    raise ClassvmError(
                        f"Another deploy holds this host: {holder.read().strip()}."
                        " Run again when it has ended.",
                    )
            time.sleep(POLL_SECONDS)
        lock.truncate(0)
        lock.write(f"process {os.getpid()} of {getpass.getuser()}\n")
        lock.flush()
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open_shared(path: str) -> TextIO:
    """Open a file of the state folder for appending; the docker group may write it, too."""

    def opener(name: str, flags: int) -> int:
        umask = os.umask(0o002)
        try:
            return os.open(name, flags, 0o664)
        finally:
            os.umask(umask)

    try:
        return open(path, "a", encoding="utf-8", opener=opener)
    except (PermissionError, FileNotFoundError) as error:
        raise ClassvmError(
            f"{path} cannot be written ({error.strerror}). The state folder is made by"
            " `make provision` and belongs to the docker group: run it as an admin.",
        ) from error


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
        wait(lambda: _probe(docker, wish, name), lambda: _ended(docker, name), wish.health_timeout)
    except ClassvmError as reason:
        logs = docker.logs(name, LOG_LINES) if docker.container(name) else "(it never ran)"
        raise ClassvmError(
            f"Release {wish.release} was refused: {reason}\nIts last log lines:\n{logs}",
        ) from reason


def wait(healthy: Callable[[], bool], ended: Callable[[], str], timeout: float) -> None:
    """Wait until a container is healthy.

    Raises:
        ClassvmError: it ended, or was not healthy within ``timeout`` seconds.

    """
    deadline = time.monotonic() + timeout
    while not healthy():
        reason = ended()
        if reason:
            raise ClassvmError(reason)
        if time.monotonic() > deadline:
            raise ClassvmError(f"it was not healthy within {timeout:.0f} s")
        time.sleep(POLL_SECONDS)


def _ended(docker: Docker, name: str) -> str:
    """Return why a container no longer runs, or "" while it does.

    The restart policy starts a crashed one again, so a restart counts as an end.
    """
    state = docker.run("inspect", "--format", "{{.RestartCount}} {{.State.Running}}", name).out
    if state.split() == ["0", "true"]:
        return ""
    container = docker.container(name)
    return f"it ended with exit code {container.exit_code}" if container else "it is gone"


def _probe(docker: Docker, wish: Wish, name: str) -> bool:
    """Run the image's own health check inside the container, once, now."""
    words = health_words(docker, wish)
    if not words:
        return docker.run("exec", name, "true").code == 0
    return docker.run("exec", name, *words).code == 0


def health_words(docker: Docker, wish: Wish) -> Sequence[str]:
    """Return the command of the image's HEALTHCHECK.

    Source: https://docs.docker.com/reference/dockerfile/#healthcheck
    """
    image = docker.image(wish.image)
    test: Sequence[str] = image.healthcheck if image else []
    kinds: Dict[str, Callable[[], Sequence[str]]] = {
        "CMD": lambda: test[1:],
        "CMD-SHELL": lambda: ["/bin/sh", "-c", test[1]],
    }
    return kinds[test[0]]() if test and test[0] in kinds else []
