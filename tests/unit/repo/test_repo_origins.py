"""No file names a server from which somebody fetches packages or images, or somebody's home.

Each tool uses its own default, or the configuration of whoever runs it. So a file may contain only
the host names that are listed here, and those that are reserved for examples.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
import tree

ALLOWED = {
    # Documentation to which people are referred.
    "connexion.readthedocs.io",
    "docs.docker.com",
    "docs.gunicorn.org",
    "docs.python.org",
    "github.com",
    "keepachangelog.com",
    "spec.openapis.org",
    "www.apache.org",
    "www.rfc-editor.org",
    # Part of the name of a format, which nobody fetches: SVG.
    "www.w3.org",
    # Debian's package of the engine.
    "docker.io",
    # The class VMs.
    "ise.luddy.indiana.edu",
    "vm-148-7.ise.luddy.indiana.edu",
}
# RFC 2606 and RFC 6761 reserve these names: they belong to nobody.
RESERVED = re.compile(r"(^|\.)(example(\.(com|net|org))?|invalid|test|localhost)$")
NAME = r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
HOST_OF_URL = re.compile(rf"\w://(?:[^\s/@]*@)?({NAME}\.[A-Za-z0-9-]+)")
# Outside a URL, only well-known endings tell a host name from other words with dots.
BARE_HOST = re.compile(rf"(?<![\w.-])({NAME}\.(?:com|edu|io|net|org))(?![\w-]|\.\w)")
HOME = re.compile(r"(?<![\w.}])/(?:home|Users)/[A-Za-z]|(?<![\w.}])/root/")


def hosts(text: str) -> set[str]:
    """Return the host names of a text, without numeric addresses."""
    found = {name.lower() for name in HOST_OF_URL.findall(text) + BARE_HOST.findall(text)}
    return {name for name in found if not name.replace(".", "").isdigit()}


def forbidden(text: str, own: Iterable[str] = ()) -> set[str]:
    """Return the host names of a text that must not be there.

    Args:
        text: the text of a file.
        own: servers from which this machine fetches packages: forbidden whatever their ending.

    """
    unknown = {host for host in hosts(text) - ALLOWED if not RESERVED.search(host)}
    return unknown | {host for host in own if re.search(rf"(?<![\w.-]){re.escape(host)}", text)}


def own_origins(environment: Mapping[str, str], files: Iterable[Path]) -> set[str]:
    """Return the servers from which this machine fetches packages.

    Args:
        environment: the environment of this process.
        files: pip's configuration files; missing ones are left out.

    """
    names = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "HTTP_PROXY", "HTTPS_PROXY")
    texts = [value for name, value in environment.items() if name.upper() in names]
    for file in files:
        parser = configparser.RawConfigParser()
        if os.access(file, os.R_OK):
            parser.read(file)
        texts += [value for section in parser.sections() for _, value in parser.items(section)]
    return hosts("\n".join(texts))


def pip_files(environment: Mapping[str, str]) -> list[Path]:
    """Return the places of pip's configuration files."""
    home = Path.home()
    places = [Path("/etc/pip.conf"), home / ".config/pip/pip.conf", home / ".pip/pip.conf"]
    return [*places, Path(environment.get("PIP_CONFIG_FILE", os.devnull))]


def test_no_file_names_an_origin_of_packages() -> None:
    own = own_origins(os.environ, pip_files(os.environ))
    files = [name for name in tree.files() if tree.ROOT / name != Path(__file__)]
    found = {
        # The number only: the output may end in a public log.
        name: len(names)
        for name in files
        if (names := forbidden(tree.read(tree.ROOT / name), own))
    }
    assert files
    assert found == {}, "use a name that RFC 2606 reserves, or add a documentation host to ALLOWED"


@pytest.mark.parametrize(
    "text",
    [
        "index = https://user:secret@packages.lan.edu/simple",
        "deb http://archive.lan.edu/ubuntu jammy main",
        "FROM registry.lan.edu/team/base:1",
        "trusted-host = packages.lan.edu",
        "other.docker.io",
        "own.host.lan, without a URL",
    ],
)
def test_an_origin_is_found(text: str) -> None:
    assert forbidden(text, {"own.host.lan"})


@pytest.mark.parametrize(
    "text",
    [
        "https://docs.docker.com/engine/",
        "https://packages.example/simple",
        "https://user:word@pip.example.org/simple",
        "http://localhost:1/ and http://192.0.2.1:80/",
        "FROM ubuntu:18.04",
        "FROM classvm/lab:ef5f451",
        "apt install docker.io",
        "http://{{ host }}:80/",
    ],
)
def test_another_text_has_no_origin(text: str) -> None:
    assert forbidden(text, {"own.host.lan"}) == set()


def test_the_origins_of_a_machine_are_read(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://one.lan.edu/simple\n")
    environment = {"https_proxy": "http://two.lan.edu:3128"}
    found = own_origins(environment, [tmp_path / "pip.conf", tmp_path / "missing"])
    assert found == {"one.lan.edu", "two.lan.edu"}


def test_no_file_names_a_home() -> None:
    found = {
        f"{name}:{number}": line
        for name in tree.files()
        for number, line in tree.hits(HOME.pattern, tree.read(tree.ROOT / name))
        if tree.ROOT / name != Path(__file__)
    }
    assert found == {}


@pytest.mark.parametrize("path", ["/home/alice/x", "/Users/alice", "/root/x"])
def test_a_home_is_found(path: str) -> None:
    assert HOME.search(f'FOLDER = "{path}"')


@pytest.mark.parametrize("path", ["{root}/home/x", "/srv/home/x", "homepage", "/rooted"])
def test_another_path_is_no_home(path: str) -> None:
    assert not HOME.search(f'FOLDER = "{path}"')
