"""APP may be the address of a git repository."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import clone_app
import pytest
from clone_app import Address, CloneError

if TYPE_CHECKING:
    from pathlib import Path

WHO = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "init.defaultBranch=main")


def git(folder: Path, *words: str) -> str:
    argv = ["git", *WHO, "-C", str(folder), *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with a tag, a branch and a folder."""
    folder = tmp_path / "origin"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for content in ("first", "second"):
        (folder / "server.py").write_text(content)
        (folder / "week 6").mkdir(exist_ok=True)
        (folder / "week 6/app.py").write_text(content)
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", content)
        git(folder, "tag", content)
    git(folder, "branch", "old", "first")
    return folder


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://h/a.git", Address("https://h/a.git", "", "")),
        ("git+https://h/a.git#v1", Address("https://h/a.git", "v1", "")),
        ("ssh://git@h/a.git#main:week6/", Address("ssh://git@h/a.git", "main", "week6")),
        ("git@h:me/a.git#:week6", Address("git@h:me/a.git", "", "week6")),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert clone_app.parse(text) == address


@pytest.mark.parametrize(
    "text",
    ["http://h/a.git", "ext::sh -c x", "https://h/a b", "--upload-pack=x", "https://h/a#-x", "a/b",
     "https://h/a#b:../c"],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(CloneError, match="is no address of a git repository"):
        clone_app.parse(text)


@pytest.mark.parametrize(
    ("words", "content"),
    [("", "second"), ("#first", "first"), ("#old", "first"), ("#main", "second")],
)
def test_a_clone(words: str, content: str, repository: Path, tmp_path: Path) -> None:
    for _ in range(2):  # each time anew
        found = clone_app.clone(clone_app.parse(f"file://{repository}{words}"), tmp_path / "clones")
        assert (found / "server.py").read_text() == content
        (found / "server.py").write_text("changed")
    assert git(found, "rev-parse", "HEAD") == git(repository, "rev-parse", content)


def test_a_revision(repository: Path, tmp_path: Path) -> None:
    revision = git(repository, "rev-parse", "first")
    found = clone_app.clone(Address(f"file://{repository}", revision, ""), tmp_path / "clones")
    assert (found / "server.py").read_text() == "first"


def test_a_folder_of_a_repository(repository: Path, tmp_path: Path) -> None:
    found = clone_app.clone(Address(f"file://{repository}", "", "week 6"), tmp_path / "clones")
    assert (found / "app.py").read_text() == "second"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (Address("file:///no/such", "", ""), "^fatal: "),
        (Address("file://{}", "none", ""), "^(fatal|error): "),
        (Address("file://{}", "", "none"), "there is no folder none in it"),
        (Address("ext::true", "", ""), "^fatal: .*not allowed"),
    ],
)
def test_a_refusal(address: Address, reason: str, repository: Path, tmp_path: Path) -> None:
    where = Address(address.repository.format(repository), address.revision, address.folder)
    with pytest.raises(CloneError, match=reason):
        clone_app.clone(where, tmp_path / "clones")


def test_a_folder_of_another_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Root may write everywhere, so the system is asked to say no."""

    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(tmp_path), "mkdir", refuse)
    told = f"{tmp_path} belongs to another user. Take it, .*: sudo chown -R .USER {tmp_path}$"
    with pytest.raises(CloneError, match=told):
        clone_app.clone(Address("file:///a", "", ""), tmp_path / "clones")


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CloneError, match="git is not installed"):
        clone_app.git("version")


def test_the_program(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(clone_app, "CLONES", tmp_path / "clones")
    assert clone_app.main([f"file://{repository}"]) == 0
    assert (tmp_path / "clones") in type(tmp_path)(capsys.readouterr().out.strip()).parents
    assert clone_app.main(["https://"]) != 0
    assert capsys.readouterr().err.startswith("make: APP=https://: is no address")
