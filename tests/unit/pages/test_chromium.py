"""Which Chromium is taken, and what installs one where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import chromium

DEBIAN = 'NAME="Debian GNU/Linux"\nID=debian\n'
UBUNTU = "ID=ubuntu\nID_LIKE=debian\n"


def program(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.touch()
    return path


def only(name: str, path: Path) -> chromium.Which:
    """Return what tells the path of one program."""
    return lambda asked: str(path) if asked == name else None


def test_the_program_of_a_package_comes_first(tmp_path: Path) -> None:
    own = program(tmp_path / "own")
    packaged = program(tmp_path / "bin/chromium")
    for name in chromium.PROGRAMS:
        assert chromium.find(own, only(name, packaged)) == packaged
    assert chromium.find(own, only("firefox", packaged)) == own
    assert chromium.find(tmp_path / "none", only("firefox", packaged)) is None


def test_a_snap_is_not_taken(tmp_path: Path) -> None:
    link = tmp_path / "chromium"
    link.symlink_to(program(tmp_path / "bin/snap"))
    assert chromium.find(tmp_path / "none", only("chromium", link)) is None


def test_debian_has_a_package_and_ubuntu_has_none() -> None:
    (debian,) = chromium.commands(DEBIAN, is_root=True)
    assert debian[0] == "ansible"
    assert "name=chromium " in debian[-1]
    assert chromium.commands(UBUNTU, is_root=True) == [
        [*chromium.PLAYWRIGHT, "--with-deps", "chromium"]
    ]
    assert chromium.commands(UBUNTU, is_root=False) == [[*chromium.PLAYWRIGHT, "chromium"]]


def test_who_may_not_install_is_told_the_command() -> None:
    with pytest.raises(chromium.MissingError, match="sudo apt-get install chromium"):
        chromium.commands(DEBIAN, is_root=False)


def test_what_is_missing_is_installed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    asked: list[object] = []

    def install(_run: object) -> None:
        asked.append(program(own))

    monkeypatch.setattr(chromium, "PROGRAMS", ())
    monkeypatch.setattr(chromium, "install", install)
    assert [chromium.provide(own), chromium.provide(own)] == [own, own]
    assert len(asked) == 1


def test_an_installation_without_effect_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium, "PROGRAMS", ())
    monkeypatch.setattr(chromium, "install", lambda _run: None)
    with pytest.raises(chromium.MissingError, match="not where it was expected"):
        chromium.provide(tmp_path / "own")


def test_an_installation_that_fails_names_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium, "PROGRAMS", ())
    monkeypatch.setattr(chromium, "install", lambda run: run(["false", "chromium"]))
    with pytest.raises(chromium.MissingError, match="this failed: false chromium"):
        chromium.provide(tmp_path / "own")


def test_the_installation_runs_what_the_system_needs() -> None:
    asked: list[list[str]] = []
    try:
        chromium.install(lambda command: asked.append(list(command)))
    except chromium.MissingError:
        assert asked == []
    else:
        assert "chromium" in " ".join(asked[0])
