"""What kind of inventory a file is, as far as it can be told without running it."""

from __future__ import annotations

import os
from pathlib import Path

YAML, INI, OTHER = "yaml", "ini", "other"
YAML_ENDINGS = (".yml", ".yaml", ".json")


def of(path: Path, text: str) -> str:
    """Return the kind of an inventory file.

    Args:
        path: of the file.
        text: what it holds.

    """
    lines = [line.rstrip() for line in text.splitlines()]
    said = [line for line in lines if line and not line.lstrip().startswith(("#", ";"))]
    first = said[0] if said else ""
    if text.startswith("#!") or path.suffix == ".toml":
        return OTHER
    if path.suffix in YAML_ENDINGS:
        return OTHER if any(line.startswith("plugin:") for line in said) else YAML
    if os.access(path, os.X_OK):
        return OTHER
    if not path.suffix and (first == "---" or first.endswith(":") or first.startswith("{")):
        return YAML
    return INI
