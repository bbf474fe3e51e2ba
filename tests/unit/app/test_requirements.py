from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import requirements
from classvm.app.folder import AppFolder

if TYPE_CHECKING:
    from pathlib import Path


def read(root: Path, text: str, **files: str) -> requirements.Requirements:
    for name, content in {"requirements.txt": text, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return requirements.read(AppFolder(root))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("connexion[swagger-ui]\nconnexion==2.6.0\n", ["connexion[swagger-ui]==2.6.0"]),
        ("a==1\na==2\n", ["a==2"]),
        ("a>=1\nA<2\n", ["A<2,>=1"]),
        ("a==1;python_version<'3.8'\na==2;python_version>='3.8'\n",
         ['a==1; python_version < "3.8"', 'a==2; python_version >= "3.8"']),
        ("pywin32\ncsv\n", []),
    ],
)  # fmt: skip
def test_each_package_is_wanted_once(text: str, wanted: list[str], tmp_path: Path) -> None:
    assert [str(one) for one in read(tmp_path, text).wanted.values()] == wanted


def test_constraints_limit_only_what_is_needed(tmp_path: Path) -> None:
    files = {"c.txt": "flask<2\nwerkzeug<2\nnumpy<2\na<1;python_version<'3'\n"}
    found = read(tmp_path, "flask>=1\na\n-c c.txt\n", **files).wanted
    assert [str(one) for one in found.values()] == ["flask<2,>=1", "a", "werkzeug<2"]


def test_the_version_of_a_helper_that_needs_a_newer_python_is_lifted(tmp_path: Path) -> None:
    found = read(tmp_path, "flask==3.0.0\nzipp==3.17.0\n", **{"a.py": "import flask\n"})
    assert [(one.code, str(one.wanted)) for one in found.entries] == [
        ("CV040", "flask==3.0.0"),
        ("CV044", "zipp"),
    ]


def test_local_packages_bring_their_requirements(tmp_path: Path) -> None:
    files = {
        "a.py": "import isbn\nimport named\n",
        "toolbox/isbn.py": "import yaml\n",
        "toolbox/setup.py": "setup(install_requires=['numpy'])\n",
        "other/src/named/__init__.py": "",
    }
    found = read(tmp_path, "-e ./other\n./absent\n", **files)
    assert [one.path for one in found.local] == ["other/src", "toolbox"]
    assert list(found.wanted) == ["numpy"]
    assert found.missing() == {"pyyaml": "toolbox/isbn.py:1"}
    assert [(one.place, one.code) for one in found.findings] == [("requirements.txt:2:1", "CV043")]


@pytest.mark.parametrize(
    ("text", "code", "missing"),
    [
        ("", "import flask, numpy, unknown\n", {"flask", "numpy"}),
        ("connexion", "import flask, requests\n", set()),
        ("opencv-python", "import cv2\n", set()),
        ("", "import cv2\n", {"opencv-python-headless"}),
        ("psycopg2", "import psycopg2\n", set()),
        ("c @ git+https://git.example/c.git", "import c\n", set()),
    ],
)
def test_well_known_packages_that_are_missing(
    text: str, code: str, missing: set[str], tmp_path: Path
) -> None:
    assert set(read(tmp_path, text, **{"a.py": code}).missing()) == missing
