from __future__ import annotations

from pathlib import Path

import pytest
from classvm.app import folder_checks
from classvm.app.code import Code
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


def test_a_secret_is_not_printed(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("API_KEY=abcdefgh\n")
    finding = folder_checks.check(AppFolder(tmp_path), Code((), (), ()))[0]
    assert "abcdefgh" not in finding.what + finding.fix + finding.excerpt


def test_what_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("")
    assert found(tmp_path) == []
    monkeypatch.setattr("os.access", lambda *_: False)
    assert found(tmp_path) == ["CV064 ."]
