"""The output of a run, as `ansible-playbook` gives it with the settings of this project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tree
import yaml
from classvm.base import progress
from plugin_loader import load_plugin

HOSTS = ["vm-148-1", "vm-148-2"]
FAIL = {"msg": "Port 1 is busy\nline 2\nline 3"}
TASKS = [
    {"name": "Prepare", "ansible.builtin.command": {"argv": ["sleep", "1.2"]}},
    {"name": "Say it", "ansible.builtin.debug": {"msg": "reads 3 files"}},
    {
        "name": "Report",
        "ansible.builtin.set_stats": {
            "per_host": True,
            "data": {"classvm": {"state": "all is up"}},
        },
    },
]


def play(folder: Path, tasks: list[dict[str, Any]], *options: str, **environment: str) -> list[str]:
    """Run tasks on two hosts that are this machine, and return the lines of the output.

    A busy machine also prints that a task is still going on: those lines are left out.
    """
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hosts = dict.fromkeys(HOSTS, here)
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    one = {"name": "Try", "hosts": "all", "gather_facts": False, "tasks": tasks}
    (folder / "play.yml").write_text(yaml.safe_dump([one]))
    done = subprocess.run(
        ["ansible-playbook", folder / "play.yml", "--inventory", folder / "hosts.yml", *options],
        cwd=tree.ROOT,
        env={**os.environ, "CLASSVM_LOG_FOLDER": str(folder / "logs"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return [line for line in done.stdout.splitlines() if " still: " not in line]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the output of a run that succeeds."""
    return play(tmp_path_factory.mktemp("run"), TASKS)


def test_a_run_that_succeeds_is_a_line_per_step_and_the_closing_lines(told: list[str]) -> None:
    assert told == [
        "  reads 3 files",
        "classvm: all is up (1 changed)",
        "classvm: all is up (1 changed)",
    ]


def test_a_failure_is_told_once(tmp_path: Path) -> None:
    told = play(tmp_path, [{"name": "Refuse", "ansible.builtin.fail": FAIL}], "--limit", "vm-148-1")
    (log,) = (tmp_path / "logs").glob("*-play-*.log")
    assert told[1:] == [
        "  line 2",
        "  line 3",
        f"The whole log of this run: {os.path.relpath(log, tree.ROOT)}",
        "classvm: vm-148-1 failed: Port 1 is busy",
    ]
    assert re.fullmatch(r"\d\d:\d\d:\d\d failed: Look at the host", told[0])
    assert "line 2" in log.read_text()
    assert re.search(r"^\d\d:\d\d:\d\d TASK \[Refuse\]", log.read_text(), re.MULTILINE)


def test_the_same_failure_of_several_hosts_is_told_once(tmp_path: Path) -> None:
    told = play(tmp_path, [{"name": "Refuse", "ansible.builtin.fail": FAIL}])
    assert sum("line 2" in line for line in told) == 1
    assert told[-2:] == [f"classvm: {host} failed: Port 1 is busy" for host in HOSTS]


def test_an_ignored_failure_is_not_told(tmp_path: Path) -> None:
    task = {"name": "Refuse", "ansible.builtin.fail": FAIL, "ignore_errors": True}
    assert play(tmp_path, [task]) == []


def written(folder: Path, content: str) -> dict[str, Any]:
    """Return a task that writes a file of each host."""
    copy = {"content": content, "dest": f"{folder}/{{{{ inventory_hostname }}}}", "mode": "0644"}
    return {"name": "Write the file", "ansible.builtin.copy": copy}


def test_a_difference_is_told_where_it_was_asked_for(tmp_path: Path) -> None:
    play(tmp_path, [written(tmp_path, "memory 512m\n")], "--limit", "vm-148-1")
    dry = ("--check", "--diff", "--limit", "vm-148-1")
    told = play(tmp_path, [written(tmp_path, "memory 1g\n")], *dry)
    assert told[0] == "  Write the file:"
    assert "  -memory 512m" in told
    assert "  +memory 1g" in told
    assert play(tmp_path, [written(tmp_path, "memory 512m\n")], *dry) == []


def test_a_difference_names_its_host_among_several(tmp_path: Path) -> None:
    told = play(tmp_path, [written(tmp_path, "a\n")], "--check", "--diff")
    assert {"  Write the file on vm-148-1:", "  Write the file on vm-148-2:"} <= set(told)
    assert told.count("  +a") == len(HOSTS)


def test_no_difference_is_told_unasked(tmp_path: Path) -> None:
    assert play(tmp_path, [written(tmp_path, "a\n")], "--check") == []


def test_a_folder_that_cannot_be_written_costs_only_the_log(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    told = play(tmp_path, [{"name": "Refuse", "ansible.builtin.fail": FAIL}], "--limit", "vm-148-1")
    assert told[-2:] == ["  line 3", "classvm: vm-148-1 failed: Port 1 is busy"]


def test_ansible_s_own_output_is_a_variable_away(tmp_path: Path) -> None:
    told = play(tmp_path, TASKS[1:], ANSIBLE_STDOUT_CALLBACK="default")
    assert "PLAY RECAP" in "\n".join(told)
    assert told[-1] == "classvm: all is up (0 changed)"
    assert "ANSIBLE_STDOUT_CALLBACK=default" in (tree.ROOT / "Makefile").read_text()


def in_terminal(folder: Path, tasks: list[dict[str, Any]]) -> str:
    """Run tasks on the two hosts in a terminal, and return all that was drawn."""
    play(folder, [])
    one = {"name": "Try", "hosts": "all", "gather_facts": False, "tasks": tasks}
    (folder / "play.yml").write_text(yaml.safe_dump([one]))
    words = f"ansible-playbook {folder}/play.yml --inventory {folder}/hosts.yml"
    return subprocess.run(
        ["script", "--quiet", "--return", "--command", words, "/dev/null"],
        cwd=tree.ROOT,
        env={**os.environ, "TERM": "xterm", "CLASSVM_LOG_FOLDER": str(folder), "COLUMNS": "80"},
        capture_output=True,
        check=True,
        text=True,
    ).stdout


def test_a_terminal_has_the_step_in_place(tmp_path: Path) -> None:
    shown = in_terminal(tmp_path, TASKS)
    assert "⠋" in shown or "Look at the host" in shown
    assert "vm-148-2  at work" in shown
    assert shown.rstrip().endswith("classvm: all is up (1 changed)")


# Installs a package by a program that takes its time, and says so.
SLOW = {
    "name": "Install",
    "classvm.kit.classvm_packages": {"names": ["nothing-of-this-name"]},
    "environment": {"PATH": "{{ playbook_dir }}/bin"},
}
# And notes by which file its module tells the progress.
APT = f"""#!/bin/sh
echo "${progress.VARIABLE}" >>"${{0%/*}}/told-by"
echo 'Setting up apparmor (4.0.1) ...'
exec /bin/sleep 4
"""


def programs(folder: Path) -> None:
    """Put the programs that install a package into the folder of a play."""
    (folder / "bin").mkdir()
    for name, text in (("apt-get", APT), ("dpkg-query", "#!/bin/sh\nexit 1\n")):
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)


def test_what_a_module_does_is_told_while_it_works(tmp_path: Path) -> None:
    programs(tmp_path)
    shown = in_terminal(tmp_path, [SLOW])
    for host in HOSTS:
        assert f"{host}  installing apparmor" in shown
    told_by = {Path(line) for line in (tmp_path / "bin/told-by").read_text().splitlines()}
    assert len(told_by) == len(HOSTS)
    assert not [file for file in told_by if file.exists()]


def test_molecule_has_ansible_s_own_output() -> None:
    config = tree.read_yaml(tree.ROOT / ".config/molecule/config.yml")
    assert config["ansible"]["env"]["ANSIBLE_STDOUT_CALLBACK"] == "default"


# --- Parts ---------------------------------------------------------------------------------------


@pytest.fixture
def output() -> Any:
    return load_plugin("callback", "classvm_output")


def test_notes_are_lines_for_a_person(output: Any) -> None:
    assert output.notes_of({"classvm_notes": ["a", "b"], "msg": "no"}) == ["a", "b"]
    assert output.notes_of({"_ansible_verbose_always": True, "msg": "said"}) == ["said"]
    assert output.notes_of({}) == []


def test_the_lineage_of_a_task(output: Any) -> None:
    entry = SimpleNamespace(name="Build the service image", _parent=None)
    block = SimpleNamespace(name="", _parent=entry)
    assert output.lineage(SimpleNamespace(name="Build", _parent=block)) == [
        "Build the service image",
        "Build",
    ]
    assert output.lineage(SimpleNamespace(name="", _parent=None)) == [""]


def test_a_warning_appears_above_what_is_redrawn(output: Any, capsys: Any) -> None:
    callback = output.CallbackModule()
    drawn: list[str] = []
    callback.story.screen.clear = lambda: drawn.append("cleared")
    callback._above(lambda text, **_: drawn.append(text))("[WARNING]", stderr=True)
    assert drawn == ["cleared", "[WARNING]"]
    assert capsys.readouterr().out == ""
