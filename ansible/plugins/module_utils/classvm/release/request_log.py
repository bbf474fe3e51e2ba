"""Find the lines of an app's log that belong to certain requests."""

from __future__ import annotations

import json
import re
from typing import Collection, List, Optional, Sequence, Tuple
from urllib.parse import urlsplit

from ..app.tracebacks import HEAD

# A line of the access log as gunicorn, Werkzeug and most others write it.
COMMON_FORMAT = re.compile(r'"(?P<method>[A-Z]+) (?P<target>\S+) HTTP/[\d.]+" \d{3}')
# How Flask begins what it says of an exception: it names the request.
EXCEPTION = re.compile(r"Exception on (?P<path>\S+) \[(?P<method>[A-Z]+)\]$")
# What servers say about themselves.
NOISE = re.compile(r"\[(INFO|DEBUG)\]")

Request = Tuple[str, str]


def request_of(text: str) -> Request:
    """Return method and path of a request that a report names, such as "GET http://…/e222/hello"."""
    method, _, url = text.partition(" ")
    return method, _path(url.split(" ")[0])


def access(line: str) -> Optional[Request]:
    """Return method and path of a line of an access log, None for another line."""
    if line.startswith("{"):
        return _json_access(line)
    found = COMMON_FORMAT.search(line)
    return (found["method"], _path(found["target"])) if found else None


def lines_of(log: Sequence[str], requests: Collection[Request]) -> List[str]:
    """Return what an app said while it answered some requests, tracebacks and all.

    It logs a request when it has answered it, so what it has printed since the one before belongs
    to it; the line of the request itself tells nothing new. Of an app that logs no requests, all
    lines might belong to them. What Flask says of an exception names its request, and may come after
    that request: the engine reads the standard output and the standard error each by itself.

    Args:
        log: the lines, the oldest first.
        requests: method and path of each request.

    """
    said = [line for line in log if line.strip() and not NOISE.search(line)]
    if not any(map(access, said)):
        return said
    found: List[str] = []
    pending: List[str] = []
    owned: List[str] = []
    owner: Optional[Request] = None
    for line in said:
        asked = access(line)
        if asked is None:
            named = _owner(line)
            if named:
                found += owned if owner in requests else []
                owned, owner = [], named
            (owned if owner else pending).append(line)
            continue
        if asked in requests:
            found += pending
        # The health check asks between the calls of the contract check; what is pending is not its own.
        if asked in requests or not _is_health_check(asked, line):
            pending = []
        if not _is_within_traceback(owned):
            found += owned if owner in requests else []
            owned, owner = [], None
    return found + (owned if owner in requests else [])


def _owner(line: str) -> Optional[Request]:
    """Return method and path of the request that a line about an exception names."""
    named = EXCEPTION.search(line)
    return (named["method"], _path(named["path"])) if named else None


def _is_within_traceback(lines: Sequence[str]) -> bool:
    """Tell whether the last one of some lines about an exception is not the exception itself."""
    return bool(lines) and (
        lines[-1][:1].isspace() or _owner(lines[-1]) is not None or lines[-1] == HEAD
    )


def _is_health_check(asked: Request, line: str) -> bool:
    return asked[0] == "HEAD" or "health" in line


def _json_access(line: str) -> Optional[Request]:
    try:
        entry = json.loads(line)
        return str(entry["method"]), _path(str(entry["target"]))
    except (ValueError, KeyError, TypeError):
        return None


def _path(url: str) -> str:
    return urlsplit(url).path
