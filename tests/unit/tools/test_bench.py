from __future__ import annotations

import configparser
import dataclasses
import json
import re
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import bench
import pytest
import tree
from classvm.base import locks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = """
PLAY RECAP *****
localhost                  : ok=8    changed=0    unreachable=0    failed=0

TASKS RECAP ********************************************************************
Tuesday 24 November 2026  22:45:49 +0000 (0:00:00.050)       0:00:03.670 *******
===============================================================================
Compare the host's provision with this one ------------------------------ 0.60s
service_image : Check the lock; build unless this content is built --- 0.82s
See what this account may do -------------------------------------------- 0.50s
See what this account may do -------------------------------------------- 0.25s
classvm: release fe65cb1 is up at http://localhost:12345/ (10 operations verified, 0 changed)
"""


def test_what_make_bench_was_given_is_not_for_the_commands_that_it_measures(tmp_path: Path) -> None:
    """With a class VM to measure, too, this machine's deploys would go there."""
    (tmp_path / "Makefile").write_text("outer:\n\t@$(PROGRAM)\ninner:\n\t@echo on $(INVENTORY)\n")
    measure = f"import bench; print(bench.run('make', '-C', {str(tmp_path)!r}, 'inner'))"
    program = f'cd {tree.ROOT / "tools"} && {sys.executable} -c "{measure}"'
    argv = ["make", "-s", "outer", "INVENTORY=class.yml", f"PROGRAM={program}"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "on" in done.stdout.splitlines()
    assert "class.yml" not in done.stdout


def test_the_profile_of_a_run() -> None:
    assert bench.profile(TEXT) == {
        "Compare the host's provision with this one": 0.6,
        "service_image : Check the lock; build unless this content is built": 0.82,
        "See what this account may do": 0.75,
    }


KINDS = [
    bench.FIRST,
    bench.UNCHANGED,
    bench.CHANGED,
    bench.ROLLBACK,
    bench.STATUS,
    bench.FLOOR,
]


def a_run(seconds: float) -> bench.Run:
    return bench.Run(seconds, {"one": 1.0, "two": 0.25}, count=2, gap=0.5, swap=0.75)


def all_runs(seconds: float) -> dict[str, list[bench.Run]]:
    return {what: [a_run(seconds)] for what in (*KINDS, bench.REST)}


def test_where_nobody_answered_before_no_gap_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    bench.show("first", [dataclasses.replace(a_run(2.0), gap=None)])
    bench.show("next", [a_run(2.0), dataclasses.replace(a_run(2.0), gap=1.0)])
    first, following = capsys.readouterr().out.splitlines()
    assert first.endswith("gap none to miss")
    assert following.endswith("gap 750 ms")


def test_the_profile_tells_what_is_no_task(capsys: pytest.CaptureFixture[str]) -> None:
    bench.show_profile("deploy", a_run(2.0))
    lines = capsys.readouterr().out.splitlines()
    assert "deploy, 2.0 s" in lines[0]
    assert [line.split()[0] for line in lines[1:]] == ["0.75", "1.00", "0.25"]


@pytest.mark.parametrize(("seconds", "middle"), [((3, 1, 2), 2), ((1, 2), 1), ((1,), 1)])
def test_the_profile_is_of_the_run_in_the_middle(seconds: tuple[float, ...], middle: int) -> None:
    assert bench.median([a_run(each) for each in seconds]).seconds == middle


def test_a_rollback_tells_the_hosts_part(capsys: pytest.CaptureFixture[str]) -> None:
    bench.show_rollback([a_run(2.0)])
    assert "1.0 s after its task began; the swap took 0.8 s" in capsys.readouterr().out


@pytest.mark.parametrize(("last", "told"), [("new", True), ("old", False), ("", False)])
def test_a_new_release_serves_from_its_first_answer(
    last: str, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, asked_last = iter(["old", "old", ""]), threading.Event()

    def release_of(_: bench.Target) -> str:
        answer = next(answers, None)
        if answer is None:
            asked_last.set()
        return last if answer is None else answer

    monkeypatch.setattr(bench, "release_of", release_of)
    release = bench.NewRelease(bench.Target("a", 1))
    with release:
        assert asked_last.wait(10)
    assert (release.seconds is not None) == told


def test_a_port_that_nobody_holds_tells_no_release() -> None:
    assert bench.release_of(bench.Target("127.0.0.1", bench.free_port())) == ""


@pytest.mark.parametrize("words", [["--inventory", "a"], ["--host", "b"]])
def test_a_class_vm_takes_an_inventory_and_a_name(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["bench.py", *words])
    with pytest.raises(SystemExit):
        bench.arguments()


@pytest.mark.parametrize(
    ("url", "address"),
    [("http://10.1.2.3:12345/", "10.1.2.3"), ("http://[fd00::3]:12345/", "fd00::3")],
)
def test_the_address_of_a_class_vm(
    url: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"error": None, "hosts": {"vm-1": {"state": "absent", "url": url}}}
    monkeypatch.setattr(bench, "run", lambda *_: json.dumps(told))
    target = bench.class_vm(tmp_path, "inventory.yml", "vm-1")
    assert (target.address, target.port) == (address, 12345)
    assert target.options == ("INVENTORY=inventory.yml", "LIMIT=vm-1")
    assert target.variables == {"service_dir": str(tmp_path)}


def test_make_hands_the_variables_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They come through make and the shell as they are."""
    (tmp_path / "Makefile").write_text("ARGS = none\ndeploy:\n\t@printf '%s\\n' $(ARGS) $(LIMIT)\n")
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setenv("MAKEFLAGS", " -- ARGS=outer LIMIT=outer")
    text = bench.Target("a", 1, ("LIMIT=vm-1",), {"a": "b c", "d": 1}).make("deploy")
    assert text == '--extra-vars\n{"a": "b c", "d": 1}\nvm-1\n'


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ((), ("--inventory", bench.THIS_MACHINE, "--limit", "all")),
        (("INVENTORY=i.yml", "LIMIT=vm-1"), ("--inventory", "i.yml", "--limit", "vm-1")),
    ],
)
def test_a_measurement_ends_when_nothing_is_left_to_the_background(
    options: tuple[str, ...], where: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(bench, "run", lambda *words: told.append(words))
    bench.Target("a", 1, options, state_dir="/state").settle()
    (words,) = told
    assert words[2:6] == where
    assert words[-1] == locks.waiting("/state/lock")


def test_what_fails_ends_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    failed: subprocess.CompletedProcess[str] = subprocess.CompletedProcess([], 2, "why", "")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(SystemExit, match=r"(?s)`make x` failed:.*why"):
        bench.run("make", "x")


def test_the_closing_line_is_that_of_our_own_callback() -> None:
    config = configparser.ConfigParser()
    config.read(tree.ROOT / "ansible.cfg")
    enabled = bench.PROFILE["ANSIBLE_CALLBACKS_ENABLED"].split(",")
    assert config["defaults"]["callbacks_enabled"] in enabled


def test_the_page_holds_what_was_measured() -> None:
    runs = {what: [a_run(number + 2.0)] for number, what in enumerate(KINDS)}
    runs[bench.CHANGED] = [dataclasses.replace(a_run(4.0), serves=3.0, latencies=[0.005] * 100)]
    runs[bench.REST] = [dataclasses.replace(a_run(20.0), latencies=[0.002] * 100)]
    runs[bench.ROLLBACK] = [dataclasses.replace(a_run(5.0), failed=(one, 9)) for one in (1, 2)]
    service = bench.Service(size=149_700_000, rate=2421.4, bare=4328.0)
    here = bench.Measured("this machine", runs, service)
    text = bench.page([here])
    assert f"| {bench.CHANGED} | 4.0 | 3.0 s | 2 | 500 ms |  |" in text
    assert f"| {bench.ROLLBACK} | 5.0 |  | 2 | 500 ms | 3 of 18 |" in text
    assert "within 5.0 ms while a changed line is deployed,\nwithin 2.0 ms at rest" in text
    assert "live again 1.0 s after its task began" in text
    assert "- 1.0 s: one\n- 0.2 s: two" in text
    assert "149.7 MB" in text
    assert "2421 requests" in text


def test_a_vm_has_a_column_of_its_own() -> None:
    service = bench.Service(size=1, rate=1.0, bare=1.0)
    here = bench.Measured("this machine", all_runs(2.0), service)
    there = bench.Measured("one VM over SSH", all_runs(3.0))
    table = [line for line in bench.page([here, there]).splitlines() if line.startswith("|")]
    assert table[0].startswith("| what | seconds, this machine | seconds, one VM over SSH | until")
    assert table[2].startswith(f"| {bench.FIRST} | 2.0 | 3.0 |")
    assert len({line.count("|") for line in table}) == 1


class Server(ThreadingHTTPServer):
    """A service that answers as the test has it: a status, or None to close the connection."""

    answers: Iterator[int | None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        status = next(self.server.answers, 200)
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("answers", "failed"),
    [
        # A server may close a kept connection: the request is sent once more.
        ([200, None], 0),
        ([200, 200], 0),
        ([200, 503], 1),
        ([200, None, None], 1),
    ],
    ids=str,
)
def test_failed_requests_of_kept_connections_are_counted(
    answers: list[int | None], failed: int
) -> None:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.answers = iter(answers)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        kept = bench.Kept(bench.Target("127.0.0.1", server.server_port))
        with kept:
            time.sleep(0.5)
        server.shutdown()
    assert kept.failed is not None
    assert kept.failed[0] == failed
    assert kept.failed[1] > failed
    assert len(kept.latencies) == kept.failed[1] - failed


@pytest.mark.parametrize(
    ("slow", "told"), [(1, "99 % within 2.0 ms"), (5, "99 % within 40.0 ms")], ids=str
)
def test_the_time_within_which_99_of_100_answers_come_is_told(
    slow: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    some = ([0.002] * 150, [0.04] * slow + [0.002] * (150 - slow))
    bench.show("deploy", [dataclasses.replace(a_run(2.0), latencies=one) for one in some])
    assert told in capsys.readouterr().out


def test_of_few_answers_no_time_is_told() -> None:
    few = [0.002] * (bench.FEWEST - 1)
    assert bench.slowest_of([dataclasses.replace(a_run(2.0), latencies=few)]) == ""


def test_where_nobody_answered_before_no_request_fails() -> None:
    kept = bench.Kept(bench.Target("127.0.0.1", bench.free_port()))
    with kept:
        pass
    assert kept.failed is None
    assert bench.failed_of([a_run(1.0)]) == ""


def test_the_page_of_the_docs_is_the_one_that_the_command_writes() -> None:
    written = (tree.ROOT / "docs/numbers.md").read_text()
    rows = re.findall(r"^\| (.*?) \| [\d.]+ \| .*? ?\| \d+ \|", written, re.MULTILINE)
    assert rows == KINDS
