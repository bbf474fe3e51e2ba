"""What is another's: the engine, other processes, the settings, the history, the journal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from classvm.base.docker import SOCKET
from faults import apps

if TYPE_CHECKING:
    from faults.target import Target
    from infra.vm import Vm
    from students.account import Account

# Lines of the shell; {pid} is the service's first process, {state} the state folder. The twin is
# root, who reads something there: to find nothing would be no proof.
SPOKEN = (
    f"import socket; engine = socket.socket(socket.AF_UNIX); engine.connect('{SOCKET}');"
    " engine.sendall(b'GET /info HTTP/1.0' + bytes([13, 10] * 2)); print(engine.recv(1000))"
)
SECRETS = {
    "the engine, by its client": "docker ps --no-trunc",
    "the engine, by its socket": f'python3 -c "{SPOKEN}"',
    "the engine's other program": "ctr --namespace moby containers ls",
    "the service's environment": "tr '\\0' '\\n' </proc/{pid}/environ",
    "the service's memory": "head -c 1 /proc/{pid}/auxv",
    "the service's files": "ls /proc/{pid}/root/",
    "the service's open files": "ls /proc/{pid}/fd/",
    "the service's folder in the engine": "ls /var/lib/docker/containers",
    "the logs in the engine": "ls /var/lib/docker",
    "the settings of the last deploy": "cat {state}/settings-{service}.json",
    "the history": "cat {state}/releases.jsonl",
    "the lock": "cat {state}/lock",
    "the rules of sudo": "cat /etc/sudoers.d/classvm",
    "passwords": "cat /etc/shadow",
    "the guard's rules": "nft list ruleset | grep table",
}


@pytest.fixture(scope="module")
def places(target: Target) -> dict[str, str]:
    """Return what stands for the names in a command."""
    facts = target.facts
    return {
        "pid": target.pid(),
        "state": str(facts["classvm_state_dir"]),
        "service": str(facts["service_name"]),
    }


@pytest.mark.parametrize("command", SECRETS.values(), ids=SECRETS)
def test_it_is_not_a_student_s_to_read(
    command: str, places: dict[str, str], ada: Account, vm: Vm, target: Target
) -> None:
    line = command.format(**{**places, "pid": target.pid()})
    done = ada.run(line)
    assert done.code != 0, str(done)
    assert done.out == "", str(done)
    assert vm.read(line).strip()


def test_the_secret_of_a_deploy_is_told_by_no_verb(ada: Account, target: Target) -> None:
    secret = target.environment[apps.TALLY]
    assert secret in target.vm.read(f"cat {target.state_dir}/settings-*.json")
    for verb in ("status", "releases", "logs", "verify-image", "version"):
        done = ada.ask(verb)
        assert done.error == "", str(done)
        assert secret not in done.out
    told = ada.ask("rollback", {"protocol": 1, "check": True, "diff": True})
    assert told.error == "", str(told)
    assert secret not in told.out


# Prints what it sees of the arguments and variables of others' processes.
LOOK = """
import glob, sys, time
seen, end = set(), time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    for path in glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as file:
                seen.add(file.read())
        except OSError:
            pass
sys.stdout.buffer.write(b"\\n".join(seen))
"""


def test_no_secret_stands_in_the_arguments_of_a_program(ada: Account, target: Target) -> None:
    """Every account may read the command lines of all processes."""
    secret = target.environment[apps.TALLY]
    ada.run("cat >~/look.py", LOOK.encode())
    looking = ada.start("python3 ~/look.py 8")
    assert ada.ask("rollback", {"protocol": 1}).error == ""
    seen = looking.communicate(timeout=60)[0].decode(errors="replace")
    # It has seen the programs of the rollback: their arguments are everybody's.
    assert re.search(r"docker\0", seen)
    assert secret not in seen


def test_the_journal_tells_a_student_nothing_of_the_engine(ada: Account, vm: Vm) -> None:
    line = "journalctl --quiet --no-pager --lines 5 --unit docker"
    assert ada.run(line).out == ""
    assert vm.read(line).strip()


def test_the_processes_of_root_take_no_signals(ada: Account, vm: Vm) -> None:
    pid = vm.read("pgrep -o dockerd").strip()
    for name in ("STOP", "KILL", "HUP"):
        assert "Operation not permitted" in ada.run(f"kill -{name} {pid}").err
