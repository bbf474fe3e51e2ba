"""Install the guard, or open a port in the firewall that is already there.

The guard is a table of our own in nftables that filters before Docker rewrites addresses.
A new guard that cuts the control node off takes itself back: it stays only if a later
connection confirms it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import List, Mapping, Optional, Sequence

from ..base import command
from ..base.errors import ClassvmError

FOLDER = Path("/etc/classvm")
TABLE = "classvm"
UNIT = "classvm-guard.service"
UNITS = Path("/etc/systemd/system")
REVERT_SECONDS = 30
NOT_LOADED = "the guard is not loaded"
BY_HAND = "the guard's rules were changed by hand"
# How the guard of a host is; ``UNKNOWN`` to an account that may not list the rules.
NONE, LOADED, MISSING, CHANGED, UNKNOWN = "none", "loaded", "missing", "changed", "unknown"


@dataclass(frozen=True)
class Files:
    """The files of the guard in a folder.

    Attributes:
        rules: the ruleset that boots with the host.
        trial: the ruleset that waits for its confirmation.
        listing: how nftables listed the ruleset after it was applied.
        revert: process id of the shell that takes a trial back.

    """

    rules: Path = FOLDER / "guard.nft"
    trial: Path = FOLDER / "guard.nft.trial"
    listing: Path = FOLDER / "guard.listing"
    # Under /run, so that no later boot takes the number for another process's.
    revert: Path = Path("/run/classvm-guard-revert.pid")


def watched(files: Files = Files()) -> List[Path]:
    """Return the files that decide whether the guard is loaded, now and at each boot."""
    return [
        files.rules,
        UNITS / UNIT,
        UNITS / "sysinit.target.wants" / UNIT,
        UNITS / "nftables.service.d" / "classvm-guard.conf",
    ]


def problem(as_root: Sequence[str], files: Files = Files()) -> str:
    """Return why the guard in the kernel is not the installed one; "" when it is, or none is.

    Args:
        as_root: words before a command that make it root's; only root may list the rules.
        files: the guard's files.

    """
    if not files.rules.exists():
        return ""
    loaded = listing(as_root)
    if not loaded:
        return NOT_LOADED
    if not files.listing.exists() or files.listing.read_text(encoding="utf-8") != loaded:
        return BY_HAND
    return ""


def standing(as_root: Optional[Sequence[str]], *, expected: bool, files: Files = Files()) -> str:
    """Return how the guard of this host is: one of the words above.

    Args:
        as_root: words before a command that make it root's, None where this account cannot be root.
        expected: whether the last provision has installed one.
        files: the guard's files.

    """
    if not files.rules.exists():
        return MISSING if expected else NONE
    if as_root is None:
        return UNKNOWN
    return {NOT_LOADED: MISSING, BY_HAND: CHANGED}.get(problem(as_root, files), LOADED)


def ruleset(
    rules: str,
    open_tcp: Sequence[int],
    ssh_ports: Sequence[int],
    dhcp_client_ports: Sequence[int] = (),
) -> str:
    """Return the whole ruleset: the definitions of the ports, then the rules, which refer to them.

    Args:
        rules: text of the rules with the names SSH, OPEN_TCP and DHCP_CLIENT.
        open_tcp: TCP ports of the host that anybody may reach.
        ssh_ports: ports of the SSH server, always open.
        dhcp_client_ports: UDP ports that DHCP clients of the host hold.

    Raises:
        ClassvmError: no SSH port is known.

    """
    if not ssh_ports:
        raise ClassvmError(
            "No port of an SSH server was found, so the guard would lock everybody out",
            fix="Start the SSH server of this host, then run `make provision` again.",
        )
    ports = {"SSH": ssh_ports, "OPEN_TCP": open_tcp, "DHCP_CLIENT": dhcp_client_ports}
    definitions = [f"define {name} = {{ {_port_set(ports[name])} }}\n" for name in ports]
    return "".join([*definitions, "\n", rules])


def _port_set(ports: Sequence[int]) -> str:
    """Return the elements of a set of ports."""
    # nftables allows no empty set in a rule. Nobody can listen on port 0.
    return ", ".join(str(port) for port in sorted({*ports})) or "0"


def ssh_ports(environment: Mapping[str, str] = os.environ) -> List[int]:
    """Return the ports of the SSH server: configured, listening, and in use right now."""
    configured: List[str] = []
    if shutil.which("sshd"):
        configured = re.findall(r"^port (\d+)$", command.run(["sshd", "-T"]).out, re.MULTILINE)
    # systemd's ssh.socket may listen elsewhere than sshd's own configuration says.
    listening = re.findall(r":(\d+)\s.*\"sshd\"", command.run(["ss", "-Hltnp"]).out)
    # "client-address client-port server-address server-port", set by sshd; sudo drops it
    in_use = environment.get("SSH_CONNECTION", "").split()[3:]
    return sorted({int(port) for port in [*configured, *listening, *in_use]})


def dhcp_client_ports(listening: str = "") -> List[int]:
    """Return the UDP ports that DHCP clients of this host hold (68 for IPv4, 546 for IPv6).

    While a client holds the port, Docker cannot publish it. Clients that read raw packets need
    no rule for that: they see packets before nftables does.

    Args:
        listening: output of `ss -Hulnp` as root; empty to run it here.

    """
    listed = listening or command.run(["ss", "-Hulnp"]).out
    held = re.findall(r":(68|546)\s+\S+\s+users:\(\(\"([^\"]+)\"", listed)
    return sorted({int(port) for port, program in held if not program.startswith("docker")})


def listing(as_root: Sequence[str] = ()) -> str:
    """Return the guard as nftables holds it, without counters; "" when it is not loaded."""
    if not as_root and shutil.which("nft") is None:
        return ""
    finished = command.run([*as_root, "nft", "--stateless", "list", "table", "inet", TABLE])
    return finished.out if finished.code == 0 else ""


def is_current(desired: str, files: Files = Files()) -> bool:
    """Tell whether the desired guard is installed, loaded and unchanged since."""
    return (
        files.rules.exists()
        and files.rules.read_text(encoding="utf-8") == desired
        and files.listing.exists()
        and bool(listing())
        and files.listing.read_text(encoding="utf-8") == listing()
    )


def try_out(desired: str, files: Files = Files(), seconds: int = REVERT_SECONDS) -> None:
    """Load a ruleset on trial; without `confirm` it is taken back.

    Raises:
        ClassvmError: nftables does not accept the ruleset; nothing was changed.

    """
    files.trial.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    files.trial.write_text(desired, encoding="utf-8")
    # Everybody may read what is open, whatever umask root has.
    files.trial.chmod(0o644)
    checked = command.run(["nft", "--check", "--file", str(files.trial)])
    if checked.code:
        files.trial.unlink()
        raise command.CommandError(
            checked,
            "nftables does not accept the rules of the guard",
            fix="Correct host_open_tcp.",
        )
    _end_revert(files)
    revert = subprocess.Popen(  # noqa: S603 - fixed words and our own paths
        ["/bin/sh", "-c", f"sleep {seconds}; {revert_script(files)}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    files.revert.write_text(str(revert.pid), encoding="ascii")
    command.check(["nft", "--file", str(files.trial)])


def revert_script(files: Files) -> str:
    """Return the shell command that takes a trial back: the confirmed guard, or none."""
    # The confirmed guard replaces the trial in one transaction: no packet passes in between.
    return (
        f"nft --file {files.rules} || nft delete table inet {TABLE}; "
        f"rm -f {files.trial} {files.revert}"
    )


def confirm(files: Files = Files()) -> None:
    """Keep the ruleset that is on trial. The caller's connection was made after it was loaded.

    Raises:
        ClassvmError: the trial was taken back.

    """
    if not files.trial.exists():
        raise ClassvmError(
            "The new guard was taken back because nobody could connect in time. Check"
            " firewall_open_tcp and the SSH port, then run `make provision` again.",
        )
    _end_revert(files)
    files.trial.replace(files.rules)
    files.listing.write_text(listing(), encoding="utf-8")
    files.listing.chmod(0o644)


def _end_revert(files: Files) -> None:
    if files.revert.exists():
        # The negative number means the whole session: the shell and its `sleep`.
        command.run(["kill", "--", f"-{files.revert.read_text(encoding='ascii')}"])
        files.revert.unlink()


def is_there(files: Files = Files()) -> bool:
    """Tell whether there is a guard: loaded, or installed for the next boot."""
    return bool(listing()) or files.rules.exists()


def remove(files: Files = Files()) -> bool:
    """Remove the guard; return whether there was one."""
    there = is_there(files)
    if there:
        _end_revert(files)
        command.run(["nft", "delete", "table", "inet", TABLE])
        for path in (files.rules, files.trial, files.listing):
            if path.exists():
                path.unlink()
    return there
