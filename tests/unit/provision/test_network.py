"""What the network asks of the engine; `ip` and `ss` are scripts."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

import pytest
from classvm.base import resolver
from classvm.base.errors import ClassvmError
from classvm.provision import network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DEFAULT = "default via 192.0.2.1 dev eth0 proto dhcp\\n"
POOL = [{"base": "10.213.0.0/16", "size": 24}]


@pytest.fixture
def host(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., None]:
    """Offer ``host(routes, connected, servers)``: a host that no engine has run on."""
    monkeypatch.setattr(network, "BRIDGE", tmp_path / "docker0")
    monkeypatch.setattr(resolver, "USUAL", tmp_path / "resolv.conf")
    monkeypatch.setattr(resolver, "SYSTEMD", tmp_path / "absent")

    def install(routes: str = DEFAULT, connected: str = "", servers: str = "") -> None:
        program("ip", f"printf '{routes}'")
        program("ss", f"printf '{connected}'")
        (tmp_path / "resolv.conf").write_text(servers, encoding="utf-8")

    return install


def connection(peer: str) -> str:
    return f"0      0      192.0.2.7:22      {peer}:50022\\n"


@pytest.mark.parametrize(
    ("connected", "servers"),
    [
        (connection("172.17.4.2"), ""),
        (connection("[::ffff:172.17.4.2]"), ""),
        ("", "search x\nnameserver 172.17.4.2\n"),
    ],
    ids=["a client", "a client of a dual socket", "a name server"],
)
def test_addresses_of_somebody_behind_the_default_route_are_refused(
    connected: str, servers: str, host: Callable[..., None]
) -> None:
    host(connected=connected, servers=servers)
    with pytest.raises(ClassvmError, match=r"take 172\.17\.0\.0/16.*172\.17\.4\.2") as told:
        network.require_free_addresses({})
    assert "docker_address_pools" in told.value.fix
    # As the message says:
    network.require_free_addresses({network.POOLS: POOL})
    network.require_free_addresses({"bip": "10.213.0.1/24"})
    network.require_free_addresses({"bridge": "none"})


@pytest.mark.parametrize("peer", ["192.0.2.9", "172.16.0.1", "172.18.0.1", "[2001:db8::1]"])
def test_other_clients_are_none_of_the_engine_s(peer: str, host: Callable[..., None]) -> None:
    host(connected=connection(peer))
    network.require_free_addresses({})


def test_an_engine_avoids_the_host_s_own_network_by_itself(host: Callable[..., None]) -> None:
    own = DEFAULT + "172.17.0.0/16 dev eth0 proto kernel scope link src 172.17.0.9\\n"
    host(own, connection("172.17.4.2"))
    network.require_free_addresses({})
    host(own, connection("172.18.4.2"))
    with pytest.raises(ClassvmError, match=r"take 172\.18\.0\.0/16"):
        network.require_free_addresses({})


def test_a_bridge_that_is_there_keeps_its_addresses(
    host: Callable[..., None], tmp_path: Path
) -> None:
    host(connected=connection("172.17.4.2"))
    (tmp_path / "docker0").mkdir()
    network.require_free_addresses({})


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "172.17.0.0/16"),
        ({"bip": "192.168.7.1/24"}, "192.168.7.0/24"),
        ({network.POOLS: POOL}, "10.213.0.0/16"),
        ({network.POOLS: [{"base": "172.17.0.0/16", "size": 24}]}, "172.17.0.0/16"),
        ({"bip": "wrong"}, None),
        ({network.POOLS: [{"size": 24}]}, None),
    ],
)
def test_bridge_network(settings: dict[str, Any], expected: str | None) -> None:
    found = network.bridge_network(settings, [])
    assert (str(found) if found else None) == expected


def test_no_pool_is_free() -> None:
    taken = [ipaddress.ip_network("172.0.0.0/8")]
    assert network.bridge_network({}, taken) is None


@pytest.mark.parametrize(
    ("routes", "sizes", "settings"),
    [
        (DEFAULT, {"eth0": 1400}, {"mtu": 1400}),
        (DEFAULT, {"eth0": 1500}, {}),
        (DEFAULT, {"eth0": 9000}, {}),
        (DEFAULT, {}, {}),
        (DEFAULT + "default via 192.0.2.9 dev eth1", {"eth0": 1450, "eth1": 1420}, {"mtu": 1420}),
        ("", {"eth0": 1400}, {}),
    ],
)
def test_packet_settings(
    routes: str,
    sizes: dict[str, int],
    settings: dict[str, int],
    host: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host(routes)
    monkeypatch.setattr(network, "mtu", lambda name: sizes.get(name, network.DEFAULT_MTU))
    assert network.packet_settings() == settings


def test_mtu() -> None:
    assert network.mtu("lo") > network.DEFAULT_MTU
    assert network.mtu("absent") == network.DEFAULT_MTU
