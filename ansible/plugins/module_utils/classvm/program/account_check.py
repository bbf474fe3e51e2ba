"""The verbs about the account and the provision: account, verify-provision.

Every deploy and every rollback asks one of them first: what the other one needs is not loaded for it.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Optional

from ..base import account, command, installed
from ..base.docker import ignored_settings
from ..base.errors import ClassvmError
from . import checked, environment
from .host import Host

# Members of a request that are handed on as they are.
HANDED_ON = ("base_image", "service", "port", "password_given")


def tell_account(host: Host, request: Dict[str, Any]) -> Dict[str, Any]:
    """Return what the account that asks may do on this host."""
    del host, request
    return account.described()


def verify_provision(host: Host, request: Dict[str, Any]) -> Dict[str, Any]:
    """Tell what is not as the provision left it; before a deploy, also what that needs to know."""
    own = account.described()
    answer = by_sudo(request) if own["privilege"] == "sudo" else None
    if answer is None:
        return _verified(host, request)
    if answer["error"] is None:
        # The caller's own variables and rights count; root's program has none of them.
        answer.update(own)
        if request.get("to_deploy"):
            answer["ignored"] = ignored_settings(environment.GIVEN)
    return answer


def by_sudo(request: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """Return the answer of this program as root, or None where sudo does not start it.

    One program then asks the engine and the guard, instead of sudo for each question to them.
    """
    argv = [*account.SUDO, installed.HERE.command, "verify-provision", "--json"]
    done = command.run(argv, stdin=json.dumps(request).encode())
    try:
        answer = checked.parse(done.out.encode())
    except ClassvmError:
        return None
    return answer if "error" in answer else None


def _verified(host: Host, request: Dict[str, Any]) -> Dict[str, Any]:
    from ..provision import comparison, freshness  # noqa: PLC0415 - see above

    recorded = freshness.read_record(host.state_dir).get("fingerprint", "")
    asked = comparison.Asked(
        state_dir=host.state_dir,
        # A person on the host has no clone to compare it with.
        fingerprint=request.get("fingerprint", str(recorded)),
        **{name: request[name] for name in HANDED_ON if name in request},
    )
    if request.get("to_deploy"):
        return comparison.before_deploy(asked, environment.GIVEN)
    return {**comparison.compared(asked), **_status(host, request)}


def _status(host: Host, request: Dict[str, Any]) -> Dict[str, Any]:
    """Return what is added of the service; nothing to an account that may not ask the engine."""
    if not request.get("with_status") or host.docker.engine_problem():
        return {}
    from . import looking  # noqa: PLC0415 - see above

    return looking.tell_status(host, request)
