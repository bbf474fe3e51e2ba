"""Run a student's program as `python` would, but serve its app with gunicorn.

Where the program starts a development server, gunicorn serves instead (`capture`, `server`).
What is imported here before the program is little on purpose: a student's module may bear the
name of one of the standard library.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import os
import runpy
import signal
import sys
import threading
import time
import traceback
import types
from importlib.machinery import SourceFileLoader
from typing import Any, Callable

from . import THREADS, capture, find_app, relay, serving

HERE = os.path.dirname(os.path.abspath(__file__))
# A program that ends may have left the start of its server to a thread: seconds that it gets.
THREAD_SECONDS = 2.0
POLL_SECONDS = 0.05


def main(words: list[str]) -> None:
    """Start the program that the words of the command line name; does not return.

    Args:
        words: `FILE.py …`, `-m MODULE …` or `MODULE:APP`; before them `NAME=value`, as a shell
            has it.

    """
    # The first process of a container ignores the signals for which it has no handler.
    signal.signal(signal.SIGTERM, lambda *_: _end(0))
    serve = functools.partial(_serve, relay.fork())
    capture.install(serve)
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    vars(module).update(__builtins__=builtins, __annotations__={})
    command = _without_variables(words)
    code = _exit_code(lambda: _run(command, module, serve))
    if code == 0:
        code = _exit_code(lambda: _find_and_serve(module, command, serve))
    while serving.is_on():  # in a thread, which goes on when the program has ended
        time.sleep(1)
    _end(code)


def _exit_code(run: Callable[[], None]) -> int:
    """Run something; return the exit code and print the error that it would have by itself."""
    try:
        run()
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        print(error.code, file=sys.stderr)
        return 1
    except BaseException as error:  # noqa: BLE001 - whatever ends a program is told as Python tells it
        _print_traceback(error)
        return 1
    return 0


def _run(words: list[str], module: types.ModuleType, serve: capture.Serve) -> None:
    """Run the program in the module `__main__`."""
    if ":" in words[0]:
        sys.path[0] = os.getcwd()
        sys.argv = ["gunicorn"]
        serve(find_app.named(words[0]), THREADS)
    elif words[0] == "-m":
        sys.path[0] = os.getcwd()
        sys.argv = ["-m", *words[2:]]
        # What `python -m` itself calls; `runpy.run_module` would use a module that does not stay.
        vars(runpy)["_run_module_as_main"](words[1])
    else:
        sys.path[0] = os.path.dirname(os.path.realpath(words[0]))
        sys.argv = list(words)
        _run_file(words[0], module)


def _run_file(name: str, module: types.ModuleType) -> None:
    file = os.path.abspath(name)  # as newer Pythons have it; it stays right after os.chdir()
    loader = SourceFileLoader("__main__", file)
    vars(module).update(__file__=file, __cached__=None, __loader__=loader)
    with open(file, "rb") as source:
        code = compile(source.read(), file, "exec", dont_inherit=True)
    exec(code, vars(module))  # noqa: S102 - it is the student's program


def _find_and_serve(module: types.ModuleType, words: list[str], serve: capture.Serve) -> None:
    """Serve the app of a program that has ended without starting a server.

    Raises:
        SystemExit: it has none.

    """
    deadline = time.monotonic() + THREAD_SECONDS
    while _waited_for() and not serving.has_started() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    if serving.has_started():
        return
    app = find_app.among(vars(module))
    if app is not None and not _children():
        serve(app, THREADS)
    for one in _waited_for():
        one.join()
    if not serving.has_started():
        sys.exit(
            f"{' '.join(words)} ended: it starts no server, and holds no Flask or connexion app."
        )


def _waited_for() -> list[Any]:
    """Return the threads and processes for which Python would wait at the end."""
    mine = threading.current_thread()
    threads = [one for one in threading.enumerate() if one is not mine and not one.daemon]
    return [*threads, *_children()]


def _children() -> list[Any]:
    multiprocessing = sys.modules.get("multiprocessing")
    return multiprocessing.active_children() if multiprocessing else []


def _serve(watcher: int, app: object, threads: int) -> None:
    relay.end(watcher)
    # Imported here, when the program has imported what it needs; see above.
    server = importlib.import_module(f"{__package__}.server")
    server.serve(app, threads)


def _without_variables(words: list[str]) -> list[str]:
    """Set the variables that stand before a command, as a shell does; return the command."""
    first = 0
    while "=" in words[first] and words[first].partition("=")[0].isidentifier():
        name, _, value = words[first].partition("=")
        os.environ[name] = value
        first += 1
    return words[first:]


def _print_traceback(error: BaseException) -> None:
    """Print a traceback without the frames of the kit, as the program alone would have had it."""
    trace = error.__traceback__
    while trace and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)


def _is_ours(file: str) -> bool:
    return os.path.dirname(file) == HERE or file in (runpy.__file__, "<frozen runpy>")


def _end(code: int) -> None:
    """End the process: Python itself would first wait for the program's threads."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
