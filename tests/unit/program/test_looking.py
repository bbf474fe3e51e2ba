"""The verbs that change nothing."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from classvm.base import client
from classvm.program import image_check, looking
from classvm.program.host import Host
from classvm.release import follow, prune
from fake_engine import Engine
from program_requests import SHORT, require_documented
from start_states import deploy, engine_in, nothing, same_release

HostOf = Callable[[Engine], Host]


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the signals of the tests' process alone."""
    monkeypatch.setattr(client, "end_orderly", lambda: None)


@pytest.mark.parametrize(("start", "state"), [(nothing, "absent"), (same_release, "up")])
def test_the_status(start: Callable[[Engine], None], state: str, host_of: HostOf) -> None:
    answer = looking.tell_status(host_of(engine_in(start)), SHORT)
    require_documented("status", answer)
    assert (answer["service"], answer["status"]["state"]) == ("lab", state)


def test_the_history(host_of: HostOf, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine()
    host = host_of(engine)
    require_documented("releases", looking.tell_releases(host, SHORT))
    deploy(engine)
    monkeypatch.setattr(prune, "named", lambda *_: [])
    answer = looking.tell_releases(host, SHORT)
    require_documented("releases", answer)
    assert [(one["release"], one["mark"]) for one in answer["releases"]] == [("r2", "live")]
    assert answer["table"].splitlines()[-1].startswith("live")


@pytest.mark.parametrize("waits", [True, False])
def test_the_log(waits: bool, host_of: HostOf, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    position = follow.Position("c1", "2026")
    monkeypatch.setattr(follow, "wait", lambda *words: asked.append(words[2:]))
    monkeypatch.setattr(follow, "read", lambda *_, everything: ([str(everything)], position))
    behind = {"container": "c0", "stamp": "2025", "wait": 3} if waits else {}
    answer = looking.tell_logs(host_of(Engine()), {**SHORT, "all": True, **behind})
    require_documented("logs", answer)
    assert answer == {"lines": ["True"], "container": "c1", "stamp": "2026"}
    assert asked == ([(follow.Position("c0", "2025"), 3)] if waits else [])


@pytest.mark.parametrize(("named", "looked_at"), [({"release": "r1"}, "r1"), ({}, "r2")])
def test_the_image_of_the_live_release_is_looked_at_where_none_is_named(
    named: dict[str, str], looked_at: str, host_of: HostOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"image": "i", "release": looked_at, "problems": []}
    monkeypatch.setattr(image_check, "check", lambda _, __, release: {**found, "release": release})
    answer = looking.verify_image(host_of(engine_in(same_release)), {**SHORT, **named})
    require_documented("verify-image", answer)
    assert answer == found


def test_the_version_is_the_digest_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "classvm"
    program.write_bytes(b"zip")
    monkeypatch.setattr(sys, "path", [str(program)])
    answer = looking.tell_version(Host(""), {})
    require_documented("version", answer)
    assert answer == {"digest": hashlib.sha256(b"zip").hexdigest()}
