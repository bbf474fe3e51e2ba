"""The commands of docs/student.md and what they print, for the tests that run them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from e2e.machine import Run, run

GUIDE = Path(__file__).parents[2] / "docs/student.md"
# Commands that need an engine, or packages from an index.
NEEDS_MACHINE = re.compile(r"^(make deploy|make -C|curl) ", re.MULTILINE)
OURS = re.compile(r"^make (?!-C)", re.MULTILINE)
# A block of commands, and right below it a block of what they print.
BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
# What stands behind a command that the guide has fail; it is the last of its block.
FAILS = "# ends with an error\n"


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

    @property
    def fails(self) -> bool:
        """Whether the last command has to fail."""
        return self.commands.endswith(FAILS)

    def run(self, folder: Path, seconds: float) -> Run:
        """Run the commands in a folder; the first one that fails ends them."""
        # `setup` has been done: it would take the tests' own environment for another one.
        commands = OURS.sub("make --old-file=setup ", self.commands)
        return run("bash", "-e", "-c", commands, cwd=folder, seconds=seconds)

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
