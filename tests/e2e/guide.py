"""The commands of docs/student.md and what they print, for the tests that run them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs/student.md"
# Commands that need an engine, or packages from an index.
NEEDS_MACHINE = re.compile(r"^(make deploy|make -C|curl) ", re.MULTILINE)
OURS = re.compile(r"^make (?!-C)", re.MULTILINE)
# A block of commands, and right below it a block of what they print.
BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """Commands of a shell, and lines that their output has to have."""

    commands: str
    shown: tuple[str, ...]

    @property
    def needs_machine(self) -> bool:
        """Whether the commands deploy, or install packages."""
        return NEEDS_MACHINE.search(self.commands) is not None

    @property
    def title(self) -> str:
        """The first command."""
        return self.commands.partition("\n")[0]

    def run(self, folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
        """Run the commands in a folder; the first one that fails ends them."""
        # `setup` has been done: it would take the tests' own environment for another one.
        commands = OURS.sub("make --old-file=setup ", self.commands)
        return subprocess.run(
            ["bash", "-e", "-c", commands],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=seconds,
            check=False,
        )

    def missing(self, output: str) -> list[str]:
        """Return the lines that an output should have and does not."""
        return [line for line in self.shown if line not in output]


def steps(document: str) -> list[Step]:
    """Return the steps of a guide, in order."""
    return [
        Step(commands, tuple(shown.splitlines())) for commands, shown in BLOCK.findall(document)
    ]


def clone(folder: Path) -> Path:
    """Return a folder `classvm` that shows this tree, so that `..` is a place of the test's own."""
    made = folder / "classvm"
    made.mkdir()
    for entry in GUIDE.parents[1].iterdir():
        if entry.name != ".git":
            (made / entry.name).symlink_to(entry)
    return made
