"""The program as one file: the same bytes each time, complete, and closed against its caller."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from classvm.contract import archive
from classvm.program import pack, protocol, schema

PYTHON = (3, 8)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program as a file; this Python stands for that of a host."""
    file = tmp_path_factory.mktemp("packed") / "classvm"
    content = pack.program()
    assert content.startswith(pack.SHEBANG)
    file.write_bytes(content.replace(b"/usr/bin/python3", sys.executable.encode(), 1))
    file.chmod(0o755)
    return file


def run(program: Path, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload,no-any-return] # noqa: PLW1510 - some of its many options
        [str(program), *words],
        **{
            "input": "",
            "capture_output": True,
            "check": False,
            "text": True,
            **options,
        },
    )


def test_the_same_tree_gives_the_same_bytes() -> None:
    assert pack.program() == pack.program()
    with zipfile.ZipFile(io.BytesIO(pack.program())) as packed:
        assert {one.date_time for one in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert packed.namelist() == sorted(packed.namelist())


def test_whatever_the_program_holds_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before, contents = pack.digest(), pack.contents()
    assert pack.digest() == before
    for name in contents:
        monkeypatch.setattr(
            pack, "contents", lambda name=name: {**contents, name: contents[name] + b"#"}
        )
        assert pack.digest() != before, name


def test_it_holds_what_it_imports_and_no_tool_of_the_control_node() -> None:
    names = set(pack.contents())
    assert {"classvm/release/go_live.py", "classvm/program/command_line.py"} <= names
    packages = {name.split("/")[1] for name in names if name.count("/") > 1}
    assert packages <= {"base", "contract", "app", "image", "program", "provision", "release"}
    assert "classvm/program/pack.py" not in names
    assert pack.contents()["classvm/program/contract.pyz"] == archive.archive()


def test_it_needs_nothing_but_the_standard_library_of_an_old_python() -> None:
    known = {*sys.stdlib_module_names, pack.PACKAGE.name}
    for name, content in pack.contents().items():
        if not name.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(content, feature_version=PYTHON)):
            modules = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules.append(str(node.module))
            assert {module.partition(".")[0] for module in modules} <= known, name


@pytest.mark.parametrize("verb", schema.VERBS)
def test_each_verb_starts(verb: str, program: Path) -> None:
    """A missing module is a defect; a request without its members is refused."""
    done = run(program, verb, "--json", input='{"protocol": 1, "x": 1}')
    answer = json.loads(done.stdout)
    assert answer["error"]["code"] == protocol.REQUEST
    assert done.stderr == ""


def test_the_modules_of_each_verb_are_in_it(program: Path) -> None:
    look = (
        f"import sys; sys.path.insert(0, {str(program)!r})\n"
        "from classvm.program import command_line, resource, schema\n"
        "assert all(map(command_line._work_of, schema.VERBS))\n"
        "print(len(resource.checker('/run/contract')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", look], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == len(archive.program("/run/contract"))


def test_nothing_of_its_caller_s_counts(program: Path, tmp_path: Path) -> None:
    evil = "import os; os.write(2, b'evil')\n"
    for name in ("json", "zipfile", "classvm", "sitecustomize", "usercustomize", "encodings"):
        (tmp_path / f"{name}.py").write_text(evil)
    environment = {
        "PYTHONPATH": str(tmp_path),
        "PYTHONHOME": str(tmp_path),
        "PYTHONSTARTUP": str(tmp_path / "json.py"),
        "PYTHONINSPECT": "1",
        "PATH": str(tmp_path),
        "HOME": str(tmp_path),
        "LC_ALL": "nonsense",
    }
    done = run(program, "version", cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"classvm: protocol {protocol.PROTOCOL}, sha256 ")


def test_a_caller_without_isolation_would_be_open(program: Path, tmp_path: Path) -> None:
    """The negative twin: without `-I`, a module of the caller's folder runs."""
    (tmp_path / "json.py").write_text("import os; os.write(2, b'evil'); os._exit(9)\n")
    open_program = tmp_path / "open"
    open_program.write_bytes(program.read_bytes().replace(b" -I\n", b"   \n", 1))
    open_program.chmod(0o755)
    done = run(open_program, "version", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stderr) == (9, "evil")
