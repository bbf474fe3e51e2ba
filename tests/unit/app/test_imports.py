from __future__ import annotations

from typing import TYPE_CHECKING

from classvm.app import imports
from classvm.app.folder import AppFolder

if TYPE_CHECKING:
    from pathlib import Path


def folder(root: Path, files: dict[str, str]) -> AppFolder:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return AppFolder(root)


def test_what_comes_from_elsewhere(tmp_path: Path) -> None:
    files = {
        "server.py": "import os, flask.json\nfrom src.a import x\nfrom . import y\nimport tools\n",
        "src/a.py": "import b\nfrom numpy import array\ndef f():\n    import yaml\n",
        "src/b.py": "import flask\n",
        "toolbox/tools.py": "",
    }
    app = folder(tmp_path, files)
    found = imports.elsewhere(app, app.python_files(), ["toolbox"])
    assert found == {"flask": "server.py:1", "numpy": "src/a.py:2", "yaml": "src/a.py:4"}
    assert "tools" in imports.elsewhere(app, app.python_files())


def test_what_may_fail_and_what_no_service_imports_does_not_count(tmp_path: Path) -> None:
    optional = (
        "try:\n    import simplejson\nexcept ImportError:\n    import json\n"
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy\n"
        "try:\n    import flask\nexcept ValueError:\n    raise\n"
    )
    files = {"a.py": optional, "tests/b.py": "import pytest\n", "setup.py": "import setuptools\n"}
    app = folder(tmp_path, files)
    assert imports.elsewhere(app, app.python_files()) == {"flask": "a.py:9"}


def test_code_that_loads_what_is_not_seen(tmp_path: Path) -> None:
    app = folder(tmp_path, {"a.py": "import pickle\n", "b.py": "import csv\n"})
    assert imports.loads_unseen(app, ["a.py"])
    assert not imports.loads_unseen(app, ["b.py"])
