"""The command that the scenario `vm` calls: a document in, a machine up or gone."""

from __future__ import annotations

import io
import json

import pytest
from classvm.base.errors import ClassvmError
from classvm.lab import simulated_vms
from qemu import __main__ as command
from qemu import virtual_machine, vm_disk

DOCUMENT = {
    "name": "vm-148-1",
    "folder": "/lab",
    "system": "ubuntu-22.04",
    "bridge": "br0",
    "addresses": ["192.0.2.9"],
    "public_key": "ssh-ed25519 A",
    "keyring": "/keys.gpg",
}


def run(monkeypatch: pytest.MonkeyPatch, state: str, document: object = DOCUMENT) -> int:
    monkeypatch.setattr("sys.argv", ["qemu", state])
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(document)))
    return command.main()


def test_a_machine_is_brought_up_until_ssh_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    change = virtual_machine.Change(make=True, plug=True, start=True)
    steps: list[tuple[object, ...]] = []
    monkeypatch.setattr(virtual_machine, "require_programs", lambda: steps.append(("programs",)))
    monkeypatch.setattr(simulated_vms, "name_servers", lambda: "nameserver 192.0.2.53\n")
    monkeypatch.setattr(virtual_machine, "plan", lambda _: change)
    monkeypatch.setattr(virtual_machine, "apply", lambda *words: steps.append(words))
    monkeypatch.setattr(virtual_machine, "wait_for_ssh", lambda *words: steps.append(words))
    assert run(monkeypatch, "up") == 0
    machine = steps[1][0]
    assert isinstance(machine, virtual_machine.Machine)
    assert (machine.folder, list(machine.dns)) == ("/lab/vm-148-1", ["192.0.2.53"])
    assert steps == [
        ("programs",),
        (machine, change, vm_disk.cache_folder(), "/keys.gpg"),
        (machine, command.SSH_SECONDS),
    ]


def test_name_and_folder_are_enough_to_remove_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[virtual_machine.Machine] = []
    monkeypatch.setattr(virtual_machine, "remove", removed.append)
    assert run(monkeypatch, "down", {"name": "vm-148-1", "folder": "/lab"}) == 0
    assert [machine.folder for machine in removed] == ["/lab/vm-148-1"]


def test_a_failure_is_told_with_its_cause(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: object) -> None:
        raise ClassvmError("it does not end")

    monkeypatch.setattr(virtual_machine, "remove", refuse)
    assert run(monkeypatch, "down") == 1
    assert capsys.readouterr().err == "it does not end\n"
