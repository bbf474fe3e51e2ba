"""Attacks by folders and files: the present folder, the state folder, links, the lock."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from classvm.base import progress, state
from classvm.program import protocol
from students.account import MARK, MARKING

if TYPE_CHECKING:
    from infra.vm import Vm
    from students.account import Account

# --- The present folder ---------------------------------------------------------------------------

MODULES = ("json.py", "signal.py", "argparse.py", "classvm.py")


def test_modules_beside_are_not_imported(ada: Account, vm: Vm) -> None:
    folder = ada.run("mktemp -d").out.strip()
    code = f"import os; os.system({MARKING!r})\n"
    for name in MODULES:
        ada.run(f"cat >{folder}/{name}", code.encode())
    for done in (
        ada.ask_sudo("status", before=f"cd {folder}; "),
        ada.ask("status", before=f"cd {folder}; "),
    ):
        assert done.error == "", str(done)
    assert vm.root(f"ls {MARK}-*").rc != 0
    # Python started without -I reads them.
    ada.run(f"cd {folder}; python3 -c 'import json'")
    assert vm.root(f"ls {MARK}-*").rc == 0


FOLDERS = {
    "removed": 'cd "$(mktemp -d)"; rmdir "$PWD"; ',
    "closed": 'cd "$(mktemp -d)"; chmod 0 "$PWD"; ',
    "with a newline": "cd \"$(mktemp -d)\"; mkdir $'a\\nb'; cd $'a\\nb'; ",
}


@pytest.mark.parametrize("before", FOLDERS.values(), ids=FOLDERS)
def test_a_present_folder_without_use_is_harmless(before: str, ada: Account) -> None:
    assert ada.ask_sudo("status", before=before).error == ""
    assert ada.ask("status", before=before).error == ""


# --- The state folder -----------------------------------------------------------------------------

# Each is done in the state folder, which `0` names.
WRITES = {
    "a new file": "touch {0}/new",
    "a link in the place of the lock": "ln -sf /etc/passwd {0}/lock",
    "a link in the place of a new file": "ln -s /etc/passwd {0}/host.json.new",
    "another state folder": "mv {0} {0}.old",
    "a link in the folder of progress": "ln -s /etc/passwd {0}/progress/" + "a" * 32,
    "another host's choices": "cp /etc/passwd {0}/host.json",
    "a longer history": "echo '{{}}' >>{0}/releases.jsonl",
    "other settings": "echo '{{}}' >{0}/settings-lab.json",
    "the program": "cp /bin/true /usr/local/lib/classvm/classvm",
    "the link to the program": "ln -sf /bin/true /usr/local/bin/classvm",
    "the link to the state folder": "ln -sfn /tmp /usr/local/lib/classvm/state",
    "the rules of sudo": "cp /dev/null /etc/sudoers.d/classvm",
}


@pytest.mark.parametrize("command", WRITES.values(), ids=WRITES)
def test_what_root_works_with_is_not_a_student_s_to_write(
    command: str, ada: Account, vm: Vm
) -> None:
    done = ada.run(command.format(vm.facts["classvm_state_dir"]))
    assert done.code != 0
    assert re.search(r"Permission denied|Operation not permitted|are the same", done.err), str(done)


def test_the_state_folder_belongs_to_root(vm: Vm) -> None:
    folder = vm.facts["classvm_state_dir"]
    # The docker group is as good as root.
    foreign = vm.read("find %s ! -user root -o -perm /002 ! -type l", folder)
    assert foreign == ""


def test_who_cannot_open_the_lock_cannot_hold_it(ada: Account, vm: Vm) -> None:
    """To read a file is enough to lock it, and every deploy would wait in vain."""
    lock = f"{vm.facts['classvm_state_dir']}/{state.LOCK}"
    attack = f"flock --exclusive --nonblock {lock} true"
    done = ada.run(attack)
    assert "Permission denied" in done.err, str(done)
    mode = vm.read("stat --format %%a %s", lock).strip()
    vm.read("chmod 0664 %s", lock)
    try:
        assert ada.run(attack).code == 0
    finally:
        vm.read("chmod %s %s", mode, lock)


# --- Names of the file that tells what is going on ------------------------------------------------

TOKENS = [
    "../../../etc/cron.d/" + "a" * 12,
    "/etc/" + "a" * 27,
    "a" * 31,
    "a" * 32 + "\n",
    "A" * 32,
    "a" * 16 + "\x00" + "a" * 15,
]


@pytest.mark.parametrize("token", TOKENS, ids=range(len(TOKENS)))
def test_progress_has_no_other_name(token: str, ada: Account) -> None:
    request = {"protocol": protocol.PROTOCOL, "progress": token}
    assert ada.ask("status", request).error == protocol.REQUEST


def test_progress_never_follows_a_link_or_another_s_file(ada: Account, vm: Vm) -> None:
    folder = f"{vm.facts['classvm_state_dir']}/{progress.FOLDER}"
    token, victim = "b" * 32, "/var/tmp/victim"  # noqa: S108 - made here
    request = {"protocol": protocol.PROTOCOL, "progress": token}
    vm.read(f"mkdir -p {folder} && echo mine >{victim} && ln -s {victim} {folder}/{token}")
    try:
        assert ada.ask("status", request).error == ""
        assert vm.read("cat %s", victim) == "mine\n"
    finally:
        vm.read(f"rm -f {folder}/{token} {victim}")


# --- Folders in which everybody may write ---------------------------------------------------------

# Prints the name of each file that appears there; the time between two looks is a millisecond.
WATCH = """
import os, sys, time
folders = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock")
def names():
    return {f"{folder}/{name}" for folder in folders for name in os.listdir(folder)}
before, end = names(), time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    for name in names() - before:
        before.add(name)
        print(name, flush=True)
    time.sleep(0.001)
"""


def seen_during(ada: Account, deed: str, seconds: float) -> str:
    """Return the names that appear in folders of everybody during a deed."""
    ada.run("cat >~/watch.py", WATCH.encode())
    watching = ada.start(f"python3 ~/watch.py {seconds}")
    time.sleep(1)
    done = ada.run(deed)
    assert done.code == 0, str(done)
    return watching.communicate(timeout=seconds + 30)[0].decode()


# The engine's own, whose names nobody can know before.
OF_THE_ENGINE = re.compile(r"/tmp/(containerd-mount|runc-process)[0-9]+\n")  # noqa: S108 - not made here


def test_root_makes_no_file_where_a_student_could_place_a_link(ada: Account) -> None:
    seen = seen_during(ada, "classvm rollback --json </dev/null", 12)
    assert OF_THE_ENGINE.sub("", seen) == ""
    made = seen_during(ada, "touch /tmp/made; sleep 1; rm /tmp/made", 4)
    assert OF_THE_ENGINE.sub("", made) == "/tmp/made\n"  # noqa: S108 - made here
