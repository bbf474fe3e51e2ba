"""Names of media types, as headers and the spec write them."""

from __future__ import annotations

from .document import Node


def bare_media_type(header: str) -> str:
    """Return ``text/html`` for ``Text/HTML; charset=utf-8`` (RFC 9110, section 8.3.1)."""
    return header.partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    """Tell whether bodies of this media type are JSON (RFC 6839 for the suffix)."""
    bare = bare_media_type(media_type)
    return bare == "application/json" or bare.endswith("+json")


def choose_media_type(content: Node) -> str:
    """Prefer JSON among the media types of a request body; "" when there is no body."""
    return next((name for name in content if is_json(name)), next(iter(content), ""))


def find_media_type(content: Node, media_type: str) -> Node | None:
    """Return what is declared for ``media_type``; exact names come before ranges."""
    declared = {bare_media_type(name): node or {} for name, node in content.items()}
    for key in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        if media_type and key in declared:
            found: Node = declared[key]
            return found
    return None
