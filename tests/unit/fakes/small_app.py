"""Small apps, complete and in order, for tests to damage: `make` has the lab's layout."""

from __future__ import annotations

from pathlib import Path

from classvm.app import layout, lock

SPEC = """
openapi: 3.0.0
info: {title: Lab, version: "1"}
paths:
  /sum:
    get:
      operationId: src.sum.get
      responses: {"200": {description: The sum}}
"""
REQUIREMENTS = "connexion\n"
LOCK = "connexion==2.14.2 --hash=sha256:1\n"
FLASK = """
import flask
app = flask.Flask(__name__)
if __name__ == "__main__":
    app.run("0.0.0.0")
"""
EMPTY_SPEC = "openapi: 3.0.0\ninfo: {title: A, version: '1'}\npaths: {}\n"


def make(parent: Path) -> Path:
    """Write the app into a new folder below ``parent`` and return that."""
    folder = parent / "service"
    (folder / "src").mkdir(parents=True)
    write(folder, layout.DOCKERFILE, "FROM scratch\n")
    write(folder, layout.SPEC, SPEC)
    write(folder, layout.REQUIREMENTS, REQUIREMENTS)
    write(folder, layout.LOCK, f"{lock.seal(REQUIREMENTS, LOCK)}\n{LOCK}")
    write(folder, "src/sum.py", "def get():\n    return {}\n")
    return folder


def write(folder: Path, name: str, text: str) -> None:
    """Write a file of the app."""
    (folder / name).write_text(text, encoding="utf-8")


def append(folder: Path, name: str, text: str) -> None:
    """Add to the end of a file of the app."""
    write(folder, name, (folder / name).read_text(encoding="utf-8") + text)


def make_flask(parent: Path) -> Path:
    """Make an app in a layout of its own, in order; return its folder."""
    folder = parent / "my app"
    folder.mkdir()
    write(folder, "server.py", FLASK)
    write(folder, "requirements.txt", "flask==2.2.5\n")
    write(folder, "cpu.yaml", EMPTY_SPEC)
    return folder
