from __future__ import annotations

from pathlib import Path

import pytest
from classvm.app import layout

SERVICE = Path(__file__).parents[3] / "service"


@pytest.mark.parametrize("name", [layout.DOCKERFILE, layout.SPEC, layout.REQUIREMENTS, layout.LOCK])
def test_the_labs_own_service_has_this_layout(name: str) -> None:
    assert (SERVICE / name).is_file()
