"""Say from what a build prints how far it has come."""

from __future__ import annotations

import re
from typing import Dict

from ..base import progress

# `#7 [stage 3/9] RUN …` begins a step of a build, `#7 1.234 …` is what it prints.
# Source: `docker build --progress=plain`
STEP = re.compile(r"^#(?P<number>\d+) \[(?:[\w.-]+ +)?(?P<at>\d+/\d+)\] (?P<what>.+)")
OUTPUT = re.compile(r"^#(?P<number>\d+) +\d+\.\d+ +(?P<text>.+)")
# The options of an instruction tell a person nothing.
OPTIONS = re.compile(r"--(?:mount|from|chown|chmod)=\S+ +")
INSTRUCTION_LENGTH = 60
# Commands that take long, in words that need no shell. The two scripts are the kit's.
KNOWN_COMMANDS = (
    (re.compile(r"(?i)\bpip3?\b.* install\b|\bsh install\.sh\b"), "installing Python packages"),
    (re.compile(r"\bapt(-get)?\b.* install\b"), "installing system packages"),
    (re.compile(r"\bpip-compile\b|\bsh lock\.sh\b"), "locking Python packages"),
)
# Of what a step prints, the lines that tell how far it is: those of pip, and those of apt.
TELLING = re.compile(
    r"^\s*(?P<doing>Collecting|Building wheel for|Installing collected packages|Unpacking|Setting up)"
    r"(?: (?P<what>[\w.\[\]+-]+))?"
)
# apt names address, suite, architecture and package.
LISTS = "Packages"
FETCHED = re.compile(r"^Get:\d+ \S+ \S+ \S+ (?P<what>[\w.+-]+) ")


class BuildProgress:
    """What is said of one build."""

    def __init__(self, title: str) -> None:
        """Say that it begins.

        Args:
            title: what is built, such as "the image".

        """
        self._title = title
        self._steps: Dict[str, str] = {}
        progress.say(title)

    def heard(self, line: str) -> None:
        """Take a line that the build has printed."""
        text = self.text(line)
        if text:
            progress.say(f"{self._title}: {text}")

    def text(self, line: str) -> str:
        """Return how far the build is by that line, "" where the line does not tell."""
        step = STEP.match(line)
        if step:
            self._steps[step["number"]] = f"step {step['at'].replace('/', ' of ')}"
            return f"{self._steps[step['number']]}, {_named(step['what'])}"
        said = OUTPUT.match(line)
        at = self._steps.get(said["number"], "") if said else ""
        if said is None or not at:
            return ""
        fetched, telling = FETCHED.match(said["text"]), TELLING.match(said["text"])
        if fetched:
            what = fetched["what"]
            return f"{at}, downloading {'package lists' if what == LISTS else what}"
        return (
            f"{at}, {telling['doing'].lower()} {telling['what'] or ''}".rstrip() if telling else ""
        )


def _named(instruction: str) -> str:
    """Return what an instruction of a Dockerfile does: in words, or as it stands there."""
    known = (words for command, words in KNOWN_COMMANDS if command.search(instruction))
    return next(known, _short(instruction))


def _short(instruction: str) -> str:
    words = " ".join(OPTIONS.sub("", instruction).split())
    return words if len(words) <= INSTRUCTION_LENGTH else f"{words[: INSTRUCTION_LENGTH - 1]}…"
