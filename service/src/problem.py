"""Answer every error as problem JSON (RFC 7807, ``application/problem+json``).

One shape for all errors: a client needs one piece of code to show any of them.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

import flask
from connexion.exceptions import NonConformingResponse, ProblemException
from werkzeug.exceptions import HTTPException, default_exceptions

MEDIA_TYPE = "application/problem+json"

# A message may quote the request, but not all 64 KiB of it.
LONGEST_DETAIL = 300

logger = logging.getLogger(__name__)


def register(app: flask.Flask) -> None:
    """Make ``app`` answer every kind of error with the functions below."""
    # connexion registers a handler per status code, which Flask prefers to one
    # for HTTPException: hence the loop.
    for status in default_exceptions:
        app.register_error_handler(status, from_http_exception)
    app.register_error_handler(ProblemException, from_connexion)
    app.register_error_handler(RecursionError, from_deep_nesting)


def from_http_exception(error: HTTPException) -> flask.Response:
    """Answer an error that Flask or Werkzeug found, such as an unknown path."""
    headers = dict(error.get_headers())
    # It says text/html, but the body is problem JSON.
    headers.pop("Content-Type", None)
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    return respond(status, error.description, headers)


def from_connexion(error: ProblemException) -> flask.Response:
    """Answer a request, or a response, that violates ``master.yml``."""
    if isinstance(error, NonConformingResponse):
        # The reason is for the operator: the client did nothing wrong.
        logger.error("the response violates master.yml: %s", error.message)
        return respond(HTTPStatus.INTERNAL_SERVER_ERROR, "The service has a fault.")
    return respond(error.status, error.detail, error.headers)


def from_deep_nesting(_error: RecursionError) -> flask.Response:
    """Answer JSON like ``[[[[[...`` that Python's parser gives up on."""
    return respond(HTTPStatus.BAD_REQUEST, "The JSON body is nested too deeply.")


def respond(
    status: int,
    detail: str | None,
    headers: dict[str, str] | None = None,
) -> flask.Response:
    """Return a problem response; ``detail`` tells a human what went wrong."""
    title = HTTPStatus(status).phrase
    response = flask.jsonify(
        type="about:blank",
        title=title,
        status=int(status),
        detail=(detail or title)[:LONGEST_DETAIL],
    )
    response.status_code = status
    response.mimetype = MEDIA_TYPE
    response.headers.update(headers or {})
    return response
