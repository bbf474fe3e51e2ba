"""Ten facts that a newcomer looks for: the obvious name finds each of them in its one home."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
import tree

# Inventories and scenarios set values of their own; tests and documents speak of them.
OTHERS = ("tests/", "molecule/", "ansible/inventory/", "docs/")


@dataclass(frozen=True)
class Fact:
    """What somebody looks for.

    Attributes:
        name: the word that they type into grep.
        definition: how the line looks that defines it.
        home: the file in which that line is.

    """

    name: str
    definition: str
    home: str


FACTS = {
    "host port": Fact("HOST_PORT", r"^HOST_PORT=\d+$", "service/ports.env"),
    "steady time": Fact(
        "service_steady_seconds",
        r"^service_steady_seconds: \d+$",
        "roles/service/defaults/main.yml",
    ),
    "state folder": Fact(
        "classvm_state_dir",
        r"^classvm_state_dir: /\S+$",
        "roles/common/defaults/main.yml",
    ),
    "SSH's opening": Fact(
        "SSH",
        r"tcp dport \$SSH accept$",
        "roles/firewall/files/etc/classvm/guard.nft",
    ),
    "memory limit": Fact(
        "service_memory",
        r"^service_memory: \d+m$",
        "roles/service/defaults/main.yml",
    ),
    "release id": Fact(
        "release",
        r"def release\(self\) -> str:$",
        "ansible/plugins/module_utils/classvm/image/service_image.py",
    ),
    "base digest": Fact(
        "base_image_reference",
        r"^base_image_reference: .*@sha256:[0-9a-f]{64}",
        "roles/base_image/defaults/main.yml",
    ),
    "nft table": Fact(
        "table inet",
        r"^table inet \w+ \{$",
        "roles/firewall/files/etc/classvm/guard.nft",
    ),
    "kept releases": Fact(
        "service_keep_releases",
        r"^service_keep_releases: \d+$",
        "roles/service/defaults/main.yml",
    ),
    "log size": Fact(
        "max-size",
        r"^ +max-size: \d+m$",
        "roles/docker/defaults/main.yml",
    ),
}
CODE = {
    name: tree.code(tree.ROOT / name)
    for name in tree.files()
    # The specification repeats each default; a test of the roles holds them equal.
    if not name.startswith(OTHERS) and not name.endswith("meta/argument_specs.yml")
}


def definitions(fact: Fact, code: dict[str, str]) -> list[str]:
    """Return the files that define a fact, each as often as it does."""
    return [
        name
        for name, text in code.items()
        for line in text.splitlines()
        if fact.name in line and re.search(fact.definition, line.rstrip())
    ]


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_a_fact_is_defined_in_its_one_home(fact: Fact) -> None:
    assert definitions(fact, CODE) == [fact.home]


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_a_second_definition_and_a_missing_one_are_seen(fact: Fact) -> None:
    assert len(definitions(fact, {**CODE, "copy": CODE[fact.home]})) == 2
    assert definitions(fact, {fact.home: CODE[fact.home].replace(fact.name, "x")}) == []
