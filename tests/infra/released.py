"""What a release was made of that a rollback made live, as its host knows it.

The app's folder holds a later one, so the release is compared with what its own deploy left: the
entry of the history, and the labels of its image.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from classvm.app import contents
from classvm.image import image_labels
from classvm.release import history

FILE, PACKAGE = "file ", "package "


@dataclass(frozen=True)
class Released:
    """A release that a rollback made live.

    Attributes:
        release: its id.
        image_id: id of its image when it was deployed, and had kept its contract.
        labels: of the container that runs, which has those of its image.
        spec: the spec in the container, for an app in the layout of `service/`; else "".

    """

    release: str
    image_id: str
    labels: Mapping[str, str]
    spec: str = ""

    @property
    def is_sealed(self) -> bool:
        """Whether the app is in the layout of `service/`: only there the spec is the contract."""
        digest = hashlib.sha256(self.spec.encode()).hexdigest()
        return self.labels.get(image_labels.LABEL_CONTRACT) == digest

    @property
    def files(self) -> dict[str, str]:
        """The beginning of each file's digest, by its path."""
        return self._made_of(FILE)

    @property
    def packages(self) -> dict[str, str]:
        """The version of each package of its lock."""
        return self._made_of(PACKAGE)

    def _made_of(self, kind: str) -> dict[str, str]:
        said: dict[str, str] = json.loads(self.labels.get(image_labels.LABEL_CONTENT) or "{}")
        return {
            name.removeprefix(kind): value for name, value in said.items() if name.startswith(kind)
        }


def short(digest: str) -> str:
    """Return a digest as the label of an image has it."""
    return digest[: contents.DIGEST_LENGTH]


def by_rollback(lines: str, service: str, labels: Mapping[str, str], spec: str) -> Released | None:
    """Return the live release where the last change of a host was a rollback to it, else None.

    Args:
        lines: the history of the host, as its file holds it.
        service: name of the service.
        labels: of the live container.
        spec: the file master.yml in the container, "" where there is none.

    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / history.FILE).write_text(lines, encoding="utf-8")
        entries = [one for one in history.read(folder, service) if one.went_live]
    release = labels.get(image_labels.LABEL_RELEASE, "")
    if not entries or (entries[-1].result, entries[-1].release) != (history.ROLLED_BACK, release):
        return None
    deployed = [one for one in entries if (one.result, one.release) == (history.LIVE, release)]
    # The history may have been cut; then the rollback itself is the first that is known.
    return Released(release, (deployed or entries)[-1].image_id, dict(labels), spec)


def to_json(found: Mapping[str, Released]) -> str:
    """Return releases by host as JSON."""
    return json.dumps({host: asdict(one) for host, one in found.items()})


def from_json(text: str) -> dict[str, Released]:
    """Return releases by host."""
    return {host: Released(**one) for host, one in json.loads(text).items()}
