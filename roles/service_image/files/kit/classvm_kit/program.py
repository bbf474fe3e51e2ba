"""Run a student's program as `python` would, but serve its app with gunicorn.

Where the program starts a development server, gunicorn serves instead (`capture`, `server`).
What is imported here before the program is little on purpose: a student's module may bear the
name of one of the standard library.
"""

from __future__ import annotations

import builtins
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

from . import capture, find_app

HERE = os.path.dirname(os.path.abspath(__file__))
OWN_SERVER = "--own-server"
# A program that ends may have left the start of its server to a thread: seconds that it gets.
THREAD_SECONDS = 2.0


def main(words: list[str]) -> None:
    """Start the program that the words of the command line name; does not return.

    Args:
        words: `FILE.py …`, `-m MODULE …` or `MODULE:APP`; before them `NAME=value`, as a shell
            has it, or `--own-server PORT` for a program that is to serve by itself.

    """
    if words[0] == OWN_SERVER:
        from . import supervisor  # noqa: PLC0415 - the other programs do not need it

        sys.exit(supervisor.run(words[2:], int(words[1])))
    # The first process of a container ignores the signals for which it has no handler.
    signal.signal(signal.SIGTERM, _exit_at_once)
    capture.install(_serve)
    try:
        _find_and_serve(_run(_without_variables(words)), words)
    except SystemExit as error:
        code = error.code
    except BaseException as error:  # noqa: BLE001 - whatever ends a program is told as Python tells it
        _print_traceback(error)
        code = 1
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
    _end(code if isinstance(code, int) else int(code is not None))


def _run(words: list[str]) -> types.ModuleType:
    """Run the program in a new module `__main__`, and return that."""
    main_module = types.ModuleType("__main__")
    vars(main_module).update(__builtins__=builtins)
    sys.modules["__main__"] = main_module
    if ":" in words[0]:
        sys.path[0] = os.getcwd()
        sys.argv = ["gunicorn"]
        _serve(find_app.named(words[0]))
    elif words[0] == "-m":
        sys.path[0] = os.getcwd()
        sys.argv = ["-m", *words[2:]]
        # What `python -m` itself calls; `runpy.run_module` would use a module that does not stay.
        run_module: Any = vars(runpy)["_run_module_as_main"]
        _exit_is_end(lambda: run_module(words[1]))
    else:
        sys.path[0] = os.path.dirname(os.path.realpath(words[0]))
        sys.argv = list(words)
        _exit_is_end(lambda: _run_file(words[0], main_module))
    return main_module


def _run_file(file: str, module: types.ModuleType) -> None:
    loader = SourceFileLoader("__main__", file)
    vars(module).update(__file__=file, __cached__=None, __loader__=loader)
    with open(file, "rb") as source:
        code = compile(source.read(), file, "exec", dont_inherit=True)
    exec(code, vars(module))  # noqa: S102 - it is the student's program


def _exit_is_end(run: Callable[[], Any]) -> None:
    """Run something; `sys.exit()` without an error is the program's end like any other."""
    try:
        run()
    except SystemExit as error:
        if error.code or _is_serving():
            raise


def _find_and_serve(module: types.ModuleType, words: list[str]) -> None:
    """Serve the app of a program that has ended without starting a server."""
    deadline = time.monotonic() + THREAD_SECONDS
    while _threads() and not _is_serving() and time.monotonic() < deadline:
        time.sleep(0.05)
    if not _is_serving():
        app = find_app.among(vars(module))
        if app is not None:
            _serve(app)
    for thread in _threads():
        thread.join()
    while _is_serving():
        time.sleep(1)  # a thread serves that is a daemon
    print(
        f"{' '.join(words)} ended: it starts no server, and holds no Flask or connexion app.",
        file=sys.stderr,
    )
    sys.exit(1)


def _threads() -> list[threading.Thread]:
    """Return the threads for which Python would wait at the end."""
    mine = threading.current_thread()
    return [one for one in threading.enumerate() if one is not mine and not one.daemon]


def _serve(app: object) -> None:
    # Imported here, when the program has imported what it needs; see above.
    server = importlib.import_module(f"{__package__}.server")
    server.serve(app)


def _is_serving() -> bool:
    server = sys.modules.get(f"{__package__}.server")
    return server is not None and server.is_serving()


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
    return os.path.dirname(file) == HERE or file == runpy.__file__


def _exit_at_once(_signal: int, _frame: object) -> None:
    _end(0)


def _end(code: int) -> None:
    """End the process: Python itself would first wait for the program's threads."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
