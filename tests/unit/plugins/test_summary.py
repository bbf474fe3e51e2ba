from __future__ import annotations

import contextlib
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest
from ansible import context
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from classvm.output import interruption
from plugin_loader import load_plugin

FILE = Path(__file__).parents[3] / "ansible" / "plugins" / "callback" / "classvm_summary.py"
RELEASE = FILE.parents[2] / "release.yml"
COUNTS = {"changed": 0, "ok": 9}


@pytest.fixture
def summary() -> ModuleType:
    """Load the callback."""
    return load_plugin("callback", "classvm_summary")


@pytest.fixture(autouse=True)
def interrupts(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Leave this process's signals and workers alone; return what Ctrl-C would call."""
    found: list[Any] = []
    monkeypatch.setattr(interruption, "on_interrupt", found.append)
    monkeypatch.setattr(interruption, "workers_end_with_this_process", lambda: None)
    return found


class Run:
    """A run of Ansible as the callback sees it, and what was displayed at its end."""

    def __init__(self, summary: ModuleType) -> None:
        self.callback = summary.CallbackModule()
        self.lines: list[str] = []
        self.callback._display = SimpleNamespace(display=self.lines.append)

    def fail(self, host: str, result: dict[str, Any], *, ignored: bool = False) -> None:
        named = SimpleNamespace(get_name=lambda: host)
        self.callback.v2_runner_on_failed(SimpleNamespace(host=named, result=result), ignored)

    def end(self, custom: dict[str, Any], changed: int = 0) -> list[str]:
        stats = SimpleNamespace(
            processed={"a": 1}, custom=custom, summarize=lambda _: {**COUNTS, "changed": changed}
        )
        self.callback.v2_playbook_on_stats(stats)
        return self.lines


@pytest.fixture
def run(summary: ModuleType) -> Run:
    return Run(summary)


def up(host: str, **more: str) -> dict[str, Any]:
    return {host: {"classvm": {"state": f"release r1 is up at http://{host}:11000", **more}}}


def test_each_host_has_its_line(run: Run) -> None:
    assert run.end({**up("vm-148-1"), **up("vm-148-2")}, changed=3) == [
        "classvm: release r1 is up at http://vm-148-1:11000 (3 changed)",
        "classvm: release r1 is up at http://vm-148-2:11000 (3 changed)",
    ]


def test_a_detail_stands_before_the_count(run: Run) -> None:
    (line,) = run.end(up("vm-148-1", detail="swap 0.4 s"))
    assert line.endswith("(swap 0.4 s, 0 changed)")


def test_an_empty_detail_is_left_out(run: Run) -> None:
    (line,) = run.end(up("vm-148-1", detail=""))
    assert line.endswith("11000 (0 changed)")


def test_a_text_is_printed_as_it_is(run: Run) -> None:
    assert run.end({"vm-148-1": {"classvm": {"text": "line 1\nline 2"}}}) == ["line 1\nline 2"]


def test_a_terminal_obeys_nothing_that_an_app_has_logged(run: Run) -> None:
    (line,) = run.end({"vm-148-1": {"classvm": {"text": "a\x1b]0;b\x07\r\tc"}}})
    assert line == "a\N{REPLACEMENT CHARACTER}]0;b" + 2 * "\N{REPLACEMENT CHARACTER}" + "\tc"


def test_statistics_of_others_are_no_business_of_ours(run: Run) -> None:
    assert run.end({"vm-148-1": {"other": 1}}) == []


def test_a_failed_host_is_never_called_up(run: Run) -> None:
    run.fail("vm-148-1", {"msg": "\nRelease r2 was refused: it ended\nIts last log lines:"})
    assert run.end({**up("vm-148-1"), **up("vm-148-2")}) == [
        "classvm: release r1 is up at http://vm-148-2:11000 (0 changed)",
        "classvm: vm-148-1 failed: Release r2 was refused: it ended",
    ]


def test_a_failure_without_a_message(run: Run) -> None:
    run.fail("vm-148-1", {})
    assert run.end({}) == ["classvm: vm-148-1 failed: "]


def test_a_run_without_hosts_fails(run: Run) -> None:
    with pytest.raises(SystemExit) as ended:
        run.callback.v2_playbook_on_no_hosts_matched()
    assert ended.value.code == 1
    (line,) = run.lines
    assert "no host" in line
    assert "INVENTORY=" in line


def test_our_advice_names_the_inventory_and_a_log_is_as_it_was(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLASSVM_INVENTORY", "../class")
    ours, log = "classvm: a: stopped; `make start` starts it", "run `make start` first"
    said = {"a": {"classvm": {"text": ours}}, "b": {"classvm": {"text": log}}}
    assert run.end(said) == [ours.replace("start`", "start INVENTORY=../class`"), log]


def test_the_doctor_of_an_unreachable_host_is_for_it_alone(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLASSVM_INVENTORY", "../class")
    named = SimpleNamespace(get_name=lambda: "vm-1")
    away = {"unreachable": True, "msg": "ssh: connect to host a port 22: Connection refused"}
    run.callback.v2_runner_on_unreachable(SimpleNamespace(host=named, result=away))
    (line,) = run.end({})
    assert (
        "ansible_port of vm-1 in the inventory; `make doctor INVENTORY=../class LIMIT=vm-1`" in line
    )


def test_a_run_without_a_step_fails(run: Run) -> None:
    with pytest.raises(SystemExit):
        run.callback.v2_playbook_on_stats(SimpleNamespace(processed={}))
    assert run.lines[0].startswith("classvm: nothing was done: no step of this command was left.")


def test_an_ignored_failure_is_none(run: Run) -> None:
    run.fail("vm-148-1", {"msg": "never mind"}, ignored=True)
    assert len(run.end(up("vm-148-1"))) == 1


def test_a_program_gets_one_json_document(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLASSVM_FORMAT", "json")
    run.callback.v2_playbook_on_start(None)
    run.fail("vm-148-2", {"msg": "Refused\nwhy"})
    (line,) = run.end({"vm-148-1": {"classvm": {"text": "x", "facts": {"state": "up"}}}})
    assert json.loads(line)["hosts"] == {
        "vm-148-1": {"state": "up", "changed": 0, "error": None},
        "vm-148-2": {"changed": 0, "error": {"cause": "Refused", "reason": "Refused\nwhy"}},
    }


def test_a_program_is_told_in_json_that_there_is_no_host(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLASSVM_FORMAT", "json")
    run.callback.v2_playbook_on_start(None)
    with pytest.raises(SystemExit):
        run.callback.v2_playbook_on_no_hosts_matched()
    (line,) = run.lines
    assert "no host" in json.loads(line)["error"]["cause"]


@pytest.mark.parametrize(
    ("wanted", "step", "lines"),
    [
        ("text", "classvm.kit.classvm_release", [interruption.TEXT]),
        ("text", "classvm.kit.classvm_log_info", []),
        ("json", "classvm.kit.classvm_log_info", ["{"]),
    ],
)
def test_ctrl_c_is_told_where_a_host_may_go_on(  # noqa: PLR0913, PLR0917 - three of them are cases
    wanted: str,
    step: str,
    lines: list[str],
    run: Run,
    interrupts: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLASSVM_FORMAT", wanted)
    run.callback.v2_playbook_on_start(None)
    play = {"tasks": [{"name": "Do it", step: {}}]}
    run.callback.v2_playbook_on_play_start(
        SimpleNamespace(hosts="localhost", get_ds=lambda: play),
    )
    interrupts[0]()
    assert [line.split("\n")[0] for line in run.lines] == lines
    if wanted == "json":
        assert json.loads(run.lines[0])["error"]["reason"] == interruption.TEXT


def test_a_format_of_another_command_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLASSVM_FORMAT", "sarif")
    with pytest.raises(SystemExit):
        run.callback.v2_playbook_on_start(None)
    assert "FORMAT=sarif is a format of `make check` alone" in run.lines[0]


def test_it_is_one_that_ansible_finds(summary: ModuleType) -> None:
    assert FILE.stem == summary.CallbackModule.CALLBACK_NAME
    assert f"name: {FILE.stem}" in summary.DOCUMENTATION
    assert f"type: {summary.CallbackModule.CALLBACK_TYPE}" in summary.DOCUMENTATION


class NoHosts:
    """An inventory without hosts."""

    hosts: ClassVar[dict[str, Any]] = {}
    groups: ClassVar[dict[str, Any]] = {"class_vm": None}

    def get_hosts(self, _: str, *, ignore_limits: bool, ignore_restrictions: bool) -> list[str]:
        # While a play runs, the inventory shows only the hosts of that play.
        assert ignore_limits
        assert ignore_restrictions
        return []


@pytest.mark.parametrize(
    ("hosts", "fails"), [(["all"], True), (["localhost"], False), ("localhost", False)]
)
def test_a_missing_host_ends_only_a_play_that_needs_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, hosts: object, fails: bool
) -> None:
    monkeypatch.setattr(context, "CLIARGS", {"subset": "class_vms,localhost"})
    variables = SimpleNamespace(_inventory=NoHosts())
    play = SimpleNamespace(hosts=hosts, get_variable_manager=lambda: variables, get_ds=dict)
    with pytest.raises(SystemExit) if fails else contextlib.nullcontext():
        run.callback.v2_playbook_on_play_start(play)
    assert ("Did you mean LIMIT=class_vm?" in "".join(run.lines)) is fails


GUARD = "whether the guard is loaded"


@pytest.mark.parametrize(
    ("account", "seen_as_root", "is_named"),
    [
        ({"privilege": "password", "unseen": GUARD}, {"skipped": True}, True),
        ({"privilege": "password", "unseen": GUARD}, {"stale": ""}, False),
        ({"privilege": "password", "unseen": ""}, {"skipped": True}, False),
        # A student cannot have it checked.
        ({"privilege": "none", "unseen": GUARD}, {"skipped": True}, False),
        # `make rollback` and others ask only what the account may do.
        ({"privilege": "password"}, {}, False),
    ],
)
def test_the_closing_line_of_a_deploy_names_what_was_not_checked(
    account: dict[str, str], seen_as_root: dict[str, Any], is_named: bool
) -> None:
    loader = DataLoader()
    (play,) = loader.load_from_file(str(RELEASE), trusted_as_template=True)
    known = {
        "common_account": account,
        "__seen_as_root": seen_as_root,
        "__release_checked": {},
        "service_live": {"gap": None, "removed": []},
    }
    details = Templar(loader, variables={**play["vars"], **known}).template(
        play["vars"]["__release_details"]
    )
    assert any(f"not checked: {GUARD}" in detail for detail in details) is is_named


def test_the_workers_of_a_run_end_with_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    tied: list[bool] = []
    monkeypatch.setattr(interruption, "workers_end_with_this_process", lambda: tied.append(True))
    run.callback.v2_playbook_on_start(None)
    assert tied == [True]
