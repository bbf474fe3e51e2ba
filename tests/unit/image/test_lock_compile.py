"""Compiling a lock on the host."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from classvm.base import command
from classvm.base.docker import Docker
from classvm.base.errors import ClassvmError
from classvm.image import lock_compile, service_image
from classvm.image.confinement import Confined

if TYPE_CHECKING:
    from collections.abc import Callable

RECIPE = service_image.Recipe("lab", "b:1", "b", "5", lock="0123456789abcdef")
IMAGE = "classvm/lab:lock-0123456789ab"
SCRIPT = """
case "$*" in
*--help) echo --secret ;;
build*) cat >/dev/null; {build} ;;
run*) {run} ;;
esac
"""


def compiled(
    program: Callable[..., Path], build: str = "", run: str = "", within: Confined | None = None
) -> str:
    program("docker", SCRIPT.format(build=build or ":", run=run or ":"))
    return lock_compile.compile_lock(Docker(), RECIPE, b"tar", {}, within)


def test_the_lock_is_what_the_stage_prints(program: Callable[..., Path], tmp_path: Path) -> None:
    assert compiled(program, run="echo flask==1; echo noise >&2") == "flask==1\n"
    calls = (tmp_path / "docker.calls").read_text().splitlines()
    assert calls[1:] == [
        (
            f"build --progress=plain --target lock --tag {IMAGE} --build-arg BASE_IMAGE=b:1"
            " --label classvm.service=lab -"
        ),
        f"run --rm --network none {IMAGE}",
        f"image rm {IMAGE}",
    ]


def test_requirements_that_cannot_be_resolved(program: Callable[..., Path]) -> None:
    line = "#9 1.2 ERROR: Could not find a version that satisfies the requirement flask==99"
    with pytest.raises(ClassvmError) as failed:
        compiled(program, build=f"echo '{line}'; exit 1", run="echo never")
    first, second, *_ = str(failed.value).splitlines()
    assert first == (
        "The packages of the app could not be resolved: Could not find a version that"
        " satisfies the requirement flask==99"
    )
    assert second.startswith("The running release was not touched")


@pytest.mark.parametrize("run", ["exit 1", "echo"], ids=["it fails", "it prints nothing"])
def test_a_stage_that_prints_no_lock(
    run: str, program: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(ClassvmError, match="could not be resolved: the build printed nothing"):
        compiled(program, run=run)
    assert f"image rm {IMAGE}" in (tmp_path / "docker.calls").read_text()


def test_the_image_is_gone_when_the_lock_does_not_come(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(lock_compile, "PRINT_SECONDS", 0.1)
    with pytest.raises(ClassvmError, match="did not end within"):
        compiled(program, run="exec sleep 1")
    assert f"image rm {IMAGE}" in (tmp_path / "docker.calls").read_text()


def test_another_lock_has_another_image(program: Callable[..., Path], tmp_path: Path) -> None:
    program("docker", SCRIPT.format(build=":", run="echo x"))
    other = dataclasses.replace(RECIPE, lock="f" * 64)
    lock_compile.compile_lock(Docker(), other, b"tar", {})
    assert IMAGE not in (tmp_path / "docker.calls").read_text()


@pytest.mark.parametrize("run", ["echo flask==1", "exec sleep 9"])
def test_a_student_s_image_prints_within_bounds_and_its_container_ends(
    run: str, program: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_compile, "PRINT_SECONDS", 0.2)
    monkeypatch.setattr(command, "LOOK_SECONDS", 0.02)
    within = Confined(("--cgroup-parent", "/g"), ("--pids-limit", "9"), 9.0, lambda _: None)
    if "sleep" in run:
        with pytest.raises(ClassvmError, match="did not end within"):
            compiled(program, run=run, within=within)
    else:
        assert compiled(program, run=run, within=within) == "flask==1\n"
    name = IMAGE.replace("/", "-").replace(":", "-")
    build, *calls = (tmp_path / "docker.calls").read_text().splitlines()[1:]
    assert build.endswith("--cgroup-parent /g -")
    assert calls == [
        f"run --rm --network none --name {name} --pids-limit 9 {IMAGE}",
        f"rm --force {name}",
        f"image rm {IMAGE}",
    ]
