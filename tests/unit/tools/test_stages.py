"""The stages of `make test`: in order, up to the first failure, and none that ran no test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import stages

if TYPE_CHECKING:
    from pathlib import Path

PASSED = "============ 3 passed, 1 skipped in 0.31s ============\n"
NOTHING = "============ 12 deselected in 0.02s ============\n"
RUNS_TESTS = """
.PHONY: good lint empty silent broken
lint:
\t@echo pass
good:
\t@echo '=== 3 passed in 0.31s ===' # pytest
empty:
\t@echo '=== 12 deselected in 0.02s ===' # pytest
silent:
\t@echo nothing # molecule test
broken:
\t@echo 'E   AssertionError: 2 requests failed'
\t@echo '  FAILED tests/test_x.py::test_load[vm-1] - AssertionError: 2'
\t@echo '=== 1 failed, 2 passed in 1s ===' # pytest
\t@exit 3
"""


@pytest.fixture
def makefile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with a Makefile of known stages."""
    (tmp_path / "Makefile").write_text(RUNS_TESTS)
    monkeypatch.chdir(tmp_path)


def run(monkeypatch: pytest.MonkeyPatch, *names: str) -> int:
    """Run the program."""
    monkeypatch.setattr("sys.argv", ["stages.py", *names])
    return stages.main()


def test_a_stage_is_a_target_with_its_variables() -> None:
    assert stages.command("lint") == ["make", "--no-print-directory", "lint"]
    assert stages.command("scenario S=jammy")[-2:] == ["scenario", "S=jammy"]


@pytest.mark.parametrize(
    ("output", "passed"),
    [
        (PASSED, 3),
        (PASSED + "\x1b[32m=== \x1b[1m21 passed\x1b[0m in 75.20s (0:01:15) ===\x1b[0m\n", 24),
        ("1 failed, 7 passed in 2.0s\n", 7),
        ("    - '2240 passed, 45 deselected in 166.15s (0:02:46)'\n", 2240),
        (NOTHING, 0),
        ("============ no tests ran in 0.01s ============\n", 0),
        ("test_x.py::test_3_passed_in_2s FAILED\n", 0),
        ("ok=8 changed=0\n", 0),
    ],
)
def test_the_tests_are_counted_in_the_closing_lines(output: str, passed: int) -> None:
    assert stages.passed_tests(output) == passed


@pytest.mark.parametrize(("stage", "tests"), [("unit", True), ("lint", False)])
def test_make_tells_which_stages_run_tests(stage: str, *, tests: bool) -> None:
    assert stages.runs_tests(stage) is tests


@pytest.mark.usefixtures("makefile")
def test_a_good_run_ends_with_the_number_of_stages(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "lint", "good") == 0
    said = capfd.readouterr().out
    assert "3 passed" in said
    assert "test: all 2 stages passed" in said


@pytest.mark.usefixtures("makefile")
def test_the_first_failure_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "lint", "broken", "good") == 2  # make's own exit status
    said = capfd.readouterr().out
    assert "== good" not in said
    assert said.endswith(
        "What failed in broken\n"
        "  E   AssertionError: 2 requests failed\n"
        "  FAILED tests/test_x.py::test_load[vm-1] - AssertionError: 2\n"
        "test: broken failed after 0.0 minutes\n"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("\x1b[1m\x1b[31mE       assert 3 == 0\x1b[0m\r", ("E       assert 3 == 0",)),
        ("    - 'E       assert 3 == 0", ("E       assert 3 == 0",)),
        ("ERROR tests/infra/test_x.py", ("ERROR tests/infra/test_x.py",)),
        ("ERROR   Verifier tests failed", ()),
        ("tests/faults/test_x.py::test_load FAILED [ 50%]", ()),
        ("E" * 5 + " x", ()),
        (
            f"  │ FAILED {'a' * 66}.py\n  │   ::test_load[vm-1] - Assertion\n  │   failed",
            (f"FAILED {'a' * 66}.py::test_load[vm-1] - Assertion failed",),
        ),
        ("E   " + "x" * 5000, ("E   " + "x" * 296,)),
    ],
)
def test_what_failed_is_read_from_the_output(line: str, said: tuple[str, ...]) -> None:
    assert stages.failures(f"before\n{line}\nafter\n") == said


def test_of_many_failures_the_first_reasons_and_the_last_names_are_said() -> None:
    output = "".join(f"E   reason {n}\n" for n in range(100))
    output += "".join(f"FAILED tests/test_{n}.py\n" for n in range(100))
    said = stages.failures(output)
    assert len(said) == 2 * stages.MOST_LINES
    assert (said[0], said[-1]) == ("E   reason 0", "FAILED tests/test_99.py")


@pytest.mark.usefixtures("makefile")
@pytest.mark.parametrize("stage", ["empty", "silent"])
def test_a_stage_that_executed_no_test_is_red(
    stage: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, stage, "good") == stages.NO_TESTS
    said = capfd.readouterr().out
    assert f"test: {stage} failed after 0.0 minutes: no test passed in it" in said
    assert "== good" not in said


def test_the_test_runners_of_the_project_are_recognized() -> None:
    for stage in ("unit", "e2e", "scenario S=vm", "harm"):
        assert stages.runs_tests(stage)
