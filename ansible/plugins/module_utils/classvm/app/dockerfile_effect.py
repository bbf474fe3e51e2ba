"""What of a student's Dockerfile holds for an image that the kit builds, and what does not."""

from __future__ import annotations

import re
import shlex
from typing import Dict, Iterator, List, Tuple

from .dockerfile import Instruction

# The kit sets these, or they belong to the build.
OF_THE_KIT = re.compile(
    r"PATH|HOME|USER|LANG|LC_ALL|DEBIAN_FRONTEND|PIP_\w+|PYTHON\w+|MPLCONFIGDIR"
)
# What sets up Python and fetches the packages: the kit does it in its own way.
SETUP = re.compile(
    r"((if|then|else|elif|!)\s+)*("
    r"(apt|apt-get|add-apt-repository|update-alternatives|locale-gen|apk|yum|cd|rm|ln|mkdir|echo|set|export)\b"
    r"|(/\S*/)?(python|pip)[\d.]*\b(?!.*\.py\b)|.*\bget-pip\b|git\s+(clone|pull)\b|:|(true|test|fi)\b|\[\s)"
)


def environment(instructions: List[Instruction]) -> Dict[str, str]:
    """Return the variables that ENV sets for the program, as far as their values are spelt out."""
    return {
        name: value
        for one in instructions
        if one.name == "ENV"
        for name, value in _variables(one.rest)
        if "$" not in value and not OF_THE_KIT.fullmatch(name)
    }


def without_effect(instructions: List[Instruction]) -> List[Instruction]:
    """Return the instructions that change nothing in the image that the kit builds."""
    return [one for one in instructions if _has_no_effect(one)]


def _has_no_effect(one: Instruction) -> bool:
    if one.name == "ENV":
        return any(
            "$" in value and not OF_THE_KIT.fullmatch(name) for name, value in _variables(one.rest)
        )
    if one.name == "RUN":
        commands = re.split(r"&&|;|\|\|", re.sub(r"--mount=\S+", "", one.rest))
        return any(command.strip() and not SETUP.match(command.strip()) for command in commands)
    is_from_elsewhere = {"COPY": "--from=" in one.rest, "ADD": "://" in one.rest}
    return is_from_elsewhere.get(one.name, one.name in ("ONBUILD", "HEALTHCHECK", "VOLUME"))


def _variables(rest: str) -> Iterator[Tuple[str, str]]:
    """Yield name and value of each variable of `ENV A=1 B="2"` and of `ENV A 1`."""
    name, _, value = rest.partition(" ")
    if "=" not in name:
        yield name, value.strip()
        return
    try:
        words = shlex.split(rest)
    except ValueError:  # a quote without an end
        words = rest.split()
    for word in words:
        name, _, value = word.partition("=")
        yield name, value
