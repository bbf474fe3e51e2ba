"""The host program with its modules compiled: the same answers, and a third of the start."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from classvm.base.command import CommandError
from classvm.program import pack, protocol
from classvm.provision.precompiled import precompiled
from small_program import OWN_PYTHON, program_of

PLACE = "/usr/local/lib/there/classvm"


def run(program: bytes, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    file = folder / "classvm"
    file.write_bytes(program)
    file.chmod(0o755)
    return subprocess.run(
        [str(file), *words], input="", capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def whole() -> bytes:
    """Return the host program, for the Python of the tests."""
    return OWN_PYTHON + pack.program().partition(b"\n")[2]


def test_the_host_program_answers_as_before(whole: bytes, tmp_path: Path) -> None:
    compiled = precompiled(whole, PLACE)
    assert json.loads(run(compiled, tmp_path, "account", "--json").stdout)["error"] is None
    refused = run(compiled, tmp_path, "release", "--json")
    assert json.loads(refused.stdout)["error"]["code"] == protocol.REQUEST
    with zipfile.ZipFile(io.BytesIO(compiled)) as packed:
        names = set(packed.namelist())
    assert {f"{name}c" for name in pack.contents() if name.endswith(".py")} <= names


def test_the_same_program_gives_the_same_bytes(whole: bytes) -> None:
    assert precompiled(whole, PLACE) == precompiled(whole, PLACE)


def test_no_module_is_compiled_again(tmp_path: Path) -> None:
    """Its source is not read any more: another one beside it changes nothing."""
    compiled = precompiled(program_of(__main__="import told", told="print('compiled')"), PLACE)
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(compiled)) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"print('source')" if name == "told.py" else old.read(name))
    assert run(OWN_PYTHON + changed.getvalue(), tmp_path).stdout == "compiled\n"


def test_another_python_compiles_it_itself(tmp_path: Path) -> None:
    compiled = precompiled(program_of(__main__="import told", told="print('told')"), PLACE)
    foreign = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(compiled)) as old, zipfile.ZipFile(foreign, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, b"\0\0\r\n" + content[4:] if name.endswith("c") else content)
    assert run(OWN_PYTHON + foreign.getvalue(), tmp_path).stdout == "told\n"


def test_a_defect_is_told_with_the_file_and_the_line_of_the_source(tmp_path: Path) -> None:
    broken = program_of(__main__="import told", told="\n\nraise ValueError('no')")
    said = run(precompiled(broken, PLACE), tmp_path).stderr
    assert f'{PLACE}/told.py", line 3' in said


def test_what_cannot_be_compiled_is_refused() -> None:
    with pytest.raises(CommandError, match="SyntaxError"):
        precompiled(program_of(__main__="import"), PLACE)
