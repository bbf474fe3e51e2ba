"""The package has to run where nothing else of this project is."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

from classvm.contract import archive
from tiny_service import SPEC, Service

PACKAGE = Path(archive.__file__).parent


def run(folder: Path, *arguments: str, spec: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run the program as it runs in a container: isolated, with the spec as its input."""
    return subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", archive.program(str(folder)), *arguments],
        input=spec,
        capture_output=True,
        check=False,
    )


def test_the_program_runs_alone(service: Service, tmp_path: Path) -> None:
    arguments = ("--spec", "/dev/stdin", "--url", service.url)
    done = run(tmp_path, *arguments, spec=SPEC.read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"contract kept: 3 operations" in done.stdout


def test_the_program_tells_what_is_broken(closed_url: str, tmp_path: Path) -> None:
    arguments = ("--spec", "/dev/stdin", "--url", closed_url)
    done = run(tmp_path, *arguments, spec=SPEC.read_bytes())
    assert (done.returncode, done.stderr) == (1, b"")


def test_everything_but_this_module_is_packed() -> None:
    assert set(archive.modules()) == {path.stem for path in PACKAGE.glob("*.py")} - {
        "__init__",
        "archive",
    }


def test_ansible_packs_every_module_for_a_host() -> None:
    """It packs those modules that are imported, directly or not, by what it packs already."""
    imported = {name for name in sys.modules if name.startswith("classvm.contract.")}
    code = "import sys, classvm.contract.archive; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PACKAGE.parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert {f"classvm.contract.{name}" for name in archive.modules()} <= set(done.stdout.split())
    assert imported


def test_the_package_packs_itself_from_within_an_archive(tmp_path: Path) -> None:
    """Ansible runs a module, and what it imports, out of an archive of its own."""
    outer = tmp_path / "ansible.zip"
    with zipfile.ZipFile(outer, "w") as packed:
        for path in PACKAGE.glob("*.py"):
            packed.write(path, f"classvm/contract/{path.name}")
        packed.writestr("classvm/__init__.py", "")
    code = "from classvm.contract import archive; print(*archive.modules()); archive.archive()"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(outer)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == archive.modules()


def test_the_program_fits_on_a_command_line() -> None:
    most = 128 * 1024  # Linux: MAX_ARG_STRLEN
    assert len(archive.program()) < most / 2


def test_equal_sources_give_an_archive_with_the_same_members() -> None:
    with zipfile.ZipFile(io.BytesIO(archive.archive())) as packed:
        assert "__main__.py" in packed.namelist()
        assert packed.read("contract/spec.py") == (PACKAGE / "spec.py").read_bytes()
