"""What `make status` says: what the host tells of itself, and whether the port answers from outside."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Mapping, Sequence

from . import asking, finishing
from .finishing import NOTHING
from .health import USER_AGENT
from .status import ABSENT, DEGRADED, EDGE_DOWN, STOPPED, UNHEALTHY, UP, Status

ANSWER_SECONDS = 5
TRIES = 2


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a client on the control node sees.

    Attributes:
        url: where the service is reached.
        silence: why nothing answers there, or "" where something does.

    """

    url: str
    silence: str = ""


def ask(host: str, port: int) -> Asked:
    """Ask a port of a host; any answer to HTTP will do.

    Args:
        host: name or address; of IPv6, in brackets.
        port: TCP port of the host.

    """
    silence = ""
    for _ in range(TRIES):
        silence = _silence(host, port)
        if not silence:
            break
    return Asked(url_of(host, port), silence)


def _silence(host: str, port: int) -> str:
    """Return why nothing answers at a port, "" where something does."""
    try:
        asking.status_of(host, port, "HEAD", USER_AGENT, ANSWER_SECONDS)
    except OSError as error:
        return error.strerror or str(error) or type(error).__name__
    return ""


def url_of(host: str, port: int) -> str:
    """Return the address of a service."""
    return f"http://{host}:{port}/"


def facts(
    status: Status, asked: Asked, provision: Mapping[str, Any], swap: Mapping[str, Any] = NOTHING
) -> Dict[str, Any]:
    """Return the status as data, for a program.

    Args:
        status: what the host tells of itself.
        asked: what a client sees; of a service that does not run, nothing is asked.
        provision: "problems", "guard" and "unseen", as the module `classvm_provisioned` returns them.
        swap: as `finishing.read` returns it.

    """
    silence = [f"it does not answer from outside: {asked.silence}"] if asked.silence else []
    return {
        **vars(status),
        "state": DEGRADED if status.state == UP and silence else status.state,
        "url": asked.url,
        "answers": not asked.silence if status.is_running and status.port else None,
        "problems": [*status.problems, *silence],
        **swap,
        "guard": provision["guard"],
        "provision": list(provision["problems"]),
        "not_checked": provision["unseen"],
    }


def sentence(
    status: Status, asked: Asked, provision: Mapping[str, Any], swap: Mapping[str, Any] = NOTHING
) -> str:
    """Return the status as a sentence, for a person: what is wrong, each with its command."""
    state = facts(status, asked, provision)["state"]
    remarks = [*finishing.remarks(swap), *_remarks(status, asked, provision)]
    return "; ".join([_beginning(status, state, asked.url), *remarks])


def _beginning(status: Status, state: str, url: str) -> str:
    if state == ABSENT:
        return "absent; `make deploy` brings it up"
    if state == STOPPED:
        return f"stopped, release {status.release}; `make start` starts it"
    since = status.since.replace("T", " ").replace("Z", " UTC")
    text = f"{state}, release {status.release} at {url} since {since}"
    if status.maintenance:
        # Whatever the release does, no client sees it.
        text = (
            f"in maintenance: every client gets 503 until `make maintenance off`; behind it {text}"
        )
    return f"{text}; `make logs` may tell why" if state == UNHEALTHY else text


def _remarks(status: Status, asked: Asked, provision: Mapping[str, Any]) -> List[str]:
    found = []
    if status.problems:
        found.append(f"{_listed(status.problems)}; `make deploy` repairs it")
    elif asked.silence:  # where the host itself knows a reason, that is it
        found.append(
            f"it answers on its host, but not from here ({asked.silence}): look for a firewall between"
        )
    if status.edge == EDGE_DOWN and not status.problems:
        found.append("HAProxy does not hold the port; `make deploy` repairs it")
    if status.maintenance and not status.is_running:
        found.append("maintenance is on, which `make maintenance off` ends")
    if status.restarts:
        times = "once" if status.restarts == 1 else f"{status.restarts} times"
        found.append(f"it ended and was started again {times}, `make logs` may tell why")
    if provision["problems"]:
        stale = _listed(provision["problems"])
        found.append(f"the provision is not current: {stale}; `make deploy` renews it")
    if provision["unseen"]:
        found.append(f"not checked: {provision['unseen']} (only root can tell)")
    return found


def _listed(phrases: Sequence[str]) -> str:
    return ", ".join(phrases)
