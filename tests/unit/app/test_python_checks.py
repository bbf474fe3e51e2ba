from __future__ import annotations

from pathlib import Path

import pytest
from classvm.app import code, python_checks
from classvm.app.folder import AppFolder


def found(folder: Path, files: dict[str, str]) -> list[str]:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    app = AppFolder(folder)
    files = dict.fromkeys(app.python_files(), "")
    return [one.code for one in python_checks.check(app, code.read(app), files)]


@pytest.mark.parametrize(
    ("line", "other", "codes"),
    [
        ("from pkg import inside", "", []),
        ("from pkg.inside import here", "here = 1", []),
        ("from pkg.inside import gone", "here = 1", ["CV022"]),
        ("from pkg.inside import *", "here = 1", []),
        ("from pkg.inside import gone", "def __getattr__(name): ...", []),
        ("from elsewhere import gone", "", []),
    ],
)
def test_imports_of_the_apps_own_modules(
    line: str, other: str, codes: list[str], tmp_path: Path
) -> None:
    assert found(tmp_path, {"a.py": line, "pkg/__init__.py": "", "pkg/inside.py": other}) == codes


@pytest.mark.parametrize(
    ("call", "codes"),
    [
        ("MongoClient('mongodb://user:x@mongo:27017/a')", ["CV029"]),
        ("redis.Redis(host='redis')", ["CV029"]),
        ("MongoClient('db.example.org')", []),
        ("Client('localhost')", []),
        ("getenv('URL', 'postgresql+psycopg2://me:x@db:5432/a')", ["CV029"]),
        ("getenv('URL', 'postgresql://me:x@localhost/a')", []),
        ("print('http://db/')", []),
        ("create_engine('mysql://db/a')", ["CV029"]),
    ],
)
def test_a_second_container(call: str, codes: list[str], tmp_path: Path) -> None:
    assert found(tmp_path, {"a.py": call}) == codes


def test_only_imported_files_are_used(tmp_path: Path) -> None:
    files = {
        "a.py": "from pkg import b",
        "pkg/__init__.py": "",
        "pkg/b.py": "import c",
        "c.py": "",
        "d.py": "",
    }
    found(tmp_path, files)
    reached = python_checks.reached(AppFolder(tmp_path), {"a.py": ""})
    places = {"a.py": "", "c.py": "a.py:1", "pkg/__init__.py": "a.py:1", "pkg/b.py": "a.py:1"}
    assert reached == places


def test_the_program_counts_before_the_handlers(tmp_path: Path) -> None:
    found(tmp_path, {"a.py": "import b", "b.py": "import c", "c.py": "", "d.py": ""})
    starts = {"a.py": "", "c.py": "master.yml:5", "d.py": "master.yml:9"}
    reached = python_checks.reached(AppFolder(tmp_path), starts)
    assert reached == {"a.py": "", "b.py": "a.py:1", "c.py": "a.py:1", "d.py": "master.yml:9"}


def test_a_wrong_import_says_what_leads_to_it(tmp_path: Path) -> None:
    found(tmp_path, {"a.py": "from b import gone", "b.py": ""})
    folder = AppFolder(tmp_path)
    finding = python_checks.check(folder, code.read(folder), {"a.py": "server.py:3"})[0]
    assert finding.what.endswith("; server.py:3 leads here")


@pytest.mark.parametrize(
    ("makefile", "text"),
    [
        ("all:\n\tdocker run -d --name mongo mongo:4\n", "which Makefile:2 starts"),
        ("all:\n\tdocker run -d --name mongo2 mongo:4\n", ""),
    ],
)
def test_who_starts_the_second_container(makefile: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(makefile)
    (tmp_path / "a.py").write_text("MongoClient('mongo')\n")
    folder = AppFolder(tmp_path)
    finding = python_checks.check(folder, code.read(folder), {"a.py": ""})[0]
    assert ("which Makefile" in finding.what) == bool(text)
    assert text in finding.what


def test_a_compose_file_starts_the_second_container(tmp_path: Path) -> None:
    compose = "services:\n  web: {build: .}\n  store: {image: a}\n"
    files = {"a.py": "URL = 'redis://store:6379/0'", "docker-compose.yml": compose}
    assert found(tmp_path, files) == ["CV029"]
    app = AppFolder(tmp_path)
    (one,) = python_checks.check(app, code.read(app), {"a.py": ""})
    assert one.what == (
        "an address leads to the host `store:6379/0`,"
        " which docker-compose.yml:3 starts as a second container"
    )


def test_a_letter_of_another_encoding_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b'A = 1\nB = "gr\xfcn"\n')
    app = AppFolder(tmp_path)
    (finding,) = python_checks.check(app, code.read(app), {"a.py": ""})
    assert (finding.code, finding.line) == ("CV020", 2)
    assert (finding.what, finding.fix) == ("a letter that is not UTF-8", "Save the file as UTF-8")


def test_a_file_in_utf_16(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n", encoding="utf-16")
    folder = AppFolder(tmp_path)
    finding = python_checks.check(folder, code.read(folder), {"a.py": ""})[0]
    assert (finding.code, finding.what) == ("CV020", "the file is UTF-16, not UTF-8")
