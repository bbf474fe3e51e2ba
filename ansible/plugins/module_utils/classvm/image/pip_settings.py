"""Hand the control node's pip settings to a build on a host, as secrets.

A campus network may have its own package index and its own certificate authority.
Paths of the control node mean nothing inside a build and are left out.
"""

from __future__ import annotations

import ast
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Mapping

from ..base import command

PASSED_ON = ("index-url", "extra-index-url", "find-links", "trusted-host", "proxy", "timeout")
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True)
class PipSettings:
    """What a build needs to reach the same package index as this machine.

    Attributes:
        conf: text of a pip.conf, or "".
        ca: certificates (PEM) that pip trusts, or "" for its own list.

    """

    conf: str
    ca: str


def read() -> PipSettings:
    """Return the settings in force for the user who runs Ansible."""
    listed = command.check([sys.executable, "-m", "pip", "config", "list"])
    return from_listing(listed, os.environ)


def from_listing(listed: str, environment: Mapping[str, str]) -> PipSettings:
    """Return the settings that `pip config list` prints and the environment completes.

    Lines look like ``global.index-url='…'`` or, for a variable, ``:env:.index-url='…'``.
    """
    settings: Dict[str, str] = {}
    from_variables: Dict[str, str] = {}
    for line in listed.splitlines():
        key, separator, value = line.partition("=")
        if separator:
            target = from_variables if key.startswith(":env:") else settings
            target[key.rpartition(".")[2]] = str(ast.literal_eval(value))
    settings.update(from_variables)
    return PipSettings(conf=_conf(settings), ca=_ca(settings, environment))


def _conf(settings: Mapping[str, str]) -> str:
    lines = []
    for key in PASSED_ON:
        words = _reachable(key, settings.get(key, ""))
        if words:
            lines.append(f"{key} = {' '.join(words)}")
    return "[global]\n" + "\n".join(lines) + "\n" if lines else ""


def _reachable(key: str, value: str) -> List[str]:
    """Drop the indexes that are files of this machine."""
    if key in ("index-url", "extra-index-url", "find-links"):
        return [word for word in value.split() if word.startswith(("http://", "https://"))]
    return value.split()


def _ca(settings: Mapping[str, str], environment: Mapping[str, str]) -> str:
    candidates = [settings.get("cert", ""), *(environment.get(name, "") for name in CA_VARIABLES)]
    for path in candidates:
        if path and Path(path).is_file():
            return Path(path).read_text(encoding="utf-8")
    return ""
