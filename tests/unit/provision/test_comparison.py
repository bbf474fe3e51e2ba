"""What a host tells of its provision: before a deploy, to a person who looks, once it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from classvm.base import host, locks
from classvm.base.docker import Docker
from classvm.base.errors import ClassvmError
from classvm.provision import comparison, freshness, guard, port

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> comparison.Asked:
    """Return what a deploy asks of a host of the service lab that was never provisioned."""
    (tmp_path / host.CHOICES).write_text('{"service": "lab", "guarded": true}')
    for name in ("repair_state", "unseen"):
        monkeypatch.setattr(freshness, name, lambda *_: "")
    monkeypatch.setattr(freshness, "state_problem", lambda _: "")
    monkeypatch.setattr(Docker, "engine_version", lambda _: None)
    return comparison.Asked(str(tmp_path), "f1-v1", "b", "lab", 11000, password_given=True)


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list of the ports that are asked about from now on."""
    found: list[int] = []
    monkeypatch.setattr(port, "require_port", lambda *given: found.append(given[-1]))
    return found


def test_before_a_deploy_the_port_is_asked_about(asked: comparison.Asked, ports: list[int]) -> None:
    answer = comparison.before_deploy(asked, {"DOCKER_CONTEXT": "there", "DOCKER_CONFIG": "/none"})
    assert answer["stale"] == "this host was never provisioned"
    assert (answer["ignored"], ports) == (["DOCKER_CONTEXT"], [11000])


def test_a_full_disk_is_refused_before_a_deploy_and_told_to_nobody_who_looks(
    asked: comparison.Asked, ports: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise ClassvmError("Disk full")

    monkeypatch.setattr(host, "require_space", refuse)
    with pytest.raises(ClassvmError, match="Disk full"):
        comparison.before_deploy(asked)
    found = comparison.compared(asked)
    assert found["problems"] == ["this host was never provisioned"]
    assert (found["guard"], ports) == (guard.MISSING, [])


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_provision_is_recorded_once(
    check_mode: bool, asked: comparison.Asked, ports: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Docker, "engine_problem", lambda _: "")
    for name in ("engine.problem", "haproxy.problem", "guard.problem"):
        monkeypatch.setattr(f"classvm.provision.{name}", lambda *_: "")
    monkeypatch.setattr(Docker, "image", lambda *_: object())
    monkeypatch.setattr(freshness, "digests", dict)
    found = [comparison.record(asked, check_mode=check_mode) for _ in range(2)]
    assert found == [True, check_mode]
    # Its own work may hold the port by now.
    assert ports == []


def test_a_provision_waits_for_whoever_is_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "SECONDS", 0.2)
    comparison.settle(str(tmp_path / "missing"))
    comparison.settle(str(tmp_path))
    with locks.held(str(tmp_path)), pytest.raises(ClassvmError, match="Another deploy holds"):
        comparison.settle(str(tmp_path))
