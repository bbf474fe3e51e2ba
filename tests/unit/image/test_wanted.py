"""Which images a deploy needs."""

from __future__ import annotations

import dataclasses

import pytest
from classvm.image import checker_image, lock_store, service_image, wanted

ARGS = {"service": "lab", "base_image": "b:1", "source_digest": "5"}
KIT = {
    **ARGS,
    "kit": True,
    "content": "c",
    "contract_digest": "6",
    "keep": ["/service/data"],
    "lock_id_source": "7",
    "checker_digest": "8",
}
RECIPE = service_image.Recipe(service="lab", base="b:1", base_digest="b", source_digest="5")
CHECKER = checker_image.Recipe("b:1", "b", "8")


def test_the_arguments_are_the_recipes() -> None:
    assert wanted.wanted(ARGS, "b") == wanted.Wanted(RECIPE)
    images = wanted.wanted(KIT, "b")
    assert images.checker == CHECKER
    assert images.service == dataclasses.replace(
        RECIPE,
        content="c",
        contract_digest="6",
        keep=("/service/data",),
        lock=lock_store.lock_id("b", "7"),
    )
    assert images.names == [images.service.image, CHECKER.image]
    assert wanted.Wanted(RECIPE).names == [RECIPE.image]


@pytest.mark.parametrize(
    ("built", "needed"),
    [({RECIPE.image: RECIPE.digest}, False), ({RECIPE.image: "other"}, True), ({}, True)],
)
def test_what_is_known_spares_the_question(built: dict[str, str], *, needed: bool) -> None:
    assert wanted.predicted(ARGS, {"base": "b", "built": built}) == {
        "changed": False,
        "release": RECIPE.release,
        "image": RECIPE.image,
        "needs_context": needed,
        "checker_image": "",
        "needs_checker": False,
    }


@pytest.mark.parametrize(
    ("built", "needed"),
    [({CHECKER.image: CHECKER.digest}, False), ({CHECKER.image: "other"}, True), ({}, True)],
)
def test_the_checker_is_asked_for_where_it_is_missing(
    built: dict[str, str], *, needed: bool
) -> None:
    answer = wanted.predicted(KIT, {"base": "b", "built": built})
    assert answer["needs_checker"] is needed
    assert answer["checker_image"] == CHECKER.image
    assert answer["needs_context"] is True


def test_where_nothing_is_known_the_host_is_asked() -> None:
    assert wanted.predicted(ARGS, {}) == {}
