"""The access log names the real client, and nobody can pretend to be another."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from classvm.release import release_spec
from src import access_log, client

if TYPE_CHECKING:
    from pathlib import Path

read_gateway = client.gateway
GATEWAY, CLIENT, LIAR = "172.17.0.1", "192.0.2.7", "198.51.100.1"
ROUTES = """Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
eth0 000011AC 00000000 0001 0 0 0 0000FFFF 0 0 0
eth0 00000000 010011AC 0003 0 0 0 00000000 0 0 0
"""


@pytest.fixture(autouse=True)
def _in_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "gateway", lambda: GATEWAY)
    monkeypatch.delenv(client.BEHIND_EDGE, raising=False)


def request(peer: str, forwarded: str | None) -> dict[str, str]:
    found = {"REMOTE_ADDR": peer}
    return found if forwarded is None else {**found, "HTTP_X_FORWARDED_FOR": forwarded}


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        (GATEWAY, CLIENT, CLIENT),
        (f"::ffff:{GATEWAY}", f"{LIAR}, {CLIENT}", CLIENT),
        (GATEWAY, "2001:DB8::1", "2001:db8::1"),
        (GATEWAY, None, GATEWAY),
        (GATEWAY, "unknown", GATEWAY),
        ("172.17.0.9", LIAR, "172.17.0.9"),
    ],
)
def test_behind_the_edge_the_client_is_the_one_the_edge_saw(
    monkeypatch: pytest.MonkeyPatch, peer: str, forwarded: str | None, expected: str
) -> None:
    monkeypatch.setenv(client.BEHIND_EDGE, "1")
    assert client.address(request(peer, forwarded)) == expected


@pytest.mark.parametrize("setting", [None, "", "0"])
def test_without_an_edge_a_client_cannot_claim_another_address(
    monkeypatch: pytest.MonkeyPatch, setting: str | None
) -> None:
    if setting is not None:
        monkeypatch.setenv(client.BEHIND_EDGE, setting)
    assert client.address(request(GATEWAY, LIAR)) == GATEWAY


def test_a_release_and_the_service_mean_the_same_variable() -> None:
    assert client.BEHIND_EDGE == release_spec.BEHIND_EDGE


def test_the_log_names_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(client.BEHIND_EDGE, "1")
    response = SimpleNamespace(status_code=200, sent=0)
    entry = access_log.entry(response, request(GATEWAY, CLIENT), timedelta())
    assert json.loads(json.dumps(entry))["client"] == CLIENT


@pytest.mark.parametrize(
    ("text", "expected"),
    [("::ffff:192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80::1"), ("", ""), ("x", "")],
)
def test_an_address_is_written_in_its_usual_form(text: str, expected: str) -> None:
    assert client.plain(text) == expected


def test_the_gateway_is_read_from_the_routes(tmp_path: Path) -> None:
    (tmp_path / "route").write_text(ROUTES)
    (tmp_path / "no_default").write_text("".join(ROUTES.splitlines(keepends=True)[:2]))
    assert read_gateway(tmp_path / "route") == GATEWAY
    assert read_gateway(tmp_path / "no_default") is None
    assert read_gateway(tmp_path / "missing") is None


def test_an_address_is_read_once() -> None:
    client.plain.cache_clear()
    for _ in range(3):
        client.address(request(f"::ffff:{CLIENT}", None))
    assert client.plain.cache_info()[:3] == (2, 1, client.REMEMBERED_ADDRESSES)
