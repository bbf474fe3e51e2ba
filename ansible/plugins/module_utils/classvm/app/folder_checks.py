"""Find what does not belong into an app's folder, and what is wrong in its Dockerfile."""

from __future__ import annotations

import ast
import os
import posixpath
import re
from typing import Iterator, List

from . import dockerfile
from .code import Code
from .findings import Finding, did_you_mean
from .folder import MAX_FILES, AppFolder
from .imports import ASIDE

# Not the one for Python 3.7, whose address has a folder of that name.
GET_PIP = re.compile(r"//\S*(?<!/3\.7)/get-pip\.py")
LARGE_BYTES = 20_000_000
SECRET_FILES = re.compile(
    r"(^|/)(\.env(\.\w+)?|id_(rsa|dsa|ecdsa|ed25519)|.*\.(pem|p12|pfx)|\.netrc|\.pypirc)$"
)
SECRET_LINE = re.compile(
    r"(?i)^\s*(export\s+)?\w*(key|secret|password|passwd|token)\w*\s*[=:]\s*\S{6,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
# A value that could be a key: no blanks, no address, no path.
SECRET_NAME = re.compile(r"(?i)(^|_)(secret(_?key)?|password|passwd|api_?key|token)$")
SECRET_VALUE = re.compile(r"(?=.*\d)[^\s:/.%{}<>]{8,}|[^\s:/.%{}<>]{16,}")
CLOUD_KEY = re.compile(r"AKIA[0-9A-Z]{16}")
POINTER = re.compile(rb"version https://\S+/spec/v1\s+oid sha256:")


def check(folder: AppFolder, code: Code) -> List[Finding]:
    """Return the findings in the folder and its Dockerfile."""
    return [
        *_secrets(folder),
        *_secrets_in_code(folder),
        *_left_elsewhere(folder),
        *_junk(folder),
        *_unreadable(folder),
        *_large(folder),
        *_too_many(folder),
        *_dockerfile(folder, code),
        *_makefile(folder, code),
    ]


def _secrets(folder: AppFolder) -> Iterator[Finding]:
    for name in folder.files:
        if not SECRET_FILES.search(name) or name.endswith(".example"):
            continue
        for number, line in enumerate(folder.text(name).splitlines(), start=1):
            if SECRET_LINE.search(line):
                what = f"`{line.strip().partition('=')[0].partition(':')[0][:40]}` is a secret"
                fix = "Change it, take the file out of git, hand it in at deploy time"
                yield Finding(name, number, 1, "CV060", what, fix)


def _secrets_in_code(folder: AppFolder) -> Iterator[Finding]:
    """Yield the passwords and keys that a Python file spells out."""
    for name in folder.python_files():
        for node in ast.walk(folder.tree(name)) if not ASIDE.search(name) else ():
            is_one = isinstance(node, (ast.Assign, ast.AnnAssign, ast.keyword))
            value = getattr(node, "value", None) if is_one else None
            text = value.value if isinstance(value, ast.Constant) else None
            if not isinstance(text, str) or not isinstance(value, ast.Constant):
                continue
            named = next((one for one in _names(node) if SECRET_NAME.search(one)), "")
            if (named and SECRET_VALUE.fullmatch(text)) or CLOUD_KEY.fullmatch(text):
                what = f"`{named or text[:4] + '…'}` is a secret in the code"
                fix = "Change it, and read the new one from the environment: `os.environ`"
                place = (value.lineno, value.col_offset + 1)
                yield Finding(name, *place, "CV060", what, fix)


def _names(node: ast.AST) -> Iterator[str]:
    """Yield the names that an assignment or an argument sets; of `config["KEY"]` the key."""
    if isinstance(node, ast.keyword):
        yield node.arg or ""
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    for target in targets:
        for inner in ast.walk(target) if target else ():
            yield str(getattr(inner, "id", getattr(inner, "attr", getattr(inner, "value", ""))))


def _left_elsewhere(folder: AppFolder) -> Iterator[Finding]:
    """Yield what a clone lacks: the content of large files, and other repositories."""
    for name in folder.files:
        if POINTER.match(folder.beginning(name)):
            what = "git has only a pointer to this file here, not its content"
            yield Finding(name, 0, 0, "CV066", what, "Run `git lfs pull` in the app's folder")
    modules = folder.text(".gitmodules").splitlines() if folder.has(".gitmodules") else []
    for number, line in enumerate(modules, start=1):
        path = re.fullmatch(r"\s*path\s*=\s*(\S+)\s*", line)
        if path and not folder.has_folder(path[1]):
            what = f"{path[1]}/ is another repository, which is not here"
            fix = "Run `git submodule update --init` in the app's folder"
            yield Finding(".gitmodules", number, 0, "CV066", what, fix)


def _junk(folder: AppFolder) -> Iterator[Finding]:
    ignored = {line.strip().strip("/") for line in folder.text(".gitignore").splitlines()}
    for name in folder.junk:
        if name not in (".git", ".venv") and not {name, posixpath.basename(name)} & ignored:
            yield Finding(name, 0, 0, "CV061", "it is not part of the app", "Add it to .gitignore")
    for name in folder.broken_links:
        what = "the link leads nowhere, or out of the folder"
        yield Finding(name, 0, 0, "CV063", what, "Copy the file, or delete the link")


def _unreadable(folder: AppFolder) -> Iterator[Finding]:
    for name in folder.unreadable:
        fix = f"Run `chmod -R u+rX '{name or '.'}'` in the app's folder"
        yield Finding(name, 0, 0, "CV064", "you may not read it", fix)


def _large(folder: AppFolder) -> Iterator[Finding]:
    for name in folder.files:
        try:
            size = os.stat(folder.root / name).st_size
        except OSError:
            continue
        if size > LARGE_BYTES:
            what = f"the file has {size // 1_000_000} MB"
            yield Finding(name, 0, 0, "CV062", what, "Leave out what the app does not read")


def _too_many(folder: AppFolder) -> Iterator[Finding]:
    if folder.is_cut:
        what = f"there are more than {MAX_FILES:,} files, and only these were read"
        yield Finding("", 0, 0, "CV065", what, "Move out what the app does not read")


def _dockerfile(folder: AppFolder, code: Code) -> Iterator[Finding]:
    file = "Dockerfile"
    instructions = dockerfile.read(folder.text(file)) if folder.has(file) else []
    for one in instructions:
        if one.name not in dockerfile.INSTRUCTIONS:
            close = did_you_mean(one.name, dockerfile.INSTRUCTIONS)
            fix = f"Did you mean `{close}`?" if close else "Correct the first word"
            yield Finding(
                file, one.line, 1, "CV050", f"`{one.name[:40]}` is not an instruction", fix
            )
        if one.name == "RUN" and GET_PIP.search(one.rest):
            fix = (
                "Leave it out for classvm; to build with Docker alone, take the get-pip.py for 3.7"
            )
            what = "today's get-pip.py refuses Python 3.7; classvm does not use it"
            yield Finding(file, one.line, 1, "CV055", what, fix)
        if one.name == "RUN" and re.search(r"\bgit +clone\b", one.rest):
            what = "the build clones another copy of the code"
            yield Finding(file, one.line, 1, "CV052", what, "Write `COPY . /src`")
    line, image = dockerfile.base_image(instructions)
    if image and dockerfile.kind(instructions) == "own" and image.partition(":")[0] != "ubuntu":
        what = f"`{image[:60]}` instead of Ubuntu 18.04"
        yield Finding(file, line, 1, "CV053", what, "Write `FROM ubuntu:18.04`")
    ports = {start.port for start in code.starts if start.port}
    for line, word, exposed in dockerfile.exposed(instructions):
        if ports and not ports.intersection(exposed):
            what = f"EXPOSE {word}, but the program listens on {min(ports)}"
            yield Finding(file, line, 1, "CV051", what, f"Write `EXPOSE {min(ports)}`")


def _makefile(folder: AppFolder, code: Code) -> Iterator[Finding]:
    ports = {start.port for start in code.starts if start.port}
    lines = folder.text("Makefile").splitlines() if folder.has("Makefile") else []
    for number, line in enumerate(lines, start=1):
        mapping = re.search(
            r"docker run\b.*\s(?:-p|--publish)[ =](?:[\d.]+:)?\d+:(\d{1,5})\b", line
        )
        if mapping and ports and int(mapping[1]) not in ports:
            start = next(one for one in code.starts if one.port)
            what = (
                f"it maps port {mapping[1]}, but {start.file}:{start.line} listens on {start.port}"
            )
            yield Finding("Makefile", number, 0, "CV054", what, f"Lead it to port {start.port}")
