"""The build context of a student's app."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import tree
from classvm.app import pack
from classvm.app.plan import Plan, make_plan
from classvm.app.reading import read
from classvm.base.errors import ClassvmError
from classvm.image import kit_context, lock_store

if TYPE_CHECKING:
    from pathlib import Path

KIT = tree.ROOT / "roles/service_image/files/kit"
FILES = (pack.File("server.py", 0o644, b"import flask"), pack.File("a b/x", 0o755, b"x"))
PORT = 9000


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    (tmp_path / "server.py").write_text("import flask\nflask.Flask(__name__).run()")
    (tmp_path / "requirements.txt").write_text("flask==2.2.5\n")
    return make_plan(read(tmp_path), 4711)


def names(context: pack.Packed) -> set[str]:
    return {file.name for file in context.files}


def text(context: pack.Packed, name: str) -> str:
    return next(file.content.decode() for file in context.files if file.name == name)


def test_it_holds_the_kit_and_the_app(plan: Plan) -> None:
    context = kit_context.of_kit(plan, FILES, KIT, PORT)
    assert {"Dockerfile", "requirements.in"} <= names(context)
    assert {"kit/launch.py", "kit/lock-tools.txt"} <= names(context)
    assert {"app/server.py", "app/a b/x"} <= names(context)
    assert not {"requirements.txt", "kit/Dockerfile.j2"} & names(context)
    assert any(name.startswith("kit/bootstrap/pip-") for name in names(context))
    assert "flask==2.2.5" in text(context, "requirements.in")
    assert '"flask"' not in text(context, "Dockerfile")
    assert list(context.files) == sorted(context.files, key=lambda file: file.name)
    assert '"package flask":"2.2.5"' in context.content


def test_the_host_can_add_the_lock(plan: Plan) -> None:
    archive = lock_store.with_lock(kit_context.of_kit(plan, FILES, KIT, PORT).archive, "flask==1\n")
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        found = opened.extractfile("requirements.txt")
        assert found
        assert found.read() == b"flask==1\n"


@pytest.mark.parametrize(
    "change",
    [
        {"apt": ("figlet",)},
        {"path": ("box",)},
        {"writable": ("data",)},
        {"environment": {"A": "1"}},
        {"words": ("app.py",)},
        {"requirements": "flask==2.2.4\n"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_plan_says_changes_the_digest(change: dict[str, object], plan: Plan) -> None:
    context = kit_context.of_kit(plan, FILES, KIT, PORT)
    other = kit_context.of_kit(replace(plan, **change), FILES, KIT, PORT)  # type: ignore[arg-type] # of the table
    assert other.digest != context.digest
    assert kit_context.of_kit(plan, FILES, KIT, PORT) == context
    assert kit_context.of_kit(plan, FILES[:1], KIT, PORT).digest != context.digest


def test_what_is_only_said_does_not(plan: Plan) -> None:
    context = kit_context.of_kit(plan, FILES, KIT, PORT)
    assert kit_context.of_kit(replace(plan, notes=("x",)), FILES, KIT, PORT) == context


def test_the_lock_depends_on_the_requirements_alone(plan: Plan) -> None:
    source = kit_context.lock_source(plan, KIT)
    assert kit_context.lock_source(replace(plan, words=("x",), apt=("figlet",)), KIT) == source
    assert kit_context.lock_source(replace(plan, requirements="flask\n"), KIT) != source


def test_a_folder_of_the_kit(tmp_path: Path) -> None:
    (tmp_path / "away").write_text("a")
    folder = tmp_path / "checker"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__/x.pyc").write_text("")
    (folder / "link").symlink_to("../away")
    (folder / "Dockerfile").write_text("FROM scratch")
    context = pack.whole(folder)
    assert [(file.name, file.content) for file in context.files] == [
        ("Dockerfile", b"FROM scratch"),
        ("link", b"a"),
    ]
    (folder / "link").unlink()
    (folder / "link").symlink_to("nowhere")
    with pytest.raises(ClassvmError, match=r"cannot be read: .*link\)"):
        pack.whole(folder)


@pytest.mark.parametrize(
    ("given", "built"),
    [
        (
            "FROM ubuntu:18.04\nRUN x\n",
            "ARG BASE_IMAGE=ubuntu:18.04\nFROM ${BASE_IMAGE}\nRUN x\n",
        ),
        (
            "# syntax=x\nfrom ubuntu:18.04 AS a\nFROM a",
            "# syntax=x\nARG BASE_IMAGE=ubuntu:18.04\nfrom ${BASE_IMAGE} AS a\nFROM a",
        ),
        ("FROM --platform=linux/amd64 ubuntu:bionic",
         "ARG BASE_IMAGE=ubuntu:18.04\nFROM --platform=linux/amd64 ${BASE_IMAGE}"),
        ("FROM python:3.7-slim\n", "FROM python:3.7-slim\n"),
        ("FROM ubuntu:18.04.1\n", "FROM ubuntu:18.04.1\n"),
    ],
)  # fmt: skip
def test_a_dockerfile_on_the_hosts_base_image(given: str, built: str) -> None:
    assert kit_context.on_base(given, ()) == built


def test_a_dockerfile_of_the_student(plan: Plan) -> None:
    given = "FROM ubuntu:18.04\nWORKDIR /src\n"
    files = (*FILES, pack.File("Dockerfile", 0o644, given.encode()))
    context = kit_context.of_own_dockerfile(
        replace(plan, writable=("data", ".")), files, given, PORT
    )
    assert names(context) == {"Dockerfile", "server.py", "a b/x"}
    assert 'LABEL classvm.port="9000"' in text(context, "Dockerfile")
    assert text(context, "Dockerfile").endswith('VOLUME ["/src/data"]\n\nVOLUME ["/src"]\n')


def test_folders_in_the_container() -> None:
    home = kit_context.home()
    assert kit_context.in_container(["data", "."], home) == ("/service/data", "/service")
    assert kit_context.home("FROM a\nWORKDIR src\n") == "/src"
