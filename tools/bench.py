"""Measures how long a deploy takes and how fast the service answers, on this machine.

    make bench

It deploys a service of its own beside the live one, under another name, on another port and
with a base image and a state folder of its own, and removes all of that at the end. The first
deploy starts from an installed engine: it bootstraps the base image and builds every layer.
Needs root. Load goes to loopback only, for a few seconds.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[1]
NAME = "bench"
BASE = "classvm/base:bench"
STATE_DIR = Path("/var/lib/classvm-bench")
BARE = "classvm-bench-flask"
REPEATS = 3
POLL_SECONDS = 0.01
LOAD = ("--threads", "2", "--connections", "32", "--duration", "5s", "--latency")


def run(*words: str) -> str:
    """Run a command that has to succeed and return what it printed."""
    done = subprocess.run(  # noqa: S603 - the words stand in this file
        words,
        cwd=ROOT,
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


@dataclass
class Deploy:
    """How long a deploy took.

    Attributes:
        seconds: from the command's start to its end.
        tasks: number of Ansible tasks.
        gap: longest time in which no request was answered, in seconds.

    """

    seconds: float
    tasks: int
    gap: float


def deploy(app: Path, port: int) -> Deploy:
    """Deploy a folder while a client polls the port."""
    variables = {
        "service_name": NAME,
        "service_dir": str(app),
        "service_host_port": port,
        "base_image_name": BASE,
        "classvm_state_dir": str(STATE_DIR),
    }
    with Poller(port) as poller:
        started = time.monotonic()
        words = ("ansible-playbook", "ansible/deploy.yml", "--extra-vars", json.dumps(variables))
        text = run(*words)
        seconds = time.monotonic() - started
    return Deploy(seconds, len(re.findall(r"^TASK \[", text, re.MULTILINE)), poller.gap)


@dataclass
class Poller:
    """A client that asks every 10 ms, over a new connection each time."""

    port: int
    gap: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        """Start to ask."""
        self._thread = threading.Thread(target=self._poll)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop to ask."""
        self._stop.set()
        self._thread.join()

    def _poll(self) -> None:
        last = None
        while not self._stop.wait(POLL_SECONDS):
            if not self._answers():
                continue
            now = time.monotonic()
            self.gap = max(self.gap, now - last if last else 0.0)
            last = now

    def _answers(self) -> bool:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            client.request("GET", "/e222/hello")
            return client.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            client.close()


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


def show(what: str, deploys: list[Deploy]) -> None:
    """Print the median and the extremes."""
    seconds = [one.seconds for one in deploys]
    gap = statistics.median(one.gap for one in deploys)
    spread = f"{min(seconds):.1f}-{max(seconds):.1f}"
    print(
        f"{what:24} {statistics.median(seconds):6.1f} s  ({len(deploys)} runs: {spread})"
        f"  {deploys[0].tasks:3} tasks  gap {gap * 1000:5.0f} ms",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    if shutil.which("wrk") is None:
        run("ansible", "localhost", "--become", "--module-name", "apt", "--args", "name=wrk")
    port = free_port()
    clean()
    with tempfile.TemporaryDirectory(prefix="classvm-bench-") as folder:
        app = copy_of_service(Path(folder))
        try:
            show("first deploy", [deploy(app, port)])
            show("deploy without changes", [deploy(app, port) for _ in range(REPEATS)])
            changed = []
            for _ in range(REPEATS):
                change_a_line(app)
                changed.append(deploy(app, port))
            show("deploy of a changed line", changed)
            measure_service(port)
        finally:
            clean()


def measure_service(port: int) -> None:
    """Print the image's size and the service's speed."""
    image = run("docker", "inspect", "--format", "{{.Config.Image}}", f"classvm-{NAME}").strip()
    size = int(run("docker", "image", "inspect", "--format", "{{.Size}}", image))
    print(f"{'service image':24} {size / 1e6:6.1f} MB")
    rate, slow = requests_per_second(f"http://127.0.0.1:{port}/e222/sum/1/4")
    with bare_flask(image) as bare_port:
        bare, bare_slow = requests_per_second(f"http://127.0.0.1:{bare_port}/sum/1/4")
    print(f"{'/e222/sum/1/4':24} {rate:6.0f} requests/s  (99 % within {slow})")
    print(f"{'bare Flask route':24} {bare:6.0f} requests/s  (99 % within {bare_slow})")


if __name__ == "__main__":
    main()
