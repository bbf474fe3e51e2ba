"""Where an admin has the engine listen; `systemctl` is a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.base import docker
from classvm.base.errors import ClassvmError
from classvm.provision import engine_hosts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = "/etc/docker/daemon.json"
TCP = "tcp://127.0.0.1:2375"
UNIT = "ExecStart={{ path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd {} ; ignore_errors=no }}"


@pytest.mark.parametrize("words", ["-H fd://", "--host=fd:// --containerd=/run/x", "--host fd://"])
def test_hosts_twice_are_told(words: str, program: Callable[..., Path]) -> None:
    program("systemctl", f"echo '{UNIT.format(words)}'")
    with pytest.raises(ClassvmError, match="both its settings") as told:
        engine_hosts.require_ours(FILE, {"hosts": ["fd://", TCP]}, systemd=True)
    assert told.value.place == FILE
    assert "Remove `hosts`" in told.value.fix
    engine_hosts.require_ours(FILE, {"dns": []}, systemd=True)


@pytest.mark.parametrize(
    ("hosts", "systemd", "is_ours"),
    [
        (["fd://", TCP], True, True),
        (["fd://", TCP], False, False),
        (list(engine_hosts.OURS[:1]), False, True),
        (["unix:///run/docker.sock", TCP], True, True),
        ([TCP], True, False),
        ([], True, False),
        (None, False, False),
    ],
)
def test_the_kit_s_socket_is_among_them(
    hosts: list[str] | None, systemd: bool, is_ours: bool, program: Callable[..., Path]
) -> None:
    program("systemctl", f"echo '{UNIT.format('--containerd=/run/x')}'")
    if is_ours:
        engine_hosts.require_ours(FILE, {"hosts": hosts}, systemd=systemd)
        return
    with pytest.raises(ClassvmError, match="would not listen at") as told:
        engine_hosts.require_ours(FILE, {"hosts": hosts}, systemd=systemd)
    assert engine_hosts.OURS[0] in told.value.fix


def test_the_socket_is_that_of_the_client() -> None:
    assert engine_hosts.OURS[0] == "unix:///var/run/docker.sock"
    assert docker.SOCKET  # the tests hide the engine behind another one


def test_the_engine_of_a_snap_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    current = tmp_path / "docker" / "current"
    monkeypatch.setattr(engine_hosts, "SNAP", current)
    engine_hosts.require_no_snap()
    # Of a snap that is disabled, its revisions are left.
    (tmp_path / "docker" / "2915").mkdir(parents=True)
    engine_hosts.require_no_snap()
    current.symlink_to("2915")
    with pytest.raises(ClassvmError, match=r"Docker is here as a snap.*docker\.sock") as told:
        engine_hosts.require_no_snap()
    assert "`sudo snap remove docker`" in told.value.fix
