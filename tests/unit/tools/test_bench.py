from __future__ import annotations

import configparser
import dataclasses
import re
import subprocess
from typing import TYPE_CHECKING

import bench
import pytest
import tree

if TYPE_CHECKING:
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


def test_the_profile_of_a_run() -> None:
    assert bench.profile(TEXT) == {
        "Compare the host's provision with this one": 0.6,
        "service_image : Check the lock; build unless this content is built": 0.82,
        "See what this account may do": 0.75,
    }


def a_run(seconds: float) -> bench.Run:
    return bench.Run(seconds, {"one": 1.0, "two": 0.25}, count=2, gap=0.5, swap=0.75)


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


@pytest.mark.parametrize("words", [["--inventory", "a"], ["--host", "b"]])
def test_a_class_vm_takes_an_inventory_and_a_name(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["bench.py", *words])
    with pytest.raises(SystemExit):
        bench.arguments()


@pytest.mark.parametrize(
    ("told", "address"),
    [("10.1.2.3:12345", "10.1.2.3"), ("'[fd00::3]:12345'", "fd00::3")],
)
def test_the_address_of_a_class_vm(
    told: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "run", lambda *_: f"vm-1 | SUCCESS => \n    msg: {told}\n")
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
    kinds = (bench.FIRST, bench.UNCHANGED, bench.CHANGED, bench.ROLLBACK)
    runs = {what: [a_run(number + 2.0)] for number, what in enumerate(kinds)}
    text = bench.page(runs, bench.Service(size=149_700_000, rate=2421.4, bare=4328.0))
    assert f"| {bench.CHANGED} | 4.0 | 2 | 500 ms |" in text
    assert "live again 1.0 s after its task began" in text
    assert "- 1.0 s: one\n- 0.2 s: two" in text
    assert "149.7 MB" in text
    assert "2421 requests" in text


def test_the_page_of_the_docs_is_the_one_that_the_command_writes() -> None:
    written = (tree.ROOT / "docs/numbers.md").read_text()
    rows = re.findall(r"^\| (.*?) \| [\d.]+ \| \d+ \|", written, re.MULTILINE)
    assert rows == [bench.FIRST, bench.UNCHANGED, bench.CHANGED, bench.ROLLBACK]
