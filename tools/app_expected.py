"""What is expected of an app that is deployed for a test: read from YAML, one app in a file.

tests/apps/README.md explains the keys. Whatever a file gets wrong is told with its name.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

LIVES, REFUSED = "lives", "refused"
METHODS = ("get", "post", "put", "patch", "delete")
ANSWER_KEYS = {
    *METHODS,
    *("send", "upload", "headers", "login", "times"),
    *("status", "json", "text", "type"),
}
KEYS = {"kind", "quick", "outcome", "sentence", "answers", "prepare", "files", "summary"} | {
    "findings",
    "text",
}
# Of a program of an app that makes more of its files.
PREPARE_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """A request, and what has to come back.

    Attributes:
        method: of HTTP, in capitals.
        path: the path and query, from the service's root.
        send: body of the request, sent as JSON; None for no body.
        upload: fields of a form by name; a file is {"name": …, "content": …}.
        headers: further headers of the request.
        login: "name:password" for basic authentication, or "".
        times: how often it is asked.
        status: the status that has to come back.
        json: what the answer has to be as JSON; absent where "has_json" is False.
        has_json: whether the body is compared as JSON.
        text: texts that have to stand in the body.
        type: the beginning of the content type, or "".

    """

    method: str
    path: str
    send: Any = None
    upload: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    login: str = ""
    times: int = 1
    status: int = 200
    json: Any = None
    has_json: bool = False
    text: Sequence[str] = ()
    type: str = ""

    def __str__(self) -> str:
        """Return the request line."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Expected:
    """What an app is like, and what becomes of it.

    Attributes:
        name: of the app.
        kind: what the app is like, in a line.
        outcome: "lives", "refused", or "" where everything is right.
        sentence: texts that the deploy has to print; of a refusal, the first in its closing line.
        answers: requests, in their order.
        prepare: a program of the app that makes more of its files before the deploy, or "".
        files: the app's files by their path; {} where the app is a folder.
        quick: whether the app is one of the few of a short run.

    """

    name: str
    kind: str = ""
    outcome: str = ""
    sentence: Sequence[str] = ()
    answers: Sequence[Answer] = ()
    prepare: str = ""
    files: Mapping[str, Any] | None = None
    quick: bool = False


def read_apps(folder: Path) -> list[Expected]:
    """Read a folder of apps, each a YAML file with its files."""
    paths = sorted(folder.glob("*.yml"))
    return [expected(path.stem, yaml.safe_load(path.read_text("utf-8"))) for path in paths]


def read_table(path: Path) -> list[Expected]:
    """Read the expectations of apps that are folders elsewhere: one file, by their names."""
    table = yaml.safe_load(path.read_text("utf-8"))
    return [expected(name, said) for name, said in table.items()]


def folders(root: Path) -> list[Expected]:
    """Return the folders below `root` as apps of which nothing is expected."""
    return [Expected(path.name) for path in sorted(root.iterdir()) if path.is_dir()]


def expected(name: str, said: Mapping[str, Any]) -> Expected:
    """Return what is expected of an app.

    Raises:
        ValueError: a key or an outcome is not known.

    """
    if unknown := said.keys() - KEYS:
        raise ValueError(f"{name}: {', '.join(sorted(unknown))} is not a key of an app")
    outcome = said.get("outcome", "")
    if outcome not in (LIVES, REFUSED, ""):
        raise ValueError(f"{name}: {outcome} is not an outcome: write {LIVES} or {REFUSED}")
    return Expected(
        name=name,
        kind=said.get("kind", ""),
        outcome=outcome,
        sentence=listed(said.get("sentence", ())),
        answers=[answer(name, one) for one in said.get("answers", ())],
        prepare=said.get("prepare", ""),
        files=said.get("files"),
        quick=said.get("quick", False),
    )


def answer(name: str, said: Mapping[str, Any]) -> Answer:
    """Return one request and its answer.

    Raises:
        ValueError: a key is not known, or there is not exactly one method.

    """
    if unknown := said.keys() - ANSWER_KEYS:
        raise ValueError(f"{name}: {', '.join(sorted(unknown))} is not a key of an answer")
    methods = [method for method in METHODS if method in said]
    if len(methods) != 1:
        raise ValueError(f"{name}: an answer has one method: {{get: /path, json: 1}}")
    (method,) = methods
    rest = {key: value for key, value in said.items() if key not in {*METHODS, "text"}}
    return Answer(
        method=method.upper(),
        path=said[method],
        has_json="json" in said,
        text=listed(said.get("text", ())),
        **rest,
    )


def listed(value: str | Sequence[str]) -> Sequence[str]:
    """Return a text as a list of one."""
    return [value] if isinstance(value, str) else value


def write_files(folder: Path, files: Mapping[str, Any]) -> Path:
    """Write an app's files into a folder, and return the folder.

    A file is its text, its bytes (`!!binary`), {"text": …, "encoding": …, "newline": …} or
    {"link": where it leads}.
    """
    for name, value in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, Mapping) and "link" in value:
            path.symlink_to(value["link"])
        else:
            path.write_bytes(content(value))
    return folder


def content(value: Any) -> bytes:  # noqa: ANN401 - YAML holds anything
    """Return the bytes of a file."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    text: str = value["text"]
    return text.replace("\n", value.get("newline", "\n")).encode(value.get("encoding", "utf-8"))


def prepare(app: Expected, folder: Path) -> None:
    """Run the program of an app that makes more of its files, in the app's folder."""
    if app.prepare:
        words = [sys.executable] if app.prepare.endswith(".py") else ["sh"]
        subprocess.run(  # noqa: S603 - a program that stands in our own test
            [*words, app.prepare], cwd=folder, check=True, timeout=PREPARE_SECONDS
        )


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return the mode and the bytes of each file of a folder: a deploy must not change them."""
    return {
        os.path.relpath(path, folder): (os.lstat(path).st_mode, _bytes(path))
        for path in _files(folder)
    }


def _files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        for name in names:
            yield Path(root, name)


def _bytes(path: Path) -> bytes:
    return os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
