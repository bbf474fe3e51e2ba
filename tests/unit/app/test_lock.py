from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import layout, lock
from classvm.base.errors import ClassvmError
from small_app import LOCK, append, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "reason"),
    [(layout.LOCK, "edited by hand"), (layout.REQUIREMENTS, "edited by hand")],
)
def test_an_edited_lock_or_requirement_is_refused(name: str, reason: str, folder: Path) -> None:
    append(folder, name, "flask\n")
    with pytest.raises(ClassvmError, match=f"{reason}.* run `make lock`"):
        lock.check_lock(folder)


def test_a_lock_that_make_lock_did_not_write_is_refused(folder: Path) -> None:
    write(folder, layout.LOCK, LOCK)
    with pytest.raises(ClassvmError, match=r"was not made by `make lock`\. Run `make lock`, then"):
        lock.check_lock(folder)


def test_a_seal_of_something_else_is_refused(folder: Path) -> None:
    write(folder, layout.LOCK, f"{lock.LOCK_SEAL}{'0' * 64}\n{LOCK}")
    with pytest.raises(ClassvmError, match="edited by hand"):
        lock.check_lock(folder)


def test_a_checkout_with_windows_line_ends_is_accepted(folder: Path) -> None:
    for name in (layout.REQUIREMENTS, layout.LOCK):
        file = folder / name
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    lock.check_lock(folder)


def test_the_lab_s_layout_is_sealed(folder: Path) -> None:
    assert lock.is_sealed(folder)
    append(folder, layout.LOCK, "flask\n")  # to be refused, not to be taken for a student's list
    assert lock.is_sealed(folder)


@pytest.mark.parametrize("name", [layout.DOCKERFILE, layout.SPEC, layout.REQUIREMENTS, layout.LOCK])
def test_without_one_of_the_files_it_is_not(name: str, folder: Path) -> None:
    (folder / name).unlink()
    assert not lock.is_sealed(folder)


def test_a_list_of_requirements_is_no_sealed_lock(folder: Path) -> None:
    write(folder, layout.LOCK, LOCK)
    assert not lock.is_sealed(folder)
