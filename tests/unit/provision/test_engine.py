from __future__ import annotations

import contextlib
import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from classvm.base.command import CommandError, Finished
from classvm.base.docker import Docker
from classvm.base.errors import ClassvmError
from classvm.provision import engine, engine_hosts, network

if TYPE_CHECKING:
    from collections.abc import Callable

OLD = "Docker version 20.10.24+dfsg1, build 297e128"
NEW = "Docker version 29.1.3, build f52814d"
REPORTS = '{"LoggingDriver": "json-file", "LiveRestoreEnabled": true}'
OTHER = '{"LoggingDriver": "syslog", "LiveRestoreEnabled": true}'
LOGS = {"log-driver": "json-file", "log-opts": {"max-size": "10m"}}
# From `dockerd --help` of 20.10.
HELP = """
      --dns list                  DNS server to use
      --insecure-registry list    Enable insecure registry communication
      --ipv6                      Enable IPv6 networking
      --log-driver string         Default driver for container logs (default "json-file")
      --log-opt map               Default log driver options for containers
      --userland-proxy            Use userland proxy for loopback traffic (default true)
"""


class Host(Docker):
    """A host whose engine answers when ``answers`` says so, and reports its settings."""

    def __init__(self, *, answers: bool = True, reports: str = REPORTS) -> None:
        super().__init__()
        self.answers = answers
        self.reports = reports
        self.asked: list[str] = []

    def run(self, *words: str, stdin: bytes | None = None) -> Finished:
        assert stdin is None
        self.asked.append(" ".join(words))
        return Finished(words, 0 if self.reports else 1, self.reports, "")

    def check(self, *words: str, stdin: bytes | None = None) -> str:
        finished = self.run(*words, stdin=stdin)
        if finished.code:
            raise CommandError(finished)
        return finished.out

    def engine_version(self) -> str | None:
        return "20.10.24" if self.answers else None


@pytest.fixture
def daemon_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "etc" / "daemon.json"
    monkeypatch.setattr(engine, "DAEMON_JSON", path)
    monkeypatch.setattr(engine.read_settings, "__defaults__", (path,))
    record = tmp_path / "classvm" / "engine.json"
    monkeypatch.setattr(engine.read_record, "__defaults__", (record,))
    monkeypatch.setattr(engine.write_record, "__defaults__", (record,))
    monkeypatch.setattr(engine, "has_systemd", lambda: False)
    monkeypatch.setattr(network, "packet_settings", dict)
    monkeypatch.setattr(network, "require_free_addresses", lambda _: None)
    return path


@pytest.fixture
def dockerd(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Path]:
    """Offer ``dockerd(version, validates)``: the engine's program; it returns its calls."""
    monkeypatch.setattr(engine, "DOCKERD", str(tmp_path / "bin" / "dockerd"))

    def install(version: str = NEW, *, validates: bool = True) -> Path:
        verdict = "" if validates else "echo unable to configure: unknown >&2; exit 1"
        script = f"case $1 in --version) echo '{version}' ;; --help) echo '{HELP}' ;; "
        return program("dockerd", script + f"--validate) {verdict} ;; esac")

    return install


def present(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")


# --- which settings ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "major"), [(OLD, 20), (NEW, 29), ("27.0.0-rc.1", 27), ("", 0), ("unknown", 0)]
)
def test_major(version: str, major: int) -> None:
    assert engine.major(version) == major


def test_merging_keeps_an_admins_settings() -> None:
    theirs = {"dns": ["192.0.2.1"], "log-driver": "syslog"}
    assert engine.merged(theirs, LOGS) == {"dns": ["192.0.2.1"], **LOGS}
    assert theirs == {"dns": ["192.0.2.1"], "log-driver": "syslog"}


@pytest.mark.parametrize("text", ["", "\n", "{}"], ids=["empty", "blank", "no settings"])
def test_an_empty_file_holds_no_settings(text: str, daemon_json: Path) -> None:
    assert engine.read_settings() == {}
    present(daemon_json, text)
    assert engine.read_settings() == {}


@pytest.mark.parametrize("text", ['{"dns": [}', "[]", '"text"', "\xff"])
def test_a_broken_file_is_left_alone(
    text: str, daemon_json: Path, dockerd: Callable[..., Path]
) -> None:
    dockerd()
    present(daemon_json, text)
    with pytest.raises(ClassvmError) as told:
        engine.plan(Host(), LOGS)
    assert told.value.place.startswith(str(daemon_json))
    assert told.value.fix.startswith("Correct the file")
    assert daemon_json.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("text", "bracket", "line"),
    [
        ('{"dns": ["192.0.2.1"],}', "}", 1),
        ('{\n  "dns": ["192.0.2.1",\n  ]\n}', "]", 3),
        ('{\n  "dns": [],\n}\n', "}", 3),
    ],
)
def test_a_trailing_comma_is_named_with_its_line(
    text: str, bracket: str, line: int, daemon_json: Path
) -> None:
    present(daemon_json, text)
    with pytest.raises(ClassvmError) as told:
        engine.read_settings()
    assert told.value.cause.endswith(f"the comma before `{bracket}` is one too many")
    # Newer versions of Python name the comma's line, which may be the one before.
    assert told.value.place in {f"{daemon_json}:{line}", f"{daemon_json}:{line - 1}"}


def test_a_byte_order_mark_is_taken_away(daemon_json: Path, dockerd: Callable[..., Path]) -> None:
    # The settings are right, and the engine would not start with the file.
    dockerd()
    present(daemon_json, "\ufeff" + json.dumps(LOGS))
    change = engine.plan(Host(), LOGS)
    assert change.settings == LOGS
    engine.install(LOGS)
    assert json.loads(daemon_json.read_text(encoding="utf-8")) == LOGS
    assert not engine.plan(Host(), LOGS)


def test_plan_lays_ours_over_theirs(daemon_json: Path, dockerd: Callable[..., Path]) -> None:
    dockerd()
    present(daemon_json, '{"dns": ["192.0.2.1"]}')
    change = engine.plan(Host(), LOGS)
    assert (change.settings, change.start) == ({"dns": ["192.0.2.1"], **LOGS}, False)
    assert change


def test_nothing_to_do(daemon_json: Path, dockerd: Callable[..., Path]) -> None:
    dockerd()
    present(daemon_json, json.dumps({"dns": ["192.0.2.1"], **LOGS}))
    change = engine.plan(Host(), LOGS)
    assert (change.settings, change.start) == (None, False)
    assert not change


def test_an_engine_that_does_not_answer_is_started(
    daemon_json: Path, dockerd: Callable[..., Path]
) -> None:
    dockerd()
    present(daemon_json, json.dumps(LOGS))
    change = engine.plan(Host(answers=False), LOGS)
    assert (change.settings, change.start) == (None, True)


@pytest.mark.usefixtures("daemon_json")
def test_a_dry_run_on_a_fresh_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engine, "DOCKERD", str(tmp_path / "absent"))
    change = engine.plan(Host(answers=False), LOGS)
    assert (change.settings, change.start) == (LOGS, True)


# --- what the kit wrote, and what is in effect ------------------------------------------------


def apply(settings: dict[str, Any], version: str, dockerd: Callable[..., Path]) -> None:
    """Provision the engine as the module does."""
    dockerd(version)
    change = engine.plan(Host(), settings)
    if change:
        engine.apply(Host(), change)
    else:
        engine.write_record(change.record)


@pytest.fixture
def provisioned(daemon_json: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(engine, "restart", lambda _: None)
    return daemon_json


def test_the_engine_keeps_to_ipv4_inside(provisioned: Path, dockerd: Callable[..., Path]) -> None:
    """With `ipv6`, clients of ::1 would meet an address on which 0.0.0.0 does not listen."""
    apply(LOGS, NEW, dockerd)
    assert json.loads(provisioned.read_text()) == LOGS


def test_a_setting_that_the_kit_wrote_goes_with_the_wish_for_it(
    provisioned: Path, dockerd: Callable[..., Path]
) -> None:
    apply({"ipv6": True, **LOGS}, NEW, dockerd)
    assert json.loads(provisioned.read_text()) == {"ipv6": True, **LOGS}
    apply(LOGS, NEW, dockerd)
    assert json.loads(provisioned.read_text()) == LOGS


@pytest.mark.parametrize("theirs", [{"ipv6": True}, {"dns": ["192.0.2.1"]}])
def test_a_setting_of_the_admin_stays(
    theirs: dict[str, Any], provisioned: Path, dockerd: Callable[..., Path]
) -> None:
    present(provisioned, json.dumps(theirs))
    apply({"ipv6": True, **LOGS}, NEW, dockerd)
    apply(LOGS, NEW, dockerd)
    assert json.loads(provisioned.read_text()) == {**theirs, **LOGS}


def test_a_setting_that_the_admin_changed_since_stays(
    provisioned: Path, dockerd: Callable[..., Path]
) -> None:
    apply({"ipv6": True, **LOGS}, NEW, dockerd)
    provisioned.write_text(json.dumps({"ipv6": False, **LOGS}))
    apply({"log-driver": "local"}, NEW, dockerd)
    # The options of the log were the kit's, too, and are no longer wanted.
    assert json.loads(provisioned.read_text()) == {"ipv6": False, "log-driver": "local"}


def test_an_illegible_record_is_none(tmp_path: Path) -> None:
    record = tmp_path / "engine.json"
    for text in (None, "{", "[]", '{"x": 1}'):
        if text:
            record.write_text(text)
        assert engine.read_record(record) == engine.Record()


@pytest.mark.parametrize(
    ("reports", "in_effect"),
    [
        (REPORTS, True),
        ('{"LoggingDriver": "json-file", "LiveRestoreEnabled": false}', False),
        (OTHER, False),
        ("", False),
    ],
)
def test_is_in_effect(reports: str, in_effect: bool) -> None:
    settings = {**LOGS, "live-restore": True, "dns": []}
    host = Host(reports=reports)
    assert engine.is_in_effect(host, settings) is in_effect
    assert host.asked == ["info --format {{json .}}"]


def test_settings_that_no_engine_reports_need_no_question() -> None:
    host = Host(reports="something else")
    assert engine.is_in_effect(host, {"dns": []})
    assert host.asked == []


def test_an_engine_that_runs_with_other_settings_is_restarted(
    daemon_json: Path, dockerd: Callable[..., Path]
) -> None:
    dockerd()
    present(daemon_json, json.dumps(LOGS))
    change = engine.plan(Host(reports=OTHER), LOGS)
    assert (change.settings, change.start) == (None, True)


def test_problem(provisioned: Path, dockerd: Callable[..., Path]) -> None:
    apply(LOGS, OLD, dockerd)
    assert engine.problem(Host()) == ""
    assert engine.problem(Host(reports=OTHER)).startswith("the engine runs with other settings")
    provisioned.write_text(json.dumps({"dns": [], **LOGS}))  # the admin's own
    assert engine.problem(Host()) == ""
    provisioned.write_text(json.dumps({**LOGS, "log-driver": "local"}))
    assert (
        engine.problem(Host())
        == f"{engine.DAEMON_JSON} no longer has the settings of the last provision"
    )
    provisioned.write_text("{")
    assert "Correct the file" in engine.problem(Host())


# --- whether the engine understands them ------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("dns", True),
        ("userland-proxy", True),
        ("log-opts", True),
        ("insecure-registries", True),
        ("features", True),
        ("runtimes", True),
        ("builder", True),
        ("log-optz", False),
        ("userland", False),
        ("ies", False),
    ],
)
def test_unknown_settings(name: str, known: bool) -> None:
    assert engine.unknown_settings({"dns": [], name: 1}, HELP) == ([] if known else [name])


def test_an_old_engine_is_asked_for_its_options(
    dockerd: Callable[..., Path], daemon_json: Path
) -> None:
    calls = dockerd(OLD)
    engine.install(LOGS)
    assert calls.read_text().split() == ["--version", "--help"]
    with pytest.raises(ClassvmError, match="does not know the setting log-optz"):
        engine.install({"log-optz": {}})
    assert json.loads(daemon_json.read_text()) == LOGS


def test_a_new_engine_validates_the_file_itself(
    dockerd: Callable[..., Path], daemon_json: Path
) -> None:
    calls = dockerd(NEW)
    engine.install(LOGS)
    validate = f"--validate --config-file {daemon_json}.trial"
    assert calls.read_text().splitlines() == ["--version", validate]
    assert daemon_json.stat().st_mode & 0o777 == 0o644
    assert [file.name for file in daemon_json.parent.iterdir()] == ["daemon.json"]


def test_what_the_engine_refuses_is_not_installed(
    dockerd: Callable[..., Path], daemon_json: Path
) -> None:
    dockerd(NEW, validates=False)
    present(daemon_json, "{}")
    with pytest.raises(CommandError, match="unable to configure: unknown"):
        engine.apply(Host(), engine.Change(LOGS, start=False))
    assert daemon_json.read_text() == "{}"
    assert [file.name for file in daemon_json.parent.iterdir()] == ["daemon.json"]


# --- before there is an engine ---------------------------------------------------------------

POOLS = {network.POOLS: [{"base": "10.213.0.0/16", "size": 24}]}


@pytest.fixture
def bare(daemon_json: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(engine, "DOCKERD", str(tmp_path / "bin" / "dockerd"))
    return daemon_json


def test_what_the_bridge_keeps_is_there_before_the_package_starts_an_engine(
    bare: Path, dockerd: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    present(bare, '{"dns": []}')
    monkeypatch.setattr(network, "packet_settings", lambda: {"mtu": 1400})
    settings = {**LOGS, **POOLS}
    assert engine.prepare(settings, dry_run=True)
    assert json.loads(bare.read_text()) == {"dns": []}
    assert engine.prepare(settings)
    early = {"dns": [], "mtu": 1400, **POOLS}
    assert json.loads(bare.read_text()) == early
    assert not engine.prepare(settings)
    monkeypatch.setattr(engine, "restart", lambda _: None)
    apply(settings, NEW, dockerd)
    assert json.loads(bare.read_text()) == {**early, **LOGS}
    # What the kit wrote it also takes back.
    monkeypatch.setattr(network, "packet_settings", dict)
    apply(LOGS, NEW, dockerd)
    assert json.loads(bare.read_text()) == {"dns": [], **LOGS}


def test_an_engine_that_is_there_is_not_prepared(
    daemon_json: Path, dockerd: Callable[..., Path]
) -> None:
    dockerd()
    assert not engine.prepare(POOLS)
    assert not daemon_json.exists()


def test_a_broken_file_is_told_before_a_package_is_installed(bare: Path) -> None:
    present(bare, "{,}")
    with pytest.raises(ClassvmError, match="not valid JSON"):
        engine.prepare(LOGS)


def test_addresses_of_others_are_refused_before_a_package_is_installed(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(settings: dict[str, Any]) -> None:
        raise ClassvmError(str(sorted(settings)))

    present(bare, '{"bip": "10.0.0.1/24"}')
    monkeypatch.setattr(network, "require_free_addresses", refuse)
    with pytest.raises(ClassvmError, match="bip"):
        engine.prepare(LOGS)


def test_a_snap_is_refused_before_a_package_is_installed(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_hosts, "SNAP", tmp_path)
    for dry_run in (True, False):
        with pytest.raises(ClassvmError, match="as a snap"):
            engine.prepare(LOGS, dry_run=dry_run)
    assert not bare.exists()


def test_an_explicit_size_of_packets_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "packet_settings", lambda: {"mtu": 1400})
    assert engine.with_packets({"mtu": 1300}) == {"mtu": 1300}


def test_hosts_that_the_engine_cannot_have_are_refused(
    daemon_json: Path, dockerd: Callable[..., Path]
) -> None:
    dockerd()
    present(daemon_json, '{"hosts": ["tcp://127.0.0.1:2375"]}')
    with pytest.raises(ClassvmError, match="would not listen"):
        engine.plan(Host(), LOGS)


# --- bringing it up ---------------------------------------------------------------------------


class Restarts:
    """Stands in for ``restart``: what daemon.json held each time; fails as often as told."""

    def __init__(self, daemon_json: Path, failures: int) -> None:
        self.daemon_json = daemon_json
        self.failures = failures
        self.seen: list[str | None] = []

    def __call__(self, _: Docker) -> None:
        there = self.daemon_json.exists()
        self.seen.append(self.daemon_json.read_text() if there else None)
        if len(self.seen) <= self.failures:
            raise ClassvmError("does not start")


@pytest.mark.parametrize("former", [None, '{ "dns": [] }'], ids=["no file", "an admin's file"])
def test_the_former_file_is_back_when_the_engine_does_not_start(
    former: str | None,
    daemon_json: Path,
    dockerd: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dockerd()
    if former:
        present(daemon_json, former)
    restart = Restarts(daemon_json, failures=1)
    monkeypatch.setattr(engine, "restart", restart)
    with pytest.raises(ClassvmError, match="does not start"):
        engine.apply(Host(), engine.Change(LOGS, start=False))
    assert json.loads(str(restart.seen[0])) == LOGS
    assert restart.seen[1:] == [former]
    assert (daemon_json.read_text() if daemon_json.exists() else None) == former


def test_the_new_file_stays_when_the_engine_starts(
    daemon_json: Path, dockerd: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    dockerd()
    restart = Restarts(daemon_json, failures=0)
    monkeypatch.setattr(engine, "restart", restart)
    engine.apply(Host(), engine.Change(LOGS, start=False))
    assert len(restart.seen) == 1
    assert json.loads(daemon_json.read_text()) == LOGS


def test_an_engine_that_was_only_to_be_started_is_not_tried_twice(
    daemon_json: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restart = Restarts(daemon_json, failures=9)
    monkeypatch.setattr(engine, "restart", restart)
    with pytest.raises(ClassvmError, match="does not start"):
        engine.apply(Host(), engine.Change(None, start=True))
    assert restart.seen == [None]


class Power:
    """Cuts a run off at its calls, one after the other; what the calls have done stays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.last = math.inf
        self.monkeypatch = monkeypatch

    def feed(self, owner: object, name: str) -> None:
        """Count the calls of a function, before and after each of which the run may end."""
        function = getattr(owner, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            self.tick()
            result = function(*arguments, **options)
            self.tick()
            return result

        self.monkeypatch.setattr(owner, name, counted)

    def tick(self) -> None:
        self.calls += 1
        if self.calls > self.last:
            raise KeyboardInterrupt


class Machine(Restarts):
    """Stands in for ``restart``: an engine that runs with the file it was started with, or not."""

    running: str | None = None

    def __call__(self, host: Docker) -> None:
        self.running = None
        super().__call__(host)
        self.running = self.daemon_json.read_text()


@pytest.mark.parametrize("failures", [0, 1], ids=["starts", "does not start with the new file"])
@pytest.mark.usefixtures("program")
def test_a_change_cut_off_anywhere_is_finished_by_the_next_run(
    failures: int,
    daemon_json: Path,
    dockerd: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dockerd()
    power = Power(monkeypatch)
    machine = Machine(daemon_json, failures)
    monkeypatch.setattr(engine, "restart", machine)
    for owner, name in (
        (Path, "write_text"),
        (Path, "replace"),
        (Path, "chmod"),
        (Path, "unlink"),
        (engine, "restart"),
    ):
        power.feed(owner, name)
    cuts = 0
    while True:
        shutil.rmtree(daemon_json.parent, ignore_errors=True)
        shutil.rmtree(daemon_json.parent.parent / "classvm", ignore_errors=True)
        power.last = math.inf
        present(daemon_json, '{"dns": []}')
        machine.seen, machine.failures, machine.running = [], failures, '{"dns": []}'
        power.calls, power.last = 0, cuts
        try:
            provision()
        except KeyboardInterrupt:
            pass
        except ClassvmError:
            break
        else:
            break
        power.last = math.inf
        with contextlib.suppress(ClassvmError):
            provision()
        # Whatever is in the file, an engine runs with it, and the admin's own setting is there.
        assert machine.running == daemon_json.read_text(), cuts
        assert json.loads(str(machine.running))["dns"] == [], cuts
        machine.failures = 0
        provision()
        assert machine.running == daemon_json.read_text(), cuts
        assert json.loads(str(machine.running)) == {"dns": [], **LOGS}, cuts
        assert not engine.read_record().pending, cuts
        cuts += 1
    assert cuts > 10


def provision() -> None:
    """Do what the module does."""
    change = engine.plan(Host(), LOGS)
    if change:
        engine.apply(Host(), change)


def test_start_argv() -> None:
    assert " ".join(engine.start_argv()) == (
        "start-stop-daemon --start --background --no-close --pidfile /run/docker.pid"
        " --exec /usr/sbin/dockerd --output /var/log/docker.log -- --pidfile /run/docker.pid"
    )


def test_restart_under_systemd(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = program("systemctl")
    monkeypatch.setattr(engine, "has_systemd", lambda: True)
    engine.restart(Host())
    assert calls.read_text().splitlines() == ["enable --quiet docker", "restart docker"]


def test_restart_without_systemd(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = program("start-stop-daemon")
    monkeypatch.setattr(engine, "has_systemd", lambda: False)
    monkeypatch.setattr(engine, "PIDFILE", tmp_path / "docker.pid")
    engine.restart(Host())
    assert calls.read_text().startswith("--start --background")


@pytest.mark.parametrize(
    ("systemd", "starter", "witness"),
    [(True, "systemctl", "journalctl"), (False, "start-stop-daemon", "tail")],
)
def test_an_engine_that_does_not_start_is_told_with_its_last_words(
    systemd: bool,
    starter: str,
    witness: str,
    program: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program(starter, 'case "$*" in *enable*) ;; *) exit 1 ;; esac')
    program(witness, "echo failed to start daemon: bad option")
    monkeypatch.setattr(engine, "has_systemd", lambda: systemd)
    monkeypatch.setattr(engine, "PIDFILE", Path("/absent"))
    with pytest.raises(ClassvmError, match="does not start: failed to start daemon: bad option"):
        engine.restart(Host(answers=False))


def test_where_the_log_is_silent_the_command_itself_tells_why(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = "Failed to restart docker.service: Unit docker.service is masked."
    program("systemctl", f"case $1 in restart) echo '{refused}' >&2; exit 1 ;; esac")
    asked = program("journalctl", f"echo '{engine.NO_ENTRIES}'")
    monkeypatch.setattr(engine, "has_systemd", lambda: True)
    with pytest.raises(ClassvmError, match=r"does not start: .*is masked"):
        engine.restart(Host(answers=False))
    # Not what an earlier engine has said.
    assert "--since=@" in asked.read_text()


def test_an_engine_that_never_answers_is_waited_for_in_vain(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    program("systemctl")
    program("journalctl", "echo silence")
    monkeypatch.setattr(engine, "has_systemd", lambda: True)
    monkeypatch.setattr(engine, "START_SECONDS", 0.01)
    with pytest.raises(ClassvmError, match="does not start: silence"):
        engine.restart(Host(answers=False))


@pytest.mark.parametrize("text", ["4711", None])
def test_a_process_that_is_not_the_engine_is_not_stopped(
    text: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pidfile = tmp_path / "docker.pid"
    if text:
        pidfile.write_text(text)
    monkeypatch.setattr(engine, "PIDFILE", pidfile)
    monkeypatch.setattr("os.kill", lambda *_: pytest.fail("something was killed"))
    engine._stop_without_systemd()


def test_the_engine_itself_is_stopped(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program("unused")
    pidfile = tmp_path / "docker.pid"
    sleeper = subprocess.Popen(["sleep", "60"])
    with sleeper:
        pidfile.write_text(str(sleeper.pid))
        monkeypatch.setattr(engine, "PIDFILE", pidfile)
        monkeypatch.setattr(engine, "DOCKERD", str((tmp_path / "bin" / "sleep").resolve()))
        engine._stop_without_systemd()
        assert sleeper.wait() == -15
