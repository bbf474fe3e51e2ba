"""What the labels of a host's images tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tree
import yaml
from classvm.base.docker import Docker, Image
from classvm.image import image_labels, service_image
from classvm.provision import fingerprint
from recipe import RECIPE, described

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def engine(base: str, listed: str, labels: dict[str, str], *tags: str) -> str:
    """Return a script that knows one base image and one service image."""
    return f"""
case "$*" in
  "image ls"*) echo {listed};;
  *:18.04) {base}
;;
  *) {described(labels, *tags)}
;;
esac"""


def test_what_is_known_of_a_host_tells_what_is_built(program: Callable[..., Path]) -> None:
    program(
        "docker", engine(described({}), RECIPE.image, service_image.labels(RECIPE), RECIPE.image)
    )
    known = image_labels.known(Docker(), RECIPE.base)
    assert known == {
        "base": Image("", {}, 1).content,
        "built": {RECIPE.image: RECIPE.digest},
        "contracts": ["6"],
    }


def test_the_digests_of_the_images_that_are_asked_for(program: Callable[..., Path]) -> None:
    calls = program("docker", described(service_image.labels(RECIPE), RECIPE.image, "mine:1"))
    found = image_labels.digests(Docker(), RECIPE.image, "classvm/checker:1")
    assert found == {RECIPE.image: RECIPE.digest}
    assert calls.read_text() == f"image inspect {RECIPE.image} classvm/checker:1\n"


def test_an_image_without_the_label_has_no_digest(program: Callable[..., Path]) -> None:
    program("docker", described({}, "mine:1"))
    assert image_labels.digests(Docker(), "mine:1") == {"mine:1": ""}
    assert image_labels.digests(Docker()) == {}


@pytest.mark.parametrize(("listed", "tags"), [("", ["a:1"]), ("a:1", [])])
def test_nothing_is_built_where_no_image_has_a_name(
    listed: str, tags: list[str], program: Callable[..., Path]
) -> None:
    program("docker", engine(described({}), listed, service_image.labels(RECIPE), *tags))
    assert image_labels.known(Docker(), RECIPE.base)["built"] == {}


def test_nothing_is_known_without_a_base_image(program: Callable[..., Path]) -> None:
    program("docker", engine("echo no such image >&2; exit 1", "a:1", {}))
    assert image_labels.known(Docker(), RECIPE.base) == {}


@pytest.mark.parametrize(
    ("labels", "port"),
    [({}, 9000), ({"classvm.port": "5000"}, 5000), ({"classvm.port": "x"}, 9000)],
)
def test_the_port_of_an_image(labels: dict[str, str], port: int) -> None:
    image = Image(id="", labels=labels, size=0)
    assert image_labels.container_port(image, 9000) == port
    assert image_labels.container_port(None, 9000) == 9000


@pytest.mark.parametrize(
    ("module", "carries"),
    [("classvm_provisioned", False), ("classvm_release", False), ("classvm_image", True)],
)
def test_who_only_asks_does_not_carry_how_an_image_is_built(
    module: str, carries: bool, tmp_path: Path
) -> None:
    """Each file that a module imports is packed, sent and compiled for each of its tasks."""
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(f"- {{hosts: all, tasks: [{{classvm.kit.{module}: {{}}}}]}}\n")
    collection = tree.ROOT / "ansible/collections/ansible_collections/classvm/kit"
    used = fingerprint.closure(playbook, collection, yaml.safe_load)
    assert ("builder.py" in {file.name for file in used.files}) is carries


@pytest.mark.parametrize(
    ("said", "port"), [("9000", 9000), ("9" * 5000, 80), ("\u0669", 80), ("-1", 80), ("", 80)]
)
def test_a_port_that_an_app_s_own_dockerfile_names(said: str, port: int) -> None:
    """Of a number of thousands of digits, Python makes none."""
    image = Image("i", {image_labels.LABEL_PORT: said}, 1)
    assert image_labels.container_port(image, 80) == port
