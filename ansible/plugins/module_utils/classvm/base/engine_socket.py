"""Ask an engine on its own socket, which takes 5 ms where the command-line client takes 25 to 100.

Source: https://docs.docker.com/reference/api/engine/
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any, Dict, Iterator, NamedTuple, Optional, Sequence

# As long as a client waits for an engine that is busy with a build.
SECONDS = 60
CHUNK = 65536
OK, MADE, MISSING = 200, 201, 404


class Answer(NamedTuple):
    """What the engine answers: a status of HTTP, and a document."""

    status: int
    content: Any


def get(path: str, resource: str) -> Optional[Answer]:
    """Return what an engine answers, or None where it cannot be asked so.

    Args:
        path: of the socket; an account that is not in its group may not open it.
        resource: path of the resource, such as "/info".

    """
    answer = _asked(path, f"GET {resource}")
    return answer if answer and answer.status in (OK, MISSING) else None


def exec_code(path: str, container: str, argv: Sequence[str], seconds: float) -> Optional[int]:
    """Run a program in a container to its end and return its exit code, or None where the engine cannot be asked so.

    What it prints is dropped.

    Args:
        path: of the socket.
        container: name of the container.
        argv: program and arguments.
        seconds: within which it has to end, and as many for the engine to begin.

    Raises:
        socket.timeout: it has not; it may go on in the container.
        OSError: the engine is gone.

    """
    # Its end is that of its output.
    wanted = {"Cmd": list(argv), "AttachStdout": True, "AttachStderr": True}
    made = _asked(path, f"POST /containers/{container}/exec", wanted, seconds)
    if not made or made.status != MADE:
        return None
    started = f"/exec/{made.content['Id']}"
    for _ in _said(path, f"POST {started}/start", {"Detach": False, "Tty": False}, seconds):
        pass
    ended = get(path, f"{started}/json")
    code = ended.content.get("ExitCode") if ended else None
    return None if code is None else int(code)


def _asked(
    path: str, question: str, given: Optional[Dict[str, Any]] = None, seconds: float = SECONDS
) -> Optional[Answer]:
    """Return an answer that is a document; None where there is none."""
    try:
        head, _, body = b"".join(_said(path, question, given, seconds)).partition(b"\r\n\r\n")
        return Answer(int(head.split()[1]), json.loads(body))
    except (OSError, ValueError, IndexError):
        return None


def _said(
    path: str, question: str, given: Optional[Dict[str, Any]] = None, seconds: float = SECONDS
) -> Iterator[bytes]:
    """Yield what an engine says, from the first to the last byte.

    Args:
        path: of the socket.
        question: method and path of the resource.
        given: the document that belongs to the question.
        seconds: within which all of it has to be said.

    Raises:
        OSError: nobody is there; as socket.timeout, not all was said in time.

    """
    body = json.dumps(given).encode() if given else b""
    # In HTTP 1.0 an answer ends with its connection. http.client takes longer to load than all that is asked.
    head = (
        f"{question} HTTP/1.0\r\nHost: engine\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    deadline = time.monotonic() + seconds
    with socket.socket(socket.AF_UNIX) as engine:
        engine.settimeout(seconds)
        engine.connect(path)
        engine.sendall(head.encode() + body)
        chunk = engine.recv(CHUNK)
        while chunk:
            yield chunk
            left = deadline - time.monotonic()
            if left <= 0:
                raise socket.timeout("timed out")
            engine.settimeout(left)
            chunk = engine.recv(CHUNK)
