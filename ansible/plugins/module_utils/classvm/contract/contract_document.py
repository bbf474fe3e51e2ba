"""The contract document: what the check is given, as one JSON text.

    {"mode": "gate", "specs": [{"file": "master.yml", "text": "openapi: 3.0.3 …", "base_path": null}]}

It is written where the app's folder is and read where the check runs. Writing one parses no spec.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Sequence

from .document import MAX_BYTES, InputError

# strict: the lab's own app, which gives an example for everything and refuses what is wrong.
# gate: any app; refused where it answers otherwise than its spec says.
# warn: as gate, but what is found is no reason to refuse.
STRICT, GATE, WARN = MODES = ("strict", "gate", "warn")
# JSON writes some characters of a spec as six.
MAX_CONTRACT_BYTES = 8 * MAX_BYTES


@dataclasses.dataclass(frozen=True)
class SpecText:
    """One spec of an app.

    Attributes:
        file: its path in the app's folder, for messages.
        text: what the file holds.
        base_path: where its paths begin, such as "/e222"; None: where the spec itself says.

    """

    file: str
    text: str
    base_path: str | None = None


@dataclasses.dataclass(frozen=True)
class Contract:
    """What a service promises, and how strictly it is held to it; ``specs`` may be empty."""

    mode: str
    specs: tuple[SpecText, ...]


def write(mode: str, specs: Sequence[SpecText]) -> str:
    """Return the contract document; equal arguments give equal texts.

    Raises:
        ValueError: there is no such mode.

    """
    if mode not in MODES:
        raise ValueError(f"{mode} is not one of {', '.join(MODES)}")
    return json.dumps({"mode": mode, "specs": [dataclasses.asdict(spec) for spec in specs]})


def read(text: str) -> Contract:
    """Return what a contract document says.

    Raises:
        InputError: it is not one.

    """
    if len(text) > MAX_CONTRACT_BYTES:
        raise InputError(f"the contract document has more than {MAX_CONTRACT_BYTES:,} characters")
    try:
        value = json.loads(text)
        mode, specs = value["mode"], tuple(_read_spec(spec) for spec in value["specs"])
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise InputError(f"the contract document cannot be read: {error!r}") from error
    if mode not in MODES:
        raise InputError(f"the contract document's mode is not one of {', '.join(MODES)}: {mode}")
    return Contract(mode, specs)


def _read_spec(value: Any) -> SpecText:  # noqa: ANN401 - JSON holds anything
    spec = SpecText(value["file"], value["text"], value.get("base_path"))
    if not all(isinstance(text, str) for text in (spec.file, spec.text, spec.base_path or "")):
        raise TypeError("a spec's file, text and base_path are texts")
    return spec
