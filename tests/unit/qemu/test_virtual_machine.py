"""Real virtual machines; QEMU and `ip` are scripts."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from classvm.base.errors import ClassvmError
from classvm.lab import simulated_vms
from qemu import virtual_machine, vm_disk

if TYPE_CHECKING:
    from collections.abc import Callable

SYSTEM = "ubuntu-22.04"
BRIDGE = "br-0123456789ab"
QEMU_PID = 4711
ADDRESSES = [
    {"local": "192.0.2.1", "prefixlen": 24, "scope": "global"},
    {"local": "2001:db8::1", "prefixlen": 64, "scope": "global"},
    {"local": "fe80::1", "prefixlen": 64, "scope": "link"},
]
BOTH = [ipaddress.ip_interface("192.0.2.1/24"), ipaddress.ip_interface("2001:db8::1/64")]
ONE = virtual_machine.Machine(
    name="vm-148-9",
    folder="/lab/vm-148-9",
    system=SYSTEM,
    bridge=BRIDGE,
    addresses=("192.0.2.9", "2001:db8::9"),
    dns=("192.0.2.53",),
    public_key="ssh-ed25519 AAAA lab\n",
    memory=2048,
    processors=2,
    accelerator="tcg",
)
# What the scripts do that stand for the programs.
IP = """
case "$*" in
-json*) /bin/cat {0}/addresses ;;
tuntap*) /bin/mkdir {0}/interfaces/$4 ;;
*delete*) /bin/rm -r {0}/interfaces/$4 ;;
*master*) /bin/ln -sfn ../$6 {0}/interfaces/$4/master ;;
esac
"""
QEMU = """
for pidfile; do :; done
echo {1} > "$pidfile"
/bin/mkdir -p {0}/proc/{1}; printf '%s\\0' "$0" "$@" > {0}/proc/{1}/cmdline
"""


class Host:
    """A control node with a bridge, whose programs note how they are called."""

    def __init__(self, folder: Path, program: Callable[..., Path]) -> None:
        self.machine = replace(ONE, folder=str(folder / "lab" / ONE.name))
        self.base = vm_disk.Disk(str(folder / "base.ext4"), str(folder / "vmlinuz"))
        self.bootstraps: list[tuple[str, ...]] = []
        self.seeded: dict[str, dict[str, str]] = {}
        self.interfaces = folder / "interfaces"
        self.cmdline = folder / "proc" / str(QEMU_PID) / "cmdline"
        (self.interfaces / BRIDGE / "bridge").mkdir(parents=True)
        (folder / "addresses").write_text(json.dumps([{"addr_info": ADDRESSES}]))
        for file in (self.base.image, self.base.kernel):
            Path(file).write_text("as bootstrapped")
        self.calls = {
            "cp": program("cp", '/bin/cp "$@"'),
            "ip": program("ip", IP.format(folder)),
            virtual_machine.QEMU: program(virtual_machine.QEMU, QEMU.format(folder, QEMU_PID)),
        }

    def provide(self, cache: str, system: str, keyring: str) -> vm_disk.Disk:
        """Stand in for the bootstrap."""
        self.bootstraps.append((cache, system, keyring))
        return self.base

    def seed(self, image: str, files: dict[str, str]) -> None:
        """Stand in for the writing into disks."""
        self.seeded[image] = files

    def said(self, name: str) -> list[str]:
        """Return the command lines with which a program was called."""
        calls = self.calls[name]
        return calls.read_text().splitlines() if calls.exists() else []

    def bring_up(self, machine: virtual_machine.Machine | None = None) -> virtual_machine.Change:
        """Do what is to be done; return what that was."""
        desired = machine or self.machine
        change = virtual_machine.plan(desired)
        virtual_machine.apply(desired, change, "/cache", "/keyring.gpg")
        return change

    def lose_power(self) -> None:
        """End QEMU without a word."""
        self.cmdline.unlink()


@pytest.fixture
def host(tmp_path: Path, program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host(tmp_path, program)
    monkeypatch.setattr(vm_disk, "provide", host.provide)
    monkeypatch.setattr(vm_disk, "seed", host.seed)
    monkeypatch.setattr(virtual_machine, "INTERFACES", str(host.interfaces))
    monkeypatch.setattr(virtual_machine, "PROC", str(tmp_path / "proc"))
    monkeypatch.setattr(virtual_machine, "STOP_SECONDS", 0.2)
    return host


@pytest.fixture
def killed(host: Host, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note the signals that QEMU gets; it obeys."""
    signals: list[int] = []

    def kill(process: int, number: int) -> None:
        assert process == QEMU_PID
        signals.append(number)
        host.lose_power()

    monkeypatch.setattr(os, "kill", kill)
    return signals


# --- the commands ------------------------------------------------------------------------------


def test_qemu_argv() -> None:
    argv = virtual_machine.qemu_argv(
        replace(ONE, memory=1024, processors=1, accelerator="tcg,thread=multi")
    )
    assert " ".join(argv) == (
        "qemu-system-x86_64 -name vm-148-9 -nodefaults -no-user-config -display none"
        " -accel tcg,thread=multi -cpu max -m 1024 -smp 1 -kernel /lab/vm-148-9/vmlinuz"
        " -append root=/dev/vda rw console=ttyS0 net.ifnames=0"
        " -drive file=/lab/vm-148-9/disk.ext4,if=virtio,format=raw,cache=unsafe"
        f" -netdev tap,id=net,ifname={ONE.tap},script=no,downscript=no"
        f" -device virtio-net-pci,netdev=net,mac={ONE.mac},romfile= -device virtio-rng-pci"
        " -chardev file,id=console,path=/lab/vm-148-9/console.log,append=on"
        " -serial chardev:console -daemonize -pidfile /lab/vm-148-9/qemu.pid"
    )


def test_the_plug_and_the_card_are_those_of_the_folder() -> None:
    other = replace(ONE, folder="/other-lab/vm-148-9")
    assert ONE.tap == replace(ONE, memory=1).tap != other.tap
    assert ONE.mac == replace(ONE, memory=1).mac != other.mac
    assert len(ONE.tap) <= 15  # IFNAMSIZ, less its zero
    assert re.fullmatch(r"52:54:00(:[0-9a-f]{2}){3}", ONE.mac)


def test_missing_programs_are_named_by_their_packages(program: Callable[..., Path]) -> None:
    program("ip")
    program("mke2fs")
    with pytest.raises(ClassvmError) as told:
        virtual_machine.require_programs()
    assert str(told.value).endswith("`apt-get install e2fsprogs mmdebstrap qemu-system-x86`")
    for name in virtual_machine.PROGRAMS:
        program(name)
    virtual_machine.require_programs()


# --- what makes it this machine ----------------------------------------------------------------


def test_name_servers() -> None:
    text = "nameserver 127.0.0.53\nnameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch lan\n"
    assert virtual_machine.name_servers(text) == ["192.0.2.53", "2001:db8::53"]


@pytest.mark.parametrize("text", ["", "nameserver 127.0.0.53\n", "nameserver ::1\n"])
def test_a_machine_that_asks_only_itself_for_names(text: str) -> None:
    with pytest.raises(ClassvmError, match="give one as `dns`"):
        virtual_machine.name_servers(text)


def test_network_unit(host: Host) -> None:
    ways = virtual_machine.gateways(BRIDGE)
    assert ways == BOTH
    assert host.said("ip") == [f"-json address show dev {BRIDGE}"]
    assert virtual_machine.network_unit(ONE, ways).splitlines() == [
        "[Match]",
        "Name=eth0",
        "",
        "[Network]",
        "IPv6AcceptRA=no",
        "Address=192.0.2.9/24",
        "Gateway=192.0.2.1",
        "Address=2001:db8::9/64",
        "Gateway=2001:db8::1",
        "DNS=192.0.2.53",
    ]


def test_an_address_of_another_network(host: Host) -> None:
    wrong = replace(host.machine, addresses=("192.0.2.9", "2001:db8:1::9"))
    with pytest.raises(ClassvmError, match=r"2001:db8:1::9 is in no network .*192\.0\.2\.0/24, "):
        host.bring_up(wrong)
    assert host.bootstraps == []


@pytest.mark.parametrize("name", ["none", "eth0"])
def test_what_is_no_bridge(name: str, host: Host) -> None:
    (host.interfaces / "eth0").mkdir()
    with pytest.raises(ClassvmError, match=f"{name} is no bridge of this machine"):
        virtual_machine.gateways(name)


def test_seeds() -> None:
    files = virtual_machine.seeds(ONE, BOTH)
    assert files == {
        "/etc/hostname": "vm-148-9\n",
        "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 vm-148-9\n",
        "/etc/systemd/network/10-classvm.network": virtual_machine.network_unit(ONE, BOTH),
        f"{vm_disk.ADMIN_HOME}/.ssh/authorized_keys": "ssh-ed25519 AAAA lab\n",
    }


# --- its life ----------------------------------------------------------------------------------


def test_a_machine_is_made_plugged_and_started(host: Host) -> None:
    assert host.bring_up() == virtual_machine.Change(make=True, plug=True, start=True)
    tap = host.machine.tap
    assert host.said("ip")[1:] == [
        f"tuntap add dev {tap} mode tap",
        f"link set dev {tap} master {BRIDGE} up",
    ]
    assert host.said(virtual_machine.QEMU) == [
        " ".join(virtual_machine.qemu_argv(host.machine)[1:])
    ]
    assert virtual_machine.process(host.machine) == QEMU_PID
    assert host.bootstraps == [("/cache", SYSTEM, "/keyring.gpg")]
    assert Path(host.machine.disk.image).read_text() == "as bootstrapped"
    assert host.seeded == {host.machine.disk.image: virtual_machine.seeds(host.machine, BOTH)}


def test_a_machine_that_runs_is_left_alone(host: Host) -> None:
    host.bring_up()
    assert not virtual_machine.plan(host.machine)
    assert host.bring_up() == virtual_machine.Change(make=False, plug=False, start=False)
    assert len(host.said(virtual_machine.QEMU)) == 1


def test_a_machine_that_died_is_started_again_with_its_disk(host: Host) -> None:
    host.bring_up()
    Path(host.machine.disk.image).write_text("what was written meanwhile")
    host.lose_power()
    assert host.bring_up() == virtual_machine.Change(make=False, plug=False, start=True)
    assert len(host.said(virtual_machine.QEMU)) == 2
    assert Path(host.machine.disk.image).read_text() == "what was written meanwhile"


@pytest.mark.parametrize("lost", ["plug", "master"])
def test_a_machine_that_lost_its_plug(lost: str, host: Host) -> None:
    host.bring_up()
    plug = host.interfaces / host.machine.tap
    (plug / "master").unlink()
    if lost == "plug":
        plug.rmdir()
    assert host.bring_up() == virtual_machine.Change(make=False, plug=True, start=False)
    assert virtual_machine.is_plugged(host.machine)


def test_the_process_of_another_one_is_not_ours(host: Host) -> None:
    host.bring_up()
    pidfile = host.machine.pidfile
    for words in (["sleep", pidfile], [virtual_machine.QEMU, "-pidfile", "/another"], [""]):
        host.cmdline.write_text("\0".join(words))
        assert virtual_machine.process(host.machine) is None
    host.cmdline.write_text("\0".join([f"/usr/bin/{virtual_machine.QEMU}", "-pidfile", pidfile]))
    assert virtual_machine.process(host.machine) == QEMU_PID


def test_another_wish_is_another_machine(host: Host, killed: list[int]) -> None:
    host.bring_up()
    Path(host.machine.disk.image).write_text("old")
    assert host.bring_up(replace(host.machine, memory=512)).make
    assert killed == [signal.SIGTERM]
    assert Path(host.machine.disk.image).read_text() == "as bootstrapped"


def test_a_machine_that_was_made_by_half_is_made_anew(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ClassvmError("no room")

    with monkeypatch.context() as broken:
        broken.setattr(vm_disk, "seed", fail)
        with pytest.raises(ClassvmError, match="no room"):
            host.bring_up()
    assert host.bring_up().make
    assert not virtual_machine.plan(host.machine)


def test_nothing_is_left_of_a_machine(host: Host, killed: list[int]) -> None:
    host.bring_up()
    Path(host.machine.console).write_text("login:")
    assert virtual_machine.is_there(host.machine)
    assert virtual_machine.remove(host.machine)
    assert killed == [signal.SIGTERM]
    assert host.said("ip")[-1] == f"link delete dev {host.machine.tap}"
    assert not Path(host.machine.folder).exists()
    assert not virtual_machine.is_there(host.machine)
    assert not virtual_machine.remove(host.machine)


def test_files_of_somebody_else_stay(host: Host, killed: list[int]) -> None:
    host.bring_up()
    thesis = Path(host.machine.folder) / "thesis.txt"
    thesis.write_text("years of work")
    with pytest.raises(ClassvmError, match="holds other files, too"):
        virtual_machine.remove(host.machine)
    assert killed
    assert thesis.exists()


def test_a_machine_that_does_not_obey(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.bring_up()
    signals: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _, number: signals.append(number))
    with pytest.raises(ClassvmError, match=rf"vm-148-9 \(process {QEMU_PID}\) does not end"):
        virtual_machine.remove(host.machine)
    assert signals == [signal.SIGTERM, signal.SIGKILL]
    assert virtual_machine.plan(host.machine) == virtual_machine.Change(
        make=False, plug=False, start=False
    )


# --- until SSH answers ---------------------------------------------------------------------------


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[bool]]:
    """Say at which tries SSH answers at an address; the last answer stays."""
    answers: dict[str, list[bool]] = {}

    def ssh_answers(address: str) -> bool:
        told = answers[address]
        return told.pop(0) if len(told) > 1 else told[0]

    monkeypatch.setattr(simulated_vms, "ssh_answers", ssh_answers)
    monkeypatch.setattr(simulated_vms, "PAUSE", 0)
    return answers


def test_ssh_answers_at_each_address(host: Host, answers: dict[str, list[bool]]) -> None:
    host.bring_up()
    answers |= {"192.0.2.9": [False, True], "2001:db8::9": [False, False, True]}
    virtual_machine.wait_for_ssh(host.machine, 60)
    assert answers["2001:db8::9"] == [True]


def test_a_boot_that_hangs_tells_the_last_lines(host: Host, answers: dict[str, list[bool]]) -> None:
    host.bring_up()
    answers |= {"192.0.2.9": [True], "2001:db8::9": [False]}
    lines = "".join(f"[    0.{number}] line\r\n" for number in range(30))
    Path(host.machine.console).write_text(f"{lines}\x1b[0;1;31mKernel panic\x1b[0m - not syncing\n")
    with pytest.raises(ClassvmError) as told:
        virtual_machine.wait_for_ssh(host.machine, 0)
    first, *rest = str(told.value).splitlines()
    assert "SSH does not answer at 192.0.2.9 and 2001:db8::9 after 0 s" in first
    assert host.machine.console in first
    assert len(rest) == virtual_machine.CONSOLE_LINES
    assert rest[-1] == "Kernel panic - not syncing"


def test_a_machine_that_ends_is_not_waited_for(host: Host, answers: dict[str, list[bool]]) -> None:
    host.bring_up()
    host.lose_power()
    answers |= {"192.0.2.9": [False], "2001:db8::9": [False]}
    with pytest.raises(ClassvmError, match="vm-148-9 did not boot: its QEMU has ended"):
        virtual_machine.wait_for_ssh(host.machine, 600)
