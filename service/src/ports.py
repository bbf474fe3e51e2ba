"""Tell which ports and HTTP methods take part, and what they stand for."""

from __future__ import annotations

from typing import Any

from src import settings, spec

# CRUD: the four things a program can do with stored data.
CRUD = {
    "GET": "Read",
    "POST": "Create",
    "PUT": "Update",
    "PATCH": "Update",
    "DELETE": "Delete",
}


def get() -> dict[str, Any]:
    """Return both ports and, for each path, its methods and their meaning."""
    ports = settings.read_ports()
    return {
        "container_port": ports.container,
        "host_port": ports.host,
        "explanation": (
            f"Docker forwards port {ports.host} of the virtual machine "
            f"to port {ports.container} of the container."
        ),
        "endpoints": endpoints(),
    }


def endpoints() -> list[dict[str, Any]]:
    """Return path, methods with CRUD operation, and allowed methods, per path."""
    by_path: dict[str, list[str]] = {}
    for operation in spec.operations():
        by_path.setdefault(operation.path, []).append(operation.method)
    return [
        {
            "path": path,
            "methods": [{"method": name, "crud": CRUD[name]} for name in methods],
            "allowed": allowed(methods),
        }
        for path, methods in by_path.items()
    ]


def allowed(methods: list[str]) -> list[str]:
    """Return ``methods`` with those Flask adds, sorted.

    HEAD is GET without the body, OPTIONS asks which methods there are.
    """
    added = {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    return sorted(added.union(methods))
