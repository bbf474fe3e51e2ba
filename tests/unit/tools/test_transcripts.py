"""The tool that records what runs print; the document itself is another test's."""

from __future__ import annotations

from pathlib import Path

import pytest
import transcripts
from transcripts import Recorded

MAKEFILE = """\
deploy: setup
\t@echo one; sleep 0.3
\t@echo '$(WORD) https://index.example:8/simple http://172.30.148.11:80/'
\t@false
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a Makefile, with room beside it."""
    made = tmp_path / "classvm"
    made.mkdir()
    (made / "Makefile").write_text(MAKEFILE)
    (made / "setup").touch()
    return made


def test_what_a_run_prints_and_how_long_it_is_silent(folder: Path) -> None:
    run = transcripts.record(("deploy", "WORD=a b"), folder)
    assert run.command == "make deploy 'WORD=a b'"
    assert run.lines[:2] == ("one", "a b https://…/simple http://172.30.148.11:80/")
    assert run.code == 2
    assert 0.3 <= run.silence <= run.seconds


def test_a_run_that_prepares_others_has_to_succeed(folder: Path) -> None:
    with pytest.raises(SystemExit, match="make deploy"):
        transcripts.must(transcripts.record(("deploy",), folder))


@pytest.mark.parametrize("scene", transcripts.scenes(6), ids=lambda scene: scene.title)
def test_each_scene_has_an_app_of_its_own(scene: transcripts.Scene, folder: Path) -> None:
    app = transcripts.fresh_app(folder)
    scene.edit(app)
    before = {path: path.read_bytes() for path in app.rglob("*") if path.is_file()}
    again = transcripts.fresh_app(folder)
    after = {path: path.read_bytes() for path in again.rglob("*") if path.is_file()}
    assert before.keys() == after.keys()
    assert len([path for path in before if before[path] != after[path]]) <= 1


def test_an_edit_needs_what_it_replaces(folder: Path) -> None:
    app = transcripts.fresh_app(folder)
    with pytest.raises(ValueError, match=r"has no 'gone'"):
        transcripts.replaced("master.yml", "gone", "")(app)


def test_a_view_shows_the_tree_and_keeps_its_own_logs() -> None:
    with transcripts.view() as shown:
        assert (shown / "ansible.cfg").read_text() == (transcripts.ROOT / "ansible.cfg").read_text()
        assert not (shown / ".classvm").exists()


def test_a_section() -> None:
    run = Recorded("make deploy", ("one", "two"), 2, 12.4, 7.6)
    assert transcripts.section("It fails", run).splitlines() == [
        "",
        "## It fails",
        "",
        "```sh",
        "make deploy",
        "```",
        "",
        "```text",
        "one",
        "two",
        "```",
        "",
        "12 s, the longest silence 8 s, exit code 2.",
    ]
