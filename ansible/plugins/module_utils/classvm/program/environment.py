"""Give the program an environment of its own: what a caller has set does not count.

Python itself starts isolated (`-I` in the first line of the program), so neither variables nor modules of
the caller's folder count before this runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import re
import resource
import signal
from typing import Dict, Mapping

from ..base.command import LOCALE
from . import own_group
from .protocol import REQUEST, RefusedError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What the program makes is for the docker group, and for nobody else to write.
UMASK = 0o022
# What the caller has set, to tell of it that it does not count.
GIVEN = dict(os.environ)
STREAMS = 3
# Set by sudo, for the history.
CALLER = "SUDO_USER"
ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?")
# What a caller ignores is ignored here, too. With SIGCHLD ignored, each program that this one starts would seem to
# succeed.
DEFAULT_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGVTALRM)
TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
# What a terminal sends to a process that shall wait: Ctrl-Z, and input or output of a job in the background.
STOPPING = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
# What the program and those that it starts need of each resource, as `ulimit` calls it.
NEEDED = {
    "file size": (resource.RLIMIT_FSIZE, resource.RLIM_INFINITY),
    "cpu time": (resource.RLIMIT_CPU, resource.RLIM_INFINITY),
    "virtual memory": (resource.RLIMIT_AS, resource.RLIM_INFINITY),
    "data seg size": (resource.RLIMIT_DATA, resource.RLIM_INFINITY),
    "open files": (resource.RLIMIT_NOFILE, 1024),
    "stack size": (resource.RLIMIT_STACK, 8 << 20),
}


def isolate() -> None:
    """Replace the variables, the folder, the umask and what is done at a signal of this process.

    A stream that the caller has closed is one of nothing: otherwise the next file would take its number.
    """
    while os.open(os.devnull, os.O_RDWR) < STREAMS:
        pass
    # sudo puts one in the place of a closed input from which nothing can be read, not even its end.
    if fcntl.fcntl(0, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    # Otherwise a request that has not arrived yet, or an answer that nobody has read yet, would be a failure.
    for stream in range(STREAMS):
        os.set_blocking(stream, True)
    kept = own(os.environ, os.geteuid())
    os.environ.clear()
    os.environ.update(kept)
    os.chdir("/")
    os.umask(UMASK)
    for number in DEFAULT_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for timer in TIMERS:
        signal.setitimer(timer, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def shield() -> None:
    """Keep whoever has started this through sudo from halting it: it works as root, and may hold the host's lock.

    That is done by Ctrl-Z, by what an account may do to its own control groups, and by little time of the processor.

    Raises:
        RefusedError: a limit of the caller's login is too low, and this process may not raise it.

    """
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    own_group.enter()
    _take_usual_share()
    for name, (limit, needed) in NEEDED.items():
        if not _raised(limit, needed):
            raise RefusedError(
                REQUEST,
                f"This login limits {name} too much for the work to come to its end",
                fix="Ask again from a login without `ulimit`.",
            )


def _take_usual_share() -> None:
    """Undo what makes a process slow, such as `nice` and `taskset`; only root may."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, 0, 0)
        os.sched_setaffinity(0, range(os.cpu_count() or 1))


def _raised(number: int, needed: int) -> bool:
    """Tell whether a limit is high enough, once it is raised where it was not."""
    soft, hard = resource.getrlimit(number)
    if _is_enough(soft, needed):
        return True
    # Only root with all capabilities may raise the hard one.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(number, (needed, hard if _is_enough(hard, needed) else needed))
        return True
    return False


def _is_enough(limit: int, needed: int) -> bool:
    infinity = resource.RLIM_INFINITY
    return limit == infinity or (needed != infinity and limit >= needed)


def own(given: Mapping[str, str], user: int) -> Dict[str, str]:
    """Return the variables of the program.

    Args:
        given: those of the caller.
        user: number of the account that runs this; only root's process was started by sudo.

    """
    caller = given.get(CALLER, "") if user == 0 else ""
    is_name = ACCOUNT.fullmatch(caller) is not None
    return {
        "PATH": PATH,
        "HOME": pwd.getpwuid(user).pw_dir if _is_listed(user) else "/",
        **LOCALE,
        **({CALLER: caller} if is_name else {}),
    }


def _is_listed(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True
