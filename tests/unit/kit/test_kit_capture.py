"""Functions that start servers are replaced when their module is imported, and only then."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest
from classvm_kit import capture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVERS = {
    "waitress": "def serve(app, **words): raise SystemExit",
    "bjoern": "def run(wsgi_app, host, port=None): raise SystemExit",
    "paste/httpserver": "def serve(application, host=None): raise SystemExit",
    "eventlet/wsgi": "def server(sock, site, log=None): raise SystemExit",
    "cheroot/wsgi": """
class Server:
    closed = False
    def __init__(self, address, wsgi_app): self.wsgi_app = wsgi_app
    def start(self): raise SystemExit
    def server_close(self): self.closed = True
""",
}


def capture_none(_app: object, _threads: int) -> None:
    pytest.fail("nothing is to be served")


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Replace what starts servers; return the apps that would be served."""
    for name, text in SERVERS.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    apps: list[object] = []
    capture.install(lambda app, threads: apps.append(app if threads > 1 else (app, "alone")))
    yield apps
    for name in SERVERS:
        sys.modules.pop(name.replace("/", "."), None)
        sys.modules.pop(name.partition("/")[0], None)


def test_servers_are_replaced(served: list[object]) -> None:
    app = object()
    modules: dict[str, Any] = {
        name: importlib.import_module(name.replace("/", ".")) for name in SERVERS
    }
    modules["waitress"].serve(app, port=1)
    modules["bjoern"].run(app, "localhost")
    modules["paste/httpserver"].serve(application=app)
    modules["eventlet/wsgi"].server("socket", app)
    server = modules["cheroot/wsgi"].Server(("", 1), app)
    server.start()
    assert served == [app] * 5
    assert server.closed


def test_a_program_that_wants_no_threads_gets_none(served: list[object]) -> None:
    module: Any = importlib.import_module("waitress")
    module.serve("app", threaded=False)
    module.serve("app", threaded=True)
    assert served == [("app", "alone"), "app"]


def test_what_is_imported_already_is_left_alone() -> None:
    assert "waitress" not in sys.modules
    finder = capture.Finder(capture_none)
    assert finder.find_spec("json", None) is None
    assert finder.find_spec("waitress", None) is None  # this machine has none


def test_a_version_without_a_function_is_left_alone(served: list[object]) -> None:
    module: Any = importlib.import_module("waitress")
    before = dict(vars(module))
    missing = [("Missing.run", capture.SELF), ("missing", capture.SELF)]
    capture.replace(module, missing, capture_none)
    assert vars(module) == before
    assert served == []


def test_an_import_that_fails_fails(served: list[object], tmp_path: Path) -> None:
    (tmp_path / "bjoern.py").write_text("1 / 0")
    with pytest.raises(ZeroDivisionError):
        importlib.import_module("bjoern")
    assert served == []
