"""tools/completion.bash in a real bash: a person types after `make`, and presses the tab key."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree
from pseudo_terminal import PseudoTerminal, terminal

COMPLETION = "tools/completion.bash"
KEPT = {"releases": [{"release": "3f2a91c", "mark": "kept"}, {"release": "3f0000d", "mark": ""}]}
INVENTORY = "class_vms: {hosts: {vm-148-1: {}, vm-148-20: {}, 'x$(touch hacked)': {}}}\n"
PROMPT = "ready> "


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a clone whose Ansible knows an inventory and a history."""
    folder = tmp_path / "clone"
    for name in ("Makefile", COMPLETION, "docs/findings.md", "molecule/default/molecule.yml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tree.ROOT / name, folder / name)
    (folder / "ansible.cfg").write_text("[defaults]\ninventory = class.yml\n")
    (folder / "class.yml").write_text(INVENTORY)
    (folder / "weather").mkdir()
    programs = folder / ".venv/bin"
    programs.mkdir(parents=True)
    for name in ("python", "ansible-inventory"):
        (programs / name).symlink_to(Path(sys.executable).with_name(name))
    answer = json.dumps({"error": None, "hosts": {"vm-148-1": KEPT, "vm-148-20": {"error": {}}}})
    (programs / "ansible-playbook").write_text(f"#!/bin/sh\necho \"$@\" >asked\necho '{answer}'\n")
    (programs / "ansible-playbook").chmod(0o755)
    return folder


@pytest.fixture
def bash(clone: Path) -> Iterator[PseudoTerminal]:
    """Return a bash in the clone that has sourced the file."""
    environment = {"PATH": "/usr/bin:/bin", "PS1": PROMPT, "TERM": "dumb", "HOME": str(clone)}
    with terminal("bash", "--norc", "-i", cwd=clone, environment=environment) as opened:
        opened.wait_for(PROMPT)
        # In the place of make: it shows what bash has made of the line.
        opened.type(f'. {COMPLETION}; make() {{ echo words: "$@"; }}\n')
        opened.wait_for(PROMPT)
        yield opened


def completed(bash: PseudoTerminal, typed: str) -> str:
    """Type the beginning of a command, press the tab key, and return the words that make gets."""
    bash.type(f"{typed}\t\n")
    shown = bash.wait_until(lambda new: "\nwords: " in new and new.endswith(PROMPT), "nothing ran")
    return str(re.findall(r"^words: (.*)$", shown, re.MULTILINE)[-1])


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("depl", "deploy"),
        ("deploy INV", "deploy INVENTORY="),
        ("deploy INVENTORY=cl", "deploy INVENTORY=class.yml"),
        ("check APP=wea", "check APP=weather/"),
        ("status LIMIT=vm-148-2", "status LIMIT=vm-148-20"),
        ("status LIMIT=class", "status LIMIT=class_vms"),
        ("status LIMIT=vm-148-1,vm-148-2", "status LIMIT=vm-148-1,vm-148-20"),
        ("rollback TO=3", "rollback TO=3f2a91c"),
        ("maintenance of", "maintenance off"),
        ("explain CV01", "explain CV01"),
        ("explain CV012", "explain CV012"),
        ("scenario S=d", "scenario S=default"),
        ("check FORMAT=g", "check FORMAT=github"),
        ("nothing-like-this", "nothing-like-this"),
    ],
)
def test_the_tab_key_completes_what_is_typed(bash: PseudoTerminal, typed: str, whole: str) -> None:
    assert completed(bash, f"make {typed}") == whole


def test_what_fits_in_several_ways_is_listed(bash: PseudoTerminal) -> None:
    bash.type("make status LIMIT=\t\t")
    shown = bash.wait_for("vm-148-20")
    assert {"class_vms", "vm-148-1"} <= set(shown.split())


def test_a_name_is_no_command_whatever_it_looks_like(bash: PseudoTerminal, clone: Path) -> None:
    assert completed(bash, "make status LIMIT=x") == "status LIMIT=x$(touch hacked)"
    assert not (clone / "hacked").exists()


def test_releases_are_those_of_the_hosts_that_the_line_names(
    bash: PseudoTerminal, clone: Path
) -> None:
    typed = "make rollback INVENTORY=class.yml LIMIT=vm-148-1 TO="
    assert completed(bash, typed).endswith("TO=3f2a91c")
    words = (clone / "asked").read_text().split()
    assert words == ["ansible/releases.yml", *["--inventory", "class.yml", "--limit", "vm-148-1"]]


def test_elsewhere_files_are_completed(bash: PseudoTerminal) -> None:
    bash.type("cd weather; touch Makefile notes\n")
    bash.wait_for(PROMPT)
    assert completed(bash, "make no") == "notes"
    assert completed(bash, "make depl") == "depl"


def test_each_variable_is_offered_with_all_its_values() -> None:
    text = tree.read(tree.ROOT / COMPLETION)
    makefile = tree.read(tree.ROOT / "Makefile")
    names = re.findall(r"^VALIDATED := (.*)$", makefile, re.MULTILINE)[0].split()
    # Any number, or a name that is not there yet.
    free = {"PORT", "LOG_LINES", "N", "NAME"}
    assert [
        name for name in names if name not in free and not re.search(rf"\b{name}\b", text)
    ] == []
