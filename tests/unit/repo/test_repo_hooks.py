"""What an app's repository may call: the check as a package, a hook, a workflow."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import tree

PROJECT = tomllib.loads(tree.read(tree.ROOT / "pyproject.toml"))
PACKAGES = tree.ROOT / "ansible/plugins/module_utils"
WORKFLOW = tree.read_yaml(tree.ROOT / ".github/workflows/check-app.yml")
# Modules of the control node that the installed check has to do without.
ABSENT = ("ansible", "docker", "jinja2", "requests", "openapi_spec_validator")


def steps() -> list[dict[str, Any]]:
    """Return the steps of the workflow."""
    return list(WORKFLOW["jobs"]["check"]["steps"])


def test_the_program_is_there() -> None:
    ((name, target),) = PROJECT["project"]["scripts"].items()
    module, _, function = target.partition(":")
    assert callable(getattr(importlib.import_module(module), function))
    (hook,) = tree.read_yaml(tree.ROOT / ".pre-commit-hooks.yaml")
    assert hook["entry"] == hook["id"] == name


def test_what_is_installed_suffices_to_check_an_app(tmp_path: Path) -> None:
    installed = tmp_path / "site"
    for package in PROJECT["tool"]["setuptools"]["packages"]:
        target = installed / package.replace(".", "/")
        target.mkdir(parents=True)
        for file in (PACKAGES / package.replace(".", "/")).glob("*.py"):
            (target / file.name).write_text(file.read_text())
    blocked = "".join(f"sys.modules[{name!r}] = None\n" for name in ABSENT)
    program = f"import sys\n{blocked}from classvm.app.command_line import main\nsys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tree.ROOT / "service")],
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "0 errors" in done.stdout


def test_the_workflow_runs_the_program_on_the_app_that_was_named(tmp_path: Path) -> None:
    """Its last command, with a program in place of ours that prints its arguments."""
    program = tmp_path / "check/bin/classvm-check"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    program.chmod(0o755)
    last = steps()[-1]
    assert last["env"] == {"APP": "${{ inputs.app }}"}
    done = subprocess.run(
        ["bash", "-e", "-c", last["run"]],
        env={**os.environ, "RUNNER_TEMP": str(tmp_path), "APP": "a b; exit 1"},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout == "--format|github|a b; exit 1|"


def test_no_command_of_the_workflow_holds_an_input() -> None:
    """Else an input could end the command and begin another."""
    assert [step["run"] for step in steps() if "${{" in step.get("run", "")] == []


def test_the_workflow_reads_only() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_actions_are_those_of_the_tests() -> None:
    tested = tree.read_yaml(tree.ROOT / ".github/workflows/test.yml")
    known = {
        step["uses"] for job in tested["jobs"].values() for step in job["steps"] if "uses" in step
    }
    assert {step["uses"] for step in steps() if "uses" in step} <= known
