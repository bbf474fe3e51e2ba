"""Fixtures of the service's tests: the application, without Docker."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

SERVICE = Path(__file__).resolve().parents[3] / "service"
sys.path.insert(0, str(SERVICE))

from server import create_app  # noqa: E402 - its folder was added to the path above
from src import spec  # noqa: E402 - like that of server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., FlaskClient]]:
    """Return a function that builds the service with another spec."""
    monkeypatch.setattr(spec, "SPEC_FILE", tmp_path / "other.yml")

    def forget() -> None:
        spec.load.cache_clear()
        spec.operations.cache_clear()

    def create(document: dict[str, Any]) -> FlaskClient:
        whole = {"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, **document}
        spec.SPEC_FILE.write_text(yaml.safe_dump(whole))
        forget()
        return create_app().test_client()

    yield create
    forget()
