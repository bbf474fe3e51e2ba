"""The service image contains what the tree defines, and nothing else."""

from __future__ import annotations

import fnmatch
import hashlib
import io
import json
import re
import tarfile
from typing import TYPE_CHECKING

import pytest
from classvm.base.names import image_name
from classvm.image import image_labels
from classvm.image.base_image import UBUNTU_VERSION
from classvm.release.release_spec import LABEL_SETTINGS
from infra.expected import Facts, normal
from infra.released import short

if TYPE_CHECKING:
    from infra.vm import Vm

EVIDENCE = ("containers",)


def test_the_system_inside_is_the_one_of_the_lab(vm: Vm) -> None:
    assert vm.content["system"]["VERSION_ID"].strip('"') == UBUNTU_VERSION


@pytest.mark.usefixtures("sealed", "sources")
def test_the_python_inside_is_the_one_of_the_dockerfile(vm: Vm, facts: Facts) -> None:
    desired = re.findall(r"\bpython(\d+\.\d+)-minimal\b", dockerfile(facts))[-1]
    assert ".".join(map(str, vm.content["python"][:2])) == desired


@pytest.mark.usefixtures("sealed")
def test_the_installed_packages_are_those_of_the_lock(vm: Vm, facts: Facts) -> None:
    installed = vm.content["packages"]["versions"]
    assert sorted([normal(name), version] for name, version in installed) == sorted(
        [name, version] for name, version in facts.packages.items()
    )


def test_no_file_of_a_package_was_changed(vm: Vm) -> None:
    assert vm.content["packages"]["changed"] == []


def test_no_other_code_lies_among_the_packages(vm: Vm) -> None:
    assert vm.content["packages"]["foreign"] == []


def test_nothing_inside_compiles_software(vm: Vm) -> None:
    assert vm.content["compilers"] == []


def test_nothing_inside_installs_software(vm: Vm) -> None:
    assert vm.content["installers"] == []


def test_nothing_inside_runs_with_more_rights_than_its_user(vm: Vm) -> None:
    assert vm.content["privileged"] == []


@pytest.mark.usefixtures("sealed", "sources")
def test_the_health_check_is_the_one_of_the_dockerfile(vm: Vm, facts: Facts) -> None:
    desired = re.findall(r"^HEALTHCHECK .*CMD (\[.*\])$", dockerfile(facts), re.MULTILINE)
    found = vm.live["Config"].get("Healthcheck", {}).get("Test", [])
    assert found == [word for words in desired[-1:] for word in ["CMD", *json.loads(words)]]


# --- The release --------------------------------------------------------------------------------


def test_the_container_bears_the_desired_release(vm: Vm) -> None:
    assert vm.live["Config"]["Labels"].get(image_labels.LABEL_RELEASE) == vm.release


def test_the_image_bears_the_labels_of_its_release(vm: Vm) -> None:
    assert {name: vm.image.labels.get(name) for name in vm.labels} == vm.labels


def test_the_image_is_the_one_that_was_deployed(vm: Vm, facts: Facts) -> None:
    if not facts.released:
        pytest.skip("the live release was not reached by a rollback")
    assert vm.image.id == facts.released.image_id


def test_the_container_was_started_with_the_settings_of_the_host(vm: Vm) -> None:
    assert vm.live["Config"]["Labels"].get(LABEL_SETTINGS) == vm.release_spec.settings


def test_the_container_runs_the_image_that_its_name_means(vm: Vm, facts: Facts) -> None:
    named = vm.docker.image(vm.live["Config"]["Image"])
    assert named is not None
    desired = image_name(str(facts["service_name"]), vm.release)
    assert (vm.live["Config"]["Image"], vm.live["Image"]) == (desired, named.id)


def test_the_image_stands_on_the_base_image(vm: Vm, facts: Facts) -> None:
    if facts.released and vm.image.labels.get(image_labels.LABEL_BASE) != vm.base.content:
        pytest.skip("the base image is a later one than that of the release")
    assert vm.image.layers[: len(vm.base.layers)] == vm.base.layers


# --- The files of the service -------------------------------------------------------------------


@pytest.mark.usefixtures("sealed")
def test_the_files_of_the_service_are_those_of_its_release(vm: Vm, facts: Facts) -> None:
    found = vm.content["files"]
    if facts.released:
        # Its label names the files of the whole build, of which the image has some.
        made = facts.released.files
        inside = made.keys() & found.keys()
        different = [name for name in inside if short(found[name]) != made[name]]
    else:
        desired = files(facts)
        different = [name for name in desired if found.get(name) != desired[name]]
    assert sorted(different) == []


@pytest.mark.usefixtures("sealed")
def test_no_other_file_lies_among_those_of_the_service(vm: Vm, facts: Facts) -> None:
    found = {name for name in vm.content["files"] if "__pycache__" not in name}
    known = facts.released.files if facts.released else files(facts)
    assert sorted(found - known.keys()) == []


def dockerfile(facts: Facts) -> str:
    """Return the text of the service's Dockerfile, each command on one line."""
    return (facts.service_dir / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def files(facts: Facts) -> dict[str, str]:
    """Return the digest of each file that the build's last stage copies from the folder."""
    last_stage = re.split(r"^FROM ", dockerfile(facts), flags=re.MULTILINE)[-1]
    copies = re.findall(r"^COPY (?!--)(.+)$", last_stage, re.MULTILINE)
    patterns = [pattern for words in copies for pattern in words.split()[:-1]]
    with tarfile.open(fileobj=io.BytesIO(facts.source.packed.archive)) as archive:
        return {
            member.name: hashlib.sha256(content.read()).hexdigest()
            for member in archive
            if (content := archive.extractfile(member))
            and any(is_copied(member.name, pattern) for pattern in patterns)
        }


def is_copied(name: str, pattern: str) -> bool:
    """Tell whether COPY takes a file: by its name in the top folder, or with its folder."""
    if pattern.endswith("/"):
        return name.startswith(pattern)
    return "/" not in name and fnmatch.fnmatch(name, pattern)
