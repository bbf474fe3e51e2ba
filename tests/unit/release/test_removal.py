"""Finding, stopping and removing what classvm made."""

from __future__ import annotations

import pytest
from classvm.base.command import Finished
from classvm.base.docker import Container, Docker
from classvm.release import removal, status


class Engine(Docker):
    """An engine that answers from a table and keeps what it was told."""

    def __init__(
        self,
        live: Container | None = None,
        shown: str = " 2026-01-01T10:00:00.5Z",
        *,
        running: bool = True,
    ) -> None:
        super().__init__()
        self.live = live
        self.shown = shown
        self.answers = running
        self.told: list[tuple[str, ...]] = []

    def engine_version(self) -> str | None:
        return "29.1.3" if self.answers else None

    def container(self, name: str) -> Container | None:
        return self.live if self.live and self.live.name == name else None

    def check(self, *words: str, stdin: bytes | None = None) -> str:
        assert stdin is None
        self.told.append(words)
        return {"container": self.shown, "ps": "c1\nc2\n", "image": "classvm/lab:1\n"}.get(
            words[0] if words[:2] != ("image", "rm") else "rm",
            "",
        )

    def run(self, *words: str, stdin: bytes | None = None) -> Finished:
        raise AssertionError((words, stdin))


def container(*, running: bool = True) -> Container:
    labels = {"classvm.release": "3f2a91c"}
    return Container("c1", "classvm-lab", "i1", running=running, exit_code=0, labels=labels)


@pytest.mark.parametrize(
    ("live", "health", "state"),
    [
        (None, "", "absent"),
        (container(), "", "up"),
        (container(), "healthy", "up"),
        (container(), "starting", "up"),
        (container(), "unhealthy", "unhealthy"),
        (container(running=False), "unhealthy", "stopped"),
    ],
)
def test_the_status(live: Container | None, health: str, state: str) -> None:
    found = status.read(Engine(live, f"{health} 2026-01-01T10:00:00.5Z"), "lab")
    assert found.state == state
    assert found.release == ("3f2a91c" if live else "")
    assert found.since == ("2026-01-01T10:00:00" if live else "")


def test_only_labelled_things_are_listed() -> None:
    engine = Engine()
    assert removal.containers(engine) == ["c1", "c2"]
    assert removal.images(engine) == ["classvm/lab:1"]
    assert all("label=classvm.service" in words for words in engine.told)


def test_containers_and_images_are_removed_one_by_one() -> None:
    engine = Engine()
    removal.remove_containers(engine)
    removal.remove_images(engine)
    removed = [words for words in engine.told if "rm" in words]
    assert removed == [
        ("rm", "--force", "c1"),
        ("rm", "--force", "c2"),
        ("image", "rm", "classvm/lab:1"),
    ]
