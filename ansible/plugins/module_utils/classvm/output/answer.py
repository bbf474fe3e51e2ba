"""The answer of a command to a program that asks: one JSON document instead of lines.

docs/json.md describes it, docs/json.schema.json in the terms of JSON Schema.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Optional

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
    error: str = "",
) -> str:
    """Return the document.

    Args:
        said: by host what a playbook has left for the end of the run: its "facts", or the "state" that
            the closing line tells.
        failures: by host the reason of its failure.
        changes: by host the number of changes.
        error: why no host was reached, or "".

    """
    hosts: Dict[str, Any] = {
        host: {
            **(_facts(said[host]) if host in said else {}),
            "changed": changes.get(host, 0),
            "error": _error(failures.get(host, "")),
        }
        for host in {*said, *failures}
    }
    told = {"error": _error(error), "hosts": hosts}
    return json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False)


def refusal(why: str, environment: Mapping[str, str]) -> str:
    """Return what a run says that ends before it begins: the closing line, or the document."""
    told = document({}, {}, {}, error=why)
    return told if wanted(environment) == JSON else f"classvm: {why}"


def _facts(one: Mapping[str, Any]) -> Mapping[str, Any]:
    facts: Mapping[str, Any] = one.get("facts", {"said": one.get("state", "")})
    return facts


def _error(why: str) -> Optional[Dict[str, str]]:
    return {"cause": cause(why), "reason": why} if why else None
