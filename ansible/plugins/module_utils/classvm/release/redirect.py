"""Lead new connections for the host's port to the candidate, while the port changes hands.

The rules stand in a table of nftables of our own, which is never saved: a reboot removes it.
Connections stay where they began: the kernel decides for a connection once. Those that were led go
on until the table is removed, those that began before are known by their first packet. The candidate is published on a port of its own, which the table closes to
everybody who calls it directly.

Two ways lead to the candidate. IPv4 from other machines goes to the container's own address, so
that the service sees its clients'. Everything else goes to the candidate's own port, where Docker's
proxy accepts it: IPv6, for which the container has no address; programs of this host, because an
answer for 127.0.0.1 would not find back from a bridge; and other containers, which Docker keeps
from bridges that are not theirs.
"""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import dataclass
from typing import Optional, Tuple

from ..base import account, command, state
from ..base.errors import ClassvmError

NO_NFTABLES, NOT_ROOT = "no nftables", "not root"
TABLE = "classvm_swap"
PROGRAM = "nft"
# Where it is, which need not be on the path of an account that is not root.
FOLDERS = "/usr/sbin:/sbin"
BOOT_ID = "/proc/sys/kernel/random/boot_id"

# Just before Docker's own rules: priority dstnat, -100; what comes first decides. The port is closed
# before any address is rewritten, and only to those who call: an answer to this host may arrive on it.
REMOVED = """\
table inet {table}
delete table inet {table}
"""
CLOSED = """\
table inet {table} {{
	chain closed {{
		type filter hook prerouting priority mangle - 1; policy accept;
		iif != "lo" ct direction original tcp dport {own_port} drop
	}}
}}
"""
CHAINS = """\
table inet {table} {{
	chain output {{
		type nat hook output priority -101; policy accept;
	}}
	chain prerouting {{
		type nat hook prerouting priority -101; policy accept;
	}}
}}
"""
# What the kernel has not followed from its first packet on is of a connection that began before.
LED = """\
table inet {table} {{
	chain output {{
		tcp flags & (fin | syn | rst | ack) != syn accept
		fib daddr type local tcp dport {port} redirect to :{own_port}
	}}
	chain prerouting {{
		tcp flags & (fin | syn | rst | ack) != syn accept
		fib daddr type != local accept
		tcp dport {port} meta nfproto ipv6 redirect to :{own_port}
		tcp dport {port} iifname {{ "docker*", "br-*" }} redirect to :{own_port}
		tcp dport {port} dnat ip to {address}:{container_port}
	}}
}}
"""
ENDED = """\
flush chain inet {table} output
flush chain inet {table} prerouting
"""


@dataclass(frozen=True)
class Redirect:
    """From a port of the host to the candidate.

    Attributes:
        service: name of the service.
        state_dir: folder with the host's state, where `is_left` finds a note of it.
        port: TCP port of the host that clients call.
        own_port: TCP port of the host on which the candidate is published.
        container_port: TCP port inside its container.

    """

    service: str
    state_dir: str
    port: int
    own_port: int
    container_port: int

    def close(self) -> None:
        """Close the candidate's own port to other machines.

        Raises:
            ClassvmError: nftables does not accept the rules.

        """
        load(self._rules(CLOSED))

    def lead(self, address: str) -> None:
        """Lead new connections to the candidate, whose container has that IPv4 address.

        Raises:
            ClassvmError: nftables does not accept the rules; connections go where they went.

        """
        # Before the rules: whoever finds them shall find the note.
        note = f"{_boot()} {self.port}"
        state.write_atomically(_note(self.state_dir, self.service), note)
        load(self._rules(CLOSED + CHAINS + LED, address))

    def _rules(self, chains: str, address: str = "") -> str:
        return (REMOVED + chains).format(
            table=table(self.service),
            port=self.port,
            own_port=self.own_port,
            address=address,
            container_port=self.container_port,
        )


def obstacle() -> str:
    """Return why this process cannot redirect connections, "" where it can."""
    if not _program():
        return NO_NFTABLES
    if _as_root() is None:
        return NOT_ROOT
    # The kernel of a container, or an old one, may refuse them.
    example = (REMOVED + CLOSED + CHAINS + LED).format(
        table=TABLE, port=1, own_port=2, address="127.0.0.1", container_port=1
    )
    return NO_NFTABLES if _nft(example, "--check").code else ""


def free_port() -> int:
    """Return a TCP port that nobody has, over IPv4 or IPv6."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def end(service: str) -> None:
    """Let new connections go again to whoever has the port; those that were led go on.

    Raises:
        ClassvmError: this account may not, or nftables does not answer.

    """
    load((CHAINS + ENDED).format(table=table(service)))


def remove(service: str, state_dir: str) -> None:
    """Remove the rules; a connection that was led and is still there breaks.

    Raises:
        ClassvmError: this account may not, or nftables does not answer.

    """
    load(REMOVED.format(table=table(service)))
    state.remove(_note(state_dir, service))


def is_left(service: str, state_dir: str) -> bool:
    """Tell whether connections may still be led to a candidate; the note of an earlier boot goes."""
    note = _note(state_dir, service)
    if not state.read(note):
        return False
    if led_port(service, state_dir) is None:
        state.remove(note)
        return False
    return True


def led_port(service: str, state_dir: str) -> Optional[int]:
    """Return from which port of the host connections may be led to a candidate; None where from none.

    It only looks. Rules of an earlier boot are gone.
    """
    boot, _, port = state.read(_note(state_dir, service)).partition(" ")
    return int(port or 0) if boot and boot == _boot() else None


def require_right_to_end(service: str) -> None:
    """Make sure that this account can end what an interrupted run of root's has left.

    Raises:
        ClassvmError: it cannot.

    """
    reason = obstacle()
    if reason:
        raise ClassvmError(
            f"A swap that root began was cut off, and only root can end it ({reason}). The service"
            " goes on answering",
            fix="Run the same command again as an account with sudo, or ask an admin to run"
            f" `sudo nft delete table inet {table(service)}`.",
        )


def table(service: str) -> str:
    """Return the name of the table; services of one host have each their own."""
    return f"{TABLE}_{service.replace('-', '_')}"


def load(rules: str) -> None:
    """Have nftables apply rules, all of them in one step or none.

    Raises:
        ClassvmError: it does not, or this account may not.

    """
    loaded = _nft(rules)
    if loaded.code:
        raise command.CommandError(loaded)


def _nft(rules: str, *options: str) -> command.Finished:
    argv = [*(_as_root() or ()), _program() or PROGRAM, *options, "--file", "-"]
    return command.run(argv, stdin=rules.encode())


def _program() -> Optional[str]:
    return shutil.which(PROGRAM, path=f"{os.environ.get('PATH', '')}:{FOLDERS}")


def _as_root() -> Optional[Tuple[str, ...]]:
    return account.root_argv(account.privilege(()))


def _note(state_dir: str, service: str) -> str:
    return os.path.join(state_dir, f"redirect-{service}")


def _boot() -> str:
    return state.read(BOOT_ID).strip()
