"""What is expected of an app, as YAML says it."""

from __future__ import annotations

from pathlib import Path

import app_expected
import pytest
from app_expected import Answer, Expected


def test_an_answer_in_short() -> None:
    got = app_expected.answer("a", {"get": "/x?y=1", "json": None, "text": "one", "times": 2})
    assert got == Answer("GET", "/x?y=1", has_json=True, text=["one"], times=2)
    assert str(got) == "GET /x?y=1"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"get": "/", "jsn": 1}, "jsn is not a key of an answer"),
        ({"status": 200}, "has one method"),
        ({"get": "/", "post": "/"}, "has one method"),
    ],
)
def test_a_slip_in_an_answer_is_told(said: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=f"my-app.*{why}"):
        app_expected.answer("my-app", said)


@pytest.mark.parametrize(
    ("said", "why"),
    [({"outcom": "lives"}, "outcom is not a key"), ({"outcome": "dies"}, "dies is not an outcome")],
)
def test_a_slip_in_an_app_is_told(said: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=f"my-app.*{why}"):
        app_expected.expected("my-app", said)


def test_apps_are_read_from_a_folder_a_table_and_folders(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text("{outcome: refused, sentence: why, quick: true, files: {a: b}}")
    (tmp_path / "a.yml").write_text("{outcome: lives, answers: [{get: /}]}")
    refused = Expected(
        "b", outcome="refused", sentence=["why"], files={"a": "b"}, quick=True, answers=[]
    )
    lives = Expected("a", outcome="lives", answers=[Answer("GET", "/")])
    assert app_expected.read_apps(tmp_path) == [lives, refused]
    (tmp_path / "c.yml").write_text("x/y: {outcome: lives}")
    assert app_expected.read_table(tmp_path / "c.yml") == [
        Expected("x/y", outcome="lives", answers=[])
    ]
    (tmp_path / "d").mkdir()
    assert app_expected.folders(tmp_path) == [Expected("d")]


def test_files_are_texts_bytes_encodings_and_links(tmp_path: Path) -> None:
    files = {
        "a/b.txt": "é\n",
        "c.bin": b"\xff",
        "d.txt": {"text": "x\n", "encoding": "utf-16-le", "newline": "\r\n"},
        "e": {"link": "nowhere"},
    }
    assert app_expected.write_files(tmp_path, files) == tmp_path
    assert (tmp_path / "a/b.txt").read_bytes() == "é\n".encode()
    assert (tmp_path / "c.bin").read_bytes() == b"\xff"
    assert (tmp_path / "d.txt").read_bytes() == b"x\0\r\0\n\0"
    assert (tmp_path / "e").readlink() == Path("nowhere")


@pytest.mark.parametrize(
    ("name", "text"), [("m.py", "open('made', 'w').write('1')"), ("m.sh", "printf 1 >made")]
)
def test_a_program_of_the_app_makes_more_files(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    app_expected.prepare(Expected("a"), tmp_path)
    assert not (tmp_path / "made").exists()
    app_expected.prepare(Expected("a", prepare=name), tmp_path)
    assert (tmp_path / "made").read_text() == "1"


def test_each_change_of_a_folder_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").symlink_to("nowhere")
    before = app_expected.contents(tmp_path)
    assert app_expected.contents(tmp_path) == before
    (tmp_path / "a").chmod(0o755)
    assert app_expected.contents(tmp_path) != before
    (tmp_path / "a").chmod(0o644)
    (tmp_path / "b").unlink()
    assert app_expected.contents(tmp_path).keys() == {"a"}
