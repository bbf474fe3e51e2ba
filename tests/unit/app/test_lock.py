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
    with pytest.raises(ClassvmError, match="was not made by `make lock`: run it, then deploy"):
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
