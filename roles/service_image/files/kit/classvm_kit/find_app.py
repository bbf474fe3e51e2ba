"""Find the app object of a program that does not start a server itself."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Dict

# As WSGI servers, Flask and its tutorials call them.
NAMES = ("application", "app", "api", "server")
FACTORIES = ("create_app", "make_app", "build", "build_app", "get_app")


def among(names: Dict[str, Any]) -> Any:
    """Return the app among the global names of a program; None if there is none."""
    apps = {name: value for name, value in names.items() if is_app(value)}
    for value in apps.values():
        if hasattr(value, "add_api"):  # connexion's app, which holds a Flask app
            return value
    for name in (*NAMES, *apps):
        if name in apps:
            return apps[name]
    for name in FACTORIES:
        if callable(names.get(name)):
            return names[name]()
    # Not Flask, but a WSGI application nevertheless.
    return next((names[name] for name in NAMES[:2] if callable(names.get(name))), None)


def named(text: str) -> Any:
    """Return what "module:name" or "module:factory()" means to WSGI servers.

    Raises:
        AttributeError: the module has no such name.

    """
    module_name, _, path = text.partition(":")
    value: Any = importlib.import_module(module_name)
    for name in path.replace("()", "").split("."):
        value = getattr(value, name)
    return value() if path.endswith("()") else value


def is_app(value: object) -> bool:
    """Tell whether something is an app of Flask or connexion."""
    kinds = [
        getattr(sys.modules.get(module), name, None)
        for module, name in (("flask", "Flask"), ("connexion", "FlaskApp"))
    ]
    return isinstance(value, tuple(kind for kind in kinds if isinstance(kind, type)))
