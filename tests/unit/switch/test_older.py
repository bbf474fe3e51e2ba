"""Which commit the scenario `switch` deploys first."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from switch import older


def git(folder: Path, *words: str) -> str:
    """Run git in a folder, which has to succeed."""
    who = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    argv = ["git", "-C", str(folder), *who, "-c", "commit.gpgsign=false", *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a clone of three commits, the second of which adds the host program."""
    made = tmp_path / "clone"
    made.mkdir()
    git(made, "init", "--quiet")
    for word in ("without", "with", "later"):
        if word == "with":
            (made / older.NEWER).parent.mkdir(parents=True)
            (made / older.NEWER).touch()
        (made / "text").write_text(word)
        git(made, "add", "--all")
        git(made, "commit", "--quiet", "--message", word)
    return made


def test_it_is_the_last_one_without_a_host_program(clone: Path) -> None:
    assert older.revision({}, clone) == git(clone, "rev-parse", "HEAD~2")


def test_the_environment_names_another_one(clone: Path) -> None:
    found = older.revision({older.OLDER: "HEAD~1"}, clone)
    assert found == git(clone, "rev-parse", "HEAD~1")


@pytest.mark.parametrize("environment", [{}, {older.OLDER: "v9"}])
def test_a_shallow_clone_is_told_how_to_get_it(
    environment: dict[str, str], clone: Path, tmp_path: Path
) -> None:
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{clone}", str(shallow))
    with pytest.raises(older.NoOlderCommitError, match="git fetch --unshallow"):
        older.revision(environment, shallow)


def test_its_tree_is_exported(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(older.OLDER, raising=False)
    folder = tmp_path / "older"
    commit = older.export(folder, clone)
    assert commit == git(clone, "rev-parse", "HEAD~2")
    assert [path.name for path in folder.iterdir()] == ["text"]
    assert (folder / "text").read_text() == "without"
