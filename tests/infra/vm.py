"""A host under test: its commands, its engine, and the content of its container."""

from __future__ import annotations

import dataclasses
import functools
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classvm.base import docker, edge, installed, locks, state
from classvm.base.command import CommandError, Finished
from classvm.image import image_labels, service_image
from classvm.provision import guard
from classvm.release import keep
from classvm.release.release_spec import ReleaseSpec
from infra import inside

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.expected import Facts

LOG_LINES = 15
# A deploy may have left the end of its swap to the background: who holds the lock is waited for.
SETTLED = locks.waiting(f"{installed.HERE.state}/{state.LOCK}")


class HostDocker(docker.Docker):
    """The engine of the host under test, reached over the test's connection."""

    def __init__(self, vm: Vm) -> None:
        """Use the engine of a host."""
        super().__init__()
        self.vm = vm

    def _ask(self, resource: str) -> None:
        """Leave the socket alone: it is that of another engine, of the machine that tests."""

    def run(self, *words: str, stdin: bytes | None = None) -> Finished:
        """Run `docker ARGUMENTS` there and return its output, whatever its exit code."""
        if stdin is not None:
            raise NotImplementedError("nothing can be piped over this connection")
        argv = [self.program, *words]
        done = self.vm.root(" ".join(["%s"] * len(argv)), *argv)
        return Finished(argv, done.rc, done.stdout, done.stderr)

    def run_within(
        self,
        seconds: float,
        *words: str,
        stdin: bytes | None = None,
        heard: Callable[[str], None] | None = None,
        watched: Callable[[int], None] | None = None,
    ) -> Finished:
        """Run `docker ARGUMENTS` there with a time limit, after which its exit code is 124."""
        del heard, watched  # testinfra returns all output at the end
        if stdin is not None:
            raise NotImplementedError("nothing can be piped over this connection")
        argv = ["timeout", str(seconds), self.program, *words]
        done = self.vm.root(" ".join(["%s"] * len(argv)), *argv)
        return Finished(argv, done.rc, done.stdout, done.stderr)

    def check(self, *words: str, stdin: bytes | None = None) -> str:
        """Run `docker ARGUMENTS` there, which has to succeed, and return its output."""
        finished = self.run(*words, stdin=stdin)
        if finished.code:
            raise CommandError(finished)
        return finished.out


def keep_open(host: Any, folder: Path) -> None:
    """Let all commands to a host share one SSH connection, with its socket in a folder."""
    runner = host.backend.ansible_runner
    reached = runner.get_host(host.backend.host) if host.backend.NAME == "ansible" else None
    if reached is None or reached.backend.NAME != "ssh":
        return
    # testinfra keeps a host for whoever asks for it next, maybe after the folder was removed.
    present = reached.backend.controlpath
    if not present or not Path(present).parent.is_dir():
        reached.backend.controlpath = f"{folder}/%%C"


class Vm:
    """A host under test; most properties are read once and cached."""

    def __init__(self, host: Any, facts: Facts, sockets: Path) -> None:
        """Wrap testinfra's host; `sockets` is the folder of the shared SSH connections."""
        self.host = host
        self.facts = facts
        self.sockets = sockets
        self.docker = HostDocker(self)

    # --- Commands ----------------------------------------------------------------------------

    @functools.cached_property
    def is_root(self) -> bool:
        """Whether the account that connects is root."""
        return bool(self.host.run("id -u").stdout.strip() == "0")

    def run(self, command: str, *args: str) -> Any:
        """Run a command as the account that connects; `%s` stands for each argument."""
        return self.host.run(command, *args)

    def root(self, command: str, *args: str) -> Any:
        """Run a command as root; `%s` stands for each argument."""
        if self.is_root:
            return self.host.run(command, *args)
        # testinfra's own sudo() changes the host object, which threads share.
        return self.host.run("sudo -n /bin/sh -c %s", self.host.backend.quote(command, *args))

    def read(self, command: str, *args: str) -> str:
        """Run a command as root, which has to succeed, and return its output."""
        done = self.root(command, *args)
        assert done.rc == 0, f"`{command}` failed ({done.rc}): {done.stdout}{done.stderr}"
        return str(done.stdout)

    def settle(self) -> None:
        """Wait until nobody is at work on the releases."""
        self.read(SETTLED)

    def disconnect(self) -> None:
        """Close the shared SSH connections; the next command opens a new one."""
        for path in self.sockets.iterdir():
            words = ["ssh", "-O", "exit", "-o", f"ControlPath={path}", "host"]
            subprocess.run(words, capture_output=True, check=False)

    def unit(self, name: str, key: str) -> str:
        """Return a property of a systemd unit, for example `UnitFileState`."""
        return self.read("systemctl show --property %s --value %s", key, name).strip()

    @functools.cached_property
    def has_systemd(self) -> bool:
        """Whether systemd runs the host."""
        return bool(self.run("test -d /run/systemd/system").rc == 0)

    @functools.cached_property
    def sshd_port(self) -> int:
        """The SSH server's port of this connection."""
        return int(self.run("echo $SSH_CONNECTION").stdout.split()[3])

    @functools.cached_property
    def dhcp_client_ports(self) -> list[int]:
        """The UDP ports that DHCP clients of the host hold."""
        return guard.dhcp_client_ports(self.read("ss -Hulnp"))

    def evidence(self, name: str) -> str:
        """Return the output of a command that may explain a failure."""
        commands = {
            "container log": f"docker logs --tail {LOG_LINES} {self.facts.container}",
            "containers": "docker ps --all",
            "edge": f"cat {self.facts.edge.map}; systemctl --no-pager --lines 5 status haproxy",
            "guard": "nft list table inet classvm",
            "listening": "ss -Hltn",
            "engine log": f"journalctl --unit docker --lines {LOG_LINES} --no-pager",
        }
        try:
            done = self.root(commands[name])
        except RuntimeError as error:
            return f"{self.facts.name} cannot be asked: {error}"
        return f"$ {commands[name]}\n{done.stdout}{done.stderr}"

    # --- The service -------------------------------------------------------------------------

    @functools.cached_property
    def live(self) -> dict[str, Any]:
        """The engine's description of the live container."""
        found = self.docker.check("container", "inspect", self.facts.container)
        described: dict[str, Any] = json.loads(found)[0]
        return described

    @functools.cached_property
    def base(self) -> docker.Image:
        """The base image as the host has it."""
        name = str(self.facts["base_image_name"])
        found = self.docker.image(name)
        assert found is not None, f"the base image {name} is not there"
        return found

    @functools.cached_property
    def recipe(self) -> service_image.Recipe:
        """The recipe of the service image that the app's folder gives."""
        return self.facts.recipe(self.base)

    @property
    def release(self) -> str:
        """The id of the desired release."""
        return self.facts.released.release if self.facts.released else self.recipe.release

    @property
    def labels(self) -> dict[str, str]:
        """The labels that the image of the desired release has to bear."""
        if not self.facts.released:
            return service_image.labels(self.recipe)
        # A container has labels of its own, too.
        made_of = (image_labels.LABEL_CONTENT, image_labels.LABEL_CONTRACT)
        return {
            **{name: self.facts.released.labels.get(name, "") for name in made_of},
            image_labels.LABEL_SERVICE: str(self.facts["service_name"]),
            image_labels.LABEL_RELEASE: self.release,
        }

    @functools.cached_property
    def release_spec(self) -> ReleaseSpec:
        """The spec of the desired release."""
        spec = dataclasses.replace(
            self.facts.release_spec(self.release),
            keep=keep.folders(self.image),
            container_port=image_labels.container_port(self.image, self.facts.container_port),
        )
        if not spec.environment:
            return spec
        # The digest of the settings is keyed with what only the host knows.
        path = f"{self.facts['classvm_state_dir']}/{state.KEY}"
        return dataclasses.replace(spec, key=self.read("cat %s", path))

    @functools.cached_property
    def image(self) -> docker.Image:
        """The image that the container runs."""
        found = self.docker.image(self.live["Image"])
        assert found is not None, "the image of the container is not there"
        return found

    @property
    def slot(self) -> str:
        """The slot of the live container, "" where it publishes the port itself."""
        return str(self.live["Config"]["Labels"].get(edge.LABEL_SLOT, ""))

    def inside(self, *words: str) -> str:
        """Run a command inside the container as the service's user, and return its output."""
        return self.docker.check("exec", self.facts.container, *words)

    @functools.cached_property
    def status(self) -> dict[str, str]:
        """The status of the container's first process in /proc."""
        lines = self.inside("cat", "/proc/1/status").splitlines()
        pairs = (line.split(":", 1) for line in lines)
        return {name: value.strip() for name, value in pairs}

    @functools.cached_property
    def mounts(self) -> dict[str, list[str]]:
        """The mount options inside the container, by folder."""
        lines = self.inside("cat", "/proc/self/mounts").splitlines()
        return {line.split()[1]: line.split()[3].split(",") for line in lines}

    @functools.cached_property
    def content(self) -> dict[str, Any]:
        """The output of `inside.py` in the container."""
        script = Path(inside.__file__).read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(self.inside("python", "-c", script))
        return found
