from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.base.command import Finished
from classvm.base.docker import Docker
from classvm.base.errors import ClassvmError
from classvm.lab import system_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NO_KEY = """\
I: running apt-get update...
W: GPG error: archive noble InRelease: The public key is not available: NO_PUBKEY 871920D1991BC93C
E: apt-get update failed
I: removing tempdir
"""
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


@pytest.fixture
def keyrings(tmp_path: Path) -> dict[str, str]:
    """Return keyrings in a folder that nobody else may enter, as a private clone is."""
    folder = tmp_path / "clone"
    folder.mkdir(mode=0o700)
    for name in ("debian", "ubuntu"):
        (folder / name).write_text(f"keys of {name}")
        (folder / name).chmod(0o600)
    return {name: str(folder / name) for name in ("debian", "ubuntu")}


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


def test_what_is_here_is_not_made_again(keyrings: dict[str, str]) -> None:
    engine = Engine(has_image=True)
    assert not system_image.provide(engine, "debian-12", keyrings)
    assert engine.calls == [("image", "inspect", system_image.name("debian-12"))]


def test_a_missing_image_is_bootstrapped_and_imported(
    program: Callable[..., Path], keyrings: dict[str, str]
) -> None:
    program("mmdebstrap")
    engine = Engine(has_image=False)
    assert system_image.provide(engine, "ubuntu-22.04", keyrings)
    imported = engine.calls[-1]
    assert imported[:3] == ("import", "--change", 'CMD ["/lib/systemd/systemd"]')
    assert imported[-1] == system_image.name("ubuntu-22.04")


def test_every_user_may_read_the_keyring_of_the_distribution(
    program: Callable[..., Path], keyrings: dict[str, str], tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    # The keyring's text, then the modes of the file and of its folder.
    look = f'stat -c %a "$key" "${{key%/*}}" > {seen}.modes; cat "$key" > {seen}'
    program("stat", 'exec /usr/bin/stat "$@"')
    program(
        "mmdebstrap",
        f"for word; do case $word in --keyring=*) key=${{word#*=}} ;; esac; done; {look}",
    )
    system_image.provide(Engine(has_image=False), "ubuntu-22.04", keyrings)
    assert seen.read_text() == "keys of ubuntu"
    assert (tmp_path / "seen.modes").read_text().split() == ["644", "755"]


def test_a_missing_keyring_is_named_with_the_command_that_brings_it_back(
    program: Callable[..., Path],
) -> None:
    program("mmdebstrap")
    with pytest.raises(ClassvmError, match=r"/nope cannot be read .*`git checkout"):
        system_image.provide(Engine(has_image=False), "debian-12", {"debian": "/nope"})


def test_a_failed_bootstrap_tells_its_cause_first_and_leaves_no_image(
    program: Callable[..., Path], keyrings: dict[str, str]
) -> None:
    program("mmdebstrap", f"echo '{NO_KEY}' >&2; exit 25")
    engine = Engine(has_image=False)
    with pytest.raises(ClassvmError) as told:
        system_image.provide(engine, "debian-12", keyrings)
    first, second = str(told.value).splitlines()[:2]
    assert first.startswith("debian-12 could not be bootstrapped: archive noble InRelease")
    assert "NO_PUBKEY" in first
    assert second.startswith("`mmdebstrap ")
    assert [words[0] for words in engine.calls] == ["image"]


def test_a_bootstrap_that_fails_without_a_word_tells_its_exit_status(
    program: Callable[..., Path], keyrings: dict[str, str]
) -> None:
    program("mmdebstrap", "exit 25")
    with pytest.raises(ClassvmError, match="mmdebstrap ended with exit status 25"):
        system_image.provide(Engine(has_image=False), "debian-12", keyrings)


def test_an_unknown_system_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ClassvmError, match=r"debian-12.*ubuntu-24\.04"):
        system_image.provide(Engine(has_image=False), "ubuntu-14.04", {})
