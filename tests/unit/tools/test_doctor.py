"""tools/doctor.py: each check once in order and once not, without touching the machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import doctor
import pytest
from classvm.base import docker, host
from classvm.base.command import Finished
from classvm.base.edge import Edge
from classvm.base.errors import ClassvmError
from classvm.provision import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TOOL = Path(__file__).resolve().parents[3] / "tools" / "doctor.py"
JAMMY = 'ID=ubuntu\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04.5 LTS"\n'
BOOKWORM = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n'
PORT = 4321
NOW = 1_800_000_000.0


def said(text: str, code: int = 0) -> Finished:
    """Return what a program said that ended."""
    return Finished((), code, "" if code else text, text if code else "")


def answers(replies: dict[str, Finished]) -> Callable[[Sequence[str]], Finished]:
    """Return a stand-in for `run`: it knows commands by a word in them, and fails on others."""

    def run(command: Sequence[str]) -> Finished:
        line = " ".join(command)
        known = (reply for word, reply in replies.items() if word in line)
        return next(known, said("not found", 127))

    return run


def user(*groups: str, privilege: str = "none") -> doctor.User:
    """Return an ordinary user in these groups."""
    return doctor.User("alice", privilege, frozenset(groups), frozenset(groups))


# --- The system and its Python


@pytest.mark.parametrize("text", [JAMMY, BOOKWORM])
def test_supported_systems_are_ok(text: str) -> None:
    assert doctor.check_system(text).level == doctor.OK


@pytest.mark.parametrize("text", ["", 'ID=fedora\nVERSION_ID="41"\n', JAMMY.replace("22", "18")])
def test_other_systems_fail(text: str) -> None:
    assert doctor.check_system(text).level == doctor.FAIL


def test_a_new_python_is_found_behind_an_old_one() -> None:
    run = answers({"python3 ": said("3 10"), "python3.12 ": said("3 12")})
    python, seen = doctor.find_python(doctor.PYTHONS, run)
    assert python == "python3.12"
    found = doctor.check_python(python, seen, "python3", installable=False)
    assert (found.level, found.text) == (doctor.OK, "python3.12 is 3.12")


@pytest.mark.parametrize(("installable", "level"), [(True, "warn"), (False, "FAIL")])
def test_an_old_python_is_a_failure_where_none_can_be_installed(
    installable: bool,
    level: str,
) -> None:
    python, seen = doctor.find_python(["python3"], answers({"python3 ": said("3 10")}))
    package = doctor.python_package(JAMMY)
    found = doctor.check_python(python, seen, package, installable=installable)
    assert found.level == level
    assert "python3 is 3.10" in found.text
    assert found.fix == "sudo apt-get install python3.11 python3.11-venv"


def test_the_venv_module_is_looked_for() -> None:
    there = answers({"ensurepip": said("")})
    found = doctor.check_venv("python3", "python3", installable=False, run=there)
    assert found.level == doctor.OK


@pytest.mark.parametrize(("installable", "level"), [(True, "warn"), (False, "FAIL")])
def test_a_missing_venv_module_is_named_with_its_package(
    installable: bool,
    level: str,
) -> None:
    found = doctor.check_venv("python3", "python3", installable=installable, run=answers({}))
    assert (found.level, found.fix) == (level, "sudo apt-get install python3-venv")


def test_git_and_make_are_looked_for() -> None:
    assert doctor.check_programs(lambda name: name).level == doctor.OK
    found = doctor.check_programs(lambda name: None if name == "make" else name)
    assert (found.level, found.fix) == (doctor.FAIL, "sudo apt-get install make")


# --- Rights


@pytest.mark.parametrize(
    ("who", "level", "word"),
    [
        (user(privilege="root"), "ok", "root"),
        (user(privilege="sudo"), "ok", "no password"),
        (user("sudo", privilege="password"), "ok", "with password"),
        (user("docker"), "warn", "not provision"),
        (user("audio"), "FAIL", "neither"),
    ],
)
def test_rights_say_what_the_user_may_do(who: doctor.User, level: str, word: str) -> None:
    found = doctor.check_rights(who)
    assert found.level == level
    assert word in found.text


def test_a_group_that_this_login_lacks_asks_for_a_new_login() -> None:
    fresh = doctor.User("alice", "none", frozenset(), frozenset({"docker"}))
    found = doctor.check_rights(fresh)
    assert (found.level, found.fix) == (doctor.FAIL, "log out and in again")


# --- Room


def disk(path: Path, megabytes: int) -> doctor.Finding:
    return doctor.check_disk("disk", str(path), megabytes, "make room")


def test_a_folder_to_come_is_measured_where_it_will_be(tmp_path: Path) -> None:
    assert disk(tmp_path / "not" / "yet", 1).level == doctor.OK


def test_a_full_disk_fails(tmp_path: Path) -> None:
    found = disk(tmp_path, 10**9)
    assert (found.level, found.fix) == (doctor.FAIL, "make room")
    assert found.text.startswith("Disk full: ")


def test_a_disk_that_cannot_be_measured_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(str(path))

    monkeypatch.setattr(os, "statvfs", refuse)
    assert disk(tmp_path, 1).level == doctor.WARN


@pytest.fixture
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a state folder as `make provision` leaves it, whatever group the test runs in."""
    monkeypatch.setattr(doctor, "group_names", lambda _: frozenset({"docker"}))
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(doctor.STATE_MODE)
    return folder


def test_the_state_folder_of_the_docker_group_is_ok(state_folder: Path) -> None:
    assert doctor.check_state_folder(state_folder, user()).level == doctor.OK
    assert doctor.check_state_folder(state_folder / "none", user()).level == doctor.OK


@pytest.mark.parametrize(("privilege", "level"), [("none", "FAIL"), ("sudo", "warn")])
def test_a_closed_state_folder_is_found(state_folder: Path, privilege: str, level: str) -> None:
    state_folder.chmod(0o700)
    found = doctor.check_state_folder(state_folder, user(privilege=privilege))
    assert (found.level, found.fix) == (level, "sudo make provision")
    assert "mode 0700" in found.text


def test_a_state_folder_of_another_group_is_found(
    state_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "group_names", lambda _: frozenset({"root"}))
    assert doctor.check_state_folder(state_folder, user()).level == doctor.FAIL


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("MemAvailable:    2000000 kB\n", "ok"),
        ("MemAvailable:     500000 kB\n", "FAIL"),
        ("MemFree: 1 kB\n", "warn"),
    ],
)
def test_memory_is_read_from_the_kernel(text: str, level: str) -> None:
    assert doctor.check_memory(text).level == level


# --- The engine

CAPABLE = "/usr/bin/docker"


def engine(problem: str = "") -> doctor.Engine:
    """Return an engine that answers, or does not for some reason."""

    class Fake(doctor.Engine):
        def engine_problem(self) -> str:
            return problem

        def engine_version(self) -> str | None:
            return None if problem else "20.10.24"

    return Fake()


def no_client() -> str:
    raise ClassvmError("No Docker client here can pass secrets to a build. Install it.")


def test_an_engine_with_a_capable_client_is_ok() -> None:
    found = doctor.check_engine(user(), engine(), lambda: CAPABLE)
    assert (found.level, found.text) == ("ok", "version 20.10.24 answers, BuildKit is there")


def test_an_engine_without_a_capable_client_fails() -> None:
    found = doctor.check_engine(user(privilege="root"), engine(), no_client)
    assert found.level == doctor.FAIL
    assert "docker-buildx" in found.fix


@pytest.mark.parametrize("problem", ["no Docker engine answers", "Docker is not installed"])
@pytest.mark.parametrize(("privilege", "level"), [("sudo", "warn"), ("none", "FAIL")])
def test_a_stopped_engine_fails_only_where_a_deploy_cannot_start_it(
    problem: str, privilege: str, level: str
) -> None:
    found = doctor.check_engine(user(privilege=privilege), engine(problem), no_client)
    assert (found.level, found.fix) == (level, "make provision")
    assert problem in found.text


@pytest.mark.parametrize(("privilege", "level"), [("password", "warn"), ("none", "FAIL")])
def test_an_account_that_may_not_ask_the_engine_is_told_the_group(
    privilege: str, level: str
) -> None:
    found = doctor.check_engine(user(privilege=privilege), engine(docker.NOT_IN_GROUP), no_client)
    assert found.level == level
    assert "usermod -aG docker" in found.fix


def test_the_engine_tells_where_it_keeps_images(program: Callable[..., Path]) -> None:
    program("docker", "echo /data")
    assert doctor.image_folder(doctor.Engine()) == "/data"
    program("docker", "exit 1")
    assert doctor.image_folder(doctor.Engine()) == docker.DATA_ROOT


def test_an_engine_that_hangs_is_not_waited_for(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    program("docker", "exec sleep 5")
    monkeypatch.setattr(doctor, "PATIENCE", 0.05)
    found = doctor.look("engine", lambda: doctor.check_service(doctor.Engine()))
    assert found.text == "no container of a service runs here"
    found = doctor.look("x", lambda: doctor.Finding("ok", "x", doctor.Engine().check("ps")))
    assert (found.level, "did not end within" in found.text) == ("warn", True)


# --- The guard

LOADED = "table inet classvm {}"


@pytest.fixture
def files(tmp_path: Path) -> guard.Files:
    """Return where a guard is installed."""
    files = guard.Files(rules=tmp_path / "guard.nft", listing=tmp_path / "guard.listing")
    files.rules.touch()
    files.listing.write_text(LOADED)
    return files


def test_a_guard_that_is_loaded_as_installed_is_ok(files: guard.Files) -> None:
    assert doctor.check_guard(files, lambda: LOADED, is_root=True).level == doctor.OK


def test_a_machine_without_a_guard_is_ok(tmp_path: Path) -> None:
    files = guard.Files(rules=tmp_path / "none")
    assert doctor.check_guard(files, lambda: "", is_root=True).level == doctor.OK


@pytest.mark.parametrize(
    ("present", "cause"), [("", "every port is open"), ("table inet classvm { x }", "differ")]
)
def test_a_guard_that_is_gone_or_changed_is_found(
    files: guard.Files, present: str, cause: str
) -> None:
    found = doctor.check_guard(files, lambda: present, is_root=True)
    assert (found.level, found.fix) == (doctor.FAIL, "make provision")
    assert cause in found.text


def test_only_root_can_see_the_guard(files: guard.Files) -> None:
    assert doctor.check_guard(files, lambda: "", is_root=False).level == doctor.WARN


# --- The port and the service


class Containers(doctor.Engine):
    """An engine with one running container, or none."""

    def __init__(self, name: str = "", label: str = "", *, published: bool = True) -> None:
        super().__init__()
        self.name, self.label, self.published = name, label, published

    def publishers(self, port: int) -> list[str]:
        assert port == PORT
        return [self.name] if self.name and self.published else []

    def check(self, *words: str, stdin: bytes | None = None) -> str:
        del stdin
        assert "label=classvm.service" in words
        return f"{self.name}\n"

    def containers(self, *names: str) -> dict[str, docker.Container]:
        labels = {self.label: "x"} if self.label else {}
        ports = {"1/tcp": [("0.0.0.0", PORT)]} if self.published else {}
        made = docker.Container("1", self.name, "i", True, 0, labels, ports=ports)  # noqa: FBT003 - as `docker inspect` orders it
        return dict.fromkeys(names, made)


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Offer ``listener(owner)``: somebody holds the port, or "" for nobody."""

    def hold(owner: str) -> None:
        monkeypatch.setattr(host, "is_listened_to", lambda _: bool(owner))
        monkeypatch.setattr(host, "port_owner", lambda _: owner)

    return hold


@pytest.mark.parametrize(
    ("engine", "owner", "level", "word"),
    [
        (Containers(), "", "ok", "free"),
        (Containers("lab", "classvm.service"), "docker-proxy (process 1)", "ok", "our own"),
        (Containers("wiki"), "docker-proxy (process 1)", "FAIL", "wiki"),
        (Containers(), "nginx (process 42)", "FAIL", "nginx (process 42)"),
        (Containers(), "a process of another user", "warn", "cannot see"),
    ],
)
def test_the_holder_of_the_port_is_named(
    engine: doctor.Engine, owner: str, level: str, word: str, listener: Callable[[str], None]
) -> None:
    listener(owner)
    found = doctor.check_port(PORT, engine, Edge())
    assert found.level == level
    assert word in found.text


@pytest.mark.parametrize(("port", "level"), [(PORT, "ok"), (PORT + 1, "FAIL")])
def test_our_own_haproxy_may_hold_the_port(
    port: int, level: str, listener: Callable[[str], None]
) -> None:
    listener("haproxy (process 42)")
    edge = Edge(port=port, slots={"blue": 1})
    assert doctor.check_port(PORT, Containers(), edge).level == level


def test_a_port_that_is_not_a_number_fails() -> None:
    assert doctor.check_port(None, Containers(), Edge()).level == doctor.FAIL


@pytest.mark.parametrize("text", ["many", "", "0", "99999", "65536", "-1", "8 0"])
def test_what_is_not_a_port_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.default_port({"HOST_PORT": text}, {}) is None
    with pytest.raises(SystemExit):
        doctor.parse_arguments([f"--port={text}"])
    assert "is not a port from 1 to 65535" in capsys.readouterr().err


def test_the_environment_overrides_the_port_of_the_file() -> None:
    settings = doctor.parse_settings(f"# ports\nHOST_PORT={PORT}\n")
    assert doctor.default_port(settings, {}) == PORT
    assert doctor.default_port(settings, {"HOST_PORT": "77"}) == 77


def test_a_container_without_its_network_is_found() -> None:
    good, detached = (Containers("lab", "classvm.service", published=p) for p in (True, False))
    assert doctor.check_service(good).level == doctor.OK
    assert doctor.check_service(Containers()).level == doctor.OK
    found = doctor.check_service(detached)
    assert (found.level, found.fix) == (doctor.WARN, "make deploy")
    assert "its network is detached" in found.text


# --- The clock


def test_a_clock_past_all_files_is_ok_with_or_without_timedatectl() -> None:
    assert doctor.check_clock(NOW, NOW - 1, answers({})).level == doctor.OK
    synchronised = answers({"timedatectl": said("yes")})
    assert doctor.check_clock(NOW, NOW - 1, synchronised).level == doctor.OK


@pytest.mark.parametrize(("now", "newest"), [(0.0, 0.0), (NOW, NOW + 86400)])
def test_a_clock_in_the_past_fails(now: float, newest: float) -> None:
    assert doctor.check_clock(now, newest, answers({})).level == doctor.FAIL


def test_a_clock_that_nobody_keeps_right_is_a_warning() -> None:
    adrift = answers({"timedatectl": said("no")})
    assert doctor.check_clock(NOW, NOW - 1, adrift).level == doctor.WARN


def test_the_newest_file_counts(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert doctor.newest_file([tmp_path]) == (tmp_path / "file").stat().st_mtime
    assert doctor.newest_file([tmp_path / "none"]) == 0


# --- The package index

PIP = {"--version": said("pip 23.2")}
CONFIGURED = {"config list": said("global.index-url='http://mirror.example/simple'")}


def test_an_index_that_pip_reaches_is_ok() -> None:
    run = answers({**PIP, **CONFIGURED, "index versions": said("pip (26.0)")})
    found = doctor.check_index("python3", run, lambda _: False)
    assert (found.level, found.text) == (doctor.OK, "pip reaches mirror.example")


def test_an_index_out_of_reach_fails_with_its_cause() -> None:
    away = answers({**PIP, **CONFIGURED})
    assert "does not reach" in doctor.check_index("python3", away, lambda _: True).text
    unnamed = doctor.check_index("python3", away, lambda _: False)
    assert (unnamed.level, "DNS" in unnamed.text) == (doctor.FAIL, True)


def test_without_pip_the_index_is_not_judged() -> None:
    assert doctor.check_index("python3", answers({})).level == doctor.WARN


def test_the_environment_overrides_the_configured_index() -> None:
    text = ":env:.index-url='http://a'\nglobal.cert='c'\nglobal.index-url='http://b'"
    run = answers({"config list": said(text)})
    assert doctor.configured_index("python3", run) == "http://a"


# --- Commands and the report


def test_commands_that_fail_to_start_or_hang_are_failures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert doctor.run(["no-such-command-here"]).code == 127
    monkeypatch.setattr(doctor, "PATIENCE", 0.05)
    assert doctor.run(["sleep", "5"]).code == 127


def test_the_doctor_needs_the_standard_library_alone() -> None:
    # -S leaves out site-packages, -E the user's PYTHONPATH.
    words = ["/usr/bin/env", "python3", "-E", "-S", str(TOOL), "--help"]
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_the_report_is_aligned_and_ends_with_a_summary() -> None:
    findings = [
        doctor.Finding("ok", "clock", "right"),
        doctor.Finding("FAIL", "disk for state", "full", "sudo apt-get clean"),
    ]
    assert doctor.report(findings).splitlines() == [
        "ok    clock:          right",
        "FAIL  disk for state: full",
        "      fix: sudo apt-get clean",
        "doctor: 2 checks, 0 warned, 1 failed: disk for state",
    ]


@pytest.mark.parametrize(("level", "status"), [("ok", 0), ("warn", 0), ("FAIL", 1)])
def test_only_failures_make_the_exit_status(
    monkeypatch: pytest.MonkeyPatch,
    level: str,
    status: int,
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda *_: [doctor.Finding(level, "x", "y")])
    assert doctor.main(["--port", str(PORT)]) == status
