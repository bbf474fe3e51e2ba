from __future__ import annotations

from pathlib import Path

import pytest
from classvm.app import requirements_list
from classvm.app.folder import AppFolder


def codes(folder: Path, content: bytes, name: str = "requirements.txt") -> list[str]:
    (folder / name).write_bytes(content)
    return [one.code for one in requirements_list.check(AppFolder(folder))]


def test_a_list_is_read_with_extras_markers_and_hashes() -> None:
    text = "Flask_Cors[x] ==1.0 ; python_version<'4' # why\n--hash=a:1\na==2 \\\n  --hash=a:2\n"
    assert [(one.line, one.name, one.version) for one in requirements_list.read(text)] == [
        (1, "flask-cors", "==1.0"),
        (3, "a", "==2"),
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_list_from_windows(encoding: str, tmp_path: Path) -> None:
    found = codes(tmp_path, "Flask==2.2.5\r\npywin32==227\r\n".encode(encoding))
    assert found == (["CV033", "CV038"] if encoding == "utf-16" else ["CV033"])


@pytest.mark.parametrize(
    "line", ["./toolbox", "-r more.txt", "-c c.txt", "--index-url https://a", "-e ."]
)
def test_lines_that_are_fine(line: str, tmp_path: Path) -> None:
    assert codes(tmp_path, line.encode()) == []


def test_requirements_in_need_no_versions(tmp_path: Path) -> None:
    assert codes(tmp_path, b"flask\n", "requirements.in") == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("flask==2.3.1", ["CV040"]),
        ("flask==2.2.5", []),
        ("flask==99999999999999", []),
        ("flask<3", []),
    ],
)
def test_versions_for_newer_pythons(line: str, found: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, line.encode()) == found


@pytest.mark.parametrize("name", requirements_list.SOURCES)
def test_where_requirements_come_from(name: str, tmp_path: Path) -> None:
    assert requirements_list.source(AppFolder(tmp_path)) == ""
    (tmp_path / name).write_text("")
    assert requirements_list.source(AppFolder(tmp_path)) == name
