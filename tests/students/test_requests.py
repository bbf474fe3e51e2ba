"""Attacks by requests: no JSON, too much of it, another's, and what a terminal would obey."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from classvm.program import protocol
from students.account import SUDO

if TYPE_CHECKING:
    from infra.vm import Vm
    from students.account import Account

ESCAPE = "\x1b]0;owned\x07\x1b[2J"
DIGITS = "9" * 100_000


def of(**members: Any) -> bytes:
    """Return a request with further members."""
    return json.dumps({"protocol": protocol.PROTOCOL, **members}).encode()


SETTINGS = {
    "host_port": 22,
    "container_port": 22,
    "limits": {"memory": "64g", "pids": "100000", "tmpfs_size": "64g"},
    "seconds": dict.fromkeys(("health", "steady", "contract", "stop", "request"), 1),
}
# Which verb is asked what: the program has to refuse it as a request, whatever the reason.
REFUSED: dict[str, tuple[str, bytes]] = {
    "100,000 brackets": ("status", b"[" * 100_000),
    "100,000 objects": ("status", b'{"a":' * 100_000),
    "a list": ("status", b"[]"),
    "a number": ("status", b"1"),
    "two objects": ("status", of() + of()),
    "no end": ("status", b'{"protocol": 1'),
    "not UTF-8": ("status", b'{"protocol": 1, "service": "\xff"}'),
    "a mark before it": ("status", b"\xef\xbb\xbf" + of()),
    "zero bytes": ("status", b"\x00" * 1000),
    "half a character": ("status", b'{"protocol": 1, "service": "\\ud800"}'),
    "NaN": ("start", b'{"protocol": 1, "health_timeout": NaN}'),
    "Infinity": ("start", b'{"protocol": 1, "health_timeout": Infinity}'),
    "1e999": ("start", b'{"protocol": 1, "health_timeout": 1e999}'),
    "100,000 digits": ("logs", b'{"protocol": 1, "lines": ' + DIGITS.encode() + b"}"),
    "a negative number": ("logs", of(lines=-1)),
    "too many lines": ("logs", of(lines=10**9)),
    "a wait of a day": ("logs", of(container="a", wait=86400)),
    "text for a number": ("logs", of(lines="5")),
    "truth for a number": ("logs", of(lines=True)),
    "a list for text": ("rollback", of(release=["a"])),
    "an object for text": ("rollback", of(release={})),
    "null": ("rollback", of(release=None)),
    "no protocol": ("status", b"{}"),
    "protocol 0": ("status", of(protocol=0)),
    "protocol as text": ("status", of(protocol="1")),
    "an unknown member": ("status", of(command="id")),
    "a member of Python": ("status", of(__class__="x")),
    "another service": ("logs", of(service="other")),
    "an empty service": ("logs", of(service="")),
    "a climbing service": ("logs", of(service="../lab")),
    "another state folder": ("status", of(state_dir="/tmp")),  # noqa: S108 - refused
    "an option for a release": ("rollback", of(release="--help")),
    "another image": ("rollback", of(release="x/../../evil")),
    "a release with a newline": ("rollback", of(release="a\nb")),
    "a release with an escape": ("rollback", of(release=ESCAPE)),
    "a long release": ("rollback", of(release="a" * 129)),
    "an option for a container": ("logs", of(container="--follow", stamp="")),
    "a template for a stamp": ("logs", of(container="a", stamp="{{.Id}}")),
    "settings of a wrong kind": ("rollback", of(settings={**SETTINGS, "privileged": True})),
    "a mount among the limits": (
        "rollback",
        of(settings={**SETTINGS, "limits": {"memory": "1g --privileged"}}),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_such_a_request_is_refused(name: str, ada: Account) -> None:
    verb, request = REFUSED[name]
    done = ada.ask(verb, request)
    assert (done.code, done.error) == (2, protocol.REQUEST), str(done)
    assert done.out.isascii()
    assert "\x1b" not in done.out


def test_a_newer_protocol_is_told(ada: Account) -> None:
    done = ada.ask("status", of(protocol=protocol.PROTOCOL + 1, new="x"))
    assert done.error == protocol.TOO_OLD
    assert "make provision" in done.answer["error"]["line"]


def test_the_state_folder_has_one_name(ada: Account, vm: Vm) -> None:
    folder = str(vm.facts["classvm_state_dir"])
    assert ada.ask("status", of(state_dir=folder)).error == ""
    for other in (f"{folder}/", f"{folder}/../{folder.rpartition('/')[2]}"):
        assert ada.ask("status", of(state_dir=other)).error == protocol.REQUEST


def test_of_a_member_that_is_there_twice_the_last_is_validated(ada: Account) -> None:
    twice = b'{"protocol": 1, "service": "%s", "service": "%s"}'
    assert ada.ask("status", twice % (b"lab", b"other")).error == protocol.REQUEST
    assert ada.ask("status", twice % (b"other", b"lab")).answer["service"] == "lab"


def test_settings_of_a_student_s_own_do_not_count(ada: Account, vm: Vm) -> None:
    """A rollback with more memory and another port is one with those of the last deploy."""
    before = limits(vm)
    done = ada.ask("rollback", of(settings=SETTINGS))
    assert done.error == "", str(done)
    assert done.answer["changed"]
    assert limits(vm) == before


def limits(vm: Vm) -> str:
    """Return the live container's limits, ports and rights, once no swap is finished any more."""
    vm.settle()
    names = ("Memory", "PidsLimit", "PortBindings", "Privileged")
    form = " ".join(f"{{{{.HostConfig.{name}}}}}" for name in names)
    return vm.docker.check("container", "inspect", "--format", form, vm.facts.container)


def test_a_student_does_not_choose_how_long_the_lock_is_held(ada: Account) -> None:
    done = ada.ask("start", of(health_timeout=86400))
    assert done.error == "", str(done)


# --- What is written into histories and logs ------------------------------------------------------


def test_a_refused_request_leaves_nothing_in_the_history(ada: Account, vm: Vm) -> None:
    path = f"{vm.facts['classvm_state_dir']}/releases.jsonl"
    before = vm.read("cat %s", path)
    for release in ("a\nb", ESCAPE, 'x", "who": "root'):
        assert ada.ask("rollback", of(release=release)).error == protocol.REQUEST
    assert vm.read("cat %s", path) == before


def test_the_history_tells_who_it_was_whatever_the_caller_says(ada: Account, vm: Vm) -> None:
    before = "export SUDO_USER=root LOGNAME=root USER=root SUDO_UID=0; "
    done = ada.ask("rollback", of(), before=before)
    assert done.error == "", str(done)
    path = f"{vm.facts['classvm_state_dir']}/releases.jsonl"
    last = json.loads(vm.read("cat %s", path).splitlines()[-1])
    assert last["who"] == ada.name


def test_sudo_s_log_has_one_line_for_a_word_with_newlines(ada: Account, vm: Vm) -> None:
    forged = "$'x\\nJan 1 00:00:00 vm sudo: root : forged'"
    ada.run(f"{SUDO} /usr/local/bin/classvm {forged}")
    logged = vm.read("cat /var/log/auth.log 2>/dev/null || journalctl --quiet --no-pager -t sudo")
    assert [
        line for line in logged.splitlines() if "forged" in line and "COMMAND" not in line
    ] == []


def test_what_an_app_prints_does_not_reach_the_terminal_as_it_is(ada: Account, vm: Vm) -> None:
    """Everybody who can reach the service chooses what stands in its log."""
    form = f"open('/proc/1/fd/1', 'w').write({ESCAPE + ' printed' + chr(10)!r})"
    vm.read("docker exec %s python -c %s", vm.facts.container, form)
    shown = ada.run("classvm logs --lines 20 --all")
    assert "printed" in shown.out, str(shown)
    assert "\x1b" not in shown.out
    raw = vm.read("docker logs --tail 20 %s 2>&1", vm.facts.container)
    assert "\x1b" in raw
