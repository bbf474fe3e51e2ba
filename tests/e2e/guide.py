"""The commands of the guides in docs/ and what they print, for the tests that run them."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from e2e.machine import ROOT, Run, common_defaults, run, settle

STUDENT, ADMIN = "student", "admin"
# Commands that need an engine, hosts, or packages from an index.
NEEDS_MACHINE = re.compile(
    r"^(make (?!check|new-app|adopt)|curl |docker |ssh-keygen |\.venv/bin/)", re.MULTILINE
)
OURS = re.compile(r"^make (?!-C)", re.MULTILINE)
# A block of commands, and right below it a block of what they print.
BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
# What stands behind a command that the guide has fail; it is the last of its block.
FAILS = "# ends with an error\n"
# What a copy of the tree does without.
LEFT_OUT = (".venv", ".git", ".lab", ".classvm", "__pycache__", ".*_cache", ".hypothesis")


@dataclass(frozen=True)
class Step:
    """Commands of a shell, and lines that their output has to have."""

    commands: str
    shown: tuple[str, ...]

    @property
    def needs_machine(self) -> bool:
        """Whether the commands reach an engine or hosts, or install packages."""
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
        done = run("bash", "-e", "-c", commands, cwd=folder, seconds=seconds)
        # What the guide looks at next is there when the deploy has wholly ended.
        settle(common_defaults()["classvm_state_dir"])
        return done

    def missing(self, output: str) -> list[str]:
        """Return the lines that an output should have and does not."""
        return [line for line in self.shown if line not in output]

    def follow(self, folder: Path, seconds: float) -> None:
        """Run the commands in a folder; they have to do what the guide shows."""
        done = self.run(folder, seconds)
        assert (done.code != 0) == self.fails, f"{self.title}:\n{done.text}"
        missing = self.missing(done.text)
        assert not missing, f"{self.title}: {missing} is not in\n{done.text}"


def steps(document: str) -> list[Step]:
    """Return the steps of a guide, in order."""
    return [
        Step(commands, tuple(shown.splitlines())) for commands, shown in BLOCK.findall(document)
    ]


def read(name: str) -> list[Step]:
    """Return the steps of one of our guides."""
    return steps((ROOT / f"docs/{name}.md").read_text(encoding="utf-8"))


def linked(folder: Path) -> Path:
    """Return a folder `classvm` that shows this tree, so that `..` is a place of the test's own."""
    made = folder / "classvm"
    made.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in (".git", ".lab"):
            (made / entry.name).symlink_to(entry)
    return made


def copied(folder: Path) -> Path:
    """Return a folder `classvm` that is a copy of this tree, with its virtual environment."""
    made = folder / "classvm"
    shutil.copytree(ROOT, made, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (made / ".venv").symlink_to(ROOT / ".venv")
    return made
