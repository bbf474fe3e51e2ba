from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import layout, revision
from classvm.base import command
from small_app import write

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *words: str) -> str:
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    return command.check(["git", "-C", str(folder), *author, *words]).strip()


@pytest.fixture
def repository(folder: Path) -> Path:
    """Return the service in a repository, with another folder beside it."""
    (folder.parent / "beside").write_text("1\n")
    git(folder.parent, "init", "--quiet")
    git(folder.parent, "add", ".")
    git(folder.parent, "commit", "--quiet", "--message", "one")
    return folder


def test_the_revision_is_that_of_git(repository: Path) -> None:
    assert revision.revision(repository) == git(repository, "rev-parse", "HEAD")[:7]


def test_a_change_beside_the_app_does_not_count(repository: Path) -> None:
    (repository.parent / "beside").write_text("2\n")
    assert "-" not in revision.revision(repository)


@pytest.mark.parametrize("name", [layout.SPEC, "src/new.py"])
def test_a_changed_and_a_new_file_make_it_dirty(name: str, repository: Path) -> None:
    write(repository, name, "# changed\n")
    assert revision.revision(repository) == git(repository, "rev-parse", "HEAD")[:7] + "-dirty"


def test_there_is_no_revision_without_a_commit(folder: Path) -> None:
    assert revision.revision(folder) == ""
    git(folder, "init", "--quiet")
    assert revision.revision(folder) == ""


def test_there_is_no_revision_without_git(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert revision.revision(repository) == ""
