"""Release on the class VM itself with classvm's own code, and kill a release on demand.

Runs as root on the VM, with the package `classvm` beside it; needs Python 3.8::

    python3 driver.py release ORDER.json
    python3 driver.py kill ORDER.json --event 3
    python3 driver.py kill ORDER.json --after 0.7

With --skip-steady, a healthy candidate goes live at once: during the steady time nothing happens
that a kill could interrupt. With --unchecked, the contract check is left out, too: for releases
that only have to recover from an interrupted one.

An order holds the fields of the release spec, the state folder, and how many releases to keep. The
outcome is printed as JSON. Child processes of a killed release, such as a Docker client that waits
for its answer, are left alone, as a real kill would leave them.
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

# Events that are steps of a release. Others are not: health checks make events all the time, and
# `die` comes together with `stop` or `destroy`.
EVENTS = ("create", "start", "rename", "kill", "stop", "destroy")
SECONDS = 120


def release(order: Dict[str, Any], *, skip_steady: bool) -> Dict[str, Any]:
    """Make a release live and return the outcome."""
    from classvm.base import docker, errors  # noqa: PLC0415 - on the VM only
    from classvm.release import go_live, release_spec  # noqa: PLC0415 - as above

    seconds = {**order["spec"]["seconds"], **({"steady": 0.0} if skip_steady else {})}
    given = {**order["spec"], "seconds": release_spec.Seconds(**seconds)}
    desired = release_spec.ReleaseSpec(**given)
    try:
        outcome = go_live.release(docker.Docker(), desired, order["state_dir"], order["keep"])
    except errors.ClassvmError as error:
        return {"error": str(error)}
    return {"error": "", "changed": outcome.changed, "gap": outcome.gap}


def kill(
    order_file: str, event: Optional[int], after: Optional[float], *, skip_steady: bool
) -> Dict[str, Any]:
    """Release in another process and kill that process; return what was observed.

    Args:
        order_file: the order to release.
        event: kill at this event of the service's containers, counted from 1; None: do not kill.
        after: kill after this many seconds; None: do not kill.
        skip_steady: whether a candidate goes live as soon as it is healthy.

    """
    order = json.loads(Path(order_file).read_text(encoding="utf-8"))
    argv = event_argv(order["spec"]["service"])
    seen: List[str] = []
    events = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    release_argv = [sys.executable, __file__, "release", order_file]
    release_argv += ["--skip-steady"] if skip_steady else []
    releasing = subprocess.Popen(
        release_argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )

    def watch() -> None:
        for line in events.stdout or ():
            seen.append(line.strip())
            if len(seen) == event:
                releasing.kill()

    watching = threading.Thread(target=watch)
    watching.start()
    started = time.monotonic()
    try:
        output, _ = releasing.communicate(timeout=after or SECONDS)
    except subprocess.TimeoutExpired:
        releasing.kill()
        output, _ = releasing.communicate()
    seconds = time.monotonic() - started
    events.kill()
    watching.join()
    killed = releasing.returncode == -signal.SIGKILL
    if not killed:
        # The last events may not have been delivered when the process that printed them was killed.
        listed = [*argv, "--until", f"{time.time():.3f}"]
        seen = subprocess.check_output(listed, text=True).splitlines()
    return {"killed": killed, "seconds": seconds, "events": seen, "output": output}


def event_argv(service: str) -> List[str]:
    """Return the command that prints each event of a service's containers from now on."""
    argv = ["docker", "events", "--since", f"{time.time():.3f}", "--filter", "type=container"]
    argv += ["--filter", f"label=classvm.service={service}"]
    argv += [word for name in EVENTS for word in ("--filter", f"event={name}")]
    return [*argv, "--format", "{{.Action}} {{.Actor.Attributes.name}}"]


def main() -> None:
    """Run the verb of the command line and print the outcome."""
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
        outcome = release(order, skip_steady=options.skip_steady)
    else:
        outcome = kill(options.order, options.event, options.after, skip_steady=options.skip_steady)
    print(json.dumps(outcome))  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main()
