"""The guard's files and commands; `nft`, `ss` and `sshd` are scripts."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
import tree
from classvm.base.command import CommandError
from classvm.base.errors import ClassvmError
from classvm.provision import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DESIRED = guard.ruleset("table inet classvm {}\n", [11000], [22])
LISTED = "table inet classvm { chain }"
# A loaded guard leaves the file `loaded`; a ruleset with the word "wrong" is not accepted.
NFT = """
case "$*" in
--stateless*) cat {0}/loaded ;;
delete*) rm {0}/loaded ;;
*) for file; do :; done
   [ -e "$file" ] || exit 1
   case "$(cat "$file")" in *wrong*) echo syntax error >&2; exit 1 ;; esac
   case "$1" in --file) echo '{1}' > {0}/loaded ;; esac ;;
esac
"""


@pytest.fixture
def files(tmp_path: Path) -> Iterator[guard.Files]:
    folder = tmp_path / "classvm"
    files = guard.Files(
        rules=folder / "guard.nft",
        trial=folder / "guard.nft.trial",
        listing=folder / "guard.listing",
        revert=folder / "guard.revert.pid",
    )
    yield files
    if files.revert.exists():
        os.killpg(int(files.revert.read_text()), signal.SIGKILL)


@pytest.fixture
def nft(program: Callable[..., Path], tmp_path: Path) -> Path:
    return program("nft", NFT.format(tmp_path, LISTED))


@pytest.fixture
def pass_time(program: Callable[..., Path], tmp_path: Path) -> Callable[[], object]:
    """Have `sleep` sleep until ``pass_time()`` is called."""
    alarm = tmp_path / "alarm"
    os.mkfifo(alarm)
    program("sleep", f"cat {alarm}")
    return lambda: alarm.write_text("ring")


def has_ended(process: int) -> bool:
    """Tell whether a child of ours ends within a second."""
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        try:
            if os.waitpid(process, os.WNOHANG)[0]:
                return True
        except ChildProcessError:  # the subprocess module was first
            return True
        time.sleep(0.005)
    return False


def wait_until_gone(path: Path) -> None:
    deadline = time.monotonic() + 2
    while path.exists():
        assert time.monotonic() < deadline, f"{path} stays"
        time.sleep(0.01)


# --- the text ----------------------------------------------------------------------------------


def test_ruleset() -> None:
    text = guard.ruleset("table inet classvm {}\n", [11000, 443], [2222, 22], [546])
    assert text.splitlines() == [
        "define SSH = { 22, 2222 }",
        "define OPEN_TCP = { 443, 11000 }",
        "define DHCP_CLIENT = { 546 }",
        "",
        "table inet classvm {}",
    ]


def test_a_set_without_ports_is_one_that_nobody_can_listen_on() -> None:
    lines = guard.ruleset("rules", [], [22]).splitlines()
    assert lines[1:3] == ["define OPEN_TCP = { 0 }", "define DHCP_CLIENT = { 0 }"]


def test_revert_script(files: guard.Files) -> None:
    folder = files.rules.parent
    assert guard.revert_script(files) == (
        f"nft --file {folder}/guard.nft || nft delete table inet classvm;"
        f" rm -f {folder}/guard.nft.trial {folder}/guard.revert.pid"
    )


@pytest.mark.parametrize(
    ("sshd", "connection", "ports"),
    [
        ("port 22", "", [22]),
        ("Port 99\nport 2222\nport 22\nx11displayoffset 10\nportx 7", "", [22, 2222]),
        ("port 22", "192.0.2.7 50000 192.0.2.1 2200", [22, 2200]),
        ("port 22", "192.0.2.7 50000 192.0.2.1 22", [22]),
        (None, "2001:db8::7 50000 2001:db8::1 2200", [2200]),
        (None, "", []),
    ],
)
def test_ssh_ports(
    sshd: str | None, connection: str, ports: list[int], program: Callable[..., Path]
) -> None:
    program("ss")
    if sshd:
        calls = program("sshd", f"echo '{sshd}'")
    assert guard.ssh_ports({"SSH_CONNECTION": connection} if connection else {}) == ports
    if sshd:
        assert calls.read_text() == "-T\n"


def test_a_port_that_systemd_listens_on_for_ssh(program: Callable[..., Path]) -> None:
    socket = 'users:(("sshd",pid=109,fd=3),("systemd",pid=1,fd=81))'
    program("ss", f"echo 'LISTEN 0 4096 0.0.0.0:2222 0.0.0.0:* {socket}'")
    assert guard.ssh_ports({}) == [2222]


@pytest.mark.parametrize(
    ("local", "program_name", "ports"),
    [
        ("192.0.2.2%eth0:68", "systemd-network", [68]),
        ("0.0.0.0:68", "dhclient", [68]),
        ("[fe80::1]%eth0:546", "systemd-network", [546]),
        ("0.0.0.0:68", "docker-proxy", []),
        ("0.0.0.0:68", "dockerd", []),
        ("0.0.0.0:1068", "dhclient", []),
        ("0.0.0.0:67", "dnsmasq", []),
    ],
)
def test_dhcp_client_ports(
    local: str, program_name: str, ports: list[int], program: Callable[..., Path]
) -> None:
    users = f'users:(("{program_name}",pid=109,fd=3))'
    calls = program("ss", f"echo 'UNCONN 0 0 {local} 0.0.0.0:* {users}'")
    assert guard.dhcp_client_ports() == ports
    assert calls.read_text() == "-Hulnp\n"


def test_a_guard_without_ssh_is_refused() -> None:
    with pytest.raises(ClassvmError, match="would lock everybody out"):
        guard.ruleset("rules", [11000], [])


# --- trial, confirmation, revert ----------------------------------------------------------------


def test_a_confirmed_trial_stays(files: guard.Files, nft: Path) -> None:
    assert not guard.is_current(DESIRED, files)
    guard.try_out(DESIRED, files, seconds=60)
    assert nft.read_text().splitlines()[-2:] == [
        f"--check --file {files.trial}",
        f"--file {files.trial}",
    ]
    assert not guard.is_current(DESIRED, files)  # only tried
    reverter = int(files.revert.read_text())
    assert os.getpgid(reverter) == reverter
    guard.confirm(files)
    assert has_ended(reverter)
    assert guard.is_current(DESIRED, files)
    assert sorted(os.listdir(files.rules.parent)) == ["guard.listing", "guard.nft"]


def test_a_first_trial_that_nobody_confirms_is_taken_back(
    files: guard.Files, nft: Path, pass_time: Callable[[], object]
) -> None:
    guard.try_out(DESIRED, files)
    assert guard.listing()
    pass_time()
    wait_until_gone(files.revert)
    assert nft.read_text().splitlines()[-2:] == [
        f"--file {files.rules}",
        "delete table inet classvm",
    ]
    assert guard.listing() == ""
    with pytest.raises(ClassvmError, match="taken back because nobody could connect in time"):
        guard.confirm(files)
    assert not guard.is_current(DESIRED, files)


def test_a_trial_that_nobody_confirms_gives_way_to_the_confirmed_guard(
    files: guard.Files, nft: Path, pass_time: Callable[[], object]
) -> None:
    guard.try_out(DESIRED, files)
    guard.confirm(files)
    guard.try_out(DESIRED.replace("11000", "12000"), files)
    pass_time()
    wait_until_gone(files.revert)
    # Never without a guard in between.
    assert nft.read_text().splitlines()[-1] == f"--file {files.rules}"
    assert files.rules.read_text() == DESIRED
    assert guard.is_current(DESIRED, files)


def test_a_ruleset_that_nftables_refuses_changes_nothing(files: guard.Files, nft: Path) -> None:
    with pytest.raises(CommandError, match="syntax error"):
        guard.try_out("wrong", files)
    assert nft.read_text() == f"--check --file {files.trial}\n"
    assert os.listdir(files.rules.parent) == []
    with pytest.raises(ClassvmError, match="taken back"):
        guard.confirm(files)


@pytest.mark.usefixtures("nft")
def test_another_ruleset_or_a_guard_changed_by_hand_is_not_current(
    files: guard.Files, tmp_path: Path
) -> None:
    guard.try_out(DESIRED, files, seconds=60)
    guard.confirm(files)
    assert not guard.is_current(DESIRED + " ", files)
    loaded = tmp_path / "loaded"
    loaded.write_text("table inet classvm { somebody added a rule }")
    assert not guard.is_current(DESIRED, files)
    loaded.unlink()
    assert not guard.is_current(DESIRED, files)


@pytest.mark.usefixtures("nft")
def test_problem(files: guard.Files, tmp_path: Path) -> None:
    assert guard.problem((), files) == ""  # no guard is installed
    guard.try_out(DESIRED, files, seconds=60)
    guard.confirm(files)
    assert guard.problem((), files) == ""
    loaded = tmp_path / "loaded"
    loaded.write_text("table inet classvm { somebody added a rule }")
    assert guard.problem((), files) == "the guard's rules were changed by hand"
    loaded.unlink()
    assert guard.problem((), files) == "the guard is not loaded"


def test_an_admin_asks_for_the_rules_through_sudo(
    files: guard.Files, program: Callable[..., Path]
) -> None:
    files.rules.parent.mkdir()
    files.rules.write_text(DESIRED)
    calls = program("sudo", "exit 1")
    assert guard.problem(("sudo", "--non-interactive"), files) == "the guard is not loaded"
    assert calls.read_text() == "--non-interactive nft --stateless list table inet classvm\n"


def test_the_watched_files_are_those_that_the_role_installs(files: guard.Files) -> None:
    role = tree.ROOT / "roles/firewall/files"
    watched = guard.watched(files)
    assert watched[0] == files.rules
    unit, link, drop_in = (role / str(path).lstrip("/") for path in watched[1:])
    assert drop_in.is_file()
    assert f"WantedBy={link.parent.name.removesuffix('.wants')}" in unit.read_text()


@pytest.mark.usefixtures("nft")
def test_everybody_may_read_which_ports_are_open(files: guard.Files) -> None:
    former = os.umask(0o077)
    try:
        guard.try_out(DESIRED, files, seconds=60)
        guard.confirm(files)
    finally:
        os.umask(former)
    assert [path.stat().st_mode & 0o777 for path in (files.rules, files.listing)] == [0o644] * 2


@pytest.mark.usefixtures("nft")
def test_remove(files: guard.Files) -> None:
    assert not guard.remove(files)
    guard.try_out(DESIRED, files, seconds=60)
    guard.confirm(files)
    assert guard.remove(files)
    assert os.listdir(files.rules.parent) == []
    assert guard.listing() == ""
    assert not guard.remove(files)


def test_a_guard_that_is_only_installed_is_there(
    files: guard.Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "listing", lambda *_: "")
    assert not guard.is_there(files)
    files.rules.parent.mkdir(exist_ok=True)
    files.rules.write_text("")
    assert guard.is_there(files)


@pytest.mark.usefixtures("nft")
def test_remove_ends_a_trial(files: guard.Files) -> None:
    guard.try_out(DESIRED, files, seconds=60)
    reverter = int(files.revert.read_text())
    assert guard.remove(files)
    assert has_ended(reverter)
    assert os.listdir(files.rules.parent) == []


@pytest.mark.usefixtures("nft")
@pytest.mark.parametrize(
    ("listed", "as_root", "expected"),
    [
        (LISTED, (), guard.LOADED),
        (LISTED, None, guard.UNKNOWN),
        ("", (), guard.MISSING),
        ("table inet classvm { other }", (), guard.CHANGED),
    ],
)
def test_how_the_guard_is(
    listed: str,
    as_root: tuple[str, ...] | None,
    expected: str,
    files: guard.Files,
    tmp_path: Path,
) -> None:
    files.rules.parent.mkdir()
    files.rules.write_text(DESIRED)
    files.listing.write_text(LISTED)
    if listed:
        (tmp_path / "loaded").write_text(listed)
    assert guard.standing(as_root, expected=True, files=files) == expected


def test_a_host_without_a_guard_has_none(files: guard.Files) -> None:
    assert guard.standing((), expected=False, files=files) == guard.NONE


def test_a_guard_whose_rules_are_gone_is_missing(files: guard.Files) -> None:
    assert guard.standing((), expected=True, files=files) == guard.MISSING
