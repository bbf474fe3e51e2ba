"""The Docker command line as typed Python: the only client that every host has.

The command line is used rather than an SDK: nothing has to be installed on the host,
and what classvm does can be typed by hand to try it. How things stand is asked on the engine's socket
where this account may open it; the command line prints the same documents.
Source: https://docs.docker.com/reference/cli/docker/
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence
from urllib.parse import quote

from . import account, command, engine_socket, held_locks
from .errors import ClassvmError

# Where an engine keeps images unless it is told otherwise, and where containerd does.
DATA_ROOT = "/var/lib/docker"
CONTAINERD_ROOT = "/var/lib/containerd"
NOT_IN_GROUP = "this account is not in the docker group"
NOT_INSTALLED = "Docker is not installed"
NO_ANSWER = "no Docker engine answers"
SOCKET = "/var/run/docker.sock"
# A program in a container is its image's, also the one of a health check: it may print without end. So much is kept.
EXEC_BYTES = 1 << 20
# The name of an image that has none, as older engines list it.
UNTAGGED = "<none>:<none>"
# Keys of the client's own configuration that choose an engine or ask a program for passwords.
IGNORED_KEYS = ("currentContext", "credsStore", "credHelpers")


def client_environment() -> Dict[str, str]:
    """Return the variables with which the client speaks to this machine's engine, and to no other.

    Whatever engine, context or credential helper a user has chosen does not count. A folder of
    the kit's own takes the place of `~/.docker`; it need not exist.
    """
    home = pwd.getpwuid(os.geteuid()).pw_dir
    return {
        **{name: "" for name in os.environ if name.startswith("DOCKER_")},
        "DOCKER_HOST": f"unix://{SOCKET}",
        "DOCKER_CONFIG": os.path.join(home, ".cache", "classvm", "docker"),
    }


def ignored_settings(variables: Mapping[str, str] = os.environ) -> List[str]:
    """Return the user's settings of the Docker client that `client_environment` overrules."""
    found = [name for name in ("DOCKER_HOST", "DOCKER_CONTEXT") if variables.get(name)]
    folder = variables.get("DOCKER_CONFIG") or os.path.join(os.path.expanduser("~"), ".docker")
    path = os.path.join(folder, "config.json")
    try:
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
    except (OSError, ValueError):
        return found
    keys = [key for key in IGNORED_KEYS if isinstance(config, dict) and config.get(key)]
    return found + [f"{key} in {path}" for key in keys]


@dataclass(frozen=True)
class Image:
    """A local image, as `docker image inspect` describes it.

    Attributes:
        layers: digest of each layer, the same on every host that has the same bits. The id
            is not: one kind of image store takes it from the configuration, the other
            from the manifest.

    """

    id: str
    labels: Mapping[str, str]
    size: int
    layers: Sequence[str] = ()

    @property
    def content(self) -> str:
        """Digest (sha256, hex) of all layers."""
        return hashlib.sha256("\n".join(self.layers).encode()).hexdigest()


@dataclass(frozen=True)
class Container:
    """A container, running or not, as `docker container inspect` describes it.

    Attributes:
        healthcheck: command of the image's health check; () when it has none.
        ports: host address of each published container port, such as
            ``{"8080/tcp": [("0.0.0.0", 11000)]}``.
        health: what its health check last said: "healthy", "unhealthy", "starting" or "".
        started: when it was started, UTC, ISO 8601.
        networks: names of the networks to which it is attached.
        restarts: how often its restart policy has started it again since it was last started by hand.
        host_config: its limits, mounts, restart policy and log driver, as the engine reports them.
        workdir: the folder in which its program was started, or "".
        address: its IPv4 address on its network, or "".
        pid: the number of its first process, as the host counts; 0 while it does not run.

    """

    id: str
    name: str
    image: str
    running: bool
    exit_code: int
    labels: Mapping[str, str]
    healthcheck: Sequence[str] = ()
    ports: Mapping[str, List[Any]] = field(default_factory=dict)
    out_of_memory: bool = False
    health: str = ""
    started: str = ""
    networks: Sequence[str] = ()
    restarts: int = 0
    host_config: Mapping[str, Any] = field(default_factory=dict)
    workdir: str = ""
    address: str = ""
    pid: int = 0

    @property
    def restart_policy(self) -> str:
        """Name of its restart policy, "" where the engine tells none."""
        return str(self.host_config.get("RestartPolicy", {}).get("Name", ""))


class Docker:
    """The engine of this machine, asked through the command-line client."""

    def __init__(self, program: str = "docker", as_root: Sequence[str] = ()) -> None:
        """Choose the client.

        Args:
            program: the client's program, by default the first one on PATH.
            as_root: words before each command that make it root's, such as `sudo -n`.

        """
        self.program = program
        self.as_root = as_root

    def run(self, *words: str, stdin: Optional[bytes] = None) -> command.Finished:
        """Run `docker WORDS` and return what it printed, whatever its exit code."""
        return self._call(words, stdin, timeout=None)

    def run_within(
        self,
        seconds: float,
        *words: str,
        stdin: Optional[bytes] = None,
        heard: Optional[Callable[[str], None]] = None,
        watched: Optional[Callable[[int], None]] = None,
    ) -> command.Finished:
        """Run `docker WORDS` as `run` does, but not for longer; ``heard`` and ``watched`` as in `command.run`.

        Raises:
            ClassvmError: it did not end within ``seconds``; what it began in a container may go on.

        """
        return self._call(words, stdin, timeout=seconds, heard=heard, watched=watched)

    def exec_code(self, seconds: float, name: str, *argv: str) -> int:
        """Run a program in a container and return its exit code; what it prints does not count.

        Raises:
            ClassvmError: it did not end within ``seconds``; it may go on.

        """
        try:
            code = self._exec_code(seconds, name, argv)
        except socket.timeout as error:
            raise command.time_limit(argv[0], seconds) from error
        except OSError:  # then the client tells what is wrong
            code = None
        return self.run_within(seconds, "exec", name, *argv).code if code is None else code

    def check(self, *words: str, stdin: Optional[bytes] = None) -> str:
        """Run `docker WORDS`, which has to succeed, and return its output."""
        finished = self._call(words, stdin, timeout=None)
        if finished.code:
            raise command.CommandError(finished)
        return finished.out

    def _call(
        self,
        words: Sequence[str],
        stdin: Optional[bytes],
        timeout: Optional[float],
        heard: Optional[Callable[[str], None]] = None,
        watched: Optional[Callable[[int], None]] = None,
    ) -> command.Finished:
        return command.run(
            self._argv(words),
            stdin=stdin,
            env=client_environment(),
            timeout=timeout,
            heard=heard,
            watched=watched,
            # If this process is killed, the client and the engine go on.
            keep=held_locks.descriptors(),
            most=EXEC_BYTES if words[:1] == ("exec",) else None,
        )

    def started(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `docker WORDS`, whose output and errors are pipes, and do not wait for its end."""
        pipe, environment = subprocess.PIPE, {**os.environ, **client_environment()}
        return subprocess.Popen(  # noqa: S603 - argv is a list, no shell reads it
            self._argv(words), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=environment
        )

    def _argv(self, words: Sequence[str]) -> List[str]:
        argv = [self.program, *words]
        if not self.as_root:
            return argv
        # sudo does not hand on the environment
        settings = [f"{name}={value}" for name, value in client_environment().items()]
        return [*self.as_root, "env", *settings, *argv]

    def engine_version(self) -> Optional[str]:
        """Return the version of the engine, or None when no engine answers."""
        if shutil.which(self.program) is None:
            return None
        answer = self._ask("/version")
        if answer:
            return str(answer.content["Version"])
        finished = self._ask_version()
        return finished.out.strip() if finished.code == 0 else None

    def engine_problem(self) -> str:
        """Return why no engine answers this account, or "" when one answers."""
        if shutil.which(self.program) is None:
            return NOT_INSTALLED
        if self._ask("/version"):
            return ""
        finished = self._ask_version()
        if finished.code == 0:
            return ""
        if "permission denied" in finished.err:
            return NOT_IN_GROUP
        return NO_ANSWER

    def _ask_version(self) -> command.Finished:
        return self.run("version", "--format", "{{.Server.Version}}")

    def require_engine(self) -> str:
        """Return the engine's version.

        Raises:
            ClassvmError: no engine answers this account.

        """
        version = self.engine_version()
        if version is not None:
            return version
        problem = self.engine_problem()
        if problem == NOT_INSTALLED:
            raise ClassvmError(
                "Docker is not installed on this host, so no service runs there",
                fix="An admin can install it: `make provision`.",
            )
        if problem == NOT_IN_GROUP:
            raise ClassvmError(
                f"The engine is out of reach: {NOT_IN_GROUP}",
                fix=f"An admin can add it: `sudo usermod -aG {account.ENGINE_GROUP} {account.name()}`; it then has to log in again.",
            )
        raise ClassvmError(
            "No Docker engine answers on this host",
            fix="An admin can start it: `make provision`.",
        )

    def image(self, reference: str) -> Optional[Image]:
        """Return the local image of that name or id, or None."""
        found = next(iter(self._inspect("image", reference)), None)
        if found is None:
            return None
        config = found.get("Config") or {}
        return Image(
            id=found["Id"],
            labels=config.get("Labels") or {},
            size=found["Size"],
            layers=tuple((found.get("RootFS") or {}).get("Layers") or ()),
        )

    def labels_of(self, *names: str) -> Dict[str, Dict[str, str]]:
        """Return the labels of each of those images that is here, by the name that was asked for."""
        found = self._inspect("image", *names) if names else []
        return {
            name: (image.get("Config") or {}).get("Labels") or {}
            for image in found
            for name in image["RepoTags"] or ()
            if name in names
        }

    def labels_of_images(self, label: str) -> Dict[str, Dict[str, str]]:
        """Return all labels of each image that has a certain label, by the image's name."""
        filters = quote(json.dumps({"label": [label]}))
        answer = self._ask(f"/images/json?filters={filters}")
        if answer and answer.status == engine_socket.OK:
            return {
                name: image["Labels"]
                for image in answer.content
                for name in image["RepoTags"] or ()
                if name != UNTAGGED
            }
        names = self.check(
            *("image", "ls", "--filter", f"label={label}"),
            *("--format", "{{.Repository}}:{{.Tag}}"),
        ).split()
        # An image that was removed in the meantime is left out.
        found = self._inspect("image", *names) if names else []
        return {
            name: image["Config"]["Labels"] for image in found for name in image["RepoTags"] or ()
        }

    def container(self, name: str) -> Optional[Container]:
        """Return the container of that name, running or not, or None."""
        return next(iter(self.containers(name).values()), None)

    def containers(self, *names: str) -> Dict[str, Container]:
        """Return the containers of those names that exist, running or not, by name."""
        found = map(_container, self._inspect("container", *names))
        return {container.name: container for container in found}

    def labels_of_containers(self, label: str) -> List[str]:
        """Return the values of a label that containers have, running or not, each once."""
        listed = self.check(
            *("ps", "--all", "--filter", f"label={label}"),
            *("--format", f'{{{{.Label "{label}"}}}}'),
        )
        return sorted(set(listed.split()))

    def publishers(self, port: int) -> List[str]:
        """Return the names of the running containers that publish a TCP port of the host."""
        listed = self.check("ps", "--filter", f"publish={port}/tcp", "--format", "{{.Names}}")
        return listed.split()

    def log_driver(self) -> str:
        """Return the log driver that the engine gives to new containers."""
        return str(self.info()["LoggingDriver"])

    def data_root(self) -> str:
        """Return the folder in which the engine keeps images."""
        told = self.info()
        # From Docker 29 on, new engines leave the images to containerd, outside their own folder.
        is_containerd = "io.containerd.snapshotter" in str(told.get("DriverStatus"))
        return CONTAINERD_ROOT if is_containerd else str(told["DockerRootDir"])

    def info(self) -> Dict[str, Any]:
        """Return what the engine tells of itself.

        Raises:
            ClassvmError: it does not answer.

        """
        answer = self._ask("/info")
        # For it, the client starts each of its plugins.
        told: Dict[str, Any] = (
            answer.content if answer else json.loads(self.check("info", "--format", "{{json .}}"))
        )
        return told

    def _ask(self, resource: str) -> Optional[engine_socket.Answer]:
        """Return the engine's answer; None where the client has to ask, as for an account that needs sudo."""
        return None if self.as_root else engine_socket.get(SOCKET, resource)

    def _exec_code(self, seconds: float, name: str, argv: Sequence[str]) -> Optional[int]:
        return None if self.as_root else engine_socket.exec_code(SOCKET, name, argv, seconds)

    def _inspect(self, kind: str, *names: str) -> List[Dict[str, Any]]:
        """Return the description of each object that exists."""
        answers = [self._ask(f"/{kind}s/{quote(name, safe='/:@')}/json") for name in names]
        if all(answers):
            return [one.content for one in answers if one and one.status != engine_socket.MISSING]
        finished = self.run(kind, "inspect", *names)
        if finished.code and not _are_missing(finished.err):
            raise command.CommandError(finished)
        described: List[Dict[str, Any]] = json.loads(finished.out or "[]")
        return described


def _are_missing(errors: str) -> bool:
    """Tell whether the client reports nothing but names that do not exist."""
    lines = errors.strip().splitlines()
    return bool(lines) and all("no such" in line.lower() for line in lines)


def _container(found: Dict[str, Any]) -> Container:
    published = found["NetworkSettings"].get("Ports") or {}
    networks = found["NetworkSettings"].get("Networks") or {}
    addresses = [one["IPAddress"] for one in networks.values() if one.get("IPAddress")]
    return Container(
        id=found["Id"],
        name=found["Name"].lstrip("/"),
        image=found["Image"],
        running=found["State"]["Running"],
        exit_code=found["State"]["ExitCode"],
        out_of_memory=found["State"].get("OOMKilled", False),
        health=(found["State"].get("Health") or {}).get("Status", ""),
        started=found["State"].get("StartedAt", ""),
        networks=tuple(networks),
        address=next(iter(addresses), ""),
        pid=found["State"].get("Pid", 0),
        restarts=found.get("RestartCount", 0),
        host_config=found.get("HostConfig") or {},
        workdir=found["Config"].get("WorkingDir") or "",
        labels=found["Config"].get("Labels") or {},
        healthcheck=(found["Config"].get("Healthcheck") or {}).get("Test") or (),
        ports={
            port: [(at["HostIp"], int(at["HostPort"])) for at in places]
            for port, places in published.items()
            if places
        },
    )


def build_environment() -> Dict[str, str]:
    """Return the variables for a build that passes secrets.

    The builder is the engine's own: another one, chosen by the user, would keep the image to itself.
    """
    return {**client_environment(), "DOCKER_BUILDKIT": "1", "BUILDX_BUILDER": "default"}


def buildkit_client() -> str:
    """Return the path of a Docker client that can pass secrets to a build.

    A machine may have two clients, of which the first on PATH lacks the buildx component.

    Raises:
        ClassvmError: no client on PATH can.

    """
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        client = os.path.join(folder, "docker")
        if not os.access(client, os.X_OK):
            continue
        if "--secret" in command.run([client, "build", "--help"], env=build_environment()).out:
            return client
    raise ClassvmError(
        "No Docker client here can pass secrets to a build. Install the buildx component:"
        " `sudo apt-get install docker-buildx` (or docker-buildx-plugin).",
    )
