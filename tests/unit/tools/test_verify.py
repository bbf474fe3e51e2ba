"""The front of the suite: its table, its last line, its reports and its exit status."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import verify
from infra import expected, scan
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable

ID = "tests/infra/test_host.py::test_x"


def check(name: str, result: str = verify.GOOD, host: str = "a", **more: str) -> verify.Check:
    """Return a check that ran."""
    found = verify.Check(f"{ID}[{host}]", host, name, more.get("variant", ""), "host", result)
    found.reason = more.get("reason", "")
    found.evidence = more.get("evidence", "")
    return found


def printed(*checks: verify.Check) -> str:
    """Return what is printed about one host."""
    console = Console(file=io.StringIO(), width=120)
    verify.show(console, "a", checks)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


# --- What a check found


def item(**params: object) -> Any:
    """Return a test as pytest collects it."""
    backend = SimpleNamespace(get_hostname=lambda: "vm-148-1")
    given = {"_testinfra_host": SimpleNamespace(backend=backend), **params}
    return SimpleNamespace(
        nodeid=ID,
        originalname="test_the_clock_is_right",
        callspec=SimpleNamespace(params=given),
        path=Path("tests/infra/test_host.py"),
    )


def report(when: str, outcome: str, longrepr: object = None, **more: Any) -> Any:
    """Return what pytest reports about one phase of the test."""
    return pytest.TestReport(ID, ("x", 1, "y"), {}, outcome, longrepr, when, duration=1, **more)  # type: ignore[arg-type] # short words for literals


def recorded(*reports: Any) -> verify.Check:
    """Return what is kept of a test with these phases."""
    recorder = verify.Recorder(Console(file=io.StringIO()))
    recorder.checks[ID] = verify.describe(item())
    for one in reports:
        recorder.pytest_runtest_logreport(one)
    return recorder.checks[ID]


def test_a_test_becomes_a_sentence() -> None:
    found = verify.describe(item(operation="src.sum.get", address="IPv6"))
    assert (found.host, found.part) == ("vm-148-1", "host")
    assert found.title == "the clock is right (src.sum.get, IPv6)"


def test_a_check_is_good_when_all_of_it_passes() -> None:
    found = recorded(report("setup", "passed"), report("call", "passed"))
    assert (found.result, found.seconds) == (verify.GOOD, 2)


@pytest.mark.parametrize("when", ["setup", "call", "teardown"])
def test_a_check_is_red_when_any_of_it_fails(when: str) -> None:
    reports = [report(one, "passed") for one in ("setup", "call", "teardown") if one != when]
    found = recorded(*reports, report(when, "failed", "why", sections=[("log", "x\ny")]))
    assert (found.result, found.reason) == (verify.RED, "why")
    assert found.evidence == "log:\n  x\n  y"


def test_a_check_that_does_not_apply_says_why() -> None:
    found = recorded(report("setup", "skipped", ("file", 1, "Skipped: no guard")))
    assert (found.result, found.reason) == (verify.SKIPPED, "no guard")


# --- What is printed


def test_the_table_has_a_row_for_each_check() -> None:
    shown = printed(check("one"), check("two", verify.SKIPPED, reason="not here"))
    assert [line.split()[-3:-1] for line in shown.splitlines() if "  0.0" in line] == [
        ["one", "✓"],
        ["two", "\N{EN DASH}"],
    ]
    assert "\N{EN DASH} not here: two" in shown


def test_variants_share_a_row() -> None:
    shown = printed(check("one", variant="x"), check("one", verify.RED, variant="y", reason="bad"))
    assert "✗ 1 of 2" in shown
    assert "✗ a: one (y)\n  bad" in shown


def test_a_red_check_shows_its_evidence() -> None:
    assert "  42 [not markup]" in printed(check("one", verify.RED, evidence="  42 [not markup]"))


def test_long_evidence_is_cut() -> None:
    cut = verify.last("x" * 999 + "\n" * 99 + "end")
    assert cut.endswith("  end")
    assert len(cut.splitlines()) == verify.EVIDENCE_LINES


@pytest.mark.parametrize(
    ("checks", "line"),
    [
        ([check("one")], "verify: 1 host, 1 check: all good in 4 s"),
        (
            [check(n, host=h) for n in ("one", "two") for h in "ab"],
            "verify: 2 hosts, 2 checks each: all good in 4 s",
        ),
        (
            [check("one"), check("two", verify.RED), check("one", host="b")],
            "verify: a: 1 of 2 checks red: two",
        ),
        (
            [check("one", verify.RED), check("one", verify.RED, host="b", variant="x")],
            "verify: a: 1 of 1 check red: one; b: 1 of 1 check red: one (x)",
        ),
    ],
)
def test_the_last_line_says_it_all(checks: list[verify.Check], line: str) -> None:
    assert verify.summary(checks, 4.2) == line


def test_the_report_for_programs_holds_everything() -> None:
    told = json.loads(verify.as_json([check("one"), check("two", verify.RED, host="b")], 4.25))
    assert (told["ok"], told["seconds"], list(told["hosts"])) == (False, 4.2, ["a", "b"])
    assert told["hosts"]["b"][0]["name"] == "two"


def test_the_scan_table_is_markdown() -> None:
    saw = scan.Answers(open=[22, 11], refused=[1, 2], asked=100, seconds=15.4)
    table = verify.scan_table([("vm", ["TCP", "2001:db8::1", "neighbour", saw.to_json()])])
    assert table.splitlines()[-1] == (
        "| vm | neighbour | 100 TCP over IPv6 | 11, 22 | 1-2 | 96 | 15 |"
    )


def test_the_introduction_of_the_scan_is_the_one_that_verify_writes() -> None:
    head = verify.scan_table([])
    assert (verify.ROOT / "docs/scan.md").read_text(encoding="utf-8").startswith(head)


# --- The command line


@pytest.mark.parametrize(
    ("words", "expression"),
    [
        ([], "not disruptive and not fuzz"),
        (["--quick"], "not disruptive and not fuzz and not scan"),
        (["--fuzz"], "not disruptive"),
    ],
)
def test_nothing_disruptive_ever_runs(words: list[str], expression: str) -> None:
    assert verify.marks(verify.parse(words)) == expression


CONTENT = "files as deployed"


class Host(SimpleNamespace):
    """What a host should be."""

    container = "classvm-lab"
    is_local = False
    service_dir = Path("/clone/service")
    source = SimpleNamespace(packed=SimpleNamespace(content=CONTENT))


def surveyed(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, dict[str, object]]
) -> tuple[list[str], dict[str, str]]:
    """Look at hosts that answer so."""
    monkeypatch.setattr(expected, "ask", lambda _: answers)
    monkeypatch.setattr(expected, "read", lambda *_: dict.fromkeys(answers, Host()))
    return verify.survey(verify.parse([]))


GOOD_HOST: dict[str, object] = {"rc": 0, "stdout": f"classvm-lab {CONTENT}\n"}


@pytest.mark.parametrize(
    ("answer", "cause", "fix"),
    [
        (
            {"unreachable": True, "msg": "No route\nto host"},
            "cannot be reached: No route to host",
            "ansible b --module-name",
        ),
        ({"rc": 0, "stdout": f"{verify.NO_ROOT}\n"}, "can be verified by root only", "make verify"),
        ({"rc": 0, "stdout": "classvm-lab other files\n"}, "runs another release", "make deploy"),
    ],
)
def test_one_host_that_cannot_be_verified_takes_a_line_and_leaves_the_others(
    answer: dict[str, object], cause: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts, obstacles = surveyed(monkeypatch, {"b": answer, "a": GOOD_HOST})
    assert hosts == ["a"]
    assert list(obstacles) == ["b"]
    assert cause in obstacles["b"]
    assert fix in obstacles["b"].partition("Next: ")[2]
    assert "\n" not in obstacles["b"]


@pytest.mark.parametrize(("is_local", "fix"), [(True, "sudo make verify"), (False, "an account")])
def test_what_needs_root_names_the_command_at_once(
    is_local: bool, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Host, "is_local", is_local)
    with pytest.raises(verify.CannotRunError) as refused:
        surveyed(monkeypatch, {"a": {"rc": 0, "stdout": f"{verify.NO_ROOT}\n"}})
    assert fix in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("stdout", [f"classvm-lab {CONTENT}\n", "", "classvm-other x\n"])
def test_a_host_with_this_release_or_none_is_verified(
    stdout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: dict[str, dict[str, object]] = {"a": {"rc": 0, "stdout": stdout}}
    assert surveyed(monkeypatch, answers) == (["a"], {})


def test_without_any_host_to_verify_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(verify.CannotRunError, match="a cannot be reached: away"):
        surveyed(monkeypatch, {"a": {"unreachable": True, "msg": "away"}})


def test_a_host_that_was_not_verified_makes_the_whole_red() -> None:
    why = {"b": "cannot be reached"}
    assert verify.summary([check("one")], 4, why) == "verify: b: not verified"
    told = json.loads(verify.as_json([check("one")], 4, why))
    assert (told["ok"], told["not_verified"]) == (False, why)


def test_only_the_hosts_that_are_meant_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(words: list[str]) -> dict[str, Any]:
        asked.extend(words)
        return {"b": GOOD_HOST, "a": GOOD_HOST}

    monkeypatch.setattr(expected, "ask", ask)
    monkeypatch.setattr(expected, "read", lambda *_: {})
    assert verify.survey(verify.parse(["-l", "x", "-e", "p=1"])) == (["a", "b"], {})
    assert not asked[asked.index("--args") + 1].startswith("{")  # that would be JSON to Ansible
    assert asked[1] == f"all:!{expected.NEIGHBOURS}"
    assert asked[-4:] == ["--extra-vars", "p=1", "--limit", "x"]


@pytest.mark.parametrize("user", ["root", "sudo", "student"])
def test_the_survey_tells_who_may_look_and_what_runs(
    user: str, program: Callable[..., Path]
) -> None:
    program("id", f"echo {0 if user == 'root' else 1000}")
    program("sudo", 'shift; exec "$@"' if user == "sudo" else "exit 1")
    program("true")
    program("docker", "echo classvm-lab x")
    words = ["/bin/sh", "-c", verify.SURVEY]
    said = subprocess.run(words, capture_output=True, check=True, text=True).stdout
    assert said == (f"{verify.NO_ROOT}\n" if user == "student" else "classvm-lab x\n")


@pytest.mark.parametrize(
    ("results", "status"),
    [([verify.GOOD, verify.SKIPPED], 0), ([verify.GOOD, verify.RED], 1)],
)
def test_the_exit_status_tells_good_from_red(
    results: list[str],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def run(_: object, hosts: list[str], recorder: verify.Recorder) -> None:
        assert hosts == ["a"]
        for number, result in enumerate(results):
            recorder.checks[str(number)] = check(str(number), result)

    monkeypatch.setattr(verify, "survey", lambda _: (["a"], {}))
    monkeypatch.setattr(verify, "run", run)
    told, table = tmp_path / "told.json", tmp_path / "scan.md"
    assert verify.main(["--json", str(told), "--scan-table", str(table)]) == status
    assert json.loads(told.read_text())["ok"] == (status == 0)
    assert table.read_text() == verify.scan_table([])


def test_what_cannot_run_is_no_verdict(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def ask(_: object) -> None:
        raise expected.FactsError("no inventory")

    monkeypatch.setattr(expected, "ask", ask)
    assert verify.main([]) == verify.EXIT_UNUSABLE
    assert capsys.readouterr().out.startswith("verify: cannot run: no inventory\nNext: ")
