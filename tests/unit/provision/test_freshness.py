"""Whether a host still is as its last provision left it, one thing after the other."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from classvm.base import installed, state
from classvm.base.docker import NOT_IN_GROUP, Docker, Image
from classvm.base.edge import BLUE_GREEN
from classvm.provision import engine, freshness, guard, haproxy, students

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = "classvm/base:18.04"
STUDENT = freshness.Account(may_provision=False, as_root=None)
ADMIN_WITH_PASSWORD = freshness.Account(may_provision=True, as_root=None)
OWN_MODE = 0o2775


class Host(Docker):
    """A host with or without an engine, with or without a base image."""

    def __init__(self, *, engine: bool = True, image: bool = True, group: bool = True) -> None:
        super().__init__()
        self.has_engine = engine
        self.has_image = image
        self.in_group = group

    def engine_problem(self) -> str:
        if not self.in_group:
            return NOT_IN_GROUP
        return "" if self.has_engine else "no Docker engine answers"

    def image(self, reference: str) -> Image | None:
        return Image(reference, {}, 1) if self.has_image else None


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Let the files of the provision be some of a folder, and guard, engine and edge be right."""
    found = [tmp_path / name for name in ("guard.nft", "guard.service", "edge.cfg", "docker.link")]
    for path in found[:3]:
        path.write_text(path.name)
    found[3].symlink_to("/lib/docker.service")
    monkeypatch.setattr(guard, "watched", lambda: found[:2])
    monkeypatch.setattr(haproxy, "watched", lambda: found[2:3])
    monkeypatch.setattr(engine, "UNIT_LINK", found[3])
    monkeypatch.setattr(students, "SUDOERS", tmp_path / "sudoers")
    monkeypatch.setattr(installed, "watched", list)
    for module in (guard, engine, haproxy):
        monkeypatch.setattr(module, "problem", lambda *_: "")
    return found


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a state folder that is as it should be; the docker group is that of the tests."""
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(OWN_MODE)
    monkeypatch.setattr(freshness, "OWNER", os.getuid())
    group = folder.stat().st_gid
    docker = SimpleNamespace(gr_gid=group, gr_mem=["ada"])
    monkeypatch.setattr("grp.getgrnam", lambda _: docker)
    return str(folder)


def why(
    state_dir: str, host: Docker | None = None, desired: str = "f1-v1", **options: object
) -> str:
    account = options.get("account", freshness.Account())
    assert isinstance(account, freshness.Account)
    return freshness.why_stale(host or Host(), state_dir, desired, BASE, account)


# --- The record ----------------------------------------------------------------------------------


def test_a_recorded_provision_is_current(state_dir: str, files: list[Path]) -> None:
    freshness.write_record(state_dir, "f1-v1")
    assert why(state_dir) == ""
    (record,) = os.scandir(state_dir)
    content = json.loads(open(record.path).read())  # noqa: SIM115 - a short-lived test
    assert (content["fingerprint"], set(content["files"])) == ("f1-v1", set(map(str, files)))
    assert record.stat().st_mode & 0o777 == 0o664


def test_never_provisioned(state_dir: str) -> None:
    assert why(state_dir) == "this host was never provisioned"
    os.rmdir(state_dir)
    assert why(state_dir) == "this host was never provisioned"


@pytest.mark.parametrize(
    ("desired", "host", "reason"),
    [
        ("f2-v1", Host(), "the roles have changed since this host was provisioned"),
        ("f1-v2", Host(), "the roles' variables have changed since this host was provisioned"),
        ("f1-v1", Host(engine=False), "no Docker engine answers"),
        ("f1-v1", Host(image=False), f"the base image {BASE} is missing"),
    ],
    ids=["files", "variables", "no engine", "no base image"],
)
def test_why_stale(desired: str, host: Docker, reason: str, state_dir: str) -> None:
    freshness.write_record(state_dir, "f1-v1")
    assert why(state_dir, host, desired) == reason


@pytest.mark.parametrize(("desired", "stale"), [("f1-v2", False), ("f2-v1", True)])
def test_a_student_s_own_variables_do_not_count(desired: str, stale: bool, state_dir: str) -> None:
    freshness.write_record(state_dir, "f1-v1")
    assert bool(why(state_dir, desired=desired, account=STUDENT)) == stale


@pytest.mark.parametrize("recorded", ["f1-v1-p1", "f1-v1"])
def test_another_host_program_is_a_reason_for_an_admin_alone(recorded: str, state_dir: str) -> None:
    """A student's clone and the host agree on a protocol."""
    freshness.write_record(state_dir, recorded)
    reason = "the host program has changed since this host was provisioned"
    assert why(state_dir, desired="f1-v1-p2") == reason
    assert why(state_dir, desired="f1-v1-p2", account=STUDENT) == ""
    assert why(state_dir, desired="f2-v1-p2", account=STUDENT)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null"])
def test_a_record_that_a_power_cut_spoiled_means_provision_again(text: str, state_dir: str) -> None:
    freshness.write_record(state_dir, "f1-v1")
    with open(f"{state_dir}/{freshness.RECORD}", "w") as record:
        record.write(text)
    assert why(state_dir)
    freshness.write_record(state_dir, "f1-v1")
    assert why(state_dir) == ""


def test_who_only_looks_is_told_everything(state_dir: str, files: list[Path]) -> None:
    freshness.write_record(state_dir, "f1-v1")
    files[0].unlink()
    found = freshness.problems(Host(image=False), state_dir, "f2-v2", BASE, ())
    assert found == [
        "the roles have changed since this host was provisioned",
        f"{files[0]} is missing",
        f"the base image {BASE} is missing",
    ]


def test_who_only_looks_has_not_read_all_variables(state_dir: str) -> None:
    freshness.write_record(state_dir, "f1-v1")
    assert freshness.problems(Host(), state_dir, "f1-v2", BASE, ()) == []


def test_nothing_else_is_said_of_a_host_without_a_provision_or_an_engine(state_dir: str) -> None:
    assert freshness.problems(Host(), state_dir, "f1", BASE, ()) == [
        "this host was never provisioned"
    ]
    freshness.write_record(state_dir, "f1-v1")
    stopped = Host(engine=False, image=False)
    assert freshness.problems(stopped, state_dir, "f1", BASE, ()) == ["no Docker engine answers"]


# --- The host itself -----------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(4))
def test_each_file_of_the_provision_counts(number: int, state_dir: str, files: list[Path]) -> None:
    freshness.write_record(state_dir, "f1-v1")
    path = files[number]
    path.unlink()
    assert why(state_dir, account=STUDENT) == f"{path} is missing"
    path.write_text("by hand")
    assert why(state_dir) == f"{path} has changed since this host was provisioned"


@pytest.mark.parametrize("account", [STUDENT, freshness.Account(as_root=("env",))])
def test_the_rules_of_sudo_count_for_whoever_may_read_them(
    account: freshness.Account, state_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    students.SUDOERS.write_text("%classvm ALL=(root) NOPASSWD: …\n")
    freshness.write_record(state_dir, "f1-v1")
    read = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path == students.SUDOERS:
            raise PermissionError
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    assert why(state_dir, account=account) == ""
    students.SUDOERS.write_text("ALL ALL=(root) NOPASSWD: ALL\n")
    is_root = account.as_root is not None
    changed = f"{students.SUDOERS} has changed since this host was provisioned"
    assert why(state_dir, account=account) == (changed if is_root else "")
    if is_root:
        # A folder that this account may not enter.
        monkeypatch.setattr(freshness, "_digest", lambda _: freshness.NOT_READABLE)
        monkeypatch.setattr(freshness, "_digest_as_root", lambda *_: "")
        assert why(state_dir, account=account).endswith("is missing")


def test_a_file_that_was_not_there_counts(state_dir: str, files: list[Path]) -> None:
    files[0].unlink()
    freshness.write_record(state_dir, "f1-v1")
    assert why(state_dir) == ""
    files[0].write_text("by hand")
    assert why(state_dir)


@pytest.mark.parametrize("module", [guard, engine, haproxy])
def test_guard_engine_and_edge_are_asked(
    module: object, state_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    freshness.write_record(state_dir, "f1-v1")
    monkeypatch.setattr(module, "problem", lambda *_: "it is wrong")
    assert why(state_dir) == "it is wrong"


def test_only_root_is_asked_for_the_guard(state_dir: str, monkeypatch: pytest.MonkeyPatch) -> None:
    freshness.write_record(state_dir, "f1-v1")
    monkeypatch.setattr(guard, "problem", lambda as_root: f"asked with {as_root}")
    assert why(state_dir, account=STUDENT) == ""
    assert why(state_dir, account=freshness.Account(as_root=("sudo",))) == "asked with ('sudo',)"


@pytest.mark.parametrize(
    ("host", "account", "unseen"),
    [
        (Host(), freshness.Account(), ""),
        (Host(), ADMIN_WITH_PASSWORD, "whether the guard is loaded"),
        (Host(group=False), ADMIN_WITH_PASSWORD, "whether the engine is as it should be"),
    ],
)
def test_what_only_root_could_tell_is_named(
    host: Docker,
    account: freshness.Account,
    unseen: str,
    files: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard, "Files", lambda: SimpleNamespace(rules=files[0]))
    assert freshness.unseen(host, account) == unseen


def test_an_engine_that_may_not_be_asked_is_no_reason(state_dir: str) -> None:
    freshness.write_record(state_dir, "f1-v1")
    assert why(state_dir, Host(group=False, image=False), account=STUDENT) == ""


def test_edge_of_the_host(state_dir: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(f"{state_dir}/edge.json", "w") as file:
        file.write(json.dumps({"strategy": BLUE_GREEN}))
    os.chmod(f"{state_dir}/edge.json", 0o664)
    freshness.write_record(state_dir, "f1-v1")
    monkeypatch.setattr(haproxy, "problem", lambda edge: f"the strategy is {edge.strategy}")
    assert why(state_dir) == f"the strategy is {BLUE_GREEN}"


# --- The state folder ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: os.chmod(folder, 0o700),
        lambda folder: os.chmod(folder, 0o2700),
        lambda folder: os.chmod(f"{folder}/lock", 0o600),
        lambda folder: os.chmod(f"{folder}/lock", 0o640),
    ],
    ids=["closed", "not for the group", "a file that is closed", "a file not for the group"],
)
def test_a_state_folder_that_the_group_cannot_use_is_named_and_repaired(
    spoil: Callable[[str], None], state_dir: str
) -> None:
    freshness.write_record(state_dir, "f1-v1")
    with open(f"{state_dir}/lock", "w"):
        os.chmod(f"{state_dir}/lock", state.SECRET_MODE)
    assert why(state_dir) == ""
    spoil(state_dir)
    assert why(state_dir).startswith(state_dir)
    assert "the group docker cannot use it" in why(state_dir)
    freshness.repair_state(state_dir)
    assert why(state_dir) == ""
    assert os.stat(state_dir).st_mode & 0o7777 == OWN_MODE
    assert os.stat(f"{state_dir}/lock").st_mode & 0o777 == state.SECRET_MODE


def test_the_key_for_secrets_is_no_problem_and_stays_closed_to_others(state_dir: str) -> None:
    freshness.write_record(state_dir, "f1-v1")
    state.settings_key(state_dir, create=True)
    assert why(state_dir) == ""
    path = os.path.join(state_dir, state.KEY)
    os.chmod(path, 0o600)
    assert why(state_dir).startswith(path)
    freshness.repair_state(state_dir)
    assert why(state_dir) == ""
    assert os.stat(path).st_mode & 0o777 == state.SECRET_MODE


@pytest.mark.parametrize("name", [state.KEY, "lock", "releases.jsonl", "swap-lab.json"])
def test_a_private_file_that_others_can_read_is_closed(name: str, state_dir: str) -> None:
    """Who can open the lock can hold it, and the history quotes logs."""
    freshness.write_record(state_dir, "f1-v1")
    path = os.path.join(state_dir, name)
    state.append(path, "{}\n")
    assert why(state_dir) == ""
    os.chmod(path, 0o664)
    assert "other accounts can read it" in why(state_dir)
    freshness.repair_state(state_dir)
    assert os.stat(path).st_mode & 0o777 == state.SECRET_MODE


@pytest.mark.parametrize("name", ["settings-lab.json", "progress"])
@pytest.mark.parametrize(
    ("owner", "is_well"), [("ada", True), ("eve", False), (None, False)], ids=str
)
def test_what_belongs_to_an_account_outside_the_group_is_given_to_root(
    name: str,
    owner: str | None,
    is_well: bool,
    state_dir: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as a student who has left the group: an owner may write a file in any case."""

    def account(number: int) -> SimpleNamespace:
        if owner is None:
            raise KeyError(number)
        return SimpleNamespace(pw_name=owner, pw_gid=-1)

    freshness.write_record(state_dir, "f1-v1")
    path = os.path.join(state_dir, name)
    if name == "progress":
        state.make_folder(path)
    else:
        state.append(path, "{}")
    monkeypatch.setattr("pwd.getpwuid", account)
    theirs = {os.stat(path).st_ino}
    monkeypatch.setattr(freshness, "_is_owner", lambda status: status.st_ino not in theirs)
    given: list[tuple[str, int]] = []

    def give(at: str, user: int, *_: object, **__: object) -> None:
        theirs.clear()
        given.append((at, user))

    monkeypatch.setattr("os.chown", give)
    assert (why(state_dir) == "") is is_well
    if not is_well:
        assert "its owner is not in the group docker" in why(state_dir)
        freshness.repair_state(state_dir)
        assert why(state_dir) == ""
        assert given == [(path, os.getuid())]


def test_a_file_that_another_deploy_has_replaced_meanwhile_is_no_problem(
    state_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(f"{state_dir}/swap-lab.json.new", "w"):
        listed = list(os.scandir(state_dir))
    os.remove(f"{state_dir}/swap-lab.json.new")
    monkeypatch.setattr("os.scandir", lambda _: listed)
    assert freshness.state_problem(state_dir) == ""


def test_a_key_whose_first_write_was_cut_off_is_no_problem(state_dir: str) -> None:
    state.write_atomically(f"{state_dir}/{state.KEY}.new", "torn")
    assert freshness.state_problem(state_dir) == ""


def test_before_the_docker_group_exists_nothing_is_wrong(
    state_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr("grp.getgrnam", missing)
    os.chmod(state_dir, 0o700)
    assert freshness.state_problem(state_dir) == ""
