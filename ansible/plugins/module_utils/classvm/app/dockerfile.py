"""Read a Dockerfile: its instructions, what it installs, what it starts."""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass
from typing import Dict, Iterator, List, Tuple

INSTRUCTIONS = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
    "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip
# What the lab's Dockerfile installs to set up Python: the service image has it, or does not need it.
SETUP = re.compile(
    r"apt-utils|build-essential|lib(ssl|ffi)-dev|git(-core)?|dnsutils|curl|wget|make|gcc|g\+\+|vim|nano"
    r"|ca-certificates|software-properties-common|(lib)?python[\d.]*(-(pip|dev|distutils|venv|setuptools|minimal|stdlib))?"
)

# A package of Ubuntu, with a version or without; it becomes a word of the kit's Dockerfile.
APT_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+(=[\w.+:~-]+)?")

# The start of a here-document, `<<EOF`, after a blank: the lines up to EOF belong to it.
HERE_DOCUMENT = re.compile(r"""(?:^|\s)\d*<<-?(["']?)([A-Za-z_]\w*)\1""")


@dataclass(frozen=True)
class Instruction:
    """One instruction, with its continued lines and here-documents joined."""

    line: int
    name: str
    rest: str


def read(text: str) -> List[Instruction]:
    """Return the instructions of a Dockerfile, known and unknown."""
    return list(_instructions(text))


def _instructions(text: str) -> Iterator[Instruction]:
    first, joined = 0, ""
    lines = enumerate(text.splitlines(), start=1)
    for number, line in lines:
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        first = first if joined else number
        if stripped.endswith("\\"):
            joined += stripped[:-1] + " "
            continue
        name, _, rest = (joined + stripped).partition(" ")
        body = _here_documents(rest, lines) if name.upper() in ("RUN", "COPY", "ADD") else []
        yield Instruction(first, name.upper(), "; ".join([rest.strip(), *body]))
        joined = ""


def _here_documents(rest: str, lines: Iterator[Tuple[int, str]]) -> List[str]:
    """Take the lines of the here-documents of an instruction from those that follow it."""
    body: List[str] = []
    for start in HERE_DOCUMENT.finditer(rest):
        for _, line in lines:
            if line.strip() == start[2]:
                break
            body.append(line.strip())
    return body


def apt_packages(instructions: List[Instruction]) -> List[str]:
    """Return the packages that are installed beyond Python and its tools, in their order."""
    found: List[str] = []
    for one in instructions:
        if one.name == "RUN":
            for command in re.split(r"&&|;|\|\|", one.rest):
                found += _installed(command.split())
    return list(dict.fromkeys(found))


def _installed(words: List[str]) -> List[str]:
    if "install" not in words or not {"apt", "apt-get"} & set(words):
        return []
    named = [word for word in words[words.index("install") + 1 :] if not word.startswith("-")]
    return [
        name
        for name in named
        if APT_PACKAGE.fullmatch(name) and not SETUP.fullmatch(name.partition("=")[0])
    ]


def base_image(instructions: List[Instruction]) -> Tuple[int, str]:
    """Return line and image of the FROM on which the last stage is built; (0, "") without one."""
    stages: Dict[str, Tuple[int, str]] = {}
    last = (0, "")
    for one in instructions:
        words = [word for word in one.rest.split() if not word.startswith("--")]
        if one.name == "FROM" and words:
            last = stages.get(words[0], (one.line, words[0]))
            stages[words[-1]] = last
    return last


def command(instructions: List[Instruction]) -> List[str]:
    """Return the words of the command that a container runs: ENTRYPOINT and CMD."""
    words: List[str] = []
    for name in ("ENTRYPOINT", "CMD"):
        last = [one.rest for one in instructions if one.name == name][-1:]
        words += [word for rest in last for word in _words(rest)]
    return words


def _words(rest: str) -> List[str]:
    try:
        read_words = json.loads(rest)
    except (ValueError, RecursionError):
        return rest.split()
    return [str(word) for word in read_words] if isinstance(read_words, list) else rest.split()


def workdir(instructions: List[Instruction]) -> str:
    """Return the folder of the container in which the command runs."""
    folder = "/"
    for one in instructions:
        if one.name == "FROM":
            folder = "/"
        elif one.name == "WORKDIR":
            folder = posixpath.normpath(posixpath.join(folder, one.rest.strip("\"'")))
    return folder


def exposed(instructions: List[Instruction]) -> List[Tuple[int, str, range]]:
    """Return line, text and ports of each word of EXPOSE: "8080", "8080/tcp", "80-90"."""
    found: List[Tuple[int, str, range]] = []
    for one in instructions:
        for word in one.rest.split() if one.name == "EXPOSE" else ():
            ports = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?(?:/\w+)?", word)
            if ports:
                found.append((one.line, word, range(int(ports[1]), int(ports[2] or ports[1]) + 1)))
    return found


def kind(instructions: List[Instruction]) -> str:
    """Return "none", "lab" for one that only sets up Python, or "own" for one that does more."""
    if not instructions:
        return "none"
    is_lab = base_image(instructions)[1] in ("ubuntu:18.04", "${BASE_IMAGE}", "$BASE_IMAGE")
    return "lab" if is_lab and not apt_packages(instructions) else "own"
