"""Call a deployed app, and compare what comes back with what is expected."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app_expected import Answer

# Of one request.
ANSWER_SECONDS = 20
SHOWN_LENGTH = 200


@dataclass(frozen=True)
class Got:
    """What came back: the status, the content type and the body."""

    status: int
    type: str
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


def problems(url: str, answer: Answer) -> list[str]:
    """Ask what an answer says, and return what is wrong with what came back."""
    try:
        for _ in range(answer.times):
            got = call(url, answer)
    except OSError as error:
        return [f"{answer}: {error}"]
    return [f"{answer}: {one}" for one in compare(answer, got)]


def call(url: str, answer: Answer) -> Got:
    """Send one request. An error status is an answer, too.

    Raises:
        OSError: nobody answered.

    """
    body, kind = encoded(answer)
    headers = dict(answer.headers or {})
    if kind:
        headers["Content-Type"] = kind
    if answer.login:
        headers["Authorization"] = f"Basic {base64.b64encode(answer.login.encode()).decode()}"
    request = urllib.request.Request(  # noqa: S310 - the URL of a service that was deployed
        url + answer.path, data=body, headers=headers, method=answer.method
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310 - as above
            return Got(response.status, response.headers.get("Content-Type", ""), response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Got(error.code, error.headers.get("Content-Type", ""), error.read())


def encoded(answer: Answer) -> tuple[bytes | None, str]:
    """Return the body of a request and its content type."""
    if answer.upload is not None:
        boundary = uuid.uuid4().hex
        return multipart(answer.upload, boundary), f"multipart/form-data; boundary={boundary}"
    if answer.send is not None:
        return json.dumps(answer.send).encode(), "application/json"
    return None, ""


def multipart(fields: Mapping[str, Any], boundary: str) -> bytes:
    """Return the fields of a form as a body; a file is a mapping with `name` and `content`."""
    lines: list[str] = []
    for name, value in fields.items():
        is_file = isinstance(value, Mapping)
        file = f'; filename="{value["name"]}"' if is_file else ""
        lines += [f"--{boundary}", f'Content-Disposition: form-data; name="{name}"{file}']
        lines += ["Content-Type: application/octet-stream"] if is_file else []
        lines += ["", str(value["content"] if is_file else value)]
    return "\r\n".join([*lines, f"--{boundary}--", ""]).encode()


def compare(answer: Answer, got: Got) -> list[str]:
    """Return what differs between an answer and what came back."""
    if got.status != answer.status:
        return [f"status {got.status} instead of {answer.status}: {got.text[:SHOWN_LENGTH]}"]
    found: list[str] = []
    if answer.type and not got.type.startswith(answer.type):
        found.append(f"{got.type or 'no type'} instead of {answer.type}")
    if answer.has_json and parsed(got) != answer.json:
        found.append(f"{got.text[:SHOWN_LENGTH].strip()} instead of {json.dumps(answer.json)}")
    found += [
        f"no `{text}` in {got.text[:SHOWN_LENGTH]!r}"
        for text in answer.text
        if text not in got.text
    ]
    return found


def parsed(got: Got) -> Any:  # noqa: ANN401 - JSON holds anything
    """Return the body as JSON, or as the text that it is."""
    try:
        return json.loads(got.body)
    except ValueError:
        return got.text
