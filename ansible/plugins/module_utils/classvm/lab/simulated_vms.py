"""A lab: simulated class VMs on one machine, each a systemd container that boots like a machine.

They have an engine of their own installed inside, stand on a private network with IPv4 and
IPv6, and are reached over SSH. `systemctl reboot` inside restarts them as it would a machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from dataclasses import dataclass
from typing import Dict, List, Sequence, Union

from ..base import command, progress
from ..base.docker import Docker
from ..base.errors import ClassvmError
from ..base.ssh import SSH_PORT
from . import system_image

LABEL_LAB = "classvm.lab"
FIRST_SUBNET, LAST_SUBNET = 148, 200
# Addresses from 148 on are free for others who join the network, such as a real virtual machine.
FIRST_ADDRESS, LAST_ADDRESS = 11, 147
BOOT_SECONDS = 90
PAUSE = 0.5
# Every capability but SYS_RESOURCE, which not every machine has to give; hence not --privileged.
CAPABILITIES = (
    *("AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "CHOWN", "DAC_OVERRIDE"),
    *("DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE"),
    *("LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE"),
    *("NET_BROADCAST", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG"),
    *("SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT"),
    *("SYS_PTRACE", "SYS_RAWIO", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM"),
)
CONFINEMENTS = ("seccomp", "apparmor", "systempaths")


@dataclass(frozen=True)
class Network:
    """The private network of a lab; addresses without their masks.

    Attributes:
        bridge: the Linux bridge behind it.
        gateway: the control node's own IPv4 address there.

    """

    name: str
    bridge: str
    gateway: str
    gateway6: str

    def addresses(self, index: int) -> Dict[str, str]:
        """Return the addresses of the machine with that place in the list, from 0."""
        number = FIRST_ADDRESS + index
        return {
            "address": f"{self.gateway.rpartition('.')[0]}.{number}",
            "address6": f"{self.gateway6.rpartition(':')[0]}:{number}",
        }


@dataclass(frozen=True)
class Machine:
    """One simulated class VM.

    Attributes:
        name: its host name.
        image: what it starts from.
        group: its group in the inventory.

    """

    name: str
    image: str
    group: str
    address: str
    address6: str

    def container(self, lab: str) -> str:
        """Return the name of its container: two labs may both have a vm-148-1."""
        return f"{lab}-{self.name}"

    @property
    def description(self) -> str:
        """A digest of what it is made of: a container with another one is not this machine."""
        made_of = f"{self.image} {self.address} {self.address6}"
        return hashlib.sha256(made_of.encode()).hexdigest()[:12]


def subnets(lab: str) -> List[List[str]]:
    """Return the pairs of subnets, IPv4 and IPv6, that a lab may take, in order."""
    number = hashlib.sha256(lab.encode()).hexdigest()[:4]
    return [
        [f"172.30.{third}.0/24", f"fd00:{third}:{number}::/64"]
        for third in range(FIRST_SUBNET, LAST_SUBNET)
    ]


def network(docker: Docker, lab: str) -> Network:
    """Return the lab's network.

    Raises:
        ClassvmError: it is not there.

    """
    found = json.loads(docker.check("network", "inspect", lab))[0]
    gateways = {pool["Subnet"]: pool.get("Gateway", "") for pool in found["IPAM"]["Config"]}
    four = next(pool for pool in gateways if ":" not in pool)
    six = next(pool for pool in gateways if ":" in pool)
    return Network(
        name=lab,
        bridge=f"br-{found['Id'][:12]}",
        gateway=four.replace(".0/24", ".1"),
        gateway6=six.replace("::/64", "::1"),
    )


def make_network(docker: Docker, lab: str) -> bool:
    """Make sure that the lab has its network; return whether it had to be made.

    Raises:
        ClassvmError: no subnet is free.

    """
    if docker.run("network", "inspect", lab).code == 0:
        return False
    words = ["network", "create", "--ipv6", "--label", f"{LABEL_LAB}={lab}"]
    for four, six in subnets(lab):
        made = docker.run(*words, "--subnet", four, "--subnet", six, lab)
        if made.code == 0:
            return True
        if "overlap" not in made.err:
            raise command.CommandError(
                made,
                f"The network of the lab {lab} was not made",
                fix="`make doctor` looks at the engine.",
            )
    raise ClassvmError(
        f"No subnet is free for the lab {lab}",
        fix="`docker network ls` shows who has them.",
    )


def run_argv(lab: str, machine: Machine, resolv_conf: str) -> List[str]:
    """Return the arguments of `docker` that start a machine.

    Args:
        lab: name of the lab and of its network.
        machine: what is started.
        resolv_conf: file with the control node's name servers. Docker's own, 127.0.0.11, would
            not answer the containers inside.

    """
    return [
        *("run", "--detach", "--name", machine.container(lab), "--hostname", machine.name),
        *("--label", f"{LABEL_LAB}={lab}", "--label", f"{LABEL_LAB}.machine={machine.description}"),
        *("--network", lab, "--ip", machine.address, "--ip6", machine.address6),
        *(f"--cap-add={capability}" for capability in CAPABILITIES),
        *(f"--security-opt={name}=unconfined" for name in CONFINEMENTS),
        # sudo needs it, whatever the control node's engine has for its default.
        "--security-opt=no-new-privileges=false",
        *("--device-cgroup-rule", "a *:* rwm"),
        *("--cgroupns", "host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"),
        *("--tmpfs", "/run", "--tmpfs", "/run/lock"),
        # Overlay on overlay does not work, so the inner engine gets volumes.
        *("--volume", "/var/lib/docker", "--volume", "/var/lib/containerd"),
        *("--volume", f"{resolv_conf}:/etc/resolv.conf:ro"),
        # "systemctl reboot" ends the container; this boots it again.
        *("--restart", "unless-stopped", "--stop-signal", "SIGRTMIN+3", machine.image),
    ]


def make_machine(docker: Docker, lab: str, machine: Machine, resolv_conf: str) -> bool:
    """Make sure that a machine is there and runs; return whether anything had to be done."""
    there = docker.container(machine.container(lab))
    if there and there.labels.get(f"{LABEL_LAB}.machine") != machine.description:
        remove_container(docker, there.name)
        there = None
    if there is None:
        docker.check(*run_argv(lab, machine, resolv_conf))
        return True
    if not there.running:
        docker.check("start", there.name)
        return True
    return False


def authorize_key(docker: Docker, container: str, public_key: str) -> bool:
    """Let the owner of a key log in as the admin; return whether they could not before."""
    home = f"/home/{system_image.ADMIN}/.ssh"
    if docker.run("exec", container, "cat", f"{home}/authorized_keys").out == public_key:
        return False
    docker.check("exec", container, "install", "-d", "-m", "700", "-o", system_image.ADMIN, home)
    write = f"cat > {home}/authorized_keys && chown {system_image.ADMIN} {home}/authorized_keys"
    docker.check("exec", "-i", container, "sh", "-c", write, stdin=public_key.encode())
    return True


def wait_for_boot(docker: Docker, container: str, address: str) -> str:
    """Wait until a machine has booted and SSH answers; return systemd's word for its state.

    Raises:
        ClassvmError: it takes too long; the text ends with what systemd says.

    """
    progress.say(f"waiting until {container} has booted")
    end = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < end:
        state = docker.run("exec", container, "systemctl", "is-system-running").out.strip()
        if state in ("running", "degraded") and ssh_answers(address):
            return state
        time.sleep(PAUSE)
    failed = docker.run("exec", container, "systemctl", "list-units", "--failed", "--no-legend")
    raise ClassvmError(
        f"{container} did not boot within {BOOT_SECONDS} s, or SSH does not answer at {address}",
        fix=f"`docker logs {container}` tells more.",
        details=failed.last_lines(),
    )


def ssh_answers(address: str) -> bool:
    """Tell whether an SSH server answers there."""
    try:
        with socket.create_connection((address, SSH_PORT), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def name_servers() -> str:
    """Return the text of a resolv.conf that works from inside containers, too."""
    # systemd-resolved answers on the loopback only, and keeps the real ones here.
    for path in ("/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"):
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return file.read()
    return ""


def containers(docker: Docker, lab: str) -> List[str]:
    """Return the names of the lab's containers."""
    listed = ("ps", "--all", "--filter", f"label={LABEL_LAB}={lab}", "--format", "{{.Names}}")
    return docker.check(*listed).split()


def remove_container(docker: Docker, container: str) -> bool:
    """Remove a container together with its volumes; that is a change, so True."""
    docker.check("rm", "--force", "--volumes", container)
    return True


def remove(docker: Docker, lab: str) -> List[str]:
    """Remove the lab's containers, volumes and network; return what was removed."""
    removed = containers(docker, lab)
    for container in removed:
        remove_container(docker, container)
    if docker.run("network", "inspect", lab).code == 0:
        docker.check("network", "rm", lab)
        removed.append(lab)
    return removed


def describe(machine: Machine) -> Dict[str, Union[str, int]]:
    """Return what an inventory has to know of a machine."""
    return {
        "name": machine.name,
        "group": machine.group,
        "address": machine.address,
        "address6": machine.address6,
        "user": system_image.ADMIN,
        "port": SSH_PORT,
    }


def surplus(docker: Docker, lab: str, desired: Sequence[Machine]) -> List[str]:
    """Return the lab's containers that are no machine of the list."""
    names = {machine.container(lab) for machine in desired}
    return [container for container in containers(docker, lab) if container not in names]
