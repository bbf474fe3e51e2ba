"""The lock takes the hashes that the index tells, and downloads only files without one."""

from __future__ import annotations

from types import SimpleNamespace

import pip_compile
import pytest
from piptools.repositories.pypi import PyPIRepository


@pytest.fixture
def downloaded(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    links: list[object] = []

    def download(_repository: object, link: object) -> str:
        links.append(link)
        return "sha256:computed"

    monkeypatch.setattr(pip_compile, "_downloaded_hash", download)
    return links


def test_a_hash_that_is_told_is_taken(downloaded: list[object]) -> None:
    link = SimpleNamespace(hash_name="sha256", hash="abc")
    assert pip_compile.hash_of(None, link) == "sha256:abc"
    assert downloaded == []


@pytest.mark.parametrize(("name", "told"), [(None, None), ("md5", "abc")])
def test_another_file_is_downloaded(
    downloaded: list[object], name: str | None, told: str | None
) -> None:
    link = SimpleNamespace(hash_name=name, hash=told)
    assert pip_compile.hash_of(None, link) == "sha256:computed"
    assert downloaded == [link]


def test_pip_tools_still_has_what_is_replaced() -> None:
    assert callable(getattr(PyPIRepository, pip_compile.NAME))
