from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.inventory import kind

if TYPE_CHECKING:
    from pathlib import Path

EXECUTABLE = 0o755


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("hosts.yml", "all:\n", kind.YAML),
        ("hosts.json", "{}", kind.YAML),
        ("aws.yml", "# x\nplugin: aws_ec2\n", kind.OTHER),
        ("hosts", "# x\n[a]\nvm-1\n", kind.INI),
        ("hosts", "vm-1\n", kind.INI),
        ("hosts", "# x\n---\nall:\n", kind.YAML),
        ("hosts", "all:\n  hosts:\n", kind.YAML),
        ("hosts.ini", "all:\n", kind.INI),
        ("hosts", "", kind.INI),
        ("list.py", "#!/usr/bin/python3\n", kind.OTHER),
        ("hosts.toml", "[a]\n", kind.OTHER),
    ],
)
def test_the_kind_of_a_file(name: str, text: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert kind.of(tmp_path / name, text) == expected


def test_a_program_is_run_by_ansible(tmp_path: Path) -> None:
    program = tmp_path / "hosts"
    program.touch(mode=EXECUTABLE)
    assert kind.of(program, "\x7fELF") == kind.OTHER
