"""Packages; `dpkg-query` and `apt-get` are scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.base.errors import ClassvmError
from classvm.provision import packages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DPKG = """
for name; do :; done
case $name in
here) printf 'installed 2.1-3' ;;
gone) printf 'config-files 2.1-3' ;;
*) echo "no packages found matching $name" >&2; exit 1 ;;
esac
"""


@pytest.mark.parametrize(
    ("name", "is_missing"),
    [
        ("here", False),
        ("here=2.1-3", False),
        ("here=2.*", False),
        ("here=3.*", True),
        ("gone", True),
        ("absent", True),
    ],
)
def test_missing(name: str, is_missing: bool, program: Callable[..., Path]) -> None:
    program("dpkg-query", DPKG)
    network = program("apt-get")
    assert packages.missing([name]) == ([name] if is_missing else [])
    assert not network.exists()


def test_the_lists_are_refreshed_before_something_is_installed(
    program: Callable[..., Path],
) -> None:
    calls = program("apt-get")
    packages.install(["one", "two=1.*"])
    update, install = calls.read_text().splitlines()
    assert update == "update"
    assert install.startswith("install --yes --no-install-recommends")
    assert install.endswith(" one two=1.*")


def test_how_far_apt_get_has_come_is_told() -> None:
    told = [
        apt.text(line)
        for apt in [packages.AptProgress()]
        for line in (
            "Reading package lists...",
            "Get:1 http://archive.example noble InRelease [256 kB]",
            "0 upgraded, 2 newly installed, 0 to remove and 4 not upgraded.",
            "Get:2 http://archive.example noble/universe amd64 docker.io amd64 29.1 [30 MB]",
            "Selecting previously unselected package docker.io.",
            "Unpacking docker.io (29.1-0ubuntu1) ...",
            "Setting up apparmor (4.0.1) ...",
            "Setting up docker.io (29.1-0ubuntu1) ...",
        )
    ]
    assert [line for line in told if line] == [
        "downloading 1",
        "downloading 2 of 2 packages",
        "unpacking docker.io",
        "installing apparmor, 1 of 2",
        "installing docker.io, 2 of 2",
    ]


def test_a_failure_names_its_reason_and_the_next_command(program: Callable[..., Path]) -> None:
    program("apt-get", 'echo "E: cannot $1" >&2; exit 100')
    with pytest.raises(ClassvmError) as caught:
        packages.install(["one"])
    first, *details = str(caught.value).splitlines()
    assert first.startswith("Packages cannot be installed: one. ")
    assert "`sudo apt-get update`" in first
    assert details == ["E: cannot update", "E: cannot install"]


def test_lists_that_are_out_of_reach_do_not_matter_when_packages_are_cached(
    program: Callable[..., Path],
) -> None:
    program("apt-get", '[ "$1" != update ] || exit 100')
    packages.install(["one"])


def test_another_program_s_lock_is_waited_for(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(packages, "POLL_SECONDS", 0.01)
    locked = tmp_path / "locked"
    locked.touch()
    script = f'[ -e {locked} ] || exit 0; rm {locked}; echo "E: Could not get lock" >&2; exit 100'
    calls = program("apt-get", script)
    packages.install(["one"])
    assert [line.split()[0] for line in calls.read_text().splitlines()] == [
        "update",
        "update",
        "install",
    ]


def test_a_lock_that_stays_is_named(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "LOCK_SECONDS", 0)
    program("apt-get", "echo E: Could not get lock held by process 4711 >&2; exit 100")
    with pytest.raises(ClassvmError, match=r"held apt's locks(.|\n)*process 4711"):
        packages.install(["one"])
