"""Each scenario is a stage; the workflow runs the stages that `make test` leaves out."""

from __future__ import annotations

import re

import pytest
import tree

WORKFLOW = ".github/workflows/test.yml"
SHARED = "shared"


def stages(makefile: str, variable: str) -> set[str]:
    """Return the stages that a variable of the Makefile lists."""
    (found,) = re.findall(rf"^{variable} := (.*)$", makefile.replace("\\\n", " "), re.MULTILINE)
    return {quoted or word for quoted, word in re.findall(r'"([^"]+)"|(\S+)', found)}


def scenario(stage: str) -> str:
    """Return the scenario of a stage: "scenario S=jammy" runs jammy, and "harm" runs harm."""
    return stage.rpartition("S=")[2] if stage.startswith("scenario ") else stage


def left_out(makefile: str) -> set[str]:
    """Return the scenarios that `make test-all` runs and `make test` does not, or not in full."""
    return {
        scenario(one) for one in stages(makefile, "ALL_STAGES") - stages(makefile, "TEST_STAGES")
    }


MAKEFILE = tree.read(tree.ROOT / "Makefile")


FOLDERS = {path.parent.name for path in (tree.ROOT / "molecule").glob("*/molecule.yml")}


def test_each_scenario_is_a_stage() -> None:
    run = {scenario(one) for one in stages(MAKEFILE, "ALL_STAGES")}
    assert FOLDERS - {SHARED} <= run


def test_the_workflow_runs_the_scenarios_that_make_test_leaves_out() -> None:
    jobs = tree.read_yaml(tree.ROOT / WORKFLOW)["jobs"]
    in_matrix = set(jobs["scenario"]["strategy"]["matrix"]["scenario"])
    assert in_matrix == left_out(MAKEFILE) & FOLDERS
    commands = {step.get("run") for job in jobs.values() for step in job["steps"]}
    assert {f"sudo make {name}" for name in left_out(MAKEFILE) - FOLDERS} <= commands


@pytest.mark.parametrize(
    ("test", "everything", "expected"),
    [
        ('a "scenario S=x"', 'a "scenario S=x" "scenario S=y"', {"y"}),
        ('a "harm SCOPE=quick"', "a harm", {"harm"}),
        ("a", "a", set()),
    ],
)
def test_a_scenario_that_is_left_out_is_seen(
    test: str,
    everything: str,
    expected: set[str],
) -> None:
    makefile = f"TEST_STAGES := {test}\nALL_STAGES := \\\n\t{everything}\n"
    assert left_out(makefile) == expected
