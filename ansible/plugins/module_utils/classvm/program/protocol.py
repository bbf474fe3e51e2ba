"""What the host program and those who call it agree on: a number, words for errors, exit codes.

docs/json.md describes it. A caller and a host may be of different versions: the host understands every
protocol up to its own.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ..base.errors import ClassvmError
from ..base.legible import printable

# It grows when a host of before would misunderstand a request.
PROTOCOL = 1

# Words for what has gone wrong, and the exit code of each.
FAILED, REQUEST, TOO_OLD, NOT_PROVISIONED, DEFECT, INTERRUPTED = (
    "failed",
    "request",
    "protocol",
    "provision",
    "defect",
    "interrupted",
)
EXIT_CODES = {FAILED: 1, REQUEST: 2, TOO_OLD: 3, NOT_PROVISIONED: 4, DEFECT: 5, INTERRUPTED: 130}


class RefusedError(ClassvmError):
    """A request that the program does not begin.

    Attributes:
        code: one of the words above.

    """

    def __init__(self, code: str, cause: str, *, place: str = "", fix: str = "") -> None:
        """Compose the message."""
        super().__init__(cause, place=place, fix=fix)
        self.code = code


def require_known(protocol: int) -> None:
    """Make sure that this program understands a request.

    Raises:
        RefusedError: the caller is newer than this host.

    """
    if protocol > PROTOCOL:
        raise RefusedError(
            TOO_OLD,
            f"This host speaks protocol {PROTOCOL}, and the clone that asks speaks {protocol}",
            fix="Ask your admin to run `make provision`.",
        )


def answer(content: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the answer to a request that was done."""
    return {"protocol": PROTOCOL, "error": None, **content}


def failure(error: BaseException, code: str = FAILED) -> Dict[str, Any]:
    """Return the answer to a request that was not done.

    Args:
        error: why.
        code: one of the words above; a `RefusedError` has its own.

    """
    known = error if isinstance(error, ClassvmError) else ClassvmError(str(error))
    return {
        "protocol": PROTOCOL,
        "error": {
            "code": getattr(error, "code", code) if isinstance(error, RefusedError) else code,
            # An app may have printed what a terminal would obey.
            "line": printable(known.line),
            "fix": printable(known.fix),
            "details": printable(known.details),
        },
    }
