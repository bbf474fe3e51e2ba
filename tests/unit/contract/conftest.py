"""The tiny service, for the tests that call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tiny_service

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def service() -> Iterator[tiny_service.Service]:
    with tiny_service.running() as server:
        yield server


@pytest.fixture
def closed_url() -> str:
    return tiny_service.closed_url()
