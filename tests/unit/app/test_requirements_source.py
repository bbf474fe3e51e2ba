from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import requirements_source
from classvm.app.folder import AppFolder

if TYPE_CHECKING:
    from pathlib import Path


def folder(root: Path, files: dict[str, str]) -> AppFolder:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return AppFolder(root)


def texts(app: AppFolder) -> list[str]:
    return [f"{one.place} {one.text}" for one in requirements_source.read(app).lines]


@pytest.mark.parametrize(
    ("files", "file"),
    [
        ({}, ""),
        ({"requirements.in": "", "requirements.txt": "a"}, "requirements.in"),
        ({"requirements.txt": "", "Pipfile": ""}, "requirements.txt"),
        ({"Pipfile": "", "setup.py": ""}, "Pipfile"),
        ({"pyproject.toml": "[tool.black]\n", "setup.py": ""}, ""),
        ({"pyproject.toml": "[project]\ndependencies = ['a']\n"}, "pyproject.toml"),
        ({"pyproject.toml": "", "setup.py": "setup(install_requires=['a'])\n"}, "setup.py"),
        ({"setup.cfg": "[options]\ninstall_requires = a\n"}, "setup.cfg"),
        ({"src/requirements.txt": "a", "requirements-dev.txt": "b"}, "src/requirements.txt"),
        ({"requirement.txt": "a"}, "requirement.txt"),
        ({"Requirements.TXT": "a"}, "Requirements.TXT"),
        ({"requirements/prod.txt": "a", "requirements/dev.txt": "b"}, "requirements/prod.txt"),
        ({"a/b/requirements.txt": "a", "tests.txt": ""}, ""),
    ],
)
def test_where_requirements_come_from(files: dict[str, str], file: str, tmp_path: Path) -> None:
    assert requirements_source.source(folder(tmp_path, files)) == file


def test_lists_are_followed_once_and_within_the_folder(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "a\n-r lists/more.txt\n-c limits.txt\n-r ../outside.txt\n-r mroe.txt\n",
        "lists/more.txt": "b\n-r ../requirements.txt\n",
        "limits.txt": "c<2\n",
        "more.txt": "",
    }
    app = folder(tmp_path, files)
    found = requirements_source.read(app)
    assert [(one.place, one.text, one.only_limits) for one in found.lines] == [
        ("requirements.txt:1", "a", False),
        ("lists/more.txt:1", "b", False),
        ("limits.txt:1", "c<2", True),
    ]
    assert [(one.place, one.code, one.fix) for one in found.findings] == [
        ("requirements.txt:4:1", "CV043", "Add the file, or delete the line"),
        ("requirements.txt:5:1", "CV043", "Did you mean `more.txt`?"),
    ]


def test_what_a_dockerfile_installs_by_name(tmp_path: Path) -> None:
    dockerfile = (
        "FROM a\nRUN pip3 install --upgrade pip && pip install -r requirements.txt \\\n"
        "  'connexion[swagger-ui]<3' flask==2.2.5 ./toolbox $MORE --no-cache-dir -i x\n"
        'RUN pip install "a\n'
    )
    assert texts(folder(tmp_path, {"Dockerfile": dockerfile})) == [
        "Dockerfile:2 connexion[swagger-ui]<3",
        "Dockerfile:2 flask==2.2.5",
    ]


def test_what_a_local_package_requires(tmp_path: Path) -> None:
    app = folder(tmp_path, {"toolbox/setup.py": "setup(install_requires=['numpy'])\n"})
    assert [one.text for one in requirements_source.of_package(app, "toolbox")] == ["numpy"]
    assert requirements_source.of_package(app, ".") == []
