"""Notice where a program starts a web server, and serve its app instead.

The functions that start servers are replaced when their module is imported, not before: a program
that does not use one pays nothing, and one that changes the standard library first (gevent) may.
"""

from __future__ import annotations

import os
import sys
from importlib.abc import MetaPathFinder
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import THREADS

# Serves an app with so many threads.
Serve = Callable[[object, int], None]
# Where the app is among the arguments: by its place, and by its name.
AppOf = Callable[[Tuple[Any, ...], Dict[str, Any]], object]


def _argument(place: int, name: str) -> AppOf:
    return lambda args, words: words[name] if name in words else args[place]


def _own(attribute: str) -> AppOf:
    """Return what finds the app of a server object, which gives back the port that it has bound."""

    def app_of(args: Tuple[Any, ...], _words: Dict[str, Any]) -> object:
        server = args[0]
        close = getattr(server, "server_close", None)
        if close:
            close()
        return getattr(server, attribute)

    return app_of


SELF = _argument(0, "self")

# Per module: its functions and methods that serve an app, and which app.
STARTS: Dict[str, List[Tuple[str, AppOf]]] = {
    "flask.app": [("Flask.run", SELF)],
    "connexion.apps.flask_app": [("FlaskApp.run", SELF)],
    "werkzeug.serving": [
        ("run_simple", _argument(2, "application")),
        ("BaseWSGIServer.serve_forever", _own("app")),
    ],
    "wsgiref.simple_server": [("WSGIServer.serve_forever", _own("application"))],
    "flask_socketio": [("SocketIO.run", _argument(1, "app"))],
    "waitress": [("serve", _argument(0, "app"))],
    "gevent.pywsgi": [("WSGIServer.serve_forever", _own("application"))],
    "eventlet.wsgi": [("server", _argument(1, "site"))],
    "cheroot.wsgi": [("Server.start", _own("wsgi_app")), ("Server.serve", _own("wsgi_app"))],
    "paste.httpserver": [("serve", _argument(0, "application"))],
    "bjoern": [("run", _argument(0, "wsgi_app"))],
}


def install(serve: Serve) -> None:
    """From now on, hand each app to ``serve`` whose server a program wants to start."""
    sys.meta_path.insert(0, Finder(serve))


class Finder(MetaPathFinder):
    """Finds the modules of ``STARTS``, where they are, and replaces their functions."""

    def __init__(self, serve: Serve) -> None:
        self.serve = serve

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        """Return how to import a module, None to leave it to the other finders."""
        if name not in STARTS:
            return None
        others = (one for one in sys.meta_path if one is not self)
        spec: Any = next(filter(None, (one.find_spec(name, path, target) for one in others)), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_replace(module: Any) -> None:
                del spec.loader.exec_module  # that of its class again
                execute(module)
                replace(module, STARTS[name], self.serve)

            spec.loader.exec_module = execute_and_replace
        return spec


def replace(module: Any, starts: List[Tuple[str, AppOf]], serve: Serve) -> None:
    """Replace those functions of a module that its version has."""
    for path, app_of in starts:
        owner_name, _, name = path.rpartition(".")
        owner: Optional[Any] = getattr(module, owner_name, None) if owner_name else module
        if owner is not None and hasattr(owner, name):
            setattr(owner, name, _start(app_of, serve))


def _start(app_of: AppOf, serve: Serve) -> Callable[..., None]:
    def start(*args: Any, **words: Any) -> None:
        # `flask run` imports the program, whose own start must then do nothing, and starts itself.
        if app_of is SELF and os.environ.get("FLASK_RUN_FROM_CLI") == "true":
            return
        # Who says so knows that the program cannot answer two requests at a time.
        serve(app_of(args, words), 1 if words.get("threaded") is False else THREADS)

    return start
