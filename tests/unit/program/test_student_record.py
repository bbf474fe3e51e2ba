"""What an admin has recorded for the releases of students."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import tree
from classvm.base import state
from classvm.image.build_group import Share
from classvm.image.confinement import Bounds
from classvm.program import protocol, schema, student_record
from classvm.program.checked import problems
from classvm.program.protocol import RefusedError
from classvm.program.student_record import Record
from program_requests import RELEASE, SETTINGS

BUILD = {"memory": "1g", "pids": 512, "cpus": 1.5, "seconds": 900, "disk": "4g"}
RECORD: dict[str, Any] = {
    "settings": {**SETTINGS, "environment": {"A": "1"}},
    "keep_releases": 5,
    "base_image": "b:1",
    "build": BUILD,
}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert student_record.differs(str(tmp_path), RECORD)
    student_record.write(str(tmp_path), RECORD)
    assert not student_record.differs(str(tmp_path), RECORD)
    assert student_record.differs(str(tmp_path), {**RECORD, "keep_releases": 6})
    bounds = Bounds(Share(1 << 30, 512, 1.5), 900, 4 << 30)
    assert Record.read(str(tmp_path)) == Record(RECORD["settings"], 5, "b:1", bounds)


def test_others_may_not_read_it(tmp_path: Path) -> None:
    """Its variables may be secret, and no name of a service makes the file of another record."""
    student_record.write(str(tmp_path), RECORD)
    assert os.stat(student_record.path(str(tmp_path))).st_mode & 0o777 == state.SECRET_MODE
    assert student_record.FILE.startswith(state.SECRET)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"build": {"memory": "much"}}'])
def test_a_record_that_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / student_record.FILE).write_text(text)
    with pytest.raises(RefusedError, match="no record") as refused:
        Record.read(str(tmp_path))
    assert refused.value.code == protocol.NOT_PROVISIONED


def test_the_settings_of_a_release_are_valid_as_a_request() -> None:
    record = Record(RECORD["settings"], 5, "b:1", Bounds(Share(1, 1, 1.0), 1, 1))
    settings = record.settings_for({})
    assert settings == RECORD["settings"]
    assert not list(problems({**RELEASE, "settings": settings}, schema.REQUESTS["release"]))
    assert "memory 512m" in record.told()[0]


@pytest.mark.parametrize(
    ("asked", "is_less"), [("511m", True), ("512m", True), ("0.5g", True), ("513m", False)]
)
def test_a_limit_is_compared_as_a_size(asked: str, is_less: bool) -> None:
    record = Record(RECORD["settings"], 5, "b:1", Bounds(Share(1, 1, 1.0), 1, 1))
    request = {"limits": {"memory": asked}}
    if is_less:
        assert record.settings_for(request)["limits"]["memory"] == asked
        return
    with pytest.raises(RefusedError, match="at most, as your admin has set it"):
        record.settings_for(request)


def test_the_role_records_what_the_program_reads() -> None:
    (task,) = tree.read_yaml(tree.ROOT / "roles/service/tasks/recorded.yml")
    given = task["classvm.kit.classvm_student_record"]
    assert set(given["build"]) == set(BUILD)
    known = schema.SETTINGS["properties"]
    assert set(given["settings"]) | {"environment"} == set(known)
    for name in ("limits", "seconds"):
        assert set(given["settings"][name]) == set(known[name]["properties"])
