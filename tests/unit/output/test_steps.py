from __future__ import annotations

from typing import Any

import pytest
import tree
from classvm.output import steps
from classvm.output.steps import FIRST, Step


def of_playbook(name: str) -> list[Step]:
    """Return the steps of a playbook of ours that are kept, in order."""
    found = [
        step
        for play in tree.read_yaml(tree.ROOT / "ansible" / f"{name}.yml")
        for step in steps.of_play(play).values()
        if step.kept
    ]
    return list(dict.fromkeys(found))


def test_a_first_deploy_has_at_most_ten_steps_and_a_redeploy_four() -> None:
    # Both halves; the release is all that a redeploy does.
    release = of_playbook("release")
    assert len(of_playbook("provision")) + len(release) <= 12
    assert len(release) <= 4


@pytest.mark.parametrize("name", ["status", "logs", "releases"])
def test_what_only_asks_leaves_no_step(name: str) -> None:
    assert of_playbook(name) == []


def test_the_names_are_those_of_the_playbook() -> None:
    assert [step.name for step in of_playbook("release")][:2] == [
        "Build the service image",
        "Make the release live",
    ]


PLAY: dict[str, Any] = {
    "pre_tasks": [{"name": "Check", "ansible.builtin.import_role": {"name": "common"}}],
    "tasks": [
        {"name": "Prepare", "ansible.builtin.assert": {}},
        {"name": "Build", "ansible.builtin.include_role": {"name": "image"}},
        {"name": "Note", "ansible.builtin.copy": {}},
        {"name": "Ask", "classvm.kit.classvm_service_info": {}},
        {"name": "Keep the books", "classvm.kit.classvm_provisioned": {}},
        {"name": "Stop", "classvm.kit.classvm_service": {}},
        {"name": "Let in", "block": [{"name": "Write", "ansible.builtin.copy": {}}]},
    ],
}


@pytest.mark.parametrize(
    ("entry", "step"),
    [
        ("Check", Step(FIRST, kept=False)),
        ("Prepare", Step(FIRST, kept=False)),
        ("Build", Step("Build", kept=True)),
        ("Note", Step("Build", kept=True)),
        ("Ask", Step("Ask", kept=False)),
        ("Keep the books", Step("Ask", kept=False)),
        ("Stop", Step("Stop", kept=True)),
        ("Let in", Step("Let in", kept=True)),
    ],
)
def test_the_step_of_an_entry(entry: str, step: Step) -> None:
    assert steps.of_play(PLAY)[entry] == step


def test_a_play_without_tasks() -> None:
    assert steps.of_play({"roles": ["a"]}) == {}


def test_a_task_of_a_role_belongs_to_the_entry_that_names_the_role() -> None:
    known = steps.of_play(PLAY)
    assert steps.step_of(["Build", "Install", "Install a package"], known, "x").name == "Build"
    # The name of a task in a role may be that of an entry by chance.
    assert steps.step_of(["Build", "Stop"], known, "x").name == "Build"
    assert steps.step_of(["Of a role"], {}, "My play") == Step("My play", kept=True)
