"""Measures how long a deploy takes, where its time goes, and how fast the service answers.

    make bench                                                    this machine (root)
    make bench INVENTORY=.lab/inventory.yml LIMIT=vm-148-1        a class VM of a lab
    make bench … ARGS="--strategy blue_green"
    make bench TABLE=docs/numbers.md                              the page that the README names
    make bench TABLE=docs/numbers.md INVENTORY=… LIMIT=…          with a column for the VM

On this machine it deploys a service of its own beside the live one, under another name, on
another port and with a base image and a state folder of its own, and removes all of that at the
end. The first deploy starts from an installed engine: it bootstraps the base image and builds
every layer. Load goes to loopback only, for a few seconds.

On a class VM it deploys as `make deploy` would, and leaves the last release there: take a VM that
was made to be tried on.
"""

from __future__ import annotations

import argparse
import dataclasses
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
# A client of the port sees here what it sees in a release.
sys.path.append(str(ROOT / "ansible/plugins/module_utils"))

from classvm.base import installed, locks, state  # noqa: E402 - its folder was added to the path above
from classvm.release import gap, release_spec  # noqa: E402 - as above

NAME = "bench"
BASE = "classvm/base:bench"
STATE_DIR = Path("/var/lib/classvm-bench")
BARE = "classvm-bench-flask"
REPEATS = 3
# What tells Ansible to show its tasks, and to measure them.
PROFILE = {
    "ANSIBLE_STDOUT_CALLBACK": "default",
    "ANSIBLE_CALLBACKS_ENABLED": "classvm.kit.classvm_summary,ansible.posix.profile_tasks",
    "PROFILE_TASKS_SORT_ORDER": "none",
    "PROFILE_TASKS_TASK_OUTPUT_LIMIT": "all",
}
LOAD = ("--threads", "2", "--connections", "32", "--duration", "5s")
FIRST, UNCHANGED, CHANGED, ROLLBACK, STATUS, FLOOR = (
    "first deploy",
    "deploy without changes",
    "deploy of a changed line",
    "rollback",
    "status",
    "an empty play",
)
# A time in which nothing is done; it is no row of the table.
REST = "at rest"
# What any run of Ansible takes: a play that does nothing, without make and without our settings.
THIS_MACHINE = "ansible/inventory/local.yml"
EMPTY_PLAY = [{"hosts": "all", "gather_facts": False}]
# Where the service tells which release it is.
ASKED = "/e222/describe"
# Rarely enough that the questions do not slow the deploy down.
POLL_SECONDS = 0.1
KEPT_SECONDS = 0.02
# How long the service is watched while nothing is done.
REST_SECONDS = 20
PAGE = """# Numbers

Written by `make bench TABLE=docs/numbers.md` on a machine with {processors} processors; your
machine will differ. Seconds are medians. The gap is the longest time without an answer that a
client sees who asks every 10 ms. Another one keeps its connection and asks every 20 ms: "failed"
are its requests without an answer. A release serves from the first answer that a client gets from
it. Before the first deploy the engine is installed; the base image is bootstrapped and every layer
is built. "{floor}" is what any run of Ansible takes.

| what | {columns} | until it serves | tasks | gap | failed |
| --- | {lines} | --- | --- | --- | --- |
{rows}

After a rollback the former release is live again {back:.1f} s after its task began. The longest
tasks of a deploy of a changed line:

{tasks}

A deploy of a changed line and a rollback answer when the release serves; the host then [finishes
the swap](releases.md#without-a-gap) in the background, and the client goes on asking until that has
ended. 99 % of its requests have their answer within {slow} while a changed line is deployed,
within {usual} at rest. No request fails: [faults.md](faults.md) has the numbers under load.

The service image has {size:.1f} MB. `/e222/sum/1/4`, routed and validated in both directions by
its contract, answers {rate:.0f} requests per second; a bare Flask route in the same image, with the
same server, {bare:.0f}.
"""
LONGEST = 3
# Of fewer answers nobody knows within which time 99 % come.
FEWEST = 100
# By which make hands on what it was given, and what this target takes.
GIVEN_TO_MAKE = ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "INVENTORY", "LIMIT", "TABLE", "ARGS")


def run(*words: str, **environment: str) -> str:
    """Run a command that has to succeed and return what it printed."""
    # What `make bench` was given, such as an inventory, is not for each `make` that is measured.
    own = {name: value for name, value in os.environ.items() if name not in GIVEN_TO_MAKE}
    done = subprocess.run(  # noqa: S603 - the words stand in this file
        words,
        cwd=ROOT,
        env={**own, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"bench: `{' '.join(words)}` failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def free_port() -> int:
    """Return a TCP port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Target:
    """The host to measure.

    Attributes:
        address: where the service answers, as it stands in a URL.
        port: TCP port of the host.
        options: variables of `make` that name the inventory and the host.
        variables: variables of the playbooks.
        state_dir: folder with the host's state.

    """

    address: str
    port: int
    options: Sequence[str] = ()
    variables: Mapping[str, object] = field(default_factory=dict)
    state_dir: str = installed.HERE.state

    @property
    def where(self) -> tuple[str, ...]:
        """The options of Ansible that name the inventory and the host."""
        given = dict(option.split("=", 1) for option in self.options)
        limit = given.get("LIMIT", "all")
        return ("--inventory", given.get("INVENTORY", THIS_MACHINE), "--limit", limit)

    def settle(self) -> None:
        """Wait until the host has ended what a deploy has left to the background."""
        command = locks.waiting(f"{self.state_dir}/{state.LOCK}")
        # The lock is root's, as whoever measures this machine is.
        as_root = ["--become"] if self.options else []
        run("ansible", "all", *self.where, *as_root, "--module-name", "raw", "--args", command)

    @property
    def name(self) -> str:
        """What the host is called in the table."""
        return "one VM over SSH" if self.options else "this machine"

    def make(self, verb: str, **environment: str) -> str:
        """Run `make VERB` for the host, with a profile at its end, and return what it printed."""
        words = ("make", "--no-print-directory", verb, *self.options)
        variables = f"ARGS=--extra-vars '{json.dumps(self.variables)}'"
        return run(*words, variables, **PROFILE, **environment)


@dataclass(frozen=True)
class Run:
    """How long a target of `make` took.

    Attributes:
        seconds: from the command's start to its end.
        tasks: seconds of each task, by its name, in their order; skipped ones cost something, too.
        count: number of tasks that were not skipped.
        gap: longest time in which no request was answered, in seconds; None when none was before.
        failed: number of failed requests of a client that keeps its connection, and of all that it
            sent; None when the port did not answer before.
        serves: seconds until another release answered than before; None when none did.
        swap: seconds from stopping the old release to the new one's health; 0.0 when not told.
        latencies: seconds of each answered request of the client that keeps its connection.

    """

    seconds: float
    tasks: Mapping[str, float]
    count: int
    gap: float | None
    failed: tuple[int, int] | None = None
    serves: float | None = None
    swap: float = 0.0
    latencies: Sequence[float] = ()


class NewRelease:
    """Asks the service which release it is, again and again, while the ``with`` block runs.

    Attributes:
        seconds: from the block's start to the first answer of another release than before; None
            while there was none.

    """

    def __init__(self, target: Target) -> None:
        """Prepare to ask the service of a host."""
        self.seconds: float | None = None
        self._target = target
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> None:
        """Ask from now on."""
        self._before, self._started = release_of(self._target), time.monotonic()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        """Ask no more."""
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            if release_of(self._target) not in ("", self._before):
                self.seconds = time.monotonic() - self._started
                return


class Kept:
    """Sends requests over a connection that it keeps, while the ``with`` block runs.

    Attributes:
        failed: number of those without an answer below 500, and of all; None when even the first
            had none.
        latencies: seconds of each of the others.

    """

    def __init__(self, target: Target) -> None:
        """Prepare to ask the service of a host."""
        self.failed: tuple[int, int] | None = None
        self.latencies: list[float] = []
        self._client = http.client.HTTPConnection(
            target.address, target.port, timeout=gap.ANSWER_SECONDS
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> None:
        """Send requests from now on, unless nobody answers even now."""
        if self._is_answered():
            self.failed = (0, 1)
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        """Send no more."""
        self._ended.set()
        if self.failed:
            self._thread.join()
        self._client.close()

    def _ask(self) -> None:
        failed = sent = 0
        while not self._ended.wait(KEPT_SECONDS):
            began, sent = time.monotonic(), sent + 1
            if self._is_answered():
                self.latencies.append(time.monotonic() - began)
            else:
                failed += 1
        self.failed = (failed, sent)

    def _is_answered(self) -> bool:
        """Send a request; once more where the server has closed the connection meanwhile.

        Source: RFC 9110, 9.2.2, for requests that only read.
        """
        for _ in range(2):
            try:
                self._client.request("GET", ASKED)
                answer = self._client.getresponse()
                answer.read()
            except (ConnectionResetError, BrokenPipeError):  # RemoteDisconnected is one of them
                self._client.close()
            except (OSError, http.client.HTTPException):
                self._client.close()
                return False
            else:
                return answer.status < http.HTTPStatus.INTERNAL_SERVER_ERROR
        return False


def release_of(target: Target) -> str:
    """Return the id of the release that answers, "" where none does."""
    client = http.client.HTTPConnection(target.address, target.port, timeout=gap.ANSWER_SECONDS)
    try:
        client.request("GET", ASKED)
        return str(json.load(client.getresponse())["release"])
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return ""
    finally:
        client.close()


def measure(target: Target, verb: str) -> Run:
    """Run a target of `make` while a client polls the port."""
    watch, release, kept = gap.Watch(target.port, target.address), NewRelease(target), Kept(target)
    began = time.monotonic()
    with watch, release, kept:
        # A rollback has to say how long the host took for it, which it does not tell otherwise.
        text = target.make(verb, **({"ANSIBLE_VERBOSITY": "1"} if verb == "rollback" else {}))
        seconds = time.monotonic() - began
        target.settle()
    swap = re.search(r"^ +seconds: ([\d.]+)$", text, re.MULTILINE)
    return Run(
        seconds=seconds,
        tasks=profile(text),
        count=len(re.findall(r"^TASK \[", text, re.MULTILINE)),
        gap=watch.gap,
        failed=kept.failed,
        serves=release.seconds,
        swap=float(swap.group(1)) if swap else 0.0,
        latencies=kept.latencies,
    )


def profile(text: str) -> dict[str, float]:
    """Return the seconds of each task, from what `profile_tasks` prints last.

    Equal names, as of a question that two playbooks ask, count together.
    """
    tasks: dict[str, float] = {}
    for name, seconds in re.findall(r"^(\S.*?) -+ ([\d.]+)s$", text, re.MULTILINE):
        tasks[name] = tasks.get(name, 0.0) + float(seconds)
    return tasks


def copy_of_service(folder: Path) -> Path:
    """Return a copy of the service whose every layer has to be built."""
    app = folder / "service"
    shutil.copytree(ROOT / "service", app, ignore=shutil.ignore_patterns("__pycache__"))
    dockerfile = app / "Dockerfile"
    head = "FROM ${BASE_IMAGE} AS python\n"
    text = dockerfile.read_text()
    dockerfile.write_text(text.replace(head, f"{head}ENV BENCH={time.time()}\n", 1))
    return app


def change_a_line(app: Path) -> None:
    """Make the next deploy a new release."""
    handler = app / "src" / "hello.py"
    text = handler.read_text()
    handler.write_text(f"{text}\n# {time.time()}\n")


def requests_per_second(url: str) -> float:
    """Return how many requests a server answers, as wrk measures it."""
    text = run("wrk", *LOAD, url)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    if rate is None or errors:
        sys.exit(f"bench: wrk could not measure {url}:\n{text}")
    return float(rate.group(1))


@contextmanager
def bare_flask(image: str) -> Iterator[int]:
    """Serve the bare route from the same image, with the same server; yield its port."""
    port = free_port()
    inside = run("docker", "exec", f"classvm-{NAME}", "sh", "-c", "grep CONTAINER ports.env")
    run(
        *("docker", "run", "--detach", "--rm", "--name", BARE, "--read-only", "--tmpfs", "/tmp"),  # noqa: S108 - in the container
        *("--volume", f"{ROOT / 'tools'}:/bench:ro", "--cpu-shares", release_spec.LIVE_CPU_SHARES),
        *("--publish", f"127.0.0.1:{port}:{inside.strip().partition('=')[2]}", image),
        *("gunicorn", "--pythonpath", "/bench", "bench_flask:app"),
    )
    try:
        time.sleep(3)
        yield port
    finally:
        run("docker", "rm", "--force", BARE)


def clean() -> None:
    """Remove what the measurement made."""
    for kind, listing in (("container", ("ps", "--all")), ("image", ("image", "ls"))):
        found = run("docker", *listing, "--quiet", "--filter", f"label=classvm.service={NAME}")
        for identifier in dict.fromkeys(found.split()):
            run("docker", kind, "rm", "--force", identifier)
    if run("docker", "image", "ls", "--quiet", BASE):
        run("docker", "image", "rm", BASE)
    shutil.rmtree(STATE_DIR, ignore_errors=True)


def gap_of(runs: Sequence[Run]) -> str:
    """Return the median of the gaps; before a first deploy nothing answers, so there is none."""
    gaps = [one.gap for one in runs if one.gap is not None]
    return f"{statistics.median(gaps) * 1000:.0f} ms" if gaps else "none to miss"


def failed_of(runs: Sequence[Run]) -> str:
    """Return how many requests of kept connections failed, of all; "" where none had an answer."""
    told = [one.failed for one in runs if one.failed]
    failed, sent = map(sum, zip(*told, strict=True)) if told else (0, 0)
    return f"{failed} of {sent}" if sent else ""


def slowest_of(runs: Sequence[Run]) -> str:
    """Return within which time 99 % of the answers came; "" where there were too few."""
    latencies = [each for one in runs for each in one.latencies]
    if len(latencies) < FEWEST:
        return ""
    return f"{statistics.quantiles(latencies, n=100)[-1] * 1000:.1f} ms"


def serves_of(runs: Sequence[Run]) -> str:
    """Return the median of the seconds until a new release served; "" where none was to."""
    found = [one.serves for one in runs if one.serves is not None]
    return f"{statistics.median(found):.1f} s" if found else ""


def show(what: str, runs: Sequence[Run]) -> None:
    """Print the median and the extremes."""
    seconds = [one.seconds for one in runs]
    spread = f"{min(seconds):.1f}-{max(seconds):.1f}"
    serves = serves_of(runs) and f"  serves after {serves_of(runs)}"
    failed = failed_of(runs) and f"  {failed_of(runs)} kept requests failed"
    slowest = slowest_of(runs) and f"  99 % within {slowest_of(runs)}"
    print(
        f"{what:24} {statistics.median(seconds):6.1f} s  ({len(runs)} runs: {spread})"
        f"  {runs[0].count:3} tasks  gap {gap_of(runs)}" + failed + slowest + serves,
        flush=True,
    )


def show_profile(what: str, one: Run) -> None:
    """Print where the time of one run went."""
    print(f"  {what}, {one.seconds:.1f} s, of which")
    rest = one.seconds - sum(one.tasks.values())
    for name, seconds in {"make and Ansible, before and after": rest, **one.tasks}.items():
        print(f"    {seconds:6.2f} s  {name}")


def until_back(runs: Sequence[Run]) -> float:
    """Return the seconds of a rollback on the host: those of its longest task."""
    return statistics.median(max(one.tasks.values()) for one in runs)


def show_rollback(runs: Sequence[Run]) -> None:
    """Print what of a rollback happens on the host, and the swap in it."""
    swap = statistics.median(one.swap for one in runs)
    show(ROLLBACK, runs)
    print(f"  live again {until_back(runs):.1f} s after its task began; the swap took {swap:.1f} s")


def median(runs: Sequence[Run]) -> Run:
    """Return the run that took as long as half of the others at most."""
    return sorted(runs, key=lambda one: one.seconds)[(len(runs) - 1) // 2]


def here(app: Path) -> Target:
    """Return this machine, with a service beside the live one."""
    port = free_port()
    variables = {
        "service_name": NAME,
        "service_dir": str(app),
        "service_host_port": port,
        "base_image_name": BASE,
        "classvm_state_dir": str(STATE_DIR),
    }
    return Target("127.0.0.1", port, variables=variables, state_dir=str(STATE_DIR))


def class_vm(app: Path, inventory: str, host: str) -> Target:
    """Return a host of an inventory, with the service that it is there for."""
    options = (f"INVENTORY={inventory}", f"LIMIT={host}")
    told = json.loads(run("make", "--no-print-directory", "status", "FORMAT=json", *options))
    url = urlsplit(told["hosts"][host]["url"])
    assert url.hostname  # noqa: S101 - whatever the host's state, it has a URL
    return Target(url.hostname, url.port or 80, options, {"service_dir": str(app)})


def measure_deploys(target: Target, app: Path) -> dict[str, list[Run]]:
    """Deploy for the first time, again, with changes; go back and forth."""
    runs = {FIRST: [measure(target, "deploy")]}
    show(FIRST, runs[FIRST])
    runs[UNCHANGED] = [measure(target, "deploy") for _ in range(REPEATS)]
    show(UNCHANGED, runs[UNCHANGED])
    runs[CHANGED] = []
    for _ in range(REPEATS):
        change_a_line(app)
        runs[CHANGED].append(measure(target, "deploy"))
    show(CHANGED, runs[CHANGED])
    runs[ROLLBACK] = [measure(target, "rollback") for _ in range(REPEATS)]
    show_rollback(runs[ROLLBACK])
    runs[STATUS] = [measure(target, "status") for _ in range(REPEATS)]
    show(STATUS, runs[STATUS])
    runs[FLOOR] = [measure_empty_play(target) for _ in range(REPEATS)]
    show(FLOOR, runs[FLOOR])
    runs[REST] = [measure_rest(target)]
    show(REST, runs[REST])
    show_profile(UNCHANGED, median(runs[UNCHANGED]))
    show_profile(CHANGED, median(runs[CHANGED]))
    return runs


def measure_empty_play(target: Target) -> Run:
    """Run Ansible for a host, with nothing to do there."""
    watch = gap.Watch(target.port, target.address)
    with tempfile.TemporaryDirectory() as folder:
        play, settings = Path(folder, "play.yml"), Path(folder, "ansible.cfg")
        play.write_text(json.dumps(EMPTY_PLAY))
        settings.touch()
        words = ("ansible-playbook", *target.where, str(play))
        with watch:
            run(*words, ANSIBLE_CONFIG=str(settings))
    return Run(watch.seconds, {}, 0, watch.gap)


def measure_rest(target: Target) -> Run:
    """Watch the service while nothing is done."""
    watch, kept = gap.Watch(target.port, target.address), Kept(target)
    with watch, kept:
        time.sleep(REST_SECONDS)
    return Run(watch.seconds, {}, 0, watch.gap, kept.failed, latencies=kept.latencies)


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inventory", default="", help="inventory of the host")
    parser.add_argument("--host", default="", help="class VM to measure instead of this machine")
    parser.add_argument("--strategy", default="", help="how a release takes over the port")
    parser.add_argument("--table", type=Path, help="file for the numbers of this machine")
    given = parser.parse_args()
    if bool(given.inventory) != bool(given.host):
        parser.error("a class VM takes both: INVENTORY=FILE LIMIT=NAME")
    return given


def main() -> None:
    """Measure and print."""
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="classvm-bench-") as folder:
        app = copy_of_service(Path(folder))
        hosts = [class_vm(app, given.inventory, given.host)] if given.host else []
        if given.table or not hosts:
            hosts.insert(0, here(app))
        measured = [measure_host(with_strategy(one, given.strategy), app) for one in hosts]
        if given.table:
            given.table.write_text(page(measured))


def with_strategy(target: Target, strategy: str) -> Target:
    """Return the host with another strategy, where one is given."""
    variables = {**target.variables, **({"service_strategy": strategy} if strategy else {})}
    return dataclasses.replace(target, variables=variables)


def measure_host(target: Target, app: Path) -> Measured:
    """Measure a host; on this machine, the service's speed, too, and nothing is left."""
    print(f"{target.name}:", flush=True)
    if target.options:
        return Measured(target.name, measure_deploys(target, app))
    if shutil.which("wrk") is None:
        run("ansible", "localhost", "--become", "--module-name", "apt", "--args", "name=wrk")
    clean()
    try:
        runs = measure_deploys(target, app)
        return Measured(target.name, runs, measure_service(target.port))
    finally:
        clean()


@dataclass(frozen=True)
class Service:
    """How large the image is, in bytes, and how many requests the service answers a second."""

    size: int
    rate: float
    bare: float


@dataclass(frozen=True)
class Measured:
    """What was measured of a host; the service is that of this machine alone."""

    name: str
    runs: Mapping[str, Sequence[Run]]
    service: Service | None = None


def measure_service(port: int) -> Service:
    """Measure the image's size and the service's speed, and print both."""
    image = run("docker", "inspect", "--format", "{{.Config.Image}}", f"classvm-{NAME}").strip()
    size = int(run("docker", "image", "inspect", "--format", "{{.Size}}", image))
    print(f"{'service image':24} {size / 1e6:6.1f} MB")
    rates, bares = [], []
    with bare_flask(image) as bare_port:
        # In turns: what else the machine does is not for one of both.
        for _ in range(REPEATS):
            rates.append(requests_per_second(f"http://127.0.0.1:{port}/e222/sum/1/4"))
            bares.append(requests_per_second(f"http://127.0.0.1:{bare_port}/sum/1/4"))
    for name, found in (("/e222/sum/1/4", rates), ("bare Flask route", bares)):
        print(f"{name:24} {statistics.median(found):6.0f} requests/s  {span(found)}")
    return Service(size, statistics.median(rates), statistics.median(bares))


def span(found: Sequence[float]) -> str:
    """Return how many measurements there were, and between which numbers."""
    return f"({len(found)} runs: {min(found):.0f}-{max(found):.0f})"


def page(measured: Sequence[Measured]) -> str:
    """Return the page of numbers, in Markdown; all but the seconds is told of the first host."""
    runs, service = measured[0].runs, measured[0].service
    assert service is not None  # noqa: S101 - the first host is this machine
    rows = [
        f"| {what} | {seconds_of(measured, what)} | {serves_of(some)} | {some[0].count} |"
        f" {gap_of(some)} | {failed_of(some)} |"
        for what, some in runs.items()
        if what != REST
    ]
    changed = sorted(median(runs[CHANGED]).tasks.items(), key=lambda task: -task[1])
    return PAGE.format(
        processors=os.cpu_count(),
        rows="\n".join(rows),
        columns=" | ".join(
            f"seconds, {one.name}" if measured[1:] else "seconds" for one in measured
        ),
        lines=" | ".join("---" for _ in measured),
        floor=FLOOR,
        slow=slowest_of(runs[CHANGED]),
        usual=slowest_of(runs[REST]),
        back=until_back(runs[ROLLBACK]),
        tasks="\n".join(f"- {seconds:.1f} s: {name}" for name, seconds in changed[:LONGEST]),
        size=service.size / 1e6,
        rate=service.rate,
        bare=service.bare,
    )


def seconds_of(measured: Sequence[Measured], what: str) -> str:
    """Return the cells of one row with the seconds of each host."""
    return " | ".join(f"{median(one.runs[what]).seconds:.1f}" for one in measured)


if __name__ == "__main__":
    main()
