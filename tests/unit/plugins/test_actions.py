"""What the action plugins do themselves, on the control node."""

from __future__ import annotations

import ast
import contextlib
import copy
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tree
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.utils.vars import combine_vars
from classvm.app import pack
from classvm.contract import archive, checker, contract_document
from classvm.image.source import Source
from classvm.output import progress_files
from classvm.release import contract_check, outside
from classvm.release.status import Status
from plugin_loader import load_plugin

URL = "http://127.0.0.1:1"
OPTIONS = {"contract": None, "spec": "master.yml", "url": URL, "timeout": 1.0, "wait": 0.0}


# --- classvm_contract ----------------------------------------------------------------------------


def outcome(*problems: str, status: int | None = 200, name: str = "src.sum.get") -> Any:
    place = "master.yml:7"
    return checker.Outcome(
        name, "GET", f"{URL}/a", status, 0.01, problems, case="a case", place=place
    )


def checked(
    monkeypatch: pytest.MonkeyPatch, operations: tuple[Any, ...], probes: tuple[Any, ...] = ()
) -> dict[str, Any]:
    """Return the task's result where the service does as told."""
    report = checker.Report(operations, probes)
    monkeypatch.setattr(checker, "check", lambda **options: report if options else None)
    result: dict[str, Any] = load_plugin("action", "classvm_contract").check(OPTIONS)
    return result


def test_a_contract_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked(monkeypatch, (outcome(), outcome()), (outcome(name=""),)) == {
        "changed": False,
        "operations": 1,
        "probes": 1,
        "failures": [],
        "not_checked": [],
    }


def test_a_contract_that_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = outcome("no number")
    result = checked(monkeypatch, (outcome(), broken, broken), (outcome("took it", name=""),))
    assert result["failed"] is True
    first, _, details = result["msg"].partition("\n")
    assert first == (
        "The service breaks its contract: GET /a: no number (master.yml:7)."
        " 2 more calls failed. Read its log next: make logs"
    )
    assert "problem: took it" in details
    assert "no number" in result["failures"][0]


def test_a_service_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    result = checked(monkeypatch, (outcome("refused", status=None),))
    assert result["msg"].startswith(f"Nobody answers at {URL}, though the release is live")


def test_one_answer_that_does_not_come_is_not_a_service_out_of_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = checked(monkeypatch, (outcome(), outcome("timed out", status=None)))
    assert result["msg"].startswith("The service breaks its contract: GET /a: timed out")


@pytest.mark.parametrize("mode", contract_document.MODES)
def test_a_live_service_is_only_asked(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    seen = []

    def check_contract(**options: Any) -> checker.Report:
        seen.append(options["safe_only"])
        note = checker.Note("GET /b", "needs credentials", "a.yml:1")
        return checker.Report((outcome("no number"),), (), mode, (note,))

    monkeypatch.setattr(checker, "check_contract", check_contract)
    text = contract_document.write(mode, [])
    result = load_plugin("action", "classvm_contract").check({**OPTIONS, "contract": text})
    assert seen == [True]
    assert result["not_checked"] == ["GET /b (a.yml:1): needs credentials"]
    assert result["operations"] == 1
    assert result.get("failed", False) == (mode != "warn")


def test_a_contract_that_cannot_be_read() -> None:
    result = load_plugin("action", "classvm_contract").check({**OPTIONS, "contract": "{"})
    assert result["failed"] is True
    assert "contract document" in result["msg"]


def test_a_document_that_cannot_be_read() -> None:
    result = load_plugin("action", "classvm_contract").check({**OPTIONS, "spec": "/no/such"})
    assert result["failed"] is True
    assert "/no/such" in result["msg"]


def test_libraries_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "IMPORT_ERROR", "Traceback")
    result = load_plugin("action", "classvm_contract").check(OPTIONS)
    assert result["failed"] is True
    assert "PyYAML" in result["msg"]


# --- classvm_image -------------------------------------------------------------------------------


def source_of(lock_source: str) -> Source:
    return Source(
        is_sealed=not lock_source,
        packed=pack.packed([pack.File("a", 0o644, b"")], ""),
        contract="{}",
        contract_digest="c1",
        keep=("/service/data",),
        lock_source=lock_source,
        places={"flask": "requirements.txt:3"},
    )


@pytest.mark.parametrize("lock_source", ["", "l1"])
def test_what_the_module_is_told_of_an_app(lock_source: str) -> None:
    app = source_of(lock_source)
    told = load_plugin("action", "classvm_image").arguments(app, "d1")
    assert told == {
        "kit": bool(lock_source),
        "source_digest": app.packed.digest,
        "content": app.packed.content,
        "contract_digest": "c1",
        "keep": ["/service/data"],
        "lock_id_source": lock_source,
        "checker_digest": "d1",
    }


def test_what_the_rest_of_the_deploy_is_told() -> None:
    app = source_of("")
    facts = load_plugin("action", "classvm_image").facts(app)
    assert facts == {"content": app.packed.content, "contract": "{}"}


@pytest.mark.parametrize("failed", [True, False])
def test_a_failure_names_the_line_of_the_package(failed: bool) -> None:
    result = {"failed": failed, "msg": "`flask==3.0.0` is new"}
    told = load_plugin("action", "classvm_image").with_place(result, source_of(""))
    place = " (requirements.txt:3)" if failed else ""
    assert told["msg"] == f"`flask==3.0.0`{place} is new"


@pytest.mark.parametrize("ends", [{"changed": True}, KeyboardInterrupt()])
def test_no_packed_folder_is_left_on_the_host(ends: dict[str, Any] | BaseException) -> None:
    plugin = load_plugin("action", "classvm_image")
    action = plugin.ActionModule.__new__(plugin.ActionModule)
    there: dict[str, bytes] = {}
    given: dict[str, Any] = {}

    def call(args: dict[str, Any], _: Any) -> dict[str, Any]:
        given.update(args)
        assert there == {"/tmp/a/context.tar": b"packed"}  # noqa: S108 - of no machine
        if isinstance(ends, BaseException):
            raise ends
        return ends

    action.call = call
    action._make_tmp_path = lambda: "/tmp/a"  # noqa: S108 - of no machine
    action._connection = SimpleNamespace(_shell=SimpleNamespace(join_path="{}/{}".format))
    action._transfer_data = there.__setitem__
    action._remove_tmp_path = lambda _, *, force: there.clear() if force else None
    with contextlib.suppress(KeyboardInterrupt):
        settings = SimpleNamespace(conf="", ca="")
        assert action._build({}, {"context": b"packed"}, settings, {}) == ends
    assert given["context"] == "/tmp/a/context.tar"  # noqa: S108 - of no machine
    assert there == {}


# --- classvm_provisioned -------------------------------------------------------------------------


@pytest.fixture(name="account")
def _account(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the task, on a host whose module answers so; `asked` counts."""
    plugin = load_plugin("action", "classvm_provisioned")
    monkeypatch.setattr(plugin.ActionBase, "run", lambda *_: {})
    asked: list[dict[str, Any]] = []

    def run(privilege: str, **args: Any) -> dict[str, Any]:
        action = plugin.ActionModule.__new__(plugin.ActionModule)
        action._task = SimpleNamespace(action="classvm_provisioned", args=args)
        action._play_context = SimpleNamespace(become_pass=None)

        def execute(_: str, given: dict[str, Any], task_vars: Any) -> dict[str, Any]:
            assert task_vars["inventory_hostname"] == "a"
            asked.append(given)
            return {"privilege": privilege, "changed": False}

        action._execute_module = execute
        answer: dict[str, Any] = action.run(task_vars={"inventory_hostname": "a"})
        return answer

    return SimpleNamespace(run=run, asked=asked)


def test_what_an_earlier_play_was_told_is_not_asked_again(account: Any) -> None:
    known = {"privilege": "sudo", "stale": "", "warnings": ["shown once"]}
    assert account.run("none", known=known) == {"privilege": "sudo", "stale": ""}
    assert account.asked == []


@pytest.mark.parametrize("known", [None, {}])
def test_what_nobody_was_told_is_asked_of_the_host(account: Any, known: Any) -> None:
    answer = account.run("sudo", state="account", known=known, root_for="")
    assert answer["privilege"] == "sudo"
    assert account.asked == [{"state": "account", "password_given": False}]


@pytest.mark.parametrize("known", [{}, {"privilege": "none"}])
def test_a_command_that_needs_root_is_refused_at_once(account: Any, known: Any) -> None:
    with pytest.raises(AnsibleActionFail, match="`make lab-up` needs root on a"):
        account.run("none", known=known, root_for="lab-up")


def test_what_keeps_an_account_from_root_is_said(account: Any) -> None:
    known = {"privilege": "none", "obstacle": "sudo wants a terminal"}
    with pytest.raises(AnsibleActionFail, match="root there: sudo wants a terminal"):
        account.run("none", known=known, root_for="reset")


@pytest.mark.parametrize(("privilege", "root_for"), [("password", "lab-up"), ("none", "")])
def test_who_can_become_root_or_need_not_is_not_refused(
    account: Any, privilege: str, root_for: str
) -> None:
    assert account.run(privilege, root_for=root_for)["privilege"] == privilege


# --- classvm_release -----------------------------------------------------------------------------


def test_the_host_gets_the_contract_check_where_there_is_a_contract() -> None:
    plugin = load_plugin("action", "classvm_release")
    args = plugin.with_program({"contract": "{}", "state": "live"})
    assert args == {
        "contract": "{}",
        "state": "live",
        "checker_program": archive.program(contract_check.FOLDER),
    }
    rolled_back = {"contract": "", "state": "rolled_back"}
    assert plugin.with_program(rolled_back) == rolled_back


def test_the_module_does_not_have_ansible_pack_the_contract_check() -> None:
    used = imported(PLUGINS / "modules/classvm_release.py")
    assert "contract_check.py" in {path.name for path in used}
    assert not [path for path in used if path.parent.name == "contract"]


# --- classvm_settings ----------------------------------------------------------------------------


def settings_checked(**given: Any) -> dict[str, Any]:
    plugin = load_plugin("action", "classvm_settings")
    result: dict[str, Any] = plugin.check(given, plugin.PLAYBOOK_SETTINGS, tree.ROOT / "roles")
    return result


def test_a_slip_in_the_name_of_a_setting_is_refused() -> None:
    assert settings_checked(service_memori="1g") == {
        "changed": False,
        "failed": True,
        "msg": "service_memori is not known: did you mean service_memory?",
    }


def test_the_place_of_a_setting_is_told(tmp_path: Path) -> None:
    """Ansible itself reads the file, a role's default and the option -e."""
    file = tmp_path / "group_vars/all.yml"
    file.parent.mkdir()
    file.write_text(
        "docker_users: [a]\nservice_memori: 1g\nservice_pids: no\nservice_memory: lots\n"
    )
    loader = DataLoader()
    defaults = loader.load_from_file(str(tree.ROOT / "roles/service/defaults/main.yml"))
    given = combine_vars(defaults, loader.load_from_file(str(file)))
    lines = settings_checked(**given)["msg"].splitlines()
    named = min(str(file), os.path.relpath(file), key=len)
    assert (
        lines[0]
        == f"Correct these settings: service_memori, service_memory, service_pids ({named})"
    )
    assert lines[1].endswith(f"service_memory? ({named}:2)")
    assert lines[2].endswith(f"such as 512m ({named}:4)")
    # True and false have no place, and that of the name is the role's.
    assert lines[3] == "service_pids is False, and takes a number"


def test_a_slip_in_a_variable_of_ansible_is_told_where_a_file_has_it(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yml"
    file.write_text("ansible_usr: admin\nansible_user: admin\nansible_become_password: x\n")
    result = settings_checked(ansible_hosts="x", **DataLoader().load_from_file(str(file)))
    assert result["msg"].startswith("ansible_usr is not known: did you mean ansible_user? (")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("{{ nope }}", "service_memory has no value: 'nope' is undefined (a.yml:1)"),
        ("{{ nope", "service_memory has no value: unexpected end of template"),
        # It is found out of a host later.
        ("{{ ansible_memtotal_mb }}m", ""),
        ("{{ 600 }}m", ""),
    ],
)
def test_an_expression_without_a_value_is_told_with_its_place(
    value: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yml").write_text(f'service_memory: "{value}"\n')
    loader = DataLoader()
    given = loader.load_from_file("a.yml", trusted_as_template=True)
    plugin = load_plugin("action", "classvm_settings")
    template = Templar(loader, variables={}).template
    result = plugin.check(given, [], tree.ROOT / "roles", "", template)
    assert told in result.get("msg", "")
    assert bool(told) is result.get("failed", False)
    # A play may give what its tasks find out later.
    of_a_play = {**given, "playbook_dir": str(tmp_path)}
    assert plugin.check(of_a_play, [], tree.ROOT / "roles", "", template) == {"changed": False}


def test_the_folder_of_the_app_is_looked_at_where_it_is_read(tmp_path: Path) -> None:
    plugin = load_plugin("action", "classvm_settings")
    given = {"service_dir": str(tmp_path / "gone")}
    for app, fails in (("", False), (str(tmp_path), False), (given["service_dir"], True)):
        result = plugin.check(given, [], tree.ROOT / "roles", app)
        assert result.get("failed", False) is fails
    assert "there is no such folder" in result["msg"]


def test_the_settings_of_the_roles_are_known() -> None:
    defaults = [tree.read_yaml(file) for file in tree.ROOT.glob("roles/*/defaults/main.yml")]
    given = {name: value for one in defaults for name, value in one.items()}
    assert len(given) > 30
    assert settings_checked(service_answer_seconds=30, **given) == {"changed": False}


def test_no_variable_of_ours_is_a_slip_of_another() -> None:
    """Those that a role or a playbook keeps for itself are variables of the host, too."""
    files = [*tree.ROOT.glob("roles/*/vars/*.yml"), *tree.ROOT.glob("roles/*/defaults/*.yml")]
    given = {name: "x" for file in files for name in tree.read_yaml(file) or {}}
    plays = [play for path in tree.ROOT.glob("ansible/*.yml") for play in tree.read_yaml(path)]
    given.update({name: "x" for play in plays for name in play.get("vars") or {}})
    assert "__docker_settings" in given
    assert "did you mean" not in settings_checked(**given).get("msg", "")


PLAYBOOKS = sorted(
    path
    for path in (tree.ROOT / "ansible").glob("*.yml")
    if any("hosts" in play for play in tree.read_yaml(path))
)


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_every_playbook_looks_at_the_settings_before_anything_else(path: Path) -> None:
    first = tree.read_yaml(path)[0]["pre_tasks"][0]
    assert "classvm.kit.classvm_settings" in first


def test_the_variables_that_a_role_has_for_itself_are_no_slips() -> None:
    internal = [tree.read_yaml(file) for file in tree.ROOT.glob("roles/*/vars/main.yml")]
    given = {name: value for one in internal for name, value in one.items()}
    assert "__docker_settings" in given
    assert settings_checked(**given) == {"changed": False}


# --- classvm_watched -----------------------------------------------------------------------------

PLUGINS = tree.ROOT / "ansible/plugins"
ROUTES = tree.ROOT / "ansible/collections/ansible_collections/classvm/kit/meta/runtime.yml"


def imported(file: Path) -> set[Path]:
    """Return the files of the package that a module or plugin imports, directly or not."""
    package = PLUGINS / "module_utils/classvm"
    found: set[Path] = set()
    todo = [file]
    while todo:
        here = todo.pop()
        for node in ast.walk(ast.parse(here.read_text())):
            if not (isinstance(node, ast.ImportFrom) and node.level):
                continue
            inside = here.is_relative_to(package)
            name = (node.module or "").removeprefix("module_utils.classvm").lstrip(".")
            base = here.parents[node.level - 1] if inside else package
            folder = base.joinpath(*name.split(".")) if name else base
            names = [folder.with_suffix(".py"), *(folder / f"{one.name}.py" for one in node.names)]
            new = {path for path in names if path.is_file()} - found
            found |= new
            todo += new
    return found


# It uses of such code only what is done at once.
AT_ONCE = {"classvm_service_info"}


def test_every_module_that_tells_its_progress_is_watched() -> None:
    says = {
        path.stem
        for path in (PLUGINS / "modules").glob("*.py")
        for used in imported(path)
        if "progress.say(" in used.read_text() and used.stem != "progress"
    }
    routed = tree.read_yaml(ROUTES)["plugin_routing"]["modules"]
    own = {path.stem for path in (PLUGINS / "action").glob("*.py")}
    assert set(routed) == says - own - AT_ONCE
    assert {one["action_plugin"] for one in routed.values()} == {"classvm.kit.classvm_watched"}


class Connection:
    """A connection to a host whose module says one thing after the other."""

    def __init__(self, *said: bytes) -> None:
        self._options: dict[str, Any] = {"ssh_extra_args": "-o A=b"}
        self.said = list(said)
        self.asked: list[str] = []
        self.ended = threading.Event()

    def has_option(self, name: str) -> bool:
        return name in self._options

    def get_option(self, name: str) -> Any:
        return self._options[name]

    def set_option(self, name: str, value: Any) -> None:
        self._options[name] = value

    def exec_command(self, command: str, *, sudoable: bool) -> tuple[int, bytes, bytes]:
        assert not sudoable
        self.asked.append(command)
        if not self.said:
            raise ConnectionError
        return 0, self.said.pop(0), b""


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Any:
    plugin = load_plugin("action", "classvm_watched")
    monkeypatch.setattr(plugin, "PAUSE_SECONDS", 0)
    return plugin


def test_what_a_module_says_is_copied_until_reading_fails(watched: Any, tmp_path: Path) -> None:
    connection = Connection(b"one", b"", b"two\n")
    reader = watched.Reader(connection, "/run/far", str(tmp_path), "vm-1")
    reader.read_until(threading.Event())
    assert progress_files.read(str(tmp_path), "vm-1") == "two"
    assert connection.asked == ["cat /run/far"] * 4


def test_a_module_that_has_ended_is_not_asked(watched: Any, tmp_path: Path) -> None:
    ended = threading.Event()
    ended.set()
    connection = Connection(b"one")
    watched.Reader(connection, "/run/far", str(tmp_path), "vm-1").read_until(ended)
    assert connection.asked == []


def test_the_second_connection_asks_for_no_password(watched: Any) -> None:
    first = Connection()
    before = copy.deepcopy(first._options)
    second = watched.without_questions(first)
    assert second.get_option("ssh_extra_args") == "-o A=b -o BatchMode=yes"
    assert first._options == before
    first._options.clear()
    assert watched.without_questions(first)._options == {}


# --- classvm_service_info ------------------------------------------------------------------------

PROVISION = {"problems": [], "guard": "none", "unseen": ""}


@pytest.mark.parametrize(
    ("state", "port", "asked"), [("up", 12345, [12345]), ("degraded", 0, []), ("stopped", 0, [])]
)
def test_the_port_that_the_host_names_is_asked_from_outside(
    state: str, port: int, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []

    def ask(host: str, at: int) -> outside.Asked:
        told.append(at)
        return outside.Asked(outside.url_of(host, at), "timed out")

    plugin = load_plugin("action", "classvm_service_info")
    monkeypatch.setattr(outside, "ask", ask)
    answer = {"status": vars(Status(state, "r1", "2026-01-02T03:04:05Z", port))}
    seen = plugin.seen(answer, address="vm-148-1", port="11000", provision=PROVISION)
    assert told == asked
    assert seen["facts"]["url"] == f"http://vm-148-1:{port or 11000}/"
    assert seen["text"].startswith("degraded" if asked else state)


# --- classvm_doctor ------------------------------------------------------------------------------


def test_what_fails_on_a_host_fails_the_task_with_a_line_for_each_finding() -> None:
    doctor = load_plugin("action", "classvm_doctor")
    full = doctor.Finding("FAIL", "disk", "full", "sudo apt-get clean")
    late = doctor.Finding("warn", "clock", "late", "")
    result = doctor.told("a", [late, full])
    assert result["failed"]
    assert result["msg"].splitlines() == [
        "2 checks, 1 warned, 1 failed: disk",
        "a: FAIL: disk: full; fix on a: sudo apt-get clean",
        "a: warn: clock: late",
    ]
    warned = doctor.told("a", [late])
    assert "failed" not in warned
    assert warned["text"] == "a: warn: clock: late\nclassvm: a: 1 check, 1 warned, 0 failed"


def test_a_fix_is_a_command_for_the_host_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLASSVM_INVENTORY", "class.yml")
    monkeypatch.setenv("CLASSVM_LIMIT", "a,b")
    doctor = load_plugin("action", "classvm_doctor")
    stopped = doctor.Finding("warn", "engine", "stopped", "make provision")
    line = "a: warn: engine: stopped; fix: `make provision INVENTORY=class.yml LIMIT=a`"
    assert doctor.told("a", [stopped])["text"].splitlines()[0] == line


def test_a_host_is_named_as_the_inventory_reaches_it() -> None:
    doctor = load_plugin("action", "classvm_doctor")
    given: dict[str, Any] = {"inventory_hostname": "a"}
    assert doctor.reached_by(given, lambda value: value).address == "a"
    given.update(ansible_host="192.0.2.1", ansible_user="bob", ansible_port=2222)
    given.update(ansible_ssh_private_key_file="{{ x }}", ansible_ssh_common_args="-o A=b")
    found = doctor.reached_by(given, lambda value: "key" if value == "{{ x }}" else value)
    assert found.address == "-i key -p 2222 -o A=b bob@192.0.2.1"
