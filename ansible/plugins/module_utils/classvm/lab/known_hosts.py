"""The lab's known_hosts: the host keys that its VMs have now, read inside them.

VMs that were made anew have new keys. A file that SSH itself filled would still name the old ones,
and SSH would refuse to connect.
"""

from __future__ import annotations

import os
from typing import List, Sequence

from ..base.docker import Docker
from . import simulated_vms

FILE = "known_hosts"
READ_KEYS = "cat /etc/ssh/ssh_host_*_key.pub"


def lines(keys: str, addresses: Sequence[str]) -> List[str]:
    """Return the lines of known_hosts for one VM.

    Args:
        keys: its public host keys, one "TYPE KEY COMMENT" per line.
        addresses: the addresses at which SSH reaches it.

    """
    split = [line.split() for line in keys.splitlines()]
    return [f"{','.join(addresses)} {words[0]} {words[1]}" for words in split if len(words) > 1]


def text(docker: Docker, lab: str, machines: Sequence[simulated_vms.Machine]) -> str:
    """Return the text of known_hosts for the running VMs of a lab."""
    found: List[str] = []
    for machine in machines:
        keys = docker.check("exec", machine.container(lab), "sh", "-c", READ_KEYS)
        found += lines(keys, (machine.address, machine.address6))
    return "".join(f"{line}\n" for line in found)


def write(folder: str, content: str) -> bool:
    """Write the file into the lab's folder, for the owner of that folder.

    SSH adds other hosts to it. Return whether the keys of the VMs had changed.
    """
    path = os.path.join(folder, FILE)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            if file.read().startswith(content):
                return False
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)
    owner = os.stat(folder)
    os.chown(path, owner.st_uid, owner.st_gid)
    os.chmod(path, 0o600)
    return True
