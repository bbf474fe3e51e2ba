"""The front of the suite: its table, its last line, its reports and its exit status."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import live
import pytest
import verify
from classvm.output.story import Screen
from infra import expected, scan
from rich.console import Console
from survey import Survey

ID = "tests/infra/test_host.py::test_x"


def check(name: str, result: str = verify.GOOD, host: str = "a", **more: str) -> verify.Check:
    """Return a check that ran."""
    found = verify.Check(f"{ID}[{host}]", host, name, more.get("variant", ""), "host", result)
    found.reason = more.get("reason", "")
    found.evidence = more.get("evidence", "")
    return found


def printed(*checks: verify.Check, how: str | None = None) -> str:
    """Return what is printed about one host: everything, or, given how it is, what matters."""
    console = Console(file=io.StringIO(), width=120)
    if how is None:
        verify.show_all(console, "a", checks)
    else:
        verify.show(console, "a", checks, how)
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
    recorder = verify.Recorder(live.Live(Screen()))
    recorder.checks[ID] = verify.describe(item())
    for one in reports:
        recorder.pytest_runtest_logreport(one)
    return recorder.checks[ID]


def test_a_test_becomes_a_sentence() -> None:
    found = verify.describe(item(operation="src.sum.get", address="IPv6"))
    assert (found.host, found.part) == ("vm-148-1", "host")
    assert found.title == "the clock is right (src.sum.get, IPv6)"


def test_how_far_it_is_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    shown = live.Live(Screen())
    monkeypatch.setattr(shown, "doing", said.append)
    recorder = verify.Recorder(shown)
    recorder.checks = {ID: verify.describe(item()), "another": verify.describe(item())}
    recorder.pytest_runtest_logstart("another")
    recorder.pytest_runtest_logstart(ID)
    assert said[-1] == "2 of 2, vm-148-1: the clock is right"


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


def test_a_host_where_all_is_well_has_one_line() -> None:
    shown = printed(check("one"), check("two"), check("three", verify.SKIPPED), how="")
    assert shown == "✓ a: 2 checks passed, 1 do not apply\n"
    by_rollback = printed(check("one"), how="; release r1 is live by a rollback")
    assert by_rollback == "✓ a: 1 check passed; release r1 is live by a rollback\n"


def test_what_failed_is_shown_with_its_cause_and_the_next_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLASSVM_INVENTORY", "class.yml")
    red = check("two", verify.RED, reason="assert 1 == 2\n\n" + "  more\n" * 9, evidence="a log")
    assert printed(check("one"), red, how="").splitlines() == [
        "✗ a: 1 of 2 checks failed",
        "  two",
        "    assert 1 == 2",
        *["    more"] * (verify.CAUSE_LINES - 1),
        "  Next: `make provision INVENTORY=class.yml LIMIT=a`",
    ]
    red.part = "container"
    assert "Next: `make deploy INVENTORY=class.yml LIMIT=a`" in printed(red, how="")


def test_variants_that_failed_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLASSVM_INVENTORY", raising=False)
    why = "AssertionError: assert 1 == 2\nOmitting 3 items\nUse -v to get more diff"
    red = [check("two", verify.RED, variant=x, reason=why) for x in ("control node, IPv4", "IPv6")]
    assert printed(*red, how="").splitlines() == [
        "✗ a: 2 of 2 checks failed",
        "  two (control node, IPv4; IPv6)",
        "    assert 1 == 2",
        "  Next: `make provision LIMIT=a`",
    ]


def test_the_last_line_names_a_few() -> None:
    names = ["a", "b", "b", "c", "d", "e"]
    assert verify.some(names) == "a, b, c, 2 more"


def test_each_part_with_a_command_of_its_own_is_one_of_the_suite() -> None:
    parts = {path.stem.removeprefix("test_") for path in verify.SUITE.glob("test_*.py")}
    assert verify.REPAIRS.keys() <= parts


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
            [check("one"), check("two", verify.RED), check("x", verify.SKIPPED)],
            "verify: a: 1 of 2 checks failed: two",
        ),
        (
            [check("one", verify.RED), check("one", verify.RED, host="b", variant="x")],
            "verify: a: 1 of 1 check failed: one; b: 1 of 1 check failed: one",
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


def test_a_host_that_was_not_verified_makes_the_whole_red() -> None:
    why = {"b": "cannot be reached"}
    assert verify.summary([check("one")], 4, why) == "verify: b: not verified"
    told = json.loads(verify.as_json([check("one")], 4, why))
    assert (told["ok"], told["not_verified"]) == (False, why)


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
    def run(_: object, found: Survey, recorder: verify.Recorder) -> None:
        assert found.hosts == ["a"]
        for number, result in enumerate(results):
            recorder.checks[str(number)] = check(str(number), result)

    monkeypatch.setattr(verify, "survey", lambda _: Survey(["a"]))
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
