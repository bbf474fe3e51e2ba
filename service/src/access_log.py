"""Write the access log as JSON: one object per line, one line per request.

``json.dumps`` escapes line ends and control characters, so that no request
can forge an entry of the log.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from gunicorn.glogging import Logger

from src import client

if TYPE_CHECKING:
    from gunicorn.http.message import Request
    from gunicorn.http.wsgi import Response


def entry(
    response: Response,
    environ: dict[str, Any],
    duration: timedelta,
) -> dict[str, Any]:
    """Return the log entry of a request.

    ``environ`` is the WSGI environment. The time is UTC in ISO 8601, the duration
    is in milliseconds, ``bytes`` counts the body of the response, and ``client``
    is the client's IP address, also behind the edge of a class VM.
    """
    return {
        "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "client": client.address(environ),
        "method": environ.get("REQUEST_METHOD"),
        "target": environ.get("RAW_URI"),
        "protocol": environ.get("SERVER_PROTOCOL"),
        "status": response.status_code,
        "bytes": response.sent,
        "duration_ms": round(duration.total_seconds() * 1000, 3),
        "user_agent": environ.get("HTTP_USER_AGENT"),
    }


class JsonLogger(Logger):  # type: ignore[misc] # gunicorn ships no types
    """gunicorn's logger with a JSON access log."""

    def access(
        self,
        resp: Response,
        _req: Request,
        environ: dict[str, Any],
        request_time: timedelta,
    ) -> None:
        """Log one request; gunicorn calls it after the response is sent."""
        self.access_log.info("%s", json.dumps(entry(resp, environ, request_time)))
