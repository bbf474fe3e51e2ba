"""The front door: each target explains itself, and each playbook has one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import tree

MAKEFILE = tree.ROOT / "Makefile"
TEMPLATE = "tools/app_template/app"
TARGET = r"^([A-Za-z0-9_-]+(?: [A-Za-z0-9_-]+)*):(?![=:])"


def targets(makefile: str) -> set[str]:
    """Return the targets of a Makefile, without special ones like .PHONY."""
    found = re.findall(TARGET, makefile, re.MULTILINE)
    return {name for names in found for name in names.split()}


def explained(makefile: str) -> list[str]:
    """Return the targets that have a line for the help, in order."""
    return re.findall(r"^([a-z0-9-]+):.*## \S", makefile, re.MULTILINE)


def phony(makefile: str) -> list[str]:
    """Return what .PHONY names."""
    lines = re.findall(r"^\.PHONY:(.*)$", makefile.replace("\\\n", " "), re.MULTILINE)
    return " ".join(lines).split()


def plays(makefile: str) -> dict[str, str]:
    """Return by target which playbook it runs."""
    found: dict[str, str] = {}
    target = ""
    for line in makefile.splitlines():
        match = re.match(TARGET, line)
        target = match[1] if match else target
        call = re.search(r"\$\(call PLAY,([\w-]+)\)", line)
        if call and line.startswith("\t"):
            found[target] = call[1]
    return found


def flaws(makefile: str) -> list[str]:
    """Return which targets lack their help line or their place in .PHONY."""
    named = targets(makefile)
    found = [f"{name} has no ## line" for name in sorted(named - set(explained(makefile)))]
    found += [f"{name} is not in .PHONY" for name in sorted(named - set(phony(makefile)))]
    found += [f".PHONY: no target {name}" for name in sorted(set(phony(makefile)) - named)]
    return found


def unknown_targets(text: str, known: set[str]) -> set[str]:
    """Return which targets a text tells its reader to make, though there are none."""
    return set(re.findall(r"`(?:sudo )?make ([a-z][\w-]*)", text)) - known


def test_every_target_is_explained_and_phony() -> None:
    assert flaws(MAKEFILE.read_text()) == []


def test_the_targets_of_the_service_are_phony() -> None:
    makefile = (tree.ROOT / "service/Makefile").read_text()
    assert targets(makefile) == set(phony(makefile))


@pytest.mark.parametrize(
    ("makefile", "flaw"),
    [
        ("go: ## go\n", "go is not in .PHONY"),
        ("go:\n.PHONY: go\n", "go has no ## line"),
        ("a-1 b: x\na-1: ## a\n.PHONY: a-1 \\\n\tb\n", "b has no ## line"),
        (".PHONY: go\n", ".PHONY: no target go"),
        ("go: ##\n.PHONY: go\n", "go has no ## line"),
    ],
)
def test_a_flaw_is_found(makefile: str, flaw: str) -> None:
    assert flaws(makefile) == [flaw]


def test_a_variable_is_no_target() -> None:
    assert targets("BIN := a\nB = c:d\n\tcommand: x\n.PHONY: y\n") == set()


SCREENS = {"student": "help", "admin": "help-admin", "developer": "help-developer"}
# What a terminal has at least, with a line for the prompt below.
LINES, COLUMNS = 23, 80


def groups(makefile: str) -> dict[str, str]:
    """Return for whom each target of a Makefile is: the group that its section names."""
    found: dict[str, str] = {}
    group = ""
    for line in makefile.splitlines():
        section = re.match(r"##@(\w*)", line)
        group = section[1] if section else group
        found.update(dict.fromkeys(explained(line), group))
    return found


def tabulated(document: str) -> set[str]:
    """Return the targets of the first column of all tables of a document."""
    cells = re.findall(r"^\| ([^|]+) \|", document, re.MULTILINE)
    return {target for cell in cells for target in re.findall(r"`make ([a-z0-9-]+)", cell)}


def test_each_target_is_explained_to_its_readers() -> None:
    commands = tree.read(tree.ROOT / "docs/commands.md")
    _, for_students, for_admins = re.split(r"^## For .*$", commands, flags=re.MULTILINE)
    documents = {
        "student": for_students,
        "admin": for_admins,
        "developer": tree.read(tree.ROOT / "CONTRIBUTING.md"),
    }
    known = groups(MAKEFILE.read_text())
    for group, document in documents.items():
        assert tabulated(document) == {name for name in known if known[name] == group}


def test_a_target_of_another_column_is_not_explained() -> None:
    assert tabulated("| `make a`, `make b x` | `make c` |\n| --- | --- |\n`make d`") == {"a", "b"}


def screen(*words: str) -> str:
    """Run make and return what it prints."""
    done = subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=tree.ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout


def shown_targets(*words: str) -> list[str]:
    """Run make and return the targets that it shows."""
    return re.findall(r"^  make (\S+)\s+\S", screen(*words), re.MULTILINE)


def test_each_target_is_on_the_screen_of_one_group() -> None:
    known = groups(MAKEFILE.read_text())
    assert set(known.values()) == set(SCREENS)
    assert sorted(known) == sorted(explained(MAKEFILE.read_text()))
    for group, target in SCREENS.items():
        assert shown_targets(target) == [name for name in known if known[name] == group]


def test_a_section_without_a_group_is_seen() -> None:
    assert groups("##@admin A\na: ## a\nb: x ## b\n##@ B\nc: ## c\n") == {
        "a": "admin",
        "b": "admin",
        "c": "",
    }


@pytest.mark.parametrize("target", SCREENS.values())
def test_help_fits_on_a_screen_and_names_the_others(target: str) -> None:
    lines = screen(target).splitlines()
    assert len(lines) <= LINES
    assert [line for line in lines if len(line) > COLUMNS] == []
    assert all(f"make {other}" in screen(target) for other in SCREENS.values())


def test_bare_make_prints_what_is_for_students() -> None:
    assert screen() == screen("help")


def test_a_makefile_with_another_default_prints_no_help(tmp_path: Path) -> None:
    other = tmp_path / "Makefile"
    other.write_text(f"{MAKEFILE.read_text()}\n.DEFAULT_GOAL := other\nother: ; @:\n")
    assert shown_targets("--file", str(other)) == []


def test_every_playbook_has_its_target_and_no_other() -> None:
    called = plays(MAKEFILE.read_text())
    assert set(called) == set(called.values()) == playbooks(tree.ROOT / "ansible")
    assert all(target == playbook for target, playbook in called.items())


def playbooks(folder: Path) -> set[str]:
    """Return the names of the playbooks in a folder."""
    return {path.stem for path in folder.glob("*.yml")}


def test_the_call_of_a_playbook_is_seen() -> None:
    assert plays("a:\n\t$(call PLAY,b)\n# $(call PLAY,no)\nc: d\n\tx\n\t$(call PLAY,c)\n") == {
        "a": "b",
        "c": "c",
    }


def test_no_text_tells_to_make_what_is_not_there() -> None:
    known = targets(MAKEFILE.read_text())
    # Folders with a Makefile of their own.
    own = {"service/": "service/Makefile", "tools/app_template/": f"{TEMPLATE}/Makefile.jinja"}
    beside = {folder: targets(tree.read(tree.ROOT / file)) for folder, file in own.items()}
    unknown = {
        name: sorted(found)
        for name in tree.files()
        if not name.startswith("tests/unit/")
        and (
            found := unknown_targets(
                tree.read(tree.ROOT / name),
                known.union(*(beside[one] for one in beside if name.startswith(one))),
            )
        )
    }
    assert unknown == {}


def test_an_unknown_target_is_found() -> None:
    assert unknown_targets("Run `make nope X=1` or `sudo make go`.", {"go"}) == {"nope"}
