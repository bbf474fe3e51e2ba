"""The guard as it is loaded: before Docker's rewriting, closed but for the given ports."""

from __future__ import annotations

import re

import pytest
import tree
from classvm.provision import guard

RULES = tree.ROOT / "roles/firewall/files/etc/classvm/guard.nft"
# Source: nft(8), "Standard priority names, family and hook compatibility".
PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50}
CONNTRACK = -200  # NF_IP_PRI_CONNTRACK: before it, `ct state` knows nothing.
UNIT = tree.ROOT / "roles/firewall/files/etc/systemd/system" / guard.UNIT
# What loads a guard before any address is there. A unit with the usual dependencies waits for
# sysinit.target, and networks do not wait for it. Source: systemd.special(7), network-pre.target.
EARLY = {
    "Before": "network-pre.target",
    "Wants": "network-pre.target",
    "DefaultDependencies": "no",
    "WantedBy": "sysinit.target",
}


def ports(ruleset: str, name: str) -> list[int]:
    """Return the ports that a ruleset defines under a name."""
    defined = re.findall(rf"^define {name} = \{{ ([\d, ]+) \}}$", ruleset, re.MULTILINE)
    return [int(port) for port in ",".join(defined).split(",")]


def misplaced(ruleset: str) -> list[str]:
    """Return why a ruleset would not guard published ports."""
    found = []
    chains = re.findall(
        r"type filter hook (\w+) priority (-?\w+)\s*([+-]\s*\d+)?\s*;",
        ruleset,
    )
    if len(chains) != 1:
        return [f"{len(chains)} base chains instead of one"]
    hook, name, offset = chains[0]
    priority = PRIORITIES[name] if name in PRIORITIES else int(name)
    priority += int(offset.replace(" ", "") or 0)
    if hook != "prerouting":
        found.append(f"the hook is {hook}")
    if not CONNTRACK < priority < PRIORITIES["dstnat"]:
        found.append(f"the priority is {priority}")
    rules = [line.strip() for line in re.sub(r"#.*", "", ruleset).splitlines() if line.strip()]
    last = [line for line in rules if line != "}"][-1]
    if not re.fullmatch(r"(counter )?drop", last):
        found.append(f"the last rule is {last!r}")
    required = {
        "SSH has no line of its own": "tcp dport $SSH accept",
        "the open ports are not opened": "tcp dport $OPEN_TCP accept",
        "replies do not come in": "ct state established ct direction reply accept",
    }
    found += [problem for problem, rule in required.items() if rule not in rules]
    opened = [rules.index(rule) for rule in rules if rule.startswith("tcp dport")]
    local = "fib daddr type != local counter drop"
    if local not in rules or rules.index(local) > min([*opened, len(rules)]):
        found.append("ports of containers are open to those who route to them")
    return found


def test_the_given_ports_are_open_and_ssh_too() -> None:
    rules = guard.ruleset(RULES.read_text(), [443, 80], [22, 443])
    assert ports(rules, "OPEN_TCP") == [80, 443]
    assert ports(rules, "SSH") == [22, 443]


def test_other_ports_give_other_rules() -> None:
    rules = guard.ruleset(RULES.read_text(), [81], [2222])
    assert ports(rules, "OPEN_TCP") == [81]
    assert ports(rules, "SSH") == [2222]


def test_the_chain_stands_before_dockers_rewriting() -> None:
    assert misplaced(guard.ruleset(RULES.read_text(), [80], [22])) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hook prerouting", "hook input"),
        ("priority mangle", "priority filter"),
        ("priority mangle", "priority dstnat"),
        ("priority mangle", "priority dstnat + 1"),
        ("priority mangle", "priority -250"),
        ("\t\tcounter drop", "\t\tcounter accept"),
        ("tcp dport $OPEN_TCP accept", ""),
        ("tcp dport $SSH accept", ""),
        ("ct direction reply accept", "accept"),
        ("fib daddr type != local counter drop", ""),
        ("type filter", "type nat"),
    ],
)
def test_a_misplaced_chain_is_found(old: str, new: str) -> None:
    rules = RULES.read_text()
    assert old in rules
    assert len(misplaced(rules.replace(old, new))) == 1


def test_the_table_is_the_one_that_is_removed() -> None:
    rules = RULES.read_text()
    assert set(re.findall(r"\btable inet (\w+)", rules)) == {guard.TABLE}
    # What was there goes first; the empty table makes that succeed on a bare host.
    first, second, third = re.findall(r"^.*table inet.*$", rules, re.MULTILINE)
    assert (first.split()[0], second.split()[0], third[-1]) == ("table", "delete", "{")


def test_no_other_rules_are_flushed() -> None:
    assert "flush" not in tree.code(RULES)


# --- At boot -------------------------------------------------------------------------------------


def too_late(unit: str) -> list[str]:
    """Return the settings without which a unit would load the guard when addresses are there."""
    return [
        name
        for name, value in EARLY.items()
        if value not in " ".join(re.findall(rf"^{name}=(.*)$", unit, re.MULTILINE)).split()
    ]


def test_the_guard_is_loaded_before_any_address_is_there() -> None:
    assert too_late(UNIT.read_text()) == []


@pytest.mark.parametrize(("name", "value"), EARLY.items())
def test_a_unit_that_loads_it_too_late_is_found(name: str, value: str) -> None:
    unit = UNIT.read_text()
    changed = re.sub(rf"^({name}=.*){value}", r"\1", unit, flags=re.MULTILINE)
    assert changed != unit
    assert too_late(changed) == [name]


def test_a_provision_begins_with_the_guard() -> None:
    # All that comes after it needs an engine, or the network where a package is missing.
    (play,) = tree.read_yaml(tree.ROOT / "ansible/provision.yml")
    first = play["tasks"][0]["ansible.builtin.include_role"]
    assert (tree.ROOT / "roles" / first["name"] / "files/etc/classvm/guard.nft").is_file()
