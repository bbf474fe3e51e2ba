"""What .dockerignore leaves out, compared with Docker's own package for Python."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import hypothesis
import pytest
from classvm.app import pack
from classvm.app.ignore_file import IgnoreFile
from classvm.base.errors import ClassvmError
from docker.utils.build import exclude_paths
from hypothesis import strategies

if TYPE_CHECKING:
    from pathlib import Path

# All that two folders can hold whose names are "a" or "b", and names that only a wildcard matches.
NAMES = [
    *("a.py", "b", "ab", ".x", "Dockerfile"),
    *("a/a.py", "a/b", "a/.x", "a/ab/a.py", "a/ab/b", "b.d/a.py", "b.d/a", "b.d/b/a", "b.d/b/.x"),
]
PARTS = ["a", "b", "ab", "a.py", "b.d", "*", "**", "?", "*.py", "[ab]", "a*", ".", "..", ".x", ""]
LINES = strategies.builds(
    lambda exception, parts: exception + "/".join(parts),
    strategies.sampled_from(["", "", "!"]),
    strategies.lists(strategies.sampled_from(PARTS), min_size=1, max_size=3),
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("app")
    for name in NAMES:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(name)
    return folder


@hypothesis.given(lines=strategies.lists(LINES, max_size=4))
@hypothesis.settings(max_examples=300, deadline=None)
def test_it_reads_patterns_as_docker_does(lines: list[str], app: Path) -> None:
    (app / ".dockerignore").write_text("\n".join(lines))
    found = exclude_paths(str(app), list(lines))
    expected = {name for name in found if os.path.isfile(app / name)}
    assert {file.name for file in pack.pack(app).files} == expected


@pytest.mark.parametrize(
    ("text", "out", "inside"),
    [
        ("*.PY", ["A.PY"], ["a.py"]),  # as the file systems of the hosts
        ("**/data\n!x/y/data/keep", ["x/y/data/other"], ["x/y/data/keep"]),
        ("\\*", ["*"], ["a"]),
        ("a.c", ["a.c"], ["abc"]),
        ("a[^b]", ["ac"], ["ab"]),
        ("[", ["["], ["a"]),
        ("# a\n  b  \n\n", ["b"], ["# a", "a", ".dockerignore"]),
        ("*", ["a", "a/b"], [".dockerignore", "server.py"]),
    ],
)
def test_examples(text: str, out: list[str], inside: list[str]) -> None:
    ignored = IgnoreFile(text, needed=["server.py"])
    assert [name for name in (*out, *inside) if ignored.leaves_out(name)] == out


def test_what_is_brought_back_is_found_in_a_folder_that_is_left_out() -> None:
    ignored = IgnoreFile("data\n!data/keep\nlogs")
    assert ignored.skips("logs")
    assert ignored.skips("logs/old")
    assert not ignored.skips("data")
    assert ignored.skips("data/other")


def test_a_pattern_that_is_not_valid() -> None:
    with pytest.raises(ClassvmError, match=r"pattern is not valid: .*\(\.dockerignore\)"):
        IgnoreFile("[z-a]")
