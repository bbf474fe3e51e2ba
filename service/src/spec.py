"""Read the contract, ``master.yml``, for the pages that describe the service.

connexion reads the same file to route and to validate requests, so what these
pages say and what the service does cannot drift apart.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Iterator, NamedTuple
from urllib.parse import quote, urlencode

import yaml

from src.settings import SERVICE_FOLDER

SPEC_FILE = SERVICE_FOLDER / "master.yml"

# A path item may also hold keys that are no method, such as "parameters".
METHODS = ("get", "post", "put", "patch", "delete")


class Operation(NamedTuple):
    """One method of one path.

    ``path`` starts with the base path; ``try_link`` is the address of a
    working example, or of the operation in the API docs when a browser link
    cannot send its method.
    """

    method: str
    path: str
    operation_id: str
    summary: str
    try_link: str


@lru_cache(maxsize=None)
def load() -> dict[str, Any]:
    """Return ``master.yml`` as dictionaries and lists."""
    with SPEC_FILE.open(encoding="utf-8") as stream:
        spec: dict[str, Any] = yaml.safe_load(stream)
    return spec


def base_path() -> str:
    """Return the path all operations share, without a slash at its end."""
    url: str = load()["servers"][0]["url"]
    return url.rstrip("/")


def docs_path() -> str:
    """Return the path of the API docs (Swagger UI), which connexion serves."""
    return f"{base_path()}/ui/"


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """Return what ``node`` refers to with ``$ref``, or else ``node`` itself."""
    if "$ref" not in node:
        return node
    target = load()
    for key in node["$ref"].lstrip("#/").split("/"):
        target = target[key]
    return target


def operations() -> list[Operation]:
    """Return every operation in the order of ``master.yml``."""
    return list(_operations())


def _operations() -> Iterator[Operation]:
    for path, item in load()["paths"].items():
        for method in METHODS:
            if method in item:
                yield _operation(path, method, item[method])


def _operation(path: str, method: str, description: dict[str, Any]) -> Operation:
    operation_id = description["operationId"]
    if method == "get":
        try_link = _example_link(path, description)
    else:
        try_link = f"{docs_path()}#/{description['tags'][0]}/{operation_id}"
    return Operation(
        method=method.upper(),
        path=base_path() + path,
        operation_id=operation_id,
        summary=description["summary"],
        try_link=try_link,
    )


def _example_link(path: str, description: dict[str, Any]) -> str:
    query = {}
    for parameter in map(resolve, description.get("parameters", [])):
        name, example = parameter["name"], parameter["example"]
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", quote(str(example), safe=""))
        elif parameter["in"] == "query":
            query[name] = example
    return base_path() + path + (f"?{urlencode(query)}" if query else "")
