"""The running container: its rights as read inside it, and that it is the only one."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from classvm.base import docker
from classvm.image.image_labels import LABEL_SERVICE
from classvm.release import removal
from classvm.release.release_spec import OPEN_FILES

if TYPE_CHECKING:
    from infra.expected import Facts
    from infra.vm import Vm

EVIDENCE = ("containers", "container log")
UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
CGROUPS = "/sys/fs/cgroup"
# Nanoseconds, as the engine counts.
SECOND = 1_000_000_000


def test_the_service_runs_as_the_user_of_the_dockerfile(vm: Vm, facts: Facts) -> None:
    users, groups = vm.status["Uid"].split(), vm.status["Gid"].split()
    assert "0" not in (*users, *groups)
    if facts.is_sealed and not facts.released:
        dockerfile = (facts.service_dir / "Dockerfile").read_text(encoding="utf-8")
        user, group = re.findall(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)[-1]
        assert (users, groups) == ([user] * 4, [group] * 4)


def test_the_service_has_no_capability(vm: Vm) -> None:
    assert int(vm.status["CapEff"], 16) == 0


def test_the_service_can_gain_no_capability(vm: Vm) -> None:
    assert int(vm.status["CapBnd"], 16) == 0


def test_the_service_can_gain_no_privilege(vm: Vm) -> None:
    assert vm.status["NoNewPrivs"] == "1"


def test_the_system_calls_are_filtered(vm: Vm) -> None:
    assert vm.status["Seccomp"] == "2"


def test_the_root_file_system_is_read_only(vm: Vm) -> None:
    assert "ro" in vm.mounts["/"]


def test_the_scratch_folder_is_bounded_and_runs_nothing(vm: Vm, facts: Facts) -> None:
    folder, _, options = facts.run_option(vm.release_spec, "--tmpfs").partition(":")
    desired = [option for option in options.split(",") if not option.startswith("size=")]
    kilobytes = size(str(facts["service_tmpfs_size"])) // 1024
    assert {*desired, f"size={kilobytes}k"} <= {*vm.mounts[folder]}


def size(text: str) -> int:
    """Return the bytes of a size in the engine's notation, such as "512m"."""
    return int(text[:-1]) * UNITS[text[-1].lower()] if text[-1].isalpha() else int(text)


def limit(vm: Vm, *names: str) -> str:
    """Return a limit of the container's control group, in version 2 or 1 of them."""
    paths = [f"{CGROUPS}/{name}" for name in names]
    # One of the files is missing. If both were, the text would be empty, and equal to no limit.
    return vm.inside("sh", "-c", f"cat {' '.join(paths)} 2>/dev/null || true").strip()


def test_the_memory_is_limited(vm: Vm, facts: Facts) -> None:
    found = limit(vm, "memory.max", "memory/memory.limit_in_bytes")
    assert found == str(size(str(facts["service_memory"])))


def test_the_number_of_processes_is_limited(vm: Vm, facts: Facts) -> None:
    assert limit(vm, "pids.max", "pids/pids.max") == str(facts["service_pids"])


def test_the_service_may_hold_as_many_connections_as_on_any_engine(vm: Vm) -> None:
    for kind in ("-S", "-H"):
        assert vm.inside("sh", "-c", f"ulimit {kind} -n").strip() == str(OPEN_FILES)


def test_the_service_comes_back_after_a_crash_or_a_boot(vm: Vm, facts: Facts) -> None:
    policy = vm.live["HostConfig"]["RestartPolicy"]["Name"]
    assert policy == facts.run_option(vm.release_spec, "--restart")


def test_the_container_is_healthy(vm: Vm, engine: docker.Docker) -> None:
    check = vm.live["Config"].get("Healthcheck")
    if not check:
        pytest.skip("the image has no health check")
    deadline = time.monotonic() + (check["Interval"] + check["Timeout"]) / SECOND
    state = "starting"
    while state == "starting" and time.monotonic() < deadline:
        shown = "{{.State.Health.Status}}"
        state = engine.check("container", "inspect", "--format", shown, vm.live["Id"]).strip()
        time.sleep(0.2 if state == "starting" else 0)
    assert state == "healthy", vm.live["State"]["Health"]


def test_exactly_one_container_serves(engine: docker.Docker, facts: Facts) -> None:
    named = ("--format", "{{.Names}}")
    running = engine.check("ps", "--filter", f"label={LABEL_SERVICE}", *named).split()
    assert running == [facts.container]


def test_no_candidate_or_former_release_is_left(vm: Vm, engine: docker.Docker) -> None:
    there = removal.containers(engine)
    assert [vm.live["Id"][: len(one)] for one in there] == there
    assert len(there) == 1


def test_one_container_publishes_the_port(engine: docker.Docker, facts: Facts) -> None:
    # Where HAProxy holds the port, no container publishes it.
    desired = [] if facts.is_behind_edge else [facts.container]
    assert engine.publishers(facts.host_port) == desired
