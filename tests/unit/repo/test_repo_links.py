"""Documents do not lie: every link and every path that they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tree

DOCUMENTS = [name for name in tree.files() if name.endswith(".md")]
# What git has at the top: folders that a run makes there (`.classvm/`) hold what that run left.
TOP = {name.partition("/")[0] for name in tree.files()}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# A word between backticks: a path of this repository has a slash and begins with a name at its top.
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
# A path, indented below its folder, then what it is for.
TREE_LINE = re.compile(r"^( *)([\w.-]+(?:/[\w.-]+)*/?)(?: {2,}|$)", re.MULTILINE)


def anchors(document: str) -> set[str]:
    """Return the anchors that a Markdown file's headings get."""
    headings = re.findall(r"^#+ (.+)$", document, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead(document: Path, root: Path, top: set[str]) -> list[str]:
    """Return the relative links of a document that lead nowhere, and paths that are not there."""
    text = document.read_text(encoding="utf-8")
    found = []
    for link in LINK.findall(text):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        file = document.parent / target if target else document
        is_dead = not file.exists() or (
            anchor and file.suffix == ".md" and anchor not in anchors(file.read_text())
        )
        if is_dead:
            found.append(link)
    words = [word for span in CODE.findall(text) for word in span.split()]
    for path in filter(PATH.fullmatch, words):
        places = (root / path, document.parent / path)
        if _claims_to_be_ours(path, top) and not any(place.exists() for place in places):
            found.append(path)
    return found


def _claims_to_be_ours(path: str, top: set[str]) -> bool:
    first, slash, _ = path.partition("/")
    return bool(slash) and first in top


def missing_of_tree(text: str, root: Path) -> list[str]:
    """Return what a map of the tree (in a code block, one path per line) names in vain."""
    blocks = re.findall(r"^```(?:text)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    maps = [block for block in blocks if re.search(r"^[\w.-]+/ ", block, re.MULTILINE)]
    named = [path for block in maps for path in paths_of(block)]
    return [path for path in named if not (root / path).exists()]


def paths_of(block: str) -> list[str]:
    """Return the paths of a map; `a.in/.txt` is short for `a.in` and `a.txt`."""
    found: list[str] = []
    top = ""
    for indent, path in TREE_LINE.findall(block):
        top = top if indent else path
        short = re.fullmatch(r"(.+)(\.\w+)/(\.\w+)", path)
        paths = [short[1] + short[2], short[1] + short[3]] if short else [path]
        found += [f"{top}{one}" if indent else one for one in paths]
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_link_is_dead(name: str) -> None:
    assert dead(tree.ROOT / name, tree.ROOT, TOP) == []


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if "/" not in name])
def test_the_map_of_the_tree_is_true(name: str) -> None:
    assert missing_of_tree((tree.ROOT / name).read_text(), tree.ROOT) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("[a](b.md)", 0),
        ("[a](b.md#the-part)", 0),
        ("[a](#x)", 0),
        ("[a](https://example.org/nope.md)", 0),
        ("`sub/b.txt` and `other/b.txt` and `make`", 0),
        ("`./nope.txt` and `made_by_a_run/nope.txt`", 0),
        ("[a](nope.md)", 1),
        ("[a](b.md#nope)", 1),
        ("[a](#nope)", 1),
        ("`sub/nope.txt`", 1),
        ("`sub/nope/`", 1),
        ("`run sub/nope.txt`", 1),
    ],
)
def test_a_dead_link_is_found(text: str, count: int, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(f"# X\n\n{text}\n")
    (tmp_path / "b.md").write_text("# B\n\n## The part!\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/b.txt").touch()
    (tmp_path / "made_by_a_run").mkdir()
    assert len(dead(tmp_path / "a.md", tmp_path, {"a.md", "b.md", "sub"})) == count


def test_a_lie_in_the_map_is_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/c.in").touch()
    text = (
        "```\na/      is there\n  c.in/.txt  half of it\nb/      is not\nMakefile  is not\n```\n"
        "\n```sh\nmake  x\n```\n"
    )
    assert missing_of_tree(text, tmp_path) == ["a/c.txt", "b/", "Makefile"]
