"""Ask the host program to make a release live, or to roll back to one that was."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.image import pip_settings
from ..module_utils.classvm.release.limits import LIMITS
from ..module_utils.classvm.release.release_spec import Seconds
from ..module_utils.classvm.release.rollback import PREVIOUS
from ..plugin_utils.host_program import Asks, failed, is_bare
from . import classvm_settings

ROLES = classvm_settings.COLLECTION / "roles"

ARGUMENTS = {
    "state": {"type": "str", "choices": ["live", "rolled_back"], "default": "live"},
    "service": {"type": "str", "required": True},
    "release": {"type": "str", "default": PREVIOUS},
    "host_port": {"type": "int", "required": True},
    "container_port": {"type": "int", "required": True},
    "limits": {"type": "dict", "required": True},
    "seconds": {
        "type": "dict",
        "required": True,
        "options": {
            one.name: {"type": "float", "required": True} for one in dataclasses.fields(Seconds)
        },
    },
    "environment": {"type": "dict", "default": {}, "no_log": True},
    "gapless": {"type": "bool", "default": True},
    "background": {"type": "bool", "default": True},
    "contract": {"type": "str", "default": ""},
    "checker_image": {"type": "str", "default": ""},
    "sent": {"type": "dict", "default": {}},
    "content": {"type": "str", "default": ""},
    "revision": {"type": "str", "default": ""},
    "keep_releases": {"type": "int", "required": True},
    "state_dir": {"type": "path", "required": True},
}
NOT_NAMED = ClassvmError(
    "No release was named", fix="Set `release` to the id of the release to deploy."
)


class ActionModule(Asks):
    """The question, and what a dry run says of a bare host."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the answer of the host program."""
        super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(argument_spec=ARGUMENTS)
        is_rollback = given["state"] == "rolled_back"
        if not is_rollback and given["release"] == PREVIOUS:
            return failed(NOT_NAMED)
        if given["sent"]:
            return self._send(given, task_vars)
        asked = {**request(given), "diff": self._task.diff}
        answer = self.ask("rollback" if is_rollback else "release", asked, task_vars)
        if is_bare(answer) and self._task.check_mode and not is_rollback:
            return announced(given["release"])
        return answer

    def _send(self, given: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        """Return the answer to a release whose app the host program builds."""
        context = Path(given["sent"]["context"])
        pip = pip_settings.read()
        asked = {
            **request_of_student(given, limits_set(task_vars)),
            "secrets": {"pip.conf": pip.conf, "ca.pem": pip.ca},
            "diff": self._task.diff,
        }
        answer = self.ask("release", asked, task_vars, context.read_bytes())
        context.unlink()
        places = given["sent"].get("places")
        if answer.get("failed") and places:
            from ..module_utils.classvm.app import requirements_plan  # noqa: PLC0415 - only here, and it is large

            answer["msg"] = requirements_plan.located(answer["msg"], places)
        return answer


def limits_set(task_vars: dict[str, Any]) -> set[str]:
    """Return the limits that somebody has set, and not the kit itself: what a student asks for."""
    variables = {name: f"service_{name}" for name in LIMITS}
    return {
        name
        for name, variable in variables.items()
        if classvm_settings.place(variable, task_vars.get(variable), ROLES)
    }


def request_of_student(given: dict[str, Any], asked_limits: set[str]) -> dict[str, Any]:
    """Return what the host program is asked, before the app.

    Args:
        given: options of the task.
        asked_limits: names of the limits that count.

    """
    limits = {name: str(value) for name, value in given["limits"].items() if name in asked_limits}
    also = ("service", "state_dir", "contract", "revision", "host_port", "container_port")
    sent = {name: given["sent"][name] for name in ("app", "keep", "kit")}
    return {**{name: given[name] for name in also}, **sent, "limits": limits}


def request(given: dict[str, Any]) -> dict[str, Any]:
    """Return what the host program is asked.

    Args:
        given: options of the task.

    """
    asked = {
        "service": given["service"],
        "state_dir": given["state_dir"],
        "release": given["release"],
        "settings": {
            "host_port": given["host_port"],
            "container_port": given["container_port"],
            "limits": {name: str(value) for name, value in given["limits"].items()},
            "seconds": given["seconds"],
            "environment": {name: str(value) for name, value in given["environment"].items()},
            "gapless": given["gapless"],
        },
    }
    if not given["background"]:
        # A host of before knows no such member, and needs none.
        asked["background"] = False
    if given["state"] == "rolled_back":
        return asked
    also = ("contract", "checker_image", "content", "revision", "keep_releases")
    return {**asked, **{name: given[name] for name in also}}


def announced(release: str) -> dict[str, Any]:
    """Return what a dry run tells of a host that has nothing yet."""
    from ..module_utils.classvm.release import go_live  # noqa: PLC0415 - only here, and it is large

    return vars(go_live.Outcome(changed=True, release=release, container="", replaced=""))
