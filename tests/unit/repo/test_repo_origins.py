"""No file tells where somebody's packages come from, or where somebody's home is."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
import tree

# Put together, so that this file does not hold what it forbids: domains that serve packages or
# images, and words of which the host names of mirrors and proxies are made.
DOMAINS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("gcr", "io"),
        ("galaxy", "ansible", "com"),
        ("archive", "ubuntu", "com"),
        ("security", "ubuntu", "com"),
        ("deb", "debian", "org"),
        ("download", "docker", "com"),
        ("index", "docker", "io"),
        ("registry-1", "docker", "io"),
    )
]
WORDS = [
    "".join(parts)
    for parts in (
        ("mir", "ror"),
        ("arti", "factory"),
        ("nex", "us"),
        ("dev", "pi"),
        ("reg", "istry"),
        ("pro", "xy"),
    )
]
SCHEME = "://"
HOST_OF_URL = re.compile(rf"\w+{SCHEME}(?:[^\s/@]*@)?([A-Za-z0-9.-]+\.[a-z]+)")
# Names that RFC 2606 and RFC 6761 reserve for documents and tests belong to nobody.
RESERVED = (".example", ".invalid", ".test", ".localhost", "example.org", "example.com")
HOME = re.compile(r"(?<![\w.}])/(?:home|Users)/[A-Za-z]|(?<![\w.}])/root/")


def hosts_of(text: str) -> set[str]:
    """Return the host names of the URLs of a text."""
    return {host.lower() for host in HOST_OF_URL.findall(text)}


def is_origin(host: str, own: Iterable[str]) -> bool:
    """Tell whether a host serves packages or images: for all the world, or for this machine."""
    if host.endswith(RESERVED):
        return False
    return (
        any(host == domain or host.endswith(f".{domain}") for domain in DOMAINS)
        or any(word in host for word in WORDS)
        or host in own
    )


def own_origins(environment: Mapping[str, str], settings: Iterable[Path]) -> set[str]:
    """Return the hosts from which this machine fetches packages."""
    names = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "HTTP_PROXY", "HTTPS_PROXY")
    texts = [value for name, value in environment.items() if name.upper() in names]
    for file in settings:
        parser = configparser.RawConfigParser()
        if os.access(file, os.R_OK):
            parser.read(file)
        texts += [value for section in parser.sections() for _, value in parser.items(section)]
    return hosts_of("\n".join(texts))


def pip_settings(environment: Mapping[str, str]) -> list[Path]:
    """Return the places of pip's settings on this machine."""
    home = Path.home()
    places = [Path("/etc/pip.conf"), home / ".config/pip/pip.conf", home / ".pip/pip.conf"]
    return [*places, Path(environment.get("PIP_CONFIG_FILE", os.devnull))]


def origins(text: str, own: Iterable[str]) -> set[str]:
    """Return the hosts of a text that serve packages, whether in a URL or bare."""
    own = set(own)
    bare = {host for host in [*DOMAINS, *own] if re.search(rf"(?<![\w.-]){re.escape(host)}", text)}
    return bare | {host for host in hosts_of(text) if is_origin(host, own)}


def test_no_file_names_where_packages_come_from() -> None:
    own = own_origins(os.environ, pip_settings(os.environ))
    found = {
        # Not which host: this text may end in a public log.
        name: len(hosts)
        for name in tree.files()
        if (hosts := origins(tree.read(tree.ROOT / name), own))
    }
    assert found == {}


@pytest.mark.parametrize(
    "host",
    [*DOMAINS, f"files.{DOMAINS[1]}", *(f"{word}.lan.edu" for word in WORDS), "own.host.net"],
)
def test_an_origin_is_found(host: str) -> None:
    text = f"index = https{SCHEME}user:secret@{host}/simple\n"
    assert host in origins(text, {"own.host.net"})


@pytest.mark.parametrize("text", [DOMAINS[0], f"FROM {DOMAINS[3]}/a/b", "host own.host.net"])
def test_a_bare_origin_is_found(text: str) -> None:
    assert origins(text, {"own.host.net"})


@pytest.mark.parametrize(
    "text",
    [
        f"https{SCHEME}docs.docker.com/x",
        f"https{SCHEME}{WORDS[0]}.example/simple",
        f"http{SCHEME}localhost:1/",
        "apt install docker.io",
        f"a {WORDS[4]} or a {WORDS[0]}",
    ],
)
def test_another_host_is_none(text: str) -> None:
    assert origins(text, set()) == set()


def test_the_origins_of_a_machine_are_read(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = https{SCHEME}one.lan.edu/simple\n")
    environment = {"https_proxy": f"http{SCHEME}two.lan.edu:3128"}
    found = own_origins(environment, [tmp_path / "pip.conf", tmp_path / "none"])
    assert found == {"one.lan.edu", "two.lan.edu"}


def test_no_file_names_a_home() -> None:
    found = {
        f"{name}:{number}": line
        for name in tree.files()
        for number, line in tree.hits(HOME.pattern, tree.read(tree.ROOT / name))
        if tree.ROOT / name != Path(__file__)
    }
    assert found == {}


@pytest.mark.parametrize("path", ["/home" + "/alice/x", "/Users" + "/alice", "/root" + "/x"])
def test_a_home_is_found(path: str) -> None:
    assert HOME.search(f'FOLDER = "{path}"')


@pytest.mark.parametrize("path", ["{root}/home/x", "/srv/home/x", "homepage", "/rooted"])
def test_another_path_is_no_home(path: str) -> None:
    assert not HOME.search(f'FOLDER = "{path}"')
