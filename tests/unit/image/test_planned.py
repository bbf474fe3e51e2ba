"""The build context of an app in a layout of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import small_app
import tree
from classvm.base.errors import ClassvmError
from classvm.image import planned, source

if TYPE_CHECKING:
    from pathlib import Path

KIT = tree.ROOT / "roles/service_image/files/kit"
PORTS = source.Ports(host=4711, container=9000)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return small_app.make_flask(tmp_path)


def dockerfile(made: source.Source) -> str:
    return next(file.content.decode() for file in made.packed.files if file.name == "Dockerfile")


def test_any_other_app_is_built_by_the_kit(app: Path) -> None:
    made = planned.planned(app, KIT, PORTS)
    assert not made.is_sealed
    assert {"app/server.py", "kit/launch.py"} <= {file.name for file in made.packed.files}
    assert made.lock_source
    assert "classvm.port=9000" in dockerfile(made)
    assert json.loads(made.contract) == {
        "mode": "gate",
        "specs": [{"file": "cpu.yaml", "text": small_app.EMPTY_SPEC, "base_path": None}],
    }
    assert made.notes[0].startswith("spec: cpu.yaml · entry: server.py · port 5000 → 4711")
    assert source.require_no_errors(app, made) == []
    small_app.write(app, "cpu.yaml", f"{small_app.EMPTY_SPEC}# changed\n")
    assert planned.planned(app, KIT, PORTS).packed.digest != made.packed.digest


def test_a_dockerfile_of_its_own(app: Path) -> None:
    small_app.write(app, "Dockerfile", "FROM ubuntu:18.04\nWORKDIR /src\nCOPY . .\n")
    small_app.write(app, "classvm.yml", "dockerfile: own\nkeep: [data]\ncontract: warn\n")
    made = planned.planned(app, KIT, PORTS)
    names = {file.name for file in made.packed.files}
    assert {"Dockerfile", "server.py"} <= names
    assert "kit/launch.py" not in names
    assert (made.keep, made.lock_source) == (("/src/data",), "")
    assert 'LABEL classvm.port="5000"' in dockerfile(made)
    assert json.loads(made.contract)["mode"] == "warn"


def test_a_program_that_dockerignore_leaves_out(app: Path) -> None:
    small_app.write(app, ".dockerignore", "*\n!*.yaml\n")
    with pytest.raises(ClassvmError, match=r"server\.py, .*Add the line `!server\.py`"):
        planned.planned(app, KIT, PORTS)
