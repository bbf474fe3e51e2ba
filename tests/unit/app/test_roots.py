"""In which folders Python looks for the app's modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import dockerfile, roots
from classvm.app.folder import AppFolder

if TYPE_CHECKING:
    from pathlib import Path

BUILT = {"src/zoo/__init__.py": "", "lib/a.py": "", "setup.py": ""}
SPEC = "openapi: 3.0.0\npaths:\n  /ants:\n    get:\n      operationId: {}\n"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (BUILT, ("src",)),
        ({"src/zoo/__init__.py": "", "server.py": ""}, ()),  # `src.zoo` is the lab's own way
        # How the app itself names the package tells whether it does so without `src`.
        ({"src/zoo/__init__.py": "", "src/zoo/a.py": "import zoo.b"}, ("src",)),
        ({"src/zoo/__init__.py": "", "app.py": "from src import zoo\nimport zoo.b"}, ()),
        ({"src/zoo/__init__.py": "", "zoo/__init__.py": "", "app.py": "import zoo"}, ()),
        ({"src/zoo/__init__.py": "", "api.yaml": SPEC.format("zoo.ants.every")}, ("src",)),
        ({"src/zoo/__init__.py": "", "api.json": '{"operationId": "zoo.a.b"}'}, ("src",)),
        ({"src/zoo/__init__.py": "", "a.yml": "x-swagger-router-controller: zoo"}, ("src",)),
        ({"src/zoo/__init__.py": "", "api.yaml": SPEC.format("src.zoo.ants.every")}, ()),
        ({**BUILT, "src/__init__.py": ""}, ()),
        ({"src/zoo.py": "", "setup.py": ""}, ()),
        (
            {**BUILT, "Dockerfile": "WORKDIR /app\nENV PYTHONPATH=/app/lib:$PYTHONPATH"},
            ("src", "lib"),
        ),
        ({"lib/a.py": "", "Dockerfile": "WORKDIR /app\nENV PYTHONPATH lib"}, ("lib",)),
        ({"lib/a.py": "", "Dockerfile": 'WORKDIR /\nENV A=1 PYTHONPATH="/app:/lib"'}, ("lib",)),
        ({"lib/a.py": "", "Dockerfile": "WORKDIR /app\nENV PYTHONPATH=/usr/lib:/app"}, ()),
        ({"lib/a.py": "", "Makefile": "run:\n\tPYTHONPATH=./lib python a.py"}, ("lib",)),
        ({"lib/a.py": "", "Makefile": "export PYTHONPATH := $(CURDIR)/lib:../x"}, ("lib",)),
        ({"a.py": "", "Makefile": "run:\n\tPYTHONPATH=. python a.py"}, ()),
    ],
)
def test_the_roots(files: dict[str, str], found: tuple[str, ...], tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
    assert roots.find(AppFolder(tmp_path), dockerfile.read(files.get("Dockerfile", ""))) == found
