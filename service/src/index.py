"""Show the front page, which lists all endpoints."""

from __future__ import annotations

import flask

from src import spec

HTML = "text/html"
PLAIN = "text/plain"
TEMPLATES = {HTML: "index.html", PLAIN: "index.txt"}


def prepare(app: flask.Flask) -> None:
    """Read the template for programs, which gunicorn's processes then share.

    To read it with its first page would hold up all clients of each new process, just when a
    release goes live.
    """
    app.jinja_env.get_template(TEMPLATES[PLAIN])


def get() -> flask.Response:
    """Answer a web page to a browser, and plain text to programs like curl."""
    # Browsers ask for text/html by name; "*/*" is content with the first one.
    accepted = flask.request.accept_mimetypes
    wanted = accepted.best_match([PLAIN, HTML]) or PLAIN
    page = flask.render_template(
        TEMPLATES[wanted],
        info=spec.load()["info"],
        operations=spec.operations(),
        docs_path=spec.docs_path(),
        base_path=spec.base_path(),
    )
    response = flask.make_response(page)
    response.mimetype = wanted
    # Keeps a cache from giving one client's format to another.
    response.headers["Vary"] = "Accept"
    return response
