from __future__ import annotations

import pytest
from classvm.contract import media_types


def test_a_header_loses_its_parameters() -> None:
    assert media_types.bare_media_type("Text/HTML; charset=utf-8") == "text/html"


@pytest.mark.parametrize(
    ("name", "json"),
    [("application/json", True), ("application/problem+json", True), ("text/json-like", False)],
)
def test_is_json(name: str, *, json: bool) -> None:
    assert media_types.is_json(name) is json


def test_json_is_preferred() -> None:
    assert media_types.choose_media_type({"text/a": {}, "application/json": {}}) == (
        "application/json"
    )
    assert media_types.choose_media_type({"text/a": {}}) == "text/a"
    assert media_types.choose_media_type({}) == ""


@pytest.mark.parametrize(
    ("name", "found"), [("image/png", 1), ("image/gif", 2), ("text/plain", 3), ("", None)]
)
def test_the_exact_name_comes_before_the_range(name: str, found: int | None) -> None:
    content = {"*/*": {"at": 3}, "image/*": {"at": 2}, "image/png": {"at": 1}}
    declared = media_types.find_media_type(content, name)
    assert (declared or {}).get("at") == found
