"""Read the contract, ``master.yml``, for connexion and for the pages that describe the service.

connexion routes and validates requests by it, so what these pages say and what
the service does cannot drift apart.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Iterator, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import yaml

from src import examples
from src.settings import SERVICE_FOLDER

SPEC_FILE = SERVICE_FOLDER / "master.yml"

# The one in C takes 5 ms where the one in Python takes 45; not every PyYAML has it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# A path item may also hold keys that are no method, such as "parameters".
METHODS = ("get", "post", "put", "patch", "delete")


class Operation(NamedTuple):
    """One method of one path.

    ``path`` starts with the base path; ``try_link`` is the address of a
    working example, or of the operation in the API docs if there is no such
    address: a link in a browser sends GET only, and some values have no example.
    """

    method: str
    path: str
    operation_id: str
    summary: str
    try_link: str


@lru_cache(maxsize=None)
def load() -> dict[str, Any]:
    """Return ``master.yml`` as dictionaries and lists.

    What holds no mapping is {}, and connexion says why it refuses that.
    """
    with SPEC_FILE.open(encoding="utf-8") as stream:
        found = yaml.load(stream, LOADER)  # noqa: S506 - each of both is a safe one
    return found if isinstance(found, dict) else {}


def base_path() -> str:
    """Return the path all operations share, without a slash at its end."""
    servers = load().get("servers") or [{"url": "/"}]
    path: str = urlsplit(servers[0]["url"]).path
    return path.rstrip("/")


def docs_path() -> str:
    """Return the path of the API docs (Swagger UI), which connexion serves."""
    return f"{base_path()}/ui/"


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """Return what ``node`` refers to with ``$ref``, or else ``node`` itself."""
    while "$ref" in node:
        target = load()
        for key in node["$ref"][len("#/") :].split("/"):
            target = target[key.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


@lru_cache(maxsize=None)
def operations() -> tuple[Operation, ...]:
    """Return every operation in the order of ``master.yml``."""
    return tuple(_operations())


def _operations() -> Iterator[Operation]:
    for path, item in load()["paths"].items():
        for method in METHODS:
            if method in item:
                shared = item.get("parameters", [])
                yield _operation(path, method, item[method], shared)


def _operation(
    path: str, method: str, description: dict[str, Any], shared: list[dict[str, Any]]
) -> Operation:
    operation_id = description.get("operationId", "")
    parameters = [resolve(one) for one in [*shared, *description.get("parameters", [])]]
    link = _example_link(path, parameters) if method == "get" else None
    return Operation(
        method=method.upper(),
        path=base_path() + path,
        operation_id=operation_id,
        summary=_summary(description) or f"{method.upper()} {path}",
        try_link=link or _docs_link(description, operation_id),
    )


def _summary(description: dict[str, Any]) -> str:
    """Return the summary, or else the first line of the description; both may be missing."""
    text = description.get("summary") or description.get("description") or ""
    return text.strip().partition("\n")[0]


def _docs_link(description: dict[str, Any], operation_id: str) -> str:
    # Swagger UI shows an operation without tags below "default".
    tag = (description.get("tags") or ["default"])[0]
    return f"{docs_path()}#/{quote(tag, safe='')}/{operation_id}"


def _example_link(path: str, parameters: list[dict[str, Any]]) -> str | None:
    """Return the address of an example, or None if a required parameter has no known example."""
    query = {}
    for parameter in parameters:
        name, place = parameter["name"], parameter["in"]
        example = examples.of_parameter(parameter, resolve(parameter.get("schema", {})))
        given = "example" in parameter or "examples" in parameter
        if example is None and parameter.get("required"):
            return None
        if place == "path":
            path = path.replace(f"{{{name}}}", quote(str(example), safe=""))
        elif place == "query" and (given or parameter.get("required")):
            query[name] = example
    return base_path() + path + (f"?{urlencode(query)}" if query else "")
