from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import checks, layout
from classvm.base.errors import ClassvmError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_in_order_is_accepted(folder: Path) -> None:
    checks.check_folder(folder)


@pytest.mark.parametrize("name", [layout.DOCKERFILE, layout.SPEC, layout.REQUIREMENTS, layout.LOCK])
def test_a_missing_file_is_named(name: str, folder: Path) -> None:
    (folder / name).unlink()
    with pytest.raises(ClassvmError, match=f"is not a service: it has no {name}"):
        checks.check_folder(folder)
    (folder / name).mkdir()
    with pytest.raises(ClassvmError, match=f"it has no {name}"):
        checks.check_folder(folder)
