"""Write request bodies: JSON, forms, uploads, plain text."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Mapping
from urllib.parse import urlencode

from .document import Json, Node
from .media_types import is_json
from .references import resolve

FORM, UPLOAD = "application/x-www-form-urlencoded", "multipart/form-data"
BOUNDARY = "classvm-contract-check"
FILE_NAME, FILE_TYPE = "example.txt", "text/plain"


def as_text(value: Json) -> str:
    """Write a value the way it stands in a URL, a header or a form (RFC 6570)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if isinstance(value, list):
        return ",".join(as_text(item) for item in value)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value)


def encode_body(
    media_type: str, value: Json, files: Mapping[str, str] | None = None
) -> tuple[str, bytes]:
    """Return the header Content-Type of a request, and its body.

    Args:
        media_type: what the spec calls the body.
        value: what to send.
        files: of an upload, the media type of each member that is a file.

    """
    if is_json(media_type):
        return media_type, json.dumps(value, default=as_text).encode()
    if isinstance(value, dict) and media_type == FORM:
        return media_type, urlencode(_fields(value)).encode()
    if isinstance(value, dict) and media_type == UPLOAD:
        # RFC 7578
        parts = [_part(*field, (files or {}).get(field[0], "")) for field in _members(value)]
        body = b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
        return f"{UPLOAD}; boundary={BOUNDARY}", body
    return media_type, value if isinstance(value, bytes) else as_text(value).encode()


def file_members(document: Node, media: Node) -> dict[str, str]:
    """Return the media type of each file in an upload, by its name.

    Args:
        document: where references lead.
        media: the Media Type Object of the upload.

    """
    found = {}
    properties = resolve(document, media.get("schema")).get("properties")
    for name, reference in properties.items() if isinstance(properties, dict) else ():
        schema = resolve(document, reference)
        one = resolve(document, schema.get("items")) if "items" in schema else schema
        if one.get("format") == "binary":
            declared = resolve(document, (media.get("encoding") or {}).get(name))
            found[str(name)] = str(declared.get("contentType") or FILE_TYPE).partition(",")[0]
    return found


def _members(value: Node) -> list[tuple[str, Json]]:
    """Return names and values of a form; a list is one name several times."""
    return [
        (name, one)
        for name, item in value.items()
        for one in (item if isinstance(item, list) else [item])
    ]


def _fields(value: Node) -> list[tuple[str, str]]:
    return [(name, as_text(one)) for name, one in _members(value)]


def _part(name: str, value: Any, file_type: str) -> bytes:  # noqa: ANN401 - JSON holds anything
    """Return one field of an upload, or one file where ``file_type`` is not ""."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
    if file_type:
        head += f'; filename="{FILE_NAME}"\r\nContent-Type: {file_type}'
    elif isinstance(value, dict):
        head += "\r\nContent-Type: application/json"
        value = json.dumps(value, default=as_text)
    content = value if isinstance(value, bytes) else as_text(value).encode()
    return head.encode() + b"\r\n\r\n" + content + b"\r\n"
