from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.base.command import CommandError, Finished
from classvm.base.docker import Docker
from classvm.base.errors import ClassvmError
from classvm.lab import system_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEYRINGS = {"debian": "/keys/debian.gpg", "ubuntu": "/keys/ubuntu.gpg"}
FOUND = '[{"Id": "sha256:1", "Size": 1}]'


class Engine(Docker):
    """An engine that has an image, or none, and notes what it is told."""

    def __init__(self, *, has_image: bool) -> None:
        super().__init__()
        self.has_image = has_image
        self.calls: list[tuple[str, ...]] = []

    def run(self, *words: str, stdin: bytes | None = None) -> Finished:
        del stdin
        self.calls.append(words)
        if self.has_image:
            return Finished(words, 0, FOUND, "")
        return Finished(words, 1, "", "No such image")

    def check(self, *words: str, stdin: bytes | None = None) -> str:
        self.run(*words, stdin=stdin)
        return ""


def test_the_command_line() -> None:
    argv = system_image.mmdebstrap_argv(
        system_image.SYSTEMS["debian-12"], "/keys/debian.gpg", "/lab/r"
    )
    assert argv[:4] == [
        "mmdebstrap",
        "--variant=apt",
        "--components=main",
        "--keyring=/keys/debian.gpg",
    ]
    assert argv[-2:] == ["bookworm", "/lab/r"]
    assert all(word.startswith("--customize-hook=") for word in argv[5:-2])


def test_a_bare_system_has_no_engine() -> None:
    assert not [
        package for package in system_image.PACKAGES if "docker" in package or "nft" in package
    ]


def test_another_recipe_gives_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    before = system_image.name("ubuntu-24.04")
    assert before.startswith("classvm/vm-ubuntu-24.04:")
    assert before != system_image.name("ubuntu-22.04")
    monkeypatch.setattr(system_image, "PACKAGES", ("sudo",))
    assert before.partition(":")[0] == system_image.name("ubuntu-24.04").partition(":")[0]
    assert before != system_image.name("ubuntu-24.04")


def test_what_is_here_is_not_made_again() -> None:
    engine = Engine(has_image=True)
    assert not system_image.provide(engine, "debian-12", KEYRINGS)
    assert engine.calls == [("image", "inspect", system_image.name("debian-12"))]


def test_a_missing_image_is_bootstrapped_with_the_keys_of_its_distribution(
    program: Callable[..., Path],
) -> None:
    calls = program("mmdebstrap")
    engine = Engine(has_image=False)
    assert system_image.provide(engine, "ubuntu-22.04", KEYRINGS)
    assert "--keyring=/keys/ubuntu.gpg" in calls.read_text()
    imported = engine.calls[-1]
    assert imported[:3] == ("import", "--change", 'CMD ["/lib/systemd/systemd"]')
    assert imported[-1] == system_image.name("ubuntu-22.04")


def test_a_failed_bootstrap_leaves_no_image(program: Callable[..., Path]) -> None:
    program("mmdebstrap", "exit 25")
    engine = Engine(has_image=False)
    with pytest.raises(CommandError):
        system_image.provide(engine, "debian-12", KEYRINGS)
    assert [words[0] for words in engine.calls] == ["image"]


def test_an_unknown_system_is_refused_with_those_there_are() -> None:
    with pytest.raises(ClassvmError, match=r"debian-12.*ubuntu-24\.04"):
        system_image.provide(Engine(has_image=False), "ubuntu-14.04", KEYRINGS)
