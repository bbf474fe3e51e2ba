"""Removing what classvm made."""

from __future__ import annotations

from classvm.base.command import Finished
from classvm.base.docker import Docker
from classvm.release import removal


class Engine(Docker):
    """An engine that answers from a table and keeps what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, ...]] = []

    def check(self, *words: str, stdin: bytes | None = None) -> str:
        assert stdin is None
        self.told.append(words)
        return {"ps": "c1\nc2\n", "image": "classvm/lab:1\n"}.get(
            words[0] if words[:2] != ("image", "rm") else "rm",
            "",
        )

    def run(self, *words: str, stdin: bytes | None = None) -> Finished:
        raise AssertionError((words, stdin))


def test_only_labelled_things_are_listed() -> None:
    engine = Engine()
    assert removal.containers(engine) == ["c1", "c2"]
    assert removal.images(engine) == ["classvm/lab:1"]
    assert all("label=classvm.service" in words for words in engine.told)


def test_an_image_without_a_name_is_known_by_its_id() -> None:
    """A second build of a release takes the name from the first; no command knows <none>:<none>."""
    engine = Engine()
    removal.images(engine)
    assert '{{if eq .Tag "<none>"}}{{.ID}}{{else}}{{.Repository}}:{{.Tag}}{{end}}' in engine.told[0]


def test_containers_and_images_are_removed_one_by_one() -> None:
    engine = Engine()
    removal.remove_containers(engine)
    removal.remove_images(engine)
    removed = [words for words in engine.told if "rm" in words]
    assert removed == [
        ("rm", "--force", "--volumes", "c1"),
        ("rm", "--force", "--volumes", "c2"),
        ("image", "rm", "classvm/lab:1"),
    ]
