"""Refuse requests no endpoint wants; protect responses in the browser."""

from __future__ import annotations

import flask
from werkzeug.exceptions import (
    LengthRequired,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)

# The largest honest body has four numbers: 64 KiB is generous.
LARGEST_BODY_BYTES = 64 * 1024

METHODS_WITH_BODY = ("POST", "PUT", "PATCH")

SECURITY_HEADERS = {
    # Browsers must not guess another type than Content-Type says.
    "X-Content-Type-Options": "nosniff",
    # Pages use nothing from other sites. Inline styles and scripts are allowed,
    # because the pages and Swagger UI contain their own.
    "Content-Security-Policy": (
        "default-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}


def register(app: flask.Flask) -> None:
    """Make ``app`` call the functions below around every request."""
    app.before_request(refuse_bad_body)
    app.after_request(add_security_headers)


def refuse_bad_body() -> None:
    """Refuse a body by its headers, before anybody reads it.

    Raises:
        LengthRequired: 411, the body comes in chunks of unknown total size.
        RequestEntityTooLarge: 413, the body is larger than 64 KiB.
        UnsupportedMediaType: 415, an endpoint exists, but wants JSON.

    """
    request = flask.request
    if "Transfer-Encoding" in request.headers:
        raise LengthRequired
    if (request.content_length or 0) > LARGEST_BODY_BYTES:
        raise RequestEntityTooLarge
    path_exists = request.routing_exception is None
    if path_exists and request.method in METHODS_WITH_BODY and not request.is_json:
        raise UnsupportedMediaType("The Content-Type must be application/json.")


def add_security_headers(response: flask.Response) -> flask.Response:
    """Return ``response`` with ``SECURITY_HEADERS``."""
    response.headers.update(SECURITY_HEADERS)
    return response
