"""Ctrl-C, and a control process that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from classvm.output import interruption

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Note what the handler before does, and put the real one back."""
    monkeypatch.setattr(threading, "Timer", lambda *_: SimpleNamespace(start=lambda: None))
    real, noted = signal.getsignal(signal.SIGINT), list[str]()

    def ansible(*_: object) -> None:
        noted.append("the workers were told")
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, ansible)
    yield noted
    signal.signal(signal.SIGINT, real)


def test_ctrl_c_tells_the_workers_says_so_and_ends(handler: list[str]) -> None:
    interruption.on_interrupt(lambda: handler.append("said"))
    with pytest.raises(SystemExit) as ended:
        os.kill(os.getpid(), signal.SIGINT)
    assert ended.value.code == 130
    assert handler == ["the workers were told", "said"]


def test_what_cannot_be_printed_now_is_not(handler: list[str]) -> None:
    def busy() -> None:
        raise RuntimeError("reentrant call")

    interruption.on_interrupt(busy)
    with pytest.raises(SystemExit):
        os.kill(os.getpid(), signal.SIGINT)
    assert handler == ["the workers were told"]


HANGS = """
import os, signal, threading
from classvm.output import interruption
interruption.ORDERLY_SECONDS = 0.5
interruption.on_interrupt(lambda: print("said"))
try:
    os.kill(os.getpid(), signal.SIGINT)
finally:
    threading.Event().wait(60)
"""


def test_a_run_that_cannot_leave_is_ended() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGS],
        env=environment(),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, b"said\n")


def environment() -> dict[str, str]:
    """Return the variables with which another Python finds the package."""
    return {**os.environ, "PYTHONPATH": str(Path(interruption.__file__).parents[2])}


PARENT = """
import os, sys, time
if "tied" in sys.argv:
    from classvm.output import interruption
    interruption.workers_end_with_this_process()
worker = os.fork()
if worker:
    print(worker, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("tied", [True, False])
def test_a_worker_ends_with_a_parent_that_is_killed(tied: bool) -> None:
    argv = [sys.executable, "-c", PARENT, *(["tied"] if tied else [])]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment()) as parent:
        assert parent.stdout
        worker = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 1.5
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert is_running(worker) is not tied
    if not tied:
        os.kill(worker, signal.SIGKILL)


def is_running(process: int) -> bool:
    """Tell whether a process works; one that has ended may wait for somebody to notice."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"
