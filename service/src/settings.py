"""Read the two port numbers of the service.

Source: ``ports.env`` next to ``server.py``; an environment variable of the
same name wins over the file.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Mapping, NamedTuple

SERVICE_FOLDER = Path(__file__).resolve().parent.parent
PORTS_FILE = SERVICE_FOLDER / "ports.env"
HIGHEST_PORT = 65535


class Ports(NamedTuple):
    """TCP port numbers, each in 1..65535."""

    container: int
    host: int


def parse_env(text: str) -> dict[str, str]:
    """Return the ``NAME=value`` lines of ``text``; ``#`` starts a comment.

    Raises:
        ValueError: a line is neither empty, nor a comment, nor ``NAME=value``.

    """
    values = {}
    for line in text.splitlines():
        statement = line.split("#", 1)[0].strip()
        if not statement:
            continue
        name, equals, value = statement.partition("=")
        if not equals:
            raise ValueError(f"expected NAME=value, found {statement!r}")
        values[name.strip()] = value.strip()
    return values


def parse_port(name: str, value: str) -> int:
    """Return ``value`` as a port number in 1..65535.

    Raises:
        ValueError: ``value`` is not such a number; the message has ``name``.

    """
    # int() alone would admit "1_0", and digits of other alphabets.
    is_number = re.fullmatch("[0-9]{1,5}", value)
    if not is_number or not 1 <= int(value) <= HIGHEST_PORT:
        raise ValueError(f"{name} must be a port in 1..{HIGHEST_PORT}, not {value!r}")
    return int(value)


def read_ports(
    file: Path = PORTS_FILE,
    environ: Mapping[str, str] = os.environ,
) -> Ports:
    """Return both ports.

    Raises:
        FileNotFoundError: ``file`` is missing.
        KeyError: a port is neither in ``file`` nor in ``environ``.
        ValueError: a port is not a number in 1..65535.

    """
    values = parse_env(file.read_text(encoding="utf-8"))
    values.update(environ)
    return Ports(
        container=parse_port("CONTAINER_PORT", values["CONTAINER_PORT"]),
        host=parse_port("HOST_PORT", values["HOST_PORT"]),
    )
