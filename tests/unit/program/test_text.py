"""What a person on the host reads."""

from __future__ import annotations

from typing import Any

import pytest
from classvm.base.errors import ClassvmError
from classvm.program import protocol, schema, text
from classvm.release import finishing, go_live
from classvm.release.status import Status

NONE = "No release was ever deployed here; `make deploy` in a clone makes the first one."
UP = vars(Status("up", "3f2a91c", "2026-01-02T03:04:05Z", 11000))
PROVISIONED = "classvm: this host is as its provision left it"
UNSEEN = "not checked: x (only root can tell)"
LIVE = vars(go_live.Outcome(changed=True, release="r2", container="c", replaced="r1", gap=0.9))


def status(**changes: Any) -> str:
    swap = {name: changes.pop(name, value) for name, value in finishing.NOTHING.items()}
    return text.shown("status", {"service": "lab", **swap, "status": {**UP, **changes}})


def test_every_answer_has_its_words() -> None:
    assert set(text.WORDS) == set(schema.VERBS)


def test_the_status_is_a_small_table() -> None:
    assert status().splitlines() == [
        "service  lab",
        "state    up",
        "release  3f2a91c",
        "since    2026-01-02 03:04:05 UTC",
        "port     11000",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"state": "stopped"}, "next     `classvm start` starts it"),
        ({"state": "degraded", "problems": ["a", "b"]}, "problem  b"),
        ({"edge": "down"}, "HAProxy  down"),
        ({"maintenance": True}, "maintenance  on; `classvm maintenance off` ends it"),
        ({"restarts": 2}, "restarts  2"),
        ({"finishing": True}, "note     the swap is finished in the background"),
        ({"taken_back": "r2 ended"}, "note     r2 ended; correct it, then `make deploy`"),
    ],
)
def test_what_is_unusual_has_a_line(changes: dict[str, Any], line: str) -> None:
    assert line in status(**changes).splitlines()
    assert line not in status().splitlines()


def test_nothing_is_said_of_a_release_that_is_not_there() -> None:
    assert status(state="absent", release="", since="", port=0).splitlines() == [
        "service  lab",
        "state    absent",
        "next     `make deploy` in a clone brings a release up",
    ]


@pytest.mark.parametrize(
    ("verb", "answer", "line"),
    [
        ("releases", {"table": "a table", "remark": ""}, "a table"),
        ("releases", {"table": "", "remark": "lost"}, f"{NONE}\nlost"),
        ("logs", {"lines": ["a", "b"]}, "a\nb"),
        ("rollback", LIVE, "classvm: release r2 is live, gap 0.9 s"),
        (
            "rollback",
            {**LIVE, "finishing": "the rest follows"},
            "classvm: release r2 is live, gap 0.9 s; the rest follows",
        ),
        (
            "rollback",
            {**LIVE, "changed": False, "gap": None},
            "classvm: release r2 was already live",
        ),
        (
            "start",
            {"changed": True, "status": UP, "maintenance_note": ", but"},
            "classvm: release 3f2a91c is up, but",
        ),
        (
            "restart",
            {"changed": False, "status": UP, "maintenance_note": ""},
            "classvm: release 3f2a91c was up already",
        ),
        ("stop", {"changed": True}, "classvm: stopped; `classvm start` starts it"),
        ("stop", {"changed": False}, "classvm: did not run; `classvm start` starts it"),
        ("maintenance", {"changed": True}, "classvm: done"),
        ("verify-image", {"image": "i", "problems": []}, "classvm: i is what its labels say"),
        ("verify-image", {"image": "i", "problems": ["a", "b"]}, "classvm: i: a\nclassvm: i: b"),
        ("verify-provision", {"problems": [], "unseen": ""}, PROVISIONED),
        ("verify-provision", {"problems": ["a"], "unseen": ""}, "classvm: a"),
        ("verify-provision", {"problems": [], "unseen": "x"}, f"classvm: {UNSEEN}"),
        ("version", {"protocol": 1, "digest": "d"}, "classvm: protocol 1, sha256 d"),
    ],
)
def test_what_is_said(verb: str, answer: dict[str, Any], line: str) -> None:
    assert text.shown(verb, answer) == line


@pytest.mark.parametrize("privilege", schema.ACCOUNT["privilege"]["enum"])
def test_an_account_is_told_how_it_becomes_root(privilege: str) -> None:
    told = {"account": "ada", "privilege": privilege, "engine_access": False}
    assert text.shown("account", told).splitlines() == [
        "account  ada",
        f"root     {text.ROOT_BY[privilege]}",
        "engine   as root alone",
    ]


def test_the_closing_line_of_an_error_comes_last() -> None:
    told = protocol.failure(ClassvmError("It broke", fix="Mend it.", details="a\nb"))
    assert text.failed(told) == "a\nb\n\nclassvm: It broke. Mend it."
    assert text.failed(protocol.failure(ClassvmError("It broke"))) == "classvm: It broke"


def test_an_app_cannot_have_a_terminal_do_something() -> None:
    hostile = "\x1b]0;title\x07\x1b[2J\r\x9b1m\u202edone\tok"
    shown = text.shown("logs", {"lines": [hostile]})
    assert not set(shown) & set("\x1b\x07\r\x9b\u202e")
    assert shown.endswith("done\tok")
