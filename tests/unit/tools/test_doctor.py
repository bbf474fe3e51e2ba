"""tools/doctor.py: what it checks beside the package: the tools of the control node."""

from __future__ import annotations

import subprocess
from pathlib import Path

import doctor
import pytest
from classvm.doctor import finding, reading
from fake_machine import answers, said

TOOL = Path(__file__).resolve().parents[3] / "tools" / "doctor.py"


JAMMY = 'ID=ubuntu\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04.5 LTS"\n'


PORT = 4321


def test_a_new_python_is_found_behind_an_old_one() -> None:
    run = answers({"python3 ": said("3 10"), "python3.12 ": said("3 12")})
    python, seen = doctor.find_python(doctor.PYTHONS, run)
    assert python == "python3.12"
    found = doctor.check_python(python, seen, "python3", installable=False)
    assert (found.level, found.text) == (finding.OK, "python3.12 is 3.12")


@pytest.mark.parametrize(("installable", "level"), [(True, "warn"), (False, "FAIL")])
def test_an_old_python_is_a_failure_where_none_can_be_installed(
    installable: bool,
    level: str,
) -> None:
    python, seen = doctor.find_python(["python3"], answers({"python3 ": said("3 10")}))
    package = doctor.python_package(JAMMY)
    found = doctor.check_python(python, seen, package, installable=installable)
    assert found.level == level
    assert "python3 is 3.10" in found.text
    assert found.fix == "sudo apt-get install python3.11 python3.11-venv"


def test_the_venv_module_is_looked_for() -> None:
    there = answers({"ensurepip": said("")})
    found = doctor.check_venv("python3", "python3", installable=False, run=there)
    assert found.level == finding.OK


@pytest.mark.parametrize(("installable", "level"), [(True, "warn"), (False, "FAIL")])
def test_a_missing_venv_module_is_named_with_its_package(
    installable: bool,
    level: str,
) -> None:
    found = doctor.check_venv("python3", "python3", installable=installable, run=answers({}))
    assert (found.level, found.fix) == (level, "sudo apt-get install python3-venv")


def test_git_and_make_are_looked_for() -> None:
    assert doctor.check_programs(lambda name: name).level == finding.OK
    found = doctor.check_programs(lambda name: None if name == "make" else name)
    assert (found.level, found.fix) == (finding.FAIL, "sudo apt-get install make")


@pytest.mark.parametrize("text", ["many", "", "0", "99999", "65536", "-1", "8 0"])
def test_what_is_not_a_port_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.default_port({"HOST_PORT": text}, {}) is None
    with pytest.raises(SystemExit):
        doctor.parse_arguments([f"--port={text}"])
    assert "is not a port from 1 to 65535" in capsys.readouterr().err


def test_the_environment_overrides_the_port_of_the_file() -> None:
    settings = reading.parse_settings(f"# ports\nHOST_PORT={PORT}\n")
    assert doctor.default_port(settings, {}) == PORT
    assert doctor.default_port(settings, {"HOST_PORT": "77"}) == 77


PIP = {"--version": said("pip 23.2")}


CONFIGURED = {"config list": said("global.index-url='http://mirror.example/simple'")}


def test_an_index_that_pip_reaches_is_ok() -> None:
    run = answers({**PIP, **CONFIGURED, "index versions": said("pip (26.0)")})
    found = doctor.check_index("python3", run, lambda _: False)
    assert (found.level, found.text) == (finding.OK, "pip reaches mirror.example")


def test_an_index_out_of_reach_fails_with_its_cause() -> None:
    away = answers({**PIP, **CONFIGURED})
    assert "does not reach" in doctor.check_index("python3", away, lambda _: True).text
    unnamed = doctor.check_index("python3", away, lambda _: False)
    assert (unnamed.level, "DNS" in unnamed.text) == (finding.FAIL, True)


def test_without_pip_the_index_is_not_judged() -> None:
    assert doctor.check_index("python3", answers({})).level == finding.WARN


def test_the_environment_overrides_the_configured_index() -> None:
    text = ":env:.index-url='http://a'\nglobal.cert='c'\nglobal.index-url='http://b'"
    run = answers({"config list": said(text)})
    assert doctor.configured_index("python3", run) == "http://a"


def test_the_doctor_needs_the_standard_library_alone() -> None:
    # -S leaves out site-packages, -E the user's PYTHONPATH.
    words = ["/usr/bin/env", "python3", "-E", "-S", str(TOOL), "--help"]
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(("level", "status"), [("ok", 0), ("warn", 0), ("FAIL", 1)])
def test_only_failures_make_the_exit_status(
    monkeypatch: pytest.MonkeyPatch,
    level: str,
    status: int,
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda *_: [finding.Finding(level, "x", "y")])
    assert doctor.main(["--port", str(PORT)]) == status
