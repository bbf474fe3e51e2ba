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


def test_the_program_fits_on_a_command_line() -> None:
    most = 128 * 1024  # Linux: MAX_ARG_STRLEN
    assert len(archive.program("/run/contract")) < most / 2


def test_equal_sources_give_an_archive_with_the_same_members() -> None:
    with zipfile.ZipFile(io.BytesIO(archive.archive())) as packed:
        assert "__main__.py" in packed.namelist()
        assert packed.read("contract/spec.py") == (PACKAGE / "spec.py").read_bytes()
