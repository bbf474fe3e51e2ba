"""Folders that survive releases."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest
from classvm.base.docker import Docker, Image
from classvm.image.image_labels import LABEL_KEEP
from classvm.release import keep

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("label", "folders"),
    [
        ('["/service/b", "/service/a"]', ("/service/a", "/service/b")),
        ("[]", ()),
        ("not json", ()),
        ('{"a": 1}', ()),
    ],
)
def test_the_image_names_them(label: str, folders: tuple[str, ...]) -> None:
    assert keep.folders(Image("i", {LABEL_KEEP: label}, 1)) == folders


def test_other_images_name_none() -> None:
    assert keep.folders(Image("i", {}, 1)) == ()
    assert keep.folders(None) == ()


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("/service/data", "classvm-lab-keep-data"),
        ("/service/up/loads", "classvm-lab-keep-up-loads-"),
        ("/service/up-loads", "classvm-lab-keep-up-loads"),
        ("/service/Übung 1", "classvm-lab-keep--bung-1-"),
        ("/var/lib/app", "classvm-lab-keep-var-lib-app-"),
    ],
)
def test_names_of_volumes(folder: str, name: str) -> None:
    found = keep.volume("lab", folder)
    assert found.startswith(name)
    assert len(found) == len(name) + (8 if name.endswith("-") else 0)
    assert not keep.UNFIT.search(found)


def test_no_two_folders_share_a_volume() -> None:
    folders = ["/service/a/b", "/service/a-b", "/service/a b", "/a/b", "/service/a/b/"]
    assert len({keep.volume("lab", folder) for folder in folders}) == len(folders)


def test_how_docker_is_told() -> None:
    assert keep.argv("lab", ()) == []
    assert keep.argv("lab", ("/service/data",)) == [
        "--mount",
        "type=volume,src=classvm-lab-keep-data,dst=/service/data",
    ]


def test_a_comma_in_a_name_is_quoted() -> None:
    (_, words) = keep.argv("lab", ('/service/a,b "c"',))
    assert next(csv.reader([words]))[2] == 'dst=/service/a,b "c"'


def test_what_differs_is_told() -> None:
    desired = {"memory": "64m", **keep.settings("lab", ("/service/data",))}
    mount = {"Type": "volume", "Source": "classvm-lab-keep-data", "Target": "/service/data"}
    assert keep.differences(desired, {"Mounts": [mount]}) == []
    problem = ["/service/data is not on its volume classvm-lab-keep-data"]
    assert keep.differences(desired, {"Mounts": [{**mount, "Source": "other"}]}) == problem
    assert keep.differences(desired, {}) == problem
    assert keep.differences({"memory": "64m"}, {}) == []


def test_the_volumes_of_a_host(program: Callable[..., Path]) -> None:
    named = {keep.volume("lab", "/service/b"), keep.volume("my-app", "/a b")}
    program("docker", f"echo {' '.join(named)} my-classvm-lab-keep-c classvm-x")
    assert keep.volumes(Docker()) == sorted(named)


def test_the_label_is_json() -> None:
    label = json.dumps(("/service/a",))
    assert keep.folders(Image("i", {LABEL_KEEP: label}, 1)) == ("/service/a",)
