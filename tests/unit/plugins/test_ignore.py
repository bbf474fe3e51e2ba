from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from classvm import ignore
from docker.utils.build import exclude_paths
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("a", "b", "ab", "a.c")
FILES = [
    *NAMES,
    *("/".join(pair) for pair in itertools.product(("d", "e"), (*NAMES, "d/a", "d/b"))),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def kept(folder: Path, *lines: str) -> set[str]:
    return set(ignore.kept(folder, ignore.parse(lines)))


def as_the_package_says(folder: Path, *lines: str) -> set[str]:
    found = exclude_paths(str(folder), list(lines))
    return {name for name in found if (folder / name).is_file()}


# The package knows less than Docker of exceptions with wildcards in folders that are left out.
NAME = st.sampled_from([*NAMES, "d", "e", ".", "x"])
PART = NAME | st.sampled_from(["*", "a*", "?", "*.c", "[ab]", "**"])
PATH = st.lists(NAME, min_size=1, max_size=3).map("/".join)
PATTERN = st.lists(PART, min_size=1, max_size=3).map("/".join)
LINE = st.tuples(PATTERN | PATH.map("!{}".format), st.sampled_from(["", "/"])).map("".join)


@given(st.lists(LINE, max_size=4))
@settings(max_examples=300)
def test_it_is_read_as_the_package_of_docker_reads_it(tree: Path, lines: list[str]) -> None:
    assert kept(tree, *lines) == as_the_package_says(tree, *lines), lines


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (["# a", "", "  "], set(FILES)),
        (["*", "!d/*/a"], {"d/d/a"}),
        (["d", "e", "!*/a.c", "[^x]*"], set()),
        (["[^ab]*", "?", "a?", "a.*", "!e/d/*"], {"e/d/a", "e/d/b"}),
        (["/d/", "./e", "../a", "!", "b"], {"ab", "a.c"}),
        (["*", "!**/b"], {"b", "d/b", "e/b", "d/d/b", "e/d/b"}),
        (["\\a", "[", "a.[c]"], set(FILES) - {"a", "a.c"}),
    ],
    ids=str,
)
def test_what_it_keeps(lines: list[str], left: set[str], tree: Path) -> None:
    assert kept(tree, *lines) == left


def test_a_folder_of_which_nothing_is_kept_is_not_looked_at(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    answer = ignore.is_ignored

    def ask(name: str, rules: list[ignore.Rule]) -> bool:
        asked.append(name)
        return answer(name, rules)

    monkeypatch.setattr(ignore, "is_ignored", ask)
    assert kept(tree, "*", "!d/d", "!a") == {"a", "d/d/a", "d/d/b"}
    assert not [name for name in asked if name.startswith("e/")]
