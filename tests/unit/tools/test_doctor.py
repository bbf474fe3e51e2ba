"""tools/doctor.py: each check once in order and once not, without touching the machine."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

TOOL = Path(__file__).resolve().parents[3] / "tools" / "doctor.py"

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import doctor
    from doctor import Finished
else:
    # By path, because tools/ is a folder of programs and no package.
    spec = importlib.util.spec_from_file_location("doctor", TOOL)
    doctor = importlib.util.module_from_spec(spec)
    sys.modules["doctor"] = doctor
    spec.loader.exec_module(doctor)
    Finished = doctor.Finished

JAMMY = 'ID=ubuntu\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04.5 LTS"\n'
BOOKWORM = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n'
PORT = 4321
NOW = 1_800_000_000.0


def answers(replies: dict[str, Finished]) -> Callable[[Sequence[str]], Finished]:
    """Return a stand-in for `run`: it knows commands by a word in them, and fails on others."""

    def run(command: Sequence[str]) -> Finished:
        line = " ".join(command)
        known = (reply for word, reply in replies.items() if word in line)
        return next(known, Finished(127, "not found"))

    return run


def user(*groups: str, **changes: bool) -> doctor.User:
    """Return an ordinary user in these groups."""
    rights = {"is_root": False, "sudo_without_password": False, **changes}
    return doctor.User("alice", groups=set(groups), listed_groups=set(groups), **rights)


# --- The system and its Python


@pytest.mark.parametrize("text", [JAMMY, BOOKWORM])
def test_supported_systems_are_ok(text: str) -> None:
    assert doctor.check_system(text).level == doctor.OK


@pytest.mark.parametrize("text", ["", 'ID=fedora\nVERSION_ID="41"\n', JAMMY.replace("22", "18")])
def test_other_systems_fail(text: str) -> None:
    assert doctor.check_system(text).level == doctor.FAIL


def test_a_new_python_is_found_behind_an_old_one() -> None:
    run = answers({"python3 ": Finished(0, "3 10"), "python3.12 ": Finished(0, "3 12")})
    python, seen = doctor.find_python(doctor.PYTHONS, run)
    assert python == "python3.12"
    found = doctor.check_python(python, seen, "python3", installable=False)
    assert (found.level, found.text) == (doctor.OK, "python3.12 is 3.12")


@pytest.mark.parametrize(("installable", "level"), [(True, "warn"), (False, "FAIL")])
def test_an_old_python_is_a_failure_where_none_can_be_installed(
    installable: bool,
    level: str,
) -> None:
    python, seen = doctor.find_python(["python3"], answers({"python3 ": Finished(0, "3 10")}))
    package = doctor.python_package(JAMMY)
    found = doctor.check_python(python, seen, package, installable=installable)
    assert found.level == level
    assert "python3 is 3.10" in found.text
    assert found.fix == "sudo apt-get install python3.11 python3.11-venv"


def test_the_venv_module_is_looked_for() -> None:
    there = answers({"ensurepip": Finished(0, "")})
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
        (user(is_root=True), "ok", "root"),
        (user(sudo_without_password=True), "ok", "no password"),
        (user("sudo"), "ok", "with password"),
        (user("docker"), "warn", "not provision"),
        (user("audio"), "FAIL", "neither"),
    ],
)
def test_rights_say_what_the_user_may_do(who: doctor.User, level: str, word: str) -> None:
    found = doctor.check_rights(who)
    assert found.level == level
    assert word in found.text


def test_a_group_that_this_login_lacks_asks_for_a_new_login() -> None:
    fresh = doctor.User(
        "alice",
        is_root=False,
        sudo_without_password=False,
        groups=set(),
        listed_groups={"docker"},
    )
    found = doctor.check_rights(fresh)
    assert (found.level, found.fix) == (doctor.FAIL, "log out and in again")


# --- Room


@pytest.mark.parametrize("need", [doctor.DATA_ROOT_NEED, doctor.STATE_DIR_NEED])
def test_disks_need_bytes_and_inodes(need: doctor.Need) -> None:
    def level(free_bytes: int, free_inodes: int | None) -> str:
        space = doctor.Space(free_bytes, free_inodes)
        return doctor.check_disk(need, Path("/x"), lambda _: space).level

    assert level(need.free_bytes, need.free_inodes) == doctor.OK
    assert level(need.free_bytes, None) == doctor.OK
    assert level(need.free_bytes - 1, need.free_inodes) == doctor.FAIL
    assert level(need.free_bytes, need.free_inodes - 1) == doctor.FAIL


def test_a_folder_to_come_is_measured_where_it_will_be(tmp_path: Path) -> None:
    assert doctor.existing_parent(tmp_path / "not" / "yet") == tmp_path
    assert doctor.measure(tmp_path).free_bytes >= 0


def test_a_disk_that_cannot_be_measured_is_a_warning() -> None:
    def refuse(path: Path) -> doctor.Space:
        raise PermissionError(str(path))

    found = doctor.check_disk(doctor.STATE_DIR_NEED, Path("/x"), refuse)
    assert found.level == doctor.WARN


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

ANSWERS = Finished(0, "20.10.24")
HAS_SECRET = answers({"/new/docker": Finished(0, "  --secret stringArray")})


def test_an_engine_with_one_capable_client_is_ok() -> None:
    clients = ["/old/docker", "/new/docker"]
    found = doctor.check_engine(clients, answers({"version": ANSWERS}), HAS_SECRET)
    assert found.level == doctor.OK


@pytest.mark.parametrize(
    ("clients", "reply", "level", "fix"),
    [
        ([], ANSWERS, "warn", "docker.io"),
        (["/old/docker"], ANSWERS, "FAIL", "docker-buildx"),
        (["/new/docker"], Finished(1, "Cannot connect to the daemon"), "FAIL", "systemctl start"),
        (["/new/docker"], Finished(1, "permission denied while trying"), "warn", "usermod"),
    ],
)
def test_an_engine_out_of_order_is_reported_with_its_cause(
    clients: list[str],
    reply: Finished,
    level: str,
    fix: str,
) -> None:
    found = doctor.check_engine(clients, answers({"version": reply}), HAS_SECRET)
    assert found.level == level
    assert fix in found.fix


def test_all_clients_on_the_path_are_found_in_order(tmp_path: Path) -> None:
    for folder in ("a", "c"):
        client = tmp_path / folder / "docker"
        client.parent.mkdir()
        client.touch(mode=0o755)
    search_path = ":".join(str(tmp_path / folder) for folder in "abc")
    found = doctor.docker_clients(search_path)
    assert found == [str(tmp_path / "a" / "docker"), str(tmp_path / "c" / "docker")]


def test_the_engine_tells_where_it_keeps_images() -> None:
    assert doctor.engine_data_root(answers({"info": Finished(0, "/data")})) == Path("/data")
    assert doctor.engine_data_root(answers({})) == doctor.DATA_ROOT


# --- The port

OURS = doctor.Container("hello", is_ours=True)
FOREIGN = doctor.Container("wiki", is_ours=False)


@pytest.mark.parametrize(
    ("container", "inodes", "owner", "level", "word"),
    [
        (None, set(), None, "ok", "free"),
        (OURS, {"7"}, (1, "docker-proxy"), "ok", "our own"),
        (FOREIGN, {"7"}, (1, "docker-proxy"), "FAIL", "wiki"),
        (None, {"7"}, (42, "nginx"), "FAIL", "42 (nginx)"),
        (None, {"7"}, None, "warn", "cannot see"),
    ],
)
def test_the_holder_of_the_port_is_named(
    container: doctor.Container | None,
    inodes: set[str],
    owner: tuple[int, str] | None,
    level: str,
    word: str,
) -> None:
    found = doctor.check_port(PORT, container, inodes, owner)
    assert found.level == level
    assert word in found.text


@pytest.mark.parametrize(("record", "level"), [(f'{{"port": {PORT}}}', "ok"), ("", "FAIL")])
def test_our_own_haproxy_may_hold_the_port(tmp_path: Path, record: str, level: str) -> None:
    (tmp_path / "edge.json").write_text(record)
    edge = doctor.edge_port(tmp_path)
    assert doctor.check_port(PORT, None, {"7"}, (42, "haproxy"), edge).level == level


def test_a_port_that_is_no_number_fails() -> None:
    assert doctor.check_port(None, None, set(), None).level == doctor.FAIL
    assert doctor.default_port({"HOST_PORT": "many"}, {}) is None
    assert doctor.default_port({}, {}) is None


def test_the_environment_overrides_the_port_of_the_file() -> None:
    settings = doctor.parse_settings(f"# ports\nHOST_PORT={PORT}\n")
    assert doctor.default_port(settings, {}) == PORT
    assert doctor.default_port(settings, {"HOST_PORT": "77"}) == 77


def test_listeners_and_their_owners_are_read_from_proc(tmp_path: Path) -> None:
    line = "0: 00000000:{port:04X} 00000000:0000 {state} 0:0 0:0 0 0 0 {inode} 1"
    tables = {
        "tcp": [
            line.format(port=PORT, state="0A", inode=11),
            line.format(port=PORT, state="01", inode=12),
            line.format(port=PORT + 1, state="0A", inode=13),
        ],
        "tcp6": [line.format(port=PORT, state="0A", inode=14)],
    }
    (tmp_path / "net").mkdir()
    for table, lines in tables.items():
        (tmp_path / "net" / table).write_text("\n".join(["a heading", *lines, ""]))
    inodes = doctor.listening_sockets(PORT, tmp_path)
    assert inodes == {"11", "14"}

    assert doctor.socket_owner(inodes, tmp_path) is None
    handles = tmp_path / "42" / "fd"
    handles.mkdir(parents=True)
    (tmp_path / "42" / "comm").write_text("nginx\n")
    (handles / "3").symlink_to("socket:[14]")
    assert doctor.socket_owner(inodes, tmp_path) == (42, "nginx")


@pytest.mark.parametrize(
    ("output", "container"),
    [
        ("hello\tmaintainer=x,classvm.service=hello", OURS),
        ("wiki\tmaintainer=x", FOREIGN),
        ("wiki\t", FOREIGN),
        ("", None),
    ],
)
def test_a_container_is_ours_by_its_labels(
    output: str,
    container: doctor.Container | None,
) -> None:
    run = answers({f"publish={PORT}": Finished(0, output)})
    assert doctor.publishing_container(PORT, run) == container
    assert doctor.publishing_container(PORT, answers({})) is None


# --- The clock


def test_a_clock_past_all_files_is_ok_with_or_without_timedatectl() -> None:
    assert doctor.check_clock(NOW, NOW - 1, answers({})).level == doctor.OK
    synchronised = answers({"timedatectl": Finished(0, "yes")})
    assert doctor.check_clock(NOW, NOW - 1, synchronised).level == doctor.OK


@pytest.mark.parametrize(("now", "newest"), [(0.0, 0.0), (NOW, NOW + 86400)])
def test_a_clock_in_the_past_fails(now: float, newest: float) -> None:
    assert doctor.check_clock(now, newest, answers({})).level == doctor.FAIL


def test_a_clock_that_nobody_keeps_right_is_a_warning() -> None:
    adrift = answers({"timedatectl": Finished(0, "no")})
    assert doctor.check_clock(NOW, NOW - 1, adrift).level == doctor.WARN


def test_the_newest_file_counts(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert doctor.newest_file([tmp_path]) == (tmp_path / "file").stat().st_mtime
    assert doctor.newest_file([tmp_path / "none"]) == 0


# --- The package index

PIP = {"--version": Finished(0, "pip 23.2")}
CONFIGURED = {"config list": Finished(0, "global.index-url='http://mirror.example/simple'")}


def test_an_index_that_pip_reaches_is_ok() -> None:
    run = answers({**PIP, **CONFIGURED, "index versions": Finished(0, "pip (26.0)")})
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
    run = answers({"config list": Finished(0, text)})
    assert doctor.configured_index("python3", run) == "http://a"


# --- Commands and the report


def test_commands_that_fail_to_start_or_hang_are_failures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert doctor.run(["no-such-command-here"]).code == 127
    monkeypatch.setattr(doctor, "PATIENCE", 0.05)
    assert doctor.run(["sleep", "5"]).code == 124
    assert doctor.run(["sh", "-c", "echo $NAME"], env={"NAME": "x"}).output == "x"


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
