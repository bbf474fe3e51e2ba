"""A small app in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import small_app

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_app.make(tmp_path)
