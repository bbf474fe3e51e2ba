"""What a student may do who is in no group but the students': it works, over SSH and on the VM."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import jsonschema
import pytest
from classvm.base import account
from classvm.program import schema, student
from infra import expected

if TYPE_CHECKING:
    from faults.target import Target
    from students.account import Account


def test_the_account_is_in_no_other_group(ada: Account) -> None:
    assert ada.groups == {ada.name, "users", account.STUDENT_GROUP} & (ada.groups | {ada.name})
    assert account.STUDENT_GROUP in ada.groups


@pytest.mark.parametrize("command", ["docker ps", "sudo -n docker ps", "sudo -n true"])
def test_the_engine_and_root_are_out_of_reach(command: str, ada: Account) -> None:
    done = ada.run(command)
    assert done.code != 0
    assert re.search("permission denied|password is required", done.err), str(done)


@pytest.mark.parametrize("verb", ["status", "releases", "logs", "verify-image", "version"])
def test_a_verb_that_looks_is_answered(verb: str, ada: Account) -> None:
    done = ada.ask(verb)
    assert done.error == "", str(done)
    jsonschema.validate(done.answer, schema.ANSWERS[verb])
    assert ada.run(f"classvm {verb}").code == 0


def test_a_person_on_the_vm_stops_and_starts_the_service(ada: Account) -> None:
    assert "stopped" in ada.run("classvm stop").out
    assert "stopped" in ada.run("classvm status").out
    assert "is up" in ada.run("classvm start").out
    assert "is up" in ada.run("classvm restart").out


def test_a_person_on_the_vm_goes_back_and_forth(ada: Account, target: Target) -> None:
    before = target.live().release
    assert "is live" in ada.run("classvm rollback").out
    target.vm.settle()
    between = target.live().release
    assert between != before
    assert ada.run(f"classvm rollback {before}").code == 0
    target.vm.settle()
    assert target.live().release == before


def test_what_needs_another_strategy_is_told(ada: Account) -> None:
    done = ada.run("classvm maintenance on")
    assert done.code != 0
    assert "service_strategy: blue_green" in done.err


# The playbooks of the student's half, in an order that leaves a service, with what each says.
PLAYBOOKS = {
    "status": "up",
    "logs": "GET|gunicorn|Listening",
    "releases": "live",
    "rollback": "is up at",
    "stop": "stopped",
    "start": "is up",
    "restart": "is up",
}


def test_a_clone_of_the_student_asks_over_ssh(ada: Account, target: Target, inventory: str) -> None:
    for playbook, said in PLAYBOOKS.items():
        words = ["ansible-playbook", f"ansible/{playbook}.yml", "--limit", target.facts.name]
        words += expected.options(inventory, [f"ansible_user={ada.name}"])
        done = expected.run(words, ANSIBLE_STDOUT_CALLBACK="classvm.kit.classvm_output")
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(said, done.stdout), done.stdout


def test_every_verb_of_a_student_is_tried_here() -> None:
    tried = {"status", "releases", "logs", "verify-image", "version", "maintenance"}
    assert set(student.VERBS) - {"release"} == tried | {"stop", "start", "restart", "rollback"}
