"""Show the API docs: Swagger UI, in a page of our own."""

from __future__ import annotations

import flask

from src import spec

# The end of the name that connexion gives to its own page, which has no dark mode, does not fit a
# narrow screen, and leaves programs that read pages aloud without headings and labels.
PAGE_OF_CONNEXION = "_swagger_ui_index"


def register(app: flask.Flask) -> None:
    """Make ``app`` answer our page at the address of connexion's."""
    for name in app.view_functions:
        if name.endswith(PAGE_OF_CONNEXION):
            app.view_functions[name] = get


def get() -> str:
    """Return the page. Scripts and styles of Swagger UI lie beside it: connexion serves them."""
    return flask.render_template(
        "docs.html", info=spec.load()["info"], spec_path=f"{spec.base_path()}/openapi.json"
    )
