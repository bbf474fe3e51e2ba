from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import jsonschema
import pytest
import tree
from classvm.output import answer
from classvm.release.history import Entry
from classvm.release.outside import Asked, facts
from classvm.release.status import Status

SCHEMA = json.loads(tree.read(tree.ROOT / "docs/json.schema.json"))
PLAYBOOKS = sorted((tree.ROOT / "ansible").glob("*.yml"))
PROVISION = {"guard": "loaded", "problems": [], "unseen": ""}
# What a playbook hands on as a whole, instead of naming the members.
WHOLE = {
    "{{ __status_found.facts }}": set(facts(Status(), Asked(""), PROVISION)),
    "{{ __stop_done.status }}": set(vars(Status())),
}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, "text"), ({"CLASSVM_FORMAT": ""}, "text"), ({"CLASSVM_FORMAT": "json"}, "json")],
)
def test_the_format_that_is_wanted(variables: dict[str, str], expected: str) -> None:
    assert answer.wanted(variables) == expected


def said_by(file: str) -> dict[str, Any]:
    """Return what a playbook leaves for the end of the run."""
    for play in tree.read_yaml(tree.ROOT / "ansible" / file):
        for task in play.get("tasks", ()):
            if "ansible.builtin.set_stats" in task:
                said: dict[str, Any] = task["ansible.builtin.set_stats"]["data"]["classvm"]
                return said
    return {}


def members(told: object) -> set[str]:
    """Return the members of a playbook's facts."""
    if isinstance(told, dict):
        return set(told)
    text = str(told)
    if "combine({'url'" in text:
        return {*vars(Status()), "url"}
    return WHOLE[text]


@pytest.mark.parametrize("file", PLAYBOOKS, ids=lambda file: file.stem)
def test_each_command_answers_with_the_members_that_are_documented(file: Any) -> None:
    said = said_by("release.yml" if file.stem == "deploy" else file.name)
    command = "deploy" if file.stem == "release" else file.stem
    documented = SCHEMA["$defs"].get(command, SCHEMA["$defs"]["other"])["properties"]
    told = members(said["facts"]) if "facts" in said else {"said"}
    assert told | {"changed", "error"} == set(documented)


def test_each_documented_command_is_one() -> None:
    commands = set(SCHEMA["$defs"]) - {"error", "failed", "other"}
    assert commands <= {file.stem for file in PLAYBOOKS}


def test_the_history_has_the_members_that_are_documented() -> None:
    items = SCHEMA["$defs"]["releases"]["properties"]["releases"]["items"]
    fields = {one.name for one in dataclasses.fields(Entry)}
    assert set(items["properties"]) == set(items["required"]) == {*fields, "mark"}


def test_the_document_has_a_member_for_each_host() -> None:
    up = facts(Status(state="up", port=11000), Asked("http://vm-148-1:11000/"), PROVISION)
    said: dict[str, dict[str, Any]] = {
        "vm-148-1": {"text": "classvm: …", "facts": up},
        "vm-148-2": {"state": "vm-148-2 is provisioned", "detail": "…"},
        "vm-148-4": {"state": "vm-148-4 is provisioned"},
    }
    failures = {"vm-148-3": "Refused\nwhy", "vm-148-4": "Lost"}
    told = json.loads(answer.document(said, failures, {"vm-148-2": 3}))
    refused = {"cause": "Refused", "reason": "Refused\nwhy"}
    lost = {"cause": "Lost", "reason": "Lost"}
    is_provisioned = "vm-148-2 is provisioned"
    assert told == {
        "error": None,
        "hosts": {
            "vm-148-1": {**up, "changed": 0, "error": None},
            "vm-148-2": {"said": is_provisioned, "changed": 3, "error": None},
            "vm-148-3": {"changed": 0, "error": refused},
            "vm-148-4": {"said": "vm-148-4 is provisioned", "changed": 0, "error": lost},
        },
    }
    jsonschema.validate(told, SCHEMA)


def test_a_run_that_reached_no_host() -> None:
    told = json.loads(answer.document({}, {}, {}, error="No host\nmore"))
    assert told == {"error": {"cause": "No host", "reason": "No host\nmore"}, "hosts": {}}
    jsonschema.validate(told, SCHEMA)


@pytest.mark.parametrize(
    "told",
    [
        {"hosts": {}},
        {"error": None, "hosts": {"a": {"state": "up", "changed": 0, "error": None}}},
        {"error": None, "hosts": {"a": {"said": 1, "changed": 0, "error": None}}},
    ],
)
def test_what_the_schema_refuses(told: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(told, SCHEMA)


def test_the_example_of_the_page_is_one() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", tree.read(tree.ROOT / "docs/json.md"), re.DOTALL)
    jsonschema.validate(json.loads(example), SCHEMA)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
