"""`make new-app`: the app that it makes is small, tidy and works."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import new_app
import pytest
import tree
from classvm.app import adopt, hadolint
from classvm.app.plan import make_plan
from classvm.app.reading import read
from classvm.app.review import review

HOST_PORT = 4711


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("apps") / "weather-week-6"
    assert new_app.main([str(folder)]) == 0
    return folder


def lines(folder: Path) -> int:
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return sum(len(path.read_text(errors="replace").splitlines()) for path in files)


def test_it_has_no_findings(app: Path) -> None:
    found = review(app)
    assert [*found.findings, *hadolint.check(found.app.folder)] == []


def test_it_is_read_as_it_is_meant(app: Path) -> None:
    plan = make_plan(read(app), HOST_PORT)
    ports = new_app.ports()
    assert (plan.entry, plan.port) == ("server.py", ports["container_port"])
    assert [one.file for one in plan.specs] == ["master.yml"]
    assert "connexion[swagger-ui]" in plan.requirements
    assert plan.writable == ()


def test_its_tests_pass_and_notice_a_mistake(app: Path) -> None:
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=app, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout
    handler = app / "src/hello.py"
    text = handler.read_text()
    handler.write_text(text.replace('"message"', '"massage"'))
    try:
        assert subprocess.run(command, cwd=app, capture_output=True, check=False).returncode == 1
        # The same mistake is seen without running anything.
        assert {one.code for one in review(app).findings} == {"CV019"}
    finally:
        handler.write_text(text)


def test_it_is_tidy(app: Path) -> None:
    style = ["ruff", "check", "--isolated", "--select", "E,F,I,N,UP,D1", "--line-length", "100"]
    tests = ["--per-file-ignores", "tests/*:D103"]
    done = subprocess.run(
        [*style, *tests, "."], cwd=app, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stdout


def test_it_is_much_smaller_than_the_labs_service(app: Path) -> None:
    assert 5 * lines(app) < lines(tree.ROOT / "service")


def test_each_file_is_filled_in(app: Path) -> None:
    unfilled = [path for path in app.rglob("*") if path.is_file() and b"{{" in path.read_bytes()]
    assert unfilled == []
    assert "weather-week-6" in (app / "README.md").read_text()


def test_nothing_is_left_to_adopt_but_what_was_read(app: Path) -> None:
    assert [one.file for one in adopt.additions(read(app))] == ["classvm.yml"]


def test_its_targets_are_those_of_the_lab(app: Path) -> None:
    shown = subprocess.run(["make"], cwd=app, capture_output=True, check=True, text=True).stdout
    for target in ("docker-all", "docker-build", "docker-start", "docker-stop", "docker-clean"):
        assert f"make {target} " in shown


def test_its_packages_are_installed_again_after_a_failure(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Python without venv is passed by, and an environment without its packages is not used."""
    folder = shutil.copytree(app, tmp_path / "app")
    programs = tmp_path / "bin"
    programs.mkdir()
    install = "[ -e fetched ] || { touch fetched; exit 1; }"
    pip = f"echo '{install}' > .venv/bin/pip; chmod +x .venv/bin/pip"
    python = f'#!/bin/sh\n[ "$1" = -c ] && exit\nmkdir -p .venv/bin && {pip}\n'
    for name, text in (("python3", "#!/bin/sh\nexit 1\n"), ("python3.13", python)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    command = ["make", ".venv/ready"]
    assert [subprocess.run(command, cwd=folder, check=False).returncode for _ in range(3)] == [
        2,
        0,
        0,
    ]
    assert (folder / ".venv/ready").exists()


def test_a_machine_without_venv_is_told_what_to_install(app: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(app, tmp_path / "app")
    command = ["make", "test", "PYTHONS=false"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Python's venv is missing: sudo apt-get install python3-venv\n")


@pytest.mark.parametrize("target", ["deploy", "check", "status", "stop"])
def test_a_command_of_classvm_is_told_where_it_works(target: str, app: Path) -> None:
    done = subprocess.run(["make", target], cwd=app, capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"In the folder of classvm: make {target} APP={app}\n")


@pytest.mark.parametrize("name", ["Weather", "1st", "a_b", "a b", "a-", "é", "a" * 41])
def test_another_name_is_refused(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert new_app.main([str(tmp_path / name)]) == 2
    assert "is not a name for an app" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "there").mkdir()
    assert new_app.main([str(tmp_path / "there")]) == 2
    assert "it is there already" in capfd.readouterr().err
    assert new_app.main([str(tmp_path / "no/such")]) == 2
    assert "there is no folder for it" in capfd.readouterr().err


def test_an_app_in_a_clone_is_no_part_of_it(tmp_path: Path) -> None:
    clone = tmp_path / "classvm"
    subprocess.run(["git", "init", "--quiet", str(clone)], check=True)
    for name in ("weather", "weather-2"):
        (clone / name).mkdir()
        (clone / name / "server.py").touch()
    new_app.leave_out(clone / "weather", clone)
    assert tree.files(clone) == ["weather-2/server.py"]


def test_an_app_beside_a_clone_is_nothing_to_it(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "classvm")], check=True)
    exclude = tmp_path / "classvm/.git/info/exclude"
    before = exclude.read_text() if exclude.exists() else ""
    new_app.leave_out(tmp_path / "weather", tmp_path / "classvm")
    assert (exclude.read_text() if exclude.exists() else "") == before


@pytest.mark.parametrize("words", [[], [""]])
def test_a_missing_name_is_asked_for(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert new_app.main(words) == new_app.WRONG_USAGE
    assert "make new-app NAME=weather" in capsys.readouterr().err
