"""What `--diff` says of a release."""

from __future__ import annotations

import dataclasses
import json

import pytest
from classvm.base.docker import Container, Image
from classvm.image.image_labels import LABEL_CONTENT, LABEL_RELEASE
from classvm.release import difference, go_live
from classvm.release.release_spec import LABEL_HOW
from fake_engine import OLD, RELEASE_SPEC, STATE_DIR, Engine, enter

MADE_OF = {"file src/hello.py": "1a2b", "package flask": "2.2.5"}


class Host(Engine):
    """An engine whose images and containers bear the labels of real ones."""

    def __init__(self) -> None:
        super().__init__()
        how = json.dumps(difference.how(OLD))
        labels = {LABEL_RELEASE: "r1", LABEL_HOW: how}
        self.live: Container | None = Container(
            "c", OLD.live, "i", running=True, exit_code=0, labels=labels
        )
        self.content = json.dumps(MADE_OF)

    def container(self, name: str) -> Container | None:
        assert name == OLD.live
        return self.live

    def image(self, reference: str) -> Image | None:
        del reference
        return Image("i", {LABEL_CONTENT: self.content}, 1)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host()
    enter(host, monkeypatch)
    return host


def changed(host: Host, **changes: object) -> set[str]:
    """Return the lines in which a spec differs from what is live."""
    content = str(changes.pop("content", host.content))
    spec = dataclasses.replace(RELEASE_SPEC, **changes)  # type: ignore[arg-type] # any field
    found = go_live.compare(host, spec, STATE_DIR, content, rolled_back=False)
    return {*found["before"].splitlines()} ^ {*found["after"].splitlines()}


def test_the_release_differs(host: Host) -> None:
    assert changed(host) == {"release r1", "release r2"}


def test_a_setting_differs(host: Host) -> None:
    assert changed(host, release="r1", limits={**RELEASE_SPEC.limits, "memory": "1g"}) == {
        "memory: 512m",
        "memory: 1g",
    }


def test_a_file_and_a_package_differ(host: Host) -> None:
    content = json.dumps({"file src/hello.py": "ffff", "package flask": "2.2.6"})
    assert changed(host, release="r1", content=content) == {
        "file src/hello.py: 1a2b",
        "file src/hello.py: ffff",
        "package flask: 2.2.5",
        "package flask: 2.2.6",
    }


def test_a_secret_of_the_environment_is_not_told(host: Host) -> None:
    (line,) = changed(host, release="r1", environment={"TOKEN": "secret"})
    assert line.startswith("environment TOKEN: (digest ")
    assert "secret" not in line


def test_without_its_content_a_release_is_asked_by_its_image(host: Host) -> None:
    assert changed(host, release="r1", content="") == set()


def test_what_was_never_live_differs_in_everything(host: Host) -> None:
    host.live = None
    assert difference.before(host, host.live) == ""


@pytest.mark.parametrize("label", ["", "{", "[]"])
def test_an_image_of_an_older_kind_has_no_content(host: Host, label: str) -> None:
    host.content = label
    found = difference.before(host, host.live)
    assert found == difference.lines("r1", difference.how(OLD), {})


def test_a_release_that_is_not_built_yet_is_new(host: Host) -> None:
    spec = dataclasses.replace(RELEASE_SPEC, release="")
    assert difference.after(host, spec, host.content).startswith("release (new)\n")
