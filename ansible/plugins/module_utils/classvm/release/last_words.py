"""Tell from the log of an app why it failed: its own code first, then the lines as they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Collection, Dict, List, Sequence

from ..app import tracebacks
from ..app.tracebacks import Traceback
from ..base.docker import Docker
from . import log, request_log
from .request_log import Request

# Read from the log, and shown of it: a traceback through a framework takes 40 lines.
READ_LINES, SHOWN_LINES = 2000, 60
# Without a traceback, the end of the log has to do.
LAST_LINES = 20
# What connexion, or the lab's app, says of an answer that it does not let out; connexion goes on with
# the whole schema.
REFUSED_ANSWER = re.compile(r"^(?:.* validation error|the response violates \S+): (?P<what>.+)$")
SCHEMA = "Failed validating "
# Different tracebacks whose frames are shown.
TRACEBACKS = 3


@dataclass(frozen=True)
class LastWords:
    """Why an app failed, as far as its log tells.

    Attributes:
        cause: the exception and its place in the app's own code, in one line; "" where none is logged.
        details: the lines of the log that tell more.

    """

    cause: str
    details: str

    def explain(self, reason: str) -> str:
        """Return what happened to the app, such as "it ended", with the exception that led to it."""
        first, *more = reason.splitlines()
        return "\n".join([f"{first}: {self.cause}" if self.cause else first, *more])


def read(docker: Docker, name: str) -> LastWords:
    """Return the last words of a container.

    Args:
        docker: the engine of the host.
        name: name of the container; it may be gone.

    """
    container = docker.container(name)
    if container is None:
        return LastWords("", "It never ran, so there is no log.")
    lines = log.read(docker, name, READ_LINES, everything=True).splitlines()
    found = tracebacks.find(lines)
    if not lines:
        return LastWords("", "Its log is empty.")
    if not found:
        return LastWords("", "\n".join(["Its last log lines:", *lines[-LAST_LINES:]]))
    # What the last exception led to is usually no exception any more: the program ended.
    return LastWords(found[-1].cause(container.workdir), shown(lines, container.workdir))


def of_requests(docker: Docker, name: str, requests: Collection[Request]) -> List[str]:
    """Return the lines of a container's log that belong to some requests; [] where there are none.

    Args:
        docker: the engine of the host.
        name: name of the container; it may be gone.
        requests: method and path of each request.

    """
    container = docker.container(name)
    if container is None:
        return []
    lines = log.read(docker, name, READ_LINES, everything=True).splitlines()
    return shown(request_log.lines_of(lines, requests), container.workdir).splitlines()


def exception_of(docker: Docker, name: str, request: Request) -> str:
    """Return why a request ended in a server error, in one line; "" where the log does not tell.

    That is an exception, with its place in the app's own code, or what is wrong with an answer that the app's
    framework did not let out.

    Args:
        docker: the engine of the host.
        name: name of the container; it may be gone.
        request: method and path.

    """
    container = docker.container(name)
    if container is None:
        return ""
    lines = log.read(docker, name, READ_LINES, everything=True).splitlines()
    said = request_log.lines_of(lines, {request})
    found = [one for one in tracebacks.find(said) if one.own]
    if found:
        return found[-1].cause(container.workdir)
    refused = [match["what"] for match in map(REFUSED_ANSWER.match, said) if match]
    return f"the answer breaks the schema: {refused[-1]}" if refused else ""


def shown(said: Sequence[str], folder: str) -> str:
    """Return lines of a log: the frames of the app's own code first, then the lines as they are.

    Args:
        said: the lines, the oldest first.
        folder: the app's folder in the container.

    """
    found: Dict[str, Traceback] = {}
    for each in tracebacks.find(said):
        found.setdefault(each.cause(folder), each)
    lines: List[str] = []
    for each in [one for one in found.values() if one.own][-TRACEBACKS:]:
        lines += ["In the app's own code:", *each.summary(folder)]
    rest = without_schemas(without_repeats(said))[-SHOWN_LINES:]
    return "\n".join([*lines, *(["Log:", *rest] if rest else [])])


def without_repeats(said: Sequence[str]) -> List[str]:
    """Return the lines of a log with each traceback once: workers that fail again say the same."""
    seen = set()
    dropped = set()
    for begin, end in tracebacks.spans(said):
        text = tuple(said[begin:end])
        dropped |= set(range(begin, end)) if text in seen else set()
        seen.add(text)
    return [line for at, line in enumerate(said) if at not in dropped]


def without_schemas(said: Sequence[str]) -> List[str]:
    """Return the lines of a log without the schemas that jsonschema prints whole."""
    kept: List[str] = []
    inside = False
    for line in said:
        inside = line.startswith(SCHEMA) or (inside and line[:1].isspace())
        kept += [] if inside else [line]
    return kept
