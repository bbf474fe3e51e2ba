"""The verbs about the account and the provision."""

from __future__ import annotations

import json
from typing import Any

import pytest
from classvm.base import account, command, installed
from classvm.base.command import Finished
from classvm.program import account_check, environment, looking
from classvm.program.host import Host
from classvm.provision import comparison
from classvm.release.status import Status
from program_requests import SHORT, require_documented

PROVISION = "provision.json"
PROGRAM = installed.HERE.command


@pytest.fixture
def host(tmp_path: Any) -> Host:
    """Return a host whose last provision had the fingerprint "ab"."""
    (tmp_path / PROVISION).write_text('{"fingerprint": "ab"}')
    return Host(str(tmp_path))


def test_the_account_is_described() -> None:
    answer = account_check.tell_account(Host(""), {"protocol": 1})
    require_documented("account", answer)
    assert answer["account"] == account.name()


@pytest.mark.parametrize("to_deploy", [True, False])
def test_the_provision_is_compared(
    to_deploy: bool, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "privilege", lambda _: "root")
    monkeypatch.setattr("classvm.provision.freshness.digests", dict)
    monkeypatch.setattr("classvm.provision.freshness.state_problem", lambda _: "")
    monkeypatch.setattr("classvm.base.docker.shutil.which", lambda *_, **__: None)
    request = {**SHORT, "to_deploy": to_deploy}
    answer = account_check.verify_provision(host, request)
    require_documented("verify-provision", answer)
    told = [answer["stale"]] if to_deploy else answer["problems"]
    assert told == ["Docker is not installed"]
    other = account_check.verify_provision(host, {**request, "fingerprint": "cd"})
    told = [other["stale"]] if to_deploy else other["problems"]
    assert told[0] == "the roles have changed since this host was provisioned"


STATUS = {"service": "lab", "finishing": False, "taken_back": "", "status": vars(Status())}


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("problem", ["", "this account is not in the docker group"])
def test_one_question_may_ask_for_the_status_too(
    wanted: bool, problem: str, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = {"stale": "", "unseen": "", "problems": [], "guard": "none", **account.described()}
    monkeypatch.setattr(account, "privilege", lambda _: "root")
    monkeypatch.setattr(comparison, "compared", lambda _: dict(compared))
    monkeypatch.setattr("classvm.base.docker.Docker.engine_problem", lambda _: problem)
    monkeypatch.setattr(looking, "tell_status", lambda *_: dict(STATUS))
    answer = account_check.verify_provision(host, {**SHORT, "with_status": wanted})
    require_documented("verify-provision", answer)
    assert answer == (compared if problem or not wanted else {**compared, **STATUS})


def test_what_the_caller_had_set_is_told_although_it_does_not_count(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def tell(*given: Any) -> dict[str, Any]:
        seen.append(given)
        return {}

    monkeypatch.setattr(comparison, "before_deploy", tell)
    given = {**SHORT, "to_deploy": True, "port": 1, "base_image": "b", "password_given": True}
    account_check.verify_provision(host, given)
    asked = comparison.Asked(host.state_dir, "ab", "b", "lab", 1, password_given=True)
    assert seen == [(asked, environment.GIVEN)]


DESCRIBED = {"account": "ada", "privilege": "sudo", "engine_access": False}
AS_ROOT: dict[str, Any] = {
    "protocol": 1,
    "error": None,
    "stale": "",
    "privilege": "root",
    "ignored": [],
}
REFUSED = {"protocol": 1, "error": {"code": "failed", "line": "Disk full"}}


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what sudo prints, each time the first; the account may use it without a password."""
    said: list[str] = []

    def run(argv: list[str], *, stdin: bytes) -> Finished:
        assert argv == ["sudo", "--non-interactive", PROGRAM, "verify-provision", "--json"]
        assert json.loads(stdin)["to_deploy"] is True
        return Finished(argv, 0, said[0], "")

    monkeypatch.setattr(account, "described", lambda: dict(DESCRIBED))
    monkeypatch.setattr(command, "run", run)
    monkeypatch.setattr(environment, "GIVEN", {"DOCKER_HOST": "tcp://x", "DOCKER_CONFIG": "/none"})
    monkeypatch.setattr(comparison, "before_deploy", lambda *_: {"stale": "asked itself"})
    return said


def test_an_admin_s_program_asks_as_root_but_tells_of_the_admin(
    host: Host, printed: list[str]
) -> None:
    printed.append(json.dumps(AS_ROOT))
    answer = account_check.verify_provision(host, {**SHORT, "to_deploy": True})
    assert answer == {**AS_ROOT, **DESCRIBED, "ignored": ["DOCKER_HOST"]}


def test_what_root_s_program_refuses_is_refused(host: Host, printed: list[str]) -> None:
    printed.append(json.dumps(REFUSED))
    assert account_check.verify_provision(host, {**SHORT, "to_deploy": True}) == REFUSED


@pytest.mark.parametrize("said", ["", "a lecture of sudo", "[1]", "{}"])
def test_who_may_not_start_it_by_sudo_asks_itself(
    said: str, host: Host, printed: list[str]
) -> None:
    printed.append(said)
    answer = account_check.verify_provision(host, {**SHORT, "to_deploy": True})
    assert answer == {"stale": "asked itself"}
