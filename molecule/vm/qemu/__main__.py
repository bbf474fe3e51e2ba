"""Start or remove a virtual machine.

    python -m qemu up   < machine.json
    python -m qemu down < machine.json

The document has the attributes of `virtual_machine.Machine`; its `folder` is that of all machines,
in which each gets one of its own. `up` also reads `keyring`, the file with the keys that sign the
system's archive, and returns when SSH answers at each address. Both need root.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from classvm.base.errors import ClassvmError
from classvm.lab import simulated_vms

from . import virtual_machine, vm_disk

# A loaded machine without KVM took five minutes.
SSH_SECONDS = 600


def desired(document: dict[str, Any]) -> virtual_machine.Machine:
    """Return the machine that a document describes."""
    given = {name: value for name, value in document.items() if name != "keyring"}
    given["folder"] = os.path.join(document["folder"], document["name"])
    return virtual_machine.Machine(**given)


def up(document: dict[str, Any]) -> None:
    """Bring the machine up.

    Raises:
        ClassvmError: a program is missing or fails, or SSH does not answer in time.

    """
    virtual_machine.require_programs()
    dns = virtual_machine.name_servers(simulated_vms.name_servers())
    machine = desired({"dns": dns, **document})
    change = virtual_machine.plan(machine)
    virtual_machine.apply(machine, change, vm_disk.cache_folder(), document["keyring"])
    virtual_machine.wait_for_ssh(machine, SSH_SECONDS)


def down(document: dict[str, Any]) -> None:
    """Remove the machine, where there is one.

    Raises:
        ClassvmError: it does not end, or its folder holds files that are not the machine's.

    """
    virtual_machine.remove(desired(document))


def main() -> int:
    """Read the command line and the document; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m qemu", description=__doc__)
    parser.add_argument("state", choices=["up", "down"])
    work = {"up": up, "down": down}[parser.parse_args().state]
    try:
        work(json.load(sys.stdin))
    except ClassvmError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
