"""The image in which the contract is checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from classvm.base.docker import Docker
from classvm.base.errors import ClassvmError
from classvm.image import checker_image, image_labels

if TYPE_CHECKING:
    from collections.abc import Callable

RECIPE = checker_image.Recipe(base="b:1", base_digest="b", context_digest="8")
SCRIPT = """
case "$*" in
*--help) echo --secret ;;
build*) cat >/dev/null; echo step; exit {code} ;;
"image ls"*) echo {listed} ;;
"image rm"*in-use) exit 1 ;;
"image inspect"*) {inspect} ;;
esac
"""


def described(digest: str) -> str:
    image = {"Id": "i", "Size": 1, "Config": {"Labels": {image_labels.LABEL_DIGEST: digest}}}
    return f"cat <<'END'\n{json.dumps([image])}\nEND\n"


def test_it_is_named_by_its_content() -> None:
    # printf 'b\n8' | sha256sum
    assert RECIPE.image == f"classvm/checker:{RECIPE.digest[:12]}"
    others = [checker_image.Recipe("b:1", "c", "8"), checker_image.Recipe("b:1", "b", "9")]
    assert RECIPE.image not in {one.image for one in others}
    assert checker_image.Recipe("ubuntu:18.04", "b", "8").image == RECIPE.image


def test_its_labels_are_found_by_reset_and_by_the_next_deploy() -> None:
    assert RECIPE.labels == {"classvm.service": "", "classvm.digest": RECIPE.digest}


def test_it_takes_the_place_of_the_others(program: Callable[..., Path]) -> None:
    listed = f"{RECIPE.image} classvm/checker:old classvm/checker:in-use"
    calls = program(
        "docker", SCRIPT.format(code=0, listed=listed, inspect=described(RECIPE.digest))
    )
    checker_image.build(Docker(), RECIPE, b"tar", {})
    told = calls.read_text().splitlines()
    assert told[1] == (
        f"build --progress=plain --tag {RECIPE.image} --build-arg BASE_IMAGE=b:1"
        f" --label classvm.service= --label classvm.digest={RECIPE.digest} -"
    )
    removed = [line.split()[-1] for line in told if line.startswith("image rm")]
    assert removed == ["classvm/checker:old", "classvm/checker:in-use"]


def test_what_is_in_use_stays(program: Callable[..., Path]) -> None:
    listed = "classvm/checker:old classvm/checker:in-use"
    program("docker", SCRIPT.format(code=0, listed=listed, inspect=":"))
    assert checker_image.prune(Docker(), RECIPE.image) == ["classvm/checker:old"]


@pytest.mark.parametrize(
    "inspect", ["echo no such image >&2; exit 1", described("other")], ids=["none", "another"]
)
def test_a_failed_build_is_not_the_apps_fault(inspect: str, program: Callable[..., Path]) -> None:
    program("docker", SCRIPT.format(code=1, listed="", inspect=inspect))
    with pytest.raises(ClassvmError) as failed:
        checker_image.build(Docker(), RECIPE, b"tar", {})
    first, second, *_ = str(failed.value).splitlines()
    assert first == "The image for the contract check could not be built: step"
    assert second.startswith("Your app is not the reason")


def test_the_image_of_another_deploys_build_is_taken(program: Callable[..., Path]) -> None:
    program("docker", SCRIPT.format(code=1, listed="", inspect=described(RECIPE.digest)))
    checker_image.build(Docker(), RECIPE, b"tar", {})
