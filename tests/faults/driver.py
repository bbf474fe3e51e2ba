"""Release on the class VM itself, with classvm's own code, and kill it when it is told to.

Runs as root on the VM, with the package `classvm` beside it; needs Python 3.8::

    python3 driver.py release ORDER.json
    python3 driver.py kill ORDER.json --event 3
    python3 driver.py kill ORDER.json --after 0.7

With --skip-steady, a good candidate goes live at once: while it would have to stay up, nothing
happens that a kill could interrupt. With --unchecked, its contract is not called, either: the
test is how a release recovers from another that was interrupted.

An order holds the fields of the spec, the state folder, and how many releases to keep. What
became of it is printed as JSON. What a killed one has begun, such as a client of the engine that
still waits for its answer, goes on: nobody cleans up behind a kill.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

# What changes a container; health checks make events, too, and say nothing of the steps. One
# that dies is at the same time stopped or removed.
EVENTS = ("create", "start", "rename", "kill", "stop", "destroy")
SECONDS = 120


def release(order: Dict[str, Any], *, skip_steady: bool) -> Dict[str, Any]:
    """Make a release live and return what came of it."""
    # Beside this file, on the VM only.
    from classvm.base import docker, errors  # noqa: PLC0415 - on the VM only
    from classvm.release import candidate, go_live, release_spec  # noqa: PLC0415 - as above

    if skip_steady:
        candidate.STEADY_SECONDS = 0.0
    desired = release_spec.ReleaseSpec(**order["spec"])
    try:
        outcome = go_live.release(docker.Docker(), desired, order["state_dir"], order["keep"])
    except errors.ClassvmError as error:
        return {"error": str(error)}
    return {"error": "", "changed": outcome.changed, "gap": outcome.gap}


def kill(
    order_file: str, event: Optional[int], after: Optional[float], *, skip_steady: bool
) -> Dict[str, Any]:
    """Release in another process and kill that; return what could be seen of it.

    Args:
        order_file: what is to be released.
        event: kill at this event of the service's containers, counted from 1; none to let it end.
        after: kill after so many seconds.
        skip_steady: whether the candidate is live as soon as it is good.

    """
    order = json.loads(Path(order_file).read_text(encoding="utf-8"))
    seen: List[str] = []
    events = subprocess.Popen(
        event_words(order["spec"]["service"]), stdout=subprocess.PIPE, text=True
    )
    victim = subprocess.Popen(
        [
            sys.executable,
            __file__,
            "release",
            order_file,
            *(["--skip-steady"] if skip_steady else []),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    def watch() -> None:
        for line in events.stdout or ():
            seen.append(line.strip())
            if len(seen) == event:
                victim.kill()

    watching = threading.Thread(target=watch)
    watching.start()
    started = time.monotonic()
    try:
        said, _ = victim.communicate(timeout=after or SECONDS)
    except subprocess.TimeoutExpired:
        victim.kill()
        said, _ = victim.communicate()
    seconds = time.monotonic() - started
    events.kill()
    watching.join()
    killed = victim.returncode == -signal.SIGKILL
    return {"killed": killed, "seconds": seconds, "events": seen, "said": said}


def event_words(service: str) -> List[str]:
    """Return the words that print each event of a service's containers from now on."""
    words = ["docker", "events", "--since", f"{time.time():.3f}", "--filter", "type=container"]
    words += ["--filter", f"label=classvm.service={service}"]
    words += [word for name in EVENTS for word in ("--filter", f"event={name}")]
    return [*words, "--format", "{{.Action}} {{.Actor.Attributes.name}}"]


def main() -> None:
    """Do what the command line says and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["release", "kill"])
    parser.add_argument("order")
    parser.add_argument("--event", type=int)
    parser.add_argument("--after", type=float)
    parser.add_argument("--skip-steady", action="store_true")
    parser.add_argument("--unchecked", action="store_true")
    options = parser.parse_args()
    if options.verb == "release":
        order = json.loads(Path(options.order).read_text(encoding="utf-8"))
        if options.unchecked:
            order["spec"]["contract"] = ""
        came = release(order, skip_steady=options.skip_steady)
    else:
        came = kill(options.order, options.event, options.after, skip_steady=options.skip_steady)
    print(json.dumps(came))  # noqa: T201 - wanted


if __name__ == "__main__":
    main()
