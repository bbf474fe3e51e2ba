"""The two libraries that the check needs, which may be missing.

Ansible and the command line each have their own way to report a missing library, so a failed
import is kept here instead of ending the program.
"""

from __future__ import annotations

import traceback
from typing import Any, Dict

__all__ = ["IMPORT_ERROR", "SAFE_LOADER", "UNRESOLVABLE", "jsonschema", "local_only", "yaml"]

IMPORT_ERROR = ""
UNRESOLVABLE: Any = ()
try:
    import jsonschema
    import yaml

    from .yaml_loader import SAFE_LOADER
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
    # The other modules import these names; without the libraries they call nothing of them.
    jsonschema = yaml = SAFE_LOADER = None  # type: ignore[assignment] # never used so


def local_only(schema: Any) -> Dict[str, Any]:  # noqa: ANN401 - JSON holds anything
    """Return the arguments by which a validator of ``schema`` never leaves that document.

    By default jsonschema fetches what a ``$ref`` or an ``id`` names, from other hosts and from
    files. Its versions before 4.18 do so in a class of their own.
    """
    try:
        import referencing  # noqa: PLC0415 - only newer versions of jsonschema bring it
    except ImportError:
        return {"resolver": _local_resolver(schema)}
    return {"registry": referencing.Registry()}


def _local_resolver(schema: Any) -> Any:  # noqa: ANN401 - JSON holds anything
    class LocalResolver(jsonschema.RefResolver):
        def resolve_remote(self, uri: str) -> Any:  # noqa: ANN401 - what the base class returns
            raise jsonschema.RefResolutionError(f"{uri} is outside the document")

    return LocalResolver.from_schema(schema, id_of=jsonschema.Draft4Validator.ID_OF)


def _unresolvable() -> Any:  # noqa: ANN401 - a class of one of two libraries
    try:
        import referencing.exceptions  # noqa: PLC0415 - only newer versions bring it
    except ImportError:
        return jsonschema.RefResolutionError
    return referencing.exceptions.Unresolvable


if not IMPORT_ERROR:
    UNRESOLVABLE = _unresolvable()
