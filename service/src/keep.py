"""Render a page once and keep it: pages that never change need no processor time."""

from __future__ import annotations

from functools import lru_cache, wraps
from typing import Any, Callable

import flask

# The ends of the names that connexion gives to the documents it renders from the spec. It
# would render them for each request; the YAML takes as long as a hundred greetings.
DOCUMENTS = ("_openapi_json", "_openapi_yaml", "_swagger_ui_index")


def register(app: flask.Flask) -> None:
    """Make ``app`` render the API docs and the OpenAPI document at most once."""
    for name, view in app.view_functions.items():
        if name.endswith(DOCUMENTS):
            app.view_functions[name] = once(view)


def once(view: Callable[[], Any]) -> Callable[[], flask.Response]:
    """Return a view that answers what ``view`` answered when it was first called.

    Only for a view whose answer depends on nothing in the request.
    """

    @lru_cache(maxsize=None)
    def render() -> tuple[bytes, str]:
        response = flask.make_response(view())
        return response.get_data(), response.content_type

    @wraps(view)
    def kept() -> flask.Response:
        body, content_type = render()
        return flask.Response(body, content_type=content_type)

    return kept
