"""What several plugins need to know of the run that they are a part of."""

from __future__ import annotations

import os
from typing import NoReturn

from ansible import context
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager, split_host_pattern
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display

from ..module_utils.classvm.inventory import limit
from ..module_utils.classvm.output import answer


def end(why: str) -> NoReturn:
    """End a run that cannot begin, in the way in which it was asked to answer."""
    Display().display(answer.refusal(why, os.environ))
    # Ansible itself would go on, or say it in words of its own.
    raise SystemExit(1)


def limit_given() -> str:
    """Return the limit of this run, or ""."""
    return str(context.CLIARGS.get("subset") or "")


def limited_to(given: str) -> list[str]:
    """Return the hosts and groups to which a limit restricts a run.

    What it leaves out ("!name") may be missing; a file of names ("@file") is left to Ansible, which
    knows "localhost" without any inventory.
    """
    names = [word.lstrip("&") for word in split_host_pattern(given) if word[0] not in "!@"]
    return [name for name in names if name != "localhost"]


def require_some_host(hosts: dict[str, set[str]], groups: set[str], subset: str) -> None:
    """End the run where its limit leaves no host: Ansible would, in words of its own."""
    manager = InventoryManager(DataLoader(), parse=False)
    for group in groups:
        manager.add_group(group)
    for host, of in hosts.items():
        for group in of:
            manager.add_host(host, group)
    manager.reconcile_inventory()
    try:
        manager.subset(subset)
        left = manager.list_hosts()
    except AnsibleError as error:
        end(f"LIMIT={subset} cannot be used: {str(error).rstrip('.')}")
    if left:
        return
    known = {*hosts, *groups}
    missing = [
        name for name in limited_to(subset) if not manager.get_hosts(name, ignore_limits=True)
    ]
    end(limit.missing(missing, known) if missing else limit.empty(subset, known))
