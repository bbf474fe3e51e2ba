"""Refuse requests that no endpoint needs; protect responses in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Iterable

import flask
from flask.globals import request_ctx
from werkzeug.exceptions import (
    BadRequest,
    LengthRequired,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)
from werkzeug.routing import RequestRedirect

if TYPE_CHECKING:
    App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

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
    """Make ``app`` call the functions below for every request."""
    app.before_request(check_request)
    protected = with_security_headers(app.wsgi_app)
    app.wsgi_app = protected  # type: ignore[assignment,method-assign] # as Flask documents it


def check_request() -> flask.Response | None:
    """Refuse what no endpoint needs, before anybody reads it; redirect within the service."""
    request = request_ctx.request  # ``flask.request`` would look it up again at each use
    if may_have_body(request):
        refuse_bad_body(request)
    if path_exists(request):
        refuse_costly_request(request)
    elif isinstance(request.routing_exception, RequestRedirect):
        return redirect_within_the_service(request.routing_exception)
    return None


def may_have_body(request: flask.Request) -> bool:
    """Return whether a request has a body, or a method that needs one."""
    # To ask for the length as a number takes 10 us (measured).
    return (
        "CONTENT_LENGTH" in request.environ
        or "HTTP_TRANSFER_ENCODING" in request.environ
        or request.method in METHODS_WITH_BODY
    )


def refuse_bad_body(request: flask.Request) -> None:
    """Refuse a body by its headers.

    Raises:
        LengthRequired: 411, the body comes in chunks of unknown total size.
        RequestEntityTooLarge: 413, the body is larger than 64 KiB.
        UnsupportedMediaType: 415, an endpoint exists, but wants JSON.

    """
    if "HTTP_TRANSFER_ENCODING" in request.environ:  # the WSGI name of the header
        raise LengthRequired("The request needs the header Content-Length.")
    if (request.content_length or 0) > LARGEST_BODY_BYTES:
        raise RequestEntityTooLarge
    has_body = request.method in METHODS_WITH_BODY or request.content_length
    if has_body and path_exists(request) and not request.is_json:
        raise UnsupportedMediaType("The Content-Type must be application/json.")


def refuse_costly_request(request: flask.Request) -> None:
    """Refuse what would take long to read.

    Raises:
        BadRequest: 400, too many query parameters, digits in a row, or JSON values.

    """
    if request.query_string.count(b"&") >= MOST_QUERY_PARAMETERS:
        raise BadRequest(f"The query has more than {MOST_QUERY_PARAMETERS} parameters.")
    if not may_have_body(request):
        return
    body = request.get_data()
    # Each value follows a comma, or is the first one of a list or an object.
    if sum(map(body.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise BadRequest(f"The JSON body has more than {MOST_VALUES} values.")
    if max(map(len, body.translate(ONLY_DIGITS).split()), default=0) > MOST_DIGITS:
        raise BadRequest(f"The JSON body has more than {MOST_DIGITS} digits in a row.")


def path_exists(request: flask.Request) -> bool:
    """Return whether an endpoint answers the path and the method of the request."""
    return request.routing_exception is None


def with_security_headers(app: App) -> App:
    """Return a WSGI application that answers as ``app`` does, with ``SECURITY_HEADERS``."""

    def protected(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *exc_info: object) -> object:
            others = [
                (name, text) for name, text in headers if name.title() not in SECURITY_HEADERS
            ]
            return start_response(status, [*others, *SECURITY_HEADERS.items()], *exc_info)

        return app(environ, start)

    return protected


def redirect_within_the_service(redirect: RequestRedirect) -> flask.Response:
    """Return the response to a redirect of Flask's: it names a path of this service and no host.

    Werkzeug repeats the host that the client has named, in the address and in a page.
    """
    adapter: Any = request_ctx.url_adapter  # there is one: it has found the redirect
    path = redirect.new_url[len(f"{adapter.url_scheme}://{adapter.server_name}") :].lstrip("/")
    response = flask.Response(status=redirect.code, mimetype="text/html")
    response.headers["Location"] = f"/{path}"
    return response
