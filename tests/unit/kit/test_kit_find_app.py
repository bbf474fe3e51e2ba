"""Which object of a program is its app."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import connexion
import pytest
from classvm_kit import find_app
from flask import Flask

FLASK, OTHER = Flask("one"), Flask("two")
CONNEXION = connexion.FlaskApp("three")


def wsgi(_environ: object, _start_response: object) -> list[bytes]:
    return []


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ({"app": FLASK}, FLASK),
        ({"a": 1, "web": FLASK}, FLASK),
        ({"other": OTHER, "application": FLASK}, FLASK),
        ({"app": FLASK, "service": CONNEXION}, CONNEXION),
        ({"create_app": lambda: FLASK}, FLASK),
        ({"build": lambda: CONNEXION, "x": 1}, CONNEXION),
        ({"application": wsgi}, wsgi),
        ({"application": "text"}, None),
        ({"main": lambda: FLASK}, None),
        ({"Flask": Flask}, None),
        ({}, None),
    ],
)
def test_among_the_names_of_a_program(names: dict[str, Any], found: object) -> None:
    assert find_app.among(names) is found


def test_as_web_servers_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(app=FLASK, make=lambda: OTHER, holder=SimpleNamespace(app=CONNEXION))
    monkeypatch.setitem(sys.modules, "some_module", module)
    assert find_app.named("some_module:app") is FLASK
    assert find_app.named("some_module:make()") is OTHER
    assert find_app.named("some_module:holder.app") is CONNEXION
    with pytest.raises(AttributeError, match="none"):
        find_app.named("some_module:none")
