"""Word the answers of the program for a person on the host."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from ..base.legible import printable
from ..release import finishing
from ..release.status import ABSENT, DEGRADED, NO_EDGE, STOPPED, UNHEALTHY
from ..release.table import aligned

NEXT = {
    ABSENT: "`make deploy` in a clone brings a release up",
    STOPPED: "`classvm start` starts it",
    UNHEALTHY: "`classvm logs` may tell why",
    DEGRADED: "`make deploy` in a clone repairs it",
}

# How an account becomes root.
ROOT_BY = {
    "root": "it is",
    "sudo": "by sudo",
    "password": "by sudo, with its password",
    "none": "never",
}


def shown(verb: str, answer: Mapping[str, Any]) -> str:
    """Return what a person reads of an answer."""
    return printable(WORDS[verb](answer))


def failed(answer: Mapping[str, Any]) -> str:
    """Return what a person reads of a request that was not done: the closing line comes last."""
    error = answer["error"]
    details = [error["details"], ""] if error["details"] else []
    return printable("\n".join([*details, f"classvm: {error['line']}"]))


def _status(answer: Mapping[str, Any]) -> str:
    found: Dict[str, Any] = answer["status"]
    rows = [["service", answer["service"]], ["state", found["state"]]]
    if found["state"] != ABSENT:
        since = found["since"].replace("T", " ").replace("Z", " UTC")
        rows += [["release", found["release"]], ["since", since]]
    if found["port"]:
        rows.append(["port", str(found["port"])])
    if found["edge"] != NO_EDGE:
        rows.append(["HAProxy", found["edge"]])
    if found["maintenance"]:
        rows.append(["maintenance", "on; `classvm maintenance off` ends it"])
    if found["restarts"]:
        rows.append(["restarts", str(found["restarts"])])
    rows += [["problem", one] for one in found["problems"]]
    rows += [["note", one] for one in finishing.remarks(answer)]
    if found["state"] in NEXT:
        rows.append(["next", NEXT[found["state"]]])
    return "\n".join(aligned(rows))


def _releases(answer: Mapping[str, Any]) -> str:
    none = "No release was ever deployed here; `make deploy` in a clone makes the first one."
    return "\n".join(filter(None, [answer["table"] or none, answer["remark"]]))


def _logs(answer: Mapping[str, Any]) -> str:
    return "\n".join(answer["lines"])


def _live(answer: Mapping[str, Any]) -> str:
    verb = "is" if answer["changed"] else "was already"
    gap = "" if answer["gap"] is None else f", gap {answer['gap']:.1f} s"
    rest = f"; {answer['finishing']}" if answer["finishing"] else ""
    line = (
        f"classvm: release {answer['release']} {verb} live{answer['maintenance_note']}{gap}{rest}"
    )
    return "\n".join([*answer["classvm_notes"], line])


def _runs(answer: Mapping[str, Any]) -> str:
    verb = "is up" if answer["changed"] else "was up already"
    return f"classvm: release {answer['status']['release']} {verb}{answer['maintenance_note']}"


def _stopped(answer: Mapping[str, Any]) -> str:
    done = "stopped" if answer["changed"] else "did not run"
    return f"classvm: {done}; `classvm start` starts it"


def _maintained(answer: Mapping[str, Any]) -> str:
    return "classvm: done" if answer["changed"] else "classvm: it was so already"


def _verified(answer: Mapping[str, Any]) -> str:
    problems: List[str] = answer["problems"]
    if problems:
        return "\n".join(f"classvm: {answer['image']}: {one}" for one in problems)
    return f"classvm: {answer['image']} is what its labels say"


def _provision(answer: Mapping[str, Any]) -> str:
    problems: List[str] = answer["problems"]
    unseen = [f"not checked: {answer['unseen']} (only root can tell)"] if answer["unseen"] else []
    told = [*problems, *unseen] or ["this host is as its provision left it"]
    return "\n".join(f"classvm: {one}" for one in told)


def _account(answer: Mapping[str, Any]) -> str:
    return "\n".join(
        aligned(
            [
                ["account", answer["account"]],
                ["root", ROOT_BY[answer["privilege"]]],
                ["engine", "as it is" if answer["engine_access"] else "as root alone"],
            ]
        )
    )


def _version(answer: Mapping[str, Any]) -> str:
    return f"classvm: protocol {answer['protocol']}, sha256 {answer['digest']}"


WORDS = {
    "release": _live,
    "rollback": _live,
    "releases": _releases,
    "status": _status,
    "logs": _logs,
    "start": _runs,
    "restart": _runs,
    "stop": _stopped,
    "maintenance": _maintained,
    "verify-image": _verified,
    "verify-provision": _provision,
    "account": _account,
    "version": _version,
}
