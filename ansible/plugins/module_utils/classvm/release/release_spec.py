"""How a release shall run on a host, and the `docker create` arguments that make it run so."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Tuple

from ..base.edge import RECREATE
from ..base.errors import ClassvmError
from ..base.names import candidate_name, container_name, image_name, previous_name
from . import keep, limits

# A digest of how a container runs, and the same setting by setting, as JSON.
LABEL_SETTINGS = "classvm.settings"
LABEL_HOW = "classvm.how"
# Restart policies: of the live release, and of a candidate, whose end has to be seen.
ALWAYS, NEVER = "unless-stopped", "no"
# A former release that a swap has stopped comes back with the machine: the next one may not have
# been started yet, and what never was is not started by the engine.
EVEN_STOPPED = "always"
# While a release changes, the engine works, and clients shall not notice: the live one has several times the
# engine's CPU shares (1,024, or a weight of 100 beside its 313), and a candidate an eighth of that.
CANDIDATE_CPU_SHARES, LIVE_CPU_SHARES = "1024", "8192"
# A connection is an open file, and engines differ in how many they allow: 1,024, or a million.
OPEN_FILES = 16384
SETTINGS_LENGTH = 12
# The client reads the container's environment from its standard input. In its arguments, any
# account of the host could read the secrets.
ENV_FILE = "/dev/stdin"
# This variable tells the service that HAProxy hands the requests on, and names the clients.
BEHIND_EDGE = "CLASSVM_BEHIND_EDGE"


@dataclass(frozen=True)
class Seconds:
    """How long things may take.

    Attributes:
        health: until a release has to be healthy.
        steady: a candidate has to stay up so long after it became healthy.
        contract: for all calls of the contract check together.
        stop: from the signal to end until the container is killed.
        request: the longest that a request may take; a swap behind the edge waits so long.

    """

    health: float
    steady: float
    contract: float
    stop: float
    request: float


@dataclass(frozen=True)
class ReleaseSpec:
    """The desired release, and how it shall run.

    Attributes:
        service: name of the service.
        release: id of the release; to roll back also "previous", until it is resolved.
        host_port: TCP port of the host.
        container_port: TCP port inside the container.
        limits: value of each limit by its name in ``limits.LIMITS``.
        seconds: how long things may take.
        environment: further variables of the container.
        contract: the contract document that the candidate has to keep, as JSON, or "".
        checker_image: name of the image in which the contract is checked.
        checker_program: Python source that checks it there: `contract.archive.program`.
        revision: git revision of the app's folder, for the history, or "".
        keep: absolute paths of the container's folders that survive releases, as its image says.
        app: name of the app, as its image says, or "".
        strategy: how it goes live, as the edge of the host says.
        gapless: whether it shall go live without a gap where the strategy has one.
        background: whether the caller has the answer as soon as it serves, where the former release
            stays up meanwhile.
        key: the host's random key for digests of settings, some of which are secret; or "".

    """

    service: str
    release: str
    host_port: int
    container_port: int
    limits: Mapping[str, str]
    seconds: Seconds
    environment: Mapping[str, str] = field(default_factory=dict)
    contract: str = ""
    checker_image: str = ""
    checker_program: str = ""
    revision: str = ""
    keep: Tuple[str, ...] = ()
    app: str = ""
    strategy: str = RECREATE
    gapless: bool = False
    background: bool = False
    key: str = ""

    @property
    def image(self) -> str:
        """Name of the release's image; "" in a dry run that cannot know the release yet."""
        return image_name(self.service, self.release) if self.release else ""

    @property
    def live(self) -> str:
        """Name of the live container."""
        return container_name(self.service)

    @property
    def candidate(self) -> str:
        """Name of the candidate's container."""
        return candidate_name(self.service)

    @property
    def previous(self) -> str:
        """Name of the container that was live until the swap began."""
        return previous_name(self.service)

    @property
    def without_keep(self) -> ReleaseSpec:
        """The same without the folders that survive releases: a candidate must not alter them."""
        return dataclasses.replace(self, keep=())

    @property
    def settings(self) -> str:
        """Keyed digest of everything but the image that decides how the container runs."""
        publish = f"{self.host_port}:{self.container_port}"
        if self.strategy != RECREATE:  # whichever slot it has
            publish = f"{self.strategy}:{publish}"
        *argv, _ = run_argv(self, name=self.live, publish=publish, labels={})
        text = "\0".join([*argv, env_file(self)])
        return self.digest(text)[:SETTINGS_LENGTH]

    def digest(self, text: str) -> str:
        """Return a keyed digest of a text, hex: without the host's key, the text cannot be guessed from it."""
        return hmac.new(self.key.encode(), text.encode(), hashlib.sha256).hexdigest()


def env_file(spec: ReleaseSpec) -> str:
    """Return the variables of the container as the file that ``ENV_FILE`` names.

    Raises:
        ClassvmError: a value has more than one line, for which Docker's format has no way.

    """
    variables: Dict[str, str] = {"HOST_PORT": str(spec.host_port)}
    if spec.strategy != RECREATE:  # the service may believe the edge's X-Forwarded-For
        variables[BEHIND_EDGE] = "1"
    variables.update({name: str(value) for name, value in spec.environment.items()})
    broken = [name for name, value in variables.items() if re.search("[\r\n]", value)]
    if broken:
        raise ClassvmError(
            f"The variable {broken[0]} has more than one line. Encode its value, for example with"
            " base64, in service_environment, and decode it in the service.",
        )
    return "".join(f"{name}={value}\n" for name, value in sorted(variables.items()))


def run_argv(
    spec: ReleaseSpec,
    *,
    name: str,
    publish: str,
    labels: Mapping[str, str],
    restart: str = ALWAYS,
) -> List[str]:
    """Return the arguments of `docker create` for a release's container, without the verb.

    Args:
        spec: the release and how it shall run.
        name: the container's name.
        publish: host side and container side of the port mapping, as after `--publish`.
        labels: the container's labels.
        restart: its restart policy.

    """
    argv = ["--name", name]
    if publish:
        argv += ["--publish", publish]
    argv += ["--restart", restart, "--read-only", "--cap-drop", "ALL"]
    argv += ["--security-opt", "no-new-privileges", *limits.argv(spec.limits)]
    argv += ["--ulimit", f"nofile={OPEN_FILES}"]
    argv += keep.argv(spec.service, spec.keep)
    argv += ["--stop-timeout", f"{spec.seconds.stop:.0f}", "--env-file", ENV_FILE]
    for key, value in sorted(labels.items()):
        argv += ["--label", f"{key}={value}"]
    return [*argv, spec.image]
