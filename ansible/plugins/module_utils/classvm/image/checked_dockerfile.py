"""Check the Dockerfile of a student, and write it anew, so that the engine reads what was checked.

Each instruction becomes one line. Comments and directives are gone: no other frontend can be chosen,
and no line can mean one thing here and another one to the engine.
Source: https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import re
from typing import Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from .image_labels import OF_DOCKERFILE, OWN_LABELS
from .received import MEGABYTE, NotTakenError, shown

LARGEST = MEGABYTE // 16
INSTRUCTIONS = 300
BASES = ("${BASE_IMAGE}", "$BASE_IMAGE")
DIRECTIVE = re.compile(r"\s*(?:#|//)\s*(syntax|escape|check)\s*=", re.IGNORECASE)
CONTINUED = re.compile(r"(^|[^\\])\\[ \t]*$")
CONTROL = re.compile(r"[^\t\n\x20-\x7e\xa0-\U0010ffff]")
FLAG = re.compile(r"--(?P<name>[a-z-]+)(?:=(?P<value>[A-Za-z0-9_.,=/:+-]*))?")
# A label and its value, the key spelt out; and one in the older way, without "=".
LABEL = re.compile(
    r"""\s*(["']?)(?P<key>[A-Za-z0-9_./-]+)\1=(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'\\]|\\.)*(?=\s|$)"""
)
OLD_LABEL = re.compile(r"(?P<key>[A-Za-z0-9_./-]+)\s[^=]*")
STAGE = re.compile(r"[a-z][a-z0-9_.-]*", re.IGNORECASE)
# Options of each instruction; those that are not here have none.
FLAGS = {
    "RUN": {"mount"},
    "COPY": {"from", "chown", "chmod", "link"},
    "ADD": {"chown", "chmod", "link"},
    "HEALTHCHECK": {"interval", "timeout", "start-period", "start-interval", "retries"},
}
PLAIN = (
    "ARG", "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "LABEL", "MAINTAINER", "SHELL", "STOPSIGNAL",
    "USER", "VOLUME", "WORKDIR",
)  # fmt: skip
MOUNTS = ("bind", "cache", "secret", "tmpfs")


class Instruction(NamedTuple):
    """One instruction, with its continued lines joined as the engine joins them."""

    line: int
    name: str
    rest: str


def written_anew(text: str) -> str:
    """Return a Dockerfile that means the same, one instruction a line.

    Raises:
        NotTakenError: it asks for what a student's may not; the place names the line.

    """
    _require_legible(text)
    stages: List[str] = []
    lines = [_checked(one, stages) for one in _instructions(text)]
    if not stages:
        raise refused(1, "It has no FROM", "Begin with `FROM ubuntu:18.04`.")
    return "\n".join([*lines, ""])


def refused(line: int, cause: str, fix: str) -> NotTakenError:
    """Return the error of a Dockerfile that is not taken."""
    return NotTakenError(cause, place=f"Dockerfile:{line}", fix=fix)


def _require_legible(text: str) -> None:
    if len(text.encode(errors="replace")) > LARGEST:
        raise refused(1, f"It is larger than {LARGEST >> 10} KB", "Make it shorter.")
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if CONTROL.search(line):
            raise refused(number, "It has characters that no Dockerfile needs", "Remove them.")
        if DIRECTIVE.match(line):
            raise refused(
                number,
                "It chooses how it is read (# syntax, # escape, # check)",
                "Remove the line.",
            )


def _instructions(text: str) -> Iterator[Instruction]:
    """Yield the instructions, as the engine's own parser finds them."""
    first, joined, count = 0, "", 0
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        first = first or number
        continued = CONTINUED.search(line)
        joined += line[: continued.start() + len(continued[1])] if continued else line
        if continued:
            continue
        count += 1
        if count > INSTRUCTIONS:
            raise refused(number, f"It has more than {INSTRUCTIONS} instructions", "Join some.")
        yield _split(first, joined.strip())
        first, joined = 0, ""
    if joined.strip():
        yield _split(first, joined.strip())


def _split(line: int, text: str) -> Instruction:
    name, rest = [*text.split(None, 1), ""][:2]
    if text.endswith("\\"):
        raise refused(line, "An instruction ends with a backslash", "Remove it.")
    return Instruction(line, name.upper(), rest.strip())


def _checked(one: Instruction, stages: List[str]) -> str:
    """Return an instruction as one line; note the stage that it begins.

    Raises:
        NotTakenError: it asks for what a student's may not.

    """
    if one.name not in PLAIN and one.name not in FLAGS:
        raise refused(one.line, f"{shown(one.name)} cannot be used here", "Remove the line.")
    flags, rest = _flags(one)
    for name, value in flags:
        CHECKS.get(name, _nothing)(one.line, value, stages)
    if one.name in ("RUN", "COPY", "ADD") and "<<" in rest:
        raise refused(one.line, "Here-documents (<<) cannot be used here", "Copy a file instead.")
    if one.name == "ADD" and re.search(r"[:$\\@]", rest):
        raise refused(one.line, "ADD takes files of the app alone", "Fetch it with RUN.")
    if one.name == "LABEL":
        _require_own_labels(one)
    if one.name == "FROM":
        stages.append(_stage(one, stages))
    words = [f"--{name}={value}" if value else f"--{name}" for name, value in flags]
    return " ".join([one.name, *words, rest])


def _flags(one: Instruction) -> Tuple[List[Tuple[str, str]], str]:
    """Return the options of an instruction, and the rest of it.

    Raises:
        NotTakenError: it has another option, or one that cannot be read at sight.

    """
    found: List[Tuple[str, str]] = []
    rest = one.rest
    while rest.startswith("--"):
        word, rest = [*rest.split(None, 1), ""][:2]
        flag = FLAG.fullmatch(word)
        if flag is None or flag["name"] not in FLAGS.get(one.name, ()):
            raise refused(
                one.line, f"{one.name} {shown(word)} cannot be used here", "Remove the option."
            )
        found.append((flag["name"], flag["value"] or ""))
    return found, rest


def _require_own_labels(one: Instruction) -> None:
    """Make sure that a label does not speak for the host.

    Raises:
        NotTakenError: it does, or its name cannot be read at sight.

    """
    at, found = 0, OLD_LABEL.fullmatch(one.rest)
    keys = [found["key"]] if found else []
    while not found and at < len(one.rest):
        label = LABEL.match(one.rest, at)
        if label is None:
            raise refused(one.line, "LABEL cannot be read", 'Write `LABEL name="value"`.')
        keys.append(label["key"])
        at = label.end()
    for key in keys:
        if key.startswith(OWN_LABELS) and key not in OF_DOCKERFILE:
            raise refused(one.line, f"The label {shown(key)} is the host's alone", "Remove it.")


def _stage(one: Instruction, stages: Sequence[str]) -> str:
    """Return the name of the stage that FROM begins, its number where it has none."""
    words = one.rest.split()
    image, name = words[:1], words[2:]
    is_whole = len(words) == 1 or (len(words) == len(("image", "AS", "name")) and _is_as(words[1]))
    if not is_whole or (name and not STAGE.fullmatch(name[0])):
        raise refused(one.line, "FROM cannot be read", "Write `FROM ubuntu:18.04 AS name`.")
    if image[0] not in BASES and not (STAGE.fullmatch(image[0]) and _is_stage(image[0], stages)):
        raise refused(
            one.line,
            f"FROM {shown(image[0])}: a student's image is built on the host's base image alone",
            "Write `FROM ubuntu:18.04`, or name an earlier stage.",
        )
    return name[0].lower() if name else ""


def _is_as(word: str) -> bool:
    return word.upper() == "AS"


def _is_stage(name: str, stages: Sequence[str]) -> bool:
    """Tell whether an earlier stage has that name."""
    return name.lower() in filter(None, stages)


# --- Options: each takes the line, the value, and the stages so far ------------------------------


def _nothing(line: int, value: str, stages: Sequence[str]) -> None:
    del line, value, stages


def _require_stage(line: int, value: str, stages: Sequence[str]) -> None:
    # The last one is the stage itself.
    earlier = stages[:-1]
    if not _is_stage(value, earlier) and value not in map(str, range(len(earlier))):
        raise refused(
            line,
            f"from={shown(value)} names no earlier stage, and no other image can be used",
            "Name a stage of this Dockerfile.",
        )


def _require_mount(line: int, value: str, stages: Sequence[str]) -> None:
    fields = [field.partition("=") for field in value.split(",")]
    kinds = [found for key, _, found in fields if key.lower() == "type"]
    if len(kinds) != 1 or kinds[0] not in MOUNTS:
        raise refused(
            line, f"--mount needs one type of {', '.join(MOUNTS)}", "Name it: type=cache."
        )
    for key, _, found in fields:
        if key.lower() == "from":
            _require_stage(line, found, stages)


CHECKS: Dict[str, Callable[[int, str, Sequence[str]], None]] = {
    "from": _require_stage,
    "mount": _require_mount,
}
