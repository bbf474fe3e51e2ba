"""The contract check, as the program carries it for the container in which it runs."""

from __future__ import annotations

import pkgutil

from ..contract import archive

# Beside this module in the program's file; in a checkout, the package is packed anew.
CHECKER = "contract.pyz"


def checker(folder: str) -> str:
    """Return the Python source that checks a contract.

    Args:
        folder: an empty folder of the container, in which the source writes the check.

    """
    return archive.program(folder, _packed())


def _packed() -> bytes:
    try:
        return pkgutil.get_data(__package__ or "", CHECKER) or b""
    except OSError:
        return b""
