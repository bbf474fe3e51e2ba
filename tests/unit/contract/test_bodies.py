from __future__ import annotations

import datetime as dt
import email
import json
from email.message import Message

import pytest
from classvm.contract import bodies
from classvm.contract.document import Json, Node


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (1.5, "1.5"),
        (dt.date(2024, 2, 29), "2024-02-29"),
        ([1, "a"], "1,a"),
        (b"caf\xc3\xa9", "café"),
    ],
)
def test_a_value_as_text(value: Json, text: str) -> None:
    assert bodies.as_text(value) == text


@pytest.mark.parametrize(
    ("media_type", "value", "body"),
    [
        ("application/json", {"a": dt.date(2024, 2, 29)}, b'{"a": "2024-02-29"}'),
        (bodies.FORM, {"a": "x y", "b": [1, True]}, b"a=x+y&b=1&b=true"),
        (bodies.FORM, "a=1", b"a=1"),
        ("text/plain", "hello", b"hello"),
        ("application/octet-stream", b"\0", b"\0"),
    ],
)
def test_a_body_in_its_media_type(media_type: str, value: Json, body: bytes) -> None:
    assert bodies.encode_body(media_type, value) == (media_type, body)


def upload(value: Json, files: dict[str, str]) -> list[Message]:
    content_type, body = bodies.encode_body(bodies.UPLOAD, value, files)
    message = email.message_from_bytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
    )
    parts = message.get_payload()
    assert isinstance(parts, list)
    return [part for part in parts if isinstance(part, Message)]


def test_an_upload_has_a_part_for_each_value() -> None:
    file, note, *rest = upload(
        {"upload": b"one\ntwo", "note": "hi", "tags": ["a", "b"], "more": {"x": 1}},
        {"upload": "image/png"},
    )
    assert (file.get_filename(), file.get_content_type()) == (bodies.FILE_NAME, "image/png")
    assert file.get_payload() == "one\ntwo"
    assert (note.get_filename(), note.get_payload()) == (None, "hi")
    assert [part.get_payload() for part in rest[:2]] == ["a", "b"]
    assert json.loads(str(rest[2].get_payload())) == {"x": 1}


MEDIA: Node = {
    "schema": {"$ref": "#/form"},
    "encoding": {"picture": {"contentType": "image/png, image/jpeg"}},
}
FORM: Node = {
    "properties": {
        "picture": {"type": "string", "format": "binary"},
        "files": {"type": "array", "items": {"$ref": "#/file"}},
        "note": {"type": "string"},
    }
}


def test_the_files_of_an_upload() -> None:
    document: Node = {"form": FORM, "file": {"format": "binary"}}
    assert bodies.file_members(document, MEDIA) == {
        "picture": "image/png",
        "files": bodies.FILE_TYPE,
    }
    assert bodies.file_members(document, {}) == {}
