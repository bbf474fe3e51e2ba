"""In which order the checks of a host run, since some of them disturb others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from infra import conftest, test_edge


def item(name: str, *marks: str, fixtures: tuple[str, ...] = ()) -> Any:
    return SimpleNamespace(
        name=name,
        fixturenames=fixtures,
        get_closest_marker=lambda mark: mark if mark in marks else None,
    )


def test_what_disturbs_others_comes_after_them() -> None:
    items = [
        item("restarts the host", "disruptive", fixtures=("after_dry_run",)),
        item("takes all connections", fixtures=("after_dry_run",)),
        item("asks", "scan"),
        item("waits for the dry run", fixtures=("dry_run",)),
    ]
    conftest.pytest_collection_modifyitems(items)
    names = [one.name for one in items]
    assert names == ["asks", "waits for the dry run", "takes all connections", "restarts the host"]


def test_the_check_of_a_client_s_share_waits_for_the_dry_run() -> None:
    # The dry run calls the service with the same address.
    check: Any = test_edge.test_a_client_has_only_its_share_of_the_connections
    assert pytest.mark.usefixtures("after_dry_run").mark in check.pytestmark
