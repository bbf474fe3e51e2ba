"""The apps that are released, good and broken, and the tally of their POSTs."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml
from classvm.app import layout
from classvm.image import source
from faults import apps
from faults.apps import BROKEN_RELEASES, BrokenRelease
from faults.faults import FAULTS
from faults.tally import Tally


def check(folder: Path) -> None:
    """Run the checks that a deploy runs on an app's folder before the build."""
    made = source.read(folder, folder, source.Ports(host=1, container=2))
    assert made.is_sealed
    source.require_no_errors(folder, made)


def test_a_good_app_has_its_message_and_passes_the_checks(tmp_path: Path) -> None:
    app = apps.good(tmp_path, "word")
    check(app)
    assert '"message": "word"' in (app / "src/hello.py").read_text()
    assert apps.paths().tally.endswith("/tally")
    document = yaml.safe_load((app / layout.SPEC).read_text())
    assert document["paths"]["/tally"]["post"]["operationId"] == "src.tally.post"


@pytest.mark.parametrize("flaw", BROKEN_RELEASES, ids=lambda flaw: flaw.name)
def test_a_broken_app_passes_the_checks_before_the_build(
    flaw: BrokenRelease, tmp_path: Path
) -> None:
    app = apps.broken(tmp_path, flaw)
    check(app)
    compile((app / flaw.file).read_bytes(), flaw.file, "exec")
    assert (app / flaw.file).read_bytes() != (apps.SERVICE / flaw.file).read_bytes()


def test_a_text_that_is_missing_cannot_be_replaced(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing is replaced"):
        apps.broken(tmp_path, BrokenRelease("x", "y", old="no such words", new="z"))
    with pytest.raises(ValueError, match="0 times"):
        apps.replace(apps.SERVICE / layout.SPEC, "no such words", "z")


def test_there_are_all_kinds_and_a_few_quick_ones() -> None:
    assert len(BROKEN_RELEASES) >= 9
    assert len({one.name for one in (*BROKEN_RELEASES, *FAULTS)}) == len(BROKEN_RELEASES) + len(
        FAULTS
    )
    for all_of_them in (BROKEN_RELEASES, FAULTS):
        assert 0 < len([one for one in all_of_them if one.quick]) < len(all_of_them)
    assert all(one.within for one in FAULTS)


def test_the_tally_counts_executions_not_datagrams() -> None:
    tally = Tally("127.0.0.1")
    tally.start()
    address, _, port = tally.place.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as told:
        told.settimeout(5)
        for text in (b"a 1", b"a 1", b"a 2", b"b 3"):
            told.sendto(text, (address, int(port)))
            assert told.recv(100) == text
    tally.stop()
    assert tally.counts() == {"a": 2, "b": 1}


def test_the_handler_tells_the_tally(monkeypatch: pytest.MonkeyPatch) -> None:
    tally = Tally("127.0.0.1")
    tally.start()
    handler: dict[str, object] = {}
    exec(apps.HANDLER, handler)  # noqa: S102 - our own text, as the container runs it
    post = handler["post"]
    assert callable(post)
    assert post({"id": "x"}) == {"id": "x", "heard": False}
    monkeypatch.setenv(apps.TALLY, tally.place)
    assert post({"id": "x"}) == {"id": "x", "heard": True}
    tally.stop()
    assert tally.counts() == {"x": 1}
