"""Whoever interrupts the program: the service answers, and the next run tidies up."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest
from faults.target import until
from infra import scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.target import Target
    from infra.vm import Vm
    from students.account import Account

# Seconds after which the work is interrupted: at each of its steps.
MOMENTS = [0.4, 0.8, 1.4, 2.0, 3.0, 4.5, 6.0]
MOMENTS = MOMENTS[1::3] if scope.QUICK else MOMENTS
ROLLBACK = "classvm rollback --json </dev/null"
# The program that sudo has started, by its command line.
WORKING = "pgrep --full --newest '[p]ython3 -I .*--student rollback'"
LONG_ENOUGH = 30.0


@pytest.fixture(autouse=True)
def _tidy(ada: Account, target: Target) -> Iterator[None]:
    """Have the next run tidy up, whatever became of the one before."""
    yield
    done = ada.ask("start")
    assert done.error == "", str(done)
    target.wait_until_healthy()
    assert target.leftovers() == [], target.evidence()


def wait_for_end(vm: Vm) -> None:
    """Wait until no program works for a student."""
    deadline = time.monotonic() + LONG_ENOUGH
    while vm.root(WORKING).rc == 0:
        assert time.monotonic() < deadline, vm.read("ps axf")
        time.sleep(0.2)


def require_answer(target: Target) -> None:
    """Make sure that a release serves, before anybody has tidied up."""
    until(lambda: not target.message().startswith("nothing ("), target.evidence)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_connection_that_is_cut(moment: float, ada: Account, target: Target) -> None:
    """It dies without a word, as with a lid that is closed."""
    cut = ada.start(ROLLBACK, "-o", "ControlPath=none")
    with contextlib.suppress(subprocess.TimeoutExpired):
        cut.wait(moment)
    cut.kill()
    cut.communicate()
    wait_for_end(target.vm)
    require_answer(target)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_program_that_is_killed(moment: float, ada: Account, target: Target) -> None:
    """Only root can, or a machine without memory."""
    working = ada.start(ROLLBACK)
    time.sleep(moment)
    target.vm.root(f"kill -KILL $({WORKING})")
    working.communicate(timeout=LONG_ENOUGH)
    require_answer(target)


def test_a_program_that_root_halts_goes_on(ada: Account, target: Target) -> None:
    working = ada.start(ROLLBACK)
    time.sleep(1)
    halted = target.vm.root(f"kill -STOP $({WORKING})").rc == 0
    time.sleep(2)
    # sudo halts itself with what it has started.
    target.vm.root("kill -CONT $(pgrep --full '[-]-student rollback')")
    out, _ = working.communicate(timeout=LONG_ENOUGH)
    assert halted
    assert b'"error": null' in out


def test_a_student_cannot_signal_it(ada: Account, bob: Account) -> None:
    working = ada.start(ROLLBACK)
    time.sleep(1)
    for one in (ada, bob):
        for name in ("STOP", "KILL", "TERM", "HUP"):
            assert "not permitted" in one.run(f"kill -{name} $({WORKING})").err
    assert b'"error": null' in working.communicate(timeout=LONG_ENOUGH)[0]


# --- On a terminal --------------------------------------------------------------------------------

KEYS = {"Ctrl-Z": b"\x1a", "Ctrl-C": b"\x03", "Ctrl-\\": b"\x1c", "Ctrl-S": b"\x13"}


def typed(ada: Account, command: str, keys: bytes, seconds: float) -> str:
    """Return what a terminal shows of a command while keys are typed; then it is hung up.

    The shell has control of its jobs: without it, Ctrl-Z halts nothing.
    """
    ours, theirs = pty.openpty()
    terminal = subprocess.Popen(
        [ada.ssh[0], "-tt", "-o", "ControlPath=none", *ada.ssh[1:], "bash --norc -i"],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(theirs)
    shown: list[bytes] = []
    threading.Thread(target=read, args=(ours, shown), daemon=True).start()
    for one, pause in ((f"{command}\n".encode(), 2), (keys, seconds)):
        time.sleep(1)
        os.write(ours, one)
        time.sleep(pause)
    terminal.kill()
    terminal.wait()
    os.close(ours)
    return b"".join(shown).decode(errors="replace")


def read(descriptor: int, shown: list[bytes]) -> None:
    """Read a terminal until it is closed."""
    with contextlib.suppress(OSError):
        while True:
            shown.append(os.read(descriptor, 4096))


def test_ctrl_z_does_not_halt_it(ada: Account, target: Target) -> None:
    """A halted program would hold the host's lock, and every deploy would wait in vain."""
    before = len(target.history())
    shown = typed(ada, ROLLBACK, KEYS["Ctrl-Z"], LONG_ENOUGH / 2)
    assert len(target.history()) == before + 1, shown
    halted = typed(ada, "sh -c 'sleep 4; echo went-$((1 + 1))'", KEYS["Ctrl-Z"], 5)
    assert "Stopped" in halted
    assert "went-2" not in halted


@pytest.mark.parametrize("name", ["Ctrl-C", "Ctrl-\\", "Ctrl-S"])
def test_a_key_leaves_a_service_that_answers(name: str, ada: Account, target: Target) -> None:
    typed(ada, ROLLBACK, KEYS[name], 5)
    wait_for_end(target.vm)
    require_answer(target)


def test_a_terminal_that_is_hung_up(ada: Account, target: Target) -> None:
    typed(ada, ROLLBACK, b"", 0.5)
    wait_for_end(target.vm)
    require_answer(target)


# --- Two at once ----------------------------------------------------------------------------------


def test_two_students_at_once_wait_for_each_other(
    ada: Account, bob: Account, target: Target
) -> None:
    before = len(target.history())
    both = [one.start(ROLLBACK) for one in (ada, bob)]
    outs = [one.communicate(timeout=4 * LONG_ENOUGH)[0] for one in both]
    assert all(b'"error": null' in out for out in outs), outs
    # The second one's line comes when its swap is finished, in the background.
    target.vm.settle()
    new = target.history()[before:]
    assert {entry["who"] for entry in new} == {ada.name, bob.name}
    assert [entry["result"] for entry in new] == ["rolled back"] * 2
    assert new[1]["replaced"] == new[0]["release"]


def test_eight_at_once_end_with_one_release(ada: Account, bob: Account, target: Target) -> None:
    many = [
        one.start(f"classvm {verb} --json </dev/null")
        for one in (ada, bob)
        for verb in ("stop", "start", "restart", "status")
    ]
    for one in many:
        one.communicate(timeout=8 * LONG_ENOUGH)
    assert ada.ask("start").error == ""
    assert target.containers() == [target.facts.container]
