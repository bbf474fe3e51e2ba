"""Refuse requests that no endpoint needs; protect responses in the browser."""

from __future__ import annotations

import flask
from flask.globals import request_ctx
from werkzeug.exceptions import (
    BadRequest,
    LengthRequired,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)
from werkzeug.routing import RequestRedirect

# The largest valid body has four numbers: 64 KiB is generous.
LARGEST_BODY_BYTES = 64 * 1024

# gunicorn refuses a longer first line of a request, which holds the whole address.
LONGEST_REQUEST_LINE = 2048

# Within 64 KiB, JSON can still take a hundred times as long to read as a greeting takes
# to answer: Python reads a number of n digits in time n * n, and it explains an object of
# thousands of keys key by key. Both limits are far above what an endpoint needs: a
# double holds 309 digits.
MOST_DIGITS = 400
MOST_VALUES = 1000
MOST_QUERY_PARAMETERS = 100

# Leaves the digits and turns all else into blanks. A regular expression that counts the
# digits would itself be slow on numbers that are just short enough.
ONLY_DIGITS = bytes(byte if byte in b"0123456789" else ord(" ") for byte in range(256))

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
    app.before_request(refuse_costly_request)
    app.after_request(add_security_headers)
    app.after_request(redirect_within_the_service)


def refuse_bad_body() -> None:
    """Refuse a body by its headers, before anybody reads it.

    Raises:
        LengthRequired: 411, the body comes in chunks of unknown total size.
        RequestEntityTooLarge: 413, the body is larger than 64 KiB.
        UnsupportedMediaType: 415, an endpoint exists, but wants JSON.

    """
    request = flask.request
    if "Transfer-Encoding" in request.headers:
        raise LengthRequired("The request needs the header Content-Length.")
    if (request.content_length or 0) > LARGEST_BODY_BYTES:
        raise RequestEntityTooLarge
    has_body = request.method in METHODS_WITH_BODY or request.content_length
    if path_exists() and has_body and not request.is_json:
        raise UnsupportedMediaType("The Content-Type must be application/json.")


def refuse_costly_request() -> None:
    """Refuse what would take long to read, before anybody reads it.

    Raises:
        BadRequest: 400, too many query parameters, digits in a row, or JSON values.

    """
    request = flask.request
    if not path_exists():
        return
    if request.query_string.count(b"&") >= MOST_QUERY_PARAMETERS:
        raise BadRequest(f"The query has more than {MOST_QUERY_PARAMETERS} parameters.")
    body = request.get_data()
    # Each value follows a comma, or is the first one of a list or an object.
    if sum(map(body.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise BadRequest(f"The JSON body has more than {MOST_VALUES} values.")
    if max(map(len, body.translate(ONLY_DIGITS).split()), default=0) > MOST_DIGITS:
        raise BadRequest(f"The JSON body has more than {MOST_DIGITS} digits in a row.")


def path_exists() -> bool:
    """Return whether an endpoint answers the path and the method of the request."""
    return flask.request.routing_exception is None


def add_security_headers(response: flask.Response) -> flask.Response:
    """Return ``response`` with ``SECURITY_HEADERS``."""
    response.headers.update(SECURITY_HEADERS)
    return response


def redirect_within_the_service(response: flask.Response) -> flask.Response:
    """Return ``response``; a redirect names a path of this service and no host.

    Werkzeug repeats the host that the client has named, in the address and in a page.
    """
    # A handler may redirect elsewhere: that is its own decision.
    redirect = flask.request.routing_exception
    adapter = request_ctx.url_adapter
    if isinstance(redirect, RequestRedirect) and adapter:
        origin = f"{adapter.url_scheme}://{adapter.server_name}"
        path = redirect.new_url[len(origin) :].lstrip("/")
        response.headers["Location"] = f"/{path}"
        response.set_data(b"")
    return response
