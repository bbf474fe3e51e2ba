"""Measures how long a deploy takes, where its time goes, and how fast the service answers.

    make bench                                                    this machine (root)
    make bench INVENTORY=.lab/inventory.yml LIMIT=vm-148-1        a class VM of a lab
    make bench … ARGS="--strategy blue_green"
    make bench TABLE=docs/numbers.md                              the page that the README names

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
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# A client of the port sees here what it sees in a release.
sys.path.append(str(ROOT / "ansible/plugins/module_utils"))

from classvm.release import gap  # noqa: E402 - its folder was added to the path above

NAME = "bench"
BASE = "classvm/base:bench"
STATE_DIR = Path("/var/lib/classvm-bench")
BARE = "classvm-bench-flask"
REPEATS = 3
ADDRESS = ("-m", "debug", "-a", "msg={{ service_address }}:{{ service_host_port }}")
# What tells Ansible to show its tasks, and to measure them.
PROFILE = {
    "ANSIBLE_STDOUT_CALLBACK": "default",
    "ANSIBLE_CALLBACKS_ENABLED": "classvm.kit.classvm_summary,ansible.posix.profile_tasks",
    "PROFILE_TASKS_SORT_ORDER": "none",
    "PROFILE_TASKS_TASK_OUTPUT_LIMIT": "all",
}
LOAD = ("--threads", "2", "--connections", "32", "--duration", "5s", "--latency")
FIRST, UNCHANGED, CHANGED, ROLLBACK = (
    "first deploy",
    "deploy without changes",
    "deploy of a changed line",
    "rollback",
)
PAGE = """# Numbers

Written by `make bench TABLE=docs/numbers.md` on a machine with {processors} processors; your
machine will differ. Seconds are medians. The gap is the longest time without an answer that a
client sees who asks every 10 ms. Before the first deploy the engine is installed; the base image
is bootstrapped and every layer is built.

| what | seconds | tasks | gap |
| --- | --- | --- | --- |
{rows}

After a rollback the former release is live again {back:.1f} s after its task began. The longest
tasks of a deploy of a changed line:

{tasks}

The module that makes a release live waits for the steady time, three seconds, in which a candidate
has to stay up. With `blue_green` no request fails: [faults.md](faults.md) has the numbers under
load.

The service image has {size:.1f} MB. `/e222/sum/1/4`, routed and validated in both directions by
its contract, answers {rate:.0f} requests per second; a bare Flask route in the same image, with the
same server, {bare:.0f}.
"""
LONGEST = 3


def run(*words: str, **environment: str) -> str:
    """Run a command that has to succeed and return what it printed."""
    done = subprocess.run(  # noqa: S603 - the words stand in this file
        words,
        cwd=ROOT,
        env={**os.environ, **environment},
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

    """

    address: str
    port: int
    options: Sequence[str] = ()
    variables: Mapping[str, object] = field(default_factory=dict)

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
        swap: seconds from stopping the old release to the new one's health; 0.0 when not told.

    """

    seconds: float
    tasks: Mapping[str, float]
    count: int
    gap: float | None
    swap: float = 0.0


def measure(target: Target, verb: str) -> Run:
    """Run a target of `make` while a client polls the port."""
    watch = gap.Watch(target.port, target.address)
    with watch:
        # A rollback has to say how long the host took for it, which it does not tell otherwise.
        text = target.make(verb, **({"ANSIBLE_VERBOSITY": "1"} if verb == "rollback" else {}))
    swap = re.search(r"^ +seconds: ([\d.]+)$", text, re.MULTILINE)
    return Run(
        seconds=watch.seconds,
        tasks=profile(text),
        count=len(re.findall(r"^TASK \[", text, re.MULTILINE)),
        gap=watch.gap,
        swap=float(swap.group(1)) if swap else 0.0,
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


def requests_per_second(url: str) -> tuple[float, str]:
    """Return the rate and the 99th percentile of the latency, as wrk prints it."""
    text = run("wrk", *LOAD, url)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    slow = re.search(r"99%\s+(\S+)", text)
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    if rate is None or slow is None or errors:
        sys.exit(f"bench: wrk could not measure {url}:\n{text}")
    return float(rate.group(1)), slow.group(1)


@contextmanager
def bare_flask(image: str) -> Iterator[int]:
    """Serve the bare route from the same image, with the same server; yield its port."""
    port = free_port()
    inside = run("docker", "exec", f"classvm-{NAME}", "sh", "-c", "grep CONTAINER ports.env")
    run(
        *("docker", "run", "--detach", "--rm", "--name", BARE, "--read-only", "--tmpfs", "/tmp"),  # noqa: S108 - in the container
        *("--volume", f"{ROOT / 'tools'}:/bench:ro"),
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


def show(what: str, runs: Sequence[Run]) -> None:
    """Print the median and the extremes."""
    seconds = [one.seconds for one in runs]
    spread = f"{min(seconds):.1f}-{max(seconds):.1f}"
    print(
        f"{what:24} {statistics.median(seconds):6.1f} s  ({len(runs)} runs: {spread})"
        f"  {runs[0].count:3} tasks  gap {gap_of(runs)}",
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
    return Target("127.0.0.1", port, variables=variables)


def class_vm(app: Path, inventory: str, host: str) -> Target:
    """Return a host of an inventory, with the service that it is there for."""
    told = run("ansible", host, "--inventory", inventory, "--playbook-dir", "ansible", *ADDRESS)
    address, port = told.split()[-1].strip("'\"").rsplit(":", 1)
    options = (f"INVENTORY={inventory}", f"LIMIT={host}")
    return Target(address.strip("[]"), int(port), options, {"service_dir": str(app)})


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
    show_profile(UNCHANGED, median(runs[UNCHANGED]))
    show_profile(CHANGED, median(runs[CHANGED]))
    return runs


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inventory", default="", help="inventory of the host")
    parser.add_argument("--host", default="", help="class VM to measure instead of this machine")
    parser.add_argument("--strategy", default="", help="how a release takes over the port")
    parser.add_argument("--table", type=Path, help="file for the numbers of this machine")
    given = parser.parse_args()
    if given.table and given.host:
        parser.error("TABLE takes the numbers of this machine: leave INVENTORY and LIMIT out")
    if bool(given.inventory) != bool(given.host):
        parser.error("a class VM takes both: INVENTORY=FILE LIMIT=NAME")
    return given


def main() -> None:
    """Measure and print."""
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="classvm-bench-") as folder:
        app = copy_of_service(Path(folder))
        target = class_vm(app, given.inventory, given.host) if given.host else here(app)
        if given.strategy:
            variables = {**target.variables, "service_strategy": given.strategy}
            target = dataclasses.replace(target, variables=variables)
        if given.host:
            measure_deploys(target, app)
        else:
            page = measure_here(target, app)
            if given.table:
                given.table.write_text(page)


def measure_here(target: Target, app: Path) -> str:
    """Measure on this machine, where the service's speed can be measured, too; return the page."""
    if shutil.which("wrk") is None:
        run("ansible", "localhost", "--become", "--module-name", "apt", "--args", "name=wrk")
    clean()
    try:
        runs = measure_deploys(target, app)
        return page(runs, measure_service(target.port))
    finally:
        clean()


@dataclass(frozen=True)
class Service:
    """How large the image is, in bytes, and how many requests the service answers a second."""

    size: int
    rate: float
    bare: float


def measure_service(port: int) -> Service:
    """Measure the image's size and the service's speed, and print both."""
    image = run("docker", "inspect", "--format", "{{.Config.Image}}", f"classvm-{NAME}").strip()
    size = int(run("docker", "image", "inspect", "--format", "{{.Size}}", image))
    print(f"{'service image':24} {size / 1e6:6.1f} MB")
    rate, slow = requests_per_second(f"http://127.0.0.1:{port}/e222/sum/1/4")
    with bare_flask(image) as bare_port:
        bare, bare_slow = requests_per_second(f"http://127.0.0.1:{bare_port}/sum/1/4")
    print(f"{'/e222/sum/1/4':24} {rate:6.0f} requests/s  (99 % within {slow})")
    print(f"{'bare Flask route':24} {bare:6.0f} requests/s  (99 % within {bare_slow})")
    return Service(size, rate, bare)


def page(runs: Mapping[str, Sequence[Run]], service: Service) -> str:
    """Return the page of numbers, in Markdown."""
    rows = [
        f"| {what} | {median(some).seconds:.1f} | {some[0].count} | {gap_of(some)} |"
        for what, some in runs.items()
    ]
    changed = sorted(median(runs[CHANGED]).tasks.items(), key=lambda task: -task[1])
    return PAGE.format(
        processors=os.cpu_count(),
        rows="\n".join(rows),
        back=until_back(runs[ROLLBACK]),
        tasks="\n".join(f"- {seconds:.1f} s: {name}" for name, seconds in changed[:LONGEST]),
        size=service.size / 1e6,
        rate=service.rate,
        bare=service.bare,
    )


if __name__ == "__main__":
    main()
