from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.base import resolver

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Offer ``host(usual, systemd)``: the texts of the two files, None for none."""

    def install(usual: str | None, systemd: str | None = None) -> None:
        for name, text in (("USUAL", usual), ("SYSTEMD", systemd)):
            monkeypatch.setattr(resolver, name, tmp_path / name)
            if text is not None:
                (tmp_path / name).write_text(text, encoding="utf-8")

    return install


@pytest.mark.parametrize(
    ("usual", "systemd", "servers", "out_of_reach"),
    [
        ("search x\nnameserver 192.0.2.53\n", None, ["192.0.2.53"], False),
        ("nameserver 127.0.0.53\n", None, ["127.0.0.53"], True),
        ("nameserver 127.0.0.53\n", "nameserver 192.0.2.53\n", ["127.0.0.53", "192.0.2.53"], False),
        ("nameserver ::1\nnameserver 127.0.0.1\n", None, ["::1", "127.0.0.1"], True),
        ("nameserver fe80::1%eth0\n", None, ["fe80::1%eth0"], False),
        ("# nameserver 127.0.0.1\n", None, [], False),
        ("nameserver what\n", None, ["what"], False),
        (None, None, [], False),
    ],
)
def test_name_servers(
    usual: str | None,
    systemd: str | None,
    servers: list[str],
    out_of_reach: bool,
    host: Callable[..., None],
) -> None:
    host(usual, systemd)
    assert resolver.name_servers() == servers
    assert resolver.is_out_of_reach_of_containers() is out_of_reach


def test_a_link_that_leads_nowhere_names_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "resolv.conf").symlink_to(tmp_path / "absent")
    monkeypatch.setattr(resolver, "USUAL", tmp_path / "resolv.conf")
    monkeypatch.setattr(resolver, "SYSTEMD", tmp_path / "absent")
    assert resolver.name_servers() == []
