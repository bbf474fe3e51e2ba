"""The systems that classvm supports: the one home of their names and versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List


@dataclass(frozen=True)
class System:
    """A release of a distribution.

    Attributes:
        distribution: as Ansible's fact has it, for example "Debian".
        version: VERSION_ID of /etc/os-release.
        suite: name of the release in the distribution's archive.

    """

    distribution: str
    version: str
    suite: str

    @property
    def name(self) -> str:
        """Distribution and version in one word, for example "ubuntu-24.04"."""
        return f"{self.distribution.lower()}-{self.version}"

    @property
    def major(self) -> str:
        """Distribution and major version, for example "Ubuntu 24"."""
        return f"{self.distribution} {self.version.partition('.')[0]}"


SUPPORTED = (
    System("Debian", "12", "bookworm"),
    System("Debian", "13", "trixie"),
    System("Ubuntu", "22.04", "jammy"),
    System("Ubuntu", "24.04", "noble"),
)


def versions() -> Dict[str, List[str]]:
    """Return the supported versions by distribution."""
    found: Dict[str, List[str]] = {}
    for system in SUPPORTED:
        found.setdefault(system.distribution, []).append(system.version)
    return found


def text() -> str:
    """Return the supported systems as people read them: "Debian 12 or 13, Ubuntu 22.04 or 24.04"."""
    return ", ".join(f"{name} {' or '.join(known)}" for name, known in versions().items())
