"""A real virtual machine: QEMU, a kernel of its own, a tap device on a Linux bridge.

It shows what a container that boots systemd cannot: another kernel, its own cgroups and AppArmor,
a real reboot. The disk is the same bare system that a lab's machines start from, with a kernel.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import json
import os
import re
import shutil
import signal
import time
from dataclasses import asdict, dataclass
from typing import Dict, List, Mapping, Optional, Sequence, Union

from classvm.base import command
from classvm.base.errors import ClassvmError
from classvm.lab import simulated_vms

from . import vm_disk

QEMU = "qemu-system-x86_64"
# Each program that is needed on the control node, and the package that contains it.
PROGRAMS = {
    QEMU: "qemu-system-x86",
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "debugfs": "e2fsprogs",
    "ip": "iproute2",
}
INTERFACE = "eth0"
NETWORK_UNIT = "/etc/systemd/network/10-classvm.network"
STOP_SECONDS = 10
CONSOLE_LINES = 20
PROC = "/proc"
INTERFACES = "/sys/class/net"

Gateway = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]


@dataclass(frozen=True)
class Machine:
    """The desired virtual machine.

    Attributes:
        name: its host name.
        folder: folder of its own, with its disk, console and process id.
        system: one of `vm_disk.KERNELS`.
        bridge: the Linux bridge that its network card joins.
        addresses: its static addresses (IPv4, IPv6 or both), in the networks of that bridge.
        dns: addresses of its name servers.
        public_key: text of the SSH key with which the admin logs in.
        memory: size of its memory in MiB.
        processors: number of processors.
        accelerator: value of QEMU's option `-accel`. The default works everywhere; "kvm" is
            many times as fast where it works, which a `/dev/kvm` alone does not show.

    """

    name: str
    folder: str
    system: str = ""
    bridge: str = ""
    addresses: Sequence[str] = ()
    dns: Sequence[str] = ()
    public_key: str = ""
    memory: int = 2048
    processors: int = 2
    accelerator: str = "tcg,thread=multi,tb-size=512"

    def file(self, name: str) -> str:
        """Return the path of a file of this machine."""
        return os.path.join(self.folder, name)

    @property
    def disk(self) -> vm_disk.Disk:
        """The machine's own copy."""
        return vm_disk.Disk(self.file("disk.ext4"), self.file("vmlinuz"))

    @property
    def console(self) -> str:
        """File with everything that was written to the serial console."""
        return self.file("console.log")

    @property
    def pidfile(self) -> str:
        """File with the process id of QEMU."""
        return self.file("qemu.pid")

    @property
    def record(self) -> str:
        """File with the machine's description; written last, so only a complete machine has it."""
        return self.file("machine.json")

    @property
    def description(self) -> str:
        """All attributes as text: a machine with another description has to be made anew."""
        return json.dumps({**asdict(self), "disk": vm_disk.name(self.system)}, sort_keys=True)

    @property
    def tap(self) -> str:
        """Name of the tap device, the same for the same folder; Linux allows 15 characters."""
        return f"cvm-{_digest(self.folder)[:8]}"

    @property
    def mac(self) -> str:
        """Address of the network card, in the range that QEMU uses."""
        digest = _digest(self.folder)
        return "52:54:00:" + ":".join(digest[at : at + 2] for at in (0, 2, 4))


@dataclass(frozen=True)
class Change:
    """The steps that a machine needs; false when it needs none.

    Attributes:
        make: the machine is missing, or its description differs.
        plug: its tap device is not in the bridge.
        start: its QEMU does not run.

    """

    make: bool
    plug: bool
    start: bool

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return self.make or self.plug or self.start


def require_programs() -> None:
    """Check that the programs that run virtual machines are installed.

    Raises:
        ClassvmError: programs are missing; the text names their packages.

    """
    missing = sorted({package for name, package in PROGRAMS.items() if shutil.which(name) is None})
    if missing:
        raise ClassvmError(
            f"Programs for virtual machines are missing: `apt-get install {' '.join(missing)}`",
        )


# --- what is written into its disk ---------------------------------------------------------------


def name_servers(resolv_conf: str) -> List[str]:
    """Return the name servers of a resolv.conf that another machine can ask, too.

    Raises:
        ClassvmError: there is none.

    """
    listed = re.findall(r"^nameserver\s+([\w.:]+)\s*$", resolv_conf, re.MULTILINE)
    servers = [one for one in listed if not ipaddress.ip_address(one).is_loopback]
    if not servers:
        raise ClassvmError(
            "resolv.conf of this machine names no DNS server but itself: give one as `dns`"
        )
    return servers


def gateways(bridge: str) -> List[Gateway]:
    """Return this machine's own addresses on a bridge: the gateways of all who join it.

    Raises:
        ClassvmError: there is no such bridge.

    """
    if not os.path.isdir(os.path.join(INTERFACES, bridge, "bridge")):
        raise ClassvmError(f"{bridge} is no bridge of this machine (`ip link show type bridge`)")
    (shown,) = json.loads(command.check(["ip", "-json", "address", "show", "dev", bridge]))
    return [
        ipaddress.ip_interface(f"{one['local']}/{one['prefixlen']}")
        for one in shown["addr_info"]
        if one["scope"] == "global"
    ]


def network_unit(machine: Machine, via: Sequence[Gateway]) -> str:
    """Return the configuration of the network card, for systemd-networkd.

    Raises:
        ClassvmError: an address is in none of the networks.

    """
    lines = ["[Match]", f"Name={INTERFACE}", "", "[Network]", "IPv6AcceptRA=no"]
    for text in machine.addresses:
        address = ipaddress.ip_address(text)
        gateway = next((one for one in via if address in one.network), None)
        if gateway is None:
            networks = ", ".join(str(one.network) for one in via)
            raise ClassvmError(f"{text} is in no network of {machine.bridge} ({networks})")
        lines += [f"Address={address}/{gateway.network.prefixlen}", f"Gateway={gateway.ip}"]
    return "\n".join([*lines, *(f"DNS={server}" for server in machine.dns), ""])


def seeds(machine: Machine, via: Sequence[Gateway]) -> Dict[str, str]:
    """Return the files in which a machine's disk differs from the copied one: text by path."""
    return {
        "/etc/hostname": f"{machine.name}\n",
        "/etc/hosts": f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {machine.name}\n",
        NETWORK_UNIT: network_unit(machine, via),
        f"{vm_disk.ADMIN_HOME}/.ssh/authorized_keys": f"{machine.public_key.strip()}\n",
    }


# --- the life of a machine -----------------------------------------------------------------------


def plan(machine: Machine) -> Change:
    """Compare the desired machine with what is there."""
    make = _read(machine.record) != machine.description
    return Change(
        make=make,
        plug=make or not is_plugged(machine),
        start=make or process(machine) is None,
    )


def apply(machine: Machine, change: Change, cache: str, keyring: str) -> None:
    """Make, plug and start a machine, each step only where `plan` asks for it.

    Args:
        machine: the desired machine.
        change: the result of `plan`.
        cache: folder of the disks that machines start from.
        keyring: file with the keys that sign the system's archive.

    Raises:
        ClassvmError: a program failed, or the bridge does not fit the addresses.

    """
    if change.make:
        files = seeds(machine, gateways(machine.bridge))
        base = vm_disk.provide(cache, machine.system, keyring)
        remove(machine)
        make(machine, base, files)
    if change.plug:
        for argv in plug_argvs(machine):
            command.check(argv)
    if change.start:
        command.check(qemu_argv(machine))


def make(machine: Machine, base: vm_disk.Disk, files: Mapping[str, str]) -> None:
    """Make the machine's folder, with a copy of a disk into which its files are written."""
    os.makedirs(machine.folder, mode=0o700)
    command.check(["cp", "--sparse=always", base.image, machine.disk.image])
    shutil.copyfile(base.kernel, machine.disk.kernel)
    vm_disk.seed(machine.disk.image, files)
    with open(machine.record, "w", encoding="utf-8") as file:
        file.write(machine.description)


def is_plugged(machine: Machine) -> bool:
    """Tell whether the machine's tap device is in its bridge."""
    master = os.path.join(INTERFACES, machine.tap, "master")
    return os.path.basename(os.path.realpath(master)) == machine.bridge


def plug_argvs(machine: Machine) -> List[List[str]]:
    """Return the commands that put the machine's tap device into its bridge."""
    there = os.path.exists(os.path.join(INTERFACES, machine.tap))
    add = [] if there else [["ip", "tuntap", "add", "dev", machine.tap, "mode", "tap"]]
    return [*add, ["ip", "link", "set", "dev", machine.tap, "master", machine.bridge, "up"]]


def qemu_argv(machine: Machine) -> List[str]:
    """Return the command that starts QEMU in the background."""
    return [
        QEMU,
        *("-name", machine.name, "-nodefaults", "-no-user-config", "-display", "none"),
        # Never left to QEMU: where a /dev/kvm is there but does not work, it would hang.
        *("-accel", machine.accelerator, "-cpu", "max"),
        *("-m", str(machine.memory), "-smp", str(machine.processors)),
        *("-kernel", machine.disk.kernel),
        *("-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0"),
        # The machine is thrown away after the test, so its disk need not survive a crash.
        *("-drive", f"file={machine.disk.image},if=virtio,format=raw,cache=unsafe"),
        *("-netdev", f"tap,id=net,ifname={machine.tap},script=no,downscript=no"),
        *("-device", f"virtio-net-pci,netdev=net,mac={machine.mac},romfile="),
        *("-device", "virtio-rng-pci"),
        *("-chardev", f"file,id=console,path={machine.console},append=on"),
        *("-serial", "chardev:console"),
        *("-daemonize", "-pidfile", machine.pidfile),
    ]


def process(machine: Machine) -> Optional[int]:
    """Return the process id of the machine's QEMU, or None where it does not run."""
    text = _read(machine.pidfile).strip()
    if not text:
        return None
    # After a reboot of this machine, the number may belong to another process.
    words = _read(os.path.join(PROC, text, "cmdline")).split("\0")
    is_it = os.path.basename(words[0]) == QEMU and machine.pidfile in words
    return int(text) if is_it else None


def wait_for_ssh(machine: Machine, seconds: float) -> None:
    """Wait until SSH answers at each address.

    Raises:
        ClassvmError: SSH does not answer in time, or QEMU ended; the text has the console's end.

    """
    deadline = time.monotonic() + seconds
    while not all(simulated_vms.ssh_answers(address) for address in machine.addresses):
        reason = ""
        if process(machine) is None:
            reason = "its QEMU has ended"
        elif time.monotonic() > deadline:
            reason = (
                f"SSH does not answer at {' and '.join(machine.addresses)} after {seconds:.0f} s"
            )
        if reason:
            raise ClassvmError(
                f"{machine.name} did not boot: {reason}. {machine.console} ends with:\n"
                f"{last_lines(machine.console)}",
            )
        time.sleep(simulated_vms.PAUSE)


def last_lines(console: str) -> str:
    """Return the end of a console's log as plain text."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", _read(console))
    return "\n".join(plain.strip().splitlines()[-CONSOLE_LINES:])


def is_there(machine: Machine) -> bool:
    """Tell whether a machine's folder or tap device exists."""
    return os.path.exists(machine.folder) or os.path.exists(os.path.join(INTERFACES, machine.tap))


def remove(machine: Machine) -> bool:
    """End a machine and remove its tap device and its folder; return whether either existed.

    Raises:
        ClassvmError: it does not end, or its folder holds files that are not the machine's.

    """
    there = is_there(machine)
    stop(machine)
    if os.path.exists(os.path.join(INTERFACES, machine.tap)):
        command.check(["ip", "link", "delete", "dev", machine.tap])
    # The record first: an interrupted removal must not leave a machine that seems complete.
    own = (machine.record, *asdict(machine.disk).values(), machine.console, machine.pidfile)
    for path in own:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    if os.path.isdir(machine.folder):
        try:
            os.rmdir(machine.folder)
        except OSError as error:
            raise ClassvmError(f"{machine.folder} holds other files, too: {error}") from error
    return there


def stop(machine: Machine) -> None:
    """End a machine's QEMU, as if the power were cut.

    Raises:
        ClassvmError: it does not end.

    """
    number = process(machine)
    if number is None:
        return
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal_number)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if process(machine) is None:
                return
            time.sleep(0.1)
    raise ClassvmError(f"The QEMU of {machine.name} (process {number}) does not end")


def _read(path: str) -> str:
    """Return the text of a file, "" when it is not there."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
