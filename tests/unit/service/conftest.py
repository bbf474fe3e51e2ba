"""Fixtures of the service's tests: the application, without Docker."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

SERVICE = Path(__file__).resolve().parents[3] / "service"
sys.path.insert(0, str(SERVICE))

from server import create_app  # noqa: E402 - its folder was added to the path above

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient


@pytest.fixture(scope="session")
def service() -> Path:
    """Return the folder of the service."""
    return SERVICE


@pytest.fixture(scope="session")
def app() -> Flask:
    """Return the application, built once."""
    return create_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a client that calls the application directly."""
    return app.test_client()
