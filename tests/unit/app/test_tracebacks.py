"""Tracebacks in a log."""

from __future__ import annotations

import pytest
from classvm.app import tracebacks

LIBRARY = """\
  File "/opt/venv/lib/python3.7/site-packages/flask/app.py", line 2525, in wsgi_app
    response = self.full_dispatch_request()
"""
OWN = """\
  File "/service/src/report.py", line 7, in get
    raise ValueError("no report")
"""
PLAIN = f"Traceback (most recent call last):\n{LIBRARY}{OWN}ValueError: no report\n"
SYNTAX = """\
Traceback (most recent call last):
  File "/kit/launch.py", line 4, in <module>
    main()
  File "server.py", line 3
    def get(:
            ^
SyntaxError: invalid syntax
"""
CHAIN = f"""\
{PLAIN}
During handling of the above exception, another exception occurred:

Traceback (most recent call last):
{LIBRARY}connexion.exceptions.ResolverError: cannot resolve
"""


def one(text: str) -> tracebacks.Traceback:
    (found,) = tracebacks.find(text.splitlines())
    return found


def test_the_frames_of_the_app_are_told_from_those_of_its_packages() -> None:
    found = one(f"before\n{PLAIN}after\n")
    assert found.exception == "ValueError: no report"
    assert [frame.is_own for frame in found.frames] == [False, True]
    assert found.cause("/service") == "ValueError: no report (src/report.py:7)"
    assert found.summary("/service") == [
        '  File "src/report.py", line 7, in get',
        '    raise ValueError("no report")',
        "ValueError: no report",
    ]
    assert list(found.lines) == PLAIN.splitlines()


def test_without_a_folder_the_path_is_as_python_has_it() -> None:
    assert one(PLAIN).cause() == "ValueError: no report (/service/src/report.py:7)"
    assert one(PLAIN).summary()[0].strip().startswith('File "/service/src/report.py"')


def test_a_syntax_error_names_the_line_that_python_cannot_read() -> None:
    assert one(SYNTAX).cause("/service") == "SyntaxError: invalid syntax (server.py:3)"
    assert one(SYNTAX).summary("/service")[1:3] == ["    def get(:", "            ^"]


def test_a_chain_is_one_and_its_place_is_where_the_app_has_a_part() -> None:
    found = one(CHAIN)
    assert found.cause("/service") == (
        "connexion.exceptions.ResolverError: cannot resolve (src/report.py:7)"
    )
    assert len(found.lines) == len(CHAIN.splitlines())


def test_two_that_are_not_linked_are_two() -> None:
    assert len(tracebacks.find(f"{PLAIN}something else\n{PLAIN}".splitlines())) == 2
    assert len(tracebacks.find(f"{PLAIN}{PLAIN}".splitlines())) == 2


def test_without_a_frame_of_the_app_there_is_no_place() -> None:
    found = one(f"Traceback (most recent call last):\n{LIBRARY}OSError: broken\n")
    assert found.cause("/service") == "OSError: broken"
    assert found.own == ()


@pytest.mark.parametrize(
    "text",
    [
        "Traceback (most recent call last):",
        f"Traceback (most recent call last):\n{OWN}",
        "Traceback (most recent call last):\n    stray",
    ],
)
def test_a_log_that_ends_in_the_middle(text: str) -> None:
    (found,) = tracebacks.find(text.splitlines())
    assert found.cause("/service")


def test_a_long_exception_is_cut() -> None:
    text = PLAIN.replace("ValueError: no report", "ValueError: " + "x" * 5000)
    assert len(one(text).cause("/service")) < 250


@pytest.mark.parametrize(
    ("file", "folder", "shown"),
    [
        ("/service/a.py", "/service", "a.py"),
        ("/service/a.py", "/service/", "a.py"),
        ("/services/a.py", "/service", "/services/a.py"),
        ("a.py", "/service", "a.py"),
        ("/a.py", "", "/a.py"),
    ],
)
def test_paths(file: str, folder: str, shown: str) -> None:
    assert tracebacks.relative(file, folder) == shown


@pytest.mark.parametrize(
    ("file", "own"),
    [
        ("/usr/lib/python3.7/runpy.py", False),
        ("<frozen importlib._bootstrap>", False),
        ("/usr/lib/python3/dist-packages/x.py", False),
        ("/kit/launch.py", False),
        ("server.py", True),
        ("/app/kit/x.py", True),
    ],
)
def test_whose_a_file_is(file: str, own: bool) -> None:
    assert tracebacks.Frame(file, 1, ()).is_own is own
