"""Why SSH does not reach a host: what ssh says, in plain words, and what to do then."""

from __future__ import annotations

import re
from typing import NamedTuple, Tuple

# Where the server listens, unless an inventory says otherwise.
SSH_PORT = 22
# Before its own word stands what Ansible makes of it, in one to three sentences.
SSH = "ssh: "
ANSIBLE = re.compile(r"^.*(?:reached over ssh|to the host via ssh): ", re.IGNORECASE)


class Trouble(NamedTuple):
    """Why a host is not reached.

    Attributes:
        cause: in plain words, without a full stop.
        action: what to do, beginning with a small letter; {host} stands for its name in the inventory.
            Where it ends with "then", the command shows whether that was it.
        command: for the shell, or ""; {address} stands for the words that ssh needs to reach the host,
            {forget} for those that ssh-keygen needs to forget its key.

    """

    cause: str
    action: str
    command: str = ""


# The first one whose pattern is in the message counts: ssh names the key before it says that it was refused.
TROUBLES: Tuple[Tuple[str, Trouble], ...] = (
    (
        r"no such identity: (.*?): ",
        Trouble(
            "there is no key {0} on this machine",
            "correct ansible_ssh_private_key_file of {host} in the inventory",
        ),
    ),
    (
        r"Permissions \S+ for '(.*?)' are too open",
        Trouble(
            "SSH leaves out the key {0}, because others may read it", "close it", "chmod 600 {0}"
        ),
    ),
    (
        r"Load key \"(.*?)\": (?:error in libcrypto|invalid format)",
        Trouble(
            "{0} is no private key",
            "correct ansible_ssh_private_key_file of {host} in the inventory",
        ),
    ),
    (
        r"(?:(\S+)@)?\S*: Permission denied",
        Trouble(
            "SSH does not let {0} in with this key",
            "correct ansible_user or the key of {host} in the inventory, or bring the key there",
            "ssh-copy-id {address}",
        ),
    ),
    (
        r"IDENTIFICATION HAS CHANGED",
        Trouble(
            "it has another host key than before",
            "if the machine is a new one, forget the old key",
            "ssh-keygen {forget}",
        ),
    ),
    (
        r"Host key verification failed",
        Trouble("its host key is not known here", "look at the key and accept it", "ssh {address}"),
    ),
    (
        r"Could not resolve hostname (\S+?):? ",
        Trouble(
            "no machine has the name {0}",
            "correct the name of {host}, or its ansible_host, in the inventory",
        ),
    ),
    (
        r"port (\d+): Connection refused",
        Trouble(
            "nothing listens for SSH there on port {0}",
            "start its SSH server, or correct ansible_port of {host} in the inventory, then",
            "ssh {address}",
        ),
    ),
    (
        r"Bad port '(.*?)'",
        Trouble("{0} is no port", "correct ansible_port of {host} in the inventory"),
    ),
    (
        r"(?:over ssh|via ssh):\s*$",
        Trouble(
            "it was reached, and then the connection ended",
            "look whether it is still on",
            "ssh {address}",
        ),
    ),
    (
        r"(No route to host|timed out|Network is unreachable)",
        Trouble(
            "it does not answer ({0})",
            "start the machine, then",
            "ssh {address}",
        ),
    ),
)
UNKNOWN = Trouble("{0}", "start the machine, then", "ssh {address}")


def trouble(message: str) -> Trouble:
    """Return why a host is not reached; {host}, {address} and {forget} are still to be filled in.

    Args:
        message: what Ansible says of it.

    """
    for pattern, found in TROUBLES:
        match = re.search(pattern, message, re.IGNORECASE)
        if match:
            return _filled(found, *(match.groups(default="you") or ("",)))
    said = [line.strip() for line in message.splitlines() if line.strip()] or ["no answer"]
    return _filled(UNKNOWN, ANSIBLE.sub("", said[-1]).rpartition(SSH)[2])


def _filled(template: Trouble, said: str) -> Trouble:
    return Trouble(*(part.replace("{0}", said) for part in template))
