"""The command line: `classvm VERB` for a person, `classvm VERB --json` for a program."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any, Callable, Dict, List, Optional, Sequence

from ..base import client, progress, state
from ..base.errors import ClassvmError
from ..base.legible import printable
from . import checked, environment, protocol, schema, student
from .host import Host

Work = Callable[[Host, Dict[str, Any]], Dict[str, Any]]
# Those that work on a host that was never provisioned.
WITHOUT_HOST = ("account", "version")
RELEASE = "release"
# How long a followed log is waited for before the program looks whether its container is still the live one.
WAIT_SECONDS = 20.0


def main(words: Optional[Sequence[str]] = None) -> int:
    """Answer one question; return the exit code."""
    environment.isolate()
    given = sys.argv[1:] if words is None else list(words)
    for_student = given[:1] == [student.OPTION]
    rest = given[1:] if for_student else given
    if rest[1:] == [student.JSON] and rest[0] in schema.VERBS:
        return for_program(rest[0], for_student=for_student)
    # What Python has chosen for its output is the caller's locale.
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    return for_person(given)


def for_program(verb: str, *, for_student: bool = False) -> int:
    """Read a request from standard input, print the answer as JSON.

    Args:
        verb: what is asked.
        for_student: whether sudo has started this for a student.

    """
    if student.is_here() and verb in student.VERBS:
        student.become(verb)
    comes_with_app = for_student and verb == RELEASE
    answer = answered(lambda: do(verb, _sent(with_app=comes_with_app), for_student=for_student))
    print(json.dumps(answer))  # noqa: T201 - the answer
    return _code(answer)


def for_person(words: List[str]) -> int:
    """Do what the words say, print the answer as text."""
    from . import person, text  # noqa: PLC0415 - a program does not wait for it

    verb = ""
    request: Dict[str, Any] = {}

    def work() -> Dict[str, Any]:
        nonlocal verb, request
        verb, request = person.read(words)
        return follow(request) if request.pop("follow", False) else asked(verb, request)

    answer = answered(work)
    if answer["error"]:
        print(text.failed(answer), file=sys.stderr)  # noqa: T201 - the answer
    else:
        said = text.shown(verb, answer)
        print(said, end="\n" if said else "")  # noqa: T201 - the answer
    return _code(answer)


def answered(work: Callable[[], Dict[str, Any]]) -> Dict[str, Any]:
    """Return the answer of some work, whatever becomes of it."""
    try:
        return protocol.answer(work())
    except ClassvmError as error:
        return protocol.failure(error)
    except SystemExit as end:
        if end.code in (0, None):  # --help
            raise
        return protocol.failure(end, protocol.INTERRUPTED)
    except KeyboardInterrupt:
        return protocol.failure(ClassvmError(client.TERMINATED), protocol.INTERRUPTED)
    except Exception as defect:  # noqa: BLE001 - the caller gets an answer in any case
        import traceback  # noqa: PLC0415 - hardly ever needed

        cause = ClassvmError(
            f"The host program has a defect: {type(defect).__name__}: {defect}",
            fix="Report it to your admin with the lines above.",
            details=traceback.format_exc(),
        )
        return protocol.failure(cause, protocol.DEFECT)


def asked(verb: str, request: Dict[str, Any]) -> Dict[str, Any]:
    """Return the answer to a person's request; a student's goes through sudo."""
    if student.is_here() and verb in student.VERBS:
        return student.ask(verb, json.dumps(request).encode())
    return do(verb, request)


def do(verb: str, request: Dict[str, Any], *, for_student: bool = False) -> Dict[str, Any]:
    """Return the answer to a request.

    Args:
        verb: what is asked.
        request: as it came.
        for_student: whether it is a student's, and bounded.

    Raises:
        ClassvmError: it is refused, or was not done.

    """
    number = request.get("protocol")
    if isinstance(number, int):
        protocol.require_known(number)
    checked.require(request, schema.request_of(verb, for_student=for_student))
    if verb in WITHOUT_HOST:
        host = Host("")
    elif for_student:
        environment.shield()
        # That of the last provision: another one is not a student's to choose.
        host = Host.here()
        request = student.bounded(host.state_dir, request)
    else:
        host = Host.here(request.get("state_dir", ""))
    if "progress" in request:
        say_in(host.state_dir, request["progress"])
    return _work_of(verb, for_student=for_student)(host, request)


def follow(request: Dict[str, Any]) -> Dict[str, Any]:
    """Print the log as it grows, until the person interrupts it; return the last answer."""
    told = asked("logs", request)
    while told.get("container"):
        if told["lines"]:
            print(printable("\n".join(told["lines"])), flush=True)  # noqa: T201 - the answer
        position = {name: told[name] for name in ("container", "stamp")}
        told = asked("logs", {**request, **position, "wait": WAIT_SECONDS})
    return told


def say_in(state_dir: str, token: str) -> None:
    """Say what is going on in a file of the state folder, as far as this account may."""
    folder = os.path.join(state_dir, progress.FOLDER)
    with contextlib.suppress(ClassvmError):
        state.make_folder(folder)
    progress.begin(os.path.join(folder, token))


def _sent(*, with_app: bool) -> Dict[str, Any]:
    """Return the request on standard input; without one, the plain question.

    Args:
        with_app: whether it is the first line, and an app follows.

    """
    # Python has no stream for one that its caller has closed.
    if sys.stdin is None or sys.stdin.isatty():
        return {"protocol": protocol.PROTOCOL}
    source = sys.stdin.buffer
    text = (source.readline if with_app else source.read)(checked.LARGEST + 1)
    return checked.parse(text) if text.strip() else {"protocol": protocol.PROTOCOL}


def _code(answer: Dict[str, Any]) -> int:
    if answer["error"]:
        return protocol.EXIT_CODES[answer["error"]["code"]]
    # `verify-image` and `verify-provision` answer so: a shell may ask.
    return protocol.EXIT_CODES[protocol.FAILED] if answer.get("problems") else 0


def _work_of(verb: str, *, for_student: bool = False) -> Work:
    """Return what does a verb. Each is imported where it is asked for: to look takes half the time then."""
    if verb == RELEASE and for_student:
        from . import student_release  # noqa: PLC0415 - see above

        return lambda host, request: student_release.release(host, request, sys.stdin.buffer)
    if verb in (RELEASE, "rollback"):
        from . import releasing  # noqa: PLC0415 - see above

        return {RELEASE: releasing.release, "rollback": releasing.roll_back}[verb]
    if verb in ("start", "restart", "stop", "maintenance"):
        from . import running  # noqa: PLC0415 - see above

        return {
            "start": running.start,
            "restart": running.restart,
            "stop": running.stop,
            "maintenance": running.maintain,
        }[verb]
    if verb in ("account", "verify-provision"):
        from . import account_check  # noqa: PLC0415 - see above

        return {
            "account": account_check.tell_account,
            "verify-provision": account_check.verify_provision,
        }[verb]
    from . import looking  # noqa: PLC0415 - see above

    return {
        "status": looking.tell_status,
        "releases": looking.tell_releases,
        "logs": looking.tell_logs,
        "verify-image": looking.verify_image,
        "version": looking.tell_version,
    }[verb]
