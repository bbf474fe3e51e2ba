"""What the action plugins do themselves, on the control node."""

from __future__ import annotations

import ast
import contextlib
import copy
import json
import os
import threading
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tree
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.action import ActionBase
from ansible.template import Templar
from ansible.utils.display import Display
from ansible.utils.vars import combine_vars
from classvm.app import pack
from classvm.app.findings import Finding
from classvm.base import docker, installed, progress
from classvm.base.errors import ClassvmError
from classvm.contract import checker, contract_document
from classvm.image.source import RefusedError, Source
from classvm.output import progress_files
from classvm.program import schema
from classvm.program.checked import require as require_valid
from classvm.release import outside
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
    assert result["msg"] == (
        f"Nobody answers at {URL}, though the release is live on its host: refused."
        " Look for a firewall between here and there, then: make status"
    )


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


def test_no_packed_folder_is_left_where_pip_tells_no_settings() -> None:
    plugin = load_plugin("action", "classvm_image")
    action = plugin.ActionModule.__new__(plugin.ActionModule)
    removed: list[str] = []
    action._make_tmp_path = lambda: "/tmp/a"  # noqa: S108 - of no machine
    action._remove_tmp_path = lambda path, *, force: removed.append(path) if force else None
    settings: Future[Any] = Future()
    settings.set_exception(ClassvmError("pip ended with 1"))
    with pytest.raises(ClassvmError):
        action._build({}, {}, settings, {})
    assert removed == ["/tmp/a"]  # noqa: S108 - of no machine


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
        settings: Future[Any] = Future()
        settings.set_result(SimpleNamespace(conf="", ca=""))
        assert action._build({}, {"context": b"packed"}, settings, {}) == ends
    assert given["context"] == "/tmp/a/context.tar"  # noqa: S108 - of no machine
    assert there == {}


# --- classvm_account_info ------------------------------------------------------------------------


OLD_PROGRAM = {"rc": 2, "stderr": "classvm: argument VERB: invalid choice"}
NO_PROGRAM = {"rc": 127, "stderr": "sh: 1: classvm: not found"}
BROKEN_PROGRAM = {"rc": 1, "stderr": "zipimport.ZipImportError: not a Zip file"}


def said(code: str = "", **content: Any) -> dict[str, Any]:
    """Return what a host program prints; with a code, an error."""
    error = {"code": code, "line": "It broke.", "fix": "", "details": ""} if code else None
    return {"rc": 0, "stdout": json.dumps({"protocol": 1, "error": error, **content})}


class Host:
    """A host with a program or without, and with modules; it keeps the questions to each."""

    def __init__(self, action: Any, program: dict[str, Any], answer: dict[str, Any]) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.modules: list[dict[str, Any]] = []
        self.program, self.answer = program, answer
        action._connection = SimpleNamespace(is_pipelining_enabled=lambda: True)
        action._low_level_execute_command = self.execute
        action._execute_module = self.execute_module

    def execute(self, command: str, in_data: bytes) -> dict[str, Any]:
        self.requests.append((command.split()[1], json.loads(in_data)))
        return {"stdout": "", "stderr": "", **self.program}

    def execute_module(self, _: str, arguments: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        assert task_vars["inventory_hostname"] == "a"
        self.modules.append(arguments)
        return dict(self.answer)


@pytest.fixture(name="account")
def _account(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the task, on a host that answers so; `host` is the last one."""
    plugin = load_plugin("action", "classvm_account_info")
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})
    made = SimpleNamespace(host=None)

    def run(
        privilege: str,
        obstacle: str = "",
        given: str | None = None,
        program: dict[str, Any] = NO_PROGRAM,
        **args: Any,
    ) -> dict[str, Any]:
        action = plugin.ActionModule.__new__(plugin.ActionModule)
        action._task = SimpleNamespace(action="classvm_account_info", args=args, check_mode=False)
        action._play_context = SimpleNamespace(become_pass=given)
        told = {"privilege": privilege, "obstacle": obstacle, "changed": False}
        made.host = Host(action, program, told)
        answer: dict[str, Any] = action.run(task_vars={"inventory_hostname": "a"})
        return answer

    made.run = run
    return made


def test_the_account_is_asked_of_the_host(account: Any) -> None:
    answer = account.run("", program=said(privilege="sudo"), root_for="")
    assert (answer["privilege"], answer["stale"]) == ("sudo", "")
    assert account.host.modules == []
    ((verb, request),) = account.host.requests
    require_valid(request, schema.REQUESTS[verb])


@pytest.mark.parametrize("program", [NO_PROGRAM, OLD_PROGRAM, BROKEN_PROGRAM, said("defect")])
def test_a_module_tells_where_the_program_cannot(account: Any, program: dict[str, Any]) -> None:
    assert account.run("sudo", program=program)["privilege"] == "sudo"
    assert account.host.modules == [{}]


@pytest.mark.parametrize(
    ("privilege", "then"), [("password", "sudo"), ("none", "sudo"), ("root", "root")]
)
def test_with_the_password_that_the_user_has_given_sudo_works(
    account: Any, privilege: str, then: str
) -> None:
    assert account.run(privilege, given="x", root_for="reset")["privilege"] == then


@pytest.mark.parametrize("obstacle", ["", "sudo wants a terminal"])
def test_a_command_that_needs_root_is_refused_at_once(account: Any, obstacle: str) -> None:
    why = f" there: {obstacle}" if obstacle else " there"
    with pytest.raises(
        AnsibleActionFail, match=f"`make lab-up` needs root on a.* root{why}\\. Run"
    ):
        account.run("none", obstacle, root_for="lab-up")


@pytest.mark.parametrize(("privilege", "root_for"), [("password", "lab-up"), ("none", "")])
def test_who_can_become_root_or_need_not_is_not_refused(
    account: Any, privilege: str, root_for: str
) -> None:
    assert account.run(privilege, root_for=root_for)["privilege"] == privilege


# --- classvm_provisioned -------------------------------------------------------------------------


@pytest.fixture(name="provisioned")
def _provisioned(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the task, on a host that answers so; `host` is the last one."""
    plugin = load_plugin("action", "classvm_provisioned")
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})
    monkeypatch.setattr(plugin.ActionModule, "_fingerprint", lambda *_: "ab-cd")
    made = SimpleNamespace(host=None, warned=[])

    def run(program: dict[str, Any], state: str = "", **args: Any) -> dict[str, Any]:
        action = plugin.ActionModule.__new__(plugin.ActionModule)
        given = {"playbook": "p.yml", "state_dir": "/state", **args}
        action._task = SimpleNamespace(
            action="x", args={**given, "state": state} if state else given, check_mode=False
        )
        action._play_context = SimpleNamespace(become_pass=None)
        action._display = SimpleNamespace(warning=made.warned.append)
        made.host = Host(action, program, {"stale": "a module says so"})
        answer: dict[str, Any] = action.run(task_vars={"inventory_hostname": "a"})
        return answer

    made.run = run
    return made


@pytest.mark.parametrize(
    ("state", "to_deploy"), [("", True), ("queried", True), ("compared", False)]
)
def test_the_program_compares_the_provision(state: str, to_deploy: bool, provisioned: Any) -> None:
    ignored = ["DOCKER_HOST"]
    answer = provisioned.run(said(stale="", ignored=ignored), state, service="lab", port=11000)
    assert answer == {"changed": False, "stale": ""}
    assert provisioned.host.modules == []
    ((verb, request),) = provisioned.host.requests
    require_valid(request, schema.REQUESTS[verb])
    assert (request["fingerprint"], request["to_deploy"]) == ("ab-cd", to_deploy)
    assert provisioned.warned == [
        f"Ignored: DOCKER_HOST. classvm uses the engine at {docker.SOCKET}."
    ]


@pytest.mark.parametrize("program", [NO_PROGRAM, OLD_PROGRAM, BROKEN_PROGRAM, said("request")])
def test_a_module_compares_where_the_program_cannot(
    program: dict[str, Any], provisioned: Any
) -> None:
    assert provisioned.run(program)["stale"] == "a module says so"
    (given,) = provisioned.host.modules
    assert given["fingerprint"] == "ab-cd"


def test_what_the_program_refuses_is_refused(provisioned: Any) -> None:
    answer = provisioned.run(said("failed"))
    assert (answer["failed"], answer["msg"]) == (True, "It broke.")
    assert provisioned.host.modules == []


@pytest.mark.parametrize("state", ["recorded", "settled"])
def test_what_changes_the_host_or_waits_for_it_is_not_the_program_s(
    state: str, provisioned: Any
) -> None:
    """The first is of the program that was installed just now; a bare host has none yet."""
    provisioned.run(said(stale=""), state)
    assert len(provisioned.host.modules) == 1
    assert provisioned.host.requests == []


# --- What asks the host program ------------------------------------------------------------------

STATE = {"service": "lab", "state_dir": "/state"}
SETTINGS = {
    "host_port": 11000,
    "container_port": "8080",
    "limits": {"memory": "512m", "pids": 128, "tmpfs_size": "64m"},
    "seconds": {"health": 30, "steady": 3, "contract": 120, "stop": 3, "request": 30},
}
CHOSEN = {"environment": {"A": 1}, "gapless": True}
RELEASE = {**STATE, **SETTINGS, **CHOSEN, "release": "r1", "keep_releases": 5}
STATUS = {"service": "lab", "status": vars(Status("up", "r1", "2026-01-02T03:04:05Z", 11000))}


class Asked:
    """A host whose program gives one answer; it keeps what it was asked."""

    def __init__(self, plugin: Any, args: dict[str, Any], *, pipelined: bool = True) -> None:
        self.commands: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.app = b""
        self.said = {"rc": 0, "stdout": "", "stderr": ""}
        self.action = action = plugin.ActionModule.__new__(plugin.ActionModule)
        action._task = SimpleNamespace(
            args=args, check_mode=False, diff=False, environment=None, action="x"
        )
        shell = SimpleNamespace(join_path="{}/{}".format)
        action._connection = SimpleNamespace(is_pipelining_enabled=lambda: pipelined, _shell=shell)
        action._make_tmp_path = lambda: "/far"
        action._transfer_data = self.files.__setitem__
        action._fixup_perms2 = lambda _: None
        action._remove_tmp_path = lambda *_, **__: self.files.clear()
        action._low_level_execute_command = self.execute

    def execute(self, command: str, in_data: bytes | None = None) -> dict[str, Any]:
        verb, _, file = command.partition(" < ")
        self.commands.append(verb)
        text, _, self.app = (in_data if in_data is not None else self.files[file]).partition(b"\n")
        self.requests.append(json.loads(text))
        return self.said

    def answers(self, **content: Any) -> None:
        self.said["stdout"] = json.dumps({"protocol": 1, "error": None, **content})

    def run(self, *, check: bool = False) -> dict[str, Any]:
        self.action._task.check_mode = check
        answer: dict[str, Any] = self.action.run(task_vars={"inventory_hostname": "vm-1"})
        return answer


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Offer ``asked(name, **args)``: the task of an action, on a host of the test."""

    def make(name: str, *, pipelined: bool = True, **args: Any) -> Asked:
        plugin = load_plugin("action", name)
        monkeypatch.setattr(ActionBase, "run", lambda *_: {})
        validated = ArgumentSpecValidator(plugin.ARGUMENTS).validate(args)
        assert not validated.error_messages
        parameters = validated.validated_parameters
        monkeypatch.setattr(
            plugin.ActionModule, "validate_argument_spec", lambda *_, **__: ({}, parameters)
        )
        return Asked(plugin, args, pipelined=pipelined)

    return make


@pytest.mark.parametrize("pipelined", [True, False])
def test_a_release_is_one_request_that_the_host_understands(asked: Any, pipelined: bool) -> None:
    host = asked("classvm_release", pipelined=pipelined, contract="{}", revision="a1", **RELEASE)
    host.answers(changed=True, release="r1")
    assert host.run() == {"changed": True, "release": "r1"}
    assert host.commands == [f"{installed.HERE.command} release --json"]
    (request,) = host.requests
    require_valid(request, schema.REQUESTS["release"])
    assert request["settings"]["container_port"] == 8080
    assert request["settings"]["limits"]["pids"] == "128"
    assert request["settings"]["environment"] == {"A": "1"}
    assert request["settings"]["gapless"] is True
    assert (request["contract"], request["keep_releases"]) == ("{}", 5)
    assert host.files == {}


SENT = {"app": "mine", "keep": ["/service/data"], "kit": True, "places": {"flask": "a.txt:3"}}


@pytest.fixture
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what the reading of an app leaves for an account that may not use the engine."""
    context = tmp_path / "context.tar"
    context.write_bytes(b"the\napp")
    plugin = load_plugin("action", "classvm_release")
    settings = SimpleNamespace(conf="[global]", ca="")
    monkeypatch.setattr(plugin.pip_settings, "read", lambda: settings)
    return {**SENT, "context": str(context)}


@pytest.mark.parametrize("pipelined", [True, False])
def test_an_app_that_is_sent_comes_behind_a_request_that_the_host_understands(
    asked: Any, sent: dict[str, Any], pipelined: bool
) -> None:
    release = {**RELEASE, "contract": "{}", "release": ""}
    host = asked("classvm_release", pipelined=pipelined, sent=sent, **release)
    host.answers(changed=True, release="r1", bounds=["a"])
    assert host.run() == {"changed": True, "release": "r1", "bounds": ["a"]}
    (request,) = host.requests
    require_valid(request, schema.REQUESTS_OF_STUDENTS["release"])
    assert request["secrets"] == {"pip.conf": "[global]", "ca.pem": ""}
    assert (request["keep"], request["kit"], request["limits"]) == (["/service/data"], True, {})
    assert (request["host_port"], request["container_port"]) == (11000, 8080)
    assert host.app == b"the\napp"
    assert not Path(sent["context"]).exists()


def test_only_limits_that_somebody_has_set_are_asked_for(
    asked: Any, sent: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = load_plugin("action", "classvm_release")
    places = {"service_memory": "-e", "service_pids": ""}
    monkeypatch.setattr(plugin.classvm_settings, "place", lambda name, *_: places.get(name, ""))
    host = asked("classvm_release", sent=sent, **RELEASE)
    host.answers(changed=True)
    host.run()
    assert host.requests[0]["limits"] == {"memory": "512m"}


def test_a_package_that_cannot_be_had_is_named_with_its_place(
    asked: Any, sent: dict[str, Any]
) -> None:
    host = asked("classvm_release", sent=sent, **RELEASE)
    error = {"code": "failed", "line": "There is no `flask==99`", "fix": "", "details": ""}
    host.said["stdout"] = json.dumps({"protocol": 1, "error": error})
    assert "(a.txt:3)" in host.run()["msg"]


def test_an_app_is_read_and_packed_for_the_host_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = load_plugin("action", "classvm_image")
    monkeypatch.setattr(plugin.constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    args = {
        "service": "lab",
        "folder": str(tree.ROOT / "service"),
        "files": str(tree.ROOT / "roles/service_image/files"),
        "host_port": 11000,
        "container_port": 8080,
        "base_image": "b",
        "sent": True,
    }
    host = Asked(plugin, args)
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})
    answer = host.run()
    assert (answer["release"], answer["changed"], host.requests) == ("", False, [])
    packed = pack.pack(tree.ROOT / "service")
    assert Path(answer["sent"]["context"]).read_bytes() == packed.archive
    assert json.loads(answer["contract"])["mode"] == "strict"
    monkeypatch.setattr(plugin.source, "require_no_errors", refuse)
    assert host.run()["failed"] is True


def refuse(*_: object) -> None:
    raise RefusedError([Finding("a.yml", 1, 0, "CV001", "It is wrong", "Correct it")], [])


def test_a_rollback_sends_no_contract(asked: Any) -> None:
    host = asked("classvm_release", **{**RELEASE, "state": "rolled_back", "release": "previous"})
    host.answers(changed=True)
    host.run()
    (request,) = host.requests
    require_valid(request, schema.REQUESTS["rollback"])
    assert request["release"] == "previous"


@pytest.mark.parametrize("state", ["live", "rolled_back"])
def test_only_who_waits_for_the_end_says_so(state: str, asked: Any) -> None:
    """A host of before does not know the member."""
    for background, sent in ((True, None), (False, False)):
        host = asked("classvm_release", **{**RELEASE, "state": state, "background": background})
        host.answers()
        host.run()
        (request,) = host.requests
        assert request.get("background") is sent
        require_valid(request, schema.REQUESTS["release" if state == "live" else "rollback"])


def test_a_release_to_deploy_has_a_name(asked: Any) -> None:
    host = asked("classvm_release", **{**RELEASE, "release": "previous"})
    assert host.run()["msg"].startswith("No release was named")
    assert host.requests == []


@pytest.mark.parametrize(
    ("name", "args", "verb"),
    [
        ("classvm_service", {**STATE, "state": "started", "health_timeout": 5}, "start"),
        ("classvm_service", {**STATE, "state": "restarted", "health_timeout": 5}, "restart"),
        ("classvm_service", {**STATE, "state": "stopped"}, "stop"),
        ("classvm_service_info", STATE, "status"),
        ("classvm_service_info", {**STATE, "what": "releases"}, "releases"),
        ("classvm_service_info", {**STATE, "what": "log", "log_lines": 5}, "logs"),
        ("classvm_maintenance", {"state_dir": "/state", "enabled": True}, "maintenance"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_each_question_is_understood(
    name: str, args: dict[str, Any], verb: str, check: bool, asked: Any
) -> None:
    host = asked(name, **args)
    host.answers(status={})
    assert host.run(check=check) == {"changed": False, "status": {}}
    assert host.commands == [f"{installed.HERE.command} {verb} --json"]
    (request,) = host.requests
    require_valid(request, schema.REQUESTS[verb])
    assert request["check"] is check


def test_a_log_is_followed_across_answers(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    host = asked("classvm_log_info", lines=3, **STATE)
    monkeypatch.setattr(Display, "display", lambda _, line: shown.append(line))
    host.answers(lines=["one\x1b[2J"], container="c1", stamp="1")

    def execute(command: str, in_data: bytes) -> dict[str, Any]:
        done = dict(Asked.execute(host, command, in_data))
        host.answers(lines=[], container="", stamp="")
        return done

    host.action._low_level_execute_command = execute
    assert host.run()["container"] == ""
    assert shown == ["one\N{REPLACEMENT CHARACTER}[2J"]
    for request in host.requests:
        require_valid(request, schema.REQUESTS["logs"])
    assert [one.get("container") for one in host.requests] == [None, "c1"]


def test_an_error_is_told_as_the_host_tells_it(asked: Any) -> None:
    host = asked("classvm_service_info", **STATE)
    error = {"code": "failed", "line": "It broke. Mend it.", "fix": "Mend it.", "details": "a\nb"}
    host.answers(error=error)
    assert host.run() == {"changed": False, "failed": True, "msg": "It broke. Mend it.\na\nb"}


NOISE = "Welcome!\r\n{not json\n{}\n"


def test_what_a_login_shell_prints_is_no_answer(asked: Any) -> None:
    host = asked("classvm_service_info", **STATE)
    host.answers(**STATUS)
    host.said["stdout"] = f"{NOISE}{host.said['stdout']}\r\nBye\n"
    assert host.run()["status"]["release"] == "r1"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            {"rc": 127, "stderr": "sh: 1: classvm: not found"},
            "This host has no host program, so no service runs there. An admin can install it",
        ),
        ({"rc": 1, "stderr": "a\nkilled"}, "The host program gave no answer: killed. An admin"),
        ({"rc": 137}, "The host program gave no answer: it ended with exit code 137"),
        ({"rc": 0, "stdout": NOISE}, "The host program gave no answer: {}"),
    ],
)
def test_a_program_without_an_answer_is_told(said: dict[str, Any], told: str, asked: Any) -> None:
    host = asked("classvm_service", state="stopped", **STATE)
    host.said.update(said)
    answer = host.run()
    assert answer["failed"] is True
    assert answer["msg"].startswith(told)


@pytest.mark.parametrize(
    ("check", "state", "changed"),
    [(True, "live", True), (False, "live", False), (True, "rolled_back", False)],
)
def test_a_dry_run_on_a_bare_host_announces_the_release(
    check: bool, state: str, changed: bool, asked: Any
) -> None:
    host = asked("classvm_release", **{**RELEASE, "state": state, "release": ""})
    host.said.update(rc=127)
    answer = host.run(check=check)
    assert answer["changed"] is changed
    assert answer.get("failed", False) is not changed
    if changed:
        assert answer.keys() == schema.LIVE.keys()


@pytest.mark.parametrize("what", ["status", "releases", "log"])
@pytest.mark.parametrize("has_state", [True, False])
def test_of_a_host_that_was_reset_nothing_is_told(what: str, has_state: bool, asked: Any) -> None:
    """One of an older provision may have a service."""
    host = asked("classvm_service_info", what=what, **STATE)
    host.said.update(rc=127)
    looked: list[str] = []

    def execute(command: str, in_data: bytes | None = None) -> dict[str, Any]:
        if in_data is None:
            looked.append(command)
            return {"rc": 0 if has_state else 1, "stdout": "", "stderr": ""}
        return dict(Asked.execute(host, command, in_data))

    host.action._low_level_execute_command = execute
    answer = host.run()
    assert looked == ["test -e /state"]
    assert answer.get("failed", False) is has_state
    if not has_state:
        verb = {"log": "logs"}.get(what, what)
        wanted = set(schema.ANSWERS[verb]["required"]) - {"protocol", "error", "service"}
        assert answer.keys() == wanted | {"changed"}


def test_progress_is_read_where_the_program_says_it(
    asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    host = asked("classvm_release", **RELEASE)

    def watched(_: Any, far: str, name: str) -> Any:
        read.extend((far, name))
        return contextlib.nullcontext()

    monkeypatch.setattr(type(host.action), "watched", watched)
    host.answers()
    host.run()
    (request,) = host.requests
    assert read == [f"/state/{progress.FOLDER}/{request['progress']}", "vm-1"]


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
        ("{{ 'lots' }}", "service_memory is 'lots', and takes"),
    ],
)
def test_an_expression_without_a_value_of_use_is_told_with_its_place(
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
    (first, *_) = tree.read_yaml(path)[0]["pre_tasks"]
    if first.get("ansible.builtin.import_role", {}).get("name") == "common":
        # `begin` does so, too, and finds out more.
        assert first["ansible.builtin.import_role"].get("tasks_from", "begin") == "begin"
        (first,) = tree.read_yaml(tree.ROOT / "roles/common/tasks/preflight.yml")
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


def test_every_module_that_tells_its_progress_is_watched() -> None:
    says = {
        path.stem
        for path in (PLUGINS / "modules").glob("*.py")
        for used in imported(path)
        if "progress.say(" in used.read_text() and used.stem != "progress"
    }
    routed = tree.read_yaml(ROUTES)["plugin_routing"]["modules"]
    own = {path.stem for path in (PLUGINS / "action").glob("*.py")}
    assert set(routed) == says - own
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


@pytest.mark.parametrize("known", [True, False])
def test_a_status_that_was_asked_with_the_provision_is_not_asked_again(
    known: bool, asked: Any
) -> None:
    provision = {**PROVISION, **STATUS, "service": "lab"} if known else PROVISION
    host = asked("classvm_service_info", **STATE, provision=provision)
    host.answers(**STATUS)
    assert host.run()["status"]["release"] == "r1"
    assert len(host.commands) == (0 if known else 1)


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
