"""What the documents claim is what the tree holds: each claim is compared with its source."""

from __future__ import annotations

import hashlib
import re
import shlex
from pathlib import Path

import tree
from faults import table
from faults.load import RATES
from packaging.requirements import Requirement

README = tree.read(tree.ROOT / "README.md")
COMMANDS = tree.read(tree.ROOT / "docs/commands.md")
CONTRIBUTING = tree.read(tree.ROOT / "CONTRIBUTING.md")
MAKEFILE = tree.read(tree.ROOT / "Makefile")
TESTS = tree.read(tree.ROOT / "docs/tests.md")
FAULTS = tree.read(tree.ROOT / "docs/faults.md")
PACKAGES = tree.read(tree.ROOT / "docs/packages.md")
CHANGELOG = tree.read(tree.ROOT / "CHANGELOG.md")
# Variables that make itself or the environment sets.
MAKES_OWN = {"MAKE", "MAKECMDGOALS", "MAKEFILE_LIST", "CURDIR", "PATH", "PWD"}
# Settings of tools, which have to be at the top and explain themselves.
SETTINGS = {".ansible-lint", ".ansible-lint-ignore", ".gitignore", ".hadolint.yaml", ".yamllint"}
SCENARIOS = {path.parent.name for path in (tree.ROOT / "molecule").glob("*/molecule.yml")}
WORKFLOW = tree.read_yaml(tree.ROOT / ".github/workflows/test.yml")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def rows(document: str) -> list[list[str]]:
    """Return the cells of every row of every table, without the heads."""
    lines = document.splitlines()
    found = []
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        is_head = following.startswith("| ---")
        if line.startswith("|") and not line.startswith("| ---") and not is_head:
            found.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def one_line(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split())


# --- The Makefile


def user_variables(makefile: str) -> set[str]:
    """Return the variables that a Makefile uses and leaves to its user."""
    text = re.sub(r"(^|\s)#.*$", "", makefile, flags=re.MULTILINE)
    used = set(re.findall(r"(?<!\$)\$[({]([A-Z_]+)[:)}]", text))
    fixed = set(re.findall(r"^(?:export )?([A-Z_]+)\s*:?=", text, re.MULTILINE))
    return used - fixed - MAKES_OWN


def documented_variables(document: str) -> set[str]:
    """Return the variables that a table explains."""
    return {match[1] for row in rows(document) if (match := re.match(r"`([A-Z_]+)=`$", row[0]))}


def test_each_variable_of_make_is_documented() -> None:
    assert user_variables(MAKEFILE) == documented_variables(COMMANDS)


def test_a_variable_is_seen_wherever_it_is_used() -> None:
    makefile = (
        "A ?= 1\nB := 2\nC = $(B)\ngo:\n\t$(A) $(C) $(if $(D),$(E:%=-e %)) $${G} $(H_I) # $(J)\n"
    )
    assert user_variables(makefile) == {"A", "D", "E", "H_I"}


def unknown_variables(document: str, known: set[str]) -> set[str]:
    """Return the variables that a document gives to make in vain."""
    commands = re.findall(r"(?:^|`)make ([^`\n]+)", document, re.MULTILINE)
    given = {name for command in commands for name in re.findall(r"(?:^|\s)([A-Z_]+)=", command)}
    return given - known


def test_no_document_gives_make_a_variable_in_vain() -> None:
    known = user_variables(MAKEFILE)
    # The service has a Makefile of its own.
    names = [name for name in tree.files() if name.endswith(".md") and "service/" not in name]
    unknown = {name: unknown_variables(tree.read(tree.ROOT / name), known) for name in names}
    assert {name: found for name, found in unknown.items() if found} == {}


def test_a_variable_in_vain_is_seen() -> None:
    document = "`make a B=1 C=2`, `D=3`\n\n```sh\nmake b E=4 ARGS='-e f=5'\n```\nmake it so"
    assert unknown_variables(document, {"B", "ARGS"}) == {"C", "E"}


# --- The stages, the scenarios and the workflow


def stages(name: str) -> set[str]:
    """Return the stages of a list of the Makefile; a scenario is named alone."""
    (words,) = re.findall(rf"^{name} := (.*)$", MAKEFILE.replace("\\\n", " "), re.MULTILINE)
    return {stage.removeprefix("scenario S=") for stage in shlex.split(words)}


def commands() -> dict[str, list[str]]:
    """Return what each job of the workflow runs."""
    return {
        name: [step["run"] for step in job["steps"] if "run" in step]
        for name, job in WORKFLOW["jobs"].items()
    }


def test_the_table_of_the_scenarios_is_that_of_the_folders() -> None:
    shown = {row[0].strip("`"): row[2] for row in rows(TESTS)}
    assert set(shown) == SCENARIOS
    quick = stages("TEST_STAGES")
    for name, when in shown.items():
        part = any(stage.startswith(f"{name} SCOPE=") for stage in quick)
        assert when == ("yes" if name in quick else "a few of them" if part else "no"), name


def boasts(text: str) -> list[str]:
    """Return claims that one command is all that continuous integration runs."""
    return re.findall(r"(?i)everything that (?:CI|continuous integration) runs", one_line(text))


def test_nothing_claims_that_make_test_is_all_that_the_workflow_runs() -> None:
    assert len(commands()) > 1
    names = [name for name in tree.files() if not name.startswith("tests/unit/repo/")]
    assert [name for name in names if boasts(tree.read(tree.ROOT / name))] == []


def test_such_a_claim_is_found() -> None:
    assert boasts("test: ## everything that CI\n  runs") == ["everything that CI runs"]


# --- The table of the faults


def broken(document: str) -> int:
    """Return how many rows tell of a broken promise."""
    return sum("PROMISE BROKEN" in row[-1] for row in rows(document))


def closing_line(document: str) -> str:
    """Return the sentence that ends the table of the faults."""
    return document.strip().splitlines()[-1]


def test_the_introduction_of_the_faults_is_the_one_that_make_faults_writes() -> None:
    assert FAULTS.startswith(table.INTRODUCTION.format(rate=sum(RATES.values()), how=""))


def test_the_closing_line_counts_the_rows() -> None:
    asserted = [row for row in rows(FAULTS) if "NOT ASSERTED" not in row[-1]]
    kept = len(asserted) - broken(FAULTS)
    assert closing_line(FAULTS).startswith(f"{kept} of {len(asserted)} promises kept")


def test_the_document_of_the_tests_quotes_the_closing_line() -> None:
    assert closing_line(FAULTS) in one_line(TESTS)


def test_nothing_else_tells_of_a_broken_promise() -> None:
    others = [README, TESTS, *(tree.read(path) for path in (tree.ROOT / "docs").glob("*.md"))]
    claims = [text for text in others if re.search(r"(?i)promises? (?:is|are) not kept", text)]
    assert bool(claims) == bool(broken(FAULTS))


# --- The rest


def entries(root: Path) -> set[str]:
    """Return what git keeps at the top of the tree."""
    return {name.partition("/")[0] for name in tree.files(root)}


def unmapped(readme: str, names: set[str]) -> set[str]:
    """Return which of the names are neither in the map nor in a link of a README."""
    (block,) = re.findall(r"^## What is where\n+```\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    named = re.sub(r"(\w+)\.in/\.txt", r"\1.in \1.txt", block)
    links = " ".join(re.findall(r"\]\(([^)]+)\)", readme))
    return {
        name
        for name in names
        if not re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", f"{named} {links}")
    }


def test_the_map_names_everything_at_the_top() -> None:
    assert unmapped(README, entries(tree.ROOT) - SETTINGS - {"README.md"}) == set()


def test_what_the_map_leaves_out_is_seen() -> None:
    readme = "[a](A.md)\n## What is where\n\n```\nx.in/.txt  y\nb/  c\n```\n"
    assert unmapped(readme, {"A.md", "x.in", "x.txt", "b", "bb", "d"}) == {"bb", "d"}


def test_each_package_of_the_control_node_has_its_reason() -> None:
    lines = tree.read(tree.ROOT / "requirements.in").splitlines()
    wanted = {Requirement(line.partition(" #")[0]).name for line in lines if line[:1].isalpha()}
    given = {name for row in rows(PACKAGES) for name in re.split(r",\s*", row[0])}
    assert given == wanted


def test_the_number_of_kept_releases_is_the_default() -> None:
    defaults = tree.read_yaml(tree.ROOT / "roles/service/defaults/main.yml")
    kept = NUMBERS[defaults["service_keep_releases"]]
    releases = one_line(tree.read(tree.ROOT / "docs/releases.md"))
    assert f"the {kept} before it stay (`service_keep_releases`)" in releases


def sections(changelog: str) -> dict[str, list[str]]:
    """Return the kinds of changes of each version."""
    parts = re.split(r"^## (.+)$", changelog, flags=re.MULTILINE)[1:]
    return {
        name: re.findall(r"^### (.+)$", text, re.MULTILINE)
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_the_first_version_fixes_and_changes_nothing_that_was_released() -> None:
    *_, first = sections(CHANGELOG).values()
    assert first == ["Added"]


def test_a_fix_before_the_first_version_is_seen() -> None:
    assert list(sections("## [2]\n### Fixed\n## [1]\n### Added\n- a\n### Fixed\n").values()) == [
        ["Fixed"],
        ["Added", "Fixed"],
    ]


def test_the_license_is_the_text_of_apache() -> None:
    content = (tree.ROOT / "LICENSE").read_bytes()
    known = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    assert hashlib.sha256(content).hexdigest() == known


def unlinked(readme: str, names: set[str]) -> set[str]:
    """Return which documents a README has no link to."""
    return names - set(re.findall(r"\]\(([^)#]+)", readme))


def test_the_readme_leads_to_each_document() -> None:
    documents = {f"docs/{path.name}" for path in (tree.ROOT / "docs").glob("*.md")}
    assert unlinked(README, documents) == set()


def test_a_document_without_a_link_is_seen() -> None:
    assert unlinked("[a](a.md#b), c.md", {"a.md", "c.md"}) == {"c.md"}


def order_of_packages(document: str) -> list[str]:
    """Return the packages of the logic in the order in which they may import each other."""
    (names,) = re.findall(r"imports only from those before it: ([^.]+)\.", one_line(document))
    return re.findall(r"`(\w+)`", names)


def wrong_imports(order: list[str], imports: dict[str, set[str]]) -> list[str]:
    """Return which package imports another one that does not stand before it."""
    return [
        f"{name} imports {other}"
        for name, others in imports.items()
        for other in sorted(others)
        if name not in order or other not in order[: order.index(name)]
    ]


def test_the_packages_import_as_contributors_are_told() -> None:
    folder = tree.ROOT / "ansible/plugins/module_utils/classvm"
    imports = {
        path.name: set(
            re.findall(
                r"^from \.\.(\w+)",
                "\n".join(tree.read(file) for file in path.glob("*.py")),
                re.MULTILINE,
            )
        )
        for path in folder.iterdir()
        if (path / "__init__.py").exists()
    }
    order = order_of_packages(CONTRIBUTING)
    assert sorted(order) == sorted(imports)
    assert wrong_imports(order, imports) == []


def test_an_import_against_the_order_is_seen() -> None:
    order = order_of_packages("Each imports only from those before it: `a`,\n`b`. And `c`.")
    assert order == ["a", "b"]
    assert wrong_imports(order, {"a": {"b"}, "b": {"a"}}) == ["a imports b"]
