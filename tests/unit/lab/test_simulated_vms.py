from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from classvm.base.command import CommandError, Finished
from classvm.base.docker import Docker
from classvm.base.errors import ClassvmError
from classvm.lab import simulated_vms

if TYPE_CHECKING:
    from collections.abc import Callable

NET = simulated_vms.Network("vms", "br-0123456789ab", "172.30.148.1", "fd00:148:1::1")
ONE = simulated_vms.Machine("vm-148-1", "image:1", "class_vms", "172.30.148.11", "fd00:148:1::11")


class Engine(Docker):
    """An engine whose answers a function gives, by the words it is called with."""

    def __init__(self, answer: Callable[[str], tuple[int, str]]) -> None:
        super().__init__()
        self.answer = answer
        self.calls: list[str] = []

    def run(self, *words: str, stdin: bytes | None = None) -> Finished:
        del stdin
        said = " ".join(words)
        self.calls.append(said)
        code, text = self.answer(said)
        return Finished(words, code, "" if code else text, text if code else "")

    def check(self, *words: str, stdin: bytes | None = None) -> str:
        finished = self.run(*words, stdin=stdin)
        if finished.code:
            raise CommandError(finished)
        return finished.out


def container(machine: simulated_vms.Machine, *, running: bool = True) -> str:
    """Return what `docker container inspect` says of a machine."""
    return json.dumps(
        [
            {
                "Id": "1",
                "Name": "/" + machine.container("vms"),
                "Image": machine.image,
                "State": {"Running": running, "ExitCode": 0},
                "Config": {"Labels": {"classvm.lab.machine": machine.description}},
                "NetworkSettings": {},
            }
        ]
    )


# --- the network -----------------------------------------------------------------------------


def test_addresses_follow_the_order_of_the_machines() -> None:
    assert NET.addresses(0) == {"address": "172.30.148.11", "address6": "fd00:148:1::11"}
    assert NET.addresses(2) == {"address": "172.30.148.13", "address6": "fd00:148:1::13"}


def test_the_network_is_read_from_the_engine() -> None:
    pools = [{"Subnet": "172.30.150.0/24"}, {"Subnet": "fd00:150:ab::/64"}]
    said = json.dumps([{"Id": "0123456789abcdef", "IPAM": {"Config": pools}}])
    assert simulated_vms.network(Engine(lambda _: (0, said)), "vms") == simulated_vms.Network(
        "vms", "br-0123456789ab", "172.30.150.1", "fd00:150:ab::1"
    )


def test_a_network_that_is_there_is_kept() -> None:
    assert not simulated_vms.make_network(Engine(lambda _: (0, "[]")), "vms")


def test_a_subnet_that_is_taken_is_passed_over() -> None:
    def answer(said: str) -> tuple[int, str]:
        taken = "inspect" in said or "172.30.148.0" in said
        return (1, "Pool overlaps with other one on this address space") if taken else (0, "1")

    engine = Engine(answer)
    assert simulated_vms.make_network(engine, "vms")
    assert "172.30.149.0/24" in engine.calls[-1]


def test_any_other_refusal_is_an_error() -> None:
    with pytest.raises(CommandError, match="permission denied"):
        simulated_vms.make_network(Engine(lambda _: (1, "permission denied")), "vms")


def test_no_free_subnet_is_an_error() -> None:
    with pytest.raises(ClassvmError, match="docker network ls"):
        simulated_vms.make_network(Engine(lambda _: (1, "overlap")), "vms")


# --- machines --------------------------------------------------------------------------------


def test_the_command_line() -> None:
    words = simulated_vms.run_argv("vms", ONE, "/lab/resolv.conf")
    said = " ".join(words)
    assert "--name vms-vm-148-1 --hostname vm-148-1" in said
    assert "--network vms --ip 172.30.148.11 --ip6 fd00:148:1::11" in said
    assert "--volume /lab/resolv.conf:/etc/resolv.conf:ro" in said
    assert words[-1] == "image:1"
    assert "--privileged" not in words
    assert "--cap-add=SYS_RESOURCE" not in words


def test_a_missing_machine_is_started() -> None:
    engine = Engine(lambda said: (1, "No such container") if "inspect" in said else (0, ""))
    assert simulated_vms.make_machine(engine, "vms", ONE, "/r")
    assert engine.calls[-1].startswith("run --detach --name vms-vm-148-1")


def test_a_running_machine_is_left_alone() -> None:
    engine = Engine(lambda _: (0, container(ONE)))
    assert not simulated_vms.make_machine(engine, "vms", ONE, "/r")
    assert len(engine.calls) == 1


def test_a_stopped_machine_is_started_again() -> None:
    engine = Engine(lambda _: (0, container(ONE, running=False)))
    assert simulated_vms.make_machine(engine, "vms", ONE, "/r")
    assert engine.calls[-1] == "start vms-vm-148-1"


def test_a_machine_with_another_image_is_replaced() -> None:
    old = simulated_vms.Machine("vm-148-1", "image:0", "class_vms", ONE.address, ONE.address6)
    engine = Engine(lambda _: (0, container(old)))
    assert simulated_vms.make_machine(engine, "vms", ONE, "/r")
    assert engine.calls[1] == "rm --force --volumes vms-vm-148-1"
    assert engine.calls[2].startswith("run ")


def test_the_key_is_let_in_once() -> None:
    engine = Engine(lambda _: (0, "ssh-ed25519 A\n"))
    assert not simulated_vms.authorize_key(engine, "vms-vm-148-1", "ssh-ed25519 A\n")
    assert simulated_vms.authorize_key(engine, "vms-vm-148-1", "ssh-ed25519 B\n")


def test_boot_is_over_when_systemd_and_ssh_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulated_vms, "PAUSE", 0)
    states = iter(["starting", "running", "running"])
    answers = iter([False, True])
    monkeypatch.setattr(simulated_vms, "ssh_answers", lambda _: next(answers))
    engine = Engine(lambda _: (0, next(states)))
    assert simulated_vms.wait_for_boot(engine, "vms-vm-148-1", ONE.address) == "running"
    assert len(engine.calls) == 3


def test_a_machine_that_does_not_boot_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulated_vms, "BOOT_SECONDS", 0)
    engine = Engine(lambda _: (0, "ssh.service loaded failed"))
    with pytest.raises(ClassvmError, match=r"ssh\.service loaded failed"):
        simulated_vms.wait_for_boot(engine, "vms-vm-148-1", ONE.address)


@pytest.mark.parametrize(("greeting", "is_ssh"), [(b"SSH-2.0-x\r\n", True), (b"HTTP/1.1", False)])
def test_an_ssh_server_is_known_by_its_greeting(
    greeting: bytes,
    is_ssh: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(simulated_vms, "SSH_PORT", server.getsockname()[1])
        answer = threading.Thread(target=lambda: server.accept()[0].sendall(greeting), daemon=True)
        answer.start()
        assert simulated_vms.ssh_answers("127.0.0.1") is is_ssh


def test_nobody_greets_on_a_closed_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setattr(simulated_vms, "SSH_PORT", port)
    assert not simulated_vms.ssh_answers("127.0.0.1")


# --- the end ---------------------------------------------------------------------------------


def test_machines_that_are_not_wished_any_more_are_known() -> None:
    engine = Engine(lambda _: (0, "vms-vm-148-1\nvms-vm-148-2\n"))
    assert simulated_vms.surplus(engine, "vms", [ONE]) == ["vms-vm-148-2"]


def test_all_of_the_lab_is_removed_with_its_volumes() -> None:
    engine = Engine(lambda said: (0, "vms-vm-148-1" if said.startswith("ps") else ""))
    assert simulated_vms.remove(engine, "vms") == ["vms-vm-148-1", "vms"]
    assert "rm --force --volumes vms-vm-148-1" in engine.calls
    assert engine.calls[-1] == "network rm vms"


def test_there_may_be_no_lab() -> None:
    engine = Engine(lambda said: (0, "") if said.startswith("ps") else (1, "no such network"))
    assert simulated_vms.remove(engine, "vms") == []
