"""A command that reaches no host, or not every host that was named, fails and says so."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import tree

if TYPE_CHECKING:
    from pathlib import Path

INVENTORIES = {
    "good.yml": "all: {hosts: {a: {ansible_connection: local}}}",
    "empty.yml": "all: {}",
    "broken.yml": "a: [",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write the inventories, and a playbook that only prints."""
    for name, text in INVENTORIES.items():
        (tmp_path / name).write_text(text)
    task = "ansible.builtin.debug: {msg: reached}"
    (tmp_path / "play.yml").write_text(
        f"[{{hosts: all, gather_facts: false, tasks: [{{{task}}}]}}]",
    )
    return tmp_path


def play(folder: Path, inventory: str, *options: str) -> tuple[int, str]:
    """Run the playbook with the settings of this project; return exit code and output."""
    done = subprocess.run(
        ["ansible-playbook", folder / "play.yml", "--inventory", folder / inventory, *options],
        cwd=tree.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("inventory", "options", "reason"),
    [
        ("absent.yml", (), "absent.yml"),
        ("broken.yml", (), "broken.yml"),
        ("empty.yml", (), "the inventory has no host"),
        ("good.yml", ("--limit", "a,typo"), "the inventory has no host or group typo"),
        ("good.yml", ("--limit", "a,!a"), "no host of the inventory is left by LIMIT=a,!a"),
        ("good.yml", ("--limit", "typo"), "the inventory has no host or group typo"),
    ],
)
def test_a_missing_host_is_an_error(
    folder: Path,
    inventory: str,
    options: tuple[str, ...],
    reason: str,
) -> None:
    code, said = play(folder, inventory, *options)
    assert code != 0
    assert reason in said
    assert "reached" not in said


@pytest.mark.parametrize("options", [(), ("--limit", "a"), ("--limit", "all,!typo")])
def test_a_host_that_is_there_is_reached(folder: Path, options: tuple[str, ...]) -> None:
    code, said = play(folder, "good.yml", *options)
    assert code == 0
    assert "reached" in said
