"""The pages on the service itself tell the truth."""

from __future__ import annotations

import json
import platform
from html.parser import HTMLParser
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

import pytest
from jinja2 import FileSystemLoader
from src import container, docs, favicon, ports, settings, spec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

BASE = spec.base_path()
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FILE_PORTS = settings.read_ports(environ={})
CONTAINER_ID = "0123456789abcdef" * 4


class Links(HTMLParser):
    """Collects the addresses a page links to, and those it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in ("src", "href"):
                self.loaded.append(value or "")


def test_index_lists_every_operation_and_every_link_works(client: FlaskClient) -> None:
    response = client.get("/", headers=BROWSER)
    page = Links()
    page.feed(response.get_data(as_text=True))
    assert response.mimetype == "text/html"
    for operation in spec.operations():
        assert operation.try_link in page.links
        assert f"<code>{operation.path}</code>" in response.get_data(as_text=True)
    for link in page.links:
        assert client.get(link).status_code == 200, link
    assert page.loaded == []


def test_a_broken_link_would_be_noticed(client: FlaskClient) -> None:
    assert client.get(f"{BASE}/sum/a/b").status_code != 200


@pytest.mark.parametrize("accept", ["*/*", "text/plain", "application/json", None])
def test_index_is_plain_text_for_programs(client: FlaskClient, accept: str | None) -> None:
    response = client.get("/", headers={"Accept": accept} if accept else {})
    assert response.mimetype == "text/plain"
    for operation in spec.operations():
        assert operation.summary in response.get_data(as_text=True)


def test_swagger_ui_and_its_parts_are_served(client: FlaskClient) -> None:
    response = client.get(spec.docs_path())
    page = Links()
    page.feed(response.get_data(as_text=True))
    assert response.mimetype == "text/html"
    assert page.loaded == ["swagger-ui.css", "swagger-ui-bundle.js"]
    for address in [*page.loaded, *page.links]:
        assert client.get(urljoin(spec.docs_path(), address)).status_code == 200, address
    assert json.dumps(f"{BASE}/openapi.json") in response.get_data(as_text=True)
    assert client.get(f"{BASE}/openapi.json").get_json()["paths"]


def test_the_page_of_connexion_is_replaced(app: Flask) -> None:
    (name,) = (name for name in app.view_functions if name.endswith(docs.PAGE_OF_CONNEXION))
    assert app.view_functions[name].__module__ == docs.__name__


def test_browsers_get_an_icon(client: FlaskClient) -> None:
    response = client.get(favicon.PATH)
    assert (response.status_code, response.mimetype) == (200, favicon.SVG)
    assert ET.fromstring(response.get_data()).tag.endswith("}svg")  # noqa: S314 - our own


def test_the_first_front_page_for_a_program_reads_no_file(
    build: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All clients of a new process would wait for it, just when a release goes live."""
    client = build({"paths": {}})
    monkeypatch.setattr(spec, "SPEC_FILE", None)
    monkeypatch.setattr(FileSystemLoader, "get_source", None)
    assert client.get("/").status_code == HTTPStatus.OK


@pytest.mark.parametrize("path", ["/", "/nope", f"{BASE}/hello", spec.docs_path(), favicon.PATH])
def test_every_response_has_the_security_headers(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["X-Content-Type-Options"] == "nosniff"


def test_flask_tells_the_installed_versions(client: FlaskClient) -> None:
    answer = client.get(
        f"{BASE}/flask", environ_overrides={"SERVER_SOFTWARE": "thisserver/1"}
    ).get_json()
    assert answer["python"]["version"] == platform.python_version()
    assert answer["served_by"] == "thisserver/1"
    for package in answer["packages"]:
        assert package["version"] == version(package["name"])


def test_a_package_that_is_missing_has_no_version(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src.flask_info.ROLES", {"no-such-package": "none"})
    packages = client.get(f"{BASE}/flask").get_json()["packages"]
    assert packages == [{"name": "no-such-package", "version": None, "role": "none"}]


MOUNTS = f"9 8 0:1 /var/lib/docker/containers/{CONTAINER_ID}/hostname /etc/hostname rw - ext4"
HOST_MOUNTS = f"9 8 0:1 / /var/lib/docker/containers/{CONTAINER_ID}/mounts/shm rw - tmpfs"


@pytest.mark.parametrize(
    ("mounts", "cgroups", "expected"),
    [
        (MOUNTS, "0::/", CONTAINER_ID),
        ("", f"4:cpu:/docker/{CONTAINER_ID}", CONTAINER_ID),
        ("", f"0::/system.slice/docker-{CONTAINER_ID}.scope", CONTAINER_ID),
        (HOST_MOUNTS, "0::/user.slice", None),
        ("", "", None),
    ],
)
def test_the_container_id_is_found(
    tmp_path: Path, mounts: str, cgroups: str, expected: str | None
) -> None:
    (tmp_path / "mounts").write_text(mounts)
    (tmp_path / "cgroups").write_text(cgroups)
    assert container.find_id(tmp_path / "mounts", tmp_path / "cgroups") == expected


@pytest.mark.parametrize("found", [CONTAINER_ID, None])
def test_docker_explains_the_id_or_its_absence(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, found: str | None
) -> None:
    monkeypatch.setattr(container, "find_id", lambda: found)
    answer = client.get(f"{BASE}/docker").get_json()
    assert answer["container"]["id"] == found
    assert ("No container id" in answer["container"]["explanation"]) is (found is None)
    assert answer["uptime_seconds"] >= 0


def test_the_distribution_is_read(tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    assert container.find_distribution(file) is None
    file.write_text('ID=ubuntu\nPRETTY_NAME="Ubuntu 18.04.6 LTS"\n')
    assert container.find_distribution(file) == "Ubuntu 18.04.6 LTS"


def test_ports_tells_both_ports(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONTAINER_PORT", raising=False)
    monkeypatch.delenv("HOST_PORT", raising=False)
    answer = client.get(f"{BASE}/ports").get_json()
    assert answer["container_port"] == FILE_PORTS.container
    assert answer["host_port"] == FILE_PORTS.host
    monkeypatch.setenv("HOST_PORT", str(FILE_PORTS.host + 1))
    answer = client.get(f"{BASE}/ports").get_json()
    assert answer["host_port"] == FILE_PORTS.host + 1


def test_the_allowed_methods_are_those_the_service_allows(client: FlaskClient) -> None:
    for endpoint in ports.endpoints():
        response = client.options(endpoint["path"])
        assert response.status_code == 200
        assert sorted(response.headers["Allow"].split(", ")) == endpoint["allowed"]
    assert ports.allowed(["POST"]) == ["OPTIONS", "POST"]


def test_ports_covers_every_operation_with_its_meaning(client: FlaskClient) -> None:
    told = {
        (method["method"], endpoint["path"])
        for endpoint in client.get(f"{BASE}/ports").get_json()["endpoints"]
        for method in endpoint["methods"]
    }
    assert told == {(o.method, o.path) for o in spec.operations()}


@pytest.mark.parametrize("bad", ["0", "65536", "-1", "x", "", "٣", "1.5", "9" * 5000])
def test_a_bad_port_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="HOST_PORT must be a port"):
        settings.read_ports(environ={"HOST_PORT": bad})


def test_a_line_that_is_no_assignment_is_refused() -> None:
    assert settings.parse_env("# a\n\nA=1 # b\n") == {"A": "1"}
    with pytest.raises(ValueError, match="NAME=value"):
        settings.parse_env("A 1")


@pytest.mark.parametrize("release", [None, "", "2024-01"])
def test_describe_derives_from_the_contract(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, release: str | None
) -> None:
    monkeypatch.delenv("CLASSVM_RELEASE", raising=False)
    if release is not None:
        monkeypatch.setenv("CLASSVM_RELEASE", release)
    answer = client.get(f"{BASE}/describe").get_json()
    info = spec.load()["info"]
    assert answer["title"] == info["title"]
    assert answer["version"] == info["version"]
    assert answer["release"] == (release or "unreleased")
    assert len(answer["endpoints"]) == len(spec.operations())


@pytest.mark.parametrize("operation", spec.operations(), ids=lambda o: o.operation_id)
def test_head_is_get_without_the_body(client: FlaskClient, operation: spec.Operation) -> None:
    link = operation.try_link
    response = client.head(link)
    assert response.status_code == client.get(link).status_code
    assert response.get_data() == b""
