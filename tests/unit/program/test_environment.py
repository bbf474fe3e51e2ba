"""The program's own environment: nothing of its caller's counts."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from classvm.program import environment, own_group, pack
from classvm.program.protocol import RefusedError

HOSTILE = {
    "PATH": "/tmp/evil",  # noqa: S108 - of nobody
    "PYTHONPATH": "/tmp/evil",  # noqa: S108 - of nobody
    "PYTHONSTARTUP": "/x",
    "LD_PRELOAD": "",
    "DOCKER_HOST": "tcp://evil",
    "DOCKER_CONFIG": "/x",
    "HOME": "/x",
    "LOGNAME": "admin",
    "LC_ALL": "tr_TR",
    "CLASSVM_PROGRESS": "/etc/passwd",
}


def test_only_its_own_variables_are_left() -> None:
    kept = environment.own(HOSTILE, os.getuid())
    assert set(kept) == {"PATH", "HOME", "LC_ALL"}
    assert not set(kept.values()) & (set(HOSTILE.values()) - {""})


@pytest.mark.parametrize(
    ("caller", "user", "kept"),
    [
        ("ada", 0, "ada"),
        ("ada", 1000, None),
        ("", 0, None),
        ("../etc", 0, None),
        ("a\nb", 0, None),
        ("ada\n", 0, None),
        ("a b", 0, None),
    ],
)
def test_who_asks_through_sudo_is_known(caller: str, user: int, kept: str | None) -> None:
    assert environment.own({"SUDO_USER": caller}, user).get("SUDO_USER") == kept


def test_an_account_without_an_entry_has_a_home_too() -> None:
    assert environment.own({}, 4_000_000_000)["HOME"] == "/"


LOOK = """
import os, sys
from classvm.program import environment
environment.isolate()
print(sorted(os.environ), os.getcwd(), oct(os.umask(0)))
"""


def test_variables_folder_and_umask_are_replaced(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(pack.PACKAGE.parent)!r}){LOOK}",
        ],
        env={**HOSTILE, "PYTHONPATH": ""},
        cwd=tmp_path,
        umask=0,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "['HOME', 'LC_ALL', 'PATH'] / 0o22"


def said_by(work: str, prepare: Callable[[], None]) -> str:
    """Return what Python lines print in a process that a hostile caller has prepared."""
    path = f"import sys; sys.path.insert(0, {str(pack.PACKAGE.parent)!r})"
    lines = f"{path}\nimport subprocess\nfrom classvm.program import environment\n{work}"
    done = subprocess.run(
        [sys.executable, "-c", lines],
        preexec_fn=prepare,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def ignore_and_block() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


OF_A_PROGRAM_THAT_FAILS = "print(subprocess.run(['false']).returncode)"


def test_a_program_that_fails_does_not_seem_to_succeed() -> None:
    """Where SIGCHLD is ignored, nobody is told how a process has ended."""
    assert said_by(OF_A_PROGRAM_THAT_FAILS, ignore_and_block) == "0"
    isolated = f"environment.isolate()\n{OF_A_PROGRAM_THAT_FAILS}"
    assert said_by(isolated, ignore_and_block) == "1"


def test_no_signal_is_blocked_and_no_timer_runs() -> None:
    blocked, timer = "signal.pthread_sigmask(0, [])", "signal.getitimer(signal.ITIMER_REAL)"
    look = f"import signal\nprint({blocked}, {timer})"

    def prepare() -> None:
        ignore_and_block()
        signal.setitimer(signal.ITIMER_REAL, 3600)

    assert "SIGTERM" in said_by(look, prepare)
    assert said_by(f"environment.isolate()\n{look}", prepare) == "set() (0.0, 0.0)"


@pytest.mark.parametrize(
    ("work", "number"), [("", "0"), ("environment.isolate()", "3")], ids=["as it is", "isolated"]
)
def test_no_file_takes_the_place_of_a_closed_stream(work: str, number: str) -> None:
    look = "import os, sys\ntaken = os.open('/etc/hostname', os.O_RDONLY)\nprint(taken)"
    assert int(said_by(f"{work}\n{look}", lambda: os.close(0))) >= int(number)
    if not work:
        assert said_by(look, lambda: os.close(0)) == number


def test_an_input_that_cannot_be_read_is_an_empty_one() -> None:
    look = "import sys\nprint(sys.stdin.buffer.read())"

    def prepare() -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 0)

    with pytest.raises(subprocess.CalledProcessError):
        said_by(look, prepare)
    assert said_by(f"environment.isolate()\n{look}", prepare) == "b''"


STOPPED = "import os, signal\n{}\nos.kill(os.getpid(), signal.SIGTSTP)\nprint('went on')"


def test_ctrl_z_does_not_halt_what_works_for_a_student() -> None:
    assert said_by(STOPPED.format("environment.shield()"), lambda: None) == "went on"
    handled = "signal.signal(signal.SIGTSTP, lambda *_: print('halted'))"
    assert said_by(STOPPED.format(handled), lambda: None) == "halted\nwent on"


def make_slow() -> None:
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    os.setpriority(os.PRIO_PROCESS, 0, 19)
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root takes back what makes a process slow")
def test_no_caller_makes_it_slow() -> None:
    """Somebody who waits for the host's lock would wait, too."""
    share = (
        "import os\nprint(os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0),"
        " len(os.sched_getaffinity(0)))"
    )
    usual = f"{os.SCHED_OTHER} 0 {len(os.sched_getaffinity(0))}"
    assert said_by(share, make_slow) == f"{os.SCHED_IDLE} 19 1"
    assert said_by(f"environment.shield()\n{share}", make_slow) == usual


@pytest.mark.parametrize("hard", [resource.RLIM_INFINITY, 5])
def test_a_limit_of_the_caller_is_raised_or_the_work_is_refused(
    hard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account that may raise no hard limit stands for root without that capability."""
    limits = {number: (0, hard) for number, _ in environment.NEEDED.values()}

    def set_limit(number: int, pair: tuple[int, int]) -> None:
        if not environment._is_enough(limits[number][1], pair[1]):
            raise ValueError("not allowed to raise maximum limit")
        limits[number] = pair

    monkeypatch.setattr(resource, "getrlimit", limits.__getitem__)
    monkeypatch.setattr(resource, "setrlimit", set_limit)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(own_group, "enter", lambda: None)
    monkeypatch.setattr(environment, "_take_usual_share", lambda: None)
    if hard == resource.RLIM_INFINITY:
        environment.shield()
        assert limits[resource.RLIMIT_FSIZE] == (hard, hard)
        assert limits[resource.RLIMIT_NOFILE] == (1024, hard)
    else:
        with pytest.raises(RefusedError, match="This login limits file size too much"):
            environment.shield()


def test_limits_that_are_high_enough_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    monkeypatch.setattr(resource, "setrlimit", lambda *_: pytest.fail("changed"))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(own_group, "enter", lambda: None)
    monkeypatch.setattr(environment, "_take_usual_share", lambda: None)
    environment.shield()


@pytest.mark.parametrize(("work", "said"), [("", "None"), ("environment.isolate()", "b'x'")])
def test_an_input_that_its_caller_has_made_impatient_is_waited_for(work: str, said: str) -> None:
    """Such a stream gives None for what has not arrived yet, which is no request."""
    look = "import sys\nprint(sys.stdin.buffer.read(1))"
    reading, writing = os.pipe()
    os.set_blocking(reading, False)

    def prepare() -> None:
        os.dup2(reading, 0)

    timer = threading.Timer(1.0, os.write, (writing, b"x"))
    if work:
        timer.start()
    assert said_by(f"{work}\n{look}", prepare) == said
    if work:
        timer.join()
    os.close(reading)
    os.close(writing)
