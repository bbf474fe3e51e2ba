"""Each switch of `students` and `students_access` is a plain deploy, and loses no request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from classvm.base import account
from classvm.provision import students
from classvm.provision.students import DOCKER_GROUP, RELEASE_ONLY
from infra import expected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.target import Target
    from infra.vm import Vm
    from students.account import Account

SECRET = "settings-lab.json"  # noqa: S105 - the name of a file
PROMISE = "no request fails"


@pytest.fixture(scope="module")
def loaded(target: Target) -> Iterator[Target]:
    """Return the host with clients that ask all the time."""
    target.tally.start()
    target.load.start()
    yield target
    target.load.stop()
    target.tally.stop()


def deploy(target: Target, **variables: Any) -> expected.Finished:
    """Run the main job as an admin does, for the app that is live, with other variables."""
    app = next(one for one in target.good_apps if one.name == target.message())
    done = target.play(app, "deploy", **variables)
    assert done.returncode == 0, target.evidence(done)
    return done


def provision(target: Target, **variables: Any) -> None:
    """Run the admin's half alone."""
    done = target.play(target.good_apps[0], "provision", **variables)
    assert done.returncode == 0, target.evidence(done)


def record(vm: Vm) -> str:
    """Return the record of who was put into the docker group."""
    path = f"{vm.facts['classvm_state_dir']}/{students.RECORD}"
    # A host on which nobody was put there has none.
    return vm.read(f"test ! -e {path} || cat {path}").strip()


def test_students_become_members_of_the_docker_group_and_back(
    loaded: Target, ada: Account, bob: Account
) -> None:
    # The load does not come from the student, who asks in between.
    with loaded.attempt("students_access: docker_group", PROMISE) as attempt:
        deploy(loaded, students_access=DOCKER_GROUP)
        assert account.ENGINE_GROUP in ada.groups
        assert account.STUDENT_GROUP not in ada.groups
        assert ada.run("docker ps").code == 0
        assert ada.ask("status").error == ""
        assert "password is required" in ada.ask_sudo("status").err
        seen = attempt.end()
        assert seen.failures == 0, str(seen)
    assert record(loaded.vm) == '["ada", "bob"]'
    own_files(loaded, ada)
    with loaded.attempt("students_access: release_only", PROMISE) as attempt:
        deploy(loaded, students_access=RELEASE_ONLY)
        for one in (ada, bob):
            assert account.ENGINE_GROUP not in one.groups
            assert one.run("docker ps").code != 0
            assert one.ask("status").error == ""
        seen = attempt.end()
        assert seen.failures == 0, str(seen)
    assert record(loaded.vm) == "[]"


def own_files(target: Target, ada: Account) -> None:
    """Let a member of the docker group make files of the state folder, as a deploy of hers does."""
    path = f"{target.state_dir}/{SECRET}"
    done = ada.run(f"cp {path} {path}.new && mv -f {path}.new {path} && chmod 660 {path}")
    assert done.code == 0, str(done)
    assert target.vm.read("stat --format %%U %s", path).strip() == ada.name


def test_what_a_student_made_in_the_state_folder_is_root_s_after_it(
    loaded: Target, ada: Account
) -> None:
    path = f"{loaded.state_dir}/{SECRET}"
    assert loaded.vm.read("stat --format %%U %s", path).strip() == "root"
    assert "denied" in ada.run(f"echo '{{}}' >{path}").err


def test_rules_that_somebody_has_edited_are_written_anew(target: Target, ada: Account) -> None:
    rule = f"%%{account.STUDENT_GROUP} ALL=(root) NOPASSWD: ALL"
    target.vm.read(f"echo '{rule}' >>%s", str(students.SUDOERS))
    assert ada.run("sudo -n id").code == 0
    provision(target, students=["ada"])
    assert ada.run("sudo -n id").code != 0
    assert ada.ask("status").error == ""


def test_who_is_no_longer_named_leaves(target: Target, ada: Account, bob: Account) -> None:
    """Of the students' group, as the test before has left it; of the docker group below."""
    assert account.STUDENT_GROUP not in bob.groups
    assert "password is required" in bob.ask_sudo("status").err
    # By an admin's hand.
    target.vm.read("usermod --append --groups %s %s", account.ENGINE_GROUP, bob.name)
    provision(target, students_access=DOCKER_GROUP)
    assert all(account.ENGINE_GROUP in one.groups for one in (ada, bob))
    provision(target, students=[], students_access=DOCKER_GROUP)
    assert account.ENGINE_GROUP not in ada.groups
    assert account.ENGINE_GROUP in bob.groups


def test_a_student_is_not_in_the_docker_group_whoever_has_put_it_there(
    target: Target, bob: Account
) -> None:
    provision(target)
    assert account.ENGINE_GROUP not in bob.groups
    assert bob.ask("status").error == ""
