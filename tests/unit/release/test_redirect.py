"""The rules that lead clients to a candidate: whether they can be set, and what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
from classvm.base import account
from classvm.base.errors import ClassvmError
from classvm.release import redirect
from classvm.release.redirect import NO_NFTABLES, NOT_ROOT, Redirect

SERVICE = "lab-two"
NFT = """#!/bin/sh
echo "$@" >>{log}
cat >>{log}
exit {code}
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for nft, and return the file in which it keeps its arguments and its input."""
    install(tmp_path, code=0)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setattr(redirect, "FOLDERS", "")
    monkeypatch.setattr(account, "privilege", lambda _: "root")
    return tmp_path / "log"


def install(folder: Path, code: int) -> None:
    program = folder / "nft"
    program.write_text(NFT.format(log=folder / "log", code=code))
    program.chmod(0o755)


def made(folder: Path) -> Redirect:
    return Redirect(SERVICE, str(folder), 11000, 40000, 8080)


def test_nothing_is_in_the_way_of_root(log: Path) -> None:
    assert redirect.obstacle() == ""
    # It only asks.
    assert log.read_text().startswith("--check --file -\n")


def test_without_the_program_there_is_no_way(log: Path) -> None:
    (log.parent / "nft").unlink()
    assert redirect.obstacle() == NO_NFTABLES


def test_a_kernel_that_refuses_the_rules_has_no_nftables(log: Path) -> None:
    install(log.parent, code=1)
    assert redirect.obstacle() == NO_NFTABLES


@pytest.mark.parametrize("privilege", ["none", "password"])
def test_an_account_that_cannot_be_root_without_a_password(
    privilege: str, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "privilege", lambda _: privilege)
    assert redirect.obstacle() == NOT_ROOT
    with pytest.raises(ClassvmError, match="only root can end it"):
        redirect.require_right_to_end(SERVICE)
    assert not log.exists()


def test_root_has_the_right_to_end_it(log: Path) -> None:
    redirect.require_right_to_end(SERVICE)
    assert "--check" in log.read_text()


def test_a_candidate_is_closed_before_it_is_led_to(log: Path, tmp_path: Path) -> None:
    made(tmp_path).close()
    rules = log.read_text()
    assert "tcp dport 40000 drop" in rules
    assert "11000" not in rules
    assert not redirect.is_left(SERVICE, str(tmp_path))


def test_the_rules_lead_to_the_candidate_and_are_noted(log: Path, tmp_path: Path) -> None:
    made(tmp_path).lead("172.17.0.3")
    rules = log.read_text()
    assert "tcp dport 40000 drop" in rules
    assert "tcp dport 11000 dnat ip to 172.17.0.3:8080" in rules
    assert rules.count("redirect to :40000") == 3
    assert redirect.is_left(SERVICE, str(tmp_path))
    redirect.end(SERVICE)
    assert log.read_text().endswith("flush chain inet classvm_swap_lab_two prerouting\n")
    assert redirect.is_left(SERVICE, str(tmp_path))
    redirect.remove(SERVICE, str(tmp_path))
    assert log.read_text().endswith("delete table inet classvm_swap_lab_two\n")
    assert not redirect.is_left(SERVICE, str(tmp_path))


def test_what_is_removed_may_be_gone(log: Path, tmp_path: Path) -> None:
    redirect.remove(SERVICE, str(tmp_path))
    # The first line makes a table where there is none, so that the second one never fails.
    assert log.read_text().splitlines()[1:] == [
        "table inet classvm_swap_lab_two",
        "delete table inet classvm_swap_lab_two",
    ]


@pytest.mark.usefixtures("log")
def test_a_note_of_an_earlier_boot_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path).lead("172.17.0.3")
    (tmp_path / "boot").write_text("another one")
    monkeypatch.setattr(redirect, "BOOT_ID", str(tmp_path / "boot"))
    assert (tmp_path / f"redirect-{SERVICE}").exists()
    assert not redirect.is_left(SERVICE, str(tmp_path))
    assert not (tmp_path / f"redirect-{SERVICE}").exists()


def test_rules_that_are_refused_are_told(log: Path, tmp_path: Path) -> None:
    install(log.parent, code=1)
    with pytest.raises(ClassvmError, match="nft failed"):
        made(tmp_path).lead("172.17.0.3")
    # They may be there in part of the cases that nobody thought of: the next run removes them.
    assert redirect.is_left(SERVICE, str(tmp_path))


def test_services_have_tables_of_their_own() -> None:
    assert redirect.table("lab") != redirect.table("lab-two")


def test_a_free_port_is_free() -> None:
    assert 0 < redirect.free_port() < 1 << 16
