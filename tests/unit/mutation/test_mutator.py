"""The mutations and their verdicts; tests/mutation applies them for real."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from classvm.release.release_spec import ReleaseSpec, Seconds
from infra import expected, scope
from infra.expected import Facts
from mutation import mutator
from mutation.mutations import ANSWERS, DRY_RUN, MUTATIONS, Mutation
from mutation.mutator import (
    CHECKS,
    SLOW,
    Mutator,
    Outcome,
    apply_lines,
    function,
    good_run,
    owns,
    script,
    table,
    undo_lines,
)

if TYPE_CHECKING:
    from infra.vm import Vm
    from mutation.mutator import Suite

RELEASE_SPEC = ReleaseSpec(
    service="app",
    release="abcdef0",
    host_port=4711,
    container_port=4712,
    limits={"memory": "512m", "pids": "128", "tmpfs_size": "64m"},
    seconds=Seconds(health=30, steady=3, contract=120, stop=3, request=30),
)
ADDRESSES = {"ADDRESS": "192.0.2.1", "ADDRESS6": "2001:db8::1"}
GREEN: tuple[str, ...] = ()

# Checks that no mutation turns red, and why.
UNOWNED = {
    "test_image.py::test_the_image_is_the_one_that_was_deployed": "the VM was never rolled back",
    "test_host.py::test_ssh_answers_where_ansible_connects": "nobody could undo the mutation",
    "test_ports.py::test_the_service_answers_by_the_name_of_the_host": "its name is its address",
    "test_endpoints.py::test_an_operation_answers_over_ipv6": "as from outside over IPv6",
    "test_settings.py::test_what_the_inventory_sets_is_in_effect": "only a variable could",
    "test_host.py::test_sudo_allows_a_student_the_host_program_alone": "the VM names no student",
    "test_ufw.py::test_ufw_stays_active_with_the_port_open": "the VM has no ufw",
    "test_firewalld.py::test_firewalld_stays_active_with_the_port_open": "the VM has no firewalld",
    "test_firewalld.py::test_the_port_answers_behind_firewalld_and_the_next_one_does_not": (
        "the VM has no firewalld"
    ),
    "test_ufw.py::test_the_port_answers_behind_ufw": "the VM has no ufw",
}


def checks(folder: Path) -> dict[str, set[str]]:
    """Return the marks of each check by its file and function."""
    found = {}
    for path in sorted(folder.glob("test_*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        everywhere = [one.value for one in assignments(module) if "pytestmark" in names(one)]
        for one in module.body:
            if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"):
                marks = [*everywhere, *one.decorator_list]
                marked = {node.attr for mark in marks for node in attributes(mark)}
                found[f"{path.name}::{one.name}"] = marked
    return found


def assignments(module: ast.Module) -> list[ast.Assign]:
    """Return every assignment of a module."""
    return [one for one in module.body if isinstance(one, ast.Assign)]


def names(assignment: ast.Assign) -> list[str]:
    """Return the assigned names."""
    return [ast.unparse(target) for target in assignment.targets]


def attributes(mark: ast.expr) -> list[ast.Attribute]:
    """Return every attribute in an expression."""
    return [node for node in ast.walk(mark) if isinstance(node, ast.Attribute)]


QUICK = {name for name, marks in checks(CHECKS).items() if not marks & set(SLOW)}


# --- The table of mutations ---------------------------------------------------------------------


def test_there_are_many_mutations_and_a_few_quick_ones() -> None:
    assert len(MUTATIONS) >= 30
    assert 10 <= len([mutation for mutation in MUTATIONS if mutation.quick]) <= 15


def test_a_deploy_heals_what_it_has_to_on_both_kinds_of_hosts() -> None:
    healed = [mutation for mutation in MUTATIONS if mutation.deploy_heals]
    assert len(healed) >= 10
    assert {mutation.edge for mutation in healed} == {False, True}
    assert any(mutation.quick for mutation in healed)


def test_no_two_mutations_have_the_same_name() -> None:
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)


def test_each_owner_is_a_quick_check() -> None:
    assert {function(mutation.owner) for mutation in MUTATIONS} <= QUICK


def test_each_quick_check_owns_a_mutation() -> None:
    assert QUICK - {function(mutation.owner) for mutation in MUTATIONS} == UNOWNED.keys()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mutation_does_something_and_is_undone(mutation: Mutation) -> None:
    assert mutation.apply or mutation.run or mutation.image
    assert bool(mutation.apply) == bool(mutation.undo)
    if mutation.run or mutation.image:
        assert "serve_good_release" in undo_lines(mutation)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_script_of_a_mutation_is_shell(mutation: Mutation) -> None:
    text = script(mutation, RELEASE_SPEC, ADDRESSES)
    inner = text.partition("<<'UNDO'\n")[2].partition("\nUNDO\n")[0]
    for shell in (text, inner):
        subprocess.run(["/bin/sh", "-n"], input=shell, text=True, check=True)


@pytest.mark.parametrize(
    "mutation",
    [mutation for mutation in MUTATIONS if mutation.run],
    ids=lambda mutation: mutation.name,
)
def test_a_changed_run_differs_from_the_good_one(mutation: Mutation) -> None:
    assert mutation.run is not None
    good = good_run(RELEASE_SPEC)
    assert mutation.run(good_run(RELEASE_SPEC)) != good == good_run(RELEASE_SPEC)


# --- Whether one was caught ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "check", "expected"),
    [
        ("test_a.py::test_b", "tests/infra/test_a.py::test_b[ansible://vm]", True),
        ("test_a.py::test_b", "tests/infra/test_a.py::test_b", True),
        ("test_a.py::test_b[IPv6]", "tests/infra/test_a.py::test_b[IPv6-ansible://vm]", True),
        ("test_a.py::test_b[IPv6]", "tests/infra/test_a.py::test_b[IPv4-ansible://vm]", False),
        ("test_a.py::test_b[IPv6]", "tests/infra/test_a.py::test_b", False),
        ("test_a.py::test_b", "tests/infra/test_a.py::test_bc[ansible://vm]", False),
        ("test_a.py::test_b", "tests/infra/test_aa.py::test_b[ansible://vm]", False),
    ],
)
def test_an_owner_is_known_by_its_function_and_case(
    owner: str,
    check: str,
    expected: bool,
) -> None:
    assert owns(owner, check) is expected


def test_a_mutation_that_only_others_see_is_not_caught() -> None:
    outcome = Outcome(Mutation("x", ANSWERS), (DRY_RUN,), GREEN, 1)
    assert (outcome.caught, outcome.others) == (False, [DRY_RUN])


def test_a_mutation_that_nobody_sees_is_not_caught() -> None:
    assert not Outcome(Mutation("x", ANSWERS), GREEN, GREEN, 1).caught


def test_the_table_counts_the_caught_mutations() -> None:
    caught = Outcome(Mutation("x", DRY_RUN), (f"{DRY_RUN}[ansible://vm]",), GREEN, 1)
    missed = Outcome(Mutation("y", DRY_RUN), GREEN, GREEN, 1)
    assert table([caught, missed], 3)[-2] == "1 of 3 mutations caught by their own check"
    assert [line for line in table([caught, missed], 3) if "NOT CAUGHT" in line] == [
        f"y: NOT CAUGHT by {DRY_RUN} (1 s)"
    ]


def test_a_few_of_the_other_red_checks_are_named() -> None:
    red = tuple(f"tests/infra/test_x.py::test_{number}[ansible://vm]" for number in range(9))
    lines = table([Outcome(Mutation("x", DRY_RUN), red, GREEN, 1)], 1)
    assert "test_x.py::test_0, " in lines[1]
    assert lines[1].endswith(", and 4 more")


def test_what_stays_red_is_named() -> None:
    left = Outcome(Mutation("x", DRY_RUN), (DRY_RUN,), (DRY_RUN,), 1)
    assert f"    STILL RED after it was undone: {DRY_RUN}" in table([left], 1)


def test_the_table_counts_what_a_deploy_has_healed() -> None:
    red = (f"{DRY_RUN}[ansible://vm]",)
    to_heal = Mutation("x", DRY_RUN, deploy_heals=True)
    healed, not_healed = Outcome(to_heal, red, GREEN, 1), Outcome(to_heal, red, red, 1)
    missed, other = Outcome(to_heal, GREEN, GREEN, 1), Outcome(Mutation("y", DRY_RUN), red, red, 1)
    lines = table([healed, not_healed, missed, other], 4)
    assert lines[-1] == "1 of 3 healed by a deploy, as they have to be"
    assert f"    STILL RED after make deploy: {red[0]}" in lines


class FakeSuite:
    """Reports one red check, and afterwards the given ones."""

    inventory = "hosts.yml"
    known: Mapping[str, Facts] = {}

    def __init__(self, left: tuple[str, ...]) -> None:
        self.left = left

    def run(self, _: Mutation, *, whole: bool) -> tuple[str, ...]:
        assert whole is not scope.QUICK
        return (DRY_RUN,)

    def again(self) -> tuple[str, ...]:
        return self.left


class FakeVm:
    """Records the commands."""

    release_spec = RELEASE_SPEC
    facts = Facts("vm", {})

    def __init__(self) -> None:
        self.commands: list[str] = []

    def read(self, command: str, *_: str) -> str:
        self.commands.append(command)
        return ""


@pytest.mark.parametrize(
    ("deploy_heals", "left", "undone"),
    [(True, GREEN, False), (True, (DRY_RUN,), True), (False, GREEN, True)],
    ids=["healed by the deploy", "not healed by the deploy", "not to be healed by a deploy"],
)
def test_nothing_but_the_deploy_touches_what_it_has_healed(
    monkeypatch: pytest.MonkeyPatch,
    deploy_heals: bool,
    left: tuple[str, ...],
    undone: bool,
) -> None:
    argv: list[str] = []
    done = subprocess.CompletedProcess(argv, 0, "", "")

    def run(words: list[str]) -> subprocess.CompletedProcess[str]:
        argv.extend(words)
        return done

    monkeypatch.setattr(expected, "run", run)
    monkeypatch.setattr(mutator, "variables", lambda *_: {})
    vm, suite = FakeVm(), FakeSuite(left)
    mutation = Mutation("x", DRY_RUN, apply="a", undo="b", deploy_heals=deploy_heals)
    outcome = Mutator(cast("Vm", vm), cast("Suite", suite)).attempt(mutation)
    assert outcome.left == left
    assert ("ansible/deploy.yml" in argv) is deploy_heals
    assert any("then sh" in command for command in vm.commands) is undone


# --- The scripts --------------------------------------------------------------------------------


def test_the_undo_script_is_written_before_the_mutation_is_applied() -> None:
    mutation = Mutation("bad", DRY_RUN, apply="spoil", undo="mend")
    lines = script(mutation, RELEASE_SPEC, {"PORT": "4711"}).splitlines()
    assert lines[-4:] == ["mend", "rm -rf $ASIDE", "UNDO", "spoil"]
    assert lines.count("PORT=4711") == 2


def test_the_addresses_of_the_vm_are_in_the_arguments() -> None:
    mutation = next(mutation for mutation in MUTATIONS if "outer addresses" in mutation.name)
    lines = apply_lines(mutation, RELEASE_SPEC, ADDRESSES)
    assert "--publish 192.0.2.1:4711:4712 --publish '[2001:db8::1]:4711:4712'" in lines
