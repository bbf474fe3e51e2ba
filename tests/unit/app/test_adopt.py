from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import small_app
import yaml
from classvm.app import adopt, reading
from classvm.app.review import review

if TYPE_CHECKING:
    from pathlib import Path

SERVER = """
import os
import connexion
import isbn
os.makedirs("saved", exist_ok=True)
app = connexion.App(__name__)
app.add_api("birds.yml")
if __name__ == "__main__":
    app.run(port=8081)
"""
SPEC = 'openapi: 3.0.0\ninfo: {title: Birds, version: "1"}\npaths: {}\n'
FILES = {
    "server.py": SERVER,
    "birds.yml": SPEC,
    "toolbox/setup.py": "",
    "toolbox/isbn.py": "",
    "env/pyvenv.cfg": "",
    "requirements.txt": "connexion==2.14.2\n",
    "Dockerfile": "FROM ubuntu:18.04\nRUN apt-get install -y figlet\n",
}


def app(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def texts(folder: Path) -> dict[str, str]:
    return {one.file: one.after for one in adopt.additions(reading.read(folder))}


def written(folder: Path) -> Path:
    for name, text in texts(folder).items():
        (folder / name).write_text(text)
    return folder


def test_what_was_guessed_is_written_down(tmp_path: Path) -> None:
    found = texts(app(tmp_path, FILES))
    assert set(found) == {"requirements.in", "classvm.yml", ".gitignore", ".dockerignore"}
    said = {"spec": ["birds.yml"], "entry": "server.py", "port": 8081, "apt": ["figlet"]}
    assert yaml.safe_load(found["classvm.yml"]) == said
    assert '# keep: ["saved"]' in found["classvm.yml"]
    listed = [line for line in found["requirements.in"].splitlines() if line[0] != "#"]
    assert listed == ["connexion==2.14.2", "./toolbox"]


def test_what_was_adopted_is_read_as_before(tmp_path: Path) -> None:
    before = review(app(tmp_path, FILES))
    after = review(written(tmp_path))
    assert after.app.summary(1).replace("requirements.in", "requirements.txt") == (
        before.app.summary(1)
    )
    # What is written down is no longer missing.
    gone = {one.code for one in before.findings} - {one.code for one in after.findings}
    assert gone == {"CV056", "CV061"}
    assert {one.code for one in after.findings} <= {one.code for one in before.findings}


def test_a_second_time_nothing_is_missing(tmp_path: Path) -> None:
    assert texts(written(app(tmp_path, FILES))) == {}


def test_what_is_there_stays(tmp_path: Path) -> None:
    files = {"classvm.yml": "port: 1\n", ".gitignore": "mine\n/env", "requirements.in": "flask\n"}
    found = texts(app(tmp_path, {**FILES, **files}))
    assert set(found) == {".gitignore", ".dockerignore"}
    assert found[".gitignore"] == "mine\n/env\n__pycache__/\n.venv/\n"


def test_a_secret_stays_out_of_git_and_of_the_image(tmp_path: Path) -> None:
    found = texts(app(tmp_path, {**FILES, ".env": "API_KEY=abcdefgh\n"}))
    assert "/.env\n" in found[".gitignore"]
    assert "\n.env\n" in found[".dockerignore"]


def test_a_sealed_app_lacks_nothing(tmp_path: Path) -> None:
    assert texts(small_app.make(tmp_path)) == {}


def test_an_empty_folder_has_nothing_to_write_down(tmp_path: Path) -> None:
    assert set(texts(tmp_path)) == {".gitignore", ".dockerignore"}


@pytest.mark.parametrize(
    ("before", "after", "head"),
    [("", "a\n", "--- /dev/null"), ("a\n", "a\nb\n", "--- x")],
)
def test_a_diff_shows_what_is_added(before: str, after: str, head: str) -> None:
    diff = adopt.Addition("x", before, after).diff
    assert diff.startswith(f"{head}\n+++ x\n")
    assert [line for line in diff.splitlines()[2:] if line.startswith("-")] == []
