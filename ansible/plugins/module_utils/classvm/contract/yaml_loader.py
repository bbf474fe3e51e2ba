"""PyYAML's safe loader. Where PyYAML has its C library, it reads a document in a fifteenth of the time."""

from __future__ import annotations

import yaml

__all__ = ["SAFE_LOADER"]

SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
