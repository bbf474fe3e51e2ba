"""What counts as code: the other tests of the repository rest on it."""

from __future__ import annotations

from pathlib import Path

import pytest
import tree


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.py", '"""4711"""\n', False),
        ("a.py", "# 4711\n", False),
        ("a.py", "PORT = 1  # not 4711\n", False),
        ("a.py", 'EXAMPLES = """\nport: 4711\n"""\n', False),
        ("a.py", "PORT = 4711\n", True),
        ("a.py", 'def f():\n    """Doc."""\n    return "4711"  # why\n', True),
        ("a.md", "4711", False),
        ("a.yml", "# 4711\n", False),
        ("a.yml", "port: 1  # 4711\n", False),
        ("a.yml", "port: 4711  # here\n", True),
        ("a.yml", "url: a#4711\n", True),
        ("Makefile", "go: ## port 4711\n", False),
        ("Makefile", "PORT = 4711\n", True),
        ("a.whl", "PK\0 4711", False),
    ],
)
def test_code_is_what_is_no_prose(name: str, text: str, expected: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert ("4711" in tree.code(tmp_path / name)) is expected


def test_lines_keep_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('"""One\n\nthree."""\n\nPORT = 4711\n')
    assert list(tree.hits("4711", tree.code(tmp_path / "a.py"))) == [(5, "PORT = 4711")]


def test_git_knows_files() -> None:
    assert "Makefile" in tree.files()
    assert not [name for name in tree.files() if name.startswith(".venv/")]
