"""Whether an image is what its labels say."""

from __future__ import annotations

import hashlib

import pytest
from classvm.base.docker import Docker, Image
from classvm.base.errors import ClassvmError
from classvm.image import service_image
from classvm.image.image_labels import LABEL_BASE, LABEL_BASE_NAME, LABEL_DIGEST, LABEL_RELEASE
from classvm.program import image_check

BASE = Image("b", {}, 1, ("l1", "l2"))
RECIPE = service_image.Recipe("lab", "base:1", BASE.content, "5")
GOOD = Image("i", service_image.labels(RECIPE), 1, ("l1", "l2", "l3"))


class Images(Docker):
    """An engine with images."""

    def __init__(self, **images: Image) -> None:
        super().__init__()
        self.images = images

    def image(self, reference: str) -> Image | None:
        return self.images.get("base" if reference == "base:1" else "image")


def problems(image: Image, *, has_base: bool = True) -> list[str]:
    images = {"image": image, **({"base": BASE} if has_base else {})}
    found: list[str] = image_check.check(Images(**images), "lab", RECIPE.release)["problems"]
    return found


def test_a_good_image() -> None:
    assert problems(GOOD) == []


def changed(label: str, value: str) -> Image:
    return Image("i", {**GOOD.labels, label: value}, 1, GOOD.layers)


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        (changed(LABEL_RELEASE, "r1"), "its label classvm.release is 'r1'"),
        (changed("classvm.service", "other"), "its label classvm.service is 'other'"),
        (changed(LABEL_DIGEST, "0"), "does not begin its digest '0'"),
        (changed(LABEL_BASE, hashlib.sha256(b"x").hexdigest()), "its lowest layers are not those"),
        (changed(LABEL_BASE_NAME, ""), "it names no base image"),
        (Image("i", GOOD.labels, 1, ("l1", "evil", "l3")), "its lowest layers are not those"),
    ],
)
def test_each_difference_is_told(image: Image, problem: str) -> None:
    (found,) = problems(image)
    assert problem in found


def test_without_the_base_image_nothing_can_be_compared() -> None:
    assert problems(GOOD, has_base=False) == ["the base image base:1 is not here to compare with"]


@pytest.mark.parametrize("release", ["", "r9"])
def test_an_image_that_is_not_here(release: str) -> None:
    with pytest.raises(ClassvmError, match="make releases"):
        image_check.check(Images(), "lab", release)
