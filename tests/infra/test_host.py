"""The host itself: its system, its engine, its state folder, its clock, and SSH."""

from __future__ import annotations

import json
import re
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from classvm.base import docker, installed
from classvm.program import protocol, schema, student
from classvm.provision import students
from classvm.provision.engine import DAEMON_JSON, PIDFILE
from infra.expected import Facts, Finished, state_dir_tasks, supported_systems

if TYPE_CHECKING:
    from infra.vm import Vm

EVIDENCE = ("engine log",)
CLOCK_SECONDS = 5.0
# The names of settings in `docker info`.
INFO = {"log-driver": "LoggingDriver", "live-restore": "LiveRestoreEnabled"}


@pytest.fixture(scope="module")
def info(engine: docker.Docker) -> dict[str, Any]:
    """Return the engine's description of itself."""
    described: dict[str, Any] = json.loads(engine.check("info", "--format", "{{json .}}"))
    return described


@pytest.fixture
def settings(vm: Vm) -> dict[str, Any]:
    """Return the engine's settings from its file."""
    found: dict[str, Any] = json.loads(vm.read("cat %s", str(DAEMON_JSON)))
    return found


def test_the_system_is_one_that_classvm_knows(vm: Vm) -> None:
    system = vm.host.system_info
    name = f"{system.distribution.title()} {system.release.partition('.')[0]}"
    assert name in supported_systems()


def test_a_client_of_ipv6_meets_an_app_that_listens_on_ipv4(
    engine: docker.Docker, settings: dict[str, Any]
) -> None:
    """An engine with IPv6 sends them to an address of the container, where nobody listens."""
    enabled = engine.check("network", "inspect", "bridge", "--format", "{{.EnableIPv6}}").strip()
    assert enabled == str(bool(settings.get("ipv6"))).lower(), "`make stop`, then restart docker"


def test_the_engine_runs(engine: docker.Docker) -> None:
    assert engine.run("version").code == 0


@pytest.mark.usefixtures("systemd")
def test_the_engine_starts_at_boot(vm: Vm) -> None:
    assert vm.unit("docker.service", "UnitFileState") == "enabled"


@pytest.mark.usefixtures("systemd")
def test_what_the_engine_needs_starts_with_it(vm: Vm) -> None:
    needs = f"{vm.unit('docker.service', 'Wants')} {vm.unit('docker.service', 'Requires')}".split()
    units = [name for name in needs if name.startswith(("containerd.", "docker."))]
    states = {name: vm.unit(name, "LoadState") for name in units}
    assert set(states.values()) <= {"loaded"}, states


def test_the_engine_has_taken_its_settings(facts: Facts, info: dict[str, Any]) -> None:
    desired = {k: v for k, v in facts["docker_settings"].items() if k in INFO}
    assert {name: info[INFO[name]] for name in desired} == desired


def test_the_engine_has_started_since_its_settings_changed(vm: Vm) -> None:
    ages = (
        f"cut -d' ' -f22 /proc/$(cat {PIDFILE})/stat; getconf CLK_TCK;"
        f" cut -d' ' -f1 /proc/uptime; stat --format %Y {DAEMON_JSON}; date +%s"
    )
    started, ticks, uptime, written, now = map(float, vm.read(ages).split())
    # Both times are rounded down to seconds.
    assert now - written + 1 >= uptime - started / ticks


def test_containers_gain_no_privileges(
    facts: Facts,
    info: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    # Older engines do not report it; they read the file once, when they start.
    name = "no-new-privileges"
    reported = f"name={name}" in info["SecurityOptions"]
    assert facts["docker_settings"][name] in (reported, settings.get(name))


def test_the_engine_bounds_the_logs(facts: Facts, settings: dict[str, Any]) -> None:
    # No engine reports its log options; it reads the file once, when it starts.
    assert settings.get("log-opts") == facts["docker_settings"]["log-opts"]


def test_the_log_of_the_service_is_bounded(vm: Vm, facts: Facts) -> None:
    settings = facts["docker_settings"]
    desired = {"Type": settings["log-driver"], "Config": settings["log-opts"]}
    assert vm.live["HostConfig"]["LogConfig"] == desired


def test_the_state_folder_is_that_of_the_role(vm: Vm, facts: Facts) -> None:
    (desired,) = (task["ansible.builtin.file"] for task in state_dir_tasks())
    found = vm.read("stat --format '%%U %%G %%a' %s", str(facts["classvm_state_dir"])).split()
    assert found == [desired["owner"], "docker", desired["mode"]]


@pytest.mark.parametrize("path", installed.watched())
def test_the_host_program_belongs_to_root_alone(path: str, vm: Vm) -> None:
    """Whoever could write to it, or to a folder above it, would be root with the next command."""
    places = [path, *map(str, Path(path).parents)]
    for place in places:
        kind, owner, mode = vm.read("stat --format '%%F/%%U/%%a' %s", place).strip().split("/")
        assert owner == "root", place
        # A link has the rights of what it leads to.
        others = 0 if kind == "symbolic link" else int(mode, 8) & 0o002
        assert not others, place


def test_the_host_program_answers(vm: Vm) -> None:
    answer = json.loads(vm.read("classvm version --json </dev/null"))
    assert (answer["error"], answer["protocol"]) == (None, protocol.PROTOCOL)
    assert answer["digest"] == vm.read("sha256sum %s", installed.HERE.program).split()[0]


def test_the_host_program_finds_the_service(vm: Vm, facts: Facts) -> None:
    answer = json.loads(vm.root("classvm status --json </dev/null").stdout)
    assert (answer["error"], answer["service"]) == (None, facts["service_name"])


@pytest.fixture
def students_of_sudo(facts: Facts) -> list[str]:
    """Return the accounts that ask the host program through sudo."""
    named = list(facts["students"]) if facts["students_access"] == students.RELEASE_ONLY else []
    if not named:
        pytest.skip(f"no account of {facts.name} asks through sudo")
    return named


def test_sudo_allows_a_student_the_host_program_alone(vm: Vm, students_of_sudo: list[str]) -> None:
    assert vm.root("stat --format '%%U %%a' %s", str(students.SUDOERS)).stdout.split() == [
        "root",
        "440",
    ]
    wanted = {" ".join(student.argv(verb)) for verb in schema.VERBS}
    for name in students_of_sudo:
        listed = vm.root("sudo --list --other-user %s", name).stdout
        allowed = re.sub(r"\s+", " ", listed.rpartition("may run the following commands")[2])
        found = re.findall(r"NOPASSWD: (.*?)(?= \(|$)", allowed.strip())
        assert {one.strip() for line in found for one in line.split(",")} == wanted
        assert "docker" not in vm.read("id --name --groups %s", name).split()


def test_the_clock_is_right(vm: Vm) -> None:
    before = time.time()
    there = float(vm.read("date +%s.%N"))
    after = time.time()
    assert before - CLOCK_SECONDS <= there <= after + CLOCK_SECONDS


@pytest.fixture
def remote(facts: Facts) -> None:
    """Skip a test of SSH on the control node itself."""
    if facts.is_local:
        pytest.skip("Ansible reaches the control node without SSH")


@pytest.mark.usefixtures("remote")
def test_ssh_answers_where_ansible_connects(facts: Facts) -> None:
    with socket.create_connection((facts["service_address"].strip("[]"), facts.ssh_port), 5) as ssh:
        assert ssh.recv(4) == b"SSH-"


@pytest.mark.usefixtures("remote")
def test_the_ssh_server_listens_nowhere_else(vm: Vm) -> None:
    # On Ubuntu 24.04 systemd holds the socket of the SSH server.
    listening = vm.read("ss -Hltnp").splitlines()
    held = [line.split()[3] for line in listening if '"sshd"' in line]
    if vm.has_systemd and vm.unit("ssh.socket", "ActiveState") == "active":
        held += [one.split()[0] for one in vm.unit("ssh.socket", "Listen").splitlines()]
    assert {int(address.rpartition(":")[2]) for address in held} == {vm.sshd_port}


@pytest.mark.usefixtures("vm")
def test_a_dry_run_would_change_nothing(facts: Facts, dry_run: Finished) -> None:
    recap = re.search(rf"^{re.escape(facts.name)}\s+: (.*)$", dry_run.stdout, re.MULTILINE)
    assert recap, dry_run.stdout + dry_run.stderr
    numbers = re.findall(r"(?:changed|failed|unreachable)=(\d+)", recap.group(1))
    tasks = re.split(r"^TASK ", dry_run.stdout, flags=re.MULTILINE)
    marks = tuple(f"\n{mark}: [{facts.name}]" for mark in ("changed", "fatal"))
    would = "\n".join(task.strip() for task in tasks if any(mark in task for mark in marks))
    assert set(numbers) == {"0"}, would
