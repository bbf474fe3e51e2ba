"""Tell what Flask is, and which software runs this very process."""

from __future__ import annotations

import platform
from typing import Any

import flask

from src import versions

ROLES = {
    "connexion": "reads master.yml, routes by it, checks requests and responses",
    "Flask": "web framework: turns a request into a call of a Python function",
    "Werkzeug": "toolbox below Flask: parses HTTP, matches paths to functions",
    "gunicorn": "web server: accepts connections and calls Flask through WSGI",
    "gevent": "lets one gunicorn worker wait for many connections at a time",
    "swagger-ui-bundle": "the API docs in the browser",
}

PYTHON_ROLE = "programming language: runs all of the packages below"


def get() -> dict[str, Any]:
    """Return text on Flask, and name, version and role of each package.

    The version of a package that is not installed is null, and so is the name
    of a web server that does not tell it.
    """
    packages = [
        {"name": name, "version": versions.of(name), "role": role} for name, role in ROLES.items()
    ]
    return {
        "what": "Flask is a small framework for writing web services in Python.",
        "served_by": flask.request.environ.get("SERVER_SOFTWARE"),
        "python": {
            "name": platform.python_implementation(),
            "version": platform.python_version(),
            "role": PYTHON_ROLE,
        },
        "packages": packages,
    }
