from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import requirements_list
from classvm.app.folder import AppFolder

if TYPE_CHECKING:
    from pathlib import Path

LAB_FREEZE = (
    "attrs==23.2.0\ncertifi==2023.11.17\nconnexion==2.14.2\nFlask==2.2.5\n"
    "psutil==5.9.8\nzipp==3.15.0\n"
)


def codes(root: Path, content: str, code: str = "", name: str = "requirements.txt") -> list[str]:
    (root / name).write_bytes(content.encode())
    (root / "app.py").write_text(code)
    return [one.code for one in requirements_list.check(AppFolder(root))]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_list_from_windows(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes("Flask==2.2.5\r\npywin32==227\r\n".encode(encoding))
    found = [one.code for one in requirements_list.check(AppFolder(tmp_path))]
    assert found == (["CV033", "CV038"] if encoding == "utf-16" else ["CV033"])


@pytest.mark.parametrize(
    "line", ["-e .", "--index-url https://a", "flask==2.2.5", "# nothing", "a<2;python_version<'3'"]
)
def test_lines_that_are_fine(line: str, tmp_path: Path) -> None:
    assert codes(tmp_path, line) == []


def test_only_a_requirements_txt_needs_versions(tmp_path: Path) -> None:
    assert codes(tmp_path, "flask\n", name="requirements.in") == []
    (tmp_path / "requirements.in").unlink()
    assert codes(tmp_path, "flask\n") == ["CV036"]


def test_a_list_that_another_one_names_is_checked(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("sklearn\n")
    assert codes(tmp_path, "-r more.txt\n-r absent.txt\n") == ["CV043", "CV035"]


def test_a_pipfile_is_checked(tmp_path: Path) -> None:
    assert codes(tmp_path, '[packages]\nflask = ">=3"\n', "import flask\n", "Pipfile") == ["CV040"]


def test_a_package_twice(tmp_path: Path) -> None:
    assert codes(tmp_path, "a==1\na==1\n") == ["CV037"]
    assert codes(tmp_path, "a==1;python_version<'3.8'\na==2;python_version>='3.8'\n") == []


def test_half_a_list_of_old_versions(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("connexion==2.7.0\nFlask==1.1.2\nWerkzeug==1.0.1\n")
    found = requirements_list.check(AppFolder(tmp_path))
    assert [(one.place, one.code, one.fix) for one in found] == [
        ("requirements.txt:1:1", "CV041", "Add `jsonschema<4` and `openapi-spec-validator<0.3`"),
        (
            "requirements.txt:2:1",
            "CV041",
            "Add `itsdangerous<2.1`, `jinja2<3.1` and `markupsafe<2.1`",
        ),
    ]


def test_an_old_package_alone(tmp_path: Path) -> None:
    assert codes(tmp_path, "connexion==2.9.0\n") == ["CV041"]


def test_a_package_that_is_imported_and_not_listed(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("")
    (tmp_path / "app.py").write_text("import os\nimport connexion\n")
    found = requirements_list.check(AppFolder(tmp_path))
    assert [(one.code, one.fix) for one in found] == [("CV039", "Add `connexion`")]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import connexion\n", ["CV045"]),
        ("import connexion, psutil\n", []),
        ("import connexion, pickle\n", []),  # nobody sees what a pickle needs
        ("import connexion, attr, unlisted\n", ["CV039", "CV045"]),
        ("import sys\nsys.path.append('lib')\nimport connexion, attr, unlisted\n", ["CV045"]),
        ("", []),
    ],
)
def test_a_package_that_nothing_needs(code: str, found: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, LAB_FREEZE, code) == found


def test_nothing_is_called_unused_beside_a_package_of_unknown_needs(tmp_path: Path) -> None:
    assert codes(tmp_path, LAB_FREEZE + "odd==1\n", "import connexion, odd\n") == []
