"""Attacks through sudo: words and options of the command line, and what a caller hands on."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest
from classvm.base import installed
from classvm.program import protocol, student
from students.account import MARK, MARKING, PROGRAM, SUDO

if TYPE_CHECKING:
    from infra.vm import Vm
    from students.account import Account

STATUS = shlex.join(student.argv("status"))

# --- Words --------------------------------------------------------------------------------------

# Each is a command line of its own; sudo refuses it before anything is started.
WORDS = {
    "one more word": f"{SUDO} {STATUS} --json",
    "one more option": f"{SUDO} {STATUS} --state-dir=/tmp",
    "an empty word": f"{SUDO} {STATUS} ''",
    "a word with a newline": f"{SUDO} {PROGRAM} --student $'status\\nstop' --json",
    "a word less": f"{SUDO} {PROGRAM} --student status",
    "another order": f"{SUDO} {PROGRAM} --student --json status",
    "without the word for students": f"{SUDO} {PROGRAM} status --json",
    "no verb": f"{SUDO} {PROGRAM} --student",
    "the help of it": f"{SUDO} {PROGRAM} --help",
    "an unknown verb": f"{SUDO} {PROGRAM} --student fly --json",
    "two verbs": f"{SUDO} {PROGRAM} --student status stop --json",
    "a verb with a star": f"{SUDO} {PROGRAM} --student '*' --json",
    "the file behind the link": f"{SUDO} {installed.HERE.program} --student status --json",
    "a copy at home": f"cp {PROGRAM} ~/classvm; {SUDO} ~/classvm --student status --json",
    "Python with it": f"{SUDO} python3 {STATUS}",
    "the engine's client": f"{SUDO} docker ps",
    "a shell": f"{SUDO} sh -c id",
    "an editor": "SUDO_EDITOR='sh -c id' sudoedit -n /etc/passwd",
}


@pytest.mark.parametrize("line", WORDS.values(), ids=WORDS)
def test_other_words_are_refused(line: str, ada: Account) -> None:
    done = ada.run(line)
    assert done.code != 0
    assert done.out == "", str(done)
    assert "a password is required" in done.err or "not allowed" in done.err, str(done)


@pytest.mark.parametrize("line", ["docker ps", "true"])
def test_the_same_words_are_an_admin_s(line: str, admin: Account) -> None:
    assert admin.run(f"{SUDO} {line}").code == 0


def test_the_line_itself_is_allowed(ada: Account) -> None:
    plain = ada.ask_sudo("status")
    assert plain.error == ""
    # For sudo, that is the same file.
    other = ada.run(f"{SUDO} /usr/local/bin/../bin/classvm --student status --json")
    assert other.answer == plain.answer


# --- Options ------------------------------------------------------------------------------------

OPTIONS = {
    "a shell": "-s",
    "a login": "-i",
    "another account": "-u bob",
    "the account -1": "-u#-1",
    "the account 4294967295": "-u#4294967295",
    "the group docker": "-g docker",
    "the environment": "-E",
    "a variable of the environment": "--preserve-env=PATH",
    "a variable on the line": "PATH=/tmp",
    "the loader's variable": "LD_PRELOAD=/tmp/x.so",
    "another folder": "-D /tmp",
    "another root": "-R /",
    "open files": "-C 100",
    "a time limit": "-T 1",
    "an editor": "-e",
}


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_options_of_sudo_are_refused(option: str, ada: Account) -> None:
    done = ada.ask_sudo("status", options=option)
    assert done.code != 0, str(done)
    assert done.answer == {}, str(done)


@pytest.mark.parametrize("option", ["-E", "-u bob", "PATH=/bin", "-s"])
def test_the_same_options_are_an_admin_s(option: str, admin: Account) -> None:
    assert admin.run(f"{SUDO} {option} id").code == 0


def test_sudo_lists_exactly_the_program(ada: Account) -> None:
    listed = " ".join(ada.run("sudo -n -l").out.split())
    allowed = listed.rpartition("may run the following commands on")[2]
    assert allowed.count("(root) NOPASSWD: ") == 1
    lines = allowed.partition("NOPASSWD: ")[2].split(", ")
    assert {line.strip() for line in lines} == {shlex.join(student.argv(v)) for v in student.VERBS}


# --- The environment ----------------------------------------------------------------------------

LIBRARY = f"""
#include <stdlib.h>
__attribute__((constructor)) static void run(void) {{
    unsetenv("LD_PRELOAD");
    system("{MARKING}");
}}
"""
MODULE = f"import os\nos.system({MARKING!r})\n"
TOOL = f"#!/bin/sh\n{MARKING}\n"
# In two parts, because the kit has that very version.
METADATA = json.dumps({"SchemaVersion": "0." + "1.0", "Vendor": "x", "Version": "1"})
PLUGIN = (
    f"#!/bin/sh\ncase \"$1\" in docker-cli-plugin-metadata) echo '{METADATA}';; esac\n{MARKING}"
)


@pytest.fixture(scope="module")
def weapons(ada: Account, vm: Vm) -> str:
    """Return a folder of the student's with code that leaves a mark where it runs."""
    files = {
        "modules/json.py": MODULE,
        "modules/sitecustomize.py": MODULE,
        "modules/classvm/__init__.py": MODULE,
        "tools/docker": TOOL,
        "tools/python3": TOOL,
        "tools/nft": TOOL,
        "home/.docker/cli-plugins/docker-evil": PLUGIN,
        "home/.docker/config.json": json.dumps({"cliPluginsExtraDirs": ["/"]}),
        "empty/libc.so.6": "none",
        "library.c": LIBRARY,
    }
    folder = ada.run("mktemp -d").out.strip()
    site = ada.run(f"PYTHONUSERBASE={folder}/user python3 -m site --user-site").out.strip()
    files[f"{site.replace(folder, '').lstrip('/')}/usercustomize.py"] = MODULE
    for name, content in files.items():
        path = f"{folder}/{name}"
        done = ada.run(f"mkdir -p {path.rpartition('/')[0]} && cat >{path}", content.encode())
        assert done.code == 0, str(done)
    assert ada.run(f"chmod -R u+x {folder}/tools {folder}/home").code == 0
    # A class VM has no compiler of its own.
    vm.read("command -v gcc || DEBIAN_FRONTEND=noninteractive apt-get install -qq -y gcc libc6-dev")
    done = ada.run(f"cd {folder} && gcc -shared -fPIC -o library.so library.c")
    assert done.code == 0, str(done)
    return folder


# What is set, and a command that shows that it takes effect where nothing is in its way.
VARIABLES = {
    "LD_PRELOAD": ("LD_PRELOAD={0}/library.so", "/bin/true"),
    "PYTHONPATH": ("PYTHONPATH={0}/modules", "python3 -c 'import json'"),
    "PATH": ("PATH={0}/tools:$PATH", "docker version"),
    "PATH of Python": ("PATH={0}/tools:$PATH", "python3 -c pass"),
    "PYTHONUSERBASE": ("PYTHONUSERBASE={0}/user", "python3 -c pass"),
    "DOCKER_CONFIG": ("DOCKER_CONFIG={0}/home/.docker", "docker evil"),
    "HOME": ("HOME={0}/home", "docker evil"),
}


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_of_the_caller_runs_nothing_as_root(
    name: str, weapons: str, ada: Account, vm: Vm
) -> None:
    setting, twin = VARIABLES[name]
    before = f"export {setting.format(weapons)}; "
    for done in (
        ada.ask_sudo("status", before=before),
        ada.ask_sudo("rollback", b'{"protocol": 1, "check": true}', before=before),
    ):
        assert done.error == "", str(done)
    assert vm.root("test -e %s", f"{MARK}-0").rc != 0
    vm.read(f"rm -f {MARK}-*")
    ada.run(f"{before}{twin}")
    assert vm.read(f"ls {MARK}-*").strip() != f"{MARK}-0"


# Those that break a program, or lead it elsewhere, with what then is printed.
BREAKING = {
    "LD_LIBRARY_PATH": ("LD_LIBRARY_PATH={0}/empty", "/bin/true", "too short"),
    "PYTHONHOME": ("PYTHONHOME=/nowhere", "python3 -c pass", "No module named 'encodings'"),
    "DOCKER_HOST": ("DOCKER_HOST=tcp://127.0.0.1:9", "docker version", "127.0.0.1:9"),
    "DOCKER_CONTEXT": ("DOCKER_CONTEXT=evil", "docker version", "evil"),
    "DOCKER_API_VERSION": ("DOCKER_API_VERSION=0.1", "docker version", "0.1"),
    "TMPDIR": ("TMPDIR=/nowhere", "mktemp", "/nowhere"),
    "LC_ALL": ("LC_ALL=C PYTHONCOERCECLOCALE=0 PYTHONUTF8=0", "locale charmap", "ANSI_X3.4-1968"),
    "TZ": ("TZ=Pacific/Kiritimati", "date +%z", "+1400"),
    "BUILDKIT_HOST": ("BUILDKIT_HOST=tcp://127.0.0.1:9", "env", "BUILDKIT_HOST"),
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_variable_of_the_caller_changes_no_answer(name: str, weapons: str, ada: Account) -> None:
    setting, twin, said = BREAKING[name]
    before = f"export {setting.format(weapons)}; "
    plain, other = ada.ask_sudo("status"), ada.ask_sudo("status", before=before)
    assert plain.error == ""
    assert other.answer == plain.answer, str(other)
    seen = ada.run(f"{before}{twin}")
    assert said in seen.out + seen.err, str(seen)


# --- What else a process inherits -----------------------------------------------------------------

STREAMS = {"input": "exec 0<&-; ", "errors": "exec 2>&-; ", "both": "exec 0<&- 2>&-; "}


@pytest.mark.parametrize("before", STREAMS.values(), ids=STREAMS)
def test_closed_streams_are_harmless(before: str, ada: Account) -> None:
    assert ada.ask_sudo("status", before=before).error == ""


def test_a_closed_output_is_harmless(ada: Account) -> None:
    assert ada.ask_sudo("status", before="exec 1>&-; ").out == ""


def test_an_endless_request_is_refused(ada: Account) -> None:
    done = ada.ask_sudo("status", before="cat /dev/zero | ")
    assert done.error == protocol.REQUEST
    assert "larger than" in done.answer["error"]["line"]


def test_a_request_that_never_comes_keeps_nobody_waiting(ada: Account, bob: Account) -> None:
    # What comes at last is no request: an empty one would restart the service beneath later tests.
    late = "(sleep 20; echo late)"
    silent = ada.start(f"{late} | {SUDO} {shlex.join(student.argv('restart'))}")
    try:
        done = bob.ask("rollback", {"protocol": protocol.PROTOCOL, "check": True})
        assert done.error == "", str(done)
        assert silent.poll() is None
    finally:
        silent.kill()


# Each with a command that shows that the limit is in force.
LIMITS = {
    "file size": ("ulimit -f 0; ", "echo x >~/limited"),
    "a small file": ("ulimit -f 1; ", "head -c 4000 /dev/zero >~/limited"),
    "open files": ("ulimit -n 10; ", "exec 12</dev/null"),
    "cpu time": ("ulimit -t 1; ", "while :; do :; done"),
    "memory": ("ulimit -v 60000; ", "python3 -c 'bytes(1 << 27)'"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_of_the_caller_spoils_no_work(name: str, ada: Account, vm: Vm) -> None:
    """A lab's container may not raise a limit: then the work is refused as a whole."""
    before, twin = LIMITS[name]
    lines = history(vm)
    done = ada.ask_sudo("rollback", before=before)
    if done.error:
        assert history(vm) == lines, str(done)
        assert done.error in (protocol.REQUEST, "no answer"), str(done)
    else:
        assert len(history(vm)) == len(lines) + 1
    assert ada.run(f"{before}{twin}").code != 0


def history(vm: Vm) -> list[str]:
    """Return the lines of the host's history."""
    path = f"{vm.facts['classvm_state_dir']}/releases.jsonl"
    return vm.read("cat %s", path).splitlines()


IGNORING = (
    "python3 -c 'import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
    " os.execvp(sys.argv[1], sys.argv[1:])' "
)


def test_an_ignored_signal_hides_no_failure(ada: Account) -> None:
    """Where SIGCHLD is ignored, each program that Python starts seems to succeed."""
    request = json.dumps({"protocol": 1, "release": "never"}).encode()
    plain, other = (ada.ask_sudo("rollback", request, before=one) for one in ("", IGNORING))
    assert plain.error == protocol.FAILED
    assert other.answer == plain.answer
    look = "python3 -c 'import subprocess; print(subprocess.run([\"false\"]).returncode)'"
    assert ada.run(look).out == "1\n"
    assert ada.run(f"{IGNORING}{look}").out == "0\n"
