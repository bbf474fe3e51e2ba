"""Requests that the host program gets, and what its answers have to be like."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import jsonschema
from classvm.program import protocol, schema
from fake_engine import CHECKER, RELEASE_SPEC

SETTINGS: dict[str, Any] = {
    "host_port": RELEASE_SPEC.host_port,
    "container_port": RELEASE_SPEC.container_port,
    "limits": dict(RELEASE_SPEC.limits),
    "seconds": dataclasses.asdict(RELEASE_SPEC.seconds),
}
RELEASE: dict[str, Any] = {
    "protocol": protocol.PROTOCOL,
    "service": RELEASE_SPEC.service,
    "release": RELEASE_SPEC.release,
    "settings": SETTINGS,
    "keep_releases": 5,
    "contract": RELEASE_SPEC.contract,
    "checker_image": CHECKER,
    "revision": RELEASE_SPEC.revision,
}
ROLLBACK = {"protocol": protocol.PROTOCOL, "service": RELEASE_SPEC.service}
SHORT: dict[str, Any] = {"protocol": protocol.PROTOCOL, "service": RELEASE_SPEC.service}


def require_documented(verb: str, answer: dict[str, Any]) -> None:
    """Make sure that what a verb has returned is as its schema says."""
    sent = json.loads(json.dumps(protocol.answer(answer)))
    jsonschema.validate(sent, schema.ANSWERS[verb])
