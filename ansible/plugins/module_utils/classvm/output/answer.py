"""The answer of a command to a program that asks: one JSON document instead of lines."""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping

from .reason import cause

# The environment variable by which `make … FORMAT=json` asks for it, and its values.
VARIABLE = "CLASSVM_FORMAT"
TEXT, JSON = "text", "json"


def wanted(environment: Mapping[str, str]) -> str:
    """Return the format that was asked for."""
    return environment.get(VARIABLE) or TEXT


def document(
    said: Mapping[str, Mapping[str, Any]],
    failures: Mapping[str, str],
    changes: Mapping[str, int],
) -> str:
    """Return the document: an object with one member per host.

    Args:
        said: by host what a playbook has left for the end of the run: its "facts", or the "state" that
            the closing line tells.
        failures: by host the reason of its failure.
        changes: by host the number of changes.

    """
    hosts: Dict[str, Any] = {
        host: {**one.get("facts", {"state": one.get("state", "")}), "changed": changes.get(host, 0)}
        for host, one in said.items()
    }
    hosts.update({host: {"failed": cause(why), "reason": why} for host, why in failures.items()})
    return json.dumps(hosts, indent=2, sort_keys=True, ensure_ascii=False)
