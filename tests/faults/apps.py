"""The services that are released: the lab's own, with one operation more, good or broken.

Each is a copy of the folder `service/` with a change. What breaks only when it runs is written
into the settings of its server, because the build loads all other files.
"""

from __future__ import annotations

import re
import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path

import yaml
from classvm.app import layout
from classvm.base.edge import BLUE_GREEN, RECREATE
from facts import ROOT
from load import Paths

SERVICE = ROOT / "service"
# The variable of the container that says where the tally listens.
TALLY = "TALLY"
SERVER = "gunicorn.conf.py"
# Broken releases that only keep one waiting get no more than this to become healthy.
SHORT_SECONDS = 3

OPERATION = """
  /tally:
    post:
      operationId: src.tally.post
      tags: [basics]
      summary: Count a request
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [id]
              properties:
                id: { type: string, pattern: '^[0-9a-z-]{1,40}$' }
              example: { id: example }
      responses:
        '200':
          description: It is counted
          content:
            application/json:
              schema:
                type: object
                additionalProperties: false
                required: [id, heard]
                properties:
                  id: { type: string }
                  heard: { type: boolean }
                example: { id: example, heard: true }
        default: { $ref: '#/components/responses/Error' }
"""
HANDLER = '''
"""Tell the tally that a request was executed."""

import os
import socket
import uuid


def post(body):
    """Count a request; the answer says whether the tally has heard."""
    execution = uuid.uuid4().hex
    heard = any(tell(body["id"] + " " + execution) for _ in range(5))
    return {"id": body["id"], "heard": heard}


def tell(text):
    """Tell once, over a new socket: the way there may be another by now."""
    address, _, port = os.environ.get("TALLY", "").rpartition(":")
    if not address:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as told:
        told.settimeout(0.2)
        try:
            told.sendto(text.encode(), (address, int(port)))
            return told.recv(200) == text.encode()
        except OSError:
            return False
'''


@dataclass(frozen=True)
class Broken:
    """A release that must be refused.

    Attributes:
        name: what is wrong with it, as a clause.
        reason: what the refusal has to say.
        file: which file of the service is changed.
        old: what is replaced there; "" to add at the end.
        new: what is written instead.
        waits: whether it only keeps one waiting, until the limit.
        quick: whether it is one of the few that `make test` tries.
        strategy: the strategy with which it is tried; "" for both.

    """

    name: str
    reason: str
    file: str = SERVER
    old: str = ""
    new: str = ""
    waits: bool = False
    quick: bool = False
    strategy: str = ""

    def make(self, folder: Path) -> None:
        """Break the service of a folder."""
        path = folder / self.file
        text = path.read_text(encoding="utf-8")
        new = textwrap.dedent(self.new)
        if self.old and self.old not in text:
            raise ValueError(f"{self.file} has no {self.old!r} to be replaced")
        path.write_text(text.replace(self.old, new) if self.old else text + new, encoding="utf-8")


NOT_HEALTHY = f"it was not healthy within {SHORT_SECONDS} s"
CONTRACT = "breaks its contract; the running release was not touched"
BROKEN = (
    Broken(
        "it does not start",
        "it ended with exit code 3",
        new="""
        raise SystemExit(3)
        """,
        strategy=RECREATE,
    ),
    Broken(
        "it crashes after 3 s",
        "it ended with exit code 4",
        # The first process of a container ignores what it does not handle.
        new="""
        import os, signal

        def when_ready(server):
            signal.signal(signal.SIGALRM, lambda *_: os._exit(4))
            signal.alarm(3)
        """,
        quick=True,
        strategy=RECREATE,
    ),
    Broken(
        "it is never ready",
        NOT_HEALTHY,
        file="src/health.py",
        old="version = model.load().version",
        new="raise model.ModelUnavailableError",
        waits=True,
        strategy=BLUE_GREEN,
    ),
    Broken(
        "its health lies, its contract fails",
        CONTRACT,
        file="src/hello.py",
        old='"message":',
        new='"massage":',
        quick=True,
        strategy=BLUE_GREEN,
    ),
    Broken(
        "it listens on another port, and its health check asks there",
        CONTRACT,
        file="src/settings.py",
        old='values["CONTAINER_PORT"])',
        new='values["CONTAINER_PORT"]) + 1',
        strategy=RECREATE,
    ),
    Broken(
        "a package is missing",
        "No module named 'numpy'",
        new="""
        import numpy
        """,
        strategy=BLUE_GREEN,
    ),
    Broken(
        "it exhausts the memory",
        "it ended with exit code 137",
        new="""
        def when_ready(server):
            server.hog = b"x" * (4 << 30)
        """,
        quick=True,
        strategy=BLUE_GREEN,
    ),
    Broken(
        "it is a fork bomb",
        NOT_HEALTHY,
        new="""
        def on_starting(server):
            import os, time

            while True:
                try:
                    os.fork()
                except OSError:
                    time.sleep(0.01)
        """,
        waits=True,
        strategy=RECREATE,
    ),
    Broken(
        "it starts more slowly than the limit allows",
        NOT_HEALTHY,
        new="""
        def on_starting(server):
            import time

            time.sleep(60)
        """,
        waits=True,
        strategy=BLUE_GREEN,
    ),
)


def good(folder: Path, word: str) -> Path:
    """Make a good service that says a word, and return its folder."""
    made = folder / word
    shutil.copytree(SERVICE, made, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    replace(made / "src/hello.py", r'("message": ")[^"]*', rf"\g<1>{word}")
    replace(made / layout.SPEC, r"\n(?=components:\n)", OPERATION + "\n")
    (made / "src/tally.py").write_text(HANDLER.lstrip(), encoding="utf-8")
    return made


def broken(folder: Path, flaw: Broken) -> Path:
    """Make a broken service and return its folder."""
    made = good(folder, re.sub(r"\W+", "-", flaw.name))
    flaw.make(made)
    return made


def replace(path: Path, old: str, new: str) -> None:
    """Change a file where a regular expression matches, which has to be in one place."""
    text, count = re.subn(old, new, path.read_text(encoding="utf-8"))
    if count != 1:
        raise ValueError(f"{path} matches {old!r} {count} times")
    path.write_text(text, encoding="utf-8")


def paths() -> Paths:
    """Return what the clients ask of these services."""
    document = yaml.safe_load((SERVICE / layout.SPEC).read_text(encoding="utf-8"))
    base = document["servers"][0]["url"]
    return Paths(page=f"{base}/hello", tally=f"{base}/tally")
