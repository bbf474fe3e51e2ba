"""What the control node makes of an app's folder."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import small_app
import tree
from classvm.app import openapi, pack
from classvm.base.errors import ClassvmError
from classvm.image import source

if TYPE_CHECKING:
    from pathlib import Path

KIT = tree.ROOT / "roles/service_image/files/kit"
PORTS = source.Ports(host=4711, container=9000)


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    return small_app.make(tmp_path)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return small_app.make_flask(tmp_path)


def read(folder: Path) -> source.Source:
    return source.read(folder, KIT, PORTS)


def contract(made: source.Source) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(made.contract)
    return found


# Loads the plugin as Ansible does, packs an app, and prints what was loaded for it.
LOADED = """
import importlib, sys
from pathlib import Path
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader([sys.argv[1]])
plugin = importlib.import_module("ansible_collections.classvm.kit.plugins.action.classvm_image")
made = plugin.source.read(Path(sys.argv[2]), Path(sys.argv[3]), plugin.source.Ports(4711, 9000))
plugin.with_place({"failed": True, "msg": "flask==3"}, made)
plugin.facts(made)
print(*{name.rpartition(".classvm.")[2] for name in sys.modules})
"""
READ_ANY_APP = {"app.reading", "app.plan", "app.requirements_plan", "packaging.requirements"}


def loaded_for(folder: Path) -> set[str]:
    collections = str(tree.ROOT / "ansible/collections")
    argv = [sys.executable, "-c", LOADED, collections, str(folder), str(KIT)]
    ran = subprocess.run(argv, capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_a_sealed_app_is_packed_without_what_reads_any_app(sealed: Path, app: Path) -> None:
    """To load that takes a quarter of a second of two, which a deploy without changes takes."""
    found = loaded_for(sealed)
    assert not found & {*READ_ANY_APP, "app.review"}
    assert "app.pack" in found
    assert loaded_for(app) >= READ_ANY_APP


def test_a_sealed_app_stays_as_it_is(sealed: Path) -> None:
    made = read(sealed)
    assert made.is_sealed
    assert made.packed == pack.pack(sealed)
    assert (made.lock_source, made.keep, made.notes) == ("", (), ())
    assert contract(made)["mode"] == "strict"
    assert contract(made)["specs"][0]["text"] == small_app.SPEC
    assert made.contract_digest == openapi.contract_digest(sealed)


def test_a_sealed_app_whose_lock_was_edited_is_refused(sealed: Path) -> None:
    small_app.append(sealed, "requirements.txt", "flask\n")
    with pytest.raises(ClassvmError, match="edited by hand"):
        read(sealed)


def test_nothing_is_parsed_of_a_sealed_app(sealed: Path) -> None:
    small_app.write(sealed, "master.yml", small_app.SPEC + "  [")
    assert read(sealed).is_sealed
    with pytest.raises(source.RefusedError, match=r"\(master\.yml:\d+:\d+\)\. "):
        source.require_no_errors(sealed, read(sealed))


def test_the_spec_of_a_sealed_app_is_validated_once(
    sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = read(sealed)
    monkeypatch.setattr(openapi, "validate", lambda *_: pytest.fail("validated again"))
    source.require_no_errors(sealed, made, [made.contract_digest])


def test_errors_refuse_and_the_first_one_is_named(app: Path) -> None:
    small_app.write(
        app, "cpu.yaml", small_app.EMPTY_SPEC.replace("openapi:", "opnapi: 3\nopenapi:")
    )
    small_app.append(app, "server.py", "x = (y := 1)\n")
    small_app.write(app, ".env", "KEY=abcdefgh\n")
    with pytest.raises(source.RefusedError, match=r"\(cpu\.yaml:1:1\)\..* 1 more error") as it:
        source.require_no_errors(app, read(app))
    assert "error CV021 server.py" in "\n".join(it.value.notes)
    assert "warning CV060 .env" in "\n".join(it.value.notes)


def test_warnings_are_told_each_once(app: Path) -> None:
    small_app.write(app, ".env", "KEY=abcdefgh\n")
    small_app.append(app, "server.py", "open('log/a', 'w')\n")
    (app / "__pycache__").mkdir()
    made = read(app)
    lines = [*made.notes, *source.require_no_errors(app, made)]
    for word in ("log", "__pycache__", "CV060"):
        assert len([line for line in lines if word in line]) == 1, lines


def test_many_warnings_are_counted(app: Path) -> None:
    small_app.write(app, ".env", "KEY=abcdefgh\n" * 12)
    lines = source.require_no_errors(app, read(app))
    assert len(lines) == source.MOST_WARNINGS + 1
    assert lines[-1] == "4 more warnings: make check"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ClassvmError, match="is no folder"):
        read(tmp_path / "none")
