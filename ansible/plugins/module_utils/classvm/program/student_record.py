"""What an admin has recorded, at the last provision, for the releases of students: how they run, and how they are built."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping

from ..base import state
from ..base.errors import ClassvmError
from ..image.build_group import Share
from ..image.confinement import Bounds
from ..release.limits import LIMITS, in_bytes
from .protocol import NOT_PROVISIONED, REQUEST, RefusedError

# Its variables may be secret.
FILE = f"{state.SECRET}.json"
CHANGE = "Your admin can change it: `make provision`."


def differs(state_dir: str, settings: Mapping[str, Any]) -> bool:
    """Tell whether the record is not that of these settings.

    Raises:
        ClassvmError: it cannot be read.

    """
    return state.read(path(state_dir)) != _text(settings)


def write(state_dir: str, settings: Mapping[str, Any]) -> None:
    """Record what an admin has set, as `Record.read` takes it.

    Raises:
        ClassvmError: the state folder cannot be written.

    """
    state.write_atomically(path(state_dir), _text(settings))


def path(state_dir: str) -> str:
    """Return the file of the record."""
    return os.path.join(state_dir, FILE)


def _text(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True) + "\n"


@dataclass(frozen=True)
class Record:
    """The record.

    Attributes:
        settings: how a release runs, as a request of the verb `release` has them.
        keep_releases: how many earlier releases keep their images.
        base_image: name of the image on which every one is built.
        bounds: of a build.

    """

    settings: Mapping[str, Any]
    keep_releases: int
    base_image: str
    bounds: Bounds

    @classmethod
    def read(cls, state_dir: str) -> Record:
        """Return the record of this host.

        Raises:
            RefusedError: it has none.

        """
        try:
            found = json.loads(state.read(path(state_dir)))
            build = found["build"]
            share = Share(in_bytes(build["memory"]), int(build["pids"]), float(build["cpus"]))
            bounds = Bounds(share, float(build["seconds"]), in_bytes(build["disk"]))
            return cls(found["settings"], found["keep_releases"], found["base_image"], bounds)
        except (ValueError, KeyError, TypeError, ClassvmError):
            raise RefusedError(
                NOT_PROVISIONED,
                "This host has no record of how the release of a student runs",
                fix="Ask your admin to run `make provision`.",
            ) from None

    def settings_for(self, request: Mapping[str, Any]) -> Dict[str, Any]:
        """Return how a release runs: as recorded, with less where the request asks for less.

        Raises:
            RefusedError: it asks for more.

        """
        port = self.settings["host_port"]
        if request.get("host_port", port) != port:
            raise RefusedError(
                REQUEST,
                f"The service of this host has port {port}, as your admin has set it",
                fix=f"`make deploy PORT={port}` takes it. {CHANGE}",
            )
        recorded: Dict[str, str] = self.settings["limits"]
        asked: Dict[str, str] = request.get("limits", {})
        for name, value in asked.items():
            _require_less(name, value, recorded[name])
        own_port = request.get("container_port", self.settings["container_port"])
        return {**self.settings, "limits": {**recorded, **asked}, "container_port": own_port}

    def told(self) -> List[str]:
        """Return where the bounds of a release come from, a line each."""
        limits = ", ".join(f"{name} {value}" for name, value in self.settings["limits"].items())
        return [
            f"at most {limits}, port {self.settings['host_port']}: as your admin has set them",
            f"built on {self.base_image}, within {self.bounds.seconds:.0f} s: as your admin has set it",
        ]


def _require_less(name: str, asked: str, recorded: str) -> None:
    takes = LIMITS[name].takes(asked)
    if takes:
        raise RefusedError(
            REQUEST, f"The limit {name} is {asked!r}, and takes {takes}", fix="Correct it."
        )
    if in_bytes(asked) > in_bytes(recorded):
        raise RefusedError(
            REQUEST,
            f"The limit {name} is {recorded} at most, as your admin has set it, not {asked}",
            fix=CHANGE,
        )
