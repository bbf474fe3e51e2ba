"""The front door: make validates its variables, and hands each on as one word."""

from __future__ import annotations

import os
import re
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
import tree

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = 2


def front_door(*settings: str) -> subprocess.CompletedProcess[str]:
    """Run the validation alone."""
    return subprocess.run(
        ["tools/front_door", *settings],
        cwd=tree.ROOT,
        capture_output=True,
        check=False,
        text=True,
    )


def make(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make; a target that no program has to be installed for."""
    return subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=tree.ROOT,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        check=False,
        text=True,
    )


def planned(target: str, *variables: str) -> str:
    """Return the commands that make would run."""
    return make("--dry-run", target, *variables).stdout


@pytest.mark.parametrize(
    ("setting", "cause"),
    [
        ("PORT=abc", "PORT=abc is not a port"),
        ("PORT=1 2", "PORT=1 2 is not a port"),
        ("PORT=0", "PORT=0 is not a port"),
        ("PORT=-1", "PORT=-1 is not a port"),
        ("PORT=99999", "PORT=99999 is not a port"),
        ("PORT=011000", "PORT=011000 is not a port"),
        ("PORT=99999999999999999999", "is not a port"),
        ("PORT=\N{ARABIC-INDIC DIGIT ONE}", "is not a port"),
        ("TO=a b", "TO=a b is not the id of a release"),
        ("TO=../x", "TO=../x is not the id of a release"),
        ("TO=é", "TO=é is not the id of a release"),
        ("LOG_LINES=-5", "LOG_LINES=-5 is not a number"),
        ("V=yes", "V=yes is not known"),
        ("N=0", "N=0 is not a number"),
        ("N=-1", "N=-1 is not a number"),
        ("N=two", "N=two is not a number"),
        ("APP=/no such folder", "APP=/no such folder: there is no such folder"),
        ("APP=Makefile", "APP=Makefile: that is a file. Give the folder that holds it: APP=."),
        ("APP=service/server.py", "Give the folder that holds it: APP=service"),
        ("APP=servcie", "there is no such folder. Did you mean APP=service?"),
        ("APP=Service/", "Did you mean APP=service?"),
        ("APP=servise/src", "Did you mean APP=service/src?"),
        ("APP=service/srcs", "Did you mean APP=service/src?"),
        ("APP=service/nowhere/x", "/service. Give the folder of the app: APP=service"),
        ("APP=servise/nowhere", f"the nearest one is {tree.ROOT}. Give the folder of the app"),
        ("FOLDER=test/apps", "Did you mean FOLDER=tests/apps?"),
        ("NAME=Weather", "NAME=Weather is not a name for an app"),
        ("NAME=a b", "NAME=a b is not a name for an app"),
        ("NAME=-rf", "NAME=-rf is not a name for an app"),
        ("NAME=$(id)", "NAME=$(id) is not a name for an app"),
        ("NAME=", "NAME= is not a name for an app"),
        ("NAME=service", "NAME=service: it is there already"),
        ("NAME=/no/such/folder/a", "NAME=/no/such/folder/a: there is no folder for it"),
        ("NAME=../{{ x }}/a", "a brace"),
        ("INVENTORY=/no such file", "INVENTORY=/no such file: there is no such file"),
        ("LIMIT=a b", "LIMIT=a b holds a blank"),
        ("FORMAT=yaml", "FORMAT=yaml is not a format of this command. Take one of text json: "),
        ("ARGS=check", 'ARGS=check is no option. Give options: ARGS="--check --diff"'),
        ("S=nope", "S=nope is not a scenario"),
        ("S=../x", "S=../x is not a scenario"),
        ("SCOPE=some", "SCOPE=some is not known"),
        ("JSON=/no/such/folder/x.json", "there is no folder for it"),
        ("TABLE=/no/such/folder/x.md", "there is no folder for it"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_in_one_line(setting: str, cause: str) -> None:
    started = time.monotonic()
    done = front_door(setting)
    assert time.monotonic() - started < 1
    assert done.returncode == REFUSED
    assert done.stdout == ""
    assert cause in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "setting",
    [
        *(
            "PORT=1",
            "PORT=65535",
            "TO=a397b5a",
            "TO=v1.2-3_x",
            "LOG_LINES=50",
            "V=1",
            "ALL=1",
            "FOLLOW=1",
            "N=1",
            "N=20",
        ),
        *("APP=service", "INVENTORY=ansible/inventory/local.yml", "INVENTORY=vm-148-1,"),
        *("LIMIT=class_vms:!vm-148-1", "LIMIT=@failed.retry", "S=default", "SCOPE=quick"),
        *("JSON=report.json", "TABLE=docs/faults.md"),
    ],
)
def test_a_good_value_passes_silently(setting: str) -> None:
    done = front_door(setting)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_folder_of_who_calls_make_from_elsewhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "my app").mkdir()
    done = subprocess.run(
        ["make", "-C", str(tree.ROOT), "release", "APP=my app"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PWD": str(tmp_path)},
        capture_output=True,
        check=False,
        text=True,
    )
    assert f"Did you mean APP={tmp_path}/my app?" in done.stderr
    assert done.returncode == REFUSED


def test_folders_may_have_blanks_and_letters_of_any_language(tmp_path: Path) -> None:
    folder = tmp_path / "übung 1"
    folder.mkdir()
    (folder / "my hosts.yml").touch()
    done = front_door(f"APP={folder}", f"INVENTORY={folder / 'my hosts.yml'}")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_without_an_inventory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "group_vars").mkdir()
    assert "no file in this folder says which hosts" in front_door(f"INVENTORY={tmp_path}").stderr
    (tmp_path / "hosts.yml").touch()
    assert front_door(f"INVENTORY={tmp_path}").returncode == 0


@pytest.mark.parametrize("character", ['"', "\\", "{", "\t"])
def test_a_folder_that_ansible_would_misread_is_refused(tmp_path: Path, character: str) -> None:
    folder = tmp_path / f"a{character}b"
    folder.mkdir()
    done = front_door(f"APP={folder}")
    assert done.returncode == REFUSED
    assert "Rename the folder" in done.stderr


def test_the_front_door_knows_each_variable_that_make_hands_to_it() -> None:
    names = make("--eval=probe: ; @echo $(VALIDATED)", "probe").stdout.split()
    assert len(names) > 5
    assert [name for name in names if "is not known to" in front_door(f"{name}=//").stderr] == []


def test_a_variable_that_nobody_knows_is_a_slip() -> None:
    """INVENTRY=… would otherwise deploy to this machine."""
    done = make("doctor", "INVENTRY=hosts.yml")
    assert done.returncode == REFUSED
    assert done.stderr.startswith(
        "make: INVENTRY=hosts.yml: there is no variable INVENTRY. Did you mean INVENTORY?"
        " Take one of INVENTORY LIMIT APP "
    )
    assert "Did you mean" not in front_door("QQQ=1").stderr
    for name in ("ARGS", "UPGRADE", "PYTHON", "HOST_PORT"):
        assert front_door(f"{name}=--check").returncode == 0


# --- make itself


@pytest.mark.parametrize(
    ("word", "meant"), [("stauts", " Did you mean status?"), ("qqq", ""), ("a'b", "")]
)
def test_a_word_that_is_no_target_is_told(word: str, meant: str) -> None:
    done = make(word)
    assert done.returncode == REFUSED
    told = f"make: {word}: there is no such target.{meant} make help, make help-admin and"
    assert done.stderr.startswith(told)


def test_a_host_behind_a_target_is_told_before_anything_is_done() -> None:
    done = make("doctor", "vm-148-1")
    assert (done.returncode, done.stdout) == (REFUSED, "")
    assert "a host is named so: LIMIT=vm-148-1" in done.stderr
    for words in (("maintenance", "on"), ("explain", "CV012")):
        # Nothing else is wrong with them: what they refuse is the next value.
        assert make(*words, "V=2").stderr.startswith("make: V=2 is not known")


def test_a_format_is_one_of_the_target() -> None:
    assert "FORMAT=sarif is not a format" in make("status", "FORMAT=sarif").stderr
    assert make("status", FORMAT="yaml").stderr.startswith("make: FORMAT=yaml is not a format")
    # make check has it: what it refuses is the next value.
    assert make("check", "FORMAT=sarif", "V=2").stderr.startswith("make: V=2 is not known")


@pytest.mark.parametrize("target", ["deploy", "status", "rollback", "lab-up", "doctor", "verify"])
@pytest.mark.parametrize("setting", ["PORT=abc", "TO=a b", "N=0", "INVENTORY=/no such file"])
def test_make_refuses_before_anything_else(target: str, setting: str) -> None:
    started = time.monotonic()
    done = make(target, setting)
    assert time.monotonic() - started < 1
    assert done.returncode == REFUSED
    assert setting in done.stderr.splitlines()[0]
    assert done.stdout == ""


def test_each_value_stays_one_word() -> None:
    commands = planned("deploy", "APP=my app", "INVENTORY=my hosts.yml", "LIMIT=a:!b")
    assert "--inventory 'my hosts.yml' --limit 'a:!b'" in commands
    assert f"""--extra-vars '{{"service_dir": "{tree.ROOT}/my app"}}'""" in commands


def test_an_absolute_folder_stays_as_it_is() -> None:
    assert '"/srv/my app"' in planned("deploy", "APP=/srv/my app")


def test_a_quote_does_not_end_a_word() -> None:
    assert "--inventory 'a'\\''b'" in planned("status", "INVENTORY=a'b")


def test_the_locale_is_one_that_every_system_has() -> None:
    for locale in ("C", "xx_YY.UTF-8", ""):
        shown = make("--eval=probe: ; @echo $$LC_ALL", "probe", LC_ALL=locale, LANG=locale)
        assert shown.stdout == "C.UTF-8\n"


def test_an_app_that_cannot_be_cloned_ends_it() -> None:
    done = make("--dry-run", "release", "APP=file:///no/such.git#main")
    assert done.returncode == REFUSED
    assert "APP=file:///no/such.git#main: fatal:" in done.stderr
    assert "the app was not cloned" in done.stderr
    assert "ansible-playbook" not in done.stdout


def test_an_app_of_a_git_repository_is_cloned() -> None:
    done = planned("release", f"APP=file://{tree.ROOT}#:service")
    assert "/.classvm/clones/" in done


def test_targets_of_one_call_run_one_after_the_other(tmp_path: Path) -> None:
    playbook = tmp_path / "ansible-playbook"
    playbook.write_text('#!/bin/sh\necho "begins $1"; sleep 0.3; echo "ends $1"\n')
    playbook.chmod(0o755)
    # In the place of the folder with the tools, which make names from its own.
    folder = os.path.relpath(tmp_path, tree.ROOT)
    done = make("-j4", "--old-file=setup", "stop", "start", f"BIN={folder}")
    assert re.findall(r"(\w+) ansible/(\w+)\.yml", done.stdout) == [
        ("begins", "stop"),
        ("ends", "stop"),
        ("begins", "start"),
        ("ends", "start"),
    ]
