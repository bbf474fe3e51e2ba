"""The apps that are released: the lab's own with one more operation, good or broken.

Each is a copy of the folder `service/` with a change. A change that may break the app only at run
time goes into the settings of its server, because the build loads all other files.
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
from faults.load import Paths
from infra.expected import ROOT

SERVICE = ROOT / "service"
# The container's environment variable with the address of the tally.
TALLY = "TALLY"
SERVER = "gunicorn.conf.py"
# The time to become healthy for broken releases that never do.
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
"""Report each execution of a request to the tally."""

import os
import socket
import uuid


def post(body):
    """Report the execution; the answer says whether the tally acknowledged it."""
    execution = uuid.uuid4().hex
    heard = any(report(body["id"] + " " + execution) for _ in range(5))
    return {"id": body["id"], "heard": heard}


def report(text):
    """Send one report over a new socket, because the route may have changed."""
    address, _, port = os.environ.get("TALLY", "").rpartition(":")
    if not address:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        try:
            client.sendto(text.encode(), (address, int(port)))
            return client.recv(200) == text.encode()
        except OSError:
            return False
'''


@dataclass(frozen=True)
class BrokenRelease:
    """A release that must be refused.

    Attributes:
        name: what is wrong with it, as a clause.
        reason: text that the refusal has to contain.
        file: the file of the app that is changed.
        old: the text that is replaced; "" to append to the file.
        new: the text that replaces it.
        waits: whether the deploy waits until the candidate's time to become healthy is over.
        serves: whether it breaks only after a swap without a gap would have led clients to it, so
            that only the swap with a gap keeps the promise.
        quick: whether SCOPE=quick includes it.
        strategy: the only strategy with which it is tried; "" for both.

    """

    name: str
    reason: str
    file: str = SERVER
    old: str = ""
    new: str = ""
    waits: bool = False
    serves: bool = False
    quick: bool = False
    strategy: str = ""

    def make(self, folder: Path) -> None:
        """Break the app of a folder."""
        path = folder / self.file
        text = path.read_text(encoding="utf-8")
        new = textwrap.dedent(self.new)
        if self.old and self.old not in text:
            raise ValueError(f"{self.file} does not contain {self.old!r}, so nothing is replaced")
        path.write_text(text.replace(self.old, new) if self.old else text + new, encoding="utf-8")


NOT_HEALTHY = f"it was not healthy within {SHORT_SECONDS} s"
CONTRACT = "breaks its contract: "
BROKEN_RELEASES = (
    BrokenRelease(
        "it does not start",
        "it ended with exit code 3",
        new="""
        raise SystemExit(3)
        """,
        strategy=RECREATE,
    ),
    BrokenRelease(
        "it crashes after 3 s",
        "it ended with exit code 4",
        # The first process of a container ignores signals without a handler.
        new="""
        import os, signal

        def when_ready(server):
            signal.signal(signal.SIGALRM, lambda *_: os._exit(4))
            signal.alarm(3)
        """,
        serves=True,
        quick=True,
        strategy=RECREATE,
    ),
    BrokenRelease(
        "it is never ready",
        NOT_HEALTHY,
        file="src/health.py",
        old="version = model.load().version",
        new="raise model.ModelUnavailableError",
        waits=True,
        strategy=BLUE_GREEN,
    ),
    BrokenRelease(
        "its health lies, its contract fails",
        CONTRACT,
        file="src/hello.py",
        old='"message":',
        new='"massage":',
        quick=True,
        strategy=BLUE_GREEN,
    ),
    BrokenRelease(
        "it listens on another port, and its health check asks there",
        CONTRACT,
        file="src/settings.py",
        old='values["CONTAINER_PORT"])',
        new='values["CONTAINER_PORT"]) + 1',
        strategy=RECREATE,
    ),
    BrokenRelease(
        "a package is missing",
        "No module named 'numpy'",
        new="""
        import numpy
        """,
        strategy=BLUE_GREEN,
    ),
    BrokenRelease(
        "it exhausts the memory",
        "it ended with exit code 137",
        new="""
        def when_ready(server):
            server.hog = b"x" * (4 << 30)
        """,
        quick=True,
        strategy=BLUE_GREEN,
    ),
    BrokenRelease(
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
    BrokenRelease(
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
    """Make a good app that answers with a word, and return its folder."""
    made = folder / word
    shutil.copytree(SERVICE, made, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    replace(made / "src/hello.py", r'("message": ")[^"]*', rf"\g<1>{word}")
    replace(made / layout.SPEC, r"\n(?=components:\n)", OPERATION + "\n")
    (made / "src/tally.py").write_text(HANDLER.lstrip(), encoding="utf-8")
    return made


def broken(folder: Path, flaw: BrokenRelease) -> Path:
    """Make a broken app and return its folder."""
    made = good(folder, re.sub(r"\W+", "-", flaw.name))
    flaw.make(made)
    return made


def replace(path: Path, old: str, new: str) -> None:
    """Replace the only match of a regular expression in a file."""
    text, count = re.subn(old, new, path.read_text(encoding="utf-8"))
    if count != 1:
        raise ValueError(f"{path} matches {old!r} {count} times")
    path.write_text(text, encoding="utf-8")


def paths() -> Paths:
    """Return the paths that the clients request from these apps."""
    document = yaml.safe_load((SERVICE / layout.SPEC).read_text(encoding="utf-8"))
    base = document["servers"][0]["url"]
    return Paths(page=f"{base}/hello", tally=f"{base}/tally")
