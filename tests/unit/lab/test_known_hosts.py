from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from classvm.base.docker import Docker
from classvm.lab import known_hosts, simulated_vms

if TYPE_CHECKING:
    from pathlib import Path

ONE = simulated_vms.Machine("vm-148-1", "image:1", "class_vms", "172.30.148.11", "fd00::11")
KEYS = "ssh-ed25519 AAAA root@vm\necdsa-sha2-nistp256 BBBB\n\n"
LINES = [
    "172.30.148.11,fd00::11 ssh-ed25519 AAAA",
    "172.30.148.11,fd00::11 ecdsa-sha2-nistp256 BBBB",
]


class Engine(Docker):
    """An engine in whose containers the host keys are read."""

    def check(self, *words: str, stdin: bytes | None = None) -> str:
        del stdin
        assert words[:2] == ("exec", "vms-vm-148-1")
        assert "/etc/ssh/ssh_host_" in words[-1]
        return KEYS


def test_each_key_of_a_vm_has_a_line_with_its_addresses() -> None:
    assert known_hosts.lines(KEYS, (ONE.address, ONE.address6)) == LINES
    assert known_hosts.text(Engine(), "vms", [ONE]).splitlines() == LINES


def test_new_keys_replace_the_old_ones(tmp_path: Path) -> None:
    file = tmp_path / known_hosts.FILE
    file.write_text("172.30.148.11 ssh-ed25519 OLD\n")
    assert known_hosts.write(str(tmp_path), "172.30.148.11 ssh-ed25519 NEW\n")
    assert "OLD" not in file.read_text()


def test_a_host_that_ssh_added_stays_while_the_keys_stay(tmp_path: Path) -> None:
    file = tmp_path / known_hosts.FILE
    file.write_text("a ssh-ed25519 A\nother ssh-ed25519 B\n")
    assert not known_hosts.write(str(tmp_path), "a ssh-ed25519 A\n")
    assert "other" in file.read_text()


def test_the_file_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    known_hosts.write(str(tmp_path), "a ssh-ed25519 A\n")
    file = os.stat(tmp_path / known_hosts.FILE)
    assert file.st_uid == os.stat(tmp_path).st_uid
    assert stat.S_IMODE(file.st_mode) == 0o600
