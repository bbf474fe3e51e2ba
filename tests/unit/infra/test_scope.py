"""Which suites run and how much they do; a run that tests nothing is red."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from infra import scope

INFRA = Path(scope.__file__).parent
CONFTEST = """
from infra import scope

def pytest_collection_modifyitems(config, items):
    scope.keep_chosen(config, items)

def pytest_sessionfinish(session):
    scope.fail_if_nothing_passed(session)
"""
PASSES = "def test_one(): pass\n"
SKIPS = "import pytest\n\ndef test_one(): pytest.skip('x')\n"


def run(folder: Path, suites: Mapping[str, str], *options: str, **environment: str) -> int:
    """Run pytest on suites of one test each, and return its exit code."""
    for name, text in suites.items():
        (folder / name).mkdir()
        (folder / name / f"test_{name}.py").write_text(text)
    (folder / "conftest.py").write_text(CONFTEST)
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(folder)]
    argv += ["--rootdir", str(folder), "--confcutdir", str(folder), "-c", "/dev/null"]
    # The installed plugins take seconds to load.
    environment |= {"PYTHONPATH": str(INFRA.parent), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(argv, env=environment, check=False, capture_output=True)
    return done.returncode


def test_both_suites_run_unless_one_is_named() -> None:
    assert scope.suites({}) == scope.suites({"HARM": ""}) == scope.SUITES
    assert scope.suites({"HARM": "faults"}) == ("faults",)


def test_the_suites_are_folders_of_tests() -> None:
    assert all((INFRA.parent / name).is_dir() for name in scope.SUITES)


@pytest.mark.parametrize("environment", [{"HARM": "typo"}, {"HARM": "faults,mutation"}])
def test_an_unknown_suite_is_an_error(environment: Mapping[str, str]) -> None:
    with pytest.raises(pytest.UsageError, match="is unknown; use HARM=mutation or faults"):
        scope.suites(environment)


def test_the_named_suite_alone_decides(tmp_path: Path) -> None:
    fails = "def test_one(): assert False\n"
    assert run(tmp_path, {"mutation": PASSES, "faults": fails}, HARM="mutation") == 0


@pytest.mark.parametrize("environment", [{"HARM": "typo"}, {"SCOPE": "typo"}])
def test_a_misspelt_value_makes_the_run_red(tmp_path: Path, environment: dict[str, str]) -> None:
    assert run(tmp_path, {"mutation": PASSES}, **environment) != 0


@pytest.mark.parametrize(
    ("text", "options", "is_red"),
    [
        (PASSES, [], False),
        (SKIPS, [], True),
        (PASSES, ["-k", "no_such_test"], True),
        (PASSES + SKIPS.replace("test_one", "test_two"), [], False),
    ],
    ids=["passes", "skips all", "selects none", "skips one"],
)
def test_a_run_in_which_no_test_passed_is_red(
    tmp_path: Path,
    text: str,
    options: list[str],
    is_red: bool,
) -> None:
    assert (run(tmp_path, {"faults": text}, *options) != 0) is is_red
