"""The scripts that run on hosts and in containers."""

from __future__ import annotations

import ast
import base64
import hashlib
import ipaddress
import socket
from pathlib import Path

import pytest
from infra import inside, knock, scan, sniff

QUICK = 0.3


@pytest.mark.parametrize(
    ("script", "version"),
    [
        (inside.__file__, (3, 7)),
        (knock.__file__, (3, 8)),
        (scan.__file__, (3, 8)),
        (sniff.__file__, (3, 8)),
    ],
)
def test_an_old_python_reads_the_script(script: str, version: tuple[int, int]) -> None:
    text = Path(script).read_text()
    ast.parse(text, feature_version=version)
    # They are sent as one argument of a command.
    assert text.isascii()


# --- Knocking


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_attempts_are_counted_and_so_are_connections(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family, backlog=500) as it:
        counted = knock.knock([it.getsockname()[1]], QUICK, 300, [address])
    attempts, connected, refused = counted
    assert (attempts, refused) == (connected, 0)
    assert attempts >= 0.8 * 300 * QUICK


def test_refusals_are_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as it:
        port = it.getsockname()[1]
    attempts, connected, refused = knock.knock([port], 0.1, 100, ["127.0.0.1"])
    assert (attempts, connected) == (refused, 0)
    assert attempts > 0


def test_each_port_has_its_turn() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        ports = [it.getsockname()[1] for it in (one, two)]
        two.close()
        attempts, connected, refused = knock.knock(ports, 0.1, 100, ["127.0.0.1"])
    assert connected - refused in (0, 1)
    assert connected + refused == attempts > 1


def test_silence_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            attempts, connected, refused = knock.knock([port], 0.1, 100, ["127.0.0.1"])
    assert attempts > connected == refused == 0


# --- Packets


def frame(source: str, target: str, port: int, protocol: int = sniff.TCP) -> bytes:
    """Return an Ethernet frame with the start of a packet."""
    to, by = (ipaddress.ip_address(one).packed for one in (target, source))
    segment = (4711).to_bytes(2, "big") + port.to_bytes(2, "big") + bytes(16)
    if len(to) == 4:
        head = bytes([0x46, *bytes(8), protocol, 0, 0]) + by + to + bytes(4)  # with an option
        return bytes(12) + sniff.IPV4.to_bytes(2, "big") + head + segment
    head = bytes([0x60, *bytes(5), protocol, 64]) + by + to
    return bytes(12) + sniff.IPV6.to_bytes(2, "big") + head + segment


@pytest.mark.parametrize(
    ("source", "target"),
    [("192.0.2.1", "198.51.100.2"), ("2001:db8::1", "2001:db8:1::2")],
)
def test_the_destination_of_a_packet_is_read(source: str, target: str) -> None:
    assert sniff.destination(frame(source, target, 80)) == (target, 80)
    assert sniff.destination(frame(source, target, 80, protocol=17)) == ("", 0)


def test_a_frame_without_a_packet_goes_nowhere() -> None:
    assert sniff.destination(bytes(12) + b"\x08\x06" + bytes(28)) == ("", 0)


# --- Packages


def install(folder: Path) -> Path:
    """Write a package as pip leaves it and return its module."""
    info = folder / "one-1.dist-info"
    info.mkdir()
    module = folder / "one.py"
    module.write_text("ONE = 1\n")
    digest = base64.urlsafe_b64encode(hashlib.sha256(module.read_bytes()).digest()).decode()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: One\nVersion: 1\n\nText: x\n")
    (info / "RECORD").write_text(
        f"one.py,sha256={digest.rstrip('=')},8\none-1.dist-info/RECORD,,\n"
    )
    return module


def test_a_package_as_installed_is_unchanged(tmp_path: Path) -> None:
    install(tmp_path)
    assert inside.packages(tmp_path) == {"versions": [["One", "1"]], "changed": [], "foreign": []}


def test_a_changed_a_missing_and_a_foreign_file_are_found(tmp_path: Path) -> None:
    module = install(tmp_path)
    module.write_text("ONE = 2\n")
    (tmp_path / "two.py").touch()
    found = inside.packages(tmp_path)
    assert (found["changed"], found["foreign"]) == (["one.py"], [str(tmp_path / "two.py")])
    module.unlink()
    assert inside.packages(tmp_path)["changed"] == ["one.py"]


def test_a_package_without_metadata_is_still_named(tmp_path: Path) -> None:
    (tmp_path / "odd-1.dist-info").mkdir()
    assert inside.packages(tmp_path)["versions"] == [["odd-1.dist-info", ""]]


def test_programs_and_modules_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert inside.programs(("gcc", "pip")) == []
    (tmp_path / "gcc").touch(mode=0o755)
    (tmp_path / "pip").mkdir()
    assert inside.programs(("gcc", "pip")) == ["gcc", "pip"]
