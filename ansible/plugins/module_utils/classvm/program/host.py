"""The host as the program knows it: its engine, its state folder, and what was recorded there."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any, Dict

from ..base import host, installed, names, state
from ..base.docker import Docker
from ..base.errors import ClassvmError
from .protocol import NOT_PROVISIONED, RefusedError


@dataclass(frozen=True)
class Host:
    """What the verbs work on.

    Attributes:
        state_dir: folder with the host's state.
        docker: the engine of the host.

    """

    state_dir: str
    docker: Docker = field(default_factory=Docker)

    @classmethod
    def here(cls, state_dir: str = "") -> Host:
        """Return this host.

        Args:
            state_dir: folder with its state, where that is not the one of the last provision.

        Raises:
            RefusedError: it was never provisioned.

        """
        state_dir = state_dir or installed.state_dir()
        if not state_dir:
            raise RefusedError(
                NOT_PROVISIONED,
                "This host was never provisioned",
                fix="An admin can: `make provision`.",
            )
        return cls(state_dir)

    def service(self, request: Dict[str, Any]) -> str:
        """Return the service that a request is about: the one that it names, or that of the last provision.

        Raises:
            RefusedError: neither is known.

        """
        name = request.get("service") or host.choices(self.state_dir).get("service", "")
        if not name:
            raise RefusedError(
                NOT_PROVISIONED,
                "This host has no record of its service",
                fix="An admin can write one: `make provision`.",
            )
        return names.require_service_name(str(name))

    def settings(self, service: str, request: Dict[str, Any]) -> Dict[str, Any]:
        """Return how the service shall run: as the request says, or as the last deploy did.

        Raises:
            ClassvmError: neither is known.

        """
        given: Dict[str, Any] = request.get("settings") or self.last_settings(service)
        if not given:
            raise ClassvmError(
                f"This host has no record of how {service} runs", fix="`make deploy` writes one."
            )
        return given

    def last_settings(self, service: str) -> Dict[str, Any]:
        """Return how the last deploy of a service has run it; {} where that is not known."""
        try:
            found = json.loads(state.read(self._settings_file(service)) or "{}")
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def remember(self, service: str, settings: Dict[str, Any]) -> None:
        """Record how a service runs, for a person who asks without options.

        Raises:
            ClassvmError: the state folder cannot be written.

        """
        if settings != self.last_settings(service):
            text = json.dumps(settings, sort_keys=True) + "\n"
            state.write_atomically(self._settings_file(service), text)

    def _settings_file(self, service: str) -> str:
        return os.path.join(self.state_dir, f"{state.SECRET}-{service}.json")
