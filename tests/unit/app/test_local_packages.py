from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import local_packages
from classvm.app.folder import AppFolder

if TYPE_CHECKING:
    from pathlib import Path

TOOLBOX = {
    "server.py": "from tools import a\n",
    "tools.py": "import os\nimport isbn\n",
    "toolbox/setup.py": "",
    "toolbox/isbn.py": "",
    "unused.py": "import spare\n",
    "spares/setup.py": "",
    "spares/spare.py": "",
}
USED = ("server.py", "tools.py")


def folder(root: Path, files: dict[str, str]) -> AppFolder:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return AppFolder(root)


def test_what_the_app_imports_is_found(tmp_path: Path) -> None:
    desired = local_packages.LocalPackage("toolbox", "toolbox", "isbn", "tools.py:2")
    assert local_packages.find(folder(tmp_path, TOOLBOX), USED) == [desired]


@pytest.mark.parametrize("path", ["toolbox", "toolbox/src"])
def test_the_path_is_where_the_module_lies(path: str, tmp_path: Path) -> None:
    files = {"server.py": "import isbn.check\n", "toolbox/pyproject.toml": ""}
    app = folder(tmp_path, {**files, f"{path}/isbn/__init__.py": ""})
    assert [one.path for one in local_packages.find(app, ["server.py"])] == [path]


def test_a_module_at_the_top_is_no_package(tmp_path: Path) -> None:
    app = folder(tmp_path, {**TOOLBOX, "isbn.py": ""})
    assert local_packages.find(app, USED) == []


@pytest.mark.parametrize(
    ("listed", "dockerfile", "place"),
    [
        ("flask\n", "", "tools.py:2:1"),
        ("flask\n", "FROM a\nRUN pip install ./toolbox\n", "Dockerfile:2:1"),
        ("flask\n", 'FROM a\nRUN ["pip", "install", "toolbox/"]\n', "Dockerfile:2:1"),
        ("flask\n./toolbox\n", "FROM a\nRUN pip install ./toolbox\n", ""),
        ("-e ./toolbox/\n", "", ""),
    ],
)
def test_the_list_has_to_name_it(listed: str, dockerfile: str, place: str, tmp_path: Path) -> None:
    files = {**TOOLBOX, "requirements.txt": listed}
    app = folder(tmp_path, {**files, **({"Dockerfile": dockerfile} if dockerfile else {})})
    found = list(local_packages.check(app, USED, "requirements.txt"))
    assert [one.place for one in found] == ([place] if place else [])
    assert all(one.fix == "Write `./toolbox` into requirements.txt" for one in found)


@pytest.mark.parametrize(
    ("file", "package", "path"),
    [
        ("toolbox/isbn.py", "toolbox", "toolbox"),
        ("toolbox/src/isbn/__init__.py", "toolbox", "toolbox/src"),
        ("src/isbn/__init__.py", ".", "src"),
        ("isbn.py", ".", "."),
        ("isbn-1-py3-none-any.whl", "isbn-1-py3-none-any.whl", "isbn-1-py3-none-any.whl"),
    ],
)
def test_a_package_that_the_list_names(file: str, package: str, path: str, tmp_path: Path) -> None:
    app = folder(tmp_path, {"server.py": "", file: ""})
    assert local_packages.is_there(app, package)
    assert local_packages.named(app, package).path == path


def test_what_is_not_in_the_folder_is_not_there(tmp_path: Path) -> None:
    app = folder(tmp_path, {"server.py": ""})
    assert not local_packages.is_there(app, "toolbox")
    assert not local_packages.is_there(app, "../toolbox")
