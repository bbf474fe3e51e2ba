from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from classvm.app import overrides
from classvm.app.folder import AppFolder


def read(folder: Path, text: str) -> tuple[dict[str, Any], list[str]]:
    (folder / overrides.FILE).write_text(text)
    values, findings = overrides.read(AppFolder(folder))
    return values, [one.what for one in findings]


def test_what_is_valid_counts(tmp_path: Path) -> None:
    text = (
        "spec: a.yml\nport: 8081\nkeep: [data, b/c]\ndockerfile: kit\napt: [libmagic1, g++=4:7.4]\n"
    )
    values = {"spec": ["a.yml"], "port": 8081, "keep": ["data", "b/c"], "dockerfile": "kit"}
    assert read(tmp_path, text) == ({**values, "apt": ["libmagic1", "g++=4:7.4"]}, [])


@pytest.mark.parametrize(
    "text",
    [
        "prot: 1", "port: 0", "port: x", "spec: /etc/passwd", "keep: [../a]", "entry: [a]",
        "contract: no", "- a", "keep: {a: 1}", "1: 2",
        "apt: [a;b]", "apt: $(b)", "keep: .", "keep: [./classvm.yml]",
    ],
)  # fmt: skip
def test_what_is_not_is_told_and_ignored(text: str, tmp_path: Path) -> None:
    values, problems = read(tmp_path, text)
    assert values == {}
    assert len(problems) == 1


def test_there_may_be_no_file(tmp_path: Path) -> None:
    assert overrides.read(AppFolder(tmp_path)) == ({}, [])
