from __future__ import annotations

from pathlib import Path

import pytest
from classvm.app import folder_checks
from classvm.app.code import Code, Start
from classvm.app.folder import AppFolder


def found(folder: Path) -> list[str]:
    findings = folder_checks.check(AppFolder(folder), Code((), (), ()))
    return [f"{one.code} {one.place}" for one in findings]


def test_secrets_are_found_by_name_and_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# a\nAPI_KEY=abcdefgh\nNAME=x\n")
    (tmp_path / ".env.example").write_text("API_KEY=abcdefgh\n")
    (tmp_path / "id_rsa").write_text("-----BEGIN RSA PRIVATE KEY-----\n")
    assert found(tmp_path) == ["CV060 .env:2:1", "CV060 id_rsa:1:1"]


def test_what_does_not_belong_here(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env/pyvenv.cfg").write_text("")
    (tmp_path / ".git").mkdir()
    (tmp_path / "link").symlink_to("gone")
    with open(tmp_path / "large.bin", "wb") as file:
        file.truncate(folder_checks.LARGE_BYTES + 1)
    assert found(tmp_path) == ["CV061 env", "CV063 link", "CV062 large.bin"]


def test_too_many_files_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classvm.app.folder.MAX_FILES", 2)
    for name in ("a", "b"):
        (tmp_path / name).write_text("")
    assert found(tmp_path) == []
    (tmp_path / "c").write_text("")
    assert found(tmp_path) == ["CV065 ."]


@pytest.mark.parametrize(
    ("rest", "codes"),
    [
        ("curl -s https://host/get-pip.py -o get-pip.py", ["CV055 Dockerfile:2:1"]),
        ("curl -s https://host/pip/3.7/get-pip.py -o get-pip.py", []),
        ("python get-pip.py", []),
    ],
)
def test_a_pip_for_another_python(rest: str, codes: list[str], tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM ubuntu:18.04\nRUN {rest}\n")
    assert found(tmp_path) == codes


@pytest.mark.parametrize(("ports", "codes"), [("80-90", []), ("81-90", ["CV051 Dockerfile:2:1"])])
def test_a_range_of_exposed_ports(ports: str, codes: list[str], tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM ubuntu:18.04\nEXPOSE {ports}\n")
    start = Start("a.py", 1, "0.0.0.0", 80, debug=False, at_import=False)
    findings = folder_checks.check(AppFolder(tmp_path), Code((), (), (start,)))
    assert [f"{one.code} {one.place}" for one in findings] == codes


def test_a_secret_is_not_printed(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("API_KEY=abcdefgh\n")
    finding = folder_checks.check(AppFolder(tmp_path), Code((), (), ()))[0]
    assert "abcdefgh" not in finding.what + finding.fix + finding.excerpt


def test_what_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("")
    assert found(tmp_path) == []
    monkeypatch.setattr("os.access", lambda *_: False)
    assert found(tmp_path) == ["CV064 ."]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("app.secret_key = 'swordfish-1'", ["secret_key"]),
        ("app.config['SECRET_KEY'] = 'swordfish-1'", ["SECRET_KEY"]),
        ("connect(password='swordfish1')", ["password"]),
        ("DB_PASSWORD: str = 'correcthorsebattery'", ["DB_PASSWORD"]),
        ("key = 'AKIA" + "Z" * 16 + "'", ["AKIA…"]),
        ("SECRET_KEY = 'dev'", []),
        ("token = 'https://host/token/12'", []),
        ("password = 'your password 1'", []),
        ("password_field = 'password_1'", []),
        ("password = os.environ['PASSWORD_1']", []),
        ("if password == 'swordfish-1': pass", []),
    ],
)
def test_a_secret_in_the_code(line: str, names: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"{line}\n")
    (tmp_path / "test_a.py").write_text(f"{line}\n")
    findings = folder_checks.check(AppFolder(tmp_path), Code((), (), ()))
    assert [f"{one.place.partition(':1:')[0]} {one.what.split('`')[1]}" for one in findings] == [
        f"a.py {name}" for name in names
    ]
    assert not any("swordfish" in f"{one.what}{one.fix}{one.excerpt}" for one in findings)


def test_what_git_has_left_elsewhere(tmp_path: Path) -> None:
    pointer = "version https://host/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
    (tmp_path / "model.pkl").write_text(pointer)
    (tmp_path / "large.txt").write_text(pointer + "a" * 2000)
    modules = '[submodule "a"]\n\tpath = a\n[submodule "b"]\n\tpath = b/c\n'
    (tmp_path / ".gitmodules").write_text(modules)
    (tmp_path / "b/c").mkdir(parents=True)
    (tmp_path / "b/c/d.py").write_text("")
    (tmp_path / "a").mkdir()
    assert found(tmp_path) == ["CV066 model.pkl", "CV066 .gitmodules:2"]
