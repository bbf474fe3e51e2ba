from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest
from classvm.app.folder import AppFolder
from classvm.app.requirements_plan import Adapted, adapt, located
from hypothesis import given, settings, strategies

SERVED = ["gunicorn<24", "setuptools"]


def adapted(
    root: Path, files: dict[str, str], *, serves: bool = False, number_paths: bool = False
) -> Adapted:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    return adapt(AppFolder(root), serves=serves, number_paths=number_paths)


CASES = {
    # What the list says, what the code imports, and the list from which the lock is compiled.
    "pinned": ("Flask==2.2.5\r\n\r\n", "", ["Flask==2.2.5"]),
    "unpinned": ("Flask\nnumpy\n", "", ["Flask<2.3", "numpy"]),
    "named twice": ("connexion[swagger-ui]\nFlask==2.2.5\nconnexion==2.14.0\n", "",
                    ["connexion[swagger-ui]==2.14.0", "Flask==2.2.5"]),
    "half pinned": ("Flask==1.1.2\njinja2\nWerkzeug==1.0.1\n", "",
                    ["Flask==1.1.2", "jinja2<3.1", "Werkzeug==1.0.1", "markupsafe<2.1",
                     "itsdangerous<2.1"]),
    "standard library": ("csv\nio\npython-dateutil\n", "import connexion, flask\n",
                         ["python-dateutil", "connexion[swagger-ui]<3", "flask<2.3"]),
    "Windows": ("colorama==0.4.6\npywin32==306\n", "", ["colorama==0.4.6"]),
    "Anaconda": ("Flask @ file:///C:/ci/f/work\nmkl-fft==1.3.1\n", "", ["flask<2.3"]),
    "placeholder": ("sklearn==0.0\n", "", ["scikit-learn"]),
    "old pins": ("numpy==1.16.0\nscikit-learn==0.22.2.post1\n", "",
                 ["numpy==1.16.0", "scikit-learn==0.22.2.post1"]),
    "markers": ("a==1 ; python_version < '3.8'\n", "", ['a==1; python_version < "3.8"']),
    "own setuptools": ("setuptools>=21\n", "", ["setuptools>=21"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_list_is_adapted(name: str, tmp_path: Path) -> None:
    text, code, desired = CASES[name]
    found = adapted(tmp_path, {"requirements.txt": text, "a.py": code})
    assert [one for one in found.text.splitlines() if one != "setuptools"] == desired
    assert "setuptools" in found.text


def test_the_adapted_list_stays_as_it_is_when_it_is_adapted_again(tmp_path: Path) -> None:
    for text, code, _ in CASES.values():
        once = adapted(tmp_path, {"requirements.txt": text, "a.py": code}, serves=True)
        again = adapted(tmp_path, {"requirements.txt": once.text}, serves=True)
        assert again.text == once.text
        assert again.changes == ()


@pytest.mark.parametrize(
    ("text", "serves", "added"),
    [
        ("flask==2.2.5\n", True, SERVED),
        ("flask==2.2.5\n", False, SERVED[1:]),
        ("gunicorn==20.1.0\n", True, SERVED[1:]),
    ],
)
def test_gunicorn_is_added_where_it_serves(
    text: str, serves: bool, added: list[str], tmp_path: Path
) -> None:
    found = adapted(tmp_path, {"requirements.txt": text}, serves=serves)
    assert found.text == text + "".join(f"{one}\n" for one in added)
    assert [one.what for one in found.changes] == [f"`{one}` is added" for one in added]


def test_what_only_the_lock_needs_is_not_for_the_author(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask==2.2.5\n")
    assert adapt(AppFolder(tmp_path), for_lock=False) == Adapted(
        "flask==2.2.5\n", (), (), {"flask": "requirements.txt:1"}
    )


@pytest.mark.parametrize(
    ("text", "desired"),
    [
        ("connexion[x]\nflask\n", ["connexion[x]<3", "flask<2.2", "werkzeug<2.2"]),
        ("connexion==2.14.2\nflask==2.2.5\nwerkzeug==2.2.3\n",
         ["connexion==2.14.2", "flask==2.2.5", "werkzeug==2.2.3"]),
        ("flask\n", ["flask<2.3"]),
    ],
)  # fmt: skip
def test_several_numbers_in_a_path_need_older_versions(
    text: str, desired: list[str], tmp_path: Path
) -> None:
    found = adapted(tmp_path, {"requirements.txt": text}, number_paths=True)
    assert found.text.splitlines()[:-1] == desired


TOLD = {
    # What becomes of a line, and why.
    "pywin32==306": "is left out: it exists for Windows only",
    "numpy @ file:///C:/ci/numpy/work": "is taken as `numpy`: it is a folder of another computer",
    "-i https://a": "is left out: the settings of pip are those of the host",
    "-e ./toolbox": "is used from the folder, not installed: its code is part of the app",
    "c @ git+https://git.example/c": "is left out: it comes from a server at build time",
    "<<<<<<< HEAD": "is left out: a marker of an unfinished merge",
    "torch==1.13.1+cpu": "is taken as `torch==1.13.1`: the index has no builds with such a label",
    "prose here": "is left out: it names no package",
    "flask": "is taken as `flask<2.3`: it has no version",
    "csv": "is left out: it comes with Python",
    "zipp==3.17.0": "is taken as `zipp`: it needs a newer Python than 3.7",
}


@pytest.mark.parametrize("line", TOLD)
def test_what_becomes_of_a_line_is_told_with_the_reason(line: str, tmp_path: Path) -> None:
    files = {"requirements.txt": f"a==1\n{line}\n", "toolbox/setup.py": ""}
    told = str(adapted(tmp_path, files).changes[0])
    assert told == f"requirements.txt:2 `{line}` {TOLD[line]}"


def test_what_a_list_of_several_lines_and_files_changes(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "a==1 --hash=sha256:1\nA==1\na==1\n-r absent.txt\n-c c.txt\n",
        "c.txt": "b<1\n",
    }
    assert [str(one) for one in adapted(tmp_path, files).changes] == [
        "requirements.txt:4 is left out: `-r absent.txt`: there is no absent.txt",
        "requirements.txt hashes are left out: the lock that is made here has its own",
        "requirements.txt:2 `A==1` is joined with requirements.txt:1 to `a==1`: it is named twice",
        "c.txt:1 `b<1` is left out: nothing here needs that package",
        "requirements.txt `setuptools` is added: older packages import it without saying so",
    ]


def test_changes_of_one_kind_are_told_together(tmp_path: Path) -> None:
    text = "".join(f"{name} @ file:///C:/{name}\n" for name in "abc")
    told, *_, served, _ = adapted(tmp_path, {"requirements.txt": f"{text}flask==1.1.2\n"}).summary()
    assert told == (
        "requirements.txt:1 `a @ file:///C:/a` is taken as `a`, likewise requirements.txt:2 `b`,"
        " requirements.txt:3 `c`: it is a folder of another computer"
    )
    assert served


def test_local_packages_go_on_the_path(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "./toolbox\n",
        "toolbox/setup.py": "setup(install_requires=['b'])\n",
    }
    found = adapted(tmp_path, files)
    assert found.local == ("toolbox",)
    assert found.text == "b\nsetuptools\n"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("no: `Flask==3.0.0` is new\nmore", "no: `Flask==3.0.0` (requirements.txt:2) is new\nmore"),
        ("`a==1`, which `flask>=3` needs", "`a==1`, which `flask>=3` (requirements.txt:2) needs"),
        ("first\n`flask`", "first\n`flask`"),
        ("the index does not answer", "the index does not answer"),
    ],
)
def test_a_message_gets_the_place_of_the_package(message: str, told: str, tmp_path: Path) -> None:
    places = adapted(tmp_path, {"requirements.txt": "b\nflask==3.0.0\nflask\n"}).places
    assert located(message, places) == told


def test_an_app_without_a_list_gets_what_it_imports(tmp_path: Path) -> None:
    found = adapted(tmp_path, {"server.py": "import flask\nimport numpy\n"}, serves=True)
    assert found.text == "flask<2.3\nnumpy\ngunicorn<24\nsetuptools\n"
    assert [one.place for one in found.changes] == [
        "server.py:1",
        "server.py:2",
        "packages:",
        "packages:",
    ]


@settings(max_examples=100)
@given(content=strategies.binary(max_size=300), lines=strategies.text(max_size=100))
@pytest.mark.parametrize("name", ["requirements.txt", "Pipfile", "pyproject.toml", "setup.cfg"])
def test_any_list_has_an_answer(name: str, content: bytes, lines: str) -> None:
    head = {"Pipfile": b"[packages]\na = ", "pyproject.toml": b"[project]\ndependencies = "}
    with tempfile.TemporaryDirectory() as root:
        (Path(root) / name).write_bytes(
            head.get(name, b"") + content + lines.encode("utf-8", "replace")
        )
        started = time.process_time()
        found = adapt(AppFolder(Path(root)))
        assert time.process_time() - started < 1
    assert found.text.endswith("setuptools\n")
    assert found.text.isascii()


def test_an_app_for_aiohttp_gets_the_extra_of_connexion(tmp_path: Path) -> None:
    files = {"requirements.txt": "connexion==2.14.2\n", "a.py": "import connexion\nconnexion.App()"}
    assert "aiohttp" not in adapted(tmp_path, files).text
    files["a.py"] = "import connexion\nconnexion.AioHttpApp()"
    found = adapted(tmp_path, files)
    assert "connexion[aiohttp]==2.14.2\n" in found.text
    assert "AioHttpApp" in str(found.changes[0])


def test_an_argument_that_sqlalchemy_2_does_not_know(tmp_path: Path) -> None:
    files = {"requirements.txt": "SQLAlchemy>=1\n", "a.py": "create_engine('x', echo=True)"}
    assert "<2" not in adapted(tmp_path, files).text
    files["a.py"] = "create_engine('x', convert_unicode=True)"
    assert "sqlalchemy<2,>=1" in adapted(tmp_path, files).text
