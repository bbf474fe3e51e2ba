"""Questions on the terminal, of a process that has given up its own, as Ansible's workers have."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from classvm.output import terminal
from pseudo_terminal import PseudoTerminal, of_session
from pseudo_terminal import terminal as opened

UTILS = Path(terminal.__file__).parents[2]
# A program whose output is a file, and its worker, which asks and notes the answer.
ASKING = """
import os, sys
sys.path.insert(0, sys.argv[1])
from classvm.output import terminal
terminal.OWN.open()
sys.stdout = open("output", "w")
if os.fork() == 0:
    os.setsid()
    open("worker", "w").write(str(os.getpid()))
    try:
        terminal.OWN.tell("A hint")
        answer = terminal.OWN.ask_hidden("password: ")
    except terminal.NoTerminalError:
        answer = "nobody"
    open("answer", "w").write(answer)
    os._exit(0)
os.wait()
terminal.OWN.tell("over")
"""


@contextmanager
def asking(folder: Path) -> Iterator[PseudoTerminal]:
    """Run the program in a terminal until it has asked."""
    with opened(sys.executable, "-c", ASKING, str(UTILS), cwd=folder) as screen:
        screen.wait_for("password: ")
        yield screen


def answer(folder: Path) -> str:
    """Return the answer that the worker got, once it has one."""
    deadline = time.monotonic() + 10
    while not (folder / "answer").exists() or not (folder / "answer").read_text():
        assert time.monotonic() < deadline, "there is no answer"
        time.sleep(0.02)
    return (folder / "answer").read_text()


def test_the_answer_is_read_from_the_terminal_and_not_shown(tmp_path: Path) -> None:
    with asking(tmp_path) as screen:
        screen.type("correct horse\n")
        assert screen.end() == 0
    assert answer(tmp_path) == "correct horse"
    assert screen.shown == "A hint\npassword: \nover\n"
    assert (tmp_path / "output").read_text() == ""


def test_an_empty_answer_is_an_answer(tmp_path: Path) -> None:
    with asking(tmp_path) as screen:
        screen.type("\n")
        assert screen.end() == 0
    assert (tmp_path / "answer").read_text() == ""


def test_the_end_of_the_input_is_no_answer(tmp_path: Path) -> None:
    with asking(tmp_path) as screen:
        screen.type("\x04")
        assert screen.end() == 0
    assert answer(tmp_path) == "nobody"


def test_a_worker_does_not_outlive_its_terminal(tmp_path: Path) -> None:
    with asking(tmp_path) as screen:
        screen.hang_up()
        assert answer(tmp_path) == "nobody"
    worker = int((tmp_path / "worker").read_text())
    assert of_session(worker) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_that_is_ended_leaves_the_terminal_as_it_was(
    number: signal.Signals, tmp_path: Path
) -> None:
    with asking(tmp_path) as screen:
        assert not screen.echoes()
        os.kill(int((tmp_path / "worker").read_text()), number)
        screen.wait_for("over")
        assert screen.echoes()


def test_without_a_terminal_nobody_is_asked() -> None:
    with pytest.raises(terminal.NoTerminalError):
        terminal.Terminal().ask_hidden("password: ")
    terminal.Terminal().tell("nobody sees it")


def test_the_foreground_is_told_from_the_background(tmp_path: Path) -> None:
    with opened("sh", "-c", "echo up; sleep 60", cwd=tmp_path) as screen:
        screen.wait_for("up")
        assert terminal.is_in_foreground(screen.process)
    # This process has no terminal, or shares one with pytest.
    with opened("sh", "-ic", "sleep 60 & echo $!; wait", cwd=tmp_path) as screen:
        shown = screen.wait_until(lambda new: any(w.isdigit() for w in new.split()), "no number")
        number = next(int(word) for word in shown.split() if word.isdigit())
        assert not terminal.is_in_foreground(number)
