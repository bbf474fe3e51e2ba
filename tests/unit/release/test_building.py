"""Building an app's image; test_modules and test_student_release have the rest."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from classvm.base.docker import Docker
from classvm.base.errors import ClassvmError
from classvm.image import image_labels, lock_compile, lock_store, service_image
from classvm.image.confinement import Confined
from classvm.release import building, history
from recipe import RECIPE

WITHIN = Confined(("--cgroup-parent", "/g"), (), 9.0, lambda _: None)


@pytest.mark.parametrize("within", [None, WITHIN])
def test_the_bounds_hold_for_the_lock_and_for_the_image(
    within: Confined | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[object] = []

    def compiled(*given: object) -> str:
        seen.append(given[-1])
        return "flask==1\n"

    monkeypatch.setattr(lock_compile, "compile_lock", compiled)
    monkeypatch.setattr(lock_store, "with_lock", lambda context, _: context)
    monkeypatch.setattr(service_image, "build", lambda *given: seen.append(given[-1]))
    monkeypatch.setattr(Docker, "labels_of_images", lambda *_: {})
    recipe = dataclasses.replace(RECIPE, lock="1" * 64)
    building.build(Docker(), recipe, b"", {}, str(tmp_path), within)
    assert seen == [within, within]


def test_a_failure_has_its_line_only_where_there_is_a_history(tmp_path: Path) -> None:
    for state_dir in ("", str(tmp_path)):
        with (
            pytest.raises(ClassvmError, match="no luck"),
            building.recorded(state_dir, RECIPE, "a"),
        ):
            raise ClassvmError("no luck")
    (line,) = history.read(str(tmp_path), RECIPE.service)
    assert (line.result, line.reason, line.release) == ("refused", "no luck", RECIPE.release)
    with building.recorded(str(tmp_path), RECIPE, "a"):
        pass
    assert len(history.read(str(tmp_path), RECIPE.service)) == 1


def test_of_the_locks_of_images_that_are_not_built_the_newest_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It spares the next try its time. Each of a student's may be another one, of 16 MB."""

    def refuse(*_: object) -> None:
        raise ClassvmError("no luck")

    built, *failed = (digit * 64 for digit in "123")
    monkeypatch.setattr(lock_compile, "compile_lock", lambda *_: "flask==1\n")
    monkeypatch.setattr(lock_store, "with_lock", lambda context, _: context)
    monkeypatch.setattr(service_image, "build", lambda *_: None)
    labels = {"image": {image_labels.LABEL_LOCK: built}}
    monkeypatch.setattr(Docker, "labels_of_images", lambda *_: labels)
    recipe = dataclasses.replace(RECIPE, lock=built)
    building.build(Docker(), recipe, b"", {}, str(tmp_path), WITHIN)
    monkeypatch.setattr(service_image, "build", refuse)
    for lock in failed:
        with pytest.raises(ClassvmError, match="no luck"):
            building.build(
                Docker(), dataclasses.replace(RECIPE, lock=lock), b"", {}, str(tmp_path), WITHIN
            )
    assert lock_store.stored(str(tmp_path)) == [built, failed[-1]]
