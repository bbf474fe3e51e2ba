"""Look at the service of a host from the control node, too, where its clients are."""

from __future__ import annotations

from typing import Any

from ..module_utils.classvm.release import finishing, outside
from ..module_utils.classvm.release.status import Status
from ..plugin_utils.host_program import Asks, is_bare

ARGUMENTS = {
    "what": {"type": "str", "choices": ["status", "releases", "log"], "default": "status"},
    "service": {"type": "str", "required": True},
    "state_dir": {"type": "path", "required": True},
    "log_lines": {"type": "int", "default": 50},
    "log_all": {"type": "bool", "default": False},
    "address": {"type": "str", "default": ""},
    "port": {"type": "int", "default": 0},
    "provision": {"type": "dict", "default": {}},
}
VERBS = {"status": "status", "releases": "releases", "log": "logs"}
# What is told of a host that was never provisioned, or was reset.
ABSENT = {"status": vars(Status()), **finishing.NOTHING}
NOTHING: dict[str, dict[str, Any]] = {
    "status": ABSENT,
    "releases": {**ABSENT, "releases": [], "table": "", "remark": ""},
    "log": {"lines": [], "container": "", "stamp": ""},
}
# What a client sees is added to the status.
FROM_OUTSIDE = ("address", "port", "provision")


class ActionModule(Asks):
    """The answer of the host program; with an address, what a client sees is added."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the answer, and the status as facts and as a sentence."""
        super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(argument_spec=ARGUMENTS)
        asked = {name: given[name] for name in ("service", "state_dir")}
        if given["what"] == "log":
            asked.update(lines=given["log_lines"], all=given["log_all"])
        answer = told(given["provision"]) or self.ask(VERBS[given["what"]], asked, task_vars)
        # With a state folder, an older provision has made this host, and a service may run there.
        if is_bare(answer) and not self.is_there(given["state_dir"]):
            answer = {"changed": False, **NOTHING[given["what"]]}
        if answer.get("failed") or not given["address"]:
            return answer
        return {**answer, **seen(answer, **{name: given[name] for name in FROM_OUTSIDE})}


def told(provision: dict[str, Any]) -> dict[str, Any]:
    """Return the status that was asked together with the provision, or {}."""
    known = {name: provision[name] for name in ABSENT if name in provision}
    return {"changed": False, **known} if "status" in known else {}


def seen(
    answer: dict[str, Any], address: str, port: int, provision: dict[str, Any]
) -> dict[str, Any]:
    """Return the status as facts and as a sentence.

    Args:
        answer: of the host program.
        address: of the host, for its clients.
        port: where the service is reached, if the host does not tell.
        provision: what is not as the provision left it.

    """
    status = Status(**answer["status"])
    # A host of before does not tell it.
    swap = {name: answer.get(name, value) for name, value in finishing.NOTHING.items()}
    asked = (
        outside.ask(address, status.port)
        if status.is_running and status.port
        else outside.Asked(outside.url_of(address, status.port or int(port)))
    )
    return {
        "facts": outside.facts(status, asked, provision, swap),
        "text": outside.sentence(status, asked, provision, swap),
    }
