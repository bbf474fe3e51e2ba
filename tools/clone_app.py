#!/usr/bin/env python3
"""Clones the git repository that APP names, and prints the folder of the app in it.

    tools/clone_app.py https://git.example/me/weather.git
    tools/clone_app.py https://git.example/me/weather.git#v1.2           a branch, a tag, a revision
    tools/clone_app.py git+ssh://git@git.example/me/apps.git#main:week6  a folder of it

Make calls it where APP is an address; `docker build` names a branch and a folder in the same way.
Each call clones anew, so that what is deployed is what the address holds now. The revision goes
into the history of releases.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLONES = ROOT / ".classvm/clones"
ADDRESS = re.compile(r"(?:git\+)?((?:https|ssh|file)://[^\s#]+|git@[^\s#:]+:[^\s#]+)(?:#(\S*))?")
SECONDS = 300


class CloneError(Exception):
    """The app cannot be cloned; the message is one line for a person."""


@dataclass(frozen=True)
class Address:
    """What APP names: a repository, a revision in it ("" for its own), and a folder of that."""

    repository: str
    revision: str
    folder: str


def parse(text: str) -> Address:
    """Return what an address says.

    Raises:
        CloneError: it is none that git may be given.

    """
    match = ADDRESS.fullmatch(text)
    revision, _, folder = (match[2] or "").partition(":") if match else ("", "", "")
    # A word that begins with a hyphen would be an option of git.
    if not match or revision.startswith("-") or ".." in folder.split("/"):
        raise CloneError(
            "is no address of a git repository. Give one such as https://…/app.git#main"
        )
    return Address(match[1], revision, folder.strip("/"))


def clone(address: Address, parent: Path) -> Path:
    """Clone a repository into a folder of its own below ``parent``, and return the app's folder.

    Raises:
        CloneError: git or the repository refuses, or the folder is not in it.

    """
    name = hashlib.sha256(f"{address.repository}#{address.revision}".encode()).hexdigest()[:12]
    target = parent / name
    shutil.rmtree(target, ignore_errors=True)
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except PermissionError as error:  # a run with sudo in front has made the folder
        folder = Path(error.filename).parent
        what = f"{folder} belongs to another user. Take it, then try again"
        raise CloneError(f"{what}: sudo chown -R $USER {shlex.quote(str(folder))}") from error
    git("clone", "--quiet", "--", address.repository, str(target))
    if address.revision:
        # A branch is there as one of the origin; a tag and a revision are there as they are.
        branch = f"refs/remotes/origin/{address.revision}"
        known = git("-C", str(target), "for-each-ref", branch)
        revision = branch if known else address.revision
        git("-C", str(target), "checkout", "--quiet", "--detach", revision)
    found = target / address.folder
    if not found.is_dir():
        raise CloneError(f"there is no folder {address.folder} in it")
    return found


def git(*words: str) -> str:
    """Run git and return what it prints; it asks nobody for a password.

    Raises:
        CloneError: it fails, takes too long, or is not installed.

    """
    environment = {
        **os.environ,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    }
    environment = {**environment, "GIT_ALLOW_PROTOCOL": "https:ssh:file"}
    try:
        done = subprocess.run(  # noqa: S603 - `parse` lets only addresses through
            ["git", *words],  # noqa: S607 - the user's own git
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise CloneError("git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise CloneError(f"git took longer than {SECONDS} seconds") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith(("fatal:", "error:"))]
        raise CloneError((lines or done.stderr.splitlines() or ["git failed"])[0])
    return done.stdout


def main(words: list[str]) -> int:
    """Clone what the one word names; return the exit status."""
    try:
        print(clone(parse(words[0]), CLONES))
    except CloneError as error:
        print(f"make: APP={words[0]}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
