from __future__ import annotations

from classvm.inventory import limit

KNOWN = {"vm-148-1", "vm-148-2", "section_a", "section_b", "class_vms", "all", "ungrouped"}


def test_the_nearest_names_are_told() -> None:
    assert limit.missing(["secton_a", "vm-148-2x"], KNOWN) == (
        "the inventory has no host or group secton_a, vm-148-2x, so nothing was done."
        " Did you mean LIMIT=section_a,vm-148-2?"
    )


def test_a_name_without_its_domain_is_known() -> None:
    known = {f"vm-148-{number}.example.org" for number in (1, 7, 17)}
    assert limit.missing(["vm-148-7"], known).endswith("LIMIT=vm-148-7.example.org?")


def test_where_none_is_near_some_are_told() -> None:
    told = limit.missing(["q"], {f"host-{number:02}" for number in range(20)})
    assert told.endswith(
        "Take LIMIT from these: " + ", ".join(f"host-0{n}" for n in range(8)) + " and 12 more"
    )


def test_the_group_of_the_rest_is_proposed_to_nobody() -> None:
    assert "ungrouped" not in limit.missing(["ungroup"], KNOWN)


def test_a_forgotten_inventory_is_told() -> None:
    told = limit.missing(["vm-148-1"], {"all", "ungrouped", "localhost"})
    assert told.endswith("name yours with INVENTORY=FILE")


def test_a_limit_that_leaves_nobody() -> None:
    told = limit.empty("section_a:&section_b", KNOWN)
    assert told.startswith(
        "no host of the inventory is left by LIMIT=section_a:&section_b, so nothing"
    )
    assert "class_vms, section_a" in told
