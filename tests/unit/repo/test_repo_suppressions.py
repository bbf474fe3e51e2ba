"""A line that tells a linter or a type checker to look away gives its reason."""

from __future__ import annotations

import re

import pytest
import tree

# Directives at the end of the line that they excuse; the reason follows them.
TRAILING = re.compile(
    r"#\s*(?:noqa\b:?\s*(?:[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?|type:\s*ignore\b(?:\[[\w, -]*\])?)"
    r"(?P<reason>.*)$"
)
# Directives whose reason stands in the comment above them or behind a second "#".
BELOW_REASON = re.compile(
    r"#\s*(?:hadolint ignore|shellcheck disable|yamllint disable|mypy:|ruff: ?noqa|noqa:? [a-z])"
    r"[^#]*(?P<reason>#.*)?$"
)
LETTERS = re.compile(r"[^\W\d_]{2,}")
HERE = "tests/unit/repo/test_repo_suppressions.py"


def unexplained(text: str) -> list[int]:
    """Return the numbers of the lines that suppress a finding without a reason."""
    lines = text.splitlines()
    found = []
    for number, line in enumerate(lines, 1):
        match = BELOW_REASON.search(line)
        above = lines[number - 2].strip() if number > 1 else ""
        if match and above.startswith("#") and not BELOW_REASON.search(above):
            continue
        match = match or TRAILING.search(line)
        if match and not LETTERS.search(match["reason"] or ""):
            found.append(number)
    return found


def test_every_suppression_has_its_reason() -> None:
    found = {
        f"{name}:{number}"
        for name in tree.files()
        if name != HERE
        for number in unexplained(tree.read(tree.ROOT / name))
    }
    assert found == set()


@pytest.mark.parametrize(
    "text",
    [
        "x = 1  # noqa",
        "x = 1  # noqa: S104",
        "x = 1  # noqa: S104, E501",
        "x = 1  # type: ignore",
        "x = 1  # type: ignore[misc, unused-ignore]",
        "- name: a  # noqa: command-instead-of-module",
        "- name: a  # noqa command-instead-of-module",
        "# hadolint ignore=DL3008",
        "RUN a\n# hadolint ignore=DL3008,DL3009",
        "# shellcheck disable=SC2086",
        "# why\n# shellcheck disable=SC2086\n# shellcheck disable=SC2087",
        "# yamllint disable rule:line-length",
    ],
)
def test_one_without_a_reason_is_found(text: str) -> None:
    assert unexplained(text) == [text.count("\n") + 1]


@pytest.mark.parametrize(
    "text",
    [
        "x = 1  # noqa: S104 - where Docker listens",
        "x = 1  # type: ignore[misc] # ships no types",
        "# why\n- name: a  # noqa: command-instead-of-module",
        "# why\n# hadolint ignore=DL3008",
        "# shellcheck disable=SC2086 # several words",
        "x = 1  # a comment that knows noqa",
        "# hadolint and shellcheck",
    ],
)
def test_one_with_its_reason_passes(text: str) -> None:
    assert unexplained(text) == []
