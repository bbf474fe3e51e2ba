"""Fixtures of the tests of releases: a host that lives in memory."""

from __future__ import annotations

import pytest
from fake_engine import (
    OLD,
    OTHER,
    RELEASE_SPEC,
    Engine,
    enter,
)
from start_states import (
    World,
    deploy,
)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Offer ``world(engine)``: clock, ports and files then belong to the model."""
    return lambda engine: enter(engine, monkeypatch)


@pytest.fixture
def three(world: World) -> Engine:
    """Return an engine on which r1, r2 and r3 were released."""
    engine = Engine()
    world(engine)
    for spec in (OLD, RELEASE_SPEC, OTHER):
        deploy(engine, spec)
    engine.revive()
    return engine
