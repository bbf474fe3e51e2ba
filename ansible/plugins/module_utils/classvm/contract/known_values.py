"""Remember what a service has, so that something which exists can be asked for.

`GET /rooms` answers with the rooms; one of them is what `GET /rooms/{number}` needs.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .client import Answer
from .document import Json
from .spec import Operation

PARAMETER = re.compile(r"{([^{}]+)}")


class KnownValues:
    """What the answers of a service have shown so far."""

    def __init__(self) -> None:
        self._things: dict[str, Json] = {}

    def learn(self, operation: Operation, answer: Answer) -> None:
        """Keep the first thing that a path lists."""
        if operation.method != "GET" or not answer.is_whole:
            return
        try:
            thing = _first_listed(json.loads(answer.body.decode("utf-8")))
        except (ValueError, RecursionError):
            return
        if thing is not None:
            self._things[operation.path.rstrip("/")] = thing

    def values(self, operation: Operation) -> dict[tuple[str, str], Any]:
        """Return values of the operation's path parameters, by place and name; {} if none."""
        found = {}
        for match in PARAMETER.finditer(operation.path):
            name = match.group(1)
            thing = self._things.get(operation.path[: match.start()].rstrip("/"))
            value = _identity(thing, name)
            if value is not None:
                found["path", name] = value
        return found


def _first_listed(value: Json) -> Json:
    """Return the first item of a list, or of the first list in an object; None without one."""
    if isinstance(value, dict):
        value = next((item for item in value.values() if isinstance(item, list)), None)
    return value[0] if isinstance(value, list) and value else None


def _identity(thing: Json, name: str) -> Json:
    """Return what a thing is called, where a parameter of a name asks for it."""
    if isinstance(thing, dict):
        # "petId" and "pet_id" are a pet's "id".
        names = [name, re.split(r"_|(?<=[a-z])(?=[A-Z])", name)[-1].lower(), "id"]
        thing = next((thing[key] for key in names if key in thing), None)
    return thing if isinstance(thing, (str, int, float)) and thing != "" else None
