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
            "1 upgraded, 2 newly installed, 0 to remove and 4 not upgraded.",
            "Get:2 http://archive.example noble/universe amd64 docker.io amd64 29.1 [30 MB]",
            "Selecting previously unselected package docker.io.",
            "Unpacking docker.io (29.1-0ubuntu1) ...",
            "Setting up apparmor (4.0.1) ...",
            "Setting up docker.io (29.1-0ubuntu1) ...",
        )
    ]
    assert [line for line in told if line] == [
        "downloading package lists",
        "downloading 2 of 3 packages",
        "unpacking docker.io",
        "installing apparmor, 1 of 3",
        "installing docker.io, 2 of 3",
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


# --- an engine that is here from elsewhere ------------------------------------------------------

OWNED = """
case $1 in
--search) {} ;;
*) exit 1 ;;
esac
"""


@pytest.mark.parametrize(
    ("owner", "names", "wanted"),
    [
        ("echo docker-ce: $2", ["docker.io", "docker-cli"], []),
        ("echo no path found >&2; exit 1", ["docker.io", "docker-cli"], []),
        # Half installed by a run that was cut off.
        ("echo docker.io: $2", ["docker.io", "docker-cli"], ["docker.io", "docker-cli"]),
        ("echo docker-ce: $2", ["docker.io=20.*"], ["docker.io=20.*"]),
    ],
    ids=["another package", "no package", "the package itself", "a certain version"],
)
def test_a_program_from_elsewhere_is_taken_as_it_is(
    owner: str,
    names: list[str],
    wanted: list[str],
    program: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program("dpkg-query", OWNED.format(owner))
    dockerd = program("dockerd")
    monkeypatch.setattr(packages, "SYSTEM_PATH", str(dockerd.parent / "bin"))
    assert packages.missing(names, "dockerd") == wanted
    assert packages.missing(names) == names
    assert packages.missing(names, "absent") == names


def test_nothing_is_removed_and_what_is_in_the_way_is_named(program: Callable[..., Path]) -> None:
    removed = "The following packages will be REMOVED:\\n  podman-docker other\\n0 upgraded\\n"
    refused = "E: Packages need to be removed but remove is disabled."
    calls = program(
        "apt-get",
        f"[ $1 = update ] || {{ printf '{removed}'; echo '{refused}' >&2; exit 100; }}",
    )
    with pytest.raises(ClassvmError) as told:
        packages.install(["docker.io"])
    assert " --no-remove " in calls.read_text()
    assert told.value.cause.startswith("docker.io cannot be installed beside podman-docker, other")
    assert "`sudo apt-get remove podman-docker other`" in told.value.fix
    assert refused in told.value.details


# --- what else stops apt ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        "E: Release file for x is not valid yet (invalid for another 2d 23h 1min 40s).",
        "W: GPG error: x noble InRelease: At least one invalid signature was encountered.",
    ],
)
def test_a_slow_clock_is_told(said: str, program: Callable[..., Path]) -> None:
    program("apt-get", f'echo "{said}" >&2; exit 100')
    with pytest.raises(ClassvmError, match=r"not valid at the time.*\d{4}-\d\d-\d\d") as told:
        packages.install(["one"])
    assert "set-ntp" in told.value.fix


PROXY = "Acquire::http::Proxy=http://127.0.0.1:9"
FAILED = "E: Failed to fetch x  Could not connect to 127.0.0.1:9 (127.0.0.1)."


@pytest.mark.parametrize(
    ("settings", "variable", "named"),
    [
        (PROXY, "", "http://127.0.0.1:9"),
        ("Acquire::http=", "http://proxy:3128", "http://proxy:3128"),
        ("Acquire::http=", "", ""),
    ],
)
def test_a_proxy_that_does_not_answer_is_named(
    settings: str,
    variable: str,
    named: str,
    program: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, variable)
    program("apt-config", f"echo '{settings}'")
    program("apt-get", f"echo '{FAILED}' >&2; exit 100")
    with pytest.raises(ClassvmError) as told:
        packages.install(["one"])
    assert told.value.cause.endswith(f"asks the proxy {named}") is bool(named)


def test_an_installation_that_was_cut_off_is_finished_first(
    program: Callable[..., Path], tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    interrupted = "E: dpkg was interrupted, you must manually run dpkg --configure -a"
    refuses = f"[ $1 = update ] || [ -e {whole} ] || {{ echo '{interrupted}' >&2; exit 100; }}"
    calls = program("apt-get", refuses)
    configured = program("dpkg", f"/usr/bin/touch {whole}")
    packages.install(["one"])
    assert "--configure --pending" in configured.read_text()
    assert len(calls.read_text().splitlines()) == 3
